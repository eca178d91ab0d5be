"""Describes what an exported model is given: placeholders, and the features made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

_TENSORS = (tf.Tensor, tf.SparseTensor, tf.RaggedTensor)


class _ServingInputs(NamedTuple):
    features: Any
    receiver_tensors: dict[str, Any]
    receiver_tensors_alternatives: dict[str, dict[str, Any]] | None


class ServingInputReceiver(_ServingInputs):
    """Describes what an exported model is given, and the features for the model function.

    Args:
        features: Tensors by the names of features. A single tensor becomes a dict with the key `"feature"`.
        receiver_tensors: The placeholders to feed by name; a single one is called `"input"`. Often it is one
            for serialised `Example`s.
        receiver_tensors_alternatives: Other tensors that can be fed in their place, such as the features
            that are parsed of `Example`s: by the name of the alternative, in the form of `receiver_tensors`.
            Each output gets one more signature for each, called `"alternative:output"`.

    Raises:
        ValueError: Something is missing, is not a tensor, or has a name that is not a string.
    """

    __slots__ = ()

    def __new__(
        cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None
    ) -> ServingInputReceiver:
        return super().__new__(
            cls,
            _named("feature", features, "feature", takes_numbers=True),
            *_receivers(receiver_tensors, receiver_tensors_alternatives),
        )


class TensorServingInputReceiver(_ServingInputs):
    """Describes what an exported model is given, for model functions whose features are a single tensor.

    Args:
        features: The tensor for the model function, which it is given as it is.
        receiver_tensors: See `ServingInputReceiver`.
        receiver_tensors_alternatives: See `ServingInputReceiver`.

    Raises:
        ValueError: Something is missing, is not a tensor, or has a name that is not a string.
    """

    __slots__ = ()

    def __new__(
        cls, features: Any, receiver_tensors: Any, receiver_tensors_alternatives: Any = None
    ) -> TensorServingInputReceiver:
        if features is None:
            raise ValueError("features must be defined.")
        _check_tensor("feature", features)
        return super().__new__(cls, features, *_receivers(receiver_tensors, receiver_tensors_alternatives))


class _SupervisedInputs(NamedTuple):
    features: Any
    labels: Any
    receiver_tensors: dict[str, Any]


class SupervisedInputReceiver(_SupervisedInputs):
    """Describes what a model exported for training or evaluation is given.

    Args:
        features: The features for the model function: a tensor, or tensors by name.
        labels: The labels in the same form.
        receiver_tensors: See `ServingInputReceiver`.

    Raises:
        ValueError: Something is missing, is not a tensor, or has a name that is not a string.
    """

    __slots__ = ()

    def __new__(cls, features: Any, labels: Any, receiver_tensors: Any) -> SupervisedInputReceiver:
        _named("feature", features, "feature", takes_numbers=True)
        _named("label", labels, "label", takes_numbers=True)
        return super().__new__(cls, features, labels, _named("receiver_tensor", receiver_tensors, "input"))


def build_parsing_serving_input_receiver_fn(
    feature_spec: Mapping[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """Makes a `serving_input_receiver_fn` that takes serialised `Example`s.

    Args:
        feature_spec: The features of the `Example`s, as `tf.io.parse_example` takes them.
        default_batch_size: How many `Example`s there are at once; `None` for any number.

    Returns:
        A function for `Estimator.export_saved_model`. Its placeholder is called `"examples"`.
    """

    def serving_input_receiver_fn() -> ServingInputReceiver:
        examples = tf.compat.v1.placeholder(tf.string, [default_batch_size], name="input_example_tensor")
        features = tf.io.parse_example(examples, feature_spec)
        return ServingInputReceiver(features, {"examples": examples})

    return serving_input_receiver_fn


def build_raw_serving_input_receiver_fn(
    features: Mapping[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """Makes a `serving_input_receiver_fn` that takes the features themselves.

    ```python
    serving_input_receiver_fn = build_raw_serving_input_receiver_fn({"x": tf.zeros([1, 3])})
    with tf.Graph().as_default():
        placeholder = serving_input_receiver_fn().features["x"]
        assert placeholder.shape.as_list() == [None, 3]
    ```

    Args:
        features: Tensors or arrays by name. Placeholders of their types and shapes are made; their values are
            not used.
        default_batch_size: The first dimension of all of them; `None` for any number.

    Returns:
        A function for `Estimator.export_saved_model`.

    Raises:
        ValueError: `features` is not a dict.
    """
    if not isinstance(features, Mapping):
        raise ValueError(f"features must be a dict of tensors; it is {features!r}.")

    def serving_input_receiver_fn() -> ServingInputReceiver:
        placeholders = _placeholders(features, default_batch_size)
        return ServingInputReceiver(placeholders, placeholders)

    return serving_input_receiver_fn


def build_raw_supervised_input_receiver_fn(
    features: Any, labels: Any, default_batch_size: int | None = None
) -> Callable[[], SupervisedInputReceiver]:
    """Makes an input receiver function for the export of a training or evaluation graph.

    Args:
        features: A tensor, or tensors by name, of which placeholders are made. A single one is called
            `"input"`.
        labels: The same for the labels. A single one is called `"label"`.
        default_batch_size: The first dimension of all of them; `None` for any number.

    Returns:
        A function for `Estimator.experimental_export_all_saved_models`.

    Raises:
        ValueError: A name is among the features and among the labels.
    """
    named_features = features if isinstance(features, Mapping) else {"input": features}
    named_labels = labels if isinstance(labels, Mapping) else {"label": labels}
    overlap = named_features.keys() & named_labels.keys()
    if overlap:
        raise ValueError(f"Features and labels must have distinct keys. Found overlapping keys: {overlap}")

    def supervised_input_receiver_fn() -> SupervisedInputReceiver:
        fed_features = _placeholders(named_features, default_batch_size)
        fed_labels = _placeholders(named_labels, default_batch_size)
        return SupervisedInputReceiver(
            fed_features if named_features is features else fed_features["input"],
            fed_labels if named_labels is labels else fed_labels["label"],
            {**fed_features, **fed_labels},
        )

    return supervised_input_receiver_fn


def _placeholders(tensors: Mapping[str, Any], batch_size: int | None) -> dict[str, tf.Tensor]:
    """Makes placeholders of the types and shapes of tensors, apart from the first dimension."""
    placeholders = {}
    for name, tensor in tensors.items():
        shape = tf.TensorShape([batch_size]).concatenate(tf.TensorShape(tensor.shape)[1:])
        try:
            op_name = tensor.op.name
        except AttributeError:  # of an eager tensor
            op_name = None
        placeholders[name] = tf.compat.v1.placeholder(tensor.dtype, shape, op_name)
    return placeholders


def _receivers(tensors: Any, alternatives: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]] | None]:
    """Returns receiver tensors and their alternatives by name."""
    named = _named("receiver_tensor", tensors, "input")
    if alternatives is None:
        return named, None
    if not isinstance(alternatives, dict):
        raise ValueError(f"receiver_tensors_alternatives must be a dict: {alternatives}.")
    return named, {
        name: _named("receiver_tensors_alternative", each, "input") for name, each in alternatives.items()
    }


def _named(field: str, tensors: Any, default_name: str, takes_numbers: bool = False) -> dict[Any, Any]:
    """Returns tensors by name, checked; a single one gets the default name."""
    if tensors is None:
        raise ValueError(f"{field}s must be defined.")
    named = tensors if isinstance(tensors, dict) else {default_name: tensors}
    for name, tensor in named.items():
        if not isinstance(name, (str, int) if takes_numbers else str):
            kinds = "strings or ints" if takes_numbers else "strings"
            raise ValueError(f"{field} keys must be {kinds}: {name}.")
        _check_tensor(f"{field} {name}", tensor)
    return named


def _check_tensor(label: str, value: Any) -> None:
    # Wrappers such as labelled tensors hold the tensor.
    if not isinstance(value, _TENSORS) and not isinstance(getattr(value, "tensor", None), tf.Tensor):
        raise ValueError(f"{label} must be a Tensor, SparseTensor, or RaggedTensor.")
