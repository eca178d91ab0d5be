"""`optimize_loss`, the training op that scripts took from `tf.contrib.layers`.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train import framework, layers, train

with tf.Graph().as_default() as graph:
    loss = tf.square(tf.get_variable("weight", []) - 3.0)
    train_op = layers.optimize_loss(
        loss, framework.create_global_step(), learning_rate=0.1, optimizer="Adam", clip_gradients=5.0
    )
train(graph, output_dir, train_op, loss, max_steps=100)
```
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.framework.variables import assert_global_step, check_variable, get_global_step

__all__ = ["OPTIMIZER_CLS_NAMES", "OPTIMIZER_SUMMARIES", "adaptive_clipping_fn", "optimize_loss"]

v1 = tf.compat.v1

GradientsAndVariables = list[tuple[Any, tf.Variable]]

OPTIMIZER_CLS_NAMES = {
    "Adagrad": v1.train.AdagradOptimizer,
    "Adam": v1.train.AdamOptimizer,
    "Ftrl": v1.train.FtrlOptimizer,
    "Momentum": lambda learning_rate: v1.train.MomentumOptimizer(learning_rate, momentum=0.9),
    "RMSProp": v1.train.RMSPropOptimizer,
    "SGD": v1.train.GradientDescentOptimizer,
}

OPTIMIZER_SUMMARIES = ["learning_rate", "loss", "gradients", "gradient_norm", "global_gradient_norm"]

_DEFAULT_SUMMARIES = ["loss", "learning_rate", "global_gradient_norm"]


def optimize_loss(
    loss: tf.Tensor,
    global_step: Any,
    learning_rate: Any,
    optimizer: Any,
    gradient_noise_scale: float | None = None,
    gradient_multipliers: Mapping[Any, Any] | None = None,
    clip_gradients: float | Callable[[GradientsAndVariables], GradientsAndVariables] | None = None,
    learning_rate_decay_fn: Callable[[Any, Any], tf.Tensor] | None = None,
    update_ops: Iterable[Any] | None = None,
    variables: Sequence[tf.Variable] | None = None,
    name: str | None = None,
    summaries: Iterable[str] | None = None,
    colocate_gradients_with_ops: bool = False,
    increment_global_step: bool = True,
) -> tf.Tensor:
    """A tensor that trains when it is computed; stands for `tf.contrib.layers.optimize_loss`.

    Gradients pass through noise, multipliers and clipping, in this order, before they are applied.

    Args:
        loss: The loss, a scalar.
        global_step: The variable that counts steps; `None` for the default graph's own, if it has one.
        learning_rate: A number, of which a variable `learning_rate` is made, or a scalar tensor; `None` if
            the optimizer has its own.
        optimizer: A key of `OPTIMIZER_CLS_NAMES`; a class derived from `tf.compat.v1.train.Optimizer`; an
            instance of one; or a function from the learning rate, or from nothing if that is `None`, to an
            instance.
        gradient_noise_scale: What truncated normal noise is multiplied by before it is added.
        gradient_multipliers: Factors of gradients by variables or their names.
        clip_gradients: The largest global norm, to which gradients are scaled down; or a function from a list
            of (gradient, variable) pairs to another, such as `adaptive_clipping_fn()` returns.
        learning_rate_decay_fn: Makes of the learning rate and the global step the learning rate to use.
        update_ops: Run before the loss is computed; `None` for the `UPDATE_OPS` collection.
        variables: What is trained; `None` for all trainable variables.
        name: Name of the scope, `OptimizeLoss` by default.
        summaries: What is written of each step, of `OPTIMIZER_SUMMARIES`; by default the loss, the learning
            rate if it decays, and the global norm of the gradients.
        colocate_gradients_with_ops: Whether gradients are placed where their ops are.
        increment_global_step: Whether the global step is raised.

    Returns:
        The loss, computed before the step; computing it performs the step.

    Raises:
        ValueError, TypeError: An argument cannot be right.
    """
    try:
        loss = tf.convert_to_tensor(loss)
    except (TypeError, ValueError) as error:
        raise ValueError(f"loss must be a scalar tensor; it is {loss!r}.") from error
    if not loss.dtype.is_floating:
        raise ValueError(f"loss must be of a float dtype; {loss.name!r} is {loss.dtype.name}.")
    if loss.shape.ndims != 0:
        raise ValueError(f"loss must be a scalar; {loss.name!r} has shape {loss.shape}.")
    if global_step is None:
        global_step = get_global_step()
    else:
        assert_global_step(global_step)
    if gradient_noise_scale is not None and not tf.is_tensor(gradient_noise_scale):
        gradient_noise_scale = arguments.as_number("gradient_noise_scale", gradient_noise_scale)
    if gradient_multipliers is not None and not isinstance(gradient_multipliers, Mapping):
        raise ValueError(f"gradient_multipliers must be a dict; it is {gradient_multipliers!r}.")
    arguments.check_callable("learning_rate_decay_fn", learning_rate_decay_fn)
    arguments.as_optional_text("name", name)
    arguments.as_flag("colocate_gradients_with_ops", colocate_gradients_with_ops)
    arguments.as_flag("increment_global_step", increment_global_step)
    for argument, value in {"update_ops": update_ops, "variables": variables, "summaries": summaries}.items():
        if isinstance(value, str) or not isinstance(value, Iterable | None):
            raise ValueError(f"{argument} must be a list; it is {value!r}.")
    summaries = _DEFAULT_SUMMARIES if summaries is None else list(summaries)
    unknown = [summary for summary in summaries if summary not in OPTIMIZER_SUMMARIES]
    if unknown:
        raise ValueError(
            f"summaries: Summaries should be one of [{', '.join(OPTIMIZER_SUMMARIES)}], you provided"
            f" {unknown[0]}."
        )
    if update_ops is not None:
        update_ops = list(update_ops)
        for update_op in update_ops:
            if not isinstance(update_op, (str, tf.Operation)) and not hasattr(update_op, "op"):
                raise ValueError(f"update_ops must be operations, tensors or names; one is {update_op!r}.")
    if variables is not None:
        variables = [check_variable("variables", variable) for variable in variables]
    with v1.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        loss = _after_updates(loss, update_ops)
        rate = _learning_rate(learning_rate)
        if rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn.")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in summaries:
                v1.summary.scalar("learning_rate", rate)
        applier = _optimizer(optimizer, rate)

        gradients = applier.compute_gradients(
            loss,
            v1.trainable_variables() if variables is None else variables,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gradient_noise_scale is not None:
            gradients = _with_noise(gradients, gradient_noise_scale)
        if gradient_multipliers is not None:
            gradients = _multiplied(gradients, gradient_multipliers)
        with_norm = "global_gradient_norm" in summaries or "gradient_norm" in summaries
        if with_norm:
            v1.summary.scalar("global_norm/gradient_norm", _global_norm(gradients))
        gradients = _clipped(gradients, clip_gradients)
        _summarize(loss, gradients, summaries)
        if with_norm and clip_gradients is not None:
            v1.summary.scalar("global_norm/clipped_gradient_norm", _global_norm(gradients))

        step = global_step if increment_global_step else None
        with tf.control_dependencies([applier.apply_gradients(gradients, step, name="train")]):
            return tf.identity(loss, name="control_dependency")


def adaptive_clipping_fn(
    std_factor: float = 2.0,
    decay: float = 0.95,
    static_max_norm: float | None = None,
    global_step: Any = None,
    report_summary: bool = False,
    epsilon: float = 1e-8,
    name: str | None = None,
) -> Callable[[GradientsAndVariables], GradientsAndVariables]:
    """A function for `clip_gradients` that learns which norms are usual; see https://arxiv.org/abs/1412.1602.

    It keeps moving averages of mean and standard deviation of the logarithm of the global norm. If the norm
    is above `exp(mean + std_factor * std)`, the gradients are scaled down to the norm `exp(mean)`. Stands for
    `tf.contrib.layers.adaptive_clipping_fn`.

    Args:
        std_factor: How many standard deviations above the mean are tolerated.
        decay: Decay of the moving averages.
        static_max_norm: A norm that is never exceeded.
        global_step: If given, the decay at step n is n / (n + 1) at the most, so that the first steps count
            more.
        report_summary: Whether a summary of the largest norm is made.
        epsilon: What keeps logarithm and deviation away from zero.
        name: Name of the scope, `AdaptiveMaxNorm` by default.

    Raises:
        ValueError: An argument cannot be right.
    """
    numbers_given = {"std_factor": std_factor, "decay": decay, "epsilon": epsilon}
    if static_max_norm is not None:
        numbers_given["static_max_norm"] = static_max_norm
    for argument, value in numbers_given.items():
        if not tf.is_tensor(value):
            arguments.as_number(argument, value)
    if global_step is not None and not tf.is_tensor(global_step) and not hasattr(global_step, "assign"):
        raise ValueError(f"global_step must be a variable or a tensor; it is {global_step!r}.")
    arguments.as_flag("report_summary", report_summary)
    arguments.as_optional_text("name", name)

    def clip(gradients_and_variables: GradientsAndVariables) -> GradientsAndVariables:
        norm = _global_norm(gradients_and_variables)
        with v1.variable_scope(name, "AdaptiveMaxNorm", [norm]):
            slow = decay
            if global_step is not None:
                n = tf.cast(global_step, tf.float32)
                slow = tf.minimum(decay, n / (n + 1.0))
            log_norm = tf.math.log(norm + epsilon)
            mean = _moving_average("mean", log_norm, slow)
            variance = _moving_average("sq_mean", tf.square(log_norm), slow) - tf.square(mean)
            max_norm = tf.exp(mean + std_factor * tf.sqrt(tf.maximum(epsilon, variance)))
        if report_summary:
            v1.summary.scalar("global_norm/adaptive_max_gradient_norm", max_norm)
        factor = tf.where(norm < max_norm, tf.ones_like(norm), tf.exp(mean) / norm)
        if static_max_norm is not None:
            factor = tf.minimum(static_max_norm / norm, factor)
        return [(_scaled(gradient, factor), variable) for gradient, variable in gradients_and_variables]

    return clip


def _after_updates(loss: tf.Tensor, update_ops: Iterable[Any] | None) -> tf.Tensor:
    if update_ops is None:
        update_ops = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
    update_ops = list(update_ops)
    if not update_ops:
        return loss
    with tf.control_dependencies(update_ops):
        return tf.identity(loss, name="control_dependency")


def _learning_rate(learning_rate: Any) -> Any:
    """The tensor of the learning rate, or `None`."""
    if learning_rate is None or (tf.is_tensor(learning_rate) and learning_rate.shape.ndims == 0):
        return learning_rate
    is_number = isinstance(learning_rate, numbers.Real) and not isinstance(learning_rate, bool)
    if not is_number or math.isnan(learning_rate):
        raise ValueError(
            "learning_rate: Learning rate should be 0d Tensor or float. "
            f"Got {learning_rate} of type {type(learning_rate).__name__}."
        )
    if learning_rate < 0:
        raise ValueError(f"Invalid learning_rate {learning_rate}.")
    initializer = v1.constant_initializer(float(learning_rate))
    return v1.get_variable("learning_rate", [], tf.float32, initializer, trainable=False)


def _optimizer(optimizer: Any, learning_rate: Any) -> Any:
    """The instance that is meant, with the learning rate if it takes one."""
    if isinstance(optimizer, v1.train.Optimizer):
        return optimizer
    is_class = isinstance(optimizer, type) and issubclass(optimizer, v1.train.Optimizer)
    if (isinstance(optimizer, str) or is_class) and learning_rate is None:
        kind = "class" if is_class else "string"
        raise ValueError(
            "learning_rate: Learning rate is None, but should be specified if optimizer is"
            f" {kind} ({optimizer})."
        )
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZER_CLS_NAMES:
            names = ", ".join(OPTIMIZER_CLS_NAMES)
            raise ValueError(
                f"optimizer: Optimizer name should be one of [{names}], you provided {optimizer}."
            )
        return OPTIMIZER_CLS_NAMES[optimizer](learning_rate=learning_rate)
    if is_class:
        return optimizer(learning_rate=learning_rate)
    if not callable(optimizer) or isinstance(optimizer, type):
        raise ValueError(
            "Unrecognized optimizer: should be string, subclass of tf.compat.v1.train.Optimizer, instance of"
            f" one, or function that returns one. Got {optimizer}."
        )
    made = optimizer() if learning_rate is None else optimizer(learning_rate)
    if not isinstance(made, v1.train.Optimizer):
        raise ValueError(
            "Unrecognized optimizer: function should return an instance of tf.compat.v1.train.Optimizer."
            f" Got {made}."
        )
    return made


def _with_noise(gradients: GradientsAndVariables, scale: float) -> GradientsAndVariables:
    def noisy(gradient: Any) -> Any:
        if gradient is None:
            return None
        gradient = tf.convert_to_tensor(gradient)
        shape = gradient.shape if gradient.shape.is_fully_defined() else tf.shape(gradient)
        return gradient + v1.truncated_normal(shape, dtype=gradient.dtype) * scale

    return [(noisy(gradient), variable) for gradient, variable in gradients]


def _multiplied(gradients: GradientsAndVariables, multipliers: Mapping[Any, Any]) -> GradientsAndVariables:
    by_name = {}
    for key, factor in multipliers.items():
        name = getattr(key, "name", key)
        if not tf.is_tensor(factor):
            factor = arguments.as_number(f"gradient_multipliers[{name!r}]", factor)
        by_name[arguments.as_text("a key of gradient_multipliers, or its name,", name)] = factor
    return [
        (_scaled(gradient, by_name[variable.name]) if variable.name in by_name else gradient, variable)
        for gradient, variable in gradients
    ]


def _clipped(gradients: GradientsAndVariables, clip: Any) -> GradientsAndVariables:
    if clip is None:
        return gradients
    if callable(clip):
        return clip(gradients)
    if not isinstance(clip, numbers.Real) or isinstance(clip, bool) or math.isnan(clip):
        raise ValueError(f"clip_gradients must be a number or a function; it is {clip!r}.")
    clipped, _ = tf.clip_by_global_norm([gradient for gradient, _ in gradients], float(clip))
    return [(gradient, variable) for gradient, (_, variable) in zip(clipped, gradients, strict=True)]


def _summarize(loss: tf.Tensor, gradients: GradientsAndVariables, summaries: Sequence[str]) -> None:
    if "loss" in summaries:
        v1.summary.scalar("loss", loss)
    for gradient, variable in gradients:
        if gradient is None:
            continue
        values = gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient
        name = variable.name.replace(":", "_")
        if "gradients" in summaries:
            v1.summary.histogram(f"gradients/{name}", values)
        if "gradient_norm" in summaries:
            v1.summary.scalar(f"gradient_norm/{name}", tf.linalg.global_norm([values]))


def _global_norm(gradients: GradientsAndVariables) -> tf.Tensor:
    return tf.linalg.global_norm([gradient for gradient, _ in gradients])


def _scaled(gradient: Any, factor: Any) -> Any:
    if gradient is None:
        return None
    factor = tf.cast(factor, gradient.dtype)
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return gradient * factor


def _moving_average(name: str, value: tf.Tensor, decay: Any) -> tf.Tensor:
    """The average of a value over the steps, this one included; its variable begins at zero."""
    average = v1.get_variable(
        name, value.shape, value.dtype, initializer=v1.zeros_initializer(), trainable=False
    )
    return tf.convert_to_tensor(v1.assign_sub(average, (average - value) * (1.0 - decay)))
