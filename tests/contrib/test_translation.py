"""A model of the kind of the NMT tutorial trains by `train`, and translates by beam search with `infer`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import infer, rnn_cell, tf_layers, train
from keras_legacy_train.contrib import seq2seq

v1 = tf.compat.v1
END, START, WORDS, BEAMS = 0, 6, 7, 3


def sentences(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns sentences of 3 words of 5, and as their translations the same words backwards."""
    source = np.random.RandomState(seed).randint(1, 6, (count, 3)).astype("int32")
    ends = np.zeros((count, 1), "int32")
    return source, np.concatenate([source[:, ::-1], ends], 1)


class Translator:
    """Adds the parts of the model to the current graph."""

    def __init__(self, source: Any, beams: int = 1) -> None:
        self.embedding = v1.get_variable("embedding", [WORDS, 8])
        self.output_layer = tf_layers.Dense(WORDS, use_bias=False, name="words")
        with v1.variable_scope("encoder"):
            inputs = tf.nn.embedding_lookup(self.embedding, source)
            memory, state = v1.nn.dynamic_rnn(rnn_cell.LSTMCell(24), inputs, dtype=tf.float32)
        self.batch_size = source.shape[0] * beams
        memory, state = seq2seq.tile_batch((memory, state), beams)
        mechanism = seq2seq.LuongAttention(24, memory, scale=True)
        self.cell = seq2seq.AttentionWrapper(rnn_cell.LSTMCell(24), mechanism, attention_layer_size=24)
        self.state = self.cell.zero_state(self.batch_size, tf.float32).clone(cell_state=state)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Trains the model; returns its directory and its last loss."""
    output_dir = tmp_path_factory.mktemp("translator")
    source, target = sentences(64, seed=1)
    with tf.Graph().as_default() as graph:
        v1.set_random_seed(3)
        model = Translator(tf.constant(source))
        shifted = np.concatenate([np.full((64, 1), START, "int32"), target[:, :-1]], 1)
        inputs = tf.nn.embedding_lookup(model.embedding, shifted)
        helper = seq2seq.TrainingHelper(inputs, tf.fill([64], 4))
        decoder = seq2seq.BasicDecoder(model.cell, helper, model.state, model.output_layer)
        outputs, _, _ = seq2seq.dynamic_decode(decoder)
        loss = seq2seq.sequence_loss(outputs.rnn_output, tf.constant(target), tf.ones([64, 4]))
        step = v1.train.create_global_step()
        optimizer = v1.train.AdamOptimizer(0.02)
        gradients, variables = zip(*optimizer.compute_gradients(loss), strict=True)
        gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
        train_op = optimizer.apply_gradients(zip(gradients, variables, strict=True), step)
    last = train(graph, output_dir, train_op, loss, max_steps=120, log_every_steps=None)
    return output_dir, last


@pytest.mark.slow
def test_a_model_with_attention_learns(trained: tuple[Path, float]) -> None:
    assert trained[1] < 0.1


def test_it_translates_new_sentences_greedily_and_by_beam_search(trained: tuple[Path, float]) -> None:
    output_dir, _ = trained
    source, target = sentences(20, seed=2)
    with tf.Graph().as_default():
        model = Translator(tf.constant(source))
        helper = seq2seq.GreedyEmbeddingHelper(model.embedding, tf.fill([20], START), END)
        decoder = seq2seq.BasicDecoder(model.cell, helper, model.state, model.output_layer)
        outputs, _, lengths = seq2seq.dynamic_decode(decoder, maximum_iterations=4)
        greedy = infer(output_dir, {"ids": outputs.sample_id, "lengths": lengths})
    with tf.Graph().as_default():
        model = Translator(tf.constant(source), BEAMS)
        beam_decoder = seq2seq.BeamSearchDecoder(
            model.cell,
            model.embedding,
            tf.fill([20], START),
            END,
            model.state,
            BEAMS,
            model.output_layer,
            length_penalty_weight=1.0,
        )
        beam_outputs, _, _ = seq2seq.dynamic_decode(beam_decoder, maximum_iterations=6)
        beams = infer(output_dir, {"ids": beam_outputs.predicted_ids})["ids"]
    assert np.mean(greedy["ids"] == target) > 0.9
    assert np.mean(beams[:, :4, 0] == target) > 0.9
    assert greedy["lengths"].tolist() == [4] * 20
