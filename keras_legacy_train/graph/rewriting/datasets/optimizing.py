"""Has TensorFlow not look for something to optimize in a dataset where nothing is left.

It does so whenever an iterator begins, which takes longer than an evaluation over some small batches.
"""

from __future__ import annotations

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.rewriting.datasets.maps import SmallMaps
from keras_legacy_train.graph.rewriting.datasets.nodes import BATCHES, MAPS, DatasetNodes

# Without `shuffle`: one and a `repeat` behind it become one dataset, which may shuffle otherwise.
_PLAIN = (
    MAPS
    | BATCHES
    | {
        "ConcatenateDataset",
        "OptionsDataset",
        "PrefetchDataset",
        "RangeDataset",
        "RepeatDataset",
        "SkipDataset",
        "TakeDataset",
        "TensorDataset",
        "TensorSliceDataset",
        "ZipDataset",
    }
)


class PlainDatasets:
    """Leaves out optimizations where the options of a dataset say nothing of them, and it is a plain one.

    Args:
        nodes: The nodes of datasets.
        maps: Their maps.
    """

    def __init__(self, nodes: DatasetNodes, maps: SmallMaps):
        self._are_plain = maps.are_small and all(node.op in _PLAIN for node in nodes if "Dataset" in node.op)

    def rewrite(self, node: NodeDef) -> list[NodeDef] | None:
        """Returns a node to replace options; `None` for any other node and one that stays."""
        if node.op != "OptionsDataset" or not self._are_plain:
            return None
        options = _tensorflow.DatasetOptions.FromString(node.attr["serialized_options"].s)
        if options.optimization_options.WhichOneof("optional_apply_default_optimizations"):
            return None
        options.optimization_options.apply_default_optimizations = False
        rewritten = NodeDef()
        rewritten.CopyFrom(node)
        rewritten.attr["serialized_options"].s = options.SerializeToString()
        return [rewritten]
