"""Linear models."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from typing import Any

from keras_legacy_train.estimator.canned.base import Call, CannedEstimator, classifier_head, regressor_head
from keras_legacy_train.estimator.canned.generation import named
from keras_legacy_train.estimator.canned.parts import LinearPart
from keras_legacy_train.estimator.heads import Head
from keras_legacy_train.estimator.run_config import RunConfig
from keras_legacy_train.estimator.spec import EstimatorSpec

_LEARNING_RATE = 0.2


def _build(part: LinearPart, call: Call) -> EstimatorSpec:
    rate = part.learning_rate(_LEARNING_RATE) if part.optimizer_is_default else _LEARNING_RATE
    optimizer = named(call.optimizers[0], call.generation, rate, rate)
    with part.in_scope(call.generation, call.config):
        logits = call.logits_of(part)
        return call.spec(logits, optimizer=optimizer, trainable_variables=part.variables())


class LinearClassifier(CannedEstimator):
    """Classifies by a linear model; stands for `tf.estimator.LinearClassifier`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        feature_columns: Columns of `tf.feature_column`, dense or categorical.
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
        warm_start_from: What variables begin with where there is no checkpoint; see `Estimator`.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. `None` for the default, see above.
        sparse_combiner: How the values of a categorical column become one: `"sum"`, `"mean"` or `"sqrtn"`.
        partitioner: Partitions the variables, for parameter servers.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        feature_columns: Iterable[Any],
        model_dir: str | os.PathLike[str] | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str | None = None,
        sparse_combiner: str = "sum",
        partitioner: Any = None,
    ):
        part = LinearPart(feature_columns, optimizer, sparse_combiner, partitioner)
        super().__init__(
            functools.partial(_build, part),
            optimizers=[part.optimizer],
            make_head=classifier_head(n_classes, weight_column, label_vocabulary),
            loss_reduction=loss_reduction,
            partitioner=partitioner,
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )


class LinearEstimator(CannedEstimator):
    """Is a linear model with any head; stands for `tf.estimator.LinearEstimator`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        head: The head, such as a `MultiLabelHead`.
        feature_columns: Columns of `tf.feature_column`, dense or categorical.
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        optimizer: An optimizer of `tf.compat.v1.train`, a Keras optimizer, a function that returns one of
            these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`, `"RMSProp"` and `"SGD"`.
        config: A `RunConfig`.
        sparse_combiner: How the values of a categorical column become one: `"sum"`, `"mean"` or `"sqrtn"`.
        warm_start_from: What variables begin with where there is no checkpoint; see `Estimator`.
        partitioner: Partitions the variables, for parameter servers.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        head: Head,
        feature_columns: Iterable[Any],
        model_dir: str | os.PathLike[str] | None = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        sparse_combiner: str = "sum",
        warm_start_from: Any = None,
        partitioner: Any = None,
    ):
        part = LinearPart(feature_columns, optimizer, sparse_combiner, partitioner)
        super().__init__(
            functools.partial(_build, part),
            optimizers=[part.optimizer],
            make_head=lambda _: head,
            loss_reduction=head.loss_reduction,
            partitioner=partitioner,
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )


class LinearRegressor(CannedEstimator):
    """Predicts numbers by a linear model; stands for `tf.estimator.LinearRegressor`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        feature_columns: Columns of `tf.feature_column`, dense or categorical.
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        label_dimension: How many numbers are predicted for an example.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        optimizer: An optimizer of `tf.compat.v1.train`, a Keras optimizer, a function that returns one of
            these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`, `"RMSProp"` and `"SGD"`.
        config: A `RunConfig`.
        warm_start_from: What variables begin with where there is no checkpoint; see `Estimator`.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. `None` for the default, see above.
        sparse_combiner: How the values of a categorical column become one: `"sum"`, `"mean"` or `"sqrtn"`.
        partitioner: Partitions the variables, for parameter servers.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        feature_columns: Iterable[Any],
        model_dir: str | os.PathLike[str] | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Ftrl",
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str | None = None,
        sparse_combiner: str = "sum",
        partitioner: Any = None,
    ):
        part = LinearPart(feature_columns, optimizer, sparse_combiner, partitioner)
        super().__init__(
            functools.partial(_build, part),
            optimizers=[part.optimizer],
            make_head=regressor_head(label_dimension, weight_column),
            loss_reduction=loss_reduction,
            partitioner=partitioner,
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )
