"""Checks the arguments that layers of windows share, and computes with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf


def tuple_argument(value: Any, size: int, name: str) -> tuple[int, ...]:
    """Returns `size` integers; a single one stands for equal ones.

    Args:
        value: An integer, or as many as `size`.
        size: How many are needed.
        name: The name of the argument, for the error.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, int):
        return (value,) * size
    values = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
    try:
        integers = tuple(int(each) for each in values)
    except (TypeError, ValueError):
        integers = ()
    if len(integers) != size:
        raise ValueError(f"The `{name}` argument must be a tuple of {size} integers. Received: {value}")
    return integers


def data_format_argument(value: str | None) -> str:
    """Returns "channels_last" or "channels_first", in lower case; raises ValueError for others.

    Args:
        value: One of these, or `None` for "channels_last".
    """
    data_format = "channels_last" if value is None else value.lower()
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}'
        )
    return data_format


def padding_argument(value: str, *more: str) -> str:
    """Returns "valid" or "same", in lower case; raises ValueError for others.

    Args:
        value: One of these.
        *more: Further values that the layer takes.
    """
    padding = value.lower()
    if padding not in ("valid", "same", *more):
        names = ", ".join(f'"{each}"' for each in ("valid", "same", *more))
        raise ValueError(f"The `padding` argument must be one of {names}. Received: {value}")
    return padding


def data_format_of_op(data_format: str, rank: int) -> str:
    """Returns the data format as ops have it: "NHWC" for images with the channels last.

    Args:
        data_format: "channels_last" or "channels_first".
        rank: The number of dimensions of the space, from 1 to 3.
    """
    space = "DHW"[-rank:]
    return f"N{space}C" if data_format == "channels_last" else f"NC{space}"


def with_channels(sizes: Iterable[int], data_format: str) -> list[int]:
    """Returns the sizes or steps of windows as ops have them, with ones for the batch and the channels.

    Args:
        sizes: One for each dimension of the space.
        data_format: "channels_last" or "channels_first".
    """
    return [1, *sizes, 1] if data_format == "channels_last" else [1, 1, *sizes]


def window_output_size(
    size: int | None, window: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """Returns how many windows there are along a dimension, or `None` if that is not known.

    Args:
        size: The size of the dimension.
        window: The size of the window.
        padding: "valid", "same" or "causal".
        stride: The steps of the window.
        dilation: The distance of the values that a window sees.
    """
    if size is None:
        return None
    starts = size - (window - 1) * dilation if padding == "valid" else size
    return -(-starts // stride)


def channels_to_end(tensor: Any, data_format: str) -> Any:
    """Returns a tensor with its channels last.

    Args:
        tensor: A tensor of shape `[batch, *space, channels]` or `[batch, channels, *space]`.
        data_format: "channels_last" or "channels_first".
    """
    if data_format == "channels_last":
        return tensor
    return tf.transpose(tensor, [0, *range(2, tensor.shape.rank), 1])


def channels_from_end(tensor: Any, data_format: str) -> Any:
    """Returns a tensor, whose channels are last, in a data format.

    Args:
        tensor: A tensor of shape `[batch, *space, channels]`.
        data_format: "channels_last" or "channels_first".
    """
    if data_format == "channels_last":
        return tensor
    rank = tensor.shape.rank
    return tf.transpose(tensor, [0, rank - 1, *range(1, rank - 1)])
