"""Has the losses of unrolled sequences, and models with a graph for each length."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


def sequence_loss_by_example(
    logits: list[Any],
    targets: list[Any],
    weights: list[Any],
    average_across_timesteps: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """Returns the weighted cross-entropy of sequences; stands for `legacy_seq2seq.sequence_loss_by_example`.

    Args:
        logits: For each step a tensor of shape `[batch, symbols]`.
        targets: For each step the symbols, integers of shape `[batch]`.
        weights: For each step the weights, floats of shape `[batch]`.
        average_across_timesteps: Whether the loss of a sequence is divided by the sum of its weights.
        softmax_loss_function: Function of `labels` and `logits` to the losses of a step, called by name;
            the logits may have the name `inputs`, as before TensorFlow 1.1.
        name: The name of the ops.

    Returns:
        A tensor of shape `[batch]`.

    Raises:
        ValueError: The lists have different lengths.
    """
    if not len(targets) == len(logits) == len(weights):
        raise ValueError(
            "Lengths of logits, weights, and targets must be the same"
            f" {len(logits)}, {len(weights)}, {len(targets)}."
        )
    with v1.name_scope(name, "sequence_loss_by_example"):
        cross_entropy = _loss_function(softmax_loss_function)
        steps = zip(logits, targets, weights, strict=True)
        loss = tf.add_n([cross_entropy(logit, target) * weight for logit, target, weight in steps])
        # The small number keeps sequences without weights from a division by zero.
        return loss / (tf.add_n(weights) + 1e-12) if average_across_timesteps else loss


def sequence_loss(
    logits: list[Any],
    targets: list[Any],
    weights: list[Any],
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    softmax_loss_function: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """Returns the weighted cross-entropy of a batch of sequences; stands for `legacy_seq2seq.sequence_loss`.

    Args:
        logits: For each step a tensor of shape `[batch, symbols]`.
        targets: For each step the symbols, integers of shape `[batch]`.
        weights: For each step the weights, floats of shape `[batch]`.
        average_across_timesteps: Whether the loss of a sequence is divided by the sum of its weights.
        average_across_batch: Whether the sum of the losses is divided by their number.
        softmax_loss_function: Function of `labels` and `logits` to the losses of a step, called by name;
            the logits may have the name `inputs`, as before TensorFlow 1.1.
        name: The name of the ops.

    Returns:
        A scalar tensor.

    Raises:
        ValueError: The lists have different lengths.
    """
    with v1.name_scope(name, "sequence_loss"):
        losses = sequence_loss_by_example(
            logits,
            targets,
            weights,
            average_across_timesteps=average_across_timesteps,
            softmax_loss_function=softmax_loss_function,
        )
        loss = tf.reduce_sum(losses)
        return loss / tf.cast(tf.shape(targets[0])[0], loss.dtype) if average_across_batch else loss


def model_with_buckets(
    encoder_inputs: list[Any],
    decoder_inputs: list[Any],
    targets: list[Any],
    weights: list[Any],
    buckets: Sequence[tuple[int, int]],
    seq2seq: Callable[[list[Any], list[Any]], tuple[list[Any], Any]],
    softmax_loss_function: Callable[..., Any] | None = None,
    per_example_loss: bool = False,
    name: str | None = None,
) -> tuple[list[list[Any]], list[Any]]:
    """Makes a model for each of some lengths, all with the same variables.

    Stands for `tf.contrib.legacy_seq2seq.model_with_buckets`.

    Args:
        encoder_inputs: For each step an input of the encoder.
        decoder_inputs: For each step an input of the decoder.
        targets: For each step of the decoder the symbols, integers of shape `[batch]`.
        weights: For each step of the decoder the weights, floats of shape `[batch]`.
        buckets: Pairs of lengths, of the encoder's sequence and of the decoder's. The last is the longest.
        seq2seq: Function from the inputs of both to the list of outputs and the last state.
        softmax_loss_function: Function of `labels` and `logits` to the losses of a step.
        per_example_loss: Whether there is a loss for each sequence; otherwise their average.
        name: The name of the ops.

    Returns:
        For each bucket the list of outputs, and for each the loss.

    Raises:
        ValueError: There are fewer inputs, targets or weights than the last bucket needs.
    """
    longest_input, longest_output = buckets[-1]
    for what, sequence, longest in (
        ("encoder_inputs", encoder_inputs, longest_input),
        ("targets", targets, longest_output),
        ("weights", weights, longest_output),
    ):
        if len(sequence) < longest:
            raise ValueError(
                f"Length of {what} ({len(sequence)}) must be at least that of last bucket ({longest})."
            )
    outputs, losses = [], []
    loss_function = sequence_loss_by_example if per_example_loss else sequence_loss
    with v1.name_scope(name, "model_with_buckets"):
        for number, (inputs_length, outputs_length) in enumerate(buckets):
            with v1.variable_scope(v1.get_variable_scope(), reuse=True if number > 0 else None):
                logits, _ = seq2seq(encoder_inputs[:inputs_length], decoder_inputs[:outputs_length])
                outputs.append(logits)
                losses.append(
                    loss_function(
                        logits,
                        targets[:outputs_length],
                        weights[:outputs_length],
                        softmax_loss_function=softmax_loss_function,
                    )
                )
    return outputs, losses


def _loss_function(given: Callable[..., Any] | None) -> Callable[[Any, Any], Any]:
    """Returns a function of logits and labels."""
    if given is None:
        return lambda logits, labels: tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.reshape(labels, [-1]), logits=logits
        )
    names = inspect.signature(given).parameters
    of_logits = "inputs" if "inputs" in names and "logits" not in names else "logits"
    return lambda logits, labels: given(**{"labels": labels, of_logits: logits})
