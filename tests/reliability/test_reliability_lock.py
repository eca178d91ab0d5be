"""One trainer at a time in a directory, whatever became of the one before."""

from __future__ import annotations

import dataclasses
import errno
import json
import logging
import os
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_legacy_train import DirectoryInUseError
from keras_legacy_train.checkpoints import directory_lock
from keras_legacy_train.checkpoints.directory_lock import DirectoryLock
from keras_legacy_train.checkpoints.process_identity import ProcessIdentity

LOCK = ".trainer.lock"
TOKEN = "ab" * 16  # of the other trainer


def ended_process() -> ProcessIdentity:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return dataclasses.replace(ProcessIdentity.own(), pid=process.pid)


def put_lock(directory: Path, process: ProcessIdentity, seconds_ago: float = 0.0) -> None:
    """Leaves the lock of another trainer, last seen some time ago."""
    path = directory / LOCK
    path.write_text(json.dumps({**dataclasses.asdict(process), "token": TOKEN}))
    date = path.stat().st_mtime - seconds_ago
    os.utime(path, (date, date))


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


OWN = ProcessIdentity.own()
ELSEWHERE = ProcessIdentity(1, "elsewhere", "1", "another boot", "pid:[1]")


def test_a_lock_names_its_holder_and_is_gone_afterwards(tmp_path: Path) -> None:
    with DirectoryLock(str(tmp_path)):
        holder = json.loads((tmp_path / LOCK).read_text())
        assert holder["pid"] == os.getpid() and holder["host"] == socket.gethostname()
        assert names(tmp_path) == [LOCK]
        with pytest.raises(DirectoryInUseError) as raised, DirectoryLock(str(tmp_path)):
            pass
        assert (raised.value.pid, raised.value.host) == (os.getpid(), socket.gethostname())
        assert names(tmp_path) == [LOCK]
    assert names(tmp_path) == []


def test_a_directory_that_was_made_for_nothing_is_removed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), DirectoryLock(str(tmp_path / "a" / "b")):
        raise ZeroDivisionError
    assert names(tmp_path) == []
    with DirectoryLock(str(tmp_path / "a" / "b")):
        (tmp_path / "a" / "b" / "file").touch()
    assert names(tmp_path / "a" / "b") == ["file"]
    with DirectoryLock(str(tmp_path)):
        pass
    assert tmp_path.is_dir()


STALE = {
    "process has ended": lambda: (ended_process(), 0.0),
    "number was given to another process": lambda: (dataclasses.replace(OWN, started="1"), 0.0),
    "machine was started anew": lambda: (dataclasses.replace(OWN, boot="earlier"), 1e9),
    "no sign from elsewhere": lambda: (ELSEWHERE, DirectoryLock.STALE_AFTER + 1),
    "no sign from another container": lambda: (
        dataclasses.replace(OWN, namespace="pid:[1]"),
        DirectoryLock.STALE_AFTER + 1,
    ),
    "written by an earlier version": lambda: (ProcessIdentity(ended_process().pid, OWN.host), 0.0),
}
ALIVE = {
    "this process": lambda: (OWN, 1e9),
    "elsewhere": lambda: (ELSEWHERE, DirectoryLock.STALE_AFTER - 1),
    "another machine of this name": lambda: (dataclasses.replace(OWN, boot="its own"), 0.0),
    "another container": lambda: (dataclasses.replace(OWN, namespace="pid:[1]"), 0.0),
    "another user's process": lambda: (ProcessIdentity(1, OWN.host), 1e9),
}


