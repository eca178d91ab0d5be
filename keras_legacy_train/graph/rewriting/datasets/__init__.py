"""Rewrites datasets so that small work needs few hand-offs between threads. The elements stay the same.

May import `graph.nodes` and `_tensorflow`.
"""

from keras_legacy_train.graph.rewriting.datasets.nodes import FILE_NAMES, DatasetNodes
from keras_legacy_train.graph.rewriting.datasets.rewriting import Datasets

__all__ = ["FILE_NAMES", "DatasetNodes", "Datasets"]
