"""`train` with a Keras model in the place of the graph: its steps are those of `keras.Model.fit`."""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_helpers import (
    WEIGHTS,
    CallCounter,
    X,
    Y,
    assert_same_state,
    batches,
    feed,
    line_model,
    state,
    train,
)
from helpers import Recorder, Silent, checkpoint_numbers, newest_checkpoint
from keras_legacy_train import monitors

STEPS = 6
SGD = keras.optimizers.SGD


pytestmark = pytest.mark.usefixtures("v2_behavior")


def fitted(model: keras.Model, optimizer: Any, loss: Any, data: Any = None) -> list[np.ndarray]:
    """The model's state after as many steps of `keras.Model.fit`."""
    before = model.variables
    model.compile(optimizer, loss)
    model.fit(batches() if data is None else data, steps_per_epoch=STEPS, verbose=0)
    return [variable.numpy() for variable in before]


@functools.cache
def fitted_line() -> list[np.ndarray]:
    return fitted(line_model(), SGD(0.1), "mse")


def mean_square(y: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.square(output - y))


# The step is that of `keras.Model.fit`.


@pytest.mark.parametrize(
    "loss",
    [
        "mse",
        keras.losses.MeanSquaredError(),
        keras.losses.MeanSquaredError,
        keras.losses.mean_squared_error,
        mean_square,
        lambda y, output: tf.square(output - y),
    ],
    ids=["name", "object", "class", "function of Keras", "function", "function of rows"],
)
def test_loss(loss: Any, tmp_path: Path) -> None:
    model = line_model()
    value = train(model, tmp_path, SGD(0.1), loss, feed_fn=batches(), steps=STEPS)
    assert isinstance(value, np.float32)
    assert_same_state(model, fitted_line())


def weighted_mean_square(y: tf.Tensor, output: tf.Tensor, sample_weight: tf.Tensor) -> tf.Tensor:
    return tf.square(output - y)[:, 0] * sample_weight


@pytest.mark.parametrize("loss", ["mse", keras.losses.MeanSquaredError(), weighted_mean_square])
def test_sample_weights(loss: Any, tmp_path: Path) -> None:
    model = line_model()
    train(model, tmp_path, SGD(0.1), loss, feed_fn=batches(X, Y, WEIGHTS), steps=STEPS)
    assert_same_state(model, fitted(line_model(), SGD(0.1), "mse", batches(X, Y, WEIGHTS)))


def test_a_function_that_takes_no_sample_weights(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="sample_weight"):
        train(line_model(), tmp_path / "new", SGD(0.1), mean_square, feed_fn=batches(X, Y, WEIGHTS), steps=1)
    assert not (tmp_path / "new").exists()


