"""Metrics that count in a graph of TensorFlow 1, and eagerly.

They have the interface of Keras's, `update_state` and `result`, but Keras 3's own cannot be updated in a
graph.
"""

from __future__ import annotations

import abc

import tensorflow as tf

from keras_legacy_train.types import TensorLike

_KEYS = tf.compat.v1.GraphKeys

# Thresholds of the curves: 198 between 0 and 1, and one a little beyond each end.
_EDGE = 1e-7
_THRESHOLDS = [-_EDGE, *((i + 1) / 199 for i in range(198)), 1 + _EDGE]


class Metric(abc.ABC):
    """Counts over batches.

    Args:
        name: What its variables are called.

    Attributes:
        updates: In a graph, the operations of the calls of `update_state`.
    """

    def __init__(self, name: str):
        self.name = name
        self.updates: list[tf.Operation] = []

    @abc.abstractmethod
    def result(self) -> tf.Tensor:
        """Returns the value of the metric over the batches so far, a float scalar."""

    def as_pair(self) -> tuple[tf.Tensor, tf.Operation]:
        """Returns what `EstimatorSpec` takes as a metric: the value, and the operation that updates it."""
        return self.result(), tf.group(*self.updates)

    def _add_counter(self, name: str, shape: tuple[int, ...] = ()) -> tf.Variable:
        return tf.compat.v1.Variable(
            tf.zeros(shape),
            trainable=False,
            collections=[_KEYS.LOCAL_VARIABLES, _KEYS.METRIC_VARIABLES],
            name=f"{self.name}/{name}",
            use_resource=True,
        )

    def _count(self, counter: tf.Variable, amount: tf.Tensor) -> None:
        # Where the input has ended, all updates wait for it: also one whose amount does not depend on it.
        with tf.control_dependencies(self.updates):
            update = counter.assign_add(amount, read_value=False)
        if not tf.executing_eagerly():
            self.updates.append(update)


class Mean(Metric):
    """Computes the weighted mean of values.

    Args:
        name: What its variables are called.

    Attributes:
        total: The weighted sum.
        count: The sum of the weights.
    """

    def __init__(self, name: str):
        super().__init__(name)
        self.total = self._add_counter("total")
        self.count = self._add_counter("count")

    def update_state(self, values: TensorLike, sample_weight: TensorLike | None = None) -> None:
        """Counts the values of a batch.

        Args:
            values: Numbers of any shape.
            sample_weight: Their weights, of a shape that is broadcast to that of the values.
        """
        values = tf.cast(values, tf.float32)
        weights = _weights(sample_weight, values)
        self._count(self.total, tf.reduce_sum(values * weights))
        self._count(self.count, tf.reduce_sum(weights))

    def result(self) -> tf.Tensor:
        return tf.math.divide_no_nan(self.total.read_value(), self.count.read_value())