@pytest.mark.parametrize("case", STALE)
def test_a_stale_lock_is_taken_over(case: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    process, seconds_ago = STALE[case]()
    put_lock(tmp_path, process, seconds_ago)
    with DirectoryLock(str(tmp_path)) as lock:
        assert json.loads((tmp_path / LOCK).read_text())["token"] != TOKEN
        lock.check()
        assert names(tmp_path) == [LOCK]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Taking over" in caplog.text and str(process.pid) in caplog.text
    assert names(tmp_path) == []


@pytest.mark.parametrize("case", ALIVE)
def test_a_holder_that_lives_is_left_alone(case: str, tmp_path: Path) -> None:
    process, seconds_ago = ALIVE[case]()
    put_lock(tmp_path, process, seconds_ago)
    before = (tmp_path / LOCK).read_text()
    with pytest.raises(DirectoryInUseError) as raised, DirectoryLock(str(tmp_path)):
        pass
    assert (raised.value.pid, raised.value.host) == (process.pid, process.host)
    assert (tmp_path / LOCK).read_text() == before and names(tmp_path) == [LOCK]


def test_a_process_of_another_user_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "kill", refuse)
    assert OWN.is_running() is True


def test_a_process_is_known_by_its_number_where_there_is_no_proc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keras_legacy_train.checkpoints.process_identity._PROC", tmp_path)
    own = ProcessIdentity.own()
    assert own == ProcessIdentity(os.getpid(), socket.gethostname())
    assert own.is_running() is True
    assert dataclasses.replace(own, host="elsewhere").is_running() is None


def test_a_zombie_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read()  # ends with the process
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert dataclasses.replace(OWN, pid=process.pid, started=None).is_running() is False
    process.wait()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[1]",
        b"null",
        b'{"pid": "x"}',
        b'{"pid": -1, "host": "h"}',
        b'{"pid": 0, "host": "h"}',
        f'{{"pid": 99999999999999999999, "host": "{OWN.host}", "token": "../../x"}}'.encode(),
        b"[" * 100_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"pid": Infinity, "host": "h"}',
        b'{"pid": -Infinity, "host": "h"}',
        b'{"pid": NaN, "host": "h"}',
        b'{"pid": 1e999, "host": "h"}',
        b'{"pid": 7' + b"0" * 4000 + b', "host": "elsewhere"}',
        b'{"pid": 7' + b"0" * 9000 + b', "host": "elsewhere"}',
        b'{"pid": 7, "host": {"a": [1]}}',
        b'{"pid": 7, "host": "\\u001b[2J\\n"}',
        b'{"pid": 7, "host": "\\ud800"}',
        b"{}" + b" " * 2**20,
    ],
)
def test_a_lock_that_cannot_be_read_is_taken_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / LOCK).write_bytes(content)
    with DirectoryLock(str(tmp_path)):
        assert names(tmp_path) == [LOCK]
    assert names(tmp_path) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "pid": JSON | st.integers(min_value=2**30) | st.sampled_from([0, -1, True, 1.5, "7", 2**31, 2**32]),
        "host": JSON | st.sampled_from([OWN.host, "elsewhere"]),
        "started": JSON,
        "boot": JSON | st.just(OWN.boot),
        "namespace": JSON | st.just(OWN.namespace),
        "token": JSON | st.just(TOKEN),
    },
)


