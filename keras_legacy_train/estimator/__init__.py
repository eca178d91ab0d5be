"""Provides the names of `tf.estimator`, in its place.

May import the modules of the package up to `train`.
"""

from __future__ import annotations

import tensorflow as tf

from keras_legacy_train.estimator import export, inputs
from keras_legacy_train.estimator.canned import (
    BaselineClassifier,
    BaselineEstimator,
    BaselineRegressor,
    DNNClassifier,
    DNNEstimator,
    DNNLinearCombinedClassifier,
    DNNLinearCombinedEstimator,
    DNNLinearCombinedRegressor,
    DNNRegressor,
    LinearClassifier,
    LinearEstimator,
    LinearRegressor,
)
from keras_legacy_train.estimator.estimator import Estimator
from keras_legacy_train.estimator.exporters import BestExporter, Exporter, FinalExporter, LatestExporter
from keras_legacy_train.estimator.heads import (
    BinaryClassHead,
    Head,
    LogisticRegressionHead,
    MultiClassHead,
    MultiHead,
    MultiLabelHead,
    PoissonRegressionHead,
    RegressionHead,
)
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
    "BaselineClassifier",
    "BaselineEstimator",
    "BaselineRegressor",
    "BestExporter",
    "BinaryClassHead",
    "CheckpointSaverListener",
    "DNNClassifier",
    "DNNEstimator",
    "DNNLinearCombinedClassifier",
    "DNNLinearCombinedEstimator",
    "DNNLinearCombinedRegressor",
    "DNNRegressor",
    "Estimator",
    "EstimatorSpec",
    "Exporter",
    "FinalExporter",
    "Head",
    "LatestExporter",
    "LinearClassifier",
    "LinearEstimator",
    "LinearRegressor",
    "LogisticRegressionHead",
    "ModeKeys",
    "MultiClassHead",
    "MultiHead",
    "MultiLabelHead",
    "PoissonRegressionHead",
    "RegressionHead",
    "RunConfig",
    "VocabInfo",
    "WarmStartSettings",
    "classifier_parse_example_spec",
    "export",
    "inputs",
    "regressor_parse_example_spec",
]
