"""A run of `fit` that was stopped or killed, and resumed, ends bit for bit as an uninterrupted one does."""

from __future__ import annotations

import signal
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

import killed_fit
from batch_helpers import CallCounter, fit
from helpers import SCRIPTS, checkpoint_numbers, newest_checkpoint, run_python
from keras_helpers import (
    EPOCH,
    FailOnce,
    OwnStep,
    OwnStepWithVector,
    Rows,
    adam,
    again,
    arrays,
    assert_same_history,
    assert_same_state,
    averaging,
    batches,
    categories,
    dataset,
    f1_scored,
    forget,
    generated,
    half_precision,
    inputs,
    line,
    sequential,
    state,
    subclassed,
    targets,
    trained_state,
)
from keras_legacy_train import monitors
from keras_legacy_train.errors import CheckpointMismatchError


def accumulating() -> keras.Model:
    return line(optimizer=adam(gradient_accumulation_steps=3))


def eagerly() -> keras.Model:
    return subclassed(run_eagerly=True)


MODELS = [line, sequential, subclassed, eagerly, half_precision, accumulating, averaging]
DATA: dict[str, Callable[[], dict[str, Any]]] = {
    "arrays": arrays,
    "shuffled arrays": lambda: arrays(shuffle=True),
    "shuffled dataset": lambda: {"x": batches(shuffled=True), "shuffle": False},
    "short epochs of a shuffled dataset": lambda: {"x": batches(shuffled=True), "steps_per_epoch": 3},
    "dataset of unknown length": lambda: dataset(lambda data: data.filter(lambda x, y: True)),
    "short epochs": lambda: arrays(steps_per_epoch=3),
    "endless dataset": lambda: dataset(lambda data: data.repeat(), steps_per_epoch=3),
    "arrays, validated": lambda: arrays(validation_data=(inputs()[:4], targets()[:4])),
}


def run(model: keras.Model, output_dir: Any, **options: Any) -> keras.callbacks.History:
    """Trains as a new process does that sets its seeds."""
    keras.utils.set_random_seed(7)
    defaults = {"save_input_state": True, "save_summaries_steps": None, "verbose": 0}
    return fit(model, output_dir=output_dir, **{**defaults, **options})


