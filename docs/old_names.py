"""Writes docs/old_names.md, the table of the names of TensorFlow 1: python docs/old_names.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_legacy_train.compat.names import LIBRARY_NAMES, METHODS, NAMES, Entry, Gone, Moved

PAGE = Path(__file__).with_suffix(".md")

BEGINNING = """\
# Names of TensorFlow 1

What stands for a name of TensorFlow 1, for `keras-legacy-train run` and `keras-legacy-train migrate`. A row
stands for its name and for all below it. Names without a row are those of `tf.compat.v1`. [Old
scripts](old_scripts.md) says how they are used. This page is written by `docs/old_names.py`.

| name | today |
|---|---|
"""

LIBRARIES = """
## Names of other packages

Scripts see these, too; installed packages do not.

| name | today |
|---|---|
"""

# What a page says of calls that have an older order of arguments.
WHEN = {
    "always": "",
    "first is int": " if an axis comes first",
    "first is float": " if the first is of floats",
    "third is float": " if the third is of floats",
    "second is scalar": " if the second is a single number",
    "first is trained": " if the first is computed from trained variables, and the second is not",
}

# Folders of TensorFlow that scripts import from, and do not reach by `tf.`.
FOLDERS = ("examples", "models", "python")


def page() -> str:
    """Returns the text of the page."""
    rows = (
        (f"tensorflow.{name}" if name.partition(".")[0] in FOLDERS else f"tf.{name}", entry)
        for name, entry in NAMES.items()
    )
    return BEGINNING + "".join(table(rows)) + LIBRARIES + "".join(table(LIBRARY_NAMES.items())) + methods()


def methods() -> str:
    """Returns what has become of methods."""
    changes = [f"`.{old}()` is `.{new}()`" for old, new in METHODS.items()]
    return f"\nOf methods without arguments, {', and '.join(changes)}.\n"


def table(rows: Iterable[tuple[str, Entry]]) -> Iterator[str]:
    """Gives a line for each row."""
    for name, entry in rows:
        yield f"| `{name}` | {entry.use if isinstance(entry, Gone) else moved(entry)} |\n"


def moved(entry: Moved) -> str:
    """Returns where a thing is, and how its arguments have changed."""
    changes = [f"`{old}` is `{new}`" for old, new in entry.renamed.items()]
    if entry.order:
        order = ", ".join(f"`{name}`" for name in entry.order)
        changes.append(f"by position {order}{WHEN[entry.order_when]}")
    for name, parts in entry.joined.items():
        changes.append(f"`{name}` is a list of {' and '.join(f'`{part}`' for part in parts)}")
    if entry.flags:
        changes.append(f"`{entry.flags}` may be a bool for each axis")
    changes += [f"the `{name}` of before is left out" for name in entry.dropped]
    if entry.with_shape:
        changes.append(f"with a shape `{entry.with_shape}`")
    return f"`{entry.to}`" + (f"; {', '.join(changes)}" if changes else "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
