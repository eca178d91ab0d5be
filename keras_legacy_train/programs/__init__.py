"""Programs: what one step is, and how to run many of them in one call.

May import graph, checkpoints, and what they import; it knows nothing of callbacks or monitors.
"""
