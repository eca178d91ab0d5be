"""Calls a session hook as a callback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.callbacks import hook_schedule
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.run_context import RunContext
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Feeds, Steps
from keras_legacy_train.programs.graph import GraphProgram

_GOOD_ENDS = (StopReason.TARGET, StopReason.CALLBACK, StopReason.END_OF_INPUT)


class HookCallback(LoopCallback):
    """Calls a `SessionRunHook` as `tf.compat.v1.train.MonitoredSession` does: `begin`,
    `after_create_session`, then around each run `before_run` and `after_run`, and `end` if no error was
    raised.

    The hooks that come with TensorFlow are called at the steps for which they are due, other hooks at every
    step.

    Args:
        hook: The hook.
    """

    _program: GraphProgram
    _session: GraphSession

    def __init__(self, hook: tf.compat.v1.train.SessionRunHook):
        super().__init__()
        self.hook = hook
        self._fetches: _tensorflow.FetchHandler | None = None
        self._watched = False
        self._ended_well = False

    def begin(self, max_steps: int | None) -> None:
        """Calls the hook's `begin`, which may still add ops to the graph.

        Args:
            max_steps: Hooks are not told.
        """
        self.hook.begin()

    def set_run(self, run: RunContext) -> None:
        assert isinstance(run.program, GraphProgram)  # elsewhere hooks are refused
        self._program, self._session = run.program, run.session

    def next_step(self, step: int) -> float:
        if self._program.coordinator.should_stop():
            return step + 1
        return hook_schedule.next_step(self.hook, step, is_shared=self._program.shares_global_step)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        with self._session.as_default():
            _ensure_saver(self._session.graph)
            self.hook.after_create_session(self._session, self._program.coordinator)

    def on_step_begin(self, step: int) -> list[Any]:
        self._watched = True
        self._fetches = None
        with self._session.as_default():
            asked = self.hook.before_run(self._program.run_context)
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
        context = self._program.run_context
        with self._session.as_default():
            self.hook.after_run(context, run_values)
        return bool(context.stop_requested or self._program.coordinator.should_stop())

    def on_steps_end(self, steps: Steps) -> None:
        hook_schedule.steps_passed(self.hook, 0 if self._watched else len(steps), steps.last)
        self._watched = False

    def on_loop_end(self, reason: StopReason) -> None:
        self._ended_well = reason in _GOOD_ENDS

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        # After an error hooks are not ended: theirs is to save what has come out well.
        if self._ended_well:
            with self._session.as_default():
                self.hook.end(self._session)


def _ensure_saver(graph: tf.Graph) -> None:
    """Adds the Saver that hooks find in the graph where a `Scaffold` or a `Supervisor` has made it.

    A finalized graph has a `Scaffold` with a Saver of the user's, which is not in the collection.
    """
    if not graph.finalized and not graph.get_collection(tf.compat.v1.GraphKeys.SAVERS):
        graph.add_to_collection(tf.compat.v1.GraphKeys.SAVERS, tf.compat.v1.train.Saver())


def _check_options(hook: Any, options: tf.compat.v1.RunOptions | None) -> None:
    if options is not None and options != tf.compat.v1.RunOptions():
        raise ValueError(
            f"{type(hook).__name__} asks for a run with the options {str(options).strip()!r}, which only a"
            " Session has. Use tf.profiler.experimental to trace."
        )
