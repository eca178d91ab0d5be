"""Knows what follows the logits of a model: its loss, metrics and predictions.

`base.py` says what a head is. `single.py` has what the heads with logits of their own share, and
`regression.py` and `classification.py` are these heads; `combined.py` has the head of several. `logits.py`,
`losses.py` and `metrics.py` compute.

May import `keys` and `model_fn_ops` of `learn`.
"""
