"""Runs the command line: `keras-legacy-train`, or `python -m keras_legacy_train`."""

from __future__ import annotations

import sys

from keras_legacy_train.command_line import run


def main() -> None:
    """Runs the command that the arguments of the process name.

    A script of `run` finds the process as Python would give it: without the library of the command line, and
    with its exceptions left to Python.
    """
    command = run.parse(sys.argv[2:]) if sys.argv[1:2] == ["run"] else None
    if command is not None:
        run.run(command)
        return
    from keras_legacy_train.command_line.app import app

    app()


if __name__ == "__main__":
    main()
