"""Makes the training operation of a loss."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.heads.keras_optimizer import GraphKerasOptimizer, as_graph_optimizer

v1 = tf.compat.v1


def create_train_op(
    loss: tf.Tensor,
    *,
    optimizer: Any,
    trainable_variables: Sequence[tf.Variable] | None,
    train_op_fn: Callable[[tf.Tensor], Any] | None,
    update_ops: Sequence[Any] | None,
    as_tf1: bool,
    scopes_before: int = 0,
) -> Any:
    """Returns the operation that performs a training step.

    Args:
        loss: What is minimised.
        optimizer: A `tf.compat.v1.train.Optimizer` or a Keras optimizer.
        trainable_variables: What it trains.
        train_op_fn: In place of an optimizer: returns the training operation for a loss.
        update_ops: Operations that the step performs, too.
        as_tf1: Whether names are those of TensorFlow 1. Then the graph's `UPDATE_OPS` are performed, too.
        scopes_before: How many scopes for training operations TensorFlow 2 would have made before this.

    Raises:
        ValueError: There are both an optimizer and a `train_op_fn`, or neither, or one cannot be right.
    """
    for name, given in (("update_ops", update_ops), ("trainable_variables", trainable_variables)):
        if given is not None and not isinstance(given, (list, tuple)):
            raise ValueError(f"{name} should be a list or a tuple. Given type: {type(given)}.")
    if optimizer is not None and train_op_fn is not None:
        raise ValueError("train_op_fn and optimizer cannot both be set.")
    if optimizer is None and train_op_fn is None:
        raise ValueError("train_op_fn and optimizer cannot both be None.")
    updates = list(update_ops or ())
    if as_tf1:
        of_graph = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
        updates += [op for op in of_graph if all(op is not update for update in updates)]
    # The names of some variables begin with the scope that their optimizer is called in.
    with contextlib.nullcontext() if as_tf1 else _training_scope(scopes_before):
        if train_op_fn is not None:
            train_op = train_op_fn(loss)
        else:
            train_op = _minimize(optimizer, loss, trainable_variables)
        return tf.group(train_op, *updates) if updates else train_op


def _minimize(optimizer: Any, loss: tf.Tensor, trainable_variables: Sequence[tf.Variable] | None) -> Any:
    optimizer = as_graph_optimizer(optimizer)
    if isinstance(optimizer, GraphKerasOptimizer):
        if trainable_variables is None:
            raise ValueError(f"trainable_variables cannot be None. Given {trainable_variables}")
        return optimizer.minimize(loss, v1.train.get_or_create_global_step(), trainable_variables)
    return optimizer.minimize(loss, v1.train.get_global_step(), trainable_variables)


@contextlib.contextmanager
def _training_scope(scopes_before: int) -> Iterator[None]:
    with v1.name_scope(None):
        for _ in range(scopes_before):
            with v1.name_scope("training"):
                pass
        with v1.name_scope("training"):
            yield


def add_loss_summaries(values: Mapping[str, tf.Tensor]) -> None:
    """Adds a scalar summary for each value, by its name."""
    with v1.name_scope(None):
        for name, value in values.items():
            v1.summary.scalar(name, value)
