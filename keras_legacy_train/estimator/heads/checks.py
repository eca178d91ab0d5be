"""Checks labels, logits, weights and losses: their shapes, types and ranges.

What the graph cannot tell is checked when it runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1

_MISSING_LABELS = (
    "You must provide a labels Tensor. Given: None. Suggested troubleshooting steps: Check that your data"
    " contains your label feature. Check that your input_fn properly parses and returns labels."
)
_SPARSE_LABELS = (
    "SparseTensor labels are not supported. Labels must be a Tensor of shape [D0, D1, ..., DN, {0}], e.g."
    " [batch_size, {0}]. Suggested Fix (1): Check the label feature in your data. Each example must contain"
    " {0} value(s). If not, your choice of label was probably incorrect. Suggested Fix (2): In your input_fn,"
    " use tf.sparse_tensor_to_dense() to turn labels into a Tensor."
)
_LABEL_DIMENSION = (
    "Mismatched label shape. Expected labels dimension={}.  Received {}. Suggested Fix: If your classifier"
    " expects one-hot encoding label, check your n_classes argument to the estimator and/or the shape of your"
    " label. Otherwise, check the shape of your label."
)
_LABEL_SHAPE = (
    "labels shape must be [D0, D1, ... DN, {}]. Suggested Fix: check your n_classes argument to the head"
    " and/or the shape of your label."
)
_LOGITS_SHAPE = "logits shape must be [D0, D1, ... DN, logits_dimension]"


def check_reduction(loss_reduction: str) -> str:
    """Returns how a loss is reduced, checked, in the words of `tf.compat.v1.losses.Reduction`.

    Args:
        loss_reduction: A value of `tf.losses.Reduction` or of `tf.compat.v1.losses.Reduction`, but not
            `NONE`.

    Raises:
        ValueError: It is neither.
    """
    reductions = v1.losses.Reduction
    known = {"sum": reductions.SUM, "sum_over_batch_size": reductions.SUM_OVER_BATCH_SIZE}
    known["auto"] = reductions.SUM_OVER_BATCH_SIZE
    known.update({reduction: reduction for reduction in reductions.all()})
    if loss_reduction not in known or loss_reduction == reductions.NONE:
        raise ValueError(
            f"Invalid loss_reduction: {loss_reduction}. See `tf.losses.Reduction` for valid options."
        )
    return str(known[loss_reduction])


def is_tf1_reduction(loss_reduction: str) -> bool:
    """Tells whether a reduction is of `tf.compat.v1.losses.Reduction`, whose values have other names."""
    return str(loss_reduction).startswith("weighted_")


def check_loss_fn(loss_fn: Callable[..., tf.Tensor] | None) -> None:
    """Checks the arguments of a loss function.

    Raises:
        ValueError: It does not take `labels` and `logits`, or takes what it is not given.
    """
    if loss_fn is None:
        return
    taken = list(inspect.signature(loss_fn).parameters)
    for required in ("labels", "logits"):
        if required not in taken:
            raise ValueError(f"loss_fn must contain argument: {required}. Given arguments: {tuple(taken)}")
    unexpected = sorted(set(taken) - {"labels", "logits", "features", "loss_reduction"})
    if unexpected:
        raise ValueError(f"loss_fn has unexpected args: {unexpected}")


def call_loss_fn(
    loss_fn: Callable[..., tf.Tensor],
    labels: tf.Tensor,
    logits: tf.Tensor,
    features: Mapping[str, Any] | None,
    dimension: int,
) -> tf.Tensor:
    """Returns what a loss function of the user's returns, checked to have shape `[D0, ..., DN, dimension]`.

    Raises:
        ValueError: It has another shape.
    """
    given = {"features": features} if "features" in inspect.signature(loss_fn).parameters else {}
    loss = loss_fn(labels=labels, logits=logits, **given)
    message = f"loss_fn must return Tensor of shape [D0, D1, ... DN, {dimension}]"
    return _with_shape(loss, logits, dimension, message, "loss")


def check_labels(labels: Any, logits: tf.Tensor, dimension: int) -> tf.Tensor:
    """Returns labels as a tensor of the shape of the logits, but for the last dimension.

    Args:
        labels: A tensor of shape `[D0, ..., DN, dimension]` or, if it is 1, `[D0, ..., DN]`.
        logits: A tensor of shape `[D0, ..., DN, any]`.
        dimension: How many labels an example has.

    Raises:
        ValueError: They are missing, sparse or of another shape.
    """
    if labels is None:
        raise ValueError(_MISSING_LABELS)
    labels = v1.convert_to_tensor_or_sparse_tensor(labels)
    if isinstance(labels, tf.SparseTensor):
        raise ValueError(_SPARSE_LABELS.format(dimension))
    if None not in (labels.shape.rank, logits.shape.rank) and labels.shape.rank == logits.shape.rank - 1:
        labels = tf.expand_dims(labels, -1)
    if (labels.shape.rank or 0) >= 2 and last_dimension(labels) not in (None, dimension):
        raise ValueError(_LABEL_DIMENSION.format(dimension, last_dimension(labels)))
    return _with_shape(labels, logits, dimension, _LABEL_SHAPE.format(dimension), "labels")


def last_dimension(tensor: tf.Tensor) -> int | None:
    """Returns the last dimension of a tensor of known rank, 1 or more; `None` if it is not known.

    Shapes have numbers or, with those of TensorFlow 1, objects in which `None` is not `None`.
    """
    last: int | None = tensor.shape.as_list()[-1]
    return last


def check_logits(logits: Any, dimension: int) -> tf.Tensor:
    """Returns logits as float32, checked to have shape `[D0, ..., DN, dimension]`.

    Raises:
        ValueError: They have another shape.
    """
    logits = tf.cast(logits, tf.float32)
    if logits.shape.rank is not None:
        if logits.shape.rank < 2 or last_dimension(logits) not in (None, dimension):
            raise ValueError(f"{_LOGITS_SHAPE}, got {logits.shape}.")
        if last_dimension(logits) is not None:
            return logits
    shape = tf.shape(logits)
    # Equality is of broadcast shapes, so it tells nothing where there are too few dimensions.
    with tf.control_dependencies([v1.assert_rank_at_least(logits, 2, message=_LOGITS_SHAPE)]):
        assertion = v1.assert_equal(shape[-1:], [dimension], [shape], message=_LOGITS_SHAPE)
    with tf.control_dependencies([assertion]):
        return tf.identity(logits)


def check_range(labels: tf.Tensor, n_classes: int, message: str | None = None) -> tf.Tensor:
    """Returns labels that are checked to be from 0 to `n_classes` - 1.

    Raises:
        ValueError: They are not, executing eagerly; a graph raises an InvalidArgumentError when it runs.
    """
    negative = message or "Labels must be >= 0"
    if tf.executing_eagerly():
        if tf.reduce_any(labels > tf.cast(n_classes - 1, labels.dtype)):
            raise ValueError(message or f"Labels must be <= {n_classes} - 1")
        if tf.reduce_any(labels < tf.zeros([], labels.dtype)):
            raise ValueError(negative)
        return labels
    # The assertion itself shows the number.
    too_large = message or "Labels must be <= n_classes - 1"
    assertions = [
        v1.assert_less_equal(labels, tf.cast(n_classes - 1, labels.dtype), message=too_large),
        v1.assert_non_negative(labels, message=negative),
    ]
    with tf.control_dependencies(assertions):
        return tf.identity(labels)


def example_weights(
    features: Mapping[str, Any] | None, weight_column: Any, logits: tf.Tensor, dimension: int = 1
) -> tf.Tensor | float:
    """Returns the weights of the examples, of a shape that is broadcast to that of the logits.

    Args:
        features: The features by name.
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`; `None` for weights of
            1.
        logits: A tensor of shape `[D0, ..., DN, any]`.
        dimension: The size of the last dimension that weights may have in place of 1.

    Raises:
        TypeError: `weight_column` is something else.
        ValueError: The weights are no numbers, or of another shape.
    """
    if weight_column is None:
        return 1.0
    if isinstance(weight_column, str):
        weight_column = tf.feature_column.numeric_column(weight_column, shape=(1,))
    if not isinstance(weight_column, tf.__internal__.feature_column.DenseColumn):
        raise TypeError(
            f"Weight column must be either a string or NumericColumn. Given type: {type(weight_column)}."
        )
    cache = tf.__internal__.feature_column.FeatureTransformationCache(dict(features or {}))
    weights = weight_column.get_dense_tensor(cache, None)
    if not (weights.dtype.is_floating or weights.dtype.is_integer):
        raise ValueError(f"Weight column should be castable to float. Given dtype: {weights.dtype}")
    weights = tf.cast(weights, tf.float32)
    if None not in (weights.shape.rank, logits.shape.rank) and weights.shape.rank == logits.shape.rank - 1:
        weights = tf.expand_dims(weights, -1)
    if dimension == 1:
        message = "weights shape must be [D0, D1, ... DN] or [D0, D1, ... DN, 1]"
        return _with_shape(weights, logits, 1, message, "weights")
    message = (
        "weights shape must be [D0, D1, ... DN], [D0, D1, ... DN, 1] or [D0, D1, ... DN, logits_dimension]"
    )
    if weights.shape.rank is None or last_dimension(weights) is None:
        full = tf.reduce_all(tf.equal(tf.shape(weights)[-1:], dimension))
        return _with_shape(weights, logits, tf.where(full, dimension, 1), message, "weights")
    last = dimension if last_dimension(weights) == dimension else 1
    return _with_shape(weights, logits, last, message, "weights")


def check_n_classes(n_classes: Any, least: int, message: str) -> int:
    """Returns a number of classes as an `int`.

    Args:
        n_classes: A number, or a tensor of a constant.
        least: The smallest that is right.
        message: Begins the error.

    Raises:
        ValueError: It is smaller, or not known before the graph runs.
    """
    value = tf.get_static_value(n_classes)
    if value is None or value < least:
        raise ValueError(f"{message}: {n_classes}.")
    return int(value)


def check_thresholds(thresholds: Iterable[float] | None) -> tuple[float, ...]:
    """Returns thresholds as a tuple, checked to lie between 0 and 1.

    Args:
        thresholds: Numbers, or `None` for none.

    Raises:
        ValueError: One is outside.
    """
    checked = tuple(thresholds or ())
    for threshold in checked:
        if not 0 < threshold < 1:
            raise ValueError(
                f"thresholds not in (0, 1): {checked}. thresholds must be in (0, 1) range. Given: {threshold}"
            )
    return checked


def check_prediction_keys(keys: Iterable[Any], valid: Collection[Any]) -> None:
    """Raises ValueError for the name of a prediction that a head does not have."""
    for key in keys:
        if key not in valid:
            raise ValueError(
                f"Prediction key must be in PredictionKeys, given: {key}."
                f"Valid prediction keys include {list(valid)}."
            )


def _with_shape(
    value: Any, logits: tf.Tensor, dimension: int | tf.Tensor, message: str, name: str
) -> tf.Tensor:
    """Returns `value`, checked to have the shape of the logits but for the last dimension.

    Args:
        value: What is checked.
        logits: A tensor of shape `[D0, ..., DN, any]`.
        dimension: The last dimension; a number, if the shape of `value` is known.
        message: Begins the error.
        name: What the error calls `value`: labels, whose shape it compares with the one expected, or
            something else, whose shape it compares with that of the logits.

    Raises:
        ValueError: It has another shape. What is known only when the graph runs, raises an
            InvalidArgumentError then.
    """
    value = tf.convert_to_tensor(value)
    if value.shape.is_fully_defined() and logits.shape.is_fully_defined():
        expected = tf.TensorShape([*logits.shape[:-1], dimension])
        if value.shape != expected:
            shown = (
                f"expected_labels_shape: {expected}" if name == "labels" else f"logits_shape: {logits.shape}"
            )
            raise ValueError(f"{message}, {shown}. {name}_shape: {value.shape}.")
        return value
    # Equality is of broadcast shapes, so it tells nothing where the numbers of dimensions differ.
    with tf.control_dependencies([v1.assert_rank(value, tf.rank(logits), message=message)]):
        logits_shape, shape = tf.shape(logits), tf.shape(value)
        expected = tf.concat([logits_shape[:-1], [dimension]], axis=0)
        known = (
            ["expected_labels_shape: ", expected] if name == "labels" else ["logits_shape: ", logits_shape]
        )
        assertion = v1.assert_equal(expected, shape, [*known, f"{name}_shape: ", shape], message=message)
    with tf.control_dependencies([assertion]):
        return tf.identity(value)
