"""`plot` draws what runs have written, and `tail` follows one that is at work."""

from __future__ import annotations

import json
import os
import sys
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from typer.testing import CliRunner

from checkpoint_helpers import write
from command_line_helpers import refusal, run_command, run_json, tree
from keras_legacy_train.checkpoints.directory_lock import DirectoryLock
from keras_legacy_train.command_line.app import app
from keras_legacy_train.summaries import SummaryWriter

pytestmark = pytest.mark.usefixtures("eager_mode")


def write_events(directory: Path, losses: list[float], first: int = 1, **more: float) -> None:
    with SummaryWriter(directory) as writer:
        for step, loss in enumerate(losses, first):
            writer.add_scalar("loss", loss, step)
        for tag, value in more.items():
            writer.add_scalar(tag, value, step)


def test_several_runs_in_one_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    write_events(tmp_path / "a", [3.0, 2.0, 1.0], accuracy=0.5)
    write_events(tmp_path / "b", [4.0, float("nan"), 2.0])
    write_events(tmp_path / "b" / "eval", [5.0])
    png, page = tmp_path / "run.png", tmp_path / "run.html"
    done = run_json("plot", tmp_path / "a", tmp_path / "b", "-o", png, "--html", page)
    names = [str(tmp_path / each) for each in ("a", "b", "b/eval")]
    assert [run["run"] for run in done["runs"]] == names
    assert done["runs"][0]["scalars"]["loss"] == {"steps": [1, 2, 3], "values": [3.0, 2.0, 1.0]}
    assert done["runs"][1]["scalars"]["loss"]["values"] == [4.0, "nan", 2.0]
    assert "global_step/sec" in done["runs"][0]["scalars"]
    assert png.read_bytes().startswith(b"\x89PNG")
    text = page.read_text()
    picture = text[text.index("<svg") : text.index("</svg>") + len("</svg>")]
    xml.etree.ElementTree.fromstring(picture)
    assert "accuracy" in text and "src=" not in text and "<script" not in text
    for suffix, beginning in (("svg", b"<?xml"), ("pdf", b"%PDF")):
        run_command("plot", tmp_path / "a", "-o", tmp_path / f"run.{suffix}", "--tag", "^acc")
        assert (tmp_path / f"run.{suffix}").read_bytes().startswith(beginning)


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    write_events(tmp_path / "run", [1.0])
    (tmp_path / "empty").mkdir()
    before = tree(tmp_path)
    run, picture = tmp_path / "run", tmp_path / "run.png"
    assert "--output or --html" in refusal("plot", run)
    assert "run.jpeg" in refusal("plot", run, "-o", tmp_path / "run.jpeg")
    assert "missing" in refusal("plot", run, tmp_path / "missing", "-o", picture)
    assert "empty" in refusal("plot", run, tmp_path / "empty", "-o", picture)
    assert "no scalars of these tags" in refusal("plot", run, "-o", picture, "--tag", "acc")
    assert "regular expression" in refusal("plot", run, "-o", picture, "--tag", "(")
    assert "/proc" in refusal("plot", run, "-o", "/proc/missing/run.png")
    (tmp_path / "folder.png").mkdir()
    assert "folder.png' cannot be written" in refusal("plot", run, "-o", tmp_path / "folder.png")
    assert tree(tmp_path) == before


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    write_events(tmp_path, [1.0])
    assert "pip install 'keras_legacy_train[plot]'" in refusal("plot", tmp_path, "-o", tmp_path / "run.png")


