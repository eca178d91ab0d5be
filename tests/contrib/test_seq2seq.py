"""Decoders of `contrib.seq2seq` say what is wrong, keep their state, and take what scripts give them."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import rnn_cell, tf_layers
from keras_legacy_train.contrib import seq2seq
from keras_legacy_train.contrib.seq2seq.attention_mechanism import BaseAttentionMechanism

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def memory(batch: int | None = 2, time: int = 3, size: int = 4) -> tf.Tensor:
    if batch is None:
        return v1.placeholder(tf.float32, [None, None, size])
    return tf.ones([batch, time, size])


def attended(**options: Any) -> seq2seq.AttentionWrapper:
    return seq2seq.AttentionWrapper(rnn_cell.GRUCell(4), seq2seq.LuongAttention(4, memory()), **options)


def evaluate(fetches: Any, feeds: Any = None) -> Any:
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        return session.run(fetches, feeds)


def test_wrong_parts_are_refused_by_name() -> None:
    cell = rnn_cell.GRUCell(4)
    helper = seq2seq.GreedyEmbeddingHelper(tf.ones([5, 4]), [1, 2], 0)
    state = cell.zero_state(2, tf.float32)
    with pytest.raises(TypeError, match="Expected decoder to be type Decoder"):
        seq2seq.dynamic_decode(cell)
    for member in ("batch_size", "output_size", "output_dtype"):
        with pytest.raises(NotImplementedError):
            getattr(Silent(), member)
    with pytest.raises(TypeError, match=r"'cell'.*is not an RNNCell"):
        seq2seq.BasicDecoder(None, helper, state)
    with pytest.raises(TypeError, match="helper must be a Helper"):
        seq2seq.BasicDecoder(cell, cell, state)
    with pytest.raises(TypeError, match="output_layer must be a Layer"):
        seq2seq.BasicDecoder(cell, helper, state, tf.keras.layers.Dense(3))
    decoder = seq2seq.BasicDecoder(cell, helper, state, tf_layers.Dense(5))
    with pytest.raises(ValueError, match="maximum_iterations must be a scalar"):
        seq2seq.dynamic_decode(decoder, maximum_iterations=[3])
    with pytest.raises(ValueError, match="start_tokens must be a vector"):
        seq2seq.GreedyEmbeddingHelper(tf.ones([5, 4]), 1, 0)
    with pytest.raises(ValueError, match="end_token must be a scalar"):
        seq2seq.GreedyEmbeddingHelper(tf.ones([5, 4]), [1], [0])
    with pytest.raises(ValueError, match="sequence_length to be a vector"):
        seq2seq.TrainingHelper(memory(), 3)
    with pytest.raises(TypeError, match="Expected outputs to be a single Tensor"):
        helper.sample(0, (tf.ones([2, 5]),), state)
    with pytest.raises(ValueError, match="batch_size accessed before initialize"):
        _ = seq2seq.CustomHelper(None, None, None).batch_size
    with pytest.raises(ValueError, match="sampling_probability must be either"):
        seq2seq.ScheduledOutputTrainingHelper(memory(), [3, 3], [[0.5]])


class Silent(seq2seq.Decoder):
    """Does not say what it puts out."""

    def initialize(self, name: str | None = None) -> Any:
        return None

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        return None


def test_attention_that_does_not_fit_is_refused() -> None:
    for member in ("alignments_size", "state_size"):
        with pytest.raises(NotImplementedError):
            getattr(seq2seq.AttentionMechanism(), member)
    with pytest.raises(ValueError, match="fully defined inner dims"):
        seq2seq.LuongAttention(4, v1.placeholder(tf.float32, [2, 3, None]))
    with pytest.raises(TypeError, match="attention_mechanism must be"):
        seq2seq.AttentionWrapper(rnn_cell.GRUCell(4), memory())
    with pytest.raises(ValueError, match="Only one of"):
        attended(attention_layer_size=3, attention_layer=tf_layers.Dense(3))
    with pytest.raises(ValueError, match="one integer per attention_mechanism, saw: 2 vs 1"):
        attended(attention_layer_size=[3, 4])
    with pytest.raises(ValueError, match="mode must be"):
        seq2seq.LuongMonotonicAttention(4, memory(), mode="soft")
    with pytest.raises(ValueError, match="mode must be"):
        seq2seq.monotonic_attention(tf.ones([2, 3]), tf.ones([2, 3]), "soft")
    with pytest.raises(TypeError, match="cell_input_fn must be callable, saw type: int"):
        attended(cell_input_fn=3)
    cell = attended()
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="Non-matching batch sizes"):
        cell.zero_state(6, tf.float32)
    with pytest.raises(ValueError, match="expected to be same as the one to clone"):
        cell.zero_state(2, tf.float32).clone(cell_state=tf.ones([2, 5]))
    with pytest.raises(TypeError, match="Expected state to be instance of AttentionWrapperState"):
        cell(tf.ones([2, 4]), tf.ones([2, 4]))
    with pytest.raises(ValueError, match="Incompatible or unknown inner dimensions"):
        seq2seq.LuongAttention(3, memory())(tf.ones([2, 4]), None)


class Diary(rnn_cell.RNNCell):
    """Is a GRU that writes a part of each output into an array, which is in its state."""

    def __init__(self, part: Any) -> None:
        super().__init__()
        self.cell, self.part = rnn_cell.GRUCell(4), part

    @property
    def state_size(self) -> Any:
        return (4, 0, 0)

    @property
    def output_size(self) -> int:
        return 4

    def call(self, inputs: Any, state: Any) -> Any:
        hidden, time, array = state
        output, hidden = self.cell(inputs, hidden)
        return output, (hidden, time + 1, array.write(time, self.part(output)))


@pytest.mark.parametrize(
    ("part", "shape", "warning"),
    [
        (lambda output: output[0, 0], [], "must be known and have at least a rank of 1"),
        (lambda output: output[:5, 0], [5], r"expects elements to be reshapable to \[2, 3, -1\]"),
    ],
)
def test_arrays_that_are_not_of_beams_stay_as_they_are(
    part: Any, shape: list[int], warning: str, caplog: pytest.LogCaptureFixture
) -> None:
    array = tf.TensorArray(tf.float32, 0, dynamic_size=True, element_shape=shape)
    state = (tf.zeros([6, 4]), tf.constant(0), array)
    decoder = seq2seq.BeamSearchDecoder(
        Diary(part), tf.eye(5)[:, :4], [1, 2], 0, state, 3, tf_layers.Dense(5)
    )
    with caplog.at_level(logging.WARNING):
        _, last, _ = seq2seq.dynamic_decode(decoder, maximum_iterations=3)
    assert re.search(warning, caplog.text)
    _, count, array = last.cell_state
    written, count = evaluate([array.stack(), count])
    assert written.shape == (count, *shape)


def test_a_beam_search_needs_states_for_all_beams() -> None:
    cell = rnn_cell.GRUCell(4)
    with pytest.raises(ValueError, match="to have known rank"):
        seq2seq.BeamSearchDecoder(cell, tf.ones([5, 4]), [1, 2], 0, v1.placeholder(tf.float32), 3)
    six = seq2seq.AttentionWrapper(cell, seq2seq.LuongAttention(4, memory(6)))
    decoder = seq2seq.BeamSearchDecoder(
        *(six, tf.ones([5, 4]), [1, 2], 0, six.zero_state(6, tf.float32), 3, tf_layers.Dense(5)),
        coverage_penalty_weight=tf.constant([0.1, 0.2]),
    )
    with pytest.raises(ValueError, match="coverage_penalty_weight should be a scalar"):
        seq2seq.dynamic_decode(decoder)
    with pytest.raises(ValueError, match="batch_size=encoder_batch_size"):
        seq2seq.BeamSearchDecoder(cell, tf.ones([5, 4]), [1, 2], 0, cell.zero_state(3, tf.float32), 3)
    with pytest.raises(ValueError, match="statically known rank"):
        seq2seq.tile_batch(tf.constant(1.0), 2)
    state = cell.zero_state(6, tf.float32)
    decoder = seq2seq.BeamSearchDecoder(
        cell, tf.ones([5, 4]), [1, 2], 0, state, 3, tf_layers.Dense(5), coverage_penalty_weight=0.1
    )
    with pytest.raises(ValueError, match="no cell is attentional"):
        seq2seq.dynamic_decode(decoder)


def test_losses_check_the_ranks_and_the_reductions() -> None:
    logits, targets, weights = tf.ones([2, 3, 4]), tf.ones([2, 3], tf.int32), tf.ones([2, 3])
    for position, message in enumerate(("Logits", "Targets", "Weights")):
        arguments = [logits, targets, weights]
        arguments[position] = arguments[position][0]
        with pytest.raises(ValueError, match=f"{message} must be"):
            seq2seq.sequence_loss(*arguments)
    with pytest.raises(ValueError, match="average_across_batch and sum_over_batch"):
        seq2seq.sequence_loss(logits, targets, weights, sum_over_batch=True)
    with pytest.raises(ValueError, match="average_across_timesteps and sum_over_timesteps"):
        seq2seq.sequence_loss(logits, targets, weights, sum_over_timesteps=True)


def test_decoding_stops_at_once_where_all_sequences_are_empty() -> None:
    helper = seq2seq.TrainingHelper(memory(), [0, 0])
    cell = rnn_cell.GRUCell(4)
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, tf.float32))
    outputs, _, lengths = seq2seq.dynamic_decode(decoder)
    rnn_output, lengths = evaluate([outputs.rnn_output, lengths])
    assert rnn_output.shape == (2, 0, 4) and lengths.tolist() == [0, 0]


def test_shapes_are_known_as_far_as_the_input_says() -> None:
    inputs = memory(None)
    helper = seq2seq.TrainingHelper(inputs, v1.placeholder(tf.int32, [None]))
    cell = rnn_cell.GRUCell(4)
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(helper.batch_size, tf.float32))
    outputs, _, _ = seq2seq.dynamic_decode(decoder, output_time_major=True)
    assert outputs.rnn_output.shape.as_list() == [None, None, 4]
    assert outputs.sample_id.shape.as_list() == [None, None]


class Countdown(seq2seq.Decoder):
    """Puts out what is left, from the inputs down to 0; an example of a user's decoder."""

    def __init__(self, start: Any) -> None:
        self.start = tf.constant(start)

    @property
    def batch_size(self) -> Any:
        return tf.size(self.start)

    @property
    def output_size(self) -> Any:
        return tf.TensorShape([])

    @property
    def output_dtype(self) -> Any:
        return tf.int32

    def initialize(self, name: str | None = None) -> Any:
        return tf.equal(self.start, 0), self.start, tf.zeros_like(self.start)

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        return inputs, state + 1, inputs - 1, inputs <= 1


