"""Multiplies inputs with a kernel and adds a bias, in variables of the scope."""

from __future__ import annotations

import numbers
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


class Linear:
    """Has the variables `kernel` and `bias` of the variable scope; stands for `core_rnn_cell._Linear`.

    Args:
        args: A tensor of shape `[batch, size]` such as will be multiplied, or a list of them. Their sizes and
            the dtype are those of the variables.
        output_size: The size of the result.
        build_bias: Whether there is a bias.
        bias_initializer: Initialiser of the bias; by default zeros.
        kernel_initializer: Initialiser of the kernel; by default that of the scope.

    Raises:
        ValueError: There are no tensors, or the size of one is not known.
    """

    def __init__(
        self,
        args: Any,
        output_size: Any,
        build_bias: bool,
        bias_initializer: Any = None,
        kernel_initializer: Any = None,
    ) -> None:
        tensors = _tensors(args)
        dtype = tensors[0].dtype.base_dtype
        rows = sum(_size(tensor) for tensor in tensors)
        self._bias = None
        with v1.variable_scope(v1.get_variable_scope()) as scope:
            self._kernel = v1.get_variable(
                "kernel", [rows, output_size], dtype=dtype, initializer=kernel_initializer
            )
            if build_bias:
                scope.set_partitioner(None)  # partitions are meant for the kernel
                self._bias = v1.get_variable(
                    "bias",
                    [output_size],
                    dtype=dtype,
                    initializer=bias_initializer or v1.zeros_initializer(),
                )

    def __call__(self, args: Any) -> Any:
        """Returns `concat(args) @ kernel + bias`.

        Args:
            args: Tensors of the sizes of before.
        """
        product = tf.matmul(tf.concat(_tensors(args), 1), self._kernel)
        return product if self._bias is None else tf.nn.bias_add(product, self._bias)


def linear(
    args: Any,
    output_size: Any,
    bias: bool,
    bias_initializer: Any = None,
    kernel_initializer: Any = None,
    *,
    bias_start: float | None = None,
    scope: Any = None,
) -> Any:
    """Multiplies tensors with the variable `kernel` of the scope; stands for `rnn_cell_impl._linear`.

    Before TensorFlow 1.2 a number, the `bias_start`, and a scope stood in the places of the initialisers.

    Args:
        args: A tensor of shape `[batch, size]`, or a list of them.
        output_size: The size of the result.
        bias: Whether the variable `bias` is added.
        bias_initializer: Initialiser of the bias; by default zeros.
        kernel_initializer: Initialiser of the kernel; by default that of the scope.
        bias_start: Value that the bias begins with.
        scope: Scope of the variables, or its name; by default that which is open.

    Returns:
        A tensor of shape `[batch, output_size]`.

    Raises:
        ValueError: There are no tensors, or the size of one is not known.
    """
    if isinstance(bias_initializer, numbers.Real):
        bias_initializer, bias_start = None, float(bias_initializer)
    if isinstance(kernel_initializer, (str, v1.VariableScope)):
        kernel_initializer, scope = None, kernel_initializer
    if bias_start is not None:
        bias_initializer = v1.constant_initializer(bias_start)
    with v1.variable_scope(v1.get_variable_scope() if scope is None else scope):
        return Linear(args, output_size, bias, bias_initializer, kernel_initializer)(args)


def _tensors(args: Any) -> list[Any]:
    tensors = list(args) if isinstance(args, (list, tuple)) else [args]
    if not tensors or args is None:
        raise ValueError("`args` must be specified")
    return tensors


def _size(tensor: Any) -> int:
    size: int | None = tensor.shape.with_rank(2).as_list()[1]
    if size is None:
        raise ValueError(f"linear expects shape[1] to be provided for shape {tensor.shape}")
    return size
