"""Losses by which a network learns embeddings whose distances mean something.

Unlike the other losses, they are not added to the collection `LOSSES`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

__all__ = ["contrastive_loss", "lifted_struct_loss", "npairs_loss", "triplet_semihard_loss"]

__getattr__ = module_getattr(__name__, __all__)


def contrastive_loss(
    labels: Any, embeddings_anchor: Any, embeddings_positive: Any, margin: float = 1.0
) -> tf.Tensor:
    """Draws pairs together or pushes them apart.

    Stands for `tf.contrib.losses.metric_learning.contrastive_loss`.

    Args:
        labels: 1 for each pair that belongs together, 0 for others; of shape `[batch_size]`.
        embeddings_anchor: The first of each pair, `[batch_size, size]`.
        embeddings_positive: The second of each pair, `[batch_size, size]`.
        margin: The distance from which on other pairs have no loss.

    Returns:
        The loss, one number.
    """
    difference = tf.math.squared_difference(embeddings_anchor, embeddings_positive)
    distances = tf.sqrt(tf.reduce_sum(difference, axis=1))
    together = tf.cast(labels, distances.dtype)
    apart = tf.square(tf.maximum(margin - distances, 0.0))
    return tf.reduce_mean(together * tf.square(distances) + (1.0 - together) * apart, name="contrastive_loss")


def triplet_semihard_loss(labels: Any, embeddings: Any, margin: float = 1.0) -> tf.Tensor:
    """Wants an example nearer to those of its class than to others, by a margin.

    Each example is compared with each other of its class, and with the nearest of another class that is
    farther away than that; where there is none, with the farthest of another class. Stands for
    `tf.contrib.losses.metric_learning.triplet_semihard_loss`.

    Args:
        labels: The classes, of shape `[batch_size]`.
        embeddings: The embeddings, `[batch_size, size]`; they should have unit length.
        margin: How much nearer they shall be, in squared distance.

    Returns:
        The loss, one number; NaN where no two examples have the same class.
    """
    same, distances = _same_class(labels), _squared_distances(embeddings)
    nearest = tf.reduce_min(distances, axis=1, keepdims=True)
    farthest = tf.reduce_max(distances, axis=1, keepdims=True)
    # Axes: the example, the other of its class, the one of another class.
    to_other, to_negative = distances[:, :, None], distances[:, None, :]
    is_farther = tf.logical_not(same)[:, None, :] & (to_negative > to_other)
    semi_hard = tf.reduce_min(tf.where(is_farther, to_negative, farthest[:, None, :]), axis=2)
    easiest = tf.reduce_max(tf.where(same, nearest, distances), axis=1, keepdims=True)
    negatives = tf.where(tf.reduce_any(is_farther, axis=2), semi_hard, easiest)
    positives = _without_diagonal(tf.cast(same, distances.dtype))
    losses = tf.maximum((margin + distances - negatives) * positives, 0.0)
    return tf.truediv(tf.reduce_sum(losses), tf.reduce_sum(positives), name="triplet_semihard_loss")


def npairs_loss(
    labels: Any,
    embeddings_anchor: Any,
    embeddings_positive: Any,
    reg_lambda: float = 0.002,
    print_losses: bool = False,
) -> tf.Tensor:
    """Wants each anchor more like the positive of its class than like all others of the batch.

    Stands for `tf.contrib.losses.metric_learning.npairs_loss`.

    Args:
        labels: The class of each pair, of shape `[batch_size]`.
        embeddings_anchor: The first of each pair, `[batch_size, size]`; not normalized.
        embeddings_positive: The second of each pair, `[batch_size, size]`; not normalized.
        reg_lambda: The weight of the squared length of embeddings.
        print_losses: Whether both parts of the loss are printed.

    Returns:
        The loss, one number.
    """
    lengths = [
        tf.reduce_mean(tf.reduce_sum(tf.square(embeddings), axis=1))
        for embeddings in (embeddings_anchor, embeddings_positive)
    ]
    l2_loss = tf.multiply(0.25 * reg_lambda, lengths[0] + lengths[1], name="l2loss")
    similarities = tf.matmul(embeddings_anchor, embeddings_positive, transpose_b=True)
    same = tf.cast(_same_class(labels), similarities.dtype)
    targets = same / tf.reduce_sum(same, axis=1, keepdims=True)
    losses = tf.nn.softmax_cross_entropy_with_logits(tf.stop_gradient(targets), similarities)
    cross_entropy = tf.reduce_mean(losses, name="xentropy")
    if print_losses:
        report = tf.print("cross entropy:", cross_entropy, "l2loss:", l2_loss)
        with tf.control_dependencies([report]):
            cross_entropy = tf.identity(cross_entropy)
    return l2_loss + cross_entropy


def lifted_struct_loss(labels: Any, embeddings: Any, margin: float = 1.0) -> tf.Tensor:
    """Weighs each pair of a class against all examples of other classes, softly.

    Stands for `tf.contrib.losses.metric_learning.lifted_struct_loss`.

    Args:
        labels: The classes, of shape `[batch_size]`.
        embeddings: The embeddings, `[batch_size, size]`; not normalized.
        margin: The distance from which on examples of other classes weigh little.

    Returns:
        The loss, one number; NaN where no two examples have the same class.
    """
    same, squares = _same_class(labels), _squared_distances(embeddings)
    is_zero = squares <= 0.0
    # The gradient of a square root at 0 is infinite.
    distances = tf.where(
        is_zero, tf.zeros_like(squares), tf.sqrt(tf.where(is_zero, tf.ones_like(squares), squares))
    )
    closeness = margin - distances
    different = tf.cast(tf.logical_not(same), distances.dtype)
    smallest = tf.reduce_min(closeness, axis=1, keepdims=True)
    largest = tf.reduce_max((closeness - smallest) * different, axis=1, keepdims=True) + smallest
    largest_of_pair = tf.maximum(largest, tf.transpose(largest))
    # Axes: the example, the other of its class, the one of another class.
    weights = tf.exp(closeness[:, None, :] - largest_of_pair[:, :, None]) * different[:, None, :]
    sums = tf.reduce_sum(weights, axis=2)
    losses = largest_of_pair + tf.math.log(sums + tf.transpose(sums)) + distances
    positives = _without_diagonal(tf.cast(same, distances.dtype))
    total = tf.reduce_sum(tf.square(tf.maximum(losses * positives, 0.0)))
    return tf.truediv(0.25 * total, tf.reduce_sum(positives) / 2.0, name="liftedstruct_loss")


def _same_class(labels: Any) -> tf.Tensor:
    """Returns for each two examples whether they have the same class, `[batch_size, batch_size]`."""
    labels = tf.convert_to_tensor(labels)
    labels.shape.assert_has_rank(1)
    return tf.equal(labels[:, None], labels[None, :])


def _squared_distances(embeddings: Any) -> tf.Tensor:
    """Returns the squared distance of each two embeddings, `[batch_size, batch_size]`."""
    embeddings = tf.convert_to_tensor(embeddings)
    squares = tf.reduce_sum(tf.square(embeddings), axis=1)
    products = tf.matmul(embeddings, embeddings, transpose_b=True)
    return _without_diagonal(tf.maximum(squares[:, None] + squares[None, :] - 2.0 * products, 0.0))


def _without_diagonal(matrix: tf.Tensor) -> tf.Tensor:
    return tf.linalg.set_diag(matrix, tf.zeros_like(tf.linalg.diag_part(matrix)))
