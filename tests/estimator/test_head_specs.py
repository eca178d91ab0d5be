"""Heads make the specs that those of TensorFlow 2.15.1 made, and refuse what they refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import estimator

v1 = tf.compat.v1
TRAIN, EVAL, PREDICT = estimator.ModeKeys.TRAIN, estimator.ModeKeys.EVAL, estimator.ModeKeys.PREDICT


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        v1.train.create_global_step()
        yield


def session() -> Any:
    made = v1.Session()
    made.run([v1.global_variables_initializer(), v1.local_variables_initializer(), v1.tables_initializer()])
    return made


def two_heads() -> Any:
    heads = [estimator.RegressionHead(name="a"), estimator.RegressionHead(2, name="b")]
    return estimator.MultiHead(heads, head_weights=[1.0, 0.5])


LABELS = {"a": np.array([[1.0]], np.float32), "b": np.array([[0.0, 0.0]], np.float32)}
# The losses are (3 - 1)^2 = 4 and (2^2 + 4^2) / 2 = 10; that of regularization is 0.25.
LOGITS = [[3.0, 2.0, 4.0]]
LOSS = 4 + 0.5 * 10 + 0.25


def test_a_joint_spec_has_the_metrics_of_every_head() -> None:
    spec = two_heads().create_estimator_spec(
        {}, EVAL, tf.constant(LOGITS), LABELS, regularization_losses=[tf.constant(0.125)] * 2
    )
    with session() as running:
        running.run([update for _, update in spec.eval_metric_ops.values()])
        values = running.run({key: value for key, (value, _) in spec.eval_metric_ops.items()})
        assert running.run(spec.loss) == LOSS
    assert values == {
        "loss/a": 4,
        "average_loss/a": 4,
        "label/mean/a": 1,
        "prediction/mean/a": 3,
        "loss/b": 10,
        "average_loss/b": 10,
        "label/mean/b": 0,
        "prediction/mean/b": 3,
        "regularization_loss/a_b": 0.25,
    }


def test_a_joint_spec_trains_by_the_sum_of_weighted_losses() -> None:
    logits = v1.get_variable("logits", initializer=np.float32(LOGITS), use_resource=True)
    head = two_heads()
    assert head.loss_reduction == "sum_over_batch_size"
    spec = head.create_estimator_spec(
        {},
        TRAIN,
        logits,
        LABELS,
        train_op_fn=v1.train.GradientDescentOptimizer(0.1).minimize,
        regularization_losses=[tf.constant(0.25)],
    )
    summaries = [v1.summary.merge([each]) for each in v1.get_collection(v1.GraphKeys.SUMMARIES)]
    with session() as running:
        found = [v1.Summary.FromString(each).value[0] for each in running.run(summaries)]
        assert {each.tag: each.simple_value for each in found} == {
            "loss": LOSS,
            "loss/a": 4,
            "loss/b": 10,
            "regularization_loss": 0.25,
        }
        running.run(spec.train_op)
        trained = running.run(logits)
    # The gradients are 2 * (3 - 1) and 0.5 * [2, 4].
    np.testing.assert_allclose(trained, [[3 - 0.4, 2 - 0.1, 4 - 0.2]], rtol=1e-6)


def test_a_head_summarizes_the_regularization() -> None:
    logits = v1.get_variable("logits", initializer=np.float32([[3.0]]), use_resource=True)
    estimator.RegressionHead(name="a").create_estimator_spec(
        {},
        TRAIN,
        logits,
        LABELS["a"],
        train_op_fn=lambda loss: tf.no_op(),
        regularization_losses=[tf.constant(0.25)],
    )
    with session() as running:
        found = v1.Summary.FromString(running.run(v1.summary.merge_all())).value
    assert {each.tag: each.simple_value for each in found} == {"loss/a": 4.25, "regularization_loss/a": 0.25}


def test_words_are_the_classes_of_a_vocabulary() -> None:
    head = estimator.BinaryClassHead(label_vocabulary=["no", "yes"])
    loss = head.loss(tf.constant([["yes"], ["no"]]), tf.constant([[2.0], [1.0]]), {}, EVAL)
    with session() as running:
        # The cross entropy of the logits 2 and 1 with the labels 1 and 0.
        expected = (np.log1p(np.exp(-2.0)) + np.log1p(np.exp(1.0))) / 2
        assert running.run(loss) == pytest.approx(expected)


def test_weights_may_lack_the_last_dimension() -> None:
    def weighted(weights: Any) -> Any:
        column = tf.feature_column.numeric_column("w", shape=())
        head = estimator.RegressionHead(weight_column=column, loss_reduction="sum")
        return head.loss(tf.constant([[1.0], [2.0]]), tf.constant([[3.0], [5.0]]), {"w": weights}, EVAL)

    with session() as running:
        assert running.run(weighted(tf.constant([0.5, 2.0]))) == 0.5 * 4 + 2 * 9


def test_what_heads_cannot_take_is_refused_in_the_words_of_the_original() -> None:
    words = tf.SparseTensor([[0, 0]], ["a"], [1, 2])
    halves = tf.SparseTensor([[0, 0]], [0.5], [1, 2])
    several = estimator.MultiLabelHead(2)
    for call, message in [
        (lambda: estimator.MultiClassHead(None), "n_classes cannot be None"),
        (
            lambda: estimator.MultiLabelHead(3, classes_for_class_based_metrics=["a"]),
            "label_vocabulary must be provided when classes_for_class_based_metrics",
        ),
        (
            # The original failed by iterating over None.
            lambda: several.loss(words, tf.zeros([1, 2]), {}, EVAL),
            "label_vocabulary must be provided when labels are",
        ),
        (
            lambda: several.loss(halves, tf.zeros([1, 2]), {}, EVAL),
            r"Labels dtype should be integer\. Instead",
        ),
        (
            lambda: two_heads().predictions({"a": tf.zeros([1, 1])}),
            r"logits has missing values for head\(s\)",
        ),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


def test_a_keras_optimizer_is_called_in_a_scope_after_those_of_the_joined_heads() -> None:
    logits = v1.get_variable("logits", initializer=np.float32(LOGITS), use_resource=True)
    optimizer = tf.keras.optimizers.Adagrad(0.1)
    spec = two_heads().create_estimator_spec(
        {}, TRAIN, logits, LABELS, optimizer=optimizer, trainable_variables=[logits]
    )
    names = [variable.op.name for variable in v1.global_variables()]
    assert "training_2/Adagrad/decay" in names
    assert names[-1] == "training_2/Adagrad/logits/accumulator"
    with session() as running:
        running.run(spec.train_op)
        # The first accumulator is 0.1, and the gradients are 4, 1 and 2.
        gradients = np.array([[4.0, 1.0, 2.0]])
        expected = LOGITS - 0.1 * gradients / np.sqrt(0.1 + gradients**2)
        np.testing.assert_allclose(running.run(logits), expected, rtol=1e-6)


@pytest.mark.usefixtures("shape_version")
def test_dimensions_need_not_be_known_before_a_step() -> None:
    """`placeholder` knows how many dimensions there are, and not how large they are."""

    def unknown(value: Any) -> Any:
        return v1.placeholder_with_default(np.float32(value), [None] * np.ndim(value))

    column = tf.feature_column.numeric_column("w", shape=())
    head = estimator.RegressionHead(2, weight_column=column, loss_reduction="sum")
    weighted = head.loss(unknown([[1.0, 1.0]]), unknown([[3.0, 2.0]]), {"w": unknown([[2.0]])}, EVAL)
    labels = {name: unknown(label) for name, label in LABELS.items()}
    joint = two_heads().loss(labels, unknown(LOGITS), {}, EVAL)
    with session() as running:
        assert running.run(weighted) == 2 * (4 + 1)
        assert running.run(joint) == LOSS - 0.25
