"""Models that predict the same for all examples, to compare others with."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.canned.base import Call, CannedEstimator, classifier_head, regressor_head
from keras_legacy_train.estimator.canned.generation import Generation, named
from keras_legacy_train.estimator.heads import Head
from keras_legacy_train.estimator.run_config import RunConfig
from keras_legacy_train.estimator.spec import EstimatorSpec

v1 = tf.compat.v1

_LEARNING_RATE = 0.3


def _build(weight_column: Any, call: Call) -> EstimatorSpec:
    optimizer = named(call.optimizers[0], call.generation, _LEARNING_RATE, _LEARNING_RATE)
    size = call.head.logits_dimension
    resource = True if call.generation is Generation.TF2 else None
    with v1.variable_scope("baseline", use_resource=resource):
        bias = v1.get_variable("bias", [size], initializer=tf.zeros_initializer())
        logits = bias * tf.ones([_batch_size(call.features, weight_column), size])
    return call.spec(logits, optimizer=optimizer, trainable_variables=[bias])


def _batch_size(features: Mapping[str, Any], weight_column: Any) -> tf.Tensor:
    """Returns the size of the batch, which all features but the weights must have."""
    sizes = [tf.shape(feature)[0] for key, feature in features.items() if key != weight_column]
    checks = [v1.assert_equal(sizes[0], size) for size in sizes[1:]]
    with tf.control_dependencies(checks):
        return tf.identity(sizes[0])


class BaselineClassifier(CannedEstimator):
    """Predicts how frequent the classes are, for any features; stands for `tf.estimator.BaselineClassifier`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        n_classes: How many classes there are.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        label_vocabulary: The labels in the order of their ids, if they are strings. Without, they are
            integers from 0 to `n_classes` - 1.
        optimizer: An optimizer of `tf.compat.v1.train`, a Keras optimizer, a function that returns one of
            these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`, `"RMSProp"` and `"SGD"`.
        config: A `RunConfig`.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. `None` for the default, see above.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        loss_reduction: str | None = None,
    ):
        super().__init__(
            functools.partial(_build, weight_column),
            optimizers=[optimizer],
            make_head=classifier_head(n_classes, weight_column, label_vocabulary),
            loss_reduction=loss_reduction,
            model_dir=model_dir,
            config=config,
        )


class BaselineEstimator(CannedEstimator):
    """Predicts the same for all features, with any head; stands for `tf.estimator.BaselineEstimator`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        head: The head, such as a `MultiLabelHead`.
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        optimizer: An optimizer of `tf.compat.v1.train`, a Keras optimizer, a function that returns one of
            these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`, `"RMSProp"` and `"SGD"`.
        config: A `RunConfig`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        head: Head,
        model_dir: str | os.PathLike[str] | None = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
    ):
        super().__init__(
            functools.partial(_build, None),
            optimizers=[optimizer],
            make_head=lambda _: head,
            loss_reduction=head.loss_reduction,
            model_dir=model_dir,
            config=config,
        )


class BaselineRegressor(CannedEstimator):
    """Predicts the mean of the labels, whatever the features; stands for `tf.estimator.BaselineRegressor`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        label_dimension: How many numbers are predicted for an example.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        optimizer: An optimizer of `tf.compat.v1.train`, a Keras optimizer, a function that returns one of
            these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`, `"RMSProp"` and `"SGD"`.
        config: A `RunConfig`.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. `None` for the default, see above.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        loss_reduction: str | None = None,
    ):
        super().__init__(
            functools.partial(_build, weight_column),
            optimizers=[optimizer],
            make_head=regressor_head(label_dimension, weight_column),
            loss_reduction=loss_reduction,
            model_dir=model_dir,
            config=config,
        )
