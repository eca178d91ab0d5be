"""TensorFlow does not optimize plain datasets, and no thread reads ahead where elements are at hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from dataset_helpers import Make, assert_same_elements, iterator_graph, lifted_elements, untuned
from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession

IMAGES = np.random.RandomState(0).randint(256, size=(22, 2, 3)).astype(np.uint8)
_rows = tf.data.Dataset.from_tensor_slices


def _scale(pixels: tf.Tensor) -> tf.Tensor:
    return tf.cast(pixels, tf.float32) / 255.0


def _options(make: Make, is_one_shot: bool = False) -> list[Any]:
    """The options of a dataset when it is lifted, of the last one first."""
    graph, _, initializer = iterator_graph(make, is_one_shot)
    operations = ["OneShotIterator/make"] if initializer is None else [initializer]
    graph_def = LiftedGraph(graph).part((), (), operations).graph_def
    nodes = [
        *graph_def.node,
        *(node for function in graph_def.library.function for node in function.node_def),
    ]
    options = [node.attr["serialized_options"].s for node in nodes if node.op == "OptionsDataset"]
    return [_tensorflow.DatasetOptions.FromString(each) for each in reversed(options)]


def _optimizes(options: Any) -> bool | None:
    """Whether options have TensorFlow optimize a dataset; `None` if they do not say."""
    chosen = options.optimization_options
    said = chosen.WhichOneof("optional_apply_default_optimizations")
    return bool(chosen.apply_default_optimizations) if said else None


AT_HAND: dict[str, Make] = {
    "rows": lambda: _rows(IMAGES),
    "batches": lambda: _rows({"images": IMAGES, "numbers": np.arange(22)}).batch(8),
    "whole batches": lambda: _rows(IMAGES).repeat(3).batch(11, drop_remainder=True),
    "some of them": lambda: _rows(IMAGES).skip(3).batch(4).repeat(2).take(7),
    "the same again": lambda: tf.data.Dataset.from_tensors(IMAGES).repeat(3),
    "numbers": lambda: tf.data.Dataset.range(9).batch(2),
    "a map of batches": lambda: _rows(IMAGES).batch(11, drop_remainder=True).map(_scale),
    "a map without batches": lambda: _rows(IMAGES).map(_scale, num_parallel_calls=2),
}

READ_AHEAD: dict[str, Make] = {
    "shuffled": lambda: _rows(IMAGES).shuffle(5, seed=1).batch(4),
    "another thread is asked for": lambda: _rows(IMAGES).batch(4).prefetch(2),
    "a map of many rows": lambda: _rows(IMAGES).map(lambda x: tf.cast(x, tf.int64) * 2).batch(8).repeat(2),
    "large": lambda: tf.data.Dataset.from_tensors(np.zeros([2**15 + 1], np.uint8)),
    "strings": lambda: _rows([b"one", b"two"]),
    "two at a time": lambda: tf.data.Dataset.zip((_rows(IMAGES), _rows(IMAGES))).batch(4),
    "filtered": lambda: _rows(IMAGES).filter(lambda x: x[0, 0] > 5),
    "one after the other": lambda: _rows(IMAGES[:3]).flat_map(_rows),
}


@pytest.mark.parametrize("is_one_shot", [False, True], ids=["initialised", "one-shot"])
@pytest.mark.parametrize("make", AT_HAND.values(), ids=AT_HAND)
def test_no_thread_reads_ahead_of_what_is_at_hand(make: Make, is_one_shot: bool) -> None:
    options, *_ = _options(make, is_one_shot)
    assert _optimizes(options) is False
    assert options.autotune_options.WhichOneof("optional_enabled") and not options.autotune_options.enabled
    expected = lifted_elements(lambda: untuned(make()), keeps_datasets=True)
    assert_same_elements(lifted_elements(make, is_one_shot), expected)


@pytest.mark.parametrize("make", READ_AHEAD.values(), ids=READ_AHEAD)
def test_tensorflow_may_read_ahead_of_others(make: Make) -> None:
    assert not any(_optimizes(options) is False for options in _options(make))
    elements = lifted_elements(lambda: untuned(make()))
    assert_same_elements(elements, lifted_elements(lambda: untuned(make()), keeps_datasets=True))


def test_a_dataset_that_is_made_in_two_parts_is_read_to_its_end() -> None:
    graph, _, _ = iterator_graph(lambda: _rows(IMAGES).batch(8))
    lifted = LiftedGraph(graph)
    with graph.as_default():
        first = next(op for op in graph.get_operations() if op.type.startswith("BatchDataset")).outputs[0]
        longer = tf.raw_ops.RepeatDataset(
            input_dataset=first,
            count=tf.constant(2, tf.int64),
            output_types=[tf.uint8],
            output_shapes=[[None, 2, 3]],
        )
        size = tf.raw_ops.DatasetCardinality(input_dataset=longer)
    assert GraphSession(lifted).compute([size.name]) == [6]


def _with_options(make: Make, optimizes: bool | None = None) -> Make:
    options = tf.data.Options()
    options.autotune.enabled = False
    if optimizes is not None:
        options.experimental_optimization.apply_default_optimizations = optimizes
    return lambda: make().with_options(options)


def test_options_of_the_user_are_kept() -> None:
    (options,) = _options(_with_options(lambda: _rows(IMAGES).batch(8)))
    assert _optimizes(options) is False
    (options,) = _options(_with_options(lambda: _rows(IMAGES).batch(8), optimizes=True))
    assert _optimizes(options) is True
    for make in (
        lambda: _rows(IMAGES).shuffle(9).map(tf.sort),
        lambda: _rows(IMAGES).filter(lambda x: x[0, 0] > 5),
        lambda: _rows(IMAGES).shuffle(9).repeat().batch(8),
    ):
        assert _optimizes(_options(_with_options(make))[0]) is None
    maps = _options(_with_options(lambda: _rows(IMAGES).map(lambda x: x + 1).batch(8).repeat()))
    assert _optimizes(maps[0]) is False


STAGES: dict[str, Callable[[Any], Any]] = {
    "map": lambda dataset: dataset.map(_scale),
    "repeat": lambda dataset: dataset.repeat(2),
    "skip": lambda dataset: dataset.skip(2),
    "take": lambda dataset: dataset.take(5),
    "whole batches": lambda dataset: dataset.batch(2, drop_remainder=True),
}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(STAGES)), max_size=5), st.booleans())
def test_elements_are_those_that_tensorflow_makes(stages: list[str], has_rest: bool) -> None:
    def make() -> Any:
        dataset = _rows(IMAGES)
        for stage in stages:
            dataset = STAGES[stage](dataset)
        return dataset.batch(3) if has_rest else dataset

    assert_same_elements(lifted_elements(make), lifted_elements(lambda: untuned(make()), keeps_datasets=True))
