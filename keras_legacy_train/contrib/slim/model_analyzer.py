"""Lists what a graph is made of, and counts its numbers."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

__all__ = ["analyze_ops", "analyze_vars", "tensor_description"]

__getattr__ = module_getattr(__name__, __all__)

_RULE = "---------"


def tensor_description(var: tf.Tensor | tf.Variable) -> str:
    """Returns dtype and shape, as in `(float32 3x3x16)`.

    Stands for `tf.contrib.slim.model_analyzer.tensor_description`.

    Args:
        var: A tensor or variable.
    """
    return f"({var.dtype.base_dtype.name} {'x'.join(str(size) for size in var.shape.as_list())})"


def analyze_ops(graph: tf.Graph, print_info: bool = False) -> int:
    """Counts the numbers that ops put out; stands for `tf.contrib.slim.model_analyzer.analyze_ops`.

    Args:
        graph: The graph.
        print_info: Whether the ops are printed.

    Returns:
        How many numbers, as far as shapes are known.
    """
    if print_info:
        print(_RULE, "Operations: name -> (type shapes) [size]", _RULE, sep="\n")
    total = 0
    for op in graph.get_operations():
        size = sum(_size(output) for output in op.outputs)
        if print_info:
            shapes = [tensor_description(output) for output in op.outputs if output.shape.rank is not None]
            print(op.name, "\t->", ", ".join(shapes), f"[{size}]")
        total += size
    return total


def analyze_vars(variables: Iterable[tf.Variable], print_info: bool = False) -> tuple[int, int]:
    """Counts the numbers and bytes of variables; stands for `tf.contrib.slim.model_analyzer.analyze_vars`.

    Args:
        variables: The variables.
        print_info: Whether they are printed.

    Returns:
        How many numbers, and how many bytes.
    """
    if print_info:
        print(_RULE, "Variables: name (type shape) [size]", _RULE, sep="\n")
    total_size = total_bytes = 0
    for variable in variables:
        size = _size(variable)
        length = size * variable.dtype.size
        if print_info:
            print(variable.name, tensor_description(variable), f"[{size}, bytes: {length}]")
        total_size += size
        total_bytes += length
    if print_info:
        print(f"Total size of variables: {total_size}")
        print(f"Total bytes of variables: {total_bytes}")
    return total_size, total_bytes


def _size(value: tf.Tensor | tf.Variable) -> int:
    return value.shape.num_elements() or 0
