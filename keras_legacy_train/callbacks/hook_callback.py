"""A session hook as a callback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.callbacks import hook_schedule
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Feeds, Steps

_GOOD_ENDS = (StopReason.TARGET, StopReason.CALLBACK, StopReason.END_OF_INPUT)


class HookedRuns:
    """The run of each watched step as hooks see it; they share its context, and so the wish to stop.

    Attributes:
        coordinator: What hooks and threads of the training stop each other by.
    """

    coordinator: tf.train.Coordinator

    def __init__(self) -> None:
        self._context: tf.compat.v1.train.SessionRunContext | None = None

    def start(
        self,
        session: Any,
        coordinator: tf.train.Coordinator,
        original_args: Callable[[], tf.compat.v1.train.SessionRunArgs],
    ) -> None:
        """Begins the training's runs.

        Args:
            session: The session stand-in.
            coordinator: Its threads' coordinator.
            original_args: Returns what the next run does without hooks.
        """
        self.coordinator = coordinator
        self._session = session
        self._original_args = original_args

    def context(self) -> tf.compat.v1.train.SessionRunContext:
        """The context of the run that comes next or is on."""
        if self._context is None:
            self._context = tf.compat.v1.train.SessionRunContext(self._original_args(), self._session)
        return self._context

    def finish(self) -> None:
        """The run is over."""
        self._context = None


class HookCallback(LoopCallback):
    """Calls a `SessionRunHook` as `tf.compat.v1.train.MonitoredSession` does: `begin`,
    `after_create_session`, then around each run `before_run` and `after_run`, and `end` if no error was
    raised.

    The hooks that come with TensorFlow are called at the steps for which they are due, other hooks at every
    step.

    Args:
        hook: The hook.
        runs: What the hooks of the training share.
    """

    def __init__(self, hook: tf.compat.v1.train.SessionRunHook, runs: HookedRuns):
        super().__init__()
        self.hook = hook
        self._runs = runs
        self._session: Any = None
        self._fetches: _tensorflow.FetchHandler | None = None
        self._watched = False
        self._ended_well = False

    def begin(self, max_steps: int | None) -> None:
        """Calls the hook's `begin`, which may still add ops to the graph.

        Args:
            max_steps: Hooks are not told.
        """
        self.hook.begin()

    def set_session(self, session: Any) -> None:
        """The session that is the default one while the hook runs, and that it is given."""
        self._session = session

    def next_step(self, step: int) -> float:
        return step + 1 if self._runs.coordinator.should_stop() else hook_schedule.next_step(self.hook, step)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        with self._session.as_default():
            _ensure_saver(self._session.graph)
            self.hook.after_create_session(self._session, self._runs.coordinator)

    def on_step_begin(self, step: int) -> list[Any]:
        self._watched = True
        self._fetches = None
        with self._session.as_default():
            asked = self.hook.before_run(self._runs.context())
        if asked is None:
            return []
        _check_options(self.hook, asked.options)
        requests: list[Any] = [Feeds(asked.feed_dict)] if asked.feed_dict else []
        if asked.fetches is not None:
            self._fetches = _tensorflow.FetchHandler(self._session.graph, asked.fetches, {})
            requests += [*self._fetches.fetches(), *self._fetches.targets()]
        return requests

    def on_step_end(self, step: int, outputs: Mapping[Any, Any]) -> bool:
        results = None
        if self._fetches is not None:
            values = [outputs[tensor.name] for tensor in self._fetches.fetches()]
            results = self._fetches.build_results(self._session, values)
        run_values = tf.compat.v1.train.SessionRunValues(
            results, tf.compat.v1.RunOptions(), tf.compat.v1.RunMetadata()
        )
        context = self._runs.context()
        with self._session.as_default():
            self.hook.after_run(context, run_values)
        return context.stop_requested or self._runs.coordinator.should_stop()

    def on_steps_end(self, steps: Steps) -> None:
        hook_schedule.steps_passed(self.hook, 0 if self._watched else len(steps), steps.last)
        self._watched = False
        self._runs.finish()

    def on_loop_end(self, reason: StopReason) -> None:
        self._ended_well = reason in _GOOD_ENDS

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        # After an error hooks are not ended: theirs is to save what has come out well.
        if self._ended_well:
            with self._session.as_default():
                self.hook.end(self._session)


def _ensure_saver(graph: tf.Graph) -> None:
    """Adds the Saver that hooks find in the graph where a `Scaffold` or a `Supervisor` has made it."""
    if not graph.get_collection(tf.compat.v1.GraphKeys.SAVERS):
        graph.add_to_collection(tf.compat.v1.GraphKeys.SAVERS, tf.compat.v1.train.Saver())


def _check_options(hook: Any, options: tf.compat.v1.RunOptions | None) -> None:
    if options is not None and options != tf.compat.v1.RunOptions():
        raise ValueError(
            f"{type(hook).__name__} asks for a run with the options {str(options).strip()!r}, which only a"
            " Session has. Use tf.profiler.experimental to trace."
        )
