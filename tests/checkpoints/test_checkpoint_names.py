"""What a checkpoint holds: names every TF 1 reader knows, and the restoring of what TF 1 wrote."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from checkpoint_helpers import (
    MATRIX,
    blank,
    manager_of,
    names,
    resume,
    save_with_saver,
    saved,
    write,
)
from keras_legacy_train.checkpoints import SavedVariable
from keras_legacy_train.errors import CheckpointMismatchError

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
GOLDEN_CASES = sorted(path.parent.name for path in GOLDEN.glob("*/output_dir_a"))


pytestmark = pytest.mark.usefixtures("eager_mode")


def test_files_are_those_of_a_saver(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 3)
    assert names(tmp_path) == ["checkpoint", "model.ckpt-3.data-00000-of-00001", "model.ckpt-3.index"]


def test_keys_are_the_plain_names(tmp_path: pathlib.Path) -> None:
    manager = manager_of(
        tmp_path,
        saved("layer/w", MATRIX),
        saved("table", MATRIX[:3], "7 2 0,3:0,2"),
        saved("table", MATRIX[3:], "7 2 3,4:0,2"),
    )
    prefix = manager.save(1)
    shapes = dict(tf.train.list_variables(prefix))
    assert shapes == {"layer/w": [7, 2], "table": [7, 2]}
    np.testing.assert_array_equal(tf.train.load_variable(prefix, "table"), MATRIX)


@pytest.mark.parametrize("partitions", [1, 2, 3])
def test_a_fresh_saver_reads_it(tmp_path: pathlib.Path, partitions: int) -> None:
    manager = manager_of(
        tmp_path,
        saved("w", MATRIX),
        saved("table", MATRIX[:3], "7 2 0,3:0,2"),
        saved("table", MATRIX[3:], "7 2 3,4:0,2"),
        saved("global_step", np.int64(8)),
    )
    prefix = manager.save(8)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        w = tf.compat.v1.get_variable("w", [7, 2])
        partitioner = tf.compat.v1.fixed_size_partitioner(partitions)
        table = tf.compat.v1.get_variable("table", [7, 2], partitioner=partitioner)
        step = tf.compat.v1.train.get_or_create_global_step()
        tf.compat.v1.train.Saver().restore(session, prefix)
        w_value, table_value, step_value = session.run([w, tf.convert_to_tensor(table), step])
    np.testing.assert_array_equal(w_value, MATRIX)
    np.testing.assert_array_equal(table_value, MATRIX)
    assert step_value == 8


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("float64", [1.5, -2]),
        ("float32", np.zeros([0, 3])),
        ("float16", [1.5]),
        ("bfloat16", [1.5, 3]),
        ("complex64", [1 + 2j]),
        ("int64", [[-1]]),
        ("uint8", 255),
        ("bool", [True, False]),
        ("string", ["a", ""]),
    ],
)
def test_every_dtype_is_restored(tmp_path: pathlib.Path, dtype: str, value: Any) -> None:
    original = saved("v", tf.constant(value, dtype))
    manager_of(tmp_path, original).save(1)
    copy = blank("v", original.variable.shape, original.variable.dtype)
    manager_of(tmp_path, copy).restore_latest()
    tf.debugging.assert_equal(copy.variable.read_value(), original.variable.read_value())


def test_an_ordinary_initialized_variable_is_restored(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 5)
    w = tf.Variable(0.0)
    manager_of(tmp_path, SavedVariable("w", w)).restore_latest()
    assert w.numpy() == 5


def test_a_variable_of_unknown_shape_is_restored(tmp_path: pathlib.Path) -> None:
    manager_of(tmp_path, saved("w", MATRIX)).save(1)
    w = blank("w", None)
    manager_of(tmp_path, w).restore_latest()
    np.testing.assert_array_equal(w.variable.numpy(), MATRIX)


def test_variables_may_not_share_a_name(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match="under one name: w"):
        manager_of(tmp_path, saved("w", 1.0), saved("w", 2.0))


@pytest.mark.parametrize("case", GOLDEN_CASES)
def test_checkpoints_of_tf_1_are_restored_by_name(case: str) -> None:
    directory = GOLDEN / case / "output_dir_a"
    expected = np.load(GOLDEN / case / "variables_a.npz")
    shapes = dict(tf.train.list_variables(str(directory)))
    whole = [key for key in expected.files if key in shapes]
    variables = [blank(key, expected[key].shape, tf.as_dtype(expected[key].dtype)) for key in whole]
    before = names(directory)
    newest = tf.train.latest_checkpoint(str(directory))
    assert manager_of(directory, *variables).restore_latest() == newest
    assert whole
    for variable in variables:
        np.testing.assert_array_equal(variable.variable.numpy(), expected[variable.key])
    assert names(directory) == before


@pytest.mark.parametrize("version", ["V1", "V2"])
@pytest.mark.parametrize("sharded", [False, True])
def test_each_format_and_partitioning_fills_each_other(
    tmp_path: pathlib.Path, version: str, sharded: bool
) -> None:
    path = save_with_saver(
        tmp_path, sharded=sharded, write_version=getattr(tf.compat.v1.train.SaverDef, version)
    )
    rows = [
        blank("w", [3, 2], slice_spec="7 2 0,3:0,2"),
        blank("w", [4, 2], slice_spec="7 2 3,4:0,2"),
        blank("table", [1, 2], slice_spec="7 2 0,1:0,2"),
        blank("table", [6, 2], slice_spec="7 2 1,6:-"),
    ]
    whole = [blank("w", [7, 2]), blank("table", [7, 2])]
    assert manager_of(tmp_path, *rows).restore_latest() == path
    assert manager_of(tmp_path, *whole).restore_latest() == path
    for start, w, table in ((0, rows[0], None), (3, rows[1], None), (0, None, rows[2]), (1, None, rows[3])):
        part, expected = (w, MATRIX * 2) if w else (table, MATRIX)
        assert part is not None
        value = part.variable.numpy()
        np.testing.assert_array_equal(value, expected[start : start + len(value)])
    np.testing.assert_array_equal(whole[0].variable.numpy(), MATRIX * 2)
    np.testing.assert_array_equal(whole[1].variable.numpy(), MATRIX)


@pytest.mark.parametrize(
    ("slice_spec", "shape", "named"),
    [("7 2 3,4:-", [4, 2], "7 2 3,4:-"), ("7 2 1,3:0,2", [3, 2], "7 2 1,3:0,2"), ("", [7, 2], "7 2 -:-")],
)
def test_a_missing_slice_is_a_mismatch_that_names_it(
    slice_spec: str, shape: list[int], named: str, tmp_path: pathlib.Path
) -> None:
    first = saved("w", MATRIX[:3], "7 2 0,3:0,2")
    manager_of(tmp_path, saved("good", 1.0), first).save(1)
    good, there = blank("good", []), blank("w", [2, 2], slice_spec="7 2 1,2:-")
    manager_of(tmp_path, good, there).restore_latest()
    np.testing.assert_array_equal(there.variable.numpy(), MATRIX[1:3])
    good = blank("good", [])
    with pytest.raises(CheckpointMismatchError) as caught:
        manager_of(tmp_path, good, blank("w", shape, slice_spec=slice_spec)).restore_latest()
    assert caught.value.problems == [
        f"w: not all of the slice {named!r} is in the checkpoint, which has '7 2 0,3:0,2'"
    ]
    assert not good.variable.initialized


def test_a_path_elsewhere_is_restored(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "pretrained", 4)
    w = blank("w", [])
    manager = manager_of(tmp_path / "run", w)
    manager.restore(str(tmp_path / "pretrained" / "model.ckpt-4"))
    assert w.variable.numpy() == 4


def test_more_variables_in_the_file_are_ignored(tmp_path: pathlib.Path) -> None:
    manager_of(tmp_path, saved("w", 1.0), saved("v", 2.0)).save(1)
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)


def test_all_mismatches_are_told_at_once_and_nothing_is_assigned(tmp_path: pathlib.Path) -> None:
    manager_of(
        tmp_path, saved("good", 1.0), saved("shape", [1.0]), saved("dtype", 1.0), saved("cut", [1.0])
    ).save(1)
    good, shape, dtype = blank("good", []), blank("shape", [2]), blank("dtype", [], tf.int32)
    slices = [blank("cut", [1], slice_spec=f"2 {start},1") for start in (0, 1)]
    manager = manager_of(tmp_path, good, shape, dtype, blank("missing", [3]), *slices)
    with pytest.raises(CheckpointMismatchError) as caught:
        manager.restore_latest()
    assert caught.value.problems == [
        "shape: shape [1] in the checkpoint, [2] in the graph",
        "dtype: float32 in the checkpoint, int32 in the graph",
        "missing: not in the checkpoint",
        "cut: shape [1] in the checkpoint, [2] in the graph",
    ]
    assert caught.value.path == str(tmp_path / "model.ckpt-1")
    assert not tf.raw_ops.VarIsInitializedOp(resource=good.variable.handle)


def test_an_optional_variable_may_be_missing_but_not_differ(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)
    random_state = saved("random_state", [1, 2], optional=True)
    manager_of(tmp_path, blank("w", []), random_state).restore_latest()
    np.testing.assert_array_equal(random_state.variable.numpy(), [1, 2])
    with pytest.raises(CheckpointMismatchError, match="w: shape"):
        manager_of(tmp_path, blank("w", [2], optional=True)).restore_latest()


def test_tensorflow_warm_starts_from_it(tmp_path: pathlib.Path) -> None:
    manager_of(tmp_path, saved("w", [1.0, 2.0])).save(3)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        weights = tf.compat.v1.get_variable("w", [2])
        tf.compat.v1.train.warm_start(str(tmp_path))
        session.run(weights.initializer)
        np.testing.assert_array_equal(session.run(weights), [1.0, 2.0])
