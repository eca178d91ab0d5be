"""Performs a step that users define: by an optimizer and a loss, or by a function that does everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import _keras
from keras_legacy_train.distributed.replicas import Replicas, weighted
from keras_legacy_train.programs.logs import python_logs
from keras_legacy_train.programs.traced_step import TracedStep, is_number


class OptimizerStep:
    """Minimizes the loss of a model by an optimizer, on a batch `(x, y)` or `(x, y, sample_weight)`.

    Args:
        model: The model. It need not be compiled. Its own losses, such as those of regularizers, are added.
        optimizer: The optimizer.
        loss: A loss as `keras.Model.compile(loss=)` takes it. But a function is called with `y` and the
            model's output as they are, and with `sample_weight=` where the batch has one; its result is
            averaged if it is no scalar.
        jit_compile: Whether XLA compiles the step.
        replicas: On what the model is trained.

    Attributes:
        replicas: As given.
    """

    run_eagerly = False
    traced: TracedStep | None = None

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        loss: Any,
        jit_compile: bool = False,
        replicas: Replicas | None = None,
    ):
        self.replicas = replicas or Replicas()
        self._model = model
        self._optimizer = optimizer
        is_function = callable(loss) and not isinstance(loss, (type, keras.losses.Loss))
        self._loss = loss if is_function else _CompiledLoss(loss)
        # Keras divides means by the number of replicas, since they are to be summed up.
        self._share = 1 / self.replicas.count if is_function else 1.0
        self._is_mean = is_function or _keras.takes_means(loss)
        self._train = tf.function(
            self._minimize_on_all, autograph=False, reduce_retracing=True, jit_compile=jit_compile or None
        )

    def __call__(self, batch: Any) -> tuple[tf.Tensor, dict[str, Any]]:
        """Trains on a batch; returns the loss and the logs.

        Raises:
            ValueError: The batch has no targets.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        if y is None:
            raise ValueError("feed_fn: a Keras optimizer trains on batches (x, y), but here is no y.")
        loss = self._train((x, y, sample_weight))
        return loss, {"loss": loss}

    def renew(self) -> bool:
        """Returns `False`: it stays as it is."""
        return False

    def begin_epoch(self) -> None:
        """Does nothing: nothing is counted by the epoch."""

    def needed_logs(self, logs: Mapping[str, Any]) -> list[str]:
        """Returns no names: the loss is enough."""
        return []

    def epoch_logs(self, loss: Any, logs: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the loss of the last step."""
        return python_logs({} if loss is None else {"loss": loss})

    def over_replicas(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Returns the logs: the loss is that over all replicas."""
        return logs

    def _minimize_on_all(self, batch: Any) -> tf.Tensor:
        """Applies the gradients of the loss on all replicas; returns the loss."""
        return self.replicas.sum(self.replicas.run(self._minimize, batch))

    def _minimize(self, batch: Any, weight: Any) -> tf.Tensor:
        """Applies the gradients of the loss; returns what the replica contributes to it."""
        x, y, sample_weight = batch
        with tf.GradientTape() as tape:
            output = self._model(x, training=True)
            weights = {} if sample_weight is None else {"sample_weight": sample_weight}
            loss = tf.reduce_mean(self._loss(y, output, **weights))
            loss = weighted(loss, self._share * (weight if self._is_mean else 1.0))
            if self._model.losses:
                penalty = tf.cast(tf.add_n(self._model.losses), loss.dtype)
                loss += weighted(penalty, 1 / self.replicas.count)
            scaled = self._optimizer.scale_loss(loss)
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(scaled, variables), variables)
        return loss


class _CompiledLoss:
    """Computes a loss as a compiled model does: with weights, masks, and for several outputs.

    Args:
        loss: A loss as `keras.Model.compile(loss=)` takes it.
    """

    def __init__(self, loss: Any):
        self._holder = keras.Model()
        self._holder.compile(optimizer=None, loss=loss)

    def __call__(self, y: Any, output: Any, sample_weight: Any = None) -> tf.Tensor:
        """Returns the loss of targets `y` and a model's output, a scalar."""
        return self._holder.compute_loss(y=y, y_pred=output, sample_weight=sample_weight)


