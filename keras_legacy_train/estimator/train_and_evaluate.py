"""Trains and evaluates in turn: `train_and_evaluate`, `TrainSpec` and `EvalSpec`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import tensorflow as tf

from keras_legacy_train.cluster import serve
from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.estimator import Estimator
from keras_legacy_train.estimator.exporters import Exporter
from keras_legacy_train.estimator.run_config import RunConfig, TaskType

_GLOBAL_STEP = tf.compat.v1.GraphKeys.GLOBAL_STEP

_SECONDS_BETWEEN_WARNINGS = 600
_SECONDS_BETWEEN_WORKERS = 5
_MOST_SECONDS_OF_DELAY = 60

_Element = TypeVar("_Element")


class _TrainSpec(NamedTuple):
    input_fn: Callable[..., Any]
    max_steps: int | None
    hooks: tuple[Any, ...]
    saving_listeners: tuple[Any, ...]


class TrainSpec(_TrainSpec):
    """Says how `train_and_evaluate` trains.

    Args:
        input_fn: Makes the input, as `Estimator.train` takes it.
        max_steps: The global step at which training ends; `None` trains until the input ends or a hook stops.
        hooks: `SessionRunHook`s to run during training.
        saving_listeners: `CheckpointSaverListener`s to call when a checkpoint is saved.

    Raises:
        TypeError: An argument has another type.
        ValueError: `max_steps` is not positive.
    """

    __slots__ = ()

    def __new__(
        cls,
        input_fn: Callable[..., Any],
        max_steps: int | None = None,
        hooks: Iterable[Any] | None = None,
        saving_listeners: Iterable[Any] | None = None,
    ) -> TrainSpec:
        """Returns a new specification, checked.

        Raises:
            TypeError: An argument has another type.
            ValueError: `max_steps` is not positive.
        """
        _check_input_fn(input_fn)
        if max_steps is not None and max_steps <= 0:
            raise ValueError(f"Must specify max_steps > 0, given: {max_steps}")
        return super().__new__(
            cls,
            input_fn,
            max_steps,
            _as_hooks(hooks),
            _as_instances(
                saving_listeners,
                tf.compat.v1.train.CheckpointSaverListener,
                "All saving_listeners must be `CheckpointSaverListener` instances",
            ),
        )


class _EvalSpec(NamedTuple):
    input_fn: Callable[..., Any]
    steps: int | None
    name: str | None
    hooks: tuple[Any, ...]
    exporters: tuple[Exporter, ...]
    start_delay_secs: float
    throttle_secs: float


class EvalSpec(_EvalSpec):
    """Says how `train_and_evaluate` evaluates and exports.

    Args:
        input_fn: Makes the input, as `Estimator.evaluate` takes it.
        steps: How many batches to evaluate; `None` for all until the input ends.
        name: Names the evaluation, where there are several: its events are written to `eval_<name>`.
        hooks: `SessionRunHook`s to run during evaluation.
        exporters: `Exporter`s to call after each evaluation, or one of them.
        start_delay_secs: Seconds for which an `evaluator` task waits before it begins. Without a cluster
            evaluation begins with the first checkpoint after a step.
        throttle_secs: Seconds from the start of one evaluation to that of the next, at least. Checkpoints
            saved before are passed over, but for the last.

    Raises:
        TypeError: An argument has another type.
        ValueError: A number is out of range, or two exporters have one name.
    """

    __slots__ = ()

    def __new__(
        cls,
        input_fn: Callable[..., Any],
        steps: int | None = 100,
        name: str | None = None,
        hooks: Iterable[Any] | None = None,
        exporters: Exporter | Iterable[Exporter] | None = None,
        start_delay_secs: float = 120,
        throttle_secs: float = 600,
    ) -> EvalSpec:
        """Returns a new specification, checked.

        Raises:
            TypeError: An argument has another type.
            ValueError: A number is out of range, or two exporters have one name.
        """
        _check_input_fn(input_fn)
        if steps is not None and steps <= 0:
            raise ValueError(f"Must specify steps > 0, given: {steps}")
        if name is not None and not isinstance(name, str):
            raise TypeError(f"`name` must be string, given: {name}")
        hooks, exporters = _as_hooks(hooks), _as_exporters(exporters)
        if start_delay_secs < 0:
            raise ValueError(f"Must specify start_delay_secs >= 0, given: {start_delay_secs}")
        if throttle_secs < 0:
            raise ValueError(f"Must specify throttle_secs >= 0, given: {throttle_secs}")
        return super().__new__(cls, input_fn, steps, name, hooks, exporters, start_delay_secs, throttle_secs)


def _check_input_fn(input_fn: Any) -> None:
    if not callable(input_fn):
        raise TypeError(f"`input_fn` must be callable, given: {input_fn}")


def _as_hooks(hooks: Iterable[Any] | None) -> tuple[Any, ...]:
    return _as_instances(
        hooks, tf.compat.v1.train.SessionRunHook, "All hooks must be `SessionRunHook` instances"
    )


def _as_instances(values: Iterable[_Element] | None, kind: type, rule: str) -> tuple[_Element, ...]:
    values = tuple(values or ())
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"{rule}, given: {value}")
    return values


def _as_exporters(exporters: Exporter | Iterable[Exporter] | None) -> tuple[Exporter, ...]:
    if not exporters:
        return ()
    given = [exporters] if isinstance(exporters, Exporter) else exporters
    given = tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(isinstance(each, Exporter) for each in given):
        raise TypeError(
            f"`exporters` must be an Exporter, an iterable of Exporter, or `None`, found {exporters}."
        )
    names = [exporter.name for exporter in given]
    for name in names:
        if not name:
            raise ValueError(
                f"An Exporter cannot have a name that is `None` or empty. All exporter names: {names}"
            )
        if not isinstance(name, str):
            raise ValueError(f"An Exporter must have a string name. Given: {type(name)}")
    if len(set(names)) < len(names):
        raise ValueError(
            f"`exporters` must have unique names. Such a name cannot be `None`. All exporter names: {names}"
        )
    return given


def train_and_evaluate(
    estimator: Estimator, train_spec: TrainSpec, eval_spec: EvalSpec
) -> tuple[dict[str, Any] | None, list[Any] | None] | None:
    """Trains an Estimator, and evaluates and exports it whenever a checkpoint has been saved.

    Training is one call of `Estimator.train`. In it, the Estimator's `RunConfig` says when checkpoints are
    saved. Each is evaluated, unless the last evaluation began less than `throttle_secs` before; the one that
    training ends with is always evaluated. The checkpoint from before the first step is not.

    In a cluster each process calls it, and does the work of its task in `TF_CONFIG`:

    - `ps` holds variables for the others, until a signal ends it.
    - `chief` trains, and saves checkpoints.
    - `worker` trains. Each begins 5 s after the one before, but not later than
      `RunConfig(experimental_max_worker_delay_secs=…)` says.
    - `evaluator` evaluates and exports each checkpoint, until one has reached `max_steps`.
    - `master`, in the place of the chief, also evaluates. There is no evaluator then, and the first worker
      writes the summaries.

    ```python
    from keras_legacy_train import estimator as tf_estimator

    def model_fn(features, labels, mode):
        weight = tf.compat.v1.get_variable("weight", [], initializer=tf.compat.v1.zeros_initializer())
        loss = tf.reduce_mean(tf.square(features * weight - labels))
        optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.1)
        train_op = optimizer.minimize(loss, tf.compat.v1.train.get_global_step())
        return tf_estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    def input_fn():
        return tf.data.Dataset.from_tensors(([1.0, 2.0], [3.0, 6.0])).repeat(100)

    config = tf_estimator.RunConfig(save_checkpoints_steps=50)
    results, exports = tf_estimator.train_and_evaluate(
        tf_estimator.Estimator(model_fn, f"{output_dir}/estimator", config),
        tf_estimator.TrainSpec(input_fn, max_steps=100),
        tf_estimator.EvalSpec(input_fn, steps=10, throttle_secs=0),
    )
    ```

    Args:
        estimator: The Estimator.
        train_spec: How it is trained.
        eval_spec: How it is evaluated and exported.

    Returns:
        What the last evaluation and the exporters after it have returned: the dict of `Estimator.evaluate`
        and a list. Both are `None` if nothing was trained. In a cluster, `None`.

    Raises:
        TypeError: An argument has another type.
        ValueError: There is a second `evaluator` task, or a task that has no work here.
        RuntimeError: Training ended without a checkpoint, because its values were not finite.
        Exception: As `Estimator.train`, `Estimator.evaluate` and `cluster.serve` raise.
    """
    for name, value, kind in (
        ("estimator", estimator, Estimator),
        ("train_spec", train_spec, TrainSpec),
        ("eval_spec", eval_spec, EvalSpec),
    ):
        if not isinstance(value, kind):
            raise TypeError(f"`{name}` must have type `tf.estimator.{kind.__name__}`. Got: {type(value)}")
    config = estimator.config
    evaluator = _Evaluator(estimator, eval_spec, train_spec.max_steps)
    if config.task_type == TaskType.EVALUATOR:
        if config.task_id > 0:
            raise ValueError(
                "For distributed training, there can only be one `evaluator` task (with task id 0)."
                f" Given task id {config.task_id}"
            )
        evaluator.evaluate_until_trained()
        return None
    if config.cluster_spec:
        _run_task(estimator, train_spec, evaluator)
        return None

    log.info("Running training and evaluation locally (non-distributed).")
    log.info(
        "Start train and evaluate loop. The evaluate will happen after every checkpoint. Checkpoint frequency"
        " is determined based on RunConfig arguments: save_checkpoints_steps %s or save_checkpoints_secs %s.",
        config.save_checkpoints_steps,
        config.save_checkpoints_secs,
    )
    _train(estimator, train_spec, evaluator.listener())
    return evaluator.metrics, evaluator.exports


def _run_task(estimator: Estimator, train_spec: TrainSpec, evaluator: _Evaluator) -> None:
    """Does the work of a task of a cluster.

    Raises:
        ValueError: The task has none.
    """
    config = estimator.config
    if config.task_type == TaskType.PS:
        serve()
    elif config.task_type == TaskType.CHIEF:
        _train(estimator, train_spec)
    elif config.task_type == TaskType.WORKER:
        _delay(config)
        _train(estimator, train_spec)
    elif config.task_type == TaskType.MASTER:
        _train(estimator, train_spec, evaluator.listener())
    else:
        raise ValueError(
            f"Task type {config.task_type} is not supported. Supported task types are chief, evaluator,"
            " master, ps and worker."
        )


def _train(
    estimator: Estimator, train_spec: TrainSpec, *listeners: tf.compat.v1.train.CheckpointSaverListener
) -> None:
    estimator.train(
        input_fn=train_spec.input_fn,
        max_steps=train_spec.max_steps,
        hooks=list(train_spec.hooks),
        saving_listeners=(*train_spec.saving_listeners, *listeners),
    )


def _delay(config: RunConfig) -> None:
    """Has the workers begin one after the other, which helps asynchronous training to converge."""
    most = config.experimental_max_worker_delay_secs
    seconds = min(
        _MOST_SECONDS_OF_DELAY if most is None else most, (config.task_id + 1) * _SECONDS_BETWEEN_WORKERS
    )
    if seconds > 0:
        log.info("Waiting %d secs before starting training.", seconds)
        time.sleep(seconds)


class _EvaluationListener(tf.compat.v1.train.CheckpointSaverListener):
    """Evaluates when a checkpoint has been saved."""

    def __init__(self, evaluator: _Evaluator, throttle_secs: float):
        self._evaluator = evaluator
        self._throttle_secs = throttle_secs

    def begin(self) -> None:
        self._timer = tf.compat.v1.train.SecondOrStepTimer(every_secs=self._throttle_secs)
        self._nothing_trained = True

    def after_save(self, session: Any, global_step_value: int) -> None:
        if self._nothing_trained:
            self._nothing_trained = False
        elif self._timer.should_trigger_for_step(global_step_value):
            self._evaluate(global_step_value)
        else:
            log.info("Skip the current checkpoint eval due to throttle secs (%s secs).", self._throttle_secs)

    def end(self, session: Any, global_step_value: int) -> None:
        if global_step_value != self._timer.last_triggered_step():
            self._evaluate(global_step_value)

    def _evaluate(self, step: int) -> None:
        self._timer.update_last_triggered_step(step)
        missing = self._evaluator.evaluate_newest()
        if missing is not None:
            raise RuntimeError(f"There was no new checkpoint after the training. Eval status: {missing}")


class _Evaluator:
    """Evaluates and exports the newest checkpoint, if it has not yet done so.

    Attributes:
        metrics: What the last evaluation returned.
        exports: What the exporters returned after it.
    """

    def __init__(self, estimator: Estimator, eval_spec: EvalSpec, max_steps: int | None):
        self.metrics: dict[str, Any] | None = None
        self.exports: list[Any] | None = None
        self._estimator = estimator
        self._spec = eval_spec
        self._max_steps = max_steps
        self._evaluated: str | None = None
        self._warned_at: float | None = None

    def listener(self) -> _EvaluationListener:
        """Returns what evaluates when the training of this process has saved a checkpoint."""
        return _EvaluationListener(self, self._spec.throttle_secs)

    @property
    def _is_final(self) -> bool:
        """Returns whether what was evaluated last has been trained as long as it will be."""
        if self.metrics is None or not self._max_steps:
            return False
        return bool(self.metrics[_GLOBAL_STEP] >= self._max_steps)

    def evaluate_newest(self) -> str | None:
        """Evaluates and exports the newest checkpoint.

        Returns:
            `None`, or why there was nothing to evaluate.
        """
        checkpoint = self._estimator.latest_checkpoint()
        if not checkpoint:
            self._warn("Estimator is not trained yet. Will start an evaluation when a checkpoint is ready.")
            return "missing checkpoint"
        if checkpoint == self._evaluated:
            self._warn(
                "No new checkpoint ready for evaluation. Skip the current evaluation pass as evaluation"
                " results are expected to be same for the same checkpoint."
            )
            return "no new checkpoint"
        self.metrics = self._checked(
            self._estimator.evaluate(
                input_fn=self._spec.input_fn,
                steps=self._spec.steps,
                name=self._spec.name,
                checkpoint_path=checkpoint,
                hooks=self._spec.hooks,
            )
        )
        self.exports = [
            exporter.export(
                estimator=self._estimator,
                export_path=os.path.join(os.fspath(self._estimator.model_dir), "export", exporter.name),
                checkpoint_path=checkpoint,
                eval_result=self.metrics,
                is_the_final_export=self._is_final,
            )
            for exporter in self._spec.exporters
        ]
        self._evaluated, self._warned_at = checkpoint, None
        return None

    def evaluate_until_trained(self) -> None:
        """Evaluates each checkpoint that another process saves, until one has reached `max_steps`."""
        if self._spec.start_delay_secs:
            log.info("Waiting %f secs before starting eval.", self._spec.start_delay_secs)
            time.sleep(self._spec.start_delay_secs)
        while True:
            started = time.monotonic()
            missing = self.evaluate_newest()
            if self._is_final:
                log.info(
                    "Exiting evaluation, global_step=%s >= train max_steps=%s",
                    (self.metrics or {})[_GLOBAL_STEP],
                    self._max_steps,
                )
                return
            wait = self._spec.throttle_secs - (time.monotonic() - started)
            if wait > 0:
                log.info("Waiting %f secs before starting next eval run.", wait)
                time.sleep(wait)
            elif self._spec.throttle_secs == 0 and missing is not None:
                log.warning(
                    "EvalSpec.throttle_secs is set as 0. This might overload the job before finding (next)"
                    " new checkpoint. Please consider to increase it."
                )

    @staticmethod
    def _checked(metrics: Any) -> dict[str, Any]:
        """Returns what an `evaluate`, perhaps a user's own, has returned, if it is what it must be."""
        if not metrics:
            raise ValueError("Internal error: `Estimator.evaluate` should never return empty metrics.")
        if not isinstance(metrics, dict):
            raise TypeError(f"`Estimator.evaluate` should return dict. Given {type(metrics)}.")
        if _GLOBAL_STEP not in metrics:
            raise ValueError(
                "Internal error: `Estimator.evaluate` result should have `global_step` in result."
                f" Given {metrics}"
            )
        return metrics

    def _warn(self, message: str) -> None:
        now = time.monotonic()
        if self._warned_at is None or now - self._warned_at > _SECONDS_BETWEEN_WARNINGS:
            log.warning(message)
            self._warned_at = now
