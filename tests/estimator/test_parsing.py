"""The specs for parsing `Example`s have features, label and weight."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from keras_legacy_train import estimator

fixed = tf.io.FixedLenFeature
columns = tf.feature_column
AGE = columns.numeric_column("age")
JOB = columns.categorical_column_with_hash_bucket("job", 5)


def test_a_classifier_has_an_integer_label() -> None:
    features = {"age": fixed((1,), tf.float32), "job": tf.io.VarLenFeature(tf.string)}
    spec = estimator.classifier_parse_example_spec
    assert spec([AGE, JOB], "income") == {**features, "income": fixed((1,), tf.int64)}
    assert spec([AGE, JOB], "income", tf.string, "low", weight_column="w") == {
        **features,
        "income": fixed((1,), tf.string, "low"),
        "w": fixed((1,), tf.float32),
    }


def test_a_regressor_has_float_labels() -> None:
    spec = estimator.regressor_parse_example_spec
    assert spec([AGE], "y") == {"age": fixed((1,), tf.float32), "y": fixed((1,), tf.float32)}
    weight = columns.numeric_column("w", shape=2, default_value=1.0)
    assert spec([], "y", tf.float64, [0.0, 1.0], label_dimension=2, weight_column=weight) == {
        "y": fixed((2,), tf.float64, [0.0, 1.0]),
        "w": fixed((2,), tf.float32, (1.0, 1.0)),
    }


@pytest.mark.parametrize(
    "spec", [estimator.classifier_parse_example_spec, estimator.regressor_parse_example_spec]
)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([AGE], "age"), "label should not be used as feature. label_key: age"),
        (([AGE], None), "label_key must be the name"),
        ((["age"], "y"), "age"),
    ],
)
def test_a_wrong_spec_is_named(spec: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spec(*arguments)
    with pytest.raises(ValueError, match=r"weight_column should not be used as feature\. weight_column: age"):
        spec([AGE], "y", weight_column="age")
    with pytest.raises(ValueError, match=r"weight_column should be an instance of .*numeric_column"):
        spec([AGE], "y", weight_column=JOB)
