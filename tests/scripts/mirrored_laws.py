"""Trains on two replicas, logical CPUs, and prints for each law what contradicts it. Run by test_mirrored.py.

The number of logical CPUs must be set before TensorFlow runs its first operation.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import Recorder, Silent, checkpoint_numbers
from keras_helpers import Subclassed, adam, arrays, batches, compiled, inputs, line, targets
from keras_legacy_train import ReplicasDifferError, _keras, fit, train

(CPU,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)
STRATEGY = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def hidden(**options: Any) -> keras.Model:
    """Makes a model of two layers, with the same initial weights each time."""
    keras.utils.set_random_seed(1)
    layers = [
        keras.Input([4]),
        keras.layers.Dense(3, activation="tanh", kernel_regularizer="l2"),
        keras.layers.Dense(1),
    ]
    return compiled(keras.Sequential(layers), **{"optimizer": adam(), **options})


def in_scope(build: Callable[[], Any]) -> Any:
    with STRATEGY.scope():
        return build()


def assert_close(model: keras.Model, other: keras.Model) -> None:
    for value, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-6)


def assert_same_logs(logs: Any, expected: Any) -> None:
    assert logs.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(logs[name], values, rtol=1e-5, err_msg=name)


def fit_equals_one_replica() -> None:
    """Batches of 5 rows, the last of 2: none can be split evenly, or only just."""
    one, two = hidden(), in_scope(hidden)
    expected = fit(one, **arrays(), epochs=3, verbose=0)
    history = fit(two, **arrays(), epochs=3, verbose=0, strategy=STRATEGY)
    assert_same_logs(history.history, expected.history)
    assert_close(two, one)


def watched_steps_report_the_whole_batch() -> None:
    recorders = []
    for make, strategy in ((line, None), (lambda: in_scope(line), STRATEGY)):
        recorder = Recorder("loss", "mae")
        fit(make(), batches(), monitors=[recorder], verbose=0, strategy=strategy)
        recorders.append(recorder)
    for name in ("loss", "mae"):
        np.testing.assert_allclose(recorders[1].values(name), recorders[0].values(name), rtol=1e-6)


def weights_of_rows_are_split_with_them() -> None:
    weights = np.linspace(0.0, 2.0, len(inputs()), dtype=np.float32)
    one, two = line(weighted_metrics=["mse"]), in_scope(lambda: line(weighted_metrics=["mse"]))
    data = arrays(sample_weight=weights, validation_data=(inputs(), targets()), epochs=2, verbose=0)
    expected = fit(one, **data)
    assert_same_logs(fit(two, **data).history, expected.history)
    assert_close(two, one)


def sums_are_not_weighted() -> None:
    def build() -> keras.Model:
        loss = keras.losses.MeanSquaredError(reduction="sum")
        return line(loss=loss, optimizer=keras.optimizers.SGD(0.01))

    one, two = build(), in_scope(build)
    for model in (one, two):
        fit(model, **arrays(), verbose=0)
    assert_close(two, one)


class OwnStep(Subclassed):
    """Has a `train_step` of its own, with logs that are no metrics."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            error = tf.reduce_mean((self(x) - y) ** 2)
            loss = error / tf.distribute.get_replica_context().num_replicas_in_sync
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"error": error, "rows": tf.shape(x)[0]}


def a_train_step_of_the_users_own() -> None:
    def build() -> keras.Model:
        keras.utils.set_random_seed(1)
        model = OwnStep()
        model.build([None, 4])
        return compiled(model, metrics=None)

    data = batches().take(4).unbatch().batch(4)  # batches that can be split evenly
    expected = fit(build(), data, verbose=0)
    history = fit(in_scope(build), data, verbose=0)
    np.testing.assert_allclose(history.history["error"], expected.history["error"], rtol=1e-5)
    assert expected.history["rows"] == [4.0] and history.history["rows"] == [2.0]


def train_with_an_optimizer_equals_one_replica() -> None:
    def half_square(y: Any, output: Any) -> Any:
        return 0.5 * (y - output) ** 2

    total = keras.losses.MeanSquaredError(reduction="sum")
    for loss in ("mse", total, half_square):
        models = [hidden(), in_scope(hidden)]
        ends = []
        for model, strategy in zip(models, (None, STRATEGY), strict=True):
            with STRATEGY.scope() if strategy else contextlib.nullcontext():
                optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
            feed, monitors = batches().repeat(), [Silent()]
            with tempfile.TemporaryDirectory() as folder:
                ends.append(
                    train(
                        model,
                        folder,
                        optimizer,
                        loss,
                        feed_fn=feed,
                        max_steps=12,
                        monitors=monitors,
                        strategy=strategy,
                    )
                )
        np.testing.assert_allclose(ends[1], ends[0], rtol=1e-5)
        assert_close(models[1], models[0])


def functions(strategy: Any, reduces: bool, folder: str, steps: int) -> tuple[Any, tf.Variable]:
    """Trains a variable by a function of one's own, which is given a batch before each step."""
    with STRATEGY.scope() if strategy else contextlib.nullcontext():
        w = tf.Variable(tf.zeros([4, 1]), name="w")

    def loss_of(batch: Any) -> Any:
        return tf.reduce_mean((tf.matmul(batch[0], w) - batch[1]) ** 2)

    def step(batch: Any) -> None:
        with tf.GradientTape() as tape:
            loss = loss_of(batch)
        gradient = tape.gradient(loss, w)
        if reduces:
            gradient = tf.distribute.get_replica_context().all_reduce("MEAN", gradient)
        w.assign_sub(0.1 * gradient)

    feed = iter(batches().repeat().unbatch().batch(6)).get_next
    loss = train(
        None, folder, step, loss_of, feed_fn=feed, max_steps=steps, monitors=[Silent()], strategy=strategy
    )
    return loss, w


