"""Every callback that Keras ships does in `fit` what it does in `keras.Model.fit`, or is refused."""

from __future__ import annotations

import dataclasses
import http.server
import json
import threading
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from batch_helpers import fit
from keras_helpers import (
    EPOCH,
    FailOnce,
    again,
    arrays,
    assert_same_history,
    assert_same_state,
    averaging,
    inputs,
    line,
    targets,
)
from keras_legacy_train import NanLossDuringTrainingError

EPOCHS = 4


@dataclasses.dataclass
class Run:
    """A model that was trained, what training returned, and the directory that its callbacks wrote to."""

    model: keras.Model
    history: keras.callbacks.History
    directory: Path

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*.*"))


Callbacks = Callable[[Path], Sequence[keras.callbacks.Callback]]


def trained(
    tmp_path: Path, callbacks: Callbacks, build: Callable[[], keras.Model] = line, **options: Any
) -> tuple[Run, Run]:
    """Two runs with callbacks, by `keras.Model.fit` and by `fit`. What came of them is the same."""
    runs = []
    for name, train in (("keras", keras.Model.fit), ("fit", fit)):
        directory = tmp_path / name
        directory.mkdir()
        model = again(build, name)
        arguments = arrays(epochs=EPOCHS, verbose=0, **options)
        runs.append(Run(model, train(model, callbacks=[*callbacks(directory)], **arguments), directory))
    assert_same_history(runs[1].history, runs[0].history)
    assert_same_state(runs[1].model, runs[0].model)
    assert runs[0].history.epoch
    return runs[0], runs[1]


def test_history(tmp_path: Path) -> None:
    given = keras.callbacks.History()
    model = again(line, "fit")
    assert fit(model, **arrays(), epochs=2, verbose=0, callbacks=given) is given is model.history
    assert given.epoch == [0, 1]


@pytest.mark.parametrize("restore_best_weights", [False, True])
def test_early_stopping(restore_best_weights: bool, tmp_path: Path) -> None:
    # After the first epoch it rises: the rate is too high.
    options = {"patience": 1, "min_delta": 100.0, "restore_best_weights": restore_best_weights}
    _, run = trained(tmp_path, lambda _: [keras.callbacks.EarlyStopping("loss", **options)])
    assert run.history.epoch == [0, 1]


def test_lambda_callback(tmp_path: Path) -> None:
    calls: dict[str, list[Any]] = {"keras": [], "fit": []}

    def callbacks(directory: Path) -> list[Any]:
        note = calls[directory.name].append
        return [
            keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, logs: note(("begin", epoch)),
                on_epoch_end=lambda epoch, logs: note(("end", epoch, sorted(logs))),
                on_train_begin=lambda logs: note("begin"),
                on_train_batch_end=lambda batch, logs: note(("batch", batch, logs["loss"])),
                on_train_end=lambda logs: note(sorted(logs)),
            )
        ]

    trained(tmp_path, callbacks)
    assert calls["fit"] == calls["keras"]
    assert len(calls["fit"]) == 2 + EPOCHS * (2 + EPOCH)


def test_learning_rate_scheduler(tmp_path: Path) -> None:
    def callbacks(_: Path) -> list[Any]:
        return [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)]

    _, run = trained(tmp_path, callbacks)
    np.testing.assert_allclose(run.history.history["learning_rate"], [0.025, 0.0125, 0.00625, 0.003125])


def test_reduce_lr_on_plateau(tmp_path: Path) -> None:
    def callbacks(_: Path) -> list[Any]:
        return [keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100.0)]

    _, run = trained(tmp_path, callbacks)
    np.testing.assert_allclose(run.history.history["learning_rate"], [0.05, 0.05, 0.025, 0.0125])


@pytest.mark.parametrize(
    "name, options, files",
    [
        (
            "{epoch}.weights.h5",
            {"save_weights_only": True},
            [f"{epoch}.weights.h5" for epoch in (1, 2, 3, 4)],
        ),
        (
            "{epoch}-{batch}.weights.h5",
            {"save_weights_only": True, "save_freq": 7},
            ["2-2.weights.h5", "3-4.weights.h5"],
        ),
        ("best.keras", {"monitor": "loss", "save_best_only": True}, ["best.keras"]),
        ("{epoch}-{batch}.keras", {"save_freq": 12}, ["3-2.keras"]),
    ],
)
def test_model_checkpoint(name: str, options: dict[str, Any], files: list[str], tmp_path: Path) -> None:
    def callbacks(directory: Path) -> list[Any]:
        return [keras.callbacks.ModelCheckpoint(str(directory / name), **options)]

    theirs, ours = trained(tmp_path, callbacks)
    assert ours.files() == theirs.files() == files
    for file in files:
        values = []
        for run in (theirs, ours):
            if file.endswith(".keras"):
                model = keras.saving.load_model(run.directory / file)
            else:
                model = line()
                model.load_weights(run.directory / file)
            values.append(model.get_weights())
        for value, expected in zip(values[1], values[0], strict=True):
            np.testing.assert_array_equal(value, expected)


