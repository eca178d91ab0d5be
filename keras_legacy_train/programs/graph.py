"""Runs a step that is a part of a TF 1 graph."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.awaited_input import awaited_input
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.base import WINDOW_SECONDS, Feeds, Program, Steps
from keras_legacy_train.programs.graph_windows import GraphWindows
from keras_legacy_train.programs.outputs import StepOutputs
from keras_legacy_train.programs.prefetched_feeds import PrefetchedFeeds, Prefetching
from keras_legacy_train.programs.sampled_window import SampledWindow
from keras_legacy_train.programs.window import NotRunError

# TensorFlow takes a second to make a function of so many operations.
_LARGE_GRAPH = 2_000


class GraphProgram(Program):
    """Runs `train_op` of a lifted graph, singly or in windows.

    Args:
        session: The lifted graph's session stand-in.
        queue_runners: What fills the graph's queues.
        train_ops: What one step runs: operations or tensors.
        loss: The loss, a tensor that holds one number.
        global_step: Name of the variable that counts the steps.
        feed_fn: Called before each step; returns the step's `feed_dict`.
        prefetches_feeds: Whether `feed_fn` is called ahead for all steps of a window; `None` for where it is
            worth while and makes no difference. Otherwise each step is a call of its own.
        is_fatal: Tells of a loss (a float64 scalar tensor) whether a window must end at it.
        jit_compile: Whether windows are compiled by XLA; `"auto"` for where that works and computes the same.

    Attributes:
        coordinator: Stops the threads of the queue runners and hooks.
    """

    def __init__(
        self,
        session: GraphSession,
        queue_runners: QueueRunners,
        train_ops: Sequence[tf.Operation | tf.Tensor],
        loss: tf.Tensor,
        global_step: str,
        *,
        feed_fn: Callable[[], Mapping[Any, Any]] | None = None,
        prefetches_feeds: bool | None = None,
        is_fatal: Callable[[tf.Tensor], tf.Tensor] = tf.math.is_nan,
        jit_compile: bool | Literal["auto"] = False,
    ):
        self.global_step_name = global_step
        self.coordinator = queue_runners.coordinator
        self._session = session
        self._queue_runners = queue_runners
        self._train_ops = list(train_ops)
        names = (op.op.name if isinstance(op, tf.Tensor) else op.name for op in train_ops)
        self._operations = list(dict.fromkeys(names))
        self._loss = loss
        self._last_loss: Any = None
        # What is computed in every step.
        self._progress = [f"{global_step}:0", loss.name]
        self._feeds: PrefetchedFeeds | None = None
        self._prefetching: Prefetching | None = None
        if feed_fn is not None:
            self._feeds = PrefetchedFeeds(feed_fn, session)
            if jit_compile and prefetches_feeds is None:
                prefetches_feeds = False  # XLA would compile a window for each number of rows
            self._prefetching = Prefetching(session, self._feeds, prefetches_feeds)
        self._feed_dict: Mapping[Any, Any] | None = None
        self._run_context: tf.compat.v1.train.SessionRunContext | None = None
        self._windows = GraphWindows(
            session.lifted, self._operations, loss, global_step, is_fatal, jit_compile
        )
        self._windows_follow = False

    def close(self) -> None:
        self._windows.close()

    def global_step(self) -> int:
        with self._session.lifted.eager_mode():
            return int(self._session.lifted.variable(self.global_step_name).numpy())

    @property
    def shares_global_step(self) -> bool:
        """Returns whether other processes may raise the global step, too."""
        return bool(self._session.lifted.variable(self.global_step_name).is_shared)

    def epoch_logs(self) -> dict[str, Any]:
        return {} if self._last_loss is None else {"loss": float(self._last_loss)}

    def next_batch(self) -> dict[str, np.ndarray]:
        self._run_context = None
        if self._feeds is None:
            return self._windows.take_input()
        self._feed_dict, arrays = self._feeds.take()
        return arrays

    @property
    def run_context(self) -> tf.compat.v1.train.SessionRunContext:
        """Returns the context of the watched step that comes next or is on, which session hooks share."""
        if self._run_context is None:
            fetches = [*self._train_ops, self._loss]
            arguments = tf.compat.v1.train.SessionRunArgs(fetches, self._feed_dict)
            self._run_context = tf.compat.v1.train.SessionRunContext(arguments, self._session)
        return self._run_context

    def windows_follow(self) -> None:
        self._windows_follow = True

    def run_step(self, step: int, batch: Mapping[str, np.ndarray], requests: Iterable[Any]) -> Steps:
        feeds, fetches = self._separate(batch, requests)
        outputs = StepOutputs(self._session.graph, [*self._train_ops, self._loss, *fetches])
        names = dict.fromkeys([*self._progress, *outputs.tensors])
        operations = dict.fromkeys([*self._operations, *outputs.operations])
        if self._windows_follow and not feeds and self._is_worth_a_thread():
            self._session.lifted.function((), names, operations)  # in turn: both are made by Python
            self._windows.prepare()
        self._windows_follow = False
        return self._run_one(step, feeds, list(names), operations, outputs)

    def run_window(self, step: int, target_step: float, at_most: int) -> Steps:
        at_most = int(min(at_most, max(target_step - step, 1)))
        if self._loss.shape.num_elements() is None:
            return self._run_each(step, target_step, at_most)
        if self._prefetching is None:
            return self._run_together(step, target_step, at_most, {})
        began = time.perf_counter()
        if self._prefetching.is_worth_while(at_most):

            def run_block(feeds: Mapping[str, np.ndarray], number: int) -> tuple[Steps, int]:
                steps = self._run_together(step, target_step, number, feeds)
                return steps, len(steps)

            done = self._prefetching.run(at_most, run_block, lambda: not self.coordinator.should_stop())
            if done is None:
                return self._run_each(step, target_step, 1)
            return dataclasses.replace(done, seconds=time.perf_counter() - began)
        steps = self._run_each(step, target_step, at_most)
        self._prefetching.ran_singly(time.perf_counter() - began)
        return steps

    def sampler(self, every: int, requests: Iterable[Any]) -> Callable[[int, int], Steps] | None:
        if self._feeds is not None or self._windows.may_be_compiled:
            return None
        outputs = StepOutputs(self._session.graph, [*self._train_ops, self._loss, *requests])
        names = list(dict.fromkeys([self._loss.name, *outputs.tensors]))
        operations = list(dict.fromkeys([*self._operations, *outputs.operations]))
        window = self._windows.sampled(every, names, operations)
        return None if window is None else functools.partial(self._run_sampled, window, every, names, outputs)

    def stop_window(self) -> None:
        if self._feeds is None:  # a window of prefetched feeds is short, and none of them should be lost
            self._windows.stop()
        self._queue_runners.request_stop()  # a step may be waiting for input

    def waits_for(self) -> str | None:
        return awaited_input(self._session, [*self._operations, self._loss.name])

    def _run_sampled(
        self,
        window: SampledWindow,
        every: int,
        names: Sequence[str],
        outputs: StepOutputs,
        step: int,
        at_most: int,
    ) -> Steps:
        began = time.perf_counter()
        with self._session.lifted.eager_mode():
            losses, samples, error = window.run(at_most)
        if error is not None:
            self._session.lifted.explain(error)
        self._raise_failed_enqueue(error)
        seconds = time.perf_counter() - began
        losses = losses.astype(self._loss.dtype.as_numpy_dtype)
        numbers = step + 1 + np.arange(len(losses))
        steps = Steps(step, numbers, losses, seconds)
        columns = dict(zip(names, [losses[::every], *samples], strict=True))
        pieces = []
        for index, place in enumerate(range(0, len(steps), every)):
            values = {name: column[index] for name, column in columns.items()}
            pieces.append(steps.part(place, place + 1, outputs.filled(values)))
            pieces.append(steps.part(place + 1, place + every))
        return self._noted(Steps(step, numbers, losses, seconds, error=error, pieces=pieces))

    def _run_together(
        self, step: int, target_step: float, at_most: int, feeds: Mapping[str, np.ndarray]
    ) -> Steps:
        """Runs steps in one call, each with its row of the feeds."""
        began = time.perf_counter()
        numbers, losses, error = self._windows.run(step, target_step, at_most, feeds)
        self._raise_failed_enqueue(error)
        return self._noted(Steps(step, numbers, losses, time.perf_counter() - began, error=error))

    def _run_each(self, step: int, target_step: float, at_most: int) -> Steps:
        """Runs steps in calls of their own, each fed right before it runs."""
        deadline = time.perf_counter() + WINDOW_SECONDS
        start, error = step, None
        done: list[Steps] = []
        with self._session.lifted.eager_mode():
            while not done or (len(done) < at_most and self._continues(done[-1], target_step, deadline)):
                try:
                    done.append(self._run_one(step, self.next_batch(), self._progress, self._operations))
                except BaseException as end:  # raised by the loop, when the steps before have been told of
                    if not done:
                        raise
                    error = end
                    break
                step = done[-1].last
        numbers = np.concatenate([steps.numbers for steps in done])
        losses = np.concatenate([steps.losses for steps in done])
        return Steps(start, numbers, losses, sum(steps.seconds for steps in done), error=error)

    def _continues(self, last: Steps, target_step: float, deadline: float) -> bool:
        """Tells whether another step can follow before anybody is told of the last."""
        is_over = last.last >= target_step or time.perf_counter() >= deadline
        return bool(not is_over and not self.coordinator.should_stop() and np.isfinite(last.losses[0]))

    def _run_one(
        self,
        step: int,
        feeds: Mapping[str, np.ndarray],
        names: Sequence[str],
        operations: Iterable[str],
        outputs: StepOutputs | None = None,
    ) -> Steps:
        """Runs a step in a call of its own, which computes the tensors `names`."""
        began = time.perf_counter()
        try:
            values = dict(zip(names, self._session.compute(names, operations, feeds), strict=True))
        except tf.errors.OutOfRangeError as error:
            self._raise_failed_enqueue(error)
            raise
        seconds = time.perf_counter() - began
        if outputs is not None:
            outputs.fill(values)
        number, loss = (values[name] for name in self._progress)
        if np.size(number) != 1:
            raise NotRunError
        losses = np.array([self._one_number(loss)])
        numbers = np.array([number], np.int64).reshape(1)
        return self._noted(Steps(step, numbers, losses, seconds, outputs=outputs, logs={"loss": losses[0]}))

    def _separate(
        self, batch: Mapping[str, np.ndarray], requests: Iterable[Any]
    ) -> tuple[dict[str, np.ndarray], list[Any]]:
        """Returns what the step is fed, and what it is to compute.

        Raises:
            RuntimeError: A tensor is fed twice.
        """
        feeds, fetches = dict(batch), []
        for request in requests:
            if not isinstance(request, Feeds):
                fetches.append(request)
                continue
            added = self._session.feeds(request.feed_dict)
            conflicts = sorted(feeds.keys() & added)
            if conflicts:
                feeders = "a SessionRunHook and user" if batch.keys() & conflicts else "two hooks"
                raise RuntimeError(f"Same tensor is fed by {feeders}. Conflict(s): {', '.join(conflicts)}")
            feeds.update(added)
        return feeds, fetches

    def _noted(self, steps: Steps) -> Steps:
        """Keeps the last loss for the logs of the epoch."""
        if len(steps):
            self._last_loss = steps.losses[-1]
        return steps

    def _raise_failed_enqueue(self, error: tf.errors.OpError | None) -> None:
        """Raises why the input has ended, if an enqueue op has failed."""
        if isinstance(error, tf.errors.OutOfRangeError):
            self._queue_runners.raise_failure()

    def _one_number(self, loss: np.ndarray) -> Any:
        """Returns the loss as a NumPy scalar.

        Raises:
            ValueError: It is not one number.
        """
        if np.size(loss) != 1:
            raise ValueError(
                f"loss_op {self._loss.name!r} must be one number; it has shape {np.shape(loss)}."
                " Reduce it, for example by tf.reduce_mean."
            )
        return np.reshape(loss, ())[()]

    def _is_worth_a_thread(self) -> bool:
        """Tells whether to make the window beside a step: a large one, that needs no feeds and no XLA."""
        is_large = len(self._session.graph.get_operations()) > _LARGE_GRAPH
        return is_large and self._feeds is None and not self._windows.may_be_compiled
