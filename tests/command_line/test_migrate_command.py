"""`migrate` shows what it would do, writes when it is told to, and says what is left."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from command_line_helpers import refusal, tree
from keras_legacy_train.command_line.app import app

OLD = "import tensorflow as tf\ntf.mul(1, tf.mul(2, 3))\n"
NEW = "import tensorflow.compat.v1 as tf\ntf.multiply(1, tf.multiply(2, 3))\n"


def migrate(code: int, *arguments: object) -> str:
    """Runs `migrate`, which must end with that code, and returns what it prints."""
    result = CliRunner().invoke(app, ["migrate", *(str(each) for each in arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


def test_a_dry_run_shows_the_diff_and_the_report_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text(OLD + "tf.no_such_name\n")
    before = tree(tmp_path)
    shown = migrate(1, tmp_path)
    assert tree(tmp_path) == before
    assert shown.startswith(f"--- {path}\n+++ {path}\n@@ -1,3 +1,3 @@\n-import tensorflow as tf\n")
    assert "\x1b" not in shown
    report = shown.split("Would change\n")[1]
    assert report.splitlines()[:2] == [
        f"{path}:1: import tensorflow as tf → import tensorflow.compat.v1 as tf",
        f"{path}:2: tf.mul → tf.multiply (and 1 more)",
    ]
    assert f"Left to you\n{path}:3: tf.no_such_name: TensorFlow 2." in report
    assert report.splitlines()[-1] == (
        "1 file, 1 would change, 1 place left to you. Nothing was written: --write does it."
    )


def test_write_writes_and_a_second_run_finds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text(OLD)
    assert migrate(0, tmp_path, "--write", "--force").endswith("1 file, 1 changed, nothing left to you.\n")
    assert path.read_text() == NEW
    assert migrate(0, tmp_path) == "1 file, 0 would change, nothing left to you.\n"


def test_what_is_left_gives_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text(NEW + "tf.no_such_name\n")
    assert "Left to you" in migrate(1, path)
    assert "Left to you" in migrate(1, path, "--write")


def test_json_holds_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text(OLD + "tf.no_such_name\n")
    report = json.loads(migrate(1, path, "--json"))
    assert report["written"] is False
    (file,) = report["files"]
    assert file["path"] == str(path) and file["changed"]
    assert file["changes"][0] == {
        "line": 1,
        "old": "import tensorflow as tf",
        "new": "import tensorflow.compat.v1 as tf",
    }
    assert [(left["line"], left["name"]) for left in file["left"]] == [(3, "tf.no_such_name")]
    assert file["diff"][2] == "@@ -1,3 +1,3 @@"


def test_files_that_git_could_not_bring_back_are_written_by_force_only(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(OLD)
    before = tree(tmp_path)
    assert "commit them first, or pass --force" in refusal("migrate", tmp_path, "--write")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("options", [(), ("--write", "--force"), ("--json",)])
def test_one_bad_file_stops_all(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "a.py").write_text(OLD)
    (tmp_path / "b.py").write_text("import tensorflow\nprint 'x'\n")
    before = tree(tmp_path)
    line = refusal("migrate", tmp_path, *options)
    assert line.startswith(f"{tmp_path / 'b.py'}: line 2 is not Python 3 (")
    assert line.endswith(". If it is Python 2, --py2 makes Python 3 of it first.")
    assert tree(tmp_path) == before


def test_a_path_that_is_not_there_is_named() -> None:
    assert refusal("migrate", "no_such.py") == "no_such.py: it cannot be read: No such file or directory."


def test_disable_v2_says_which_modules_call_it(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    path.write_text(OLD)
    added = "+tf.disable_v2_behavior()"
    assert added not in migrate(1, path)
    assert added in migrate(1, path, "--disable-v2", "all")


def test_py2_asks_for_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fissix", None)
    assert refusal("migrate", tmp_path, "--py2") == (
        "--py2 needs fissix: pip install 'keras_legacy_train[py2]'"
    )


def test_the_documentation_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "migrate.md").read_text(encoding="utf-8")
    program, printed = re.findall(r"^```text\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "mnist.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    assert migrate(1, "mnist.py") == printed
