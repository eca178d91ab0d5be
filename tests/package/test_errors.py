"""The errors of the package say what to do, and survive the way to another process."""

from __future__ import annotations

import pickle

import pytest

from keras_legacy_train import errors


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (errors.ReplicasDifferError(["w"]), ["no longer have the same values in w: ", "all_reduce()"]),
        (
            errors.ReplicasDifferError([f"w{number}" for number in range(12)]),
            ["w0, w1, ", "w9 and 2 more: each has trained its own copy"],
        ),
        (errors.NoProgressError("step", 100), ["ran 100 times without raising the global step 'step'"]),
        (
            errors.ServerUnreachableError(["ps 0 at a:1", "ps 1 at b:1"], 2.5),
            ["No answer for 2.5 s from ps 0 at a:1, ps 1 at b:1. Is the process running there"],
        ),
        (errors.ModelNotReadyError(["w", "b"], 5.0), ["within 5 s.", "Without a value: w, b."]),
        (errors.ModelNotReadyError([], 5.0), ["none; the chief has not said that it is ready"]),
    ],
)
def test_errors_say_what_to_do_also_in_another_process(error: Exception, parts: list[str]) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and vars(again) == vars(error)
    for part in parts:
        assert part in str(error)
    assert str(again) == str(error)