LAYERS: dict[str, Callable[[], keras.Layer]] = {
    "regularizer": lambda: keras.layers.Dense(3, kernel_regularizer="l2", activity_regularizer="l1"),
    "batch normalization": keras.layers.BatchNormalization,
    "dropout": lambda: keras.layers.Dropout(0.5),
    "masking": lambda: keras.layers.Masking(),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_layers(layer: str, tmp_path: Path) -> None:
    data = batches()
    if layer == "masking":
        x = np.where(np.arange(32)[:, None, None] % 3 == 0, 0.0, X[:, None]).astype(np.float32)
        data = batches(x, Y[:, None])

    def model() -> keras.Model:
        if layer != "masking":
            return line_model(LAYERS[layer])
        keras.utils.set_random_seed(1)
        return keras.Sequential([keras.Input([1, 4]), keras.layers.Masking(), keras.layers.Dense(1)])

    trained = model()
    train(trained, tmp_path, SGD(0.1), "mse", feed_fn=data, steps=STEPS)
    assert_same_state(trained, fitted(model(), SGD(0.1), "mse", data))


def test_the_loss_is_that_of_the_step_with_what_regularizers_add(tmp_path: Path) -> None:
    model, bare = line_model(kernel_regularizer="l2"), line_model()
    loss = train(model, tmp_path, SGD(0.0), "mse", feed_fn=feed(), steps=1)
    kernel = bare.get_weights()[0]
    np.testing.assert_allclose(loss, mean_square(Y[:8], bare(X[:8])) + 0.01 * np.sum(kernel**2), rtol=1e-5)


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: keras.optimizers.Adam(0.05), id="adam"),
        pytest.param(
            lambda: SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), momentum=0.9), id="schedule"
        ),
        pytest.param(lambda: SGD(0.1, gradient_accumulation_steps=2), id="accumulation", marks=SLOW),
        pytest.param(lambda: SGD(0.1, clipnorm=0.1), id="clipping", marks=SLOW),
        pytest.param(lambda: SGD(0.1, use_ema=True, ema_momentum=0.5), id="averages"),
        pytest.param(
            lambda: keras.optimizers.LossScaleOptimizer(SGD(0.1), initial_scale=8.0, dynamic_growth_steps=2),
            id="loss scale",
        ),
    ],
)
def test_optimizers(make: Callable[[], Any], tmp_path: Path) -> None:
    model, optimizer = line_model(), make()
    train(model, tmp_path, optimizer, "mse", feed_fn=batches(), steps=STEPS)
    reference = make()
    assert_same_state(model, fitted(line_model(), reference, "mse"))
    for variable, other in zip(optimizer.variables, reference.variables, strict=True):
        np.testing.assert_allclose(variable.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


def test_averages_are_put_in_place_after_the_last_checkpoint(tmp_path: Path) -> None:
    """So that a resumed training goes on with the weights themselves."""

    def averaging() -> Any:
        return SGD(0.1, use_ema=True, ema_momentum=0.5)

    model, whole = line_model(), line_model()
    train(model, tmp_path / "pieces", averaging(), "mse", feed_fn=feed(), steps=4)
    train(model, tmp_path / "pieces", averaging(), "mse", feed_fn=feed(), steps=4)
    train(whole, tmp_path / "whole", averaging(), "mse", feed_fn=feed(), steps=8)
    assert_same_state(model, state(whole))


def test_mixed_precision(tmp_path: Path) -> None:
    def model() -> keras.Model:
        return line_model(dtype=keras.DTypePolicy("mixed_float16"), kernel_regularizer="l2")

    def optimizer() -> Any:
        return keras.optimizers.LossScaleOptimizer(SGD(0.05), initial_scale=2.0**10)

    trained = model()
    loss = train(trained, tmp_path, optimizer(), "mse", feed_fn=batches(), steps=STEPS)
    assert loss.dtype == np.float32
    assert_same_state(trained, fitted(model(), optimizer(), "mse"), rtol=1e-3)


def two_ended() -> keras.Model:
    """A model with the inputs `a` and `b`, and the outputs `sum` and `product`."""
    keras.utils.set_random_seed(1)
    a, b = keras.Input([4], name="a"), keras.Input([4], name="b")
    outputs = {
        "sum": keras.layers.Dense(1, name="sum")(a + b),
        "product": keras.layers.Dense(1, name="product")(a * b),
    }
    return keras.Model({"a": a, "b": b}, outputs)


def both(y: dict[str, tf.Tensor], output: dict[str, tf.Tensor]) -> tf.Tensor:
    return tf.add_n([tf.reduce_mean(tf.square(output[name] - y[name])) for name in sorted(output)])


@pytest.mark.slow
def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    data = batches({"a": X, "b": X[::-1]}, {"sum": Y, "product": Y[::-1]})
    several = {"sum": "mse", "product": keras.losses.MeanSquaredError()}
    expected = fitted(two_ended(), SGD(0.05), several, data)
    for loss, feed_fn in ((several, data), (both, data.as_numpy_iterator().__next__)):
        model = two_ended()
        train(model, tmp_path / str(loss is both), SGD(0.05), loss, feed_fn=feed_fn, steps=STEPS)
        assert_same_state(model, expected)


def test_a_model_that_is_built_by_its_first_batch(tmp_path: Path) -> None:
    class Line(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="line")
            self.dense = keras.layers.Dense(1, kernel_initializer="ones", name="dense")

        def call(self, x: Any) -> Any:
            return self.dense(x)

    whole, pieces = Line(), tmp_path / "pieces"
    train(whole, tmp_path / "whole", keras.optimizers.Adam(0.1), "mse", feed_fn=feed(), steps=8)
    for _ in range(2):  # a new process has a new model, not built before the checkpoint is looked for
        model = Line()
        train(model, pieces, keras.optimizers.Adam(0.1), "mse", feed_fn=feed(), steps=4)
    assert_same_state(model, state(whole))


def test_the_model_is_left_as_it_was(tmp_path: Path) -> None:
    model = line_model()
    train(model, tmp_path, SGD(0.1), "mse", feed_fn=feed(), steps=2)
    assert not model.compiled
    assert not hasattr(model, "optimizer")
    own = SGD(0.1)
    model.compile(own, "mse")
    train(model, tmp_path / "more", keras.optimizers.Adam(), "mse", feed_fn=feed(), steps=2)
    assert model.optimizer is own
    model.fit(X, Y, verbose=0)


def test_jit_compile(tmp_path: Path) -> None:
    model = line_model()
    train(model, tmp_path, SGD(0.1), "mse", feed_fn=batches(), steps=STEPS, jit_compile=True)
    assert_same_state(model, fitted_line(), rtol=1e-4)


# A function that performs a step.


def descent(model: keras.Model, rate: float = 0.1) -> Callable[[Any], dict[str, tf.Tensor]]:
    def step(batch: Any) -> dict[str, tf.Tensor]:
        x, y = batch
        with tf.GradientTape() as tape:
            error = mean_square(y, model(x, training=True))
        variables = [variable.value for variable in model.trainable_variables]
        for variable, gradient in zip(variables, tape.gradient(error, variables), strict=True):
            variable.assign_sub(rate * gradient)
        return {"error": error, "worst": tf.reduce_max(tf.abs(model(x) - y))}

    return step


def before_step(model: keras.Model) -> Callable[[Any], tf.Tensor]:
    return lambda batch: mean_square(batch[1], model(batch[0]))


@pytest.mark.parametrize("loss", ["error", before_step], ids=["key", "function"])
@pytest.mark.parametrize("source", [batches, feed])
def test_function(loss: Any, source: Any, tmp_path: Path) -> None:
    model, recorder = line_model(), Recorder("loss")
    loss_op = loss if isinstance(loss, str) else loss(model)
    train(model, tmp_path, descent(model), loss_op, feed_fn=source(), steps=STEPS, monitors=[recorder])
    assert_same_state(model, fitted_line())
    first = mean_square(Y[:8], line_model()(X[:8]))
    np.testing.assert_allclose(recorder.outputs[1]["loss"], first, rtol=1e-6)


@pytest.mark.slow
def test_function_with_an_optimizer_of_its_own_resumes(tmp_path: Path) -> None:
    """Nobody has told which optimizer it is, but a checkpoint has its variables."""

    def run(directory: Path, steps: list[int]) -> keras.Model:
        for count in steps:
            model = line_model()
            optimizer = keras.optimizers.Adam(0.05)

            def step(batch: Any, model: Any = model, optimizer: Any = optimizer) -> dict[str, Any]:
                with tf.GradientTape() as tape:
                    loss = mean_square(batch[1], model(batch[0], training=True))
                variables = model.trainable_variables
                optimizer.apply(tape.gradient(loss, variables), variables)
                return {"loss": loss}

            train(model, directory, step, "loss", feed_fn=feed(), steps=count)
        return model

    assert_same_state(run(tmp_path / "a", [4, 4]), state(run(tmp_path / "b", [8])), rtol=0)


def test_function_without_batches(tmp_path: Path) -> None:
    model = line_model()
    step, data = descent(model), (tf.constant(X), tf.constant(Y))
    counter = CallCounter()
    train(
        model,
        tmp_path,
        lambda: step(data),
        "error",
        steps=50,
        monitors=[Silent()],
        callbacks=[counter],
    )
    assert len(counter.losses) == 50
    assert len(counter.calls) < 10


# Where batches come from.


def test_batches_of_a_dataset_run_in_windows(tmp_path: Path) -> None:
    """And are traced once for single steps and windows together, give or take."""
    traces, model = [], line_model()

    def loss(y: Any, output: Any) -> Any:
        traces.append(1)
        return mean_square(y, output)

    counter = CallCounter()
    options: dict[str, Any] = {"monitors": [Silent()], "callbacks": [counter]}
    train(model, tmp_path / "windows", SGD(0.01), loss, feed_fn=batches(), steps=300, **options)
    assert len(counter.losses) == 300
    assert len(counter.calls) < 15
    assert len(traces) <= 3
    windows, counter.calls, counter.losses = counter.losses, [], []
    train(line_model(), tmp_path / "single", SGD(0.01), loss, feed_fn=feed(), steps=300, **options)
    assert counter.calls == [1] * 300
    assert counter.losses == windows


def test_feed_fn_may_give_batches_of_other_sizes(tmp_path: Path) -> None:
    sizes = iter([8, 3, 5, 16])

    def give() -> Any:
        size = next(sizes)
        return X[:size].astype(np.float64), Y[:size].tolist()

    counter = CallCounter()
    loss = train(line_model(), tmp_path, SGD(0.1), "mse", feed_fn=give, callbacks=[counter])
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"
    assert len(counter.losses) == 4
    assert loss == np.float32(counter.losses[-1])


@pytest.mark.parametrize("source", ["function", "dataset"])
def test_end_of_the_input_ends_the_training(source: str, tmp_path: Path) -> None:
    give = feed(stop_after=7) if source == "function" else batches().take(7)
    loss = train(line_model(), tmp_path, SGD(0.1), "mse", feed_fn=give, monitors=[Silent()])
    assert loss is not None
    assert newest_checkpoint(tmp_path) == "model.ckpt-7"


@pytest.mark.parametrize("source", ["function", "dataset"])
def test_input_without_a_batch(source: str, tmp_path: Path) -> None:
    give = feed(stop_after=0) if source == "function" else batches().take(0)
    assert train(line_model(), tmp_path, SGD(0.1), "mse", feed_fn=give) is None
    assert checkpoint_numbers(tmp_path) == ([] if source == "function" else [0])


def test_the_last_batch_of_a_dataset_may_be_smaller(tmp_path: Path) -> None:
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(10)
    counter = CallCounter()
    train(line_model(), tmp_path, SGD(0.1), "mse", feed_fn=data, callbacks=[counter], monitors=[Silent()])
    assert len(counter.losses) == 4


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_exception_of_feed_fn_is_raised_after_a_checkpoint(
    error: type[BaseException], tmp_path: Path
) -> None:
    source = feed()
    numbers = itertools.count(1)

    def give() -> Any:
        if next(numbers) == 4:
            raise error("of feed_fn")
        return source()

    recorder = Recorder()
    with pytest.raises(error, match="of feed_fn"):
        train(line_model(), tmp_path, SGD(0.1), "mse", feed_fn=give, steps=9, monitors=[recorder])
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"
    assert recorder.calls[-1] == ["end"]


@pytest.mark.slow
def test_saved_position_of_a_dataset(tmp_path: Path) -> None:
    """With shuffling and dropout, a run in pieces is, bit for bit, one without a break."""

    def run(directory: Path, pieces: list[int]) -> tuple[keras.Model, list[float]]:
        losses = []
        for steps in pieces:
            model = line_model(LAYERS["dropout"], LAYERS["batch normalization"])
            data = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(32, seed=3).repeat().batch(8)
            counter = CallCounter()
            train(
                model,
                directory,
                keras.optimizers.Adam(0.05),
                "mse",
                feed_fn=data,
                steps=steps,
                save_input_state=True,
                monitors=[Silent()],
                callbacks=[counter],
            )
            losses += counter.losses
        return model, losses

    whole, losses = run(tmp_path / "whole", [12])
    pieces, losses_of_pieces = run(tmp_path / "pieces", [5, 7])
    assert losses_of_pieces == losses
    assert_same_state(pieces, state(whole), rtol=0)


def test_without_the_position_a_dataset_is_read_from_its_beginning(tmp_path: Path) -> None:
    data = batches(np.arange(32.0, dtype=np.float32)[:, None], np.zeros([32, 1], np.float32))
    losses = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1, use_bias=False)])
        counter = CallCounter()
        train(model, tmp_path, SGD(0.0), "mse", feed_fn=data, steps=3, callbacks=[counter])
        losses.append(counter.losses)
    assert losses[0] == losses[1]


