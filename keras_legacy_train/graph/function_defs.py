"""A Python function as `FunctionDef`s: for twins of ops that take more than one op to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train._tensorflow import FunctionDef


def trace(function: Callable[..., Any], dtypes: Sequence[tf.DType], name: str) -> list[FunctionDef]:
    """Traces a function of tensors, their shapes unknown.

    Args:
        function: Takes one tensor for each of `dtypes` and returns a tensor or a sequence of tensors.
        dtypes: Of its arguments; `tf.resource` for the handle of a variable.
        name: What the names of the library functions begin with. Unlike the names TensorFlow gives, they hold
            no counter: the same name must mean the same function.

    Returns:
        The function itself, then those its loops and branches call.
    """
    signature = [
        tf.TensorSpec([] if dtype == tf.resource else None, dtype, f"input_{index}")
        for index, dtype in enumerate(dtypes)
    ]
    with tf.Graph().as_default():
        concrete = tf.function(function, signature, autograph=False).get_concrete_function()
    main = FunctionDef()
    main.CopyFrom(concrete.function_def)
    functions = [main, *concrete.graph.as_graph_def().library.function]
    names = {made.signature.name: f"{name}_{index}" for index, made in enumerate(functions)}
    for made in functions:
        made.signature.name = names[made.signature.name]
        for node in made.node_def:
            for value in node.attr.values():
                if value.HasField("func"):
                    value.func.name = names[value.func.name]
    return functions
