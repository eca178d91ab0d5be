"""Lets Keras's optimizers train the variables of a graph of TensorFlow 1.

Keras 3's own cannot: their variables would be made of Python values. What is here computes the same from the
same arguments, and its variables have the names that `tf.estimator` of TensorFlow 2.15 gave them, so that
checkpoints can be exchanged.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

import keras
import tensorflow as tf

from keras_legacy_train import _keras, _tensorflow

v1 = tf.compat.v1
_apply = tf.raw_ops

_Gradient: TypeAlias = tf.Tensor | tf.IndexedSlices

# What other optimizers of Keras 3 can do, and Keras 2 could not.
_UNSUPPORTED = ("weight_decay", "use_ema", "loss_scale_factor", "gradient_accumulation_steps")


class GraphKerasOptimizer(abc.ABC):
    """Trains variables of a graph as a Keras optimizer would.

    Args:
        learning_rate: A number, or a function of the steps so far.
        clip: Changes gradients before they are applied.
        **settings: The other arguments of the optimizer, where they are not Keras's defaults.
    """

    name: ClassVar[str]
    default_learning_rate: ClassVar[float] = 0.001
    # The other arguments, each with Keras's default: those that are saved, and those that are not.
    hyperparameters: ClassVar[dict[str, Any]] = {}
    constants: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        learning_rate: float | Callable[[tf.Tensor], Any],
        clip: Callable[[list[_Gradient]], list[_Gradient]] = lambda gradients: gradients,
        **settings: Any,
    ):
        self._learning_rate = learning_rate
        self._clip = clip
        self._settings = {**self.hyperparameters, **self.constants, **settings}

    def minimize(
        self, loss: tf.Tensor, iterations: tf.Variable | None, variables: Sequence[tf.Variable]
    ) -> tf.Operation:
        """Returns an operation that performs a training step.

        Args:
            loss: What is minimised.
            iterations: Counts the steps; the operation raises it. `None` for a counter of its own.
            variables: What is trained: resource variables.

        Raises:
            ValueError: The loss depends on none of the variables, or one is no resource variable.
        """
        pairs = [
            (g, v) for g, v in zip(tf.gradients(loss, variables), variables, strict=True) if g is not None
        ]
        if not pairs:
            raise ValueError(f"No gradients provided for any variable: {[v.name for v in variables]}.")
        for _, variable in pairs:
            if not hasattr(variable, "handle"):
                raise ValueError(
                    f"A Keras optimizer trains resource variables, and {variable.name} is none. Make it with"
                    " use_resource=True, or use an optimizer of tf.compat.v1.train."
                )
        gradients = self._clip([gradient for gradient, _ in pairs])
        with v1.name_scope(self.name):
            if iterations is None:
                iterations = v1.Variable(0, trainable=False, name="iter", use_resource=True, dtype=tf.int64)
            values = self._make_hyperparameters()
            step = iterations.read_value()
            if callable(self._learning_rate):
                values["learning_rate"] = tf.cast(self._learning_rate(step), tf.float32)
            values["step"] = tf.cast(step + 1, tf.float32)
            updates = [
                self._update(gradient, variable, values)
                for gradient, (_, variable) in zip(gradients, pairs, strict=True)
            ]
            with tf.control_dependencies(updates):
                return iterations.assign_add(tf.ones([], iterations.dtype), read_value=False)

    def _make_hyperparameters(self) -> dict[str, Any]:
        numbers = {name: self._settings[name] for name in self.hyperparameters}
        if not callable(self._learning_rate):
            numbers["learning_rate"] = self._learning_rate
        made = {
            name: v1.Variable(float(number), trainable=False, name=name, use_resource=True).read_value()
            for name, number in sorted(numbers.items())
        }
        # Keras 2's optimizers have this variable, and Keras 3's have no such argument.
        v1.Variable(0.0, trainable=False, name="decay", use_resource=True)
        return {**self._settings, **made}

    def _slot(self, variable: tf.Variable, name: str, value: float = 0.0) -> tf.Variable:
        initial = tf.fill(variable.shape, tf.constant(value, variable.dtype.base_dtype))
        return v1.Variable(initial, trainable=False, name=f"{variable.op.name}/{name}", use_resource=True)

    @abc.abstractmethod
    def _update(self, gradient: _Gradient, variable: tf.Variable, values: dict[str, Any]) -> Any:
        """Returns the operation that updates one variable.

        Args:
            gradient: Its gradient.
            variable: What is trained.
            values: `learning_rate`, the number `step` of the step, and the optimizer's other arguments.
        """


class _SGD(GraphKerasOptimizer):
    name = "SGD"
    default_learning_rate = 0.01
    hyperparameters: ClassVar = {"momentum": 0.0}
    constants: ClassVar = {"nesterov": False}

    def _update(self, gradient: _Gradient, variable: tf.Variable, values: dict[str, Any]) -> Any:
        rate = values["learning_rate"]
        if self._settings["momentum"]:
            arguments = {
                "var": variable.handle,
                "accum": self._slot(variable, "momentum").handle,
                "lr": rate,
                "momentum": values["momentum"],
                "use_nesterov": values["nesterov"],
            }
            if isinstance(gradient, tf.IndexedSlices):
                return _apply.ResourceSparseApplyKerasMomentum(**arguments, **_sparse(gradient))
            return _apply.ResourceApplyKerasMomentum(**arguments, grad=gradient)
        if isinstance(gradient, tf.IndexedSlices):
            return _apply.ResourceScatterAdd(
                resource=variable.handle, indices=gradient.indices, updates=-rate * gradient.values
            )
        return _apply.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=gradient)


class _Adagrad(GraphKerasOptimizer):
    name = "Adagrad"
    constants: ClassVar = {"initial_accumulator_value": 0.1, "epsilon": 1e-7}

    def _update(self, gradient: _Gradient, variable: tf.Variable, values: dict[str, Any]) -> Any:
        arguments = {
            "var": variable.handle,
            "accum": self._slot(variable, "accumulator", values["initial_accumulator_value"]).handle,
            "lr": values["learning_rate"],
            "epsilon": values["epsilon"],
        }
        if isinstance(gradient, tf.IndexedSlices):
            return _apply.ResourceSparseApplyAdagradV2(**arguments, **_sparse(gradient))
        return _apply.ResourceApplyAdagradV2(**arguments, grad=gradient)


class _Adam(GraphKerasOptimizer):
    name = "Adam"
    hyperparameters: ClassVar = {"beta_1": 0.9, "beta_2": 0.999}
    constants: ClassVar = {"epsilon": 1e-7, "amsgrad": False}

    def _update(self, gradient: _Gradient, variable: tf.Variable, values: dict[str, Any]) -> Any:
        # Rows without a gradient move, too, so it need not be sparse.
        arguments = {
            "var": variable.handle,
            "m": self._slot(variable, "m").handle,
            "v": self._slot(variable, "v").handle,
            "beta1_power": values["beta_1"] ** values["step"],
            "beta2_power": values["beta_2"] ** values["step"],
            "lr": values["learning_rate"],
            "beta1": values["beta_1"],
            "beta2": values["beta_2"],
            "epsilon": values["epsilon"],
            "grad": tf.convert_to_tensor(gradient),
        }
        if values["amsgrad"]:
            vhat = self._slot(variable, "vhat").handle
            return _apply.ResourceApplyAdamWithAmsgrad(**arguments, vhat=vhat)
        return _apply.ResourceApplyAdam(**arguments)


class _RMSprop(GraphKerasOptimizer):
    name = "RMSprop"
    hyperparameters: ClassVar = {"rho": 0.9, "momentum": 0.0}
    constants: ClassVar = {"epsilon": 1e-7, "centered": False}

    def _update(self, gradient: _Gradient, variable: tf.Variable, values: dict[str, Any]) -> Any:
        rms = self._slot(variable, "rms")
        momentum = self._slot(variable, "momentum") if self._settings["momentum"] else None
        mean = self._slot(variable, "mg") if values["centered"] else None
        if momentum is None:
            return self._without_momentum(gradient, variable, rms, mean, values)
        arguments = {
            "var": variable.handle,
            "ms": rms.handle,
            "mom": momentum.handle,
            "lr": values["learning_rate"],
            "rho": values["rho"],
            "momentum": values["momentum"],
            "epsilon": values["epsilon"],
        }
        kind = "RMSProp" if mean is None else "CenteredRMSProp"
        if mean is not None:
            arguments["mg"] = mean.handle
        if isinstance(gradient, tf.IndexedSlices):
            return getattr(_apply, f"ResourceSparseApply{kind}")(**arguments, **_sparse(gradient))
        return getattr(_apply, f"ResourceApply{kind}")(**arguments, grad=gradient)

    @staticmethod
    def _without_momentum(
        gradient: _Gradient,
        variable: tf.Variable,
        rms: tf.Variable,
        mean: tf.Variable | None,
        values: dict[str, Any],
    ) -> Any:
        # Of rows without a gradient only the averages change, so it need not be sparse.
        gradient = tf.convert_to_tensor(gradient)
        rho = values["rho"]
        square = rms.assign(rho * rms + (1 - rho) * tf.square(gradient))
        if mean is not None:
            square = square - tf.square(mean.assign(rho * mean + (1 - rho) * gradient))
        change = values["learning_rate"] * gradient / (tf.sqrt(square) + values["epsilon"])
        return variable.assign_sub(change, read_value=False)


class _Ftrl(GraphKerasOptimizer):
    name = "Ftrl"
    hyperparameters: ClassVar = {
        "learning_rate_power": -0.5,
        "l1_regularization_strength": 0.0,
        "l2_regularization_strength": 0.0,
        "beta": 0.0,
    }
    constants: ClassVar = {"initial_accumulator_value": 0.1, "l2_shrinkage_regularization_strength": 0.0}

    def _update(self, gradient: _Gradient, variable: tf.Variable, values: dict[str, Any]) -> Any:
        rate = values["learning_rate"]
        arguments = {
            "var": variable.handle,
            "accum": self._slot(variable, "accumulator", values["initial_accumulator_value"]).handle,
            "linear": self._slot(variable, "linear").handle,
            "lr": rate,
            "l1": values["l1_regularization_strength"],
            "l2": values["l2_regularization_strength"] + values["beta"] / (2 * rate),
            "l2_shrinkage": values["l2_shrinkage_regularization_strength"],
            "lr_power": values["learning_rate_power"],
        }
        if isinstance(gradient, tf.IndexedSlices):
            return _apply.ResourceSparseApplyFtrlV2(**arguments, **_sparse(gradient))
        return _apply.ResourceApplyFtrlV2(**arguments, grad=gradient)


_CLASSES = {kind.name: kind for kind in (_Adagrad, _Adam, _Ftrl, _RMSprop, _SGD)}


def keras_optimizer(name: str, learning_rate: float | None = None) -> GraphKerasOptimizer:
    """Makes an optimizer with Keras's default arguments.

    Args:
        name: The name of a class of `keras.optimizers`.
        learning_rate: The learning rate, if not Keras's default.
    """
    kind = _CLASSES[name]
    return kind(learning_rate or kind.default_learning_rate)


def as_graph_optimizer(optimizer: Any) -> Any:
    """Returns an optimizer that can train the variables of a graph.

    Args:
        optimizer: A `tf.compat.v1.train.Optimizer`, which is returned itself, or a Keras optimizer.

    Raises:
        ValueError: It is something else, or one of Keras that `tf.estimator` did not have.
    """
    if isinstance(optimizer, (v1.train.Optimizer, GraphKerasOptimizer)):
        return optimizer
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ValueError(f"The given object is not an Optimizer instance. Given: {optimizer}")
    kind = _CLASSES.get(type(optimizer).__name__)
    if kind is None or type(optimizer) is not getattr(keras.optimizers, kind.name):
        raise ValueError(
            f"Estimators do not run {type(optimizer).__name__}. Of keras.optimizers they run"
            f" {', '.join(sorted(_CLASSES))}; or use an optimizer of tf.compat.v1.train."
        )
    for argument in _UNSUPPORTED:
        if getattr(optimizer, argument, None):
            raise ValueError(
                f"Estimators do not support the argument {argument} of {kind.name}. Leave it out, or use an"
                " optimizer of tf.compat.v1.train."
            )
    settings = {name: getattr(optimizer, name) for name in (*kind.hyperparameters, *kind.constants)}
    rate = _rate(optimizer)
    _forget_variables(optimizer)
    return kind(rate, _clipping(optimizer), **settings)


def _rate(optimizer: Any) -> float | Callable[[tf.Tensor], Any]:
    """Returns the learning rate of a Keras optimizer: a number, or a function of the steps so far."""
    rate = _keras.learning_rate(optimizer)
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return lambda step: rate(step)
    if not isinstance(rate, _keras.Variable):
        return lambda step: rate()
    variable = rate.value
    if _is_eager(variable):
        with _tensorflow.eager_mode():
            return float(variable.numpy())
    return float(tf.get_static_value(variable.initial_value))


def _forget_variables(optimizer: Any) -> None:
    """Takes the variables of a Keras optimizer that was made in a graph out of the graph's collections."""
    own = {id(variable.value) for variable in optimizer.variables if not _is_eager(variable.value)}
    if not own:
        return
    for name in (v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.TRAINABLE_VARIABLES):
        collection = v1.get_default_graph().get_collection_ref(name)
        collection[:] = [variable for variable in collection if id(variable) not in own]


def _is_eager(variable: tf.Variable) -> bool:
    return hasattr(variable.handle, "numpy")


def _clipping(optimizer: Any) -> Callable[[list[_Gradient]], list[_Gradient]]:
    def clip(gradients: list[_Gradient]) -> list[_Gradient]:
        if optimizer.clipnorm:
            return [tf.clip_by_norm(gradient, optimizer.clipnorm) for gradient in gradients]
        if optimizer.global_clipnorm:
            clipped: list[_Gradient] = tf.clip_by_global_norm(gradients, optimizer.global_clipnorm)[0]
            return clipped
        if optimizer.clipvalue:
            value = optimizer.clipvalue
            return [tf.clip_by_value(gradient, -value, value) for gradient in gradients]
        return gradients

    return clip


def _sparse(gradient: tf.IndexedSlices) -> dict[str, tf.Tensor]:
    """Returns the gradients of the rows, summed up for each row, and the rows."""
    rows, positions = tf.unique(gradient.indices)
    total = tf.math.unsorted_segment_sum(gradient.values, positions, tf.size(rows))
    return {"grad": total, "indices": rows}
