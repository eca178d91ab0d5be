"""Finding the newest intact checkpoint among damaged, incomplete and unlisted ones."""

from __future__ import annotations

import os
import pathlib
import random
import shutil
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from checkpoint_helpers import (
    blank,
    data_file,
    empty,
    flip_a_bit,
    index_file,
    listed,
    manager_of,
    names,
    resume,
    saved,
    truncate,
    write,
)
from keras_legacy_train.checkpoints.reading import find_damage
from keras_legacy_train.checkpoints.sorted_table import read_table
from keras_legacy_train.checkpoints.variables import count_not_finite, not_finite
from keras_legacy_train.errors import DamagedCheckpointError

pytestmark = pytest.mark.usefixtures("eager_mode", "log")


def test_an_empty_or_missing_directory_holds_none(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert resume(tmp_path) == (None, None)
    manager = manager_of(tmp_path / "missing", saved("w", 1.0))
    assert manager.latest is None and manager.restore_latest() is None and manager.checkpoints == []
    assert not (tmp_path / "missing").exists()
    assert caplog.messages == []


@pytest.mark.parametrize(
    "garbage", [None, b"", b"\xff\xfe\x00", b"garbage {", b'all_model_checkpoint_paths: "a"']
)
def test_without_a_readable_list_the_highest_step_is_used(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture, garbage: bytes | None
) -> None:
    write(tmp_path, 9, 10, 11)
    truncate(data_file(tmp_path, 11))
    if garbage is None:
        (tmp_path / "checkpoint").unlink()
    else:
        (tmp_path / "checkpoint").write_bytes(garbage)
    caplog.clear()
    assert resume(tmp_path) == ("model.ckpt-10", 10.0)
    missing, damaged = [record for record in caplog.records if record.name == "keras_legacy_train"]
    assert f"{tmp_path}/checkpoint is missing or unreadable" in missing.getMessage()
    assert f"Checkpoint {tmp_path}/model.ckpt-11 is damaged and passed over" in damaged.getMessage()
    assert missing.levelname == damaged.levelname == "WARNING"
    write(tmp_path, 12)
    assert [os.path.basename(path) for path in listed(tmp_path)][-1] == "model.ckpt-12"


def test_garbage_without_checkpoints_does_not_stop_a_new_run(tmp_path: pathlib.Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"")
    assert resume(tmp_path) == (None, None)
    write(tmp_path, 1)
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)
    assert "checkpoint.damaged" in names(tmp_path)


@pytest.mark.parametrize("file", [index_file, data_file])
@pytest.mark.parametrize("harm", [os.remove, truncate, empty, flip_a_bit])
def test_a_damaged_newest_is_passed_over(
    tmp_path: pathlib.Path,
    caplog: pytest.LogCaptureFixture,
    file: Callable[[pathlib.Path, int], pathlib.Path],
    harm: Callable[[pathlib.Path], None],
) -> None:
    write(tmp_path, 1, 2, 3)
    harm(file(tmp_path, 3))
    before = names(tmp_path)
    caplog.clear()
    w = blank("w", [])
    manager = manager_of(tmp_path, w)
    assert manager.restore_latest() == manager.latest == str(tmp_path / "model.ckpt-2")
    assert w.variable.numpy() == 2
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages[0].startswith(f"Checkpoint {tmp_path}/model.ckpt-3 is damaged and passed over: ")
    assert manager.checkpoints == [str(tmp_path / f"model.ckpt-{step}") for step in (1, 2)]
    assert names(tmp_path) == before


def test_swapped_data_is_damage(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1, 2)
    shutil.copy(data_file(tmp_path, 1), data_file(tmp_path, 2))
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)


def save_in_shards(prefix: str, **values: tf.Tensor) -> None:
    """Writes each tensor to a data file of its own, as a sharded Saver does with several devices."""
    shards = [f"{prefix}_temp/{name}" for name in values]
    for shard, (name, value) in zip(shards, values.items(), strict=True):
        tf.raw_ops.SaveV2(prefix=shard, tensor_names=[name], shape_and_slices=[""], tensors=[value])
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=shards, destination_prefix=prefix)


def test_shards_are_read_and_a_missing_one_is_damage(tmp_path: pathlib.Path) -> None:
    prefix = str(tmp_path / "model.ckpt-5")
    save_in_shards(prefix, w=tf.constant(5.0), v=tf.constant([1, 2]))
    assert resume(tmp_path) == ("model.ckpt-5", 5.0)
    os.remove(prefix + ".data-00001-of-00002")
    with pytest.raises(DamagedCheckpointError, match=r"model\.ckpt-5"):
        resume(tmp_path)


def test_falls_back_to_an_intact_one_that_is_not_listed(tmp_path: pathlib.Path) -> None:
    """`keep_checkpoint_max=0` in TF 1 kept all and listed only the newest."""
    write(tmp_path, 7, 8)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-8"\n')
    truncate(data_file(tmp_path, 8))
    assert resume(tmp_path) == ("model.ckpt-7", 7.0)


