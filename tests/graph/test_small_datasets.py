"""Small maps of datasets are computed in place; short buffers of small batches are made longer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from dataset_helpers import Make, lifted_elements
from keras_legacy_train.graph.lifted import LiftedGraph

v1 = tf.compat.v1
PARALLEL = {"num_parallel_calls": tf.data.AUTOTUNE}
PIXELS = np.random.RandomState(0).randint(256, size=(40, 12)).astype(np.uint8)
IN_PLACE, ON_THREADS = {"MapDataset", "OptionsDataset"}, {"ParallelMapDatasetV2"}


def _pixels() -> Any:
    return tf.data.Dataset.from_tensor_slices(PIXELS)


def _scale(pixels: tf.Tensor) -> tf.Tensor:
    return tf.cast(pixels, tf.float32) / 255.0


def _parse(record: tf.Tensor) -> tf.Tensor:
    parsed = v1.io.parse_single_example(record, {"pixels": v1.io.FixedLenFeature([], tf.string)})
    return _scale(tf.reshape(v1.io.decode_raw(parsed["pixels"], tf.uint8), [12]))


def _records() -> Any:
    records = []
    for number, row in enumerate(PIXELS):
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[row.tobytes()]))
        example = tf.train.Example(features=tf.train.Features(feature={"pixels": feature}))
        records.append(example.SerializeToString() if number % 7 else b"no example")
    return tf.data.Dataset.from_tensor_slices(records)


SMALL: dict[str, Make] = {
    "parallel": lambda: _pixels().map(_scale, **PARALLEL).batch(8).prefetch(1),
    "one after the other": lambda: _pixels().map(_scale).batch(8),
    "two maps": lambda: _pixels().map(_scale, **PARALLEL).map(lambda x: (x, x * 2.0)).batch(8),
    "batches": lambda: _pixels().batch(8, drop_remainder=True).map(_scale, **PARALLEL),
    "any order": lambda: _pixels().map(_scale, num_parallel_calls=2, deterministic=False).batch(8),
    "records, some broken": lambda: _records().map(_parse, **PARALLEL).ignore_errors().batch(8),
    "shuffled, repeated": lambda: _pixels().shuffle(9, seed=1).repeat(3).map(_scale, **PARALLEL).batch(8),
    "in a function": lambda: tf.data.Dataset.range(3).interleave(
        lambda n: tf.data.Dataset.range(5).map(lambda i: 10 * i + 1, **PARALLEL), cycle_length=2
    ),
}

LARGE: dict[str, Make] = {
    "many numbers": lambda: _pixels().batch(40, True).map(lambda x: tf.tile(x, [1, 99]), **PARALLEL),
    "unknown size": lambda: _pixels().batch(8).map(_scale, **PARALLEL),
    "an operation that may take long": lambda: _pixels().map(lambda x: tf.sort(_scale(x)), **PARALLEL),
    "random numbers": lambda: _pixels().map(
        lambda x: _scale(x) + tf.random.uniform([12], seed=1), **PARALLEL
    ),
    "Python": lambda: _pixels().map(lambda x: v1.py_func(lambda y: y, [x], tf.uint8), **PARALLEL),
    "a large map besides": lambda: _pixels().map(_scale, **PARALLEL).map(tf.sort, **PARALLEL),
    "strings of any length": lambda: _records().map(
        lambda record: tf.size(v1.io.decode_raw(record, tf.uint8)), **PARALLEL
    ),
}


def _maps(make: Make, is_one_shot: bool = False, **options: Any) -> set[str]:
    """The types of the operations that make a graph's maps."""
    with tf.Graph().as_default() as graph:
        if is_one_shot:
            iterator = v1.data.make_one_shot_iterator(make())
            makes = f"{tf.nest.flatten(iterator.get_next())[0].op.inputs[0].op.name}/make"
        else:
            makes = v1.data.make_initializable_iterator(make()).initializer.name
        types = LiftedGraph(graph, **options).part((), (), [makes]).op_types()
    return {each for each in types if "MapDataset" in each or each == "OptionsDataset"} - {"FlatMapDataset"}


