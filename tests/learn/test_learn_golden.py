"""Estimators of `tf.contrib.learn` do what TensorFlow 1.15.5 was seen to do."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import learn
from keras_legacy_train.learn.data_feeder import make_input_fn

GOLDEN = Path(__file__).parents[1] / "golden" / "learn"


def _load_cases() -> Any:
    spec = importlib.util.spec_from_file_location("learn_cases", GOLDEN / "learn_cases.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cases = _load_cases()


def recorded(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def assert_same(value: Any, expected: Any, where: str = "") -> None:
    if isinstance(expected, dict):
        assert set(value) == set(expected), where
        for key, part in expected.items():
            assert_same(value[key], part, f"{where}/{key}")
    elif isinstance(expected, list) and not _is_numeric(expected):
        assert len(value) == len(expected), where
        for index, part in enumerate(expected):
            assert_same(value[index], part, f"{where}/{index}")
    elif isinstance(expected, (float, list)):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6, err_msg=where)
    else:
        assert value == expected, where


def _is_numeric(value: list[Any]) -> bool:
    return np.asarray(value, dtype=object).dtype == object and all(
        isinstance(part, float) or (isinstance(part, list) and _is_numeric(part)) for part in value
    )


# The others have what these have.
SLOW = {"linear_regressor", "linear_colours", "dnn_regressor", "combined_classifier", "joint_linear"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in cases.CASES],
)
def test_it_goes_on_from_a_checkpoint_of_the_original(name: str, tmp_path: Path) -> None:
    model_dir = shutil.copytree(GOLDEN / name, tmp_path / "model")
    estimator = cases.CASES[name][0](learn, str(model_dir))
    cases.fit(estimator, name, 5)
    assert_same(cases.observe(learn, estimator, name), recorded(name))


def test_monitors_see_the_batches_of_the_original(tmp_path: Path) -> None:
    calls = cases.Calls(learn)
    estimator = cases.custom(learn, str(tmp_path))
    cases.fit(estimator, "custom", 4, [calls.monitor])
    estimator.fit(cases.X, cases.LABELS["kind"], max_steps=6, monitors=[calls.monitor])
    assert_same(calls.calls, recorded("fresh"))


def test_a_validation_monitor_evaluates_and_stops_where_the_original_did(tmp_path: Path) -> None:
    assert_same(cases.validated(learn, str(tmp_path)), recorded("validated"))


@pytest.mark.parametrize("name", cases.feeds())
def test_batches_are_those_of_the_original(name: str) -> None:
    (x, y, batch_size, shuffle, epochs), count = cases.feeds()[name]
    expected = recorded("feeds")[name]
    with tf.Graph().as_default():
        features, labels = make_input_fn(x, y, batch_size, shuffle, epochs)()
        inputs = [features] if labels is None else [features, labels]
        flat = tf.nest.flatten(inputs)
        assert [[t.dtype.name, t.shape.as_list()] for t in flat] == expected["specs"]
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.tables_initializer())
            for feed in expected["feeds"][:count]:
                if feed == "StopIteration":
                    with pytest.raises(tf.errors.OutOfRangeError):
                        session.run(inputs)
                    break
                values = tf.nest.flatten(session.run(inputs))
                for value, fed in zip(values, _in_order(feed, features, labels), strict=True):
                    np.testing.assert_array_equal(value, fed)


def _in_order(feed: dict[str, Any], features: Any, labels: Any) -> list[Any]:
    """Returns what was fed, by the names of the original's placeholders, in the order of our tensors."""
    found = []
    for prefix, tensors in (("input", features), ("output", labels)):
        if isinstance(tensors, dict):
            found += [feed[f"{prefix}_{key}:0"] for key in sorted(tensors)]
        elif tensors is not None:
            found.append(feed[f"{prefix}:0"])
    return found


@pytest.mark.slow
def test_a_centered_bias_has_the_variables_of_the_original(tmp_path: Path) -> None:
    assert cases.centered(learn, str(tmp_path)) == recorded("centered")
