"""Models of a linear and a deep part, which are trained together."""

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
from keras_legacy_train.estimator.canned.generation import Generation, named
from keras_legacy_train.estimator.canned.parts import (
    Activation,
    DeepPart,
    LinearPart,
    Part,
    summarize_layer,
    summary_scope,
)
from keras_legacy_train.estimator.heads import Head
from keras_legacy_train.estimator.run_config import RunConfig
from keras_legacy_train.estimator.spec import EstimatorSpec

v1 = tf.compat.v1

_DEEP_LEARNING_RATE = 0.001
_LARGEST_LINEAR_LEARNING_RATE = 0.005


def _parts(
    linear_feature_columns: Iterable[Any] | None,
    linear_optimizer: Any,
    dnn_feature_columns: Iterable[Any] | None,
    dnn_optimizer: Any,
    dnn_hidden_units: Iterable[int] | None,
    dnn_activation_fn: Activation,
    dnn_dropout: float | None,
    batch_norm: bool,
    linear_sparse_combiner: str,
    input_layer_partitioner: Any,
) -> list[Part]:
    """Returns the parts that have columns, the deep one first."""
    linear_columns, deep_columns = tuple(linear_feature_columns or ()), tuple(dnn_feature_columns or ())
    hidden_units = tuple(dnn_hidden_units or ())
    if not linear_columns and not deep_columns:
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    if deep_columns and not hidden_units:
        raise ValueError("dnn_hidden_units must be defined when dnn_feature_columns is specified.")
    parts: list[Part] = []
    if deep_columns:
        parts.append(
            DeepPart(
                deep_columns,
                hidden_units,
                dnn_optimizer,
                dnn_activation_fn,
                dnn_dropout,
                batch_norm,
                input_layer_partitioner,
            )
        )
    if linear_columns:
        parts.append(
            LinearPart(linear_columns, linear_optimizer, linear_sparse_combiner, input_layer_partitioner)
        )
    return parts


def _build(parts: Sequence[Part], call: Call) -> EstimatorSpec:
    optimizers = [
        _optimizer(part, optimizer, call.generation)
        for part, optimizer in zip(parts, call.optimizers, strict=True)
    ]
    logits = []
    for part in parts:
        with part.in_scope(call.generation, call.config):
            logits.append(call.logits_of(part))
            if isinstance(part, LinearPart):
                with summary_scope(call.generation):
                    summarize_layer(logits[-1], part.scope)
    of_parts = [(optimizer, part.variables()) for optimizer, part in zip(optimizers, parts, strict=True)]
    return call.spec(
        tf.add_n(logits),
        train_op_fn=lambda loss: _train_op(loss, of_parts, call.generation),
        update_ops=update_ops(),
    )


def _optimizer(part: Part, optimizer: Any, generation: Generation) -> Any:
    if isinstance(optimizer, v1.train.SyncReplicasOptimizer):
        raise ValueError(
            "SyncReplicasOptimizer does not support multi optimizers case. Therefore, it is not supported in"
            " DNNLinearCombined model. If you want to use this optimizer, please use either DNN or Linear"
            " model."
        )
    rate = _DEEP_LEARNING_RATE
    if isinstance(part, LinearPart):
        rate = part.learning_rate(_LARGEST_LINEAR_LEARNING_RATE)
    return named(optimizer, generation, rate, rate)


def _train_op(
    loss: tf.Tensor, of_parts: Sequence[tuple[Any, list[tf.Variable]]], generation: Generation
) -> tf.Operation:
    """Returns an operation that trains every part, and raises the global step by one."""
    step = v1.train.get_or_create_global_step()
    if generation is Generation.TF2:
        # The step counts for the first optimizer. The others of Keras have counters of their own.
        steps = [step] + [None] * (len(of_parts) - 1)
        return tf.group(
            *(
                optimizer.minimize(loss, count, variables)
                for (optimizer, variables), count in zip(of_parts, steps, strict=True)
            )
        )
    updates = [optimizer.minimize(loss, None, variables) for optimizer, variables in of_parts]
    with tf.control_dependencies(updates):
        return v1.assign_add(step, 1).op


