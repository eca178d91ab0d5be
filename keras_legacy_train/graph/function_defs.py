"""A Python function as `FunctionDef`s: for twins of ops that take more than one op to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow
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
        name: What the names of the library functions begin with.

    Returns:
        A function from the arguments and the gradients of the results to the gradients of the arguments, then
        those it calls.
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
        return tf.gradients(results, tensors[:arguments], tensors[arguments:], unconnected_gradients="zero")

    signature = function.signature
    dtypes = [tf.as_dtype(argument.type) for argument in (*signature.input_arg, *signature.output_arg)]
    return trace(gradient, dtypes, f"{name}_gradient")
