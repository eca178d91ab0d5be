"""Every callback that Keras ships, on a graph: by `train` and by `GraphModel.fit`."""

from __future__ import annotations

import csv
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import train
from keras_legacy_train.graph_model import GraphModel

v1 = tf.compat.v1

STEPS, EPOCHS = 5, 4
DOCS = Path(__file__).parents[2] / "docs" / "callbacks.md"


def descent(rate_name: str | None = "learning_rate", rate: float = 0.1) -> tf.Graph:
    """`w` goes down from 1 to 0; its rate is in a variable, if there is a name for one."""
    with tf.Graph().as_default() as graph:
        w = v1.get_variable("layer/w", [2], initializer=v1.ones_initializer())
        if rate_name is not None:
            rate = v1.get_variable(rate_name, [], initializer=v1.constant_initializer(rate), trainable=False)
        loss = tf.reduce_sum(tf.square(w), name="loss")
        steps = v1.train.create_global_step()
        step = v1.train.GradientDescentOptimizer(rate).minimize(loss, global_step=steps)
        tf.group(step, name="step")
    return graph


def there_and_back() -> tf.Graph:
    """The loss is |w - 7|, and w goes up by 1 in each step: best at the end of the second epoch."""
    with tf.Graph().as_default() as graph:
        w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
        loss = tf.abs(w - 7, name="loss")
        with tf.control_dependencies([loss]):
            tf.group(v1.assign_add(w, 1.0), v1.assign_add(v1.train.create_global_step(), 1), name="step")
    return graph


def explosion() -> tf.Graph:
    """The loss is infinite in the eighth step."""
    with tf.Graph().as_default() as graph:
        steps = v1.train.create_global_step()
        tf.identity(tf.where(tf.equal(steps, 7), np.inf, 1.0), name="loss")
        tf.group(v1.assign_add(steps, 1), name="step")
    return graph


Run = Callable[..., None]


def by_train(graph: tf.Graph, directory: Path, *callbacks: Any) -> None:
    train(
        graph,
        directory / "train",
        "step",
        "loss",
        max_steps=STEPS * EPOCHS,
        steps_per_epoch=STEPS,
        callbacks=callbacks,
    )


def by_fit(graph: tf.Graph, directory: Path, *callbacks: Any) -> None:
    model = GraphModel(graph, train_op="step", loss="loss")
    model.fit(steps_per_epoch=STEPS, epochs=EPOCHS, verbose=0, callbacks=list(callbacks))


