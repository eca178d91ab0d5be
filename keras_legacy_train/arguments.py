"""Checks of what `train` is given, before anything is touched."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.graph.meta_graph import read_meta_graph
from keras_legacy_train.monitors.calls import check_no_hook
from keras_legacy_train.programs.outputs import graph_element

_MONITOR_METHODS = ("begin", "step_begin", "step_end", "end")


def as_steps(name: str, value: Any) -> int | None:
    """A number of steps, `None` for no limit. Whole floats such as `1e5` are taken for what they mean."""
    if value is None:
        return None
    whole = isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))
    if not whole or value != value or math.isinf(value) or value != int(value) or value < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more, or None; it is {value!r}.")
    return int(value)


def as_seconds(name: str, value: Any) -> float | None:
    """A number of seconds, `None` for never."""
    if value is None:
        return None
    if not isinstance(value, (int, float, np.number)) or isinstance(value, bool) or not value >= 0:
        raise ValueError(f"{name} must be a number of seconds, 0 or more, or None; it is {value!r}.")
    return float(value)


def as_interval(name: str, value: Any) -> int | None:
    """Steps from one event to the next: zero or less means each step, `None` never."""
    if value is None:
        return None
    is_number = isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.bool_))
    if not is_number or not math.isfinite(value) or value != int(value):
        raise ValueError(f"{name} must be a whole number of steps or None; it is {value!r}.")
    return int(value)


def as_positive(name: str, value: Any) -> int:
    """A whole number, 1 or more."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a whole number, 1 or more; it is {value!r}.")
    return int(value)


def as_optional_positive(name: str, value: Any) -> int | None:
    """A whole number, 1 or more, or `None`."""
    return None if value is None else as_positive(name, value)


def as_flag(name: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} must be True or False; it is {value!r}.")
    return bool(value)


def as_optional_flag(name: str, value: Any) -> bool | None:
    """True, false or `None`."""
    return None if value is None else as_flag(name, value)


def as_jit_compile(value: Any) -> bool | Literal["auto"]:
    """True, false or `"auto"`."""
    if value == "auto":
        return "auto"
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"jit_compile must be True, False or 'auto'; it is {value!r}.")
    return bool(value)


def as_directory(output_dir: Any) -> str:
    """The path as a string."""
    if not isinstance(output_dir, (str, bytes, os.PathLike, type(None))):
        raise ValueError(f"output_dir must be a path; it is {output_dir!r}.")
    if not output_dir or not os.fspath(output_dir):
        raise ValueError(f"Output directory should be non-empty; output_dir is {output_dir!r}.")
    return os.fsdecode(output_dir)


def as_graph(graph: Any) -> tf.Graph:
    """The graph itself, or the one that a `.meta` file holds."""
    if isinstance(graph, tf.Graph):
        return graph
    check_not_tf_keras("graph", graph)
    if not isinstance(graph, (str, bytes, os.PathLike)):
        raise ValueError(f"graph must be a tf.Graph or the path of a .meta file; it is {graph!r}.")
    path = os.fsdecode(graph)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"graph: there is no file {path!r}.")
    return read_meta_graph(path)


def check_not_tf_keras(name: str, model: Any) -> None:
    """Models of Keras 2 are others than those of Keras 3."""
    if any(base.__module__.partition(".")[0] == "tf_keras" for base in type(model).__mro__):
        raise TypeError(
            f"{name}: {model!r} is a tf_keras model, of Keras 2, but this package works with Keras 3"
            f" ({keras.__version__}). Unset TF_USE_LEGACY_KERAS and build it with keras."
        )


def as_elements(name: str, graph: tf.Graph, value: Any) -> list[tf.Operation | tf.Tensor]:
    """The operations and tensors in any structure of them or their names."""
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
    """What a step runs."""
    if train_op is None:
        raise ValueError("Missing train_op.")
    elements = as_elements("train_op", graph, train_op)
    if not elements:
        raise ValueError(f"Missing train_op: {train_op!r} holds none.")
    return elements


