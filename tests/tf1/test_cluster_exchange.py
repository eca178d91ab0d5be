"""The same script in the same cluster under TensorFlow 1.15.5 and here: roles, files, and the next step."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from cluster_script import X, Y

from clusters import LocalCluster, free_addresses, running

pytestmark = pytest.mark.tf1

SCRIPT = Path(__file__).parent / "cluster_script.py"
ALL_TASKS = {"ps": 2, "chief": 1, "worker": 1, "evaluator": 1}
ALONE = {"ps": 1, "chief": 1}
STEPS = 300


def run_ours(folder: Path, tasks: dict[str, int], model_dir: Path, max_steps: int) -> None:
    with running(LocalCluster(folder, str(SCRIPT), tasks, model_dir, max_steps)) as cluster:
        cluster.check_success(*(f"{job}/0" for job in tasks if job != "ps"))


def run_original(tasks: dict[str, int], model_dir: Path, max_steps: int) -> None:
    """Runs each task under TensorFlow 1.15.5, until all but the parameter servers have ended."""
    python = os.environ.get("KLT_TF1_PYTHON")
    if not python:
        pytest.fail("KLT_TF1_PYTHON must name a Python that has TensorFlow 1.15.5")
    cluster = {job: free_addresses(number) for job, number in tasks.items() if job != "evaluator"}
    ours_only = {"PYTHONPATH", "TF2_BEHAVIOR"}  # TensorFlow 2 sets the second when it is imported
    environment = {name: value for name, value in os.environ.items() if name not in ours_only}
    with contextlib.ExitStack() as stack:
        processes = []
        for job, number in tasks.items():
            for index in range(number):
                tf_config = {"cluster": cluster, "task": {"type": job, "index": index}}
                process = subprocess.Popen(
                    [python, str(SCRIPT), str(model_dir), str(max_steps)],
                    env={**environment, "TF_CONFIG": json.dumps(tf_config)},
                )
                stack.callback(process.wait)
                stack.callback(process.kill)
                if job != "ps":
                    processes.append(process)
        for process in processes:
            assert process.wait(300) == 0


def kinds(directory: Path) -> set[str]:
    """Returns the paths of the files in a directory, with `N` for numbers and without what tells the host."""
    files = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    short = (re.sub(r"(events\.out\.tfevents)\.\S*", r"\1", file) for file in files)
    return {re.sub(r"\d+", "N", file) for file in short}


def saved(directory: Path) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(directory))
    names = ("global_step", "w", "b", "w/Momentum", "b/Momentum")
    return {name: reader.get_tensor(name) for name in names}


def next_step(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the values after one more step."""
    x = np.array(X)
    error = 2 * (x @ values["w"] + values["b"] - Y) / len(X)
    gradients = {"w": x.T @ error, "b": error.sum(0)}
    after = {"global_step": values["global_step"] + 1}
    for name, gradient in gradients.items():
        after[f"{name}/Momentum"] = 0.9 * values[f"{name}/Momentum"] + gradient
        after[name] = values[name] - 0.01 * after[f"{name}/Momentum"]
    return after


def assert_one_step_on(before: dict[str, np.ndarray], directory: Path) -> None:
    expected = next_step(before)
    for name, value in saved(directory).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-6, err_msg=name)


def test_roles_and_files_are_the_same_and_each_goes_on_from_the_other(tmp_path: Path) -> None:
    ours, original = tmp_path / "ours", tmp_path / "original"
    run_original(ALL_TASKS, original, STEPS)
    run_ours(tmp_path, ALL_TASKS, ours, STEPS)
    before = {directory: saved(directory) for directory in (ours, original)}
    assert all(STEPS <= values["global_step"] <= STEPS + 1 for values in before.values())
    files = kinds(ours)
    # Of two servers, TensorFlow 1 writes a file each.
    assert files == kinds(original)
    assert {"checkpoint", "graph.pbtxt", "events.out.tfevents", "eval/events.out.tfevents"} <= files
    assert "export/final/N/saved_model.pb" in files

    run_ours(tmp_path, ALONE, original, int(before[original]["global_step"]) + 1)
    assert_one_step_on(before[original], original)
    run_original(ALONE, ours, int(before[ours]["global_step"]) + 1)
    assert_one_step_on(before[ours], ours)
