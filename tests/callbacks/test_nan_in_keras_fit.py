"""`callbacks.TerminateOnNaN` in plain `keras.Model.fit`."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from batch_helpers import X, Y, batches, fit, line_model, train
from keras_legacy_train import NanLossDuringTrainingError
from keras_legacy_train.callbacks import TerminateOnNaN
from keras_legacy_train.callbacks.model_fit import FitSteps

MESSAGE = "Model diverged with loss = NaN."


pytestmark = pytest.mark.usefixtures("v2_behavior")


def compiled(**options: Any) -> keras.Model:
    model = line_model()
    model.compile(keras.optimizers.SGD(0.01), "mse", **options)
    return model


def spoiled(at: int, value: float = np.nan) -> np.ndarray:
    """Targets that hold NaN from a step on; there are eight steps of four rows in an epoch."""
    y = Y.copy()
    y[4 * (at - 1) :] = value
    return y


def run(model: keras.Model, y: np.ndarray, *given: Any, epochs: int = 1) -> None:
    model.fit(X, y, batch_size=4, epochs=epochs, shuffle=False, verbose=0, callbacks=list(given))


def is_untouched(model: keras.Model) -> bool:
    """Whether the model has its own `train_function` back."""
    return "make_train_function" not in vars(model) and model.train_function.__module__.startswith("keras.")


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("steps_per_execution", [1, 3])
def test_no_nan_is_saved(place: str, steps_per_execution: int, tmp_path: Path) -> None:
    """With three steps to a call, the NaN comes at the last of them, or at the end of an epoch."""
    path = str(tmp_path / "model.weights.h5")
    for at in (6, 8):
        model = compiled(steps_per_execution=steps_per_execution)
        save = keras.callbacks.ModelCheckpoint(path, save_freq=1, save_weights_only=True)
        at_end = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
        given = [save, at_end, TerminateOnNaN()]
        with pytest.raises(NanLossDuringTrainingError) as raised:
            run(model, spoiled(at), *(given if place == "after" else reversed(given)))
        assert raised.value.step == at
        assert raised.value.last_good_checkpoint is None
        other = line_model()
        other.load_weights(path)
        assert np.isfinite(other.get_weights()[0]).all()
        assert np.isnan(model.get_weights()[0]).all()
        assert is_untouched(model)


@pytest.mark.slow
def test_the_step_is_counted_over_all_epochs_of_a_fit() -> None:
    class Spoil(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                self.model.layers[-1].bias.assign([np.nan])

    for steps_per_execution, step in ((1, 17), (3, 19)):
        model = compiled(steps_per_execution=steps_per_execution)
        terminate = TerminateOnNaN()
        run(model, Y, terminate)
        with pytest.raises(NanLossDuringTrainingError) as raised:
            run(model, Y, Spoil(), terminate, epochs=4)
        assert raised.value.step == step


def test_a_training_without_nan() -> None:
    model, expected = compiled(), compiled()
    run(model, Y, TerminateOnNaN(), epochs=2)
    run(expected, Y, epochs=2)
    for value, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(value, other)
    assert is_untouched(model)


def test_infinite_losses() -> None:
    huge = np.full_like(Y, 1e30)
    model = line_model()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    run(model, huge, TerminateOnNaN())
    with pytest.raises(NanLossDuringTrainingError, match=r"^Infinite loss \(inf\)") as raised:
        run(model, huge, TerminateOnNaN(check_inf=True))
    assert raised.value.loss == np.inf


def test_not_fatal(caplog: pytest.LogCaptureFixture) -> None:
    """One warning in each fit, and it goes on to the end."""
    model, terminate = compiled(), TerminateOnNaN(fail=False)
    caplog.set_level(logging.WARNING, "keras_legacy_train")
    for fits in (1, 2):
        run(model, spoiled(3), terminate, epochs=2)
        assert caplog.messages.count(MESSAGE) == fits
        assert int(model.optimizer.iterations) == 16 * fits
        assert is_untouched(model)


def test_several_of_them(caplog: pytest.LogCaptureFixture) -> None:
    model = compiled()
    run(model, Y, TerminateOnNaN(), TerminateOnNaN(check_inf=True))
    assert is_untouched(model)
    with pytest.raises(NanLossDuringTrainingError):
        run(model, spoiled(2), TerminateOnNaN(fail=False), TerminateOnNaN())
    assert caplog.messages.count(MESSAGE) == 2
    run(model, spoiled(2))
    assert is_untouched(model)


class Fails(keras.callbacks.Callback):
    """Raises another error."""

    def __init__(self, hook: str):
        super().__init__()
        setattr(self, hook, self._fail)

    def _fail(self, *_: Any, **__: Any) -> None:
        raise ZeroDivisionError


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end", "on_epoch_end"])
def test_an_error_leaves_nothing_behind_for_the_next_fit(hook: str) -> None:
    model = compiled()
    with pytest.raises(ZeroDivisionError):
        run(model, Y, TerminateOnNaN(), Fails(hook))
    run(model, spoiled(2))  # it has no callback, so NaN is no error
    assert is_untouched(model)


@pytest.mark.parametrize("next_call", ["train_on_batch", "compile", "fit"])
def test_an_error_leaves_nothing_behind_for_other_calls(next_call: str) -> None:
    model = compiled()
    with pytest.raises(ZeroDivisionError):
        run(model, Y, TerminateOnNaN(), Fails("on_train_batch_end"))
    if next_call == "train_on_batch":
        model.train_on_batch(X, spoiled(1))
    elif next_call == "compile":
        model.compile("sgd", "mse")
        run(model, spoiled(2))
    else:
        with pytest.raises(NanLossDuringTrainingError):
            run(model, spoiled(2), TerminateOnNaN())
    assert is_untouched(model)


def test_an_error_of_the_input() -> None:
    def rows() -> Iterator[Any]:
        yield X[:4], Y[:4]
        raise ZeroDivisionError

    model = compiled()
    with pytest.raises((ZeroDivisionError, tf.errors.OpError)):
        model.fit(rows(), verbose=0, callbacks=[TerminateOnNaN()])
    run(model, spoiled(2))
    assert is_untouched(model)


def test_an_input_of_unknown_size() -> None:
    data = tf.data.Dataset.from_tensor_slices((X, spoiled(3))).batch(4).filter(lambda x, y: True)
    with pytest.raises(NanLossDuringTrainingError) as raised:
        compiled().fit(data, verbose=0, callbacks=[TerminateOnNaN()])
    assert raised.value.step == 3


def test_a_step_that_tells_no_loss() -> None:
    class Quiet(keras.Model):
        def train_step(self, data: Any) -> dict[str, Any]:
            return {"other": tf.constant(np.nan)}

    model = Quiet()
    model.compile()
    model.fit(X, Y, verbose=0, callbacks=[TerminateOnNaN()])


def test_its_own_loop_does_not_wrap(tmp_path: Path) -> None:
    """Even around a model that has been in `keras.Model.fit` before."""
    model = compiled()
    run(model, Y)
    seen: list[bool] = []

    class Looks(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(is_untouched(self.model))

    fit(model, X, Y, batch_size=8, verbose=0, callbacks=[TerminateOnNaN(), Looks()])
    options = {"feed_fn": batches(), "steps": 2, "callbacks": [TerminateOnNaN(check_inf=True), Looks()]}
    train(model, tmp_path, keras.optimizers.SGD(0.1), "mse", **options)
    assert seen == [True] * 6


# `FitSteps`, in which batches become steps.


@given(lengths=st.lists(st.none() | st.integers(1, 12), min_size=1, max_size=4), at_most=st.integers(1, 5))
def test_steps_of_fit(lengths: list[int | None], at_most: int) -> None:
    """Whatever the calls, an epoch has its steps, each is counted once, and none is skipped."""
    steps = FitSteps()
    for length in lengths:
        start = steps.done
        steps.begin_epoch(length)
        for _ in range(3 if length is None else -(-length // at_most)):
            coming = steps.begin(at_most)
            assert steps.done < coming <= steps.done + at_most
            assert steps.end() < steps.done == coming
        steps.end_epoch(stopped=False)
        assert steps.done - start == (3 * at_most if length is None else length)


def test_steps_of_an_epoch_of_which_nobody_tells_the_end() -> None:
    steps = FitSteps()
    steps.begin_epoch(10)
    steps.begin(4)
    steps.end()
    steps.begin(4)  # begun, and not ended: the input has
    steps.end_epoch(stopped=False)
    assert steps.done == 10
    steps.begin_epoch(10)
    steps.begin(4)
    steps.end()
    steps.end_epoch(stopped=True)
    assert steps.done == 14


def test_the_steps_before_the_end_of_the_input_are_looked_at() -> None:
    """With three steps to a call, the input ends within a call, of which Keras sees no logs."""
    for steps_per_execution in (1, 3):
        for y in (Y, spoiled(8)):
            model = compiled(steps_per_execution=steps_per_execution)
            rows = tf.data.Dataset.from_tensor_slices((X, y)).batch(4)
            unknown = rows.filter(lambda x, y: True)  # the number of batches is not known
            fails = contextlib.nullcontext() if y is Y else pytest.raises(NanLossDuringTrainingError)
            with fails:
                model.fit(unknown, epochs=1, verbose=0, shuffle=False, callbacks=[TerminateOnNaN()])
            assert is_untouched(model)


def test_a_loop_that_tells_of_batches_in_the_old_way_is_not_stopped() -> None:
    model = compiled()
    told = keras.callbacks.CallbackList([TerminateOnNaN()], model=model)
    told.on_batch_end(0, {"loss": np.nan})
    assert not model.stop_training
