"""Checkpoints that lie about what they hold are damaged ones; TensorFlow is not given them to read."""

from __future__ import annotations

import logging
import os
import pathlib
import re
import struct
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from checkpoint_helpers import MATRIX, data_file, index_file, resume, save_with_saver, write
from forged_checkpoints import (
    block,
    change_entry,
    entry,
    stored,
    table,
    varint,
    write_partitioned,
    write_table,
)
from helpers import SCRIPTS, run_python
from keras_legacy_train import GraphModel, evaluate, framework, infer
from keras_legacy_train._tensorflow import BundleEntryProto, SavedTensorSlices, VariantTensorDataProto
from keras_legacy_train.checkpoints.reading import find_damage
from keras_legacy_train.checkpoints.sorted_table import FormatError, read_table
from keras_legacy_train.errors import DamagedCheckpointError
from keras_legacy_train.migration import load_tf1_weights

pytestmark = pytest.mark.usefixtures("eager_mode")


def dimensions(*sizes: int) -> Callable[[Any], None]:
    def forge(entry: Any) -> None:
        del entry.shape.dim[:]
        for size in sizes:
            entry.shape.dim.add(size=size)

    return forge


def unknown_rank(entry: Any) -> None:
    entry.shape.unknown_rank = True


def more_than_the_file_holds(entry: Any) -> None:
    dimensions(2**40)(entry)
    entry.size = 2**42


def fields(**values: int) -> Callable[[Any], None]:
    def forge(entry: Any) -> None:
        for name, value in values.items():
            setattr(entry, name, value)

    return forge


