"""Callbacks compile the model anew, as recipes for unfreezing do; training goes on as in `model.fit`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from batch_helpers import fit
from keras_helpers import (
    EPOCH,
    adam,
    arrays,
    assert_same_history,
    assert_same_state,
    compiled,
    line,
    sequential,
)
from keras_legacy_train import monitors


def frozen() -> keras.Model:
    model = sequential()
    model.layers[0].trainable = False
    return compiled(model)


def unfreeze(model: keras.Model) -> None:
    model.layers[0].trainable = True
    compiled(model, optimizer=adam(), metrics=["mse"])
    model.make_train_function()


def freeze(model: keras.Model) -> None:
    model.layers[-1].trainable = False
    model.make_train_function(force=True)


class Once(keras.callbacks.Callback):
    """Acts once: at the begin of the second epoch, or after a batch of it."""

    def __init__(self, action: Callable[[keras.Model], None], batch: int | None = None):
        super().__init__()
        self._action = action
        self._batch = batch
        self._epoch = 0
        if batch is not None:
            self.on_train_batch_end = self._after_batch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        if epoch == 1 and self._batch is None:
            self._action(self.model)

    def _after_batch(self, batch: int, logs: Any = None) -> None:
        if (self._epoch, batch) == (1, self._batch):
            self._action(self.model)


@pytest.mark.slow
@pytest.mark.parametrize("action", [unfreeze, freeze])
@pytest.mark.parametrize("batch", [None, 2])
def test_the_step_is_that_of_the_model_as_it_is_now(
    action: Callable[[keras.Model], None], batch: int | None
) -> None:
    theirs, ours = frozen(), frozen()
    histories = [
        train(model, **arrays(), epochs=3, verbose=0, callbacks=[Once(action, batch)])
        for model, train in ((theirs, keras.Model.fit), (ours, fit))
    ]
    assert_same_history(*histories)
    assert_same_state(ours, theirs)


@pytest.mark.slow
def test_checkpoints_hold_the_model_as_it_was_compiled_last(tmp_path: Path) -> None:
    whole, model = frozen(), frozen()
    fit(whole, **arrays(), epochs=4, verbose=0, callbacks=[Once(unfreeze)])
    options = {"output_dir": tmp_path, "save_input_state": True, "verbose": 0, **arrays()}
    fit(model, steps=3 * EPOCH, callbacks=[Once(unfreeze)], **options)
    resumed = frozen()
    unfreeze(resumed)
    fit(resumed, epochs=4, callbacks=[Once(unfreeze)], **options)
    assert_same_state(resumed, whole)


@pytest.mark.slow
def test_monitors_see_the_learning_rate_of_the_optimizer_as_it_is_now() -> None:
    rates: list[float] = []

    class LearningRates(monitors.EveryN):
        def every_n_step_begin(self, step: int) -> list[str]:
            return ["learning_rate"]

        def every_n_step_end(self, step: int, outputs: Any) -> None:
            rates.append(float(outputs["learning_rate"]))

    def slow_down(model: keras.Model) -> None:
        compiled(model, optimizer=keras.optimizers.SGD(0.015625))

    model = compiled(sequential(), optimizer=keras.optimizers.SGD(0.03125))
    fit(model, **arrays(), epochs=2, verbose=0, callbacks=[Once(slow_down)], monitors=[LearningRates(1)])
    assert rates == [0.03125] * EPOCH + [0.015625] * EPOCH


class OwnTrainFunction(keras.Sequential):
    def make_train_function(self, force: bool = False) -> None:
        self.train_function = lambda iterator: {"loss": 0.0}


def test_a_train_function_of_its_own_is_an_error() -> None:
    model = compiled(OwnTrainFunction([keras.Input([4]), keras.layers.Dense(1)]))
    with pytest.raises(ValueError, match="make_train_function"):
        fit(model, **arrays())


def test_the_step_is_made_anew_for_a_model_that_is_compiled_anew() -> None:
    def stop_moving(model: keras.Model) -> None:
        compiled(model, optimizer=keras.optimizers.SGD(0.0))

    model = line()
    weights: list[Any] = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(model.get_weights())
    )
    fit(model, **arrays(), epochs=3, verbose=0, callbacks=[Once(stop_moving), keep])
    np.testing.assert_array_equal(weights[0][0], weights[2][0])
    assert model.optimizer.iterations.numpy() == 2 * EPOCH
