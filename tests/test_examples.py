"""The scripts in examples/ run as a user runs them: in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

ROOT = Path(__file__).parents[1]
SCRIPTS = ("digits.py", "digits_feed.py")


def run_example(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "examples" / script), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", SCRIPTS)
def test_trains_then_resumes_to_95_percent(script: str, tmp_path: Path) -> None:
    first = run_example(script, "--output-dir", tmp_path, "--steps", "500", "--at-least", "0")
    assert first.returncode == 0, first.stderr
    assert "Training steps [0,500)" in first.stderr
    assert tf.train.latest_checkpoint(tmp_path) == str(tmp_path / "model.ckpt-500")

    second = run_example(script, "--output-dir", tmp_path, "--steps", "1000", "--at-least", "0.95")
    assert second.returncode == 0, second.stderr
    assert "Training steps [500,1000)" in second.stderr
    assert "Step 1000: validation accuracy = " in second.stderr
    assert "Accuracy on 250 held-out digits: 9" in second.stdout
    assert tf.train.latest_checkpoint(tmp_path) == str(tmp_path / "model.ckpt-1000")


def test_low_accuracy_is_a_failure(tmp_path: Path) -> None:
    ended = run_example("digits.py", "--output-dir", tmp_path, "--steps", "1")
    assert ended.returncode == 1
    assert "That is less than 95.0%." in ended.stderr