@pytest.fixture(params=[by_train, by_fit], ids=["train", "fit"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.param


class Watch(keras.callbacks.Callback):
    """Notes the weights and the logs at the ends of epochs, and the weights at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[dict[str, np.ndarray]] = []
        self.logs: list[dict[str, Any]] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.weights.append(self.now())
        self.logs.append(dict(logs))

    def on_train_end(self, logs: Any = None) -> None:
        self.last = self.now()

    def now(self) -> dict[str, np.ndarray]:
        values = self.model.get_weights()
        return {weight.name: value for weight, value in zip(self.model.weights, values, strict=True)}


def test_history(run: Run, tmp_path: Path) -> None:
    history, watch = keras.callbacks.History(), Watch()
    run(descent(), tmp_path, history, watch)
    assert history.epoch == list(range(EPOCHS))
    assert history.history["loss"] == [logs["loss"] for logs in watch.logs]
    assert history.history["loss"] == sorted(history.history["loss"], reverse=True)
    assert watch.model.history is not None


class TestEarlyStopping:
    def test_stops(self, run: Run, tmp_path: Path) -> None:
        watch = Watch()
        stopping = keras.callbacks.EarlyStopping("loss", min_delta=100, patience=1)
        run(descent(), tmp_path, stopping, watch)
        assert stopping.stopped_epoch == 1
        assert watch.last["global_step"] == 2 * STEPS

    def test_restores_the_best_weights(self, tmp_path: Path) -> None:
        watch = Watch()
        stopping = keras.callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True)
        by_fit(there_and_back(), tmp_path, stopping, watch)
        assert stopping.best_epoch == 1
        assert watch.last == watch.weights[1]
        assert watch.last["w"] == 10

    def test_train_would_lose_the_best_weights(self, tmp_path: Path) -> None:
        stopping = keras.callbacks.EarlyStopping("loss", restore_best_weights=True)
        with pytest.raises(ValueError, match=r"EarlyStopping .* save_best_only=True"):
            by_train(there_and_back(), tmp_path, stopping)


class TestModelCheckpoint:
    def test_writes_the_weights(self, run: Run, tmp_path: Path) -> None:
        watch = Watch()
        path = str(tmp_path / "{epoch:02d}.weights.h5")
        run(descent(), tmp_path, keras.callbacks.ModelCheckpoint(path, save_weights_only=True), watch)
        for epoch, expected in enumerate(watch.weights):
            model = GraphModel(descent())
            model.load_weights(path.format(epoch=epoch + 1))
            found = {
                weight.name: value for weight, value in zip(model.weights, model.get_weights(), strict=True)
            }
            np.testing.assert_equal(found, expected)

    def test_writes_the_best(self, run: Run, tmp_path: Path) -> None:
        path = str(tmp_path / "{epoch}.weights.h5")
        best = keras.callbacks.ModelCheckpoint(path, "loss", save_best_only=True, save_weights_only=True)
        run(there_and_back(), tmp_path, best)
        assert sorted(each.name for each in tmp_path.glob("*.h5")) == ["1.weights.h5", "2.weights.h5"]

    def test_writes_every_so_many_steps(self, run: Run, tmp_path: Path) -> None:
        path = str(tmp_path / "{epoch}-{batch}.weights.h5")
        run(descent(), tmp_path, keras.callbacks.ModelCheckpoint(path, save_freq=8, save_weights_only=True))
        assert sorted(each.name for each in tmp_path.glob("*.h5")) == ["2-3.weights.h5", "4-1.weights.h5"]

    def test_cannot_write_the_model(self, run: Run, tmp_path: Path) -> None:
        watch = Watch()
        with pytest.raises(ValueError, match=r"ModelCheckpoint saves whole models.*save_weights_only=True"):
            run(descent(), tmp_path, watch, keras.callbacks.ModelCheckpoint(tmp_path / "model.keras"))
        assert watch.logs == []


class TestBackupAndRestore:
    def test_fit_goes_on_where_it_was_interrupted(self, tmp_path: Path) -> None:
        def interrupt(epoch: int) -> None:
            if epoch == 2:
                raise InterruptedError

        watch, backup = Watch(), tmp_path / "backup"
        with pytest.raises(InterruptedError):
            by_fit(
                descent(),
                tmp_path,
                keras.callbacks.BackupAndRestore(backup),
                keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: interrupt(epoch)),
            )
        by_fit(descent(), tmp_path, keras.callbacks.BackupAndRestore(backup), watch)
        assert len(watch.logs) == 2
        whole = Watch()
        by_fit(descent(), tmp_path, whole)
        np.testing.assert_equal(watch.last, whole.last)

    def test_train_resumes_by_itself(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="BackupAndRestore is of no use here"):
            by_train(descent(), tmp_path, keras.callbacks.BackupAndRestore(tmp_path / "backup"))


def test_csv_logger(run: Run, tmp_path: Path) -> None:
    watch = Watch()
    run(descent(), tmp_path, keras.callbacks.CSVLogger(tmp_path / "log.csv"), watch)
    with open(tmp_path / "log.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == list(range(EPOCHS))
    np.testing.assert_allclose([float(row["loss"]) for row in rows], [logs["loss"] for logs in watch.logs])


def test_lambda_callback(run: Run, tmp_path: Path) -> None:
    calls: list[Any] = []
    callback = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: calls.append("train begins"),
        on_epoch_begin=lambda epoch, logs: calls.append(f"epoch {epoch}"),
        on_train_batch_begin=lambda batch, logs: calls.append(f"batch {batch}"),
        on_train_batch_end=lambda batch, logs: calls.append(batch),
        on_train_end=lambda logs: calls.append("train ends"),
    )
    run(descent(), tmp_path, callback)
    batches = [call for batch in range(STEPS) for call in (f"batch {batch}", batch)]
    epochs = [call for epoch in range(EPOCHS) for call in (f"epoch {epoch}", *batches)]
    assert calls == ["train begins", *epochs, "train ends"]


class TestLearningRate:
    @pytest.mark.parametrize("name", ["learning_rate", "OptimizeLoss/learning_rate"])
    def test_scheduler(self, name: str, run: Run, tmp_path: Path) -> None:
        seen: list[float] = []

        def schedule(epoch: int, rate: float) -> float:
            seen.append(rate)
            return 0.1 / 2**epoch

        watch = Watch()
        run(descent(name), tmp_path, keras.callbacks.LearningRateScheduler(schedule), watch)
        np.testing.assert_allclose(seen, [0.1, 0.1, 0.05, 0.025], rtol=1e-6)
        rates = [0.1, 0.05, 0.025, 0.0125]
        np.testing.assert_allclose([logs["learning_rate"] for logs in watch.logs], rates, rtol=1e-6)
        expected = np.cumprod([(1 - 2 * rate) ** STEPS for rate in rates])
        found = [weights["layer.w"][0] for weights in watch.weights]
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_reduce_on_plateau(self, run: Run, tmp_path: Path) -> None:
        watch = Watch()
        reduce = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100)
        run(descent(), tmp_path, reduce, watch)
        rates = [weights["learning_rate"] for weights in watch.weights]
        np.testing.assert_allclose(rates, [0.1, 0.05, 0.025, 0.0125], rtol=1e-6)

    def test_a_variable_of_another_name(self, tmp_path: Path) -> None:
        model = GraphModel(descent("speed"), train_op="step", loss="loss", learning_rate="speed")
        model.fit(
            steps_per_epoch=1, verbose=0, callbacks=keras.callbacks.LearningRateScheduler(lambda _: 0.25)
        )
        assert model.session.run("speed:0") == 0.25

    @pytest.mark.parametrize("rate_name", [None, "speed"])
    @pytest.mark.parametrize(
        "callback",
        [keras.callbacks.LearningRateScheduler(lambda _: 0.1), keras.callbacks.ReduceLROnPlateau("loss")],
        ids=["scheduler", "plateau"],
    )
    def test_without_a_variable(
        self, callback: keras.callbacks.Callback, rate_name: str | None, run: Run, tmp_path: Path
    ) -> None:
        watch = Watch()
        with pytest.raises(ValueError, match=r"sets the learning rate.*'learning_rate'.*GraphModel\("):
            run(descent(rate_name), tmp_path, watch, callback)
        assert watch.logs == []

    def test_two_variables_of_that_name(self) -> None:
        graph = descent("one/learning_rate")
        with graph.as_default():
            v1.get_variable("two/learning_rate", [], trainable=False)
        with pytest.raises(AttributeError, match="not known which variable"):
            GraphModel(graph).optimizer.learning_rate  # noqa: B018
        assert GraphModel(graph, learning_rate="one/learning_rate").optimizer.learning_rate.name == (
            "one.learning_rate"
        )


def test_remote_monitor(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = pytest.importorskip("requests")
    sent: list[Any] = []
    monkeypatch.setattr(requests, "post", lambda url, json, headers: sent.append((url, json)))
    run(descent(), tmp_path, keras.callbacks.RemoteMonitor("http://host", "/epoch", send_as_json=True))
    assert [url for url, _ in sent] == ["http://host/epoch"] * EPOCHS
    assert [list(json) for _, json in sent] == [["epoch", "loss"]] * EPOCHS


def test_orbax_checkpoint(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("orbax.checkpoint")
    directory = tmp_path / "orbax"
    run(descent(), tmp_path, keras.callbacks.OrbaxCheckpoint(str(directory), save_weights_only=True))
    assert [each.name for each in directory.iterdir()] == [str(EPOCHS - 1)]
    with pytest.raises(ValueError, match="OrbaxCheckpoint saves whole models"):
        run(descent(), tmp_path, keras.callbacks.OrbaxCheckpoint(str(tmp_path / "other")))


def test_swap_ema_weights(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"SwapEMAWeights needs a Keras optimizer.*variables_to_restore"):
        run(descent(), tmp_path, keras.callbacks.SwapEMAWeights())


class TestTensorBoard:
    def values(self, directory: Path) -> dict[str, list[int]]:
        """The steps at which each tag was written."""
        steps: dict[str, list[int]] = {}
        for path in directory.glob("train/events.*"):
            for event in v1.train.summary_iterator(str(path)):
                for value in event.summary.value:
                    steps.setdefault(value.tag, []).append(event.step)
        return steps

    def test_logs_and_histograms(self, run: Run, tmp_path: Path) -> None:
        board = keras.callbacks.TensorBoard(tmp_path / "board", histogram_freq=2, write_steps_per_second=True)
        run(descent(), tmp_path, board)
        values = self.values(tmp_path / "board")
        assert values["epoch_loss"] == values["epoch_steps_per_second"] == list(range(EPOCHS))
        assert values["layer.w/histogram"] == [0, 2]

    def test_every_so_many_batches(self, run: Run, tmp_path: Path) -> None:
        run(descent(), tmp_path, keras.callbacks.TensorBoard(tmp_path / "board", update_freq=5))
        written = self.values(tmp_path / "board")["batch_loss"]
        assert len(written) in (4, 20)  # Keras 3.5 writes at each batch

    def test_without_a_global_step(self, tmp_path: Path) -> None:
        with tf.Graph().as_default() as graph:
            tf.identity(v1.get_variable("w", []), name="loss")
        model = GraphModel(graph, train_op="loss", loss="loss")
        board = keras.callbacks.TensorBoard(tmp_path, write_steps_per_second=True)
        with pytest.raises(AttributeError, match="no global step"):
            model.fit(steps_per_epoch=1, verbose=0, callbacks=board)
        model.fit(steps_per_epoch=1, verbose=0, callbacks=keras.callbacks.TensorBoard(tmp_path))


def test_terminate_on_nan(tmp_path: Path) -> None:
    for run in (
        lambda graph, *callbacks: train(
            graph, tmp_path, "step", "loss", max_steps=20, fail_on_nan_loss=False, callbacks=callbacks
        ),
        lambda graph, *callbacks: by_fit(graph, tmp_path, *callbacks),
    ):
        watch = Watch()
        run(explosion(), keras.callbacks.TerminateOnNaN(), watch)
        assert watch.last["global_step"] == 8


def test_progress_bar(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(descent(), tmp_path, keras.callbacks.ProgbarLogger())
    written = capsys.readouterr().out
    if run is by_train:
        assert "Epoch 4/4" in written
        assert "5/5" in written
    else:
        assert written == ""  # `fit` has one of its own, and was called with verbose=0


def test_a_callback_sees_the_variables(run: Run, tmp_path: Path) -> None:
    class Halve(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.set_weights([value / 2 for value in self.model.get_weights()])

    watch = Watch()
    run(descent(rate=0.0), tmp_path, Halve(), watch)
    assert watch.last["layer.w"].tolist() == [0.5**EPOCHS] * 2


def test_all_callbacks_are_in_the_documentation() -> None:
    known = {
        name
        for name, each in vars(keras.callbacks).items()
        if inspect.isclass(each) and issubclass(each, keras.callbacks.Callback)
    } - {"Callback", "CallbackList"}
    lines = [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    names, on_a_graph, in_fit = zip(*(line.split("|")[1:4] for line in lines), strict=True)
    assert known <= {name.strip(" `") for row in names for name in row.split(",")}
    assert all(cell.strip() for cell in [*on_a_graph, *in_fit])
