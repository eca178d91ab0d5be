"""Estimators of a linear model and a deep network together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train.learn.canned.base import Classifier, ScoreRegressor, check_joint
from keras_legacy_train.learn.estimator import Estimator
from keras_legacy_train.learn.head import Head, multi_class_head, regression_head
from keras_legacy_train.learn.networks import combined_model_fn
from keras_legacy_train.learn.types import FeatureEngineeringFn, Path


class DNNLinearCombinedClassifier(Classifier):
    """Tells classes apart by a linear model and a deep network, whose logits are added.

    Stands for `tf.contrib.learn.DNNLinearCombinedClassifier`.

    Args:
        model_dir: See `Estimator`.
        n_classes: See `LinearClassifier`.
        weight_column_name: See `LinearClassifier`.
        linear_feature_columns: Feature columns of the linear model; `None` for no linear model.
        linear_optimizer: The linear model's optimizer; by default Ftrl.
        _joint_linear_weights: See `_joint_weight` of `LinearClassifier`.
        dnn_feature_columns: Feature columns of the network; `None` for no network.
        dnn_optimizer: The network's optimizer; by default Adagrad.
        dnn_hidden_units: Number of units in each hidden layer.
        dnn_activation_fn: The activation function of the hidden layers; by default relu.
        dnn_dropout: See `dropout` of `DNNClassifier`.
        gradient_clip_norm: The largest global norm of the gradients of each part; `None` for no limit.
        enable_centered_bias: See `LinearClassifier`.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.
        embedding_lr_multipliers: See `DNNClassifier`.
        input_layer_min_slice_size: See `DNNClassifier`.
        label_keys: See `LinearClassifier`.
        fix_global_step_increment_bug: Whether a step is counted once. If not, it is counted by each of the
            two models, so that training for `steps` steps runs half of them.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        model_dir: Path | None = None,
        n_classes: int = 2,
        weight_column_name: str | None = None,
        linear_feature_columns: Iterable[Any] | None = None,
        linear_optimizer: Any = None,
        _joint_linear_weights: bool = False,
        dnn_feature_columns: Iterable[Any] | None = None,
        dnn_optimizer: Any = None,
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Any = tf.nn.relu,
        dnn_dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        config: core.RunConfig | None = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
        embedding_lr_multipliers: Mapping[Any, float] | None = None,
        input_layer_min_slice_size: int | None = None,
        label_keys: Sequence[str] | None = None,
        fix_global_step_increment_bug: bool = False,
    ):
        head = multi_class_head(
            n_classes,
            weight_column_name=weight_column_name,
            enable_centered_bias=enable_centered_bias,
            label_keys=label_keys,
        )
        linear_columns, dnn_columns = _both_columns(linear_feature_columns, dnn_feature_columns)
        check_joint("_joint_linear_weights", _joint_linear_weights, linear_columns)
        params = {
            "head": head,
            "linear_feature_columns": linear_columns,
            "linear_optimizer": linear_optimizer,
            "dnn_feature_columns": dnn_columns,
            "dnn_optimizer": dnn_optimizer,
            "dnn_hidden_units": dnn_hidden_units,
            "dnn_activation_fn": dnn_activation_fn,
            "dnn_dropout": dnn_dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_min_slice_size": input_layer_min_slice_size,
            "fix_global_step_increment_bug": fix_global_step_increment_bug,
            "joint_linear_weights": _joint_linear_weights,
        }
        super().__init__(combined_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNLinearCombinedRegressor(ScoreRegressor):
    """Predicts numbers by a linear model and a deep network, whose outputs are added.

    Stands for `tf.contrib.learn.DNNLinearCombinedRegressor`. Functions among the metrics of `evaluate`
    get the scores.

    Args:
        model_dir: See `Estimator`.
        weight_column_name: See `LinearClassifier`.
        linear_feature_columns: See `DNNLinearCombinedClassifier`.
        linear_optimizer: See `DNNLinearCombinedClassifier`.
        _joint_linear_weights: See `_joint_weight` of `LinearClassifier`.
        dnn_feature_columns: See `DNNLinearCombinedClassifier`.
        dnn_optimizer: See `DNNLinearCombinedClassifier`.
        dnn_hidden_units: See `DNNLinearCombinedClassifier`.
        dnn_activation_fn: See `DNNLinearCombinedClassifier`.
        dnn_dropout: See `DNNLinearCombinedClassifier`.
        gradient_clip_norm: See `DNNLinearCombinedClassifier`.
        enable_centered_bias: See `LinearClassifier`.
        label_dimension: Number of numbers to predict for an example.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.
        embedding_lr_multipliers: See `DNNClassifier`.
        input_layer_min_slice_size: See `DNNClassifier`.
        fix_global_step_increment_bug: See `DNNLinearCombinedClassifier`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        model_dir: Path | None = None,
        weight_column_name: str | None = None,
        linear_feature_columns: Iterable[Any] | None = None,
        linear_optimizer: Any = None,
        _joint_linear_weights: bool = False,
        dnn_feature_columns: Iterable[Any] | None = None,
        dnn_optimizer: Any = None,
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Any = tf.nn.relu,
        dnn_dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        label_dimension: int = 1,
        config: core.RunConfig | None = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
        embedding_lr_multipliers: Mapping[Any, float] | None = None,
        input_layer_min_slice_size: int | None = None,
        fix_global_step_increment_bug: bool = False,
    ):
        head = regression_head(
            weight_column_name=weight_column_name,
            label_dimension=label_dimension,
            enable_centered_bias=enable_centered_bias,
        )
        linear_columns, dnn_columns = _both_columns(linear_feature_columns, dnn_feature_columns)
        check_joint("_joint_linear_weights", _joint_linear_weights, linear_columns)
        params = {
            "head": head,
            "linear_feature_columns": linear_columns,
            "linear_optimizer": linear_optimizer,
            "dnn_feature_columns": dnn_columns,
            "dnn_optimizer": dnn_optimizer,
            "dnn_hidden_units": dnn_hidden_units,
            "dnn_activation_fn": dnn_activation_fn,
            "dnn_dropout": dnn_dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_min_slice_size": input_layer_min_slice_size,
            "fix_global_step_increment_bug": fix_global_step_increment_bug,
            "joint_linear_weights": _joint_linear_weights,
        }
        super().__init__(combined_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNLinearCombinedEstimator(Estimator):
    """Trains a linear model and a deep network, whose logits are added, with a head of one's own.

    Stands for `tf.contrib.learn.DNNLinearCombinedEstimator`.

    Args:
        head: Makes predictions, loss and metrics, as `multi_class_head` does.
        model_dir: See `Estimator`.
        linear_feature_columns: See `DNNLinearCombinedClassifier`.
        linear_optimizer: See `DNNLinearCombinedClassifier`.
        _joint_linear_weights: See `_joint_weight` of `LinearClassifier`.
        dnn_feature_columns: See `DNNLinearCombinedClassifier`.
        dnn_optimizer: See `DNNLinearCombinedClassifier`.
        dnn_hidden_units: See `DNNLinearCombinedClassifier`.
        dnn_activation_fn: See `DNNLinearCombinedClassifier`.
        dnn_dropout: See `DNNLinearCombinedClassifier`.
        gradient_clip_norm: See `DNNLinearCombinedClassifier`.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.
        embedding_lr_multipliers: See `DNNClassifier`.
        fix_global_step_increment_bug: See `DNNLinearCombinedClassifier`.
        input_layer_min_slice_size: See `DNNClassifier`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        head: Head,
        model_dir: Path | None = None,
        linear_feature_columns: Iterable[Any] | None = None,
        linear_optimizer: Any = None,
        _joint_linear_weights: bool = False,
        dnn_feature_columns: Iterable[Any] | None = None,
        dnn_optimizer: Any = None,
        dnn_hidden_units: Sequence[int] | None = None,
        dnn_activation_fn: Any = None,
        dnn_dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        config: core.RunConfig | None = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
        embedding_lr_multipliers: Mapping[Any, float] | None = None,
        fix_global_step_increment_bug: bool = False,
        input_layer_min_slice_size: int | None = None,
    ):
        linear_columns, dnn_columns = _both_columns(linear_feature_columns, dnn_feature_columns)
        check_joint("_joint_linear_weights", _joint_linear_weights, linear_columns)
        params = {
            "head": head,
            "linear_feature_columns": linear_columns,
            "linear_optimizer": linear_optimizer,
            "dnn_feature_columns": dnn_columns,
            "dnn_optimizer": dnn_optimizer,
            "dnn_hidden_units": dnn_hidden_units,
            "dnn_activation_fn": dnn_activation_fn,
            "dnn_dropout": dnn_dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_min_slice_size": input_layer_min_slice_size,
            "fix_global_step_increment_bug": fix_global_step_increment_bug,
            "joint_linear_weights": _joint_linear_weights,
        }
        super().__init__(combined_model_fn, model_dir, config, params, feature_engineering_fn)


def _both_columns(
    linear: Iterable[Any] | None, dnn: Iterable[Any] | None
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Returns the feature columns of both models.

    Raises:
        ValueError: Neither has any.
    """
    both = tuple(linear or ()), tuple(dnn or ())
    if not any(both):
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    return both
