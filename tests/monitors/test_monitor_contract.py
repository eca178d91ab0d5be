"""What monitors are called with and may do, row by row; those written in 2016 included."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import (
    EveryNLosses,
    Job,
    Recorder,
    Silent,
    StopAt,
    checkpoint_numbers,
    newest_checkpoint,
    scalar_events,
)
from keras_legacy_train import monitors, train

v1 = tf.compat.v1


class Logged(monitors.BaseMonitor):
    """Writes each of its calls, under its name, to a list shared with others."""

    def __init__(self, log: list[str], name: str):
        super().__init__()
        self.log, self.name = log, name

    def begin(self, max_steps: int | None = None) -> None:
        super().begin(max_steps)
        self.log.append(f"{self.name} begin({max_steps})")

    def step_begin(self, step: int) -> list[Any]:
        self.log.append(f"{self.name} step_begin({step})")
        return super().step_begin(step)

    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        self.log.append(f"{self.name} step_end({step})")
        return super().step_end(step, output)

    def post_step(self, step: int, session: Any) -> None:
        self.log.append(f"{self.name} post_step({step})")

    def end(self, session: Any = None) -> None:
        super().end(session)
        self.log.append(f"{self.name} end")


def raising(hook: str, at: int | None = None) -> monitors.BaseMonitor:
    """A monitor whose hook raises, at the given step or whenever it is called."""

    def raise_error(self: Any, *arguments: Any, **options: Any) -> Any:
        if at is None or arguments[0] == at:
            raise ZeroDivisionError(f"in {hook}")
        return getattr(monitors.BaseMonitor, hook)(self, *arguments, **options)

    return type("Raising", (monitors.BaseMonitor,), {hook: raise_error})()


def test_order_of_a_step(tmp_path: Path) -> None:
    log: list[str] = []

    def build() -> Any:
        x = v1.placeholder(tf.float32, [])
        loss = tf.square(v1.get_variable("w", [], initializer=v1.ones_initializer()) - x)
        with tf.control_dependencies([graphs.note(log, "run")]):
            loss = tf.identity(loss)
        train_op = graphs.minimize(v1.train.GradientDescentOptimizer(0.1), loss)
        return train_op, loss, {"feed_fn": lambda: log.append("feed_fn") or {x: 0.5}}

    train(
        output_dir=tmp_path,
        steps=2,
        monitors=[Logged(log, "a"), Logged(log, "b")],
        **graphs.job(build).arguments(),
    )
    expected = ["a begin(2)", "b begin(2)"]
    for step in (1, 2):
        expected += ["feed_fn", f"a step_begin({step})", f"b step_begin({step})", "run"]
        expected += [
            f"a step_end({step})",
            f"b step_end({step})",
            f"a post_step({step})",
            f"b post_step({step})",
        ]
    assert log == [*expected, "a end", "b end"]


def test_post_step_gets_a_session_after_the_step(job: Job, tmp_path: Path) -> None:
    seen = []

    class ReadsStep(monitors.BaseMonitor):
        def post_step(self, step: int, session: Any) -> None:
            seen.append((step, session.run("global_step:0")))

    train(output_dir=tmp_path, steps=3, monitors=[ReadsStep()], **job.arguments())
    assert seen == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize(
    ("n", "first_n", "expected"),
    [(5, 1, [1, 6, 11, 16, 18]), (5, 3, [1, 2, 3, 8, 13, 18]), (1, 1, list(range(1, 19))), (100, 0, [18])],
)
def test_every_n_keeps_its_documented_schedule(
    n: int, first_n: int, expected: list[int], job: Job, tmp_path: Path
) -> None:
    monitor = EveryNLosses(job.loss, every_n_steps=n, first_n_steps=first_n)
    train(output_dir=tmp_path, steps=18, monitors=[monitor], **job.arguments())
    assert list(monitor.losses) == expected
    assert monitor.post_steps == expected


def test_every_n_post_step_is_called_for_the_last_step_when_a_run_ends_early(
    job: Job, tmp_path: Path
) -> None:
    monitor = EveryNLosses(job.loss, every_n_steps=5)
    train(output_dir=tmp_path, steps=18, monitors=[monitor, StopAt(9)], **job.arguments())
    assert list(monitor.losses) == [1, 6]
    assert monitor.post_steps == [1, 6, 9]


def test_default_monitors(job: Job, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    train(output_dir=tmp_path, steps=205, **job.arguments())
    printed = [line.split(":")[0] for line in caplog.messages if line.startswith("Step ")]
    assert printed == ["Step 1", "Step 101", "Step 201", "Step 205"]
    assert sorted(scalar_events(tmp_path)["loss_summary"]) == [1, 101, 201, 205]


def test_user_monitors_keep_the_defaults_away(
    job: Job, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    train(output_dir=tmp_path, steps=2, monitors=[Silent()], **job.arguments())
    assert not [line for line in caplog.messages if line.startswith("Step ")]
    assert "loss_summary" not in scalar_events(tmp_path)


@pytest.mark.parametrize("nothing", [None, (), {}, [], set(), iter(())], ids=lambda it: type(it).__name__)
def test_step_begin_returns_no_request(nothing: Any, job: Job, tmp_path: Path) -> None:
    recorder = Recorder()
    recorder.requests = nothing
    recorder.step_begin = lambda step: monitors.BaseMonitor.step_begin(recorder, step) or nothing  # type: ignore[method-assign]
    train(output_dir=tmp_path, steps=2, monitors=[recorder], **job.arguments())
    assert recorder.steps("step_end") == [1, 2]


@pytest.mark.parametrize(
    "iterable",
    [list, tuple, set, iter, dict.fromkeys, lambda names: (name for name in names)],
    ids=["list", "tuple", "set", "iterator", "dict", "generator"],
)
def test_step_begin_returns_any_iterable(iterable: Any, job: Job, tmp_path: Path) -> None:
    seen = []

    class Asks(monitors.BaseMonitor):
        def step_begin(self, step: int) -> Any:
            super().step_begin(step)
            return iterable(["w:0", "b:0"])

        def step_end(self, step: int, output: dict[Any, Any]) -> bool:
            seen.append({name: output[name].shape for name in ("w:0", "b:0")})
            return super().step_end(step, output)

    train(output_dir=tmp_path, steps=1, monitors=[Asks()], **job.arguments())
    assert seen == [{"w:0": (8, 1), "b:0": (1,)}]


@pytest.mark.parametrize("use_resource", [False, True], ids=["reference", "resource"])
@pytest.mark.parametrize("kind", ["tensor", "name:0", "name", "variable", "read of the variable"])
def test_what_can_be_asked_for(kind: str, use_resource: bool, tmp_path: Path) -> None:
    job = graphs.build("linear_sgd", use_resource)
    with job.graph.as_default():
        variable = next(v for v in v1.global_variables() if v.op.name == "w")
        read = variable.read_value()
    request = {
        "tensor": job.loss,
        "name:0": "loss:0",
        "name": "loss",
        "variable": variable,
        "read of the variable": read,
    }[kind]
    recorder = Recorder(request)
    train(output_dir=tmp_path, steps=1, monitors=[recorder], **job.arguments())
    shape = () if kind in ("tensor", "name:0", "name") else (8, 1)
    value = recorder.outputs[1][request]
    assert isinstance(value, (np.ndarray, np.generic))
    assert value.dtype == np.float32
    assert value.shape == shape


def test_variable_asked_for_by_name(job: Job, tmp_path: Path) -> None:
    recorder = Recorder("w")
    train(output_dir=tmp_path, steps=1, monitors=[recorder], **job.arguments())
    assert recorder.outputs[1]["w"].shape == (8, 1)


def test_keys_of_the_outputs(job: Job, tmp_path: Path) -> None:
    operation = job.train_op
    recorder = Recorder(operation, job.loss, "loss")
    train(output_dir=tmp_path, steps=1, monitors=[recorder], **job.arguments())
    output = recorder.outputs[1]
    assert output["loss:0"] == output["loss"] == output[job.loss]
    assert {"loss:0", "loss"} <= set(output)
    assert operation in output and output[operation] is None
    assert output.get("no such tensor") is None
    with pytest.raises(KeyError):
        output["no such tensor"]


def test_train_op_and_loss_are_there_unasked(job: Job, tmp_path: Path) -> None:
    recorder = Recorder()
    loss = train(output_dir=tmp_path, steps=1, monitors=[recorder], **job.arguments())
    assert recorder.outputs[1]["loss:0"] == loss
    assert recorder.outputs[1][job.train_op] is None


@pytest.mark.parametrize("truthy", [True, 1, "stop", np.bool_(True)], ids=repr)
def test_step_end_returns_something_true(
    truthy: Any, job: Job, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    stopper, recorder = Silent(), Recorder(job.loss)
    stopper.step_end = lambda step, output: truthy if step == 3 else None  # type: ignore[method-assign]
    loss = train(output_dir=tmp_path, steps=9, monitors=[stopper, recorder], **job.arguments())
    assert recorder.steps("step_end") == [1, 2, 3]
    assert loss == recorder.outputs[3][job.loss]
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"
    assert any(line.startswith("training step 3, loss = ") for line in caplog.messages)


@pytest.mark.parametrize(
    ("hook", "checkpoint"),
    [("step_begin", 3), ("step_end", 4), ("post_step", 4)],
    ids=lambda value: str(value),
)
def test_monitor_raises_in_a_step(hook: str, checkpoint: int, job: Job, tmp_path: Path) -> None:
    before, after = Recorder(), Recorder()
    with pytest.raises(ZeroDivisionError, match=f"in {hook}"):
        train(output_dir=tmp_path, steps=9, monitors=[before, raising(hook, at=4), after], **job.arguments())
    assert newest_checkpoint(tmp_path) == f"model.ckpt-{checkpoint}"
    assert before.calls[-1] == after.calls[-1] == ["end"]


def test_monitors_raise_in_end(job: Job, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Second(monitors.BaseMonitor):
        def end(self, session: Any = None) -> None:
            raise LookupError("in the second end")

    last = Recorder()
    with pytest.raises(ZeroDivisionError, match="in end"):
        train(output_dir=tmp_path, steps=2, monitors=[raising("end"), Second(), last], **job.arguments())
    assert last.calls[-1] == ["end"]
    assert newest_checkpoint(tmp_path) == "model.ckpt-2"
    assert any("in the second end" in record.getMessage() for record in caplog.records)


def test_monitor_raises_in_a_step_and_another_in_end(
    job: Job, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ZeroDivisionError, match="in step_end"):
        train(output_dir=tmp_path, steps=2, monitors=[raising("step_end"), raising("end")], **job.arguments())
    assert any("in end" in record.getMessage() for record in caplog.records)


def test_monitor_raises_in_begin(job: Job, tmp_path: Path) -> None:
    before, after = Recorder(), Recorder()
    with pytest.raises(ZeroDivisionError, match="in begin"):
        train(output_dir=tmp_path, steps=2, monitors=[before, raising("begin"), after], **job.arguments())
    assert before.calls == [["begin", 2], ["end"]]
    assert after.calls == []
    assert checkpoint_numbers(tmp_path) == []


def test_end_gets_the_session_only_if_it_takes_one(job: Job, tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    class Without(monitors.BaseMonitor):
        def end(self) -> None:
            seen["without"] = True

    class With(monitors.BaseMonitor):
        def end(self, session: Any) -> None:
            seen["with"] = session.run("global_step:0")

    train(output_dir=tmp_path, steps=3, monitors=[Without(), With()], **job.arguments())
    assert seen == {"without": True, "with": 3}


@pytest.mark.parametrize("hook", ["begin", "step_begin"])
def test_monitor_adds_operations(hook: str, job: Job, tmp_path: Path) -> None:
    class AddsNorm(monitors.BaseMonitor):
        norm: Any = None
        norms: list[float]

        def add(self) -> None:
            if self.norm is None:
                assert v1.get_default_graph() is job.graph
                self.norm = tf.norm(v1.trainable_variables()[0].read_value())

        def begin(self, max_steps: int | None = None) -> None:
            super().begin(max_steps)
            if hook == "begin":
                self.add()

        def step_begin(self, step: int) -> list[Any]:
            super().step_begin(step)
            if step > 1:
                self.add()
            return [] if self.norm is None else [self.norm]

        def step_end(self, step: int, output: dict[Any, Any]) -> bool:
            super().step_end(step, output)
            if self.norm is not None:
                self.norms.append(output[self.norm.name])
            return False

    monitor = AddsNorm()
    monitor.norms = []
    train(output_dir=tmp_path, steps=3, monitors=[monitor], **job.arguments())
    assert len(monitor.norms) == (3 if hook == "begin" else 2)
    assert monitor.norms[-1] > 0


def test_monitor_adds_operations_in_post_step_and_end(job: Job, tmp_path: Path) -> None:
    seen = []

    class AddsLate(monitors.BaseMonitor):
        def post_step(self, step: int, session: Any) -> None:
            seen.append(session.run(v1.train.get_global_step() * 10))

        def end(self, session: Any = None) -> None:
            seen.append(session.run(v1.train.get_global_step() * 100))

    train(output_dir=tmp_path, steps=2, monitors=[AddsLate()], **job.arguments())
    assert seen == [10, 20, 200]


def test_hooks_find_the_graph_and_session_as_defaults(job: Job, tmp_path: Path) -> None:
    seen = []

    class Evaluates(monitors.BaseMonitor):
        def step_end(self, step: int, output: dict[Any, Any]) -> bool:
            seen.append(v1.train.get_global_step().eval())
            return False

    train(output_dir=tmp_path, steps=2, monitors=[Evaluates()], **job.arguments())
    assert seen == [1, 2]


def test_super_is_never_called(job: Job, tmp_path: Path) -> None:
    class Loose(monitors.BaseMonitor):
        def __init__(self) -> None:
            self.steps: list[int] = []

        def begin(self, max_steps: int | None = None) -> None:
            pass

        def step_begin(self, step: int) -> None:
            pass

        def step_end(self, step: int, output: dict[Any, Any]) -> None:
            self.steps.append(step)

        def end(self) -> None:
            pass

    class LooseEveryN(monitors.EveryN):
        def __init__(self) -> None:
            self.steps: list[int] = []

        def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> None:
            self.steps.append(step)

    loose, loose_every_n = Loose(), LooseEveryN()
    train(output_dir=tmp_path, steps=3, monitors=[loose, loose_every_n], **job.arguments())
    assert loose.steps == [1, 2, 3]
    assert loose_every_n.steps[0] == 1


def test_not_even_a_subclass(job: Job, tmp_path: Path) -> None:
    """The original asked for nothing but the methods."""
    steps: list[int] = []

    class Duck:
        run_on_all_workers = False

        def begin(self, max_steps: int | None = None) -> None: ...

        def step_begin(self, step: int) -> list[Any]:
            return []

        def step_end(self, step: int, output: dict[Any, Any]) -> None:
            steps.append(step)

        def end(self) -> None: ...

    train(output_dir=tmp_path, steps=3, monitors=[Duck()], **job.arguments())
    assert steps == [1, 2, 3]


@pytest.mark.usefixtures("variable_kind")
def test_run_on_all_workers(job: Job, tmp_path: Path) -> None:
    class Everywhere(Recorder):
        @property
        def run_on_all_workers(self) -> bool:
            return True

    everywhere, on_chief = Everywhere(), Recorder()
    train(
        output_dir=tmp_path,
        steps=2,
        supervisor_is_chief=False,
        monitors=[everywhere, on_chief],
        **job.arguments(),
    )
    assert everywhere.steps("step_end") == [1, 2]
    assert on_chief.calls == []


def test_one_bare_monitor(job: Job, tmp_path: Path) -> None:
    recorder = Recorder()
    train(output_dir=tmp_path, steps=2, monitors=recorder, **job.arguments())
    assert recorder.steps("step_end") == [1, 2]


def test_monitor_sees_the_same_losses_as_windows_would_give(tmp_path: Path) -> None:
    watched, unwatched = graphs.build("linear_adam"), graphs.build("linear_adam")
    recorder = Recorder(watched.loss)
    train(output_dir=tmp_path / "watched", steps=20, monitors=[recorder], **watched.arguments())
    loss = train(output_dir=tmp_path / "unwatched", steps=20, monitors=[Silent()], **unwatched.arguments())
    assert recorder.values(watched.loss)[-1] == loss
