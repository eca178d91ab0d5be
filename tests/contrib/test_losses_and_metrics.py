"""Losses and metrics of `contrib` say what is wrong with their arguments, and print if asked to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train.contrib import losses, metrics

v1 = tf.compat.v1


def scores() -> Any:
    return tf.constant([0.9, 0.1])


def truth() -> Any:
    return tf.constant([True, False])


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("labels must be integers, booleans or strings", lambda: metrics.accuracy(scores(), scores())),
        ("must have one dtype", lambda: metrics.accuracy(tf.constant([1, 0]), truth())),
        ("at least one pair", lambda: metrics.aggregate_metrics()),
        ("must be 'ROC' or 'PR'", lambda: metrics.streaming_curve_points(truth(), scores(), curve="AB")),
        ("precision must be in the range", lambda: metrics.recall_at_precision(truth(), scores(), 1.5)),
        ("target_recall must be in the range", lambda: metrics.precision_at_recall(truth(), scores(), -1.0)),
        ("rank of losses must be known", lambda: losses.compute_weighted_loss(v1.placeholder(tf.float32))),
        (
            "rank of weights must be known",
            lambda: losses.compute_weighted_loss(scores(), v1.placeholder(tf.float32)),
        ),
        ("Give axis, or dim", lambda: losses.cosine_distance(scores(), scores())),
        ("Give axis, or dim", lambda: losses.cosine_distance(scores(), scores(), axis=0, dim=0)),
    ],
)
def test_what_is_wrong_is_said(message: str, call: Callable[[], Any]) -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError, match=message):
        call()


@pytest.mark.usefixtures("shape_version")
def test_a_last_dimension_that_is_not_known_is_taken_for_1() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        column, row = v1.placeholder(tf.float32, [None, None]), v1.placeholder(tf.float32, [None])
        seen = [
            metrics.streaming_covariance(column, row)[1],
            metrics.streaming_covariance(row, column)[1],
            losses.compute_weighted_loss(row, column),
        ]
        session.run(v1.local_variables_initializer())
        values = session.run(seen, {column: [[1.0], [2.0], [0.0]], row: [3.0, 3.0, 6.0]})
    covariance = np.cov([1.0, 2.0, 0.0], [3.0, 3.0, 6.0])[0, 1]
    # The loss is (1 * 3 + 2 * 3) / 2: a weight of 0 does not count.
    np.testing.assert_allclose(values, [covariance, covariance, 4.5], 1e-6)


def test_losses_need_labels() -> None:
    with tf.Graph().as_default(), pytest.raises(TypeError, match="labels must be given"):
        losses.absolute_difference(scores())


def test_the_parts_of_a_loss_of_pairs_are_printed(capfd: pytest.CaptureFixture[str]) -> None:
    anchors, positives = np.sin(np.arange(8.0)).reshape(2, 4), np.cos(np.arange(8.0)).reshape(2, 4)
    with tf.Graph().as_default(), v1.Session() as session:
        arguments = (
            tf.constant([0, 1]),
            tf.constant(anchors, tf.float32),
            tf.constant(positives, tf.float32),
        )
        loss = losses.metric_learning.npairs_loss(*arguments, reg_lambda=0.4, print_losses=True)
        seen = session.run(loss)
    logits = anchors @ positives.T
    cross_entropy = np.mean(np.log(np.exp(logits).sum(1)) - np.diag(logits))
    l2_loss = 0.4 * 0.25 * (np.square(anchors).sum(1).mean() + np.square(positives).sum(1).mean())
    np.testing.assert_allclose(seen, cross_entropy + l2_loss, 1e-5)
    printed = capfd.readouterr().err.splitlines()[-1].split()
    assert printed[:2] + printed[3:4] == ["cross", "entropy:", "l2loss:"]
    np.testing.assert_allclose([float(printed[2]), float(printed[4])], [cross_entropy, l2_loss], 1e-4)
