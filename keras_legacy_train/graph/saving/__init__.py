"""Reads and writes a graph's files: its `Saver`s, `.meta` files and SavedModels.

May import the modules of `graph` and `_tensorflow`.
"""