@pytest.mark.parametrize("name", LARGE)
def test_other_maps_stay_on_threads_of_their_own(name):
    assert _maps(LARGE[name]) == ON_THREADS


@pytest.mark.parametrize(
    ("name", "is_one_shot"), [*((name, False) for name in SMALL), ("parallel", True), ("in a function", True)]
)
def test_small_maps_are_computed_in_place_and_give_the_same(name, is_one_shot):
    assert _maps(SMALL[name], is_one_shot) == IN_PLACE
    expected = lifted_elements(SMALL[name], is_one_shot, keeps_datasets=True)
    elements = lifted_elements(SMALL[name], is_one_shot)
    assert len(elements) == len(expected) > 1
    if name != "any order":
        tf.nest.map_structure(np.testing.assert_array_equal, elements, expected)


def test_datasets_stay_as_they_are_where_positions_are_saved():
    make = SMALL["parallel"]
    assert _maps(make, keeps_datasets=True) == ON_THREADS
    with tf.Graph().as_default() as graph:
        iterator = v1.data.make_initializable_iterator(make())
        tf.data.experimental.make_saveable_from_iterator(iterator)
        types = LiftedGraph(graph).part((), (), [iterator.initializer.name]).op_types()
    assert types >= ON_THREADS


def test_options_of_the_dataset_hold_as_well():
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    make = SMALL["parallel"]
    elements = lifted_elements(lambda: make().with_options(options), False)
    np.testing.assert_array_equal(elements, lifted_elements(make, False))


def _with_table() -> Any:
    values = tf.lookup.KeyValueTensorInitializer(tf.range(9, dtype=tf.int64), tf.range(9, dtype=tf.int64))
    table = tf.lookup.StaticHashTable(values, -1)
    return tf.data.Dataset.range(9).filter(lambda x: table.lookup(x) > 3)


BUFFERS: dict[str, tuple[Make, int]] = {
    "of one batch": (lambda: _pixels().map(_scale).batch(8, True).prefetch(1), 16),
    "of any size": (lambda: _pixels().shuffle(9).repeat().batch(8).map(lambda x: x).prefetch(2), 2),
    "the last is smaller": (lambda: _pixels().shuffle(9).repeat(2).batch(8).prefetch(2), 16),
    "long": (lambda: _pixels().batch(8).prefetch(99), 99),
    "tuned": (lambda: _pixels().batch(8).prefetch(tf.data.AUTOTUNE), -1),
    "large elements": (lambda: _pixels().batch(100_000).prefetch(1), 1),
    "strings": (lambda: _records().batch(8).prefetch(1), 1),
    "large maps": (lambda: _pixels().map(tf.sort).batch(8).prefetch(1), 1),
    "Python counts along": (
        lambda: tf.data.Dataset.from_generator(lambda: iter(range(9)), tf.int64, []).batch(3).prefetch(1),
        1,
    ),
    "a table outside": (lambda: _with_table().batch(3).prefetch(1), 1),
}


def _buffer(make: Make, **options: Any) -> int:
    with tf.Graph().as_default() as graph:
        makes = v1.data.make_initializable_iterator(make()).initializer.name
        part = LiftedGraph(graph, **options).part((), (), [makes])
    nodes = {node.name: node for node in part.graph_def.node}
    (prefetch,) = (node for node in nodes.values() if node.op == "PrefetchDataset")
    return int(tf.make_ndarray(nodes[prefetch.input[1].partition(":")[0]].attr["value"].tensor))


@pytest.mark.parametrize("name", BUFFERS)
def test_short_buffers_of_small_batches_are_longer_where_nobody_can_tell(name):
    make, expected = BUFFERS[name]
    assert _buffer(make) == expected


def test_buffers_stay_as_they_are_where_positions_are_saved():
    assert _buffer(BUFFERS["of one batch"][0], keeps_datasets=True) == 1
