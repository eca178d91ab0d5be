"""Evaluates checkpoints, and may end the training when they stop improving."""

from __future__ import annotations

import copy
import inspect
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.monitors.estimators import is_core_estimator
from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.types import OutputDict

_LOGGER = logging.getLogger("keras_legacy_train")


class ValidationMonitor(EveryN):
    """Evaluates the newest checkpoint, at most every `every_n_steps` steps.

    Stands for `tf.contrib.learn.monitors.ValidationMonitor`. It evaluates saved checkpoints, so how often it
    has something new depends on how often checkpoints are written. The steps in the log and for early
    stopping are those of the training at the time of the evaluation, not those of the checkpoint. `fit` of an
    Estimator and `Experiment` call `set_estimator`; with `train`, call it yourself.

    Args:
        x: Passed to the estimator's `evaluate`, like `y`, `input_fn`, `batch_size`, `metrics`, `hooks` and
            `name`. An argument that `evaluate` does not take must be `None`.
        y: See `x`.
        input_fn: See `x`.
        batch_size: See `x`.
        eval_steps: Passed to `evaluate` as `steps`: the number of batches.
        every_n_steps: Steps from one check for a new checkpoint to the next; the first check is at this step.
            See `EveryN`.
        metrics: See `x`.
        hooks: See `x`.
        early_stopping_rounds: Number of steps without a better value of the metric after which training
            stops; `None` for no early stopping.
        early_stopping_metric: Name of the metric, a key of the results of `evaluate`.
        early_stopping_metric_minimize: Whether lower values are better.
        name: See `x`.
        check_interval_secs: Least number of seconds from one check to the next; `None` for no limit.

    Raises:
        ValueError: Neither `x` nor `input_fn` is given, or an argument is invalid. While training:
            `set_estimator` was not called, the estimator's `evaluate` does not take an argument, or the
            results lack the metric.
    """

    def __init__(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: Callable[[], Any] | None = None,
        batch_size: int | None = None,
        eval_steps: int | None = None,
        every_n_steps: int = 100,
        metrics: Any = None,
        hooks: Sequence[Any] | None = None,
        early_stopping_rounds: int | None = None,
        early_stopping_metric: str = "loss",
        early_stopping_metric_minimize: bool = True,
        name: str | None = None,
        check_interval_secs: float | None = 5,
    ):
        super().__init__(every_n_steps=every_n_steps, first_n_steps=-1)
        if x is None and input_fn is None:
            raise ValueError("Either x or input_fn should be provided.")
        arguments.check_callable("input_fn", input_fn)
        if hooks is not None and (isinstance(hooks, str) or not isinstance(hooks, Iterable)):
            raise ValueError(f"hooks must be a list of session hooks; it is {hooks!r}.")
        self.x = x
        self.y = y
        self.input_fn = input_fn
        self.batch_size = arguments.as_optional_positive("batch_size", batch_size)
        self.eval_steps = arguments.as_optional_positive("eval_steps", eval_steps)
        self.metrics = metrics
        self.hooks = hooks
        self.early_stopping_rounds = arguments.as_steps("early_stopping_rounds", early_stopping_rounds)
        self.early_stopping_metric = arguments.as_text("early_stopping_metric", early_stopping_metric)
        self.early_stopping_metric_minimize = arguments.as_flag(
            "early_stopping_metric_minimize", early_stopping_metric_minimize
        )
        self.name = arguments.as_optional_text("name", name)
        self._best_step: int | None = None
        self._best_value: Any = None
        self._best_metrics: dict[str, Any] | None = None
        self._early_stopped = False
        self._evaluated: tuple[str, int] | None = None
        self._skipped: set[str | None] = set()
        self._warned = False
        self._last_check: float | None = None
        self._check_interval_secs = arguments.as_seconds("check_interval_secs", check_interval_secs)

    @property
    def early_stopped(self) -> bool:
        """Tells whether this monitor has stopped the training."""
        return self._early_stopped

    @property
    def best_step(self) -> int | None:
        """Returns the step of the evaluation with the best metric; `None` before the first."""
        return self._best_step

    @property
    def best_value(self) -> Any:
        """Returns the best value of the metric so far; `None` before the first and without early stopping."""
        return self._best_value

    @property
    def best_metrics(self) -> dict[str, Any] | None:
        """Returns all results of the evaluation with `best_value`."""
        return self._best_metrics

    def every_n_step_end(self, step: int, outputs: OutputDict) -> bool:
        super().every_n_step_end(step, outputs)
        if self._estimator is None:
            raise ValueError("Missing call to set_estimator.")
        checkpoint = self._new_checkpoint(step)
        if checkpoint is None:
            return False
        self._evaluated = (checkpoint, step)
        results = self._evaluate()
        values = ", ".join(f"{name} = {value}" for name, value in results.items())
        _LOGGER.info("Validation (step %d): %s", step, values)
        if self.early_stopping_rounds is None:
            return False
        return self._should_stop(step, results, self.early_stopping_rounds)

    def _new_checkpoint(self, step: int) -> str | None:
        """Returns the newest checkpoint, if a check is due and it has not been evaluated yet."""
        now, interval = time.time(), self._check_interval_secs
        if interval is not None and self._last_check is not None and now - self._last_check <= interval:
            _LOGGER.debug(
                "Skipping evaluation since less than %g seconds have passed since last check for a new"
                " checkpoint.",
                interval,
            )
            return None
        self._last_check = now
        newest: str | None = tf.train.latest_checkpoint(os.fsdecode(self._estimator.model_dir))
        if newest is None:
            self._log_skip(newest, f"since model has not been saved yet at step {step}", step)
        elif self._evaluated is not None and newest == self._evaluated[0]:
            reason = f"due to same checkpoint {newest} for step {step} as for step {self._evaluated[1]}"
            self._log_skip(newest, reason, step)
        else:
            return newest
        return None

    def _log_skip(self, checkpoint: str | None, reason: str, step: int) -> None:
        """Logs why nothing is evaluated and when the next check is due; the first time at INFO level."""
        level = logging.DEBUG if checkpoint in self._skipped else logging.INFO
        self._skipped.add(checkpoint)
        next_check = step + max(self._every_n_steps, 1)
        if self._max_steps is not None:
            next_check = min(next_check, max(self._max_steps, step + 1))
        _LOGGER.log(
            level,
            "Skipping evaluation %s. The next check is due at step %d; it finds a new checkpoint if one has"
            " been saved by then%s.",
            reason,
            next_check,
            self._describe_saving_interval(),
        )

    def _describe_saving_interval(self) -> str:
        """Describes how often checkpoints are saved; empty if the estimator's configuration does not tell."""
        config = getattr(self._estimator, "config", None)
        for unit in ("steps", "secs"):
            interval = getattr(config, f"save_checkpoints_{unit}", None)
            if interval:
                return f" (save_checkpoints_{unit} is {interval})"
        return ""

    def _evaluate(self) -> Mapping[str, Any]:
        """Evaluates with the arguments that the estimator's `evaluate` takes.

        Raises:
            ValueError: It does not take an argument that is given.
        """
        if self.input_fn is not None and self.eval_steps is None and not self._warned:
            self._warned = True
            _LOGGER.warning(
                "ValidationMonitor has an input_fn and no eval_steps: an evaluation goes on until input_fn's"
                " input ends, which an input that repeats (num_epochs=None) never does. Pass eval_steps."
            )
        given = {
            "x": self.x,
            "y": self.y,
            "input_fn": self.input_fn,
            "batch_size": self.batch_size,
            "steps": self.eval_steps,
            "metrics": self.metrics,
            "hooks": self.hooks,
            "name": self.name,
        }
        evaluate = self._estimator.evaluate
        parameters = inspect.signature(evaluate).parameters
        if all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in parameters.values()):
            unknown = [name for name in given if name not in parameters]
            refused = [name for name in unknown if given[name] is not None]
            if refused and is_core_estimator(self._estimator):
                raise ValueError(
                    "tf.estimator.Estimator does not support following arguments: x, y, batch_size, metrics."
                    " Should set as `None` in ValidationMonitor"
                )
            if refused:
                raise ValueError(
                    f"{type(self._estimator).__name__}.evaluate does not support following arguments:"
                    f" {', '.join(refused)}. Should set as `None` in ValidationMonitor."
                )
            for name in unknown:
                del given[name]
        results: Mapping[str, Any] = evaluate(**given)
        return results

    def _should_stop(self, step: int, results: Mapping[str, Any], rounds: int) -> bool:
        """Notes the best results so far, and returns whether they are `rounds` steps old.

        Raises:
            ValueError: The results lack the metric.
        """
        if self.early_stopping_metric not in results:
            raise ValueError(f"Metric {self.early_stopping_metric} missing from outputs {set(results)}.")
        value = results[self.early_stopping_metric]
        if self._best_step is None or self._is_better(value):
            self._best_step, self._best_value = step, value
            self._best_metrics = copy.deepcopy(dict(results))
        self._early_stopped = step - self._best_step >= rounds
        if self._early_stopped:
            _LOGGER.info(
                "Stopping. Best step: %s with %s = %s.",
                self._best_step,
                self.early_stopping_metric,
                self._best_value,
            )
        return self._early_stopped

    def _is_better(self, value: Any) -> bool:
        minimize = self.early_stopping_metric_minimize
        return bool(value < self._best_value if minimize else value > self._best_value)