# Laws.


@settings(max_examples=3)
@given(
    layers=st.lists(
        st.sampled_from(["dropout", "batch normalization", "regularizer"]), max_size=2, unique=True
    ),
    optimizer=st.sampled_from(["sgd", "adam", "rmsprop"]),
    every_n=st.none() | st.integers(1, 7),
    max_window=st.none() | st.integers(1, 9),
    cut=st.integers(0, 9),
)
def test_windows_equal_single_steps_and_pieces_equal_the_whole(
    layers: list[str], optimizer: str, every_n: int | None, max_window: int | None, cut: int
) -> None:
    def run(pieces: list[int], monitor: Any, **options: Any) -> tuple[list[float], keras.Model]:
        losses: list[float] = []
        with tempfile.TemporaryDirectory() as directory:
            for steps in pieces:
                counter = CallCounter()
                model = line_model(*(LAYERS[layer] for layer in layers))
                train(
                    model,
                    directory,
                    keras.optimizers.get(optimizer),
                    "mse",
                    feed_fn=batches(),
                    steps=steps,
                    monitors=[monitor],
                    callbacks=[counter],
                    save_input_state=True,
                    **options,
                )
                losses += counter.losses
        return losses, model

    expected = run([9], Recorder("loss"))
    monitor = Silent() if every_n is None else monitors.PrintTensor(["loss"], every_n=every_n)
    losses, model = run([cut, 9 - cut], monitor, max_window=max_window)
    assert losses == expected[0]
    assert_same_state(model, state(expected[1]), rtol=0)
