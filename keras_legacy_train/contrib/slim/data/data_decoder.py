"""Defines what makes items of records."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any


class DataDecoder(abc.ABC):
    """Makes items of a record; stands for `tf.contrib.slim.data_decoder.DataDecoder`."""

    @abc.abstractmethod
    def decode(self, data: Any, items: Sequence[str]) -> Sequence[Any]:
        """Returns the items of a record, tensors in the order of their names.

        Args:
            data: The record.
            items: The names of the items.
        """

    @abc.abstractmethod
    def list_items(self) -> Sequence[str]:
        """Returns the names of all items."""
