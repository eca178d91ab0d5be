"""Heads make of logits a loss, metrics and what is exported; canned Estimators check their arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import learn
from keras_legacy_train.learn.head import loss_only_head

v1 = tf.compat.v1

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]], "float32")
WEIGHTS = {"weight": [[1.0], [3.0]]}


def make(
    head: learn.Head, labels: Any, logits: Any, features: Any = None, mode: str = "eval"
) -> tuple[dict[str, Any], Any]:
    """Returns metrics, predictions and loss of a head, and what it says of an export."""
    with tf.Graph().as_default(), v1.Session() as session:
        features = {key: tf.constant(value) for key, value in (features or {}).items()}
        labels = tf.nest.map_structure(tf.constant, labels)
        ops = head.create_model_fn_ops(
            features, mode, labels, learn.no_op_train_fn, logits=tf.constant(logits)
        )
        session.run([v1.global_variables_initializer(), v1.local_variables_initializer()])
        session.run(v1.tables_initializer())
        session.run([update for _, update in ops.eval_metric_ops.values()])
        values = {key: value for key, (value, _) in ops.eval_metric_ops.items()}
        fetched = session.run({"metrics": values, "predictions": ops.predictions, "train_loss": ops.loss})
        exported = {
            key: (kind, session.run(outputs)) for key, (kind, outputs) in ops.output_alternatives.items()
        }
    return fetched, exported


def test_a_regression_weighs_the_loss_that_it_trains_with_and_the_one_it_reports() -> None:
    head = learn.regression_head(weight_column_name="weight", head_name="price")
    made, exported = make(head, [1.0, 2.0], [[2.0], [0.0]], WEIGHTS)
    np.testing.assert_allclose(made["train_loss"], (1 * 1 + 3 * 4) / 2)
    assert made["metrics"] == {"loss/price": pytest.approx(13 / 4)}
    np.testing.assert_allclose(made["predictions"]["scores"], [2.0, 0.0])
    assert exported["price"][0] == learn.ProblemType.LINEAR_REGRESSION


def test_a_poisson_regression_predicts_means() -> None:
    made, _ = make(learn.poisson_regression_head(), [[1.0], [3.0]], [[0.0], [1.0]])
    np.testing.assert_allclose(made["predictions"]["scores"], np.exp([0.0, 1.0]), rtol=1e-6)
    stirling = 3 * np.log(3) - 3 + 0.5 * np.log(2 * np.pi * 3)
    np.testing.assert_allclose(made["train_loss"], (1 + np.e - 3 + stirling) / 2, rtol=1e-6)


def test_two_classes_have_metrics_at_thresholds() -> None:
    head = learn.multi_class_head(2, thresholds=[0.2, 0.7])
    made, exported = make(head, [[1], [0]], [[1.0], [-1.0]])
    assert made["metrics"]["accuracy"] == made["metrics"]["accuracy/threshold_0.700000_mean"] == 1.0
    assert made["metrics"]["precision/positive_threshold_0.200000_mean"] == pytest.approx(0.5)
    assert made["metrics"]["recall/positive_threshold_0.700000_mean"] == pytest.approx(1.0)
    assert made["metrics"]["labels/actual_label_mean"] == 0.5
    np.testing.assert_array_equal(exported[None][1]["classes"], [[b"0", b"1"]] * 2)
    np.testing.assert_allclose(exported[None][1]["probabilities"].sum(1), 1.0, rtol=1e-6)


def test_classes_may_have_names_and_metrics_of_their_own() -> None:
    head = learn.multi_class_head(3, label_keys=["a", "b", "c"])
    made, exported = make(head, [["a"], ["c"]], LOGITS)
    assert list(made["predictions"]["classes"]) == [b"a", b"b"]
    assert made["metrics"]["accuracy"] == 0.5
    np.testing.assert_array_equal(exported[None][1]["classes"][0], [b"a", b"b", b"c"])
    numbered, _ = make(learn.multi_class_head(3, metric_class_ids=[1]), [[0], [2]], LOGITS)
    assert numbered["metrics"]["labels/prediction_mean/class1"] == 0.5
    assert numbered["metrics"]["labels/actual_label_mean/class1"] == 0.0
    assert numbered["metrics"]["labels/logits_mean/class1"] == 1.0
    np.testing.assert_allclose(made["train_loss"], numbered["train_loss"])


def test_a_loss_of_ones_own_takes_the_place_of_the_cross_entropy() -> None:
    def loss_fn(labels: Any, logits: Any, weights: Any = 1.0) -> Any:
        return tf.reduce_sum(logits) * tf.reduce_sum(weights)

    made, _ = make(learn.multi_class_head(3, loss_fn=loss_fn), [[0], [2]], LOGITS)
    assert made["train_loss"] == made["metrics"]["loss"] == LOGITS.sum()
    with pytest.raises(ValueError, match="Argument weights not found in loss_fn"):
        learn.multi_class_head(3, loss_fn=lambda labels, logits: logits)


def test_support_vectors_and_several_labels() -> None:
    hinge, _ = make(learn.binary_svm_head(), [[1], [0]], [[0.5], [-2.0]])
    assert hinge["train_loss"] == 0.25 and hinge["metrics"]["accuracy"] == 1.0
    several, _ = make(learn.multi_label_head(3, metric_class_ids=[2]), [[1, 0, 1], [0, 1, 1]], LOGITS)
    np.testing.assert_array_equal(several["predictions"]["classes"], [[1, 0, 1], [0, 1, 0]])
    assert several["metrics"]["labels/actual_label_mean/class2"] == 1.0
    assert several["metrics"]["accuracy"] == pytest.approx(5 / 6)


def test_heads_together_add_their_losses_and_name_their_predictions() -> None:
    first = learn.regression_head(head_name="one", label_name="l")
    second = learn.multi_class_head(2, head_name="two", label_name="m")
    regularizer = loss_only_head(lambda: [tf.constant(0.5)], "more")
    head = learn.multi_head([first, second, regularizer], loss_weights=[2.0, 1.0, 1.0])
    assert head.logits_dimension == 2
    labels = {"l": [[1.0], [2.0]], "m": [[1], [0]]}
    with tf.Graph().as_default(), v1.Session() as session:
        tensors = {key: tf.constant(value) for key, value in labels.items()}
        ops = head.create_model_fn_ops(
            {}, "train", tensors, learn.no_op_train_fn, logits=tf.constant([[1.0, 1.0], [1.0, -1.0]])
        )
        session.run(ops.train_op)
        loss = session.run(ops.loss)
        inferred = head.create_model_fn_ops({}, "infer", logits=tf.constant([[1.0, 1.0]]))
    np.testing.assert_allclose(loss, 2 * 0.5 + np.log1p(np.exp(-1.0)) + 0.5, rtol=1e-5)
    assert ("one", "scores") in inferred.predictions and ("two", "classes") in inferred.predictions
    assert set(inferred.output_alternatives) == {"one", "two"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: learn.multi_class_head(1), "n_classes must be > 1"),
        (lambda: learn.multi_class_head(2, label_keys=["a", "b"]), "label_keys is not supported"),
        (lambda: learn.multi_class_head(3, label_keys=["a"]), "Length of label_keys must equal n_classes"),
        (lambda: learn.multi_class_head(3, metric_class_ids=[3]), "Class ID 3 not in"),
        (lambda: learn.multi_class_head(2, metric_class_ids=[1]), "metric_class_ids invalid"),
        (lambda: learn.multi_head([learn.regression_head()]), "must have names"),
        (lambda: learn.binary_svm_head(thresholds=[0.5]), "thresholds must be None"),
        (lambda: make(learn.regression_head(), [1.0], [[1.0]], mode="predict"), "mode=predict unrecognized"),
        (lambda: make(learn.multi_class_head(3), [[0.5], [1.0]], LOGITS), "Labels dtype should be integer"),
        (
            lambda: make(learn.multi_class_head(3, weight_column_name="w"), [[0], [1]], LOGITS),
            "Weights w missing from features",
        ),
        (
            lambda: make(learn.multi_class_head(3, weight_column_name="weight"), [0, 1], LOGITS, WEIGHTS),
            "weights can not be broadcast to values",
        ),
        (lambda: learn.LinearClassifier([]), "feature_columns must not be empty"),
        (lambda: learn.LinearRegressor(["x"], _joint_weights=True), "_joint_weights must be False"),
        (lambda: learn.DNNLinearCombinedRegressor(), "linear_feature_columns or dnn_feature_columns must be"),
    ],
)
def test_arguments_that_cannot_be_right_are_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


X = np.random.RandomState(0).randn(20, 2).astype("float32")


@pytest.mark.slow
def test_estimators_with_heads_and_activations_of_ones_own(tmp_path: Path) -> None:
    columns = learn.infer_real_valued_columns_from_input({"a": X, "b": X[:, 0]})
    assert [(column.name, column.dimension) for column in columns] == [("a", 2), ("b", 1)]
    head = learn.regression_head()
    made = [
        learn.LinearEstimator(columns, head, str(tmp_path / "linear"), optimizer="SGD"),
        learn.DNNEstimator(head, [3], columns, str(tmp_path / "dnn"), activation_fn="sigmoid", dropout=0.5),
        learn.DNNLinearCombinedEstimator(
            head, str(tmp_path / "both"), dnn_feature_columns=columns, dnn_hidden_units=[2]
        ),
    ]
    features = {"a": X, "b": X[:, 0]}
    for estimator in made:
        estimator.fit(features, X[:, 0], steps=2)
        assert estimator.predict(features, as_iterable=False)["scores"].shape == (20,)
        assert set(estimator.evaluate(features, X[:, 0])) == {"loss", "global_step"}
    with pytest.raises(ValueError, match="Activation name should be one of"):
        learn.DNNRegressor([3], columns, activation_fn="gelu").fit(features, X[:, 0], steps=1)
    with pytest.raises(ValueError, match="Optimizer name should be one of"):
        learn.LinearRegressor(columns, optimizer="Adama").fit(features, X[:, 0], steps=1)
    with pytest.raises(ValueError, match="mixes columns"):
        mixed = [*columns, tf.feature_column.numeric_column("a")]
        learn.LinearRegressor(mixed).fit(features, X[:, 0], steps=1)
    with pytest.raises(ValueError, match="Non integer or non floating types"):
        learn.infer_real_valued_columns_from_input(np.array(["a", "b"]))


def test_a_logistic_regressor_has_the_metrics_of_two_classes(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        logits = tf.matmul(features, v1.get_variable("w", [2, 1], initializer=v1.ones_initializer()))
        if mode == "infer":
            return tf.sigmoid(logits), None, None
        loss = v1.losses.sigmoid_cross_entropy(labels, logits)
        step = v1.train.get_global_step()
        return tf.sigmoid(logits), loss, v1.train.GradientDescentOptimizer(0.1).minimize(loss, step)

    labels = (X.sum(1, keepdims=True) > 0).astype("float32")

    def input_fn() -> Any:
        return tf.constant(X), tf.constant(labels)

    estimator = learn.LogisticRegressor(model_fn, thresholds=[0.3], model_dir=str(tmp_path))
    results = estimator.fit(input_fn=input_fn, steps=1).evaluate(input_fn=input_fn, steps=1)
    assert results["auc"] == pytest.approx(1.0)
    assert {"accuracy/threshold_0.300000_mean", "recall/positive_threshold_0.300000_mean"} <= set(results)


def test_functions_among_the_metrics_of_a_dnn_regressor_get_the_scores(tmp_path: Path) -> None:
    x, y = np.float32([[1.0], [2.0], [4.0]]), np.float32([2.0, 3.0, 1.0])
    columns = learn.infer_real_valued_columns_from_input(x)
    regressor = learn.DNNRegressor([2], columns, tmp_path).fit(x, y, steps=1)
    squared_error = v1.metrics.mean_squared_error
    spec = learn.MetricSpec(squared_error, prediction_key=learn.PredictionKey.SCORES)
    metrics = {"function": squared_error, ("named", "scores"): squared_error, "spec": spec}
    results = regressor.evaluate(x, y, metrics=metrics)
    assert [results[name] for name in ("function", "named", "spec")] == pytest.approx([results["loss"]] * 3)
