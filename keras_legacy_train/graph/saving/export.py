"""Writes a graph in a form that TensorFlow 1.15 and 2 can read."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.garbage import collector_paused
from keras_legacy_train.graph.nodes import make_constant, make_node, set_inputs, split_inputs
from keras_legacy_train.graph.saving.savers import POSITIONS, SaverOps, ancestors, saved_positions, saver_ops

_KEYS = tf.compat.v1.GraphKeys

# Attributes that came after 1.15, which refuses a graph with an attribute it does not know. None of these
# changes the results. `_output_shapes` are as inferred here; if 1.15 infers others, its import fails.
_NEW_ATTRIBUTES = frozenset(
    {
        "_output_shapes",
        "allowed_devices",
        "bad_indices_policy",
        "buffer_size_min",
        "debug_name",
        "external_state_policy",
        "force_synchronous",
        "grad_a",
        "grad_b",
        "grad_x",
        "grad_y",
        "is_files",
        "metadata",
        "replicate_on_split",
    }
)
_NEW_ATTRIBUTES_OF = {"AssignVariableOp": frozenset({"validate_shape"})}
_NEW_NO_OPS = frozenset({"DisableCopyOnRead"})

# Which input of a `SparseSegment…` op has the numbers of segments. In 1.15 they are 32-bit integers.
_SEGMENT_IDS = 2

# Names no Saver: without a SaverDef, the import of a graph adds a Saver to it.
_NO_SAVER = tf.compat.v1.train.SaverDef(
    filename_tensor_name="none", save_tensor_name="none", restore_op_name="none"
)


class MetaGraphWriter:
    """Serialises a graph with a `Saver`, as `tf.contrib.learn.train` wrote it to `.meta` files.

    The Saver saves the variables and the saveable objects. It leaves out the positions of iterators, since
    TensorFlow 1 and 2 cannot read each other's.

    The graph itself is not changed: the Saver's ops are added to a copy. That takes seconds for a large
    graph, so the result is kept until the graph grows.

    Args:
        graph: The graph.
    """

    def __init__(self, graph: tf.Graph):
        self._graph = graph
        self._version: int | None = None
        self._serialized = b""

    def __call__(self) -> bytes:
        """Returns the serialised `MetaGraphDef`."""
        if self._version != self._graph.version:
            self._serialized = _meta_graph_with_saver(self._graph).SerializeToString()
            self._version = self._graph.version
        return self._serialized


@collector_paused()
def _meta_graph_with_saver(graph: tf.Graph) -> tf.compat.v1.MetaGraphDef:
    """Exports the graph with a Saver for its variables and objects."""
    objects = [ops for ops in saver_ops(graph) if ops.parts]
    # Objects would become names, which an import cannot turn into objects.
    left_out = {_KEYS.SAVEABLE_OBJECTS, POSITIONS}
    collections = [key for key in graph.get_all_collection_keys() if key not in left_out]
    with graph.as_default():
        meta_graph = tf.compat.v1.train.export_meta_graph(
            collection_list=collections, strip_default_attrs=True
        )
        saved_part = _saved_part(graph, meta_graph, objects)
    positions = [f"{key} {tensor}".encode() for key, tensor in saved_positions(graph).items()]
    if positions:
        meta_graph.collection_def[POSITIONS].bytes_list.value.extend(positions)
    replaced_inputs: dict[str, str] = {}
    with saved_part.as_default() as part:
        copies = [_saveable_copy(part, ops, replaced_inputs) for ops in objects]
        saved = [*part.get_collection(_KEYS.GLOBAL_VARIABLES), *copies]
        if saved:
            name = graph.unique_name("save", mark_as_used=False)
            saver = tf.compat.v1.train.Saver(saved, name=name)
            meta_graph.saver_def.CopyFrom(saver.as_saver_def())
        with_saver = tf.compat.v1.train.export_meta_graph(strip_default_attrs=True).graph_def
    names = {node.name for node in meta_graph.graph_def.node}
    meta_graph.graph_def.node.extend(node for node in with_saver.node if node.name not in names)
    make_readable_by_1_15(meta_graph, graph)
    for node in meta_graph.graph_def.node:
        node.input[:] = [replaced_inputs.get(text, text) for text in node.input]
    return meta_graph


def _saved_part(
    graph: tf.Graph, meta_graph: tf.compat.v1.MetaGraphDef, objects: Sequence[SaverOps]
) -> tf.Graph:
    """Makes a graph of nothing but the variables and the ops that save and restore the objects."""
    variables = tf.compat.v1.MetaGraphDef()
    if _KEYS.GLOBAL_VARIABLES in meta_graph.collection_def:
        variables.collection_def[_KEYS.GLOBAL_VARIABLES].CopyFrom(
            meta_graph.collection_def[_KEYS.GLOBAL_VARIABLES]
        )
    wanted = [name for ops in objects for part in ops.parts for name in (part.written, part.read)]
    wanted += [name for ops in objects for name in ops.restore]
    for variable in graph.get_collection(_KEYS.GLOBAL_VARIABLES):
        names = variable.to_proto()
        wanted += [names.variable_name, names.initializer_name, names.initial_value_name, names.snapshot_name]
    operations = [graph.get_operation_by_name(name.partition(":")[0]) for name in wanted if name]
    needed = {op.name for op in ancestors(operations)}
    variables.graph_def.node.extend(node for node in meta_graph.graph_def.node if node.name in needed)
    variables.graph_def.library.CopyFrom(meta_graph.graph_def.library)
    variables.graph_def.versions.CopyFrom(meta_graph.graph_def.versions)
    variables.saver_def.CopyFrom(_NO_SAVER)
    with tf.Graph().as_default() as part:
        tf.compat.v1.train.import_meta_graph(variables)
    return part


def _saveable_copy(
    copy: tf.Graph, ops: SaverOps, replaced_inputs: dict[str, str]
) -> _tensorflow.SaveableObject:
    """Makes a saveable object for the Saver of the copy, which stands for objects of the original graph.

    The ops that save and restore the objects are in the copy, too. Those that restore take what the original
    Saver reads, so their inputs must be replaced.

    Args:
        copy: The graph that the new Saver is for.
        ops: The original Saver's ops.
        replaced_inputs: Filled in: for each input of a node to replace, the new input.
    """

    def restore(tensors: Sequence[tf.Tensor]) -> tf.Operation:
        for part, tensor in zip(ops.parts, tensors, strict=True):
            replaced_inputs[part.read.removesuffix(":0")] = tensor.name.removesuffix(":0")
        return tf.group(*map(copy.get_operation_by_name, ops.restore))

    parts = [(part.key, part.slice_spec, copy.get_tensor_by_name(part.written)) for part in ops.parts]
    return _tensorflow.SaveableObject(ops.parts[0].key, parts, restore)


def make_readable_by_1_15(meta_graph: tf.compat.v1.MetaGraphDef, graph: tf.Graph) -> None:
    """Removes from a MetaGraphDef what TensorFlow 1.15 does not know, as far as that changes no result.

    Args:
        meta_graph: Changed in place.
        graph: The graph that it was exported from.
    """
    nodes, functions = meta_graph.graph_def.node, meta_graph.graph_def.library.function
    # In text form, fields that a reader does not know are an error.
    meta_graph.graph_def.ClearField("debug_info")
    for op_def in (*meta_graph.meta_info_def.stripped_op_list.op, *(f.signature for f in functions)):
        op_def.ClearField("is_distributed_communication")
        for argument in (*op_def.input_arg, *op_def.output_arg):
            argument.ClearField("experimental_full_type")
            argument.ClearField("handle_data")
    added: list[tf.compat.v1.NodeDef] = []
    for node in (*nodes, *(node for f in functions for node in f.node_def)):
        node.ClearField("experimental_type")
        new = _NEW_ATTRIBUTES | _NEW_ATTRIBUTES_OF.get(node.op, frozenset())
        for name in new.intersection(node.attr):
            del node.attr[name]
        if node.op in _NEW_NO_OPS:
            controls = [f"^{text.lstrip('^').partition(':')[0]}" for text in node.input]
            name = node.name
            node.Clear()
            node.name, node.op = name, "NoOp"
            node.input.extend(controls)
    for node in nodes:
        if node.op == "ParseExampleV2":
            added += _parse_as_1_15_does(node, graph)
        elif node.op.startswith("SparseSegment") and "Tsegmentids" in node.attr:
            added += _with_short_segment_ids(node)
    nodes.extend(added)


def _parse_as_1_15_does(node: tf.compat.v1.NodeDef, graph: tf.Graph) -> list[tf.compat.v1.NodeDef]:
    """Makes a `ParseExample` of a `ParseExampleV2`, unless it parses a single `Example` or ragged features.

    Returns:
        The constants that it reads.
    """
    try:
        serialized, _, sparse_keys, dense_keys, ragged_keys, *defaults = graph.get_operation_by_name(
            node.name
        ).inputs
    except KeyError:  # it is of a Saver, which parses nothing
        return []
    sparse, dense, ragged = map(tf.get_static_value, (sparse_keys, dense_keys, ragged_keys))
    if serialized.shape.rank != 1 or sparse is None or dense is None or ragged is None or len(ragged):
        return []
    constants = [
        make_constant(f"{node.name}/{kind}_key_{index}", key, tf.string)
        for kind, keys in (("sparse", sparse), ("dense", dense))
        for index, key in enumerate(keys)
    ]
    data, controls = split_inputs(node)
    first_default = len(data) - len(defaults)
    keys = [constant.name for constant in constants]
    set_inputs(node, [*data[:2], *keys, *data[first_default:]], controls)
    node.op = "ParseExample"
    for name in ("num_sparse", "ragged_value_types", "ragged_split_types"):
        node.attr.pop(name, None)
    node.attr["Nsparse"].i, node.attr["Ndense"].i = len(sparse), len(dense)
    return constants


def _with_short_segment_ids(node: tf.compat.v1.NodeDef) -> list[tf.compat.v1.NodeDef]:
    """Has an op take the numbers of segments as 32-bit integers.

    Returns:
        The op that converts them, if they are not.
    """
    dtype = node.attr["Tsegmentids"].type
    del node.attr["Tsegmentids"]
    if dtype == tf.int32.as_datatype_enum:
        return []
    inputs, controls = split_inputs(node)
    cast = make_node("Cast", f"{node.name}/segment_ids", [inputs[_SEGMENT_IDS]])
    cast.attr["SrcT"].type, cast.attr["DstT"].type = dtype, tf.int32.as_datatype_enum
    inputs[_SEGMENT_IDS] = f"{cast.name}:0"
    set_inputs(node, inputs, controls)
    return [cast]
