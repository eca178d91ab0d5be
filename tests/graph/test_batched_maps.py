"""Small maps of examples are computed for a batch at a time where that gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_helpers import Make, assert_same_elements, iterator_graph, lifted_elements, untuned
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession

v1 = tf.compat.v1
IMAGES = np.random.RandomState(0).randint(256, size=(22, 2, 3)).astype(np.uint8)
LABELS = np.arange(22) % 5
PARALLEL = {"num_parallel_calls": tf.data.AUTOTUNE}


def _examples() -> Any:
    return tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).shuffle(9, seed=1)


def _images() -> Any:
    return tf.data.Dataset.from_tensor_slices(IMAGES).shuffle(9, seed=1)


def _records(are_broken: bool = False) -> Any:
    records = []
    for number, (image, label) in enumerate(zip(IMAGES, LABELS, strict=True)):
        feature = {
            "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
            "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        }
        if number % 3:
            feature["weights"] = tf.train.Feature(float_list=tf.train.FloatList(value=[number, 0.5]))
        example = tf.train.Example(features=tf.train.Features(feature=feature))
        records.append(b"no example" if are_broken and number == 13 else example.SerializeToString())
    return tf.data.Dataset.from_tensor_slices(records)


def _parse(record: tf.Tensor) -> Any:
    features = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
        "weights": tf.io.FixedLenFeature([2], tf.float32, [1.0, 2.0]),
    }
    parsed = tf.io.parse_single_example(record, features)
    image = tf.reshape(tf.io.decode_raw(parsed["image"], tf.uint8), [2, 3])
    return {"x": tf.cast(image, tf.float32) / 255.0, "w": parsed["weights"]}, parsed["label"]


def _parse_some(record: tf.Tensor) -> Any:
    parsed = tf.io.parse_single_example(record, {"label": tf.io.VarLenFeature(tf.int64)})
    return tf.sparse.to_dense(parsed["label"])


TOGETHER: dict[str, Make] = {
    "scaled": lambda: _examples().map(lambda x, y: (tf.cast(x, tf.float32) / 255.0, y)).batch(8),
    "in parallel": lambda: _images().map(lambda x: tf.cast(x, tf.float64) * 0.1, **PARALLEL).batch(8, True),
    "parsed": lambda: (
        _records().shuffle(5, seed=2).repeat(2).map(_parse, **PARALLEL).batch(8, True).prefetch(1)
    ),
    "two maps": lambda: (
        _examples()
        .map(lambda x, y: (tf.cast(x, tf.float32), y))
        .map(lambda x, y: {"x": x * x - 1.0, "is_small": y < 3})
        .batch(5)
    ),
    "rows and columns": lambda: (
        _images()
        .map(lambda x: tf.cast(x, tf.int32) * tf.constant([1, 2, 3]) + tf.constant([[5], [6]]))
        .batch(8)
    ),
    "other shapes": lambda: (
        _images().map(lambda x: tf.squeeze(tf.expand_dims(tf.reshape(x, [-1, 2]), 0))).batch(8)
    ),
    "one-hot": lambda: _examples().map(lambda x, y: (x, tf.one_hot(y, 5))).batch(8),
    "nothing": lambda: _examples().map(lambda x, y: (y, x)).batch(8),
    "a batch of batches": lambda: _images().batch(2, True).map(lambda x: tf.cast(x, tf.int32) - 1).batch(3),
    "in a function": lambda: tf.data.Dataset.range(2).flat_map(
        lambda n: _images().map(lambda x: tf.cast(x, tf.float32) / 255.0).batch(8)
    ),
}
ONE_BY_ONE: dict[str, Make] = {
    "other numbers in other places": lambda: _images().map(lambda x: tf.exp(tf.cast(x, tf.float32))).batch(8),
    "a sum": lambda: _images().map(lambda x: tf.reduce_sum(tf.cast(x, tf.int32))).batch(8),
    "a constant": lambda: _images().map(lambda x: (x, tf.constant(1))).batch(8),
    "other ranks": lambda: _examples().map(lambda x, y: tf.cast(x, tf.int64) + y).batch(8),
    "a constant of more dimensions": lambda: (
        _examples().map(lambda x, y: y + tf.constant([1, 2], tf.int64)).batch(8)
    ),
    "products that might be joined": lambda: (
        _images().map(lambda x: tf.reshape(tf.cast(x, tf.float32) * 0.1, [-1]) * 0.1).batch(8)
    ),
    "a sum of products": lambda: _examples().map(lambda x, y: y * 2 + y * 3).batch(8),
    "a part": lambda: _images().map(lambda x: x[0]).batch(8),
    "what is captured": lambda: tf.data.Dataset.range(2).flat_map(
        lambda n: _examples().map(lambda x, y: y + n).batch(8)
    ),
    "parsed, the last batch smaller": lambda: _records().map(_parse).batch(4),
    "parsed, too many": lambda: _records().repeat(12).map(_parse).batch(257, True),
    "of any length": lambda: _records().map(_parse_some).batch(8),
    "used twice": lambda: _twice(_images().map(lambda x: tf.cast(x, tf.int32) + 1)),
    "something between": lambda: _images().map(lambda x: tf.cast(x, tf.int32) + 1).repeat(2).batch(9),
    "batches that are ignored": lambda: _records(are_broken=True).map(_parse).batch(4).ignore_errors(),
}


def _twice(dataset: Any) -> Any:
    return tf.data.Dataset.zip((dataset.batch(8), dataset.batch(4)))


def _part(make: Make, **options: Any) -> tf.compat.v1.GraphDef:
    graph, _, initializer = iterator_graph(make)
    return LiftedGraph(graph, **options).part((), (), [initializer]).graph_def


def _is_together(make: Make, **options: Any) -> bool:
    return any(each.signature.name.endswith("of_batches") for each in _part(make, **options).library.function)


@pytest.mark.parametrize("name", TOGETHER)
def test_maps_are_computed_for_a_batch(name):
    assert _is_together(TOGETHER[name])
    expected = lifted_elements(TOGETHER[name], keeps_datasets=True)
    assert expected
    assert_same_elements(lifted_elements(TOGETHER[name]), expected)


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_others_are_computed_for_one_example_after_the_other(name):
    assert not _is_together(ONE_BY_ONE[name])
    expected = lifted_elements(ONE_BY_ONE[name], keeps_datasets=True)
    assert_same_elements(lifted_elements(ONE_BY_ONE[name]), expected)


def test_maps_stay_as_they_are_where_positions_are_saved():
    assert not _is_together(TOGETHER["scaled"], keeps_datasets=True)


def test_an_example_that_cannot_be_parsed_is_an_error_in_its_batch():
    graph, element, initializer = iterator_graph(lambda: _records(are_broken=True).map(_parse).batch(5, True))
    session = GraphSession(LiftedGraph(graph))
    session.run(initializer)
    for _ in range(2):
        session.run(element)
    with pytest.raises(tf.errors.InvalidArgumentError, match="parse"):
        session.run(element)


OPERATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "scale": lambda x: x / 255.0,
    "shift": lambda x: x - 0.3,
    "square": tf.square,
    "flip": lambda x: -x,
    "flat": lambda x: tf.reshape(x, [-1]),
    "column": lambda x: tf.expand_dims(x, -1),
    "row": lambda x: tf.expand_dims(x, 0),
    "weigh": lambda x: x * tf.constant([0.1], tf.float32),
    "twice": lambda x: x + x,
    "narrow": lambda x: tf.cast(tf.cast(x, tf.float16), tf.float32),
}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=5), st.integers(1, 9), st.booleans())
def test_numbers_are_the_same_to_the_last_bit(names, size, drops):
    def compute(x: tf.Tensor) -> tf.Tensor:
        x = tf.cast(x, tf.float32)
        for name in names:
            x = OPERATIONS[name](x)
        return x

    def make() -> Any:
        return untuned(_images().map(compute).batch(size, drops))

    assert_same_elements(lifted_elements(make), lifted_elements(make, keeps_datasets=True))
