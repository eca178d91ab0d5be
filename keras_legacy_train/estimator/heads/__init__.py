"""Knows what follows the logits of a model: loss, metrics, predictions, outputs of an export.

`base.py` says what a head is, the other modules have one kind of head each. `checks.py` checks labels, logits
and weights, `metrics.py` counts, `train_op.py` and `keras_optimizer.py` make the training operation.

May import `mode_keys`, `spec` and `export` of `estimator`, and the modules of the package up to `train`.
"""

from __future__ import annotations

from keras_legacy_train.estimator.heads.base import Head
from keras_legacy_train.estimator.heads.binary_class import BinaryClassHead
from keras_legacy_train.estimator.heads.multi_class import MultiClassHead
from keras_legacy_train.estimator.heads.multi_head import MultiHead
from keras_legacy_train.estimator.heads.multi_label import MultiLabelHead
from keras_legacy_train.estimator.heads.regression import (
    LogisticRegressionHead,
    PoissonRegressionHead,
    RegressionHead,
)

__all__ = [
    "BinaryClassHead",
    "Head",
    "LogisticRegressionHead",
    "MultiClassHead",
    "MultiHead",
    "MultiLabelHead",
    "PoissonRegressionHead",
    "RegressionHead",
]