class FunctionStep:
    """Calls a function that performs a step.

    Args:
        function: Called with the batch, or without arguments if there are no batches.
        loss: A function of the batch that computes the loss before the step, or the key of the loss in the
            dict that `function` returns.
        takes_batch: Whether there are batches.
        jit_compile: Whether XLA compiles the step.
        replicas: Where the function is called: on each of them, with its rows of the batch.

    Attributes:
        replicas: As given.
    """

    run_eagerly = False
    traced: TracedStep | None = None

    def __init__(
        self,
        function: Callable[..., Any],
        loss: str | Callable[..., tf.Tensor],
        takes_batch: bool,
        jit_compile: bool = False,
        replicas: Replicas | None = None,
    ):
        self.replicas = replicas or Replicas()
        self._function = function
        self._loss = loss
        self._takes_batch = takes_batch
        self._train = tf.function(self._run_on_all, reduce_retracing=True, jit_compile=jit_compile or None)

    def __call__(self, batch: Any) -> tuple[tf.Tensor, dict[str, Any]]:
        """Trains on a batch; returns the loss and the logs."""
        result: tuple[tf.Tensor, dict[str, Any]] = self._train(batch)
        return result

    def renew(self) -> bool:
        """Returns `False`: it stays as it is."""
        return False

    def begin_epoch(self) -> None:
        """Does nothing: nothing is counted by the epoch."""

    def needed_logs(self, logs: Mapping[str, Any]) -> list[str]:
        """Returns the names of all logs that are single numbers."""
        return [name for name, spec in logs.items() if name != "loss" and is_number(spec)]

    def epoch_logs(self, loss: Any, logs: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the logs of the last step, and its loss."""
        known = {name: log for name, log in logs.items() if log is not None}
        return python_logs(known if loss is None else {**known, "loss": loss})

    def over_replicas(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Returns the logs: they are means over all replicas."""
        return logs

    def _run_on_all(self, batch: Any) -> tuple[tf.Tensor, dict[str, Any]]:
        """Runs the function on all replicas, and finds the loss."""
        loss, logs = self.replicas.run(self._run, batch)
        if self.replicas.count == 1:
            return loss, logs
        loss = self.replicas.sum(loss)
        return loss, {**tf.nest.map_structure(self.replicas.mean, logs), "loss": loss}

    def _run(self, batch: Any, weight: Any) -> tuple[tf.Tensor, dict[str, Any]]:
        """Runs the function, and finds the loss, or what the replica contributes to it."""
        arguments = (batch,) if self._takes_batch else ()
        if callable(self._loss):
            loss = tf.convert_to_tensor(self._loss(*arguments))
            with tf.control_dependencies([loss]):
                outputs = self._function(*arguments)
        else:
            outputs = self._function(*arguments)
            loss = _returned_loss(outputs, self._loss)
        if loss.shape.num_elements() not in (None, 1):
            raise ValueError(f"loss_op must give one number; it gives the shape {loss.shape}.")
        logs = dict(outputs) if isinstance(outputs, Mapping) else {}
        if self.replicas.count > 1:
            logs = tf.nest.map_structure(tf.convert_to_tensor, logs)
        loss = weighted(tf.reshape(loss, []), weight / self.replicas.count)
        return loss, {**logs, "loss": loss}


def _returned_loss(outputs: Any, key: str) -> tf.Tensor:
    """Returns the loss in what a step's function has returned; raises ValueError if it is not there."""
    if isinstance(outputs, Mapping) and key in outputs:
        return tf.convert_to_tensor(outputs[key])
    found = f"the keys {', '.join(map(repr, outputs))}" if isinstance(outputs, Mapping) else f"{outputs!r}"
    raise ValueError(f"loss_op: train_op returns no dict with the key {key!r}, but {found}.")
