"""Has the decoder that keeps the best beginnings of each sequence."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_legacy_train.contrib.seq2seq.attention_wrapper import AttentionWrapperState
from keras_legacy_train.contrib.seq2seq.basic_decoder import check_output_layer, output_size
from keras_legacy_train.contrib.seq2seq.beam_search_ops import gather_tree, gather_tree_from_array
from keras_legacy_train.contrib.seq2seq.decoder import Decoder
from keras_legacy_train.contrib.seq2seq.helper import embedding_function, tokens
from keras_legacy_train.rnn_cell.wrappers import check_cell

v1 = tf.compat.v1

_logger = logging.getLogger(__name__)


class BeamSearchDecoderState(NamedTuple):
    """Holds the state of a beam search; stands for `tf.contrib.seq2seq.BeamSearchDecoderState`.

    Of each beam it has the state of the cell, the logarithm of the probability, whether it has finished, its
    length, and the sum of its attention if there is a penalty for it, else `()`.
    """

    cell_state: Any
    log_probs: Any
    finished: Any
    lengths: Any
    accumulated_attention_probs: Any


class BeamSearchDecoderOutput(NamedTuple):
    """Holds what a step of a beam search puts out; stands for `tf.contrib.seq2seq.BeamSearchDecoderOutput`.

    Of each beam it has the score, the new id, and the beam of the step before that it goes on.
    """

    scores: Any
    predicted_ids: Any
    parent_ids: Any


class FinalBeamSearchDecoderOutput(NamedTuple):
    """Holds what a beam search puts out; stands for `tf.contrib.seq2seq.FinalBeamSearchDecoderOutput`.

    It has the ids, of shape `[batch, time, beam]` and best beams first, and the outputs of the steps.
    """

    predicted_ids: Any
    beam_search_decoder_output: Any


class BeamSearchDecoder(Decoder):
    """Searches the best sequences with a beam; stands for `tf.contrib.seq2seq.BeamSearchDecoder`.

    With an `AttentionWrapper`, the memory, its lengths and the state of the encoder must be tiled by
    `tile_batch`, and `initial_state` is a `zero_state` for `batch_size * beam_width`.

    Args:
        cell: The cell.
        embedding: A function from ids to inputs, or `params` of `tf.nn.embedding_lookup`.
        start_tokens: An int32 vector, the first id of each sequence.
        end_token: An int32 scalar, the id after which a sequence has finished.
        initial_state: The first state of the cell, for `batch_size * beam_width`.
        beam_width: The number of beams.
        output_layer: A layer of `tf_layers`, applied to the cell's output.
        length_penalty_weight: A weight for long sequences; 0 for none.
        coverage_penalty_weight: A weight for attention to the whole memory; 0 for none.
        reorder_tensor_arrays: Whether `tf.TensorArray`s of the final state are put in the order of the final
            beams and stacked.

    Raises:
        TypeError: `cell` or `output_layer` is of another type.
        ValueError: `start_tokens` is not a vector, or `end_token` is not a scalar.
    """

    def __init__(
        self,
        cell: Any,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        initial_state: Any,
        beam_width: int,
        output_layer: Any = None,
        length_penalty_weight: Any = 0.0,
        coverage_penalty_weight: Any = 0.0,
        reorder_tensor_arrays: bool = True,
    ) -> None:
        check_cell("cell", cell)
        check_output_layer(output_layer)
        self._cell = cell
        self._output_layer = output_layer
        self._reorder_tensor_arrays = reorder_tensor_arrays
        self._beam_width = beam_width
        self._length_penalty_weight = length_penalty_weight
        self._coverage_penalty_weight = coverage_penalty_weight
        self._embedding_fn = embedding_function(embedding)
        start_tokens, self._end_token = tokens(start_tokens, end_token)
        self._batch_size = tf.size(start_tokens)
        static_batch_size = tf.get_static_value(self._batch_size)
        self._static_batch_size = None if static_batch_size is None else int(static_batch_size)
        self._initial_cell_state = tf.nest.map_structure(self._split, initial_state, cell.state_size)
        self._start_tokens = tf.tile(start_tokens[:, tf.newaxis], [1, beam_width])
        self._start_inputs = self._embedding_fn(self._start_tokens)

    @property
    def batch_size(self) -> Any:
        """Returns the number of sequences, without the beams."""
        return self._batch_size

    @property
    def tracks_own_finished(self) -> bool:
        """Returns True: beams change places between steps."""
        return True

    @property
    def output_size(self) -> BeamSearchDecoderOutput:
        """Returns the width of the beam for each output."""
        width = tf.TensorShape([self._beam_width])
        return BeamSearchDecoderOutput(scores=width, predicted_ids=width, parent_ids=width)

    @property
    def output_dtype(self) -> BeamSearchDecoderOutput:
        """Returns the dtypes: that of the state for scores, and int32 for ids."""
        dtype = tf.nest.flatten(self._initial_cell_state)[0].dtype
        scores = tf.nest.map_structure(lambda _: dtype, output_size(self._cell, self._output_layer))
        return BeamSearchDecoderOutput(scores=scores, predicted_ids=tf.int32, parent_ids=tf.int32)

    def initialize(self, name: str | None = None) -> Any:
        """Returns `(finished, inputs, state)` for the first step. Only the first beam is alive.

        Args:
            name: Not used.
        """
        dtype = tf.nest.flatten(self._initial_cell_state)[0].dtype
        first = tf.zeros([self._batch_size], tf.int32)
        attention = _attention(self._initial_cell_state, self._coverage_penalty_weight)
        finished = tf.one_hot(first, self._beam_width, on_value=False, off_value=True, dtype=tf.bool)
        state = BeamSearchDecoderState(
            cell_state=self._initial_cell_state,
            log_probs=tf.one_hot(
                first,
                self._beam_width,
                on_value=tf.constant(0.0, dtype),
                off_value=tf.constant(-np.inf, dtype),
                dtype=dtype,
            ),
            finished=finished,
            lengths=tf.zeros([self._batch_size, self._beam_width], tf.int64),
            accumulated_attention_probs=() if attention is None else attention,
        )
        return finished, self._start_inputs, state

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """Returns `(outputs, next_state, next_inputs, finished)` of a step.

        Args:
            time: The number of the step, an int32 scalar.
            inputs: The inputs of the step, of shape `[batch, beam, …]`.
            state: The `BeamSearchDecoderState` before it.
            name: The name scope of the ops.
        """
        with v1.name_scope(name, "BeamSearchDecoderStep", (time, inputs, state)):
            sizes = self._cell.state_size
            inputs = tf.nest.map_structure(lambda each: self._merge(each, each.shape[2:]), inputs)
            cell_state = tf.nest.map_structure(self._merge, state.cell_state, sizes)
            logits, cell_state = self._cell(inputs, cell_state)
            logits = tf.nest.map_structure(lambda each: self._split(each, each.shape[1:]), logits)
            cell_state = tf.nest.map_structure(self._split, cell_state, sizes)
            if self._output_layer is not None:
                logits = self._output_layer(logits)
            outputs, next_state = self._extend(logits, cell_state, state)
            next_inputs = v1.cond(
                tf.reduce_all(next_state.finished),
                lambda: self._start_inputs,
                lambda: self._embedding_fn(outputs.predicted_ids),
            )
        return outputs, next_state, next_inputs, next_state.finished

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """Returns a `FinalBeamSearchDecoderOutput` and the final state.

        Args:
            outputs: The outputs of all steps.
            final_state: The state after the last step.
            sequence_lengths: Not used: the state has the lengths of the beams.
        """
        longest = tf.cast(tf.reduce_max(final_state.lengths, axis=1), tf.int32)
        ids = gather_tree(outputs.predicted_ids, outputs.parent_ids, longest, self._end_token)
        if self._reorder_tensor_arrays:
            cell_state = tf.nest.map_structure(
                lambda each: self._in_order(each, outputs.parent_ids, final_state.lengths),
                final_state.cell_state,
            )
            final_state = final_state._replace(cell_state=cell_state)
        return FinalBeamSearchDecoderOutput(ids, outputs), final_state

    def _merge(self, tensor: Any, size: Any) -> Any:
        """Returns `[batch, beam, …]` as `[batch * beam, …]`; other shapes as they are."""
        if isinstance(tensor, tf.TensorArray) or _rank(tensor) < 2:
            return tensor
        rows = [self._batch_size * self._beam_width]
        merged = tf.reshape(tensor, tf.concat([rows, tf.shape(tensor)[2:]], 0))
        static = None if self._static_batch_size is None else self._static_batch_size * self._beam_width
        merged.set_shape(tf.TensorShape([static]).concatenate(_static_shape(size)))
        return merged

    def _split(self, tensor: Any, size: Any) -> Any:
        """Returns `[batch * beam, …]` as `[batch, beam, …]`; scalars and arrays as they are."""
        if isinstance(tensor, tf.TensorArray) or _rank(tensor) < 1:
            return tensor
        batch_size, width, size = self._static_batch_size, self._beam_width, _static_shape(size)
        merged = tf.TensorShape([None if batch_size is None else batch_size * width]).concatenate(size)
        if not tensor.shape.is_compatible_with(merged):
            raise ValueError(
                f"A state or output of the cell has shape {tensor.shape}, where that of all beams is"
                f" (batch_size * beam_width, depth) == {merged}. Perhaps you forgot to create a zero_state"
                " with batch_size=encoder_batch_size * beam_width?"
            )
        split = tf.reshape(tensor, tf.concat([[self._batch_size, width], tf.shape(tensor)[1:]], 0))
        split.set_shape(tf.TensorShape([batch_size, width]).concatenate(size))
        return split

    def _extend(
        self, logits: tf.Tensor, cell_state: Any, state: BeamSearchDecoderState
    ) -> tuple[BeamSearchDecoderOutput, BeamSearchDecoderState]:
        """Returns the best beams among those of the state with one more id."""
        width = self._beam_width
        vocabulary = logits.shape.as_list()[-1] or tf.shape(logits)[-1]
        going_on = tf.logical_not(state.finished)

        log_probs = _end_of_finished(tf.nn.log_softmax(logits), self._end_token, state.finished)
        log_probs = state.log_probs[:, :, tf.newaxis] + log_probs
        # An end token is not counted.
        ends = tf.fill([self._batch_size, width], self._end_token)
        counted = tf.one_hot(
            ends, vocabulary, on_value=np.int64(0), off_value=np.int64(1), dtype=tf.int64
        ) * tf.cast(going_on[:, :, tf.newaxis], tf.int64)
        lengths = state.lengths[:, :, tf.newaxis] + counted
        attention = _attention(cell_state, self._coverage_penalty_weight)
        if attention is not None:
            attention *= tf.cast(going_on[:, :, tf.newaxis], tf.float32)
            attention = state.accumulated_attention_probs + attention
        scores = log_probs / tf.cast(_length_penalty(lengths, self._length_penalty_weight), log_probs.dtype)
        scores = _with_coverage_penalty(scores, state.finished, attention, self._coverage_penalty_weight)

        best_scores, best = tf.nn.top_k(tf.reshape(scores, [self._batch_size, -1]), width)
        best_scores.set_shape([self._static_batch_size, width])
        best.set_shape([self._static_batch_size, width])
        ids = tf.math.floormod(best, vocabulary, name="next_beam_word_ids")
        parents = tf.math.floordiv(best, vocabulary, name="next_beam_parent_ids")

        def of_parents(tensor: Any) -> Any:
            if isinstance(tensor, tf.TensorArray) or _rank(tensor) < 2:
                return tensor
            gathered = tf.gather(tensor, parents, batch_dims=1)
            gathered.set_shape(tf.TensorShape([self._static_batch_size]).concatenate(tensor.shape[1:]))
            return gathered

        best_log_probs = tf.gather(tf.reshape(log_probs, [self._batch_size, -1]), best, batch_dims=1)
        best_log_probs.set_shape([self._static_batch_size, width])
        had_finished = of_parents(state.finished)
        next_state = BeamSearchDecoderState(
            cell_state=tf.nest.map_structure(of_parents, cell_state),
            log_probs=best_log_probs,
            finished=tf.logical_or(had_finished, tf.equal(ids, self._end_token), name="next_beam_finished"),
            lengths=of_parents(state.lengths) + tf.cast(tf.logical_not(had_finished), tf.int64),
            accumulated_attention_probs=() if attention is None else of_parents(attention),
        )
        return BeamSearchDecoderOutput(best_scores, ids, parents), next_state

    def _in_order(self, array: Any, parent_ids: tf.Tensor, lengths: tf.Tensor) -> Any:
        """Returns a `tf.TensorArray` as a tensor in the order of the last beams; all else as it is."""
        if not isinstance(array, tf.TensorArray):
            return array
        shape = array.element_shape
        if not shape.rank:
            _logger.warning(
                "A TensorArray in the cell state is not amenable to sorting based on the beam search result:"
                " the shape of its elements must be known and have at least a rank of 1, but is %s.",
                shape,
            )
            return array
        batch_size, width = self._static_batch_size, self._beam_width
        sizes = shape.as_list()
        if batch_size is not None and sizes[0] is not None:
            is_split = sizes[:2] == [batch_size, width] or (sizes[0] == batch_size and None in sizes[1:2])
            if sizes[0] != batch_size * width and not is_split:
                _logger.warning(
                    "TensorArray reordering expects elements to be reshapable to %s, which is incompatible"
                    " with the current shape %s. Consider setting reorder_tensor_arrays to False.",
                    [batch_size, width, -1],
                    shape,
                )
                return array
        return gather_tree_from_array(array.stack(), parent_ids, lengths)


def tile_batch(t: Any, multiplier: int, name: str | None = None) -> Any:
    """Repeats each entry of a batch, for the beams of a search; stands for `tf.contrib.seq2seq.tile_batch`.

    Args:
        t: A tensor of shape `[batch, …]`, or a structure of tensors.
        multiplier: How many there are of each entry, one after the other.
        name: The name scope of the ops.

    Returns:
        A tensor of shape `[batch * multiplier, …]`, or a structure of these.

    Raises:
        ValueError: A tensor is a scalar, or its rank is unknown.
    """

    def tile(tensor: Any) -> tf.Tensor:
        tensor = tf.convert_to_tensor(tensor, name="t")
        if not tensor.shape.rank:
            raise ValueError("t must have statically known rank")
        batch_size, *sizes = tensor.shape.as_list()
        repeats = [1, multiplier] + [1] * len(sizes)
        shape = tf.shape(tensor)
        tiled = tf.reshape(
            tf.tile(tensor[:, tf.newaxis], repeats), tf.concat([[shape[0] * multiplier], shape[1:]], 0)
        )
        tiled.set_shape([None if batch_size is None else batch_size * multiplier, *sizes])
        return tiled

    with v1.name_scope(name, "tile_batch", [*tf.nest.flatten(t), multiplier]):
        return tf.nest.map_structure(tile, t)


def _rank(tensor: tf.Tensor) -> int:
    if tensor.shape.rank is None:
        raise ValueError(f"Expected tensor ({tensor}) to have known rank, but ndims == None.")
    return int(tensor.shape.rank)


def _static_shape(size: Any) -> tf.TensorShape:
    return tf.TensorShape(tf.get_static_value(size) if isinstance(size, tf.Tensor) else size)


def _end_of_finished(log_probs: tf.Tensor, end_token: tf.Tensor, finished: tf.Tensor) -> tf.Tensor:
    """Returns log-probabilities by which a finished beam gets an end token for sure."""
    end = tf.one_hot(
        end_token,
        tf.shape(log_probs)[2],
        on_value=tf.constant(0.0, log_probs.dtype),
        off_value=log_probs.dtype.min,
        dtype=log_probs.dtype,
    )
    return tf.where(finished[:, :, tf.newaxis], end, log_probs)


def _attention(cell_state: Any, coverage_penalty_weight: Any) -> tf.Tensor | None:
    """Returns the mean alignments of all mechanisms; None if they are not needed."""
    if isinstance(coverage_penalty_weight, (int, float)) and coverage_penalty_weight == 0:
        return None
    states = [cell_state] if isinstance(cell_state, AttentionWrapperState) else cell_state
    means = [
        _mean(state.alignments)
        for state in (states if isinstance(states, tuple | list) else [])
        if isinstance(state, AttentionWrapperState)
    ]
    if not means:
        raise ValueError("coverage_penalty_weight must be 0.0 if no cell is attentional.")
    return _mean(tuple(means))


def _mean(alignments: Any) -> tf.Tensor:
    if not isinstance(alignments, tuple):
        return alignments
    return alignments[0] if len(alignments) == 1 else tf.reduce_mean(tf.stack(alignments, -1), -1)


def _length_penalty(lengths: tf.Tensor, weight: Any) -> tf.Tensor:
    """Returns `((5 + length) / 6) ** weight`, as in https://arxiv.org/abs/1609.08144."""
    weight = tf.convert_to_tensor(weight, name="penalty_factor")
    weight.set_shape(())
    if tf.get_static_value(weight) == 0:
        return tf.constant(1.0)
    return (5.0 + tf.cast(lengths, tf.float32)) ** weight / (5.0 + 1.0) ** weight


def _with_coverage_penalty(
    scores: tf.Tensor, finished: tf.Tensor, attention: tf.Tensor | None, weight: Any
) -> tf.Tensor:
    """Returns scores that are lower for finished beams that saw little of the memory."""
    weight = tf.convert_to_tensor(weight, name="coverage_penalty_weight")
    if weight.shape.rank != 0:
        raise ValueError(f"coverage_penalty_weight should be a scalar, but saw shape: {weight.shape}")
    if attention is None:
        return scores
    # Positions after the end of a memory have no attention at all, and count as seen.
    seen = tf.where(tf.equal(attention, 0.0), tf.ones_like(attention), tf.minimum(attention, 1.0))
    penalty = tf.reduce_sum(tf.math.log(seen), 2) * tf.cast(finished, tf.float32)
    return scores + weight * penalty[:, :, tf.newaxis]
