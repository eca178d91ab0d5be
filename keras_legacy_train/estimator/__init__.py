"""Provides the names of `tf.estimator`, in its place.

May import the modules of the package up to `train`.
"""

from __future__ import annotations

from keras_legacy_train.estimator import export
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.estimator.run_config import RunConfig
from keras_legacy_train.estimator.spec import EstimatorSpec

__all__ = ["EstimatorSpec", "ModeKeys", "RunConfig", "export"]
