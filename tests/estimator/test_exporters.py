"""Exporters export after evaluations: each time, at the end, or what is better than all before."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any

import pytest

from keras_legacy_train import estimator
from keras_legacy_train.summaries import SummaryWriter


class Exported:
    """Stands for an Estimator: notes what it is asked to export, and makes a directory for it."""

    def __init__(self, model_dir: Path):
        self.model_dir = str(model_dir)
        self.exports: list[Any] = []

    def export_saved_model(self, export_dir_base: str, receiver_fn: Any, **arguments: Any) -> bytes:
        self.exports.append((export_dir_base, receiver_fn, arguments))
        path = Path(export_dir_base) / str(int(time.time()) + len(self.exports))
        path.mkdir(parents=True)
        return str(path).encode()


def receiver_fn() -> None:
    """Is never called here."""


def losses(exporter: estimator.Exporter, model: Exported, path: Path, *values: float) -> list[float]:
    """Returns those of the losses after which there was an export."""
    return [
        value
        for step, value in enumerate(values, start=10)
        if exporter.export(model, path, "checkpoint", {"loss": value, "global_step": step}, False) is not None
    ]


def write_results(directory: Path, **losses: float) -> None:
    """Writes losses by step as evaluations do, and other events as they may be between."""
    with SummaryWriter(str(directory)) as writer:
        for step, loss in losses.items():
            writer.add_summary(b"", int(step.removeprefix("step_")))
            writer.add_scalar("loss", loss, int(step.removeprefix("step_")))


@pytest.fixture
def model(tmp_path: Path) -> Exported:
    return Exported(tmp_path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "export" / "it"


def test_every_exporter_hands_its_arguments_on(model: Exported, path: Path) -> None:
    arguments: dict[str, Any] = {"assets_extra": {"a": "/b"}, "as_text": True}
    for exporter in (
        estimator.LatestExporter("it", receiver_fn, **arguments),
        estimator.FinalExporter("it", receiver_fn, **arguments),
        estimator.BestExporter("it", receiver_fn, **arguments),
    ):
        assert isinstance(exporter, estimator.Exporter)
        assert exporter.name == "it"
        assert exporter.export(model, str(path), "checkpoint", {"loss": 1.0}, True).startswith(bytes(path))
    assert model.exports == [(str(path), receiver_fn, {**arguments, "checkpoint_path": "checkpoint"})] * 3
    assert estimator.BestExporter(serving_input_receiver_fn=receiver_fn).name == "best_exporter"


def test_only_the_final_export_is_made(model: Exported, path: Path) -> None:
    exporter = estimator.FinalExporter("it", receiver_fn)
    assert losses(exporter, model, path, 1.0, 2.0) == []
    assert exporter.export(model, path, None, {}, True) is not None


def test_the_newest_exports_are_kept(model: Exported, path: Path) -> None:
    for name in ("1000000001", "temp-1000000002", "7"):
        (path / name).mkdir(parents=True)
    exporter = estimator.LatestExporter("it", receiver_fn, exports_to_keep=2)
    assert losses(exporter, model, path, 3.0, 4.0, 5.0) == [3.0, 4.0, 5.0]
    kept = sorted(each.name for each in path.iterdir())
    assert kept[-2:] == ["7", "temp-1000000002"]
    assert kept[:-2] == [str(int(kept[1]) - 1), kept[1]]
    assert losses(estimator.LatestExporter("it", receiver_fn, exports_to_keep=None), model, path, 1.0) == [
        1.0
    ]
    assert len(list(path.iterdir())) == 5


def test_what_is_better_than_all_before_is_exported(model: Exported, path: Path) -> None:
    exporter = estimator.BestExporter("it", receiver_fn, exports_to_keep=1)
    assert losses(exporter, model, path, 0.5, 0.6, 0.4, 0.4, 0.45, 0.1) == [0.5, 0.4, 0.1]
    assert len(list(path.iterdir())) == 1


def test_a_comparison_may_be_of_ones_own(model: Exported, path: Path) -> None:
    def greater(best_eval_result: Any, current_eval_result: Any, key: str) -> bool:
        return bool(current_eval_result[key] > best_eval_result[key])

    compare_fn = functools.partial(greater, key="loss")
    exporter = estimator.BestExporter("it", receiver_fn, compare_fn=compare_fn)
    assert losses(exporter, model, path, 0.5, 0.4, 0.6) == [0.5, 0.6]


def test_after_a_restart_what_was_evaluated_before_counts(model: Exported, path: Path) -> None:
    # The first result that is compared, at step 10, is in the file already.
    write_results(Path(model.model_dir) / "eval", step_1=0.5, step_2=0.6, step_10=0.1)
    (path / "1000000001").mkdir(parents=True)
    assert losses(estimator.BestExporter("it", receiver_fn), model, path, 0.1, 0.2) == [0.1]
    assert losses(estimator.BestExporter("it", receiver_fn), model, path, 0.55, 0.45) == [0.45]
    forgetful = estimator.BestExporter("it", receiver_fn, event_file_pattern=None)
    assert losses(forgetful, model, path, 0.7, 0.6) == [0.7, 0.6]
    named = estimator.BestExporter("it", receiver_fn, event_file_pattern="eval_other/*.tfevents.*")
    assert losses(named, model, path, 0.7, 0.8) == [0.7]


def test_the_first_model_is_exported_whatever_was_evaluated_before(model: Exported, path: Path) -> None:
    write_results(Path(model.model_dir) / "eval", step_1=50.0, step_2=60.0)
    exporter = estimator.BestExporter("it", receiver_fn)
    assert losses(exporter, model, path, 100.0, 10.0, 20.0) == [100.0, 10.0]


def test_event_files_are_read_up_to_where_their_writer_was_killed(model: Exported, path: Path) -> None:
    write_results(Path(model.model_dir) / "eval", step_1=0.5, step_2=0.1)
    (file,) = Path(model.model_dir, "eval").iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    (path / "1000000001").mkdir(parents=True)
    assert losses(estimator.BestExporter("it", receiver_fn), model, path, 0.6, 0.4) == [0.4]


@pytest.mark.parametrize("result", [None, {}, {"accuracy": 1.0}])
def test_results_without_a_loss_are_named(model: Exported, path: Path, result: Any) -> None:
    exporter = estimator.BestExporter("it", receiver_fn)
    losses(exporter, model, path, 1.0)
    with pytest.raises(ValueError, match="current_eval_result cannot be empty or no loss is found in it"):
        exporter.export(model, path, None, result, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"exports_to_keep": 0}, "`exports_to_keep`, if provided, must be a positive number. Got 0"),
        ({"serving_input_receiver_fn": None}, "An input_receiver_fn must be defined"),
        ({"compare_fn": None}, "`compare_fn` must not be None"),
        ({"compare_fn": lambda best_eval_result: True}, "must include current_eval_result argument"),
        ({"compare_fn": lambda current_eval_result: True}, "must include best_eval_result argument"),
        (
            {"compare_fn": lambda best_eval_result, current_eval_result, extra: True},
            r"has following not expected args: \['extra'\]",
        ),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimator.BestExporter("it", **{"serving_input_receiver_fn": receiver_fn} | arguments)
