"""Real runs, killed at any moment, time after time: only what came after the last checkpoint is lost."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from checkpoint_helpers import manager_of
from crashes import CrashServer
from helpers import assert_values_equal, checkpoint_numbers
from keras_legacy_train._tensorflow import eager_mode

MEGABYTES = 2

# A checkpoint at every opportunity, each written beside the next few steps.
JOBS: dict[str, dict[str, Any]] = {
    "learn_graph": {"supervisor_save_model_secs": 1e-6},
    "learn_model": {"save_secs": 1e-6},
}
KEPT = 2
OPTIONS = {"keep_checkpoint_max": KEPT, "max_window": 3, "save_input_state": True}


def newest_step(directory: Path) -> int:
    """The step of the newest checkpoint, -1 if there is none; and all in it must be of this one step."""
    with eager_mode():
        prefix = manager_of(directory).latest
    if prefix is None:
        return -1
    step = int(prefix.rpartition("-")[2])
    reader = tf.train.load_checkpoint(prefix)
    raised = {}
    for key in reader.get_variable_to_shape_map():
        name = key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE").rpartition("/")[2]
        if name in ("a", "b", "global_step"):
            raised[name] = np.unique(reader.get_tensor(key)).tolist()
    assert raised == {"a": [step], "b": [step], "global_step": [step]}
    return step


def numbers_in(directory: Path) -> dict[str, np.ndarray]:
    """The numbers in the newest checkpoint. The position in the input is none."""
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(directory))
    dtypes = reader.get_variable_to_dtype_map()
    keys = [key for key, dtype in dtypes.items() if dtype.is_floating or dtype.is_integer]
    return {key: reader.get_tensor(key) for key in keys if not key.startswith("save_counter/")}


def campaign(crash_server: CrashServer, job: str, directory: Path, kills: int, seed: int) -> list[int]:
    """Lets a run end, kills it again and again in its directory, and lets it end once more.

    The weights are then, to the bit, those of a run that nobody has interrupted.

    Returns:
        The newest step after each.
    """
    chance = random.Random(seed)
    arguments = {"directory": str(directory), "megabytes": MEGABYTES, **OPTIONS, **JOBS[job]}
    began = time.perf_counter()
    outcome = crash_server.run(job, max_steps=5, **arguments)
    seconds = time.perf_counter() - began
    assert outcome.returncode == 0, outcome.output
    newest = [newest_step(directory)]
    for _ in range(kills):
        kill_after = seconds * chance.uniform(0.2, 2.0)
        outcome = crash_server.run(job, max_steps=10**6, kill_after=kill_after, **arguments)
        assert outcome.was_killed, outcome.output
        newest.append(newest_step(directory))
        assert newest[-1] >= newest[-2], "a checkpoint is lost"
    target = newest[-1] + 7
    outcome = crash_server.run(job, max_steps=target, **arguments)
    assert outcome.returncode == 0, outcome.output
    assert newest_step(directory) == target
    assert len(checkpoint_numbers(directory)) <= KEPT
    uninterrupted = directory.parent / "uninterrupted"
    options = {"max_steps": target, "megabytes": MEGABYTES, "save_input_state": True}
    outcome = crash_server.run(job, directory=str(uninterrupted), **options)
    assert outcome.returncode == 0, outcome.output
    assert_values_equal(numbers_in(directory), numbers_in(uninterrupted))
    left = [
        path.name for path in directory.iterdir() if path.suffix in (".temporary", ".unfinished", ".lock")
    ]
    assert left == [] and not list(directory.glob("*_temp")) and not list(directory.glob("*.damaged"))
    return newest


@pytest.mark.parametrize("job", JOBS)
def test_killed_runs_resume(job: str, tmp_path: Path, crash_server: CrashServer) -> None:
    newest = campaign(crash_server, job, tmp_path / "run", kills=3, seed=1)
    assert newest[-1] > newest[0] == 5


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS)
def test_300_killed_runs_resume(job: str, tmp_path: Path, crash_server: CrashServer) -> None:
    advanced = 0
    for seed in range(10):
        newest = campaign(crash_server, job, tmp_path / str(seed) / "run", kills=30, seed=seed)
        advanced += sum(after > before for before, after in itertools.pairwise(newest))
    assert advanced > 100  # the others were killed while they started
