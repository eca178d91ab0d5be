"""The strategies and laws that users get for their own tests; the laws must be able to fail."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings

from helpers import Silent, newest_checkpoint, run_python
from keras_legacy_train import monitors, testing, train

PLAN = testing.StepPlan((("steps", 4), ("max_steps", 7), ("max_steps", 3)))


@settings(max_examples=6)
@given(testing.graph_specs(), testing.step_plans(), testing.faults(), testing.monitor_specs())
def test_the_laws_hold_for_the_monitors_of_the_package(
    spec: testing.GraphSpec,
    plan: testing.StepPlan,
    fault: testing.Fault | None,
    monitor_specs: list[testing.MonitorSpec],
) -> None:
    for monitor_spec in monitor_specs[:1]:
        testing.check_monitor(monitor_spec.build, spec, plan, fault)


@settings(max_examples=5)
@given(testing.graph_specs())
def test_a_spec_always_builds_the_same(spec: testing.GraphSpec) -> None:
    first, second = spec.build(), spec.build()
    assert first.graph.as_graph_def() == second.graph.as_graph_def()
    if first.feed_fn is not None and second.feed_fn is not None:
        for one, other in zip(first.feed_fn().values(), second.feed_fn().values(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_plans_tell_where_they_end(tmp_path: Path) -> None:
    assert PLAN.ends() == [4, 7, 7]
    for (kind, number), end in zip(PLAN.calls, PLAN.ends(), strict=True):
        job = testing.GraphSpec().build()
        train(output_dir=tmp_path, monitors=[Silent()], **{kind: number}, **job.arguments())
        assert newest_checkpoint(tmp_path) == f"model.ckpt-{end}"


@pytest.mark.parametrize("when", ["begin", "end"])
@pytest.mark.parametrize("kind", ["error", "aborted", "unavailable", "interrupt", "sigterm", "stop"])
def test_faults_happen_once_where_they_should(kind: str, when: str, tmp_path: Path) -> None:
    fault = testing.Fault(kind, step=3, when=when)
    injector = testing.FaultInjector(fault)
    arguments: dict[str, Any] = {"output_dir": tmp_path, "monitors": [injector], "max_steps": 6}
    if not fault.raises():
        train(**arguments, **testing.GraphSpec().build().arguments())
    else:
        with pytest.raises(fault.raises()):
            train(**arguments, **testing.GraphSpec().build().arguments())
    assert injector.happened
    steps_done = {"error": 2 if when == "begin" else 3, "interrupt": 2 if when == "begin" else 3}
    expected = {**steps_done, "sigterm": 3, "stop": 3}.get(kind, 6)
    assert newest_checkpoint(tmp_path) == f"model.ckpt-{expected}"


def test_a_killed_process_is_killed(tmp_path: Path) -> None:
    script = (
        "from keras_legacy_train import testing, train\n"
        "injector = testing.FaultInjector(testing.Fault('kill', 2))\n"
        f"train(output_dir={str(tmp_path)!r}, monitors=[injector], steps=9,"
        " **testing.GraphSpec().build().arguments())\n"
    )
    ended = run_python("-c", script)
    assert ended.returncode == -signal.SIGKILL
    assert newest_checkpoint(tmp_path) == "model.ckpt-0"


class SeesWindows(monitors.BaseMonitor):
    """Breaks the law: it looks at what runs together."""

    def __init__(self) -> None:
        super().__init__()
        self.windows = 0

    def steps_passed(self, step: int) -> None:
        self.windows += 1

    def next_step(self, step: int) -> float:
        return step + 1 if self.windows > 3 else np.inf


class ChangesTheModel(monitors.EveryN):
    """Breaks the law, by a number that is another one in each run."""

    runs = 0

    def every_n_post_step(self, step: int, session: Any) -> None:
        type(self).runs += 1
        (w,) = session.graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)
        session.run(w.initializer, {w.initial_value: np.full([3, 1], self.runs, np.float32)})


@pytest.mark.parametrize("make", [SeesWindows, ChangesTheModel])
def test_the_laws_can_fail(make: Any) -> None:
    with pytest.raises(AssertionError, match="not the same where steps run singly"):
        testing.check_monitor(lambda job: make(), testing.GraphSpec(), testing.StepPlan((("steps", 9),)))
