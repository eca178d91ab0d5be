"""Lifts a TF 1 graph: makes its variables, functions over them, and a stand-in for its Session.

May import `errors`, `types` and `_tensorflow`. Knows nothing of checkpoints, programs, loops or callbacks.

Its modules build on each other in this order: `nodes`, `elements`, `effects`, `garbage`, `function_defs`;
`rewriting/`, `random_ops/`; `library`, `part`, `xla`; `lifted`; `session`; `tables`, `initialize`,
`queue_runners`; `saving/`; `iterators`, `arguments`.
"""