def functions_equal_one_replica() -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        expected, w = functions(None, False, one, 6)
        loss, mirrored = functions(STRATEGY, True, two, 6)
        np.testing.assert_allclose(loss, expected, rtol=1e-6)
        np.testing.assert_allclose(mirrored.numpy(), w.numpy(), rtol=1e-6)
        # Of the copies on replicas, the checkpoint knows nothing.
        names = {name for name, _ in tf.train.list_variables(two)}
        assert names == {name for name, _ in tf.train.list_variables(one)}
        _, resumed = functions(None, False, two, 6)
        np.testing.assert_array_equal(resumed.numpy(), mirrored.numpy())


def replicas_that_train_apart_are_found_at_the_save() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with pytest.raises(ReplicasDifferError, match="all_reduce") as caught:
            functions(STRATEGY, False, folder, 3)
        assert caught.value.names == ["w"]
        assert checkpoint_numbers(folder) == [0]


def a_run_goes_on_with_the_next_batch_on_any_number_of_replicas() -> None:
    options = {"shuffle": False, "verbose": 0, "save_input_state": True}
    whole = line()
    fit(whole, batches(shuffled=True), max_steps=8, **options)
    with tempfile.TemporaryDirectory() as folder:
        for model, steps in ((in_scope(line), 3), (line(), 6), (in_scope(line), 8)):
            fit(model, batches(shuffled=True), output_dir=folder, max_steps=steps, **options)
    assert_close(model, whole)


def what_was_made_outside_of_the_scope_is_named() -> None:
    with pytest.raises(ValueError, match=r"'sequential.*' was not made in the strategy's scope"):
        fit(hidden(), **arrays(), strategy=STRATEGY)
    model = in_scope(hidden)
    model.compile(adam(), "mse")
    with pytest.raises(ValueError, match=r"optimizer: .*iteration.* not made in the strategy's scope"):
        fit(model, **arrays())
    model.compile(None, "mse", metrics=["mae"])
    with pytest.raises(ValueError, match=r"model: .*not made in the strategy's scope"):
        fit(model, **arrays())
    with tempfile.TemporaryDirectory() as folder:
        outside = tf.Variable(0.0, name="outside")
        with pytest.raises(ValueError, match=r"outside were? not made in the strategy's scope"):
            train(None, folder, lambda: outside.assign_add(1.0), lambda: outside, strategy=STRATEGY)
        with pytest.raises(ValueError, match=r"optimizer: "):
            train(in_scope(hidden), folder, adam(), "mse", feed_fn=batches(), strategy=STRATEGY)
        unbuilt = in_scope(Subclassed)
        with pytest.raises(ValueError, match="has no variables yet"):
            train(unbuilt, folder, in_scope(adam), "mse", feed_fn=batches(), strategy=STRATEGY)
    with STRATEGY.scope(), pytest.raises(ValueError, match="within a strategy's scope"):
        fit(in_scope(hidden), **arrays())


def what_replicas_cannot_do_is_refused() -> None:
    accumulating = in_scope(lambda: hidden(optimizer=adam(gradient_accumulation_steps=2)))
    with pytest.raises(ValueError, match="gradient_accumulation_steps=2"):
        fit(accumulating, **arrays())
    with pytest.raises(ValueError, match="A batch of 1 rows has fewer rows than there are replicas"):
        fit(in_scope(hidden), tf.data.Dataset.from_tensors((inputs()[:1], targets()[:1])))
    with pytest.raises(tf.errors.InvalidArgumentError, match="fewer rows than there are replicas"):
        fit(in_scope(hidden), inputs()[:3], targets()[:3], batch_size=2, verbose=0)


def clipping_is_warned_about() -> None:
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("keras_legacy_train")
    logger.addHandler(handler)
    clips = in_scope(lambda: line(optimizer=adam(global_clipnorm=1.0)))
    with pytest.raises(ValueError, match="A batch of 1 rows"):  # the warning comes before
        fit(clips, tf.data.Dataset.from_tensors((inputs()[:1], targets()[:1])))
    logger.removeHandler(handler)
    assert any(record.startswith("global_clipnorm of the optimizer clips") for record in records)


def older_versions_of_keras_are_refused() -> None:
    is_new = _keras.ADDS_UP_OVER_REPLICAS
    _keras.ADDS_UP_OVER_REPLICAS = False
    with pytest.raises(ValueError, match=r"Keras \S+ adds up losses and metrics wrongly over replicas"):
        fit(in_scope(line), **arrays())
    _keras.ADDS_UP_OVER_REPLICAS = is_new


LAWS = [
    older_versions_of_keras_are_refused,
    fit_equals_one_replica,
    watched_steps_report_the_whole_batch,
    weights_of_rows_are_split_with_them,
    sums_are_not_weighted,
    a_train_step_of_the_users_own,
    train_with_an_optimizer_equals_one_replica,
    functions_equal_one_replica,
    replicas_that_train_apart_are_found_at_the_save,
    a_run_goes_on_with_the_next_batch_on_any_number_of_replicas,
    what_was_made_outside_of_the_scope_is_named,
    what_replicas_cannot_do_is_refused,
    clipping_is_warned_about,
]


def main(*names: str) -> None:
    problems = {}
    of_functions = [
        older_versions_of_keras_are_refused,
        functions_equal_one_replica,
        replicas_that_train_apart_are_found_at_the_save,
    ]
    for law in LAWS if _keras.ADDS_UP_OVER_REPLICAS else of_functions:
        if names and law.__name__ not in names:
            continue
        try:
            law()
            problems[law.__name__] = ""
        except BaseException:  # reported by the test of this law
            problems[law.__name__] = traceback.format_exc()
    print(json.dumps(problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
