"""Checks what holds for every monitor in every training."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.monitors import scheduling
from keras_legacy_train.monitors.calls import as_requests, end_monitor
from keras_legacy_train.testing.faults import Fault, FaultInjector
from keras_legacy_train.testing.graph_specs import GraphSpec, Job
from keras_legacy_train.testing.step_plans import StepPlan
from keras_legacy_train.train import train


class RecordedCalls:
    """Records the calls of a monitor, and passes them on to it.

    Args:
        monitor: The monitor.

    Attributes:
        monitor: The monitor.
        calls: For each call its name and a number: the step, `max_steps` for `begin`, `None` for `end`.
    """

    def __init__(self, monitor: Any):
        self.monitor = monitor
        self.calls: list[tuple[str, int | None]] = []

    @property
    def run_on_all_workers(self) -> bool:
        return getattr(self.monitor, "run_on_all_workers", False)

    def next_step(self, step: int) -> float:
        return scheduling.next_step(self.monitor, step)

    def steps_passed(self, step: int) -> None:
        if hasattr(self.monitor, "steps_passed"):
            self.monitor.steps_passed(step)

    def begin(self, max_steps: int | None = None) -> None:
        self.calls.append(("begin", max_steps))
        self.monitor.begin(max_steps=max_steps)

    def resumed(self, step: int) -> None:
        if hasattr(self.monitor, "resumed"):
            self.monitor.resumed(step)

    def step_begin(self, step: int) -> list[Any]:
        self.calls.append(("step_begin", step))
        return as_requests(self.monitor.step_begin(step))

    def step_end(self, step: int, output: dict[Any, Any]) -> Any:
        self.calls.append(("step_end", step))
        return self.monitor.step_end(step, output)

    def post_step(self, step: int, session: Any) -> None:
        if hasattr(self.monitor, "post_step"):
            self.calls.append(("post_step", step))
            self.monitor.post_step(step, session)

    def end(self, session: Any = None) -> None:
        self.calls.append(("end", None))
        end_monitor(self.monitor, session)

    def steps(self, call: str) -> list[int | None]:
        """Returns the steps of the calls with this name, in order."""
        return [step for name, step in self.calls if name == call]


def check_monitor(
    make_monitor: Callable[[Job], Any],
    spec: GraphSpec,
    plan: StepPlan,
    fault: Fault | None = None,
) -> None:
    """Trains with a monitor, and checks what holds for every monitor.

    - Each call of `train` begins and ends the monitor once, whatever happens.
    - The monitor sees each step at most once and in order, unless training goes back to a checkpoint.
    - It sees the same steps, and the variables become the same, whether the other steps run in windows or one
      by one.

    Args:
        make_monitor: Makes the monitor for a graph. It is called for each call of `train`.
        spec: Describes the graph.
        plan: Lists the calls of `train`.
        fault: Goes wrong in the first call that reaches its step; `None` for no fault.

    Raises:
        AssertionError: One of these does not hold.
    """
    watched = _run(make_monitor, spec, plan, fault)
    single = _run(make_monitor, spec, StepPlan(plan.calls, max_window=1), fault)
    assert watched == single, f"It is not the same where steps run singly: {watched} and {single}"
    for calls in watched[0]:
        names = [name for name, _ in calls]
        assert names[:1] == ["begin"] and names.count("begin") == 1, f"begin is not called once: {names}"
        assert names[-1:] == ["end"] and names.count("end") == 1, f"end is not called once: {names}"
        started = [step for name, step in calls if name == "step_begin" and step is not None]
        recovers = fault is not None and fault.kind in ("aborted", "unavailable")
        assert recovers or started == sorted(set(started)), f"Steps are seen twice or out of order: {started}"


def _run(
    make_monitor: Callable[[Job], Any], spec: GraphSpec, plan: StepPlan, fault: Fault | None
) -> tuple[list[list[tuple[str, int | None]]], dict[str, Any]]:
    """Trains, and returns the monitor's calls in each call of `train`, and the variables at the end."""
    injector = FaultInjector(fault)
    seen = []
    with tempfile.TemporaryDirectory() as output_dir:
        for kind, number in plan.calls:
            job = spec.build()
            recorded = RecordedCalls(make_monitor(job))
            expected = () if fault is None else fault.raises()
            limit: dict[str, Any] = {kind: number}
            windows = None if job.feed_fn is not None and plan.max_window != 1 else plan.max_window
            with contextlib.suppress(*expected):
                train(
                    output_dir=output_dir,
                    monitors=[recorded, injector],
                    max_window=windows,
                    **limit,
                    **job.arguments(),
                )
            seen.append(recorded.calls)
        reader = tf.train.load_checkpoint(output_dir)
        names = [name for name in reader.get_variable_to_shape_map() if name.startswith("model/")]
        variables = {name: np.asarray(reader.get_tensor(name)).tolist() for name in sorted(names)}
    return seen, variables
