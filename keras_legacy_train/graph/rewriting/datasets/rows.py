"""Has the batches of an array's rows made at once.

`Dataset.from_tensor_slices` makes a tensor of each row, and `batch` copies them together again. For rows of
some numbers that takes much longer than to cut the array into batches, or to take the rows of a batch by
their numbers.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import make_constant, make_node, own_inputs, with_inputs
from keras_legacy_train.graph.rewriting.datasets.maps import computed_in_place
from keras_legacy_train.graph.rewriting.datasets.nodes import (
    BATCHES,
    SHUFFLES,
    SHUFFLES_AND_REPEATS,
    AddFunctions,
    DatasetNodes,
    listed,
    note_elements,
    with_elements_of,
)

# What gives some of its elements, in some order, whatever they are.
_SELECTING = SHUFFLES | SHUFFLES_AND_REPEATS | {"RepeatDataset", "SkipDataset", "TakeDataset"}
# With fewer or longer rows it is not faster to take a batch's rows by their numbers.
_FEWEST_ROWS, _MOST_BYTES = 8, 1_024


class _Rows(NamedTuple):
    """Describes batches of rows.

    Attributes:
        batch: The dataset of batches.
        size: The number of rows in a batch.
        drops_rest: Whether a smaller batch at the end is left out.
        between: The datasets between the slices and the batches, the first of them first.
        slices: The dataset of rows.
        arrays: What holds the rows.
        shapes: The shapes of the arrays.
    """

    batch: NodeDef
    size: int
    drops_rest: bool
    between: Sequence[NodeDef]
    slices: NodeDef
    arrays: Sequence[str]
    shapes: Sequence[Sequence[int]]


class BatchesOfRows:
    """Has batches cut out of arrays, or their rows gathered, where all that lies between selects rows.

    Args:
        nodes: The nodes of datasets.
        add_functions: Adds functions that rewritten nodes call.
    """

    def __init__(self, nodes: DatasetNodes, add_functions: AddFunctions):
        self._nodes = nodes
        self._add_functions = add_functions

    def rewrite(self, node: NodeDef) -> list[NodeDef] | None:
        """Returns nodes to replace a `batch`; `None` for any other node and one that stays."""
        rows = self._rows(node) if node.op in BATCHES else None
        if rows is None:
            return None
        whole, rest = divmod(rows.shapes[0][0], rows.size)
        if whole and all(each.op == "RepeatDataset" for each in rows.between) and not (rest and rows.between):
            return self._cut(rows, whole, rest)
        is_faster = rows.size >= _FEWEST_ROWS and self._bytes(rows) <= _MOST_BYTES
        return self._gathered(rows) if is_faster else None

    def _bytes(self, rows: _Rows) -> int:
        """Returns how large a row is, without what is in strings."""
        dtypes = map(tf.as_dtype, listed(rows.slices, "Toutput_types").type)
        return sum(
            math.prod(shape[1:]) * dtype.size for shape, dtype in zip(rows.shapes, dtypes, strict=True)
        )

    def _rows(self, batch: NodeDef) -> _Rows | None:
        """Returns what a dataset has batches of; `None` if these are not rows of arrays, or nobody knows."""
        size = self._nodes.constant(batch.input[1])
        drops_rest = self._nodes.constant(batch.input[2]) if batch.op == "BatchDatasetV2" else False
        if drops_rest is None or size is None or size < 1:
            return None
        between: list[NodeDef] = []
        for source in self._nodes.sources(batch):
            if self._nodes.uses[source.name] > 1:
                return None
            if source.op == "TensorSliceDataset":
                arrays, _ = own_inputs(source)
                shapes = [self._nodes.shape(array) for array in arrays]
                dtypes = {tf.as_dtype(number) for number in listed(source, "Toutput_types").type}
                if tf.variant in dtypes or not all(shape.is_fully_defined() for shape in shapes):
                    return None
                lists = [shape.as_list() for shape in shapes]
                return _Rows(batch, size, bool(drops_rest), between[::-1], source, arrays, lists)
            if source.op not in _SELECTING:
                return None
            between.append(source)
        return None

    def _cut(self, rows: _Rows, whole: int, rest: int) -> list[NodeDef]:
        """Returns nodes that cut the arrays into batches.

        Args:
            rows: The batches.
            whole: How many full ones there are.
            rest: The number of rows in the one at the end.
        """
        name = rows.batch.name
        made: list[NodeDef] = []
        full, last = [], []
        for index, (array, shape) in enumerate(zip(rows.arrays, rows.shapes, strict=True)):
            dtype = listed(rows.slices, "Toutput_types").type[index]
            if rest:
                sizes = make_constant(f"{name}/sizes_{index}", [whole * rows.size, rest], tf.int64)
                axis = make_constant(f"{name}/axis_{index}", 0, tf.int32)
                parts = [array, self._nodes.value(sizes), self._nodes.value(axis)]
                split = make_node("SplitV", f"{name}/split_{index}", parts)
                split.attr["T"].type = dtype
                split.attr["Tlen"].type = tf.int64.as_datatype_enum
                split.attr["num_split"].i = 2
                made += [sizes, axis, split]
                array = self._nodes.value(split)
                last.append(self._nodes.value(split, 1))
            batches = make_constant(f"{name}/shape_{index}", [whole, rows.size, *shape[1:]], tf.int64)
            cut = make_node("Reshape", f"{name}/cut_{index}", [array, self._nodes.value(batches)])
            cut.attr["T"].type = dtype
            cut.attr["Tshape"].type = tf.int64.as_datatype_enum
            made += [batches, cut]
            full.append(self._nodes.value(cut))
        _, controls = own_inputs(rows.slices)
        datasets = [_renamed(with_inputs(rows.slices, full, controls), f"{name}/full")]
        if rest and not rows.drops_rest:
            end = make_node("TensorDataset", f"{name}/end", last, controls)
            end.attr["Toutput_types"].CopyFrom(rows.slices.attr["Toutput_types"])
            ends = [self._nodes.dataset(each) for each in (*datasets, end)]
            both = make_node("ConcatenateDataset", f"{name}/with_end", ends)
            datasets += [end, with_elements_of(both, rows.batch)]
        datasets += self._selecting(rows.between, datasets[-1])
        datasets[-1].name = name
        for each in datasets:
            each.attr["output_shapes"].CopyFrom(rows.batch.attr["output_shapes"])
        return [*made, *datasets]

    def _gathered(self, rows: _Rows) -> list[NodeDef]:
        """Returns nodes that select numbers of rows in the place of rows, and gather the rows of a batch."""
        name = rows.batch.name
        _, controls = own_inputs(rows.slices)
        limits = [
            make_constant(f"{name}/{limit}", value, tf.int64)
            for limit, value in (("start", 0), ("stop", rows.shapes[0][0]), ("step", 1))
        ]
        numbers = make_node("RangeDataset", f"{name}/numbers", map(self._nodes.value, limits), controls)
        selected = [numbers, *self._selecting(rows.between, numbers)]
        selected.append(self._of(selected[-1], rows.batch, f"{name}/selected"))
        for node in selected:
            note_elements(node, [tf.TensorSpec([None] if node is selected[-1] else [], tf.int64)])

        types = rows.slices.attr["Toutput_types"]
        gather = _gather(tuple(types.list.type))
        self._add_functions([gather], [])
        data = [self._nodes.dataset(selected[-1]), *rows.arrays]
        mapped = with_elements_of(make_node("MapDataset", name, data), rows.batch)
        mapped.attr["f"].func.name = gather.signature.name
        mapped.attr["Targuments"].CopyFrom(types)
        mapped.attr["preserve_cardinality"].b = True
        return [*limits, *selected, *computed_in_place(mapped, self._nodes)]

    def _selecting(self, nodes: Sequence[NodeDef], source: NodeDef) -> list[NodeDef]:
        """Returns copies of datasets that select elements, of another one instead of the rows."""
        made: list[NodeDef] = []
        for node in nodes:
            made.append(self._of(made[-1] if made else source, node, f"{node.name}/selecting"))
        return made

    def _of(self, source: NodeDef, node: NodeDef, name: str) -> NodeDef:
        """Returns a copy of a dataset that is made of another one."""
        (_, *arguments), controls = own_inputs(node)
        return _renamed(with_inputs(node, [self._nodes.dataset(source), *arguments], controls), name)


def _renamed(node: NodeDef, name: str) -> NodeDef:
    node.name = name
    return node


@functools.cache
def _gather(dtypes: Sequence[int]) -> FunctionDef:
    """Returns the function that gathers rows of arrays by their numbers.

    Args:
        dtypes: The dtypes of the arrays.
    """
    name = "_".join(tf.as_dtype(dtype).name for dtype in dtypes)
    function = FunctionDef()
    function.signature.name = f"rows_of_{name}"
    function.signature.input_arg.add(name="numbers", type=tf.int64.as_datatype_enum)
    function.node_def.append(make_constant("axis", 0, tf.int32))
    for index, dtype in enumerate(dtypes):
        array, rows = f"array_{index}", f"rows_{index}"
        function.signature.input_arg.add(name=array, type=dtype)
        function.signature.output_arg.add(name=rows, type=dtype)
        gather = make_node("GatherV2", rows, [array, "numbers", "axis:output:0"])
        gather.attr["Tparams"].type = dtype
        gather.attr["Tindices"].type = tf.int64.as_datatype_enum
        gather.attr["Taxis"].type = tf.int32.as_datatype_enum
        gather.attr["batch_dims"].i = 0
        function.node_def.append(gather)
        function.ret[rows] = f"{rows}:output:0"
    return function
