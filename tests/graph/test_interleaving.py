"""Local files that a dataset interleaves are read in turn, and give the same records in the same order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.session import GraphSession

v1 = tf.compat.v1
Reads = Callable[[list[str]], Any]
Data, Records = tf.data.Dataset, tf.data.TFRecordDataset
PARALLEL = {"num_parallel_calls": tf.data.AUTOTUNE}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Four files of records, of which one has none and one is broken at its end."""
    names = [str(tmp_path / f"{name}.tfrecord") for name in "abcd"]
    for number, name in enumerate(names):
        with tf.io.TFRecordWriter(name) as writer:
            for record in range((5, 0, 9, 2)[number]):
                writer.write(f"{number}: {record}\n")
    with open(names[2], "ab") as file:
        file.write(b"no record")
    return names


IN_TURN: dict[str, Reads] = {
    "names": lambda files: Data.from_tensor_slices(files).interleave(Records, cycle_length=2, **PARALLEL),
    "a pattern": lambda files: Data.list_files(files[0].replace("a.", "*."), seed=1).interleave(
        Records, cycle_length=3, block_length=2, num_parallel_calls=2
    ),
    "shuffled, repeated": lambda files: (
        Data.from_tensor_slices(files[:2]).shuffle(9, seed=2).repeat(2).interleave(Records, 2, 1, 2)
    ),
    "in any order": lambda files: Data.from_tensor_slices(files[:2]).interleave(
        lambda file: Records([file, file]), cycle_length=2, deterministic=False, **PARALLEL
    ),
    "lines": lambda files: Data.from_tensor_slices(files).interleave(
        lambda file: tf.data.TextLineDataset(file).skip(1), cycle_length=2, **PARALLEL
    ),
    "cut off": lambda files: Data.from_tensor_slices(files).interleave(
        lambda file: tf.data.FixedLengthRecordDataset(file, 8).take(2), cycle_length=4, **PARALLEL
    ),
    "broken records left out": lambda files: (
        Data.from_tensor_slices(files).interleave(Records, 3, 1, 3).ignore_errors()
    ),
}

PARALLEL_STILL: dict[str, Reads] = {
    "files elsewhere": lambda files: Data.from_tensor_slices(["gs://bucket/a", *files]).interleave(
        Records, cycle_length=2, **PARALLEL
    ),
    "names that are fed": lambda files: Data.from_tensor_slices(
        v1.placeholder_with_default(files, [len(files)])
    ).interleave(Records, cycle_length=2, **PARALLEL),
    "compressed": lambda files: Data.from_tensor_slices(files).interleave(
        lambda file: Records(file, "GZIP"), cycle_length=2, **PARALLEL
    ),
    "more than reading": lambda files: Data.from_tensor_slices(files).interleave(
        lambda file: Records(file).map(tf.io.decode_base64), cycle_length=2, **PARALLEL
    ),
    "as many as there are cores": lambda files: Data.from_tensor_slices(files).interleave(
        Records, **PARALLEL
    ),
}


def _graph(
    reads: Reads, files: list[str], is_one_shot: bool, **options: Any
) -> tuple[LiftedGraph, str, tf.Tensor]:
    with tf.Graph().as_default() as graph:
        if is_one_shot:
            element = v1.data.make_one_shot_iterator(reads(files)).get_next()
            makes = f"{element.op.inputs[0].op.name}/make"
        else:
            iterator = v1.data.make_initializable_iterator(reads(files))
            element, makes = iterator.get_next(), iterator.initializer.name
    return LiftedGraph(graph, **options), makes, element


def _types(reads: Reads, files: list[str], is_one_shot: bool = False) -> set[str]:
    lifted, makes, _ = _graph(reads, files, is_one_shot)
    return {each for each in lifted.part((), (), [makes]).op_types() if "Interleave" in each}


def _records(reads: Reads, files: list[str], is_one_shot: bool, **options: Any) -> list[Any]:
    """The records, and the kinds of errors among them."""
    lifted, makes, element = _graph(reads, files, is_one_shot, **options)
    session = GraphSession(lifted)
    if not is_one_shot:
        session.run(lifted.graph.get_operation_by_name(makes))
    records: list[Any] = []
    while len(records) < 99:
        try:
            records.append(session.run(element))
        except tf.errors.OutOfRangeError:
            break
        except tf.errors.OpError as error:
            records.append(type(error))
            break
    return records


@pytest.mark.parametrize("is_one_shot", [False, True], ids=["initializable", "one shot"])
@pytest.mark.parametrize("name", IN_TURN)
def test_local_files_are_read_in_turn_and_give_the_same(name, is_one_shot, files):
    assert _types(IN_TURN[name], files, is_one_shot) == {"InterleaveDataset"}
    records = _records(IN_TURN[name], files, is_one_shot)
    expected = _records(IN_TURN[name], files, is_one_shot, keeps_datasets=True)
    assert records and type(records[-1]) is type(expected[-1])
    if name == "in any order":
        records, expected = [sorted(map(str, each)) for each in (records, expected)]
    assert records == expected


@pytest.mark.parametrize("name", PARALLEL_STILL)
def test_other_files_are_read_in_parallel(name, files):
    (kind,) = _types(PARALLEL_STILL[name], files)
    assert kind.startswith("ParallelInterleaveDataset")