def test_users_write_decoders_of_their_own() -> None:
    outputs, state, lengths = seq2seq.dynamic_decode(Countdown([3, 0, 1]), impute_finished=True)
    outputs, state, lengths = evaluate([outputs, state, lengths])
    assert outputs.tolist() == [[3, 2, 1], [0, 0, 0], [1, 0, 0]]
    assert state.tolist() == lengths.tolist() == [3, 0, 1]


def test_a_decoder_may_sum_up_what_it_put_out() -> None:
    class Sums(Countdown):
        def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
            return (outputs, tf.reduce_sum(outputs, 0)), final_state

    outputs, _, _ = seq2seq.dynamic_decode(Sums([3, 0, 1]), impute_finished=True)
    outputs, sums = evaluate(outputs)
    assert (outputs.tolist(), sums.tolist()) == ([[3, 2, 1], [0, 0, 0], [1, 0, 0]], [6, 0, 1])


def test_alignments_are_kept_after_the_end_of_a_sequence() -> None:
    cell = attended(alignment_history=True)
    helper = seq2seq.TrainingHelper(memory(), [3, 1])
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(2, tf.float32))
    outputs, state, _ = seq2seq.dynamic_decode(decoder, impute_finished=True)
    history, rows = evaluate([state.alignment_history.stack(), outputs.rnn_output])
    # All rows of the memory are equal, and so are its alignments.
    np.testing.assert_allclose(history, np.full([3, 2, 3], 1 / 3), 1e-6)
    assert np.all(rows[0] != 0) and not rows[1, 1:].any()


