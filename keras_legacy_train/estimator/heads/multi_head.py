"""Learns several things at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator.export.outputs import ExportOutput, PredictOutput
from keras_legacy_train.estimator.heads import checks, keys
from keras_legacy_train.estimator.heads.base import Features, Head, add_regularization
from keras_legacy_train.estimator.heads.keys import MetricKeys
from keras_legacy_train.estimator.heads.metrics import Mean, Metric
from keras_legacy_train.estimator.heads.train_op import add_loss_summaries, create_train_op
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.estimator.spec import EstimatorSpec
from keras_legacy_train.types import TensorLike


class MultiHead(Head):
    """Joins heads that learn several things of the same features; stands for `tf.estimator.MultiHead`.

    Logits are a dict by the names of the heads, or one tensor that is split among them in their order. Labels
    are a dict by the names of the heads. Predictions have pairs for keys, `(name of the head, key)`.

    Args:
        heads: The heads, each with a name.
        head_weights: What the loss of each is multiplied by; by default 1.

    Raises:
        ValueError: There is no head, one has no name, or there are more or fewer weights than heads.
    """

    def __init__(self, heads: Sequence[Head], head_weights: Sequence[float] | None = None):
        if not heads:
            raise ValueError(f"Must specify heads. Given: {heads}")
        if head_weights and len(head_weights) != len(heads):
            raise ValueError(
                "heads and head_weights must have the same size."
                f" Given len(heads): {len(heads)}. Given len(head_weights): {len(head_weights)}."
            )
        for head in heads:
            if head.name is None:
                raise ValueError(f"All given heads must have name specified. Given: {head}")
        self._heads = {str(head.name): head for head in heads}
        if len(self._heads) != len(heads):
            raise ValueError(f"The names of heads must differ. Given: {[head.name for head in heads]}")
        self._weights = tuple(head_weights or ())

    @property
    def name(self) -> str:
        return "_".join(self._heads)

    @property
    def logits_dimension(self) -> int:
        return sum(head.logits_dimension for head in self._heads.values())

    @property
    def loss_reduction(self) -> str:
        """Returns how the losses of a batch become one, in every head.

        Raises:
            ValueError: Heads differ in it.
        """
        reductions = [head.loss_reduction for head in self._heads.values()]
        if len(set(reductions)) > 1:
            raise ValueError(f"The loss_reduction must be the same for different heads. Given: {reductions}")
        return reductions[0]

    def _split(self, logits: Any) -> dict[str, tf.Tensor]:
        """Returns the logits of each head."""
        if isinstance(logits, Mapping):
            missing = sorted(set(self._heads) - set(logits))
            if missing:
                raise ValueError(f"logits has missing values for head(s): {missing}")
            return dict(logits)
        logits = tf.convert_to_tensor(logits)
        sizes = [head.logits_dimension for head in self._heads.values()]
        if logits.shape.rank is not None and checks.last_dimension(logits) not in (None, sum(sizes)):
            raise ValueError(
                f"Could not split logits of shape {logits.shape.as_list()} among the heads with individual"
                f" logits dimensions: {sizes}. The last dimension of the logits tensor should equal"
                f" {sum(sizes)} but is {checks.last_dimension(logits)}."
            )
        return dict(zip(self._heads, tf.split(logits, sizes, axis=-1), strict=True))

    def _check_labels(self, labels: Any) -> Mapping[str, Any]:
        if not isinstance(labels, Mapping):
            raise ValueError(f"labels must be a dict. Given: {labels}")
        missing = sorted(set(self._heads) - set(labels))
        if missing:
            raise ValueError(f"labels has missing values for head(s): {missing}")
        return labels

    def loss(
        self,
        labels: Any,
        logits: TensorLike,
        features: Features | None = None,
        mode: str | None = None,
        regularization_losses: Sequence[tf.Tensor] | None = None,
    ) -> tf.Tensor:
        losses = self._head_losses(labels, logits, features, mode)
        return self._merge(losses, regularization_losses)

    def _head_losses(
        self, labels: Any, logits: TensorLike, features: Features | None, mode: str | None
    ) -> dict[str, tf.Tensor]:
        parts, labels = self._split(logits), self._check_labels(labels)
        return {
            name: head.loss(labels[name], parts[name], features, mode) for name, head in self._heads.items()
        }

    def _merge(
        self, losses: dict[str, tf.Tensor], regularization_losses: Sequence[tf.Tensor] | None
    ) -> tf.Tensor:
        with tf.name_scope("merge_losses"):
            weights = self._weights or (1.0,) * len(losses)
            weighted = [loss * weight for loss, weight in zip(losses.values(), weights, strict=True)]
            return add_regularization(tf.add_n(weighted), regularization_losses)

    def predictions(self, logits: TensorLike, keys: Sequence[Any] | None = None) -> dict[Any, tf.Tensor]:
        parts = self._split(logits)
        predictions = {
            (name, key): value
            for name, head in self._heads.items()
            for key, value in head.predictions(parts[name]).items()
        }
        checks.check_prediction_keys(keys or (), predictions)
        return {key: predictions[key] for key in keys or predictions}

    def metrics(self, regularization_losses: Sequence[tf.Tensor] | None = None) -> dict[str, Metric]:
        metrics: dict[str, Metric] = {}
        if regularization_losses is not None:
            metrics[self._summary_key(MetricKeys.LOSS_REGULARIZATION)] = Mean(MetricKeys.LOSS_REGULARIZATION)
        for name, head in self._heads.items():
            metrics[f"{MetricKeys.LOSS}/{name}"] = Mean(f"{MetricKeys.LOSS}/{name}")
            metrics.update(head.metrics())
        return metrics

    def update_metrics(
        self,
        eval_metrics: dict[str, Any],
        features: Features | None,
        logits: TensorLike,
        labels: Any,
        mode: str | None = None,
        regularization_losses: Sequence[tf.Tensor] | None = None,
    ) -> dict[str, Metric]:
        losses = self._head_losses(labels, logits, features, mode)
        self._update_all(eval_metrics, losses, features, logits, labels, regularization_losses)
        return eval_metrics

    def _update_all(
        self,
        eval_metrics: dict[str, Any],
        losses: dict[str, tf.Tensor],
        features: Features | None,
        logits: TensorLike,
        labels: Any,
        regularization_losses: Sequence[tf.Tensor] | None,
    ) -> None:
        if regularization_losses is not None:
            key = self._summary_key(MetricKeys.LOSS_REGULARIZATION)
            eval_metrics[key].update_state(tf.add_n(list(regularization_losses)))
        parts = self._split(logits)
        for name, head in self._heads.items():
            eval_metrics[f"{MetricKeys.LOSS}/{name}"].update_state(losses[name])
            own = {key: metric for key, metric in eval_metrics.items() if key.endswith(f"/{name}")}
            head.update_metrics(own, features, parts[name], labels[name])

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
            logits: The logits of all heads, or a dict of them by the names of the heads.
            labels: The labels, a dict by the names of the heads; not needed for predictions.
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
        with tf.compat.v1.name_scope(self.name):
            predictions = self.predictions(logits)
            if mode == ModeKeys.PREDICT:
                outputs = self._export_outputs(features, logits)
                return EstimatorSpec(mode, predictions, export_outputs=outputs)
            losses = self._head_losses(labels, logits, features, mode)
            loss = self._merge(losses, regularization_losses)
            if mode == ModeKeys.EVAL:
                metrics = self.metrics(regularization_losses)
                self._update_all(metrics, losses, features, logits, labels, regularization_losses)
                pairs = {key: metric.as_pair() for key, metric in metrics.items()}
                return EstimatorSpec(mode, predictions, loss, eval_metric_ops=pairs)
            train_op = create_train_op(
                loss,
                optimizer=optimizer,
                trainable_variables=trainable_variables,
                train_op_fn=train_op_fn,
                update_ops=update_ops,
                as_tf1=checks.is_tf1_reduction(self.loss_reduction),
                scopes_before=len(self._heads),
            )
        summaries = {f"{MetricKeys.LOSS}/{name}": value for name, value in losses.items()}
        summaries[MetricKeys.LOSS] = loss
        if regularization_losses is not None:
            summaries[MetricKeys.LOSS_REGULARIZATION] = tf.add_n(list(regularization_losses))
        add_loss_summaries(summaries)
        return EstimatorSpec(mode, predictions, loss, train_op)

    def _export_outputs(self, features: Features, logits: TensorLike) -> dict[str, ExportOutput]:
        """Returns the outputs of every head, of the first as the default, and all predictions together."""
        parts = self._split(logits)
        outputs: dict[str, ExportOutput] = {}
        merged = {}
        for name, head in self._heads.items():
            spec = head.create_estimator_spec(features, ModeKeys.PREDICT, parts[name])
            for key, output in (spec.export_outputs or {}).items():
                if key == keys.DEFAULT_SERVING:
                    outputs[name] = output
                    outputs.setdefault(keys.DEFAULT_SERVING, output)
                else:
                    outputs[f"{name}/{key}"] = output
                if key == keys.PREDICT_SERVING and isinstance(output, PredictOutput):
                    merged.update({f"{name}/{part}": value for part, value in output.outputs.items()})
        outputs[keys.PREDICT_SERVING] = PredictOutput(merged)
        return outputs
