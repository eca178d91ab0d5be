"""Has the helpers, which give a `BasicDecoder` its inputs: the true ones, or those made from its outputs."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.seq2seq.decoder import transpose_batch_time

v1 = tf.compat.v1


class Helper(abc.ABC):
    """Draws samples from a decoder's outputs and makes inputs; stands for `tf.contrib.seq2seq.Helper`."""

    @property
    @abc.abstractmethod
    def batch_size(self) -> Any:
        """Returns the number of sequences, an int32 scalar."""

    @property
    @abc.abstractmethod
    def sample_ids_shape(self) -> Any:
        """Returns the `tf.TensorShape` of a sample, without the batch."""

    @property
    @abc.abstractmethod
    def sample_ids_dtype(self) -> Any:
        """Returns the dtype of a sample."""

    @abc.abstractmethod
    def initialize(self, name: str | None = None) -> Any:
        """Returns `(finished, inputs)` for the first step.

        Args:
            name: The name scope of the ops.
        """

    @abc.abstractmethod
    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Returns samples.

        Args:
            time: The number of the step, an int32 scalar.
            outputs: The outputs of the step.
            state: The state after it.
            name: The name scope of the ops.
        """

    @abc.abstractmethod
    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        """Returns `(finished, next_inputs, next_state)`.

        Args:
            time: The number of the step, an int32 scalar.
            outputs: The outputs of the step.
            state: The state after it.
            sample_ids: The samples.
            name: The name scope of the ops.
        """


class CustomHelper(Helper):
    """Makes a helper of three functions; stands for `tf.contrib.seq2seq.CustomHelper`.

    Args:
        initialize_fn: Returns `(finished, inputs)` for the first step.
        sample_fn: Takes `time`, `outputs` and `state`, and returns samples.
        next_inputs_fn: Takes `time`, `outputs`, `state` and `sample_ids`, and returns
            `(finished, next_inputs, next_state)`.
        sample_ids_shape: The shape of a sample, without the batch; by default a scalar.
        sample_ids_dtype: The dtype of a sample; by default int32.
    """

    def __init__(
        self,
        initialize_fn: Callable[[], Any],
        sample_fn: Callable[..., Any],
        next_inputs_fn: Callable[..., Any],
        sample_ids_shape: Any = None,
        sample_ids_dtype: Any = None,
    ) -> None:
        self._initialize_fn = initialize_fn
        self._sample_fn = sample_fn
        self._next_inputs_fn = next_inputs_fn
        self._batch_size: Any = None
        self._sample_ids_shape = tf.TensorShape(sample_ids_shape or [])
        self._sample_ids_dtype = sample_ids_dtype or tf.int32

    @property
    def batch_size(self) -> Any:
        """Returns the number of sequences.

        Raises:
            ValueError: `initialize` was not called yet.
        """
        if self._batch_size is None:
            raise ValueError("batch_size accessed before initialize was called")
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        """Returns the shape of a sample, without the batch."""
        return self._sample_ids_shape

    @property
    def sample_ids_dtype(self) -> Any:
        """Returns the dtype of a sample."""
        return self._sample_ids_dtype

    def initialize(self, name: str | None = None) -> Any:
        """Returns what `initialize_fn` does.

        Args:
            name: The name scope of the ops.
        """
        with v1.name_scope(name, f"{type(self).__name__}Initialize"):
            finished, inputs = self._initialize_fn()
            if self._batch_size is None:
                self._batch_size = tf.size(finished)
        return finished, inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Returns what `sample_fn` does.

        Args:
            time: The number of the step.
            outputs: The outputs of the step.
            state: The state after it.
            name: The name scope of the ops.
        """
        with v1.name_scope(name, f"{type(self).__name__}Sample", (time, outputs, state)):
            return self._sample_fn(time=time, outputs=outputs, state=state)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        """Returns what `next_inputs_fn` does.

        Args:
            time: The number of the step.
            outputs: The outputs of the step.
            state: The state after it.
            sample_ids: The samples.
            name: The name scope of the ops.
        """
        with v1.name_scope(name, f"{type(self).__name__}NextInputs", (time, outputs, state)):
            return self._next_inputs_fn(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


class TrainingHelper(Helper):
    """Gives the true inputs; stands for `tf.contrib.seq2seq.TrainingHelper`. Its samples are the best ids.

    Args:
        inputs: A tensor of shape `[batch, time, …]`.
        sequence_length: An int32 vector, the number of inputs of each sequence.
        time_major: Whether the inputs are `[time, batch, …]`.
        name: The name scope of the ops.

    Raises:
        ValueError: `sequence_length` is not a vector.
    """

    def __init__(
        self, inputs: Any, sequence_length: Any, time_major: bool = False, name: str | None = None
    ) -> None:
        with v1.name_scope(name, "TrainingHelper", [inputs, sequence_length]):
            self._inputs = inputs = tf.convert_to_tensor(inputs, name="inputs")
            if not time_major:
                inputs = transpose_batch_time(inputs)
            self._input_tas = _array_of(inputs)
            self._sequence_length = tf.convert_to_tensor(sequence_length, name="sequence_length")
            if self._sequence_length.shape.rank != 1:
                raise ValueError(
                    "Expected sequence_length to be a vector, but received shape:"
                    f" {self._sequence_length.shape}"
                )
            self._zero_inputs = tf.zeros_like(inputs[0, :])
            self._batch_size = tf.size(self._sequence_length)

    @property
    def inputs(self) -> Any:
        """Returns the inputs, in the order they were given in."""
        return self._inputs

    @property
    def sequence_length(self) -> Any:
        """Returns the number of inputs of each sequence."""
        return self._sequence_length

    @property
    def batch_size(self) -> Any:
        """Returns the number of sequences."""
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        """Returns the shape of a scalar."""
        return tf.TensorShape([])

    @property
    def sample_ids_dtype(self) -> Any:
        """Returns int32."""
        return tf.int32

    def initialize(self, name: str | None = None) -> Any:
        """Returns `(finished, inputs)` for the first step.

        Args:
            name: The name scope of the ops.
        """
        with v1.name_scope(name, "TrainingHelperInitialize"):
            finished = tf.equal(0, self._sequence_length)
            return finished, self._read(0, finished)

    def _read(self, time: Any, finished: tf.Tensor) -> tf.Tensor:
        all_finished = tf.reduce_all(finished)
        return v1.cond(all_finished, lambda: self._zero_inputs, lambda: self._input_tas.read(time))

    def sample(
        self, time: Any, outputs: Any, state: Any = None, name: str | None = None, **unused_kwargs: Any
    ) -> Any:
        """Returns the ids of the largest outputs.

        Args:
            time: The number of the step.
            outputs: The outputs of the step, logits.
            state: Not used.
            name: The name scope of the ops.
            **unused_kwargs: Not used.
        """
        with v1.name_scope(name, "TrainingHelperSample", [time, outputs]):
            return tf.cast(tf.argmax(outputs, axis=-1), tf.int32)

    def next_inputs(
        self,
        time: Any,
        outputs: Any,
        state: Any,
        sample_ids: Any = None,
        name: str | None = None,
        **unused_kwargs: Any,
    ) -> Any:
        """Returns `(finished, next_inputs, next_state)`.

        Args:
            time: The number of the step.
            outputs: Not used.
            state: The state after the step, which is returned.
            sample_ids: Not used.
            name: The name scope of the ops.
            **unused_kwargs: Not used.
        """
        with v1.name_scope(name, "TrainingHelperNextInputs", [time, outputs, state]):
            finished = time + 1 >= self._sequence_length
            return finished, self._read(time + 1, finished), state


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """Gives the true inputs, or at random the embeddings of drawn ids.

    Stands for `tf.contrib.seq2seq.ScheduledEmbeddingTrainingHelper`. Its samples are ids, or -1 where
    the true input is next.

    Args:
        inputs: A tensor of shape `[batch, time, …]`.
        sequence_length: An int32 vector, the number of inputs of each sequence.
        embedding: A function from ids to inputs, or `params` of `tf.nn.embedding_lookup`.
        sampling_probability: The probability to draw, a scalar or a vector.
        time_major: Whether the inputs are `[time, batch, …]`.
        seed: The seed of the ids.
        scheduling_seed: The seed of the choice.
        name: The name scope of the ops.

    Raises:
        ValueError: `sampling_probability` is neither a scalar nor a vector.
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        embedding: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        scheduling_seed: int | None = None,
        name: str | None = None,
    ) -> None:
        with v1.name_scope(name, "ScheduledEmbeddingSamplingWrapper", [embedding, sampling_probability]):
            self._embedding_fn = embedding_function(embedding)
            self._sampling_probability = _probability(sampling_probability)
            self._seed = seed
            self._scheduling_seed = scheduling_seed
            super().__init__(inputs, sequence_length, time_major, name)

    def sample(
        self, time: Any, outputs: Any, state: Any = None, name: str | None = None, **unused_kwargs: Any
    ) -> Any:
        """Returns ids, or -1 where none is drawn.

        Args:
            time: The number of the step.
            outputs: The outputs of the step, logits.
            state: Not used.
            name: The name scope of the ops.
            **unused_kwargs: Not used.
        """
        with v1.name_scope(name, "ScheduledEmbeddingTrainingHelperSample", [time, outputs, state]):
            is_drawn = _draw(self._sampling_probability, self.batch_size, self._scheduling_seed)
            ids = _draw_ids(outputs, self._seed)
            return v1.where(is_drawn, ids, tf.fill([self.batch_size], -1))

    def next_inputs(
        self,
        time: Any,
        outputs: Any,
        state: Any,
        sample_ids: Any = None,
        name: str | None = None,
        **unused_kwargs: Any,
    ) -> Any:
        """Returns `(finished, next_inputs, next_state)`.

        Args:
            time: The number of the step.
            outputs: Not used.
            state: The state after the step, which is returned.
            sample_ids: The samples.
            name: The name scope of the ops.
            **unused_kwargs: Not used.
        """
        with v1.name_scope(
            name, "ScheduledEmbeddingTrainingHelperNextInputs", [time, outputs, state, sample_ids]
        ):
            finished, true_inputs, state = super().next_inputs(time, outputs, state, sample_ids, name)

            def mixed() -> tf.Tensor:
                drawn, true = _positions(sample_ids > -1), _positions(sample_ids <= -1)
                made = self._embedding_fn(tf.gather_nd(sample_ids, drawn))
                return _merge(drawn, made, true, true_inputs)

            return finished, v1.cond(tf.reduce_all(finished), lambda: true_inputs, mixed), state


class ScheduledOutputTrainingHelper(TrainingHelper):
    """Gives the true inputs, or at random those made from the outputs.

    Stands for `tf.contrib.seq2seq.ScheduledOutputTrainingHelper`. Its samples are 1 where an output is taken.

    Args:
        inputs: A tensor of shape `[batch, time, …]`.
        sequence_length: An int32 vector, the number of inputs of each sequence.
        sampling_probability: The probability to take outputs, a scalar or a vector.
        time_major: Whether the inputs are `[time, batch, …]`.
        seed: The seed of the choice.
        next_inputs_fn: A function from outputs to inputs; by default the outputs are the inputs.
        auxiliary_inputs: A tensor like `inputs` but for the last dimension. It is joined to every input.
        name: The name scope of the ops.

    Raises:
        ValueError: `sampling_probability` is neither a scalar nor a vector.
    """

    def __init__(
        self,
        inputs: Any,
        sequence_length: Any,
        sampling_probability: Any,
        time_major: bool = False,
        seed: int | None = None,
        next_inputs_fn: Callable[[Any], Any] | None = None,
        auxiliary_inputs: Any = None,
        name: str | None = None,
    ) -> None:
        with v1.name_scope(
            name, "ScheduledOutputTrainingHelper", [inputs, auxiliary_inputs, sampling_probability]
        ):
            self._sampling_probability = _probability(sampling_probability)
            self._auxiliary_input_tas = None
            if auxiliary_inputs is not None:
                inputs = tf.convert_to_tensor(inputs, name="inputs")
                auxiliary_inputs = tf.convert_to_tensor(auxiliary_inputs, name="auxiliary_inputs")
                inputs = tf.concat([inputs, auxiliary_inputs], -1)
                if not time_major:
                    auxiliary_inputs = transpose_batch_time(auxiliary_inputs)
                self._auxiliary_input_tas = _array_of(auxiliary_inputs)
            self._seed = seed
            self._next_inputs_fn = next_inputs_fn
            super().__init__(inputs, sequence_length, time_major, name)

    def sample(
        self, time: Any, outputs: Any, state: Any = None, name: str | None = None, **unused_kwargs: Any
    ) -> Any:
        """Returns 1 for each sequence whose output is taken, and 0 for the others.

        Args:
            time: The number of the step.
            outputs: The outputs of the step.
            state: Not used.
            name: The name scope of the ops.
            **unused_kwargs: Not used.
        """
        with v1.name_scope(name, "ScheduledOutputTrainingHelperSample", [time, outputs, state]):
            return tf.cast(_draw(self._sampling_probability, self.batch_size, self._seed), tf.int32)

    def next_inputs(
        self,
        time: Any,
        outputs: Any,
        state: Any,
        sample_ids: Any = None,
        name: str | None = None,
        **unused_kwargs: Any,
    ) -> Any:
        """Returns `(finished, next_inputs, next_state)`.

        Args:
            time: The number of the step.
            outputs: The outputs of the step.
            state: The state after the step, which is returned.
            sample_ids: The samples.
            name: The name scope of the ops.
            **unused_kwargs: Not used.
        """
        with v1.name_scope(
            name, "ScheduledOutputTrainingHelperNextInputs", [time, outputs, state, sample_ids]
        ):
            finished, true_inputs, state = super().next_inputs(time, outputs, state, sample_ids, name)
            is_taken = tf.cast(sample_ids, tf.bool)

            def with_auxiliary(made: tf.Tensor, indices: tf.Tensor | None = None) -> tf.Tensor:
                if self._auxiliary_input_tas is None:
                    return made
                auxiliary = self._auxiliary_input_tas.read(time + 1)
                if indices is not None:
                    auxiliary = tf.gather_nd(auxiliary, indices)
                return tf.concat([made, auxiliary], -1)

            def mixed() -> tf.Tensor:
                if self._next_inputs_fn is None:
                    return v1.where(is_taken, with_auxiliary(outputs), true_inputs)
                taken, true = _positions(is_taken), _positions(tf.logical_not(is_taken))
                made = with_auxiliary(self._next_inputs_fn(tf.gather_nd(outputs, taken)), taken)
                return _merge(taken, made, true, true_inputs)

            is_true = tf.logical_or(tf.reduce_all(finished), tf.logical_not(tf.reduce_any(is_taken)))
            return finished, v1.cond(is_true, lambda: true_inputs, mixed), state


class GreedyEmbeddingHelper(Helper):
    """Gives the embeddings of the best ids; stands for `tf.contrib.seq2seq.GreedyEmbeddingHelper`.

    Args:
        embedding: A function from ids to inputs, or `params` of `tf.nn.embedding_lookup`.
        start_tokens: An int32 vector, the first id of each sequence.
        end_token: An int32 scalar, the id after which a sequence has finished.

    Raises:
        ValueError: `start_tokens` is not a vector, or `end_token` is not a scalar.
    """

    def __init__(self, embedding: Any, start_tokens: Any, end_token: Any) -> None:
        self._embedding_fn = embedding_function(embedding)
        self._start_tokens, self._end_token = tokens(start_tokens, end_token)
        self._batch_size = tf.size(self._start_tokens)
        self._start_inputs = self._embedding_fn(self._start_tokens)

    @property
    def batch_size(self) -> Any:
        """Returns the number of sequences."""
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        """Returns the shape of a scalar."""
        return tf.TensorShape([])

    @property
    def sample_ids_dtype(self) -> Any:
        """Returns int32."""
        return tf.int32

    def initialize(self, name: str | None = None) -> Any:
        """Returns `(finished, inputs)` for the first step.

        Args:
            name: Not used.
        """
        return tf.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Returns the ids of the largest outputs.

        Args:
            time: Not used.
            outputs: The outputs of the step, logits.
            state: Not used.
            name: Not used.

        Raises:
            TypeError: The outputs are not a tensor.
        """
        return tf.argmax(_logits(outputs), axis=-1, output_type=tf.int32)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        """Returns `(finished, next_inputs, next_state)`.

        Args:
            time: Not used.
            outputs: Not used.
            state: The state after the step, which is returned.
            sample_ids: The samples.
            name: Not used.
        """
        finished = tf.equal(sample_ids, self._end_token)
        next_inputs = v1.cond(
            tf.reduce_all(finished), lambda: self._start_inputs, lambda: self._embedding_fn(sample_ids)
        )
        return finished, next_inputs, state


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """Gives the embeddings of ids drawn by the softmax of the outputs.

    Stands for `tf.contrib.seq2seq.SampleEmbeddingHelper`.

    Args:
        embedding: A function from ids to inputs, or `params` of `tf.nn.embedding_lookup`.
        start_tokens: An int32 vector, the first id of each sequence.
        end_token: An int32 scalar, the id after which a sequence has finished.
        softmax_temperature: What logits are divided by; by default 1.
        seed: The seed of the ids.

    Raises:
        ValueError: `start_tokens` is not a vector, or `end_token` is not a scalar.
    """

    def __init__(
        self,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        softmax_temperature: Any = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(embedding, start_tokens, end_token)
        self._softmax_temperature = softmax_temperature
        self._seed = seed

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Returns ids.

        Args:
            time: Not used.
            outputs: The outputs of the step, logits.
            state: Not used.
            name: Not used.

        Raises:
            TypeError: The outputs are not a tensor.
        """
        logits = _logits(outputs)
        if self._softmax_temperature is not None:
            logits = logits / self._softmax_temperature
        return _draw_ids(logits, self._seed)


class InferenceHelper(Helper):
    """Gives what functions make of the outputs; stands for `tf.contrib.seq2seq.InferenceHelper`.

    Args:
        sample_fn: A function from outputs to samples.
        sample_shape: The shape of a sample, without the batch.
        sample_dtype: The dtype of a sample.
        start_inputs: The first inputs, of shape `[batch, …]`.
        end_fn: A function from samples to a boolean vector that tells which sequences have finished.
        next_inputs_fn: A function from samples to inputs; by default the samples are the inputs.
    """

    def __init__(
        self,
        sample_fn: Callable[[Any], Any],
        sample_shape: Any,
        sample_dtype: Any,
        start_inputs: Any,
        end_fn: Callable[[Any], Any],
        next_inputs_fn: Callable[[Any], Any] | None = None,
    ) -> None:
        self._sample_fn = sample_fn
        self._end_fn = end_fn
        self._sample_shape = tf.TensorShape(sample_shape)
        self._sample_dtype = sample_dtype
        self._next_inputs_fn = next_inputs_fn
        self._start_inputs = tf.convert_to_tensor(start_inputs, name="start_inputs")
        self._batch_size = tf.shape(self._start_inputs)[0]

    @property
    def batch_size(self) -> Any:
        """Returns the number of sequences."""
        return self._batch_size

    @property
    def sample_ids_shape(self) -> Any:
        """Returns the shape of a sample, without the batch."""
        return self._sample_shape

    @property
    def sample_ids_dtype(self) -> Any:
        """Returns the dtype of a sample."""
        return self._sample_dtype

    def initialize(self, name: str | None = None) -> Any:
        """Returns `(finished, inputs)` for the first step.

        Args:
            name: Not used.
        """
        return tf.tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Returns what `sample_fn` makes of the outputs.

        Args:
            time: Not used.
            outputs: The outputs of the step.
            state: Not used.
            name: Not used.
        """
        return self._sample_fn(outputs)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None
    ) -> Any:
        """Returns `(finished, next_inputs, next_state)`.

        Args:
            time: Not used.
            outputs: Not used.
            state: The state after the step, which is returned.
            sample_ids: The samples.
            name: Not used.
        """
        next_inputs = sample_ids if self._next_inputs_fn is None else self._next_inputs_fn(sample_ids)
        return self._end_fn(sample_ids), next_inputs, state


def embedding_function(embedding: Any) -> Callable[[Any], Any]:
    """Returns the function from ids to inputs.

    Args:
        embedding: The function itself, or `params` of `tf.nn.embedding_lookup`.
    """
    if callable(embedding):
        function: Callable[[Any], Any] = embedding
        return function
    return lambda ids: v1.nn.embedding_lookup(embedding, ids)


def tokens(start_tokens: Any, end_token: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the ids that begin and end sequences, checked.

    Args:
        start_tokens: An int32 vector.
        end_token: An int32 scalar.

    Raises:
        ValueError: `start_tokens` is not a vector, or `end_token` is not a scalar.
    """
    start_tokens = tf.convert_to_tensor(start_tokens, tf.int32, name="start_tokens")
    end_token = tf.convert_to_tensor(end_token, tf.int32, name="end_token")
    if start_tokens.shape.rank != 1:
        raise ValueError("start_tokens must be a vector")
    if end_token.shape.rank != 0:
        raise ValueError("end_token must be a scalar")
    return start_tokens, end_token


def _array_of(inputs: tf.Tensor) -> tf.TensorArray:
    array = tf.TensorArray(inputs.dtype, tf.shape(inputs)[0], element_shape=inputs.shape[1:])
    return array.unstack(inputs)


def _probability(value: Any) -> tf.Tensor:
    value = tf.convert_to_tensor(value, name="sampling_probability")
    if value.shape.rank not in (0, 1):
        raise ValueError(
            f"sampling_probability must be either a scalar or a vector. saw shape: {value.shape}"
        )
    return value


def _draw(probability: tf.Tensor, count: Any, seed: int | None) -> tf.Tensor:
    """Returns booleans of shape `[count, …]`, each true with its probability."""
    shape = tf.concat([[count], tf.shape(probability)], 0)
    return tf.random.uniform(shape, seed=seed, dtype=probability.dtype) < probability


def _draw_ids(logits: tf.Tensor, seed: int | None) -> tf.Tensor:
    """Returns an int32 id for each row of logits in the last dimension."""
    logits = tf.convert_to_tensor(logits, name="logits")
    shape = tf.shape(logits)
    rows = logits if logits.shape.rank == 2 else tf.reshape(logits, [-1, shape[-1]])
    dtype = tf.int64 if logits.dtype.size > 4 else tf.int32
    ids = tf.reshape(tf.random.categorical(rows, 1, dtype, seed), shape[:-1])
    return tf.cast(ids, tf.int32)


def _positions(where: tf.Tensor) -> tf.Tensor:
    # Gradients of a conditional must have sparse shapes of one dtype, and others have int32.
    return tf.cast(tf.where(where), tf.int32)


def _merge(made_at: tf.Tensor, made: tf.Tensor, true_at: tf.Tensor, true_inputs: tf.Tensor) -> tf.Tensor:
    """Returns the rows that were made, and the true ones where none was made."""
    shape = tf.shape(true_inputs)
    true = tf.gather_nd(true_inputs, true_at)
    return tf.scatter_nd(made_at, made, shape) + tf.scatter_nd(true_at, true, shape)


def _logits(outputs: Any) -> tf.Tensor:
    if not isinstance(outputs, tf.Tensor):
        raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")
    return outputs
