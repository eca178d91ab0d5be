"""Evaluates checkpoints, one or each as it comes, by TensorFlow's own sessions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import framework
from keras_legacy_train.estimator import log

_KEYS = tf.compat.v1.GraphKeys
_tf_train = tf.compat.v1.train


def get_or_create_eval_step() -> Any:
    """Returns the variable that counts the batches of an evaluation.

    Stands for `tf.contrib.training.get_or_create_eval_step`.

    Returns:
        A local variable, an `int64` scalar, in the collection `EVAL_STEP`.

    Raises:
        ValueError: The graph has several.
    """
    found = tf.compat.v1.get_collection(_KEYS.EVAL_STEP)
    if len(found) > 1:
        raise ValueError("Multiple tensors added to tf.GraphKeys.EVAL_STEP")
    if found:
        return found[0]
    return tf.compat.v1.get_variable(
        "eval_step",
        shape=[],
        dtype=tf.int64,
        initializer=tf.compat.v1.zeros_initializer(),
        trainable=False,
        collections=[_KEYS.LOCAL_VARIABLES, _KEYS.EVAL_STEP],
    )


class StopAfterNEvalsHook(tf.compat.v1.train.SessionRunHook):
    """Stops an evaluation after so many batches; stands for `tf.contrib.training.StopAfterNEvalsHook`.

    Works in `evaluate_once` and `evaluate_repeatedly`.

    Args:
        num_evals: How many batches; `None` to go on until the input ends.
        log_progress: Whether lines such as `Evaluation [3/10]` are logged, about ten of them.
    """

    def __init__(self, num_evals: int | None, log_progress: bool = True):
        self._num_evals = num_evals
        self._log_every = 1 if num_evals is None or num_evals < 20 else num_evals // 10
        self._log_progress = log_progress
        self._evals_completed: tf.Tensor | None = None

    def watch(self, evals_completed: tf.Tensor) -> None:
        """Is told of the tensor that says how many batches there have been.

        Args:
            evals_completed: An integer scalar, computed after everything else that a batch runs.
        """
        self._evals_completed = evals_completed

    def before_run(self, run_context: Any) -> Any:
        """Asks for the number of batches."""
        return _tf_train.SessionRunArgs({"evals_completed": self._evals_completed})

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Logs the number of batches, and asks to stop at the last."""
        done, limit = run_values.results["evals_completed"], self._num_evals
        if self._log_progress and limit is None:
            log.info("Evaluation [%d]", done)
        elif self._log_progress and (done % self._log_every == 0 or done == limit):
            log.info("Evaluation [%d/%d]", done, limit)
        if limit is not None and done >= limit:
            run_context.request_stop()


class SummaryAtEndHook(tf.compat.v1.train.SessionRunHook):
    """Writes summaries when an evaluation has ended; stands for `tf.contrib.training.SummaryAtEndHook`.

    Args:
        log_dir: Where the event file is written.
        summary_writer: Writes it; by default one for `log_dir`.
        summary_op: The summaries; by default all of the graph.
        feed_dict: Fed to `summary_op`.

    Raises:
        ValueError: Neither `log_dir` nor `summary_writer` is given.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        summary_writer: Any = None,
        summary_op: Any = None,
        feed_dict: Mapping[Any, Any] | None = None,
    ):
        if log_dir is None and summary_writer is None:
            raise ValueError("One of log_dir or summary_writer should be used.")
        self._log_dir = None if log_dir is None else os.fspath(log_dir)
        self._summary_writer = summary_writer
        self._given_op = summary_op
        self._summary_op: Any = None
        self._feed_dict = feed_dict

    def begin(self) -> None:
        """Finds the summaries and the global step."""
        self._summary_op = tf.compat.v1.summary.merge_all() if self._given_op is None else self._given_op
        self._global_step = framework.get_or_create_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Opens the event file."""
        if self._summary_writer is None:
            self._summary_writer = tf.compat.v1.summary.FileWriterCache.get(self._log_dir)

    def end(self, session: Any) -> None:
        """Writes the summaries at the global step."""
        if self._summary_op is not None:
            step = _tf_train.global_step(session, self._global_step)
            self._summary_writer.add_summary(session.run(self._summary_op, self._feed_dict), step)
        self._summary_writer.flush()


