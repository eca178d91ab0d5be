"""Every parameter of `train` and `fit` with what it cannot mean: an error that names it, no file."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import graphs
import keras_legacy_train as klt

NOTHING = object()
NAN = math.nan
NOT_NUMBERS = ["3", [3], {}, NOTHING, NAN, 1j]

# What a parameter of a kind cannot be.
STEPS = [*NOT_NUMBERS, -1, 1.5, math.inf, True]
POSITIVE = [*NOT_NUMBERS, -1, 0, 1.5, math.inf, True]
INTERVAL = [*NOT_NUMBERS, 1.5, math.inf, True]
SECONDS = [*NOT_NUMBERS, -1, True]
NUMBER = [*NOT_NUMBERS, True]
FLAG = [NOTHING, "yes", 2, [True], NAN]
PATH = [NOTHING, 3, NAN, ["a"], {}, True]
FUNCTION = [NOTHING, 3, "f", [], {}]
FEEDS = [NOTHING, 3, "x", [1, 2]]
ELEMENT = [NOTHING, 3, NAN, "no_such_tensor", [NOTHING], np.zeros(3)]
WATCHERS = [NOTHING, 3, "monitor", [NOTHING], [None], {1: 2}]
ANYTHING: list[Any] = []  # it is only handed on, or TensorFlow defines what it is

TRAINING = {
    "log_every_steps": INTERVAL,
    "keep_checkpoint_max": STEPS,
    "steps": STEPS,
    "max_steps": STEPS,
    "fail_on_nan_loss": FLAG,
    "monitors": WATCHERS,
    "callbacks": WATCHERS,
    "max_window": POSITIVE,
    "steps_per_epoch": POSITIVE,
    "save_input_state": FLAG,
}
TRAIN = {
    **TRAINING,
    "graph": [NOTHING, 3, [], "no_such_file.meta"],
    "output_dir": [*PATH, None, ""],
    "train_op": [*ELEMENT, None, []],
    "loss_op": [*ELEMENT, None, [], "sub:0"],
    "global_step_tensor": [*ELEMENT, "w:0"],
    "init_op": ELEMENT,
    "init_feed_dict": FEEDS,
    "init_fn": FUNCTION,
    "supervisor_is_chief": FLAG,
    "supervisor_master": [NOTHING, 3, "grpc://a"],
    "supervisor_save_model_secs": SECONDS,
    "supervisor_save_summaries_steps": INTERVAL,
    "feed_fn": FUNCTION,
    "jit_compile": FLAG,
    "progress_bar": FLAG,
}
FIT = {
    **TRAINING,
    "model": [NOTHING, None, 3, keras.layers.Dense(1)],
    "x": [NOTHING, None, 3, "x"],
    "y": ANYTHING,
    "batch_size": POSITIVE,
    "sample_weight": ANYTHING,
    "class_weight": [NOTHING, 3, "x", [1.0]],
    "shuffle": [NOTHING, "yes", 2],
    "validation_data": [NOTHING, 3],
    "validation_split": [*NUMBER, 1.5, -0.5],
    "validation_batch_size": POSITIVE,
    "validation_steps": POSITIVE,
    "validation_freq": [*POSITIVE[2:], [0], ["a"]],
    "validation_every_steps": POSITIVE,
    "output_dir": [*PATH, ""],
    "epochs": STEPS,
    "save_secs": SECONDS,
    "save_steps": POSITIVE,
    "save_summaries_steps": INTERVAL,
    "verbose": [NOTHING, "yes", 3, [1]],
}


@functools.cache
def _job() -> Any:
    return graphs.build("linear_sgd")


@functools.cache
def _model() -> keras.Model:
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def _train_arguments() -> dict[str, Any]:
    job = _job()
    return {
        "graph": job.graph,
        "output_dir": "out",
        "train_op": job.train_op,
        "loss_op": job.loss,
        "max_steps": 1,
    }


def _fit_arguments() -> dict[str, Any]:
    return {
        "model": _model(),
        "x": np.zeros([4, 2]),
        "y": np.zeros([4, 1]),
        "output_dir": "out",
        "max_steps": 1,
    }


# By the function's name: the function, arguments that are right, and by parameter what it cannot be.
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[[], dict[str, Any]], dict[str, list[Any]]]] = {
    "train": (klt.train, _train_arguments, TRAIN),
    "fit": (klt.fit, _fit_arguments, FIT),
}


@pytest.mark.parametrize(
    ("function", "parameter"),
    [(function, parameter) for function, (_, _, wrong) in FUNCTIONS.items() for parameter in wrong],
)
def test_wrong_value(function: str, parameter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call, right, wrong = FUNCTIONS[function]
    failures = []
    for value in wrong[parameter]:
        try:
            given = {**right(), parameter: value}
            if parameter in ("steps", "epochs"):
                del given["max_steps"]
            call(**given)
        except (ValueError, TypeError, FileNotFoundError) as error:
            if parameter not in str(error):
                failures.append(f"{value!r}: {type(error).__name__} does not name it: {str(error)[:200]}")
        except Exception as error:
            failures.append(f"{value!r}: {type(error).__name__}: {str(error)[:200]}")
        else:
            failures.append(f"{value!r}: accepted")
        if any(tmp_path.iterdir()):
            failures.append(f"{value!r}: wrote {[path.name for path in tmp_path.iterdir()]}")
            for path in tmp_path.iterdir():
                path.rename(tmp_path.parent / f"{path.name}-{len(failures)}-{tmp_path.name}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_parameter_is_left_out(function: str) -> None:
    call, _, wrong = FUNCTIONS[function]
    assert set(wrong) == set(inspect.signature(call).parameters)
