"""Has the mechanisms of attention, which say how much each position of a memory matters to a query."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.contrib.seq2seq.monotonic_attention import monotonic_probabilities
from keras_legacy_train.tf_layers.base import Layer
from keras_legacy_train.tf_layers.core import Dense

v1 = tf.compat.v1


class AttentionMechanism:
    """Scores the positions of a memory; stands for `tf.contrib.seq2seq.AttentionMechanism`."""

    @property
    def alignments_size(self) -> Any:
        """Returns the number of positions, an integer or a scalar tensor."""
        raise NotImplementedError

    @property
    def state_size(self) -> Any:
        """Returns the size of the state that is kept between steps."""
        raise NotImplementedError


class BaseAttentionMechanism(AttentionMechanism):
    """Keeps a memory and its keys; the base class of this package's mechanisms.

    A subclass takes `(query, state)` to `(alignments, next_state)` in `__call__`.

    Args:
        query_layer: A layer of `tf_layers` for queries, or None.
        memory: A tensor of shape `[batch, time, …]`.
        probability_fn: A function from scores and the state to alignments.
        memory_sequence_length: An int32 vector, the number of positions of each sequence. The rest is masked.
        memory_layer: A layer of `tf_layers` that makes the keys of the memory.
        check_inner_dims_defined: Whether the memory's sizes after time must be known.
        score_mask_value: The score of masked positions; by default minus infinity.
        custom_key_value_fn: A function from keys and values to those to use.
        name: The name scope of the ops.

    Raises:
        TypeError: A layer or function is of another type.
        ValueError: The sizes of the memory are not known.
    """

    def __init__(
        self,
        query_layer: Any,
        memory: Any,
        probability_fn: Callable[[Any, Any], Any],
        memory_sequence_length: Any = None,
        memory_layer: Any = None,
        check_inner_dims_defined: bool = True,
        score_mask_value: Any = None,
        custom_key_value_fn: Callable[[Any, Any], Any] | None = None,
        name: str | None = None,
    ) -> None:
        if query_layer is not None and not isinstance(query_layer, Layer):
            raise TypeError(f"query_layer is not a Layer: {type(query_layer).__name__}")
        if not isinstance(memory_layer, Layer):
            raise TypeError(f"memory_layer is not a Layer: {type(memory_layer).__name__}")
        if not callable(probability_fn):
            raise TypeError(f"probability_fn must be callable, saw type: {type(probability_fn).__name__}")
        self._query_layer = query_layer
        self._memory_layer = memory_layer
        self.dtype = memory_layer.dtype
        if score_mask_value is None:
            score_mask_value = tf.as_dtype(self.dtype).as_numpy_dtype(-np.inf)
        self._probability_fn: Callable[[Any, Any], Any] = lambda score, state: probability_fn(
            _mask_score(score, memory_sequence_length, score_mask_value), state
        )
        with v1.name_scope(name, "BaseAttentionMechanismInit", [memory]):
            self._values = _prepare_memory(memory, memory_sequence_length, check_inner_dims_defined)
            self._keys = memory_layer(self._values)
            if custom_key_value_fn is not None:
                self._keys, self._values = custom_key_value_fn(self._keys, self._values)
            self._batch_size = _size(self._keys, 0)
            self._alignments_size = _size(self._keys, 1)

    @property
    def memory_layer(self) -> Any:
        """Returns the layer that makes keys."""
        return self._memory_layer

    @property
    def query_layer(self) -> Any:
        """Returns the layer for queries, or None."""
        return self._query_layer

    @property
    def values(self) -> Any:
        """Returns the memory, with zeros after the end of each sequence."""
        return self._values

    @property
    def keys(self) -> Any:
        """Returns what queries are compared with, of shape `[batch, time, units]`."""
        return self._keys

    @property
    def batch_size(self) -> Any:
        """Returns the number of sequences, an integer or a scalar tensor."""
        return self._batch_size

    @property
    def alignments_size(self) -> Any:
        """Returns the number of positions, an integer or a scalar tensor."""
        return self._alignments_size

    @property
    def state_size(self) -> Any:
        """Returns the number of positions: the state is the last alignments."""
        return self._alignments_size

    def initial_alignments(self, batch_size: Any, dtype: Any) -> tf.Tensor:
        """Returns zeros of shape `[batch, positions]`.

        Args:
            batch_size: An integer or a scalar tensor.
            dtype: The dtype of the tensor.
        """
        zeros = tf.zeros(tf.stack([batch_size, self._alignments_size]), dtype)
        zeros.set_shape([tf.get_static_value(batch_size), tf.get_static_value(self._alignments_size)])
        return zeros

    def initial_state(self, batch_size: Any, dtype: Any) -> Any:
        """Returns the first state: the initial alignments.

        Args:
            batch_size: An integer or a scalar tensor.
            dtype: The dtype of the state.
        """
        return self.initial_alignments(batch_size, dtype)


class LuongAttention(BaseAttentionMechanism):
    """Scores by products of query and keys; stands for `tf.contrib.seq2seq.LuongAttention`.

    As in "Effective Approaches to Attention-based Neural Machine Translation", https://arxiv.org/abs/1508.04025.

    Args:
        num_units: The size of queries, which the keys get, too.
        memory: A tensor of shape `[batch, time, …]`.
        memory_sequence_length: An int32 vector, the number of positions of each sequence. The rest is masked.
        scale: Whether scores are multiplied by a variable, `attention_g`.
        probability_fn: A function from scores to alignments; by default `tf.nn.softmax`.
        score_mask_value: The score of masked positions; by default minus infinity.
        dtype: The dtype of the layer of the memory; by default float32.
        custom_key_value_fn: A function from keys and values to those to use.
        name: The name scope of the ops.
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        probability_fn: Callable[[Any], Any] | None = None,
        score_mask_value: Any = None,
        dtype: Any = None,
        custom_key_value_fn: Callable[[Any, Any], Any] | None = None,
        name: str = "LuongAttention",
    ) -> None:
        super().__init__(
            query_layer=None,
            memory_layer=_dense(num_units, "memory_layer", dtype),
            memory=memory,
            probability_fn=_without_state(probability_fn),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            custom_key_value_fn=custom_key_value_fn,
            name=name,
        )
        self._num_units = num_units
        self._scale = scale
        self._name = name

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        """Returns the alignments, and the next state, which is the same.

        Args:
            query: A tensor of shape `[batch, num_units]`.
            state: The alignments of the step before.
        """
        with v1.variable_scope(None, "luong_attention", [query]):
            score = _luong_score(query, self._keys, self._scale)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


