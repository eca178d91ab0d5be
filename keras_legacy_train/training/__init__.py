"""Puts a training together: checked options, the directory, what a run is made of, and the run itself.

May import callbacks, loop, programs, graph, checkpoints and what they import; only `train`,
`fit` and rooms above them import it.
"""
