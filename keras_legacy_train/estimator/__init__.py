"""Provides the names of `tf.estimator`, in its place.

May import the modules of the package up to `train`.
"""

from __future__ import annotations

from keras_legacy_train.estimator import export

__all__ = ["export"]
