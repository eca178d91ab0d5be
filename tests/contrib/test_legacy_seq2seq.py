"""Models of `legacy_seq2seq` train, and their checkpoints have the names of TensorFlow 1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS, Silent
from keras_legacy_train import train
from keras_legacy_train.contrib import legacy_seq2seq, rnn

v1 = tf.compat.v1

RECORDED: dict[str, Any] = json.loads((TESTS / "golden" / "rnn.json").read_text())


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def char_rnn() -> Any:
    """Returns the loss of a model of characters."""
    text = tf.constant(np.arange(16).reshape(4, 4) % 5, tf.int32)
    with v1.variable_scope("rnnlm"):
        kernel = v1.get_variable("softmax_w", [3, 5])
        bias = v1.get_variable("softmax_b", [5])
        embedding = v1.get_variable("embedding", [5, 3])
    cell = rnn.MultiRNNCell([rnn.BasicLSTMCell(3) for _ in range(2)])
    inputs = [tf.nn.embedding_lookup(embedding, text[:, step]) for step in range(3)]
    outputs, _ = legacy_seq2seq.rnn_decoder(inputs, cell.zero_state(4, tf.float32), cell, scope="rnnlm")
    logits = tf.matmul(tf.reshape(tf.concat(outputs, 1), [-1, 3]), kernel) + bias
    targets = tf.reshape(text[:, 1:], [-1])
    loss = legacy_seq2seq.sequence_loss_by_example([logits], [targets], [tf.ones([12])])
    return tf.reduce_mean(loss)


@pytest.mark.slow
def test_a_model_of_characters_is_trained_and_read_by_a_saver(graph: tf.Graph, tmp_path: Path) -> None:
    loss = char_rnn()
    train_op = v1.train.AdamOptimizer(0.05).minimize(loss, v1.train.create_global_step())
    first = train(graph, tmp_path, train_op, loss, steps=1, monitors=[Silent()])
    assert train(graph, tmp_path, train_op, loss, steps=40, monitors=[Silent()]) < 0.5 * first
    checkpoint = tf.train.latest_checkpoint(tmp_path)
    written = dict(tf.train.list_variables(checkpoint))
    for name, shape, _ in RECORDED["multi_rnn_of_char_rnn"]["variables"]:
        assert written[name] == shape
    with tf.Graph().as_default(), v1.Session() as session:
        loss = char_rnn()
        v1.train.Saver().restore(session, checkpoint)
        assert session.run(loss) < 0.5 * first


@pytest.mark.slow
def test_a_model_with_buckets_is_trained(graph: tf.Graph, tmp_path: Path) -> None:
    source = [tf.constant((np.arange(4) + step) % 6, tf.int32) for step in range(2)]
    target = [tf.constant((2 * np.arange(4) + step) % 7, tf.int32) for step in range(3)]
    kernel, bias = v1.get_variable("proj_w", [4, 7]), v1.get_variable("proj_b", [7])

    def model(encoder_inputs: Any, decoder_inputs: Any) -> Any:
        return legacy_seq2seq.embedding_attention_seq2seq(
            encoder_inputs, decoder_inputs, rnn.GRUCell(4), 6, 7, 3, output_projection=(kernel, bias)
        )

    def sampled(inputs: Any, labels: Any) -> Any:
        labels = tf.cast(tf.reshape(labels, [-1, 1]), tf.int64)
        return tf.nn.sampled_softmax_loss(tf.transpose(kernel), bias, labels, inputs, 4, 7, seed=3)

    outputs, losses = legacy_seq2seq.model_with_buckets(
        source,
        target[:-1],
        target[1:],
        [tf.ones([4])] * 2,
        [(1, 1), (2, 2)],
        model,
        softmax_loss_function=sampled,
    )
    assert [len(each) for each in outputs] == [1, 2]
    loss = tf.add_n(losses)
    step = v1.train.create_global_step()
    gradients, variables = zip(*v1.train.AdamOptimizer(0.05).compute_gradients(loss), strict=True)
    clipped, _ = tf.clip_by_global_norm(gradients, 5.0)
    train_op = v1.train.AdamOptimizer(0.05).apply_gradients(zip(clipped, variables, strict=True), step)
    first = train(graph, tmp_path, train_op, loss, steps=1, monitors=[Silent()])
    assert train(graph, tmp_path, train_op, loss, steps=60, monitors=[Silent()]) < 0.7 * first


def attention_decoder(states: Any, **options: Any) -> Any:
    return legacy_seq2seq.attention_decoder(
        [tf.ones([1, 2])], tf.ones([1, 2]), states, rnn.GRUCell(2), **options
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: legacy_seq2seq.sequence_loss([tf.ones([1, 2])], [], [tf.ones([1])]),
            "must be the same 1, 1, 0",
        ),
        (
            lambda: legacy_seq2seq.model_with_buckets([], [], [], [], [(1, 1)], lambda x, y: ([], None)),
            r"Length of encoder_inputs \(0\) must be at least",
        ),
        (
            lambda: legacy_seq2seq.attention_decoder([], tf.ones([1, 2]), tf.ones([1, 2, 3]), rnn.GRUCell(2)),
            "at least 1 input",
        ),
        (lambda: attention_decoder(tf.ones([1, 2, 3]), num_heads=0), "With less than 1 heads"),
        (
            lambda: attention_decoder(v1.placeholder(tf.float32, [1, 2, None])),
            r"Shape\[2\] of attention_states must be known",
        ),
        (
            lambda: legacy_seq2seq.embedding_rnn_decoder(
                [tf.zeros([1], tf.int32)],
                tf.ones([1, 2]),
                rnn.GRUCell(2),
                5,
                3,
                output_projection=(tf.ones([2, 4]), tf.ones([4])),
            ),
            "are incompatible",
        ),
        (
            lambda: legacy_seq2seq.one2many_rnn_seq2seq([], {"a": []}, rnn.GRUCell(2), {}, 3, {}, 2),
            "keys of dec_cells_dict",
        ),
    ],
)
def test_what_is_wrong_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
