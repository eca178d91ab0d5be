"""Defines what canned Estimators have in common."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import tensorflow as tf

from keras_legacy_train.estimator.canned.generation import (
    Generation,
    called,
    check_optimizer,
    generation_of,
)
from keras_legacy_train.estimator.canned.parts import Part
from keras_legacy_train.estimator.estimator import Estimator
from keras_legacy_train.estimator.heads import BinaryClassHead, Head, MultiClassHead, RegressionHead
from keras_legacy_train.estimator.run_config import RunConfig
from keras_legacy_train.estimator.spec import EstimatorSpec

v1 = tf.compat.v1


@dataclasses.dataclass(frozen=True)
class Call:
    """Holds what a model function is called with, and what was decided for this call.

    Attributes:
        features: The features by name.
        labels: The labels.
        mode: One of `ModeKeys`.
        config: The `RunConfig`.
        generation: Whose model it is.
        head: Its head.
        optimizers: Its optimizers, or names of optimizers.
    """

    features: Mapping[str, Any]
    labels: Any
    mode: str
    config: RunConfig
    generation: Generation
    head: Head
    optimizers: Sequence[Any]

    def logits_of(self, part: Part) -> tf.Tensor:
        """Returns the logits of a part of the model; called within its scope.

        Args:
            part: The part.
        """
        size = self.head.logits_dimension
        return part.logits(self.features, size, self.mode, self.generation, self.config)

    def spec(self, logits: tf.Tensor, **training: Any) -> EstimatorSpec:
        """Returns the spec of the model.

        Args:
            logits: The logits.
            **training: What `Head.create_estimator_spec` takes to train.
        """
        return self.head.create_estimator_spec(self.features, self.mode, logits, self.labels, **training)


class CannedEstimator(Estimator):
    """Is an Estimator that brings its model.

    Args:
        build: Builds the model.
        optimizers: Its optimizers: names, optimizers, or functions that return optimizers.
        make_head: Makes the head for a reduction of losses.
        loss_reduction: The reduction; `None` for the default of the generation.
        partitioner: Partitions variables, if given.
        model_dir: See `Estimator`.
        config: See `Estimator`.
        warm_start_from: See `Estimator`.

    Raises:
        ValueError: An argument cannot be right.
    """

    # If not `None`, whose models these are, whatever the arguments say.
    _generation: ClassVar[Generation | None] = None

    def __init__(
        self,
        build: Callable[[Call], EstimatorSpec],
        *,
        optimizers: Sequence[Any],
        make_head: Callable[[str], Head],
        loss_reduction: str | None,
        partitioner: Any = None,
        model_dir: str | os.PathLike[str] | None,
        config: RunConfig | None,
        warm_start_from: Any = None,
    ):
        for optimizer in optimizers:
            check_optimizer(optimizer)
        heads = {each: make_head(loss_reduction or each.loss_reduction) for each in Generation}

        def model_fn(features: Any, labels: Any, mode: str, config: RunConfig) -> EstimatorSpec:
            if not isinstance(features, Mapping):
                raise ValueError(
                    f"features should be a dictionary of `Tensor`s. Given type: {type(features)}"
                )
            made = [called(optimizer) for optimizer in optimizers]
            generation = self._generation or generation_of(self.model_dir, made, loss_reduction, partitioner)
            return build(Call(features, labels, mode, config, generation, heads[generation], made))

        super().__init__(model_fn, model_dir, config, warm_start_from=warm_start_from)


def classifier_head(
    n_classes: int, weight_column: Any, label_vocabulary: Sequence[str] | None
) -> Callable[[str], Head]:
    """Returns a function that makes the head of a classifier for a reduction of losses.

    Args:
        n_classes: How many classes there are.
        weight_column: See `MultiClassHead`.
        label_vocabulary: See `MultiClassHead`.
    """

    def make_head(loss_reduction: str) -> Head:
        if n_classes == 2:
            return BinaryClassHead(
                weight_column, label_vocabulary=label_vocabulary, loss_reduction=loss_reduction
            )
        return MultiClassHead(n_classes, weight_column, label_vocabulary, loss_reduction)

    return make_head


def regressor_head(label_dimension: int, weight_column: Any) -> Callable[[str], Head]:
    """Returns a function that makes the head of a regressor for a reduction of losses.

    Args:
        label_dimension: See `RegressionHead`.
        weight_column: See `RegressionHead`.
    """
    return lambda loss_reduction: RegressionHead(label_dimension, weight_column, loss_reduction)


def update_ops() -> list[Any]:
    """Returns the operations that a training step of the graph has to perform, too."""
    operations: list[Any] = v1.get_collection(v1.GraphKeys.UPDATE_OPS)
    return operations
