"""Batches of an array's rows are cut out of it, or gathered, and are those that TensorFlow makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_helpers import Make, assert_same_elements, iterator_graph, lifted_elements, untuned
from keras_legacy_train.graph.lifted import LiftedGraph

v1 = tf.compat.v1
X, Y = np.arange(48, dtype=np.float32).reshape(24, 2), np.array([f"row {n}" for n in range(24)])
CUT, GATHERED, AS_MADE = "cut", "gathered", "as made"


def _rows() -> Any:
    return tf.data.Dataset.from_tensor_slices(({"x": X}, Y))


def _twice(dataset: Any) -> Any:
    return tf.data.Dataset.zip((dataset.batch(8), dataset.batch(4)))


DATASETS: dict[str, tuple[Make, str]] = {
    "whole batches": (lambda: _rows().batch(6), CUT),
    "a smaller one at the end": (lambda: _rows().batch(7), CUT),
    "the rest left out": (lambda: _rows().batch(7, drop_remainder=True), CUT),
    "repeated": (lambda: _rows().repeat(3).batch(8), CUT),
    "repeated twice": (lambda: _rows().repeat(2).repeat(2).batch(2).repeat(2), CUT),
    "repeated and taken": (lambda: _rows().repeat().batch(1).take(50), CUT),
    "one batch": (lambda: _rows().batch(24), CUT),
    "a batch over the end": (lambda: _rows().repeat(3).batch(9), GATHERED),
    "larger than all": (lambda: _rows().batch(30), GATHERED),
    "shuffled": (lambda: _rows().shuffle(10, seed=1).batch(9), GATHERED),
    "shuffled, repeated": (lambda: _rows().shuffle(24, seed=1).repeat(3).batch(8, True), GATHERED),
    "repeated, shuffled": (lambda: _rows().repeat(2).shuffle(9, seed=2).batch(10).prefetch(1), GATHERED),
    "shuffled once": (lambda: _rows().shuffle(9, 3, False).batch(8).repeat(2), GATHERED),
    "fused": (
        lambda: _rows().apply(tf.data.experimental.shuffle_and_repeat(9, 2, seed=3)).batch(8),
        GATHERED,
    ),
    "shuffled, repeated twice": (lambda: _rows().shuffle(7, seed=5).repeat(3).repeat(3).batch(8), GATHERED),
    "some rows": (lambda: _rows().skip(3).take(17).batch(8), GATHERED),
    "small batches": (lambda: _rows().shuffle(9, seed=1).batch(3), AS_MADE),
    "small batches over the end": (lambda: _rows().repeat(2).batch(5), AS_MADE),
    "used twice": (lambda: _twice(_rows()), AS_MADE),
    "filtered": (lambda: _rows().filter(lambda x, y: x["x"][0] > 5.0).batch(8), AS_MADE),
    "mapped": (lambda: _rows().map(lambda x, y: (x["x"] + 1.0, y)).batch(8), CUT),
    "shuffled, mapped": (
        lambda: _rows().shuffle(9, 1).map(lambda x, y: (x["x"] + 1.0, y)).batch(8),
        GATHERED,
    ),
    "mapped by more than a little": (lambda: _rows().map(lambda x, y: tf.sort(x["x"])).batch(8), AS_MADE),
    "padded": (lambda: _rows().padded_batch(8), AS_MADE),
    "in a function": (
        lambda: tf.data.Dataset.range(3).flat_map(
            lambda n: _rows().take(n + 3).shuffle(9, seed=n).batch(8).map(lambda x, y: (x["x"], n, y))
        ),
        GATHERED,
    ),
    "cut in a function": (lambda: tf.data.Dataset.range(2).flat_map(lambda n: _rows().batch(8)), CUT),
}


def _is_made(make: Make, **options: Any) -> str:
    """How batches are made, by what makes the dataset."""
    graph, _, initializer = iterator_graph(make)
    types = LiftedGraph(graph, **options).part((), (), [initializer]).op_types()
    if types >= {"Reshape", "TensorSliceDataset"}:
        return CUT
    return GATHERED if types >= {"RangeDataset", "BatchDatasetV2", "GatherV2"} else AS_MADE


@pytest.mark.parametrize("name", DATASETS)
def test_rows_are_batched_at_once_where_nothing_else_is_done_to_them(name):
    make, how = DATASETS[name]
    assert _is_made(make) == how


@pytest.mark.parametrize("is_one_shot", [False, True])
@pytest.mark.parametrize("name", DATASETS)
def test_batches_are_those_that_tensorflow_makes(name, is_one_shot):
    make, _ = DATASETS[name]
    expected = lifted_elements(make, is_one_shot, keeps_datasets=True)
    assert expected
    assert_same_elements(lifted_elements(make, is_one_shot), expected)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(1, 40),
    size=st.integers(1, 20),
    drops=st.booleans(),
    steps=st.lists(st.sampled_from(["repeat", "shuffle", "take", "skip"]), max_size=3),
)
def test_batches_are_the_same_for_any_sizes(rows, size, drops, steps):
    def make() -> Any:
        dataset = tf.data.Dataset.from_tensor_slices((np.arange(rows), np.ones([rows, 2, 3], np.float16)))
        for step in steps:
            dataset = dataset.shuffle(7, seed=5) if step == "shuffle" else getattr(dataset, step)(3)
        return untuned(dataset.batch(size, drops))

    assert_same_elements(lifted_elements(make), lifted_elements(make, keeps_datasets=True))


def test_arrays_are_cut_on_the_host():
    graph, _, initializer = iterator_graph(DATASETS["a smaller one at the end"][0])
    part = LiftedGraph(graph).part((), (), [initializer])
    assert {node.device for node in part.graph_def.node if node.op in ("SplitV", "Reshape")} == {
        "/device:CPU:0"
    }


def test_positions_are_saved_of_the_dataset_as_it_is():
    assert _is_made(DATASETS["shuffled"][0], keeps_datasets=True) == AS_MADE


@pytest.mark.parametrize(("size", "how"), [(6, CUT), (7, CUT), (30, GATHERED)])
def test_the_array_may_be_fed_when_the_iterator_begins(size, how):
    def make() -> Any:
        array = v1.placeholder_with_default(np.zeros([24, 2], np.float32), [24, 2], "array")
        return tf.data.Dataset.from_tensor_slices(array).batch(size)

    assert _is_made(make) == how
    (first, *_) = lifted_elements(make, feeds={"array:0": X})
    np.testing.assert_array_equal(first, X[:size])


def test_rows_of_an_array_of_unknown_length_are_batched_one_by_one():
    def make() -> Any:
        array = v1.placeholder_with_default(X, [None, 2], "array")
        return tf.data.Dataset.from_tensor_slices(array).batch(8)

    assert _is_made(make) == AS_MADE
    assert_same_elements(lifted_elements(make, feeds={"array:0": X[:9]}), [X[:8], X[8:9]])


def test_sparse_rows_are_batched_one_by_one():
    def make() -> Any:
        return tf.data.Dataset.from_tensor_slices(tf.sparse.from_dense(X)).batch(8)

    assert _is_made(make) == AS_MADE
    dense = [v1.SparseTensor(*element) for element in lifted_elements(make)]
    np.testing.assert_array_equal(np.concatenate([tf.sparse.to_dense(each) for each in dense]), X)
