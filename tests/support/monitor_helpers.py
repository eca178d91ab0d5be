"""Runs single monitors in a minimal loop, and makes a graph and stand-ins for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

v1 = tf.compat.v1

VARIABLE_KINDS = pytest.mark.parametrize("use_resource", [False, True], ids=["reference", "resource"])


Run = Callable[[int, Iterable[Any]], dict[Any, Any]]


def drive(
    monitor: Any,
    until: int,
    *,
    start: int = 0,
    max_steps: int | None = None,
    run: Run = lambda step, requests: {},
    session: Any = None,
) -> int:
    """Calls a monitor as a training of single steps does, and returns the global step after it."""
    monitor.begin(max_steps=max_steps)
    step = start
    try:
        while step < until:
            step += 1
            outputs = run(step, monitor.step_begin(step) or ())
            stop = monitor.step_end(step, outputs)
            monitor.post_step(step, session)
            if stop:
                break
    finally:
        takes_session = "session" in inspect.signature(monitor.end).parameters
        monitor.end(**({"session": session} if takes_session else {}))
    return step


class Clock:
    """Stands in for `time.time`; reads what the test has set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Writer:
    """Keeps the summaries it is given, in place of a summary writer."""

    def __init__(self) -> None:
        self.scalars: list[tuple[int, float]] = []
        self.session_logs: list[tuple[int, Any]] = []
        self.flushes = 0

    def add_summary(self, summary: Any, global_step: int) -> None:
        if isinstance(summary, bytes):
            summary = v1.Summary.FromString(summary)
        (value,) = summary.value
        self.scalars.append((global_step, value.simple_value))

    def add_session_log(self, session_log: Any, global_step: int) -> None:
        self.session_logs.append((global_step, session_log))

    def flush(self) -> None:
        self.flushes += 1


class Line:
    """Builds a graph that learns `w` with `loss = w²`, and runs its steps in a Session."""

    def __init__(self, use_resource: bool = True):
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.w = v1.get_variable(
                "w", [], initializer=v1.constant_initializer(2.0), use_resource=use_resource
            )
            global_step = v1.train.get_or_create_global_step()
            self.loss = tf.square(self.w, name="loss")
            self.summary_op = v1.summary.scalar("loss_summary", self.loss)
            optimizer = v1.train.GradientDescentOptimizer(0.25)
            # Reads come before the update; only the value of a reference variable changes with the variable.
            reads = [self.graph.as_graph_element(variable) for variable in (self.w, global_step)]
            with tf.control_dependencies([self.loss, self.summary_op, *reads]):
                self.train_op = optimizer.minimize(self.loss, global_step)
            self.init_op = v1.global_variables_initializer()
        self.session = v1.Session(graph=self.graph)
        self.session.run(self.init_op)

    def run(self, step: int, requests: Iterable[Any]) -> dict[Any, Any]:
        """Runs a step; the values are found by the tensor's name and by what was asked for."""
        asked = {name: self.element(request) for name, request in enumerate(requests)}
        _, values = self.session.run((self.train_op, asked))
        by_request = {request: values[i] for i, request in enumerate(requests)}
        return {**by_request, **{asked[i].name: value for i, value in values.items()}}

    def element(self, request: Any) -> Any:
        if isinstance(request, str) and ":" not in request:
            request = f"{request}:0"
        return self.graph.as_graph_element(request)

    def drive(self, monitor: Any, until: int, **options: Any) -> int:
        with self.graph.as_default():
            return drive(monitor, until, run=self.run, session=self.session, **options)


class Estimator:
    def __init__(self, model_dir: Path):
        self.model_dir = model_dir
