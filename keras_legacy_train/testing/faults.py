"""Makes things go wrong during training, on demand."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import signal
from collections.abc import Iterable, Iterator
from typing import Any
from unittest import mock

import tensorflow as tf
from hypothesis import strategies as st

from keras_legacy_train.checkpoints import writing
from keras_legacy_train.monitors import BaseMonitor
from keras_legacy_train.types import Fetch, OutputDict

_KINDS = ("error", "aborted", "unavailable", "interrupt", "sigterm", "stop")


class InjectedError(Exception):
    """Raised by a `Fault` of the kind `"error"`."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """Describes something that goes wrong once.

    Attributes:
        kind: `"error"`, an exception; `"aborted"` or `"unavailable"`, errors after which training resumes
            from the newest checkpoint; `"interrupt"`, as by Ctrl-C; `"sigterm"`, the signal SIGTERM;
            `"stop"`, a monitor that asks to stop; or `"kill"`, the signal SIGKILL, for a process of its own.
        step: The step in which it happens, counted as monitors do.
        when: `"begin"` or `"end"` of the step.
    """

    kind: str
    step: int
    when: str = "end"

    @property
    def due(self) -> str:
        """Returns `"begin"` or `"end"`, the time in the step; a monitor can ask to stop only at the end."""
        return "end" if self.kind == "stop" else self.when

    def raises(self) -> tuple[type[BaseException], ...]:
        """Returns the types of the errors that `train` raises because of it; none for most kinds."""
        errors = {"error": InjectedError, "interrupt": KeyboardInterrupt, "sigterm": SystemExit}
        return (errors[self.kind],) if self.kind in errors else ()


class FaultInjector(BaseMonitor):
    """Makes a fault happen in the training it watches.

    Args:
        fault: The fault; `None` for none.

    Attributes:
        fault: The fault.
        happened: Whether it has happened.
    """

    def __init__(self, fault: Fault | None):
        super().__init__()
        self.fault = fault
        self.happened = False

    def next_step(self, step: int) -> float:
        return float("inf") if self.fault is None or self.happened else max(self.fault.step, step + 1)

    def step_begin(self, step: int) -> Iterable[Fetch] | None:
        requests = super().step_begin(step)
        self._inject(step, "begin")
        return requests

    def step_end(self, step: int, output: OutputDict) -> bool:
        super().step_end(step, output)
        return self._inject(step, "end")

    def _inject(self, step: int, when: str) -> bool:
        """Makes the fault happen if it is due. Returns whether to stop the training."""
        fault = self.fault
        if fault is None or self.happened or step < fault.step or when != fault.due:
            return False
        self.happened = True
        if fault.kind == "error":
            raise InjectedError(f"injected at the {when} of step {step}")
        if fault.kind == "aborted":
            raise tf.errors.AbortedError(None, None, "injected")
        if fault.kind == "unavailable":
            raise tf.errors.UnavailableError(None, None, "injected")
        if fault.kind == "interrupt":
            raise KeyboardInterrupt
        if fault.kind in ("sigterm", "kill"):
            os.kill(os.getpid(), signal.SIGTERM if fault.kind == "sigterm" else signal.SIGKILL)
        return fault.kind == "stop"


@contextlib.contextmanager
def full_disk(*steps: int, once: bool = False) -> Iterator[None]:
    """Simulates a full disk while checkpoints are written. `train` then raises a `CheckpointSaveError`.

    Args:
        *steps: The global steps of the checkpoints that fail; none for all.
        once: Whether only the first of them fails.
    """
    write, is_full = writing.write_checkpoint, True

    def write_if_there_is_space(prefix: str, *arguments: Any) -> Any:
        nonlocal is_full
        if is_full and (not steps or int(prefix.rpartition("-")[2]) in steps):
            is_full = not once
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(prefix, *arguments)

    with mock.patch.object(writing, "write_checkpoint", write_if_there_is_space):
        yield


def faults(max_step: int = 12) -> st.SearchStrategy[Fault | None]:
    """Draws a fault, or `None`; never `"kill"`.

    Args:
        max_step: Latest step in which the fault happens.
    """
    return st.none() | st.builds(
        Fault,
        kind=st.sampled_from(_KINDS),
        step=st.integers(1, max_step),
        when=st.sampled_from(["begin", "end"]),
    )
