"""Heads of `learn` take what those of `tf.contrib.learn` took, and refuse what they refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import learn
from learn_helpers import X, Y, line

v1 = tf.compat.v1

LOGITS = np.array([[2.0, -1.0], [0.0, 3.0]], "float32")


def sigmoid_losses(logits: Any, labels: Any) -> Any:
    return np.log1p(np.exp(logits)) - logits * labels


def evaluated(head: Any, labels: Any, logits: Any = None, **options: Any) -> dict[str, Any]:
    """Returns the loss and the metrics of a head."""
    ops = head.create_model_fn_ops(
        options.pop("features", {}), "eval", labels, learn.no_op_train_fn, logits=logits, **options
    )
    with v1.Session() as session:
        session.run([v1.global_variables_initializer(), v1.local_variables_initializer()])
        session.run([update for _, update in ops.eval_metric_ops.values()])
        metrics = {key: value for key, (value, _) in ops.eval_metric_ops.items()}
        loss, found = session.run([ops.loss, metrics])
        return {**found, "of training": loss}


def test_several_labels_may_be_sparse() -> None:
    with tf.Graph().as_default():
        # The first example has the class 0, the second both.
        labels = tf.SparseTensor([[0, 0], [1, 0], [1, 1]], tf.constant([0, 0, 1], tf.int64), [2, 2])
        found = evaluated(learn.multi_label_head(2), labels, tf.constant(LOGITS))
    np.testing.assert_allclose(found["loss"], sigmoid_losses(LOGITS, [[1, 0], [1, 1]]).mean(), rtol=1e-6)


def test_metrics_are_weighted() -> None:
    with tf.Graph().as_default():
        head = learn.multi_class_head(2, weight_column_name="weight")
        features = {"weight": tf.constant([1.0, 3.0])}
        found = evaluated(head, tf.constant([[1], [0]]), tf.constant([[2.0], [1.0]]), features=features)
    losses = sigmoid_losses(np.array([2.0, 1.0]), np.array([1.0, 0.0]))
    np.testing.assert_allclose(found["loss"], np.average(losses, weights=[1, 3]), rtol=1e-5)
    # TensorFlow 1.15.5 gave these, too. Both are taken for the class 1, of which 1 of 4 is right.
    assert found["accuracy"] == found["labels/actual_label_mean"] == pytest.approx(0.25)
    assert found["labels/prediction_mean"] == pytest.approx(0.76849, rel=1e-5)
    assert found["of training"] == pytest.approx(2.0333567)


def test_logits_are_made_of_an_input_if_they_are_not_given() -> None:
    with tf.Graph().as_default():
        ops = learn.regression_head(label_dimension=2).create_model_fn_ops(
            {}, "infer", logits_input=tf.constant(LOGITS)
        )
        assert sorted(v.op.name.split("/", 1)[1] for v in v1.trainable_variables()) == [
            "logits/biases",
            "logits/weights",
        ]
        assert ops.predictions["scores"].shape.as_list() == [2, 2]


def test_joined_heads_take_logits_in_three_ways() -> None:
    heads = [learn.regression_head(head_name=name, label_name=name) for name in ("a", "b")]
    labels = {"a": np.float32([[1.0], [1.0]]), "b": np.float32([[0.0], [0.0]])}
    expected = np.mean((LOGITS[:, 0] - 1) ** 2) + 0.5 * np.mean(LOGITS[:, 1] ** 2)
    given: list[Any] = [LOGITS, {"a": LOGITS[:, :1], "b": LOGITS[:, 1:]}]
    for logits in given:
        with tf.Graph().as_default():
            head = learn.multi_head(heads, [1.0, 0.5])
            constant = tf.nest.map_structure(tf.constant, logits)
            found = evaluated(head, tf.nest.map_structure(tf.constant, labels), constant)
        np.testing.assert_allclose(found["of training"], expected, rtol=1e-6)
        assert {key.rsplit("/")[-1] for key in found} == {"a", "b", "of training"}
    with tf.Graph().as_default():
        ops = learn.multi_head(heads).create_model_fn_ops({}, "infer", logits_input=tf.constant(LOGITS))
        assert {name for name, _ in ops.predictions} == {"a", "b"}
        assert len(v1.trainable_variables()) == 4  # a layer for each


def test_what_heads_cannot_take_is_named() -> None:
    head = learn.regression_head()
    logits = tf.zeros([1, 1])
    sparse = tf.sparse.eye(1)

    def make(mode: str = "eval", labels: Any = None, head: Any = head, **options: Any) -> Any:
        return head.create_model_fn_ops({}, mode, labels, **options)

    with tf.Graph().as_default():
        logits, sparse = tf.zeros([1, 1]), tf.sparse.eye(1)
        for call, message in (
            (lambda: make(logits=logits, logits_input=logits), r"Both logits and logits_input supplied\."),
            (lambda: make(), r"Neither logits nor logits_input supplied\."),
            (lambda: make(logits=tf.zeros([1, 3])), "logits must have 1 columns"),
            (lambda: make(labels=sparse, logits=logits), r"SparseTensor is not supported\."),
            (
                lambda: make(labels={"a": logits}, logits=logits),
                r"labels are a dict of \['a'\], and the head",
            ),
            (lambda: make("train", logits, logits=logits), "train_op_fn can not be None in TRAIN mode"),
            (lambda: learn.regression_head(label_dimension=0), r"Invalid logits_dimension 0\."),
            (lambda: learn.multi_label_head(1), r"n_classes must be > 1 for classification\."),
            (lambda: learn.multi_label_head(3, thresholds=[0.5]), "thresholds must be None"),
            (lambda: learn.multi_head([head], [1.0, 2.0]), "heads and loss_weights must have same size"),
        ):
            with pytest.raises(ValueError, match=message):
                call()


def test_parameters_of_parameters_are_told_and_set() -> None:
    class Optimizer(learn.BaseEstimator):
        def __init__(self, rate: float):
            self.rate = rate

    class Model(learn.BaseEstimator):
        def __init__(self, optimizer: Any, steps: int):
            self.optimizer = optimizer
            self.steps = steps

    model = Model(Optimizer(0.5), 3)
    assert model.get_params() == {"optimizer": model.optimizer, "optimizer__rate": 0.5, "steps": 3}
    assert model.get_params(deep=False) == {"optimizer": model.optimizer, "steps": 3}
    assert model.set_params(optimizer__rate=0.25, steps=4) is model
    assert (model.optimizer.rate, model.steps) == (0.25, 4)


def test_a_process_knows_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    assert learn.RunConfig.get_task_id() == 0
    told = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(told))
    assert learn.RunConfig.get_task_id() == 1


def test_outputs_are_chosen_by_name_only_if_they_have_names(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> Any:
        made = line(features, labels, mode)
        if isinstance(made, learn.ModelFnOps):
            return learn.ModelFnOps(mode, made.predictions["product"], made.loss)
        return made

    model = learn.Estimator(model_fn, str(tmp_path)).fit({"x": X}, Y, steps=1)
    assert model.predict({"x": X}, as_iterable=False).shape == (6,)
    with pytest.raises(ValueError, match=r"outputs argument is not valid in case of non-dict predictions\."):
        model.predict({"x": X}, outputs=["product"], as_iterable=False)


def test_classifiers_predict_scores_and_what_is_asked_for(tmp_path: Path) -> None:
    columns = [tf.feature_column.numeric_column("x")]
    classifier = learn.LinearClassifier(columns, str(tmp_path / "c")).fit(
        input_fn=lambda: ({"x": tf.constant(X)}, tf.constant([0, 1] * 3)), steps=1
    )
    predict = {"input_fn": lambda: {"x": tf.constant(X)}, "as_iterable": False}
    found = classifier.predict(outputs=["classes", "probabilities"], **predict)
    assert found.keys() == {"classes", "probabilities"}
    regressor = learn.LinearRegressor(columns, str(tmp_path / "r")).fit(
        input_fn=lambda: ({"x": tf.constant(X)}, tf.constant(Y)), steps=1
    )
    named = {name.split("/")[-1]: name for name in regressor.get_variable_names() if "/Ftrl" not in name}
    weight, bias = (
        np.ravel(regressor.get_variable_value(named[name])) for name in ("weights", "bias_weights")
    )
    np.testing.assert_allclose(regressor.predict_scores(**predict), X[:, 0] * weight + bias, rtol=1e-5)
