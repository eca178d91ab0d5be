"""Has `prefetch` keep some more elements than it was to keep.

With `prefetch(1)` a small step and the thread that makes the batches wait for each other at each batch. With
a longer buffer both go on for a while.
"""

from __future__ import annotations

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.nodes import make_constant
from keras_legacy_train.graph.rewriting.datasets.maps import SmallMaps
from keras_legacy_train.graph.rewriting.datasets.nodes import DatasetNodes, listed

# Parts of the names of operations with a state that belongs to the dataset alone, or that is read once.
_OWN = ("Dataset", "SeedGenerator", "MemoryCache", "MatchingFiles")
# Batches in a buffer, and how large one may be.
_BUFFER, _MOST_BYTES = 16, 2**20


class LongerBuffers:
    """Makes the short buffers of small batches longer, where nobody can tell.

    Args:
        nodes: The nodes of datasets.
        maps: Their maps. If one of them is not small, nothing is made longer.
    """

    def __init__(self, nodes: DatasetNodes, maps: SmallMaps):
        self._nodes = nodes
        prefetches = any(node.op == "PrefetchDataset" for node in nodes)
        self._may_read_ahead = prefetches and maps.are_small and self._is_alone()

    def rewrite(self, node: NodeDef) -> list[NodeDef] | None:
        """Returns nodes to replace a `prefetch`; `None` for any other node and one that stays."""
        if node.op != "PrefetchDataset" or not self._may_read_ahead:
            return None
        size = self._nodes.constant(node.input[1])
        most = self._nodes.most_bytes(node)
        if size is None or not 1 <= size < _BUFFER or most is None or most > _MOST_BYTES:
            return None
        buffer = make_constant(f"{node.name}/longer_buffer", _BUFFER, tf.int64)
        longer = NodeDef()
        longer.CopyFrom(node)
        longer.input[1] = self._nodes.value(buffer)
        return [buffer, longer]

    def _is_alone(self) -> bool:
        """Returns whether nobody can tell when elements are made: nothing outside has a part in it."""
        waiting, seen = list(self._nodes), set()
        while waiting:
            node = waiting.pop()
            if tf.resource.as_datatype_enum in listed(node, "Targuments").type or not _is_alone(node.op):
                return False
            for value in node.attr.values():
                if value.HasField("func") and value.func.name not in seen:
                    seen.add(value.func.name)
                    waiting.extend(self._nodes.function(value.func.name).node_def)
        return True


def _is_alone(op_type: str) -> bool:
    """Returns whether an operation has no part in anything outside the dataset."""
    if any(name in op_type for name in _OWN):
        return op_type != "GeneratorDataset"
    definition = _tensorflow.op_def(op_type)
    return definition is not None and not definition.is_stateful
