"""Has the models: an encoder whose last state is the first one of a decoder."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.legacy_seq2seq.decoders import (
    check_projection,
    embedding_attention_decoder,
    embedding_rnn_decoder,
    likeliest_embedded,
    rnn_decoder,
)
from keras_legacy_train.contrib.rnn.wrappers import EmbeddingWrapper, OutputProjectionWrapper
from keras_legacy_train.rnn_cell.wrappers import check_cell

v1 = tf.compat.v1


def basic_rnn_seq2seq(
    encoder_inputs: Sequence[Any],
    decoder_inputs: Sequence[Any],
    cell: Any,
    dtype: Any = tf.float32,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """Encodes and decodes with cells of one kind; stands for `tf.contrib.legacy_seq2seq.basic_rnn_seq2seq`.

    Args:
        encoder_inputs: For each step a tensor of shape `[batch, size]`.
        decoder_inputs: For each step a tensor of shape `[batch, size]`.
        cell: The cell of the decoder. A copy, with variables of its own, encodes.
        dtype: The dtype of the state.
        scope: The variable scope, or its name; by default `"basic_rnn_seq2seq"`.

    Returns:
        The list of outputs, and the last state.
    """
    with v1.variable_scope(scope or "basic_rnn_seq2seq"):
        _, state = v1.nn.static_rnn(copy.deepcopy(cell), encoder_inputs, dtype=dtype)
        return rnn_decoder(decoder_inputs, state, cell)


def tied_rnn_seq2seq(
    encoder_inputs: Sequence[Any],
    decoder_inputs: Sequence[Any],
    cell: Any,
    loop_function: Callable[[Any, int], Any] | None = None,
    dtype: Any = tf.float32,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """Encodes and decodes with the same cell; stands for `tf.contrib.legacy_seq2seq.tied_rnn_seq2seq`.

    Args:
        encoder_inputs: For each step a tensor of shape `[batch, size]`.
        decoder_inputs: For each step a tensor of shape `[batch, size]`.
        cell: The cell.
        loop_function: Function from an output and the number of the next step to its input.
        dtype: The dtype of the state.
        scope: The variable scope, or its name; by default `"tied_rnn_seq2seq"`.

    Returns:
        The list of outputs, and the last state.
    """
    with v1.variable_scope("combined_tied_rnn_seq2seq") as opened:
        scope = scope or "tied_rnn_seq2seq"
        _, state = v1.nn.static_rnn(cell, encoder_inputs, dtype=dtype, scope=scope)
        opened.reuse_variables()
        return rnn_decoder(decoder_inputs, state, cell, loop_function=loop_function, scope=scope)


def embedding_rnn_seq2seq(
    encoder_inputs: Sequence[Any],
    decoder_inputs: Sequence[Any],
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    output_projection: tuple[Any, Any] | None = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """Encodes and decodes symbols; stands for `tf.contrib.legacy_seq2seq.embedding_rnn_seq2seq`.

    Args:
        encoder_inputs: For each step the symbols, integers of shape `[batch]`.
        decoder_inputs: For each step the symbols, integers of shape `[batch]`.
        cell: The cell of the decoder. A copy, with variables of its own, encodes.
        num_encoder_symbols: How many symbols the encoder knows.
        num_decoder_symbols: How many symbols the decoder knows.
        embedding_size: The size of the vector of a symbol.
        output_projection: The kernel and the bias that make logits of an output. Without them, the outputs
            are logits.
        feed_previous: Whether the likeliest symbol of an output is the next input; a bool, or a tensor.
        dtype: The dtype of the state; by default that of the scope.
        scope: The variable scope, or its name; by default `"embedding_rnn_seq2seq"`.

    Returns:
        The list of outputs, and the last state.

    Raises:
        ValueError: `output_projection` has a wrong shape.
    """
    with v1.variable_scope(scope or "embedding_rnn_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        _, encoder_state = v1.nn.static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)

        def decode(feed: bool, update: bool) -> Any:
            return embedding_rnn_decoder(
                decoder_inputs,
                encoder_state,
                cell,
                num_decoder_symbols,
                embedding_size,
                output_projection=output_projection,
                feed_previous=feed,
                update_embedding_for_previous=update,
            )

        return _decoded(feed_previous, decode)


def embedding_tied_rnn_seq2seq(
    encoder_inputs: Sequence[Any],
    decoder_inputs: Sequence[Any],
    cell: Any,
    num_symbols: int,
    embedding_size: int,
    num_decoder_symbols: int | None = None,
    output_projection: tuple[Any, Any] | None = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> tuple[list[Any], Any]:
    """Encodes and decodes symbols of one kind with one cell.

    Stands for `tf.contrib.legacy_seq2seq.embedding_tied_rnn_seq2seq`.

    Args:
        encoder_inputs: For each step the symbols, integers of shape `[batch]`.
        decoder_inputs: For each step the symbols, integers of shape `[batch]`.
        cell: The cell.
        num_symbols: How many symbols there are.
        embedding_size: The size of the vector of a symbol.
        num_decoder_symbols: How many of them, from the first one on, the decoder writes; by default all.
        output_projection: The kernel and the bias that make logits of an output. Without them, the outputs
            are logits.
        feed_previous: Whether the likeliest symbol of an output is the next input; a bool, or a tensor.
        dtype: The dtype of the state; by default that of the scope.
        scope: The variable scope, or its name; by default `"embedding_tied_rnn_seq2seq"`.

    Returns:
        The list of outputs, and the last state.

    Raises:
        ValueError: `output_projection` has a wrong shape.
    """
    with v1.variable_scope(scope or "embedding_tied_rnn_seq2seq", dtype=dtype) as opened:
        check_projection(output_projection, num_symbols, opened.dtype)
        embedding = v1.get_variable("embedding", [num_symbols, embedding_size], dtype=opened.dtype)
        encoder_embedded, decoder_embedded = (
            [tf.nn.embedding_lookup(embedding, each) for each in inputs]
            for inputs in (encoder_inputs, decoder_inputs)
        )
        if output_projection is None:
            cell = OutputProjectionWrapper(
                cell, num_symbols if num_decoder_symbols is None else num_decoder_symbols
            )

        def decode(feed: bool, update: bool) -> Any:
            loop_function = likeliest_embedded(embedding, output_projection, update) if feed else None
            return tied_rnn_seq2seq(
                encoder_embedded,
                decoder_embedded,
                cell,
                loop_function=loop_function,
                dtype=opened.dtype,
            )

        return _decoded(feed_previous, decode)


def embedding_attention_seq2seq(
    encoder_inputs: Sequence[Any],
    decoder_inputs: Sequence[Any],
    cell: Any,
    num_encoder_symbols: int,
    num_decoder_symbols: int,
    embedding_size: int,
    num_heads: int = 1,
    output_projection: tuple[Any, Any] | None = None,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
    initial_state_attention: bool = False,
) -> tuple[list[Any], Any]:
    """Encodes symbols, and decodes with attention to all outputs of the encoder.

    Stands for `tf.contrib.legacy_seq2seq.embedding_attention_seq2seq`.

    Args:
        encoder_inputs: For each step the symbols, integers of shape `[batch]`.
        decoder_inputs: For each step the symbols, integers of shape `[batch]`.
        cell: The cell of the decoder. A copy, with variables of its own, encodes.
        num_encoder_symbols: How many symbols the encoder knows.
        num_decoder_symbols: How many symbols the decoder knows.
        embedding_size: The size of the vector of a symbol.
        num_heads: How often it attends at a time.
        output_projection: The kernel and the bias that make logits of an output. Without them, the outputs
            are logits.
        feed_previous: Whether the likeliest symbol of an output is the next input; a bool, or a tensor.
        dtype: The dtype of the state; by default that of the scope.
        scope: The variable scope, or its name; by default `"embedding_attention_seq2seq"`.
        initial_state_attention: Whether the first step of the decoder attends.

    Returns:
        The list of outputs, and the last state.

    Raises:
        ValueError: `output_projection` has a wrong shape.
    """
    with v1.variable_scope(scope or "embedding_attention_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(copy.deepcopy(cell), num_encoder_symbols, embedding_size)
        encoded, encoder_state = v1.nn.static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        attention_states = tf.stack(encoded, axis=1)
        output_size = None
        if output_projection is None:
            cell = OutputProjectionWrapper(cell, num_decoder_symbols)
            output_size = num_decoder_symbols

        def decode(feed: bool, update: bool) -> Any:
            return embedding_attention_decoder(
                decoder_inputs,
                encoder_state,
                attention_states,
                cell,
                num_decoder_symbols,
                embedding_size,
                num_heads=num_heads,
                output_size=output_size,
                output_projection=output_projection,
                feed_previous=feed,
                update_embedding_for_previous=update,
                initial_state_attention=initial_state_attention,
            )

        return _decoded(feed_previous, decode)


def one2many_rnn_seq2seq(
    encoder_inputs: Sequence[Any],
    decoder_inputs_dict: Mapping[str, Sequence[Any]],
    enc_cell: Any,
    dec_cells_dict: Mapping[str, Any],
    num_encoder_symbols: int,
    num_decoder_symbols_dict: Mapping[str, int],
    embedding_size: int,
    feed_previous: Any = False,
    dtype: Any = None,
    scope: Any = None,
) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    """Encodes symbols, and decodes them several times.

    Stands for `tf.contrib.legacy_seq2seq.one2many_rnn_seq2seq`.

    Args:
        encoder_inputs: For each step the symbols, integers of shape `[batch]`.
        decoder_inputs_dict: For each decoder, by its name, and for each step the symbols.
        enc_cell: The cell of the encoder.
        dec_cells_dict: For each decoder the cell.
        num_encoder_symbols: How many symbols the encoder knows.
        num_decoder_symbols_dict: How many symbols each decoder knows.
        embedding_size: The size of the vector of a symbol.
        feed_previous: Whether the likeliest symbol of an output is the next input; a bool, or a tensor.
        dtype: The dtype of the state; by default that of the scope.
        scope: The variable scope, or its name; by default `"one2many_rnn_seq2seq"`.

    Returns:
        For each decoder the list of outputs, and for each the last state.

    Raises:
        TypeError: A cell is not one.
        ValueError: The decoders' names differ.
    """
    check_cell("enc_cell", enc_cell)
    if set(dec_cells_dict) != set(decoder_inputs_dict):
        raise ValueError("keys of dec_cells_dict != keys of decoder_inputs_dict")
    for name, cell in dec_cells_dict.items():
        check_cell(f"dec_cells_dict[{name!r}]", cell)
    outputs, states = {}, {}
    with v1.variable_scope(scope or "one2many_rnn_seq2seq", dtype=dtype) as opened:
        encoder = EmbeddingWrapper(enc_cell, num_encoder_symbols, embedding_size)
        _, encoder_state = v1.nn.static_rnn(encoder, encoder_inputs, dtype=opened.dtype)
        for name, decoder_inputs in decoder_inputs_dict.items():
            symbols = num_decoder_symbols_dict[name]
            with v1.variable_scope(f"one2many_decoder_{name}"):
                cell = OutputProjectionWrapper(dec_cells_dict[name], symbols)

                # Gradients go through the embeddings of symbols fed back, in this model always.
                def decode(feed: bool, update: bool) -> Any:
                    return embedding_rnn_decoder(
                        decoder_inputs,  # noqa: B023
                        encoder_state,
                        cell,  # noqa: B023
                        symbols,  # noqa: B023
                        embedding_size,
                        feed_previous=feed,
                    )

                outputs[name], states[name] = _decoded(feed_previous, decode)
    return outputs, states


def _decoded(
    feed_previous: Any, decode: Callable[[bool, bool], tuple[list[Any], Any]]
) -> tuple[list[Any], Any]:
    """Returns the outputs and the state of a decoder, which a tensor may tell what to feed.

    Args:
        feed_previous: Whether outputs are fed back: a bool, or a scalar tensor.
        decode: Function from whether they are, and whether gradients then go through their embeddings.
    """
    if isinstance(feed_previous, bool):
        return decode(feed_previous, True)

    def branch(feed: bool) -> Any:
        with v1.variable_scope(v1.get_variable_scope(), reuse=None if feed else True):
            return decode(feed, False)

    outputs, state = tf.cond(feed_previous, lambda: branch(True), lambda: branch(False))
    return outputs, state
