"""Performs a step of a compiled Keras model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import _keras
from keras_legacy_train.distributed.replicas import Replicas, weighted
from keras_legacy_train.programs.logs import flat_logs, lists_as_tensors, python_logs
from keras_legacy_train.programs.traced_step import TracedStep

_LOGGER = logging.getLogger("keras_legacy_train")

# The model's attribute that keeps its step.
_STEP_ATTRIBUTE = "_keras_legacy_train_step"


def model_step(model: keras.Model, replicas: Replicas) -> ModelStep:
    """Returns the step of a compiled model; the same one until it is compiled anew.

    So functions that were traced for one call of `fit` serve the next.

    Args:
        model: The model, compiled.
        replicas: On what it is trained; for a model always the same.
    """
    step: ModelStep | None = vars(model).get(_STEP_ATTRIBUTE)
    if step is None or step.renew():
        step = ModelStep(model, replicas)
        vars(model)[_STEP_ATTRIBUTE] = step  # not by `__setattr__`, which would track it
    return step


class ModelStep:
    """Calls `model.train_step`, as `keras.Model.fit` does.

    The loss of a step is what `compute_loss` returned in it. If a custom `train_step` does not call that
    exactly once, it is what the step returns as `"loss"`, or the first value it returns.

    Args:
        model: The model, compiled.
        replicas: On what it is trained.

    Attributes:
        replicas: As given.
        run_eagerly: Whether the step must run as Python code.
        traced: The functions that were traced for the step, if any.
    """

    def __init__(self, model: keras.Model, replicas: Replicas):
        self.traced: TracedStep | None = None
        self.replicas = replicas
        self._model = model
        self._made_for: Any = None
        self.renew()

    def renew(self) -> bool:
        """Takes over a model that was compiled anew, or whose `make_train_function` was forced."""
        train_function = _keras.train_function(self._model)
        if train_function is self._made_for:
            return False
        self._made_for = train_function
        self.run_eagerly = self._model.run_eagerly
        self._train = self._train_on_batch
        if not self.run_eagerly:
            self._train = tf.function(
                self._train_on_batch,
                autograph=False,
                reduce_retracing=True,
                jit_compile=self._model.jit_compile or None,
            )
        return True

    def __call__(self, batch: Any) -> tuple[tf.Tensor, dict[str, Any]]:
        """Trains on a batch; returns the loss and the logs.

        Raises:
            ValueError: `train_step` neither calls `compute_loss` nor returns a loss.
            TypeError: `train_step` returns no dict.
        """
        return self._train(batch)

    def begin_epoch(self) -> None:
        """Resets the metrics."""
        self._model.reset_metrics()

    def needed_logs(self, logs: Mapping[str, Any]) -> list[str]:
        """Returns no names if the logs are the metrics' results, else all."""
        return [] if set(logs) == set(self._model.get_metrics_result()) else list(logs)

    def epoch_logs(self, loss: Any, logs: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the logs that `model.fit` gives to `on_epoch_end`."""
        return python_logs(_keras.epoch_logs(self._model, logs))

    def over_replicas(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Returns the logs of the step that was run last, of which only one replica's metrics are known."""
        if self.replicas.count == 1 or self.needed_logs(logs):
            return logs
        results: dict[str, Any] = self._model.get_metrics_result()
        return results

    def _train_on_batch(self, batch: Any) -> tuple[tf.Tensor, dict[str, Any]]:
        """Trains on all replicas."""
        replicas, model = self.replicas, self._model
        takes_means = _keras.takes_means(model.loss)
        optimizer = model.optimizer if replicas.count > 1 else None
        with _keras.recorded_losses(model) as losses, _keras.weighted_gradients(optimizer) as weigh:

            def train(rows: Any, weight: Any) -> tuple[tf.Tensor, dict[str, Any]]:
                weight = weight if takes_means else 1.0
                weigh(weight)
                return self._train_on_replica(rows, weight, losses)

            loss, logs = replicas.run(train, _keras.without_optionals(batch))
        if replicas.count == 1:
            return loss, logs
        with tf.init_scope():
            are_results = not self.needed_logs(logs)
        # What the metrics have counted on other replicas is read only where somebody wants to see it.
        reduce = replicas.first if are_results else replicas.mean
        return replicas.sum(loss), {name: tf.nest.map_structure(reduce, log) for name, log in logs.items()}

    def _train_on_replica(
        self, batch: Any, weight: Any, losses: Callable[[], list[tf.Tensor]]
    ) -> tuple[tf.Tensor, dict[str, Any]]:
        """Calls `train_step`, and finds the loss, or what the replica contributes to it."""
        logs = self._model.train_step(batch)
        if not isinstance(logs, Mapping):
            raise TypeError(
                f"train_step of {self._model.name!r} must return a dict of logs, such as {{'loss': loss}}; it"
                f" returns {logs!r}."
            )
        logs = lists_as_tensors(logs)
        computed = losses()
        if len(computed) == 1 and _is_in_this_graph(computed[0]):
            loss = computed[0]  # divided by the number of replicas already
        else:
            loss = self._logged_loss(logs)
            if self.replicas.count > 1:
                loss /= self.replicas.count
        return weighted(loss, weight), logs

    def _logged_loss(self, logs: Mapping[str, Any]) -> tf.Tensor:
        """Returns what `train_step` has returned as the loss."""
        if not logs:
            raise ValueError(
                f"train_step of {self._model.name!r} neither calls compute_loss nor returns a loss, so nobody"
                " can tell how the training goes. Have it return {'loss': loss}."
            )
        numbers = flat_logs(logs)
        name = "loss" if "loss" in numbers else next(iter(numbers))
        _LOGGER.info("The loss of a step is %r of what train_step of %r returns.", name, self._model.name)
        return tf.convert_to_tensor(numbers[name])


def _is_in_this_graph(tensor: tf.Tensor) -> bool:
    """Returns whether a tensor was computed here, and not in a function that `train_step` calls."""
    return tf.executing_eagerly() or getattr(tensor, "graph", None) is tf.compat.v1.get_default_graph()
