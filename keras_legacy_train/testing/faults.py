"""What can go wrong during training, on demand."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import signal
from collections.abc import Iterator
from typing import Any
from unittest import mock

import tensorflow as tf
from hypothesis import strategies as st

from keras_legacy_train.checkpoints import manager
from keras_legacy_train.monitors import BaseMonitor

_KINDS = ("error", "aborted", "unavailable", "interrupt", "sigterm", "stop")


class InjectedError(Exception):
    """The error of a `Fault` of the kind `"error"`."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """Something that goes wrong once.

    Attributes:
        kind: `"error"`, an exception; `"aborted"` or `"unavailable"`, after which training goes on from the
            newest checkpoint; `"interrupt"`, as by Ctrl-C; `"sigterm"`, the signal; `"stop"`, a monitor that
            asks to stop; or `"kill"`, SIGKILL, for use in a process that can be spared.
        step: The step in which it happens, counted as monitors do.
        when: `"begin"` or `"end"` of the step.
    """

    kind: str
    step: int
    when: str = "end"

    @property
    def due(self) -> str:
        """When in the step it happens: only at its end can a monitor ask to stop."""
        return "end" if self.kind == "stop" else self.when

    def raises(self) -> tuple[type[BaseException], ...]:
        """What `train` raises because of it; nothing if it ends without an error."""
        errors = {"error": InjectedError, "interrupt": KeyboardInterrupt, "sigterm": SystemExit}
        return (errors[self.kind],) if self.kind in errors else ()


class FaultInjector(BaseMonitor):
    """Makes a fault happen.

    Args:
        fault: The fault; `None` for none.

    Attributes:
        happened: Whether it has.
    """

    def __init__(self, fault: Fault | None):
        super().__init__()
        self.fault = fault
        self.happened = False

    def next_step(self, step: int) -> float:
        return float("inf") if self.fault is None or self.happened else max(self.fault.step, step + 1)

    def step_begin(self, step: int) -> Any:
        requests = super().step_begin(step)
        self._make_happen(step, "begin")
        return requests

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        super().step_end(step, output)
        return self._make_happen(step, "end")

    def _make_happen(self, step: int, when: str) -> bool:
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
    """Has the disk be full whenever a checkpoint is written. `train` then raises an `OSError`.

    Args:
        steps: The global steps of these checkpoints; none for all.
        once: Whether there is space again after the first.
    """
    write, is_full = manager.write_checkpoint, True

    def write_if_there_is_space(prefix: str, *arguments: Any) -> Any:
        nonlocal is_full
        if is_full and (not steps or int(prefix.rpartition("-")[2]) in steps):
            is_full = not once
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(prefix, *arguments)

    with mock.patch.object(manager, "write_checkpoint", write_if_there_is_space):
        yield


def faults(max_step: int = 12) -> st.SearchStrategy[Fault | None]:
    """Draws a fault, or `None`; never `"kill"`.

    Args:
        max_step: Latest step in which it happens.
    """
    return st.none() | st.builds(
        Fault,
        kind=st.sampled_from(_KINDS),
        step=st.integers(1, max_step),
        when=st.sampled_from(["begin", "end"]),
    )
