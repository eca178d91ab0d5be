"""`run` runs a script as `python` does: what it finds, what it leaves, and how it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from helpers import run_python

ROOT = Path(__file__).parents[2]
RUN = ["-m", "keras_legacy_train", "run"]


def python(*arguments: str, directory: Path) -> tuple[int, str, str]:
    """Runs Python, and returns how it ended, with its output and error output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


SCRIPTS = {
    "what it finds": """
        '''Says what it finds.'''
        import importlib.machinery, sys

        names = sorted(set(globals()) - {"__builtins__"})
        print(names, __name__, __file__, __doc__, __package__, __spec__ and __spec__.name)
        print(isinstance(__loader__, importlib.machinery.SourceFileLoader))
        print(sys.argv, sys.path[:1], sys.modules["__main__"].names is names, sys.stdin.isatty())
        print([name for name in ("tensorflow", "keras", "typer", "rich", "click") if name in sys.modules])
        """,
    "its own modules": """
        from package import helper
        print(helper.__name__, helper.__file__, helper.__spec__.name, helper.value)
        """,
    "an error": """
        from package import helper
        def outer():
            helper.fail()
        outer()
        """,
    "an error of an import": """
        def outer():
            from package import broken
        outer()
        """,
    "an error with a cause": """
        from package import helper
        try:
            helper.fail()
        except ZeroDivisionError as error:
            raise RuntimeError("text") from error
        """,
    "a report of its own": """
        import sys
        sys.excepthook = lambda *error: print("my own", error[0].__name__)
        raise KeyError("x")
        """,
    "no such module": "import no_such_module",
    "its own syntax error": "x = 1\nfor for in range(3):\n    pass\n",
    "exit codes": "import sys; sys.exit(7)",
    "exit with a text": "import sys; sys.exit('a message')",
    "exit without a code": "raise SystemExit",
    "exit functions": """
        import atexit, threading
        atexit.register(print, "last")
        threading.Thread(target=print, args=["thread"]).start()
        raise SystemExit(3)
        """,
    "an interrupt": "import atexit; atexit.register(print, 'last'); raise KeyboardInterrupt",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_runs_as_python_runs_it(script: str, tmp_path: Path) -> None:
    write(tmp_path / "package/__init__.py", "")
    write(tmp_path / "package/helper.py", "value = 2\ndef fail():\n    return 1 / 0\n")
    write(tmp_path / "package/broken.py", "import json\n1 / 0\n")
    write(tmp_path / "scripts/old.py", script)
    write(tmp_path / "scripts/package/__init__.py", "")
    for name in ("helper", "broken"):
        (tmp_path / f"scripts/package/{name}.py").write_text((tmp_path / f"package/{name}.py").read_text())
    arguments = ["scripts/old.py", "--help", "-h", "--", "--our-loop", "-m", "a b"]
    expected = python(*arguments, directory=tmp_path)
    assert python(*RUN, *arguments, directory=tmp_path) == expected


def test_a_module_runs_as_python_runs_it(tmp_path: Path) -> None:
    write(tmp_path / "package/__init__.py", "print('package', __name__)")
    write(tmp_path / "package/tool.py", SCRIPTS["what it finds"])
    write(tmp_path / "package/__main__.py", "from . import tool; print(__package__, __spec__.name)")
    for arguments in (["-m", "package.tool", "--help", "x"], ["-m", "package", "-m"]):
        code, output, errors = python(*arguments, directory=tmp_path)
        errors = re.sub(r'  File "[^"]*runpy[^"]*", line .*\n(    .*\n)?', "", errors)
        assert python(*RUN, *arguments, directory=tmp_path) == (code, output, errors)


# Code of Python 2, and the line at which Python 3 gives up.
PYTHON_2 = [
    ('print "text"', 1),
    ("if True: print x, y", 1),
    ("x = 1\nprint x", 2),
    ("try:\n    pass\nexcept ValueError, error:\n    pass", 3),
    ("try:\n    pass\nexcept (ValueError, KeyError), error:\n    pass", 3),
    ("raise ValueError, 'text'", 1),
    ("exec 'x = 1'", 1),
    ("exec code in names", 1),
    ("x = `3`", 1),
    ("if 1 <> 2: pass", 1),
    ("mode = 0777", 1),
    ("x = 10L", 1),
    ("x = ur'text'", 1),
    ("if True:\n        x = 1\n\ty = 2", 3),
]

RUN_ALL = """
import sys
from keras_legacy_train.command_line import run

for script in sys.argv[1:]:
    try:
        run.run(run.Command(script))
    except SystemExit as end:
        print(end.code)
"""


@pytest.mark.parametrize("start", ["", "import "], ids=["script", "module"])
def test_python_2_is_told_what_to_run_first(start: str, tmp_path: Path) -> None:
    for number, (code, _) in enumerate(PYTHON_2):
        write(tmp_path / f"old_{number}.py", code)
        write(tmp_path / f"import old_{number}.py", f"import old_{number}")
    scripts = [f"{start}old_{number}.py" for number in range(len(PYTHON_2))]
    code, output, errors = python("-c", RUN_ALL, *scripts, directory=tmp_path)
    assert (code, output.split()) == (0, ["2"] * len(PYTHON_2)), errors
    assert errors.splitlines() == [
        f"keras-legacy-train run: old_{number}.py:{line}: this is Python 2."
        f" Run `keras-legacy-train migrate --py2 old_{number}.py` first, which makes it Python 3."
        for number, (_, line) in enumerate(PYTHON_2)
    ]


def test_a_function_of_python_2_is_told_what_to_run_first(tmp_path: Path) -> None:
    write(tmp_path / "old.py", "def f():\n    return xrange(3)\n\n\nf()\n")
    code, _, errors = python(*RUN, "old.py", directory=tmp_path)
    assert code == 1 and 'old.py", line 2, in f' in errors
    assert (
        "NameError: name 'xrange' is not defined: it is of Python 2. "
        "Run `keras-legacy-train migrate --py2 old.py` first."
    ) in errors
    write(
        tmp_path / "own.py",
        "try:\n    xrange\nexcept NameError:\n    xrange = range\nprint(len(xrange(3)))\n",
    )
    assert python(*RUN, "own.py", directory=tmp_path) == (0, "3\n", "")


def test_what_cannot_be_run_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "picture.py").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "latin.py").write_bytes("name = 'Zo\u00eb'".encode("latin-1"))
    write(tmp_path / "notes.txt", "These are notes.")
    write(tmp_path / "book.ipynb", "{}")
    expected = {
        "missing.py": "missing.py: No such file or directory",
        "folder": "folder: Is a directory",
        "picture.py": "picture.py is not a Python script",
        "latin.py": "latin.py is not a Python script: its text is in another encoding than it says",
        "notes.txt": "notes.txt is not a Python script: line 1: invalid syntax",
        "book.ipynb": "book.ipynb is not a Python script",
    }
    code, output, errors = python("-c", RUN_ALL, *expected, directory=tmp_path)
    assert (code, output.split()) == (0, ["2"] * len(expected)), errors
    assert errors.splitlines() == [f"keras-legacy-train run: {message}" for message in expected.values()]


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = python(*RUN, "-m", "no_such_package.train", directory=tmp_path)
    assert ended == (2, "", "keras-legacy-train run: there is no module no_such_package.train\n")


def test_our_loop_is_switched_on_for_the_script(tmp_path: Path) -> None:
    script = tmp_path / "old.py"
    write(script, "from keras_legacy_train.contrib.training import loops\nprint(loops.uses_our_loop())")
    for options, expected in (([], "False\n"), (["--our-loop"], "True\n")):
        ended = run_python(*RUN, *options, script)
        assert (ended.returncode, ended.stdout) == (0, expected), ended.stderr


def test_help_and_wrong_options_are_those_of_the_command(tmp_path: Path) -> None:
    code, output, _ = python(*RUN, "--help", directory=tmp_path)
    assert code == 0
    assert "--our-loop" in output
    code, _, errors = python(*RUN, "--no-such-option", "x.py", directory=tmp_path)
    assert code == 2
    assert "--no-such-option" in errors
