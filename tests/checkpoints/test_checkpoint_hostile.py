"""Files are not code, and a `checkpoint` file that lies has nothing read or deleted outside its directory."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pickle
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from checkpoint_helpers import (
    clean_up,
    data_file,
    index_file,
    listed,
    manager_of,
    names,
    resume,
    saved,
    write,
)
from keras_legacy_train.checkpoints import CheckpointManager, NamedVariables, SavedVariable, TrackedObjects
from keras_legacy_train.checkpoints.directory_lock import DirectoryLock
from keras_legacy_train.errors import DamagedCheckpointError

pytestmark = pytest.mark.usefixtures("eager_mode")


def write_list(directory: pathlib.Path, *paths: str) -> None:
    """A `checkpoint` file that names these, the last one as the newest."""
    lines = [f'model_checkpoint_path: "{paths[-1]}"', *(f'all_model_checkpoint_paths: "{p}"' for p in paths)]
    (directory / "checkpoint").write_text("\n".join(lines))


def tree(directory: pathlib.Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


@pytest.fixture
def outside(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A directory with a checkpoint that must stay as it is."""
    directory = tmp_path / "outside"
    write(directory, 1, value=666.0)
    before = tree(directory)
    yield directory
    assert tree(directory) == before


def train_on(directory: pathlib.Path) -> None:
    """What a run does: clear up, restore if there is anything, and save until nothing earlier is kept."""
    w = saved("w", 7.0)
    clean_up(directory)
    manager = manager_of(directory, w, max_to_keep=1, meta_graph=lambda: b"graph")
    with contextlib.suppress(DamagedCheckpointError):
        manager.restore_latest()
    for step in (11, 12, 13):
        manager.save(step)


PATHS = [
    "{outside}/model.ckpt-1",
    "../outside/model.ckpt-1",
    "sub/../../outside/model.ckpt-1",
    "/etc/passwd",
    "..",
    ".",
    "/",
    "../outside/*",
    "link/model.ckpt-1",
]


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_lead_outside(path: str, tmp_path: pathlib.Path, outside: pathlib.Path) -> None:
    run = tmp_path / "run"
    write(run, 1, 2)
    (run / "link").symlink_to(outside)
    write_list(run, path.format(outside=outside), "model.ckpt-2", path.format(outside=outside))
    _, value = resume(run)
    assert value in (1.0, 2.0)
    train_on(run)
    assert resume(run) == ("model.ckpt-13", value)


@pytest.mark.parametrize("linked", ["index", "data", "both"])
def test_files_that_are_links_to_outside_are_not_read(
    linked: str, tmp_path: pathlib.Path, outside: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    write(run, 1, 2)
    for kind, path in (("index", index_file), ("data", data_file)):
        if linked in (kind, "both"):
            path(run, 2).unlink()
            path(run, 2).symlink_to(path(outside, 1))
    assert resume(run) == ("model.ckpt-1", 1.0)
    assert "is a link to outside of the directory" in caplog.text
    train_on(run)
    assert resume(run) == ("model.ckpt-13", 1.0)
    assert [name for name in names(run) if name.endswith(".damaged")]


def test_links_within_the_directory_are_read(tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1)
    for path in (index_file, data_file):
        path(tmp_path, 5).symlink_to(path(tmp_path, 1).name)
    write_list(tmp_path, "model.ckpt-5")
    assert resume(tmp_path) == ("model.ckpt-5", 1.0)


def test_a_linked_directory_is_read(tmp_path: pathlib.Path) -> None:
    write(tmp_path / "run", 1)
    (tmp_path / "link").symlink_to("run")
    assert resume(tmp_path / "link") == ("model.ckpt-1", 1.0)


@pytest.mark.parametrize(
    "place", ["index", "data", "meta", "meta.temporary", "unfinished", "checkpoint", "temp"]
)
def test_nothing_is_written_through_a_link(place: str, tmp_path: pathlib.Path, outside: pathlib.Path) -> None:
    """Not even where the next checkpoint will be written."""
    run = tmp_path / "run"
    write(run, 1)
    victim = outside / "victim"
    link = {
        "index": index_file(run, 11),
        "data": data_file(run, 11),
        "checkpoint": run / "checkpoint.temporary",
        "temp": run / "model.ckpt-11_temp",
    }.get(place, run / f"model.ckpt-11.{place}")
    link.symlink_to(victim if place != "temp" else outside)
    train_on(run)
    assert resume(run)[0] == "model.ckpt-13"
    assert not victim.exists()


USERS_FILES = {
    "notes.txt": b"important",
    "vocab.index": b"a\nb\n",
    "vocab.meta": b"c",
    "vocab.data-00000-of-00001": b"d",
    "model.meta": b"e",
    "model.ckpt-1.index.bak": b"f",
    "1": b"g",
}


@pytest.mark.parametrize(
    "path", ["notes.txt", "vocab", "model", "1", "model.ckpt-1.index.bak", "graph.pbtxt"]
)
def test_files_that_are_no_checkpoints_are_not_deleted(path: str, tmp_path: pathlib.Path) -> None:
    write(tmp_path, 1, 2)
    for name, data in USERS_FILES.items():
        (tmp_path / name).write_bytes(data)
    write_list(tmp_path, path, "model.ckpt-2")
    train_on(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in USERS_FILES} == USERS_FILES
    assert listed(tmp_path) == [str(tmp_path / "model.ckpt-13")]


def test_it_is_told_if_nothing_else_is_listed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"important")
    write_list(tmp_path, "notes.txt")
    with pytest.raises(DamagedCheckpointError, match=r"notes\.txt: not a checkpoint"):
        resume(tmp_path)


