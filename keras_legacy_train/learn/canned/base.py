"""Has what the canned Estimators share: their predictions, and checks of their arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from keras_legacy_train.learn.estimator import Estimator
from keras_legacy_train.learn.keys import PredictionKey
from keras_legacy_train.learn.metric_spec import MetricSpec
from keras_legacy_train.learn.model_fn_ops import ModelFnOps
from keras_legacy_train.learn.real_valued_columns import are_legacy
from keras_legacy_train.learn.types import InputFn


class Canned(Estimator):
    """An Estimator whose `predict` returns one of its predictions, unless others are asked for."""

    _default_key = PredictionKey.SCORES

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


class Classifier(Canned):
    """An Estimator that predicts classes and their probabilities."""

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


class Regressor(Canned):
    """An Estimator that predicts numbers."""

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


class ScoreRegressor(Regressor):
    """A regressor whose scores are what functions among the metrics of `evaluate` get."""

    def _get_eval_ops(self, features: Any, labels: Any, metrics: Any) -> ModelFnOps:
        named = {
            key
            if isinstance(metric, MetricSpec) or isinstance(key, tuple)
            else (key, PredictionKey.SCORES): metric
            for key, metric in (metrics or {}).items()
        }
        return super()._get_eval_ops(features, labels, named)


def as_columns(columns: Iterable[Any] | None) -> tuple[Any, ...]:
    """Returns feature columns as a tuple.

    Raises:
        ValueError: There are none.
    """
    listed = tuple(columns or ())
    if not listed:
        raise ValueError("feature_columns must not be empty.")
    return listed


def check_joint(name: str, joint: bool, columns: Sequence[Any]) -> None:
    """Checks that feature columns can have joint weights, if an argument asks for them.

    Raises:
        ValueError: They cannot.
    """
    if joint and not are_legacy(columns):
        raise ValueError(
            f"{name} must be False: only feature columns of tf.contrib.layers have joint weights."
        )
