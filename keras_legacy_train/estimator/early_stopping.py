"""Stops training by what evaluation has found: hooks, and the metrics read back from its events."""

from __future__ import annotations

import collections
import operator
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.callbacks.hook_schedule import ScheduledHook, next_trigger
from keras_legacy_train.checkpoints.reading import read_variable
from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.estimator import Estimator
from keras_legacy_train.estimator.event_files import written_metrics

_GLOBAL_STEP = tf.compat.v1.GraphKeys.GLOBAL_STEP

_Metrics = Mapping[int, Mapping[str, float]]


def make_early_stopping_hook(
    estimator: Estimator,
    should_stop_fn: Callable[[], bool],
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> tf.compat.v1.train.SessionRunHook:
    """Returns a hook that stops training when a function says so.

    The hook keeps a variable `signal_early_stopping/STOP` in the checkpoints, as the original does.

    Args:
        estimator: The Estimator that is trained.
        should_stop_fn: Called without arguments; training stops if it returns a true value.
        run_every_secs: Seconds from one call to the next, `None` if it is called by the step.
        run_every_steps: Steps from one call to the next, `None` if it is called by the clock.

    Returns:
        A hook to pass to `Estimator.train` or `TrainSpec`.

    Raises:
        TypeError: `estimator` is not an Estimator, or `should_stop_fn` not a function.
        ValueError: Both `run_every_secs` and `run_every_steps` are given, or neither.
    """
    if not isinstance(estimator, Estimator):
        raise TypeError(f"`estimator` must have type `tf.estimator.Estimator`. Got: {type(estimator)}")
    if run_every_secs is not None and run_every_steps is not None:
        raise ValueError("Only one of `run_every_secs` and `run_every_steps` must be set.")
    if not estimator.config.is_chief:
        return _StopWithChief()
    return _StopOnPredicate(should_stop_fn, run_every_secs, run_every_steps)


def stop_if_higher_hook(
    estimator: Estimator,
    metric_name: str,
    threshold: float,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> tf.compat.v1.train.SessionRunHook:
    """Returns a hook that stops training when a metric has been higher than a threshold.

    Args:
        estimator: The Estimator that is trained and evaluated.
        metric_name: The metric, for example `"accuracy"`.
        threshold: The threshold.
        eval_dir: Directory of the evaluation's events; by default `estimator.eval_dir()`.
        min_steps: The first global step whose evaluation counts.
        run_every_secs: Seconds from one look at the metrics to the next, `None` if it is by the step.
        run_every_steps: Steps from one look to the next, `None` if it is by the clock.

    Returns:
        A hook to pass to `Estimator.train` or `TrainSpec`.

    Raises:
        TypeError: `estimator` is not an Estimator.
        ValueError: Both `run_every_secs` and `run_every_steps` are given, or neither.
    """
    return _threshold_hook(
        operator.gt,
        "greater than",
        estimator,
        metric_name,
        threshold,
        eval_dir,
        min_steps,
        run_every_secs,
        run_every_steps,
    )


def stop_if_lower_hook(
    estimator: Estimator,
    metric_name: str,
    threshold: float,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> tf.compat.v1.train.SessionRunHook:
    """Returns a hook that stops training when a metric has been lower than a threshold.

    Args:
        estimator: The Estimator that is trained and evaluated.
        metric_name: The metric, for example `"loss"`.
        threshold: The threshold.
        eval_dir: Directory of the evaluation's events; by default `estimator.eval_dir()`.
        min_steps: The first global step whose evaluation counts.
        run_every_secs: Seconds from one look at the metrics to the next, `None` if it is by the step.
        run_every_steps: Steps from one look to the next, `None` if it is by the clock.

    Returns:
        A hook to pass to `Estimator.train` or `TrainSpec`.

    Raises:
        TypeError: `estimator` is not an Estimator.
        ValueError: Both `run_every_secs` and `run_every_steps` are given, or neither.
    """
    return _threshold_hook(
        operator.lt,
        "less than",
        estimator,
        metric_name,
        threshold,
        eval_dir,
        min_steps,
        run_every_secs,
        run_every_steps,
    )


def stop_if_no_increase_hook(
    estimator: Estimator,
    metric_name: str,
    max_steps_without_increase: int,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> tf.compat.v1.train.SessionRunHook:
    """Returns a hook that stops training when a metric has not increased for some steps.

    Args:
        estimator: The Estimator that is trained and evaluated.
        metric_name: The metric, for example `"accuracy"`.
        max_steps_without_increase: How many steps may lie between the best evaluation and the last.
        eval_dir: Directory of the evaluation's events; by default `estimator.eval_dir()`.
        min_steps: The first global step whose evaluation counts.
        run_every_secs: Seconds from one look at the metrics to the next, `None` if it is by the step.
        run_every_steps: Steps from one look to the next, `None` if it is by the clock.

    Returns:
        A hook to pass to `Estimator.train` or `TrainSpec`.

    Raises:
        TypeError: `estimator` is not an Estimator.
        ValueError: Both `run_every_secs` and `run_every_steps` are given, or neither.
    """
    return _improvement_hook(
        operator.gt,
        "increase",
        estimator,
        metric_name,
        max_steps_without_increase,
        eval_dir,
        min_steps,
        run_every_secs,
        run_every_steps,
    )


def stop_if_no_decrease_hook(
    estimator: Estimator,
    metric_name: str,
    max_steps_without_decrease: int,
    eval_dir: str | None = None,
    min_steps: int = 0,
    run_every_secs: float | None = 60,
    run_every_steps: int | None = None,
) -> tf.compat.v1.train.SessionRunHook:
    """Returns a hook that stops training when a metric has not decreased for some steps.

    Args:
        estimator: The Estimator that is trained and evaluated.
        metric_name: The metric, for example `"loss"`.
        max_steps_without_decrease: How many steps may lie between the best evaluation and the last.
        eval_dir: Directory of the evaluation's events; by default `estimator.eval_dir()`.
        min_steps: The first global step whose evaluation counts.
        run_every_secs: Seconds from one look at the metrics to the next, `None` if it is by the step.
        run_every_steps: Steps from one look to the next, `None` if it is by the clock.

    Returns:
        A hook to pass to `Estimator.train` or `TrainSpec`.

    Raises:
        TypeError: `estimator` is not an Estimator.
        ValueError: Both `run_every_secs` and `run_every_steps` are given, or neither.
    """
    return _improvement_hook(
        operator.lt,
        "decrease",
        estimator,
        metric_name,
        max_steps_without_decrease,
        eval_dir,
        min_steps,
        run_every_secs,
        run_every_steps,
    )


def make_stop_at_checkpoint_step_hook(
    estimator: Estimator, last_step: int, wait_after_file_check_secs: float = 30
) -> tf.compat.v1.train.SessionRunHook:
    """Returns a hook that stops training at a global step.

    The chief stops at that step; other workers when they see it in a checkpoint of the chief's.

    Args:
        estimator: The Estimator that is trained.
        last_step: The global step.
        wait_after_file_check_secs: Seconds that another worker waits from one look at the checkpoints to the
            next.

    Returns:
        A hook to pass to `Estimator.train` or `TrainSpec`.

    Raises:
        ValueError: `last_step` is `None`.
    """
    if last_step is None:
        raise ValueError("last_step must be specified.")
    if estimator.config.is_chief:
        return tf.compat.v1.train.StopAtStepHook(last_step=last_step)
    return _StopAtCheckpointStep(estimator.model_dir, last_step, wait_after_file_check_secs)


def read_eval_metrics(eval_dir: str | os.PathLike[str]) -> dict[int, dict[str, float]]:
    """Reads the metrics that evaluations have written to the event files of a directory.

    Args:
        eval_dir: The directory, for example `estimator.eval_dir()`. It may be missing.

    Returns:
        The metrics by global step, in rising order: dicts from names to numbers. Of several evaluations of
        one step the last one counts.
    """
    metrics: dict[int, dict[str, float]] = collections.defaultdict(dict)
    for step, numbers in written_metrics(os.path.join(eval_dir, "events.out.tfevents.*")):
        metrics[step].update(numbers)
    return dict(sorted(metrics.items()))


def _threshold_hook(
    is_better: Callable[[float, float], bool],
    relation: str,
    estimator: Estimator,
    metric_name: str,
    threshold: float,
    eval_dir: str | None,
    min_steps: int,
    run_every_secs: float | None,
    run_every_steps: int | None,
) -> tf.compat.v1.train.SessionRunHook:
    def has_crossed(metrics: _Metrics) -> bool:
        for step, values in metrics.items():
            value = _value(values, metric_name)
            if is_better(value, threshold):
                log.info(
                    'At step %s, metric "%s" has value %s which is %s the configured threshold (%s) for early'
                    " stopping.",
                    step,
                    metric_name,
                    value,
                    relation,
                    threshold,
                )
                return True
        return False

    return _metrics_hook(has_crossed, estimator, eval_dir, min_steps, run_every_secs, run_every_steps)


def _improvement_hook(
    is_better: Callable[[float, float], bool],
    change: str,
    estimator: Estimator,
    metric_name: str,
    max_steps: int,
    eval_dir: str | None,
    min_steps: int,
    run_every_secs: float | None,
    run_every_steps: int | None,
) -> tf.compat.v1.train.SessionRunHook:
    def has_stalled(metrics: _Metrics) -> bool:
        best: tuple[int, float] | None = None
        for step, values in metrics.items():
            value = _value(values, metric_name)
            if best is None or is_better(value, best[1]):
                best = step, value
            if step - best[0] >= max_steps:
                log.info(
                    'No %s in metric "%s" for %s steps, which is greater than or equal to max steps (%s)'
                    " configured for early stopping.",
                    change,
                    metric_name,
                    step - best[0],
                    max_steps,
                )
                return True
        return False

    return _metrics_hook(has_stalled, estimator, eval_dir, min_steps, run_every_secs, run_every_steps)


def _metrics_hook(
    should_stop: Callable[[_Metrics], bool],
    estimator: Estimator,
    eval_dir: str | None,
    min_steps: int,
    run_every_secs: float | None,
    run_every_steps: int | None,
) -> tf.compat.v1.train.SessionRunHook:
    directory = estimator.eval_dir() if eval_dir is None else eval_dir

    def should_stop_fn() -> bool:
        metrics = read_eval_metrics(directory)
        return should_stop({step: values for step, values in metrics.items() if step >= min_steps})

    return make_early_stopping_hook(estimator, should_stop_fn, run_every_secs, run_every_steps)


def _value(metrics: Mapping[str, float], name: str) -> float:
    if name not in metrics:
        raise KeyError(f"The evaluation has no metric {name!r}. It has {', '.join(sorted(metrics))}.")
    return metrics[name]


def _stop_variable() -> tf.Variable:
    """Returns the variable by which the chief tells other workers to stop; under the original's name."""
    with tf.compat.v1.variable_scope("signal_early_stopping", reuse=tf.compat.v1.AUTO_REUSE):
        return tf.compat.v1.get_variable(
            "STOP", [], tf.bool, tf.compat.v1.constant_initializer(False), trainable=False
        )


class _StopOnPredicate(ScheduledHook):
    """Asks a function from time to time whether to stop."""

    def __init__(
        self, should_stop_fn: Callable[[], bool], run_every_secs: float | None, run_every_steps: int | None
    ):
        if not callable(should_stop_fn):
            raise TypeError("`should_stop_fn` must be callable.")
        self._should_stop_fn = should_stop_fn
        self._timer = tf.compat.v1.train.SecondOrStepTimer(run_every_secs, run_every_steps)

    def begin(self) -> None:
        self._global_step = tf.compat.v1.train.get_global_step()
        self._stop = tf.compat.v1.assign(_stop_variable(), True)

    def next_step(self, step: int) -> float:
        return next_trigger(self._timer, step)

    def before_run(self, run_context: Any) -> Any:
        return tf.compat.v1.train.SessionRunArgs(self._global_step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        step = run_values.results
        if not self._timer.should_trigger_for_step(step):
            return
        self._timer.update_last_triggered_step(step)
        if self._should_stop_fn():
            log.info("Requesting early stopping at global step %d", step)
            run_context.session.run(self._stop)
            run_context.request_stop()


class _StopWithChief(tf.compat.v1.train.SessionRunHook):
    """Stops when the chief has set the variable."""

    def begin(self) -> None:
        self._stop = _stop_variable()

    def before_run(self, run_context: Any) -> Any:
        return tf.compat.v1.train.SessionRunArgs(self._stop)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if run_values.results:
            log.info("Early stopping requested, suspending run.")
            run_context.request_stop()


class _StopAtCheckpointStep(tf.compat.v1.train.SessionRunHook):
    """Stops when a checkpoint in a directory has reached a step."""

    def __init__(self, model_dir: str, last_step: int, wait_secs: float):
        self._model_dir = model_dir
        self._last_step = last_step
        self._wait_secs = wait_secs

    def begin(self) -> None:
        self._global_step = tf.compat.v1.train.get_global_step()

    def before_run(self, run_context: Any) -> Any:
        return tf.compat.v1.train.SessionRunArgs(self._global_step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        if run_values.results + 1 < self._last_step:
            return
        newest = tf.train.latest_checkpoint(self._model_dir)
        if newest and (read_variable(newest, _GLOBAL_STEP) or 0) >= self._last_step:
            run_context.request_stop()
        else:
            time.sleep(self._wait_secs)
