"""Puts the commands together: `keras-legacy-train`, or `python -m keras_legacy_train`."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="keras-legacy-train",
    help="Runs, inspects and moves programs of TensorFlow 1.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback stays as Python prints it.
    pretty_exceptions_enable=False,
)


@app.callback()
def _commands() -> None:
    """Keeps the name of a command needed, also while there is one command only."""


def main() -> None:
    """Runs the command that the arguments of the process name."""
    app()
