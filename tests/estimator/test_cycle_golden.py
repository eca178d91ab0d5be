"""What TensorFlow 1.15.5 and 2.15.1 do in `train_and_evaluate` and around it is done here."""

from __future__ import annotations

import functools
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from keras_legacy_train import estimator

GOLDEN = Path(__file__).parents[1] / "golden"
ORIGINALS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((GOLDEN / "estimator_cycle").glob("*.json"))
}


@functools.cache
def cases() -> Any:
    """Returns the module of the cases, which no package holds since old Pythons run it."""
    spec = importlib.util.spec_from_file_location("cycle_cases", GOLDEN / "cycle_cases.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_approx(value: Any) -> Any:
    """Returns what equals the same structure with numbers that are nearly the same.

    One model diverges on purpose, so that the last digits of processors differ by 3e-4 at its end.
    """
    if isinstance(value, dict):
        return {key: as_approx(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_approx(each) for each in value]
    return pytest.approx(value, rel=1e-3, abs=1e-6) if isinstance(value, float) else value


def test_every_case_has_an_original() -> None:
    recorded = set.union(*[set(answers) for answers in ORIGINALS.values()])
    assert recorded == set(cases().CASES)


@pytest.mark.parametrize("name", list(ORIGINALS["tensorflow_2.15.1"]))
def test_the_answer_is_that_of_the_originals(name: str, request: pytest.FixtureRequest) -> None:
    if name == "keras_model":
        request.getfixturevalue("v2_behavior")
    answer = cases().observe(estimator, name)
    for original, answers in ORIGINALS.items():
        if name in answers:  # 1.15.5 has no saving_listeners in TrainSpec
            assert answer == as_approx(answers[name]), original
