"""Gives an Estimator the methods of scikit-learn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_legacy_train.learn.base_estimator import BaseEstimator
from keras_legacy_train.learn.data_feeder import make_input_fn
from keras_legacy_train.learn.parameters import Parameters


class SKCompat(Parameters):
    """Trains and uses an Estimator on arrays, as scikit-learn does; stands for `tf.contrib.learn.SKCompat`.

    Args:
        estimator: The Estimator.

    Raises:
        ValueError: It is no Estimator of `tf.contrib.learn`.
    """

    def __init__(self, estimator: BaseEstimator):
        if not isinstance(estimator, BaseEstimator):
            raise ValueError(f"estimator must be an Estimator of learn; it is {estimator!r}.")
        self._estimator = estimator

    def fit(
        self,
        x: Any,
        y: Any,
        batch_size: int | None = 128,
        steps: int | None = None,
        max_steps: int | None = None,
        monitors: Iterable[Any] | None = None,
    ) -> SKCompat:
        """Trains the model on arrays.

        Args:
            x: The features; see `Estimator.fit`.
            y: The labels.
            batch_size: Number of examples in a batch; `None` for all.
            steps: How many steps to run; `None` for no limit.
            max_steps: The global step at which training ends, in the place of `steps`.
            monitors: Monitors and session hooks.

        Returns:
            This object.

        Raises:
            ValueError: An argument cannot be right. See also `Estimator.fit`.
        """
        input_fn = make_input_fn(x, y, batch_size, shuffle=True, epochs=None)
        self._estimator.fit(input_fn=input_fn, steps=steps, max_steps=max_steps, monitors=monitors)
        return self

    def score(
        self,
        x: Any,
        y: Any,
        batch_size: int | None = 128,
        steps: int | None = None,
        metrics: Mapping[Any, Any] | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Evaluates the model on arrays.

        Args:
            x: The features; see `Estimator.fit`.
            y: The labels.
            batch_size: Number of examples in a batch; `None` for all.
            steps: How many batches to evaluate; `None` for all.
            metrics: See `Estimator.evaluate`.
            name: See `Estimator.evaluate`.

        Returns:
            The metrics by name, `loss` and `global_step`.

        Raises:
            ValueError: An argument cannot be right. See also `Estimator.evaluate`.
        """
        input_fn = make_input_fn(x, y, batch_size)
        return self._estimator.evaluate(input_fn=input_fn, steps=steps, metrics=metrics, name=name)

    def predict(self, x: Any, batch_size: int | None = 128, outputs: Sequence[str] | None = None) -> Any:
        """Returns the predictions for arrays.

        Args:
            x: The features; see `Estimator.fit`.
            batch_size: Number of examples in a batch; `None` for all.
            outputs: Which predictions to return, if the model function gives a dict; `None` for all.

        Returns:
            A NumPy array of one row per example, or a dict of them.

        Raises:
            ValueError: An argument cannot be right. See also `Estimator.predict`.
        """
        return BaseEstimator.predict(
            self._estimator, x, batch_size=batch_size, outputs=outputs, as_iterable=False
        )
