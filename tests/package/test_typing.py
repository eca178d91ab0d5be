"""The types of the public names, as mypy sees them in a program that uses the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mypy")
pytestmark = pytest.mark.skipif(np.__version__ < "2", reason="the package is typed with the types of NumPy 2")

ROOT = Path(__file__).parents[2]
USAGE = Path(__file__).with_name("typed_usage.py")

# Each line of the program, and the code of the error that it must give.
WRONG_USES = [
    ("klt.train('graph.meta', 'run', 'train', 'loss:0', max_step=1)", "call-arg"),
    ("klt.train('graph.meta', 'run', 'train', 'loss:0', jit_compile='always')", "arg-type"),
    ("klt.run_n({}, n='2')", "arg-type"),
    ("klt.run_feeds_iter({}, [])[0]", "index"),
    ("klt.evaluate('graph.meta', 'run', None, {})['loss']", "call-overload"),
    ("klt.load_tf1_weights(None, 'model.ckpt-1').filed", "attr-defined"),
    ("klt.get_summary_writer('run').add_scalar('loss', 'high')", "arg-type"),
    ("klt.callbacks.TerminateOnNaN(check_inf='yes')", "arg-type"),
    ("klt.no_such_name", "attr-defined"),
]


def run_mypy(path: Path) -> subprocess.CompletedProcess[str]:
    """Runs mypy with the project's configuration, and what it has found out before, on one file."""
    command = [sys.executable, "-m", "mypy", "--no-pretty", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_public_names_have_their_types() -> None:
    result = run_mypy(USAGE)
    assert result.returncode == 0, result.stdout + result.stderr


def test_wrong_uses_are_told(tmp_path: Path) -> None:
    program = tmp_path / "wrong_usage.py"
    program.write_text("import keras_legacy_train as klt\n" + "".join(f"{line}\n" for line, _ in WRONG_USES))
    result = run_mypy(program)
    assert result.returncode == 1, result.stdout + result.stderr
    told = [line for line in result.stdout.splitlines() if ": error: " in line]
    expected = [(number, code) for number, (_, code) in enumerate(WRONG_USES, start=2)]
    assert [(int(line.split(":")[1]), line.rpartition("[")[2][:-1]) for line in told] == expected, told
