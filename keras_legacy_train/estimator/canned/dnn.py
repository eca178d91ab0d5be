"""Models of fully connected layers."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.canned.base import (
    Call,
    CannedEstimator,
    classifier_head,
    regressor_head,
    update_ops,
)
from keras_legacy_train.estimator.canned.generation import named
from keras_legacy_train.estimator.canned.parts import Activation, DeepPart
from keras_legacy_train.estimator.heads import Head
from keras_legacy_train.estimator.run_config import RunConfig
from keras_legacy_train.estimator.spec import EstimatorSpec

_LEARNING_RATE = 0.05


def _build(part: DeepPart, call: Call) -> EstimatorSpec:
    optimizer = named(call.optimizers[0], call.generation, _LEARNING_RATE, None)
    with part.in_scope(call.generation, call.config):
        logits = call.logits_of(part)
        return call.spec(
            logits,
            optimizer=optimizer,
            trainable_variables=part.variables(),
            update_ops=update_ops(),
        )


class DNNClassifier(CannedEstimator):
    """Classifies by fully connected layers; stands for `tf.estimator.DNNClassifier`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        hidden_units: The sizes of the hidden layers.
        feature_columns: Dense columns of `tf.feature_column`, such as numeric and embedding columns.
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        n_classes: How many classes there are.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        label_vocabulary: The labels in the order of their ids, if they are strings. Without, they are
            integers from 0 to `n_classes` - 1.
        optimizer: An optimizer of `tf.compat.v1.train`, a Keras optimizer, a function that returns one of
            these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`, `"RMSProp"` and `"SGD"`.
        activation_fn: The activation of the hidden layers.
        dropout: Which part of the activations is dropped in training; `None` for none.
        config: A `RunConfig`.
        warm_start_from: What variables begin with where there is no checkpoint; see `Estimator`.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. `None` for the default, see above.
        batch_norm: Whether the outputs of the hidden layers are normalised.
        input_layer_partitioner: Partitions the variables of the columns, for parameter servers.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        hidden_units: Iterable[int],
        feature_columns: Iterable[Any],
        model_dir: str | os.PathLike[str] | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        optimizer: Any = "Adagrad",
        activation_fn: Activation = tf.nn.relu,
        dropout: float | None = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str | None = None,
        batch_norm: bool = False,
        input_layer_partitioner: Any = None,
    ):
        part = DeepPart(
            feature_columns,
            hidden_units,
            optimizer,
            activation_fn,
            dropout,
            batch_norm,
            input_layer_partitioner,
        )
        super().__init__(
            functools.partial(_build, part),
            optimizers=[part.optimizer],
            make_head=classifier_head(n_classes, weight_column, label_vocabulary),
            loss_reduction=loss_reduction,
            partitioner=input_layer_partitioner,
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )


class DNNEstimator(CannedEstimator):
    """Is a model of fully connected layers with any head; stands for `tf.estimator.DNNEstimator`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        head: The head, such as a `MultiLabelHead`.
        hidden_units: The sizes of the hidden layers.
        feature_columns: Dense columns of `tf.feature_column`, such as numeric and embedding columns.
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        optimizer: An optimizer of `tf.compat.v1.train`, a Keras optimizer, a function that returns one of
            these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`, `"RMSProp"` and `"SGD"`.
        activation_fn: The activation of the hidden layers.
        dropout: Which part of the activations is dropped in training; `None` for none.
        config: A `RunConfig`.
        warm_start_from: What variables begin with where there is no checkpoint; see `Estimator`.
        batch_norm: Whether the outputs of the hidden layers are normalised.
        input_layer_partitioner: Partitions the variables of the columns, for parameter servers.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        head: Head,
        hidden_units: Iterable[int],
        feature_columns: Iterable[Any],
        model_dir: str | os.PathLike[str] | None = None,
        optimizer: Any = "Adagrad",
        activation_fn: Activation = tf.nn.relu,
        dropout: float | None = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        batch_norm: bool = False,
        input_layer_partitioner: Any = None,
    ):
        part = DeepPart(
            feature_columns,
            hidden_units,
            optimizer,
            activation_fn,
            dropout,
            batch_norm,
            input_layer_partitioner,
        )
        super().__init__(
            functools.partial(_build, part),
            optimizers=[part.optimizer],
            make_head=lambda _: head,
            loss_reduction=head.loss_reduction,
            partitioner=input_layer_partitioner,
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )


class DNNRegressor(CannedEstimator):
    """Predicts numbers by fully connected layers; stands for `tf.estimator.DNNRegressor`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        hidden_units: The sizes of the hidden layers.
        feature_columns: Dense columns of `tf.feature_column`, such as numeric and embedding columns.
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        label_dimension: How many numbers are predicted for an example.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        optimizer: An optimizer of `tf.compat.v1.train`, a Keras optimizer, a function that returns one of
            these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`, `"RMSProp"` and `"SGD"`.
        activation_fn: The activation of the hidden layers.
        dropout: Which part of the activations is dropped in training; `None` for none.
        config: A `RunConfig`.
        warm_start_from: What variables begin with where there is no checkpoint; see `Estimator`.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. `None` for the default, see above.
        batch_norm: Whether the outputs of the hidden layers are normalised.
        input_layer_partitioner: Partitions the variables of the columns, for parameter servers.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        hidden_units: Iterable[int],
        feature_columns: Iterable[Any],
        model_dir: str | os.PathLike[str] | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        optimizer: Any = "Adagrad",
        activation_fn: Activation = tf.nn.relu,
        dropout: float | None = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str | None = None,
        batch_norm: bool = False,
        input_layer_partitioner: Any = None,
    ):
        part = DeepPart(
            feature_columns,
            hidden_units,
            optimizer,
            activation_fn,
            dropout,
            batch_norm,
            input_layer_partitioner,
        )
        super().__init__(
            functools.partial(_build, part),
            optimizers=[part.optimizer],
            make_head=regressor_head(label_dimension, weight_column),
            loss_reduction=loss_reduction,
            partitioner=input_layer_partitioner,
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )
