"""What a checkpoint holds, and in which form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints.reading import restore_variables
from keras_legacy_train.checkpoints.variables import SavedVariable, check_distinct, host_copy, not_finite


@dataclasses.dataclass(frozen=True)
class StateCopy:
    """The values of a state at one moment, which later assignments leave alone.

    Attributes:
        children: The arguments of the `tf.train.Checkpoint` that saves them.
        values: The name and the value, in host memory, of each variable.
    """

    children: Mapping[str, Any]
    values: Sequence[tuple[str, tf.Tensor]]

    def not_finite(self) -> list[str]:
        """Names, each once, of the variables with a NaN or an infinity."""
        return not_finite(self.values)


class CheckpointState(Protocol):
    """What a `CheckpointManager` saves and restores."""

    def copy(self) -> StateCopy:
        """Its values now."""

    def restore(self, prefix: str) -> None:
        """Takes its values from a checkpoint: all, or on an error none.

        Raises:
            CheckpointMismatchError: The checkpoint does not fit.
            tf.errors.OpError: The checkpoint cannot be read.
        """


class NamedVariables:
    """Variables under the names TensorFlow 1 gave them, as every reader of TensorFlow 1 and 2 finds them.

    Args:
        variables: The variables.

    Raises:
        ValueError: Two of them have one name.
    """

    def __init__(self, variables: Sequence[SavedVariable]):
        check_distinct(variables)
        self._variables = list(variables)

    def copy(self) -> StateCopy:
        copies = [(v.key, host_copy(v.variable.read_value()), v.slice_spec) for v in self._variables]
        values = [(key, value) for key, value, _ in copies]
        return StateCopy({"variables": _tensorflow.SaveableTensors(copies)}, values)

    def restore(self, prefix: str) -> None:
        restore_variables(prefix, self._variables)
