"""Puts the commands together: `keras-legacy-train`, or `python -m keras_legacy_train`."""

from __future__ import annotations

from typing import Annotated

import typer

from keras_legacy_train.command_line import run
from keras_legacy_train.command_line.convert import convert
from keras_legacy_train.command_line.export import export
from keras_legacy_train.command_line.inspect import inspect
from keras_legacy_train.command_line.migrate import migrate
from keras_legacy_train.command_line.plot import plot
from keras_legacy_train.command_line.serve import serve
from keras_legacy_train.command_line.tail import tail
from keras_legacy_train.command_line.train import train

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


@app.command("run", context_settings={"allow_interspersed_args": False})
def _run(
    script: Annotated[str, typer.Argument(help="Path of the script, or with -m the name of a module.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="The script's own arguments, passed as they are.")
    ] = None,
    is_module: Annotated[bool, typer.Option("-m", help="Run a module, as python -m does.")] = False,
    our_loop: Annotated[
        bool,
        typer.Option(
            "--our-loop",
            help="Train by keras_legacy_train.train in slim.learning.train and tf.contrib.training.train.",
        ),
    ] = False,
) -> None:
    """Runs a script of TensorFlow 1 as it is.

    The script, and the modules of its own project, see TensorFlow 1; installed packages see TensorFlow 2.
    """
    run.run(run.Command(script, arguments or (), is_module, our_loop))


app.command()(migrate)
app.command()(inspect)
app.command()(tail)
app.command()(plot)
app.command()(convert)
app.command()(export)
app.command()(train)
app.command()(serve)
