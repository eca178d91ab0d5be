"""Exports Estimators as SavedModels: what they receive and what they serve.

`outputs.py` has the kinds of outputs of a model.

May import the modules of the package up to `train`, but nothing else of `estimator`.
"""

from __future__ import annotations

from keras_legacy_train.estimator.export.outputs import (
    ClassificationOutput,
    EvalOutput,
    ExportOutput,
    PredictOutput,
    RegressionOutput,
)

__all__ = [
    "ClassificationOutput",
    "EvalOutput",
    "ExportOutput",
    "PredictOutput",
    "RegressionOutput",
]
