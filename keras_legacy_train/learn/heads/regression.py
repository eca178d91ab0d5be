"""Has the head that predicts numbers."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from keras_legacy_train.learn.heads.losses import LossFn
from keras_legacy_train.learn.heads.single import HeadOptions, Predictions, SingleHead
from keras_legacy_train.learn.keys import PredictionKey, ProblemType


class RegressionHead(SingleHead):
    """Predicts numbers."""

    _default_scope = "regression_head"
    _problem_type = ProblemType.LINEAR_REGRESSION

    def __init__(
        self,
        label_dimension: int,
        loss_fn: LossFn,
        link_fn: Callable[[tf.Tensor], tf.Tensor],
        options: HeadOptions,
    ):
        super().__init__(label_dimension, loss_fn, options)
        self._link_fn = link_fn

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        if self.logits_dimension == 1:
            logits = tf.squeeze(logits, axis=[1], name=PredictionKey.SCORES)
        return {PredictionKey.SCORES: self._link_fn(logits)}
