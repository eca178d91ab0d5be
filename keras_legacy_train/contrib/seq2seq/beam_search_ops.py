"""Follows beams back from their last step to the first."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


def gather_tree(
    step_ids: Any, parent_ids: Any, max_sequence_lengths: Any, end_token: Any, name: str | None = None
) -> tf.Tensor:
    """Returns the sequences of a beam search; stands for `tf.contrib.seq2seq.gather_tree`.

    Args:
        step_ids: An int32 tensor of shape `[time, batch, beam]`, the id that each beam got at each step.
        parent_ids: An int32 tensor of that shape, the beam of the step before to which it was added.
        max_sequence_lengths: An int32 vector, the length of the longest beam of each sequence.
        end_token: An int32 scalar. It follows the end of each beam.
        name: The name scope of the ops.

    Returns:
        An int32 tensor of shape `[time, batch, beam]`, the ids of each beam of the last step.
    """
    with v1.name_scope(name, "GatherTree", [step_ids, parent_ids]):
        step_ids = tf.convert_to_tensor(step_ids, tf.int32, name="step_ids")
        parent_ids = tf.convert_to_tensor(parent_ids, tf.int32, name="parent_ids")
        lengths = tf.convert_to_tensor(max_sequence_lengths, tf.int32, name="max_sequence_lengths")
        end_token = tf.convert_to_tensor(end_token, tf.int32, name="end_token")
        time, batch, beam = tf.unstack(tf.shape(step_ids))
        themselves = tf.tile(tf.range(beam)[tf.newaxis], [batch, 1])
        is_inside = tf.range(time)[:, tf.newaxis, tf.newaxis] < lengths[tf.newaxis, :, tf.newaxis]

        def parents(beams: tf.Tensor, step: Any) -> tf.Tensor:
            parent_ids, is_inside = step
            return tf.where(is_inside, tf.gather(parent_ids, beams, batch_dims=1), themselves)

        before = v1.scan(parents, (parent_ids, is_inside), themselves, back_prop=False, reverse=True)
        # What `before` says of a step is the beam of the step before it.
        beams = tf.concat([before[1:], themselves[tf.newaxis]], 0)
        ids = tf.gather(step_ids, beams, batch_dims=2)
        ends = tf.cast(tf.equal(ids, end_token), tf.int32)
        has_ended = tf.cumsum(ends, exclusive=True) > 0
        ids = tf.where(tf.logical_and(is_inside, tf.logical_not(has_ended)), ids, end_token)
        ids.set_shape(step_ids.shape)
        return ids


def gather_tree_from_array(array: Any, parent_ids: Any, sequence_length: Any) -> tf.Tensor:
    """Returns what a `tf.TensorArray` has of each beam of the last step.

    Args:
        array: A tensor of shape `[time, batch, beam, …]` or `[time, batch * beam, …]`.
        parent_ids: An int32 tensor of shape `[time, batch, beam]`.
        sequence_length: An integer tensor of shape `[batch, beam]`, the length of each beam.
    """
    time, batch, beam = (
        known or tf.shape(parent_ids)[axis] for axis, known in enumerate(parent_ids.shape.as_list())
    )
    themselves = tf.tile(tf.range(beam)[tf.newaxis, tf.newaxis], [time, batch, 1])
    longest = tf.cast(tf.reduce_max(sequence_length, axis=1), tf.int32)
    beams = gather_tree(themselves, parent_ids, longest, beam + 1)
    is_inside = tf.transpose(tf.sequence_mask(sequence_length, time), [2, 0, 1])
    beams = tf.where(is_inside, beams, themselves)
    of_beams = tf.reshape(array, [time, batch, beam, -1])
    gathered = tf.reshape(tf.gather(of_beams, beams, batch_dims=2), tf.shape(array))
    gathered.set_shape(array.shape)
    return gathered
