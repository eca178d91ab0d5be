"""Steps compiled by XLA whose input comes from iterators, which XLA does not know."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import Silent, checkpoint_values
from keras_legacy_train import NanLossDuringTrainingError, train
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.monitors import EveryN
from keras_legacy_train.programs.compiling import Trial
from keras_legacy_train.programs.stacked_input import StackedInput

v1 = tf.compat.v1

ROWS = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)


def batches(drop_remainder: bool) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(ROWS).batch(4, drop_remainder=drop_remainder).repeat()


def failing() -> tf.data.Dataset:
    """Batches of which the 14th cannot be computed."""

    def rows(number: tf.Tensor) -> tf.Tensor:
        return tf.debugging.check_numerics(ROWS[:4] / tf.cast(13 - number, tf.float32), "13")

    return tf.data.Dataset.range(100).map(rows)


def generated() -> tf.data.Dataset:
    def rows() -> Iterator[np.ndarray]:
        for number in range(40):
            yield ROWS[: 1 + number % 3]

    return tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec([None, 4]))


def graph_of(dataset: Callable[[], tf.data.Dataset], is_nan_at: int = -1) -> dict[str, Any]:
    with tf.Graph().as_default() as graph:
        x = v1.data.make_one_shot_iterator(dataset()).get_next()
        step = v1.train.get_or_create_global_step()
        w = v1.get_variable("w", [4, 1], initializer=v1.zeros_initializer())
        loss = tf.reduce_mean(tf.square(x @ w - tf.reduce_sum(x, 1, keepdims=True)))
        loss += tf.where(tf.equal(step, is_nan_at), np.nan, 0.0)
        train_op = v1.train.GradientDescentOptimizer(0.05).minimize(loss, step)
    return {"graph": graph, "train_op": train_op, "loss_op": loss}


class Watch(EveryN):
    """Watches each fifth step, and keeps its loss."""

    def __init__(self, loss: tf.Tensor):
        super().__init__(5)
        self.loss = loss
        self.seen: list[tuple[int, float]] = []

    def every_n_step_begin(self, step: int) -> list[Any]:
        return [self.loss]

    def every_n_step_end(self, step: int, outputs: dict[str, Any]) -> bool:
        self.seen.append((step, float(outputs[self.loss.name])))
        return False


def run(directory: Path, arguments: dict[str, Any], **options: Any) -> tuple[Any, Any, dict[str, np.ndarray]]:
    """Returns what a monitor has seen, how the training has ended, and the last checkpoint."""
    watch, end = Watch(arguments["loss_op"]), None
    try:
        train(output_dir=directory, monitors=[watch], **arguments, **options)
    except tf.errors.OpError as error:
        end = type(error), error.message.partition(":")[0]
    return watch.seen, end, checkpoint_values(directory)


def assert_close(actual: Any, expected: Any) -> None:
    seen, end, values = actual
    expected_seen, expected_end, expected_values = expected
    assert [step for step, _ in seen] == [step for step, _ in expected_seen]
    np.testing.assert_allclose([loss for _, loss in seen], [loss for _, loss in expected_seen], rtol=1e-4)
    assert end == expected_end
    assert values.keys() == expected_values.keys()
    for name, value in expected_values.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    "dataset",
    [lambda: batches(True), lambda: batches(False), failing, generated, lambda: batches(False).take(33)],
    ids=["alike", "with a remainder", "failing", "of many shapes", "ending"],
)
@pytest.mark.parametrize("jit_compile", [True, "auto"])
def test_steps_get_the_input_that_they_get_otherwise(dataset: Any, jit_compile: Any, tmp_path: Path) -> None:
    expected = run(tmp_path / "plain", graph_of(dataset), steps=50)
    actual = run(tmp_path / "compiled", graph_of(dataset), steps=50, jit_compile=jit_compile)
    assert_close(actual, expected)


def test_pieces_equal_the_whole(tmp_path: Path) -> None:
    options = {"jit_compile": True, "save_input_state": True}
    _, _, whole = run(tmp_path / "whole", graph_of(lambda: batches(False)), steps=30, **options)
    for steps in (13, 17):
        _, _, pieces = run(tmp_path / "pieces", graph_of(lambda: batches(False)), steps=steps, **options)
    for name in ("w", "global_step"):
        np.testing.assert_allclose(pieces[name], whole[name], rtol=1e-6)


def test_a_nan_is_found_at_its_step(tmp_path: Path) -> None:
    arguments = graph_of(lambda: batches(False), is_nan_at=20)
    with pytest.raises(NanLossDuringTrainingError, match="at step 21"):
        train(output_dir=tmp_path, steps=40, jit_compile=True, monitors=[Silent()], **arguments)


def test_the_faster_way_is_kept_and_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for compiled, kept in [(0.01, True), (0.05, False)]:
        trial, kinds = Trial(), []
        while not trial.is_over:
            kinds.append(trial.compiles)
            seconds = 9.0 if len(kinds) <= 2 else compiled if trial.compiles else 0.03
            trial.ran(1, seconds)
        assert trial.compiles is kept
        assert kinds == [False, True] * (len(kinds) // 2)
        trial.ran(1, 100.0)
        assert trial.compiles is kept
    assert caplog.messages == [
        "A step takes 10000 µs compiled by XLA and 30000 µs otherwise; it goes on compiled.",
        "A step takes 50000 µs compiled by XLA and 30000 µs otherwise; it goes on as it is.",
    ]


def test_input_that_was_taken_ahead_is_given_step_by_step() -> None:
    with tf.Graph().as_default() as graph:
        rows = tf.data.Dataset.from_tensor_slices(ROWS[:6]).batch(2)
        x = v1.data.make_one_shot_iterator(rows).get_next()
        total = tf.reduce_sum(x, name="total")
    lifted = LiftedGraph(graph)
    taken = StackedInput.of(lifted, [total.name], [])
    with lifted.eager_mode():
        assert taken is not None and not taken.is_waiting and taken.take_one() == {}
        taken.fill(2)
        taken.fill(2)  # which takes nothing, as long as something is waiting
        for number in range(2):
            (row,) = taken.take_one().values()
            np.testing.assert_array_equal(row, ROWS[2 * number : 2 * number + 2])
        assert not taken.is_waiting
        taken.fill(5)
        assert [block.number for block in taken.blocks] == [1]
        (row,) = taken.take_one().values()
        np.testing.assert_array_equal(row, ROWS[4:6])
        with pytest.raises(tf.errors.OutOfRangeError):
            taken.take_one()
        assert not taken.is_waiting
    with tf.Graph().as_default() as graph:
        constant = tf.constant(1.0, name="constant")
    assert StackedInput.of(LiftedGraph(graph), [constant.name], []) is None