FORGERIES = {
    "negative": (dimensions(-2), "impossible shape"),
    "overflowing": (dimensions(2**62, 2**62), "impossible shape"),
    "overflowing and empty": (dimensions(2**62, 2**62, 0), "impossible shape"),
    "300 dimensions": (dimensions(*[1] * 300), "impossible shape"),
    "unknown rank": (unknown_rank, "impossible shape"),
    "more than the file": (more_than_the_file_holds, "claims more than .* holds"),
    "more than its size": (dimensions(2**40), "has 4 bytes where its shape makes 4398046511104"),
    "unknown dtype": (fields(dtype=999), "unknown dtype"),
    "resource": (fields(dtype=20), "dtype that is not saved"),
    "reference": (fields(dtype=101), "dtype that is not saved"),
    "negative offset": (fields(offset=-1), "place that no file has"),
    "offset behind the end": (fields(offset=2**62), "claims more than .* holds"),
    "negative size": (fields(size=-1), "place that no file has"),
    "a shard too many": (fields(shard_id=1), "place that no file has"),
    "negative shard": (fields(shard_id=-1), "place that no file has"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_index_is_damage(
    forgery: str, tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, 1, 2)
    forge, problem = FORGERIES[forgery]
    change_entry(index_file(tmp_path, 2), b"w", forge)
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert re.search(f"model.ckpt-2 is damaged and passed over: .*w.* {problem}", record.getMessage())
    index_file(tmp_path, 1).unlink()
    with pytest.raises(DamagedCheckpointError, match=problem):
        resume(tmp_path)


def test_variables_that_claim_the_same_bytes_are_damage(tmp_path: pathlib.Path) -> None:
    """Many of them would take more memory than the file has."""
    write(tmp_path, 1, 2)
    entries = dict(read_table(str(index_file(tmp_path, 2))))
    for number in range(100):
        entries[b"w%d" % number] = entries[b"w"]
    write_table(index_file(tmp_path, 2), entries)
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)


def without_slices(entry: Any) -> None:
    del entry.slices[:]


def with_a_slice_twice(entry: Any) -> None:
    entry.slices.add().CopyFrom(entry.slices[0])


def with_a_slice_outside(entry: Any) -> None:
    entry.slices[0].extent[0].length = 8


@pytest.mark.parametrize("forge", [without_slices, with_a_slice_twice, with_a_slice_outside, unknown_rank])
def test_forged_slices_are_damage(forge: Callable[[Any], None], tmp_path: pathlib.Path) -> None:
    prefix = save_with_saver(tmp_path)
    assert find_damage(prefix) is None
    change_entry(pathlib.Path(prefix + ".index"), b"table", forge)
    damage = find_damage(prefix)
    assert damage is not None and damage.startswith("model.ckpt-3.index: ")


@pytest.mark.parametrize("forge", [dimensions(9, 9), fields(dtype=3), with_a_slice_twice])
def test_a_slice_that_does_not_fit_is_damage(forge: Callable[[Any], None], tmp_path: pathlib.Path) -> None:
    prefix = save_with_saver(tmp_path)
    index = pathlib.Path(prefix + ".index")
    if forge is with_a_slice_twice:
        whole = BundleEntryProto.FromString(dict(read_table(str(index)))[b"table"])
        forge = lambda entry: entry.slices.add().CopyFrom(whole.slices[0])  # noqa: E731
    key = next(key for key, _ in read_table(str(index)) if key.startswith(b"\x00table"))
    change_entry(index, key, forge)
    damage = find_damage(prefix)
    assert damage is not None and "does not fit in it" in damage


def test_entries_of_no_variable_are_damage(tmp_path: pathlib.Path) -> None:
    index = index_file(tmp_path, 1)
    for key, problem in [(b"\x00table\x00", "has a slice of no variable"), (b"\xff", "is not the name of")]:
        write(tmp_path, 1)
        entries = dict(read_table(str(index)))
        write_table(index, {**entries, key: entries[b"w"]})
        assert problem in str(find_damage(str(tmp_path / "model.ckpt-1")))


def test_variants_that_claim_more_than_they_hold_are_damage(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)
    for count, is_damage in ((3, False), (2**40, True)):
        inner = VariantTensorDataProto(type_name="x", metadata=b"y")
        inner.tensors.add(dtype=tf.float32.as_datatype_enum).tensor_shape.dim.add(size=count)
        outer = VariantTensorDataProto()
        outer.tensors.add(dtype=tf.variant.as_datatype_enum).variant_val.add().CopyFrom(inner)
        value = outer.SerializeToString()
        data = varint(len(value)) + value + bytes(4)
        data_file(tmp_path, 1).write_bytes(data)
        change_entry(
            index_file(tmp_path, 1), b"w", fields(dtype=tf.variant.as_datatype_enum, size=len(data), crc32c=0)
        )
        problem = str(find_damage(str(tmp_path / "model.ckpt-1")))
        assert ("a variant claims more than it holds" in problem) == is_damage, problem


def a_table(content: bytes, compression: int = 0) -> bytes:
    return table([(b"w", stored(content, compression))])


def test_tables_that_are_built_wrong_are_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "table"
    first, sharing = entry(b"ab", b"1"), entry(b"ac", b"2", shared=1)
    restarts = struct.pack("<3I", 0, len(first), 2)
    long = entry(b"x" * 10_000, b"") + b"".join(
        entry(b"x" * 10_000 + bytes([number]), b"", shared=10_000) for number in range(100)
    )
    cases = [
        (b"\x00\x00", "a block is too short"),
        (first + sharing + restarts, "a restart shares the key before it"),
        (long + struct.pack("<2I", 0, 1), "its keys are longer than they can be"),
    ]
    for content, problem in cases:
        path.write_bytes(a_table(content))
        with pytest.raises(FormatError, match=problem):
            list(read_table(str(path)))
    path.write_bytes(a_table(first + sharing + struct.pack("<2I", 0, 1)))
    assert list(read_table(str(path))) == [(b"ab", b"1"), (b"ac", b"2")]


def test_compressed_blocks_have_literals_of_any_length(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "table"
    for size in (200, 70_000):
        content = block([(b"w", bytes(range(250)) * (size // 250) + b"x" * (size % 250))])
        length = len(content) - 1
        more = (length.bit_length() + 7) // 8
        tag = (
            bytes([length << 2]) if length < 60 else bytes([59 + more << 2]) + length.to_bytes(more, "little")
        )
        path.write_bytes(a_table(varint(len(content)) + tag + content, compression=1))
        ((key, value),) = read_table(str(path))
        assert key == b"w" and len(value) == size


def test_a_system_may_read_less_than_it_is_asked_for(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "table"
    path.write_bytes(a_table(block([(b"w", b"x" * 100)])))
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, offset: pread(file, min(size, 7), offset))
    assert list(read_table(str(path))) == [(b"w", b"x" * 100)]


def test_a_table_that_becomes_shorter_while_it_is_read_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "table"
    blocks = [(key, stored(block([(key, b"x" * 100)]))) for key in (b"a", b"b")]
    path.write_bytes(table(blocks))
    entries = read_table(str(path))
    assert next(entries) == (b"a", b"x" * 100)
    os.truncate(path, 150)
    with pytest.raises(FormatError, match="it has become shorter"):
        next(entries)


# The older format.


def old_format(directory: pathlib.Path) -> str:
    return save_with_saver(directory, write_version=tf.compat.v1.train.SaverDef.V1)


def test_the_older_format_is_read_compressed_or_not(tmp_path: pathlib.Path) -> None:
    """TensorFlow reads its blocks compressed, and writes them so where it is built with Snappy."""
    prefix = old_format(tmp_path)
    for compress in (True, False):
        entries = dict(read_table(prefix))
        write_table(pathlib.Path(prefix), entries, compress)
        assert dict(read_table(prefix)) == entries
        np.testing.assert_array_equal(framework.load_variable(prefix, "w"), MATRIX * 2)
        assert find_damage(prefix) is None


def test_values_that_are_missing_in_the_older_format_are_damage(tmp_path: pathlib.Path) -> None:
    prefix = old_format(tmp_path)
    entries = dict(read_table(prefix))
    key = next(key for key in entries if key.startswith(b"\x00w"))
    message = SavedTensorSlices.FromString(entries[key])
    del message.data.data.float_val[3:]
    write_table(pathlib.Path(prefix), {**entries, key: message.SerializeToString()})
    assert "another number of values" in str(find_damage(prefix))
    del entries[key]
    write_table(pathlib.Path(prefix), entries)
    assert "a slice is missing" in str(find_damage(prefix))


@pytest.mark.parametrize("forge", [dimensions(-1, 2), dimensions(2**40, 2), unknown_rank, fields(type=999)])
def test_forged_shapes_in_the_older_format_are_damage(
    forge: Callable[[Any], None], tmp_path: pathlib.Path
) -> None:
    prefix = old_format(tmp_path)
    entries = dict(read_table(prefix))
    message = SavedTensorSlices.FromString(entries[b""])
    forge(next(each for each in message.meta.tensor if each.name == "w"))
    write_table(pathlib.Path(prefix), {**entries, b"": message.SerializeToString()})
    assert find_damage(prefix) is not None
    with pytest.raises(ValueError, match="cannot be read"):
        framework.list_variables(prefix)


# Every function that is given a checkpoint.


@pytest.fixture
def forged(tmp_path: pathlib.Path) -> str:
    """The prefix of a checkpoint with an impossible shape."""
    prefix = save_with_saver(tmp_path)
    change_entry(pathlib.Path(prefix + ".index"), b"w", dimensions(-7, 2))
    return prefix


READERS: dict[str, Callable[[str, Any], object]] = {
    "load_checkpoint": lambda prefix, w: framework.load_checkpoint(prefix),
    "load_variable": lambda prefix, w: framework.load_variable(prefix, "w"),
    "list_variables": lambda prefix, w: framework.list_variables(prefix),
    "list_variables of a directory": lambda prefix, w: framework.list_variables(pathlib.Path(prefix).parent),
    "init_from_checkpoint": lambda prefix, w: framework.init_from_checkpoint(prefix, {"w": "w"}),
    "assign_from_checkpoint": lambda prefix, w: framework.assign_from_checkpoint(prefix, [w]),
    "assign_from_checkpoint_fn": lambda prefix, w: framework.assign_from_checkpoint_fn(prefix, [w]),
    "infer": lambda prefix, w: infer(prefix, {"w": w.read_value()}),
    "evaluate": lambda prefix, w: evaluate(
        w.graph, str(pathlib.Path(prefix).parent / "eval"), prefix, {"w": w.read_value()}
    ),
    "GraphModel": lambda prefix, w: GraphModel(w.graph, [], [w.read_value()], checkpoint=prefix),
    "load_tf1_weights": lambda prefix, w: load_tf1_weights(
        keras.Sequential([keras.Input([2]), keras.layers.Dense(1)]), prefix
    ),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_function_gives_tensorflow_a_forged_checkpoint(reader: str, forged: str) -> None:
    with tf.Graph().as_default():
        w = tf.compat.v1.get_variable("w", [7, 2])
        tf.compat.v1.train.Saver()
        tf.compat.v1.train.create_global_step()
        with pytest.raises(ValueError, match=r"cannot be read: .* w has an impossible shape"):
            READERS[reader](forged, w)


# By chance.


@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.slow)])
def test_law_no_forged_checkpoint_ends_the_process(count: int, tmp_path: pathlib.Path) -> None:
    """Nor takes memory: the process may have no more than it needs for files of some hundred bytes."""
    write_partitioned(tmp_path / "intact")
    run = run_python(SCRIPTS / "read_forged.py", str(tmp_path / "intact"), "0", str(count))
    outcomes = re.findall("(restored|passed over|does not fit)$", run.stdout, re.MULTILINE)
    assert len(outcomes) == count, run.stdout[-999:] + run.stderr[-999:]
    assert run.returncode == 0
    assert outcomes.count("passed over") > count / 2 and "restored" in outcomes
