"""A step that is a part of a TF 1 graph."""

from __future__ import annotations

import concurrent.futures
import functools
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph import xla
from keras_legacy_train.graph.awaited_input import awaited_input
from keras_legacy_train.graph.garbage import collector_paused
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.base import WINDOW_SECONDS, Feeds, Steps
from keras_legacy_train.programs.feeds_ahead import FeedsAhead
from keras_legacy_train.programs.outputs import StepOutputs
from keras_legacy_train.programs.sampled_window import SampledWindow
from keras_legacy_train.programs.window import NotRunError, Window

_LOGGER = logging.getLogger("keras_legacy_train")

# Of so many operations TensorFlow takes a second to make a function.
_LARGE_GRAPH = 2_000


class GraphProgram:
    """Runs `train_op` of a lifted graph, singly or in windows.

    Args:
        session: The lifted graph's session stand-in.
        queue_runners: What fills the graph's queues.
        train_ops: What one step runs: operations or tensors.
        loss: The loss, a tensor that holds one number.
        global_step: Name of the variable that counts the steps.
        feed_fn: Called before each step; returns the step's `feed_dict`.
        feeds_ahead: Whether `feed_fn` is called ahead for all steps of a window. If not, each step is a call
            of its own.
        is_fatal: Tells of a loss (a float64 scalar tensor) whether a window must end at it.
        jit_compile: Whether windows are compiled by XLA; `"auto"` for where that works and computes the same.
    """

    MAX_WINDOW = Window.MAX_STEPS

    def __init__(
        self,
        session: GraphSession,
        queue_runners: QueueRunners,
        train_ops: Sequence[tf.Operation | tf.Tensor],
        loss: tf.Tensor,
        global_step: str,
        *,
        feed_fn: Callable[[], Mapping[Any, Any]] | None = None,
        feeds_ahead: bool = False,
        is_fatal: Callable[[tf.Tensor], tf.Tensor] = tf.math.is_nan,
        jit_compile: bool | Literal["auto"] = False,
    ):
        self.global_step_name = global_step
        self._session = session
        self._queue_runners = queue_runners
        self._train_ops = list(train_ops)
        names = (op.op.name if isinstance(op, tf.Tensor) else op.name for op in train_ops)
        self._operations = list(dict.fromkeys(names))
        self._loss = loss
        self._global_step = f"{global_step}:0"
        # What is computed in every step.
        self._progress = [self._global_step, loss.name]
        self._feeds = None if feed_fn is None else FeedsAhead(self._in_session(feed_fn), session.feeds)
        self._feeds_ahead = feeds_ahead
        self._feed_dict: Mapping[Any, Any] | None = None
        self._is_fatal = is_fatal
        self._jit_compile = jit_compile
        self._last_loss: Any = None
        self._can_record_loss = loss.shape.num_elements() is not None
        self._stop = tf.Variable(False, trainable=False)
        self._no_end = tf.constant(np.inf, tf.float64)
        self._windows: dict[tuple[Any, ...], tuple[Window, bool]] = {}
        self._sampled_windows: dict[tuple[Any, ...], SampledWindow | None] = {}
        self._windows_follow = False
        self._executor: concurrent.futures.ThreadPoolExecutor | None = None
        self._coming_window: concurrent.futures.Future[tuple[Window, bool]] | None = None
        self.global_step()

    def close(self) -> None:
        """Waits for the thread that is making a window, if there is one."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def global_step(self) -> int:
        with _tensorflow.eager_mode():
            self._step = int(self._session.lifted.variable(self.global_step_name).numpy())
        return self._step

    def begin_epoch(self) -> None:
        pass  # a graph's input goes on until it ends for good

    def epoch_logs(self) -> dict[str, Any]:
        return {} if self._last_loss is None else {"loss": float(self._last_loss)}

    def next_batch(self) -> dict[str, np.ndarray]:
        if self._feeds is None:
            return {}
        self._feed_dict, arrays = self._feeds.take()
        return arrays

    def run_args(self) -> tf.compat.v1.train.SessionRunArgs:
        """What the next step runs and is fed of its own accord, as a Session would be told."""
        return tf.compat.v1.train.SessionRunArgs([*self._train_ops, self._loss], self._feed_dict)

    def windows_follow(self) -> None:
        self._windows_follow = True

    def run_step(self, batch: Mapping[str, np.ndarray], requests: Iterable[Any]) -> Steps:
        feeds, fetches = self._separate(batch, requests)
        outputs = StepOutputs(self._session.graph, [*self._train_ops, self._loss, *fetches])
        names = dict.fromkeys([*self._progress, *outputs.tensors])
        operations = dict.fromkeys([*self._operations, *outputs.operations])
        if self._windows_follow and not feeds and self._is_worth_a_thread():
            self._session.lifted.function((), names, operations)  # in turn: both are made by Python
            self._executor = concurrent.futures.ThreadPoolExecutor(1)
            self._coming_window = self._executor.submit(self._make_warm_window)
        self._windows_follow = False
        return self._run_one(feeds, list(names), operations, outputs)

    def run_window(self, until: float, at_most: int) -> Steps:
        began = time.perf_counter()
        at_most = int(min(at_most, max(until - self._step, 1)))
        feeds: dict[str, np.ndarray] = {}
        if self._feeds is not None and self._feeds_ahead:
            feeds = self._feeds.block(at_most)
            at_most = max(map(len, feeds.values()), default=1)
        if (self._feeds is not None and not feeds) or not self._can_record_loss:
            return self._run_each(until, at_most)
        numbers, losses, error = self._run_window(until, at_most, feeds)
        if self._feeds is not None:
            self._feeds.drop(len(losses))
        if isinstance(error, tf.errors.OutOfRangeError):
            self._queue_runners.raise_failure()
        seconds = time.perf_counter() - began
        return self._steps(numbers, losses, seconds, error=error)

    def sampler(self, every: int, requests: Iterable[Any]) -> Callable[[int], Steps] | None:
        if self._feeds is not None or self._jit_compile:
            return None
        outputs = StepOutputs(self._session.graph, [*self._train_ops, self._loss, *requests])
        names = tuple(dict.fromkeys([self._loss.name, *outputs.tensors]))
        operations = tuple(dict.fromkeys([*self._operations, *outputs.operations]))
        key = every, names, operations
        if key not in self._sampled_windows:
            self._sampled_windows[key] = self._make_sampled_window(*key)
        window = self._sampled_windows[key]
        return None if window is None else functools.partial(self._run_sampled, window, every, names, outputs)

    def _run_sampled(
        self, window: SampledWindow, every: int, names: Sequence[str], outputs: StepOutputs, at_most: int
    ) -> Steps:
        began = time.perf_counter()
        with self._session.lifted.eager_mode():
            losses, samples, error = window.run(at_most)
        if isinstance(error, tf.errors.OutOfRangeError):
            self._queue_runners.raise_failure()
        seconds = time.perf_counter() - began
        losses = losses.astype(self._loss.dtype.as_numpy_dtype)
        steps = Steps(self._step, self._step + 1 + np.arange(len(losses)), losses, seconds)
        columns = dict(zip(names, [losses[::every], *samples], strict=True))
        pieces = []
        for index, place in enumerate(range(0, len(steps), every)):
            values = {name: column[index] for name, column in columns.items()}
            pieces.append(steps.part(place, place + 1, outputs.filled(values)))
            pieces.append(steps.part(place + 1, place + every))
        return self._steps(steps.numbers, losses, seconds, error=error, pieces=pieces)

    def _run_each(self, until: float, at_most: int) -> Steps:
        """Steps in calls of their own, each fed right before it runs."""
        deadline = time.perf_counter() + WINDOW_SECONDS
        start, error = self._step, None
        done: list[Steps] = []
        with self._session.lifted.eager_mode():
            while not done or (len(done) < at_most and self._goes_on(done[-1], until, deadline)):
                try:
                    done.append(self._run_one(self.next_batch(), self._progress, self._operations))
                except BaseException as end:  # raised by the loop, when the steps before have been told of
                    if not done:
                        raise
                    error = end
                    break
        numbers = np.concatenate([steps.numbers for steps in done])
        losses = np.concatenate([steps.losses for steps in done])
        return Steps(start, numbers, losses, sum(steps.seconds for steps in done), error=error)

    def _goes_on(self, last: Steps, until: float, deadline: float) -> bool:
        """Whether another step can follow before anybody is told of the last."""
        is_over = last.last >= until or time.perf_counter() >= deadline
        must_stop = self._queue_runners.coordinator.should_stop()
        return bool(not is_over and not must_stop and np.isfinite(last.losses[0]))

    def stop_window(self) -> None:
        with _tensorflow.eager_mode():
            self._stop.assign(True)
        self._queue_runners.request_stop()  # a step may be waiting for input

    def waits_for(self) -> str | None:
        return awaited_input(self._session, [*self._operations, self._loss.name])

    def _run_window(
        self, until: float, at_most: int, feeds: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, tf.errors.OpError | None]:
        """The steps' numbers and losses, and the error that ended the window, if one did."""
        with self._session.lifted.eager_mode():
            window, is_counted = self._window(feeds)
            # Nobody asks a window that is counted for its end, and to make a tensor takes its time.
            end = self._no_end if is_counted else tf.constant(until, tf.float64)
            (*numbers, losses), error = window.run(at_most, end, *map(tf.constant, feeds.values()))
        if self._jit_compile and isinstance(error, tf.errors.InvalidArgumentError):
            message = error.message.partition("{")[0]
            if self._jit_compile != "auto":
                raise ValueError(
                    "jit_compile=True, but XLA cannot compile or run this step; no variable has changed."
                    f" Pass jit_compile='auto' or False. {message}"
                ) from error
            _LOGGER.info("XLA cannot compile this step; it is run as it is. %s", message)
            self._jit_compile = False
            self._windows.clear()
            return self._run_window(until, at_most, feeds)
        steps = self._step + 1 + np.arange(len(losses)) if is_counted else numbers[0]
        return steps.astype(np.int64), losses.astype(self._loss.dtype.as_numpy_dtype), error

    def _run_one(
        self,
        feeds: Mapping[str, np.ndarray],
        names: Sequence[str],
        operations: Iterable[str],
        outputs: StepOutputs | None = None,
    ) -> Steps:
        """A step in a call of its own, which computes the tensors `names`."""
        began = time.perf_counter()
        try:
            values = dict(zip(names, self._session.compute(names, operations, feeds), strict=True))
        except tf.errors.OutOfRangeError:
            self._queue_runners.raise_failure()
            raise
        seconds = time.perf_counter() - began
        if outputs is not None:
            outputs.fill(values)
        if np.size(values[self._global_step]) != 1:
            raise NotRunError
        numbers = np.array([values[self._global_step]], np.int64)
        losses = np.array([self._one_number(values[self._loss.name])])
        logs = {"loss": losses[0]}
        return self._steps(numbers, losses, seconds, outputs=outputs, logs=logs)

    def _separate(
        self, batch: Mapping[str, np.ndarray], requests: Iterable[Any]
    ) -> tuple[dict[str, np.ndarray], list[Any]]:
        """What the step is fed, and what is to be computed."""
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

    def _steps(self, numbers: np.ndarray, losses: np.ndarray, seconds: float, **more: Any) -> Steps:
        steps = Steps(self._step, numbers, losses, seconds, **more)
        if len(steps):
            self._step, self._last_loss = steps.last, losses[-1]
        return steps

    def _one_number(self, loss: np.ndarray) -> Any:
        if np.size(loss) != 1:
            raise ValueError(
                f"loss_op {self._loss.name!r} must be one number; it has shape {np.shape(loss)}."
                " Reduce it, for example by tf.reduce_mean."
            )
        return np.reshape(loss, ())[()]

    def _in_session(self, feed_fn: Callable[[], Mapping[Any, Any]]) -> Callable[[], Mapping[Any, Any]]:
        def call() -> Mapping[Any, Any]:
            with self._session.as_default():
                return feed_fn()

        return call

    def _window(self, feeds: Mapping[str, np.ndarray]) -> tuple[Window, bool]:
        """The window of steps that are fed such arrays, one row of each a step; see `_make_window`."""
        specs = {
            name: tf.TensorSpec([None] * array.ndim, array.dtype if array.dtype != object else tf.string)
            for name, array in feeds.items()
        }
        key = tuple(specs.items())
        if key not in self._windows:
            coming, self._coming_window = self._coming_window, None
            self._windows[key] = self._make_window(specs) if coming is None else coming.result()
        return self._windows[key]

    def _is_worth_a_thread(self) -> bool:
        """Whether to make the window beside a step: a large one, that needs no feeds and no XLA."""
        is_large = len(self._session.graph.get_operations()) > _LARGE_GRAPH
        return is_large and self._feeds is None and not self._jit_compile

    def _make_warm_window(self) -> tuple[Window, bool]:
        with self._session.lifted.eager_mode():
            window, is_counted = self._make_window({})
            window.warm_up(self._no_end)
        return window, is_counted

    @collector_paused()
    def _make_window(self, specs: Mapping[str, tf.TensorSpec]) -> tuple[Window, bool]:
        """The window, and whether it is counted: each of its steps is certain to raise the global step by
        one. If not, it records the global step of each, and ends by itself where it is told to.
        """
        lifted = self._session.lifted
        part = lifted.part(specs, [self._loss.name], self._operations)
        is_counted = part.raises_by_one(lifted.variable(self.global_step_name))
        if not is_counted:
            part = lifted.part(specs, self._progress, self._operations)
        if self._jit_compile == "auto":
            reason = xla.obstacle(part)
            if reason is not None:
                _LOGGER.info("XLA does not compile this step: %s.", reason)
                self._jit_compile = False

        dtype = self._loss_dtype

        def run_step(until: tf.Tensor, *feeds: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
            (*step, loss), _ = part.build(feeds)
            must_end = self._must_end(loss)
            if not is_counted:
                must_end |= tf.cast(step[0], tf.float64) >= until
            return [*step, loss], tf.reshape(must_end, [])

        window = Window(
            run_step,
            [dtype] if is_counted else [tf.float64, dtype],
            inputs=[tf.TensorSpec([], tf.float64)],
            rows=list(specs.values()),
            is_ordered=True,
            jit_compile=bool(self._jit_compile),
        )
        return window, is_counted

    def _make_sampled_window(
        self, every: int, names: Sequence[str], operations: Sequence[str]
    ) -> SampledWindow | None:
        """See `sampler`; `None` if a sample is more than a number or a string, or steps are not certain to
        raise the global step by one.
        """
        lifted = self._session.lifted
        plain = lifted.part((), [self._loss.name], self._operations)
        sampled = lifted.part((), names, operations)
        specs = [lifted.spec(name) for name in names]
        step = lifted.variable(self.global_step_name)
        if any(spec.shape.rank != 0 or spec.dtype == tf.variant for spec in specs):
            return None
        if not (plain.raises_by_one(step) and sampled.raises_by_one(step)):
            return None

        def run_step() -> tuple[tf.Tensor, tf.Tensor]:
            (loss,), _ = plain.build(())
            return loss, self._must_end(loss)

        def run_sampled_step() -> tuple[list[tf.Tensor], tf.Tensor]:
            values, _ = sampled.build(())
            return values, self._must_end(values[0])

        dtypes = [self._loss_dtype, *(spec.dtype for spec in specs[1:])]
        with lifted.eager_mode():
            return SampledWindow(run_step, run_sampled_step, every, dtypes)

    @property
    def _loss_dtype(self) -> tf.DType:
        """In what windows keep the loss."""
        return tf.float32 if self._loss.dtype.base_dtype == tf.float32 else tf.float64

    def _must_end(self, loss: tf.Tensor) -> tf.Tensor:
        """Whether a window must end after a step with such a loss."""
        with tf.control_dependencies([loss]):  # a signal may come while the step waits for input
            must_stop = self._stop.read_value()
        return self._is_fatal(tf.cast(loss, self._loss_dtype)) | must_stop
