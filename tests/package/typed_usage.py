"""Uses the public names as a typed program does. Read by mypy only, in `test_typing.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy.typing as npt
from typing_extensions import assert_type

import keras_legacy_train as klt
from keras_legacy_train import callbacks, monitors
from keras_legacy_train.summaries import SummaryWriter

assert_type(klt.__version__, str)


def evaluations(graph: Any, out: Any) -> None:
    assert_type(
        klt.evaluate(graph, "run", None, {"loss": "loss:0"}, max_steps=3), tuple[dict[str, Any] | None, Any]
    )
    assert_type(klt.infer(None, {"out": out}), dict[Any, Any])
    assert_type(klt.run_n({"out": out}, n=2), list[dict[Any, Any]])
    assert_type(klt.run_feeds({"out": out}, [{"x:0": 1.0}, None]), list[dict[Any, Any]])
    assert_type(klt.run_feeds_iter({"out": out}, [{"x:0": 1.0}]), Iterator[dict[Any, Any]])


def weights(model: Any) -> None:
    report = klt.load_tf1_weights(model, "model.ckpt-1", skip="head", strict=False)
    assert_type(report, klt.LoadReport)
    assert_type(report.checkpoint, str)
    assert_type(report.filled[0].sources, tuple[str, ...])
    assert_type(report.unfilled, Mapping[str, Sequence[str]])
    assert_type(report.unused, Sequence[str])


def graph_models(model: klt.GraphModel) -> None:
    assert_type(model.compile(train_op="train"), None)
    assert_type(model.export("exported"), None)


def summaries(directory: str) -> None:
    writer = klt.get_summary_writer(directory)
    assert_type(writer, SummaryWriter)
    assert_type(writer.get_logdir(), str)
    assert_type(writer.add_scalar("loss", 0.5, step=3), None)
    assert_type(klt.clear_summary_writers(), None)


def services(steps: callbacks.Steps) -> None:
    nan = callbacks.TerminateOnNaN(check_inf=True, log_every_steps=None)
    assert_type(nan.fail, bool)
    assert_type(nan.check_inf, bool)
    assert_type(steps.start, int)
    assert_type(steps.seconds, float)
    assert_type(steps.outputs, Mapping[Any, Any] | None)
    assert_type(steps.error, BaseException | None)
    assert_type(steps.pieces, Sequence[callbacks.Steps])
    assert_type(len(steps), int)


def errors(
    nan: klt.NanLossDuringTrainingError,
    mismatch: klt.CheckpointMismatchError,
    damaged: klt.DamagedCheckpointError,
    in_use: klt.DirectoryInUseError,
    uninitialized: klt.NotInitializedError,
    stuck: klt.NoProgressError,
) -> None:
    assert_type(nan.step, int | None)
    assert_type(nan.last_good_checkpoint, str | None)
    assert_type(nan.loss, float)
    assert_type(mismatch.problems, list[str])
    assert_type(damaged.directory, str)
    assert_type(in_use.pid, int)
    assert_type(uninitialized.names, list[str])
    assert_type(stuck.runs, int)


class EveryThird(monitors.EveryN):
    """Overrides hooks with the types that the base class declares."""

    def __init__(self) -> None:
        super().__init__(every_n_steps=3)
        self.losses: list[npt.NDArray[Any]] = []

    def every_n_step_begin(self, step: int) -> list[Any]:
        return ["loss:0"]

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> None:
        self.losses.append(outputs["loss:0"])


def trainings(graph: Any, batches: Any) -> None:
    monitor = EveryThird()
    klt.train(graph, "run", "train", "loss:0", max_steps=10, monitors=[monitor], jit_compile="auto")
    klt.train("graph.meta", "run", "train", "loss:0", feed_fn=lambda: {"x:0": 1.0})
    klt.train(None, "run", lambda batch: {"loss": batch}, "loss", feed_fn=batches)
    klt.train(graph, "run", "train", "loss:0", callbacks=[callbacks.TerminateOnNaN()])
