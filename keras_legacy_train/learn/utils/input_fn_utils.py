"""Makes the input functions of exported models; stands for `tf.contrib.learn.utils.input_fn_utils`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

v1 = tf.compat.v1


class InputFnOps(NamedTuple):
    """Holds the input of an exported model; stands for `tf.contrib.learn.InputFnOps`.

    Attributes:
        features: What the model function gets, a dict of tensors.
        labels: `None`: an exported model has no labels.
        default_inputs: The placeholders that a request feeds, by the names of its inputs.
    """

    features: Any
    labels: Any
    default_inputs: Mapping[str, Any]


def build_parsing_serving_input_fn(
    feature_spec: Mapping[str, Any], default_batch_size: int | None = None
) -> Callable[[], InputFnOps]:
    """Returns an input function for requests of serialised `tf.train.Example`s.

    Args:
        feature_spec: How the features are parsed: `tf.io.FixedLenFeature` and the like by name.
        default_batch_size: Number of examples in a request; `None` for any.
    """

    def input_fn() -> InputFnOps:
        examples = v1.placeholder(tf.string, [default_batch_size], name="input_example_tensor")
        features = v1.parse_example(examples, dict(feature_spec))
        return InputFnOps(features, None, {"examples": examples})

    return input_fn


def build_default_serving_input_fn(
    features: Mapping[str, tf.Tensor], default_batch_size: int | None = None
) -> Callable[[], InputFnOps]:
    """Returns an input function for requests of features as they are.

    Args:
        features: Tensors of the dtypes and shapes of the features, by name.
        default_batch_size: Number of examples in a request; `None` for any.
    """
    specs = {
        name: (tensor.dtype, [default_batch_size, *tensor.shape[1:]], tensor.op.name)
        for name, tensor in features.items()
    }

    def input_fn() -> InputFnOps:
        placeholders = {
            name: v1.placeholder(dtype, shape, name=op) for name, (dtype, shape, op) in specs.items()
        }
        return InputFnOps(placeholders, None, placeholders)

    return input_fn