class Accuracy(Mean):
    """Computes how often predictions equal labels.

    Args:
        name: What its variables are called.
        threshold: If given, predictions are probabilities, and those above it count as 1.
        inclusive: Whether a prediction at the threshold counts as 1, too.
    """

    def __init__(self, name: str, threshold: float | None = None, inclusive: bool = False):
        super().__init__(name)
        self._threshold = threshold
        self._inclusive = inclusive

    def update_state(  # type: ignore[override]
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Counts the predictions of a batch.

        Args:
            y_true: The labels.
            y_pred: The predictions, of the shape of the labels.
            sample_weight: Their weights, of a shape that is broadcast to that of the labels.
        """
        if self._threshold is not None:
            above = tf.greater_equal if self._inclusive else tf.greater
            y_pred = above(y_pred, self._threshold)
        y_true = tf.convert_to_tensor(y_true)
        super().update_state(tf.equal(y_true, tf.cast(y_pred, y_true.dtype)), sample_weight)


class AccuracyBaseline(Metric):
    """Computes the accuracy of a prediction of the more frequent of two labels.

    Args:
        name: What it is called.
        label_mean: The metric that counts the labels; this one needs no updates.
    """

    def __init__(self, name: str, label_mean: Mean):
        super().__init__(name)
        self._label_mean = label_mean

    def result(self) -> tf.Tensor:
        mean = self._label_mean.result()
        return tf.maximum(mean, 1 - mean)


class _Confusion(Metric):
    """Counts right and wrong predictions at thresholds."""

    def __init__(self, name: str, thresholds: list[float]):
        super().__init__(name)
        self._thresholds = thresholds
        shape = (len(thresholds),)
        self._true_positives = self._add_counter("true_positives", shape)
        self._false_positives = self._add_counter("false_positives", shape)
        self._positives = self._add_counter("positives")
        self._negatives = self._add_counter("negatives")

    def update_state(
        self, y_true: TensorLike, y_pred: TensorLike, sample_weight: TensorLike | None = None
    ) -> None:
        """Counts the predictions of a batch.

        Args:
            y_true: The labels, 0 or 1.
            y_pred: Probabilities, of the shape of the labels.
            sample_weight: Their weights, of a shape that is broadcast to that of the labels.
        """
        labels = tf.cast(tf.cast(y_true, tf.bool), tf.float32)
        weights = tf.reshape(_weights(sample_weight, labels), [-1])
        labels = tf.reshape(labels, [-1])
        predictions = tf.reshape(tf.cast(y_pred, tf.float32), [1, -1])
        predicted = tf.cast(predictions > tf.reshape(self._thresholds, [-1, 1]), tf.float32)
        positive, negative = labels * weights, (1 - labels) * weights
        self._count(self._true_positives, tf.linalg.matvec(predicted, positive))
        self._count(self._false_positives, tf.linalg.matvec(predicted, negative))
        self._count(self._positives, tf.reduce_sum(positive))
        self._count(self._negatives, tf.reduce_sum(negative))


class Precision(_Confusion):
    """Computes which part of the predictions above a threshold is right.

    Args:
        name: What its variables are called.
        threshold: The probability above which a prediction is positive.
    """

    def __init__(self, name: str, threshold: float = 0.5):
        super().__init__(name, [threshold])

    def result(self) -> tf.Tensor:
        right, wrong = self._true_positives.read_value(), self._false_positives.read_value()
        return tf.math.divide_no_nan(right, right + wrong)[0]


class Recall(_Confusion):
    """Computes which part of the positive labels is predicted.

    Args:
        name: What its variables are called.
        threshold: The probability above which a prediction is positive.
    """

    def __init__(self, name: str, threshold: float = 0.5):
        super().__init__(name, [threshold])

    def result(self) -> tf.Tensor:
        return tf.math.divide_no_nan(self._true_positives.read_value(), self._positives.read_value())[0]


class AUC(_Confusion):
    """Computes the area under a curve of 200 thresholds.

    Args:
        name: What its variables are called.
        curve: `"ROC"`, or `"PR"` for precision over recall.
        trapezoidal: Whether the area between two thresholds is a trapezoid, as `tf.compat.v1.metrics.auc`
            computes it. If not, precision is interpolated as Keras does, after Davis and Goadrich.
    """

    def __init__(self, name: str, curve: str = "ROC", trapezoidal: bool = False):
        super().__init__(name, _THRESHOLDS)
        self._curve = curve
        self._trapezoidal = trapezoidal

    def result(self) -> tf.Tensor:
        true, false = self._true_positives.read_value(), self._false_positives.read_value()
        positives, negatives = self._positives.read_value(), self._negatives.read_value()
        if self._trapezoidal:
            return self._trapezoids(true, false, positives, negatives)
        if self._curve == "PR":
            return _interpolated_precision(true, true + false, positives)
        recall = tf.math.divide_no_nan(true, positives)
        return _area(tf.math.divide_no_nan(false, negatives), recall)

    def _trapezoids(
        self, true: tf.Tensor, false: tf.Tensor, positives: tf.Tensor, negatives: tf.Tensor
    ) -> tf.Tensor:
        small = 1e-6  # as `tf.compat.v1.metrics.auc` adds it
        recall = (true + small) / (positives + small)
        if self._curve == "PR":
            return _area(recall, (true + small) / (true + false + small))
        return _area(false / (negatives + small), recall)


def _area(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum((x[:-1] - x[1:]) * (y[:-1] + y[1:]) / 2)


def _interpolated_precision(true: tf.Tensor, predicted: tf.Tensor, positives: tf.Tensor) -> tf.Tensor:
    """Returns the area under precision over recall, where right predictions are linear in all predictions."""
    d_true, d_predicted = true[:-1] - true[1:], predicted[:-1] - predicted[1:]
    slope = tf.math.divide_no_nan(d_true, tf.maximum(d_predicted, 0))
    intercept = true[1:] - slope * predicted[1:]
    both = (predicted[:-1] > 0) & (predicted[1:] > 0)
    ratio = tf.where(both, tf.math.divide_no_nan(predicted[:-1], predicted[1:]), tf.ones_like(slope))
    return tf.reduce_sum(tf.math.divide_no_nan(slope * (d_true + intercept * tf.math.log(ratio)), positives))


def _weights(sample_weight: TensorLike | None, values: tf.Tensor) -> tf.Tensor:
    weights = 1.0 if sample_weight is None else sample_weight
    return tf.broadcast_to(tf.cast(weights, tf.float32), tf.shape(values))
