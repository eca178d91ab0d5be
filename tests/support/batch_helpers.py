"""Makes small models and their data for the tests of training on batches, in every mode of TensorFlow.

A script that calls `disable_v2_behavior()` must make its models before. So with `--tf-mode` the tests make
theirs in eager mode, and `train` and `fit` are called outside of it.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import keras_legacy_train
from keras_legacy_train.callbacks import LoopCallback
from keras_legacy_train.programs.base import Steps

v1 = tf.compat.v1

_IS_EAGER = tf.executing_eagerly()


@contextlib.contextmanager
def _mode_of_the_script() -> Iterator[None]:
    """Leaves eager mode for a while, if the script has called `disable_v2_behavior()`."""
    if _IS_EAGER:
        yield
        return
    with tf.Graph().as_default():
        v1.disable_tensor_equality()
        v1.disable_v2_tensorshape()
        try:
            yield
        finally:
            v1.enable_tensor_equality()
            v1.enable_v2_tensorshape()


def _as_scripts_do(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with _mode_of_the_script():
            return function(*args, **kwargs)

    return call


train = _as_scripts_do(keras_legacy_train.train)
fit = _as_scripts_do(keras_legacy_train.fit)

RNG = np.random.RandomState(0)
X = RNG.normal(size=[32, 4]).astype(np.float32)
Y = X @ np.array([[1.0], [-2.0], [0.5], [3.0]], np.float32) + 0.1
WEIGHTS = RNG.uniform(0.5, 1.5, size=[32]).astype(np.float32)
BATCH = 8

TARGET = 3.0
RATE = 0.25


def line_model(*layers: Callable[[], keras.Layer], **dense: Any) -> keras.Model:
    """Makes a linear model, always with the same initial weights: `line/out/kernel` and `bias`.

    Args:
        *layers: Make the layers before the last one.
        **dense: Options of the last one.
    """
    keras.utils.set_random_seed(1)
    made = [layer() for layer in layers]
    return keras.Sequential(
        [keras.Input([4]), *made, keras.layers.Dense(1, name="out", **dense)], name="line"
    )


def batches(*arrays: Any, repeat: int | None = None) -> tf.data.Dataset:
    """Returns the rows of `X` and `Y`, or of other arrays, in batches of eight."""
    rows = tf.data.Dataset.from_tensor_slices(arrays or (X, Y))
    return rows.batch(BATCH, drop_remainder=True).repeat(repeat)


def feed(*arrays: Any, stop_after: int | None = None) -> Callable[[], Any]:
    """Returns a `feed_fn` that gives the same batches as `batches`."""
    arrays = arrays or (X, Y)
    slices = [tuple(a[at : at + BATCH] for a in arrays) for at in range(0, len(arrays[0]), BATCH)]
    return itertools.islice(itertools.cycle(slices), stop_after).__next__


def state(model: keras.Model) -> list[np.ndarray]:
    """Returns the values of all variables of a model: weights and the states of seed generators."""
    return [variable.numpy() for variable in model.variables]


def assert_same_state(model: keras.Model, expected: list[np.ndarray], **tolerance: float) -> None:
    """Checks that a model's variables are close to others; with `rtol=0` that they are equal bit for bit."""
    limits = {"rtol": 1e-5, "atol": 0.0 if tolerance.get("rtol") == 0 else 1e-6, **tolerance}
    for value, other in zip(state(model), expected, strict=True):
        np.testing.assert_allclose(value, other, **limits)


class Descent:
    """Moves `w` a quarter of the way to a target at each step, from 0 on.

    Attributes:
        w: The variable `w`.
        traces: How often its functions have been traced.
    """

    def __init__(self, name: str = "w"):
        self.w = tf.Variable(0.0, name=name)
        self.traces = 0

    def step(self) -> dict[str, Any]:
        return self.step_on(TARGET)

    def step_on(self, target: Any) -> dict[str, Any]:
        self.traces += 1
        gap = target - self.w
        loss = tf.square(gap)
        self.w.assign_add(RATE * gap)
        return {"loss": loss, "gap": gap, "steps": 1, "history": tf.stack([gap, loss]), "note": None}

    def loss(self) -> tf.Tensor:
        return tf.square(TARGET - self.w)

    def loss_on(self, target: tf.Tensor) -> tf.Tensor:
        return tf.square(target - self.w)


def gap_after(steps: int) -> float:
    return TARGET * (1 - RATE) ** steps


def w_after(steps: int) -> float:
    return TARGET - gap_after(steps)


class CallCounter(LoopCallback):
    """Records how many steps each call into TensorFlow ran, and watches none.

    Attributes:
        calls: The numbers of steps.
        losses: The loss of every step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []
        self.losses: list[Any] = []

    def on_steps_end(self, steps: Steps) -> None:
        self.calls.append(len(steps))
        self.losses.extend(steps.losses.tolist())


def files(directory: Path) -> list[str]:
    """Returns the names of the files in a directory, without the numbers of event files."""
    return sorted(path.name.partition(".tfevents")[0] for path in directory.iterdir())
