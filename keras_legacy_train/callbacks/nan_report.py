"""Keeps what is needed to find out why a loss became NaN or infinite."""

from __future__ import annotations

import collections
import itertools
import json
import logging
import math
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_legacy_train.checkpoints import CheckpointManager
from keras_legacy_train.checkpoints.durable import write_durably
from keras_legacy_train.checkpoints.leftovers import remove_all
from keras_legacy_train.checkpoints.variables import count_not_finite
from keras_legacy_train.programs.base import Steps

_LOGGER = logging.getLogger("keras_legacy_train")
_FOLDER = "nan"
_NAME = "report.json"


class RecentLosses:
    """Keeps the losses of the last steps.

    Args:
        count: Of how many.
    """

    def __init__(self, count: int):
        self._count = count
        self._kept: collections.deque[Steps] = collections.deque()
        self._length = 0

    def add(self, steps: Steps) -> None:
        """Takes in the losses of steps behind the last."""
        self._kept.append(Steps(steps.start, steps.numbers, steps.losses, steps.seconds))
        self._length += len(steps)
        while self._length - len(self._kept[0]) >= self._count:
            self._length -= len(self._kept.popleft())

    def clear(self) -> None:
        """Forgets them."""
        self._kept.clear()
        self._length = 0

    def losses(self) -> list[tuple[int, float]]:
        """Returns the steps, as monitors count, and the loss of each."""
        pairs = [zip(steps.started.tolist(), steps.losses.tolist(), strict=True) for steps in self._kept]
        return list(itertools.chain.from_iterable(pairs))[-self._count :]


class NanReport:
    """Keeps the variables as they were at the fatal step, with a report about them, in `<directory>/nan/`.

    The folder holds a checkpoint in the form of the others, which is none of theirs and is never trained
    from, and `report.json`. A report takes the place of the one before.

    Args:
        manager: Keeps the checkpoints of the training.
    """

    def __init__(self, manager: CheckpointManager):
        self._manager = manager

    def __call__(
        self,
        step: int,
        global_step: int,
        loss: float,
        losses: Iterable[tuple[int, float]],
        last_good: str | None,
    ) -> str | None:
        """Writes both.

        Args:
            step: The step that had the fatal loss, as monitors count.
            global_step: The global step after it.
            loss: That loss: NaN, `inf` or `-inf`.
            losses: The last steps with their losses.
            last_good: The newest checkpoint.

        Returns:
            The path of the report. `None` if it could not be written, which is logged: that must not hide the
            loss.
        """
        try:
            return self._write(step, global_step, loss, losses, last_good)
        except Exception:
            kind = "infinite" if math.isinf(loss) else "NaN"
            _LOGGER.exception("No report about the %s loss could be written", kind)
            return None

    def _write(
        self,
        step: int,
        global_step: int,
        loss: float,
        losses: Iterable[tuple[int, float]],
        last_good: str | None,
    ) -> str:
        manager = self._manager.beside(_FOLDER)
        if os.path.islink(manager.directory):
            raise NotADirectoryError(f"{manager.directory} is a link; nothing is written through it.")
        manager.verify_writable()
        remove_all(manager.directory, manager.name)
        path = os.path.join(manager.directory, _NAME)
        report = {
            "step": step,
            "global_step": global_step,
            "loss": _in_json(loss),
            "losses": [[number, _in_json(loss)] for number, loss in losses],
            "not_finite": [
                {"variable": name, "nan": nan, "infinite": infinite, "entries": entries}
                for name, nan, infinite, entries in count_not_finite(manager.state.copy().values)
            ],
            "checkpoint": manager.save(global_step),
            "last_good_checkpoint": last_good,
        }
        write_durably(path, json.dumps(report, indent=2).encode())
        return path


def _in_json(loss: float | np.floating) -> Any:
    """JSON has no NaN and no infinity."""
    return float(loss) if math.isfinite(loss) else str(float(loss))
