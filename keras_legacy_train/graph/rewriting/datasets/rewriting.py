"""Rewrites the datasets of a graph or a function by all that is here."""

from __future__ import annotations

from keras_legacy_train._tensorflow import NodeDef
from keras_legacy_train.graph.rewriting.datasets.batched_maps import BatchedMaps
from keras_legacy_train.graph.rewriting.datasets.buffers import LongerBuffers
from keras_legacy_train.graph.rewriting.datasets.generators import BatchGenerators
from keras_legacy_train.graph.rewriting.datasets.interleaving import FilesInTurn
from keras_legacy_train.graph.rewriting.datasets.maps import SmallMaps
from keras_legacy_train.graph.rewriting.datasets.nodes import AddFunctions, DatasetNodes
from keras_legacy_train.graph.rewriting.datasets.optimizing import PlainDatasets
from keras_legacy_train.graph.rewriting.datasets.rows import BatchesOfRows


class Datasets:
    """Rewrites the datasets that are made in a graph or a function.

    Args:
        nodes: The nodes of datasets, and what these are made of.
        add_functions: Adds functions that rewritten nodes call.
    """

    def __init__(self, nodes: DatasetNodes, add_functions: AddFunctions):
        maps = SmallMaps(nodes)
        rows = BatchesOfRows(nodes, add_functions)
        self._plain = PlainDatasets(nodes, maps)
        self._rewritings = (
            maps,
            LongerBuffers(nodes, maps),
            FilesInTurn(nodes),
            BatchGenerators(nodes, add_functions),
            BatchedMaps(nodes, maps, rows, add_functions),
            rows,
            self._plain,
        )

    def rewrite(self, node: NodeDef) -> list[NodeDef]:
        """Returns nodes to replace a dataset, of which the last has its name; or the node itself."""
        alternatives = (rewriting.rewrite(node) for rewriting in self._rewritings)
        made = next((nodes for nodes in alternatives if nodes is not None), [node])
        return [*made, *self._plain.options_of(node, made[-1])]
