"""`convert` keeps every value, changes what it is asked to, and writes over nothing."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from checkpoint_helpers import MATRIX, data_file, flip_a_bit, save_with_saver, write
from command_line_helpers import refusal, run_command, run_json, tree
from keras_legacy_train._tensorflow import BundleEntryProto
from keras_legacy_train.checkpoints.conversion import convert_checkpoint
from keras_legacy_train.checkpoints.sorted_table import read_table
from keras_legacy_train.checkpoints.verification import variable_slices

v1 = tf.compat.v1
pytestmark = pytest.mark.usefixtures("eager_mode")

ODD = {
    "text": np.array([[b"a", b""], [b"\xff\x00", b"long" * 100]], object),
    "empty": np.zeros([0, 3], np.float32),
    "scalar": np.int64(-(2**40)),
    "truth": np.array([True, False]),
    "wide": np.array([1e300, -0.0, np.nan]),
    "complex": np.array([1 + 2j], np.complex64),
    "byte": np.arange(5, dtype=np.uint8),
}


def values(prefix: object) -> dict[str, Any]:
    """Reads all values by the op that Savers use, which knows more dtypes than a reader."""
    dtypes = tf.train.load_checkpoint(str(prefix)).get_variable_to_dtype_map()
    read = tf.raw_ops.RestoreV2(
        prefix=str(prefix),
        tensor_names=list(dtypes),
        shape_and_slices=[""] * len(dtypes),
        dtypes=list(dtypes.values()),
    )
    return {name: value.numpy() for name, value in zip(dtypes, read, strict=True)}


def assert_same(actual: dict[str, Any], expected: dict[str, Any]) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, err_msg=name)
        assert np.asarray(actual[name]).dtype == np.asarray(value).dtype, name


def save(directory: Path, version: int = 2, **variables: Any) -> str:
    """Saves variables as TensorFlow 1 does, `table` among them in two slices."""
    with tf.Graph().as_default(), v1.Session() as session:
        for name, value in variables.items():
            v1.get_variable(name, initializer=tf.constant(value))
        table = v1.get_variable("table", [7, 2], partitioner=v1.fixed_size_partitioner(2))
        session.run(v1.global_variables_initializer())
        for part, rows in zip(table, (MATRIX[:4], MATRIX[4:]), strict=True):
            part.load(rows, session)
        return str(v1.train.Saver(write_version=version).save(session, str(directory / "old.ckpt"), 7))


@pytest.mark.parametrize("version", [1, 2])
def test_everything_that_a_saver_writes(version: int, tmp_path: Path) -> None:
    bfloat16 = {} if version == 1 else {"brain": tf.constant([1.5, -2.0], tf.bfloat16)}
    prefix = save(tmp_path, version, **ODD, **bfloat16)
    before = tree(tmp_path)
    target = tmp_path / "new.ckpt-7"
    done = run_json("convert", prefix, target)
    assert done["form"] == "names" and done["dropped"] == []
    assert_same(values(target), values(prefix))
    assert (
        variable_slices(str(target)) == variable_slices(prefix) == {"table": ["7 2 0,4:0,2", "7 2 4,3:0,2"]}
    )
    assert (tmp_path / "new.ckpt-7.index").exists()
    after = tree(tmp_path)
    assert {name: after[name] for name in before} == before
    assert after["new.ckpt-7.meta"] == before["old.ckpt-7.meta"]
    assert [name for name in os.listdir(tmp_path) if name.startswith(".converting")] == []


def test_there_and_back_again(tmp_path: Path) -> None:
    """The slices are joined on the way, for an object has one value."""
    brain = tf.constant([1.5], tf.bfloat16)
    prefix = save(tmp_path, **ODD, **{"brain": brain, "table.a/Adam": np.ones(2)})
    run_command("convert", prefix, tmp_path / "objects", "--to", "objects")
    assert run_json("inspect", tmp_path / "objects")["form"] == "objects"
    run_command("convert", tmp_path / "objects", tmp_path / "names")
    assert_same(values(tmp_path / "names"), values(prefix))


def test_objects_find_their_values(tmp_path: Path) -> None:
    prefix = save_with_saver(tmp_path)
    run_command("convert", prefix, tmp_path / "objects", "--to", "objects", "--rename", "^=scope/")
    module = tf.Module()
    module.w, module.table = tf.Variable(tf.zeros([7, 2])), tf.Variable(tf.zeros([7, 2]))
    checkpoint = tf.train.Checkpoint(scope=module)
    checkpoint.restore(str(tmp_path / "objects")).assert_consumed()
    np.testing.assert_array_equal(module.w, MATRIX * 2)
    np.testing.assert_array_equal(module.table, MATRIX)


def test_objects_get_the_names_of_their_variables(tmp_path: Path) -> None:
    named, nameless = tf.Variable([1.0], name="scope/named"), tf.Module()
    nameless.child = tf.train.Checkpoint(text=tf.Variable(["a"], name=""))
    prefix = tf.train.Checkpoint(a=named, b=nameless).save(str(tmp_path / "objects"))
    run_command("convert", prefix, tmp_path / "names")
    found = values(tmp_path / "names")
    np.testing.assert_array_equal(found["scope/named"], [1.0])
    assert len(found) == 2


def test_names_and_dtypes_are_changed(tmp_path: Path) -> None:
    prefix = save(
        tmp_path, **{"a/w": np.float32([1.0, 2.5]), "a/w/Adam": np.float32([0.0, 0.0]), "n": np.int64(3)}
    )
    target = tmp_path / "new"
    casts = ("--cast", "^a/=float16", "--cast", ".=float64")
    done = run_json("convert", prefix, target, "--drop", "/Adam$", "--rename", r"^a/(\w+)=b/\1_x", *casts)
    assert done["dropped"] == ["a/w/Adam"]
    found = values(target)
    assert {name: value.dtype.name for name, value in found.items()} == {
        "b/w_x": "float16",
        "n": "int64",
        "table": "float64",
    }
    np.testing.assert_array_equal(found["b/w_x"], [1.0, 2.5])
    assert run_json("inspect", target)["variables"][-1]["slices"] == 2
    assert not (tmp_path / "new.meta").exists()
    text = run_command("convert", prefix, tmp_path / "text", "--drop", "/Adam$", "--cast", "n=int32")
    assert "(dropped)" in text and "int32" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cast", "w=float16"], "w has values that float16 cannot hold"),
        (["--cast", "n=int8"], "n has values that int8 cannot hold"),
        (["--cast", "n=float32"], "'n' is found in no name of a variable of that kind"),
        (["--cast", "w=float17"], "'float17' is no dtype"),
        (["--rename", "w=n"], "would both be 'n'"),
        (["--rename", "w="], "w cannot be called ''"),
        (["--rename", "absent=x"], "'absent' is found in no name"),
        (["--rename", "w"], "not of the form REGEX=TEXT"),
        (["--rename", r"w=\9"], "cannot replace"),
        (["--drop", "("], "no regular expression"),
        (["--drop", "."], "Nothing is left"),
        (["--to", "objects", "--rename", "w=a//b"], "cannot be called 'a//b'"),
        (["--to", "objects", "--rename", "w=save_counter"], "cannot be called 'save_counter'"),
    ],
)
def test_what_cannot_be_is_refused(options: list[str], message: str, tmp_path: Path) -> None:
    prefix = save(tmp_path, w=np.float32([1e30]), n=np.int64(300))
    before = tree(tmp_path)
    assert message in refusal("convert", prefix, tmp_path / "new", *options)
    assert tree(tmp_path) == before


def test_objects_are_not_made_anew(tmp_path: Path) -> None:
    prefix = tf.train.Checkpoint(a=tf.Variable(1.0)).save(str(tmp_path / "objects"))
    before = tree(tmp_path)
    message = refusal("convert", prefix, tmp_path / "new", "--to", "objects", "--cast", ".=float64")
    assert f"{prefix} has the form of objects already: copy its files." in message
    assert tree(tmp_path) == before


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    before = tree(tmp_path)
    for target in ("model.ckpt-1", "model.ckpt-2"):
        assert "exists" in refusal("convert", tmp_path, tmp_path / target)
    assert "is a directory" in refusal("convert", tmp_path, tmp_path)
    assert "no directory" in refusal("convert", tmp_path, tmp_path / "missing" / "new")
    assert "missing" in refusal("convert", tmp_path / "missing", tmp_path / "new")
    assert tree(tmp_path) == before


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    write(tmp_path, 1)
    assert "/proc" in refusal("convert", tmp_path, "/proc/new")  # not even by root


def test_damage_is_not_carried_on(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    flip_a_bit(data_file(tmp_path, 2))
    assert run_json("convert", tmp_path, tmp_path / "new")["source"].endswith("model.ckpt-1")
    before = tree(tmp_path)
    assert "model.ckpt-2" in refusal("convert", tmp_path / "model.ckpt-2", tmp_path / "newer")
    assert tree(tmp_path) == before


def test_large_checkpoints_are_written_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_legacy_train.checkpoints.conversion._MAX_BATCH_BYTES", 100)
    prefix = save(tmp_path, **ODD)
    convert_checkpoint(prefix, tmp_path / "new")
    assert len(list(tmp_path.glob("new.data-*"))) > 1
    assert_same(values(tmp_path / "new"), values(prefix))


def test_what_was_written_wrong_does_not_appear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = save(tmp_path, w=MATRIX)
    before = tree(tmp_path)
    save_v2 = tf.raw_ops.SaveV2

    def wrong(tensors: list[tf.Tensor], **arguments: Any) -> Any:
        return save_v2(tensors=[tensor + 1 for tensor in tensors], **arguments)

    monkeypatch.setattr(tf.raw_ops, "SaveV2", wrong)
    with pytest.raises(ValueError, match="table was not written as it was read"):
        convert_checkpoint(prefix, tmp_path / "new")
    assert tree(tmp_path) == before
    monkeypatch.undo()

    def flat(tensors: list[tf.Tensor], shape_and_slices: list[str], **arguments: Any) -> Any:
        tensors = [tf.reshape(tensor, [-1]) for tensor in tensors]
        return save_v2(tensors=tensors, shape_and_slices=[""] * len(tensors), **arguments)

    whole = tmp_path / "whole"
    convert_checkpoint(prefix, whole, drop=["table"], rename=[("^w$", "v")])
    before = tree(tmp_path)
    monkeypatch.setattr(tf.raw_ops, "SaveV2", flat)
    with pytest.raises(ValueError, match="v was not written as it was read"):
        convert_checkpoint(whole, tmp_path / "new")
    assert tree(tmp_path) == before

    def less(tensor_names: list[str], **arguments: Any) -> Any:
        return save_v2(tensor_names=[name.replace("table", "other") for name in tensor_names], **arguments)

    monkeypatch.setattr(tf.raw_ops, "SaveV2", less)
    with pytest.raises(ValueError, match="does not hold what was written to it"):
        convert_checkpoint(prefix, tmp_path / "new")
    assert tree(tmp_path) == before


def test_a_file_that_another_process_writes_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = save(tmp_path)
    merge = tf.raw_ops.MergeV2Checkpoints

    def slowly(**arguments: Any) -> Any:
        (tmp_path / "new.index").write_text("theirs")
        return merge(**arguments)

    before = tree(tmp_path)
    monkeypatch.setattr(tf.raw_ops, "MergeV2Checkpoints", slowly)
    with pytest.raises(FileExistsError, match=r"new\.index exists; nothing is written over it"):
        convert_checkpoint(prefix, tmp_path / "new")
    assert tree(tmp_path) == {**before, "new.index": b"theirs"}


def test_slices_along_other_axes_are_joined(tmp_path: Path) -> None:
    source = str(tmp_path / "source")
    specs = ["7 2 -:0,1", "7 2 -:1,1"]
    tf.raw_ops.SaveV2(
        prefix=source,
        tensor_names=["table", "table"],
        shape_and_slices=specs,
        tensors=[MATRIX[:, :1], MATRIX[:, 1:]],
    )
    convert_checkpoint(source, tmp_path / "objects", "objects")
    (value,) = (v for name, v in values(tmp_path / "objects").items() if name.startswith("table"))
    np.testing.assert_array_equal(value, MATRIX)
    part = str(tmp_path / "part")
    tf.raw_ops.SaveV2(
        prefix=part, tensor_names=["table"], shape_and_slices=specs[:1], tensors=[MATRIX[:, :1]]
    )
    with pytest.raises(ValueError, match="table has slices that are not the whole; drop it"):
        convert_checkpoint(part, tmp_path / "new", "objects")


def test_positions_in_datasets_and_complex_numbers_are_kept(tmp_path: Path) -> None:
    iterator = iter(tf.data.Dataset.range(5))
    next(iterator)
    z = tf.Variable([1 + 2j], dtype=tf.complex64, name="z")
    prefix = tf.train.Checkpoint(iterator=iterator, z=z).save(str(tmp_path / "objects"))
    done = convert_checkpoint(prefix, tmp_path / "new", cast=[("z", "complex128")])
    assert {tf.variant, tf.complex128} <= {each.dtype for each in done.variables}
    (name,) = (each.name for each in done.variables if each.dtype == tf.complex128)
    value = tf.train.load_variable(str(tmp_path / "new"), name)
    np.testing.assert_array_equal(value, np.array([1 + 2j], np.complex128))


def test_sources_and_targets_that_are_of_no_use_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 1)
    prefix, index = tmp_path / "model.ckpt-1", tmp_path / "model.ckpt-1.index"
    entry = BundleEntryProto.FromString(dict(read_table(str(index)))[b"w"])
    intact, checksum = index.read_bytes(), struct.pack("<I", entry.crc32c)
    assert intact.count(checksum) == 1
    flip_a_bit(index, intact.index(checksum))  # which the checksum of the index alone shows
    with pytest.raises(ValueError, match=r"source: the checkpoint .*model\.ckpt-1' cannot be read: "):
        convert_checkpoint(prefix, tmp_path / "new")
    index.write_bytes(intact)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # who is root may write to everything
    with pytest.raises(PermissionError, match="cannot be written to"):
        convert_checkpoint(prefix, tmp_path / "new")


def test_a_list_is_begun_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    target = tmp_path / "new" / "model.ckpt-7"
    run_command("convert", save(tmp_path), target)
    assert tf.train.latest_checkpoint(str(tmp_path / "new")) == str(target)
