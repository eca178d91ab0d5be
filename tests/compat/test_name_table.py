"""The table of names leads from each name of TensorFlow 1 to what stands for it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from helpers import run_python
from keras_legacy_train.compat.names import LIBRARY_NAMES, NAMES, Gone, Moved, lookup
from keras_legacy_train.compat.tensorflow import follow

TABLE = {
    "contrib": Gone("Use nothing."),
    "contrib.layers": Moved("room.layers"),
    "mul": Moved("tensorflow.multiply", renamed={"x": "a"}),
}
# Packages that need not be installed.
EXTRAS = ("tf_keras.", "sklearn.", "tensorflow_probability.")


def test_the_longest_prefix_that_matches_is_taken() -> None:
    assert lookup("contrib.layers.conv2d", TABLE) == Moved("room.layers.conv2d")
    assert lookup("contrib.eager", TABLE) == Gone("Use nothing.")
    assert lookup("mul", TABLE) is TABLE["mul"]


def test_parts_of_words_do_not_match() -> None:
    assert lookup("multiply", TABLE) is None
    assert lookup("nn.mul", TABLE) is None


def test_rows_are_in_alphabetical_order() -> None:
    assert list(NAMES) == sorted(NAMES)
    assert list(LIBRARY_NAMES) == sorted(LIBRARY_NAMES)


def test_every_row_leads_somewhere() -> None:
    for name, entry in {**NAMES, **LIBRARY_NAMES}.items():
        if isinstance(entry, Moved) and not entry.to.startswith(EXTRAS) and not is_older(name):
            assert follow(entry.to) is not None


def test_a_script_finds_every_name_or_is_told_what_to_use(tmp_path: Path) -> None:
    lines = ["import tensorflow as tf"]
    for name, entry in NAMES.items():
        if isinstance(entry, Moved):
            if not entry.to.startswith(EXTRAS):
                lines.append(f"assert tf.{name} is not None")
        elif not is_there_all_the_same(name):
            lines += ["try:", f"    tf.{name}", "except AttributeError as error:"]
            lines += [f"    assert {entry.use!r} in str(error), error"]
            lines += ["else:", f"    raise ValueError({name!r})"]
    (tmp_path / "old.py").write_text("\n".join([*lines, "print('found')"]), encoding="utf-8")
    ended = run_python("-m", "keras_legacy_train", "run", str(tmp_path / "old.py"))
    assert ended.stdout == "found\n", ended.stderr


def is_there_all_the_same(name: str) -> bool:
    """Returns whether a script has a name that `migrate` has nothing for, or names below it."""
    return "flags.FLAGS." in name or any(other.startswith(f"{name}.") for other in NAMES)


def is_older(name: str) -> bool:
    """Returns whether this NumPy has an old name still, and not yet the one that has come for it."""
    return name == "numpy.trapz" and not hasattr(np, "trapezoid")


def test_what_to_use_is_a_sentence() -> None:
    uses = [entry.use for entry in NAMES.values() if isinstance(entry, Gone)]
    assert [use for use in uses if not re.fullmatch(r"[A-Z].*\.", use)] == []