def as_loss(graph: tf.Graph, loss_op: Any) -> tf.Tensor:
    """The loss's tensor, of one number as far as its shape is known."""
    if loss_op is None:
        raise ValueError("Missing loss_op.")
    expected = "loss_op must be a tensor of one number, or its name"
    if isinstance(loss_op, (list, tuple, dict, set, int, float, np.ndarray)):
        raise ValueError(f"{expected}; it is the {type(loss_op).__name__} {loss_op!r}.")
    (loss,) = as_elements("loss_op", graph, loss_op)
    if isinstance(loss, tf.Operation):
        raise ValueError(f"{expected}; it is the operation {loss.name!r}.")
    if loss.shape.num_elements() not in (None, 1):
        raise ValueError(
            f"{expected}; {loss.name!r} has shape {loss.shape}. Reduce it, e.g. by tf.reduce_mean."
        )
    return loss


def as_global_step(graph: tf.Graph, global_step_tensor: Any) -> str:
    """The name of the variable that counts steps; looked up in the graph if it is not given."""
    if global_step_tensor is None:
        global_step_tensor = tf.compat.v1.train.get_global_step(graph)
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
    return operation.name


def as_watchers(monitors: Any, callbacks: Any) -> tuple[list[Any], list[keras.callbacks.Callback]]:
    """The monitors and hooks, also those that came as callbacks, and the other callbacks."""
    given = as_callbacks(callbacks)
    wrapped = [each.monitor for each in given if isinstance(each, MonitorCallback)]
    others = [each for each in given if not isinstance(each, MonitorCallback)]
    return [*as_monitors(monitors), *as_monitors(wrapped)], others


def as_monitors(monitors: Any) -> list[Any]:
    """A list of monitors and hooks; a single one is a list, too."""
    if monitors is None:
        return []
    if hasattr(monitors, "step_begin") or not isinstance(monitors, Iterable):
        monitors = [monitors]
    monitors = list(monitors)
    for monitor in monitors:
        if isinstance(monitor, tf.compat.v1.train.SessionRunHook):
            _check_hook(monitor)
            continue
        missing = [method for method in _MONITOR_METHODS if not callable(getattr(monitor, method, None))]
        if missing or isinstance(monitor, type):
            raise ValueError(
                f"monitors: {monitor!r} is no monitor; it lacks {', '.join(missing) or 'an instance'}."
                " Derive it from monitors.BaseMonitor or tf.compat.v1.train.SessionRunHook, or pass Keras"
                " callbacks as callbacks=."
            )
    return monitors


def _check_hook(hook: tf.compat.v1.train.SessionRunHook) -> None:
    if isinstance(hook, tf.compat.v1.train.ProfilerHook):
        raise ValueError(
            "monitors: ProfilerHook asks a Session to trace its steps, and there is none here. Call"
            " tf.profiler.experimental.start(logdir) before training and stop() after it."
        )


def check_no_hooks(monitors: Iterable[Any]) -> None:
    """Session hooks need a graph."""
    for monitor in monitors:
        check_no_hook(monitor)


def as_callbacks(callbacks: Any) -> list[keras.callbacks.Callback]:
    """A list; a single callback is one, too."""
    if callbacks is None:
        return []
    callbacks = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(f"callbacks: {callback!r} is not a keras.callbacks.Callback.")
    return callbacks


def check_fetches(name: str, graph: tf.Graph, fetches: Any) -> None:
    """A dict of tensors of the graph or their names, or of structures of them."""
    if not isinstance(fetches, Mapping):
        raise ValueError(f"{name} must be a dict of tensors; it is {fetches!r}.")
    try:
        _tensorflow.FetchHandler(graph, fetches, {})
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from error


def check_callable(name: str, value: Any) -> None:
    """A function or `None`."""
    if value is not None and not callable(value):
        raise ValueError(f"{name} must be a function; it is {value!r}.")


def check_feeds(name: str, value: Any) -> None:
    """A dict or `None`; the graph says later whether its keys are right."""
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a dict from tensors or names to values; it is {value!r}.")


def check_master(master: Any) -> None:
    """There are no clusters yet."""
    if master not in ("", "local"):
        raise ValueError(
            "supervisor_master: only '' and 'local', training in this process, are supported;"
            f" it is {master!r}."
        )
