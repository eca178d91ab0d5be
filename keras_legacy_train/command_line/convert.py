"""`convert`: writes a checkpoint anew, in another form or with other names and dtypes."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from keras_legacy_train.command_line.reporting import (
    JSON,
    bad_input_in_one_line,
    fail,
    print_json,
    print_table,
)


class Form(str, enum.Enum):
    """Names the forms of checkpoints."""

    NAMES = "names"
    OBJECTS = "objects"


def convert(
    source: Annotated[str, typer.Argument(help="A checkpoint, or a directory for the newest intact one.")],
    target: Annotated[str, typer.Argument(help="The new checkpoint, such as new/model.ckpt-100.")],
    to: Annotated[
        Form,
        typer.Option(help="Names of variables, as of a TF 1 Saver, or objects, as of tf.train.Checkpoint."),
    ] = Form.NAMES,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGEX=TEXT", help="Replace what is found in names. Can be repeated, as the others."
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="REGEX", help="Leave out the variables in whose names it is found."),
    ] = None,
    cast: Annotated[
        list[str] | None,
        typer.Option(metavar="REGEX=DTYPE", help="Cast floats to floats and integers to integers."),
    ] = None,
    as_json: JSON = False,
) -> None:
    """Writes the checkpoint SOURCE anew as TARGET; SOURCE stays as it is.

    It reads all formats of TensorFlow 1 and 2. What was written is read back and compared before TARGET
    appears.
    """
    with bad_input_in_one_line():
        from keras_legacy_train.checkpoints.conversion import convert_checkpoint

        done = convert_checkpoint(
            source,
            target,
            to.value,
            rename=[_pair("--rename", each) for each in rename or ()],
            drop=drop or (),
            cast=[_pair("--cast", each) for each in cast or ()],
        )
    if as_json:
        print_json(
            {
                "source": done.source,
                "target": done.target,
                "form": done.form,
                "variables": [
                    {
                        "source": each.source,
                        "name": each.name,
                        "dtype": each.dtype.name,
                        "source_dtype": each.source_dtype.name,
                        "shape": list(each.shape),
                        "slices": len(each.slices),
                    }
                    for each in done.variables
                ],
                "dropped": list(done.dropped),
            }
        )
        return
    changed = [
        (each.source, each.name, each.source_dtype.name, each.dtype.name)
        for each in done.variables
        if (each.source, each.source_dtype) != (each.name, each.dtype)
    ]
    changed += [(each, "(dropped)", "", "") for each in done.dropped]
    if changed:
        print_table(["in the source", "in the target", "dtype", "there"], changed)
    print(f"{done.target}: {len(done.variables)} variables from {done.source}, read back and compared.")


def _pair(option: str, text: str) -> tuple[str, str]:
    """Splits at the last `=`, which a regular expression may hold as well."""
    pattern, sign, replacement = text.rpartition("=")
    if not sign or not pattern:
        fail(f"{option}: {text!r} is not of the form REGEX=TEXT")
    return pattern, replacement
