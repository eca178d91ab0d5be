"""Input that processes make, by threads that wait for them, by forks and by spawning: none is left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import worker_fit
from helpers import SCRIPTS, checkpoint_numbers, run_python

KINDS = ("dataset", "threads", "pool", "spawned", "service")
MOST_SLOW = ["dataset", *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS[1:])]
BY_PYTHON = pytest.mark.parametrize("kind", ["threads", pytest.param("dataset", marks=pytest.mark.slow)])


def ended(kind: str, *arguments: Any) -> dict[str, Any]:
    """How worker_fit.py ended. A run that hangs is killed after a while, and fails."""
    run = run_python(SCRIPTS / "worker_fit.py", kind, *arguments, timeout=90)
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout))


def expected_loss(kind: str) -> list[float]:
    """The losses of `Model.fit`."""
    data = worker_fit.repeated_batch() if kind == "service" else worker_fit.Batches()
    history = worker_fit.compiled_model().fit(data, epochs=worker_fit.EPOCHS, shuffle=False, verbose=0)
    return list(history.history["loss"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", MOST_SLOW)
def test_fit_ends_as_with_any_input(kind: str, tmp_path: Path) -> None:
    assert ended(kind, tmp_path) == {"loss": pytest.approx(expected_loss(kind)), "left": 0}


@BY_PYTHON
def test_an_interrupt_that_the_workers_get_too(kind: str, tmp_path: Path) -> None:
    assert ended(kind, tmp_path, "interrupt") == {"loss": "interrupted", "left": 0}
    assert checkpoint_numbers(tmp_path)[-1] >= 3


@pytest.mark.slow
@pytest.mark.parametrize("has_directory", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_no_run_of_many_hangs(kind: str, has_directory: bool, tmp_path: Path) -> None:
    for number in range(20):
        ended(kind, tmp_path / str(number) if has_directory else "")


@pytest.mark.slow
@BY_PYTHON
def test_no_interrupted_run_of_many_hangs(kind: str, tmp_path: Path) -> None:
    for number in range(20):
        ended(kind, tmp_path / str(number), "interrupt")
