"""Evaluates a Keras model while it is trained."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.schedule import EveryNSteps
from keras_legacy_train.programs.base import Steps
from keras_legacy_train.programs.logs import python_logs
from keras_legacy_train.summaries import SummaryWriter

_LOGGER = logging.getLogger("keras_legacy_train")


class Validation(LoopCallback):
    """Evaluates at the end of epochs or every so many steps, and puts the results, with `val_` before their
    names, into the logs of the epoch. Of several evaluations in an epoch these are the last one's.

    Args:
        evaluate: Evaluates the model; returns the results by name.
        every_epochs: Epochs from one evaluation to the next, or the numbers, from 1, of those with one.
        every_steps: Steps from one evaluation to the next, in the place of epochs.
        writer: Gets the results of evaluations in the midst of an epoch.
    """

    def __init__(
        self,
        evaluate: Callable[[], Mapping[str, float]],
        every_epochs: int | Sequence[int] = 1,
        every_steps: int | None = None,
        writer: SummaryWriter | None = None,
    ):
        super().__init__()
        self._evaluate = evaluate
        self._every_epochs = every_epochs
        self._every_steps = every_steps
        self._writer = writer
        self._trigger: EveryNSteps | None = None
        self._results: dict[str, Any] = {}

    def next_step(self, step: int) -> float:
        if self._every_steps is None:
            return math.inf
        if self._trigger is None:
            self._trigger = EveryNSteps(self._every_steps, step - step % self._every_steps)
        return self._trigger.next_step()

    def on_steps_end(self, steps: Steps) -> None:
        if self._trigger is not None and self._trigger.fires(steps.last):
            self._evaluate_within_epoch(steps.last)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._every_steps is None and self._is_due(epoch):
            self._results = self._evaluated()
        if logs is not None:
            logs.update(self._results)
        self._results = {}

    def get_state(self) -> dict[str, Any]:
        """Returns the results of the current epoch so far."""
        return self._results

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes them over from an earlier run."""
        self._results = state

    def _is_due(self, epoch: int) -> bool:
        if isinstance(self._every_epochs, int):
            return (epoch + 1) % self._every_epochs == 0
        return epoch + 1 in self._every_epochs

    def _evaluate_within_epoch(self, step: int) -> None:
        # Evaluation counts with the metrics of the epoch that is on.
        metrics = [(variable, variable.numpy()) for variable in self.model.metrics_variables]
        self._results = self._evaluated()
        for variable, value in metrics:
            variable.assign(value)
        numbers = {name: value for name, value in self._results.items() if isinstance(value, float)}
        results = ", ".join(f"{name} = {value:.5f}" for name, value in numbers.items())
        _LOGGER.info("validation at step %d: %s", step, results)
        if self._writer is not None:
            for name, value in numbers.items():
                self._writer.add_scalar(name, value, step)

    def _evaluated(self) -> dict[str, Any]:
        return {f"val_{name}": value for name, value in python_logs(self._evaluate()).items()}
