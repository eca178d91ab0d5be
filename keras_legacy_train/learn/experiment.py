"""Trains and evaluates an Estimator by a schedule."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train.cluster import serve
from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.model_fn import parameters
from keras_legacy_train.learn.export_strategy import ExportStrategy
from keras_legacy_train.learn.interfaces import Evaluable, Trainable
from keras_legacy_train.monitors import ValidationMonitor, replace_monitors_with_hooks

v1 = tf.compat.v1

_GLOBAL_STEP = v1.GraphKeys.GLOBAL_STEP
# How often a wait for a checkpoint is mentioned, in seconds.
_WARNING_INTERVAL = 600

Results = Mapping[str, Any] | None
# Tells by the last results, and the checkpoint they are of, whether to go on.
Predicate = Callable[..., Any]


class Experiment:
    """Holds what it takes to train and evaluate an Estimator; stands for `tf.contrib.learn.Experiment`.

    Args:
        estimator: An Estimator of this module, or of `keras_legacy_train.estimator`.
        train_input_fn: Returns the training data; see `Estimator.fit`.
        eval_input_fn: Returns the data for evaluations.
        eval_metrics: Metrics besides those of the model function; `None` for a core Estimator.
        train_steps: The global step at which training ends; `None` for no limit.
        eval_steps: How many batches an evaluation takes; `None` for all.
        train_monitors: Monitors and session hooks of the training.
        eval_hooks: Session hooks of evaluations.
        local_eval_frequency: In place of `min_eval_frequency` in `local_run`.
        eval_delay_secs: Seconds before evaluations begin.
        continuous_eval_throttle_secs: Least number of seconds from one continuous evaluation to the next.
        min_eval_frequency: Steps from one check for a new checkpoint to the next in `train_and_evaluate`; 0
            to evaluate only at the end.
        delay_workers_by_global_step: Whether a worker of a cluster waits for a step, not for a time.
        export_strategies: An `ExportStrategy`, or several.
        train_steps_per_iteration: Steps from one evaluation to the next in `continuous_train_and_eval`; by
            default a tenth of `train_steps`, or 1000.
        checkpoint_and_export: Whether `train_and_evaluate` evaluates and exports each checkpoint.
        saving_listeners: `CheckpointSaverListener`s of a core Estimator.
        check_interval_secs: Least number of seconds from one check for a new checkpoint to the next.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        estimator: Any,
        train_input_fn: Callable[..., Any],
        eval_input_fn: Callable[..., Any],
        eval_metrics: Mapping[Any, Any] | None = None,
        train_steps: int | None = None,
        eval_steps: int | None = 100,
        train_monitors: Iterable[Any] | None = None,
        eval_hooks: Iterable[Any] | None = None,
        local_eval_frequency: int | None = None,
        eval_delay_secs: float = 120,
        continuous_eval_throttle_secs: float = 60,
        min_eval_frequency: int | None = None,
        delay_workers_by_global_step: bool = False,
        export_strategies: ExportStrategy | Iterable[ExportStrategy] | None = None,
        train_steps_per_iteration: int | None = None,
        checkpoint_and_export: bool = False,
        saving_listeners: Iterable[Any] | None = None,
        check_interval_secs: float | None = 5,
    ):
        self._is_core = isinstance(estimator, core.Estimator)
        if self._is_core:
            if eval_metrics is not None:
                raise ValueError(
                    "`eval_metrics` must be `None` with `tf.estimator.Estimator`. Use `eval_metric_ops` in"
                    " `tf.estimator.EstimatorSpec` instead."
                )
        else:
            if not isinstance(estimator, Evaluable):
                raise ValueError(
                    "`estimator` must implement `tf.contrib.learn.Evaluable` or `tf.estimator.Estimator`."
                )
            if not isinstance(estimator, Trainable):
                raise ValueError(
                    "`estimator` must implement `tf.contrib.learn.Trainable` or `tf.estimator.Estimator`."
                )
            if saving_listeners is not None:
                raise ValueError("`saving_listeners` must be `None` with `tf.contrib.learn.Estimator`.")
        if train_steps_per_iteration is not None and not isinstance(train_steps_per_iteration, int):
            raise ValueError("`train_steps_per_iteration` must be an integer.")
        self._estimator = estimator
        self._train_input_fn = train_input_fn
        self._eval_input_fn = eval_input_fn
        self._eval_metrics = eval_metrics
        self._train_steps = train_steps
        self._eval_steps = eval_steps
        self._train_monitors = list(train_monitors or ())
        self._eval_hooks = list(eval_hooks or ())
        self._local_eval_frequency = local_eval_frequency
        self._eval_delay_secs = eval_delay_secs
        self._continuous_eval_throttle_secs = continuous_eval_throttle_secs
        self._min_eval_frequency = 1 if min_eval_frequency is None else min_eval_frequency
        self._delay_workers_by_global_step = delay_workers_by_global_step
        self._train_steps_per_iteration = train_steps_per_iteration
        self._checkpoint_and_export = checkpoint_and_export
        self._saving_listeners = saving_listeners
        self._check_interval_secs = check_interval_secs
        self._export_strategies: tuple[ExportStrategy, ...] = ()
        self.reset_export_strategies(export_strategies)

    @property
    def estimator(self) -> Any:
        """Returns the Estimator."""
        return self._estimator

    @property
    def eval_metrics(self) -> Mapping[Any, Any] | None:
        """Returns the metrics besides those of the model function."""
        return self._eval_metrics

    @property
    def train_steps(self) -> int | None:
        """Returns the global step at which training ends; `None` for no limit."""
        return self._train_steps

    @property
    def eval_steps(self) -> int | None:
        """Returns how many batches an evaluation takes; `None` for all."""
        return self._eval_steps

    def extend_train_hooks(self, additional_hooks: Iterable[Any]) -> None:
        """Adds monitors and session hooks to those of the training.

        Args:
            additional_hooks: The monitors and hooks.
        """
        self._train_monitors.extend(additional_hooks)

    def reset_export_strategies(
        self, new_export_strategies: ExportStrategy | Iterable[ExportStrategy] | None = None
    ) -> tuple[ExportStrategy, ...]:
        """Replaces the export strategies.

        Args:
            new_export_strategies: One, several, or `None` for none.

        Returns:
            The old ones.

        Raises:
            ValueError: One of them is no `ExportStrategy`.
        """
        given = new_export_strategies or ()
        listed = (given,) if isinstance(given, ExportStrategy) else tuple(given)
        for strategy in listed:
            if not isinstance(strategy, ExportStrategy):
                raise ValueError(
                    "`export_strategies` must be an ExportStrategy, an iterable of ExportStrategy, or `None`,"
                    f" found {strategy}."
                )
        old, self._export_strategies = self._export_strategies, listed
        return old

    def train(self, delay_secs: float | None = None) -> Any:
        """Trains the Estimator until the global step `train_steps`.

        Args:
            delay_secs: Seconds before training begins; by default 5 for each worker before this one in a
                cluster, at most 60.

        Returns:
            The Estimator.

        Raises:
            ValueError, Exception: As `Estimator.fit` raises.
        """
        hooks = list(self._train_monitors)
        if delay_secs is None:
            task_id = self._estimator.config.task_id or 0
            delay_secs = min(60, task_id * 5)
            if self._delay_workers_by_global_step:
                delay_secs = 0
                hooks.append(v1.train.GlobalStepWaiterHook(int(8000 * math.log(task_id + 1))))
        _wait(delay_secs, "training")
        return self._train(hooks, max_steps=self._train_steps, saving_listeners=self._saving_listeners)

    def evaluate(self, delay_secs: float | None = None, name: str | None = None) -> Results:
        """Evaluates the newest checkpoint.

        Args:
            delay_secs: Seconds before the evaluation begins; by default `eval_delay_secs`.
            name: Distinguishes the results of several evaluations; by default `"one_pass"`.

        Returns:
            What `evaluate` of the Estimator returns.

        Raises:
            ValueError, Exception: As `Estimator.evaluate` raises.
        """
        _wait(self._eval_delay_secs if delay_secs is None else delay_secs, "eval")
        return self._evaluate(name=name or "one_pass")

    def local_run(self) -> tuple[Results, list[Any]]:
        """Trains and evaluates, by `local_eval_frequency`; see `train_and_evaluate`.

        Returns:
            What `train_and_evaluate` returns.
        """
        before, self._min_eval_frequency = self._min_eval_frequency, self._local_eval_frequency or 0
        try:
            return self.train_and_evaluate()
        finally:
            self._min_eval_frequency = before

    def continuous_eval(
        self,
        delay_secs: float | None = None,
        throttle_delay_secs: float | None = None,
        evaluate_checkpoint_only_once: bool = True,
        continuous_eval_predicate_fn: Predicate | None = None,
        name: str = "continuous",
    ) -> None:
        """Evaluates and exports each new checkpoint, until one is of the global step `train_steps`.

        Args:
            delay_secs: Seconds before the first evaluation; by default `eval_delay_secs`.
            throttle_delay_secs: In place of `continuous_eval_throttle_secs`.
            evaluate_checkpoint_only_once: Whether a checkpoint is not evaluated twice.
            continuous_eval_predicate_fn: Takes the last results, `None` before the first, and if it has that
                argument `checkpoint_path`; a false result ends the evaluations.
            name: Distinguishes the results of several evaluations.

        Raises:
            ValueError: `continuous_eval_predicate_fn` is no function.
            Exception: As `Estimator.evaluate` raises.
        """
        self._evaluate_continuously(
            self._eval_input_fn,
            name,
            delay_secs,
            throttle_delay_secs,
            evaluate_checkpoint_only_once,
            continuous_eval_predicate_fn,
            exports=True,
        )

    def continuous_eval_on_train_data(
        self,
        delay_secs: float | None = None,
        throttle_delay_secs: float | None = None,
        continuous_eval_predicate_fn: Predicate | None = None,
        name: str = "continuous_on_train_data",
    ) -> None:
        """Evaluates each new checkpoint on the training data; see `continuous_eval`.

        Args:
            delay_secs: See `continuous_eval`.
            throttle_delay_secs: See `continuous_eval`.
            continuous_eval_predicate_fn: See `continuous_eval`.
            name: See `continuous_eval`.

        Raises:
            ValueError: `continuous_eval_predicate_fn` is no function.
            Exception: As `Estimator.evaluate` raises.
        """
        self._evaluate_continuously(
            self._train_input_fn,
            name,
            delay_secs,
            throttle_delay_secs,
            True,
            continuous_eval_predicate_fn,
            exports=False,
        )

    def train_and_evaluate(self) -> tuple[Results, list[Any]]:
        """Trains, evaluates new checkpoints meanwhile, and evaluates and exports the last.

        Returns:
            The last results, and what the export strategies return.

        Raises:
            ValueError, Exception: As `fit` and `evaluate` of the Estimator raise.
        """
        config = self._estimator.config
        if self._checkpoint_and_export and (config.save_checkpoints_secs or config.save_checkpoints_steps):
            evaluate = functools.partial(self._evaluate, name="intermediate_export")
            listener = _EvalAndExportListener(evaluate, self._export, self._estimator.model_dir)
            saver = v1.train.CheckpointSaverHook(
                self._estimator.model_dir,
                save_secs=config.save_checkpoints_secs,
                save_steps=config.save_checkpoints_steps,
                listeners=[listener],
            )
            with self._also_watched_by(saver):
                self.train(delay_secs=0)
            return listener.eval_result, listener.export_results
        watchers = []
        if self._min_eval_frequency:
            validation = ValidationMonitor(
                input_fn=self._eval_input_fn,
                eval_steps=self._eval_steps,
                metrics=self._eval_metrics,
                every_n_steps=self._min_eval_frequency,
                check_interval_secs=self._check_interval_secs,
                hooks=self._eval_hooks or None,
            )
            watchers.append(validation)
        with self._also_watched_by(*watchers):
            self.train(delay_secs=0)
        results = self._evaluate(name=None)
        return results, self._export(results)

    def continuous_train_and_eval(
        self, continuous_eval_predicate_fn: Predicate | None = None
    ) -> tuple[Results, list[Any] | None]:
        """Trains and evaluates by turns, until the global step `train_steps`.

        Args:
            continuous_eval_predicate_fn: See `continuous_eval`.

        Returns:
            The last results, and what the export strategies have returned then.

        Raises:
            ValueError: `continuous_eval_predicate_fn` is no function.
            Exception: As `fit` and `evaluate` of the Estimator raise.
        """
        goes_on = _as_predicate(continuous_eval_predicate_fn)
        steps = self._train_steps_per_iteration
        if steps is None:
            steps = 1000 if self._train_steps is None else max(self._train_steps // 10, 1)
        results: Results = None
        exported: list[Any] | None = None
        checkpoint: str | None = None
        while goes_on(results, checkpoint) and not self._is_trained(results):
            log.info("Training model for %s steps", steps)
            self._train(self._train_monitors, steps=steps, saving_listeners=self._saving_listeners)
            log.info("Evaluating model now.")
            checkpoint = tf.train.latest_checkpoint(self._estimator.model_dir)
            results = self._evaluate(name="one_pass", checkpoint_path=checkpoint)
            exported = self._export(results)
        return results, exported

    def run_std_server(self) -> None:
        """Holds variables for the other processes of a cluster, until a signal ends this one.

        Raises:
            ValueError, OSError: As `keras_legacy_train.cluster.serve` raises.
        """
        serve()

    def test(self) -> Results:
        """Trains for one step, evaluates one batch and exports.

        Returns:
            The results of the evaluation.

        Raises:
            ValueError, Exception: As `fit` and `evaluate` of the Estimator raise.
        """
        self._train(self._train_monitors, steps=1, saving_listeners=self._saving_listeners)
        results = self._evaluate(name="one_pass", steps=1)
        self._export(results)
        return results

    @contextlib.contextmanager
    def _also_watched_by(self, *watchers: Any) -> Iterator[None]:
        before, self._train_monitors = self._train_monitors, [*self._train_monitors, *watchers]
        try:
            yield
        finally:
            self._train_monitors = before

    def _train(
        self,
        monitors: Iterable[Any],
        *,
        steps: int | None = None,
        max_steps: int | None = None,
        saving_listeners: Iterable[Any] | None = None,
    ) -> Any:
        if not self._is_core:
            return self._estimator.fit(
                input_fn=self._train_input_fn, steps=steps, max_steps=max_steps, monitors=monitors
            )
        return self._estimator.train(
            self._train_input_fn,
            hooks=replace_monitors_with_hooks(monitors, self._estimator),
            steps=steps,
            max_steps=max_steps,
            saving_listeners=saving_listeners,
        )

    def _evaluate(
        self,
        name: str | None,
        input_fn: Callable[..., Any] | None = None,
        steps: int | None = None,
        checkpoint_path: str | None = None,
    ) -> Results:
        given: dict[str, Any] = {
            "input_fn": input_fn or self._eval_input_fn,
            "steps": steps or self._eval_steps,
            "name": name,
            "checkpoint_path": checkpoint_path,
            "hooks": self._eval_hooks or None,
        }
        if not self._is_core:
            given["metrics"] = self._eval_metrics
        results: Results = self._estimator.evaluate(**given)
        return results

    def _export(self, results: Results, checkpoint_path: str | None = None) -> list[Any]:
        directory = os.path.join(self._estimator.model_dir, "export")
        return [
            strategy.export(
                self._estimator,
                os.path.join(directory, strategy.name),
                checkpoint_path=checkpoint_path,
                eval_result=results,
            )
            for strategy in self._export_strategies
        ]

    def _is_trained(self, results: Results) -> bool:
        """Returns whether the results are of the step at which training ends."""
        step = (results or {}).get(_GLOBAL_STEP)
        return bool(step and self._train_steps and step >= self._train_steps)

    def _evaluate_continuously(
        self,
        input_fn: Callable[..., Any],
        name: str,
        delay_secs: float | None,
        throttle_secs: float | None,
        only_once: bool,
        predicate: Predicate | None,
        exports: bool,
    ) -> None:
        goes_on = _as_predicate(predicate)
        throttle = self._continuous_eval_throttle_secs if throttle_secs is None else throttle_secs
        _wait(self._eval_delay_secs if delay_secs is None else delay_secs, "eval")
        evaluated: str | None = None
        results: Results = None
        warned: float | None = None
        while goes_on(results, evaluated):
            if self._is_trained(results):
                log.info("Exiting continuous eval, global_step >= train_step=%s", self._train_steps)
                return
            began = time.monotonic()
            newest = tf.train.latest_checkpoint(self._estimator.model_dir)
            if newest is None or (only_once and newest == evaluated):
                results = {}
                if warned is None or began - warned > _WARNING_INTERVAL:
                    warned = began
                    log.warning(
                        "Estimator is not fitted yet. Will start an evaluation when a checkpoint is ready."
                        if newest is None
                        else "No new checkpoint ready for evaluation."
                    )
            else:
                results = self._evaluate(name, input_fn, checkpoint_path=newest) or {}
                if exports:
                    self._export(results, checkpoint_path=newest)
                warned, evaluated = None, newest
            _wait(throttle - (time.monotonic() - began), "next eval run")


class _EvalAndExportListener(tf.compat.v1.train.CheckpointSaverListener):
    """Evaluates and exports each checkpoint."""

    def __init__(self, evaluate: Callable[..., Results], export: Callable[..., list[Any]], model_dir: str):
        self._evaluate = evaluate
        self._export = export
        self._model_dir = model_dir
        self._newest: str | None = None
        self.eval_result: Results = None
        self.export_results: list[Any] = []

    def after_save(self, session: Any, global_step_value: int) -> None:
        newest = tf.train.latest_checkpoint(self._model_dir)
        if newest is None or newest == self._newest:
            return
        self._newest = newest
        self.eval_result = self._evaluate(checkpoint_path=newest)
        self.export_results = self._export(self.eval_result, checkpoint_path=newest)


def _as_predicate(function: Any) -> Callable[[Results, str | None], bool]:
    """Returns what tells whether to go on.

    Raises:
        ValueError: It is no function.
    """
    if function is None:
        return lambda results, checkpoint: True
    if not callable(function):
        raise ValueError("`continuous_eval_predicate_fn` must be a callable, or None.")
    if "checkpoint_path" in parameters(function):
        return lambda results, checkpoint: bool(function(results, checkpoint_path=checkpoint))
    return lambda results, checkpoint: bool(function(results))


def _wait(seconds: float | None, what: str) -> None:
    if seconds is not None and seconds > 0:
        log.info("Waiting %f secs before starting %s.", seconds, what)
        time.sleep(seconds)
