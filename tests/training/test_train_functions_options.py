"""`train` with functions over variables: what its other arguments mean, and those that mean nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from batch_helpers import TARGET, Descent, gap_after, train
from helpers import Recorder, Silent, checkpoint_numbers, newest_checkpoint, scalar_events
from keras_legacy_train import NanLossDuringTrainingError, callbacks, monitors

pytestmark = pytest.mark.usefixtures("v2_behavior")


def test_log_lines_summaries_and_default_monitors(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    train(None, tmp_path, Descent().step, "loss", steps=12, supervisor_save_summaries_steps=5)
    lines = [text for text in caplog.messages if text.startswith(("Step", "training step", "Training"))]
    assert [line.partition(", loss")[0].partition(":")[0] for line in lines] == [
        "Training steps [0,12)",
        "Step 1",
        "training step 10",
        "Step 12",
        "training step 12",
    ]
    assert f"Step 1: loss = {TARGET**2}" in lines
    assert list(scalar_events(tmp_path)["loss"]) == [1, 6, 11, 12]


def test_no_chief_writes_nothing(tmp_path: Path) -> None:
    recorder = Recorder()
    loss = train(
        None,
        tmp_path / "new",
        Descent().step,
        "loss",
        steps=3,
        supervisor_is_chief=False,
        monitors=[recorder, monitors.StopAtStep(num_steps=2)],
    )
    np.testing.assert_allclose(loss, gap_after(1) ** 2, rtol=1e-6)
    assert recorder.calls == []
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("monitor", [Recorder, Silent])
def test_nan_loss(monitor: Any, tmp_path: Path) -> None:
    w = tf.Variable(2.0, name="w")

    def step() -> dict[str, Any]:
        w.assign_sub(1.0)
        return {"loss": tf.math.log(w)}

    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(None, tmp_path, step, "loss", steps=9, monitors=[monitor()])
    assert raised.value.step == 3
    assert newest_checkpoint(tmp_path) == "model.ckpt-0"
    w.assign(2.0)
    assert np.isnan(
        train(None, tmp_path, step, "loss", steps=4, monitors=[monitor()], fail_on_nan_loss=False)
    )
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


def test_infinite_loss(tmp_path: Path) -> None:
    w = tf.Variable(2.0, name="w")

    def step() -> dict[str, Any]:
        w.assign_sub(1.0)
        return {"loss": 1.0 / w}

    given = callbacks.TerminateOnNaN(check_inf=True)
    with pytest.raises(NanLossDuringTrainingError) as raised:
        train(None, tmp_path, step, "loss", steps=9, monitors=[Silent()], callbacks=given)
    assert raised.value.step == 2
    w.assign(2.0)
    train(None, tmp_path, step, "loss", steps=9, monitors=[Silent()])


def test_timed_checkpoints(tmp_path: Path) -> None:
    options: dict[str, Any] = {"supervisor_save_model_secs": 1e-9, "monitors": [Recorder()]}
    train(None, tmp_path, Descent().step, "loss", steps=6, keep_checkpoint_max=2, **options)
    numbers = checkpoint_numbers(tmp_path)
    assert len(numbers) == 2
    assert numbers[-1] == 6


def test_callbacks_of_keras(tmp_path: Path) -> None:
    """They are shown a model whose weights are the variables."""
    job, logs, paths = Descent("scope/w"), [], []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, epoch_logs: Any = None) -> None:
            logs.append(epoch_logs)
            paths.append([weight.path for weight in self.model.weights])
            if epoch == 2:
                self.model.stop_training = True

        def on_train_end(self, logs: Any = None) -> None:
            self.model.set_weights([np.zeros_like(value) for value in self.model.get_weights()])

    save = keras.callbacks.ModelCheckpoint(str(tmp_path / "last.weights.h5"), save_weights_only=True)
    options: dict[str, Any] = {"steps_per_epoch": 4, "monitors": [Silent()], "callbacks": [save, Watch()]}
    train(None, tmp_path / "run", job.step, "loss", steps=40, **options)
    assert [sorted(each) for each in logs] == [["gap", "history", "loss", "steps"]] * 3
    np.testing.assert_allclose(
        [each["gap"] for each in logs], [gap_after(3), gap_after(7), gap_after(11)], rtol=1e-5
    )
    assert paths[0] == ["scope/w", "global_step"] or paths[0] == ["global_step", "scope/w"]
    assert newest_checkpoint(tmp_path / "run") == "model.ckpt-12"
    assert (tmp_path / "last.weights.h5").exists()
    assert job.w.numpy() == 0.0


def test_logs_of_single_steps(tmp_path: Path) -> None:
    """Whatever a step returns stands in the logs; what is one number comes as a Python number."""
    logs: list[Any] = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, batch_logs: Any = None) -> None:
            logs.append((batch, batch_logs))

    train(None, tmp_path, Descent().step, "loss", steps=2, callbacks=[Watch()])
    assert [batch for batch, _ in logs] == [0, 1]
    assert logs[0][1]["gap"] == TARGET
    assert logs[0][1]["steps"] == 1
    np.testing.assert_allclose(logs[0][1]["history"], [TARGET, TARGET**2])


def test_monitors_that_know_models(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    job, dump = Descent("scope/w"), monitors.GraphDump()
    train(None, tmp_path, job.step, "loss", steps=1, monitors=[monitors.LoggingTrainable(), dump])
    assert f"Logging Trainable: Step 1: scope/w = {job.w.numpy()}" in caplog.messages
    assert set(dump.data[1]) == {"loss", "scope/w", "global_step"}


# Arguments that cannot mean anything.


def bad(**changed: Any) -> Callable[[], dict[str, Any]]:
    """Makes the arguments when the test runs."""
    return lambda: {name: make() for name, make in changed.items()}


def twin_variables() -> Callable[[], Any]:
    one, two = tf.Variable(1.0, name="twin"), tf.Variable(2.0, name="twin")
    return lambda: {"loss": one.assign_add(1.0) + two.assign_add(1.0)}


def own_global_step() -> Callable[[], Any]:
    step = tf.Variable(0, name="global_step")
    return lambda: {"loss": tf.cast(step.assign_add(1), tf.float32)}


def vector_loss() -> Callable[[], Any]:
    w = tf.Variable([1.0, 2.0], name="w")
    return lambda: {"loss": w.assign(w * 2.0)}


def hook() -> Any:
    return tf.compat.v1.train.LoggingTensorHook(["loss"], every_n_iter=1)


BAD: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "optimizer without a model": (bad(train_op=lambda: keras.optimizers.SGD(0.1)), "needs a model"),
    "no train_op": (bad(train_op=lambda: None), "Missing train_op"),
    "no loss_op": (bad(loss_op=lambda: None), "Missing loss_op"),
    "an operation": (bad(train_op=lambda: tf.Graph().create_op("NoOp", [], [])), "train_op must be"),
    "a tensor": (bad(loss_op=lambda: tf.constant(1.0)), "loss_op must be a function"),
    "no such key": (bad(loss_op=lambda: "lost"), "no dict with the key 'lost', but the keys 'loss', 'gap'"),
    "no dict": (bad(train_op=lambda: lambda: None), "no dict with the key 'loss', but None"),
    "a loss of two numbers": (bad(train_op=vector_loss), "one number; it gives the shape"),
    "two variables of one name": (bad(train_op=twin_variables), "called twin.*name of its own"),
    "a counter that is not given": (bad(train_op=own_global_step), "global_step.*global_step_tensor"),
    "session hook": (bad(monitors=lambda: hook()), "LoggingTensorHook is a SessionRunHook"),
    "init_feed_dict": (bad(init_feed_dict=dict), "init_feed_dict"),
    "init_op": (bad(init_op=lambda: tf.constant(1)), "init_op must be a function"),
    "feed_fn": (bad(feed_fn=lambda: [1.0, 2.0]), "feed_fn must be a function or a tf.data.Dataset"),
    "global step of shape 1": (
        bad(global_step_tensor=lambda: tf.Variable([0])),
        "global_step_tensor must be",
    ),
    "position of no input": (bad(save_input_state=lambda: True), "only a tf.data.Dataset"),
    "max_window": (bad(max_window=lambda: 0), "max_window"),
    "steps": (bad(steps=lambda: -1), "steps must be a whole number"),
    "summaries": (bad(monitors=lambda: monitors.SummarySaver("op")), "TensorBoard"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case: str, tmp_path: Path) -> None:
    make, match = BAD[case]
    arguments: dict[str, Any] = {"train_op": Descent().step, "loss_op": "loss", "steps": 1, **make()}
    with pytest.raises(ValueError, match=match):
        train(None, tmp_path / "new", **arguments)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("request_", ["los", "w0", "learning_rate"])
def test_a_monitor_that_asks_for_something_else(request_: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"asks for '{request_}'.*There are, among others: .*loss|w"):
        train(None, tmp_path, Descent().step, "loss", steps=3, monitors=[Recorder(request_)])


def test_a_monitor_that_asks_for_a_variable_of_somebody_else(tmp_path: Path) -> None:
    stranger = tf.Variable(1.0, name="w")
    with pytest.raises(ValueError, match="no variable of this training"):
        train(None, tmp_path, Descent().step, "loss", steps=3, monitors=[Recorder(stranger)])


def test_variables_that_were_made_in_a_graph(tmp_path: Path) -> None:
    """As after `disable_v2_behavior()`."""
    with tf.Graph().as_default():
        job = Descent()
    with pytest.raises(ValueError, match=r"w:0 belong to a graph.*disable_v2_behavior"):
        train(None, tmp_path / "new", job.step, "loss", steps=1)
    assert not (tmp_path / "new").exists()
