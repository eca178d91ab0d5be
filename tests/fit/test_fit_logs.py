"""Whatever logs there are: callbacks get those of `model.fit`, and checkpoints hold them."""

from __future__ import annotations

import enum
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from batch_helpers import CallCounter, fit
from keras_helpers import EPOCH, OwnStepWithMetrics, Subclassed, arrays, assert_same_history, line, subclassed
from keras_legacy_train.callbacks.callback_state import as_json, from_json, left_out


class ManyLogs(Subclassed):
    """Returns logs of every kind; `loss` is the only metric."""

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return {
            "loss": loss,
            "nested": {"half": loss / 2, "deeper": {"quarter": loss / 4}},
            "vector": tf.reduce_mean(x, axis=0),
            "list": [loss, 2 * loss],
            "text": "text",
            "nothing": None,
            "integer": 3,
            "truth": loss > 0,
            "array": np.arange(3),
            "complex": tf.cast(tf.reduce_mean(x, axis=0), tf.complex64),
            "rough": tf.cast(loss, tf.float16),
        }


class BareTensor(Subclassed):
    def train_step(self, data: Any) -> Any:
        x, y = data
        return self.compute_loss(x, y, self(x, training=True))


def own_metrics() -> keras.Model:
    """A model as in Keras's guide: it returns each metric's result; that of the compiled ones is a dict."""
    return subclassed(OwnStepWithMetrics)


def many_logs() -> keras.Model:
    return subclassed(ManyLogs, metrics=None)


@pytest.mark.parametrize("build", [own_metrics, many_logs])
def test_the_history_is_that_of_keras_with_and_without_a_directory(build: Any, tmp_path: Path) -> None:
    expected = build().fit(**arrays(), epochs=3, verbose=0)
    assert_same_history(fit(build(), **arrays(), epochs=3, verbose=0), expected)
    pieces = {"output_dir": tmp_path, "save_input_state": True, "verbose": 0, **arrays()}
    fit(build(), steps=EPOCH + 2, **pieces)
    assert_same_history(fit(build(), epochs=3, **pieces), expected)


@pytest.mark.slow
def test_dicts_of_numbers_leave_windows_whole() -> None:
    model, calls = own_metrics(), CallCounter()
    fit(model, **arrays(), epochs=4, verbose=0, callbacks=[calls])
    assert len(calls.calls) < 4 * EPOCH


def test_a_train_step_that_returns_no_dict_is_an_error() -> None:
    model = subclassed(BareTensor)
    with pytest.raises(TypeError, match=r"train_step of .* must return a dict of logs"):
        fit(model, **arrays(), verbose=0)
    assert model.optimizer.iterations.numpy() == 0


class AddsToLogs(keras.callbacks.Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs["rate"] = self.model.optimizer.learning_rate
        logs["took"] = timedelta(seconds=1)


@pytest.mark.slow
def test_what_no_checkpoint_can_hold_is_left_out_of_it_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"output_dir": tmp_path, "verbose": 0, "callbacks": [AddsToLogs()], **arrays()}
    first = fit(line(), epochs=1, **options)
    assert first.history["took"] == [timedelta(seconds=1)]
    warning = "History: checkpoints have None in the place of each timedelta, which they cannot hold."
    assert caplog.messages.count(warning) == 1
    history = fit(line(), epochs=2, **options).history
    assert history["took"] == [None, timedelta(seconds=1)]
    assert history["rate"][0] == pytest.approx(0.05)


class RemembersFunctions(keras.callbacks.Callback):
    def get_state(self) -> Any:
        return {"function": len}

    def set_state(self, state: Any) -> None:
        raise AssertionError("nothing was saved")


@pytest.mark.parametrize("resumed", [False, True])
def test_a_callback_that_cannot_be_saved_is_an_error_before_the_first_step(
    tmp_path: Path, resumed: bool
) -> None:
    if resumed:
        fit(line(), output_dir=tmp_path, steps=1, verbose=0, **arrays())
    model = line()
    with pytest.raises(TypeError, match="callbacks: RemembersFunctions remembers"):
        callbacks = [RemembersFunctions()]
        fit(model, output_dir=tmp_path, steps=1, verbose=0, callbacks=callbacks, **arrays())
    assert model.optimizer.iterations.numpy() == int(resumed)


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, True, "text", b"bytes", 1 + 2j]},
        {1: "one", "__array__": 2},
        np.array([b"bytes", "text", None], object),
        np.array(["text", "t"]),
        np.array(3.5),
        np.arange(6, dtype=np.int8).reshape(2, 3)[:, ::2],
        np.array(["2020-01-01"], "datetime64[D]"),
        tf.constant([1.5, 2.0], tf.bfloat16).numpy(),
    ],
)
def test_values_survive_json(value: Any) -> None:
    result = from_json(json.loads(json.dumps(as_json(value))))
    if not isinstance(value, np.ndarray):
        assert result == value
        return
    assert result.dtype == value.dtype
    np.testing.assert_array_equal(result, value)


def test_tensors_and_variables_become_arrays() -> None:
    values = {"tensor": tf.constant([1.0]), "variable": keras.Variable(2), "text": tf.constant("text")}
    result = from_json(as_json(values))
    assert result["tensor"].tolist() == [1.0]
    assert result["variable"] == 2
    assert result["text"].item() == b"text"


def test_values_in_the_place_of_others(caplog: pytest.LogCaptureFixture) -> None:
    class Kind(enum.IntEnum):
        FIRST = 1

    ragged = tf.ragged.constant([[1.0, 2.0], [3.0]])
    sparse = tf.sparse.from_dense([[0.0, 5.0]])
    np.testing.assert_array_equal(from_json(as_json(ragged)), [[1.0, 2.0], [3.0, 0.0]])
    np.testing.assert_array_equal(from_json(as_json(sparse)), [[0.0, 5.0]])
    given = {"kind": Kind.FIRST, "took": [timedelta(seconds=1)] * 2}
    left = as_json(given, lambda value: left_out("This test", value))
    assert from_json(json.loads(json.dumps(left))) == {"kind": 1, "took": [None, None]}
    assert caplog.messages == [
        "This test: checkpoints have None in the place of each timedelta, which they cannot hold."
    ]
    with pytest.raises(TypeError, match="of the type timedelta, which JSON cannot hold"):
        as_json(given)


class ReturnsNothing(Subclassed):
    def train_step(self, data: Any) -> dict[str, Any]:
        self(data[0], training=True)
        return {}


def test_a_train_step_that_returns_no_loss_is_an_error() -> None:
    model = subclassed(ReturnsNothing)
    with pytest.raises(
        ValueError, match=r"neither calls compute_loss nor returns a loss(.|\n)*return \{'loss': loss\}"
    ):
        fit(model, **arrays(), verbose=0)
