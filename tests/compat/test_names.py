"""The table of names leads from each name of TensorFlow 1 to what stands for it."""

from __future__ import annotations

from keras_legacy_train.compat.names import NAMES, Gone, Moved, lookup

TABLE = {
    "contrib": Gone("Use nothing."),
    "contrib.layers": Moved("room.layers"),
    "mul": Moved("tensorflow.multiply", renamed={"x": "a"}),
}


def test_the_longest_prefix_that_matches_is_taken() -> None:
    assert lookup("contrib.layers.conv2d", TABLE) == Moved("room.layers.conv2d")
    assert lookup("contrib.eager", TABLE) == Gone("Use nothing.")
    assert lookup("mul", TABLE) is TABLE["mul"]


def test_parts_of_words_do_not_match() -> None:
    assert lookup("multiply", TABLE) is None
    assert lookup("nn.mul", TABLE) is None


def test_rows_are_in_alphabetical_order() -> None:
    assert list(NAMES) == sorted(NAMES)
