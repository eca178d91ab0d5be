"""What a checkpoint holds, and in which form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints.reading import restore_variables
from keras_legacy_train.checkpoints.variables import SavedVariable, check_distinct, not_finite


class CheckpointState(Protocol):
    """What a `CheckpointManager` saves and restores."""

    def children(self) -> dict[str, Any]:
        """The arguments of the `tf.train.Checkpoint` that saves it."""

    def not_finite(self) -> list[str]:
        """Names of the variables in it with a NaN or an infinity."""

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

    def children(self) -> dict[str, Any]:
        named = [(v.key, v.variable, v.slice_spec) for v in self._variables]
        return {"variables": _tensorflow.NamedTensors(named)}

    def not_finite(self) -> list[str]:
        return not_finite((saved.key, saved.variable) for saved in self._variables)

    def restore(self, prefix: str) -> None:
        restore_variables(prefix, self._variables)
