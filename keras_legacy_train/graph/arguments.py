"""Checks arguments that are graphs or belong to one, before anything is changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.elements import find_global_step, graph_element
from keras_legacy_train.graph.saving.meta_graph import read_meta_graph


def as_graph(graph: Any) -> tf.Graph:
    """Returns the graph itself, or reads the one in a `.meta` file.

    Args:
        graph: A `tf.Graph` or the path of a `.meta` file.

    Raises:
        ValueError: It is neither, or the file holds no graph.
        FileNotFoundError: There is no such file.
        TypeError: It is a model of Keras 2.
    """
    if isinstance(graph, tf.Graph):
        return graph
    check_not_tf_keras("graph", graph)
    if not isinstance(graph, (str, bytes, os.PathLike)):
        raise ValueError(f"graph must be a tf.Graph or the path of a .meta file; it is {graph!r}.")
    path = os.fsdecode(graph)
    check_graph_file(path)
    return read_meta_graph(path)


def check_graph_file(path: str) -> None:
    """Raises FileNotFoundError if there is no such file; to open anything else could block for ever."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f"graph: there is no file {path!r}.")


def check_not_tf_keras(name: str, model: Any) -> None:
    """Checks that an argument is not a model of Keras 2, whose classes differ from those of Keras 3.

    Raises:
        TypeError: It is one.
    """
    if any(base.__module__.partition(".")[0] == "tf_keras" for base in type(model).__mro__):
        raise TypeError(
            f"{name}: {model!r} is a tf_keras model, of Keras 2, but this package works with Keras 3"
            f" ({keras.__version__}). Unset TF_USE_LEGACY_KERAS and build it with keras."
        )


def as_elements(name: str, graph: tf.Graph, value: Any) -> list[tf.Operation | tf.Tensor]:
    """Returns the operations and tensors in any structure of them or their names.

    Raises:
        ValueError: One is not in the graph.
    """
    flat = value.values() if isinstance(value, Mapping) else value
    flat = (
        flat if isinstance(flat, Iterable) and not isinstance(flat, (str, tf.Tensor, tf.Variable)) else [flat]
    )
    elements = []
    for each in flat:
        if isinstance(each, (list, tuple, Mapping)):
            elements.extend(as_elements(name, graph, each))
            continue
        try:
            elements.append(graph_element(graph, each))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return elements


def as_train_ops(graph: tf.Graph, train_op: Any) -> list[tf.Operation | tf.Tensor]:
    """Returns the operations and tensors that a step runs.

    Raises:
        ValueError: There are none, or one is not in the graph.
    """
    if train_op is None:
        raise ValueError("Missing train_op.")
    elements = as_elements("train_op", graph, train_op)
    if not elements:
        raise ValueError(f"Missing train_op: {train_op!r} holds none.")
    return elements


def as_loss(graph: tf.Graph, loss_op: Any) -> tf.Tensor:
    """Returns the loss's tensor, which has one number as far as its shape is known.

    Raises:
        ValueError: It is missing, no tensor of the graph, or has more numbers.
    """
    if loss_op is None:
        raise ValueError("Missing loss_op.")
    expected = "loss_op must be a tensor of one number, or its name"
    if isinstance(loss_op, (list, tuple, dict, set, int, float, np.ndarray)):
        raise ValueError(f"{expected}; it is the {type(loss_op).__name__} {loss_op!r}.")
    (loss,) = as_elements("loss_op", graph, loss_op)
    if isinstance(loss, tf.Operation):
        raise ValueError(f"{expected}; it is the operation {loss.name!r}.")
    if loss.shape.num_elements() not in (None, 1):
        name = loss_op if isinstance(loss_op, str) else loss.name
        raise ValueError(f"{expected}; {name!r} has shape {loss.shape}. Reduce it, e.g. by tf.reduce_mean.")
    return loss


def as_global_step(graph: tf.Graph, global_step_tensor: Any) -> str:
    """Returns the name of the variable that counts steps; looks it up in the graph if it is not given.

    Raises:
        ValueError: There is none, or it is not a global variable of the graph.
        TypeError: It is not an integer or not a scalar.
    """
    if global_step_tensor is None:
        global_step_tensor = find_global_step(graph)
    if global_step_tensor is None:
        raise ValueError('No "global_step" was provided or found in the graph.')
    (element,) = as_elements("global_step_tensor", graph, global_step_tensor)
    operation = element if isinstance(element, tf.Operation) else element.op
    while operation.type in ("Identity", "ReadVariableOp") and operation.inputs:
        operation = operation.inputs[0].op
    by_name = {v.op.name: v for v in graph.get_collection(tf.compat.v1.GraphKeys.GLOBAL_VARIABLES)}
    try:
        tf.compat.v1.train.assert_global_step(by_name.get(operation.name, element))
    except TypeError as error:
        raise TypeError(f"global_step_tensor: {error}") from error
    if operation.name not in by_name:
        raise ValueError(
            f"global_step_tensor must be a global variable or a read of one; it is {element.name!r}."
        )
    return str(operation.name)


def check_fetches(name: str, graph: tf.Graph, fetches: Any) -> None:
    """Checks a dict of tensors of the graph or their names, or of structures of them.

    Raises:
        ValueError, TypeError: It is no dict, or holds what cannot be fetched from the graph.
    """
    if not isinstance(fetches, Mapping):
        raise ValueError(f"{name} must be a dict of tensors; it is {fetches!r}.")
    try:
        _tensorflow.FetchHandler(graph, fetches, {})
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from error
