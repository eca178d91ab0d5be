"""Runs scripts in processes of their own that have TensorFlow loaded when they begin.

Loading TensorFlow takes seconds, a fork of a process that has loaded it milliseconds. That works as long as
the process has not run an operation.
"""

from __future__ import annotations

import atexit
import faulthandler
import multiprocessing
import os
import runpy
import sys
import tempfile
import types
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["keras", "keras_legacy_train.learn"])


def run_forked(
    arguments: Sequence[str], *, directory: Path, environment: Mapping[str, str], timeout: float | None = None
) -> tuple[int, str, str]:
    """Runs `python ARGUMENTS` in a fork, and returns when it has ended.

    Args:
        arguments: A script with its arguments, `-c CODE …` or `-m MODULE …`.
        directory: Its working directory.
        environment: Its environment variables.
        timeout: The seconds after which it is killed.

    Returns:
        Its exit code, or minus the number of the signal that has ended it; its output; its error output.

    Raises:
        TimeoutError: It had not ended in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("output", "errors")]
        process = _CONTEXT.Process(target=_run, args=(list(arguments), directory, dict(environment), files))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"python {' '.join(arguments)} has not ended in {timeout} s.")
        output, errors = (file.read_text(errors="replace") for file in files)
        return process.exitcode, output, errors


def start_forked(
    arguments: Sequence[str], *, directory: Path, environment: Mapping[str, str], output: Path
) -> BaseProcess:
    """Starts `python ARGUMENTS` in a fork.

    Args:
        arguments: See `run_forked`.
        directory: Its working directory.
        environment: Its environment variables.
        output: The file that its output and its error output are written to.

    Returns:
        The process.
    """
    process = _CONTEXT.Process(
        target=_run, args=(list(arguments), directory, dict(environment), [output, output]), daemon=True
    )
    process.start()
    return process


def _run(arguments: list[str], directory: Path, environment: dict[str, str], files: list[Path]) -> None:
    """Does what `python ARGUMENTS` does, within this process."""
    for descriptor, file in zip((1, 2), files, strict=True):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), descriptor)
    faulthandler.enable()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    try:
        _run_as_main(arguments)
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()


def _run_as_main(arguments: list[str]) -> None:
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if arguments[0] == "-m":
        sys.argv[:] = arguments[1:]
        sys.path[:0] = ["", *paths]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[0] == "-c":
        sys.argv[:] = ["-c", *arguments[2:]]
        sys.path[:0] = ["", *paths]
        main: Any = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        exec(compile(arguments[1], "<string>", "exec"), vars(main))
    else:
        sys.argv[:] = arguments
        sys.path[:0] = [str(Path(arguments[0]).parent), *paths]
        runpy.run_path(arguments[0], run_name="__main__")