def test_the_list_decides_over_the_numbers(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1, 2, 3)
    (tmp_path / "checkpoint").write_text(
        'model_checkpoint_path: "model.ckpt-2"\n'
        + "".join(f'all_model_checkpoint_paths: "model.ckpt-{n}"\n' for n in (1, 2, 3))
    )
    assert resume(tmp_path) == ("model.ckpt-2", 2.0)


@pytest.mark.parametrize("state", ["kept", "gone", "garbage"])
def test_none_intact_is_an_error_that_names_all(tmp_path: pathlib.Path, state: str) -> None:
    write(tmp_path, 0, 1, 2)
    os.remove(index_file(tmp_path, 0))
    os.remove(data_file(tmp_path, 1))
    flip_a_bit(data_file(tmp_path, 2))
    if state == "gone":
        (tmp_path / "checkpoint").unlink()
    elif state == "garbage":
        (tmp_path / "checkpoint").write_bytes(b"\x00")
    manager = manager_of(tmp_path, blank("w", []))
    for _ in range(2):
        with pytest.raises(DamagedCheckpointError) as caught:
            manager.restore_latest()
        assert caught.value.directory == str(tmp_path)
        assert sorted(problem.partition(":")[0] for problem in caught.value.problems) == [
            str(tmp_path / f"model.ckpt-{step}") for step in (0, 1, 2)
        ]


def test_a_list_of_checkpoints_that_are_gone_is_an_error(tmp_path: pathlib.Path) -> None:
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-8"\n')
    with pytest.raises(DamagedCheckpointError, match=r"model\.ckpt-8"):
        resume(tmp_path)


def test_a_first_save_cut_short_is_no_checkpoint(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 0)
    index_file(tmp_path, 0).unlink()
    (tmp_path / "checkpoint").unlink()
    assert resume(tmp_path) == (None, None)
    write(tmp_path, 0)
    assert resume(tmp_path) == ("model.ckpt-0", 0.0)


def test_what_a_killed_save_leaves_is_no_hindrance(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)
    (tmp_path / "model.ckpt-2_temp").mkdir()
    (tmp_path / "model.ckpt-2_temp" / "part-00000-of-00001.data-00000-of-00001").write_bytes(b"torn")
    data_file(tmp_path, 2).write_bytes(b"torn")
    (tmp_path / "model.ckpt-2.meta.temporary").write_bytes(b"torn")
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)
    write(tmp_path, 2)
    assert resume(tmp_path) == ("model.ckpt-2", 2.0)


def test_damage_after_the_last_save_is_seen(tmp_path: pathlib.Path) -> None:
    manager = write(tmp_path, 1, 2)
    truncate(data_file(tmp_path, 2))
    assert manager.latest == str(tmp_path / "model.ckpt-1")
    assert manager.save(2) == str(tmp_path / "model.ckpt-2")
    assert manager.checkpoints == [str(tmp_path / f"model.ckpt-{step}") for step in (1, 2)]


@pytest.mark.parametrize("file", [index_file, data_file])
def test_law_a_flipped_bit_never_goes_unseen(
    tmp_path: pathlib.Path, file: Callable[[pathlib.Path, int], pathlib.Path]
) -> None:
    """Either it is told, or it lies where nothing is stored and the values are right."""
    write(tmp_path, 1, 2)
    path = file(tmp_path, 2)
    original = path.read_bytes()
    for position in random.Random(0).sample(range(len(original)), min(len(original), 40)):
        flip_a_bit(path, position)
        assert resume(tmp_path) in (("model.ckpt-1", 1.0), ("model.ckpt-2", 2.0))
        path.write_bytes(original)
    flip_a_bit(path, 0)
    assert resume(tmp_path) == ("model.ckpt-1", 1.0)


def test_a_variable_of_which_there_are_only_parts_is_read_part_by_part(tmp_path: pathlib.Path) -> None:
    prefix = str(tmp_path / "model.ckpt-1")
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=["part_1/Ftrl", "w"],
        shape_and_slices=["5 2 3,2:-", ""],
        tensors=[tf.ones([2, 2]), tf.zeros([3])],
    )
    assert find_damage(prefix) is None
    data = tmp_path / "model.ckpt-1.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[content.index(np.float32(1).tobytes())] ^= 1
    data.write_bytes(content)
    assert "hecksum" in str(find_damage(prefix))


def test_a_file_that_is_replaced_while_it_is_opened_is_not_read(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 1)
    fifo, path = tmp_path / "fifo", index_file(tmp_path, 1)
    os.mkfifo(fifo)
    really_open, opened = os.open, []

    def open_another(name: object, flags: int) -> int:
        opened.append(really_open(fifo, flags))
        return opened[-1]

    monkeypatch.setattr(os, "open", open_another)
    with pytest.raises(OSError, match="not a regular file"):
        list(read_table(str(path)))
    monkeypatch.undo()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened[0])


def test_large_values_are_looked_at_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_legacy_train.checkpoints.variables._PIECE", 4)
    whole = tf.reshape(tf.range(12.0), [3, 4])
    bad = tf.tensor_scatter_nd_update(whole, [[2, 3], [2, 2]], [float("nan"), float("inf")])
    assert not_finite([("whole", whole), ("bad", bad)]) == ["bad"]
    assert count_not_finite([("bad", bad)]) == [("bad", 1, 1, 12)]