class BahdanauAttention(BaseAttentionMechanism):
    """Scores by a layer of query and keys; stands for `tf.contrib.seq2seq.BahdanauAttention`.

    As in "Neural Machine Translation by Jointly Learning to Align and Translate", https://arxiv.org/abs/1409.0473.

    Args:
        num_units: The size that queries and keys get.
        memory: A tensor of shape `[batch, time, …]`.
        memory_sequence_length: An int32 vector, the number of positions of each sequence. The rest is masked.
        normalize: Whether the weights of scores are normalised, as in https://arxiv.org/abs/1602.07868.
        probability_fn: A function from scores to alignments; by default `tf.nn.softmax`.
        score_mask_value: The score of masked positions; by default minus infinity.
        dtype: The dtype of the layers; by default float32.
        custom_key_value_fn: A function from keys and values to those to use.
        name: The name scope of the ops.
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        probability_fn: Callable[[Any], Any] | None = None,
        score_mask_value: Any = None,
        dtype: Any = None,
        custom_key_value_fn: Callable[[Any, Any], Any] | None = None,
        name: str = "BahdanauAttention",
    ) -> None:
        super().__init__(
            query_layer=_dense(num_units, "query_layer", dtype),
            memory_layer=_dense(num_units, "memory_layer", dtype),
            memory=memory,
            probability_fn=_without_state(probability_fn),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            custom_key_value_fn=custom_key_value_fn,
            name=name,
        )
        self._num_units = num_units
        self._normalize = normalize
        self._name = name

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        """Returns the alignments, and the next state, which is the same.

        Args:
            query: A tensor of shape `[batch, …]`.
            state: The alignments of the step before.
        """
        with v1.variable_scope(None, "bahdanau_attention", [query]):
            processed = self.query_layer(query) if self.query_layer else query
            score = _bahdanau_score(processed, self._keys, self._num_units, query.dtype, self._normalize)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


class MonotonicAttentionMechanism(BaseAttentionMechanism):
    """Begins at the first position: the base class of monotonic mechanisms."""

    def initial_alignments(self, batch_size: Any, dtype: Any) -> tf.Tensor:
        """Returns a tensor of shape `[batch, positions]`, 1 at the first position and 0 at the others.

        Args:
            batch_size: An integer or a scalar tensor.
            dtype: The dtype of the tensor.
        """
        return tf.one_hot(tf.zeros([batch_size], tf.int32), self._alignments_size, dtype=dtype)


class BahdanauMonotonicAttention(MonotonicAttentionMechanism):
    """Scores as `BahdanauAttention` and never goes back.

    Stands for `tf.contrib.seq2seq.BahdanauMonotonicAttention`. As in "Online and Linear-Time Attention by
    Enforcing Monotonic Alignments", https://arxiv.org/abs/1704.00784.

    Args:
        num_units: The size that queries and keys get.
        memory: A tensor of shape `[batch, time, …]`.
        memory_sequence_length: An int32 vector, the number of positions of each sequence. The rest is masked.
        normalize: Whether the weights of scores are normalised.
        score_mask_value: The score of masked positions; by default minus infinity.
        sigmoid_noise: The standard deviation of noise that is added to scores.
        sigmoid_noise_seed: The seed of the noise.
        score_bias_init: The first value of a bias of scores.
        mode: How alignments are computed, as for `monotonic_attention`.
        dtype: The dtype of the layers; by default float32.
        name: The name scope of the ops.
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        normalize: bool = False,
        score_mask_value: Any = None,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "BahdanauMonotonicAttention",
    ) -> None:
        super().__init__(
            query_layer=_dense(num_units, "query_layer", dtype),
            memory_layer=_dense(num_units, "memory_layer", dtype),
            memory=memory,
            probability_fn=monotonic_probabilities(sigmoid_noise, mode, sigmoid_noise_seed),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            name=name,
        )
        self._num_units = num_units
        self._normalize = normalize
        self._name = name
        self._score_bias_init = score_bias_init

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        """Returns the alignments, and the next state, which is the same.

        Args:
            query: A tensor of shape `[batch, …]`.
            state: The alignments of the step before.
        """
        with v1.variable_scope(None, "bahdanau_monotonic_attention", [query]):
            processed = self.query_layer(query) if self.query_layer else query
            score = _bahdanau_score(processed, self._keys, self._num_units, query.dtype, self._normalize)
            score += _score_bias(self._score_bias_init, query.dtype)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


