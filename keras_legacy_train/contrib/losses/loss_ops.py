"""Losses of before `tf.losses`: predictions come first, and weights may have fewer dimensions than losses.

`weights` are a number, or one for each example, or one for each element of the first dimensions of the loss.
A loss is the weighted sum over its elements, divided by how many have a weight that is not 0. It is added to
the collection `LOSSES`, where `get_total_loss` finds it.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.framework import add_arg_scope

_KEYS = tf.compat.v1.GraphKeys


def compute_weighted_loss(losses: Any, weights: Any = 1.0, scope: str | None = None) -> tf.Tensor:
    """Weighs losses and averages them; stands for `tf.contrib.losses.compute_weighted_loss`.

    Args:
        losses: The losses, `[batch_size, d1, ..., dN]`.
        weights: A number, or a tensor of shape `[batch_size]`, `[batch_size, d1]` and so on. A last dimension
            of 1 is dropped.
        scope: The scope of the ops.

    Returns:
        The loss, one number of the dtype of `losses`; it is added to the collection `LOSSES`.

    Raises:
        ValueError: The rank of `losses` or of `weights` is not known.
    """
    with tf.compat.v1.name_scope(scope, "weighted_loss", [losses, weights]):
        losses = tf.convert_to_tensor(losses)
        dtype = losses.dtype
        losses = tf.cast(losses, tf.float32)
        weights = _as_weights(weights)
        _check_rank("losses", losses)
        _check_rank("weights", weights)
        if weights.shape.rank > 1 and weights.shape.as_list()[-1] in (1, None):
            weights = tf.squeeze(weights, [-1])
        total = _weighted_sum(losses, weights)
        count = tf.reduce_sum(_count_weighted(losses, weights))
        loss = tf.cast(tf.math.divide_no_nan(total, count, name="value"), dtype)
        add_loss(loss)
        return loss


def _as_weights(weights: Any) -> tf.Tensor:
    return tf.cast(tf.convert_to_tensor(weights), tf.float32)


def _check_rank(name: str, tensor: tf.Tensor) -> None:
    if tensor.shape.rank is None:
        raise ValueError(f"The rank of {name} must be known. Give it by set_shape.")


def _weighted_sum(losses: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    others = list(range(weights.shape.rank, losses.shape.rank))
    return tf.reduce_sum(tf.reduce_sum(losses, axis=others) * weights)


def _count_weighted(losses: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """Returns for each example how many of its elements have a weight that is not 0."""
    shape = tf.shape(losses)
    if weights.shape.rank == 0:
        weights = tf.fill(shape[:1], weights)
    rank = weights.shape.rank
    weighted = tf.cast(tf.not_equal(weights, 0.0), tf.float32)
    return tf.reduce_sum(weighted, axis=list(range(1, rank))) * tf.cast(
        tf.reduce_prod(shape[rank:]), tf.float32
    )


@add_arg_scope
def add_loss(loss: tf.Tensor, loss_collection: str | None = _KEYS.LOSSES) -> None:
    """Adds a loss to those of the graph; stands for `tf.contrib.losses.add_loss`.

    Args:
        loss: The loss.
        loss_collection: The collection it is added to; `None` for none. An `arg_scope` may set it.
    """
    if loss_collection:
        tf.compat.v1.add_to_collection(loss_collection, loss)


def get_losses(scope: str | None = None, loss_collection: str = _KEYS.LOSSES) -> list[tf.Tensor]:
    """Returns the losses of the graph; stands for `tf.contrib.losses.get_losses`.

    Args:
        scope: What their names begin with, a regular expression; by default all of them.
        loss_collection: The collection they are in.
    """
    return list(tf.compat.v1.get_collection(loss_collection, scope))


def get_regularization_losses(scope: str | None = None) -> list[tf.Tensor]:
    """Returns the losses of regularizers; stands for `tf.contrib.losses.get_regularization_losses`.

    Args:
        scope: What their names begin with, a regular expression; by default all of them.
    """
    return list(tf.compat.v1.get_collection(_KEYS.REGULARIZATION_LOSSES, scope))


def get_total_loss(add_regularization_losses: bool = True, name: str = "total_loss") -> tf.Tensor:
    """Returns the sum of all losses of the graph; stands for `tf.contrib.losses.get_total_loss`.

    Args:
        add_regularization_losses: Whether those of regularizers belong to them.
        name: The name of the sum.

    Raises:
        ValueError: The graph has no losses.
    """
    regularization = get_regularization_losses() if add_regularization_losses else []
    return tf.add_n(get_losses() + regularization, name=name)


def _as_pair(
    predictions: Any, labels: Any, dtype: tf.DType | None = tf.float32
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns predictions and labels as tensors of one dtype and compatible shapes."""
    if labels is None:
        raise TypeError("labels must be given.")
    predictions = tf.convert_to_tensor(predictions)
    labels = tf.convert_to_tensor(labels)
    predictions.shape.assert_is_compatible_with(labels.shape)
    if dtype is not None:
        predictions = tf.cast(predictions, dtype)
    return predictions, tf.cast(labels, predictions.dtype)


