"""Has the names of `tf.contrib.estimator`, most of which came to `tf.estimator`.

Imports `estimator`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.estimator import (
    BinaryClassHead,
    LogisticRegressionHead,
    MultiClassHead,
    MultiHead,
    MultiLabelHead,
    PoissonRegressionHead,
    RegressionHead,
    add_metrics,
)
from keras_legacy_train.estimator.experimental import (
    InMemoryEvaluatorHook,
    build_raw_supervised_input_receiver_fn,
    call_logit_fn,
    dnn_logit_fn_builder,
    linear_logit_fn_builder,
    make_early_stopping_hook,
    make_stop_at_checkpoint_step_hook,
    read_eval_metrics,
    stop_if_higher_hook,
    stop_if_lower_hook,
    stop_if_no_decrease_hook,
    stop_if_no_increase_hook,
)

__all__ = [
    "InMemoryEvaluatorHook",
    "add_metrics",
    "binary_classification_head",
    "build_raw_supervised_input_receiver_fn",
    "call_logit_fn",
    "dnn_logit_fn_builder",
    "linear_logit_fn_builder",
    "logistic_regression_head",
    "make_early_stopping_hook",
    "make_stop_at_checkpoint_step_hook",
    "multi_class_head",
    "multi_head",
    "multi_label_head",
    "poisson_regression_head",
    "read_eval_metrics",
    "regression_head",
    "stop_if_higher_hook",
    "stop_if_lower_hook",
    "stop_if_no_decrease_hook",
    "stop_if_no_increase_hook",
]

__getattr__ = module_getattr(__name__, __all__)

_MEAN = tf.compat.v1.losses.Reduction.SUM_OVER_BATCH_SIZE


def multi_class_head(
    n_classes: int,
    weight_column: Any = None,
    label_vocabulary: Sequence[str] | None = None,
    loss_reduction: str = _MEAN,
    loss_fn: Callable[..., Any] | None = None,
    name: str | None = None,
) -> MultiClassHead:
    """Returns a head for classes; stands for `tf.contrib.estimator.multi_class_head`.

    Args:
        n_classes: The number of classes, 3 or more.
        weight_column: The name or column of the weights of examples.
        label_vocabulary: The labels, if they are strings.
        loss_reduction: How the losses of examples are combined.
        loss_fn: A function of labels and logits to losses.
        name: The name of the head.

    Raises:
        ValueError: An argument is wrong.
    """
    return MultiClassHead(n_classes, weight_column, label_vocabulary, loss_reduction, loss_fn, name)


def binary_classification_head(
    weight_column: Any = None,
    thresholds: Sequence[float] | None = None,
    label_vocabulary: Sequence[str] | None = None,
    loss_reduction: str = _MEAN,
    loss_fn: Callable[..., Any] | None = None,
    name: str | None = None,
) -> BinaryClassHead:
    """Returns a head for two classes; stands for `tf.contrib.estimator.binary_classification_head`.

    Args:
        weight_column: The name or column of the weights of examples.
        thresholds: Thresholds for metrics.
        label_vocabulary: The labels, if they are strings.
        loss_reduction: How the losses of examples are combined.
        loss_fn: A function of labels and logits to losses.
        name: The name of the head.

    Raises:
        ValueError: An argument is wrong.
    """
    return BinaryClassHead(weight_column, thresholds, label_vocabulary, loss_reduction, loss_fn, name)


def regression_head(
    weight_column: Any = None,
    label_dimension: int = 1,
    loss_reduction: str = _MEAN,
    loss_fn: Callable[..., Any] | None = None,
    inverse_link_fn: Callable[..., Any] | None = None,
    name: str | None = None,
) -> RegressionHead:
    """Returns a head for numbers; stands for `tf.contrib.estimator.regression_head`.

    Args:
        weight_column: The name or column of the weights of examples.
        label_dimension: How many numbers an example has.
        loss_reduction: How the losses of examples are combined.
        loss_fn: A function of labels and logits to losses.
        inverse_link_fn: A function from logits to predictions.
        name: The name of the head.

    Raises:
        ValueError: An argument is wrong.
    """
    return RegressionHead(label_dimension, weight_column, loss_reduction, loss_fn, inverse_link_fn, name)


def poisson_regression_head(
    weight_column: Any = None,
    label_dimension: int = 1,
    loss_reduction: str = _MEAN,
    compute_full_loss: bool = True,
    name: str | None = None,
) -> PoissonRegressionHead:
    """Returns a head for counts; stands for `tf.contrib.estimator.poisson_regression_head`.

    Args:
        weight_column: The name or column of the weights of examples.
        label_dimension: How many numbers an example has.
        loss_reduction: How the losses of examples are combined.
        compute_full_loss: Whether the loss has the term that does not depend on predictions.
        name: The name of the head.

    Raises:
        ValueError: An argument is wrong.
    """
    return PoissonRegressionHead(label_dimension, weight_column, loss_reduction, compute_full_loss, name)


def logistic_regression_head(
    weight_column: Any = None, loss_reduction: str = _MEAN, name: str | None = None
) -> LogisticRegressionHead:
    """Returns a head for probabilities; stands for `tf.contrib.estimator.logistic_regression_head`.

    Args:
        weight_column: The name or column of the weights of examples.
        loss_reduction: How the losses of examples are combined.
        name: The name of the head.

    Raises:
        ValueError: An argument is wrong.
    """
    return LogisticRegressionHead(weight_column, loss_reduction, name)


def multi_label_head(
    n_classes: int,
    weight_column: Any = None,
    thresholds: Sequence[float] | None = None,
    label_vocabulary: Sequence[str] | None = None,
    loss_reduction: str = _MEAN,
    loss_fn: Callable[..., Any] | None = None,
    classes_for_class_based_metrics: Sequence[Any] | None = None,
    name: str | None = None,
) -> MultiLabelHead:
    """Returns a head for several labels of an example; stands for `tf.contrib.estimator.multi_label_head`.

    Args:
        n_classes: The number of classes.
        weight_column: The name or column of the weights of examples.
        thresholds: Thresholds for metrics.
        label_vocabulary: The labels, if they are strings.
        loss_reduction: How the losses of examples are combined.
        loss_fn: A function of labels and logits to losses.
        classes_for_class_based_metrics: The classes that have metrics of their own.
        name: The name of the head.

    Raises:
        ValueError: An argument is wrong.
    """
    return MultiLabelHead(
        n_classes,
        weight_column,
        thresholds,
        label_vocabulary,
        loss_reduction,
        loss_fn,
        classes_for_class_based_metrics,
        name,
    )


def multi_head(heads: Sequence[Any], head_weights: Sequence[float] | None = None) -> MultiHead:
    """Returns a head that has several; stands for `tf.contrib.estimator.multi_head`.

    Args:
        heads: The heads, each with a name.
        head_weights: The weights of their losses; by default 1.

    Raises:
        ValueError: An argument is wrong.
    """
    return MultiHead(heads, head_weights)