@settings(max_examples=300)
@given(content=JSON | FIELDS)
def test_law_whatever_a_lock_says_the_directory_is_ours_or_in_use(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    directory = tmp_path_factory.getbasetemp() / "json"
    directory.mkdir(exist_ok=True)
    (directory / LOCK).write_text(json.dumps(content))
    try:
        with DirectoryLock(str(directory)) as lock:
            lock.check()
    except DirectoryInUseError as error:
        assert content["pid"] == error.pid > 0 and content["host"] == error.host
        (directory / LOCK).unlink()
    assert names(directory) == []


def test_a_lock_from_which_nothing_is_equal_to_itself_is_taken_over(tmp_path: Path) -> None:
    """Else the lock would look like that of a new holder each time, for ever."""
    fields = {**dataclasses.asdict(ended_process()), "token": TOKEN, "started": float("nan")}
    (tmp_path / LOCK).write_text(json.dumps(fields))
    with DirectoryLock(str(tmp_path)):
        assert names(tmp_path) == [LOCK]


@pytest.mark.parametrize("kind", ["FIFO", "device", "sparse", "directory", "directory with a file"])
def test_a_lock_that_is_no_plain_file_is_taken_over(kind: str, tmp_path: Path) -> None:
    path = tmp_path / LOCK
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "sparse":
        with path.open("wb") as file:
            file.truncate(2**31)
    else:
        path.mkdir()
        if kind == "directory with a file":
            (path / "file").touch()
    with DirectoryLock(str(tmp_path)) as lock:
        lock.check()
        assert path.is_file() and not path.is_symlink()
    assert not path.exists()


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_replaced_and_what_it_leads_to_left_alone(exists: bool, tmp_path: Path) -> None:
    target = tmp_path / "target"
    if exists:
        target.write_text(json.dumps(dataclasses.asdict(OWN)))
    (tmp_path / LOCK).symlink_to(target)
    with DirectoryLock(str(tmp_path)):
        assert not (tmp_path / LOCK).is_symlink()
    assert names(tmp_path) == (["target"] if exists else [])


def test_it_works_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "link", refuse)
    put_lock(tmp_path, ELSEWHERE, 1e9)
    with DirectoryLock(str(tmp_path)):
        with pytest.raises(DirectoryInUseError), DirectoryLock(str(tmp_path)):
            pass
        assert names(tmp_path) == [LOCK]
    assert names(tmp_path) == []


def test_a_file_system_without_room_is_no_lock_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OSError, match="No space left on device"), DirectoryLock(str(tmp_path)):
        pass
    assert names(tmp_path) == []


def test_a_link_whose_answer_was_lost_is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network file system sends a request again whose answer does not come; the second is refused."""
    link = os.link

    def link_twice(*arguments: Any) -> None:
        link(*arguments)
        link(*arguments)

    monkeypatch.setattr(os, "link", link_twice)
    with DirectoryLock(str(tmp_path)):
        assert names(tmp_path) == [LOCK]
    assert names(tmp_path) == []


# While it is held.


@pytest.fixture
def quick_heart(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets hearts beat all the time; returns what waits for the next beat."""
    monkeypatch.setattr(DirectoryLock, "HEARTBEAT", 0.001)
    beat = threading.Event()
    utime = os.utime

    def noted_utime(path: Any, *arguments: Any) -> None:
        utime(path, *arguments)
        if not arguments:
            beat.set()

    monkeypatch.setattr(os, "utime", noted_utime)

    def wait() -> None:
        beat.clear()
        assert beat.wait(10)

    return wait


def test_the_date_is_renewed_while_the_lock_is_held(tmp_path: Path, quick_heart: Callable[[], None]) -> None:
    with DirectoryLock(str(tmp_path)):
        os.utime(tmp_path / LOCK, (1e9, 1e9))
        quick_heart()
        assert (tmp_path / LOCK).stat().st_mtime > 1.1e9
    assert not [thread for thread in threading.enumerate() if "lock" in thread.name]


def test_the_lock_of_a_successor_is_neither_renewed_nor_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DirectoryLock, "HEARTBEAT", 0.001)
    with DirectoryLock(str(tmp_path)) as lock:
        put_lock(tmp_path, ELSEWHERE, 1e9)
        with pytest.raises(DirectoryInUseError, match="Process 1 on elsewhere"):
            lock.check()
    assert names(tmp_path) == [LOCK]
    assert (tmp_path / LOCK).stat().st_mtime < 1e9


def test_a_directory_that_is_gone_is_no_matter_for_the_lock(tmp_path: Path) -> None:
    with DirectoryLock(str(tmp_path / "run")) as lock:
        (tmp_path / "run").rename(tmp_path / "away")
        lock.check()
    assert names(tmp_path / "away") == [LOCK]


def test_a_child_of_the_holder_does_not_release_the_lock(tmp_path: Path) -> None:
    with DirectoryLock(str(tmp_path)) as lock:
        lock._released.set()  # the child has no heart to wait for
        lock._heart.join()
        child = os.fork()
        if child == 0:
            lock._heart = None
            lock.__exit__()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert names(tmp_path) == [LOCK]


