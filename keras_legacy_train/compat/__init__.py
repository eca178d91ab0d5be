"""Gives scripts of TensorFlow 1 the names they were written with.

`names.py` is the table from a name of TensorFlow 1 to what stands for it. Everything else is made from it:
the `tensorflow` that an old script sees, the `migrate` command, the error messages and the documentation.

May import every room that the table leads to, and only when a name of it is asked for.
"""
