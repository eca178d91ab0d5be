"""Train ops, and what is done to gradients on the way to them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import framework
from keras_legacy_train.estimator import log

GradientsAndVariables = list[tuple[Any, tf.Variable]]

_KEYS = tf.compat.v1.GraphKeys
_Optimizer = tf.compat.v1.train.Optimizer

# The global step of the graph, made if there is none; `None` says that no step is counted.
_USE_GLOBAL_STEP = 0


def _apply_to_values(function: Callable[[tf.Tensor], tf.Tensor], gradient: Any) -> Any:
    """Applies a function to a gradient, of a sparse one to the values that it has."""
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(function(gradient.values), gradient.indices, gradient.dense_shape)
    return function(gradient)


def add_gradients_summaries(grads_and_vars: Iterable[tuple[Any, tf.Variable]]) -> list[tf.Tensor]:
    """Adds summaries of gradients; stands for `tf.contrib.training.add_gradients_summaries`.

    Args:
        grads_and_vars: Pairs of a gradient and its variable.

    Returns:
        The summary ops.
    """
    return summarize(grads_and_vars, "_")


def summarize(grads_and_vars: Iterable[tuple[Any, tf.Variable]], separator: str) -> list[tf.Tensor]:
    """Adds summaries of gradients.

    Args:
        grads_and_vars: Pairs of a gradient and its variable.
        separator: What stands in a tag between the name of the variable and `gradient`.

    Returns:
        The summary ops: of each gradient a histogram and the norm.
    """
    summaries = []
    for gradient, variable in grads_and_vars:
        if gradient is None:
            log.info("Var %s has no gradient", variable.op.name)
            continue
        values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
        name = f"{variable.op.name}{separator}gradient"
        summaries.append(tf.compat.v1.summary.histogram(name, values))
        summaries.append(tf.compat.v1.summary.scalar(f"{name}_norm", tf.linalg.global_norm([values])))
    return summaries


def clip_gradient_norms(
    gradients_to_variables: Iterable[tuple[Any, tf.Variable]], max_norm: float
) -> GradientsAndVariables:
    """Clips each gradient to a norm; stands for `tf.contrib.training.clip_gradient_norms`.

    Args:
        gradients_to_variables: Pairs of a gradient and its variable.
        max_norm: The largest norm of a gradient.

    Returns:
        The pairs with clipped gradients.
    """
    return [
        (
            gradient
            if gradient is None
            else _apply_to_values(lambda g: tf.clip_by_norm(g, max_norm), gradient),
            v,
        )
        for gradient, v in gradients_to_variables
    ]


def clip_gradient_norms_fn(
    max_norm: float,
) -> Callable[[Iterable[tuple[Any, tf.Variable]]], GradientsAndVariables]:
    """Returns a `transform_grads_fn` that clips; stands for `tf.contrib.training.clip_gradient_norms_fn`.

    Args:
        max_norm: The largest norm of a gradient.
    """
    return lambda gradients_to_variables: clip_gradient_norms(gradients_to_variables, max_norm)


def multiply_gradients(
    grads_and_vars: Sequence[tuple[Any, tf.Variable]], gradient_multipliers: Mapping[Any, Any]
) -> GradientsAndVariables:
    """Multiplies the gradients of some variables; stands for `tf.contrib.training.multiply_gradients`.

    Args:
        grads_and_vars: A list of pairs of a gradient and its variable.
        gradient_multipliers: The factors by variable, or by the name of its op.

    Returns:
        The pairs with the products.

    Raises:
        ValueError: An argument has another type, there is no factor, or a variable with one has no gradient.
    """
    if not isinstance(grads_and_vars, list):
        raise ValueError("`grads_and_vars` must be a list.")
    if not gradient_multipliers:
        raise ValueError("`gradient_multipliers` is empty.")
    if not isinstance(gradient_multipliers, dict):
        raise ValueError("`gradient_multipliers` must be a dict.")
    factors = {
        key if isinstance(key, str) else key.op.name: each for key, each in gradient_multipliers.items()
    }
    multiplied = []
    for gradient, variable in grads_and_vars:
        if variable.op.name in factors:
            if gradient is None:
                raise ValueError("Requested multiple of `None` gradient.")
            factor = tf.convert_to_tensor(factors[variable.op.name], gradient.dtype)
            gradient = _apply_to_values(functools.partial(tf.multiply, factor), gradient)
        multiplied.append((gradient, variable))
    return multiplied


def create_train_op(
    total_loss: tf.Tensor,
    optimizer: tf.compat.v1.train.Optimizer,
    global_step: Any = _USE_GLOBAL_STEP,
    update_ops: Iterable[Any] | None = None,
    variables_to_train: Sequence[tf.Variable] | None = None,
    transform_grads_fn: Callable[[GradientsAndVariables], GradientsAndVariables] | None = None,
    summarize_gradients: bool = False,
    gate_gradients: int = _Optimizer.GATE_OP,
    aggregation_method: int | None = None,
    colocate_gradients_with_ops: bool = False,
    check_numerics: bool = True,
) -> tf.Tensor:
    """Returns a tensor that computes the loss and trains; stands for `tf.contrib.training.create_train_op`.

    Args:
        total_loss: The loss.
        optimizer: The optimizer.
        global_step: The variable that counts the steps; by default the graph's, made if there is none. `None`
            for none.
        update_ops: What runs before the loss is computed; by default the collection `UPDATE_OPS`.
        variables_to_train: What is trained; by default all trainable variables.
        transform_grads_fn: Called with the pairs of gradients and variables; returns those that are applied.
        summarize_gradients: Whether the gradients have summaries.
        gate_gradients: See `tf.compat.v1.train.Optimizer.compute_gradients`.
        aggregation_method: See there.
        colocate_gradients_with_ops: See there.
        check_numerics: Whether a loss that is not finite is an error.

    Returns:
        The loss, as a tensor that has trained once it has its value. It is in the collection `TRAIN_OP`.

    Raises:
        ValueError: There is nothing to train, or a variable is not trainable.
    """
    if isinstance(global_step, int) and global_step == _USE_GLOBAL_STEP:
        global_step = framework.get_or_create_global_step()
    collected = tf.compat.v1.get_collection(_KEYS.UPDATE_OPS)
    updates = list(dict.fromkeys(collected if update_ops is None else update_ops))
    if not set(collected).issubset(updates):
        log.warning(
            "update_ops in create_train_op does not contain all the update_ops in GraphKeys.UPDATE_OPS"
        )
    if updates:
        with tf.control_dependencies(updates):
            barrier = tf.no_op(name="update_barrier")
        total_loss = _after(barrier, total_loss)
    trainable = tf.compat.v1.trainable_variables()
    if variables_to_train is None:
        variables_to_train = trainable
    for variable in variables_to_train:
        if not (variable.trainable or any(variable is each for each in trainable)):
            raise ValueError(f"variables_to_train: {variable.op.name} is not trainable.")
    if not variables_to_train:
        raise ValueError("There is no variable to train.")

    gradients = optimizer.compute_gradients(
        total_loss,
        variables_to_train,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
    )
    if transform_grads_fn:
        gradients = transform_grads_fn(gradients)
    if summarize_gradients:
        with tf.compat.v1.name_scope("summarize_grads"):
            add_gradients_summaries(gradients)
    grad_updates = optimizer.apply_gradients(gradients, global_step=global_step)
    with tf.compat.v1.name_scope("train_op"):
        if check_numerics:
            total_loss = tf.debugging.check_numerics(total_loss, "LossTensor is inf or nan")
        train_op = _after(grad_updates, total_loss)
    train_ops = tf.compat.v1.get_collection_ref(_KEYS.TRAIN_OP)
    if not any(train_op is each for each in train_ops):
        train_ops.append(train_op)
    return train_op


def _after(operation: Any, value: tf.Tensor) -> tf.Tensor:
    """Returns a value that is there once an operation has run."""
    with tf.control_dependencies([operation]):
        return tf.identity(value, name="control_dependency")
