"""Says which inputs a layer takes, and refuses others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf


class InputSpec:
    """States what a layer expects of one input; stands for `tf.layers.InputSpec`.

    Args:
        dtype: The dtype of the input.
        shape: Its shape; `None` for a dimension of any size.
        ndim: Its rank. A `shape` says it, too.
        max_ndim: The highest rank.
        min_ndim: The lowest rank.
        axes: The sizes of some of its axes, by the number of the axis. An axis may be negative.

    Raises:
        TypeError: A key of `axes` is not an integer.
        ValueError: A key of `axes` is too large for the rank.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Sequence[int | None] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
    ) -> None:
        self.dtype = None if dtype is None else tf.as_dtype(dtype).name
        self.shape = shape
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        try:
            self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        except (TypeError, ValueError):
            raise TypeError("The keys in axes must be integers.") from None
        rank = self.ndim or max_ndim
        if rank is not None and self.axes and max(self.axes) >= rank:
            raise ValueError(f"Axis {max(self.axes)} is greater than the maximum allowed value: {rank - 1}")

    def __repr__(self) -> str:
        return f"InputSpec({', '.join(f'{name}={value}' for name, value in vars(self).items() if value)})"

    def mismatch(self, tensor: Any) -> str | None:
        """Returns what is wrong with an input, or `None` if it fits."""
        rank = tensor.shape.rank
        if rank is None:
            wants_rank = (self.ndim, self.max_ndim, self.min_ndim) != (None, None, None)
            return "its rank is undefined, but the layer requires a defined rank." if wants_rank else None
        shape = tensor.shape.as_list()
        for bound, wrong in [
            ("ndim", self.ndim is not None and rank != self.ndim),
            ("max_ndim", self.max_ndim is not None and rank > self.max_ndim),
            ("min_ndim", self.min_ndim is not None and rank < self.min_ndim),
        ]:
            if wrong:
                wanted = getattr(self, bound)
                return f"expected {bound}={wanted}, found ndim={rank}. Full shape received: {shape}"
        if self.dtype is not None and tensor.dtype != self.dtype:
            return f"expected dtype={self.dtype}, found dtype={tensor.dtype}"
        for axis, size in self.axes.items():
            if None not in (size, shape[axis]) and size != shape[axis]:
                return (
                    f"expected axis {axis} of input shape to have value {size}"
                    f" but received input with shape {shape}"
                )
        if self.shape is not None and not tensor.shape.is_compatible_with(self.shape):
            return f"expected shape={self.shape}, found shape={shape}"
        return None


def check_inputs(spec: Any, inputs: Any, layer_name: str) -> None:
    """Raises ValueError, with the name of the layer, if an input does not fit.

    Args:
        spec: An `InputSpec`, a structure of them with one for each input, or `None` for any inputs.
        inputs: A tensor or a structure of tensors.
        layer_name: The name of the layer.
    """
    if not spec:
        return
    specs, tensors = tf.nest.flatten(spec), tf.nest.flatten(inputs)
    if len(tensors) != len(specs):
        raise ValueError(
            f"Layer {layer_name} expects {len(specs)} inputs, but it received {len(tensors)} input tensors."
            f" Inputs received: {tensors}"
        )
    for number, (each, tensor) in enumerate(zip(specs, tensors, strict=True)):
        wrong = each and each.mismatch(tensor)
        if wrong:
            raise ValueError(f"Input {number} of layer {layer_name} is incompatible with the layer: {wrong}")
