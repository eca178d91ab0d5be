"""Defines what a checkpoint holds, and in which form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints.reading import restore_variables
from keras_legacy_train.checkpoints.variables import SavedVariable, check_distinct, host_copy, not_finite


@dataclasses.dataclass(frozen=True)
class StateCopy:
    """Holds the values of a state at one moment. Later assignments do not change them.

    Attributes:
        checkpoint: Saves them.
        values: For each variable its name, and its value in host memory.
        values_by_place: The same by the name in the file and the slice specification; empty where a
            checkpoint is more than these values.
    """

    checkpoint: tf.train.Checkpoint
    values: Sequence[tuple[str, tf.Tensor]]
    values_by_place: Mapping[tuple[str, str], tf.Tensor] = dataclasses.field(default_factory=dict)

    def not_finite(self) -> list[str]:
        """Returns the names, each once, of the variables with a NaN or an infinity."""
        return not_finite(self.values)


class CheckpointState(Protocol):
    """Defines what a `CheckpointManager` saves and restores."""

    def copy(self) -> StateCopy:
        """Returns a copy of the values."""

    def restore(self, prefix: str) -> None:
        """Assigns the values in a checkpoint: all, or on an error none.

        Raises:
            CheckpointMismatchError: The checkpoint does not fit.
            tf.errors.OpError: The checkpoint cannot be read.
        """


class NamedVariables:
    """Saves and restores variables by the names of TensorFlow 1, which all its readers know.

    Args:
        variables: The variables.

    Raises:
        ValueError: Two of them have the same name.
    """

    def __init__(self, variables: Sequence[SavedVariable]):
        check_distinct(variables)
        self._variables = list(variables)

    def copy(self) -> StateCopy:
        copies = [(v.key, host_copy(v.variable.read_value()), v.slice_spec) for v in self._variables]
        values = [(key, value) for key, value, _ in copies]
        by_place = {(key, slice_spec): value for key, value, slice_spec in copies}
        return StateCopy(_tensorflow.NamedCheckpoint(copies), values, by_place)

    def restore(self, prefix: str) -> None:
        restore_variables(prefix, self._variables)
