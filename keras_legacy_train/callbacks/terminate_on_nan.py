"""Ends the training where the loss is no longer a number."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_legacy_train.callbacks.base import LoopCallback
from keras_legacy_train.errors import NanLossDuringTrainingError
from keras_legacy_train.loop.schedule import EveryNSteps
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps

_LOGGER = logging.getLogger("keras_legacy_train")
_MESSAGE = "Model diverged with loss = NaN."


class TerminateOnNaN(LoopCallback, keras.callbacks.TerminateOnNaN):
    """Raises `NanLossDuringTrainingError` at a NaN loss, where Keras's own only stops.

    Stands for `fail_on_nan_loss` of `tf.contrib.learn.train`. It also works in `keras.Model.fit`.

    Args:
        fail: Whether to raise. If not, a WARNING comes at the first NaN, and then at the steps that are
            logged.
        check_inf: Whether infinite losses count too.
        log_every_steps: Steps from one logged step to the next; the last step is logged, too. `None` for
            none.
        last_good_checkpoint: Called for the path that the error names.
    """

    def __init__(
        self,
        fail: bool = True,
        check_inf: bool = False,
        log_every_steps: int | None = 10,
        last_good_checkpoint: Callable[[], str | None] = lambda: None,
    ):
        super().__init__()
        self.fail = fail
        self.check_inf = check_inf
        self._log_every_steps = log_every_steps
        self._last_good_checkpoint = last_good_checkpoint
        self._log_steps: EveryNSteps | None = None
        self._warned = False
        self._unwarned = False

    def on_steps_end(self, steps: Steps) -> None:
        bad = self._is_bad(steps.losses)
        if self.fail:
            for step in steps.begun[bad][:1].tolist():
                self._fail(step)
        else:
            self._warn(steps, bad)

    def on_loop_end(self, reason: StopReason) -> None:
        if self._unwarned and self._log_every_steps is not None:
            _LOGGER.warning(_MESSAGE)

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and self._is_bad(loss):
            if self.fail:
                self._fail(batch + 1)
            _LOGGER.warning(_MESSAGE)

    def _is_bad(self, losses: Any) -> Any:
        losses = np.asarray(losses, np.float64)
        return ~np.isfinite(losses) if self.check_inf else np.isnan(losses)

    def _fail(self, step: int) -> None:
        _LOGGER.error(_MESSAGE)
        raise NanLossDuringTrainingError(step, self._last_good_checkpoint())

    def _warn(self, steps: Steps, bad: np.ndarray) -> None:
        """Warns at the first bad step, and at those that are logged."""
        if self._log_steps is None:
            self._log_steps = EveryNSteps(self._log_every_steps or 0, steps.start)
        told = self._log_steps.firings(steps.numbers.tolist()) if self._log_every_steps is not None else []
        if bad.any() and not self._warned:
            self._warned = True
            told.append(int(np.argmax(bad)))
        for _ in filter(bad.__getitem__, set(told)):
            _LOGGER.warning(_MESSAGE)
        self._unwarned = bool(bad[-1]) and len(steps) - 1 not in told
