"""Reads and writes a graph's files: its `Saver`s, `.meta` files and SavedModels.

May import the modules of `graph` up to `session` and `tables`, and `_tensorflow`.
"""
