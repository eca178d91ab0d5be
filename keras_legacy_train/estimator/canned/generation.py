"""Tells which canned models are meant: those of TensorFlow 1, or those of TensorFlow 2.

`tf.estimator` had two of each name. They compute the same logits, and the variables of the models have the
same names. The optimizers differ, and their variables, and how the losses of a batch become one.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train.checkpoints import CheckpointIndex
from keras_legacy_train.checkpoints.reading import open_reader
from keras_legacy_train.estimator.heads import checks
from keras_legacy_train.estimator.heads.keras_optimizer import (
    GraphKerasOptimizer,
    as_graph_optimizer,
    keras_optimizer,
)

_train = tf.compat.v1.train

_OPTIMIZERS = {
    "Adagrad": _train.AdagradOptimizer,
    "Adam": _train.AdamOptimizer,
    "Ftrl": _train.FtrlOptimizer,
    "RMSProp": _train.RMSPropOptimizer,
    "SGD": _train.GradientDescentOptimizer,
}

# What only one of the two writes: the variables that Keras's optimizers have, and those of TensorFlow 1's.
_OF_TF2 = re.compile(r"training(_\d+)?/.+/decay")
_OF_TF1 = re.compile(r".+/(Adadelta|Adagrad|Adam|Ftrl|Momentum|RMSProp)(_\d+)?|.*beta1_power(_\d+)?")


class Generation(enum.Enum):
    """Says whose canned model it is."""

    TF1 = "tf1"
    TF2 = "tf2"

    @property
    def loss_reduction(self) -> str:
        """Returns the reduction of losses that is the default: the sum, or the mean over the batch."""
        return "weighted_sum" if self is Generation.TF1 else "sum_over_batch_size"


def generation_of(
    model_dir: str, optimizers: Sequence[Any], loss_reduction: str | None, partitioner: Any = None
) -> Generation:
    """Returns which of the two is meant.

    The first that can tell decides: an optimizer that only one of them takes; a reduction or a partitioner
    that only one of them has; the names in the newest checkpoint; and whether TensorFlow 2's behaviour is on.

    Args:
        model_dir: Directory of checkpoints.
        optimizers: The optimizers, or names of optimizers.
        loss_reduction: The reduction of losses, if one is given.
        partitioner: A partitioner of variables, if one is given.
    """
    for optimizer in optimizers:
        if isinstance(optimizer, _train.Optimizer):
            return Generation.TF1
        if isinstance(optimizer, (keras.optimizers.Optimizer, GraphKerasOptimizer)):
            return Generation.TF2
    if partitioner is not None:
        return Generation.TF1
    if loss_reduction is not None:
        return Generation.TF1 if checks.is_tf1_reduction(loss_reduction) else Generation.TF2
    newest = CheckpointIndex(model_dir).find_latest()
    if newest is not None:
        names = open_reader(newest).get_variable_to_shape_map()
        if any(_OF_TF2.fullmatch(name) for name in names):
            return Generation.TF2
        if any(_OF_TF1.fullmatch(name) for name in names):
            return Generation.TF1
        if all(optimizer == "SGD" for optimizer in optimizers):  # that of TensorFlow 1 has no variables
            return Generation.TF1
    return Generation.TF2 if tf.__internal__.tf2.enabled() else Generation.TF1


def check_optimizer(optimizer: Any) -> None:
    """Raises ValueError for what is not the name of an optimizer, an optimizer, or a function."""
    if isinstance(optimizer, str):
        if optimizer not in _OPTIMIZERS:
            raise ValueError(
                f"Unsupported optimizer name: {optimizer}. Supported names are: {tuple(sorted(_OPTIMIZERS))}"
            )
    elif isinstance(optimizer, keras.optimizers.Optimizer) or not callable(optimizer):
        as_graph_optimizer(optimizer)


def called(optimizer: Any) -> Any:
    """Returns an optimizer that can train variables of a graph, or the name of one.

    Args:
        optimizer: A name, an optimizer, or a function that returns an optimizer.

    Raises:
        ValueError: It is something else.
    """
    if isinstance(optimizer, str):
        return optimizer
    if callable(optimizer) and not isinstance(optimizer, keras.optimizers.Optimizer):
        optimizer = optimizer()
    return as_graph_optimizer(optimizer)


def named(
    optimizer: Any, generation: Generation, learning_rate: float, keras_learning_rate: float | None
) -> Any:
    """Returns the optimizer of a name, or the optimizer itself.

    Args:
        optimizer: What `called` returned.
        generation: Whose optimizer it is.
        learning_rate: The learning rate of TensorFlow 1's.
        keras_learning_rate: That of Keras's; `None` for Keras's default.
    """
    if not isinstance(optimizer, str):
        return optimizer
    if generation is Generation.TF1:
        return _OPTIMIZERS[optimizer](learning_rate)
    return keras_optimizer("RMSprop" if optimizer == "RMSProp" else optimizer, keras_learning_rate)
