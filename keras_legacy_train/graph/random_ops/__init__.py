"""Replaces random ops by twins, which keep their state in a variable and draw the same numbers.

May import `graph.nodes`, `graph.function_defs` and `_tensorflow`.
"""
