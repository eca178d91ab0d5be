"""Estimators of linear models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from keras_legacy_train import estimator as core
from keras_legacy_train.learn.canned.base import Classifier, Regressor, as_columns, check_joint
from keras_legacy_train.learn.estimator import Estimator
from keras_legacy_train.learn.head import Head, multi_class_head, regression_head
from keras_legacy_train.learn.networks import linear_model_fn
from keras_legacy_train.learn.types import FeatureEngineeringFn, Path


class LinearClassifier(Classifier):
    """Tells classes apart by a linear model; stands for `tf.contrib.learn.LinearClassifier`.

    Args:
        feature_columns: Columns of `tf.feature_column`; or those of `contrib.layers`, which
            `infer_real_valued_columns_from_input` returns, too.
        model_dir: See `Estimator`.
        n_classes: Number of classes, at least 2. Labels are numbers from 0 to `n_classes - 1`.
        weight_column_name: Key of the feature with the examples' weights; `None` for none.
        optimizer: An optimizer of `tf.compat.v1.train`, a function that returns one, or its name; by default
            Ftrl.
        gradient_clip_norm: The largest global norm of the gradients; `None` for no limit.
        enable_centered_bias: Whether a bias of the logits is learned apart.
        _joint_weight: Whether all columns, which are of `tf.contrib.layers`, have one variable.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.
        label_keys: The names of more than two classes; labels and predicted classes are then strings.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        feature_columns: Iterable[Any],
        model_dir: Path | None = None,
        n_classes: int = 2,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        _joint_weight: bool = False,
        config: core.RunConfig | None = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
        label_keys: Sequence[str] | None = None,
    ):
        columns = as_columns(feature_columns)
        check_joint("_joint_weight", _joint_weight, columns)
        head = multi_class_head(
            n_classes,
            weight_column_name=weight_column_name,
            enable_centered_bias=enable_centered_bias,
            label_keys=label_keys,
        )
        params = _linear_params(head, columns, optimizer, gradient_clip_norm, _joint_weight)
        super().__init__(linear_model_fn, model_dir, config, params, feature_engineering_fn)


class LinearRegressor(Regressor):
    """Predicts numbers by a linear model; stands for `tf.contrib.learn.LinearRegressor`.

    Args:
        feature_columns: See `LinearClassifier`.
        model_dir: See `Estimator`.
        weight_column_name: See `LinearClassifier`.
        optimizer: See `LinearClassifier`.
        gradient_clip_norm: See `LinearClassifier`.
        enable_centered_bias: See `LinearClassifier`.
        label_dimension: Number of numbers to predict for an example.
        _joint_weights: See `_joint_weight` of `LinearClassifier`.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        feature_columns: Iterable[Any],
        model_dir: Path | None = None,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        label_dimension: int = 1,
        _joint_weights: bool = False,
        config: core.RunConfig | None = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
    ):
        columns = as_columns(feature_columns)
        check_joint("_joint_weights", _joint_weights, columns)
        head = regression_head(
            weight_column_name=weight_column_name,
            label_dimension=label_dimension,
            enable_centered_bias=enable_centered_bias,
        )
        params = _linear_params(head, columns, optimizer, gradient_clip_norm, _joint_weights)
        super().__init__(linear_model_fn, model_dir, config, params, feature_engineering_fn)


class LinearEstimator(Estimator):
    """Trains a linear model with a head of one's own; stands for `tf.contrib.learn.LinearEstimator`.

    Args:
        feature_columns: See `LinearClassifier`.
        head: Makes predictions, loss and metrics, as `multi_class_head` does.
        model_dir: See `Estimator`.
        weight_column_name: Must be `None`: the head has the column of weights.
        optimizer: See `LinearClassifier`.
        gradient_clip_norm: See `LinearClassifier`.
        _joint_weights: See `_joint_weight` of `LinearClassifier`.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        feature_columns: Iterable[Any],
        head: Head,
        model_dir: Path | None = None,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        gradient_clip_norm: float | None = None,
        _joint_weights: bool = False,
        config: core.RunConfig | None = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
    ):
        columns = as_columns(feature_columns)
        check_joint("_joint_weights", _joint_weights, columns)
        if weight_column_name is not None:
            raise ValueError("weight_column_name must be None: give it to the head.")
        params = _linear_params(head, columns, optimizer, gradient_clip_norm, _joint_weights)
        super().__init__(linear_model_fn, model_dir, config, params, feature_engineering_fn)


def _linear_params(
    head: Head, columns: Sequence[Any], optimizer: Any, gradient_clip_norm: float | None, joint_weights: bool
) -> dict[str, Any]:
    return {
        "head": head,
        "feature_columns": columns,
        "optimizer": optimizer,
        "gradient_clip_norm": gradient_clip_norm,
        "joint_weights": joint_weights,
    }
