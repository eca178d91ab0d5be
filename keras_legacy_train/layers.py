"""Provides `optimize_loss`, the training op that scripts took from `tf.contrib.layers`.

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
from keras_legacy_train.types import Fetch

__all__ = ["OPTIMIZER_CLS_NAMES", "OPTIMIZER_SUMMARIES", "adaptive_clipping_fn", "optimize_loss"]

v1 = tf.compat.v1

# The gradient of each variable, a tensor or `tf.IndexedSlices`; `None` where the loss does not depend on it.
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
    global_step: tf.Tensor | tf.Variable | None,
    learning_rate: float | tf.Tensor | None,
    optimizer: str | type[tf.compat.v1.train.Optimizer] | tf.compat.v1.train.Optimizer | Callable[..., Any],
    gradient_noise_scale: float | None = None,
    gradient_multipliers: Mapping[Any, Any] | None = None,
    clip_gradients: float | Callable[[GradientsAndVariables], GradientsAndVariables] | None = None,
    learning_rate_decay_fn: Callable[[Any, Any], tf.Tensor] | None = None,
    update_ops: Iterable[Fetch] | None = None,
    variables: Sequence[tf.Variable] | None = None,
    name: str | None = None,
    summaries: Iterable[str] | None = None,
    colocate_gradients_with_ops: bool = False,
    increment_global_step: bool = True,
) -> tf.Tensor:
    """Returns a tensor that performs a training step when it is computed.

    Stands for `tf.contrib.layers.optimize_loss`. Gradients get noise, are multiplied and are clipped, in this
    order, before they are applied.

    Args:
        loss: The loss, a scalar of a float dtype.
        global_step: The variable that counts steps; `None` for the default graph's own, if it has one.
        learning_rate: A number, for which a variable `learning_rate` is made; a scalar tensor; or `None` if
            the optimizer has its own.
        optimizer: A key of `OPTIMIZER_CLS_NAMES`; a subclass of `tf.compat.v1.train.Optimizer`; an instance;
            or a function that returns an instance. The function takes the learning rate, or nothing if that
            is `None`.
        gradient_noise_scale: Factor of the truncated normal noise to add; `None` for no noise.
        gradient_multipliers: Factors of gradients, by variable or by the variable's name.
        clip_gradients: The largest global norm, to which gradients are scaled down; or a function from a list
            of (gradient, variable) pairs to another list, such as `adaptive_clipping_fn()` returns.
        learning_rate_decay_fn: Returns the learning rate to use, given the learning rate and the global step.
        update_ops: Operations to run before the loss is computed; `None` for the `UPDATE_OPS` collection.
        variables: The variables to train; `None` for all trainable variables.
        name: Name of the scope, `OptimizeLoss` by default.
        summaries: The summaries to make, from `OPTIMIZER_SUMMARIES`; by default the loss, the learning rate
            if it decays, and the global norm of the gradients.
        colocate_gradients_with_ops: Whether to place gradients on the devices of their ops.
        increment_global_step: Whether to raise the global step.

    Returns:
        The loss before the step, a scalar. Computing it performs the step.

    Raises:
        ValueError: An argument is invalid.
        TypeError: `global_step` is not an integer or not a scalar.
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
        loss = _after_update_ops(loss, update_ops)
        rate = _as_learning_rate(learning_rate)
        if rate is not None and learning_rate_decay_fn is not None:
            if global_step is None:
                raise ValueError("global_step is required for learning_rate_decay_fn.")
            rate = learning_rate_decay_fn(rate, global_step)
            if "learning_rate" in summaries:
                v1.summary.scalar("learning_rate", rate)
        made_optimizer = _as_optimizer(optimizer, rate)

        gradients = made_optimizer.compute_gradients(
            loss,
            v1.trainable_variables() if variables is None else variables,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gradient_noise_scale is not None:
            gradients = _add_noise(gradients, gradient_noise_scale)
        if gradient_multipliers is not None:
            gradients = _multiply(gradients, gradient_multipliers)
        with_norm = "global_gradient_norm" in summaries or "gradient_norm" in summaries
        if with_norm:
            v1.summary.scalar("global_norm/gradient_norm", _global_norm(gradients))
        gradients = _clip(gradients, clip_gradients)
        _summarize(loss, gradients, summaries)
        if with_norm and clip_gradients is not None:
            v1.summary.scalar("global_norm/clipped_gradient_norm", _global_norm(gradients))

        step = global_step if increment_global_step else None
        with tf.control_dependencies([made_optimizer.apply_gradients(gradients, step, name="train")]):
            return tf.identity(loss, name="control_dependency")


def adaptive_clipping_fn(
    std_factor: float = 2.0,
    decay: float = 0.95,
    static_max_norm: float | None = None,
    global_step: tf.Tensor | tf.Variable | None = None,
    report_summary: bool = False,
    epsilon: float = 1e-8,
    name: str | None = None,
) -> Callable[[GradientsAndVariables], GradientsAndVariables]:
    """Returns a function for `clip_gradients` that adapts to the usual norm of the gradients.

    Stands for `tf.contrib.layers.adaptive_clipping_fn`; see https://arxiv.org/abs/1412.1602. The function
    keeps moving averages of the mean and the standard deviation of the logarithm of the global norm. If the
    norm is above `exp(mean + std_factor * std)`, it scales the gradients down to the norm `exp(mean)`.

    Args:
        std_factor: Number of standard deviations above the mean from which on to clip.
        decay: Decay of the moving averages.
        static_max_norm: Largest norm in any case; `None` for no such limit.
        global_step: If given, the decay at step n is at most n / (n + 1), so that the first steps count more.
        report_summary: Whether to make a summary of the largest norm.
        epsilon: Added to the norm, and least variance, to keep the logarithm and the square root finite.
        name: Name of the scope, `AdaptiveMaxNorm` by default.

    Raises:
        ValueError: An argument is invalid.
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
            limited_decay = decay
            if global_step is not None:
                n = tf.cast(global_step, tf.float32)
                limited_decay = tf.minimum(decay, n / (n + 1.0))
            log_norm = tf.math.log(norm + epsilon)
            mean = _moving_average("mean", log_norm, limited_decay)
            variance = _moving_average("sq_mean", tf.square(log_norm), limited_decay) - tf.square(mean)
            max_norm = tf.exp(mean + std_factor * tf.sqrt(tf.maximum(epsilon, variance)))
        if report_summary:
            v1.summary.scalar("global_norm/adaptive_max_gradient_norm", max_norm)
        factor = tf.where(norm < max_norm, tf.ones_like(norm), tf.exp(mean) / norm)
        if static_max_norm is not None:
            factor = tf.minimum(static_max_norm / norm, factor)
        return [(_scale(gradient, factor), variable) for gradient, variable in gradients_and_variables]

    return clip


def _after_update_ops(loss: tf.Tensor, update_ops: Iterable[Fetch] | None) -> tf.Tensor:
    """Returns the loss with control dependencies on the update ops; `None` for the graph's own."""
    if update_ops is None:
        update_ops = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
    update_ops = list(update_ops)
    if not update_ops:
        return loss
    with tf.control_dependencies(update_ops):
        return tf.identity(loss, name="control_dependency")


def _as_learning_rate(learning_rate: Any) -> tf.Tensor | tf.Variable | None:
    """Returns a scalar tensor as it is, and makes a variable for a number.

    Raises:
        ValueError: It is neither, or negative.
    """
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


def _as_optimizer(optimizer: Any, learning_rate: Any) -> tf.compat.v1.train.Optimizer:
    """Returns an instance, made with the learning rate unless one is given.

    Raises:
        ValueError: It is not an optimizer, or it needs a learning rate and there is none.
    """
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


def _add_noise(gradients: GradientsAndVariables, scale: float) -> GradientsAndVariables:
    def noisy(gradient: Any) -> Any:
        if gradient is None:
            return None
        gradient = tf.convert_to_tensor(gradient)
        shape = gradient.shape if gradient.shape.is_fully_defined() else tf.shape(gradient)
        return gradient + v1.truncated_normal(shape, dtype=gradient.dtype) * scale

    return [(noisy(gradient), variable) for gradient, variable in gradients]


def _multiply(gradients: GradientsAndVariables, multipliers: Mapping[Any, Any]) -> GradientsAndVariables:
    """Multiplies gradients by factors.

    Raises:
        ValueError: A key of `multipliers` has no name, or a factor is not a number.
    """
    by_name = {}
    for key, factor in multipliers.items():
        name = getattr(key, "name", key)
        if not tf.is_tensor(factor):
            factor = arguments.as_number(f"gradient_multipliers[{name!r}]", factor)
        by_name[arguments.as_text("a key of gradient_multipliers, or its name,", name)] = factor
    return [
        (_scale(gradient, by_name[variable.name]) if variable.name in by_name else gradient, variable)
        for gradient, variable in gradients
    ]


def _clip(gradients: GradientsAndVariables, clip: Any) -> GradientsAndVariables:
    """Clips gradients by a global norm or a function; `None` leaves them as they are.

    Raises:
        ValueError: `clip` is neither a number nor a function.
    """
    if clip is None:
        return gradients
    if callable(clip):
        clipped_by_function: GradientsAndVariables = clip(gradients)
        return clipped_by_function
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


def _scale(gradient: Any, factor: Any) -> Any:
    if gradient is None:
        return None
    factor = tf.cast(factor, gradient.dtype)
    if isinstance(gradient, tf.IndexedSlices):
        return tf.IndexedSlices(gradient.values * factor, gradient.indices, gradient.dense_shape)
    return gradient * factor


def _moving_average(name: str, value: tf.Tensor, decay: Any) -> tf.Tensor:
    """Updates and returns the moving average of a value. Its variable starts at zero."""
    average = v1.get_variable(
        name, value.shape, value.dtype, initializer=v1.zeros_initializer(), trainable=False
    )
    return tf.convert_to_tensor(v1.assign_sub(average, (average - value) * (1.0 - decay)))