class LuongMonotonicAttention(MonotonicAttentionMechanism):
    """Scores as `LuongAttention` and never goes back.

    Stands for `tf.contrib.seq2seq.LuongMonotonicAttention`. As in "Online and Linear-Time Attention by
    Enforcing Monotonic Alignments", https://arxiv.org/abs/1704.00784.

    Args:
        num_units: The size of queries, which the keys get, too.
        memory: A tensor of shape `[batch, time, …]`.
        memory_sequence_length: An int32 vector, the number of positions of each sequence. The rest is masked.
        scale: Whether scores are multiplied by a variable, `attention_g`.
        score_mask_value: The score of masked positions; by default minus infinity.
        sigmoid_noise: The standard deviation of noise that is added to scores.
        sigmoid_noise_seed: The seed of the noise.
        score_bias_init: The first value of a bias of scores.
        mode: How alignments are computed, as for `monotonic_attention`.
        dtype: The dtype of the layer of the memory; by default float32.
        name: The name scope of the ops.
    """

    def __init__(
        self,
        num_units: int,
        memory: Any,
        memory_sequence_length: Any = None,
        scale: bool = False,
        score_mask_value: Any = None,
        sigmoid_noise: float = 0.0,
        sigmoid_noise_seed: int | None = None,
        score_bias_init: float = 0.0,
        mode: str = "parallel",
        dtype: Any = None,
        name: str = "LuongMonotonicAttention",
    ) -> None:
        super().__init__(
            query_layer=None,
            memory_layer=_dense(num_units, "memory_layer", dtype),
            memory=memory,
            probability_fn=monotonic_probabilities(sigmoid_noise, mode, sigmoid_noise_seed),
            memory_sequence_length=memory_sequence_length,
            score_mask_value=score_mask_value,
            name=name,
        )
        self._num_units = num_units
        self._scale = scale
        self._score_bias_init = score_bias_init
        self._name = name

    def __call__(self, query: Any, state: Any) -> tuple[Any, Any]:
        """Returns the alignments, and the next state, which is the same.

        Args:
            query: A tensor of shape `[batch, num_units]`.
            state: The alignments of the step before.
        """
        with v1.variable_scope(None, "luong_monotonic_attention", [query]):
            score = _luong_score(query, self._keys, self._scale)
            score += _score_bias(self._score_bias_init, query.dtype)
        alignments = self._probability_fn(score, state)
        return alignments, alignments


