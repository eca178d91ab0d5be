"""Connects metric functions to the outputs of a model."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

from keras_legacy_train import arguments

_LOGGER = logging.getLogger("keras_legacy_train")

_LABELS = ("labels", "label", "targets", "target")
_PREDICTIONS = ("predictions", "prediction", "logits", "logit")
_WEIGHTS = ("weights", "weight")


class MetricSpec:
    """Says which predictions, labels and weights a metric function gets.

    Stands for `tf.contrib.learn.MetricSpec`.

    ```python
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import learn

    metrics = {"accuracy": learn.MetricSpec(tf.metrics.accuracy, prediction_key="classes")}
    ```

    The function gets labels by its argument `labels`, `label`, `targets` or `target`, predictions by
    `predictions`, `prediction`, `logits` or `logit`, and weights by `weights` or `weight`. Without such an
    argument for predictions it gets them as its first argument, or as its second after the labels. Without
    one for labels it gets none.

    Args:
        metric_fn: Returns a tensor, or `(value, update_op)` as the functions of `tf.compat.v1.metrics` do.
        prediction_key: Which of the model's dict of predictions; `None` if there is only one.
        label_key: Which of the dict of labels; `None` if there is only one.
        weight_key: Which of the features gives the weights; `None` for no weights.

    Raises:
        ValueError: The function is ambiguous, or lacks an argument for labels or weights that has a key.
    """

    def __init__(
        self,
        metric_fn: Callable[..., Any],
        prediction_key: str | None = None,
        label_key: str | None = None,
        weight_key: str | None = None,
    ):
        arguments.check_callable("metric_fn", metric_fn)
        if metric_fn is None:
            raise ValueError("metric_fn must be callable; it is None.")
        self._name = _name(metric_fn)
        self._metric_fn = _by_name(metric_fn, self._name, label_key is not None, weight_key is not None)
        self._prediction_key = prediction_key
        self._label_key = label_key
        self._weight_key = weight_key

    @property
    def metric_fn(self) -> Callable[..., Any]:
        """Returns the function, as one of the keyword arguments `labels`, `predictions` and `weights`."""
        return self._metric_fn

    @property
    def prediction_key(self) -> str | None:
        """Returns the key of the predictions."""
        return self._prediction_key

    @property
    def label_key(self) -> str | None:
        """Returns the key of the labels."""
        return self._label_key

    @property
    def weight_key(self) -> str | None:
        """Returns the key of the weights."""
        return self._weight_key

    def __str__(self) -> str:
        return (
            f"MetricSpec(metric_fn={self._name}, prediction_key={self._prediction_key},"
            f" label_key={self._label_key}, weight_key={self._weight_key})"
        )

    def create_metric_ops(self, inputs: Mapping[str, Any] | None, labels: Any, predictions: Any) -> Any:
        """Adds the metric to the default graph.

        Args:
            inputs: The features, a dict of tensors.
            labels: The labels, a tensor or a dict of tensors.
            predictions: The predictions, a tensor or a dict of tensors.

        Returns:
            What the metric function returns.

        Raises:
            ValueError: A key is given where there is no dict, or none where a dict has several items.
            KeyError: A dict lacks the key.
        """
        chosen_predictions = _choose("prediction", predictions, self._prediction_key)
        chosen_labels = _choose("label", labels, self._label_key)
        weights = None
        if self._weight_key:
            weights = _choose("weight", inputs, self._weight_key)
        try:
            return self._metric_fn(labels=chosen_labels, predictions=chosen_predictions, weights=weights)
        except Exception as error:
            _LOGGER.error("Could not create metric ops for %s, %s.", self, error)
            raise


def _choose(kind: str, given: Any, key: str | None) -> Any:
    """Returns the tensor that the key names, or the only one.

    Raises:
        ValueError: A key is given where there is no dict, or none where a dict has several items.
        KeyError: A dict lacks the key.
    """
    if key:
        if not isinstance(given, Mapping):
            raise ValueError(
                f"MetricSpec with {kind}_key specified requires {kind}s dict, got {given}.\n"
                f"You must not provide a {kind}_key if you only have a single Tensor as {kind}s."
            )
        if key not in given:
            raise KeyError(f"Key {key!r} missing from {list(given)}.")
        return given[key]
    if not isinstance(given, Mapping):
        return given
    if len(given) != 1:
        raise ValueError(
            f"MetricSpec without specified {kind}_key requires {kind}s tensor or single element dict,"
            f" got {dict(given)}."
        )
    return next(iter(given.values()))


def _name(function: Callable[..., Any]) -> str:
    while not hasattr(function, "__name__") and hasattr(function, "func"):
        function = function.func
    return getattr(function, "__name__", str(function))


def _by_name(
    function: Callable[..., Any], name: str, needs_labels: bool, needs_weights: bool
) -> Callable[..., Any]:
    """Returns the function as one of `labels`, `predictions` and `weights`, by name.

    Raises:
        ValueError: Two of its arguments stand for the same, or one that is needed is missing.
    """
    parameters = _parameters(function)
    labels_name = _argument(name, parameters, _LABELS, needs_labels)
    predictions_name = _argument(name, parameters, _PREDICTIONS, False)
    weights_name = _argument(name, parameters, _WEIGHTS, needs_weights)
    labels_first = labels_name is not None and bool(parameters) and parameters[0] == labels_name

    def named(*, labels: Any = None, predictions: Any = None, weights: Any = None) -> Any:
        positional, keywords = [], {}
        if predictions_name is None and labels_first:
            positional = [labels, predictions]
        else:
            if labels_name is not None:
                keywords[labels_name] = labels
            if predictions_name is None:
                positional = [predictions]
            else:
                keywords[predictions_name] = predictions
        if weights is not None:
            if weights_name is None:
                raise ValueError(f"{name}({', '.join(parameters)}) takes no weights.")
            keywords[weights_name] = weights
        return function(*positional, **keywords)

    return named


def _parameters(function: Callable[..., Any]) -> list[str]:
    """Returns the names of the arguments that are still to be given.

    Raises:
        ValueError: The signature of the function cannot be read.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The signature of {function!r} cannot be read: {error}") from error
    bound = getattr(function, "keywords", None) or {}
    return [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and parameter.name not in bound
    ]


