"""Makes small data, models of several kinds and callbacks that record their calls, for the tests of `fit`."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

ROWS = 22
BATCH = 5
# Keras 3.5 counts the end of the input as a step, among other things that later versions have mended.
IS_KERAS_3_5 = keras.version().startswith("3.5.")
# Steps of one pass over the rows; the last batch is a short one.
EPOCH = 5


def inputs() -> np.ndarray:
    return np.random.RandomState(0).randn(ROWS, 4).astype(np.float32)


def targets() -> np.ndarray:
    return inputs().sum(axis=1, keepdims=True)


def categories() -> np.ndarray:
    return (targets()[:, 0] > 0).astype(np.int32)


def arrays(**options: Any) -> dict[str, Any]:
    """Arguments of `fit`: the rows in their order."""
    return {"x": inputs(), "y": targets(), "batch_size": BATCH, "shuffle": False, **options}


def batches(shuffled: bool = False) -> tf.data.Dataset:
    """Returns the rows as a dataset. If shuffled, each epoch has another order, the same in each dataset."""
    rows = tf.data.Dataset.from_tensor_slices((inputs(), targets()))
    return (rows.shuffle(7, seed=3) if shuffled else rows).batch(BATCH)


def dataset(change: Callable[[tf.data.Dataset], tf.data.Dataset] = lambda data: data, **options: Any) -> Any:
    """Arguments of `fit`: the batches as a dataset, changed."""
    return {"x": change(batches()), "shuffle": False, **options}


class Rows(keras.utils.PyDataset):
    """Gives the rows in another order after each epoch, and records the calls of its epoch hooks."""

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.calls: list[str] = []
        self._random = np.random.RandomState(5)
        self._order = np.arange(ROWS)

    def __len__(self) -> int:
        return EPOCH

    def __getitem__(self, index: int) -> Any:
        rows = self._order[index * BATCH : (index + 1) * BATCH]
        return inputs()[rows], targets()[rows]

    def on_epoch_begin(self) -> None:
        self.calls.append("begin")

    def on_epoch_end(self) -> None:
        self.calls.append("end")
        self._random.shuffle(self._order)


def generated(number: int | None = None) -> Iterator[Any]:
    """Returns an iterator over so many batches, or over batches without end, one pass after the other."""
    rows = Rows()
    return (rows[index % EPOCH] for index in itertools.islice(itertools.count(), number))


def compiled(model: keras.Model, **options: Any) -> keras.Model:
    defaults = {"optimizer": keras.optimizers.SGD(0.05), "loss": "mse", "metrics": ["mae"]}
    model.compile(**{**defaults, "jit_compile": False, **options})
    return model


def line(units: int = 1, **options: Any) -> keras.Model:
    """Makes a linear model, quick to trace, with the same initial weights: `line/out/kernel` and `bias`."""
    keras.utils.set_random_seed(1)
    layers = [keras.Input([4]), keras.layers.Dense(units, name="out")]
    return compiled(keras.Sequential(layers, name="line"), **options)


@functools.cache
def _made(build: Callable[[], keras.Model], purpose: str) -> tuple[keras.Model, list[np.ndarray]]:
    model = build()
    model(inputs()[:1])
    model.optimizer.build(model.trainable_variables)
    return model, [variable.numpy() for variable in [*model.variables, *model.optimizer.variables]]


def again(build: Callable[[], keras.Model], purpose: str = "") -> keras.Model:
    """Returns a cached model with its initial values, so that it need not be traced again.

    Args:
        build: Makes the model.
        purpose: Each purpose gets a model of its own.
    """
    model, values = _made(build, purpose)
    for variable, value in zip([*model.variables, *model.optimizer.variables], values, strict=True):
        variable.assign(value)
    return model


def forget(model: keras.Model) -> None:
    """Sets everything that training changes to zero, the learning rate, too."""
    for variable in [*model.variables, *model.optimizer.variables, *model.metrics_variables]:
        variable.assign(keras.ops.zeros_like(variable))


def classifier() -> keras.Model:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return line(units=2, loss=loss, metrics=["accuracy"])


def f1_scored() -> keras.Model:
    """Makes a model with a metric of two numbers; its targets are one-hot."""
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    return line(units=2, loss=loss, metrics=[keras.metrics.F1Score(name="f1_score")])


def adam(**options: Any) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(0.01, **options)


def averaging() -> keras.Model:
    """Makes a linear model whose optimizer also keeps averages of the weights."""
    return line(optimizer=adam(use_ema=True, ema_momentum=0.5))


def sequential(**options: Any) -> keras.Model:
    """Makes a model with batch normalisation and dropout, trained by Adam."""
    keras.utils.set_random_seed(1)
    layers = [
        keras.Input([4]),
        keras.layers.Dense(4, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1),
    ]
    return compiled(keras.Sequential(layers), **{"optimizer": adam(), **options})


class Subclassed(keras.Model):
    """Applies two layers and a dropout; built when it is first called."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = keras.layers.Dense(4), keras.layers.Dense(1)
        self.dropout = keras.layers.Dropout(0.2)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.out(self.dropout(self.hidden(x), training=training))


