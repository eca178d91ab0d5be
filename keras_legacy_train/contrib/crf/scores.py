"""Computes the scores of sequences of tags, and their likelihoods among all sequences."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.crf.cells import CrfForwardRnnCell, next_scores

v1 = tf.compat.v1


def crf_log_likelihood(
    inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any = None
) -> tuple[Any, Any]:
    """Returns the log-likelihoods of tags; stands for `tf.contrib.crf.crf_log_likelihood`.

    Args:
        inputs: The scores of the tags, of shape `[batch, time, tags]`.
        tag_indices: The tags, integers of shape `[batch, time]`.
        sequence_lengths: The lengths of the sequences, integers of shape `[batch]`.
        transition_params: The scores of the transitions, of shape `[tags, tags]`; by default the variable
            `transitions`.

    Returns:
        A tensor of shape `[batch]`, and the scores of the transitions.
    """
    inputs = tf.convert_to_tensor(inputs)
    if transition_params is None:
        transition_params = v1.get_variable("transitions", inputs.shape.as_list()[2:] * 2)
    score = crf_sequence_score(inputs, tag_indices, sequence_lengths, transition_params)
    return score - crf_log_norm(inputs, sequence_lengths, transition_params), transition_params


def crf_sequence_score(inputs: Any, tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """Returns the scores of sequences of tags; stands for `tf.contrib.crf.crf_sequence_score`.

    Args:
        inputs: The scores of the tags, of shape `[batch, time, tags]`.
        tag_indices: The tags, integers of shape `[batch, time]`.
        sequence_lengths: The lengths of the sequences, integers of shape `[batch]`.
        transition_params: The scores of the transitions, of shape `[tags, tags]`.

    Returns:
        A tensor of shape `[batch]`.
    """
    of_tags = crf_unary_score(tag_indices, sequence_lengths, inputs)
    return of_tags + crf_binary_score(tag_indices, sequence_lengths, transition_params)


def crf_multitag_sequence_score(
    inputs: Any, tag_bitmap: Any, sequence_lengths: Any, transition_params: Any
) -> Any:
    """Returns the sums of likelihoods, as scores, of all sequences of tags that are allowed.

    Stands for `tf.contrib.crf.crf_multitag_sequence_score`.

    Args:
        inputs: The scores of the tags, of shape `[batch, time, tags]`.
        tag_bitmap: Which tags are allowed, bools of that shape.
        sequence_lengths: The lengths of the sequences, integers of shape `[batch]`.
        transition_params: The scores of the transitions, of shape `[tags, tags]`.

    Returns:
        A tensor of shape `[batch]`.
    """
    inputs = tf.convert_to_tensor(inputs)
    allowed = tf.where(tag_bitmap, inputs, tf.fill(tf.shape(inputs), inputs.dtype.as_numpy_dtype("-inf")))
    return crf_log_norm(allowed, sequence_lengths, transition_params)


def crf_log_norm(inputs: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """Returns the logarithms of the sums over all sequences; stands for `tf.contrib.crf.crf_log_norm`.

    Args:
        inputs: The scores of the tags, of shape `[batch, time, tags]`.
        sequence_lengths: The lengths of the sequences, integers of shape `[batch]`.
        transition_params: The scores of the transitions, of shape `[tags, tags]`.

    Returns:
        A tensor of shape `[batch]`.
    """
    inputs = tf.convert_to_tensor(inputs)
    lengths = tf.convert_to_tensor(sequence_lengths)
    _, sums = v1.nn.dynamic_rnn(
        CrfForwardRnnCell(transition_params),
        next_scores(inputs),
        sequence_length=tf.maximum(lengths - 1, 0),
        initial_state=inputs[:, 0],
    )
    norm = tf.reduce_logsumexp(sums, 1)
    return tf.where(lengths > 0, norm, tf.zeros_like(norm))


def crf_unary_score(tag_indices: Any, sequence_lengths: Any, inputs: Any) -> Any:
    """Returns the sums of the scores of tags; stands for `tf.contrib.crf.crf_unary_score`.

    Args:
        tag_indices: The tags, integers of shape `[batch, time]`.
        sequence_lengths: The lengths of the sequences, integers of shape `[batch]`.
        inputs: The scores of the tags, of shape `[batch, time, tags]`.

    Returns:
        A tensor of shape `[batch]`.
    """
    scores = tf.gather(inputs, tag_indices, batch_dims=2)
    return tf.reduce_sum(scores * _mask(tag_indices, sequence_lengths, scores.dtype), 1)


def crf_binary_score(tag_indices: Any, sequence_lengths: Any, transition_params: Any) -> Any:
    """Returns the sums of the scores of transitions; stands for `tf.contrib.crf.crf_binary_score`.

    Args:
        tag_indices: The tags, integers of shape `[batch, time]`.
        sequence_lengths: The lengths of the sequences, integers of shape `[batch]`.
        transition_params: The scores of the transitions, of shape `[tags, tags]`.

    Returns:
        A tensor of shape `[batch]`.
    """
    transition_params = tf.convert_to_tensor(transition_params)
    transitions = tf.stack([tag_indices[:, :-1], tag_indices[:, 1:]], axis=2)
    mask = _mask(tag_indices, sequence_lengths, transition_params.dtype)[:, 1:]
    return tf.reduce_sum(tf.gather_nd(transition_params, transitions) * mask, 1)


def _mask(tag_indices: Any, sequence_lengths: Any, dtype: Any) -> Any:
    return tf.sequence_mask(sequence_lengths, tf.shape(tag_indices)[1], dtype=dtype)
