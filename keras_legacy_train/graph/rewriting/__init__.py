"""Rewrites the nodes of a TF 1 graph that TensorFlow 2 runs differently; one pass a file.

May import `graph.nodes` and `_tensorflow`.
"""
