"""Defines what a head is, and what the heads with one loss have in common."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.export.outputs import ClassificationOutput, ExportOutput, PredictOutput
from keras_legacy_train.estimator.heads import checks, keys
from keras_legacy_train.estimator.heads.keys import MetricKeys, PredictionKeys
from keras_legacy_train.estimator.heads.metrics import Mean, Metric
from keras_legacy_train.estimator.heads.train_op import add_loss_summaries, create_train_op
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.estimator.spec import EstimatorSpec
from keras_legacy_train.types import TensorLike

Features = Mapping[str, Any]


class Head(abc.ABC):
    """Knows what follows the logits of a model: loss, metrics, predictions and outputs of an export.

    A model function computes logits, and gets the rest from a head:

    ```python
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import estimator, tf_layers

    def model_fn(features, labels, mode):
        head = estimator.MultiClassHead(n_classes=3)
        logits = tf_layers.dense(features["x"], head.logits_dimension)
        optimizer = tf.train.AdagradOptimizer(0.1)
        return head.create_estimator_spec(features, mode, logits, labels, optimizer=optimizer)
    ```

    Subclasses define the abstract methods, and `create_estimator_spec`.
    """

    @property
    @abc.abstractmethod
    def name(self) -> str | None:
        """Returns the name, which ends the names of metrics and summaries; `None` for none."""

    @property
    @abc.abstractmethod
    def logits_dimension(self) -> int:
        """Returns the size of the last dimension of the logits."""

    @property
    @abc.abstractmethod
    def loss_reduction(self) -> str:
        """Returns how the losses of a batch become one."""

    @abc.abstractmethod
    def loss(
        self,
        labels: Any,
        logits: TensorLike,
        features: Features | None = None,
        mode: str | None = None,
        regularization_losses: Sequence[tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """Returns the loss of a batch, regularisation included.

        Args:
            labels: The labels.
            logits: The logits, shape `[D0, ..., DN, logits_dimension]`.
            features: The features by name, of which one may be the weights.
            mode: One of `ModeKeys`; the loss is the same in all.
            regularization_losses: Scalars that are added.

        Returns:
            A float scalar.
        """

    @abc.abstractmethod
    def predictions(self, logits: TensorLike, keys: Sequence[str] | None = None) -> dict[Any, tf.Tensor]:
        """Returns the predictions by name.

        Args:
            logits: The logits, shape `[D0, ..., DN, logits_dimension]`.
            keys: The names of those that are wanted; `None` for all.
        """

    @abc.abstractmethod
    def metrics(self, regularization_losses: Sequence[tf.Tensor] | None = None) -> dict[str, Metric]:
        """Makes the metrics.

        Args:
            regularization_losses: Scalars of which there is a metric, too.

        Returns:
            The metrics by name, each with the methods `update_state` and `result`.
        """

    @abc.abstractmethod
    def update_metrics(
        self,
        eval_metrics: dict[str, Metric],
        features: Features | None,
        logits: TensorLike,
        labels: Any,
        mode: str | None = None,
        regularization_losses: Sequence[tf.Tensor] | None = None,
    ) -> dict[str, Metric]:
        """Updates metrics by a batch.

        Args:
            eval_metrics: What `metrics` returned.
            features: The features by name, of which one may be the weights.
            logits: The logits, shape `[D0, ..., DN, logits_dimension]`.
            labels: The labels.
            mode: One of `ModeKeys`; metrics are the same in all.
            regularization_losses: What `metrics` was given.

        Returns:
            The metrics by name.
        """

    def create_estimator_spec(
        self,
        features: Features,
        mode: str,
        logits: TensorLike,
        labels: Any = None,
        optimizer: Any = None,
        trainable_variables: Sequence[tf.Variable] | None = None,
        train_op_fn: Callable[[tf.Tensor], Any] | None = None,
        update_ops: Sequence[Any] | None = None,
        regularization_losses: Sequence[tf.Tensor] | None = None,
    ) -> EstimatorSpec:
        """Returns what a model function returns.

        Args:
            features: The features by name.
            mode: One of `ModeKeys`.
            logits: The logits, shape `[D0, ..., DN, logits_dimension]`.
            labels: The labels; not needed for predictions.
            optimizer: A `tf.compat.v1.train.Optimizer` or a Keras optimizer, which minimises the loss.
            trainable_variables: What it trains. A Keras optimizer needs to be told.
            train_op_fn: In place of an optimizer: returns the training operation for a loss.
            update_ops: Operations that a training step performs, too, such as the updates of batch
                normalisation.
            regularization_losses: Scalars that are added to the loss.

        Raises:
            NotImplementedError: The subclass does not define it.
        """
        raise NotImplementedError("Subclasses of Head must implement `create_estimator_spec()`.")

    def _summary_key(self, key: str) -> str:
        return f"{key}/{self.name}" if self.name else key


class SingleHead(Head):
    """Has what the heads with one loss have in common.

    Args:
        weight_column: A key of the features, or a `tf.feature_column.numeric_column`: the weights of the
            examples.
        loss_reduction: A value of `tf.losses.Reduction` or of `tf.compat.v1.losses.Reduction`, but not
            `NONE`.
        loss_fn: A function of `labels`, `logits` and, if it takes them, `features`, in place of the loss of
            the head. It returns a loss for each example.
        name: Ends the names of metrics and summaries.

    Raises:
        ValueError: The reduction or the loss function cannot be right.
    """

    # The size of the last dimension of what `loss_fn` returns; that of the weights is this or 1.
    _loss_dimension = 1

    def __init__(
        self,
        weight_column: Any,
        loss_reduction: str,
        loss_fn: Callable[..., tf.Tensor] | None,
        name: str | None,
    ):
        self._v1_reduction = checks.check_reduction(loss_reduction)
        checks.check_loss_fn(loss_fn)
        self._loss_reduction = loss_reduction
        self._loss_fn = loss_fn
        self._name = name
        self._weight_column = weight_column

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def loss_reduction(self) -> str:
        return self._loss_reduction

    @property
    def _as_tf1(self) -> bool:
        """Tells whether metrics and summaries are those of TensorFlow 1."""
        return checks.is_tf1_reduction(self._loss_reduction)

    @abc.abstractmethod
    def _processed_labels(self, logits: tf.Tensor, labels: Any) -> tf.Tensor:
        """Returns the labels, checked, as numbers."""

    @abc.abstractmethod
    def _default_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Returns the loss of each example, not weighted."""

    @abc.abstractmethod
    def _metrics(self) -> dict[str, Metric]:
        """Makes the metrics other than losses, by the keys of `MetricKeys`."""

    @abc.abstractmethod
    def _update(
        self, metrics: dict[str, Any], logits: tf.Tensor, labels: tf.Tensor, weights: TensorLike
    ) -> None:
        """Updates what `_metrics` made."""

    @abc.abstractmethod
    def _export_outputs(self, predictions: dict[str, tf.Tensor]) -> dict[str, ExportOutput]:
        """Returns the signatures of an exported model."""

    def _losses(
        self, labels: Any, logits: TensorLike, features: Features | None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, TensorLike]:
        """Returns the logits and the labels, both checked, the loss of each example, and the weights."""
        logits = checks.check_logits(logits, self.logits_dimension)
        labels = self._processed_labels(logits, labels)
        if self._loss_fn is None:
            losses = self._default_loss(logits, labels)
        else:
            losses = checks.call_loss_fn(self._loss_fn, labels, logits, features, self._loss_dimension)
        weights = checks.example_weights(features, self._weight_column, logits, self._loss_dimension)
        return logits, labels, losses, weights

    def _reduce(self, losses: tf.Tensor, weights: TensorLike) -> tf.Tensor:
        return tf.compat.v1.losses.compute_weighted_loss(
            losses, weights, loss_collection=None, reduction=self._v1_reduction
        )

    def loss(
        self,
        labels: Any,
        logits: TensorLike,
        features: Features | None = None,
        mode: str | None = None,
        regularization_losses: Sequence[tf.Tensor] | None = None,
    ) -> tf.Tensor:
        with tf.name_scope("losses"):
            _, _, losses, weights = self._losses(labels, logits, features)
            return add_regularization(self._reduce(losses, weights), regularization_losses)

    def metrics(self, regularization_losses: Sequence[tf.Tensor] | None = None) -> dict[str, Metric]:
        with tf.name_scope("metrics"):
            metrics: dict[str, Metric] = {MetricKeys.LOSS_MEAN: Mean(MetricKeys.LOSS_MEAN)}
            metrics.update(self._metrics())
            if regularization_losses is not None:
                metrics[MetricKeys.LOSS_REGULARIZATION] = Mean(MetricKeys.LOSS_REGULARIZATION)
        return {self._summary_key(key): metric for key, metric in metrics.items()}

    def update_metrics(
        self,
        eval_metrics: dict[str, Any],
        features: Features | None,
        logits: TensorLike,
        labels: Any,
        mode: str | None = None,
        regularization_losses: Sequence[tf.Tensor] | None = None,
    ) -> dict[str, Metric]:
        evaluated = self._losses(labels, logits, features)
        self._update_all(eval_metrics, *evaluated, regularization_losses)
        return eval_metrics

    def _update_all(
        self,
        eval_metrics: dict[str, Any],
        logits: tf.Tensor,
        labels: tf.Tensor,
        losses: tf.Tensor,
        weights: TensorLike,
        regularization_losses: Sequence[tf.Tensor] | None,
    ) -> None:
        suffix = f"/{self.name}" if self.name else ""
        own = {key.removesuffix(suffix): metric for key, metric in eval_metrics.items()}
        own[MetricKeys.LOSS_MEAN].update_state(losses, sample_weight=weights)
        if regularization_losses is not None:
            own[MetricKeys.LOSS_REGULARIZATION].update_state(tf.add_n(list(regularization_losses)))
        self._update(own, logits, labels, weights)

    def create_estimator_spec(
        self,
        features: Features,
        mode: str,
        logits: TensorLike,
        labels: Any = None,
        optimizer: Any = None,
        trainable_variables: Sequence[tf.Variable] | None = None,
        train_op_fn: Callable[[tf.Tensor], Any] | None = None,
        update_ops: Sequence[Any] | None = None,
        regularization_losses: Sequence[tf.Tensor] | None = None,
    ) -> EstimatorSpec:
        """Returns what a model function returns.

        Args:
            features: The features by name.
            mode: One of `ModeKeys`.
            logits: The logits, shape `[D0, ..., DN, logits_dimension]`.
            labels: The labels; not needed for predictions.
            optimizer: A `tf.compat.v1.train.Optimizer` or a Keras optimizer, which minimises the loss.
            trainable_variables: What it trains. A Keras optimizer needs to be told.
            train_op_fn: In place of an optimizer: returns the training operation for a loss.
            update_ops: Operations that a training step performs, too, such as the updates of batch
                normalisation.
            regularization_losses: Scalars that are added to the loss.

        Raises:
            ValueError: Labels, logits or weights have a wrong shape or type, or it is not said, or said
                twice, what the training operation is.
        """
        with tf.compat.v1.name_scope(self.name or "head"):
            predictions = self.predictions(logits)
            if mode == ModeKeys.PREDICT:
                return EstimatorSpec(mode, predictions, export_outputs=self._export_outputs(predictions))
            # Hooks name the losses of TensorFlow 1: "head/weighted_loss/Sum", "head/truediv".
            with contextlib.nullcontext() if self._as_tf1 else tf.name_scope("losses"):
                logits, labels, losses, weights = self._losses(labels, logits, features)
                data_loss = self._reduce(losses, weights)
                loss = add_regularization(data_loss, regularization_losses)
            if mode == ModeKeys.EVAL:
                metrics = self.metrics(regularization_losses)
                self._update_all(metrics, logits, labels, losses, weights, regularization_losses)
                pairs = {key: metric.as_pair() for key, metric in metrics.items()}
                return EstimatorSpec(mode, predictions, loss, eval_metric_ops=pairs)
            train_op = create_train_op(
                loss,
                optimizer=optimizer,
                trainable_variables=trainable_variables,
                train_op_fn=train_op_fn,
                update_ops=update_ops,
                as_tf1=self._as_tf1,
            )
            summaries = {MetricKeys.LOSS: loss}
            if self._v1_reduction == tf.compat.v1.losses.Reduction.SUM and self._as_tf1:
                summaries[MetricKeys.LOSS_MEAN] = data_loss / tf.reduce_sum(weights * tf.ones_like(losses))
        if regularization_losses is not None:
            summaries[MetricKeys.LOSS_REGULARIZATION] = tf.add_n(list(regularization_losses))
        add_loss_summaries({self._summary_key(key): value for key, value in summaries.items()})
        return EstimatorSpec(mode, predictions, loss, train_op)


