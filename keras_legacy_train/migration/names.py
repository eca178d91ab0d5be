"""Names of variables, those of TensorFlow 1 and those of Keras, in a form that can be compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import keras

Parts = tuple[str, ...]

# How slim, `tf.contrib.layers` and scripts of the time called what Keras calls otherwise.
_LEAVES = {
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
# What Keras calls a model that nobody gave a name.
_NAMELESS_MODEL = re.compile(r"(?:sequential|functional|model)(?:_\d+)?")
_COUNTER = re.compile(r"_\d+$")


def split(name: str) -> Parts:
    """The parts of a name; none of an empty one."""
    return tuple(name.split("/")) if name else ()


def with_keras_leaf(parts: Parts) -> Parts:
    """The name with its last part as Keras calls it."""
    return (*parts[:-1], _LEAVES.get(parts[-1].lower(), parts[-1]))


def without_nameless_models(scope: Parts) -> Parts:
    """The scope without the models in it that nobody gave a name."""
    return tuple(part for part in scope if not _NAMELESS_MODEL.fullmatch(part))


def tf1_spelling(name: str, names: Collection[str]) -> Parts:
    """A TF 1 name, one of all those in a checkpoint, with its last part as Keras calls it."""
    parts = with_keras_leaf(split(name))
    if parts[-1] == "depthwise_kernel":
        scope = "/".join(parts[:-1])
        if not any(f"{scope}/{leaf}" in names for leaf in ("pointwise_weights", "pointwise_kernel")):
            return (*parts[:-1], "kernel")  # a DepthwiseConv2D, not a SeparableConv2D
    return parts


def folded(parts: Parts) -> str:
    """What two names have in common that differ in case, or have a `_` where the other has a `/`.

    The name of a Keras layer cannot contain a `/`: what was `block1/conv1` is `block1_conv1` there.
    """
    return "_".join(parts).lower()


def is_bookkeeping(name: str, shapes: Mapping[str, Sequence[int]]) -> bool:
    """Whether a tensor of a checkpoint is the optimizer's, a moving average or a counter, no weight.

    An optimizer's slot has the shape of its variable, and a name below it: `OptimizeLoss/w/Adam` for `w`.

    Args:
        name: The tensor's name.
        shapes: The shapes of all tensors by their names.
    """
    *scope, leaf = split(name)
    if _BOOKKEEPING.fullmatch(_COUNTER.sub("", leaf)):
        return True
    owners = ("/".join(scope[start:]) for start in range(len(scope)))
    return any(list(shapes[owner]) == list(shapes[name]) for owner in owners if owner in shapes)


def relative_paths(layer: keras.layers.Layer) -> list[str]:
    """The paths of a layer's weights, in their order, from the layer on: without what it is part of.

    The name of a model is left out, too. Keras counts models, so that it may be `sequential_3`, and a layer
    keeps the name of the model in which it was built.
    """
    is_model = isinstance(layer, keras.Model)
    beginnings = {part.name for part in layer.layers} if is_model else {layer.name}

    def relative(parts: Parts) -> Parts:
        for start, part in enumerate(parts[:-1]):
            if part in beginnings:
                return parts[start:]
        return parts[1:] if is_model and parts[0] == layer.name else parts

    return ["/".join(relative(split(weight.path))) for weight in layer.weights]
