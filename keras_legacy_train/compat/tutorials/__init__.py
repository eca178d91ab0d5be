"""Stands for `tensorflow.examples.tutorials`, and for data, files and words of `tf.contrib.learn`.

May import `tensorflow` alone.
"""
