"""Says what a head is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train.learn.keys import ModeKeys
from keras_legacy_train.learn.model_fn_ops import ModelFnOps

TrainOpFn = Callable[[tf.Tensor], Any]


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


def check_mode(mode: str, train_op_fn: TrainOpFn | None) -> None:
    """Checks that a head can be used in a mode.

    Raises:
        ValueError: There is no such mode, or training without a training operation.
    """
    if mode not in (ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.INFER):
        raise ValueError(f"mode={mode} unrecognized.")
    if mode == ModeKeys.TRAIN and train_op_fn is None:
        raise ValueError("train_op_fn can not be None in TRAIN mode")