def absolute_difference(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None
) -> tf.Tensor:
    """Returns the mean of `|predictions - labels|`; stands for `tf.contrib.losses.absolute_difference`.

    Args:
        predictions: The predictions.
        labels: What they should be, of the same shape.
        weights: See `compute_weighted_loss`.
        scope: The scope of the ops.

    Returns:
        The loss, one number; it is added to the collection `LOSSES`.

    Raises:
        TypeError: `labels` are missing.
        ValueError: The shapes differ.
    """
    with tf.compat.v1.name_scope(scope, "absolute_difference", [predictions, labels, weights]) as name:
        predictions, labels = _as_pair(predictions, labels)
        return compute_weighted_loss(tf.abs(predictions - labels), weights, name)


def mean_squared_error(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None
) -> tf.Tensor:
    """Returns the mean of `(predictions - labels)²`; stands for `tf.contrib.losses.mean_squared_error`.

    Args:
        predictions: The predictions.
        labels: What they should be, of the same shape.
        weights: See `compute_weighted_loss`.
        scope: The scope of the ops.

    Returns:
        The loss, one number; it is added to the collection `LOSSES`.

    Raises:
        TypeError: `labels` are missing.
        ValueError: The shapes differ.
    """
    with tf.compat.v1.name_scope(scope, "mean_squared_error", [predictions, labels, weights]) as name:
        predictions, labels = _as_pair(predictions, labels)
        return compute_weighted_loss(tf.math.squared_difference(predictions, labels), weights, name)


def mean_pairwise_squared_error(
    predictions: Any, labels: Any = None, weights: Any = 1.0, scope: str | None = None
) -> tf.Tensor:
    """Returns how far differences within an example are from those of its labels.

    Stands for `tf.contrib.losses.mean_pairwise_squared_error`. Of each example it averages
    `((predictions[i] - predictions[j]) - (labels[i] - labels[j]))²` over all pairs `i, j`, and it sums these.

    Args:
        predictions: The predictions, `[batch_size, d1, ..., dN]`.
        labels: What they should be, of the same shape.
        weights: A number, or one for each example, of shape `[batch_size]`.
        scope: The scope of the ops.

    Returns:
        The loss, one number; it is added to the collection `LOSSES`.

    Raises:
        TypeError: `labels` are missing.
        ValueError: The shapes differ, or the rank of one is not known.
    """
    scope_values = [predictions, labels, weights]
    with tf.compat.v1.name_scope(scope, "mean_pairwise_squared_error", scope_values):
        predictions, labels = _as_pair(predictions, labels)
        weights = _as_weights(weights)
        differences = predictions - labels
        _check_rank("predictions and labels", differences)
        _check_rank("weights", weights)
        others = list(range(1, differences.shape.rank))
        counts = _count_weighted(differences, weights)
        squares = tf.reduce_sum(tf.square(differences), axis=others)
        squares = tf.math.divide_no_nan(squares, counts, name="value")
        products = tf.square(tf.reduce_sum(differences, axis=others))
        products = tf.math.divide_no_nan(products, tf.square(counts), name="value")
        total = _weighted_sum(2.0 * squares - 2.0 * products, weights)
        loss = tf.compat.v1.where(tf.reduce_sum(counts) > 0.0, total, tf.zeros_like(total), name="value")
        add_loss(loss)
        return loss


def log_loss(
    predictions: Any, labels: Any = None, weights: Any = 1.0, epsilon: float = 1e-7, scope: str | None = None
) -> tf.Tensor:
    """Returns the mean of the cross entropy of probabilities; stands for `tf.contrib.losses.log_loss`.

    Args:
        predictions: The predicted probabilities.
        labels: What they should be, from 0 to 1, of the same shape.
        weights: See `compute_weighted_loss`.
        epsilon: Added to a probability before its logarithm is taken.
        scope: The scope of the ops.

    Returns:
        The loss, one number; it is added to the collection `LOSSES`.

    Raises:
        TypeError: `labels` are missing.
        ValueError: The shapes differ.
    """
    with tf.compat.v1.name_scope(scope, "log_loss", [predictions, labels, weights]) as name:
        predictions, labels = _as_pair(predictions, labels)
        positive = labels * tf.math.log(predictions + epsilon)
        negative = (1.0 - labels) * tf.math.log(1.0 - predictions + epsilon)
        return compute_weighted_loss(-positive - negative, weights, name)


def hinge_loss(logits: Any, labels: Any = None, scope: str | None = None) -> tf.Tensor:
    """Returns the hinge loss of each element; stands for `tf.contrib.losses.hinge_loss`.

    Give it to `compute_weighted_loss`: by itself it is not in the collection `LOSSES`.

    Args:
        logits: The logits.
        labels: What they should be, 0 or 1, of the same shape.
        scope: The scope of the ops.

    Returns:
        The losses, in the shape of `logits`.

    Raises:
        TypeError: `labels` are missing.
        ValueError: The shapes differ.
    """
    with tf.compat.v1.name_scope(scope, "hinge_loss", [logits, labels]):
        logits, labels = _as_pair(logits, labels, None)
        ones = tf.ones_like(labels)
        return tf.nn.relu(ones - (2 * labels - ones) * logits)