def assert_pieces_equal_the_whole(
    build: Callable[[], keras.Model], data: Callable[[], dict[str, Any]], pieces: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        model = again(build)
        keras.utils.set_random_seed(7)  # is part of the order of shuffled data
        expected = run(model, Path(directory, "whole"), steps=sum(pieces), **data())
        # Where no step is run, metrics are left as they were before the last validation.
        kept = state if pieces[-1] > 0 else trained_state
        expected_state = kept(model)
        again(build)
        for number, steps in enumerate(pieces):
            if number > 0:
                forget(model)
            history = run(model, Path(directory, "cut"), steps=steps, **data())
        for value, expected_value in zip(kept(model), expected_state, strict=True):
            np.testing.assert_array_equal(value, expected_value)
        if pieces[-1] > 0:
            assert_same_history(history, expected)


PIECES = st.lists(st.integers(1, 2 * EPOCH), min_size=2, max_size=3)


@settings(max_examples=3)
@given(st.sampled_from([sequential, eagerly, accumulating]), st.sampled_from(list(DATA)), PIECES)
def test_pieces_equal_the_whole(build: Callable[[], keras.Model], data: str, pieces: list[int]) -> None:
    assert_pieces_equal_the_whole(build, DATA[data], pieces)


@pytest.mark.parametrize("data", ["shuffled dataset", "short epochs of a shuffled dataset"])
@pytest.mark.parametrize("pieces", [[EPOCH, EPOCH + 2, 2 * EPOCH], [2, 2, 2, 2, 2, 2]])
def test_pieces_of_shuffled_data_equal_the_whole(data: str, pieces: list[int]) -> None:
    assert_pieces_equal_the_whole(line, DATA[data], pieces)


def test_a_repeated_dataset_is_resumed_in_a_later_pass_of_an_epoch() -> None:
    """It shuffles anew in each repetition, and an epoch is three of them."""
    assert_pieces_equal_the_whole(
        line, lambda: {"x": batches(shuffled=True).repeat(3), "shuffle": False}, [EPOCH + 2, 3, 4 * EPOCH]
    )


@pytest.mark.slow
@settings(max_examples=200)
@given(
    st.sampled_from(MODELS),
    st.sampled_from(list(DATA)),
    st.lists(st.integers(0, 3 * EPOCH), min_size=2, max_size=5),
)
def test_pieces_equal_the_whole_at_length(
    build: Callable[[], keras.Model], data: str, pieces: list[int]
) -> None:
    assert_pieces_equal_the_whole(build, DATA[data], pieces)


def test_an_endless_dataset_is_resumed_in_a_later_pass() -> None:
    """It shuffles anew in each repetition, all of which one iterator reads."""
    assert_pieces_equal_the_whole(
        line, lambda: {"x": batches(shuffled=True).repeat(), "shuffle": False}, [EPOCH + 2, EPOCH]
    )


def test_a_resumed_run_goes_on_in_its_own_epoch_and_not_in_the_initial_one(tmp_path: Path) -> None:
    first = run(again(line), tmp_path, initial_epoch=2, epochs=3, **arrays())
    assert first.epoch == [2]
    again(line)
    assert run(line(), tmp_path, initial_epoch=2, epochs=5, **arrays()).epoch == [2, 3, 4]
    assert newest_checkpoint(tmp_path) == f"model.ckpt-{3 * EPOCH}"


@pytest.mark.slow
def test_a_killed_run_ends_where_the_uninterrupted_one_does(tmp_path: Path) -> None:
    whole, expected = killed_fit.main(tmp_path / "whole")
    ended = run_python(SCRIPTS / "killed_fit.py", tmp_path / "killed", 2 * EPOCH - 1)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert 0 < checkpoint_numbers(tmp_path / "killed")[-1] < 2 * EPOCH - 1
    model, history = killed_fit.main(tmp_path / "killed")
    assert_same_state(model, whole)
    assert_same_history(history, expected)
    assert history.history["learning_rate"][0] > history.history["learning_rate"][-1]


def own_step(**options: Any) -> keras.Model:
    return subclassed(OwnStep, metrics=None, **options)


def own_step_eagerly() -> keras.Model:
    return own_step(run_eagerly=True)


def own_step_with_vector() -> keras.Model:
    return subclassed(OwnStepWithVector, metrics=None)


@pytest.mark.slow
@pytest.mark.parametrize(
    "build, data",
    [
        (sequential, arrays),
        (own_step, arrays),
        (own_step_eagerly, arrays),
        (own_step_with_vector, arrays),
        (own_step, DATA["dataset of unknown length"]),
        (f1_scored, lambda: arrays(y=np.eye(2)[categories()])),
    ],
)
def test_a_run_that_ended_before_the_end_of_the_epoch_was_told(
    build: Callable[[], keras.Model], data: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    whole, model = build(), build()
    expected = run(whole, tmp_path / "whole", epochs=3, **data())
    with pytest.raises(OSError, match="power cut"):
        run(model, tmp_path / "cut", epochs=3, save_steps=EPOCH, callbacks=FailOnce(1), **data())
    assert newest_checkpoint(tmp_path / "cut") == f"model.ckpt-{2 * EPOCH}"
    again_begun = build()
    history = run(again_begun, tmp_path / "cut", epochs=3, **data())
    assert_same_history(history, expected)
    assert_same_state(again_begun, whole)


class LossSum(CallCounter):
    """A callback of a user's own that remembers something."""

    def get_state(self) -> dict[str, Any]:
        return {"losses": np.array(self.losses)}

    def set_state(self, state: dict[str, Any]) -> None:
        self.losses = state["losses"].tolist()


class EpochNames(keras.callbacks.Callback):
    """Remembers something, but forgets it when training begins."""

    def on_train_begin(self, logs: Any = None) -> None:
        self.names: list[str] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.names.append(f"epoch {epoch}")

    def get_state(self) -> list[str]:
        return self.names

    def set_state(self, state: list[str]) -> None:
        self.names = state


def remembering(directory: Path) -> dict[str, keras.callbacks.Callback]:
    """Callbacks that remember something, and none of which stops this training."""
    path = str(directory / "best.weights.h5")
    return {
        "stop": keras.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True, min_delta=0.5),
        "lower": keras.callbacks.ReduceLROnPlateau("loss", patience=1, cooldown=1, min_delta=9.0),
        "save": keras.callbacks.ModelCheckpoint(path, "loss", save_best_only=True, save_weights_only=True),
        "sum": LossSum(),
        "names": EpochNames(),
    }


def remembered(callbacks: dict[str, Any]) -> list[Any]:
    stop, lower, save = callbacks["stop"], callbacks["lower"], callbacks["save"]
    return [
        *(stop.wait, stop.best, stop.best_epoch, [weight.tolist() for weight in stop.best_weights]),
        *(lower.wait, lower.best, lower.cooldown_counter, float(save.best)),
        *(callbacks["sum"].losses, callbacks["names"].names),
    ]


@pytest.mark.parametrize("pieces", [(EPOCH, 3 * EPOCH), (7, 13), (8, 1, 11)])
def test_callbacks_remember(pieces: tuple[int, ...], tmp_path: Path) -> None:
    model = again(line)
    whole = remembering(tmp_path)
    expected = run(model, tmp_path / "whole", steps=4 * EPOCH, callbacks=whole.values(), **arrays())
    expected_state = state(model)
    again(line)
    for number, steps in enumerate(pieces):
        if number > 0:
            forget(model)
        callbacks = remembering(tmp_path)
        history = run(model, tmp_path / "cut", steps=steps, callbacks=callbacks.values(), **arrays())
    assert_same_history(history, expected)
    assert_same_state(model, expected_state)
    assert remembered(callbacks) == remembered(whole)
    assert callbacks["names"].names == [f"epoch {epoch}" for epoch in range(4)]
    assert len(callbacks["sum"].losses) == 4 * EPOCH


def test_what_json_cannot_hold(tmp_path: Path) -> None:
    class Odd(keras.callbacks.Callback):
        def get_state(self) -> object:
            return {"a set": {1}}

        def set_state(self, state: object) -> None:
            raise AssertionError("nothing was saved")

    with pytest.raises(TypeError, match=r"Odd remembers \{1\}, of the type set, which JSON cannot hold"):
        run(again(line), tmp_path, steps=1, callbacks=Odd(), **arrays())


class AbortOnce(monitors.BaseMonitor):
    """Raises an error of a kind after which training goes on from the newest checkpoint."""

    def __init__(self, step: int):
        super().__init__()
        self._step: int | None = step

    def step_end(self, step: int, output: dict[Any, Any]) -> bool | None:
        if step == self._step:
            self._step = None
            raise tf.errors.AbortedError(None, None, "lost for a moment")
        return super().step_end(step, output)


def test_callbacks_remember_after_an_aborted_step(tmp_path: Path) -> None:
    model = again(line)
    expected = run(model, tmp_path / "whole", epochs=3, **dataset())
    expected_state = state(model)
    again(line)
    names, abort = EpochNames(), AbortOnce(8)
    options = {"epochs": 3, "save_steps": 4, "callbacks": names, "monitors": abort}
    history = run(model, tmp_path / "aborted", **options, **dataset())
    assert_same_history(history, expected)
    assert_same_state(model, expected_state)
    assert names.names == ["epoch 0", "epoch 1", "epoch 2"]


def test_without_save_input_state_the_data_of_the_epoch_begin_anew(tmp_path: Path) -> None:
    model = again(line)
    run(model, tmp_path, steps=3, save_input_state=False, **arrays())
    assert run(model, tmp_path, steps=2, save_input_state=False, **arrays()).epoch == [0]
    by_hand = again(line, "by hand")
    for batch in [*batches().take(3), *batches().take(2)]:
        by_hand.train_on_batch(*batch)
    for value, expected in zip(model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


def test_a_new_epoch_begins_where_the_last_one_ended(tmp_path: Path) -> None:
    theirs, model = again(line, "keras"), again(line)
    expected = theirs.fit(**arrays(), epochs=3, verbose=0)
    for epochs in (1, 2, 3):
        history = run(model, tmp_path, epochs=epochs, save_input_state=False, **arrays())
    assert_same_history(history, expected)
    assert_same_state(model, theirs)


def test_the_last_entry_of_the_history_is_that_of_the_epoch_so_far(tmp_path: Path) -> None:
    model = again(line)
    history = run(model, tmp_path, max_steps=EPOCH + 2, **arrays())
    assert history.epoch == [0, 1]
    so_far = history.history["loss"][1]
    history = run(model, tmp_path, max_steps=2 * EPOCH, **arrays())
    assert history.epoch == [0, 1]
    assert history.history["loss"][1] != so_far


@pytest.mark.parametrize("limit", [{"max_steps": 3}, {"steps": 0}, {"epochs": 0}, {"max_steps": 0}])
def test_nothing_is_run_where_the_target_is_reached(limit: dict[str, int], tmp_path: Path) -> None:
    model = again(averaging)
    run(model, tmp_path, max_steps=3, **arrays())
    expected = state(model)
    forget(model)
    run(model, tmp_path, **limit, **arrays())
    assert_same_state(model, expected)
    assert checkpoint_numbers(tmp_path)[-1] == 3


def test_no_step_leaves_the_weights_alone() -> None:
    model = again(averaging)  # before the first step the averages are zero
    weights = model.get_weights()
    fit(model, **arrays(), steps=0, verbose=0)
    for value, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(value, expected)


def test_an_epoch_may_become_longer_or_shorter(tmp_path: Path) -> None:
    model = again(line)
    run(model, tmp_path, max_steps=4, **arrays())  # of five
    options = {"save_input_state": False, "steps_per_epoch": 3}
    assert run(model, tmp_path, max_steps=7, **options, **arrays()).epoch == [0, 1]
    history = run(model, tmp_path, max_steps=15, save_input_state=False, **arrays())
    # From step 5, where epoch 1 began: 5 to 9, 10 to 14, and one more.
    assert history.epoch == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_model_that_is_not_built_is_restored(tmp_path: Path) -> None:
    whole = subclassed()
    expected = run(whole, tmp_path / "whole", steps=8, **arrays())
    for steps in (3, 5):
        model = subclassed()
        history = run(model, tmp_path / "cut", steps=steps, **arrays())
    assert_same_state(model, whole)
    assert_same_history(history, expected)


class Counting(keras.Model):
    """Counts its rows in a variable that no attribute holds."""

    def __init__(self, seen: tf.Variable):
        super().__init__()
        self.out = keras.layers.Dense(1)
        self._keep(seen)

    def _keep(self, seen: tf.Variable) -> None:
        self.add_rows = lambda rows: seen.assign_add(tf.cast(rows, tf.float32))

    def call(self, x: Any) -> Any:
        return self.out(x)

    def train_step(self, data: Any) -> dict[str, Any]:
        self.add_rows(tf.shape(data[0])[0])
        return super().train_step(data)


@pytest.mark.slow
def test_variables_outside_of_the_model_are_restored(tmp_path: Path) -> None:
    for _ in range(2):
        seen = tf.Variable(0.0)
        model = Counting(seen)
        model.compile("sgd", "mse", jit_compile=False)
        run(model, tmp_path, steps=2, **arrays())
    assert seen.numpy() == 20.0


@pytest.mark.slow
def test_other_metrics_are_a_mismatch(tmp_path: Path) -> None:
    run(line(), tmp_path, steps=1, **arrays())
    with pytest.raises(CheckpointMismatchError, match="not in the checkpoint"):
        run(line(metrics=["mae", "mape"]), tmp_path, steps=1, **arrays())


@pytest.mark.slow
def test_another_shape_is_a_mismatch_and_nothing_is_assigned(tmp_path: Path) -> None:
    run(line(), tmp_path, steps=1, **arrays())
    other = line(units=2)
    before = other.get_weights()
    with pytest.raises(CheckpointMismatchError, match=r"out/kernel.*\[4, 1\].*\[4, 2\]"):
        run(other, tmp_path, steps=1, **arrays())
    for value, expected in zip(other.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, expected)
    assert newest_checkpoint(tmp_path) == "model.ckpt-1"


@pytest.mark.parametrize("data", ["generator", "PyDataset"])
def test_input_that_cannot_tell_its_position(data: str, tmp_path: Path) -> None:
    x = generated() if data == "generator" else Rows()
    with pytest.raises(ValueError, match=r"save_input_state=True.*cannot tell its position"):
        # Shuffled, so few rows would all be in the buffer of an early Keras, and their position known.
        options = {"output_dir": tmp_path / "new", "save_input_state": True, "shuffle": False, "verbose": 0}
        fit(again(line), x, steps=1, **options)
    assert not (tmp_path / "new").exists()
