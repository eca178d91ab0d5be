"""Estimators of ready-made models: linear models, deep networks, and both together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train.learn.estimator import Estimator
from keras_legacy_train.learn.head import Head, multi_class_head, regression_head
from keras_legacy_train.learn.keys import MetricKey, ModeKeys, PredictionKey, ProblemType
from keras_legacy_train.learn.metric_spec import MetricSpec
from keras_legacy_train.learn.model_fn_ops import ModelFnOps
from keras_legacy_train.learn.networks import combined_model_fn, dnn_model_fn, linear_model_fn
from keras_legacy_train.learn.types import FeatureEngineeringFn, InputFn, Path

v1 = tf.compat.v1


class _Canned(Estimator):
    """An Estimator whose `predict` returns one of its predictions, unless others are asked for."""

    _default_key = PredictionKey.SCORES
    _feature_columns: tuple[Any, ...]

    def predict(  # type: ignore[override]
        self,
        x: Any = None,
        input_fn: InputFn | None = None,
        batch_size: int | None = None,
        outputs: Sequence[str] | None = None,
        as_iterable: bool = True,
    ) -> Any:
        """Returns predictions: classes or scores, or those that are asked for.

        Args:
            x: See `Estimator.predict`.
            input_fn: See `Estimator.predict`.
            batch_size: See `Estimator.predict`.
            outputs: Which predictions to return, each example's then in a dict.
            as_iterable: See `Estimator.predict`.

        Returns:
            What `Estimator.predict` returns; without `outputs`, arrays.

        Raises:
            ValueError: See `Estimator.predict`.
            NotFittedError: There is no checkpoint.
        """
        if outputs:
            return super().predict(x, input_fn, batch_size, outputs, as_iterable)
        return self._predict_one(self._default_key, x, input_fn, batch_size, as_iterable)

    def _predict_one(
        self, key: str, x: Any, input_fn: InputFn | None, batch_size: int | None, as_iterable: bool
    ) -> Any:
        predictions = super().predict(x, input_fn, batch_size, [key], as_iterable)
        return (example[key] for example in predictions) if as_iterable else predictions[key]


class _Classifier(_Canned):
    _default_key = PredictionKey.CLASSES

    def predict_classes(
        self,
        x: Any = None,
        input_fn: InputFn | None = None,
        batch_size: int | None = None,
        as_iterable: bool = True,
    ) -> Any:
        """Returns the class of each example: its number, or its name where the classes have names.

        Args:
            x: See `Estimator.predict`.
            input_fn: See `Estimator.predict`.
            batch_size: See `Estimator.predict`.
            as_iterable: See `Estimator.predict`.

        Returns:
            An iterator over the classes, or an array of them.

        Raises:
            ValueError: See `Estimator.predict`.
            NotFittedError: There is no checkpoint.
        """
        return self._predict_one(PredictionKey.CLASSES, x, input_fn, batch_size, as_iterable)

    def predict_proba(
        self,
        x: Any = None,
        input_fn: InputFn | None = None,
        batch_size: int | None = None,
        as_iterable: bool = True,
    ) -> Any:
        """Returns the probability of each class, for each example.

        Args:
            x: See `Estimator.predict`.
            input_fn: See `Estimator.predict`.
            batch_size: See `Estimator.predict`.
            as_iterable: See `Estimator.predict`.

        Returns:
            An iterator over arrays of shape `[n_classes]`, or an array of shape `[examples, n_classes]`.

        Raises:
            ValueError: See `Estimator.predict`.
            NotFittedError: There is no checkpoint.
        """
        return self._predict_one(PredictionKey.PROBABILITIES, x, input_fn, batch_size, as_iterable)


class _Regressor(_Canned):
    def predict_scores(
        self,
        x: Any = None,
        input_fn: InputFn | None = None,
        batch_size: int | None = None,
        as_iterable: bool = True,
    ) -> Any:
        """Returns the number that is predicted for each example, or the numbers.

        Args:
            x: See `Estimator.predict`.
            input_fn: See `Estimator.predict`.
            batch_size: See `Estimator.predict`.
            as_iterable: See `Estimator.predict`.

        Returns:
            An iterator over the numbers, or an array of them, of shape `[examples]` or
            `[examples, label_dimension]`.

        Raises:
            ValueError: See `Estimator.predict`.
            NotFittedError: There is no checkpoint.
        """
        return self._predict_one(PredictionKey.SCORES, x, input_fn, batch_size, as_iterable)


class _DnnRegressor(_Regressor):
    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: InputFn | None = None,
        feed_fn: Callable[[], Mapping[Any, Any]] | None = None,
        batch_size: int | None = None,
        steps: int | None = None,
        metrics: Mapping[Any, Any] | None = None,
        name: str | None = None,
        checkpoint_path: Path | None = None,
        hooks: Sequence[tf.compat.v1.train.SessionRunHook] | None = None,
        log_progress: bool = True,
    ) -> dict[str, Any]:
        """Evaluates the model; see `Estimator.evaluate`. Functions among the metrics get the scores."""
        if isinstance(metrics, Mapping):
            metrics = {
                key
                if isinstance(metric, MetricSpec) or isinstance(key, tuple)
                else (key, PredictionKey.SCORES): metric
                for key, metric in metrics.items()
            }
        return super().evaluate(
            x,
            y,
            input_fn,
            feed_fn,
            batch_size,
            steps,
            metrics,
            name,
            checkpoint_path,
            hooks,
            log_progress,
        )


class LinearClassifier(_Classifier):
    """Tells classes apart by a linear model; stands for `tf.contrib.learn.LinearClassifier`.

    Args:
        feature_columns: Columns of `tf.feature_column`, or those that `infer_real_valued_columns_from_input`
            returns.
        model_dir: See `Estimator`.
        n_classes: Number of classes, at least 2. Labels are numbers from 0 to `n_classes - 1`.
        weight_column_name: Key of the feature with the examples' weights; `None` for none.
        optimizer: An optimizer of `tf.compat.v1.train`, a function that returns one, or its name; by default
            Ftrl.
        gradient_clip_norm: The largest global norm of the gradients; `None` for no limit.
        enable_centered_bias: Whether a bias of the logits is learned apart.
        _joint_weight: Must be `False`: only feature columns of `tf.contrib.layers` have joint weights.
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
        self._feature_columns = _as_columns(feature_columns)
        _check_not_joint("_joint_weight", _joint_weight)
        head = multi_class_head(
            n_classes,
            weight_column_name=weight_column_name,
            enable_centered_bias=enable_centered_bias,
            label_keys=label_keys,
        )
        params = _linear_params(head, self._feature_columns, optimizer, gradient_clip_norm)
        super().__init__(linear_model_fn, model_dir, config, params, feature_engineering_fn)


