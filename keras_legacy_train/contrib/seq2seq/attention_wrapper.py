"""Has the cell that looks at a memory while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from keras_legacy_train.contrib.seq2seq.attention_mechanism import (
    AttentionMechanism,
    BahdanauAttention,
    BahdanauMonotonicAttention,
    LuongAttention,
    LuongMonotonicAttention,
    hardmax,
)
from keras_legacy_train.contrib.seq2seq.attention_mechanism import (
    # Old scripts subclass it by this name.
    BaseAttentionMechanism as _BaseAttentionMechanism,  # noqa: F401
)
from keras_legacy_train.contrib.seq2seq.monotonic_attention import monotonic_attention, safe_cumprod
from keras_legacy_train.rnn_cell.base import RNNCell
from keras_legacy_train.rnn_cell.wrappers import check_cell
from keras_legacy_train.tf_layers.core import Dense

v1 = tf.compat.v1

__all__ = [
    "AttentionMechanism",
    "AttentionWrapper",
    "AttentionWrapperState",
    "BahdanauAttention",
    "BahdanauMonotonicAttention",
    "LuongAttention",
    "LuongMonotonicAttention",
    "hardmax",
    "monotonic_attention",
    "safe_cumprod",
]


class _State(NamedTuple):
    cell_state: Any
    attention: Any
    time: Any
    alignments: Any
    alignment_history: Any
    attention_state: Any


class AttentionWrapperState(_State):
    """Holds the state of an `AttentionWrapper`; stands for `tf.contrib.seq2seq.AttentionWrapperState`.

    It has the `cell_state`, the last `attention`, the `time`, an int32 scalar, the last `alignments`, the
    `alignment_history`, a `tf.TensorArray` of all alignments or `()`, and the `attention_state`. With several
    mechanisms, the last three are tuples.
    """

    __slots__ = ()

    def clone(self, **kwargs: Any) -> AttentionWrapperState:
        """Returns a copy with other parts.

        Args:
            **kwargs: The other parts by name. They get the shapes of those before.

        Raises:
            ValueError: A shape contradicts the one before.
        """

        def with_shape(old: Any, new: Any) -> Any:
            if isinstance(old, tf.Tensor) and isinstance(new, tf.Tensor):
                if not old.shape.is_compatible_with(new.shape):
                    raise ValueError(
                        "The shape of the AttentionWrapperState is expected to be same as the one to clone."
                        f" self.shape: {old.shape}, input.shape: {new.shape}"
                    )
                new.set_shape(old.shape)
            return new

        state: AttentionWrapperState = tf.nest.map_structure(with_shape, self, self._replace(**kwargs))
        return state


class AttentionWrapper(RNNCell):
    """Gives a cell attention to a memory; stands for `tf.contrib.seq2seq.AttentionWrapper`.

    For a `BeamSearchDecoder`, the memory, its lengths and the state of the encoder must be tiled by
    `tile_batch`, and the batch size of `zero_state` is `batch_size * beam_width`.

    Args:
        cell: The cell.
        attention_mechanism: A mechanism, or a list of them.
        attention_layer_size: The size of a layer that makes the attention of output and context, one for each
            mechanism; by default, the attention is the context.
        alignment_history: Whether the state keeps the alignments of all steps.
        cell_input_fn: A function from inputs and attention to the cell's inputs; by default, it joins them.
        output_attention: Whether the output is the attention and not that of the cell.
        initial_cell_state: The state of the cell in `zero_state`; by default zeros.
        name: The name of the cell and of its variable scope.
        attention_layer: A layer in the place of `attention_layer_size`, one for each mechanism.
        attention_fn: A function of mechanism, cell output, attention state and attention layer to attention,
            alignments and next attention state.
        dtype: The dtype of the cell.

    Raises:
        TypeError: An argument is of another type.
        ValueError: Sizes or layers are given for some mechanisms only, or both are given.
    """

    def __init__(
        self,
        cell: Any,
        attention_mechanism: Any,
        attention_layer_size: Any = None,
        alignment_history: bool = False,
        cell_input_fn: Callable[[Any, Any], Any] | None = None,
        output_attention: bool = True,
        initial_cell_state: Any = None,
        name: str | None = None,
        attention_layer: Any = None,
        attention_fn: Callable[..., Any] | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        check_cell("cell", cell)
        self._is_multi = isinstance(attention_mechanism, (list, tuple))
        mechanisms = tuple(attention_mechanism) if self._is_multi else (attention_mechanism,)
        for mechanism in mechanisms:
            if not isinstance(mechanism, AttentionMechanism):
                raise TypeError(
                    "attention_mechanism must be an AttentionMechanism or list of multiple AttentionMechanism"
                    f" instances, saw type: {type(mechanism).__name__}"
                )
        if cell_input_fn is not None and not callable(cell_input_fn):
            raise TypeError(f"cell_input_fn must be callable, saw type: {type(cell_input_fn).__name__}")
        self._cell = cell
        self._attention_mechanisms = mechanisms
        self._cell_input_fn = cell_input_fn or (lambda inputs, attention: tf.concat([inputs, attention], -1))
        self._output_attention = output_attention
        self._alignment_history = alignment_history
        self._attention_fn = attention_fn or _compute_attention
        self._attention_layers = self._make_layers(attention_layer_size, attention_layer)
        self._attention_layer_size = self._make_size(attention_layer_size)
        with v1.name_scope(name, "AttentionWrapperInit"):
            self._initial_cell_state = None
            if initial_cell_state is not None:
                last = tf.nest.flatten(initial_cell_state)[-1]
                message = (
                    f"When constructing AttentionWrapper {self._base_name}: Non-matching batch sizes between"
                    " the memory (encoder output) and initial_cell_state. Are you using the"
                    " BeamSearchDecoder? You may need to tile your initial state via the tile_batch function"
                    " with argument multiplier=beam_width."
                )
                with tf.control_dependencies(self._batch_size_checks(_batch_size(last), message)):
                    self._initial_cell_state = tf.nest.map_structure(
                        lambda state: tf.identity(state, name="check_initial_cell_state"), initial_cell_state
                    )

    def _make_layers(self, size: Any, layer: Any) -> tuple[Any, ...] | None:
        """Returns a layer for each mechanism, or None."""
        if size is not None and layer is not None:
            raise ValueError("Only one of attention_layer_size and attention_layer should be set")
        if size is None and layer is None:
            return None
        name = "attention_layer" if size is None else "attention_layer_size"
        given = layer if size is None else size
        each = tuple(given) if isinstance(given, (list, tuple)) else (given,)
        if len(each) != len(self._attention_mechanisms):
            raise ValueError(
                f"If provided, {name} must contain exactly one"
                f" {'layer' if size is None else 'integer'} per attention_mechanism,"
                f" saw: {len(each)} vs {len(self._attention_mechanisms)}"
            )
        if size is None:
            return each
        return tuple(
            Dense(units, use_bias=False, name="attention_layer", dtype=mechanism.dtype)
            for units, mechanism in zip(each, self._attention_mechanisms, strict=True)
        )

    def _make_size(self, size: Any) -> int:
        """Returns the size of the attention of all mechanisms."""
        if size is not None:
            return sum(size) if isinstance(size, (list, tuple)) else size
        sizes = [mechanism.values.shape.as_list()[-1] for mechanism in self._attention_mechanisms]
        if self._attention_layers is None:
            return sum(sizes)
        return sum(
            layer.compute_output_shape([None, self._cell.output_size + size]).as_list()[-1]
            for layer, size in zip(self._attention_layers, sizes, strict=True)
        )

    def _batch_size_checks(self, batch_size: Any, message: str) -> list[Any]:
        return [
            v1.assert_equal(batch_size, mechanism.batch_size, message=message)
            for mechanism in self._attention_mechanisms
        ]

    def _item_or_tuple(self, items: Iterable[Any]) -> Any:
        """Returns the items as a tuple if the mechanisms were given as a list, else the only one."""
        items = tuple(items)
        return items if self._is_multi else items[0]

    @property
    def output_size(self) -> Any:
        """Returns the size of the attention, or of the cell's output."""
        return self._attention_layer_size if self._output_attention else self._cell.output_size

    @property
    def state_size(self) -> Any:
        """Returns an `AttentionWrapperState` of sizes."""
        mechanisms = self._attention_mechanisms
        return AttentionWrapperState(
            cell_state=self._cell.state_size,
            time=tf.TensorShape([]),
            attention=self._attention_layer_size,
            alignments=self._item_or_tuple(each.alignments_size for each in mechanisms),
            attention_state=self._item_or_tuple(each.state_size for each in mechanisms),
            alignment_history=self._item_or_tuple(
                each.alignments_size if self._alignment_history else () for each in mechanisms
            ),
        )

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Returns the state before the first step.

        Args:
            batch_size: An integer or a scalar tensor; for a `BeamSearchDecoder`, times the width of the beam.
            dtype: The dtype of the state.

        Returns:
            An `AttentionWrapperState`.

        Raises:
            ValueError: The batch size is not that of a memory. An `InvalidArgumentError` when the graph runs,
                where they are known then only.
        """
        with v1.name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            if self._initial_cell_state is not None:
                cell_state = self._initial_cell_state
            else:
                cell_state = self._cell.zero_state(batch_size, dtype)
            message = (
                f"When calling zero_state of AttentionWrapper {self._base_name}: Non-matching batch sizes"
                " between the memory (encoder output) and the requested batch size. Are you using the"
                " BeamSearchDecoder? If so, make sure your encoder output has been tiled to beam_width via"
                " tile_batch, and the batch_size= argument passed to zero_state is batch_size * beam_width."
            )
            with tf.control_dependencies(self._batch_size_checks(batch_size, message)):
                cell_state = tf.nest.map_structure(
                    lambda state: tf.identity(state, name="checked_cell_state"), cell_state
                )
            mechanisms = self._attention_mechanisms
            alignments = [each.initial_alignments(batch_size, dtype) for each in mechanisms]
            attention = tf.zeros([batch_size, self._attention_layer_size], dtype)
            attention.set_shape([tf.get_static_value(batch_size), self._attention_layer_size])
            return AttentionWrapperState(
                cell_state=cell_state,
                time=tf.zeros([], tf.int32),
                attention=attention,
                alignments=self._item_or_tuple(alignments),
                attention_state=self._item_or_tuple(
                    each.initial_state(batch_size, dtype) for each in mechanisms
                ),
                alignment_history=self._item_or_tuple(
                    tf.TensorArray(dtype, 0, dynamic_size=True, element_shape=each.shape)
                    if self._alignment_history
                    else ()
                    for each in alignments
                ),
            )

    def call(self, inputs: Any, state: Any) -> Any:
        """Returns the attention, or the cell's output, and the next state.

        Args:
            inputs: The inputs of the step.
            state: The `AttentionWrapperState` before it.

        Raises:
            TypeError: `state` is not an `AttentionWrapperState`.
        """
        if not isinstance(state, AttentionWrapperState):
            raise TypeError(
                "Expected state to be instance of AttentionWrapperState."
                f" Received type {type(state)} instead."
            )
        cell_inputs = self._cell_input_fn(inputs, state.attention)
        cell_output, next_cell_state = self._cell(cell_inputs, state.cell_state)
        message = (
            f"When applying AttentionWrapper {self.name}: Non-matching batch sizes between the memory"
            " (encoder output) and the query (decoder output). Are you using the BeamSearchDecoder? You may"
            " need to tile your memory input via the tile_batch function with argument multiplier=beam_width."
        )
        with tf.control_dependencies(self._batch_size_checks(_batch_size(cell_output), message)):
            cell_output = tf.identity(cell_output, name="checked_cell_output")

        attention_states, histories = state.attention_state, state.alignment_history
        if not self._is_multi:
            attention_states, histories = [attention_states], [histories]
        count = len(self._attention_mechanisms)
        attentions, alignments, next_states = zip(
            *map(
                self._attention_fn,
                self._attention_mechanisms,
                [cell_output] * count,
                attention_states,
                self._attention_layers or [None] * count,
            ),
            strict=True,
        )
        if self._alignment_history:
            histories = [
                history.write(state.time, each) for history, each in zip(histories, alignments, strict=True)
            ]
        attention = tf.concat(attentions, 1)
        next_state = AttentionWrapperState(
            time=state.time + 1,
            cell_state=next_cell_state,
            attention=attention,
            attention_state=self._item_or_tuple(next_states),
            alignments=self._item_or_tuple(alignments),
            alignment_history=self._item_or_tuple(histories),
        )
        return (attention if self._output_attention else cell_output), next_state


def _batch_size(tensor: tf.Tensor) -> Any:
    return tensor.shape.as_list()[0] or tf.shape(tensor)[0]


def _compute_attention(
    attention_mechanism: Any, cell_output: Any, attention_state: Any, attention_layer: Any
) -> tuple[Any, Any, Any]:
    """Returns the attention of a mechanism, its alignments and its next state."""
    alignments, next_state = attention_mechanism(cell_output, state=attention_state)
    context = tf.squeeze(tf.matmul(tf.expand_dims(alignments, 1), attention_mechanism.values), [1])
    if attention_layer is None:
        return context, alignments, next_state
    return attention_layer(tf.concat([cell_output, context], 1)), alignments, next_state
