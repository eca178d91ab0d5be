"""Finds the sequences of tags with the best scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from keras_legacy_train.contrib.crf.cells import (
    CrfDecodeBackwardRnnCell,
    CrfDecodeForwardRnnCell,
    next_scores,
)

v1 = tf.compat.v1


def crf_decode(potentials: Any, transition_params: Any, sequence_length: Any) -> tuple[Any, Any]:
    """Returns the tags with the best scores; stands for `tf.contrib.crf.crf_decode`.

    Args:
        potentials: The scores of the tags, of shape `[batch, time, tags]`.
        transition_params: The scores of the transitions, of shape `[tags, tags]`.
        sequence_length: The lengths of the sequences, integers of shape `[batch]`.

    Returns:
        The tags, `int32` of shape `[batch, time]`, and their scores, of shape `[batch]`.
    """
    potentials = tf.convert_to_tensor(potentials)
    lengths = tf.convert_to_tensor(sequence_length)
    transitions = tf.maximum(lengths - 1, 0)
    tags_before, scores = v1.nn.dynamic_rnn(
        CrfDecodeForwardRnnCell(transition_params),
        next_scores(potentials),
        sequence_length=transitions,
        initial_state=potentials[:, 0],
        dtype=tf.int32,
    )
    last = tf.expand_dims(tf.argmax(scores, 1, output_type=tf.int32), 1)
    tags, _ = v1.nn.dynamic_rnn(
        CrfDecodeBackwardRnnCell(potentials.shape.as_list()[2]),
        tf.reverse_sequence(tags_before, transitions, seq_axis=1),
        sequence_length=transitions,
        initial_state=last,
        dtype=tf.int32,
    )
    tags = tf.concat([last, tf.squeeze(tags, [2])[:, :-1]], 1)
    return tf.reverse_sequence(tags, lengths, seq_axis=1), tf.reduce_max(scores, 1)


def viterbi_decode(score: npt.NDArray[Any], transition_params: npt.NDArray[Any]) -> tuple[list[Any], Any]:
    """Returns the tags of one sequence with the best score; stands for `tf.contrib.crf.viterbi_decode`.

    Args:
        score: The scores of the tags, an array of shape `[time, tags]`.
        transition_params: The scores of the transitions, an array of shape `[tags, tags]`.

    Returns:
        The list of tags, and their score.
    """
    best = np.array(score[0])
    tags_before = []
    for scores in score[1:]:
        candidates = best[:, None] + transition_params
        tags_before.append(np.argmax(candidates, 0))
        best = scores + np.max(candidates, 0)
    tags = [np.argmax(best)]
    for before in reversed(tags_before):
        tags.append(before[tags[-1]])
    return tags[::-1], np.max(best)
