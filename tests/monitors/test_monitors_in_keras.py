"""Monitors of Keras models: in plain `keras.Model.fit`, in `fit` and in `train`."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import graphs
from batch_helpers import X, Y, batches, fit, line_model, train
from helpers import EveryNLosses, Recorder, StopAt, newest_checkpoint, scalar_events
from keras_legacy_train import callbacks, monitors
from keras_legacy_train.monitors.scheduling import next_step
from monitor_helpers import drive

SGD = keras.optimizers.SGD
EPOCHS, STEPS = 2, 8  # of four steps each


pytestmark = pytest.mark.usefixtures("v2_behavior")


def compiled(**options: Any) -> keras.Model:
    model = line_model()
    model.compile(SGD(0.01), "mse", metrics=["mae"], **options)
    return model


# The three ways in which a model is trained, two epochs each.

Way = Callable[..., keras.Model]


def by_keras(
    directory: Path, *watchers: Any, model: keras.Model | None = None, **options: Any
) -> keras.Model:
    model = compiled() if model is None else model
    given = [callbacks.MonitorCallback(each) for each in watchers]
    arguments = {"batch_size": 8, "epochs": EPOCHS, "shuffle": False, "verbose": 0, **options}
    model.fit(X, Y, callbacks=given, **arguments)
    return model


def by_fit(directory: Path, *watchers: Any) -> keras.Model:
    model = compiled()
    fit(
        model,
        X,
        Y,
        batch_size=8,
        epochs=EPOCHS,
        shuffle=False,
        output_dir=directory,
        monitors=watchers,
        verbose=0,
    )
    return model


def by_train(directory: Path, *watchers: Any) -> keras.Model:
    model = line_model()
    options = {"feed_fn": batches(), "steps": STEPS, "steps_per_epoch": 4, "monitors": watchers}
    train(model, directory, SGD(0.01), "mse", **options)
    return model


WAYS = pytest.mark.parametrize("way", [by_keras, by_fit, by_train])
EVERYWHERE: tuple[Way, ...] = (by_keras, by_fit, by_train)


# What monitors ask for.


class AsksForVariables(Recorder):
    """Asks for a Keras variable and for what is inside it."""

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        kernel = model.layers[-1].kernel
        self.requests = [kernel, kernel.value]


@WAYS
def test_requests(way: Way, tmp_path: Path) -> None:
    asked = ["loss", "loss:0", "line/out/kernel", "line/out/bias:0", "learning_rate"]
    asked += [] if way is by_train else ["mae"]
    by_name, themselves = Recorder(*asked), AsksForVariables()
    model = way(tmp_path, by_name, themselves)
    last, layer = by_name.outputs[STEPS], model.layers[-1]
    assert last["loss"] == last["loss:0"] > 0
    assert last["learning_rate"] == np.float32(0.01)
    np.testing.assert_array_equal(last["line/out/kernel"], layer.kernel.numpy())
    np.testing.assert_array_equal(last["line/out/bias:0"], layer.bias.numpy())
    assert (last["line/out/kernel"] != by_name.outputs[1]["line/out/kernel"]).all()
    if way is not by_train:
        assert last["mae"] > 0
    for request in themselves.requests:
        np.testing.assert_array_equal(themselves.outputs[STEPS][request], layer.kernel.numpy())


@WAYS
def test_unknown_names(way: Way, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'line/out/kernle'.* line/out/kernel"):
        way(tmp_path, Recorder("line/out/kernle"))


@pytest.mark.parametrize("request_", [3, tf.constant(1.0)], ids=["number", "tensor"])
def test_requests_that_are_neither_names_nor_variables(request_: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a name nor a variable"):
        by_keras(tmp_path, Recorder(request_))


def test_a_name_that_two_variables_have(tmp_path: Path) -> None:
    class Twins(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="twins")
            self.parts = [keras.layers.Dense(1, name="part"), keras.layers.Dense(1, name="part")]

        def call(self, x: Any) -> Any:
            return self.parts[0](x) + self.parts[1](x)

    model = Twins()
    with pytest.raises(ValueError, match=r"'twins/part/kernel', but 2 variables"):
        train(
            model,
            tmp_path,
            SGD(0.1),
            "mse",
            feed_fn=batches(),
            steps=1,
            monitors=Recorder("twins/part/kernel"),
        )


def test_the_loss_is_the_mean_of_the_epoch_in_keras_and_that_of_the_step_here(tmp_path: Path) -> None:
    plain, here = Recorder("loss"), Recorder("loss")
    by_keras(tmp_path, plain)
    by_fit(tmp_path, here)
    losses = np.array(here.values("loss")).reshape(EPOCHS, -1)
    means = losses.cumsum(axis=1) / np.arange(1, 5)
    np.testing.assert_allclose(plain.values("loss"), means.ravel(), rtol=1e-5)


# When they are called.


@WAYS
def test_order_of_calls(way: Way, tmp_path: Path) -> None:
    class Notes(Recorder):
        def epoch_begin(self, epoch: int) -> None:
            super().epoch_begin(epoch)
            self.calls.append(["epoch_begin", epoch])

        def epoch_end(self, epoch: int) -> None:
            super().epoch_end(epoch)
            self.calls.append(["epoch_end", epoch])

    notes = Notes()
    way(tmp_path, notes)
    expected: list[list[Any]] = [["begin", STEPS]]
    for epoch in range(EPOCHS):
        expected.append(["epoch_begin", epoch])
        for step in range(4 * epoch + 1, 4 * epoch + 5):
            expected += [["step_begin", step], ["step_end", step], ["post_step", step]]
        expected.append(["epoch_end", epoch])
    assert notes.calls == [*expected, ["end"]]


def test_without_steps_per_epoch_train_has_no_epochs(tmp_path: Path) -> None:
    class NoEpochs(Recorder):
        def epoch_begin(self, epoch: int) -> None:
            raise AssertionError(epoch)

    train(line_model(), tmp_path, SGD(0.1), "mse", feed_fn=batches(), steps=2, monitors=NoEpochs())


SCHEDULES = [(1, 1), (2, 1), (3, 1), (3, 4), (5, 0), (100, 1), (100, 0)]


@WAYS
def test_every_n_acts_at_the_same_steps(way: Way, tmp_path: Path) -> None:
    acting = [EveryNLosses("loss", n, first_n) for n, first_n in SCHEDULES]
    way(tmp_path, *acting)
    for monitor, schedule in zip(acting, SCHEDULES, strict=True):
        expected = EveryNLosses("loss", *schedule)
        drive(expected, STEPS, max_steps=STEPS, run=lambda step, requests: {"loss": 0.0})
        assert list(monitor.losses) == list(expected.losses), schedule
        assert monitor.post_steps == expected.post_steps, schedule


def test_steps_between_are_not_watched_in_keras(tmp_path: Path) -> None:
    """`next_step` is what asks for steps; the others are told by `steps_passed`."""

    class Rare(monitors.BaseMonitor):
        def __init__(self) -> None:
            super().__init__()
            self.calls: list[Any] = []

        def next_step(self, step: int) -> float:
            return 3 if step < 3 else math.inf

        def steps_passed(self, step: int) -> None:
            self.calls.append(step)

    rare = Rare()
    by_keras(tmp_path, rare)
    assert rare.calls == [1, 2, 4, 5, 6, 7, 8]


@WAYS
def test_a_monitor_may_stop_the_training(way: Way, tmp_path: Path) -> None:
    other = Recorder()
    way(tmp_path, StopAt(3), other)
    assert other.steps("post_step") == [1, 2, 3]
    assert other.calls[-1] == ["end"]


@WAYS
def test_stop_at_step(way: Way, tmp_path: Path) -> None:
    other = Recorder()
    model = way(tmp_path, monitors.StopAtStep(num_steps=5), monitors.StopAtStep(last_step=7), other)
    assert other.steps("step_end") == [1, 2, 3, 4, 5]
    if way is not by_train:
        assert int(model.optimizer.iterations) == 5


def test_steps_per_execution(tmp_path: Path) -> None:
    model = compiled(steps_per_execution=2)
    recorder, every_third = Recorder("loss"), EveryNLosses("loss", 3)
    by_keras(tmp_path, recorder, every_third, model=model)
    assert recorder.steps("step_end") == [2, 4, 6, 8]
    assert list(every_third.losses) == [4, 8]  # the first steps that are seen after 0 + 3 and 4 + 3
    stop = callbacks.MonitorCallback(monitors.StopAtStep(last_step=3))
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[stop])
    assert int(model.optimizer.iterations) == STEPS + 4


def test_an_epoch_that_ends_within_an_execution(tmp_path: Path) -> None:
    """Keras 3.5 does not tell of the last steps; they are counted all the same."""
    recorder = Recorder()
    by_keras(tmp_path, recorder, model=compiled(steps_per_execution=3))
    assert recorder.steps("step_end") in ([3, 4, 7, 8], [3, 7])


def test_several_fits_with_one_callback(tmp_path: Path) -> None:
    model, recorder = compiled(), Recorder()
    callback = callbacks.MonitorCallback(recorder)
    for epochs in (1, 2):
        model.fit(X, Y, batch_size=16, epochs=epochs, verbose=0, callbacks=[callback])
    assert recorder.steps("step_end") == [1, 2, 3, 4, 5, 6]
    assert [call for call in recorder.calls if call[0] in ("begin", "end")] == [
        ["begin", 2],
        ["end"],
        ["begin", 6],
        ["end"],
    ]


def test_initial_epoch_and_an_input_of_unknown_size(tmp_path: Path) -> None:
    model, recorder = compiled(), Recorder()
    by_keras(tmp_path, recorder, model=model, epochs=3, initial_epoch=1)
    assert recorder.calls[0] == ["begin", 8]

    rows = ((X[at : at + 8], Y[at : at + 8]) for at in (0, 8, 16))
    recorder = Recorder()
    model.fit(rows, verbose=0, callbacks=[callbacks.MonitorCallback(recorder)])
    assert recorder.calls[0] == ["begin", None]
    assert recorder.steps("step_end") == [1, 2, 3]


def test_after_a_fit_that_an_error_has_ended(tmp_path: Path) -> None:
    """`end` is called when the next one begins, and steps go on."""
    model, recorder = compiled(), Recorder()
    fail = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: 1 / (batch - 1))
    callback = callbacks.MonitorCallback(recorder)
    with pytest.raises(ZeroDivisionError):
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=[callback, fail])
    assert recorder.calls[-1] == ["post_step", 2]
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=[callback])
    assert recorder.steps("step_end") == [1, 2, 3, 4, 5, 6]
    assert [call for call in recorder.calls if call[0] in ("begin", "end")] == [
        ["begin", 4],
        ["end"],
        ["begin", 6],
        ["end"],
    ]


@WAYS
def test_after_an_error_a_monitor_can_be_used_again(way: Way, tmp_path: Path) -> None:
    class Fails(Recorder):
        def step_end(self, step: int, output: Any) -> bool:
            super().step_end(step, output)
            return 1 / (len(self.steps("step_end")) - 2) == 0

    monitor = Fails()
    with pytest.raises(ZeroDivisionError):
        way(tmp_path / "a", monitor)
    if way is by_keras:  # which has not told
        monitor.end()
        monitor.epoch_end(0)
    way(tmp_path / "b", monitor)
    assert monitor.steps("begin") == [STEPS, STEPS]


@pytest.mark.slow
def test_a_monitor_of_no_known_class(tmp_path: Path) -> None:
    class Plain:
        def __init__(self) -> None:
            self.calls: list[Any] = []

        def begin(self, max_steps: int | None) -> None:
            self.calls.append("begin")

        def step_begin(self, step: int) -> str:
            return "loss"

        def step_end(self, step: int, output: Any) -> None:
            self.calls.append(sorted(output))

        def end(self) -> None:
            self.calls.append("end")

    for way in EVERYWHERE:
        plain = Plain()
        way(tmp_path / way.__name__, plain)
        assert plain.calls == ["begin", *[["loss"]] * STEPS, "end"]


# `MonitorCallback` among the callbacks of `train` and `fit`.


def test_a_monitor_callback_is_a_monitor(tmp_path: Path) -> None:
    expected, given = Recorder("loss"), Recorder("loss")
    by_train(tmp_path / "monitors", expected)
    options = {"feed_fn": batches(), "steps": STEPS, "steps_per_epoch": 4}
    train(
        line_model(),
        tmp_path / "callbacks",
        SGD(0.01),
        "mse",
        callbacks=callbacks.MonitorCallback(given),
        **options,
    )
    assert given.calls == expected.calls
    assert given.values("loss") == expected.values("loss")


def test_a_monitor_callback_in_fit(tmp_path: Path) -> None:
    expected, given = Recorder("loss"), Recorder("loss")
    by_fit(tmp_path, expected)
    wrapped = [callbacks.MonitorCallback(given)]
    fit(compiled(), X, Y, batch_size=8, epochs=EPOCHS, shuffle=False, callbacks=wrapped, verbose=0)
    assert given.calls == expected.calls
    assert given.values("loss") == expected.values("loss")


def test_a_monitor_callback_on_a_graph(tmp_path: Path) -> None:
    expected, given = Recorder("loss:0"), Recorder("loss:0")
    for recorder, options in (
        (expected, {"monitors": expected}),
        (given, {"callbacks": [callbacks.MonitorCallback(given)]}),
    ):
        job = graphs.build("linear_sgd")
        train(
            output_dir=tmp_path / str(len(recorder.calls)) / str(id(recorder)),
            steps=5,
            **job.arguments(),
            **options,
        )
    assert given.calls == expected.calls
    assert given.values("loss:0") == expected.values("loss:0")


# Every monitor there is.


class Estimator:
    """What `ValidationMonitor` and `ExportMonitor` expect."""

    def __init__(self, model_dir: Path):
        self.model_dir = str(model_dir)
        self.calls: list[str] = []

    def evaluate(self, x: Any) -> dict[str, float]:
        self.calls.append("evaluate")
        return {"loss": float(x)}

    def export(self, export_dir: str, **options: Any) -> str:
        self.calls.append("export")
        return export_dir


def watched_by_all(way: Way, directory: Path) -> dict[str, Any]:
    """The monitors by name, after a training with all that need no graph."""
    estimator = Estimator(directory)
    made = {
        "BaseMonitor": monitors.BaseMonitor(),
        "CaptureVariable": monitors.CaptureVariable("line/out/bias", every_n=4),
        "EveryN": EveryNLosses("loss", 4),
        "ExportMonitor": monitors.ExportMonitor(4, str(directory / "exports")),
        "GraphDump": monitors.GraphDump(),
        "LoggingTrainable": monitors.LoggingTrainable(scope="line/out/b", every_n=4),
        "NanLoss": monitors.NanLoss("loss", every_n_steps=4),
        "PrintTensor": monitors.PrintTensor({"the loss": "loss", "rate": "learning_rate"}, every_n=4),
        "StepCounter": monitors.StepCounter(every_n_steps=4, output_dir=str(directory / "counter")),
        "StopAtStep": monitors.StopAtStep(last_step=STEPS),
        "SummarySaver": monitors.SummarySaver(None, output_dir=str(directory / "summaries")),
        "ValidationMonitor": monitors.ValidationMonitor(x=1.0, every_n_steps=4, check_interval_secs=None),
    }
    for monitor in made.values():
        monitor.set_estimator(estimator)
    way(directory, *made.values())
    return made


@WAYS
def test_every_monitor(way: Way, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    made = watched_by_all(way, tmp_path)
    active = [1, 5, 8]
    bias = made["CaptureVariable"].values
    assert list(bias) == active
    assert all(value.shape == (1,) for value in bias.values())
    assert list(made["EveryN"].losses) == active
    dump = made["GraphDump"].data
    assert list(dump) == list(range(1, 9))
    assert {"loss", "line/out/kernel", "line/out/bias"} <= set(dump[1])
    np.testing.assert_array_equal(dump[5]["line/out/bias"], bias[5])
    lines = [text for text in caplog.messages if text.startswith("Logging Trainable")]
    assert lines == [f"Logging Trainable: Step {step}: line/out/bias = {bias[step]}" for step in active]
    prefixes = [f"Step {step}: the loss = " for step in active]
    printed = [text for text in caplog.messages if text.startswith("Step ")]
    assert [text[: len(prefix)] for text, prefix in zip(printed, prefixes, strict=True)] == prefixes
    assert all(text.endswith(f", rate = {np.float32(0.01)}") for text in printed)
    assert list(scalar_events(tmp_path / "counter")["global_step/sec"]) == [5, 8]
    assert not (tmp_path / "summaries").exists()
    calls = made["ExportMonitor"]._estimator.calls
    assert calls.count("export") >= 3
    assert calls.count("evaluate") == (0 if way is by_keras else 1)  # there is a checkpoint, or not


def test_all_monitors_are_tried(tmp_path: Path) -> None:
    classes = {name for name in monitors.__all__ if hasattr(getattr(monitors, name), "step_begin")}
    assert set(watched_by_all(by_keras, tmp_path)) == classes - {"CheckpointSaver"}


@WAYS
def test_nan_loss(way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("test_monitors_in_keras.Y", np.full_like(Y, np.nan))
    monkeypatch.setattr("batch_helpers.Y", np.full_like(Y, np.nan))
    with pytest.raises(RuntimeError, match="NaN loss during training"):
        way(tmp_path, monitors.NanLoss("loss"))


@WAYS
@pytest.mark.parametrize("kind", ["SummarySaver", "CheckpointSaver"])
def test_monitors_that_need_a_graph(way: Way, kind: str, tmp_path: Path) -> None:
    """They say so before anything is trained or written, and what to use."""
    if kind == "SummarySaver":
        monitor: Any = monitors.SummarySaver("summary:0", output_dir=str(tmp_path / "own"))
        way_out = r"keras\.callbacks\.TensorBoard"
    else:
        monitor = monitors.CheckpointSaver(tmp_path / "own", save_steps=5)
        way_out = r"keras\.callbacks\.ModelCheckpoint"
    with pytest.raises(ValueError, match=way_out):
        way(tmp_path / "new", monitor)
    assert list(tmp_path.iterdir()) == []


def test_scaffold_of_a_summary_saver_needs_a_graph(tmp_path: Path) -> None:
    scaffold = tf.compat.v1.train.Scaffold()
    with pytest.raises(ValueError, match="SummarySaver"):
        by_keras(tmp_path, monitors.SummarySaver(None, scaffold=scaffold))


def test_next_step_of_the_callback_is_that_of_the_monitor() -> None:
    for monitor in (monitors.EveryN(5), monitors.BaseMonitor(), Recorder(), monitors.StopAtStep(last_step=7)):
        callback = callbacks.MonitorCallback(monitor)
        assert [callback.next_step(step) for step in range(9)] == [
            next_step(monitor, step) for step in range(9)
        ]


def test_a_checkpoint_is_written_where_a_monitor_stops(tmp_path: Path) -> None:
    by_fit(tmp_path, StopAt(3))
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"
