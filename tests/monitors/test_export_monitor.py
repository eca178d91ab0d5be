"""`ExportMonitor`: when it exports, and what it hands on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from helpers import Job
from keras_legacy_train import monitors, train
from monitor_helpers import drive

v1 = tf.compat.v1


class Estimator:
    """Notes its exports; fails where there is none due."""

    def __init__(self, model_dir: Path, errors: Any = ()):
        self.model_dir = str(model_dir)
        self.errors = iter(errors)
        self.exports: list[tuple[Any, dict[str, Any]]] = []

    def export(self, export_dir: Any, **given: Any) -> str:
        error = next(self.errors, None)
        if error is not None:
            raise error
        self.exports.append((export_dir, given))
        return f"{export_dir}/{len(self.exports)}"


def save(directory: Path) -> None:
    """Leaves what `latest_checkpoint` looks for."""
    (directory / "model.ckpt-1.index").touch()
    v1.train.update_checkpoint_state(str(directory), str(directory / "model.ckpt-1"))


def test_properties() -> None:
    def signature_fn(*_: Any) -> None: ...

    monitor = monitors.ExportMonitor(5, "exports", exports_to_keep=3, signature_fn=signature_fn)
    assert monitor.export_dir == "exports"
    assert monitor.exports_to_keep == 3
    assert monitor.signature_fn is signature_fn
    assert monitor.last_export_dir is None


def test_exports_every_n_steps_and_at_the_end(tmp_path: Path) -> None:
    save(tmp_path)
    estimator = Estimator(tmp_path)
    monitor = monitors.ExportMonitor(10, "exports")
    monitor.set_estimator(estimator)
    before: dict[int, int] = {}
    drive(monitor, 24, run=lambda step, requests: before.setdefault(step, len(estimator.exports)) and {})
    assert [step for step in range(1, 24) if before[step + 1] > before[step]] == [1, 11, 21]
    assert len(estimator.exports) == 4
    assert monitor.last_export_dir == "exports/4"


@pytest.mark.parametrize("input_fn", [None, len])
def test_arguments_of_export(input_fn: Any, tmp_path: Path) -> None:
    estimator = Estimator(tmp_path)
    monitor = monitors.ExportMonitor(
        every_n_steps=1,
        export_dir=tmp_path,
        input_fn=input_fn,
        input_feature_key="examples",
        exports_to_keep=2,
        signature_fn=max,
        default_batch_size=7,
    )
    monitor.set_estimator(estimator)
    drive(monitor, 1)
    expected = {
        "exports_to_keep": 2,
        "signature_fn": max,
        "input_fn": input_fn,
        "default_batch_size": 7,
        "input_feature_key": "examples",
        "use_deprecated_input_fn": input_fn is None,
    }
    assert estimator.exports == [(tmp_path, expected)]


def test_nothing_new_to_export(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    save(tmp_path)
    estimator = Estimator(tmp_path, [None, RuntimeError("same step"), RuntimeError("again")])
    monitor = monitors.ExportMonitor(1, "exports")
    monitor.set_estimator(estimator)
    drive(monitor, 2)
    assert log.messages == [
        "Skipping exporting because the existing checkpoint has already been exported. Consider exporting"
        " less frequently. (same step)",
        "Skipping exporting for the same step. (again)",
    ]
    assert monitor.last_export_dir == "exports/1"


def test_other_errors_are_raised(tmp_path: Path) -> None:
    monitor = monitors.ExportMonitor(1, "exports")
    monitor.set_estimator(Estimator(tmp_path, [KeyError("examples")]))
    with pytest.raises(KeyError, match="examples"):
        drive(monitor, 1)


def test_nothing_saved_at_the_end(tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    estimator = Estimator(tmp_path)
    monitor = monitors.ExportMonitor(10, "exports")
    monitor.set_estimator(estimator)
    drive(monitor, 0)
    assert estimator.exports == []
    assert log.messages == ["Skipping export at the end since model has not been saved yet."]


def test_needs_an_estimator() -> None:
    monitor = monitors.ExportMonitor(1, "exports")
    monitor.begin()
    monitor.step_begin(1)
    with pytest.raises(ValueError, match=r"^Missing call to set_estimator\.$"):
        monitor.step_end(1, {})
    with pytest.raises(ValueError, match=r"^Missing call to set_estimator\.$"):
        monitor.end()


def test_in_a_training(job: Job, tmp_path: Path) -> None:
    estimator = Estimator(tmp_path)
    monitor = monitors.ExportMonitor(5, tmp_path / "exports")
    monitor.set_estimator(estimator)
    train(output_dir=tmp_path, steps=8, monitors=[monitor], **job.arguments())
    assert len(estimator.exports) == 4  # at 1, 6, 8 and the end
    assert monitor.last_export_dir == f"{tmp_path / 'exports'}/4"
