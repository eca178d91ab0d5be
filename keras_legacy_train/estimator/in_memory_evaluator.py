"""Evaluates during training, without a checkpoint: `InMemoryEvaluatorHook`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from keras_legacy_train.callbacks.hook_schedule import ScheduledHook, next_trigger
from keras_legacy_train.estimator.estimator import Estimator
from keras_legacy_train.estimator.evaluation import BuiltEvaluation, write_results
from keras_legacy_train.estimator.spec import check_hooks
from keras_legacy_train.graph.initialize import initialize_missing
from keras_legacy_train.graph.session import GraphSession

_KEYS = tf.compat.v1.GraphKeys


class InMemoryEvaluatorHook(ScheduledHook):
    """Evaluates the variables that are being trained: before the first step, every so many, and at the end.

    The results are written to the event file of the evaluation, as `Estimator.evaluate` does.

    Args:
        estimator: The Estimator that is trained.
        input_fn: Returns the data; see `Estimator.evaluate`.
        steps: How many batches to evaluate; `None` for all.
        hooks: `SessionRunHook`s for the evaluation.
        name: Names the evaluation; see `Estimator.evaluate`.
        every_n_iter: Training steps from one evaluation to the next.

    Raises:
        ValueError: `every_n_iter` is not positive, or `TF_CONFIG` names a cluster.
        TypeError: One of the hooks is none.
    """

    def __init__(
        self,
        estimator: Estimator,
        input_fn: Callable[..., Any],
        steps: int | None = None,
        hooks: Iterable[tf.compat.v1.train.SessionRunHook] | None = None,
        name: str | None = None,
        every_n_iter: int = 100,
    ):
        if every_n_iter is None or every_n_iter <= 0:
            raise ValueError(f"invalid every_n_iter={every_n_iter}.")
        if estimator.config.num_ps_replicas > 0 or estimator.config.num_worker_replicas > 1:
            raise ValueError("InMemoryEvaluator supports only single machine (aka Local) setting.")
        if steps is not None and steps <= 0:
            raise ValueError(f"Must specify steps > 0, given: {steps}")
        self._estimator = estimator
        self._input_fn = input_fn
        self._steps = steps
        self._hooks = check_hooks(hooks)
        self._name = name
        self._timer = tf.compat.v1.train.SecondOrStepTimer(every_steps=every_n_iter)
        self._runs = 0

    def begin(self) -> None:
        self._timer.reset()
        self._runs = 0
        self._evaluation = self._built()
        if self._evaluation.spec.scaffold.saver is not None:
            raise ValueError("InMemoryEvaluator does not support custom saver")
        if self._evaluation.spec.scaffold.init_fn is not None:
            raise ValueError("InMemoryEvaluator does not support custom init_fn")

    def after_create_session(self, session: GraphSession, coord: Any) -> None:
        if session.graph.get_collection(_KEYS.SAVEABLE_OBJECTS):
            raise ValueError("InMemoryEvaluator does not support saveables other than global variables.")
        self._evaluate(session)

    def next_step(self, step: int) -> float:
        return step + next_trigger(self._timer, self._runs) - self._runs

    def steps_passed(self, unseen: int, step: int) -> None:
        self._runs += unseen

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self._runs += 1
        if self._timer.should_trigger_for_step(self._runs):
            self._evaluate(run_context.session)

    def end(self, session: GraphSession) -> None:
        self._evaluate(session)

    def _evaluate(self, trained: GraphSession) -> None:
        def copy_variables(evaluated: GraphSession) -> None:
            names = {each.op.name for each in trained.graph.get_collection(_KEYS.GLOBAL_VARIABLES)}
            for variable in evaluated.graph.get_collection(_KEYS.GLOBAL_VARIABLES):
                name = variable.op.name
                if name in names:
                    evaluated.lifted.variable(name).assign(trained.lifted.variable(name))
            initialize_missing(evaluated)

        results, can_be_repeated = self._evaluation.run(copy_variables, self._steps)
        if not can_be_repeated:
            self._evaluation = self._built()
        write_results(self._estimator.eval_dir(self._name), results, None)
        self._timer.update_last_triggered_step(self._runs)

    def _built(self) -> BuiltEvaluation:
        return self._estimator._build_evaluation(self._input_fn, self._hooks, None)
