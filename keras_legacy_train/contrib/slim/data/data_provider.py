"""Provides items of a data set by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class DataProvider:
    """Provides items of a data set; stands for `tf.contrib.slim.data_provider.DataProvider`.

    Args:
        items_to_tensors: Tensors by the names of the items.
        num_samples: How many samples there are; `None` if that is not known.
    """

    def __init__(self, items_to_tensors: Mapping[str, Any], num_samples: int | None):
        self._items_to_tensors = dict(items_to_tensors)
        self._num_samples = num_samples

    def get(self, items: Sequence[str]) -> list[Any]:
        """Returns the tensors of some items.

        Args:
            items: Their names.

        Raises:
            ValueError: It is no list, or there is no such item.
        """
        if not isinstance(items, (list, tuple)):
            raise ValueError(f"items must be a list or tuple; they are {items!r}.")
        for item in items:
            if item not in self._items_to_tensors:
                raise ValueError(
                    f"Item [{item}] is invalid. Valid entries include: {list(self.list_items())}"
                )
        return [self._items_to_tensors[item] for item in items]

    def list_items(self) -> Iterable[str]:
        """Returns the names of all items."""
        return self._items_to_tensors.keys()

    def num_samples(self) -> int | None:
        """Returns how many samples there are, `None` if that is not known."""
        return self._num_samples
