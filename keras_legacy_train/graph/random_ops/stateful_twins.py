"""Makes random ops keep their state in a variable; they draw the numbers they would draw in a Session.

In TF 1 a random op keeps the position of its generator in its kernel, where no checkpoint finds it and where
each function has a position of its own. A twin keeps it in a variable, and draws the same numbers.
The few exceptions are named in `sampling_twins` and `candidate_samplers`.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.function_defs import trace
from keras_legacy_train.graph.nodes import make_constant, make_node, node_name, own_inputs
from keras_legacy_train.graph.random_ops import candidate_samplers, sampling_twins
from keras_legacy_train.graph.random_ops.philox import PHILOX

# Ops with a stateful successor.
_SUCCESSORS = {
    "RandomUniform": "StatefulUniform",
    "RandomStandardNormal": "StatefulStandardNormalV2",
    "TruncatedNormal": "StatefulTruncatedNormal",
    "RandomUniformInt": "StatefulUniformInt",
}

# Ops whose twin calls a function.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Multinomial": sampling_twins.multinomial,
    "RandomShuffle": sampling_twins.random_shuffle,
    "RandomGamma": sampling_twins.random_gamma,
    "RandomPoisson": sampling_twins.random_poisson,
    "RandomPoissonV2": sampling_twins.random_poisson,
    "ParameterizedTruncatedNormal": sampling_twins.parameterized_truncated_normal,
    "SampleDistortedBoundingBox": sampling_twins.sample_distorted_bounding_box,
    "SampleDistortedBoundingBoxV2": sampling_twins.sample_distorted_bounding_box,
    "UniformCandidateSampler": candidate_samplers.uniform,
    "LogUniformCandidateSampler": candidate_samplers.log_uniform,
    "FixedUnigramCandidateSampler": candidate_samplers.fixed_unigram,
    "LearnedUnigramCandidateSampler": candidate_samplers.learned_unigram,
    "ThreadUnsafeUnigramCandidateSampler": candidate_samplers.learned_unigram,
}

_LEARNING = {"LearnedUnigramCandidateSampler", "ThreadUnsafeUnigramCandidateSampler"}


@dataclasses.dataclass(frozen=True)
class Twin:
    """Holds the replacement of a random op.

    Attributes:
        nodes: The nodes. The first one has the op's name, and outputs in the op's order.
        functions: Library functions that the nodes call. Ops that differ by their seeds alone share them.
        outputs: For function bodies, where a tensor is `"node:output:index"`: maps `"output:index"` of the op
            to that of the first node.
    """

    nodes: list[NodeDef]
    functions: list[FunctionDef]
    outputs: dict[str, str]


def initial_state(node: NodeDef) -> np.ndarray | None:
    """Returns the state of the node's generator before the first draw.

    Returns:
        `int64[3]`: counter (two words) and key. Samplers that learn have a count for each class after it.
        `None` if the node is no random op that has a twin.
    """
    if node.op not in _SUCCESSORS and node.op not in _FUNCTIONS:
        return None
    # Looking an attribute up that is not there would add it to the node.
    seed, seed2 = (node.attr[name].i if name in node.attr else 0 for name in ("seed", "seed2"))
    if seed == 0 and seed2 == 0:
        seed, seed2 = np.random.default_rng().integers(1, 2**63, size=2)
    counts = [1] * node.attr["range_max"].i if node.op in _LEARNING else []
    return np.array([0, seed2, seed, *counts], np.int64)


def twin(node: NodeDef, state: str) -> Twin:
    """Makes the twin of a random op.

    Args:
        node: An op for which `initial_state` returns a state.
        state: The state variable's handle, in the syntax of inputs where the node is: `"name:0"` in a graph,
            `"name:resource:0"` in a function body. In a TF 1 loop it must come from inside the loop.
    """
    if node.op in _SUCCESSORS:
        return _successor(node, state)
    return _call(node, state)


def _successor(node: NodeDef, state: str) -> Twin:
    """Makes a twin that is today's stateful op."""
    data, controls = own_inputs(node)
    algorithm = make_constant(f"{node.name}/algorithm", PHILOX, tf.int64, _anchor(data[0], state))
    algorithm.device = node.device
    output = f"{algorithm.name}:output:0" if _in_function(state) else f"{algorithm.name}:0"
    new = make_node(_SUCCESSORS[node.op], node.name, [state, output, *data], controls)
    new.device = node.device
    new.attr["dtype"].CopyFrom(node.attr["Tout" if node.op == "RandomUniformInt" else "dtype"])
    new.attr["shape_dtype"].CopyFrom(node.attr["T"])
    return Twin([new, algorithm], [], {"output:0": "output:0"})


