"""Has TensorFlow not look for something to optimize in a dataset where nothing is left.

It does so whenever an iterator begins, which takes longer than an evaluation over some small batches. It has
another thread read ahead, too. Small elements that are at hand are taken in less time than it takes to wake
that thread.
"""

from __future__ import annotations

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import make_node
from keras_legacy_train.graph.rewriting.datasets.maps import SmallMaps
from keras_legacy_train.graph.rewriting.datasets.nodes import (
    BATCHES,
    MAPS,
    DatasetNodes,
    elements,
    note_elements,
)

# What is made of one other dataset or none, in little time.
_AT_HAND = (
    MAPS
    | BATCHES
    | {
        "RangeDataset",
        "RepeatDataset",
        "SkipDataset",
        "TakeDataset",
        "TensorDataset",
        "TensorSliceDataset",
    }
)
# Without `shuffle`: one and a `repeat` behind it become one dataset, which may shuffle otherwise.
_PLAIN = _AT_HAND | {"ConcatenateDataset", "OptionsDataset", "PrefetchDataset", "ZipDataset"}
# How large an element is at the most that nobody reads ahead.
_MOST_BYTES = 2**15


class PlainDatasets:
    """Leaves out optimizations where the options of a dataset say nothing of them, and it is a plain one.

    Args:
        nodes: The nodes of datasets.
        maps: Their maps.
    """

    def __init__(self, nodes: DatasetNodes, maps: SmallMaps):
        self._nodes = nodes
        self._are_plain = maps.are_small and all(node.op in _PLAIN for node in nodes if "Dataset" in node.op)

    def rewrite(self, node: NodeDef) -> list[NodeDef] | None:
        """Returns a node to replace options; `None` for any other node and one that stays."""
        if node.op != "OptionsDataset" or not self._are_plain:
            return None
        options = _tensorflow.DatasetOptions.FromString(node.attr["serialized_options"].s)
        if options.optimization_options.WhichOneof("optional_apply_default_optimizations"):
            return None
        rewritten = NodeDef()
        rewritten.CopyFrom(node)
        _set_options(rewritten, options)
        return [rewritten]

    def options_of(self, node: NodeDef, dataset: NodeDef) -> list[NodeDef]:
        """Returns options for what an iterator goes over, if it has none and need not be read ahead.

        Args:
            node: The dataset.
            dataset: What stands for it now. If it gets options, these get its name.
        """
        if not (self._are_plain and self._is_at_hand(node)):
            return []
        name = node.name  # the dataset may still be that node
        dataset.name = f"{name}/at_hand"
        made = make_node("OptionsDataset", name, [self._nodes.dataset(dataset)])
        options = _tensorflow.DatasetOptions()
        options.autotune_options.enabled = False  # there is nothing that could be tuned
        _set_options(made, options)
        return [note_elements(made, elements(dataset))]

    def _is_at_hand(self, node: NodeDef) -> bool:
        """Returns whether an iterator goes over a dataset whose elements take little time to make."""
        chain = [node, *self._nodes.sources(node)]
        if self._nodes.is_inner or self._nodes.uses[node.name]:
            return False
        if not all(each.op in _AT_HAND for each in chain):
            return False
        batch = next((place for place, each in enumerate(chain) if each.op in BATCHES), len(chain))
        most = self._nodes.most_bytes(node)
        maps_rows = any(each.op in MAPS for each in chain[batch:])
        return not maps_rows and most is not None and most <= _MOST_BYTES


def _set_options(node: NodeDef, options: _tensorflow.DatasetOptions) -> None:
    """Gives a node options, and with them that TensorFlow optimizes nothing unless it is told to."""
    options.optimization_options.apply_default_optimizations = False
    node.attr["serialized_options"].s = options.SerializeToString()
