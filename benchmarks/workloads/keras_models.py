"""Builds the workloads as Keras models, with the layers, sizes and optimizers of `workloads.graphs`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from workloads import CONV_BLOCKS, PIPELINES, VOCABULARY
from workloads.graphs import UNITS
from workloads.pipelines import PIXELS

layers = keras.layers


def build(name: str, **compile_options: Any) -> keras.Model:
    """Builds and compiles a model.

    Args:
        name: The workload.
        **compile_options: Arguments of `keras.Model.compile` besides the optimizer and the loss.
    """
    model = keras.Sequential(_LAYERS[name]())
    if name == "linear":
        loss: Any = "mse"
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(_OPTIMIZERS[name](), loss, **compile_options)
    return model


def _softmax(pixels: int = 64) -> list[Any]:
    return [keras.Input([pixels]), layers.Dense(10)]


def _conv(image: list[int], blocks: Sequence[Sequence[int]]) -> list[Any]:
    stack: list[Any] = [keras.Input(image)]
    for block in blocks:
        stack += [layers.Conv2D(filters, 3, padding="same", activation="relu") for filters in block]
        stack.append(layers.MaxPooling2D(padding="same"))
    return [*stack, layers.Flatten(), layers.Dense(10)]


def _mlp() -> list[Any]:
    hidden = [layers.Dense(512, activation="relu") for _ in range(2)]
    return [keras.Input([64]), *hidden, layers.Dense(10)]


_LAYERS: dict[str, Callable[[], list[Any]]] = {
    "linear": lambda: [keras.Input([8]), layers.Dense(1)],
    "softmax": _softmax,
    "mlp": _mlp,
    "conv": lambda: _conv([8, 8, 1], CONV_BLOCKS["conv"]),
    "conv-large": lambda: _conv([32, 32, 3], CONV_BLOCKS["conv-large"]),
    "embedding": lambda: [
        keras.Input([None], dtype="int32"),
        layers.Embedding(VOCABULARY, UNITS),
        layers.GlobalAveragePooling1D(),
        layers.Dense(10),
    ],
    "lstm": lambda: [keras.Input([8, 8]), layers.LSTM(UNITS), layers.Dense(10)],
    "feed": _softmax,
    **dict.fromkeys(PIPELINES, lambda: _softmax(PIXELS)),
}

_OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "linear": lambda: keras.optimizers.SGD(0.01),
    "softmax": lambda: keras.optimizers.SGD(0.1),
    "mlp": lambda: keras.optimizers.Adam(0.001, epsilon=1e-8),
    "conv": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "conv-large": lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    "embedding": lambda: keras.optimizers.SGD(0.1),
    "lstm": lambda: keras.optimizers.Adam(0.001, epsilon=1e-8),
    "feed": lambda: keras.optimizers.SGD(0.1),
    **dict.fromkeys(PIPELINES, lambda: keras.optimizers.SGD(0.1)),
}
