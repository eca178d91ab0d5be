"""Brings the names of variables of TensorFlow 1 and of Keras into a form in which they can be compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import keras

Parts = tuple[str, ...]

# The names that slim, `tf.contrib.layers` and scripts of the time used, and those of Keras.
_KERAS_LEAF_NAMES = {
    "weights": "kernel",
    "weight": "kernel",
    "w": "kernel",
    "biases": "bias",
    "b": "bias",
    "depthwise_weights": "depthwise_kernel",
    "pointwise_weights": "pointwise_kernel",
    "embedding_weights": "embeddings",
}
_BOOKKEEPING = re.compile(
    r"global_step|beta\d_power|learning_rate|ExponentialMovingAverage|biased|local_step|random_state"
)
# The names that Keras gives to models.
_DEFAULT_MODEL_NAME = re.compile(r"(?:sequential|functional|model)(?:_\d+)?")
_COUNTER = re.compile(r"_\d+$")


def split_name(name: str) -> Parts:
    """Splits a name into its parts; an empty name has none."""
    return tuple(name.split("/")) if name else ()


def with_keras_leaf(parts: Parts) -> Parts:
    """Returns a name with its last part as in Keras: `weights` becomes `kernel`."""
    return (*parts[:-1], _KERAS_LEAF_NAMES.get(parts[-1].lower(), parts[-1]))


def without_default_model_names(scope: Parts) -> Parts:
    """Returns a scope without the names that Keras gives to models."""
    return tuple(part for part in scope if not _DEFAULT_MODEL_NAME.fullmatch(part))


def tf1_spelling(name: str, names: Collection[str]) -> Parts:
    """Returns a TF 1 name with its last part as in Keras.

    Args:
        name: The name.
        names: All names in the checkpoint.
    """
    parts = with_keras_leaf(split_name(name))
    if parts[-1] == "depthwise_kernel":
        scope = "/".join(parts[:-1])
        if not any(f"{scope}/{leaf}" in names for leaf in ("pointwise_weights", "pointwise_kernel")):
            return (*parts[:-1], "kernel")  # a DepthwiseConv2D, not a SeparableConv2D
    return parts


def normalized(parts: Parts) -> str:
    """Returns a key that is equal for names that differ in case, or in `_` and `/`, only.

    The name of a Keras layer cannot contain a `/`: `block1/conv1` is `block1_conv1` there.
    """
    return "_".join(parts).lower()


def is_bookkeeping(name: str, shapes: Mapping[str, Sequence[int]]) -> bool:
    """Returns whether a tensor belongs to an optimizer, a moving average or a counter, and is not a weight.

    A slot of an optimizer has the shape of its variable and a name below it: `OptimizeLoss/w/Adam` for `w`.

    Args:
        name: The tensor's name.
        shapes: The shapes of all tensors by their names.
    """
    *scope, leaf = split_name(name)
    if _BOOKKEEPING.fullmatch(_COUNTER.sub("", leaf)):
        return True
    owners = ("/".join(scope[start:]) for start in range(len(scope)))
    return any(list(shapes[owner]) == list(shapes[name]) for owner in owners if owner in shapes)


def relative_paths(layer: keras.layers.Layer) -> list[str]:
    """Returns the paths of a layer's weights in their order, relative to what contains the layer.

    The name of a model is left out, too: Keras numbers models (`sequential_3`), and a layer keeps the name of
    the model in which it was built.
    """
    is_model = isinstance(layer, keras.Model)
    beginnings = {part.name for part in layer.layers} if is_model else {layer.name}

    def relative(parts: Parts) -> Parts:
        for start, part in enumerate(parts[:-1]):
            if part in beginnings:
                return parts[start:]
        return parts[1:] if is_model and parts[0] == layer.name else parts

    return ["/".join(relative(split_name(weight.path))) for weight in layer.weights]