def test_csv_logger(tmp_path: Path) -> None:
    def callbacks(directory: Path) -> list[Any]:
        return [keras.callbacks.CSVLogger(directory / "log.csv")]

    texts = [(run.directory / "log.csv").read_text() for run in trained(tmp_path, callbacks)]
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == 1 + EPOCHS


def test_progbar_logger(capsys: pytest.CaptureFixture[str]) -> None:
    model = again(line, "fit")
    fit(model, **arrays(), epochs=2, callbacks=[keras.callbacks.ProgbarLogger()])
    written = capsys.readouterr().out
    assert "Epoch 2/2" in written and "5/5" in written and "mae" in written
    fit(model, **arrays(), epochs=2, verbose=0, callbacks=[keras.callbacks.ProgbarLogger()])
    assert capsys.readouterr().out == ""


def test_remote_monitor(tmp_path: Path) -> None:
    pytest.importorskip("requests")
    received: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, json.loads(urllib.parse.parse_qs(body)["data"][0])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            root = f"http://127.0.0.1:{server.server_port}"
            trained(tmp_path, lambda _: [keras.callbacks.RemoteMonitor(root, "/epoch")])
        finally:
            server.shutdown()
            thread.join()
    theirs, ours = received[:EPOCHS], received[EPOCHS:]
    assert ours == theirs
    assert [sorted(data) for _, data in ours] == [["epoch", "loss", "mae"]] * EPOCHS


@pytest.mark.slow
@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swap_ema_weights(swap_on_epoch: bool, tmp_path: Path) -> None:
    validation = (inputs()[:6], targets()[:6])
    # What is validated on are the averages, in evaluations that come and go within an epoch, too.
    trained(
        tmp_path,
        lambda _: [keras.callbacks.SwapEMAWeights(swap_on_epoch)],
        build=averaging,
        validation_data=validation,
    )


def summaries(directory: Path, part: str) -> dict[str, list[int]]:
    """The steps at which each tag was written."""
    steps: dict[str, list[int]] = {}
    for path in sorted(directory.glob(f"**/{part}/events.*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                steps.setdefault(value.tag, []).append(event.step)
    return steps


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"histogram_freq": 2}, {"update_freq": 2, "write_graph": False}])
def test_tensor_board(options: dict[str, Any], tmp_path: Path) -> None:
    def callbacks(directory: Path) -> list[Any]:
        return [keras.callbacks.TensorBoard(directory, **options)]

    theirs, ours = trained(tmp_path, callbacks, validation_data=(inputs()[:6], targets()[:6]))
    for part in ("train", "validation"):
        expected = summaries(theirs.directory, part)
        assert summaries(ours.directory, part) == expected
    assert len(summaries(ours.directory, "train")) > 1


def exploding() -> keras.Model:
    return line(optimizer=keras.optimizers.SGD(1e15))


@pytest.mark.slow
def test_terminate_on_nan(tmp_path: Path) -> None:
    model, expected = again(exploding, "fit"), again(exploding, "keras")
    options = arrays(epochs=EPOCHS, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
    history = fit(model, fail_on_nan_loss=False, **options)
    assert history.epoch == expected.fit(**options).epoch == [0]
    assert_same_state(model, expected)
    with pytest.raises(NanLossDuringTrainingError):
        fit(again(exploding, "fit"), **{**options, "callbacks": None})


@pytest.mark.slow
def test_backup_and_restore(tmp_path: Path) -> None:
    histories = []
    for name, train in (("keras", keras.Model.fit), ("fit", fit)):
        options = arrays(epochs=EPOCHS, verbose=0)
        backup = keras.callbacks.BackupAndRestore(tmp_path / name)
        with pytest.raises(OSError, match="power cut"):
            train(line(), callbacks=[FailOnce(2), backup], **options)
        # A model is not to be used again: the callback leaves its epoch there.
        histories.append(train(line(), callbacks=[backup], **options))
    assert_same_history(histories[1], histories[0])
    assert histories[1].epoch == [2, 3]
    assert_same_state(histories[1].model, histories[0].model)
    assert histories[1].model.optimizer.iterations.numpy() == EPOCHS * EPOCH


@pytest.mark.parametrize(
    "callback, message",
    [
        (keras.callbacks.BackupAndRestore("backup"), "BackupAndRestore is of no use here.*output_dir=None"),
        (keras.callbacks.SwapEMAWeights(True), r"SwapEMAWeights\(swap_on_epoch=True\).*swap_on_epoch=False"),
    ],
)
def test_refused_beside_checkpoints(callback: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        fit(again(averaging), **arrays(), output_dir=tmp_path / "new", callbacks=callback, verbose=0)
    assert not (tmp_path / "new").exists()


def test_hooks_of_evaluation(tmp_path: Path) -> None:
    class Tests(keras.callbacks.Callback):
        models = 0
        batches = 0

        def set_model(self, model: keras.Model) -> None:
            super().set_model(model)
            self.models += 1

        def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
            self.batches += 1

    tests = Tests()
    fit(
        again(line, "fit"),
        **arrays(validation_data=(inputs(), targets())),
        epochs=2,
        verbose=0,
        callbacks=[tests],
    )
    assert tests.batches == 2 * EPOCH
    assert tests.models == 1  # a TensorBoard forgets its writers at another