class OwnStep(Subclassed):
    """Returns logs that `fit` does not know."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(x, training=True) - y) ** 2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {"my_loss": loss, "twice": loss * 2}


class OwnStepWithMetrics(Subclassed):
    """Calls `compute_loss`, and keeps the metrics itself."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            output = self(x, training=True)
            loss = self.compute_loss(x, y, output)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, output)
        return {metric.name: metric.result() for metric in self.metrics}


class OwnStepWithVector(OwnStep):
    """Returns an array, too."""

    def train_step(self, data: Any) -> dict[str, Any]:
        return {**super().train_step(data), "mean_x": tf.reduce_mean(data[0], axis=0)}


def subclassed(kind: type = Subclassed, **options: Any) -> keras.Model:
    keras.utils.set_random_seed(1)
    return compiled(kind(), **{"optimizer": keras.optimizers.SGD(0.01, momentum=0.9), **options})


def two_by_two() -> keras.Model:
    """Makes a functional model with two inputs and two outputs."""
    keras.utils.set_random_seed(1)
    one, other = keras.Input([4], name="one"), keras.Input([4], name="other")
    both = keras.layers.Concatenate()([one, other])
    outputs = {name: keras.layers.Dense(n, name=name)(both) for name, n in (("number", 1), ("kind", 2))}
    losses = {"number": "mse", "kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True)}
    model = keras.Model({"one": one, "other": other}, outputs)
    return compiled(model, loss=losses, metrics={"kind": ["accuracy"]})


def half_precision() -> keras.Model:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        return sequential()
    finally:
        keras.mixed_precision.set_global_policy("float32")


def trained_state(model: keras.Model) -> list[np.ndarray]:
    """Returns what training changes and evaluation does not: weights, seeds, the optimizer."""
    metrics = {id(variable) for variable in model.metrics_variables}
    variables = [*model.variables, *model.optimizer.variables]
    return [np.asarray(variable.numpy()) for variable in variables if id(variable) not in metrics]


def state(model: keras.Model) -> list[np.ndarray]:
    """Returns everything that training changes: weights, seeds, the optimizer, metrics."""
    return [*trained_state(model), *(np.asarray(each.numpy()) for each in model.metrics_variables)]


def assert_same_state(model: keras.Model, other: keras.Model | list[np.ndarray]) -> None:
    """Checks that a model has the state of another one, or an earlier result of `state`, bit for bit."""
    expected = other if isinstance(other, list) else state(other)
    for value, expected_value in zip(state(model), expected, strict=True):
        np.testing.assert_array_equal(value, expected_value)


def assert_same_history(history: Any, expected: Any) -> None:
    assert history.history.keys() == expected.history.keys()
    for name, values in expected.history.items():
        np.testing.assert_array_equal(history.history[name], values, name)
    assert history.epoch == expected.epoch


class Recorder(keras.callbacks.Callback):
    """Records every call of a hook, with its number and logs."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []

    def numbers(self, hook: str) -> list[int]:
        """Returns the numbers that a hook was called with, in order."""
        return [number for name, number, _ in self.calls if name == hook]

    def _note(self, hook: str, number: int | None, logs: Mapping[str, float] | None) -> None:
        self.calls.append((hook, number, dict(logs or {})))

    def on_train_begin(self, logs: Any = None) -> None:
        self._note("train begin", None, logs)

    def on_train_end(self, logs: Any = None) -> None:
        self._note("train end", None, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._note("epoch begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._note("epoch end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._note("batch begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._note("batch end", batch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        self._note("test begin", None, logs)

    def on_test_end(self, logs: Any = None) -> None:
        self._note("test end", None, logs)


class FailOnce(keras.callbacks.Callback):
    """Raises at the end of the given epoch."""

    def __init__(self, epoch: int):
        super().__init__()
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == self._epoch:
            raise OSError("power cut")


class StopAtBatch(keras.callbacks.Callback):
    """Asks to stop after the given batch of the given epoch."""

    def __init__(self, epoch: int, batch: int):
        super().__init__()
        self._at = epoch, batch
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self._epoch, batch) == self._at:
            self.model.stop_training = True
