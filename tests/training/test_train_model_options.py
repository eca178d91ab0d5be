"""`train` with a Keras model: what its other arguments mean, and those that cannot mean anything."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from batch_helpers import (
    CallCounter,
    X,
    Y,
    assert_same_state,
    batches,
    feed,
    files,
    line_model,
    state,
    train,
)
from helpers import Recorder, Silent, checkpoint_numbers, newest_checkpoint, read_events, scalar_events
from keras_legacy_train import (
    CheckpointMismatchError,
    NanLossDuringTrainingError,
    NoProgressError,
    callbacks,
    monitors,
)

SGD = keras.optimizers.SGD


pytestmark = pytest.mark.usefixtures("v2_behavior")


# Steps.


def run(model: keras.Model, directory: Path, **options: Any) -> Any:
    arguments = {"train_op": SGD(0.1), "loss_op": "mse", "feed_fn": feed(), **options}
    return train(model, directory, **arguments)


def test_steps_and_max_steps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    model = line_model()
    assert run(model, tmp_path, steps=0) is None
    assert run(model, tmp_path, steps=3) is not None
    assert run(model, tmp_path, max_steps=5) is not None
    assert run(model, tmp_path, max_steps=5) is None
    assert "No step is run: the global step is 5 already, and the target is 5." in caplog.messages
    assert checkpoint_numbers(tmp_path) == [0, 3, 5]
    lines = [text for text in caplog.messages if text.startswith("Training steps")]
    assert lines == [f"Training steps [{span})" for span in ("0,0", "0,3", "3,5", "5,5")]


def test_iterations_of_the_optimizer_as_global_step(tmp_path: Path) -> None:
    for done in (3, 6):
        optimizer = SGD(0.1)
        run(line_model(), tmp_path, train_op=optimizer, global_step_tensor=optimizer.iterations, steps=3)
        assert int(optimizer.iterations) == done
    assert checkpoint_numbers(tmp_path) == [0, 3, 6]


@pytest.mark.slow
def test_a_global_step_that_nobody_raises(tmp_path: Path) -> None:
    step = tf.Variable(0, name="my_step")
    with pytest.raises(NoProgressError, match="my_step"):
        run(line_model(), tmp_path, feed_fn=batches(), global_step_tensor=step, steps=1)


def test_steps_per_epoch(tmp_path: Path) -> None:
    epochs: list[Any] = []

    class Notes(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            epochs.append(epoch)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            assert set(logs) == {"loss"}

    for steps in (5, 4):
        run(line_model(), tmp_path, feed_fn=batches(), steps=steps, steps_per_epoch=3, callbacks=[Notes()])
    assert epochs == [0, 1, 1, 2]


# Checkpoints.


def test_checkpoints_are_those_of_tensorflow(tmp_path: Path) -> None:
    model, optimizer = line_model(), keras.optimizers.Adam(0.1)
    run(model, tmp_path, train_op=optimizer, steps=5)
    other, others_optimizer = line_model(), keras.optimizers.Adam(0.1)
    others_optimizer.build(other.trainable_variables)
    step = tf.Variable(0, dtype=tf.int64)
    saved = tf.train.Checkpoint(model=other, optimizer=others_optimizer, global_step=step)
    saved.restore(tf.train.latest_checkpoint(str(tmp_path))).expect_partial()
    assert_same_state(other, state(model), rtol=0)
    assert step.numpy() == int(others_optimizer.iterations) == 5
    for slot, expected in zip(others_optimizer.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(slot.numpy(), expected.numpy())


def test_how_many_checkpoints_are_kept(tmp_path: Path) -> None:
    options = {"steps": 6, "supervisor_save_model_secs": 1e-9, "monitors": [Recorder()]}
    run(line_model(), tmp_path / "two", keep_checkpoint_max=2, **options)
    assert len(checkpoint_numbers(tmp_path / "two")) == 2
    run(line_model(), tmp_path / "all", keep_checkpoint_max=None, **options)
    assert len(checkpoint_numbers(tmp_path / "all")) > 2
    run(line_model(), tmp_path / "none", **{**options, "supervisor_save_model_secs": None})
    assert checkpoint_numbers(tmp_path / "none") == [0, 6]


def test_a_checkpoint_of_another_model(tmp_path: Path) -> None:
    run(line_model(), tmp_path, steps=2)
    before = files(tmp_path)
    with pytest.raises(CheckpointMismatchError):
        run(line_model(lambda: keras.layers.Dense(7)), tmp_path, steps=2)
    assert files(tmp_path) == before


def test_no_chief_writes_nothing(tmp_path: Path) -> None:
    recorder, everywhere = Recorder(), monitors.StopAtStep(num_steps=3)
    options = {"supervisor_is_chief": False, "monitors": [recorder, everywhere]}
    assert run(line_model(), tmp_path / "new", steps=9, **options) is not None
    assert not (tmp_path / "new").exists()
    assert recorder.calls == []
    run(line_model(), tmp_path, steps=2)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    run(line_model(), tmp_path, max_steps=9, **options)  # goes on from step 2
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_init_op_and_init_fn(tmp_path: Path) -> None:
    """They are called, in this order, only where there is no checkpoint; the session reads variables."""
    seen: list[Any] = []
    for _ in range(2):
        model = line_model()

        def init_op(model: Any = model) -> None:
            model.layers[-1].kernel.assign(np.full([4, 1], 7.0))

        def init_fn(session: Any, model: Any = model) -> None:
            names = ["line/out/kernel", "line/out/bias:0"]
            values = session.run({"by_name": names, "itself": model.layers[-1].kernel, "step": "global_step"})
            seen.append(values)
            with session.as_default():
                assert session.run(("line/out/bias",)) == (values["by_name"][1],)

        run(model, tmp_path, train_op=SGD(0.0), init_op=init_op, init_fn=init_fn, steps=2)
        np.testing.assert_array_equal(model.get_weights()[0], np.full([4, 1], 7.0))
    (values,) = seen
    np.testing.assert_array_equal(values["by_name"][0], np.full([4, 1], 7.0))
    np.testing.assert_array_equal(values["itself"], np.full([4, 1], 7.0))
    assert values["by_name"][1].shape == (1,)
    assert values["step"] == 0


def test_the_session_of_init_fn_knows_its_variables_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line/out/kernel"):
        run(line_model(), tmp_path / "a", init_fn=lambda session: session.run("line/out/kernle"), steps=1)
    with pytest.raises(ValueError, match="feed_dict"):
        run(line_model(), tmp_path / "b", init_fn=lambda session: session.run([], {"x": 1}), steps=1)


# What else the arguments of `train` mean.


def test_log_lines_and_default_monitors(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    run(line_model(), tmp_path, feed_fn=batches(), steps=25)
    texts = [text.partition(" = ")[0] for text in caplog.messages]
    assert [text for text in texts if text.startswith("training step")] == [
        f"training step {step}, loss" for step in (10, 20, 25)
    ]
    assert [text for text in texts if text.startswith("Step")] == ["Step 1: loss", "Step 25: loss"]
    assert [text for text in texts if text.startswith("Saving")] == [
        f"Saving checkpoint for step {step} to checkpoint: {tmp_path}/model.ckpt-{step}." for step in (0, 25)
    ]
    caplog.clear()
    run(line_model(), tmp_path, steps=3, log_every_steps=None, monitors=[Silent()])
    assert not [text for text in caplog.messages if text.lower().startswith(("training step ", "step"))]
    assert f"Restoring parameters from {tmp_path}/model.ckpt-25" in caplog.messages


def test_summaries(tmp_path: Path) -> None:
    counter = CallCounter()
    run(line_model(), tmp_path / "a", steps=25, supervisor_save_summaries_steps=10, callbacks=[counter])
    scalars = scalar_events(tmp_path / "a")
    assert list(scalars["loss"]) == [1, 11, 21, 25]
    np.testing.assert_allclose(list(scalars["loss"].values()), [counter.losses[i] for i in (0, 10, 20, 24)])
    assert "global_step/sec" in scalars
    run(line_model(), tmp_path / "b", steps=5, supervisor_save_summaries_steps=None)
    assert not scalar_events(tmp_path / "b")
    logs = [
        event.session_log.status for event in read_events(tmp_path / "b") if event.HasField("session_log")
    ]
    start, checkpoint = tf.compat.v1.SessionLog.START, tf.compat.v1.SessionLog.CHECKPOINT
    assert logs == [start, checkpoint, checkpoint]


@pytest.mark.parametrize("source", ["steps", "windows"])
def test_nan_loss(source: str, tmp_path: Path) -> None:
    y = Y.copy()
    y[24:] = np.nan
    give = batches(X, y) if source == "windows" else feed(X, y)
    with pytest.raises(NanLossDuringTrainingError) as raised:
        run(line_model(), tmp_path, feed_fn=give, steps=9, monitors=[Silent()])
    assert raised.value.step == 4
    assert raised.value.last_good_checkpoint == str(tmp_path / "model.ckpt-0")
    assert newest_checkpoint(tmp_path) == "model.ckpt-0"


def test_nan_loss_that_is_not_fatal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    y = np.full_like(Y, np.nan)
    loss = run(line_model(), tmp_path, feed_fn=feed(X, y), steps=5, fail_on_nan_loss=False)
    assert np.isnan(loss)
    assert newest_checkpoint(tmp_path) == "model.ckpt-5"
    assert caplog.messages.count("Model diverged with loss = NaN.") == 2  # the first and the last step


def test_infinite_loss_is_fatal_for_those_who_say_so(tmp_path: Path) -> None:
    y = np.full_like(Y, 1e30)
    assert run(line_model(), tmp_path / "a", feed_fn=feed(X, y), train_op=SGD(0.0), steps=2) == np.inf
    with pytest.raises(NanLossDuringTrainingError):
        run(
            line_model(),
            tmp_path / "b",
            feed_fn=batches(X, y),
            train_op=SGD(0.0),
            steps=2,
            callbacks=[callbacks.TerminateOnNaN(check_inf=True)],
        )


def test_callbacks_of_keras(tmp_path: Path) -> None:
    """They find the optimizer, the weights and the losses where `keras.Model.fit` has them."""
    model, optimizer = line_model(), SGD(1.0)
    rates: list[float] = []
    given = [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.1 / (epoch + 1)),
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: rates.append(float(optimizer.learning_rate))
        ),
        keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.weights.h5"), save_weights_only=True),
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
    ]
    run(
        model,
        tmp_path / "run",
        train_op=optimizer,
        feed_fn=batches(),
        steps=9,
        steps_per_epoch=3,
        callbacks=given,
    )
    np.testing.assert_allclose(rates, [0.1, 0.05, 0.1 / 3], rtol=1e-6)
    other = line_model()
    other.load_weights(str(tmp_path / "3.weights.h5"))
    assert_same_state(other, state(model))
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4


def test_early_stopping(tmp_path: Path) -> None:
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=1, restore_best_weights=True)
    options = {"train_op": SGD(0.0), "feed_fn": batches(X[:8], Y[:8]), "steps_per_epoch": 2}
    run(line_model(), tmp_path, callbacks=[stop], **options)
    assert newest_checkpoint(tmp_path) == "model.ckpt-4"


def test_whole_models_can_be_saved_by_callbacks(tmp_path: Path) -> None:
    save = keras.callbacks.ModelCheckpoint(str(tmp_path / "model.keras"))
    model = line_model()
    run(model, tmp_path / "run", steps=3, callbacks=[save])
    assert_same_state(keras.models.load_model(tmp_path / "model.keras"), state(model))


def test_supervisor_master(tmp_path: Path) -> None:
    assert run(line_model(), tmp_path, steps=1, supervisor_master="local") is not None


# Arguments that cannot mean anything.


def hook() -> Any:
    return tf.compat.v1.train.StopAtStepHook(last_step=3)


BAD = {
    "session hook": ({"monitors": lambda: [hook()]}, "StopAtStepHook is a SessionRunHook"),
    "session hook as a callback": (
        {"callbacks": lambda: [callbacks.MonitorCallback(hook())]},
        "SessionRunHook",
    ),
    "init_feed_dict": ({"init_feed_dict": dict}, "init_feed_dict"),
    "init_op that is no function": ({"init_op": lambda: "init"}, "init_op must be a function"),
    "init_fn that is no function": ({"init_fn": lambda: 3}, "init_fn must be a function"),
    "no train_op": ({"train_op": lambda: None}, "Missing train_op"),
    "no loss_op": ({"loss_op": lambda: None}, "Missing loss_op"),
    "no feed_fn": ({"feed_fn": lambda: None}, "feed_fn is missing"),
    "name of an optimizer": ({"train_op": lambda: "sgd"}, "train_op must be a Keras optimizer"),
    "class of an optimizer": ({"train_op": lambda: SGD}, "train_op must be a Keras optimizer"),
    "tensor as a loss": ({"loss_op": lambda: tf.constant(1.0)}, "loss_op must be a Keras loss"),
    "no losses": ({"loss_op": lambda: []}, "loss_op must be a Keras loss; it is empty"),
    "number as a loss": ({"loss_op": lambda: 3}, "loss_op must be a Keras loss"),
    "no name of a loss": ({"loss_op": lambda: "mes"}, "no Keras loss 'mes'"),
    "arrays as input": ({"feed_fn": lambda: (X, Y)}, "feed_fn must be a function or a tf.data.Dataset"),
    "a generator as input": ({"feed_fn": lambda: (x for x in X)}, "feed_fn must be a function"),
    "None from feed_fn": ({"feed_fn": lambda: lambda: None}, "feed_fn must return a batch"),
    "batches without y": ({"feed_fn": lambda: batches(X)}, "no y"),
    "a batch of another shape": ({"feed_fn": lambda: batches(X[:, :3], Y)}, "shape"),
    "global step of floats": ({"global_step_tensor": lambda: tf.Variable(0.0)}, "global_step_tensor must be"),
    "global step by name": ({"global_step_tensor": lambda: "global_step"}, "global_step_tensor must be"),
    "steps and max_steps": ({"max_steps": lambda: 3}, "both steps and max_steps"),
    "jit_compile": ({"jit_compile": lambda: "auto"}, "jit_compile"),
    "position of a function": ({"save_input_state": lambda: True}, "save_input_state"),
    "a SummarySaver": ({"monitors": lambda: monitors.SummarySaver("op")}, "keras.callbacks.TensorBoard"),
    "a master": ({"supervisor_master": lambda: "grpc://host"}, "supervisor_master"),
    "no callback": ({"callbacks": lambda: [3]}, "callbacks"),
    "no monitor": ({"monitors": lambda: [3]}, "monitors"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case: str, tmp_path: Path) -> None:
    changed, match = BAD[case]
    with pytest.raises(ValueError, match=match):
        run(line_model(), tmp_path / "new", **{"steps": 1, **{key: make() for key, make in changed.items()}})
    assert not (tmp_path / "new").exists()


def test_checkpoint_saver_needs_a_graph(tmp_path: Path) -> None:
    monitor = monitors.CheckpointSaver(tmp_path / "own", save_steps=2)
    with pytest.raises(ValueError, match=r"keras\.callbacks\.ModelCheckpoint"):
        run(line_model(), tmp_path / "new", steps=1, monitors=monitor)
    assert list(tmp_path.iterdir()) == []


def test_models_and_data_that_were_made_in_a_graph(tmp_path: Path) -> None:
    """As after `disable_v2_behavior()`."""
    with tf.Graph().as_default():
        model, data, optimizer = line_model(), batches(), SGD(0.1)
    with pytest.raises(ValueError, match=r"line/out/bias.*belong to a graph.*disable_v2_behavior"):
        run(model, tmp_path / "new", steps=1)
    with pytest.raises(ValueError, match=r"learning_rate.*belong to a graph"):
        run(line_model(), tmp_path / "new", train_op=optimizer, steps=1)
    with pytest.raises(ValueError, match=r"feed_fn.*part of a graph"):
        run(line_model(), tmp_path / "new", feed_fn=data, steps=1)
    assert not (tmp_path / "new").exists()