def test_the_state_of_a_run(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    write_events(tmp_path, [3.0, 1.0, 2.0], accuracy=0.5)
    with DirectoryLock(str(tmp_path)):
        state = run_json("tail", tmp_path, "--once")
        text = run_command("tail", tmp_path, "--once")
    assert state["step"] == 3 and state["checkpoint"] == "model.ckpt-2"
    assert state["scalars"]["loss"] == {"step": 3, "value": 2.0}
    assert state["lock"]["pid"] == os.getpid()
    assert "step 3" in text and "█▁▅" in text.replace("▄", "▅")


def test_a_loss_that_is_no_number_has_no_curve(tmp_path: Path) -> None:
    write_events(tmp_path, [float("nan"), float("inf")])
    text = run_command("tail", tmp_path, "--once")
    assert "step 2" in text and "inf" in text and not set("▁▂▃▄▅▆▇█") & set(text)


def test_a_run_that_has_not_begun(tmp_path: Path) -> None:
    assert run_json("tail", tmp_path, "--once")["step"] is None
    assert "no events yet" in run_command("tail", tmp_path, "--once")
    assert "missing" in refusal("tail", tmp_path / "missing", "--once")


class Looks:
    """Goes on with the training between the looks of `tail`, and ends it by Ctrl-C."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.count = 0

    def __call__(self, seconds: float) -> None:
        assert seconds == 7.0
        self.count += 1
        if self.count == 3:
            raise KeyboardInterrupt
        if self.count == 2:
            write_events(self.directory, [1.0], first=2)


@pytest.fixture
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Looks:
    write_events(tmp_path, [2.0])
    looks = Looks(tmp_path)
    monkeypatch.setattr("time.sleep", looks)
    return looks


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_a_run_is_followed_until_ctrl_c(looks: Looks, tmp_path: Path) -> None:
    result = invoke("tail", tmp_path, "--interval", 7)
    assert result.exit_code == 0, result.output
    assert "step 2" in result.output


def test_changes_are_lines_of_json(looks: Looks, tmp_path: Path) -> None:
    result = invoke("tail", tmp_path, "--interval", 7, "--json")
    assert result.exit_code == 0
    assert [json.loads(line)["step"] for line in result.stdout.splitlines()] == [1, 2]


def test_a_record_that_is_not_complete_is_read_later(tmp_path: Path) -> None:
    from keras_legacy_train.events import EventFiles

    write_events(tmp_path, [3.0, 2.0])
    (path,) = tmp_path.glob("events*")
    data = path.read_bytes()
    path.write_bytes(data[:-5])
    events = EventFiles(str(tmp_path))
    events.update()
    assert events.scalars["loss"].values == [3.0]
    path.write_bytes(data)
    events.update()
    assert events.scalars["loss"].values == [3.0, 2.0]
    assert events.damaged == {}


def test_what_is_no_scalar_or_no_record_is_passed_over(tmp_path: Path) -> None:
    from keras_legacy_train.events import EventFiles

    missing = EventFiles(str(tmp_path / "missing"))
    missing.update()
    assert missing.paths == [] and missing.events == 0
    scalars = tf.compat.v1.SummaryMetadata()
    scalars.plugin_data.plugin_name = "scalars"
    summary = tf.compat.v1.Summary()
    for tag, tensor in (
        ("loss", tf.make_tensor_proto(2.5)),
        ("vector", tf.make_tensor_proto([1.0, 2.0])),
        ("text", tf.make_tensor_proto("text")),
    ):
        summary.value.add(tag=tag, metadata=scalars, tensor=tensor)
    with SummaryWriter(tmp_path) as writer:
        writer.add_summary(summary, 1)
    (path,) = tmp_path.glob("events*")
    intact = path.read_bytes()
    path.write_bytes(intact + flipped(intact))
    events = EventFiles(str(tmp_path))
    events.update()
    assert {tag: each.values for tag, each in events.scalars.items()} == {"loss": [2.5]}
    assert events.others == {"scalar": {"vector": 1, "text": 1}}
    ((name, damage),) = events.damaged.items()
    assert name == str(path) and damage.startswith(f"damaged at byte {len(intact)}: ")
    path.write_bytes(intact + intact)  # what comes behind the damage is not read any more
    events.update()
    assert events.scalars["loss"].values == [2.5]


def flipped(data: bytes) -> bytes:
    """Returns records of which the first has another bit than its checksum says."""
    return data[:12] + bytes([data[12] ^ 1]) + data[13:]
