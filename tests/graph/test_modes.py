"""Graphs built by `tf.compat.v1` code train as a plain Session trains them, whatever mode TensorFlow is in.

`pytest --tf-mode=disable_v2_behavior test_modes.py` runs these tests in another mode, which is what the last
test does, since a mode is for the whole process.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import graphs
from helpers import Recorder, Silent, assert_values_close, checkpoint_values, run_in_session, run_python
from keras_legacy_train import train

STEPS = 8
RTOL = 1e-5
ATOL = 1e-6
VARIABLE_KINDS = pytest.mark.parametrize(
    "use_resource", [None, False, True], ids=["kind_of_the_mode", "reference", "resource"]
)


@VARIABLE_KINDS
@pytest.mark.parametrize("name", graphs.BUILDERS)
def test_steps_match_a_session(name: str, use_resource: bool | None, tmp_path: Path) -> None:
    expected = run_in_session(graphs.build(name, use_resource), STEPS)
    job = graphs.build(name, use_resource)
    recorder = Recorder(job.loss)
    train(output_dir=str(tmp_path), steps=STEPS, monitors=[recorder], **job.arguments())
    np.testing.assert_allclose(recorder.values(job.loss), expected.losses, rtol=RTOL)
    assert_values_close(checkpoint_values(tmp_path), expected.variables, rtol=RTOL, atol=ATOL)


@VARIABLE_KINDS
@pytest.mark.parametrize("name", graphs.BUILDERS)
def test_windows_match_a_session(name: str, use_resource: bool | None, tmp_path: Path) -> None:
    expected = run_in_session(graphs.build(name, use_resource), STEPS)
    job = graphs.build(name, use_resource)
    loss = train(output_dir=str(tmp_path), steps=STEPS, monitors=[Silent()], **job.arguments())
    np.testing.assert_allclose(loss, expected.losses[-1], rtol=RTOL)
    assert_values_close(checkpoint_values(tmp_path), expected.variables, rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize("mode", ["disable_v2_behavior", "disable_resource_variables"])
def test_other_modes(mode: str, pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--tf-mode") != "defaults":
        pytest.skip("already the inner run")
    chosen = ["-k", "match_a_session and kind_of_the_mode", "graph/test_modes.py"]
    ended = run_python("-m", "pytest", "-q", "-p", "no:xdist", f"--tf-mode={mode}", *chosen)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed and int(passed[1]) == 2 * len(graphs.BUILDERS)


CONFORMANCE = [
    "loop/test_steps.py",
    "monitors/test_monitor_contract.py",
    "checkpoints/test_output_dir.py",
    "graph/test_initialise.py",
    "loop/test_endings.py",
    "callbacks/test_nan.py",
    "monitors/test_monitors.py",
    "monitors/test_monitor_savers.py",
    "monitors/test_monitor_schedules.py",
    "monitors/test_graph_dump.py",
    "monitors/test_hook_adapter.py",
    "callbacks/test_hooks.py",
    "callbacks/test_tensorflow_hooks.py",
    "callbacks/test_summaries.py",
    "evaluate/test_evaluate.py",
    "evaluate/test_run_feeds.py",
    "graph/test_session.py",
    "graph/test_variables_by_name.py",
    "loop/test_recovery.py",
]


@pytest.mark.slow
def test_the_rest_holds_for_reference_variables() -> None:
    ended = run_python(
        "-m", "pytest", "-q", "-p", "no:xdist", "--tf-mode=disable_resource_variables", *CONFORMANCE
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
