"""An Estimator does what `tf.estimator.Estimator` does, as recorded with TensorFlow 1.15.5 and 2.15.1."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_legacy_train import estimator

GOLDEN = Path(__file__).parents[1] / "golden" / "estimators"
sys.path.insert(0, str(GOLDEN))

import estimator_cases  # noqa: E402

VERSIONS = ("tf1.15.5", "tf2.15.1")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    import logging

    logging.getLogger("keras_legacy_train").setLevel(logging.INFO)
    directory = tmp_path_factory.mktemp("recorded")
    result = estimator_cases.record(estimator, str(directory), "keras_legacy_train")
    logging.getLogger("keras_legacy_train").setLevel(logging.NOTSET)
    return json.loads(json.dumps(result))


@pytest.fixture(params=VERSIONS)
def golden(request: pytest.FixtureRequest) -> Any:
    return json.loads((GOLDEN / f"{request.param}.json").read_text())


@pytest.mark.parametrize(
    "what",
    [
        "losses",
        "values",
        "results",
        "results of two batches",
        "predictions",
        "values after a warm start",
        "later losses",
        "later values",
    ],
)
def test_numbers_are_the_originals(recorded: Any, golden: Any, what: str) -> None:
    ours, theirs = recorded[what], golden[what]
    if isinstance(theirs, list):
        ours, theirs = {what: ours}, {what: theirs}
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


def test_random_first_values_are_those_of_tensorflow_2(recorded: Any) -> None:
    golden = json.loads((GOLDEN / "tf2.15.1.json").read_text())
    for name, value in golden["random values"].items():
        np.testing.assert_allclose(recorded["random values"][name], value, rtol=1e-5)


@pytest.mark.parametrize(
    "what", ["evaluation calls", "prediction calls", "checkpoints", "events", "evaluation events"]
)
def test_hooks_and_files_are_the_originals(recorded: Any, golden: Any, what: str) -> None:
    assert recorded[what] == golden[what]


def test_hooks_and_listeners_of_a_training_are_called_as_in_the_original(recorded: Any, golden: Any) -> None:
    """The listeners are called at the same steps, but when the hooks have been called for the step."""

    def of(calls: list[str], is_listener: bool) -> list[str]:
        return [call for call in calls if call.startswith("listener") is is_listener]

    for is_listener in (False, True):
        calls = [of(each["training calls"], is_listener) for each in (recorded, golden)]
        assert calls[0] == calls[1]


@pytest.mark.parametrize("what", ["training log", "evaluation log"])
def test_log_lines_are_the_originals(recorded: Any, what: str) -> None:
    """Of the original's those are left out that speak of its inner workings."""
    golden = _rounded(json.loads((GOLDEN / "tf2.15.1.json").read_text())[what])
    ours = _rounded(recorded[what])
    for line in golden:
        if line.startswith(("loss", "global_step", "Calling model", "Done calling", "Loss", "Sav", "Restor")):
            assert line in ours or line.startswith("Saving checkpoints for")
    told = [line for line in ours if line in golden]
    assert sorted(told) == sorted(line for line in golden if line in told)


def _rounded(lines: list[str]) -> list[str]:
    """Returns the lines with five digits of each number: the last ones differ between processors."""
    return [re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.5g}", line) for line in lines]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_directory_of_the_original_goes_on_here(version: str, tmp_path: Path) -> None:
    golden = json.loads((GOLDEN / f"{version}.json").read_text())
    shutil.copytree(GOLDEN / version, tmp_path / "model")
    model = estimator_cases.make(estimator, str(tmp_path / "model"), [])
    results = model.evaluate(estimator_cases.evaluation_input)
    np.testing.assert_allclose(results["accuracy"], golden["results"]["accuracy"])
    losses = estimator_cases.train(model, max_steps=10)
    np.testing.assert_allclose(losses, golden["later losses"], rtol=1e-5)
    for name, value in golden["later values"].items():
        np.testing.assert_allclose(model.get_variable_value(name), value, rtol=1e-5, atol=1e-6)
