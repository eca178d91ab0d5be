"""Ends a training whose loss is no longer a number."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.callbacks.model_fit import FitSteps, ModelFitCallback, add_check, remove_check
from keras_legacy_train.callbacks.nan_report import RecentLosses
from keras_legacy_train.errors import NanLossDuringTrainingError
from keras_legacy_train.loop.run_context import RunContext
from keras_legacy_train.loop.schedule import EveryNSteps
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps

_LOGGER = logging.getLogger("keras_legacy_train")
# How many steps back a report looks.
_REPORTED_LOSSES = 1_000


def _no_checkpoint() -> None:
    """Knows of no checkpoint. It has a name so that it can be pickled."""


class TerminateOnNaN(ModelFitCallback, keras.callbacks.TerminateOnNaN):
    """Raises `NanLossDuringTrainingError` at a NaN loss, where Keras's own only stops.

    Stands for `fail_on_nan_loss` of `tf.contrib.learn.train`. It also works in `keras.Model.fit`: whatever
    its place in the list of callbacks, it raises before `keras.callbacks.ModelCheckpoint` saves the weights.
    With `steps_per_execution` the step it names is the last one of those that ran together. Weights that turn
    NaN a step before the loss does are not noticed there; the checkpoints of `fit` and `train` are looked at.

    Args:
        fail: Whether to raise. If not, a WARNING comes at the first NaN, and then at the steps that are
            logged.
        check_inf: Whether infinite losses count too. The error and the log then say `inf` or `-inf`.
        log_every_steps: Steps from one logged step to the next; the last step is logged, too. `None` for
            none.
        last_good_checkpoint: Called for the path that the error names.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        fail: bool = True,
        check_inf: bool = False,
        log_every_steps: int | None = 10,
        last_good_checkpoint: Callable[[], str | None] = _no_checkpoint,
    ):
        super().__init__()
        self.fail = arguments.as_flag("fail", fail)
        self.check_inf = arguments.as_flag("check_inf", check_inf)
        self._log_every_steps = arguments.as_optional_interval("log_every_steps", log_every_steps)
        if not callable(last_good_checkpoint):
            raise ValueError(f"last_good_checkpoint must be a function; it is {last_good_checkpoint!r}.")
        self._last_good_checkpoint = last_good_checkpoint
        self._log_steps: EveryNSteps | None = None
        self._warned = False
        self._unwarned_loss: float | None = None
        self._report: Callable[..., str | None] | None = None
        self._recent = RecentLosses(_REPORTED_LOSSES)

    def set_run(self, run: RunContext) -> None:
        if run.last_checkpoint is not None:
            self._last_good_checkpoint = run.last_checkpoint
        self._report = run.report_nan

    @property
    def looks_back(self) -> bool:
        return type(self).on_steps_end is TerminateOnNaN.on_steps_end  # a subclass may do more

    def on_steps_end(self, steps: Steps) -> None:
        bad = self._is_bad(steps.losses)
        if not self.fail:
            self._warn(steps, bad)
            return
        self._recent.add(steps)
        if bad.any():
            self._fail(int(steps.started[bad][0]), steps.last, float(steps.losses[bad][0]))

    def on_loop_end(self, reason: StopReason) -> None:
        if self._unwarned_loss is not None and self._log_every_steps is not None:
            _LOGGER.warning(_message(self._unwarned_loss))

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.fit_steps = FitSteps()
        self._log_steps = None
        self._warned = False
        self._unwarned_loss = None
        self._recent.clear()

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called by `keras.Model.fit` only: has it show the loss before a callback can save the weights."""
        super().on_train_batch_begin(batch, logs)
        add_check(self.model, self._check)

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called by `keras.Model.fit` only, when the loss has been looked at."""
        self.fit_steps.end()

    def on_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        pass  # Keras's own stops here, without an error

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        remove_check(self.model, self._check)

    def _check(self, logs: Mapping[str, Any]) -> None:
        """Looks at what `keras.Model.fit` will tell callbacks: the mean loss over the epoch so far."""
        loss = float(logs.get("loss", 0.0))
        if not self._is_bad(loss):
            return
        if self.fail:
            remove_check(self.model, self._check)
            self._fail(self.fit_steps.coming, self.fit_steps.coming, loss)
        if not self._warned:
            self._warned = True
            _LOGGER.warning(_message(loss))

    def _is_bad(self, losses: Any) -> Any:
        losses = np.asarray(losses, np.float64)
        return ~np.isfinite(losses) if self.check_inf else np.isnan(losses)

    def _fail(self, step: int, global_step: int, loss: float) -> None:
        _LOGGER.error(_message(loss))
        last_good, report = self._last_good_checkpoint(), None
        if self._report is not None:
            report = self._report(step, global_step, loss, self._recent.losses(), last_good)
        raise NanLossDuringTrainingError(step, last_good, report, loss)

    def _warn(self, steps: Steps, bad: np.ndarray) -> None:
        """Warns at the first bad step, and at those that are logged."""
        if self._log_steps is None:
            self._log_steps = EveryNSteps(self._log_every_steps or 0, steps.start)
        told = self._log_steps.firings(steps.numbers.tolist()) if self._log_every_steps is not None else []
        if bad.any() and not self._warned:
            self._warned = True
            told.append(int(np.argmax(bad)))
        for place in filter(bad.__getitem__, sorted(set(told))):
            _LOGGER.warning(_message(steps.losses[place]))
        is_unwarned = bool(bad[-1]) and len(steps) - 1 not in told
        self._unwarned_loss = float(steps.losses[-1]) if is_unwarned else None


def _message(loss: float) -> str:
    return f"Model diverged with loss = {'NaN' if math.isnan(loss) else loss}."


def fatal_loss(
    fail_on_nan: bool, callbacks: Iterable[keras.callbacks.Callback]
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns what tells of a loss whether a window must end at it.

    Args:
        fail_on_nan: Whether a NaN is fatal in any case.
        callbacks: Callbacks, of which some may fail at a loss.
    """
    failing = [each for each in callbacks if isinstance(each, TerminateOnNaN) and each.fail]
    if any(each.check_inf for each in failing):
        return _is_not_finite
    return tf.math.is_nan if failing or fail_on_nan else _is_never_fatal


# Each a function of a name, by which a step that was traced for it is found again.
def _is_not_finite(loss: tf.Tensor) -> tf.Tensor:
    return ~tf.math.is_finite(loss)


def _is_never_fatal(loss: tf.Tensor) -> tf.Tensor:
    return tf.constant(False)
