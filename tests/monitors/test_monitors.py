"""The monitors, one by one. `test_monitor_contract.py` has them in `train`."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import monitors
from keras_legacy_train.monitors.scheduling import next_step
from monitor_helpers import VARIABLE_KINDS, Estimator, Line, Run, drive

v1 = tf.compat.v1


# Every monitor.

REQUIRED: dict[str, tuple[Any, ...]] = {
    "CaptureVariable": ("w:0",),
    "ExportMonitor": (5, "exports"),
    "NanLoss": ("loss:0",),
    "PrintTensor": (["loss:0"],),
    "SummarySaver": ("summary:0",),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "StopAtStep": {"last_step": 9},
    "CheckpointSaver": {"save_steps": 5},
    "ValidationMonitor": {"x": [1.0]},
}


def make(name: str, tmp_path: Path) -> monitors.BaseMonitor:
    arguments = REQUIRED.get(name, (tmp_path,) if name == "CheckpointSaver" else ())
    monitor = getattr(monitors, name)(*arguments, **OPTIONS.get(name, {}))
    if name == "ExportMonitor":
        monitor.set_estimator(Estimator(tmp_path))
    return monitor


EVERY_MONITOR = pytest.mark.parametrize(
    "name", [name for name in monitors.__all__ if hasattr(getattr(monitors, name), "step_begin")]
)


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("BaseMonitor", "()"),
        ("EveryN", "(every_n_steps=100, first_n_steps=1)"),
        ("StopAtStep", "(num_steps=None, last_step=None)"),
        ("PrintTensor", "(tensor_names, every_n=100, first_n=1)"),
        ("LoggingTrainable", "(scope=None, every_n=100, first_n=1)"),
        (
            "SummarySaver",
            "(summary_op, save_steps=100, output_dir=None, summary_writer=None, scaffold=None)",
        ),
        ("CaptureVariable", "(var_name, every_n=100, first_n=1)"),
        ("GraphDump", "(ignore_ops=None)"),
        (
            "CheckpointSaver",
            "(checkpoint_dir, save_secs=None, save_steps=None, saver=None, "
            "checkpoint_basename='model.ckpt', scaffold=None)",
        ),
        (
            "ValidationMonitor",
            "(x=None, y=None, input_fn=None, batch_size=None, eval_steps=None, every_n_steps=100, "
            "metrics=None, hooks=None, early_stopping_rounds=None, early_stopping_metric='loss', "
            "early_stopping_metric_minimize=True, name=None, check_interval_secs=5)",
        ),
        (
            "ExportMonitor",
            "(every_n_steps, export_dir, input_fn=None, input_feature_key=None, exports_to_keep=5, "
            "signature_fn=None, default_batch_size=1)",
        ),
        ("RunHookAdapterForMonitors", "(monitors)"),
        ("replace_monitors_with_hooks", "(monitors_or_hooks, estimator)"),
        ("StepCounter", "(every_n_steps=100, output_dir=None, summary_writer=None)"),
        ("NanLoss", "(loss_tensor, every_n_steps=100, fail_on_nan_loss=True)"),
        (
            "get_default_monitors",
            "(loss_op=None, summary_op=None, save_summary_steps=100, output_dir=None, summary_writer=None)",
        ),
    ],
)
def test_arguments_are_the_originals(name: str, signature: str) -> None:
    actual = inspect.signature(getattr(monitors, name))
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in actual.parameters.values()]
    assert str(inspect.Signature(bare)) == signature


@EVERY_MONITOR
def test_runs_on_all_workers_only_if_it_stops_them(name: str, tmp_path: Path) -> None:
    assert make(name, tmp_path).run_on_all_workers is (name == "StopAtStep")


@EVERY_MONITOR
def test_may_end_without_a_step_and_begin_again(name: str, tmp_path: Path, line: Line) -> None:
    monitor = make(name, tmp_path)
    line.drive(monitor, until=0)
    line.drive(monitor, until=0)
    assert not list(tmp_path.iterdir())


@EVERY_MONITOR
def test_begin_twice_or_end_unbegun_is_an_error(name: str, tmp_path: Path, line: Line) -> None:
    monitor = make(name, tmp_path)
    with line.graph.as_default():
        with pytest.raises(ValueError, match=r"^end called without begin\.$"):
            monitor.end()
        monitor.begin()
        with pytest.raises(ValueError, match=r"^begin called twice without end\.$"):
            monitor.begin()


@EVERY_MONITOR
def test_needs_an_estimator_to_set(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^Missing estimator\.$"):
        make(name, tmp_path).set_estimator(None)


@EVERY_MONITOR
def test_subclass_that_watches_of_its_own_accord_sees_every_step(name: str, tmp_path: Path) -> None:
    monitor = make(name, tmp_path)
    subclass = type("Watching", (type(monitor),), {"step_end": lambda self, step, output: None})
    monitor.__class__ = subclass
    assert next_step(monitor, 41) == 42


@pytest.mark.parametrize(("step", "max_steps"), [(-1, None), (-1, 5), (6, 5)])
def test_step_out_of_range(step: int, max_steps: int | None) -> None:
    monitor = monitors.BaseMonitor()
    monitor.begin(max_steps)
    with pytest.raises(ValueError, match=rf"^Invalid step {step}\.$"):
        monitor.step_begin(step)


def test_step_end_of_another_step() -> None:
    monitor = monitors.BaseMonitor()
    with pytest.raises(ValueError, match=r"^step_end expected None but got 3\.$"):
        monitor.step_end(3, {})
    monitor.step_begin(2)
    with pytest.raises(ValueError, match=r"^step_end expected 2 but got 3\.$"):
        monitor.step_end(3, {})


def test_epochs() -> None:
    monitor = monitors.BaseMonitor()
    with pytest.raises(ValueError, match=r"^Invalid epoch -1\.$"):
        monitor.epoch_begin(-1)
    monitor.epoch_begin(0)
    with pytest.raises(ValueError, match=r"^epoch_begin called twice without epoch_end\.$"):
        monitor.epoch_begin(1)
    with pytest.raises(ValueError, match=r"^epoch_end expected 0 but got 1\.$"):
        monitor.epoch_end(1)
    monitor.epoch_end(0)
    monitor.epoch_begin(1)


# StopAtStep.


@pytest.mark.parametrize(
    ("options", "start", "last"),
    [
        ({"num_steps": 3}, 0, 3),
        ({"num_steps": 3}, 100, 103),
        ({"num_steps": 1}, 0, 1),
        ({"last_step": 5}, 0, 5),
        ({"last_step": 5}, 3, 5),
        ({"last_step": 5}, 8, 9),
    ],
)
def test_stop_at_step(options: dict[str, int], start: int, last: int) -> None:
    assert drive(monitors.StopAtStep(**options), until=1000, start=start) == last


def test_stop_at_step_counts_anew_from_each_begin() -> None:
    monitor = monitors.StopAtStep(num_steps=3)
    assert drive(monitor, until=1000) == 3
    assert drive(monitor, until=1000, start=3) == 6


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "One of num_steps or last_step must be specified."),
        ({"num_steps": 1, "last_step": 2}, "Only one of num_steps or last_step can be specified."),
    ],
)
def test_stop_at_step_needs_one_argument(options: dict[str, int], text: str) -> None:
    with pytest.raises(ValueError) as raised:
        monitors.StopAtStep(**options)
    assert str(raised.value) == text


def test_stop_at_step_sees_the_first_step_and_the_last() -> None:
    monitor = monitors.StopAtStep(num_steps=10)
    monitor.begin()
    assert next_step(monitor, 20) == 21
    monitor.step_begin(21)
    assert not monitor.step_end(21, {})
    assert next_step(monitor, 21) == 30
    assert next_step(monitors.StopAtStep(last_step=30), 0) == 30
    assert next_step(monitors.StopAtStep(last_step=30), 30) == 31


# PrintTensor, LoggingTrainable, CaptureVariable.


def test_print_tensor(line: Line, log: pytest.LogCaptureFixture) -> None:
    line.drive(
        monitors.PrintTensor({"loss": "loss:0", "weight": "w/Read/ReadVariableOp:0"}, every_n=2), until=4
    )
    assert log.messages[0] == "Step 1: loss = 4.0, weight = 2.0"
    assert [message.split(":")[0] for message in log.messages] == ["Step 1", "Step 3"]


def test_print_tensor_prints_a_line_for_each_of_the_first_steps(
    line: Line, log: pytest.LogCaptureFixture
) -> None:
    line.drive(monitors.PrintTensor(["loss:0"], every_n=10, first_n=2), until=3, max_steps=3)
    assert log.messages == [f"Step {step}: loss:0 = {loss}" for step, loss in [(1, 4.0), (2, 1.0), (3, 0.25)]]


@pytest.mark.parametrize("form", ["tensor", "name:0", "name"])
@pytest.mark.parametrize("container", [list, tuple, iter, lambda items: {"tag": next(iter(items))}])
@pytest.mark.parametrize("keys", ["tensor names", "what was asked for"])
def test_print_tensor_finds_what_it_asked_for(
    form: str, container: Any, keys: str, line: Line, log: pytest.LogCaptureFixture
) -> None:
    request = {"tensor": line.loss, "name:0": "loss:0", "name": "loss"}[form]
    monitor = monitors.PrintTensor(container([request]))  # outside the graph, where a tensor has no hash

    def run(step: int, requests: Iterable[Any]) -> dict[Any, Any]:
        (asked,) = requests
        assert asked is request
        return {"loss:0" if keys == "tensor names" else asked: np.float32(10.0), "other:0": 3}

    with line.graph.as_default():
        drive(monitor, until=1, run=run)
        assert line.loss.graph.as_graph_def() == Line().graph.as_graph_def()
    tag = "tag" if isinstance(container([request]), dict) else {"name": "loss"}.get(form, "loss:0")
    assert log.messages == [f"Step 1: {tag} = 10.0"]


def test_print_tensor_leaves_out_what_a_subclass_did_not_ask_for(
    line: Line, log: pytest.LogCaptureFixture
) -> None:
    class Asks(monitors.PrintTensor):
        def every_n_step_begin(self, step: int) -> list[Any]:
            return ["loss:0"]

    line.drive(Asks({"loss": "loss:0", "weight": "w:0"}), until=1)
    assert log.messages == ["Step 1: loss = 4.0"]


def test_logging_trainable(line: Line, log: pytest.LogCaptureFixture) -> None:
    size = len(line.graph.get_operations())
    line.drive(monitors.LoggingTrainable(every_n=2), until=4)
    assert log.messages == [f"Logging Trainable: Step {step}: w:0 = {w}" for step, w in [(1, 2.0), (3, 0.5)]]
    assert len(line.graph.get_operations()) == size


def test_logging_trainable_of_reference_variables(log: pytest.LogCaptureFixture) -> None:
    Line(use_resource=False).drive(monitors.LoggingTrainable(), until=1)
    assert log.messages[0] in [f"Logging Trainable: Step 1: w:0 = {w}" for w in (2.0, 1.0)]  # before or after


@pytest.mark.parametrize(("scope", "names"), [(None, ["a/w:0", "b/w:0"]), ("b", ["b/w:0"]), ("c", [])])
def test_logging_trainable_of_a_scope(
    scope: str | None, names: list[str], log: pytest.LogCaptureFixture
) -> None:
    with tf.Graph().as_default() as graph:
        for name in ("a/w", "b/w"):
            v1.get_variable(name, [], use_resource=True)
        v1.get_variable("c/w", [], trainable=False, use_resource=True)
        drive(
            monitors.LoggingTrainable(scope),
            until=1,
            run=lambda step, requests: {graph.as_graph_element(r).name: 5 for r in requests},
        )
    assert log.messages == ["Logging Trainable: Step 1: " + ", ".join(f"{name} = 5" for name in names)]


@pytest.mark.parametrize("form", ["name:0", "name", "tensor"])
def test_capture_variable(form: str, line: Line) -> None:
    request = {"name:0": "loss:0", "name": "loss", "tensor": line.loss}[form]
    monitor = monitors.CaptureVariable(request, every_n=2, first_n=2)
    assert monitor.values == {}
    line.drive(monitor, until=5)
    assert monitor.values == {1: 4.0, 2: 1.0, 4: 0.0625}


@VARIABLE_KINDS
def test_capture_a_variable_object(use_resource: bool) -> None:
    line = Line(use_resource)
    monitor = monitors.CaptureVariable(line.w, every_n=1)
    with line.graph.as_default():
        drive(monitor, 2, run=lambda step, requests: dict.fromkeys(requests, step * 10))
    assert monitor.values == {1: 10, 2: 20}


# NanLoss.


def losses(*values: float) -> Run:
    return lambda step, requests: dict.fromkeys(requests, np.float32(values[step - 1]))


def test_nan_loss_raises(log: pytest.LogCaptureFixture) -> None:
    with pytest.raises(monitors.NanLossDuringTrainingError, match=r"^NaN loss during training\.") as raised:
        drive(monitors.NanLoss("loss:0", every_n_steps=1), 9, run=losses(1.0, 2.0, math.nan))
    assert isinstance(raised.value, RuntimeError)
    assert raised.value.step == 3
    assert log.record_tuples == [("keras_legacy_train", logging.ERROR, "Model diverged with loss = NaN.")]


def test_nan_loss_stops(log: pytest.LogCaptureFixture) -> None:
    monitor = monitors.NanLoss("loss:0", every_n_steps=1, fail_on_nan_loss=False)
    assert drive(monitor, 9, run=losses(1.0, 2.0, math.nan)) == 3
    assert log.record_tuples == [("keras_legacy_train", logging.WARNING, "Model diverged with loss = NaN.")]


def test_nan_loss_looks_every_n_steps() -> None:
    monitor = monitors.NanLoss("loss:0", every_n_steps=3, fail_on_nan_loss=False)
    assert drive(monitor, 9, run=losses(1.0, math.nan, math.nan, math.nan)) == 4


@pytest.mark.parametrize("value", [0.0, math.inf, -math.inf])
def test_nan_loss_minds_nothing_else(value: float) -> None:
    assert drive(monitors.NanLoss("loss:0", every_n_steps=1), 2, run=losses(value, value)) == 2


def test_nan_loss_of_shape_1() -> None:
    with pytest.raises(monitors.NanLossDuringTrainingError):
        drive(monitors.NanLoss("loss:0"), 1, run=lambda step, requests: {"loss:0": np.array([math.nan])})
