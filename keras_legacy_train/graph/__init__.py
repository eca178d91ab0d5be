"""Lifts a TF 1 graph: variables, functions over them, and a stand-in for its Session.

May import checkpoints, errors, arguments and `_tensorflow`; it knows nothing of programs, loops or callbacks.
"""
