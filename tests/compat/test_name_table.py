"""The table of names leads from each name of TensorFlow 1 to what stands for it."""

from __future__ import annotations

import re

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
    paths = [entry.to for entry in (*NAMES.values(), *LIBRARY_NAMES.values()) if isinstance(entry, Moved)]
    for path in paths:
        if not path.startswith(EXTRAS):
            assert follow(path) is not None


def test_what_to_use_is_a_sentence() -> None:
    uses = [entry.use for entry in NAMES.values() if isinstance(entry, Gone)]
    assert [use for use in uses if not re.fullmatch(r"[A-Z].*\.", use)] == []