def test_a_helper_and_a_mechanism_tell_what_they_were_given() -> None:
    inputs, layer = memory(), tf_layers.Dense(4, use_bias=False, dtype="float32")
    helper = seq2seq.TrainingHelper(inputs, [3, 1])
    assert helper.inputs is inputs
    assert evaluate(helper.sequence_length).tolist() == [3, 1]
    arguments: dict[str, Any] = {
        "query_layer": None,
        "memory": inputs,
        "probability_fn": lambda score, state: tf.nn.softmax(score),
        "memory_layer": layer,
    }
    mechanism = BaseAttentionMechanism(**arguments)
    assert mechanism.memory_layer is layer and mechanism.query_layer is None
    keys, values, kernel = evaluate([mechanism.keys, mechanism.values, layer.kernel])
    np.testing.assert_allclose(keys, values @ kernel, 1e-5)
    for name, value, message in (
        ("query_layer", 3, "query_layer is not a Layer: int"),
        ("memory_layer", None, "memory_layer is not a Layer: NoneType"),
        ("probability_fn", 3, "probability_fn must be callable, saw type: int"),
    ):
        with pytest.raises(TypeError, match=message):
            BaseAttentionMechanism(**{**arguments, name: value})


def test_users_subclass_mechanisms() -> None:
    class Shifted(seq2seq.BahdanauAttention):
        def __call__(self, query: Any, state: Any) -> Any:
            alignments, _ = super().__call__(query, state)
            return tf.roll(alignments, 1, axis=1), state

    cell = seq2seq.AttentionWrapper(rnn_cell.GRUCell(4), Shifted(4, memory(), [3, 1]))
    _, state = cell(tf.ones([2, 4]), cell.zero_state(2, tf.float32))
    alignments = evaluate(state.alignments)
    np.testing.assert_allclose(alignments[1], [0, 1, 0], atol=1e-6)
