"""Stands for `tensorflow.examples.tutorials` and `tf.contrib.learn.datasets`, from which scripts import.

May import `tensorflow` alone.
"""