def hardmax(logits: Any, name: str | None = None) -> tf.Tensor:
    """Returns 1 at the largest of each row, and 0 elsewhere; stands for `tf.contrib.seq2seq.hardmax`.

    Args:
        logits: A tensor; rows are in its last dimension.
        name: The name scope of the ops.
    """
    with v1.name_scope(name, "Hardmax", [logits]):
        logits = tf.convert_to_tensor(logits, name="logits")
        return tf.one_hot(tf.argmax(logits, -1), _size(logits, -1), dtype=logits.dtype)


def _dense(units: int, name: str, dtype: Any) -> Dense:
    return Dense(units, use_bias=False, name=name, dtype=dtype or tf.float32)


def _without_state(probability_fn: Callable[[Any], Any] | None) -> Callable[[Any, Any], Any]:
    function = probability_fn or tf.nn.softmax
    return lambda score, _: function(score)


def _size(tensor: tf.Tensor, axis: int) -> Any:
    return tensor.shape.as_list()[axis] or tf.shape(tensor)[axis]


def _luong_score(query: tf.Tensor, keys: tf.Tensor, scale: bool) -> tf.Tensor:
    depth, units = query.shape.as_list()[-1], keys.shape.as_list()[-1]
    if depth is None or depth != units:
        raise ValueError(
            f"Incompatible or unknown inner dimensions between query and keys. Query ({query}) has units:"
            f" {depth}. Keys ({keys}) have units: {units}. Perhaps you need to set num_units to the keys'"
            f" dimension ({units})?"
        )
    scaling = None
    if scale:
        scaling = v1.get_variable(
            "attention_g", dtype=query.dtype, initializer=v1.ones_initializer(), shape=()
        )
    score = tf.squeeze(tf.matmul(tf.expand_dims(query, 1), keys, transpose_b=True), [1])
    return score if scaling is None else scaling * score


def _bahdanau_score(query: tf.Tensor, keys: tf.Tensor, units: int, dtype: Any, normalize: bool) -> tf.Tensor:
    weights = v1.get_variable("attention_v", [units], dtype=dtype)
    query = tf.expand_dims(query, 1)
    if not normalize:
        return tf.reduce_sum(weights * tf.tanh(keys + query), [2])
    initial = v1.constant_initializer(math.sqrt(1.0 / units))
    length = v1.get_variable("attention_g", dtype=dtype, initializer=initial, shape=())
    bias = v1.get_variable("attention_b", [units], dtype=dtype, initializer=v1.zeros_initializer())
    weights = length * weights * tf.math.rsqrt(tf.reduce_sum(tf.square(weights)))
    return tf.reduce_sum(weights * tf.tanh(keys + query + bias), [2])


def _score_bias(initial: float, dtype: Any) -> Any:
    return v1.get_variable(
        "attention_score_bias", dtype=dtype, initializer=v1.constant_initializer(initial), shape=()
    )


def _prepare_memory(
    memory: Any, memory_sequence_length: Any = None, check_inner_dims_defined: bool = True
) -> tf.Tensor:
    """Returns the memory as a tensor, with zeros after the end of each sequence."""
    memory = tf.convert_to_tensor(memory, name="memory")
    if check_inner_dims_defined and not memory.shape[2:].is_fully_defined():
        raise ValueError(
            f"Expected memory {memory.name} to have fully defined inner dims, but saw shape: {memory.shape}"
        )
    if memory_sequence_length is None:
        return memory
    lengths = tf.convert_to_tensor(memory_sequence_length, name="memory_sequence_length")
    mask = tf.sequence_mask(lengths, tf.shape(memory)[1], dtype=memory.dtype)
    ones = tf.ones([tf.rank(memory) - 2], tf.int32)
    return memory * tf.reshape(mask, tf.concat([tf.shape(mask), ones], 0))


def _mask_score(score: tf.Tensor, memory_sequence_length: Any, score_mask_value: Any) -> tf.Tensor:
    if memory_sequence_length is None:
        return score
    message = "All values in memory_sequence_length must be greater than zero."
    check = v1.assert_positive(memory_sequence_length, message=message)
    with tf.control_dependencies([check]):
        mask = tf.sequence_mask(memory_sequence_length, tf.shape(score)[1])
    return tf.where(mask, score, score_mask_value * tf.ones_like(score))
