"""Saves the state that several processes have in common: all copy it, and the chief writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from keras_legacy_train import _keras
from keras_legacy_train.checkpoints import CheckpointManager, CheckpointState
from keras_legacy_train.checkpoints.state import StateCopy
from keras_legacy_train.distributed.replicas import Replicas
from keras_legacy_train.errors import ReplicasDifferError

# By how much sums of equal variables may differ, in proportion to the sum of the absolute values.
_TOLERANCE = 1e-5


class ReplicatedState:
    """A state of which every replica has a copy. Before it is saved, the copies are compared.

    To read a variable that is summed up over processes takes all of them. So where there are several, each
    copies the state when `take` is called, and what is saved is that copy.

    Args:
        state: The state.
        replicas: The replicas.
        kept_equal: Returns the variables that training must keep equal on all replicas.
    """

    def __init__(self, state: CheckpointState, replicas: Replicas, kept_equal: Callable[[], Iterable[Any]]):
        self._state = state
        self._replicas = replicas
        self._kept_equal = kept_equal
        self._taken: StateCopy | None = None

    def take(self) -> StateCopy:
        """Copies the values. All processes must call it after the same step.

        Raises:
            ReplicasDifferError: A variable is not the same on all replicas.
        """
        check_equal(self._replicas, self._kept_equal())
        self._taken = self._state.copy()
        return self._taken

    def copy(self) -> StateCopy:
        """Returns a copy of the values; with several processes, the one that was taken last."""
        if self._replicas.workers.count == 1 or self._taken is None:
            return self.take()
        return self._taken

    def restore(self, prefix: str) -> None:
        """Takes the values from a checkpoint; see `CheckpointState`."""
        self._state.restore(prefix)


class JointCheckpointManager(CheckpointManager):
    """Manages the checkpoints of several processes. The chief writes them; the others help to copy the state.

    Args:
        directory: See `CheckpointManager`.
        state: What a checkpoint holds.
        is_chief: Whether this process writes.
        **options: See `CheckpointManager`.
    """

    def __init__(self, directory: str, state: ReplicatedState, *, is_chief: bool, **options: Any):
        super().__init__(directory, state, **options)
        self._replicated = state
        self._is_chief = is_chief

    def save(self, step: int) -> str | None:
        """Saves as `CheckpointManager.save` does, where this is the chief."""
        self._replicated.take()
        return super().save(step) if self._is_chief else None

    def save_in_background(self, step: int, on_saved: Callable[[str], None] = lambda prefix: None) -> None:
        """Saves as `CheckpointManager.save_in_background` does, where this is the chief."""
        self._replicated.take()
        if self._is_chief:
            super().save_in_background(step, on_saved)


def check_equal(replicas: Replicas, variables: Iterable[Any]) -> None:
    """Checks that every replica of every process has the same values, but for the last bits.

    Those may differ where the machines do.

    Args:
        replicas: The replicas.
        variables: Variables of TensorFlow or Keras.

    Raises:
        ReplicasDifferError: Some differ.
    """
    names = []
    sums: list[np.ndarray] = []  # for each variable, and for each replica in this process
    for each in variables:
        variable = each.value if isinstance(each, _keras.Variable) else each
        names.append(variable.name.partition(":")[0] if variable is each else each.path)
        copies = replicas.strategy.experimental_local_results(variable)
        sums.append(np.stack([_sums(np.asarray(copy)) for copy in copies]))
    if not sums:
        return
    local = np.stack(sums)
    of_all = replicas.workers.gather(*local.ravel()).reshape([replicas.workers.count, *local.shape])
    first = of_all[:1, :, :1]
    is_close = np.isclose(of_all, first, rtol=0, atol=_TOLERANCE * first[..., 1:], equal_nan=True)
    differing = [name for number, name in enumerate(names) if not is_close[:, number].all()]
    if differing:
        raise ReplicasDifferError(differing)


def _sums(values: np.ndarray) -> np.ndarray:
    """Returns the sum of an array, and the sum of its absolute values."""
    if values.dtype.kind not in "biuf" and not np.issubdtype(values.dtype, np.floating):
        values = np.zeros([])
    numbers = values.astype(np.float64)
    return np.array([numbers.sum(), np.abs(numbers).sum()])
