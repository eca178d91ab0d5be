"""Estimators of deep networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train.learn.canned.base import Classifier, ScoreRegressor, as_columns
from keras_legacy_train.learn.estimator import Estimator
from keras_legacy_train.learn.head import Head, multi_class_head, regression_head
from keras_legacy_train.learn.networks import dnn_model_fn
from keras_legacy_train.learn.types import FeatureEngineeringFn, Path


class DNNClassifier(Classifier):
    """Tells classes apart by a deep network; stands for `tf.contrib.learn.DNNClassifier`.

    ```python
    import numpy as np

    from keras_legacy_train import learn

    x = np.random.RandomState(0).randn(100, 2).astype("float32")
    y = (x[:, 0] * x[:, 1] > 0).astype("int64")
    columns = learn.infer_real_valued_columns_from_input(x)
    classifier = learn.DNNClassifier(hidden_units=[10, 5], feature_columns=columns, model_dir=output_dir)
    classifier.fit(x, y, steps=200)
    accuracy = classifier.evaluate(x, y)["accuracy"]
    classes = list(classifier.predict_classes(x))
    ```

    Args:
        hidden_units: Number of units in each hidden layer.
        feature_columns: See `LinearClassifier`.
        model_dir: See `Estimator`.
        n_classes: See `LinearClassifier`.
        weight_column_name: See `LinearClassifier`.
        optimizer: An optimizer of `tf.compat.v1.train`, a function that returns one, or its name; by default
            Adagrad.
        activation_fn: The activation function of the hidden layers, or its name; `None` for none.
        dropout: The probability that an output of a hidden layer is dropped in training; `None` for none.
        gradient_clip_norm: See `LinearClassifier`.
        enable_centered_bias: See `LinearClassifier`.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.
        embedding_lr_multipliers: Factors of the learning rate, by embedding column.
        input_layer_min_slice_size: Smallest size in bytes of a part of an embedding in a cluster.
        label_keys: See `LinearClassifier`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        hidden_units: Sequence[int],
        feature_columns: Iterable[Any],
        model_dir: Path | None = None,
        n_classes: int = 2,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        activation_fn: Any = tf.nn.relu,
        dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        config: core.RunConfig | None = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
        embedding_lr_multipliers: Mapping[Any, float] | None = None,
        input_layer_min_slice_size: int | None = None,
        label_keys: Sequence[str] | None = None,
    ):
        columns = as_columns(feature_columns)
        head = multi_class_head(
            n_classes,
            weight_column_name=weight_column_name,
            enable_centered_bias=enable_centered_bias,
            label_keys=label_keys,
        )
        params = {
            "head": head,
            "hidden_units": hidden_units,
            "feature_columns": columns,
            "optimizer": optimizer,
            "activation_fn": activation_fn,
            "dropout": dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_min_slice_size": input_layer_min_slice_size,
        }
        super().__init__(dnn_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNRegressor(ScoreRegressor):
    """Predicts numbers by a deep network; stands for `tf.contrib.learn.DNNRegressor`.

    Functions among the metrics of `evaluate` get the scores.

    Args:
        hidden_units: See `DNNClassifier`.
        feature_columns: See `LinearClassifier`.
        model_dir: See `Estimator`.
        weight_column_name: See `LinearClassifier`.
        optimizer: See `DNNClassifier`.
        activation_fn: See `DNNClassifier`.
        dropout: See `DNNClassifier`.
        gradient_clip_norm: See `LinearClassifier`.
        enable_centered_bias: See `LinearClassifier`.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.
        label_dimension: Number of numbers to predict for an example.
        embedding_lr_multipliers: See `DNNClassifier`.
        input_layer_min_slice_size: See `DNNClassifier`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        hidden_units: Sequence[int],
        feature_columns: Iterable[Any],
        model_dir: Path | None = None,
        weight_column_name: str | None = None,
        optimizer: Any = None,
        activation_fn: Any = tf.nn.relu,
        dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        enable_centered_bias: bool = False,
        config: core.RunConfig | None = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
        label_dimension: int = 1,
        embedding_lr_multipliers: Mapping[Any, float] | None = None,
        input_layer_min_slice_size: int | None = None,
    ):
        columns = as_columns(feature_columns)
        head = regression_head(
            weight_column_name=weight_column_name,
            label_dimension=label_dimension,
            enable_centered_bias=enable_centered_bias,
        )
        params = {
            "head": head,
            "hidden_units": hidden_units,
            "feature_columns": columns,
            "optimizer": optimizer,
            "activation_fn": activation_fn,
            "dropout": dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_min_slice_size": input_layer_min_slice_size,
        }
        super().__init__(dnn_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNEstimator(Estimator):
    """Trains a deep network with a head of one's own; stands for `tf.contrib.learn.DNNEstimator`.

    Args:
        head: Makes predictions, loss and metrics, as `multi_class_head` does.
        hidden_units: See `DNNClassifier`.
        feature_columns: See `LinearClassifier`.
        model_dir: See `Estimator`.
        optimizer: See `DNNClassifier`.
        activation_fn: See `DNNClassifier`.
        dropout: See `DNNClassifier`.
        gradient_clip_norm: See `LinearClassifier`.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.
        embedding_lr_multipliers: See `DNNClassifier`.
        input_layer_min_slice_size: See `DNNClassifier`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        head: Head,
        hidden_units: Sequence[int],
        feature_columns: Iterable[Any],
        model_dir: Path | None = None,
        optimizer: Any = None,
        activation_fn: Any = tf.nn.relu,
        dropout: float | None = None,
        gradient_clip_norm: float | None = None,
        config: core.RunConfig | None = None,
        feature_engineering_fn: FeatureEngineeringFn | None = None,
        embedding_lr_multipliers: Mapping[Any, float] | None = None,
        input_layer_min_slice_size: int | None = None,
    ):
        params = {
            "head": head,
            "hidden_units": hidden_units,
            "feature_columns": as_columns(feature_columns),
            "optimizer": optimizer,
            "activation_fn": activation_fn,
            "dropout": dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_min_slice_size": input_layer_min_slice_size,
        }
        super().__init__(dnn_model_fn, model_dir, config, params, feature_engineering_fn)