class DNNLinearCombinedClassifier(CannedEstimator):
    """Classifies by a linear and a deep part; stands for `tf.estimator.DNNLinearCombinedClassifier`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        linear_feature_columns: What the linear part is made of: columns of `tf.feature_column`, dense or
            categorical.
        linear_optimizer: What trains the linear part: an optimizer of `tf.compat.v1.train`, a Keras
            optimizer, a function that returns one of these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`,
            `"RMSProp"` and `"SGD"`.
        dnn_feature_columns: What the deep part is made of: dense columns of `tf.feature_column`.
        dnn_optimizer: What trains the deep part, as `linear_optimizer`.
        dnn_hidden_units: The sizes of the hidden layers.
        dnn_activation_fn: The activation of the hidden layers.
        dnn_dropout: Which part of the activations is dropped in training; `None` for none.
        n_classes: How many classes there are.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        label_vocabulary: The labels in the order of their ids, if they are strings. Without, they are
            integers from 0 to `n_classes` - 1.
        config: A `RunConfig`.
        warm_start_from: What variables begin with where there is no checkpoint; see `Estimator`.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. `None` for the default, see above.
        batch_norm: Whether the outputs of the hidden layers are normalised.
        linear_sparse_combiner: How the values of a categorical column become one: `"sum"`, `"mean"` or
            `"sqrtn"`.
        input_layer_partitioner: Partitions the variables of the columns, for parameter servers.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        linear_feature_columns: Iterable[Any] | None = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Iterable[Any] | None = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Iterable[int] | None = None,
        dnn_activation_fn: Activation = tf.nn.relu,
        dnn_dropout: float | None = None,
        n_classes: int = 2,
        weight_column: Any = None,
        label_vocabulary: Sequence[str] | None = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str | None = None,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
        input_layer_partitioner: Any = None,
    ):
        parts = _parts(
            linear_feature_columns,
            linear_optimizer,
            dnn_feature_columns,
            dnn_optimizer,
            dnn_hidden_units,
            dnn_activation_fn,
            dnn_dropout,
            batch_norm,
            linear_sparse_combiner,
            input_layer_partitioner,
        )
        super().__init__(
            functools.partial(_build, parts),
            optimizers=[part.optimizer for part in parts],
            make_head=classifier_head(n_classes, weight_column, label_vocabulary),
            loss_reduction=loss_reduction,
            partitioner=input_layer_partitioner,
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )


class DNNLinearCombinedEstimator(CannedEstimator):
    """Is a linear and a deep part with any head; stands for `tf.estimator.DNNLinearCombinedEstimator`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        head: The head, such as a `MultiLabelHead`.
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        linear_feature_columns: What the linear part is made of: columns of `tf.feature_column`, dense or
            categorical.
        linear_optimizer: What trains the linear part: an optimizer of `tf.compat.v1.train`, a Keras
            optimizer, a function that returns one of these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`,
            `"RMSProp"` and `"SGD"`.
        dnn_feature_columns: What the deep part is made of: dense columns of `tf.feature_column`.
        dnn_optimizer: What trains the deep part, as `linear_optimizer`.
        dnn_hidden_units: The sizes of the hidden layers.
        dnn_activation_fn: The activation of the hidden layers.
        dnn_dropout: Which part of the activations is dropped in training; `None` for none.
        config: A `RunConfig`.
        batch_norm: Whether the outputs of the hidden layers are normalised.
        linear_sparse_combiner: How the values of a categorical column become one: `"sum"`, `"mean"` or
            `"sqrtn"`.
        input_layer_partitioner: Partitions the variables of the columns, for parameter servers.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        head: Head,
        model_dir: str | os.PathLike[str] | None = None,
        linear_feature_columns: Iterable[Any] | None = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Iterable[Any] | None = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Iterable[int] | None = None,
        dnn_activation_fn: Activation = tf.nn.relu,
        dnn_dropout: float | None = None,
        config: RunConfig | None = None,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
        input_layer_partitioner: Any = None,
    ):
        parts = _parts(
            linear_feature_columns,
            linear_optimizer,
            dnn_feature_columns,
            dnn_optimizer,
            dnn_hidden_units,
            dnn_activation_fn,
            dnn_dropout,
            batch_norm,
            linear_sparse_combiner,
            input_layer_partitioner,
        )
        super().__init__(
            functools.partial(_build, parts),
            optimizers=[part.optimizer for part in parts],
            make_head=lambda _: head,
            loss_reduction=head.loss_reduction,
            partitioner=input_layer_partitioner,
            model_dir=model_dir,
            config=config,
        )


class DNNLinearCombinedRegressor(CannedEstimator):
    """Predicts numbers by a linear and a deep part; stands for `tf.estimator.DNNLinearCombinedRegressor`.

    There is that of TensorFlow 1 and that of 2; see `keras_legacy_train.estimator.canned` for which of them
    it is.

    Args:
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        linear_feature_columns: What the linear part is made of: columns of `tf.feature_column`, dense or
            categorical.
        linear_optimizer: What trains the linear part: an optimizer of `tf.compat.v1.train`, a Keras
            optimizer, a function that returns one of these, or one of `"Adagrad"`, `"Adam"`, `"Ftrl"`,
            `"RMSProp"` and `"SGD"`.
        dnn_feature_columns: What the deep part is made of: dense columns of `tf.feature_column`.
        dnn_optimizer: What trains the deep part, as `linear_optimizer`.
        dnn_hidden_units: The sizes of the hidden layers.
        dnn_activation_fn: The activation of the hidden layers.
        dnn_dropout: Which part of the activations is dropped in training; `None` for none.
        label_dimension: How many numbers are predicted for an example.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        config: A `RunConfig`.
        warm_start_from: What variables begin with where there is no checkpoint; see `Estimator`.
        loss_reduction: How the losses of a batch become one: a value of `tf.losses.Reduction` or of
            `tf.compat.v1.losses.Reduction`, but not `NONE`. `None` for the default, see above.
        batch_norm: Whether the outputs of the hidden layers are normalised.
        linear_sparse_combiner: How the values of a categorical column become one: `"sum"`, `"mean"` or
            `"sqrtn"`.
        input_layer_partitioner: Partitions the variables of the columns, for parameter servers.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        linear_feature_columns: Iterable[Any] | None = None,
        linear_optimizer: Any = "Ftrl",
        dnn_feature_columns: Iterable[Any] | None = None,
        dnn_optimizer: Any = "Adagrad",
        dnn_hidden_units: Iterable[int] | None = None,
        dnn_activation_fn: Activation = tf.nn.relu,
        dnn_dropout: float | None = None,
        label_dimension: int = 1,
        weight_column: Any = None,
        config: RunConfig | None = None,
        warm_start_from: Any = None,
        loss_reduction: str | None = None,
        batch_norm: bool = False,
        linear_sparse_combiner: str = "sum",
        input_layer_partitioner: Any = None,
    ):
        parts = _parts(
            linear_feature_columns,
            linear_optimizer,
            dnn_feature_columns,
            dnn_optimizer,
            dnn_hidden_units,
            dnn_activation_fn,
            dnn_dropout,
            batch_norm,
            linear_sparse_combiner,
            input_layer_partitioner,
        )
        super().__init__(
            functools.partial(_build, parts),
            optimizers=[part.optimizer for part in parts],
            make_head=regressor_head(label_dimension, weight_column),
            loss_reduction=loss_reduction,
            partitioner=input_layer_partitioner,
            model_dir=model_dir,
            config=config,
            warm_start_from=warm_start_from,
        )
