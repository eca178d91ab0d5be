"""Windows equal single steps, bit for bit, and a run in pieces equals one without a break."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import graphs
from graphs import control_flow
from helpers import (
    EveryNLosses,
    Job,
    Recorder,
    Silent,
    assert_values_equal,
    checkpoint_values,
)
from keras_legacy_train import callbacks, train
from keras_legacy_train.monitors import EveryN
from strategies import LAYERS, RANDOM_LAYERS, Spec, build, specs

STEPS = 12

# Inputs whose position a checkpoint need not hold.
RESUMABLE_INPUTS = ["constant", "feed"]


@dataclasses.dataclass
class Watch:
    """How a run is watched.

    Attributes:
        every_n_steps: Of a monitor that notes losses; `None` for no such monitor.
        first_n_steps: Of that monitor.
        max_window: Largest window.
    """

    every_n_steps: int | None
    first_n_steps: int
    max_window: int | None


watches = st.builds(
    Watch,
    every_n_steps=st.none() | st.integers(1, STEPS),
    first_n_steps=st.integers(0, 3),
    max_window=st.none() | st.integers(1, STEPS + 1),
)


def run_watched_at_every_step(spec: Spec) -> tuple[dict[int, Any], dict[str, np.ndarray]]:
    """The loss of every step and the end state."""
    job, _ = build(spec)
    recorder = Recorder(job.loss)
    with tempfile.TemporaryDirectory() as output_dir:
        train(output_dir=output_dir, steps=STEPS, monitors=[recorder], **job.arguments())
        losses = {step: output[job.loss] for step, output in recorder.outputs.items()}
        return losses, checkpoint_values(output_dir)


def assert_windows_equal_single_steps(spec: Spec, watch: Watch) -> None:
    losses, variables = run_watched_at_every_step(spec)
    job, _ = build(spec)
    seen = EveryNLosses(job.loss, watch.every_n_steps or 1, watch.first_n_steps)
    monitor = seen if watch.every_n_steps else Silent()
    with tempfile.TemporaryDirectory() as output_dir:
        loss = train(
            output_dir=output_dir,
            steps=STEPS,
            monitors=[monitor],
            max_window=watch.max_window,
            **job.arguments(),
        )
        assert_values_equal(checkpoint_values(output_dir), variables)
    assert loss == losses[max(losses)]
    assert seen.losses == {step: losses[step] for step in seen.losses}


@settings(max_examples=4)
@given(specs(), watches)
def test_windows_equal_single_steps(spec: Spec, watch: Watch) -> None:
    assert_windows_equal_single_steps(spec, watch)


@pytest.mark.parametrize("name", RANDOM_LAYERS)
def test_windows_draw_the_same_random_numbers(name: str) -> None:
    watch = Watch(every_n_steps=5, first_n_steps=1, max_window=3)
    assert_windows_equal_single_steps(Spec(input="one-shot iterator", layers=(name,)), watch)


@pytest.mark.slow
@settings(max_examples=200)
@given(specs(), watches)
def test_windows_equal_single_steps_at_length(spec: Spec, watch: Watch) -> None:
    assert_windows_equal_single_steps(spec, watch)


class Numbers(callbacks.LoopCallback):
    """Notes the number of each step."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def on_steps_end(self, steps: Any) -> None:
        self.seen += steps.numbers.tolist()


# How a step raises the global step, which each branch and each other number makes harder to foresee.
RAISES: dict[str, Callable[[Any], Any]] = {
    "by one": lambda step: tf.assign_add(step, 1),
    "by two": lambda step: tf.assign_add(step, 2),
    "by one or two": lambda step: tf.assign_add(step, 1 + step.value() % 2),
    "in a branch": lambda step: tf.cond(
        tf.equal(step.value() % 2, 0), lambda: tf.assign_add(step, 1), lambda: tf.assign_add(step, 3)
    ),
    "twice": lambda step: tf.group(tf.assign_add(step, 1), tf.assign_add(step, 1)),
    "by assigning it": lambda step: tf.assign(step, step + 1),
}


