"""Has the decoders: cells that are unrolled over a sequence, with attention and without."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.rnn_cell.linear import linear

v1 = tf.compat.v1


def rnn_decoder(
    decoder_inputs: Iterable[Any],
    initial_state: Any,
    cell: Any,
    loop_function: Callable[[Any, int], Any] | None = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """Unrolls a cell; stands for `tf.contrib.legacy_seq2seq.rnn_decoder`.

    Args:
        decoder_inputs: For each step a tensor of shape `[batch, size]`.
        initial_state: The state to begin with.
        cell: The cell.
        loop_function: Function from an output and the number of the next step to its input. Of
            `decoder_inputs`, only the first is used then.
        scope: The variable scope, or its name; by default `"rnn_decoder"`.

    Returns:
        The list of outputs, and the last state.
    """
    state, outputs = initial_state, list[Any]()
    with v1.variable_scope(scope or "rnn_decoder") as opened:
        for step, given in enumerate(decoder_inputs):
            if step > 0:
                given = _next_input(loop_function, outputs[-1], step, given)
                opened.reuse_variables()
            output, state = cell(given, state)
            outputs.append(output)
    return outputs, state


def embedding_rnn_decoder(
    decoder_inputs: Sequence[Any],
    initial_state: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    output_projection: tuple[Any, Any] | None = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """Unrolls a cell over embedded symbols; stands for `tf.contrib.legacy_seq2seq.embedding_rnn_decoder`.

    Args:
        decoder_inputs: For each step the symbols, integers of shape `[batch]`.
        initial_state: The state to begin with.
        cell: The cell.
        num_symbols: How many symbols there are.
        embedding_size: The size of the vector of a symbol.
        output_projection: The kernel and the bias that make logits of an output; `None` if it is logits.
        feed_previous: Whether the likeliest symbol of an output is the next input. Of `decoder_inputs`, only
            the first is used then.
        update_embedding_for_previous: Whether gradients go through the embeddings of such symbols.
        scope: The variable scope, or its name; by default `"embedding_rnn_decoder"`.

    Returns:
        The list of outputs, and the last state.

    Raises:
        ValueError: `output_projection` has a wrong shape.
    """
    with v1.variable_scope(scope or "embedding_rnn_decoder") as opened:
        check_projection(output_projection, num_symbols, opened.dtype)
        embedding = v1.get_variable("embedding", [num_symbols, embedding_size])
        loop_function = None
        if feed_previous:
            loop_function = likeliest_embedded(embedding, output_projection, update_embedding_for_previous)
        embedded = [tf.nn.embedding_lookup(embedding, each) for each in decoder_inputs]
        return rnn_decoder(embedded, initial_state, cell, loop_function=loop_function)


def attention_decoder(
    decoder_inputs: Sequence[Any],
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    output_size: int | None = None,
    num_heads: int = 1,
    loop_function: Callable[[Any, int], Any] | None = None,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> tuple[list[Any], Any]:
    """Unrolls a cell that attends to states; stands for `tf.contrib.legacy_seq2seq.attention_decoder`.

    Args:
        decoder_inputs: For each step a tensor of shape `[batch, size]`.
        initial_state: The state to begin with.
        attention_states: What is attended to, of shape `[batch, length, size]`.
        cell: The cell.
        output_size: The size of the outputs; by default that of the cell.
        num_heads: How often it attends at a time.
        loop_function: Function from an output and the number of the next step to its input. Of
            `decoder_inputs`, only the first is used then.
        dtype: The dtype of the variables; by default that of the scope.
        scope: The variable scope, or its name; by default `"attention_decoder"`.
        initial_state_attention: Whether the first step attends, with the initial state.

    Returns:
        The list of outputs, of shape `[batch, output_size]`, and the last state.

    Raises:
        ValueError: There are no inputs or no heads, or a size is not known.
    """
    if not decoder_inputs:
        raise ValueError("Must provide at least 1 input to attention decoder.")
    if num_heads < 1:
        raise ValueError("With less than 1 heads, use a non-attention decoder.")
    if attention_states.shape.as_list()[2] is None:
        raise ValueError(f"Shape[2] of attention_states must be known: {attention_states.shape}")
    with v1.variable_scope(scope or "attention_decoder", dtype=dtype) as opened:
        attention = _Attention(attention_states, num_heads, opened.dtype)
        attended = attention(initial_state) if initial_state_attention else attention.nothing()
        state, outputs = initial_state, list[Any]()
        for step, given in enumerate(decoder_inputs):
            if step > 0:
                opened.reuse_variables()
                given = _next_input(loop_function, outputs[-1], step, given)
            parts = [tf.cast(part, opened.dtype) for part in [given, *attended]]
            output, state = cell(linear(parts, given.shape.as_list()[1], True), state)
            with v1.variable_scope(opened, reuse=True if initial_state_attention else None):
                attended = attention(state)
            with v1.variable_scope("AttnOutputProjection"):
                parts = [tf.cast(output, opened.dtype), *attended]
                outputs.append(linear(parts, output_size or cell.output_size, True))
    return outputs, state


def embedding_attention_decoder(
    decoder_inputs: Sequence[Any],
    initial_state: Any,
    attention_states: Any,
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_size: int | None = None,
    output_projection: tuple[Any, Any] | None = None,
    feed_previous: bool = False,
    update_embedding_for_previous: bool = True,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> tuple[list[Any], Any]:
    """Unrolls a cell over embedded symbols, with attention.

    Stands for `tf.contrib.legacy_seq2seq.embedding_attention_decoder`.

    Args:
        decoder_inputs: For each step the symbols, integers of shape `[batch]`.
        initial_state: The state to begin with.
        attention_states: What is attended to, of shape `[batch, length, size]`.
        cell: The cell.
        num_symbols: How many symbols there are.
        embedding_size: The size of the vector of a symbol.
        num_heads: How often it attends at a time.
        output_size: The size of the outputs; by default that of the cell.
        output_projection: The kernel and the bias that make logits of an output; `None` if it is logits.
        feed_previous: Whether the likeliest symbol of an output is the next input. Of `decoder_inputs`, only
            the first is used then.
        update_embedding_for_previous: Whether gradients go through the embeddings of such symbols.
        dtype: The dtype of the variables; by default that of the scope.
        scope: The variable scope, or its name; by default `"embedding_attention_decoder"`.
        initial_state_attention: Whether the first step attends, with the initial state.

    Returns:
        The list of outputs, of shape `[batch, output_size]`, and the last state.

    Raises:
        ValueError: `output_projection` has a wrong shape, or the arguments are wrong as for
            `attention_decoder`.
    """
    with v1.variable_scope(scope or "embedding_attention_decoder", dtype=dtype):
        check_projection(output_projection, num_symbols, dtype)
        embedding = v1.get_variable("embedding", [num_symbols, embedding_size])
        loop_function = None
        if feed_previous:
            loop_function = likeliest_embedded(embedding, output_projection, update_embedding_for_previous)
        return attention_decoder(
            [tf.nn.embedding_lookup(embedding, each) for each in decoder_inputs],
            initial_state,
            attention_states,
            cell,
            output_size=output_size,
            num_heads=num_heads,
            loop_function=loop_function,
            initial_state_attention=initial_state_attention,
        )


def likeliest_embedded(
    embedding: Any, output_projection: tuple[Any, Any] | None, update_embedding: bool
) -> Callable[[Any, int], Any]:
    """Returns a function from an output to the embedding of its likeliest symbol.

    Args:
        embedding: The vectors of the symbols.
        output_projection: The kernel and the bias that make logits of an output; `None` if it is logits.
        update_embedding: Whether gradients go through the embedding.
    """

    def loop_function(output: Any, step: int) -> Any:
        if output_projection is not None:
            kernel, bias = output_projection
            output = tf.nn.bias_add(tf.matmul(output, kernel), bias)
        embedded = tf.nn.embedding_lookup(embedding, tf.argmax(output, 1))
        return embedded if update_embedding else tf.stop_gradient(embedded)

    return loop_function


def check_projection(output_projection: tuple[Any, Any] | None, num_symbols: int, dtype: Any) -> None:
    """Raises ValueError if a projection does not make logits of as many symbols.

    Args:
        output_projection: The kernel and the bias, or `None`.
        num_symbols: How many symbols there are.
        dtype: The dtype of both, if they are not tensors.
    """
    if output_projection is not None:
        for part, shape in zip(output_projection, ([None, num_symbols], [num_symbols]), strict=True):
            tf.convert_to_tensor(part, dtype=dtype).shape.assert_is_compatible_with(shape)


class _Attention:
    """Weighs states by what a query is to them, once for each head."""

    def __init__(self, states: Any, num_heads: int, dtype: Any) -> None:
        size = states.shape.as_list()[2]
        self._states, self._size, self._dtype = states, size, dtype
        self._keys, self._vectors = [], []
        for head in range(num_heads):
            kernel = v1.get_variable(f"AttnW_{head}", [1, 1, size, size], dtype=dtype)
            self._keys.append(tf.tensordot(states, tf.reshape(kernel, [size, size]), 1))
            self._vectors.append(v1.get_variable(f"AttnV_{head}", [size], dtype=dtype))

    def __call__(self, query: Any) -> list[Any]:
        query = tf.concat(tf.nest.flatten(query), 1)
        return [self._attend(head, query) for head in range(len(self._keys))]

    def nothing(self) -> list[Any]:
        batch = tf.shape(self._states)[0]
        return [tf.zeros([batch, self._size], self._dtype)] * len(self._keys)

    def _attend(self, head: int, query: Any) -> Any:
        with v1.variable_scope(f"Attention_{head}"):
            asked = tf.cast(linear(query, self._size, True), self._dtype)
        features = tf.tanh(self._keys[head] + tf.expand_dims(asked, 1))
        scores = tf.reduce_sum(self._vectors[head] * features, 2)
        weights = tf.cast(tf.nn.softmax(tf.cast(scores, tf.float32)), self._dtype)
        return tf.reduce_sum(tf.expand_dims(weights, 2) * self._states, 1)


def _next_input(loop_function: Callable[[Any, int], Any] | None, output: Any, step: int, given: Any) -> Any:
    if loop_function is None:
        return given
    with v1.variable_scope("loop_function", reuse=True):
        return loop_function(output, step)
