"""Finds what layers take as a name or as a function: activations, initialisers, regularisers, constraints."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import keras
import tensorflow as tf

v1 = tf.compat.v1

Activation: TypeAlias = str | Callable[[Any], Any] | None
"""A function from a tensor to a tensor, or the name of one of Keras; `None` for none."""

Initializer: TypeAlias = Any
"""An initialiser of `tf.compat.v1` or Keras, its class, or its name; `None` for the scope's, or Glorot's."""

Regularizer: TypeAlias = str | Callable[[Any], Any] | None
"""A function from a variable or an output to a loss, or the name of one of Keras; `None` for none."""

Constraint: TypeAlias = str | Callable[[Any], Any] | None
"""A function from a variable to its new value after an update, or the name of one of Keras."""

_ACTIVATIONS: Mapping[str, Callable[[Any], Any]] = {
    "elu": tf.nn.elu,
    "exponential": tf.exp,
    "hard_sigmoid": lambda x: tf.clip_by_value(0.2 * x + 0.5, 0.0, 1.0),
    "linear": lambda x: x,
    "relu": tf.nn.relu,
    "selu": tf.nn.selu,
    "sigmoid": tf.sigmoid,
    "softmax": tf.nn.softmax,
    "softplus": tf.nn.softplus,
    "softsign": tf.nn.softsign,
    "tanh": tf.tanh,
}

_INITIALIZERS: Mapping[str, Callable[[], Any]] = {
    "constant": v1.constant_initializer,
    "glorot_normal": v1.glorot_normal_initializer,
    "glorot_uniform": v1.glorot_uniform_initializer,
    "he_normal": v1.initializers.he_normal,
    "he_uniform": v1.initializers.he_uniform,
    "identity": v1.initializers.identity,
    "lecun_normal": v1.initializers.lecun_normal,
    "lecun_uniform": v1.initializers.lecun_uniform,
    "ones": v1.ones_initializer,
    "orthogonal": v1.orthogonal_initializer,
    # By name, the range is that of Keras, which is narrower than that of the class.
    "random_normal": lambda: v1.random_normal_initializer(stddev=0.05),
    "random_uniform": lambda: v1.random_uniform_initializer(-0.05, 0.05),
    "truncated_normal": lambda: v1.truncated_normal_initializer(stddev=0.05),
    "variance_scaling": v1.variance_scaling_initializer,
    "zeros": v1.zeros_initializer,
}


def snake_case(name: str) -> str:
    """Returns a name in the spelling of functions: `conv2d_transpose` for `Conv2DTranspose`."""
    return re.sub("(?<!^)(?=[A-Z][a-z0-9])|(?<=[a-z])(?=[A-Z])", "_", name).lower()


def get_activation(activation: Activation) -> Callable[[Any], Any] | None:
    """Returns the function of an activation, or `None`; raises ValueError if there is none of that name."""
    if activation is None or callable(activation):
        return activation
    if activation not in _ACTIVATIONS:
        raise ValueError(f"Unknown activation function:{activation}")
    return _ACTIVATIONS[activation]


def get_initializer(initializer: Initializer) -> Any:
    """Returns the function of an initialiser, or `None`; raises ValueError if there is none of that name."""
    if isinstance(initializer, str):
        if snake_case(initializer) not in _INITIALIZERS:
            raise ValueError(f"Unknown initializer: {initializer}")
        return _INITIALIZERS[snake_case(initializer)]()
    return initializer() if inspect.isclass(initializer) else initializer


def get_regularizer(regularizer: Regularizer) -> Callable[[Any], Any] | None:
    """Returns the function of a regulariser, or `None`; raises ValueError if there is none of that name."""
    return _of_tensor(keras.regularizers.get(regularizer), keras.regularizers.Regularizer)


def get_constraint(constraint: Constraint) -> Callable[[Any], Any] | None:
    """Returns the function of a constraint, or `None`; raises ValueError if there is none of that name."""
    return _of_tensor(keras.constraints.get(constraint), keras.constraints.Constraint)


def _of_tensor(function: Callable[[Any], Any] | None, keras_class: Any) -> Callable[[Any], Any] | None:
    if function is None or not isinstance(function, keras_class):
        return function
    of_tensor = function
    # Keras does not know the dtype of a reference variable.
    return lambda variable: of_tensor(tf.convert_to_tensor(variable))
