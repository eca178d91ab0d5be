"""Arguments of monitors and callbacks that cannot be right are named when the object is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keras_legacy_train import callbacks, monitors
from keras_legacy_train.checkpoints import CheckpointManager, NamedVariables

REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (
        lambda path: monitors.CheckpointSaver(path, save_steps=1, checkpoint_basename="a/b"),
        "checkpoint_basename must be the name of a file; it is 'a/b'",
    ),
    (
        lambda path: monitors.GraphDump(ignore_ops="Const"),
        "ignore_ops must be a list of types of operations; it is 'Const'",
    ),
    (
        lambda path: monitors.RunHookAdapterForMonitors("monitor"),
        "monitors must be a list of monitors; it is 'monitor'",
    ),
    (
        lambda path: monitors.replace_monitors_with_hooks(3, None),
        "monitors_or_hooks must be a list; it is 3",
    ),
    (
        lambda path: monitors.LoggingTrainable(scope="("),
        r"scope must be a regular expression; '\(' is none: missing \)",
    ),
    (
        lambda path: monitors.PrintTensor("loss:0"),
        "tensor_names must be a list or a dict of tensors; it is 'loss:0'",
    ),
    (
        lambda path: monitors.ValidationMonitor(x=[1.0], hooks=3),
        "hooks must be a list of session hooks; it is 3",
    ),
    (
        lambda path: callbacks.CheckpointSaver(
            CheckpointManager(str(path), NamedVariables([]), max_to_keep=1),
            global_step=3,
            save_secs=None,
            writer=None,
        ),
        "global_step must be a function; it is 3",
    ),
    (
        lambda path: callbacks.TerminateOnNaN(last_good_checkpoint="model.ckpt-1"),
        "last_good_checkpoint must be a function; it is 'model.ckpt-1'",
    ),
    (
        lambda path: callbacks.TrainingSummaries(None, None, 0, 100),
        "writer must be a SummaryWriter; it is None",
    ),
]


def test_arguments_that_cannot_be_right_are_named(tmp_path: Any) -> None:
    for make, message in REFUSED:
        with pytest.raises(ValueError, match=message):
            make(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_hook_of_this_package_is_called_at_each_step_unless_it_says_otherwise() -> None:
    from keras_legacy_train.callbacks.hook_schedule import ScheduledHook

    assert ScheduledHook().next_step(7) == 8
    assert monitors.BaseMonitor().sampling(7) is None
    every = monitors.PrintTensor(["loss:0"], every_n=5, first_n=3)
    every.begin()
    assert every.sampling(2) is None  # each of the first steps is printed