class LinearRegressor(_Regressor):
    """Predicts numbers by a linear model; stands for `tf.contrib.learn.LinearRegressor`.

    Args:
        feature_columns: See `LinearClassifier`.
        model_dir: See `Estimator`.
        weight_column_name: See `LinearClassifier`.
        optimizer: See `LinearClassifier`.
        gradient_clip_norm: See `LinearClassifier`.
        enable_centered_bias: See `LinearClassifier`.
        label_dimension: Number of numbers to predict for an example.
        _joint_weights: Must be `False`; see `LinearClassifier`.
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
        self._feature_columns = _as_columns(feature_columns)
        _check_not_joint("_joint_weights", _joint_weights)
        head = regression_head(
            weight_column_name=weight_column_name,
            label_dimension=label_dimension,
            enable_centered_bias=enable_centered_bias,
        )
        params = _linear_params(head, self._feature_columns, optimizer, gradient_clip_norm)
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
        _joint_weights: Must be `False`; see `LinearClassifier`.
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
        columns = _as_columns(feature_columns)
        _check_not_joint("_joint_weights", _joint_weights)
        if weight_column_name is not None:
            raise ValueError("weight_column_name must be None: give it to the head.")
        params = _linear_params(head, columns, optimizer, gradient_clip_norm)
        super().__init__(linear_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNClassifier(_Classifier):
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
        self._feature_columns = _as_columns(feature_columns)
        head = multi_class_head(
            n_classes,
            weight_column_name=weight_column_name,
            enable_centered_bias=enable_centered_bias,
            label_keys=label_keys,
        )
        params = {
            "head": head,
            "hidden_units": hidden_units,
            "feature_columns": self._feature_columns,
            "optimizer": optimizer,
            "activation_fn": activation_fn,
            "dropout": dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_min_slice_size": input_layer_min_slice_size,
        }
        super().__init__(dnn_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNRegressor(_DnnRegressor):
    """Predicts numbers by a deep network; stands for `tf.contrib.learn.DNNRegressor`.

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
        self._feature_columns = _as_columns(feature_columns)
        head = regression_head(
            weight_column_name=weight_column_name,
            label_dimension=label_dimension,
            enable_centered_bias=enable_centered_bias,
        )
        params = {
            "head": head,
            "hidden_units": hidden_units,
            "feature_columns": self._feature_columns,
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
            "feature_columns": _as_columns(feature_columns),
            "optimizer": optimizer,
            "activation_fn": activation_fn,
            "dropout": dropout,
            "gradient_clip_norm": gradient_clip_norm,
            "embedding_lr_multipliers": embedding_lr_multipliers,
            "input_layer_min_slice_size": input_layer_min_slice_size,
        }
        super().__init__(dnn_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNLinearCombinedClassifier(_Classifier):
    """Tells classes apart by a linear model and a deep network, whose logits are added.

    Stands for `tf.contrib.learn.DNNLinearCombinedClassifier`.

    Args:
        model_dir: See `Estimator`.
        n_classes: See `LinearClassifier`.
        weight_column_name: See `LinearClassifier`.
        linear_feature_columns: Feature columns of the linear model; `None` for no linear model.
        linear_optimizer: The linear model's optimizer; by default Ftrl.
        _joint_linear_weights: Must be `False`; see `LinearClassifier`.
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
        self._feature_columns = linear_columns + dnn_columns
        _check_not_joint("_joint_linear_weights", _joint_linear_weights)
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
        }
        super().__init__(combined_model_fn, model_dir, config, params, feature_engineering_fn)


class DNNLinearCombinedRegressor(_DnnRegressor):
    """Predicts numbers by a linear model and a deep network, whose outputs are added.

    Stands for `tf.contrib.learn.DNNLinearCombinedRegressor`.

    Args:
        model_dir: See `Estimator`.
        weight_column_name: See `LinearClassifier`.
        linear_feature_columns: See `DNNLinearCombinedClassifier`.
        linear_optimizer: See `DNNLinearCombinedClassifier`.
        _joint_linear_weights: Must be `False`; see `LinearClassifier`.
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
        self._feature_columns = linear_columns + dnn_columns
        _check_not_joint("_joint_linear_weights", _joint_linear_weights)
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
        _joint_linear_weights: Must be `False`; see `LinearClassifier`.
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
        _check_not_joint("_joint_linear_weights", _joint_linear_weights)
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
        }
        super().__init__(combined_model_fn, model_dir, config, params, feature_engineering_fn)


