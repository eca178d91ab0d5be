"""The scripts in examples/ run as a user runs them: in a process of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from helpers import run_python

ROOT = Path(__file__).parents[2]
DIGITS_SCRIPTS = ("digits.py", "digits_feed.py")


def run_example(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run_python(ROOT / "examples" / script, *arguments)


@pytest.mark.parametrize("script", DIGITS_SCRIPTS)
def test_trains_then_resumes_to_95_percent(script: str, tmp_path: Path) -> None:
    first = run_example(script, "--output-dir", tmp_path, "--steps", "500", "--at-least", "0")
    assert first.returncode == 0, first.stderr
    assert "Training steps [0,500)" in first.stderr
    assert "deprecated" not in first.stderr  # what TensorFlow says of our own calls helps no user
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


@pytest.mark.slow
def test_a_model_fn_of_convolutions_goes_on_to_95_percent(tmp_path: Path) -> None:
    for steps in ("100", "300"):
        ended = run_example("custom_model_fn.py", "--output-dir", tmp_path, "--steps", steps)
        assert ended.returncode == 0, ended.stderr
        assert re.search(rf"Step {steps}: validation accuracy = (9\d|100)\.", ended.stdout)
        assert re.search(r"Accuracy on 250 held-out digits: (9\d|100)\.", ended.stdout)
    average = tf.train.load_variable(str(tmp_path), "batch_normalization/moving_mean")
    assert average.shape == (16,)
    assert (average != 0).all()


def number_after(text: str, output: str) -> float:
    """The number that follows a text in what a script has printed."""
    found = re.search(re.escape(text) + r"\s*([0-9.]+)", output)
    assert found, output
    return float(found[1])


def test_word_embeddings_put_words_of_a_kind_together(tmp_path: Path) -> None:
    ended = run_example("word_embeddings.py", "--output-dir", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert number_after("Nearest word of the same kind:", ended.stdout) >= 80
    assert tf.train.load_variable(str(tmp_path), "embeddings").shape == (32, 16)


@pytest.mark.slow
def test_recurrent_network_reads_digits(tmp_path: Path) -> None:
    ended = run_example("recurrent.py", "--output-dir", tmp_path, "--steps", "600")
    assert ended.returncode == 0, ended.stderr
    assert number_after("Accuracy on 250 held-out digits:", ended.stdout) >= 95
    looks = re.findall(r"Step (\d+): test accuracy = ([0-9.]+) %", ended.stderr)
    assert [int(step) for step, _ in looks] == [1, 201, 401, 600]
    assert float(looks[0][1]) < 50 < float(looks[-1][1])


@pytest.mark.slow
def test_gan_writes_digits(tmp_path: Path) -> None:
    ended = run_example("gan.py", "--output-dir", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert number_after("From a generated digit to the nearest handwritten one:", ended.stdout) > 0
    saved = {name for name, _ in tf.train.list_variables(str(tmp_path))}
    weights = {"generator/images/weights", "discriminator/logits/weights"}
    averages = {"generator/images/weights/ExponentialMovingAverage"}
    assert weights | averages | {f"{name}/Adam" for name in weights} <= saved


def test_gan_that_has_not_learned_is_a_failure(tmp_path: Path) -> None:
    ended = run_example("gan.py", "--output-dir", tmp_path, "--steps", "1")
    assert ended.returncode == 1
    assert "The mean of all digits looks more like a digit." in ended.stderr


def test_fine_tuning_is_better_than_beginning_anew(tmp_path: Path) -> None:
    ended = run_example("fine_tuning.py", "--output-dir", tmp_path)
    assert ended.returncode == 0, ended.stderr
    anew = number_after("Accuracy without pretraining:", ended.stdout)
    tuned = number_after("Accuracy on 250 held-out digits:", ended.stdout)
    assert anew + 5 < tuned
    assert "Checkpoint is missing variable [parity_logits/weights]" in ended.stderr
    events = list((tmp_path / "tuned" / "eval").glob("events.out.tfevents.*"))
    assert len(events) == 1


@pytest.mark.slow
def test_keras_fit_is_killed_and_resumes_to_97_percent(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "examples" / "keras_fit.py"), "--output-dir", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as killed:
        assert killed.stderr is not None
        # Half-way: 41 steps make an epoch, and there are 30 at the most.
        assert any(line.startswith("training step 600,") for line in killed.stderr)
        killed.kill()
    assert killed.returncode == -signal.SIGKILL
    newest = tf.train.latest_checkpoint(str(tmp_path))
    assert newest is not None

    resumed = run_example("keras_fit.py", "--output-dir", tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert f"Restoring parameters from {newest}" in resumed.stderr
    assert number_after("Accuracy on 250 held-out digits:", resumed.stdout) >= 97
    assert number_after("Trained for", resumed.stdout) > 10


def test_a_script_of_2016_trains_a_classifier_with_a_validation_monitor(tmp_path: Path) -> None:
    ended = run_example("contrib_learn_iris.py", "--output-dir", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert number_after("Accuracy:", ended.stdout) >= 0.9
    assert "Predictions: [1, 2]" in ended.stdout.replace("np.int64(", "").replace(")", "")
    assert "Validation (step 100): accuracy = " in ended.stderr
    assert "Stopping. Best step: " in ended.stderr


@pytest.mark.slow
def test_a_wide_and_deep_model_tells_tumours_apart(tmp_path: Path) -> None:
    ended = run_example("wide_and_deep.py", "--output-dir", tmp_path, "--steps", "300")
    assert ended.returncode == 0, ended.stderr
    assert number_after("accuracy on 169 held-out tumours:", ended.stdout) >= 0.95
    assert number_after("with a probability of", ended.stdout) < 0.9
    assert "Saving dict for global step 300: accuracy = " in ended.stderr


def test_the_best_model_is_served_by_another_process(tmp_path: Path) -> None:
    ended = run_example("best_export.py", "--output-dir", tmp_path, "--steps", "600", "--at-least", "0.9")
    assert ended.returncode == 0, ended.stderr
    exports = sorted((tmp_path / "export" / "best").iterdir())
    assert 1 <= len(exports) <= 2
    assert f"Serving {exports[-1]}" in ended.stdout
    assert number_after("Accuracy on 250 held-out digits:", ended.stdout) >= 90
    assert "deprecated" not in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "directory", "steps", "lines"),
    [
        ("estimator.py", "--model-dir", 400, ["worker 0: Training steps", "evaluator 0: Exiting evaluation"]),
        ("legacy_graph.py", "--output-dir", 300, ["worker 0: Training steps", "worker 1: Training steps"]),
    ],
)
def test_one_command_trains_in_a_cluster(
    script: str, directory: str, steps: int, lines: list[str], tmp_path: Path
) -> None:
    ended = run_example(f"cluster/{script}", directory, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert steps <= number_after("held-out digits after step", ended.stdout) <= steps + 2
    assert re.search(r": 9\d\.\d%", ended.stdout)
    assert all(line in ended.stderr for line in lines), ended.stderr
    saved = [line for line in ended.stderr.splitlines() if ": Saving checkpoint for step" in line]
    assert saved and all(line.startswith("chief 0") for line in saved)
