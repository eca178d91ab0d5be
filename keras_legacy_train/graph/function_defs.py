"""Traces Python functions into `FunctionDef`s, for ops that one node cannot replace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef


def trace(function: Callable[..., Any], dtypes: Sequence[tf.DType], name: str) -> list[FunctionDef]:
    """Traces a function of tensors of unknown shapes.

    Args:
        function: Takes one tensor for each of `dtypes` and returns a tensor or a sequence of tensors.
        dtypes: The dtypes of the arguments; `tf.resource` for the handle of a variable.
        name: Prefix of the library functions' names. Unlike TensorFlow's own names they hold no counter, so
            that the same name always means the same function.

    Returns:
        The function itself, then those that its loops and branches call.
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
            node.op = names.get(node.op, node.op)
            for value in node.attr.values():
                if value.HasField("func"):
                    value.func.name = names[value.func.name]
    return functions


def trace_gradient(function: FunctionDef, library: tf.compat.v1.GraphDef, name: str) -> list[FunctionDef]:
    """Traces the gradient of a function.

    Args:
        function: The function.
        library: Holds the functions that it calls.
        name: Prefix of the library functions' names.

    Returns:
        The gradient: a function from the arguments and the gradients of the results to the gradients of the
        arguments. Then the functions that it calls.
    """
    arguments = len(function.signature.input_arg)

    def gradient(*tensors: tf.Tensor) -> Sequence[tf.Tensor]:
        tf.graph_util.import_graph_def(library, name="")
        body = _tensorflow.function_body(function)
        placeholders = [placeholder.name for placeholder in body.inputs]
        results = tf.graph_util.import_graph_def(
            body.as_graph_def(),
            dict(zip(placeholders, tensors[:arguments], strict=True)),
            [result.name for result in body.outputs],
        )
        gradients: list[tf.Tensor] = tf.gradients(
            results, tensors[:arguments], tensors[arguments:], unconnected_gradients="zero"
        )
        return gradients

    signature = function.signature
    dtypes = [tf.as_dtype(argument.type) for argument in (*signature.input_arg, *signature.output_arg)]
    return trace(gradient, dtypes, f"{name}_gradient")