def _argument(name: str, parameters: list[str], candidates: tuple[str, ...], is_needed: bool) -> str | None:
    """Returns the only argument that is one of the candidates, `None` if there is none.

    Raises:
        ValueError: There are several, or none where one is needed.
    """
    found = [candidate for candidate in candidates if candidate in parameters]
    if len(found) > 1:
        raise ValueError(f"Ambiguous arguments {found}, must provide only one of {candidates}.")
    if not found:
        if is_needed:
            raise ValueError(f"{candidates} missing from {name}({', '.join(parameters)}).")
        return None
    return found[0]


def make_metric_ops(
    metrics: Mapping[Any, Any] | None, features: Any, labels: Any, predictions: Any
) -> dict[Any, Any]:
    """Adds metrics to the default graph, in the order of their names.

    Args:
        metrics: `MetricSpec`s by name; or functions of predictions and labels, by name or by a pair of the
            name and the key of the predictions.
        features: The features, a dict of tensors.
        labels: The labels, a tensor or a dict of tensors.
        predictions: The predictions, a tensor or a dict of tensors.

    Returns:
        What the metric functions return, by name.

    Raises:
        ValueError: A function's name does not fit the predictions. See also `MetricSpec.create_metric_ops`.
        KeyError: See `MetricSpec.create_metric_ops`.
    """
    made = {}
    only_label = next(iter(labels.values())) if isinstance(labels, dict) and len(labels) == 1 else labels
    for name, metric in sorted((metrics or {}).items(), key=lambda item: str(item[0])):
        if isinstance(metric, MetricSpec):
            made[name] = metric.create_metric_ops(features, labels, predictions)
        elif isinstance(name, tuple):
            if len(name) != 2:
                raise ValueError(
                    f"Invalid metric for {name}. It returned a tuple with len {len(name)}, expected 2."
                )
            if not isinstance(predictions, dict):
                raise ValueError(
                    "Metrics passed provide (name, prediction), but predictions are not dict. Metrics:"
                    f" {metrics}, Predictions: {predictions}."
                )
            key = name[1]
            label = labels[key] if isinstance(labels, dict) and key in labels else only_label
            made[name[0]] = metric(predictions[key], label)
        else:
            if isinstance(predictions, dict):
                raise ValueError(
                    "Metrics passed provide only name, no prediction, but predictions are dict. Metrics:"
                    f" {metrics}, Labels: {only_label}."
                )
            made[name] = metric(predictions, only_label)
    return made
