"""Provides the names of `tf.estimator`, in its place.

May import the modules of the package up to `train`.
"""

from __future__ import annotations

import tensorflow as tf

from keras_legacy_train.estimator import export, inputs
from keras_legacy_train.estimator.estimator import Estimator
from keras_legacy_train.estimator.exporters import BestExporter, Exporter, FinalExporter, LatestExporter
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.estimator.parsing import (
    classifier_parse_example_spec,
    regressor_parse_example_spec,
)
from keras_legacy_train.estimator.run_config import RunConfig
from keras_legacy_train.estimator.spec import EstimatorSpec
from keras_legacy_train.estimator.warm_start import VocabInfo, WarmStartSettings

CheckpointSaverListener = tf.compat.v1.train.CheckpointSaverListener

__all__ = [
    "BestExporter",
    "CheckpointSaverListener",
    "Estimator",
    "EstimatorSpec",
    "Exporter",
    "FinalExporter",
    "LatestExporter",
    "ModeKeys",
    "RunConfig",
    "VocabInfo",
    "WarmStartSettings",
    "classifier_parse_example_spec",
    "export",
    "inputs",
    "regressor_parse_example_spec",
]