def _with_eval_step(eval_ops: Any, hooks: Sequence[Any]) -> Any:
    """Returns the ops of a batch with one that counts it, of which hooks are told."""
    eval_step = get_or_create_eval_step()
    update = tf.compat.v1.assign_add(eval_step, 1)
    if isinstance(eval_ops, dict):
        eval_ops = {**eval_ops, "update_eval_step": update}
    elif isinstance(eval_ops, (tuple, list)):
        eval_ops = [*eval_ops, update]
    else:
        eval_ops = [eval_ops, update]
    with tf.control_dependencies(tf.nest.flatten(eval_ops)):
        evals_completed = tf.identity(eval_step.read_value())
    for hook in hooks:
        if isinstance(hook, StopAfterNEvalsHook):
            hook.watch(evals_completed)
    return eval_ops


def _evaluate(creator: Any, eval_ops: Any, feed_dict: Mapping[Any, Any] | None, hooks: Sequence[Any]) -> None:
    """Runs the batches of one evaluation."""
    log.info("Starting evaluation at %s", time.strftime("%Y-%m-%d-%H:%M:%S", time.gmtime()))
    with _tf_train.MonitoredSession(session_creator=creator, hooks=hooks) as session:
        if eval_ops is not None:
            while not session.should_stop():
                session.run(eval_ops, feed_dict)
    log.info("Finished evaluation at %s", time.strftime("%Y-%m-%d-%H:%M:%S", time.gmtime()))


def evaluate_once(
    checkpoint_path: str | os.PathLike[str],
    master: str = "",
    scaffold: Any = None,
    eval_ops: Any = None,
    feed_dict: Mapping[Any, Any] | None = None,
    final_ops: Any = None,
    final_ops_feed_dict: Mapping[Any, Any] | None = None,
    hooks: Sequence[Any] | None = None,
    config: Any = None,
) -> Any:
    """Evaluates a checkpoint; stands for `tf.contrib.training.evaluate_once`.

    Runs `eval_ops` until a hook asks to stop or the input ends, then `final_ops` once.

    Args:
        checkpoint_path: The checkpoint.
        master: The TensorFlow master.
        scaffold: A `tf.compat.v1.train.Scaffold`, which says how the graph begins and what is restored.
        eval_ops: What runs for each batch: an op or tensor, or a list or dict of them; `None` for no batch.
        feed_dict: Fed to `eval_ops`.
        final_ops: What runs at the end.
        final_ops_feed_dict: Fed to `final_ops`.
        hooks: Session hooks, a `StopAfterNEvalsHook` for example.
        config: A `ConfigProto`.

    Returns:
        The values of `final_ops`, `None` without them.
    """
    hooks = list(hooks or [])
    get_or_create_eval_step()
    if eval_ops is not None:
        eval_ops = _with_eval_step(eval_ops, hooks)
    final = _tf_train.FinalOpsHook(final_ops, final_ops_feed_dict)
    creator = _tf_train.ChiefSessionCreator(
        scaffold=scaffold,
        checkpoint_filename_with_path=os.fspath(checkpoint_path),
        master=master,
        config=config,
    )
    _evaluate(creator, eval_ops, feed_dict, [*hooks, final])
    return final.final_ops_values


