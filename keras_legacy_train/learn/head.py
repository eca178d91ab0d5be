"""Makes predictions, loss and metrics of the logits of a model.

Stands for the heads of `tf.contrib.learn`. A head is what a model function ends in:

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train import learn, tf_layers

def model_fn(features, labels, mode):
    head = learn.multi_class_head(n_classes=3)
    logits = tf_layers.dense(features["x"], head.logits_dimension)

    def train_op_fn(loss):
        return tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())

    return head.create_model_fn_ops(features, mode, labels, train_op_fn, logits=logits)
```
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.learn import head_metrics as metrics
from keras_legacy_train.learn.head_metrics import Metric, check_weights
from keras_legacy_train.learn.keys import MetricKey, ModeKeys, PredictionKey, ProblemType
from keras_legacy_train.learn.model_fn_ops import ModelFnOps, OutputAlternative

v1 = tf.compat.v1

Predictions = dict[Any, tf.Tensor]
TrainOpFn = Callable[[tf.Tensor], Any]
# Makes of labels, logits and weights the loss to train with and the loss to report.
LossFn = Callable[[Any, tf.Tensor, tf.Tensor | None], tuple[tf.Tensor, tf.Tensor]]


class Head:
    """Makes predictions, loss and metrics of logits; stands for `tf.contrib.learn.Head`."""

    @property
    def logits_dimension(self) -> int:
        """Returns how many logits an example has.

        Raises:
            NotImplementedError: The subclass does not tell.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define logits_dimension.")

    def create_model_fn_ops(
        self,
        features: Any,
        mode: str,
        labels: Any = None,
        train_op_fn: TrainOpFn | None = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        """Returns what a model function returns.

        Args:
            features: The features, a tensor or a dict of tensors.
            mode: One of `ModeKeys`.
            labels: The labels, a tensor or a dict of tensors.
            train_op_fn: Returns the training operation for a loss; needed in training.
            logits: The logits, of shape `[batch_size, logits_dimension]`.
            logits_input: In place of the logits, what a linear layer makes them of.
            scope: The variable scope of what the head adds; by default it is named after the head.

        Raises:
            ValueError: The mode is unknown, or not exactly one of `logits` and `logits_input` is given.
            NotImplementedError: The subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define create_model_fn_ops.")


def regression_head(
    label_name: str | None = None,
    weight_column_name: str | None = None,
    label_dimension: int = 1,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
    link_fn: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> Head:
    """Returns a head for regression, with the mean squared error as its loss.

    Args:
        label_name: Key of the label; `None` if the labels are a tensor.
        weight_column_name: Key of the feature with the examples' weights; `None` for none.
        label_dimension: Number of numbers to predict for an example.
        enable_centered_bias: Whether a bias of the logits is learned apart.
        head_name: Ends the names of metrics and summaries, and is the variable scope.
        link_fn: Makes predictions of logits; by default they are the same.
    """
    return _RegressionHead(
        label_dimension,
        _mean_squared_loss,
        tf.identity if link_fn is None else link_fn,
        default_scope="regression_head",
        problem_type=ProblemType.LINEAR_REGRESSION,
        label_name=label_name,
        weight_column_name=weight_column_name,
        enable_centered_bias=enable_centered_bias,
        head_name=head_name,
    )


def poisson_regression_head(
    label_name: str | None = None,
    weight_column_name: str | None = None,
    label_dimension: int = 1,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
) -> Head:
    """Returns a head for counts: the logits are the logarithms of the means of Poisson distributions.

    Args:
        label_name: See `regression_head`.
        weight_column_name: See `regression_head`.
        label_dimension: See `regression_head`.
        enable_centered_bias: See `regression_head`.
        head_name: See `regression_head`.
    """
    return _RegressionHead(
        label_dimension,
        _poisson_loss,
        tf.exp,
        default_scope="regression_head",
        problem_type=ProblemType.LINEAR_REGRESSION,
        label_name=label_name,
        weight_column_name=weight_column_name,
        enable_centered_bias=enable_centered_bias,
        head_name=head_name,
    )


def multi_class_head(
    n_classes: int,
    label_name: str | None = None,
    weight_column_name: str | None = None,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
    thresholds: Sequence[float] | None = None,
    metric_class_ids: Sequence[int] | None = None,
    loss_fn: Callable[..., tf.Tensor] | None = None,
    label_keys: Sequence[str] | None = None,
) -> Head:
    """Returns a head for classification: logistic regression for two classes, softmax for more.

    Args:
        n_classes: Number of classes, at least 2. Labels are numbers from 0 to `n_classes - 1`.
        label_name: See `regression_head`.
        weight_column_name: See `regression_head`.
        enable_centered_bias: See `regression_head`.
        head_name: See `regression_head`.
        thresholds: Where accuracy, precision and recall of two classes are measured; by default at 0.5.
        metric_class_ids: The classes of more than two that have metrics of their own.
        loss_fn: Makes a loss of `labels`, `logits` and `weights`, in place of the cross entropy.
        label_keys: The names of more than two classes; labels and predicted classes are then strings.

    Raises:
        ValueError: An argument cannot be right.
    """
    if n_classes is None or n_classes < 2:
        raise ValueError(f"n_classes must be > 1 for classification: {n_classes}.")
    custom_loss = None if loss_fn is None else _custom_loss(loss_fn)
    if n_classes == 2:
        if metric_class_ids:
            raise ValueError("metric_class_ids invalid for n_classes==2.")
        if label_keys:
            raise ValueError("label_keys is not supported for n_classes=2.")
        return _BinaryHead(
            custom_loss or _log_loss,
            thresholds,
            default_scope="binary_logistic_head",
            problem_type=ProblemType.LOGISTIC_REGRESSION,
            label_name=label_name,
            weight_column_name=weight_column_name,
            enable_centered_bias=enable_centered_bias,
            head_name=head_name,
        )
    if label_keys and len(label_keys) != n_classes:
        raise ValueError("Length of label_keys must equal n_classes.")
    return _MultiClassHead(
        n_classes,
        custom_loss or _softmax_loss,
        metric_class_ids,
        label_keys,
        default_scope="multi_class_head",
        problem_type=ProblemType.CLASSIFICATION,
        label_name=label_name,
        weight_column_name=weight_column_name,
        enable_centered_bias=enable_centered_bias,
        head_name=head_name,
    )


def binary_svm_head(
    label_name: str | None = None,
    weight_column_name: str | None = None,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
    thresholds: Sequence[float] | None = None,
) -> Head:
    """Returns a head for two classes with the hinge loss of a support vector machine.

    Args:
        label_name: See `regression_head`.
        weight_column_name: See `regression_head`.
        enable_centered_bias: See `regression_head`.
        head_name: See `regression_head`.
        thresholds: Must be `None`: the head has no probabilities, so no metric uses thresholds.

    Raises:
        ValueError: There are thresholds.
    """
    if thresholds:
        raise ValueError("thresholds must be None: binary_svm_head has no metric that uses them.")
    return _SvmHead(
        1,
        default_scope="binary_svm_head",
        problem_type=ProblemType.LOGISTIC_REGRESSION,
        label_name=label_name,
        weight_column_name=weight_column_name,
        enable_centered_bias=enable_centered_bias,
        head_name=head_name,
    )


def multi_label_head(
    n_classes: int,
    label_name: str | None = None,
    weight_column_name: str | None = None,
    enable_centered_bias: bool = False,
    head_name: str | None = None,
    thresholds: Sequence[float] | None = None,
    metric_class_ids: Sequence[int] | None = None,
    loss_fn: Callable[..., tf.Tensor] | None = None,
) -> Head:
    """Returns a head for classification where an example may be of several classes, or of none.

    Args:
        n_classes: Number of classes, at least 2. Labels are of shape `[batch_size, n_classes]`, 1 for a class
            that the example is of, or sparse with the numbers of its classes.
        label_name: See `regression_head`.
        weight_column_name: See `regression_head`.
        enable_centered_bias: See `regression_head`.
        head_name: See `regression_head`.
        thresholds: Must be `None`: no metric of this head uses thresholds.
        metric_class_ids: The classes that have metrics of their own.
        loss_fn: Makes a loss of `labels`, `logits` and `weights`, in place of the cross entropy.

    Raises:
        ValueError: An argument cannot be right.
    """
    if n_classes is None or n_classes < 2:
        raise ValueError("n_classes must be > 1 for classification.")
    if thresholds:
        raise ValueError("thresholds must be None: multi_label_head has no metric that uses them.")
    return _MultiLabelHead(
        n_classes,
        _sigmoid_loss if loss_fn is None else _custom_loss(loss_fn),
        metric_class_ids,
        default_scope="multi_label_head",
        problem_type=ProblemType.CLASSIFICATION,
        label_name=label_name,
        weight_column_name=weight_column_name,
        enable_centered_bias=enable_centered_bias,
        head_name=head_name,
    )


def loss_only_head(loss_fn: Callable[[], Any], head_name: str | None = None) -> Head:
    """Returns a head with a loss of its own, for a `multi_head`; regularisation, for example.

    Args:
        loss_fn: Takes nothing, and returns a scalar tensor or a list of them.
        head_name: Ends the names of its summary, and is the variable scope.
    """
    return _LossOnlyHead(loss_fn, head_name)


def multi_head(heads: Sequence[Any], loss_weights: Sequence[float] | None = None) -> Head:
    """Returns a head that is made of several, whose losses are added.

    Args:
        heads: The heads, each with a name.
        loss_weights: Factors of the losses; by default each is 1.

    Raises:
        ValueError: A head has no name, or the numbers of heads and weights differ.
    """
    if loss_weights and len(loss_weights) != len(heads):
        raise ValueError("heads and loss_weights must have same size")
    return _MultiHead(heads, loss_weights or [1.0] * len(heads))


def no_op_train_fn(loss: tf.Tensor) -> tf.Operation:
    """Returns an operation that does nothing, for a `train_op_fn`.

    Args:
        loss: The loss, which is not used.
    """
    return tf.no_op()


class _SingleHead(Head):
    """Makes one head's part of a graph; subclasses say what is particular to it.

    Args:
        logits_dimension: Number of logits of an example.
        default_scope: The variable scope of a head without a name.
        problem_type: One of `ProblemType`.
        label_name: See `regression_head`.
        weight_column_name: See `regression_head`.
        enable_centered_bias: See `regression_head`.
        head_name: See `regression_head`.
    """

    def __init__(
        self,
        logits_dimension: int,
        *,
        default_scope: str,
        problem_type: int,
        label_name: str | None,
        weight_column_name: str | None,
        enable_centered_bias: bool,
        head_name: str | None,
    ):
        if logits_dimension is None or logits_dimension < 1:
            raise ValueError(f"Invalid logits_dimension {logits_dimension}.")
        self._logits_dimension = logits_dimension
        self._default_scope = default_scope
        self._problem_type = problem_type
        self.label_name = label_name
        self.weight_column_name = weight_column_name
        self.head_name = head_name
        self._enable_centered_bias = enable_centered_bias

    @property
    def logits_dimension(self) -> int:
        return self._logits_dimension

    def create_model_fn_ops(
        self,
        features: Any,
        mode: str,
        labels: Any = None,
        train_op_fn: TrainOpFn | None = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        _check_mode(mode, train_op_fn)
        with v1.variable_scope(scope, default_name=self.head_name or self._default_scope):
            return self._create(features, mode, labels, train_op_fn, logits, logits_input)

    def _create(
        self,
        features: Any,
        mode: str,
        labels: Any,
        train_op_fn: TrainOpFn | None,
        logits: Any,
        logits_input: Any,
    ) -> ModelFnOps:
        is_labelled = mode != ModeKeys.INFER and labels is not None
        if is_labelled:
            labels = self._labels(labels)
        logits = _as_logits(logits, logits_input, self.logits_dimension)
        bias = None
        if self._enable_centered_bias:
            bias = self._centered_bias()
            logits = tf.nn.bias_add(logits, bias)
        with tf.name_scope("predictions"):
            predictions = self._predictions(logits)
        loss = train_op = None
        metric_ops: dict[str, Metric] = {}
        if is_labelled:
            weights = _weights(features, self.weight_column_name)
            loss, reported_loss = self._loss(labels, logits, weights)
            with v1.name_scope(""):
                v1.summary.scalar(self._key(MetricKey.LOSS), tf.identity(reported_loss))
            if mode == ModeKeys.TRAIN and train_op_fn is not None:
                train_op = self._train_op(loss, labels, train_op_fn, bias, tf.shape(logits)[0], weights)
            with tf.name_scope("metrics"):
                made = {
                    MetricKey.LOSS: v1.metrics.mean(reported_loss),
                    **self._metrics(predictions, labels, weights),
                }
            metric_ops = {self._key(name): metric for name, metric in made.items()}
        alternatives: dict[str | None, OutputAlternative] = {
            self.head_name: (self._problem_type, self._exported(predictions))
        }
        return ModelFnOps(
            mode=mode,
            predictions=predictions,
            loss=loss,
            train_op=train_op,
            eval_metric_ops=metric_ops,
            output_alternatives=alternatives,
        )

    def _labels(self, labels: Any) -> Any:
        """Returns the labels in the form that loss and metrics take."""
        labels = _named_labels(labels, self.label_name)
        if isinstance(labels, tf.SparseTensor):
            raise ValueError("SparseTensor is not supported.")
        return labels

    def _loss(self, labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the loss to train with and the loss to report."""
        raise NotImplementedError

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        raise NotImplementedError

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        """Returns the metrics besides the loss."""
        return {}

    def _exported(self, predictions: Predictions) -> Predictions:
        """Returns what an exported model offers."""
        return predictions

    def _key(self, name: str) -> str:
        return f"{name}/{self.head_name}" if self.head_name else name

    def _centered_bias(self) -> tf.Variable:
        bias = v1.Variable(tf.zeros([self.logits_dimension]), name="centered_bias_weight", trainable=True)
        for index in range(self.logits_dimension):
            v1.summary.scalar(self._key(f"centered_bias/bias_{index}"), bias[index])
        return bias

    def _train_op(
        self,
        loss: tf.Tensor,
        labels: Any,
        train_op_fn: TrainOpFn,
        bias: tf.Variable | None,
        batch_size: tf.Tensor,
        weights: Any,
    ) -> Any:
        if bias is None:
            with tf.name_scope("train_op"):
                return train_op_fn(loss)
        # The bias alone learns to predict the labels, by an optimizer of its own.
        with tf.name_scope("centered_bias_step"):
            alone = tf.tile(bias[tf.newaxis], [batch_size, 1])
            alone.set_shape([None, self.logits_dimension])
            bias_loss = tf.reduce_mean(self._loss(labels, alone, weights))
        bias_step = v1.train.AdagradOptimizer(0.1).minimize(bias_loss, var_list=[bias])
        with tf.name_scope("train_op"):
            return tf.group(train_op_fn(loss), bias_step)


class _RegressionHead(_SingleHead):
    def __init__(
        self, label_dimension: int, loss_fn: LossFn, link_fn: Callable[[tf.Tensor], tf.Tensor], **named: Any
    ):
        super().__init__(label_dimension, **named)
        self._loss_fn = loss_fn
        self._link_fn = link_fn

    def _loss(self, labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        return self._loss_fn(labels, logits, weights)

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        if self.logits_dimension == 1:
            logits = tf.squeeze(logits, axis=[1], name=PredictionKey.SCORES)
        return {PredictionKey.SCORES: self._link_fn(logits)}


class _BinaryHead(_SingleHead):
    def __init__(self, loss_fn: LossFn, thresholds: Sequence[float] | None, **named: Any):
        super().__init__(1, **named)
        self._loss_fn = loss_fn
        self._thresholds = thresholds or (0.5,)

    def _loss(self, labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        return self._loss_fn(labels, logits, weights)

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        both = _both_logits(logits)
        return {
            PredictionKey.LOGITS: logits,
            PredictionKey.LOGISTIC: tf.sigmoid(logits, name=PredictionKey.LOGISTIC),
            PredictionKey.PROBABILITIES: tf.nn.softmax(both, name=PredictionKey.PROBABILITIES),
            PredictionKey.CLASSES: tf.argmax(both, 1, name=PredictionKey.CLASSES),
        }

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        logistic = predictions[PredictionKey.LOGISTIC]
        made = {
            MetricKey.ACCURACY: v1.metrics.accuracy(labels, predictions[PredictionKey.CLASSES], weights),
            MetricKey.PREDICTION_MEAN: metrics.mean(logistic, weights),
            MetricKey.LABEL_MEAN: metrics.mean(labels, weights),
            MetricKey.ACCURACY_BASELINE: metrics.mean(labels, weights),
            MetricKey.AUC: metrics.auc(logistic, labels, weights),
            MetricKey.AUC_PR: metrics.auc(logistic, labels, weights, curve="PR"),
        }
        for threshold in self._thresholds:
            made[MetricKey.ACCURACY_MEAN % threshold] = metrics.accuracy_at(
                threshold, logistic, labels, weights
            )
            for key, function in (
                (MetricKey.PRECISION_MEAN, v1.metrics.precision_at_thresholds),
                (MetricKey.RECALL_MEAN, v1.metrics.recall_at_thresholds),
            ):
                values = function(labels, logistic, (threshold,), weights)
                made[key % threshold] = (tf.squeeze(values[0]), tf.squeeze(values[1]))
        return made

    def _exported(self, predictions: Predictions) -> Predictions:
        return _probabilities_by_class(predictions)


class _MultiClassHead(_SingleHead):
    def __init__(
        self,
        n_classes: int,
        loss_fn: LossFn,
        metric_class_ids: Sequence[int] | None,
        label_keys: Sequence[str] | None,
        **named: Any,
    ):
        super().__init__(n_classes, **named)
        self._loss_fn = loss_fn
        self._metric_class_ids = _class_ids(metric_class_ids, n_classes)
        self._label_keys = None if not label_keys else list(label_keys)

    def _labels(self, labels: Any) -> Any:
        """Returns the labels as they are given, and as numbers."""
        labels = super()._labels(labels)
        if self._label_keys is None:
            return labels, labels
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(self._label_keys), tf.range(self.logits_dimension, dtype=tf.int64)
            ),
            default_value=-1,
        )
        return labels, table.lookup(labels)

    def _loss(self, labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        return self._loss_fn(labels[1], logits, weights)

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        classes = tf.argmax(logits, 1, name=PredictionKey.CLASSES)
        if self._label_keys is not None:
            classes = tf.gather(tf.constant(self._label_keys), classes)
        return {
            PredictionKey.LOGITS: logits,
            PredictionKey.PROBABILITIES: tf.nn.softmax(logits, name=PredictionKey.PROBABILITIES),
            PredictionKey.CLASSES: classes,
        }

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        given, numbers = labels
        classes = predictions[PredictionKey.CLASSES]
        made = {MetricKey.ACCURACY: v1.metrics.accuracy(given, classes, weights)}
        if self._label_keys is not None:
            return made
        for number in self._metric_class_ids:
            for key, values in (
                (MetricKey.CLASS_PREDICTION_MEAN, tf.equal(tf.cast(classes, tf.int32), number)),
                (MetricKey.CLASS_LABEL_MEAN, tf.equal(tf.cast(numbers, tf.int32), number)),
            ):
                made[key % number] = v1.metrics.mean(tf.cast(values, tf.float32), weights)
            for key, values in (
                (MetricKey.CLASS_PROBABILITY_MEAN, predictions[PredictionKey.PROBABILITIES]),
                (MetricKey.CLASS_LOGITS_MEAN, predictions[PredictionKey.LOGITS]),
            ):
                made[key % number] = metrics.mean(values, weights, number)
        return made

    def _exported(self, predictions: Predictions) -> Predictions:
        return _probabilities_by_class(predictions, self._label_keys)


class _SvmHead(_SingleHead):
    def _loss(self, labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        losses = v1.losses.hinge_loss(tf.reshape(labels, [-1, 1]), logits, reduction=v1.losses.Reduction.NONE)
        return _weighted(losses, weights)

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        classes = tf.argmax(_both_logits(logits), 1, name=PredictionKey.CLASSES)
        return {PredictionKey.LOGITS: logits, PredictionKey.CLASSES: classes}

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        classes = predictions[PredictionKey.CLASSES]
        return {MetricKey.ACCURACY: v1.metrics.accuracy(labels, classes, weights)}


class _MultiLabelHead(_SingleHead):
    def __init__(self, n_classes: int, loss_fn: LossFn, metric_class_ids: Sequence[int] | None, **named: Any):
        super().__init__(n_classes, **named)
        self._loss_fn = loss_fn
        self._metric_class_ids = _class_ids(metric_class_ids, n_classes)

    def _labels(self, labels: Any) -> Any:
        labels = _named_labels(labels, self.label_name)
        if isinstance(labels, tf.SparseTensor):
            indicators = v1.sparse_to_indicator(labels, self.logits_dimension)
            return tf.cast(indicators, tf.int64)
        return labels

    def _loss(self, labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        return self._loss_fn(labels, logits, weights)

    def _predictions(self, logits: tf.Tensor) -> Predictions:
        return {
            PredictionKey.LOGITS: logits,
            PredictionKey.PROBABILITIES: tf.sigmoid(logits, name=PredictionKey.PROBABILITIES),
            PredictionKey.CLASSES: tf.cast(logits > 0, tf.int64, name=PredictionKey.CLASSES),
        }

    def _metrics(self, predictions: Predictions, labels: Any, weights: Any) -> dict[str, Metric]:
        probabilities = predictions[PredictionKey.PROBABILITIES]
        classes = predictions[PredictionKey.CLASSES]
        made = {
            MetricKey.ACCURACY: v1.metrics.accuracy(labels, classes, weights),
            MetricKey.AUC: metrics.auc(probabilities, labels, weights),
            MetricKey.AUC_PR: metrics.auc(probabilities, labels, weights, curve="PR"),
        }
        for number in self._metric_class_ids:
            for key, values in (
                (MetricKey.CLASS_PREDICTION_MEAN, classes),
                (MetricKey.CLASS_LABEL_MEAN, labels),
                (MetricKey.CLASS_PROBABILITY_MEAN, probabilities),
                (MetricKey.CLASS_LOGITS_MEAN, predictions[PredictionKey.LOGITS]),
            ):
                made[key % number] = metrics.mean(values, weights, number)
            for key, curve in ((MetricKey.CLASS_AUC, "ROC"), (MetricKey.CLASS_AUC_PR, "PR")):
                made[key % number] = metrics.auc(probabilities, labels, weights, number, curve)
        return made

    def _exported(self, predictions: Predictions) -> Predictions:
        return _probabilities_by_class(predictions)


class _LossOnlyHead(Head):
    def __init__(self, loss_fn: Callable[[], Any], head_name: str | None):
        self._loss_fn = loss_fn
        self.head_name = head_name or "loss_only_head"

    @property
    def logits_dimension(self) -> int:
        return 0

    def create_model_fn_ops(
        self,
        features: Any,
        mode: str,
        labels: Any = None,
        train_op_fn: TrainOpFn | None = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        _check_mode(mode, train_op_fn)
        loss = train_op = None
        if mode != ModeKeys.INFER:
            with v1.variable_scope(scope, default_name=self.head_name):
                loss = self._loss_fn()
                if isinstance(loss, (list, tuple)):
                    loss = tf.add_n(loss)
                with v1.name_scope(""):
                    v1.summary.scalar(f"{MetricKey.LOSS}/{self.head_name}", tf.identity(loss))
                if mode == ModeKeys.TRAIN and train_op_fn is not None:
                    train_op = train_op_fn(loss)
        return ModelFnOps(mode=mode, loss=loss, train_op=train_op, predictions={})


class _MultiHead(Head):
    def __init__(self, heads: Sequence[Any], loss_weights: Sequence[float]):
        for head in heads:
            if not head.head_name:
                raise ValueError("Members of MultiHead must have names.")
        self._heads = list(heads)
        self._loss_weights = list(loss_weights)

    @property
    def logits_dimension(self) -> int:
        return sum(head.logits_dimension for head in self._heads)

    def create_model_fn_ops(
        self,
        features: Any,
        mode: str,
        labels: Any = None,
        train_op_fn: TrainOpFn | None = None,
        logits: Any = None,
        logits_input: Any = None,
        scope: Any = None,
    ) -> ModelFnOps:
        _check_mode(mode, train_op_fn)
        parts = [
            (
                head,
                head.create_model_fn_ops(
                    features=features,
                    mode=mode,
                    labels=labels,
                    train_op_fn=no_op_train_fn,
                    logits=head_logits,
                    logits_input=logits_input,
                    scope=scope,
                ),
            )
            for head, head_logits in zip(self._heads, self._split(logits), strict=True)
        ]
        predictions = {
            (head.head_name, key): value for head, ops in parts for key, value in ops.predictions.items()
        }
        if mode == ModeKeys.INFER:
            alternatives = {
                name: alternative
                for _, ops in parts
                for name, alternative in (ops.output_alternatives or {}).items()
            }
            return ModelFnOps(mode=mode, predictions=predictions, output_alternatives=alternatives)
        loss = tf.add_n(
            [ops.loss * weight for (_, ops), weight in zip(parts, self._loss_weights, strict=True)]
        )
        metric_ops = {key: value for _, ops in parts for key, value in ops.eval_metric_ops.items()}
        if mode == ModeKeys.EVAL or train_op_fn is None:
            return ModelFnOps(mode=mode, predictions=predictions, loss=loss, eval_metric_ops=metric_ops)
        train_op = tf.group(train_op_fn(loss), *(ops.train_op for _, ops in parts))
        return ModelFnOps(mode=mode, loss=loss, train_op=train_op, eval_metric_ops=metric_ops)

    def _split(self, logits: Any) -> list[Any]:
        """Returns the logits of each head, `None` for a head that has none."""
        if logits is None:
            return [None] * len(self._heads)
        if isinstance(logits, Mapping):
            return [logits[head.head_name] if head.logits_dimension else None for head in self._heads]
        parts = tf.split(logits, [head.logits_dimension for head in self._heads], axis=-1)
        return [
            part if head.logits_dimension else None for head, part in zip(self._heads, parts, strict=True)
        ]


def _check_mode(mode: str, train_op_fn: TrainOpFn | None) -> None:
    if mode not in (ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.INFER):
        raise ValueError(f"mode={mode} unrecognized.")
    if mode == ModeKeys.TRAIN and train_op_fn is None:
        raise ValueError("train_op_fn can not be None in TRAIN mode")


def _as_logits(logits: Any, logits_input: Any, dimension: int) -> tf.Tensor:
    """Returns the logits, of a linear layer if only its input is given.

    Raises:
        ValueError: Both or neither are given, or the logits have another dimension.
    """
    if logits is not None and logits_input is not None:
        raise ValueError("Both logits and logits_input supplied.")
    if logits is None and logits_input is None:
        raise ValueError("Neither logits nor logits_input supplied.")
    if logits is None:
        with v1.variable_scope("logits"):
            return linear_layer(tf.convert_to_tensor(logits_input), dimension)
    logits = tf.convert_to_tensor(logits, name="logits")
    if logits.shape.ndims is not None and not logits.shape[-1:].is_compatible_with([dimension]):
        raise ValueError(f"logits must have {dimension} columns; they have the shape {logits.shape}.")
    return logits


def linear_layer(
    inputs: tf.Tensor, units: int, collections: Sequence[str] | None = None, trainable: bool = True
) -> tf.Tensor:
    """Returns the outputs of a fully connected layer, its variables being `weights` and `biases`.

    Args:
        inputs: A tensor of shape `[batch_size, number of inputs]`.
        units: Number of outputs.
        collections: Collections that the variables are added to, besides those of all variables.
        trainable: Whether the variables are trained.
    """
    every = [v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.MODEL_VARIABLES, *(collections or ())]
    weights = v1.get_variable(
        "weights",
        [inputs.shape[-1], units],
        inputs.dtype,
        v1.glorot_uniform_initializer(),
        trainable=trainable,
        collections=every,
    )
    biases = v1.get_variable(
        "biases", [units], inputs.dtype, v1.zeros_initializer(), trainable=trainable, collections=every
    )
    return tf.nn.bias_add(tf.matmul(inputs, weights), biases)


def _named_labels(labels: Any, name: str | None) -> Any:
    if isinstance(labels, Mapping):
        if name not in labels:
            raise ValueError(
                f"The labels are a dict of {sorted(labels)}, and the head's label_name is {name!r}."
            )
        labels = labels[name]
    return v1.convert_to_tensor_or_sparse_tensor(labels)


def _weights(features: Any, name: str | None) -> tf.Tensor | None:
    """Returns the weights of the examples, of shape `[batch_size, 1]` if they are a vector."""
    if not name:
        return None
    if not isinstance(features, Mapping) or name not in features:
        raise ValueError(f"Weights {name} missing from features.")
    weights = tf.cast(features[name], tf.float32)
    return tf.reshape(weights, [-1, 1]) if weights.shape.ndims == 1 else weights


def _weighted(losses: tf.Tensor, weights: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the mean of the weighted losses, and the weighted mean."""
    if weights is None:
        loss = tf.reduce_mean(losses)
        return loss, loss
    weights = check_weights(weights, losses)
    weighted = losses * weights
    return tf.reduce_mean(weighted), tf.reduce_sum(weighted) / tf.reduce_sum(weights)


def _mean_squared_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    labels, logits = _columns(labels, logits)
    return _weighted(tf.math.squared_difference(logits, tf.cast(labels, tf.float32)), weights)


def _poisson_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    labels, logits = _columns(labels, logits)
    targets = tf.cast(labels, logits.dtype)
    return _weighted(tf.nn.log_poisson_loss(targets, logits, compute_full_loss=True), weights)


def _log_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    labels = tf.cast(labels, tf.float32)
    if labels.shape.ndims == 1:
        labels = labels[:, tf.newaxis]
    return _weighted(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits), weights)


def _sigmoid_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.cast(labels, tf.float32), logits)
    return _weighted(losses, weights)


def _softmax_loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
    if not labels.dtype.is_integer:
        raise ValueError(f"Labels dtype should be integer Instead got {labels.dtype}.")
    is_column = labels.shape.ndims == 2
    flat = tf.squeeze(labels, axis=[1]) if is_column else labels
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(flat, logits)
    return _weighted(losses[:, tf.newaxis] if is_column else losses, weights)


def _columns(labels: tf.Tensor, logits: tf.Tensor) -> list[tf.Tensor]:
    """Returns vectors as columns, and other tensors as they are.

    Raises:
        ValueError: The shapes differ.
    """
    columns = [tensor[:, tf.newaxis] if tensor.shape.ndims == 1 else tensor for tensor in (labels, logits)]
    columns[1].shape.assert_is_compatible_with(columns[0].shape)
    return columns


def _custom_loss(loss_fn: Callable[..., tf.Tensor]) -> LossFn:
    parameters: Mapping[str, Any] = {}
    with contextlib.suppress(ValueError):  # a callable without a signature
        parameters = inspect.signature(loss_fn).parameters
    for name in ("labels", "logits", "weights"):
        if name not in parameters:
            raise ValueError(f"Argument {name} not found in loss_fn.")

    def loss(labels: Any, logits: tf.Tensor, weights: Any) -> tuple[tf.Tensor, tf.Tensor]:
        made = loss_fn(labels, logits) if weights is None else loss_fn(labels, logits, weights)
        return made, made

    return loss


def _class_ids(given: Sequence[int] | None, n_classes: int) -> tuple[int, ...]:
    numbers = tuple(given or ())
    for number in numbers:
        if not 0 <= number < n_classes:
            raise ValueError(f"Class ID {number} not in [0, {n_classes}).")
    return numbers


def _both_logits(logits: tf.Tensor) -> tf.Tensor:
    """Returns the logits of both classes, of those of the second."""
    return tf.concat([tf.zeros_like(logits), logits], 1)


def _probabilities_by_class(predictions: Predictions, label_keys: Sequence[str] | None = None) -> Predictions:
    """Returns probabilities and the names of their classes, which TensorFlow Serving wants as strings."""
    probabilities = predictions[PredictionKey.PROBABILITIES]
    size, number = tf.unstack(tf.shape(probabilities), 2)
    names = tf.strings.as_string(tf.range(number)) if label_keys is None else tf.constant(label_keys)
    classes = tf.tile(names[tf.newaxis], [size, 1], name="classes_tensor")
    return {PredictionKey.PROBABILITIES: probabilities, PredictionKey.CLASSES: classes}
