"""Describes how recurrent cells store their weights, and converts layouts of TensorFlow 1 to those of Keras.

- A cell of TensorFlow 1 concatenates input and state and multiplies them by one matrix. Keras has two
  matrices, `kernel` and `recurrent_kernel`.
- An LSTM of TensorFlow 1 has its gates in the order input, candidate, forget, output, and adds `forget_bias`
  at run time. Keras has the order input, forget, candidate, output, and the number is part of the bias.
- A GRU of TensorFlow 1 has the order reset, update, and separate tensors for the candidate. Keras has the
  order update, reset, candidate in one tensor.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Shape = tuple[int, ...]
Arrays = Sequence[np.ndarray]

# The kind of a Keras cell by the number of columns that its recurrent kernel has for each unit.
_KINDS = {4: "LSTM", 3: "GRU", 1: "SimpleRNN"}


class Sizes(NamedTuple):
    """Holds the sizes of a cell. A cell can be filled from another one if their sizes are equal.

    Attributes:
        inputs: Length of an input vector.
        units: Length of the state.
        bias: Shape of the bias in Keras; `None` without a bias. For a GRU it also tells `reset_after`: if
            true, the shape is `(2, 3 * units)`, else `(3 * units,)`.
    """

    inputs: int
    units: int
    bias: Shape | None


@dataclasses.dataclass(frozen=True)
class Layout:
    """Describes one way to store the weights of a cell in tensors.

    Attributes:
        kind: The Keras layer that computes the same.
        tensors: Names of the tensors below the scope of the cell, with their last parts as in Keras.
        sizes: Returns the sizes for the shapes of the tensors; `None` if these shapes make no such cell.
        convert: Returns the weights of the Keras cell for the values of the tensors and the forget bias.
        note: Describes what `convert` does; `{forget_bias}` is replaced by the number.
    """

    kind: str
    tensors: tuple[str, ...]
    sizes: Callable[[Sequence[Shape]], Sizes | None]
    convert: Callable[[Arrays, float], Arrays]
    note: str


def identify_cell(
    kernel: Shape, recurrent_kernel: Shape, bias: Shape | None = None
) -> tuple[str, Sizes] | None:
    """Returns the kind and the sizes of a Keras cell; `None` if such shapes make no known cell."""
    if len(kernel) != 2 or len(recurrent_kernel) != 2 or kernel[1] != recurrent_kernel[1]:
        return None
    units, columns = recurrent_kernel
    kind = _KINDS.get(columns // units) if units and columns % units == 0 else None
    return None if kind is None else (kind, Sizes(kernel[0], units, bias))


def _sizes_in_tf1(*columns: int) -> Callable[[Sequence[Shape]], Sizes | None]:
    """Returns the `sizes` function of a layout of kernels over inputs and state, each with a bias.

    Args:
        *columns: For each kernel the number of its columns per unit.
    """

    def sizes(shapes: Sequence[Shape]) -> Sizes | None:
        if len(shapes[0]) != 2:
            return None
        rows, width = shapes[0]
        units = width // columns[0]
        expected = [shape for count in columns for shape in ((rows, count * units), (count * units,))]
        if list(shapes) != expected or not 0 < units < rows:
            return None
        return Sizes(rows - units, units, (sum(columns) * units,))

    return sizes


def _sizes_of_cudnn_gru(shapes: Sequence[Shape]) -> Sizes | None:
    if len(shapes[2]) != 2:
        return None
    inputs, units = shapes[2]
    gates = [(inputs + units, 2 * units), (2 * units,)]
    candidate = [(inputs, units), (units,), (units, units), (units,)]
    return Sizes(inputs, units, (2, 3 * units)) if list(shapes) == gates + candidate else None


def _sizes_in_keras(kind: str) -> Callable[[Sequence[Shape]], Sizes | None]:
    def sizes(shapes: Sequence[Shape]) -> Sizes | None:
        found = identify_cell(*shapes)
        return found[1] if found and found[0] == kind else None

    return sizes


def _convert_lstm(tensors: Arrays, forget_bias: float) -> Arrays:
    kernel, bias = (_reorder(tensor, 4, [0, 2, 1, 3]) for tensor in tensors)
    units = len(bias) // 4
    bias[units : 2 * units] += forget_bias
    return [kernel[:-units], kernel[-units:], bias]


def _convert_simple_rnn(tensors: Arrays, forget_bias: float) -> Arrays:
    kernel, bias = tensors
    return [kernel[: -len(bias)], kernel[-len(bias) :], bias]


def _convert_gru(tensors: Arrays, forget_bias: float) -> Arrays:
    gates, gates_bias, candidate, candidate_bias = tensors
    units = len(candidate_bias)
    kernel = np.concatenate([_reorder(gates, 2, [1, 0]), candidate], axis=1)
    bias = np.concatenate([_reorder(gates_bias, 2, [1, 0]), candidate_bias])
    return [kernel[:-units], kernel[-units:], bias]


def _convert_cudnn_gru(tensors: Arrays, forget_bias: float) -> Arrays:
    gates, gates_bias, input_kernel, input_bias, hidden_kernel, hidden_bias = tensors
    gates, gates_bias = _reorder(gates, 2, [1, 0]), _reorder(gates_bias, 2, [1, 0])
    units = len(hidden_bias)
    bias = [np.concatenate([gates_bias, input_bias]), np.concatenate([0 * gates_bias, hidden_bias])]
    return [
        np.concatenate([gates[:-units], input_kernel], axis=1),
        np.concatenate([gates[-units:], hidden_kernel], axis=1),
        np.stack(bias),
    ]


def _copy(tensors: Arrays, forget_bias: float) -> Arrays:
    return tensors


def _reorder(tensor: np.ndarray, count: int, order: Sequence[int]) -> np.ndarray:
    """Splits the last axis into `count` gates and puts them into another order."""
    gates = np.split(tensor, count, axis=-1)
    return np.concatenate([gates[number] for number in order], axis=-1)


_GATES = ("gates/kernel", "gates/bias")
_PROJECTIONS = [
    f"candidate/{side}_projection/{name}" for side in ("input", "hidden") for name in ("kernel", "bias")
]
_GRU_NOTE = "rows split; gates put in the order update, reset, candidate"

_IN_TF1 = [
    Layout(
        "LSTM",
        ("kernel", "bias"),
        _sizes_in_tf1(4),
        _convert_lstm,
        "rows split; gates i, j, f, o put in the order i, f, j, o; {forget_bias} added to the bias of f",
    ),
    Layout("SimpleRNN", ("kernel", "bias"), _sizes_in_tf1(1), _convert_simple_rnn, "rows split"),
    Layout(
        "GRU",
        (*_GATES, "candidate/kernel", "candidate/bias"),
        _sizes_in_tf1(2, 1),
        _convert_gru,
        _GRU_NOTE,
    ),
    Layout(
        "GRU",
        (*_GATES, *_PROJECTIONS),
        _sizes_of_cudnn_gru,
        _convert_cudnn_gru,
        _GRU_NOTE,
    ),
]
_IN_KERAS = [
    Layout(kind, tensors, _sizes_in_keras(kind), _copy, "")
    for kind in _KINDS.values()
    for tensors in (("kernel", "recurrent_kernel", "bias"), ("kernel", "recurrent_kernel"))
]
LAYOUTS = _IN_TF1 + _IN_KERAS