def evaluate_repeatedly(
    checkpoint_dir: str | os.PathLike[str],
    master: str = "",
    scaffold: Any = None,
    eval_ops: Any = None,
    feed_dict: Mapping[Any, Any] | None = None,
    final_ops: Any = None,
    final_ops_feed_dict: Mapping[Any, Any] | None = None,
    eval_interval_secs: float = 60,
    hooks: Sequence[Any] | None = None,
    config: Any = None,
    max_number_of_evaluations: int | None = None,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Any:
    """Evaluates each new checkpoint of a directory; stands for `tf.contrib.training.evaluate_repeatedly`.

    Args:
        checkpoint_dir: Where checkpoints are written.
        master: See `evaluate_once`.
        scaffold: See `evaluate_once`.
        eval_ops: See `evaluate_once`.
        feed_dict: See `evaluate_once`.
        final_ops: See `evaluate_once`.
        final_ops_feed_dict: See `evaluate_once`.
        eval_interval_secs: Seconds from the beginning of one evaluation to that of the next, at least.
        hooks: See `evaluate_once`.
        config: See `evaluate_once`.
        max_number_of_evaluations: How many; `None` for no limit.
        timeout: Seconds to wait for a checkpoint; `None` for no limit.
        timeout_fn: Called when they are over; says whether there will be no more checkpoints. By default
            there will be none.

    Returns:
        The values of `final_ops` in the last evaluation; `None` without them, or without an evaluation.
    """
    hooks = list(hooks or [])
    get_or_create_eval_step()
    if eval_ops is not None:
        eval_ops = _with_eval_step(eval_ops, hooks)
    final = _tf_train.FinalOpsHook(final_ops, final_ops_feed_dict)
    paths = checkpoints_iterator(checkpoint_dir, eval_interval_secs, timeout, timeout_fn)
    for number, path in enumerate(paths, start=1):
        creator = _tf_train.ChiefSessionCreator(
            scaffold=scaffold, checkpoint_filename_with_path=path, master=master, config=config
        )
        _evaluate(creator, eval_ops, feed_dict, [*hooks, final])
        if max_number_of_evaluations is not None and number >= max_number_of_evaluations:
            break
    return final.final_ops_values


def wait_for_new_checkpoint(
    checkpoint_dir: str | os.PathLike[str],
    last_checkpoint: str | None = None,
    seconds_to_sleep: float = 1,
    timeout: float | None = None,
) -> str | None:
    """Waits for a checkpoint; stands for `tf.contrib.training.wait_for_new_checkpoint`.

    Args:
        checkpoint_dir: Where checkpoints are written.
        last_checkpoint: The one that is known already.
        seconds_to_sleep: Seconds from one look to the next.
        timeout: Seconds to wait; `None` for no limit.

    Returns:
        The newest checkpoint, `None` if there was no other in time.
    """
    log.info("Waiting for new checkpoint at %s", checkpoint_dir)
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        newest: str | None = tf.train.latest_checkpoint(os.fspath(checkpoint_dir))
        if newest is not None and newest != last_checkpoint:
            log.info("Found new checkpoint at %s", newest)
            return newest
        if end is not None and time.monotonic() + seconds_to_sleep > end:
            return None
        time.sleep(seconds_to_sleep)


def checkpoints_iterator(
    checkpoint_dir: str | os.PathLike[str],
    min_interval_secs: float = 0,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:
    """Yields checkpoints as they come; stands for `tf.contrib.training.checkpoints_iterator`.

    Only the newest is yielded: those that come and go meanwhile are not.

    Args:
        checkpoint_dir: Where checkpoints are written.
        min_interval_secs: Seconds from one to the next, at least.
        timeout: Seconds to wait for a checkpoint; `None` for no limit.
        timeout_fn: Called when they are over; says whether there will be no more checkpoints. By default
            there will be none.
    """
    path: str | None = None
    while True:
        newest = wait_for_new_checkpoint(checkpoint_dir, path, timeout=timeout)
        if newest is None:
            if timeout_fn is None:
                log.info("Timed-out waiting for a checkpoint.")
            if timeout_fn is None or timeout_fn():
                return
            continue
        begin, path = time.monotonic(), newest
        yield path
        time.sleep(max(0.0, begin + min_interval_secs - time.monotonic()))