def LogisticRegressor(
    model_fn: Callable[..., Any],
    thresholds: Sequence[float] | None = None,
    model_dir: Path | None = None,
    config: core.RunConfig | None = None,
    feature_engineering_fn: FeatureEngineeringFn | None = None,
) -> Estimator:
    """Returns an Estimator with the metrics of a classifier of two classes.

    Stands for `tf.contrib.learn.LogisticRegressor`.

    Args:
        model_fn: Makes of features, labels and mode the predictions, which are probabilities, the loss and
            the training operation.
        thresholds: Where accuracy, precision and recall are measured; by default at 0.5.
        model_dir: See `Estimator`.
        config: A `RunConfig`.
        feature_engineering_fn: See `Estimator`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def with_metrics(features: Any, labels: Any, mode: str, params: Mapping[str, Any]) -> ModelFnOps:
        predictions, loss, train_op = model_fn(features, labels, mode)
        metrics = None
        if mode == ModeKeys.EVAL:
            metrics = _logistic_metrics(labels, predictions, params["thresholds"] or [0.5])
        return ModelFnOps(
            mode=mode,
            predictions=predictions,
            loss=loss,
            train_op=train_op,
            eval_metric_ops=metrics,
            output_alternatives={"head": (ProblemType.LOGISTIC_REGRESSION, {"predictions": predictions})},
        )

    params = {"thresholds": thresholds}
    return Estimator(with_metrics, model_dir, config, params, feature_engineering_fn)


def _logistic_metrics(labels: Any, predictions: tf.Tensor, thresholds: Sequence[float]) -> dict[str, Any]:
    if isinstance(labels, Mapping) and len(labels) == 1:
        (labels,) = labels.values()
    metrics = {
        MetricKey.PREDICTION_MEAN: v1.metrics.mean(predictions),
        MetricKey.LABEL_MEAN: v1.metrics.mean(labels),
        MetricKey.ACCURACY_BASELINE: v1.metrics.mean(labels),
        MetricKey.AUC: v1.metrics.auc(labels, predictions),
    }
    for threshold in thresholds:
        decided = tf.cast(predictions >= threshold, tf.float32)
        metrics[MetricKey.ACCURACY_MEAN % threshold] = v1.metrics.accuracy(labels, decided)
        metrics[MetricKey.PRECISION_MEAN % threshold] = v1.metrics.precision(labels, decided)
        metrics[MetricKey.RECALL_MEAN % threshold] = v1.metrics.recall(labels, decided)
    return metrics


def _linear_params(
    head: Head, columns: Sequence[Any], optimizer: Any, gradient_clip_norm: float | None
) -> dict[str, Any]:
    return {
        "head": head,
        "feature_columns": columns,
        "optimizer": optimizer,
        "gradient_clip_norm": gradient_clip_norm,
    }


def _as_columns(columns: Iterable[Any] | None) -> tuple[Any, ...]:
    listed = tuple(columns or ())
    if not listed:
        raise ValueError("feature_columns must not be empty.")
    return listed


def _both_columns(
    linear: Iterable[Any] | None, dnn: Iterable[Any] | None
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    both = tuple(linear or ()), tuple(dnn or ())
    if not any(both):
        raise ValueError("Either linear_feature_columns or dnn_feature_columns must be defined.")
    return both


def _check_not_joint(name: str, joint: bool) -> None:
    if joint:
        raise ValueError(
            f"{name} must be False: only feature columns of tf.contrib.layers have joint weights."
        )