NAMES = st.sampled_from(
    ["model.ckpt-1", "model.ckpt-2", "notes.txt", "vocab", "", ".", "..", "*", "link", "sub"]
)
ODD_NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"\\\n'), max_size=12)
LISTED = st.lists(st.lists(NAMES | ODD_NAMES, min_size=1, max_size=4).map("/".join), min_size=1, max_size=4)


@settings(max_examples=40)
@given(paths=LISTED, absolute=st.booleans())
def test_law_whatever_is_listed_nothing_of_others_is_read_or_deleted(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], absolute: bool
) -> None:
    directory = tmp_path_factory.mktemp("hostile")
    outside, run = directory / "outside", directory / "run"
    write(outside, 1, value=666.0)
    write(run, 1, 2)
    (run / "link").symlink_to(outside)
    for name, data in USERS_FILES.items():
        (run / name).write_bytes(data)
    before = tree(outside)
    write_list(run, *(f"{outside}/{path}" if absolute else path for path in paths))
    try:
        found = resume(run)
    except DamagedCheckpointError as error:
        assert error.problems
    else:
        assert found in (("model.ckpt-1", 1.0), ("model.ckpt-2", 2.0))
    train_on(run)
    assert resume(run)[0] == "model.ckpt-13"
    assert tree(outside) == before
    assert {name: (run / name).read_bytes() for name in USERS_FILES} == USERS_FILES


# Files are not code.


class Payload:
    def __reduce__(self) -> Any:
        return os.mkdir, ("executed",)


_FORBIDDEN = (
    "exec",
    "compile",
    "import",
    "pickle.find_class",
    "marshal.loads",
    "os.system",
    "subprocess.Popen",
)
_hooked: list[Any] = []
_audited: list[tuple[str, Any]] = []
_auditing = False


def _audit(event: str, arguments: Any) -> None:
    if _auditing and event in _FORBIDDEN:
        _audited.append((event, arguments))


@contextlib.contextmanager
def audited() -> Iterator[list[tuple[str, Any]]]:
    """What Python executes, imports or unpickles meanwhile. A hook of Python's cannot be taken away again."""
    global _auditing
    _audited.clear()
    _auditing = True
    try:
        yield _audited
    finally:
        _auditing = False


def go_on(manager: CheckpointManager, step: int) -> None:
    with DirectoryLock("run"):
        clean_up("run")
        with contextlib.suppress(DamagedCheckpointError):
            manager.restore_latest()
        manager.save(step)


@pytest.mark.parametrize("form", ["named", "objects"])
def test_nothing_that_is_read_is_executed(
    form: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pickles and Python code in every place where something is read."""
    monkeypatch.chdir(tmp_path)
    contents = [b"import os; os.mkdir('executed')", pickle.dumps(Payload())]
    w = SavedVariable("w", tf.Variable(np.array(contents, object)))
    state: Any = NamedVariables([w]) if form == "named" else TrackedObjects({"w": w.variable})
    go_on(CheckpointManager("run", state, max_to_keep=2), 1)  # imports what is imported late
    if _audit not in _hooked:
        _hooked.append(_audit)
        sys.addaudithook(_audit)
    names_of_files = ["checkpoint", "model.ckpt-1.index", "model.ckpt-1.meta", "graph.pbtxt", "__init__.py"]
    step = 1
    for name in [*names_of_files, ".trainer.lock"]:
        for content in contents:
            (tmp_path / "run" / name).write_bytes(content)
            step += 1
            with audited() as events:
                go_on(CheckpointManager("run", state, max_to_keep=2), step)
            assert events == []
    assert not (tmp_path / "executed").exists()
    with audited() as events:
        pickle.loads(contents[1])
    assert events and (tmp_path / "executed").exists()