class ClassHead(SingleHead):
    """Has what the heads with a vocabulary of labels have in common.

    Args:
        n_classes: How many classes there are.
        label_vocabulary: Their names, in the order of their ids, if labels are strings.
        weight_column: See `SingleHead`.
        loss_reduction: See `SingleHead`.
        loss_fn: See `SingleHead`.
        name: See `SingleHead`.

    Raises:
        ValueError: An argument cannot be right.
    """

    # What is said of a vocabulary of another type.
    _vocabulary_type = "label_vocabulary should be a list or a tuple."

    def __init__(
        self,
        n_classes: int,
        label_vocabulary: Sequence[str] | None,
        weight_column: Any,
        loss_reduction: str,
        loss_fn: Callable[..., tf.Tensor] | None,
        name: str | None,
    ):
        if label_vocabulary is not None and not isinstance(label_vocabulary, (list, tuple)):
            raise ValueError(f"{self._vocabulary_type} Given type: {type(label_vocabulary)}")
        if label_vocabulary is not None and len(label_vocabulary) != n_classes:
            raise ValueError(
                '"label_vocabulary" does not have "n_classes" items. Length of label_vocabulary must be'
                f" n_classes ({n_classes}). Given: {len(label_vocabulary)},"
                f" label_vocabulary={label_vocabulary}"
            )
        super().__init__(weight_column, loss_reduction, loss_fn, name)
        self._n_classes = n_classes
        self._label_vocabulary = label_vocabulary

    def _ids_of(self, labels: tf.Tensor) -> tf.Tensor:
        """Returns the ids of labels that are names; -1 for one that is not in the vocabulary."""
        assert self._label_vocabulary is not None
        ids = tf.range(self._n_classes, dtype=tf.int64)
        return _lookup(self._class_names(), ids, -1, "class_id_lookup").lookup(labels)

    def _names_of(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the labels of ids, as strings."""
        if self._label_vocabulary is None:
            return tf.strings.as_string(ids, name="str_classes")
        known = tf.range(self._n_classes, dtype=tf.int64)
        return _lookup(known, self._class_names(), "UNK", "class_string_lookup").lookup(ids)

    def _class_names(self) -> tf.Tensor:
        if self._label_vocabulary is None:
            return tf.strings.as_string(tf.range(self._n_classes))
        return tf.constant(list(self._label_vocabulary))

    def _all_class_ids(self, logits: tf.Tensor) -> tf.Tensor:
        return tf.tile(tf.range(self._n_classes)[tf.newaxis], [tf.shape(logits)[0], 1])

    def _all_classes(self, logits: tf.Tensor) -> tf.Tensor:
        return tf.tile(self._class_names()[tf.newaxis], [tf.shape(logits)[0], 1])

    def _selected(
        self, makers: dict[str, Callable[[], tf.Tensor]], keys: Sequence[str] | None
    ) -> dict[str, tf.Tensor]:
        """Returns the predictions that are wanted.

        Raises:
            ValueError: One is not known.
        """
        checks.check_prediction_keys(keys or (), makers)
        with tf.name_scope("predictions"):
            return {key: make() for key, make in makers.items() if not keys or key in keys}

    def _export_outputs(self, predictions: dict[str, tf.Tensor]) -> dict[str, ExportOutput]:
        classes = ClassificationOutput(
            scores=predictions[PredictionKeys.PROBABILITIES],
            classes=self._all_classes(predictions[PredictionKeys.LOGITS]),
        )
        return {
            keys.DEFAULT_SERVING: classes,
            keys.CLASSIFY_SERVING: classes,
            keys.PREDICT_SERVING: PredictOutput(predictions),
        }


def add_regularization(loss: tf.Tensor, regularization_losses: Sequence[tf.Tensor] | None) -> tf.Tensor:
    """Returns a loss with the regularisation losses added."""
    if regularization_losses is None:
        return loss
    return loss + tf.add_n(list(regularization_losses))


def _lookup(keys: tf.Tensor, values: tf.Tensor, default: Any, name: str) -> Any:
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
    return tf.lookup.StaticHashTable(initializer, default, name=name)
