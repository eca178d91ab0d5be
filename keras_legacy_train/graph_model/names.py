"""Looks up tensors of a graph by the names that a model's user gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.graph.elements import find_tensor
from keras_legacy_train.types import Fetches


class NamedTensors:
    """Holds the tensors that a model is fed, or that it computes, by name.

    Args:
        argument: The argument that gave them, for messages.
        graph: The graph that they belong to.
        tensors: A tensor or its name, a list of these, or a dict of them; `None` for none. In a list the name
            of each is its name in the graph without `":0"`.

    Attributes:
        tensors: The tensors by their names.

    Raises:
        ValueError: One of them is not in the graph, or is an operation.
    """

    def __init__(self, argument: str, graph: tf.Graph, tensors: Fetches | None):
        self._argument = argument
        self._is_dict = isinstance(tensors, Mapping)
        self._is_list = isinstance(tensors, (list, tuple))
        self.tensors: dict[str, tf.Tensor] = {}
        if isinstance(tensors, Mapping):
            self.tensors = {
                str(name): find_tensor(argument, graph, tensor) for name, tensor in tensors.items()
            }
        elif tensors is not None:
            listed = tensors if self._is_list else [tensors]
            found = [find_tensor(argument, graph, tensor) for tensor in listed]
            self.tensors = {tensor.name.removesuffix(":0"): tensor for tensor in found}

    def __len__(self) -> int:
        """Returns the number of tensors."""
        return len(self.tensors)

    def __contains__(self, key: str) -> bool:
        """Returns whether a tensor has this name, here or in the graph."""
        return self._find(key) is not None

    def __getitem__(self, key: str) -> tf.Tensor:
        """Returns the tensor that has this name, here or in the graph.

        Raises:
            KeyError: There is none.
        """
        tensor = self._find(key)
        if tensor is None:
            raise KeyError(key)
        return tensor

    def in_order(self, values: Any) -> list[tuple[tf.Tensor, Any]]:
        """Pairs values with the tensors.

        Args:
            values: One value, or a list of them in the order of the tensors.

        Raises:
            ValueError: There are more or fewer values than tensors.
        """
        listed = list(values) if isinstance(values, (list, tuple)) else [values]
        if len(listed) != len(self.tensors):
            raise ValueError(
                f"{self._argument} are {_listed(self.tensors)}, but {len(listed)} came. Pass a dict by"
                " these names."
            )
        return list(zip(self.tensors.values(), listed, strict=True))

    def pack(self, values: Sequence[Any]) -> Any:
        """Packs values, in the order of the tensors, into the structure that the tensors were given in."""
        if self._is_dict:
            return dict(zip(self.tensors, values, strict=True))
        return list(values) if self._is_list else values[0]

    def _find(self, key: str) -> tf.Tensor | None:
        if key in self.tensors:
            return self.tensors[key]
        names = (key, f"{key}:0")
        return next((tensor for tensor in self.tensors.values() if tensor.name in names), None)


def as_fed(tensor: tf.Tensor, value: Any) -> tf.Tensor:
    """Converts a value that is fed to a tensor of the graph to the tensor's dtype.

    Raises:
        ValueError: It has another shape, or cannot be converted to that dtype.
    """
    dtype = tensor.dtype.base_dtype
    expected = f"{tensor.name} takes shape {tensor.shape} and dtype {dtype.name}"
    if isinstance(value, (tf.SparseTensor, tf.RaggedTensor)):
        raise ValueError(f"{expected}; it was given a {type(value).__name__}.")
    value = tf.convert_to_tensor(value)
    both_or_no_text = (value.dtype == tf.string) == (dtype == tf.string)
    if not (both_or_no_text and tensor.shape.is_compatible_with(value.shape)):
        raise ValueError(f"{expected}; it was given shape {value.shape} and dtype {value.dtype.name}.")
    # Shapes that are known only when it runs are checked then, by an op with the tensor's name.
    return tf.ensure_shape(tf.cast(value, dtype), tensor.shape, name=f"{tensor.op.name}_fed")


def _listed(names: Iterable[str], separator: str = ", ") -> str:
    return separator.join(map(repr, names))
