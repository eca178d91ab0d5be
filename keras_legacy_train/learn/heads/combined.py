"""Has the head of several heads, and the one that only adds a loss to these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.learn.heads.base import Head, TrainOpFn, check_mode
from keras_legacy_train.learn.keys import MetricKey, ModeKeys
from keras_legacy_train.learn.model_fn_ops import ModelFnOps

v1 = tf.compat.v1


def no_op_train_fn(loss: tf.Tensor) -> tf.Operation:
    """Returns an operation that does nothing, for a `train_op_fn`.

    Args:
        loss: The loss, which is not used.
    """
    return tf.no_op()


class LossOnlyHead(Head):
    """Has a loss and no logits."""

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
        check_mode(mode, train_op_fn)
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


class MultiHead(Head):
    """Adds the losses of several heads."""

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
        check_mode(mode, train_op_fn)
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