def sigmoid_cross_entropy(
    logits: Any,
    multi_class_labels: Any,
    weights: Any = 1.0,
    label_smoothing: float = 0,
    scope: str | None = None,
) -> tf.Tensor:
    """Returns the mean of the cross entropy of independent classes.

    Stands for `tf.contrib.losses.sigmoid_cross_entropy`.

    Args:
        logits: The logits, `[batch_size, num_classes]`.
        multi_class_labels: What they should be, from 0 to 1, of the same shape.
        weights: See `compute_weighted_loss`.
        label_smoothing: How far labels are moved towards 1/2.
        scope: The scope of the ops.

    Returns:
        The loss, one number of the dtype of `logits`; it is added to the collection `LOSSES`.

    Raises:
        ValueError: The shapes differ.
    """
    scope_values = [logits, multi_class_labels, weights]
    with tf.compat.v1.name_scope(scope, "sigmoid_cross_entropy_loss", scope_values) as name:
        logits, labels = _as_pair(logits, multi_class_labels, None)
        if label_smoothing > 0:
            labels = labels * (1 - label_smoothing) + 0.5 * label_smoothing
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits, name="xentropy")
        return compute_weighted_loss(losses, weights, name)


def softmax_cross_entropy(
    logits: Any, onehot_labels: Any, weights: Any = 1.0, label_smoothing: float = 0, scope: str | None = None
) -> tf.Tensor:
    """Returns the mean of the cross entropy of classes; stands for `tf.contrib.losses.softmax_cross_entropy`.

    Args:
        logits: The logits, `[batch_size, num_classes]`.
        onehot_labels: The probabilities they should have, of the same shape. No gradient flows to them.
        weights: A number, or one for each example, of shape `[batch_size]`.
        label_smoothing: How far labels are moved towards `1 / num_classes`.
        scope: The scope of the ops.

    Returns:
        The loss, one number of the dtype of `logits`; it is added to the collection `LOSSES`.

    Raises:
        ValueError: The shapes differ.
    """
    scope_values = [logits, onehot_labels, weights]
    with tf.compat.v1.name_scope(scope, "softmax_cross_entropy_loss", scope_values) as name:
        logits, labels = _as_pair(logits, onehot_labels, None)
        if label_smoothing > 0:
            classes = tf.cast(tf.shape(labels)[1], logits.dtype)
            labels = labels * (1.0 - label_smoothing) + label_smoothing / classes
        losses = tf.nn.softmax_cross_entropy_with_logits(tf.stop_gradient(labels), logits, name="xentropy")
        return compute_weighted_loss(losses, weights, name)


def sparse_softmax_cross_entropy(
    logits: Any, labels: Any, weights: Any = 1.0, scope: str | None = None
) -> tf.Tensor:
    """Returns the mean of the cross entropy of classes given by their numbers.

    Stands for `tf.contrib.losses.sparse_softmax_cross_entropy`.

    Args:
        logits: The logits, `[batch_size, num_classes]`.
        labels: The classes, integers of shape `[batch_size]` or `[batch_size, 1]`.
        weights: A number, or one for each example, of shape `[batch_size]` or `[batch_size, 1]`.
        scope: The scope of the ops.

    Returns:
        The loss, one number of the dtype of `logits`; it is added to the collection `LOSSES`.
    """
    scope_values = [logits, labels, weights]
    with tf.compat.v1.name_scope(scope, "sparse_softmax_cross_entropy_loss", scope_values) as name:
        labels = tf.convert_to_tensor(labels)
        labels = tf.reshape(labels, tf.shape(labels)[:1])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits, name="xentropy")
        return compute_weighted_loss(losses, weights, name)


def cosine_distance(
    predictions: Any,
    labels: Any = None,
    axis: int | None = None,
    weights: Any = 1.0,
    scope: str | None = None,
    dim: int | None = None,
) -> tf.Tensor:
    """Returns the mean of `1 - predictions·labels`; stands for `tf.contrib.losses.cosine_distance`.

    Args:
        predictions: The predictions, of unit length along `axis`.
        labels: What they should be, of the same shape and of unit length.
        axis: The axis of the vectors.
        weights: See `compute_weighted_loss`.
        scope: The scope of the ops.
        dim: The name of `axis` in older scripts.

    Returns:
        The loss, one number; it is added to the collection `LOSSES`.

    Raises:
        TypeError: `labels` are missing.
        ValueError: The shapes differ, or `axis` is missing, or given twice.
    """
    if (axis is None) == (dim is None):
        raise ValueError("Give axis, or dim by its older name.")
    axis = dim if axis is None else axis
    with tf.compat.v1.name_scope(scope, "cosine_distance_loss", [predictions, labels, weights]) as name:
        predictions, labels = _as_pair(predictions, labels)
        losses = 1 - tf.reduce_sum(predictions * labels, axis=[axis])
        return compute_weighted_loss(losses, weights, name)
