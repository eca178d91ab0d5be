"""`fit` computes, and has callbacks called, as `keras.Model.fit` does."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from batch_helpers import fit
from keras_helpers import (
    BATCH,
    EPOCH,
    IS_KERAS_3_5,
    ROWS,
    OwnStep,
    OwnStepWithMetrics,
    Recorder,
    Rows,
    StopAtBatch,
    adam,
    again,
    arrays,
    assert_same_history,
    assert_same_state,
    batches,
    categories,
    classifier,
    dataset,
    f1_scored,
    generated,
    half_precision,
    inputs,
    line,
    sequential,
    state,
    subclassed,
    targets,
    trained_state,
    two_by_two,
)


class TakesRows(keras.Model):
    """Its step takes its batch apart in its own way, calls the model twice, and reports a vector, too."""

    def __init__(self) -> None:
        super().__init__()
        self.out = keras.layers.Dense(1)
        self.seen = self.add_weight(shape=[], initializer="zeros", trainable=False, name="seen")

    def call(self, x: Any) -> Any:
        return self.out(x)

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x)) + self.compute_loss(x, y, self(2.0 * x))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        self.seen.assign_add(tf.cast(tf.shape(x)[0], tf.float32))
        return {"loss": loss, "seen": self.seen.value, "mean_x": tf.reduce_mean(x, axis=0)}


Build = Callable[[], keras.Model]
Data = Callable[[], dict[str, Any]]

MODELS: dict[str, Build] = {
    "batch normalisation and dropout": sequential,
    "steps_per_execution": lambda: sequential(steps_per_execution=3),
    "XLA": lambda: line(jit_compile=True),
    "XLA where it can": lambda: line(jit_compile="auto"),
    "half precision": half_precision,
    "gradient accumulation": lambda: line(optimizer=adam(gradient_accumulation_steps=3)),
    "moving average": lambda: line(optimizer=adam(use_ema=True, ema_momentum=0.5)),
    "decaying learning rate": lambda: line(
        optimizer=keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5))
    ),
    "regularizer": lambda: line(loss=keras.losses.Huber(), weighted_metrics=["mse"]),
    "subclassed": subclassed,
    "subclassed, eagerly": lambda: subclassed(run_eagerly=True),
    "own train_step": lambda: subclassed(OwnStep, metrics=None),
    "own train_step, eagerly": lambda: subclassed(OwnStep, metrics=None, run_eagerly=True),
    "own train_step with metrics": lambda: subclassed(OwnStepWithMetrics),
}


def assert_equals_keras(theirs: keras.Model, ours: keras.Model, data: Data, epochs: int = 2) -> None:
    """Trains a model by each of the two."""
    theirs.steps_per_execution = 1  # Keras 3.5 shortens epochs by it
    results = []
    for model, train in ((theirs, keras.Model.fit), (ours, fit)):
        keras.utils.set_random_seed(2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # at the end of the input
            results.append(train(model, epochs=epochs, verbose=0, **data()))
    if IS_KERAS_3_5:  # the last bit of a mean loss may differ, since it is also returned
        for name, values in results[0].history.items():
            np.testing.assert_allclose(results[1].history[name], values, rtol=1e-6)
    else:
        assert_same_history(results[1], results[0])
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("model", MODELS)
def test_models(model: str) -> None:
    build = MODELS[model]
    assert_equals_keras(build(), build(), arrays)


def test_several_inputs_and_outputs() -> None:
    x, y = {"one": inputs(), "other": inputs() + 1}, {"number": targets(), "kind": categories()}
    assert_equals_keras(two_by_two(), two_by_two(), lambda: arrays(x=x, y=y))


@pytest.mark.slow
def test_a_step_that_returns_more_than_numbers() -> None:
    theirs, ours = (subclassed(TakesRows, metrics=None) for _ in range(2))
    expected = theirs.fit(**arrays(), epochs=2, verbose=0)
    history = fit(ours, **arrays(), epochs=2, verbose=0)
    assert set(history.history) == {"loss", "seen", "mean_x"}
    assert isinstance(history.history["mean_x"][0], np.ndarray)
    assert_same_history(history, expected)
    assert_same_state(ours, theirs)


@pytest.mark.slow
def test_a_metric_of_several_numbers() -> None:
    expected, history = (
        train(f1_scored(), **arrays(y=np.eye(2)[categories()]), epochs=2, verbose=0)
        for train in (keras.Model.fit, fit)
    )
    assert history.history["f1_score"][0].shape == (2,)
    assert_same_history(history, expected)


DATA: dict[str, tuple[Build, Data]] = {
    "shuffled arrays": (line, lambda: arrays(shuffle=True)),
    "arrays shuffled by batches": (line, lambda: arrays(shuffle="batch")),
    "default batch size": (line, lambda: {"x": inputs(), "y": targets()}),
    "sample weights": (line, lambda: arrays(sample_weight=np.arange(ROWS) / ROWS)),
    "class weights": (classifier, lambda: arrays(y=categories(), class_weight={0: 1.0, 1: 3.0})),
    "tensors": (line, lambda: arrays(x=tf.constant(inputs()), y=tf.constant(targets()))),
    "dataset": (line, dataset),
    "shuffled dataset": (line, lambda: {"x": batches(shuffled=True)}),
    "endless shuffled dataset": (line, lambda: {"x": batches(shuffled=True).repeat(), "steps_per_epoch": 3}),
    "dataset with weights": (line, lambda: dataset(lambda data: data.map(lambda x, y: (x, y, y[:, 0] ** 2)))),
    "dataset, class weights": (
        classifier,
        lambda: dataset(
            lambda data: data.map(lambda x, y: (x, tf.cast(y[:, 0] > 0, tf.int32))),
            class_weight={0: 1.0, 1: 3.0},
        ),
    ),
    "endless dataset": (line, lambda: dataset(lambda data: data.repeat(), steps_per_epoch=4)),
    "epochs longer than the dataset": (line, lambda: dataset(steps_per_epoch=8)),
    "PyDataset": (line, lambda: {"x": Rows(), "shuffle": False}),
    "shuffled PyDataset": (line, lambda: {"x": Rows(), "shuffle": True}),
    "PyDataset with workers": (line, lambda: {"x": Rows(workers=2), "shuffle": False}),
    "endless generator": (line, lambda: {"x": generated(), "shuffle": False, "steps_per_epoch": 3}),
}


@pytest.mark.parametrize("data", DATA)
def test_data(data: str) -> None:
    if data == "epochs longer than the dataset" and IS_KERAS_3_5:
        pytest.skip("Keras counts the end as a step")
    build, arguments = DATA[data]
    assert_equals_keras(again(build, "keras"), again(build, "fit"), arguments, epochs=3)


@pytest.mark.skipif(IS_KERAS_3_5, reason="Keras counts the end as a step")
@pytest.mark.parametrize("steps_per_epoch", [3, 4])
def test_epochs_shorter_than_the_data(steps_per_epoch: int) -> None:
    # What an epoch leaves is for the next; the one at the end of the data is short.
    theirs, ours = again(line, "keras"), again(line, "fit")
    assert_equals_keras(theirs, ours, lambda: arrays(steps_per_epoch=steps_per_epoch), epochs=4)


def test_a_dataset_of_unknown_length() -> None:
    def data() -> tf.data.Dataset:
        return batches().filter(lambda x, y: True)

    theirs, ours = again(line, "keras"), again(line, "fit")
    expected = theirs.fit(data(), epochs=2, verbose=0, shuffle=False)
    assert_same_history(fit(ours, data(), epochs=2, verbose=0, shuffle=False), expected)
    for value, expected_value in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected_value)
    assert ours.optimizer.iterations.numpy() == 2 * EPOCH  # Keras counts the end as a step


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("is_error", [False, True])
def test_where_the_input_stops_nothing_of_the_next_step_is_done(is_error: bool, jit_compile: bool) -> None:
    model = line(optimizer=adam(), jit_compile=jit_compile)
    numbered = batches().repeat().take(20).enumerate()
    if is_error:
        data = numbered.map(lambda number, row: _row_before(9, number, row))
        with pytest.raises(tf.errors.InvalidArgumentError, match="no more"):
            fit(model, data, verbose=0)
    else:
        data = numbered.take_while(lambda number, _: number < 9).map(lambda _, row: row)
        fit(model, data, verbose=0)
    expected = line(optimizer=adam())
    for x, y in batches().repeat().take(9):
        expected.train_on_batch(x, y)
    assert model.optimizer.iterations.numpy() == 9
    variables, expected_variables = ([*each.weights, *each.optimizer.variables] for each in (model, expected))
    for variable, value in zip(variables, expected_variables, strict=True):
        np.testing.assert_allclose(variable, value, rtol=1e-5, atol=1e-6)


def test_at_its_end_an_iterator_is_let_go_of() -> None:
    model, data = line(), batches().filter(lambda x, y: True)  # of unknown length
    gc.collect()
    before = _iterators()
    gc.disable()
    try:
        fit(model, data, epochs=3, verbose=0)
        assert _iterators() == before
    finally:
        gc.enable()


def _iterators() -> int:
    return sum(isinstance(each, tf.data.Iterator) for each in gc.get_objects())


def _row_before(end: int, number: tf.Tensor, row: Any) -> Any:
    with tf.control_dependencies([tf.debugging.assert_less(number, tf.constant(end, tf.int64), "no more")]):
        return tf.nest.map_structure(tf.identity, row)


def test_a_py_dataset_is_told_of_epochs() -> None:
    theirs, ours = Rows(), Rows()
    again(line, "keras").fit(theirs, epochs=2, verbose=0, shuffle=False)
    fit(again(line, "fit"), ours, epochs=2, verbose=0, shuffle=False)
    assert ours.calls == theirs.calls
    assert ours.calls.count("begin") == 2


VALIDATION: dict[str, Data] = {
    "arrays": lambda: {"validation_data": (inputs()[:8], targets()[:8]), "validation_batch_size": 3},
    "weights": lambda: {"validation_data": (inputs(), targets(), np.arange(ROWS) / ROWS)},
    "split": lambda: {"validation_split": 0.3},
    "split with weights": lambda: {"validation_split": 0.3, "sample_weight": np.arange(ROWS) / ROWS},
    "every other epoch": lambda: {"validation_split": 0.3, "validation_freq": 2},
    "chosen epochs": lambda: {"validation_split": 0.3, "validation_freq": [1, 4]},
    "dataset": lambda: {"validation_data": batches()},
    "some steps of a dataset": lambda: {"validation_data": batches().repeat(), "validation_steps": 3},
    "PyDataset": lambda: {"validation_data": Rows()},
}


@pytest.mark.parametrize("validation", VALIDATION)
def test_validation(validation: str) -> None:
    theirs, ours = again(line, "keras"), again(line, "fit")
    assert_equals_keras(theirs, ours, lambda: arrays(**VALIDATION[validation]()), epochs=4)


@pytest.mark.skipif(IS_KERAS_3_5, reason="Keras goes on in the generator, too, but on other batches")
def test_a_generator_to_validate_on_loses_no_batches() -> None:
    # Each evaluation begins with the two batches that Keras has looked at before.
    validation = {"validation_data": generated(EPOCH), "validation_steps": 2}
    history = fit(again(line, "fit"), **arrays(), epochs=2, verbose=0, **validation)
    model = again(line, "keras")
    for losses in history.history["val_loss"]:
        model.fit(**arrays(), verbose=0)
        rows = slice(2 * BATCH)
        expected = model.evaluate(inputs()[rows], targets()[rows], batch_size=BATCH, verbose=0)[0]
        np.testing.assert_allclose(losses, expected, rtol=1e-5)


WITHIN_DATA = pytest.mark.skipif(IS_KERAS_3_5, reason="Keras evaluates nothing on less than so many batches")


def assert_same_calls(calls: list[Any], expected: list[Any]) -> None:
    """Compares hooks and the logs that they were given."""
    if not IS_KERAS_3_5:
        assert calls == expected
        return
    assert [call[:2] for call in calls] == [call[:2] for call in expected]
    for call, expected_call in zip(calls, expected, strict=True):  # see `assert_equals_keras`
        assert call[2] == pytest.approx(expected_call[2], rel=1e-6)


@pytest.mark.parametrize("steps_per_execution", [1, pytest.param(4, marks=WITHIN_DATA)])
def test_callbacks_are_called_as_by_keras(steps_per_execution: int) -> None:
    expected, calls = Recorder(), Recorder()
    again(line, "keras").fit(epochs=2, verbose=0, callbacks=[expected], validation_split=0.2, **arrays())
    model = line(steps_per_execution=steps_per_execution)
    fit(model, epochs=2, verbose=0, callbacks=[calls], validation_split=0.2, **arrays())
    assert_same_calls(calls.calls, expected.calls)
    assert calls.numbers("batch end") == [0, 1, 2, 3] * 2


@pytest.mark.slow
def test_stopping_from_a_batch_hook() -> None:
    def run(train: Callable[..., Any]) -> Any:
        model, recorder = again(line, train.__module__), Recorder()
        callbacks = [StopAtBatch(epoch=1, batch=2), recorder]
        history = train(model, epochs=3, verbose=0, callbacks=callbacks, validation_split=0.2, **arrays())
        return recorder.calls, history.history, [value.tolist() for value in state(model)]

    assert run(fit) == run(keras.Model.fit)


def test_one_call_after_the_other_on_a_dataset_that_shuffles_anew() -> None:
    theirs, ours = again(line, "keras"), again(line, "fit")
    for model, train in ((theirs, keras.Model.fit), (ours, fit)):
        data = batches(shuffled=True)
        for _ in range(2):
            train(model, data, epochs=2, verbose=0)
    assert_same_state(ours, theirs)


@pytest.mark.parametrize("epochs", [2, 5])
def test_training_begins_with_the_initial_epoch(epochs: int) -> None:
    def run(train: Callable[..., Any]) -> Any:
        model, recorder = again(line, train.__module__), Recorder()
        options = {"epochs": epochs, "initial_epoch": 3, "callbacks": [recorder], "verbose": 0, **arrays()}
        history = train(model, **options)
        return (
            recorder.calls,
            history.epoch,
            history.history,
            [value.tolist() for value in trained_state(model)],
        )

    assert run(fit) == run(keras.Model.fit)


@pytest.mark.skipif(not hasattr(keras.config, "set_max_epochs"), reason="Keras has had limits since 3.12")
def test_the_limits_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.config, "max_epochs", lambda: 2)
    monkeypatch.setattr(keras.config, "max_steps_per_epoch", lambda: 3)
    model = again(line, "fit")
    with pytest.warns(UserWarning, match="Limiting (epochs to 2|steps_per_epoch to 3)") as warned:
        history = fit(model, batches().repeat(), epochs=4, verbose=0, shuffle=False)
    assert (len(history.epoch), int(model.optimizer.iterations), len(warned)) == (2, 6, 2)


def test_a_generator_that_ends() -> None:
    model, by_hand = again(line, "fit"), again(line, "keras")
    history = fit(model, generated(EPOCH + 2), steps_per_epoch=EPOCH, epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    for batch in generated(EPOCH + 2):
        by_hand.train_on_batch(*batch)
    for value, expected in zip(model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_model_compiled_anew_is_trained_anew() -> None:
    theirs, ours = line(), line()
    for rate in (0.1, 0.0):
        for model, train in ((theirs, keras.Model.fit), (ours, fit)):
            model.compile(keras.optimizers.SGD(rate), "mae", jit_compile=False)
            train(model, **arrays(), verbose=0)
    assert_same_state(ours, theirs)


@pytest.mark.slow
def test_one_call_after_the_other_and_layers_frozen_in_between() -> None:
    theirs, ours = sequential(), sequential()
    for model, train in ((theirs, keras.Model.fit), (ours, fit)):
        train(model, **arrays(), verbose=0)
        train(model, **arrays(), verbose=0)
        model.layers[0].trainable = False
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        train(model, **arrays(), verbose=0)
    assert_same_state(ours, theirs)
