"""Evaluates graphs without training them: `evaluate`.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train import evaluate, infer, train

with tf.Graph().as_default() as graph:
    x = tf.placeholder_with_default(2.0, [])
    y = tf.get_variable("weight", []) * x
    loss = tf.square(y - 6.0)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    train_op = optimizer.minimize(loss, global_step=tf.train.create_global_step())
train(graph, output_dir, train_op, loss, max_steps=100)

results, step = evaluate(graph, f"{output_dir}/eval", output_dir, {"loss": loss}, max_steps=1)
outputs = infer(output_dir, {"y": y}, {x: 10.0})
```
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.checkpoints.lookup import optional_checkpoint_prefix
from keras_legacy_train.graph import arguments as graph_arguments
from keras_legacy_train.graph.awaited_input import awaited_input
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.interrupts import watched_calls
from keras_legacy_train.loop.schedule import EveryNSteps
from keras_legacy_train.programs.graph_state import restore_or_initialize
from keras_legacy_train.programs.output_runs import OutputRuns, names_of_tensors
from keras_legacy_train.programs.prefetched_feeds import PrefetchedFeeds, Prefetching
from keras_legacy_train.programs.update_windows import UpdateWindows
from keras_legacy_train.programs.window import Window
from keras_legacy_train.programs.window_size import WindowSize
from keras_legacy_train.summaries import get_summary_writer
from keras_legacy_train.types import FeedDict, FeedFn, Fetch, Fetches, PathLike

_LOGGER = logging.getLogger("keras_legacy_train")


def evaluate(
    graph: tf.Graph | PathLike,
    output_dir: PathLike,
    checkpoint_path: PathLike | None,
    eval_dict: Mapping[str, Fetch],
    update_op: Fetches | None = None,
    global_step_tensor: Fetch | None = None,
    supervisor_master: str = "",
    log_every_steps: int | None = 10,
    feed_fn: FeedFn | None = None,
    max_steps: int | None = None,
) -> tuple[dict[str, Any] | None, Any]:
    """Evaluates a graph; stands for `tf.contrib.learn.evaluate`.

    Each step runs `update_op`, or computes `eval_dict` if there is no `update_op`. The evaluation ends after
    `max_steps`, or earlier if the input ends. It writes one summary with the results to `output_dir`, and no
    checkpoint. Many steps run in one call; `feed_fn` is called ahead where it cannot tell.

    Args:
        graph: The graph, or the path of a `.meta` file. With a path everything below is given by name.
        output_dir: Directory of the summary. Created if missing.
        checkpoint_path: The checkpoint to evaluate, or a directory, whose newest one is taken. `None`
            evaluates the initial values.
        eval_dict: The tensors of the results, by tag. With an `update_op` they are computed whenever results
            are logged and after the last step, else in each step.
        update_op: What each step runs: an operation, a tensor, or any structure of them.
        global_step_tensor: The integer variable that counts training steps; by default the graph's own.
        supervisor_master: `""` or `"local"`.
        log_every_steps: Steps from one line of results in the log to the next; `None` for no lines.
        feed_fn: Returns the `feed_dict` of the next step. If it raises `StopIteration`, the evaluation ends.
        max_steps: Number of steps to run; `None` to run until the input ends.

    Returns:
        The last results, a dict from tags to NumPy values, and the global step of the checkpoint, a NumPy
        integer. The results are `None` if the input ended before the first step.

    Raises:
        ValueError, TypeError, FileNotFoundError: An argument is invalid, or there is no such checkpoint.
        CheckpointMismatchError: The checkpoint does not fit the graph.
        DamagedCheckpointError: There are checkpoints in the directory, and none of them can be read.
        NotInitializedError: Variables are left without a value.
        Exception: `feed_fn` or an op of the graph raised it.
    """
    output_dir = arguments.as_output_dir(output_dir)
    max_steps = arguments.as_steps("max_steps", max_steps)
    log_every_steps = arguments.as_optional_interval("log_every_steps", log_every_steps)
    arguments.check_master(supervisor_master)
    arguments.check_callable("feed_fn", feed_fn)
    graph = graph_arguments.as_graph(graph)
    global_step = f"{graph_arguments.as_global_step(graph, global_step_tensor)}:0"
    graph_arguments.check_fetches("eval_dict", graph, eval_dict)
    if not eval_dict and update_op is None:
        raise ValueError("eval_dict is empty and there is no update_op, so there is nothing to run.")
    update_ops = None if update_op is None else graph_arguments.as_elements("update_op", graph, update_op)
    checkpoint = optional_checkpoint_prefix("checkpoint_path", checkpoint_path)

    with _tensorflow.eager_mode(), contextlib.ExitStack() as watching:
        session = GraphSession(LiftedGraph(graph))
        begin_step = watching.enter_context(
            watched_calls(lambda: awaited_input(session, _names(update_ops or ())))
        )
        restore_or_initialize(session, checkpoint)
        (trained_steps,) = session.compute([global_step])
        with QueueRunners(session) as queue_runners:
            evaluation = _Evaluation(session, queue_runners, eval_dict, update_ops, feed_fn, begin_step)
            limit = math.inf if max_steps is None else max_steps
            _LOGGER.info("Eval steps [0,%s) for training step %d.", limit, trained_steps)
            evaluation.run(limit, log_every_steps)
        if evaluation.results is None:
            _LOGGER.warning("No step has run, so there are no results, and no summary is written.")
        else:
            _write_summary(output_dir, evaluation.results, int(trained_steps))
    return evaluation.results, trained_steps


class _Evaluation:
    """Runs the steps of an evaluation.

    Attributes:
        results: The values of `eval_dict` when it was last computed; `None` before.
        done: Number of steps that have run.
    """

    def __init__(
        self,
        session: GraphSession,
        queue_runners: QueueRunners,
        eval_dict: Mapping[str, Any],
        update_ops: Sequence[tf.Operation | tf.Tensor] | None,
        feed_fn: FeedFn | None,
        begin_step: Callable[[], None],
    ):
        self.results: dict[str, Any] | None = None
        self.done = 0
        self._session = session
        self._queue_runners = queue_runners
        self._eval_dict = eval_dict
        self._update_ops = update_ops
        self._begin_step = begin_step
        self._feed_dict: FeedDict | None = None
        self._results_are_outdated = True
        self._updates: UpdateWindows | None = None
        if update_ops is not None:
            self._updates = UpdateWindows(session, _names(update_ops))
        names = names_of_tensors(session.graph, eval_dict)
        self._outputs = None if names is None else OutputRuns(session, names)
        self._feeds: PrefetchedFeeds | None = None
        self._prefetching: Prefetching | None = None
        if feed_fn is not None:
            self._feeds = PrefetchedFeeds(feed_fn, session)
            can_run_together = self._updates is not None or self._outputs is not None
            self._prefetching = Prefetching(session, self._feeds, None if can_run_together else False)
        self._size = WindowSize(Window.MAX_STEPS)

    def run(self, limit: float, log_every_steps: int | None) -> None:
        """Runs `limit` steps, or fewer if the input ends; then computes the results if they are outdated."""
        with self._ends_at_end_of_input(limit):
            self._run_steps(limit, log_every_steps)
        has_feeds = self._feeds is None or self.done > 0
        if self._results_are_outdated and has_feeds:
            with self._ends_at_end_of_input(limit):
                self._evaluate()

    def _run_steps(self, limit: float, log_every_steps: int | None) -> None:
        log = None if log_every_steps is None else EveryNSteps(log_every_steps, last=0)
        logged_at, logged = 0, time.perf_counter()
        while self.done < limit:
            self._begin_step()
            self._run_until(limit if log is None else min(limit, log.next_step()))
            if log is None or not log.fires(self.done):
                continue
            if self._results_are_outdated:
                self._evaluate()
            now = time.perf_counter()
            seconds = (now - logged) / (self.done - logged_at)
            results = _format_results(self.results or {})
            _LOGGER.info("Results after %d steps (%.3f sec/batch): %s.", self.done, seconds, results)
            logged_at, logged = self.done, now

    def _run_until(self, target_step: float) -> None:
        """Runs one step, or many where that is possible, but never past `target_step`."""
        began, done = time.perf_counter(), self.done
        at_most = int(min(target_step - done, self._size()))
        if self._feeds is None or self._prefetching is None:
            self._run_together({}, at_most)
        elif not (
            self._prefetching.is_worth_while(at_most) and self._prefetching.run(at_most, self._run_together)
        ):
            # As arrays: if feed_fn was called ahead, it may have written other values into its own since.
            _, self._feed_dict = self._feeds.take()
            self._run_one()
            self._prefetching.ran_singly(time.perf_counter() - began)
        self._size.took(self.done - done, time.perf_counter() - began)

    def _run_one(self) -> None:
        if self._update_ops is None:
            self._evaluate()
        else:
            self._session.run(self._update_ops, self._feed_dict)
            self._results_are_outdated = True
        self.done += 1

    def _run_together(self, feeds: Mapping[str, np.ndarray], at_most: int) -> tuple[bool, int]:
        """Runs steps in one call, each with its row of the feeds.

        Returns:
            `True`, and how many have run.
        """
        error: tf.errors.OpError | None = None
        steps = 1
        if self._updates is not None:
            steps, error = self._updates.run(at_most, feeds)
            self._results_are_outdated |= steps > 0
        elif self._outputs is not None:
            steps, error = self._run_outputs(self._outputs, at_most, feeds)
        else:  # there are no feeds
            self._evaluate()
        self.done += steps
        if feeds and steps:
            self._feed_dict = {name: rows[steps - 1] for name, rows in feeds.items()}
        if error is not None:
            raise error
        return True, steps

    def _run_outputs(
        self, outputs: OutputRuns, at_most: int, feeds: Mapping[str, np.ndarray]
    ) -> tuple[int, tf.errors.OpError | None]:
        """Computes the results in each step, until all feeds are used: `feed_fn` may look at them."""
        steps = 0
        while True:
            rows = {name: array[steps:] for name, array in feeds.items()}
            runs, error = outputs.run(at_most - steps, rows)
            steps += len(runs)
            if runs:
                self.results, self._results_are_outdated = runs[-1], False
            if not (feeds and runs) or error is not None or steps == at_most:
                return steps, error

    def _evaluate(self) -> None:
        self.results = self._session.run(self._eval_dict, self._feed_dict)
        self._results_are_outdated = False

    @contextlib.contextmanager
    def _ends_at_end_of_input(self, limit: float) -> Iterator[None]:
        """Ends the evaluation where the input ends; logs a warning if that is before `limit`."""
        level = logging.INFO if limit == math.inf else logging.WARNING
        try:
            yield
        except tf.errors.OutOfRangeError:
            self._queue_runners.raise_failure()
            _LOGGER.log(level, "Input queue is exhausted after %d steps.", self.done)
        except StopIteration:
            _LOGGER.log(level, "Input iterator is exhausted after %d steps.", self.done)


def _names(elements: Sequence[tf.Operation | tf.Tensor]) -> list[str]:
    return [element.op.name if isinstance(element, tf.Tensor) else element.name for element in elements]


def _format_results(results: Mapping[str, Any]) -> str:
    return ", ".join(f"{tag} = {value}" for tag, value in sorted(results.items()))


def _write_summary(output_dir: str, results: Mapping[str, Any], step: int) -> None:
    _LOGGER.info("Saving evaluation summary for step %d: %s", step, _format_results(results))
    summary = tf.compat.v1.Summary()
    for tag, value in results.items():
        if value is None:  # An operation has no value.
            continue
        if np.ndim(value) == 0 and isinstance(value, (int, float, np.number)):
            summary.value.add(tag=tag, simple_value=float(value))
        else:
            _LOGGER.warning("Skipping summary for %s, must be a number.", tag)
    writer = get_summary_writer(output_dir)
    writer.add_summary(summary, step)
    writer.flush()
