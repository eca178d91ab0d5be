"""Files are found, read and written as they are: encoding, newlines, mode; notebooks with their form."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from keras_legacy_train.codemod import (
    BadFileError,
    check_writable,
    find_files,
    migrate_file,
    unsaved,
    write_file,
)

OLD = "import tensorflow as tf\nx = tf.mul(1, 2)  # é\n"
NEW = "import tensorflow.compat.v1 as tf\nx = tf.multiply(1, 2)  # é\n"


def written(path: Path, data: bytes, **options: object) -> bytes:
    """Returns the bytes of a file that had these, after its migration."""
    path.write_bytes(data)
    migration = migrate_file(path, **options)
    if migration.content is not None:
        write_file(migration)
    again = migrate_file(path, **options)
    assert again.content is None and not again.changes and not again.diff
    return path.read_bytes()


def problem(path: Path, **options: object) -> str:
    with pytest.raises(BadFileError) as caught:
        migrate_file(path, **options)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value.problem


def notebook(*sources: object, **fields: object) -> dict:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 2, **fields}


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text[:-1].encode(),
        lambda text: b"#!/usr/bin/python\n# -*- coding: latin-1 -*-\n" + text.encode("latin-1"),
    ],
    ids=["utf-8", "bom", "crlf", "no newline at the end", "latin-1"],
)
def test_bytes_keep_their_form(tmp_path, form):
    assert written(tmp_path / "old.py", form(OLD)) == form(NEW)


def test_mode_and_links_are_kept(tmp_path):
    script = tmp_path / "old.py"
    script.touch(mode=0o751)
    link = tmp_path / "link.py"
    link.symlink_to(script)
    assert written(link, OLD.encode()) == NEW.encode()
    assert link.is_symlink()
    assert script.stat().st_mode & 0o777 == 0o751
    assert sorted(os.listdir(tmp_path)) == ["link.py", "old.py"]


def test_a_file_that_cannot_be_written_stays(tmp_path, monkeypatch):
    path = tmp_path / "old.py"
    path.write_text(OLD)
    migration = migrate_file(path)

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(BadFileError, match=r"old\.py: it cannot be written: No space left on device\."):
        write_file(migration)
    assert path.read_text() == OLD
    assert os.listdir(tmp_path) == ["old.py"]


def test_directories_are_walked_but_for_the_code_of_others(tmp_path):
    kept = ["a.py", "b/c.ipynb", "b/d.pyw", "rebuild/e.py"]
    others = [
        ".git/x.py",
        ".hidden/x.py",
        "b/__pycache__/x.py",
        "build/x.py",
        "lib/site-packages/x.py",
        "my_env/pyvenv.cfg",
        "my_env/x.py",
        "p.egg-info/x.py",
        "read.me",
    ]
    for name in [*kept, *others]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "dangling.py").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.py")
    found = list(find_files([tmp_path, tmp_path / "b", tmp_path / "a.py"]))
    assert [str(path.relative_to(tmp_path)) for path in found] == kept


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.py", b"import tensorflow\nprint 'x'\n", "line 2 is not Python 3 (Missing parentheses in call to"),
        ("a.py", b"import tensorflow\n\xe9 = 1\n", "its encoding cannot be told: "),
        ("a.py", b"# coding: klingon\nimport tensorflow\n", "its encoding cannot be told: "),
        ("a.py", b"import tensorflow\n\0\n", "is not Python 3"),
        ("a.ipynb", b"tensorflow", "it is no notebook."),
        ("a.ipynb", b'["tensorflow"]', "it is no notebook."),
        ("a.ipynb", json.dumps(notebook("1", "tensorflow\nif")).encode(), "line 2 of cell 2 is not Python 3"),
        (
            "a.ipynb",
            json.dumps(notebook("tensorflow", metadata={"language_info": {"name": "R"}})).encode(),
            "its language is not Python.",
        ),
        ("a.txt", b"tensorflow", "it is neither a Python module nor a notebook."),
    ],
)
def test_bad_files_are_named_with_the_problem(tmp_path, name, data, expected):
    path = tmp_path / name
    path.write_bytes(data)
    assert expected in problem(path)
    assert path.read_bytes() == data


def test_what_is_no_file_is_not_read(tmp_path):
    assert problem(tmp_path / "gone.py") == "it cannot be read: No such file or directory."
    os.mkfifo(tmp_path / "pipe.py")
    assert problem(tmp_path / "pipe.py") == "it is not a file."


def test_a_file_without_tensorflow_is_neither_parsed_nor_decoded(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"print 'x' \xff")
    assert migrate_file(path).content is None


@pytest.mark.parametrize("form", [{"indent": 1}, {"indent": 2, "ensure_ascii": False}, {}, {"indent": "\t"}])
@pytest.mark.parametrize("end", ["", "\n"])
def test_notebooks_keep_their_form(tmp_path, form, end):
    def content(old: bool) -> dict:
        return notebook(
            ["import tensorflow as tf"]
            if old
            else ["import tensorflow.compat.v1 as tf\n", "tf.disable_v2_behavior()"],
            "%matplotlib inline\n%%%time\nx = tf.mul(1, 2)"
            if old
            else "%matplotlib inline\n%%%time\nx = tf.multiply(1, 2)",
            ["# é\n", "def f():\n", "    !ls {x} \\\n", "     -l\n", "    files = !ls\n", "\n"],
            "%%bash\nimport tensorflow as tf; tf.mul if",
            "%%time\ntf.sub" if old else "%%time\ntf.subtract",
            ["tf.pack?"],
            [],
            extra={"kept": [1.5, "tf.mul"]},
        )

    before, after = ((json.dumps(content(old), **form) + end).encode() for old in (True, False))
    assert written(tmp_path / "a.ipynb", before) == after


def test_places_in_notebooks_are_those_of_their_cells(tmp_path):
    path = tmp_path / "a.ipynb"
    content = notebook("import tensorflow as tf", "\n%matplotlib inline\ntf.mul(1, 2)\ntf.no_such")
    content["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": "tf.mul"})
    path.write_text(json.dumps(content))
    migration = migrate_file(path, "none")
    assert [(c.cell, c.line, c.old) for c in migration.changes] == [
        (2, 1, "import tensorflow as tf"),
        (3, 3, "tf.mul"),
    ]
    assert [(left.cell, left.line, left.name) for left in migration.left] == [(3, 4, "tf.no_such")]
    assert [line for line in migration.diff if line.startswith(("---", "-"))] == [
        f"--- {path} cell 2",
        "-import tensorflow as tf",
        f"--- {path} cell 3",
        "-tf.mul(1, 2)",
    ]


def test_notebooks_with_sheets(tmp_path):
    cell = {"cell_type": "code", "input": ["import tensorflow as tf"], "language": "python"}
    old = {"metadata": {}, "nbformat": 3, "worksheets": [{"cells": [cell]}]}
    new = json.loads(written(tmp_path / "a.ipynb", json.dumps(old).encode(), disable_v2="none"))
    assert new["worksheets"][0]["cells"][0]["input"] == ["import tensorflow.compat.v1 as tf"]


def test_python_2_becomes_python_3_first(tmp_path):
    pytest.importorskip("fissix")
    old = "import tensorflow as tf\nprint tf.mul(1, 2)\nfor k in xrange(3): print d.keys(), # k\nx = range(3)"
    new = (
        "import tensorflow.compat.v1 as tf\nprint(tf.multiply(1, 2))\n"
        "for k in range(3): print(list(d.keys()), end=' ') # k\nx = list(range(3))"
    )
    assert written(tmp_path / "a.py", old.encode(), python_2=True).decode() == new
    (tmp_path / "b.py").write_text("import tensorflow as tf\nprint tf.mul(1, 2)\n")
    assert [c.new for c in migrate_file(tmp_path / "b.py", python_2=True).changes] == [
        "print(tf.mul(1, 2))",
        "import tensorflow.compat.v1 as tf",
        "tf.multiply",
    ]


def test_python_3_loses_only_names_of_python_2(tmp_path):
    pytest.importorskip("fissix")
    old = (
        "raw_input()\nx = range(3), xrange(3), d.keys(), d.iteritems(), print('a', 'b'), map(f, x), input()\n"
    )
    new = "input()\nx = range(3), range(3), d.keys(), iter(d.items()), print('a', 'b'), map(f, x), input()\n"
    assert written(tmp_path / "a.py", old.encode(), python_2=True).decode() == new


def test_what_is_neither_python_is_named(tmp_path):
    pytest.importorskip("fissix")
    (tmp_path / "a.py").write_text("print 3\nif (\n")
    assert "is not Python 3 (" in problem(tmp_path / "a.py", python_2=True)
    (tmp_path / "a.py").write_text("import tensorflow\nprint 3 3\n")
    assert "line 2 is not Python 3 (neither Python 3 nor 2 ('3'))" in problem(
        tmp_path / "a.py", python_2=True
    )


def test_git_tells_what_it_could_not_bring_back(tmp_path):
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, "-C", str(tmp_path), *arguments], check=True, capture_output=True)

    path, other = tmp_path / "[a] b.py", tmp_path / "other.py"
    path.write_text(OLD)
    other.write_text(OLD)
    assert "files that git does not have" in unsaved([path])
    git("init")
    git("add", "--", ":(literal)[a] b.py")
    assert "not committed" in unsaved([path])
    git("commit", "-m", "x")
    assert unsaved([path]) is None
    assert "files that git does not have" in unsaved([path, other])
    path.write_text(NEW)
    assert "not committed" in unsaved([path])


def test_what_may_not_be_read_or_written_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.py"
    path.write_text(OLD)
    check_writable([path])
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # who is root may write to everything
    with pytest.raises(BadFileError, match="it may not be written"):
        check_writable([path])

    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(BadFileError, match="it cannot be read: Permission denied"):
        list(find_files([tmp_path]))


def test_without_git_no_file_is_safe(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert unsaved([tmp_path / "a.py"]) == f"{tmp_path.resolve()} holds files that git does not have"


def test_what_libcst_does_not_read_is_named(tmp_path):
    (tmp_path / "a.py").write_text("import tensorflow\n(x): int = 3\n")  # rare, and Python
    assert "line 2 is not Python 3" in problem(tmp_path / "a.py")


def test_a_notebook_may_have_the_text_that_marks_cells(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook("# cell of the notebook, 1\n" + OLD, "# cell of the notebook'\n%x")))
    after = json.loads(written(path, path.read_bytes(), disable_v2="none"))
    sources = ["".join(cell["source"]) for cell in after["cells"]]
    assert sources == ["# cell of the notebook, 1\n" + NEW, "# cell of the notebook'\n%x"]