@pytest.mark.parametrize("is_resource", [False, True])
@pytest.mark.parametrize("raises", RAISES)
def test_numbers_of_the_steps_in_a_window(raises: str, is_resource: bool, tmp_path: Path) -> None:
    seen = []
    for max_window in (1, None):
        with tf.Graph().as_default() as graph, control_flow(v2=is_resource):
            step = tf.get_variable(
                "step", [], tf.int64, tf.zeros_initializer(), trainable=False, use_resource=is_resource
            )
            train_op, loss = RAISES[raises](step), tf.constant(1.0)
        numbers = Numbers()
        train(
            graph,
            tmp_path / str(max_window),
            train_op,
            loss,
            step,
            monitors=[Silent()],
            callbacks=[numbers],
            max_window=max_window,
            max_steps=20,
        )
        seen.append(numbers.seen)
    assert seen[0] == seen[1]
    assert 20 <= seen[0][-1] <= 22


def named_feeds(job: Job) -> Callable[[], dict[str, Any]] | None:
    """The job's feed_fn, but with names for keys, so that it can go on in another graph of the same spec."""
    feed_fn = job.feed_fn
    if feed_fn is None:
        return None
    return lambda: {tensor.name: value for tensor, value in feed_fn().items()}


def assert_pieces_equal_the_whole(spec: Spec, pieces: list[int], watched: bool) -> None:
    whole, variables = run_watched_at_every_step(dataclasses.replace(spec, step_by=1))
    feed_fn = named_feeds(build(spec)[0])
    losses: dict[int, Any] = {}
    with tempfile.TemporaryDirectory() as output_dir:
        for steps in pieces:
            job, _ = build(dataclasses.replace(spec, step_by=1))
            recorder = Recorder(job.loss)
            train(
                output_dir=Path(output_dir),
                steps=steps,
                monitors=[recorder if watched else Silent()],
                **{**job.arguments(), "feed_fn": feed_fn},
            )
            losses.update({step: output[job.loss] for step, output in recorder.outputs.items()})
        assert_values_equal(checkpoint_values(output_dir), variables)
    assert losses == (whole if watched else {})


pieces = st.sampled_from([[1, 11], [11, 1], [6, 6], [4, 4, 4], [1, 2, 9]])


@settings(max_examples=3)
@given(specs(inputs=RESUMABLE_INPUTS), pieces, st.booleans())
def test_pieces_equal_the_whole(spec: Spec, pieces: list[int], watched: bool) -> None:
    assert_pieces_equal_the_whole(spec, pieces, watched)


@pytest.mark.parametrize("name", RANDOM_LAYERS)
def test_random_numbers_go_on_where_the_checkpoint_left_them(name: str) -> None:
    assert_pieces_equal_the_whole(Spec(layers=(name,)), [5, 7], watched=False)


@pytest.mark.slow
@settings(max_examples=100)
@given(specs(inputs=RESUMABLE_INPUTS, layers=list(LAYERS)), pieces, st.booleans())
def test_pieces_equal_the_whole_at_length(spec: Spec, pieces: list[int], watched: bool) -> None:
    assert_pieces_equal_the_whole(spec, pieces, watched)


@pytest.mark.slow
def test_the_window_of_a_large_graph_is_made_beside_the_first_step(tmp_path: Path) -> None:
    """And is the same; its thread is gone in the end, also if no window has run."""
    losses = []
    for folder, max_window, steps in (("beside", None, 7), ("single", 1, 7), ("short", None, 1)):
        with tf.Graph().as_default() as graph:
            weight = tf.get_variable("weight", [3], initializer=tf.ones_initializer())
            hidden = weight
            for _ in range(350):
                hidden = tf.tanh(hidden * weight)
            loss = tf.reduce_mean(hidden)
            global_step = tf.train.get_or_create_global_step()
            train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step)
        assert len(graph.get_operations()) > 2_000
        threads = threading.enumerate()
        options = {"monitors": [EveryN(100)], "max_window": max_window, "steps": steps}
        losses.append(train(graph, tmp_path / folder, train_op, loss, **options))
        assert threading.enumerate() == threads
    assert losses[0] == losses[1]


def test_the_window_of_a_large_graph_is_made_beside_its_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = []
    for name, least in (("alone", 10**9), ("beside", 0)):
        monkeypatch.setattr("keras_legacy_train.programs.graph._LARGE_GRAPH", least)
        job = graphs.build("linear_sgd")
        losses.append(train(output_dir=tmp_path / name, steps=20, **job.arguments()))
    assert losses[0] == losses[1]
    assert not [each for each in threading.enumerate() if each.name.startswith("ThreadPoolExecutor")]
