"""What TensorFlow 1.15.5's own `train()` did, as `golden/make_golden.py` recorded it, happens again."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import (
    TESTS,
    Recorder,
    Silent,
    assert_values_close,
    checkpoint_values,
    newest_checkpoint,
)
from keras_legacy_train import NanLossDuringTrainingError, monitors, train

GOLDEN = TESTS / "golden"
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/case.json"))
COMPLETED_CASES = [case for case in CASES if case != "nan_at_5"]
RESUMED_CASES = [case for case in COMPLETED_CASES if (GOLDEN / case / "variables_b.npz").exists()]
RTOL = 1e-4
# The server that runs the graphs; by default this process does.
MASTER = os.environ.get("KLT_TEST_MASTER", "")


class GoldenCase:
    """One recorded case: its graph, what it was fed, and what was seen in both phases."""

    def __init__(self, name: str):
        self.directory = GOLDEN / name
        self.seen = json.loads((self.directory / "case.json").read_text())
        self.names = self.seen["a"]["names"]

    def losses(self, phase: str) -> list[float]:
        return [float(loss) for loss in self.seen[phase]["losses"]]

    def variables(self, phase: str) -> dict[str, np.ndarray]:
        return dict(np.load(self.directory / f"variables_{phase}.npz"))

    def train(self, phase: str, output_dir: Path, monitor: monitors.BaseMonitor) -> Any:
        init_feed_dict = self.names["init_feed_dict"]
        return train(
            str(self.directory / "graph.meta"),
            str(output_dir),
            train_op=self.names["train_op"],
            loss_op=self.names["loss_op"],
            init_feed_dict={name: np.float32(value) for name, value in init_feed_dict.items()} or None,
            feed_fn=self._feed_fn(phase),
            steps=self.seen[f"steps_{phase}"],
            monitors=[monitor],
            supervisor_master=MASTER,
        )

    def _feed_fn(self, phase: str) -> Callable[[], dict[str, np.ndarray]] | None:
        if not (self.directory / "feeds.npz").exists():
            return None
        feeds = np.load(self.directory / "feeds.npz")
        runs = itertools.count(1)

        def feed_fn() -> dict[str, np.ndarray]:
            prefix = f"{'b/' if phase == 'b' else ''}step/{next(runs)}/"
            return {key.removeprefix(prefix): feeds[key] for key in feeds if key.startswith(prefix)}

        return feed_fn


@pytest.fixture
def resumed_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the directory that TensorFlow 1.15.5 left after phase A."""
    case = request.getfixturevalue("name")
    return Path(shutil.copytree(GOLDEN / case / "output_dir_a", tmp_path / "output_dir"))


def with_post_steps(calls: list[list[Any]]) -> list[list[Any]]:
    """The original's calls, and the `post_step` after each `step_end` that it left out."""
    complete: list[list[Any]] = []
    for call in calls:
        complete.append(call)
        if call[0] == "step_end":
            complete.append(["post_step", call[1]])
    return complete


def assert_ends_as_recorded(case: GoldenCase, phase: str, returned: Any, output_dir: Path) -> None:
    recorded = case.seen[phase]
    np.testing.assert_allclose(returned, float(recorded["returned"]), rtol=RTOL)
    assert newest_checkpoint(output_dir) == recorded["latest_checkpoint"]
    assert_values_close(checkpoint_values(output_dir), case.variables(phase), rtol=RTOL, atol=1e-6)


def assert_watched_phase(case: GoldenCase, phase: str, output_dir: Path) -> None:
    recorder = Recorder(case.names["loss_op"])
    returned = case.train(phase, output_dir, recorder)
    np.testing.assert_allclose(recorder.values(case.names["loss_op"]), case.losses(phase), rtol=RTOL)
    assert recorder.calls == with_post_steps(case.seen[phase]["calls"])
    assert_ends_as_recorded(case, phase, returned, output_dir)


@pytest.mark.parametrize("name", COMPLETED_CASES)
def test_phase_a_watched_at_every_step(name: str, tmp_path: Path) -> None:
    assert_watched_phase(GoldenCase(name), "a", tmp_path)


@pytest.mark.parametrize("name", RESUMED_CASES)
def test_phase_b_resumes_what_tf_1_left(name: str, resumed_dir: Path) -> None:
    assert_watched_phase(GoldenCase(name), "b", resumed_dir)


@pytest.mark.parametrize("name", COMPLETED_CASES)
def test_phase_a_in_windows(name: str, tmp_path: Path) -> None:
    case = GoldenCase(name)
    returned = case.train("a", tmp_path, Silent())
    assert_ends_as_recorded(case, "a", returned, tmp_path)


@pytest.mark.parametrize("name", RESUMED_CASES)
def test_phase_b_in_windows(name: str, resumed_dir: Path) -> None:
    case = GoldenCase(name)
    returned = case.train("b", resumed_dir, Silent())
    assert_ends_as_recorded(case, "b", returned, resumed_dir)


@pytest.mark.parametrize("monitor", [Recorder("loss:0"), Silent()], ids=["watched", "in windows"])
def test_nan_at_5(monitor: monitors.BaseMonitor, tmp_path: Path) -> None:
    case = GoldenCase("nan_at_5")
    with pytest.raises(NanLossDuringTrainingError) as raised:
        case.train("a", tmp_path, monitor)
    assert [type(raised.value).__name__] == case.seen["a"]["raised"][:1]
    assert str(raised.value).startswith(case.seen["a"]["raised"][1])
    assert raised.value.step == 5
    assert newest_checkpoint(tmp_path) == "model.ckpt-0"
    assert checkpoint_values(tmp_path)["w"] == 1.0


def test_nan_at_5_calls_and_losses(tmp_path: Path) -> None:
    case = GoldenCase("nan_at_5")
    recorder = Recorder("loss:0")
    with pytest.raises(NanLossDuringTrainingError):
        case.train("a", tmp_path, recorder)
    np.testing.assert_allclose(recorder.values("loss:0"), case.losses("a"), rtol=RTOL)
    calls = with_post_steps(case.seen["a"]["calls"])
    calls.remove(["post_step", 5])
    assert recorder.calls == calls
