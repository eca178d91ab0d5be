"""The table of names leads from each name of TensorFlow 1 to what stands for it."""

from __future__ import annotations

import re

import numpy as np

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


def is_older(name: str) -> bool:
    """Returns whether this NumPy has an old name still, and not yet the one that has come for it."""
    return name == "numpy.trapz" and not hasattr(np, "trapezoid")


def test_what_to_use_is_a_sentence() -> None:
    uses = [entry.use for entry in NAMES.values() if isinstance(entry, Gone)]
    assert [use for use in uses if not re.fullmatch(r"[A-Z].*\.", use)] == []
