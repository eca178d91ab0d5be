"""Evaluates checkpoints; stands for `tf.contrib.slim.evaluation`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.training import evaluation
from keras_legacy_train.contrib.training.evaluation import checkpoints_iterator, wait_for_new_checkpoint

__all__ = ["checkpoints_iterator", "evaluate_once", "evaluation_loop", "wait_for_new_checkpoint"]

__getattr__ = module_getattr(__name__, __all__)

# All summaries of the graph.
_USE_DEFAULT: Any = 0


def evaluate_once(
    master: str,
    checkpoint_path: str | os.PathLike[str],
    logdir: str | os.PathLike[str],
    num_evals: int = 1,
    initial_op: Any = None,
    initial_op_feed_dict: Mapping[Any, Any] | None = None,
    eval_op: Any = None,
    eval_op_feed_dict: Mapping[Any, Any] | None = None,
    final_op: Any = None,
    final_op_feed_dict: Mapping[Any, Any] | None = None,
    summary_op: Any = _USE_DEFAULT,
    summary_op_feed_dict: Mapping[Any, Any] | None = None,
    variables_to_restore: Any = None,
    session_config: Any = None,
    hooks: Sequence[Any] | None = None,
) -> Any:
    """Evaluates a checkpoint; stands for `tf.contrib.slim.evaluation.evaluate_once`.

    Args:
        master: The TensorFlow master.
        checkpoint_path: The checkpoint.
        logdir: Where summaries are written.
        num_evals: How often `eval_op` runs.
        initial_op: Runs at the beginning; by default the initializers.
        initial_op_feed_dict: Fed to `initial_op`.
        eval_op: Takes in a batch: an op or a list of them.
        eval_op_feed_dict: Fed to `eval_op`.
        final_op: Runs at the end.
        final_op_feed_dict: Fed to `final_op`.
        summary_op: The summaries; by default all of the graph. `None` for none.
        summary_op_feed_dict: Fed to `summary_op`.
        variables_to_restore: What is restored: a list or dict of variables; by default all.
        session_config: A `ConfigProto`.
        hooks: More session hooks.

    Returns:
        The value of `final_op`, `None` without one.
    """
    return evaluation.evaluate_once(
        checkpoint_path,
        master=master,
        scaffold=_scaffold(initial_op, initial_op_feed_dict, None, variables_to_restore),
        eval_ops=eval_op,
        feed_dict=eval_op_feed_dict,
        final_ops=final_op,
        final_ops_feed_dict=final_op_feed_dict,
        hooks=_hooks(num_evals, logdir, summary_op, summary_op_feed_dict, hooks),
        config=session_config,
    )


def evaluation_loop(
    master: str,
    checkpoint_dir: str | os.PathLike[str],
    logdir: str | os.PathLike[str],
    num_evals: int = 1,
    initial_op: Any = None,
    initial_op_feed_dict: Mapping[Any, Any] | None = None,
    init_fn: Callable[[Any, Any], Any] | None = None,
    eval_op: Any = None,
    eval_op_feed_dict: Mapping[Any, Any] | None = None,
    final_op: Any = None,
    final_op_feed_dict: Mapping[Any, Any] | None = None,
    summary_op: Any = _USE_DEFAULT,
    summary_op_feed_dict: Mapping[Any, Any] | None = None,
    variables_to_restore: Any = None,
    eval_interval_secs: float = 60,
    max_number_of_evaluations: int | None = None,
    session_config: Any = None,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
    hooks: Sequence[Any] | None = None,
) -> Any:
    """Evaluates each new checkpoint of a directory; stands for `tf.contrib.slim.evaluation.evaluation_loop`.

    Args:
        master: See `evaluate_once`, also for what is not documented here.
        checkpoint_dir: Where checkpoints are written.
        logdir: Where summaries are written.
        num_evals: See `evaluate_once`.
        initial_op: See `evaluate_once`.
        initial_op_feed_dict: See `evaluate_once`.
        init_fn: Called with the scaffold and the session after `initial_op`.
        eval_op: See `evaluate_once`.
        eval_op_feed_dict: See `evaluate_once`.
        final_op: See `evaluate_once`.
        final_op_feed_dict: See `evaluate_once`.
        summary_op: See `evaluate_once`.
        summary_op_feed_dict: See `evaluate_once`.
        variables_to_restore: See `evaluate_once`.
        eval_interval_secs: Seconds from the beginning of one evaluation to that of the next, at least.
        max_number_of_evaluations: How many; `None` for no limit.
        session_config: See `evaluate_once`.
        timeout: Seconds to wait for a checkpoint; `None` for no limit.
        timeout_fn: Called when they are over; says whether there will be no more checkpoints.
        hooks: See `evaluate_once`.

    Returns:
        The value of `final_op` in the last evaluation, `None` without one.
    """
    return evaluation.evaluate_repeatedly(
        checkpoint_dir,
        master=master,
        scaffold=_scaffold(initial_op, initial_op_feed_dict, init_fn, variables_to_restore),
        eval_ops=eval_op,
        feed_dict=eval_op_feed_dict,
        final_ops=final_op,
        final_ops_feed_dict=final_op_feed_dict,
        eval_interval_secs=eval_interval_secs,
        hooks=_hooks(num_evals, logdir, summary_op, summary_op_feed_dict, hooks),
        config=session_config,
        max_number_of_evaluations=max_number_of_evaluations,
        timeout=timeout,
        timeout_fn=timeout_fn,
    )


def _scaffold(
    initial_op: Any, feed_dict: Mapping[Any, Any] | None, init_fn: Any, variables_to_restore: Any
) -> Any:
    saver = None if variables_to_restore is None else tf.compat.v1.train.Saver(variables_to_restore)
    return tf.compat.v1.train.Scaffold(
        init_op=initial_op, init_feed_dict=feed_dict, init_fn=init_fn, saver=saver
    )


def _hooks(
    num_evals: int,
    logdir: str | os.PathLike[str],
    summary_op: Any,
    feed_dict: Mapping[Any, Any] | None,
    hooks: Sequence[Any] | None,
) -> list[Any]:
    if isinstance(summary_op, int) and summary_op == _USE_DEFAULT:
        summary_op = tf.compat.v1.summary.merge_all()
    all_hooks: list[Any] = [evaluation.StopAfterNEvalsHook(num_evals)]
    if summary_op is not None:
        all_hooks.append(evaluation.SummaryAtEndHook(logdir, summary_op=summary_op, feed_dict=feed_dict))
    return [*all_hooks, *(hooks or ())]
