"""Datasets of a graph, as they are lifted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession

v1 = tf.compat.v1

Make = Callable[[], Any]


def untuned(dataset: Any) -> Any:
    """The dataset without TensorFlow's tuning: an iterator that is destroyed often waits for that thread."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def iterator_graph(make: Make, is_one_shot: bool = False) -> tuple[tf.Graph, Any, str | None]:
    """A graph that iterates over a dataset, its next element, and the name of what begins the iterator."""
    with tf.Graph().as_default() as graph:
        if is_one_shot:
            return graph, v1.data.make_one_shot_iterator(make()).get_next(), None
        iterator = v1.data.make_initializable_iterator(make())
        return graph, iterator.get_next(), iterator.initializer.name


def lifted_elements(make: Make, is_one_shot: bool = False, feeds: Any = None, **options: Any) -> list[Any]:
    """All elements of a dataset, with options of `LiftedGraph`."""
    graph, element, initializer = iterator_graph(make, is_one_shot)
    session = GraphSession(LiftedGraph(graph, **options))
    if initializer is not None:
        session.run(initializer, feeds)
    elements = []
    while True:
        try:
            elements.append(session.run(element))
        except tf.errors.OutOfRangeError:
            return elements


def assert_same_elements(elements: list[Any], expected: list[Any]) -> None:
    assert len(elements) == len(expected)
    tf.nest.map_structure(np.testing.assert_array_equal, elements, expected)
