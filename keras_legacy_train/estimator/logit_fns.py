"""Builds functions that compute logits, to be combined in model functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.canned.generation import Generation
from keras_legacy_train.estimator.canned.parts import Activation, DeepPart, LinearPart
from keras_legacy_train.estimator.model_fn import parameters


def call_logit_fn(
    logit_fn: Callable[..., Any], features: Any, mode: str, params: Any, config: Any
) -> tf.Tensor | dict[str, tf.Tensor]:
    """Calls a function that computes logits, with those arguments that it takes.

    Args:
        logit_fn: The function. It takes `features`, and `mode`, `params`, `config` if it wants to.
        features: The features.
        mode: One of `ModeKeys`.
        params: The parameters of the Estimator.
        config: Its `RunConfig`.

    Returns:
        The logits, a tensor or a dict of tensors.

    Raises:
        ValueError: `logit_fn` returns something else.
    """
    given = {"mode": mode, "params": params, "config": config}
    taken = {name: given[name] for name in parameters(logit_fn) if name in given}
    logits = logit_fn(features=features, **taken)
    named = logits if isinstance(logits, dict) else {"logits": logits}
    if not all(isinstance(name, str) and isinstance(value, tf.Tensor) for name, value in named.items()):
        raise ValueError(
            "logit_fn should return a Tensor or a dictionary mapping strings to Tensors.  logit_fn returned:"
            f" {logits}"
        )
    return logits


def linear_logit_fn_builder(
    units: int, feature_columns: Iterable[Any], sparse_combiner: str = "sum"
) -> Callable[..., tf.Tensor]:
    """Returns a function that computes a weighted sum of features.

    Args:
        units: The last dimension of the logits.
        feature_columns: Dense and categorical columns.
        sparse_combiner: How the values of a categorical column become one: `"sum"`, `"mean"` or `"sqrtn"`.

    Returns:
        A function of `features`, a dict of tensors, that returns logits of shape `[batch size, units]`.
    """
    part = LinearPart(feature_columns, None, sparse_combiner)

    def logit_fn(features: Mapping[str, Any]) -> tf.Tensor:
        return part.logits(features, units, "", Generation.TF1, None)

    return logit_fn


def dnn_logit_fn_builder(
    units: int,
    hidden_units: Iterable[int],
    feature_columns: Iterable[Any],
    activation_fn: Activation,
    dropout: float | None,
    input_layer_partitioner: Any,
    batch_norm: bool,
) -> Callable[..., tf.Tensor]:
    """Returns a function that computes logits by fully connected layers.

    Args:
        units: The last dimension of the logits.
        hidden_units: The sizes of the hidden layers.
        feature_columns: Dense columns.
        activation_fn: The activation of the hidden layers.
        dropout: Which part of the activations is dropped in training; `None` for none.
        input_layer_partitioner: Partitions the variables of the columns; `None` for the default.
        batch_norm: Whether the outputs of the hidden layers are normalised.

    Returns:
        A function of `features`, a dict of tensors, and `mode` that returns logits of shape
        `[batch size, units]`.

    Raises:
        ValueError: `units` is no integer.
    """
    if not isinstance(units, int):
        raise ValueError(f"units must be an int. Given type: {type(units)}")
    part = DeepPart(
        feature_columns, hidden_units, "Adagrad", activation_fn, dropout, batch_norm, input_layer_partitioner
    )

    def logit_fn(features: Mapping[str, Any], mode: str) -> tf.Tensor:
        return part.logits(features, units, mode, Generation.TF1, None)

    return logit_fn
