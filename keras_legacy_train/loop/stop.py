"""Why a run ended."""

from __future__ import annotations

import enum


class StopReason(enum.Enum):
    """Names the ways a run can end; each is followed by every callback's `on_train_end`."""

    TARGET = "the target step is reached"
    CALLBACK = "a monitor or callback asked to stop"
    END_OF_INPUT = "the input has ended"
    NAN = "the loss is NaN"
    INTERRUPTED = "a signal or Ctrl-C came"
    ERROR = "an error was raised"

    @property
    def failed(self) -> bool:
        """Returns whether an error is raised to the caller."""
        return self in (StopReason.NAN, StopReason.INTERRUPTED, StopReason.ERROR)