def _call(node: NodeDef, state: str) -> Twin:
    """Makes a twin that calls a function."""
    signature = _tensorflow.op_def(node.op)
    attributes = NodeDef(op=node.op)
    for attribute in signature.attr:
        if attribute.name not in ("seed", "seed2"):
            given = attribute.name in node.attr
            value = node.attr[attribute.name] if given else attribute.default_value
            attributes.attr[attribute.name].CopyFrom(value)
    functions = _functions(attributes.SerializeToString(deterministic=True))
    values = _python_values(attributes)
    data, controls = own_inputs(node)
    new = make_node(
        "StatefulPartitionedCall", node.name, [state, *data], [*controls, *_anchor(data[0], state)]
    )
    new.device = node.device
    new.attr["f"].func.name = functions[0].signature.name
    input_dtypes = [tf.resource, *(_dtype(argument, values) for argument in signature.input_arg)]
    new.attr["Tin"].list.type.extend(dtype.as_datatype_enum for dtype in input_dtypes)
    output_dtypes = [_dtype(argument, values) for argument in signature.output_arg]
    new.attr["Tout"].list.type.extend(dtype.as_datatype_enum for dtype in output_dtypes)
    for name in ("config", "config_proto", "executor_type"):
        new.attr[name].s = b""
    outputs = {f"{argument.name}:0": f"output:{index}" for index, argument in enumerate(signature.output_arg)}
    return Twin([new], list(functions), outputs)


def _in_function(state: str) -> bool:
    """Returns whether a handle is written as in a function body."""
    return state.count(":") == 2


def _anchor(data_input: str, state: str) -> list[str]:
    """Returns the control inputs that put constants into the TF 1 loop that the node may be in.

    There is none if the node's input is an argument of a function, for which no node can wait.
    """
    return [] if _in_function(state) and ":" not in data_input else [node_name(data_input)]


@functools.cache
def _functions(attributes: bytes) -> tuple[FunctionDef, ...]:
    """Returns the library functions for an op with these attributes, a serialised NodeDef."""
    node = NodeDef.FromString(attributes)
    values = _python_values(node)
    dtypes = [_dtype(argument, values) for argument in _tensorflow.op_def(node.op).input_arg]
    function = functools.partial(_FUNCTIONS[node.op], values)
    name = f"{node.op}_{hashlib.sha256(attributes).hexdigest()[:16]}"
    return tuple(trace(function, [tf.resource, *dtypes], name))


def _dtype(argument: Any, values: dict[str, Any]) -> tf.DType:
    """Returns the dtype of an argument in an OpDef."""
    return values[argument.type_attr] if argument.type_attr else tf.as_dtype(argument.type)


def _python_values(node: NodeDef) -> dict[str, Any]:
    """Converts the node's attributes to Python values: numbers, bytes, dtypes and lists of numbers."""
    values = {}
    for name, attribute in node.attr.items():
        kind = attribute.WhichOneof("value")
        value = getattr(attribute, kind)
        if kind == "list":
            value = list(value.f)
        elif kind == "type":
            value = tf.as_dtype(value)
        values[name] = value
    return values
