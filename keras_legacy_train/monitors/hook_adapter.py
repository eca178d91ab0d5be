"""Runs monitors as a session hook."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from keras_legacy_train.graph.elements import find_global_step
from keras_legacy_train.monitors.calls import as_requests, check_monitor, end_monitor
from keras_legacy_train.programs.outputs import StepOutputs
from keras_legacy_train.types import Monitor, SessionLike


class RunHookAdapterForMonitors(tf.compat.v1.train.SessionRunHook):
    """Calls monitors from a session hook, so that they work in `tf.compat.v1.train.MonitoredSession`.

    Stands for `tf.contrib.learn.monitors.RunHookAdapterForMonitors`. Every `run` of the session is a step.
    `train` and Estimators call the monitors at the steps that they want to see, without a `max_steps`.

    ```python
    from keras_legacy_train.monitors import PrintTensor, StopAtStep

    with tf.Graph().as_default():
        step = tf.compat.v1.train.create_global_step()
        train_op = tf.compat.v1.assign_add(step, 1)
        hooks = [RunHookAdapterForMonitors([PrintTensor([train_op]), StopAtStep(last_step=100)])]
        with tf.compat.v1.train.MonitoredTrainingSession(hooks=hooks) as session:
            while not session.should_stop():
                session.run(train_op)
    ```

    Args:
        monitors: The monitors, called in this order.

    Raises:
        ValueError: One of them is not a monitor.
    """

    _outputs: StepOutputs

    def __init__(self, monitors: Iterable[Monitor]):
        if not isinstance(monitors, Iterable) or isinstance(monitors, str):
            raise ValueError(f"monitors must be a list of monitors; it is {monitors!r}.")
        self._monitors = list(monitors)
        for monitor in self._monitors:
            check_monitor(monitor)
        self._global_step: Any = None
        self._step = 0

    @property
    def monitors(self) -> list[Monitor]:
        """Returns the monitors."""
        return list(self._monitors)

    def begin(self) -> None:
        self._global_step = find_global_step(tf.compat.v1.get_default_graph())
        if self._global_step is None:
            raise RuntimeError("Global step should be created to use monitors.")
        for monitor in self._monitors:
            monitor.begin(max_steps=None)

    def before_run(
        self, run_context: tf.compat.v1.train.SessionRunContext
    ) -> tf.compat.v1.train.SessionRunArgs | None:
        session = run_context.session
        # Within the same run the global step could be read before or after the step raises it.
        self._step = int(session.run(self._global_step)) + 1
        requests = [
            each for monitor in self._monitors for each in as_requests(monitor.step_begin(self._step))
        ]
        self._outputs = StepOutputs(session.graph, requests)
        names = [*self._outputs.tensors, *self._outputs.operations]
        return tf.compat.v1.train.SessionRunArgs({name: name for name in names}) if names else None

    def after_run(
        self,
        run_context: tf.compat.v1.train.SessionRunContext,
        run_values: tf.compat.v1.train.SessionRunValues,
    ) -> None:
        self._outputs.fill(run_values.results or {})
        for monitor in self._monitors:
            if monitor.step_end(self._step, self._outputs):
                run_context.request_stop()
        for monitor in self._monitors:
            monitor.post_step(self._step, run_context.session)

    def end(self, session: SessionLike) -> None:
        for monitor in self._monitors:
            end_monitor(monitor, session)


def replace_monitors_with_hooks(
    monitors_or_hooks: Iterable[Monitor] | None, estimator: Any
) -> list[tf.compat.v1.train.SessionRunHook]:
    """Returns the hooks, followed by one hook that calls all monitors.

    Stands for `tf.contrib.learn.monitors.replace_monitors_with_hooks`.

    Args:
        monitors_or_hooks: Monitors and `tf.compat.v1.train.SessionRunHook`s, in any order; or `None`.
        estimator: Passed to `set_estimator` of each monitor. If its `config.is_chief` is false, only monitors
            with `run_on_all_workers` are kept.

    Raises:
        ValueError: An item is neither a monitor nor a hook, or there are monitors and no estimator.
    """
    if isinstance(monitors_or_hooks, str) or not isinstance(monitors_or_hooks, Iterable | None):
        raise ValueError(f"monitors_or_hooks must be a list; it is {monitors_or_hooks!r}.")
    given = list(monitors_or_hooks or [])
    hooks = [each for each in given if isinstance(each, tf.compat.v1.train.SessionRunHook)]
    monitors = [each for each in given if not isinstance(each, tf.compat.v1.train.SessionRunHook)]
    if not getattr(getattr(estimator, "config", None), "is_chief", True):
        monitors = [monitor for monitor in monitors if monitor.run_on_all_workers]
    for monitor in monitors:
        if not callable(getattr(monitor, "set_estimator", None)):
            raise ValueError(f"monitors_or_hooks: {monitor!r} is neither a hook nor a monitor.")
        monitor.set_estimator(estimator)
    return [*hooks, RunHookAdapterForMonitors(monitors)] if monitors else hooks
