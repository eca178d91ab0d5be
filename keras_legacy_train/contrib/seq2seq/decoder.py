"""Runs decoders: objects that make one step of a sequence after the other."""

from __future__ import annotations

import abc
import contextlib
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


class Decoder(abc.ABC):
    """Makes a sequence step by step, for `dynamic_decode`; stands for `tf.contrib.seq2seq.Decoder`.

    A subclass says `batch_size`, and the structures `output_size` and `output_dtype` of what a step puts out.
    """

    @property
    def batch_size(self) -> Any:
        """Returns the number of sequences, an integer or a scalar tensor."""
        raise NotImplementedError

    @property
    def output_size(self) -> Any:
        """Returns the shapes of a step's outputs without the batch: integers or `tf.TensorShape`s."""
        raise NotImplementedError

    @property
    def output_dtype(self) -> Any:
        """Returns the dtypes of a step's outputs."""
        raise NotImplementedError

    @abc.abstractmethod
    def initialize(self, name: str | None = None) -> Any:
        """Returns `(finished, inputs, state)` for the first step.

        Args:
            name: The name scope of the ops.
        """

    @abc.abstractmethod
    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """Returns `(outputs, next_state, next_inputs, finished)` of a step.

        Args:
            time: The number of the step, an int32 scalar, from 0.
            inputs: The inputs of the step.
            state: The state before it.
            name: The name scope of the ops.
        """

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """Returns `(final_outputs, final_state)` made from those of all steps.

        Args:
            outputs: The outputs, of shape `[time, batch, …]`.
            final_state: The state after the last step.
            sequence_lengths: An int32 vector, the number of steps of each sequence.

        Raises:
            NotImplementedError: There is nothing to do: they stay as they are.
        """
        raise NotImplementedError

    @property
    def tracks_own_finished(self) -> bool:
        """Tells whether `step` returns all sequences that have finished, not just those that do now."""
        return False


def dynamic_decode(
    decoder: Decoder,
    output_time_major: bool = False,
    impute_finished: bool = False,
    maximum_iterations: Any = None,
    parallel_iterations: int = 32,
    swap_memory: bool = False,
    scope: Any = None,
) -> tuple[Any, Any, tf.Tensor]:
    """Runs a decoder until all sequences have finished; stands for `tf.contrib.seq2seq.dynamic_decode`.

    Args:
        decoder: The decoder.
        output_time_major: Whether the outputs are `[time, batch, …]` and not `[batch, time, …]`.
        impute_finished: Whether sequences that have finished put out zeros and keep their states.
        maximum_iterations: The largest number of steps, an int32 scalar; by default there is no limit.
        parallel_iterations: An argument of `tf.while_loop`.
        swap_memory: An argument of `tf.while_loop`.
        scope: The variable scope, or its name; by default "decoder".

    Returns:
        The outputs, the final state, and an int32 tensor with the number of steps of each sequence.

    Raises:
        TypeError: `decoder` is not a `Decoder`.
        ValueError: `maximum_iterations` is not a scalar.
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with v1.variable_scope(scope, "decoder"):
        if maximum_iterations is not None:
            maximum_iterations = tf.convert_to_tensor(maximum_iterations, tf.int32, name="maximum_iterations")
            if maximum_iterations.shape.rank != 0:
                raise ValueError("maximum_iterations must be a scalar")
        first_finished, first_inputs, first_state = decoder.initialize()
        if maximum_iterations is not None:
            first_finished = tf.logical_or(first_finished, maximum_iterations <= 0)
        batch_size = decoder.batch_size
        static_batch_size = tf.get_static_value(batch_size)

        def zeros(size: Any, dtype: Any) -> tf.Tensor:
            return tf.zeros([batch_size, *tf.TensorShape(size).as_list()], dtype)

        def array(size: Any, dtype: Any) -> tf.TensorArray:
            size = tf.TensorShape(size)
            # Some helpers draw samples of another shape than the scalars they promise.
            shape = tf.TensorShape([static_batch_size]).concatenate(size) if size.rank else None
            return tf.TensorArray(dtype, 0, dynamic_size=True, element_shape=shape)

        arrays = tf.nest.map_structure(array, decoder.output_size, decoder.output_dtype)
        zero_outputs = tf.nest.map_structure(zeros, decoder.output_size, decoder.output_dtype)
        shapes: list[tf.TensorShape] = []

        def body(
            time: tf.Tensor, arrays: Any, state: Any, inputs: Any, finished: tf.Tensor, lengths: tf.Tensor
        ) -> Any:
            outputs, next_state, next_inputs, next_finished = decoder.step(time, inputs, state)
            if not decoder.tracks_own_finished:
                next_finished = tf.logical_or(next_finished, finished)
            next_lengths = tf.where(finished, lengths, tf.fill(tf.shape(lengths), time + 1))
            tf.nest.assert_same_structure(state, next_state)
            tf.nest.assert_same_structure(arrays, outputs)
            tf.nest.assert_same_structure(inputs, next_inputs)

            def keep(new: Any, old: Any) -> Any:
                if isinstance(old, tf.TensorArray):
                    return new
                new.set_shape(old.shape)
                return new if new.shape.rank == 0 else v1.where(finished, old, new)

            if impute_finished:
                outputs = tf.nest.map_structure(
                    lambda output, zero: v1.where(finished, zero, output), outputs, zero_outputs
                )
                next_state = tf.nest.map_structure(keep, next_state, state)
            shapes[:] = [output.shape for output in tf.nest.flatten(outputs)]
            arrays = tf.nest.map_structure(lambda array, output: array.write(time, output), arrays, outputs)
            return time + 1, arrays, next_state, next_inputs, next_finished, next_lengths

        _, arrays, state, _, _, lengths = v1.while_loop(
            lambda time, arrays, state, inputs, finished, lengths: tf.logical_not(tf.reduce_all(finished)),
            body,
            (
                tf.constant(0),
                arrays,
                first_state,
                first_inputs,
                first_finished,
                tf.zeros_like(first_finished, tf.int32),
            ),
            parallel_iterations=parallel_iterations,
            maximum_iterations=maximum_iterations,
            swap_memory=swap_memory,
        )
        outputs = tf.nest.map_structure(lambda array: array.stack(), arrays)
        for output, shape in zip(tf.nest.flatten(outputs), shapes, strict=True):
            output.set_shape(tf.TensorShape([None]).concatenate(shape))
        with contextlib.suppress(NotImplementedError):
            outputs, state = decoder.finalize(outputs, state, lengths)
        if not output_time_major:
            outputs = tf.nest.map_structure(transpose_batch_time, outputs)
    return outputs, state, lengths


def transpose_batch_time(tensor: tf.Tensor) -> tf.Tensor:
    """Returns a tensor with its first two dimensions exchanged, if it has two.

    Args:
        tensor: A tensor of shape `[batch, time, …]` or `[time, batch, …]`.
    """
    if tensor.shape.rank is not None and tensor.shape.rank < 2:
        return tensor
    rest = tf.range(2, tf.rank(tensor))
    transposed = tf.transpose(tensor, tf.concat([[1, 0], rest], 0))
    if tensor.shape.rank is not None:
        batch, time, *sizes = tensor.shape.as_list()
        transposed.set_shape([time, batch, *sizes])
    return transposed
