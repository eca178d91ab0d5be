"""Exports Estimators as SavedModels: what they receive and what they serve.

`outputs.py` has the kinds of outputs of a model, `receivers.py` what it is given. `signatures.py` puts
the two together, and `saved_model.py` writes the files.

May import the modules of the package up to `train`, and `mode_keys` and `log` of `estimator`.
"""

from __future__ import annotations

from keras_legacy_train.estimator.export.outputs import (
    ClassificationOutput,
    EvalOutput,
    ExportOutput,
    PredictOutput,
    RegressionOutput,
)
from keras_legacy_train.estimator.export.receivers import (
    ServingInputReceiver,
    SupervisedInputReceiver,
    TensorServingInputReceiver,
    build_parsing_serving_input_receiver_fn,
    build_raw_serving_input_receiver_fn,
    build_raw_supervised_input_receiver_fn,
)

__all__ = [
    "ClassificationOutput",
    "EvalOutput",
    "ExportOutput",
    "PredictOutput",
    "RegressionOutput",
    "ServingInputReceiver",
    "SupervisedInputReceiver",
    "TensorServingInputReceiver",
    "build_parsing_serving_input_receiver_fn",
    "build_raw_serving_input_receiver_fn",
    "build_raw_supervised_input_receiver_fn",
]
