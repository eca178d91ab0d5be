"""Model functions of the canned Estimators: linear models, deep networks, and both together.

Scopes and variables have the names that they have in `tf.contrib.learn`, so checkpoints fit both.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.layers import OPTIMIZER_CLS_NAMES, optimize_loss
from keras_legacy_train.learn.heads.base import Head
from keras_legacy_train.learn.heads.logits import linear_layer
from keras_legacy_train.learn.keys import ModeKeys
from keras_legacy_train.learn.model_fn_ops import ModelFnOps
from keras_legacy_train.learn.real_valued_columns import input_layer, linear_model

v1 = tf.compat.v1

_LINEAR_LEARNING_RATE = 0.2
_DNN_LEARNING_RATE = 0.05
_MIN_SLICE_SIZE = 64 << 20
_ACTIVATIONS = {"relu": tf.nn.relu, "tanh": tf.nn.tanh, "sigmoid": tf.nn.sigmoid}

Activation = Callable[[tf.Tensor], tf.Tensor]


def linear_model_fn(
    features: Any, labels: Any, mode: str, params: Mapping[str, Any], config: Any = None
) -> ModelFnOps:
    """Builds a linear model.

    Args:
        features: The features, a tensor or a dict of tensors.
        labels: The labels, in the form that the head takes.
        mode: One of `ModeKeys`.
        params: `head`, `feature_columns`, and as far as wanted `optimizer` and `gradient_clip_norm`.
        config: The configuration, which tells how many parameter servers there are.

    Raises:
        ValueError: A parameter cannot be right.
    """
    head: Head = params["head"]
    columns = params["feature_columns"]
    with v1.variable_scope("linear", partitioner=_partitioner(config, _MIN_SLICE_SIZE)):
        logits = linear_model(
            _as_dict(features), columns, head.logits_dimension, ["linear"], params.get("joint_weights", False)
        )

        def train_op_fn(loss: tf.Tensor) -> tf.Operation:
            variables = v1.get_collection("linear")
            gradients = tf.gradients(loss, variables)
            if params.get("gradient_clip_norm"):
                gradients, _ = tf.clip_by_global_norm(gradients, params["gradient_clip_norm"])
            optimizer = _linear_optimizer(params.get("optimizer"), columns)
            return optimizer.apply_gradients(
                zip(gradients, variables, strict=True), global_step=v1.train.get_global_step()
            )

        return head.create_model_fn_ops(_as_dict(features), mode, labels, train_op_fn, logits=logits)


def dnn_model_fn(
    features: Any, labels: Any, mode: str, params: Mapping[str, Any], config: Any = None
) -> ModelFnOps:
    """Builds a deep network.

    Args:
        features: The features, a tensor or a dict of tensors.
        labels: The labels, in the form that the head takes.
        mode: One of `ModeKeys`.
        params: `head`, `hidden_units`, `feature_columns`, and as far as wanted `optimizer`, `activation_fn`,
            `dropout`, `gradient_clip_norm`, `embedding_lr_multipliers` and `input_layer_min_slice_size`.
        config: The configuration, which tells how many parameter servers there are.

    Raises:
        ValueError: A parameter cannot be right.
    """
    head: Head = params["head"]
    features = _as_dict(features)
    with v1.variable_scope("dnn", partitioner=_partitioner(config)):
        logits = _dnn_logits(
            features,
            params["feature_columns"],
            params["hidden_units"],
            head.logits_dimension,
            activation=as_activation(params.get("activation_fn")),
            dropout=params.get("dropout") if mode == ModeKeys.TRAIN else None,
            partitioner=_partitioner(config, params.get("input_layer_min_slice_size") or _MIN_SLICE_SIZE),
            summary="{}_{}",
        )

        def train_op_fn(loss: tf.Tensor) -> tf.Tensor:
            return optimize_loss(
                loss,
                global_step=v1.train.get_global_step(),
                learning_rate=_DNN_LEARNING_RATE,
                optimizer=_made(params.get("optimizer") or "Adagrad"),
                gradient_multipliers=_gradient_multipliers(params.get("embedding_lr_multipliers")),
                clip_gradients=params.get("gradient_clip_norm"),
                name="dnn",
                summaries=[],
            )

        return head.create_model_fn_ops(features, mode, labels, train_op_fn, logits=logits)


def combined_model_fn(
    features: Any, labels: Any, mode: str, params: Mapping[str, Any], config: Any = None
) -> ModelFnOps:
    """Builds a linear model and a deep network whose logits are added.

    Args:
        features: The features, a tensor or a dict of tensors.
        labels: The labels, in the form that the head takes.
        mode: One of `ModeKeys`.
        params: `head`, and those of the constructor of `DNNLinearCombinedEstimator`.
        config: The configuration, which tells how many parameter servers there are.

    Raises:
        ValueError: A parameter cannot be right.
    """
    head: Head = params["head"]
    features = _as_dict(features)
    linear_columns = params.get("linear_feature_columns")
    dnn_columns = params.get("dnn_feature_columns")
    linear_optimizer = _made(params.get("linear_optimizer") or "Ftrl")
    dnn_optimizer = _made(params.get("dnn_optimizer") or "Adagrad")
    for optimizer in (linear_optimizer, dnn_optimizer):
        if isinstance(optimizer, v1.train.SyncReplicasOptimizer):
            raise ValueError(
                "SyncReplicasOptimizer is not supported in DNNLinearCombined model. If you want to use this"
                " optimizer, please use either DNN or Linear model."
            )
    logits = []
    if dnn_columns:
        if not params.get("dnn_hidden_units"):
            raise ValueError("dnn_hidden_units must be defined when dnn_feature_columns is specified.")
        min_slice_size = params.get("input_layer_min_slice_size") or _MIN_SLICE_SIZE
        with v1.variable_scope("dnn", partitioner=_partitioner(config)):
            made = _dnn_logits(
                features,
                dnn_columns,
                params["dnn_hidden_units"],
                head.logits_dimension,
                activation=as_activation(params.get("dnn_activation_fn") or tf.nn.relu),
                dropout=params.get("dnn_dropout") if mode == ModeKeys.TRAIN else None,
                partitioner=_partitioner(config, min_slice_size),
                summary="{}/{}",
            )
            logits.append(made)
    if linear_columns:
        with v1.variable_scope("linear", partitioner=_partitioner(config, _MIN_SLICE_SIZE)) as scope:
            joint = params.get("joint_linear_weights", False)
            made = linear_model(features, linear_columns, head.logits_dimension, ["linear"], joint)
            _summarize("{}/{}", scope.name, made)
            logits.append(made)
    counts_once = params.get("fix_global_step_increment_bug", True)

    def train_op_fn(loss: tf.Tensor) -> tf.Operation:
        global_step = v1.train.get_global_step()
        parts = []
        if dnn_columns:
            parts.append(("dnn", _DNN_LEARNING_RATE, dnn_optimizer))
        if linear_columns:
            parts.append(("linear", _linear_learning_rate(linear_columns), linear_optimizer))
        multipliers = _gradient_multipliers(params.get("embedding_lr_multipliers"))
        train_op = tf.group(
            *(
                optimize_loss(
                    loss,
                    global_step=global_step,
                    learning_rate=rate,
                    optimizer=optimizer,
                    gradient_multipliers=multipliers if name == "dnn" else None,
                    clip_gradients=params.get("gradient_clip_norm"),
                    variables=v1.get_collection(name),
                    name=name,
                    summaries=[],
                    increment_global_step=not counts_once,
                )
                for name, rate, optimizer in parts
            )
        )
        if not counts_once:
            return train_op
        with tf.control_dependencies([train_op]):
            return v1.assign_add(global_step, 1).op

    return head.create_model_fn_ops(features, mode, labels, train_op_fn, logits=tf.add_n(logits))


def as_activation(activation: Any) -> Activation | None:
    """Returns an activation function, also of its name.

    Args:
        activation: A function, a name, or `None` for none.

    Raises:
        ValueError: There is no such name.
    """
    if not isinstance(activation, str):
        checked: Activation | None = activation
        return checked
    if activation not in _ACTIVATIONS:
        raise ValueError(
            f"Activation name should be one of [{', '.join(_ACTIVATIONS)}], you provided {activation}."
        )
    named: Activation = _ACTIVATIONS[activation]
    return named


def _dnn_logits(
    features: Mapping[str, Any],
    columns: Sequence[Any],
    hidden_units: Sequence[int],
    units: int,
    *,
    activation: Activation | None,
    dropout: float | None,
    partitioner: Any,
    summary: str,
) -> tf.Tensor:
    """Returns the logits of a network, in the variable scope of its own."""
    with v1.variable_scope("input_from_feature_columns", partitioner=partitioner):
        net = input_layer(features, columns, ["dnn"])
    for number, size in enumerate(hidden_units):
        with v1.variable_scope(f"hiddenlayer_{number}") as scope:
            net = linear_layer(net, size, ["dnn"])
            if activation is not None:
                net = activation(net)
            if dropout is not None:
                net = tf.nn.dropout(net, rate=dropout)
        _summarize(summary, scope.name, net)
    with v1.variable_scope("logits") as scope:
        logits = linear_layer(net, units, ["dnn"])
    _summarize(summary, scope.name, logits)
    return logits


def _summarize(form: str, name: str, values: tf.Tensor) -> None:
    v1.summary.scalar(form.format(name, "fraction_of_zero_values"), tf.math.zero_fraction(values))
    v1.summary.histogram(form.format(name, "activation"), values)


def _partitioner(config: Any, min_slice_size: int = 256 << 10) -> Any:
    number = getattr(config, "num_ps_replicas", 0)
    return v1.min_max_variable_partitioner(max_partitions=number, min_slice_size=min_slice_size)


def _as_dict(features: Any) -> Mapping[str, Any]:
    return features if isinstance(features, Mapping) else {"": features}


def _made(optimizer: Any) -> Any:
    return optimizer() if callable(optimizer) else optimizer


def _linear_optimizer(optimizer: Any, columns: Sequence[Any]) -> Any:
    if not optimizer:
        return v1.train.FtrlOptimizer(_linear_learning_rate(columns))
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZER_CLS_NAMES:
            names = ", ".join(OPTIMIZER_CLS_NAMES)
            raise ValueError(f"Optimizer name should be one of [{names}], you provided {optimizer}.")
        return OPTIMIZER_CLS_NAMES[optimizer](learning_rate=_LINEAR_LEARNING_RATE)
    return _made(optimizer)


def _linear_learning_rate(columns: Sequence[Any]) -> float:
    return min(_LINEAR_LEARNING_RATE, 1.0 / math.sqrt(len(columns)))


def _gradient_multipliers(multipliers: Mapping[Any, float] | None) -> dict[Any, float] | None:
    """Returns the factors of gradients by variable, given those by embedding column.

    Raises:
        ValueError: A column has no embedding.
    """
    if not multipliers:
        return None
    found = {}
    for column, factor in multipliers.items():
        variables = [v for v in v1.get_collection("dnn") if f"/{column.name}/" in v.name]
        if not variables:
            raise ValueError(f"Couldn't find a variable for column {column}")
        found.update({variable.name: factor for variable in variables})
    return found
