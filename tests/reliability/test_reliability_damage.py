"""Damaged directories by the hundred: each is restored from what is intact, or refused by name."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import DamagedCheckpointError
from keras_legacy_train.checkpoints import (
    CheckpointManager,
    CheckpointState,
    NamedVariables,
    SavedVariable,
    TrackedObjects,
)

STEPS = (1, 2, 3)


pytestmark = pytest.mark.usefixtures("eager_mode")


class Model(tf.Module):
    """Variables of several kinds, all of which tell the step."""

    def __init__(self) -> None:
        super().__init__()
        self.w = tf.Variable(tf.zeros([100, 3]), name="w")
        self.count = tf.Variable(0, dtype=tf.int64, name="count")
        self.text = tf.Variable("", name="text")

    def go_to(self, step: int) -> None:
        self.w.assign(tf.fill([100, 3], float(step)))
        self.count.assign(step)
        self.text.assign(f"step {step} " * 10)

    def step(self) -> int:
        """The step that all of them tell."""
        step = int(self.count.numpy())
        np.testing.assert_array_equal(self.w.numpy(), np.full([100, 3], step))
        assert self.text.numpy().decode() == f"step {step} " * 10
        return step


def named(model: Model) -> CheckpointState:
    return NamedVariables([SavedVariable(v.name, v) for v in (model.w, model.count, model.text)])


def tracked(model: Model) -> CheckpointState:
    return TrackedObjects({"model": model})


def opened(directory: Path, state: CheckpointState) -> CheckpointManager:
    return CheckpointManager(str(directory), state, max_to_keep=None, meta_graph=lambda: b"graph")


# Ways to damage a file: each gets its contents and returns others, or `None` for no file.


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    flipped = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 8])):
        if flipped:
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def truncate(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def overwrite(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    garbage = chance.choice([bytes(64), chance.randbytes(64), b"\xff" * 64])
    return data[:start] + garbage[: len(data) - start] + data[start + 64 :]


def replace(data: bytes, chance: random.Random) -> bytes:
    return chance.choice([b"", b"garbage {", chance.randbytes(len(data)), bytes(len(data)), data + data])


def delete(data: bytes, chance: random.Random) -> None:
    return None


def swap_text(data: bytes, chance: random.Random) -> bytes:
    """Has a `checkpoint` file name others."""
    return data.replace(b"-3", chance.choice([b"-1", b"-9", b"-3x", b"", b"-\xff", b"/../../etc/passwd"]))


WAYS: list[Callable[[bytes, random.Random], bytes | None]] = [
    flip_bits,
    flip_bits,
    truncate,
    overwrite,
    replace,
    delete,
    swap_text,
]


def damage(directory: Path, chance: random.Random) -> None:
    """Damages a few of the files, more often those of the newest checkpoint and the list."""
    files = sorted(directory.iterdir())
    weights = [4 if "-3" in path.name or path.name == "checkpoint" else 1 for path in files]
    for path in chance.choices(files, weights, k=chance.choice([1, 1, 2, 4, 10])):
        if not path.exists():
            continue
        if chance.random() < 0.15:  # a file of another checkpoint, or of another kind
            other = chance.choice([each for each in files if each.exists()])
            path.write_bytes(other.read_bytes())
            continue
        damaged = chance.choice(WAYS)(path.read_bytes(), chance)
        path.unlink() if damaged is None else path.write_bytes(damaged)


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("count", [50, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("state", [named, tracked])
def test_law_damage_is_passed_over_or_refused(
    state: Callable[[Model], CheckpointState], count: int, tmp_path: Path
) -> None:
    """Nothing is deleted, and what is restored is all of one step."""
    model = Model()
    intact = tmp_path / "intact"
    manager = opened(intact, state(model))
    for step in STEPS:
        model.go_to(step)
        manager.save(step)
    outcomes = []
    for seed in range(count):
        chance = random.Random(seed)
        directory = tmp_path / "damaged"
        shutil.copytree(intact, directory)
        damage(directory, chance)
        before = contents(directory)
        model.go_to(0)
        manager = opened(directory, state(model))
        try:
            prefix = manager.restore_latest()
        except DamagedCheckpointError as error:
            assert model.step() == 0 and error.problems, seed
            outcomes.append("refused")
        else:
            assert prefix is not None, seed
            step = int(prefix.rpartition("-")[2])
            # A pair of files that was put in another's place is as intact as the other.
            assert model.step() in STEPS, seed
            outcomes.append("the newest" if step == 3 else "an earlier one")
            assert contents(directory) == before, seed
            model.go_to(7)
            assert manager.save(7) is not None
            kept = {data for name, data in contents(directory).items() if name != "checkpoint"}
            assert kept >= {data for name, data in before.items() if name != "checkpoint"}, seed
        if outcomes[-1] == "refused":
            assert contents(directory) == before, seed
        shutil.rmtree(directory)
    assert set(outcomes) == {"refused", "the newest", "an earlier one"}
    assert outcomes.count("an earlier one") > count / 5
