"""Collects the values of almost all operations of the graph."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.monitors.base import BaseMonitor
from keras_legacy_train.types import Fetch, OutputDict

_LOGGER = logging.getLogger("keras_legacy_train")

_NOT_ARRAYS = (tf.resource, tf.variant)
# The file of a restore may be missing; only one of the two outputs of a switch has a value.
_NOT_FETCHABLE = ("Restore", "RestoreV2", "Switch", "RefSwitch")


class GraphDump(BaseMonitor):
    """Keeps the first output of almost every operation of the graph, at every step.

    Stands for `tf.contrib.learn.monitors.GraphDump`. Compare two dumps to find the operation at which two
    runs begin to differ. It takes much time and memory; for everyday use there is `PrintTensor`.

    It leaves out the operations of the types in `ignore_ops`, those inside conditionals and loops of control
    flow v1, those that restore checkpoints, and resources and variants, which are not arrays.

    Of a Keras model it keeps the loss and the weights.

    Args:
        ignore_ops: Types of the operations to leave out; `None` for `GraphDump.IGNORE_OPS`.

    Raises:
        ValueError: `ignore_ops` is not a list of strings.
    """

    IGNORE_OPS: ClassVar[list[str]] = [
        "Const",
        "Assign",
        "Identity",
        "Placeholder",
        "RandomUniform",
        "Cast",
        "RestoreSlice",
    ]

    def __init__(self, ignore_ops: list[str] | None = None):
        super().__init__()
        if isinstance(ignore_ops, str) or not isinstance(ignore_ops, Iterable | None):
            raise ValueError(f"ignore_ops must be a list of types of operations; it is {ignore_ops!r}.")
        self._ignore_ops = [arguments.as_text("an item of ignore_ops", each) for each in ignore_ops or ()]
        self._ignore_ops = self._ignore_ops or GraphDump.IGNORE_OPS
        self._tensors: list[Any] = []
        self._model: Any = None
        self._data: dict[int, OutputDict] = {}

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        self._model = model

    @property
    def data(self) -> dict[int, OutputDict]:
        """Returns the outputs of the steps so far, as `step_end` got them, by step."""
        return self._data

    def begin(self, max_steps: int | None = None) -> None:
        super().begin(max_steps)
        self._tensors = []
        if self._model is not None:
            return
        for op in tf.compat.v1.get_default_graph().get_operations():
            if op.type in self._ignore_ops:
                continue
            _LOGGER.info("op=%s name=%s.", op.type, op.name)
            if op.outputs and _is_array(op.outputs[0]):
                self._tensors.append(op.outputs[0])

    def step_begin(self, step: int) -> Iterable[Fetch] | None:
        super().step_begin(step)
        if self._model is not None:
            return ["loss", *(weight.path for weight in self._model.weights)]
        return self._tensors

    def step_end(self, step: int, output: OutputDict) -> bool | None:
        super().step_end(step, output)
        self._data[step] = output
        return False

    def compare(
        self, other_dump: GraphDump, step: int, atol: float = 1e-06
    ) -> tuple[list[str], dict[str, tuple[Any, Any]]]:
        """Compares the values of a step with those of another dump.

        Args:
            other_dump: The dump to compare with.
            step: Number of the step.
            atol: Absolute tolerance for floating-point values; the relative one is 1e-5. All other values
                must be equal.

        Returns:
            The names of the tensors that match; and for those that do not match, by name, this dump's value
            and the other's.

        Raises:
            ValueError: The other dump lacks a tensor of this one at that step.
        """
        these, others = self.data.get(step, {}), other_dump.data.get(step, {})
        matched: list[str] = []
        non_matched: dict[str, tuple[Any, Any]] = {}
        for name in these:
            if not isinstance(name, str):
                continue
            if name not in others:
                raise ValueError(f"{name} missing at step {step}.")
            if _is_close(these[name], others[name], atol):
                matched.append(name)
            else:
                non_matched[name] = (these[name], others[name])
        return matched, non_matched


def _is_array(tensor: tf.Tensor) -> bool:
    """Returns whether the tensor's value can be fetched as an array."""
    return (
        tensor.dtype.base_dtype not in _NOT_ARRAYS
        and tensor.op.type not in _NOT_FETCHABLE
        and tensor.graph.is_fetchable(tensor)
        and not _tensorflow.is_in_control_flow(tensor.op)
    )


def _is_close(value: Any, other: Any, atol: float) -> bool:
    value, other = np.asarray(value), np.asarray(other)
    if value.shape != other.shape:
        return False
    if np.issubdtype(value.dtype, np.inexact) and np.issubdtype(other.dtype, np.inexact):
        return np.allclose(value, other, atol=atol)
    return np.array_equal(value, other)
