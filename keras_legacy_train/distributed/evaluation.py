"""Evaluates a Keras model on several replicas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import _keras
from keras_legacy_train.distributed.replicas import Replicas


class ReplicaEvaluation:
    """Evaluates a model on the same data again and again, with the results of one replica.

    `keras.Model.evaluate` fails where batches cannot be split evenly, and with several processes.

    Args:
        model: The model, compiled.
        replicas: On what it is evaluated.
        x: The data.
        **arguments: `y`, `sample_weight`, `batch_size`, `steps_per_epoch`.
    """

    def __init__(self, model: keras.Model, replicas: Replicas, x: Any, **arguments: Any):
        self._model = model
        self._replicas = replicas
        self._adapter = _keras.data_adapter(x, shuffle=False, **arguments)
        self._steps = arguments.get("steps_per_epoch")
        self._test = tf.function(self._test_on_batch, autograph=False, reduce_retracing=True)

    def __call__(self, callbacks: Iterable[keras.callbacks.Callback]) -> dict[str, Any]:
        """Returns the results by name. Calls `on_test_*` of the callbacks, which know the model."""
        watching = keras.callbacks.CallbackList(list(callbacks))
        logs: dict[str, Any] = {}
        watching.on_test_begin()
        self._model.reset_metrics()
        for number, batch in enumerate(self._adapter.get_tf_dataset().take(self._steps or -1)):
            watching.on_test_batch_begin(number)
            logs = self._test(batch)
            watching.on_test_batch_end(number, logs)
        results = _keras.epoch_logs(self._model, logs)
        watching.on_test_end(results)
        return results

    def _test_on_batch(self, batch: Any) -> dict[str, Any]:
        replicas, model = self._replicas, self._model
        rows = _keras.without_optionals(batch)
        logs = replicas.run(lambda rows, weight: model.test_step(rows), rows, may_be_empty=True)
        means: dict[str, Any] = tf.nest.map_structure(replicas.mean, logs)
        return means
