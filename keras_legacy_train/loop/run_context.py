"""Describes a run to the callbacks that watch it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from keras_legacy_train.programs.base import Program


@dataclasses.dataclass(frozen=True)
class RunContext:
    """Describes a run to its callbacks, once, before it begins; see `LoopCallback.set_run`.

    Attributes:
        program: What is run.
        session: What monitors and hooks get as their session; the default one while they run.
        start: The global step before the first step.
        target_step: The global step at which training ends; infinity for no limit.
        is_resumed: Whether the run goes on from a checkpoint.
        last_checkpoint: Returns the prefix of the newest intact checkpoint. `None` if none are kept.
        report_nan: Writes a report about a fatal loss, as `callbacks.nan_report.NanReport` does. `None` if
            none are written.
    """

    program: Program
    session: Any
    start: int
    target_step: float
    is_resumed: bool
    last_checkpoint: Callable[[], str | None] | None = None
    report_nan: Callable[..., str | None] | None = None
