"""Any sequence of runs and mishaps in one directory does what a model in Python says."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from checkpoint_helpers import data_file, flip_a_bit, index_file, manager_of, truncate
from crash_server import counting_graph
from crashes import CrashServer
from helpers import Recorder, checkpoint_numbers, checkpoint_values
from keras_legacy_train import DamagedCheckpointError, NanLossDuringTrainingError, train
from keras_legacy_train._tensorflow import eager_mode
from keras_legacy_train.checkpoints import CheckpointIndex
from keras_legacy_train.checkpoints.leftovers import clean_up
from keras_legacy_train.errors import CheckpointSaveError
from keras_legacy_train.testing import Fault, FaultInjector, InjectedError, full_disk

ENTRIES = 64
IN_PLACE = re.compile(r"model\.ckpt-[0-9]+\.(index|data-00000-of-00001)").fullmatch


RAISED = {
    "nan": NanLossDuringTrainingError,
    "error": InjectedError,
    "sigterm": SystemExit,
    "interrupt": KeyboardInterrupt,
    "full disk": CheckpointSaveError,
}
INJECTED = ("error", "sigterm", "interrupt")


@dataclasses.dataclass(frozen=True)
class Run:
    """A run and, in Python, what must come of it.

    Attributes:
        start: The global step before it.
        steps: How many steps it is to do.
        is_new: Whether there is no checkpoint yet.
        always: Whether it saves after every step, and not only at the end.
        mishap: What happens in it, and the step at which that does.
    """

    start: int
    steps: int
    is_new: bool
    always: bool
    mishap: tuple[str, int] | None

    @property
    def end(self) -> int:
        return self.start + self.steps

    @property
    def kind(self) -> str | None:
        """The mishap, if the run gets there."""
        if self.mishap is None or self.mishap[1] > self.end:
            return None
        if self.mishap[0] == "full disk" and not self.always and self.mishap[1] < self.end:
            return None  # nothing is saved then
        return self.mishap[0]

    @property
    def at(self) -> int:
        assert self.mishap is not None
        return self.mishap[1]

    @property
    def done(self) -> int:
        """The last step."""
        if self.kind is None:
            return self.end
        return self.at if self.kind != "full disk" else min(self.at + 1, self.end)

    @property
    def saved(self) -> list[int]:
        """The checkpoints it adds, in order."""
        between = list(range(self.start + 1, self.done)) if self.always else []
        if self.kind == "full disk":
            between = [step for step in between if step != self.at]
        failed_last = self.kind == "nan" or (self.kind == "full disk" and not self.always)
        last = [self.done] if self.done > self.start and not failed_last else []
        return [0] * self.is_new + between + last


class Directory(RuleBasedStateMachine):
    """A directory, and what must be in it.

    Attributes:
        good: The steps of the checkpoints that are kept and intact, ascending.
        damaged: What the files of the others hold, which nobody may delete.
    """

    server: CrashServer

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp())
        self.good: list[int] = []
        self.damaged: list[bytes] = []

    def teardown(self) -> None:
        shutil.rmtree(self.path)

    @property
    def is_refused(self) -> bool:
        """Whether there are checkpoints, and none of them is intact.

        A damaged one of step 0, and no list, is what is left of a first save that was cut short.
        """
        names = [path.name for path in self.path.iterdir()]
        steps = {
            step_of(name.partition(".index")[0].partition(".data")[0]) for name in names if IN_PLACE(name)
        }
        return not self.good and bool(steps) and ("checkpoint" in names or steps != {0})

    @property
    def start(self) -> int:
        return self.good[-1] if self.good else 0

    # What people do, and what happens to them.

    @rule(
        steps=st.integers(0, 5),
        by_target=st.booleans(),
        always=st.booleans(),
        keep=st.sampled_from([None, 1, 2, 3]),
        mishap=st.none() | st.tuples(st.sampled_from(sorted(RAISED)), st.integers(1, 4)),
    )
    def train(
        self, steps: int, by_target: bool, always: bool, keep: int | None, mishap: tuple[str, int] | None
    ) -> None:
        if mishap is not None:
            mishap = mishap[0], self.start + mishap[1]
        run = Run(self.start, steps, not self.good, always, mishap)
        recorder = Recorder()
        fault = Fault(run.kind, run.at) if run.kind in INJECTED else None
        graph, train_op, loss = counting_graph(ENTRIES, run.at if run.kind == "nan" else None)
        refused = self.is_refused
        raised = DamagedCheckpointError if refused else RAISED.get(run.kind or "")
        with (
            pytest.raises(raised) if raised else contextlib.nullcontext(),
            full_disk(run.at, once=True) if run.kind == "full disk" else contextlib.nullcontext(),
        ):
            train(
                graph,
                self.path,
                train_op,
                loss,
                monitors=[recorder, FaultInjector(fault)],
                keep_checkpoint_max=keep,
                supervisor_save_model_secs=1e-9 if always else None,
                max_window=1,
                **({"max_steps": run.end} if by_target else {"steps": steps}),
            )
        if refused:
            assert recorder.calls == []
            return
        assert recorder.calls[-1] == ["end"]
        assert recorder.steps("step_end") == list(range(run.start + 1, run.done + 1))
        for step in run.saved:
            self.good = [*self.good, step][-(keep or 0) :]

    @precondition(lambda self: not self.is_refused)
    @rule(operation=st.integers(1, 80), steps=st.integers(1, 3), keep=st.sampled_from([1, 2]))
    def is_killed(self, operation: int, steps: int, keep: int) -> None:
        """In the midst of its files."""
        outcome = self.server.run(
            "train_graph",
            kill_before=operation,
            directory=str(self.path),
            max_steps=self.start + steps,
            megabytes=ENTRIES / 2**17,
            keep_checkpoint_max=keep,
            supervisor_save_model_secs=1e-9,
            max_window=1,
        )
        assert outcome.was_killed or outcome.returncode == 0, outcome.output
        before = self.start if self.good else -1
        with eager_mode():
            clean_up(CheckpointIndex(str(self.path)))  # as the next run does
            found = manager_of(self.path)
            newest = found.latest
            self.good = [step_of(prefix) for prefix in found.checkpoints]
        assert before <= (-1 if newest is None else step_of(newest)) <= before + steps + 1
        (self.path / ".trainer.lock").unlink(missing_ok=True)

    @precondition(lambda self: self.good)
    @rule(
        place=st.sampled_from([index_file, data_file]),
        harm=st.sampled_from([truncate, flip_a_bit, os.remove]),
    )
    def newest_is_damaged(self, place: Callable[[Path, int], Path], harm: Callable[[Path], None]) -> None:
        step = self.good.pop()
        harm(place(self.path, step))
        files = [path(self.path, step) for path in (index_file, data_file)]
        self.damaged += [path.read_bytes() for path in files if path.exists()]

    @precondition(lambda self: (self.path / "checkpoint").exists())
    @rule(garbage=st.sampled_from([b"", b"garbage {", b"\xff\xfe", None]))
    def list_is_lost(self, garbage: bytes | None) -> None:
        if garbage is None:
            (self.path / "checkpoint").unlink()
        else:
            (self.path / "checkpoint").write_bytes(garbage)

    @precondition(lambda self: self.is_refused)
    @rule()
    def begins_anew(self) -> None:
        """Having moved everything away, as the error says."""
        shutil.rmtree(self.path)
        self.path.mkdir()
        self.damaged = []

    # What must be true at any time.

    @invariant()
    def the_newest_intact_checkpoint_is_found(self) -> None:
        with eager_mode():
            if self.is_refused:
                with pytest.raises(DamagedCheckpointError):
                    _ = manager_of(self.path).latest
                return
            prefix = manager_of(self.path).latest
        assert prefix == (str(self.path / f"model.ckpt-{self.start}") if self.good else None)
        if prefix is not None:
            values = checkpoint_values(self.path, os.path.basename(prefix))
            for name in ("a", "b", "global_step"):
                np.testing.assert_array_equal(np.unique(values[name]), [self.start])

    @invariant()
    def as_many_are_kept_as_shall_be(self) -> None:
        assert set(self.good) <= set(checkpoint_numbers(self.path))

    @invariant()
    def damaged_files_are_kept(self) -> None:
        contents = [path.read_bytes() for path in self.path.iterdir() if path.is_file()]
        assert all(data in contents for data in self.damaged)

    @invariant()
    def nothing_is_left_over(self) -> None:
        ends = (".lock", ".temporary", ".unfinished", "_temp")
        assert not [path.name for path in self.path.iterdir() if path.name.endswith(ends)]


def step_of(prefix: str) -> int:
    return int(prefix.rpartition("-")[2])


def run_machine(max_examples: int, steps: int) -> None:
    with CrashServer() as server:
        Directory.server = server
        run_state_machine_as_test(
            Directory, settings=settings(max_examples=max_examples, stateful_step_count=steps)
        )


def test_any_sequence_of_runs_and_mishaps() -> None:
    run_machine(max_examples=4, steps=8)


@pytest.mark.slow
def test_many_sequences_of_runs_and_mishaps() -> None:
    run_machine(max_examples=60, steps=25)