def test_litter_is_removed_when_it_is_old(tmp_path: Path) -> None:
    for name, age in (("old", 1e9), ("new", 0.0)):
        path = tmp_path / f"{LOCK}.{name}"
        path.touch()
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    with DirectoryLock(str(tmp_path)):
        assert names(tmp_path) == [LOCK, f"{LOCK}.new"]


# Several at once.


class Stage:
    """Runs threads one at a time, and lets chance decide at each of their file operations who goes on."""

    def __init__(self, seed: int, actors: int):
        self._random = random.Random(seed)
        self._turn = threading.Condition()
        self._actors = set(range(actors))
        self._current = self._random.randrange(actors)
        self._names = threading.local()

    def play(self, act: Callable[[int], None]) -> None:
        def run(actor: int) -> None:
            self._names.actor = actor
            with self._turn:
                self._turn.wait_for(lambda: self._current == actor)
            try:
                act(actor)
            finally:
                with self._turn:
                    self._actors.discard(actor)
                    self._next()

        threads = [threading.Thread(target=run, args=(actor,)) for actor in sorted(self._actors)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def pause(self) -> None:
        """Called by an actor where another one may come in between."""
        actor = getattr(self._names, "actor", None)
        if actor is None:
            return
        with self._turn:
            self._next()
            self._turn.wait_for(lambda: self._current == actor)

    def _next(self) -> None:
        if self._actors:
            self._current = self._random.choice(sorted(self._actors))
            self._turn.notify_all()


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Stage]]:
    """The stage, once one is put into the list, is told of every file operation of a lock."""
    stages: list[Stage] = []

    def pausing(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            stages[-1].pause()
            return function(*arguments, **options)

        return call

    for name in ("link", "replace", "unlink", "lstat"):
        monkeypatch.setattr(os, name, pausing(getattr(os, name)))
    monkeypatch.setattr(directory_lock, "read_regular", pausing(directory_lock.read_regular))
    for name in ("unlink", "lstat", "open"):
        monkeypatch.setattr(Path, name, pausing(getattr(Path, name)))
    monkeypatch.setattr(DirectoryLock, "HEARTBEAT", 1e6)
    yield stages


def compete(directory: Path, stage: Stage) -> list[str]:
    """Has the actors enter and leave a lock; returns what came of it for each."""
    outcomes: list[str] = []
    holders: list[int] = []

    def act(actor: int) -> None:
        try:
            with DirectoryLock(str(directory)) as lock:
                holders.append(actor)
                assert holders == [actor], "two hold the lock"
                stage.pause()
                lock.check()
                holders.remove(actor)
            outcomes.append("held")
        except DirectoryInUseError:
            outcomes.append("refused")
        except BaseException as error:
            outcomes.append(repr(error))

    stage.play(act)
    return outcomes


@pytest.mark.parametrize("left", ["nothing", "a stale lock", "a stale lock and a stale claim to it"])
def test_law_of_several_at_once_one_gets_the_lock(left: str, tmp_path: Path, paused: list[Stage]) -> None:
    """Over hundreds of orders in which their file operations follow each other."""
    held = set()
    for seed in range(150):
        directory = tmp_path / str(seed)
        directory.mkdir()
        paused.append(Stage(seed, actors=3))
        if left != "nothing":
            put_lock(directory, ELSEWHERE, 1e9)
        if left == "a stale lock and a stale claim to it":
            claim = (directory / LOCK).rename(directory / f"{LOCK}.after-{TOKEN}")
            claim.write_text(claim.read_text().replace(TOKEN, "cd" * 16))
            os.utime(claim, (1e8, 1e8))
            put_lock(directory, ELSEWHERE, 1e9)
        outcomes = compete(directory, paused[-1])
        assert set(outcomes) <= {"held", "refused"} and "held" in outcomes, seed
        assert names(directory) == [], seed
        held.add(outcomes.count("held"))
    assert {1, 2} <= held  # at the same time, and one after the other
