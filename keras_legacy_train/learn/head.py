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

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.learn.heads import losses
from keras_legacy_train.learn.heads.base import Head
from keras_legacy_train.learn.heads.classification import BinaryHead, MultiClassHead, MultiLabelHead, SvmHead
from keras_legacy_train.learn.heads.combined import LossOnlyHead, MultiHead, no_op_train_fn
from keras_legacy_train.learn.heads.regression import RegressionHead
from keras_legacy_train.learn.heads.single import HeadOptions

__all__ = [
    "Head",
    "binary_svm_head",
    "loss_only_head",
    "multi_class_head",
    "multi_head",
    "multi_label_head",
    "no_op_train_fn",
    "poisson_regression_head",
    "regression_head",
]


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
    options = HeadOptions(label_name, weight_column_name, enable_centered_bias, head_name)
    return RegressionHead(label_dimension, losses.mean_squared_loss, link_fn or tf.identity, options)


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
    options = HeadOptions(label_name, weight_column_name, enable_centered_bias, head_name)
    return RegressionHead(label_dimension, losses.poisson_loss, tf.exp, options)


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
    options = HeadOptions(label_name, weight_column_name, enable_centered_bias, head_name)
    custom_loss = None if loss_fn is None else losses.custom_loss(loss_fn)
    if n_classes == 2:
        if metric_class_ids:
            raise ValueError("metric_class_ids invalid for n_classes==2.")
        if label_keys:
            raise ValueError("label_keys is not supported for n_classes=2.")
        return BinaryHead(custom_loss or losses.log_loss, thresholds, options)
    if label_keys and len(label_keys) != n_classes:
        raise ValueError("Length of label_keys must equal n_classes.")
    return MultiClassHead(
        n_classes, custom_loss or losses.softmax_loss, metric_class_ids, label_keys, options
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
    options = HeadOptions(label_name, weight_column_name, enable_centered_bias, head_name)
    return SvmHead(options)


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
    options = HeadOptions(label_name, weight_column_name, enable_centered_bias, head_name)
    loss = losses.sigmoid_loss if loss_fn is None else losses.custom_loss(loss_fn)
    return MultiLabelHead(n_classes, loss, metric_class_ids, options)


def loss_only_head(loss_fn: Callable[[], Any], head_name: str | None = None) -> Head:
    """Returns a head with a loss of its own, for a `multi_head`; regularisation, for example.

    Args:
        loss_fn: Takes nothing, and returns a scalar tensor or a list of them.
        head_name: Ends the names of its summary, and is the variable scope.
    """
    return LossOnlyHead(loss_fn, head_name)


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
    return MultiHead(heads, loss_weights or [1.0] * len(heads))
