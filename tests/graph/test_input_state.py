"""With `save_input_state`, a resumed run reads on where the one before stopped."""

from __future__ import annotations

import dataclasses
import logging
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import graphs
import killed_input_run
from helpers import (
    SCRIPTS,
    Job,
    Recorder,
    Silent,
    assert_values_equal,
    checkpoint_numbers,
    checkpoint_values,
    run_python,
)
from keras_legacy_train import monitors, train
from keras_legacy_train._tensorflow import eager_mode

v1 = tf.compat.v1

SAVEABLE_OBJECTS = v1.GraphKeys.SAVEABLE_OBJECTS

Change = Callable[[tf.data.Dataset], tf.data.Dataset]

CHANGES: dict[str, Change] = {
    "shuffle": lambda dataset: dataset.shuffle(5, seed=3),
    "the same shuffle again": lambda dataset: dataset.shuffle(4, seed=2, reshuffle_each_iteration=False),
    "repeat": lambda dataset: dataset.repeat(2),
    "map": lambda dataset: dataset.map(lambda x: x * 3 + 1),
    "parallel map": lambda dataset: dataset.map(lambda x: x + 2, num_parallel_calls=2),
    "filter": lambda dataset: dataset.filter(lambda x: x % 4 > 0),
    "interleave": lambda dataset: dataset.interleave(lambda x: tf.data.Dataset.from_tensors(x).repeat(2), 3),
    "cache": lambda dataset: dataset.cache(),
    "prefetch": lambda dataset: dataset.prefetch(2),
    "batch": lambda dataset: dataset.batch(2).unbatch(),
}


def initialized_by_train(dataset: tf.data.Dataset) -> Any:
    iterator = v1.data.make_initializable_iterator(dataset)
    v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    return iterator


@dataclasses.dataclass(frozen=True)
class Input:
    """A pipeline and what makes its iterator.

    Attributes:
        changes: Keys of `CHANGES`, from the source on.
        is_one_shot: Whether the iterator makes itself; otherwise the table initializers make it.
        batch: Rows in a batch.
    """

    changes: tuple[str, ...] = ("shuffle",)
    is_one_shot: bool = True
    batch: int = 3

    def job(self) -> Job:
        return job_of(self.iterator)

    def dataset(self) -> tf.data.Dataset:
        dataset = tf.data.Dataset.range(12)
        for change in self.changes:
            dataset = CHANGES[change](dataset)
        return dataset.batch(self.batch)

    def iterator(self) -> Any:
        if self.is_one_shot:
            return v1.data.make_one_shot_iterator(self.dataset())
        return initialized_by_train(self.dataset())


INPUTS = st.builds(
    Input,
    changes=st.lists(st.sampled_from(list(CHANGES)), max_size=4).map(tuple),
    is_one_shot=st.booleans(),
    batch=st.integers(1, 4),
)


def job_of(make_iterator: Callable[[], Any]) -> Job:
    """A model for which it matters what comes in which batch, and in which order."""

    def build() -> Any:
        x = tf.cast(make_iterator().get_next(), tf.float32)
        w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
        loss = tf.reduce_mean(tf.square(w - x), name="loss")
        return graphs.minimize(v1.train.MomentumOptimizer(0.01, 0.9), loss), loss

    return graphs.job(build)


def of_model(output_dir: Any) -> dict[str, np.ndarray]:
    """What the newest checkpoint holds but for the position."""
    values = checkpoint_values(output_dir).items()
    return {name: value for name, value in values if not name.endswith("/state")}


def run(job: Job, output_dir: Any, steps: int, **options: Any) -> list[float]:
    """Trains with `save_input_state`; returns the losses."""
    recorder = Recorder(job.loss)
    options = {"save_input_state": True, **options, **job.arguments()}
    train(output_dir=output_dir, steps=steps, monitors=[recorder, *options.pop("monitors", ())], **options)
    return recorder.values(job.loss)


def first_batch(job: Job, output_dir: Path) -> np.ndarray:
    """Trains one step without `save_input_state`; returns its batch."""
    recorder = Recorder("IteratorGetNext:0")
    train(output_dir=output_dir, steps=1, monitors=[recorder], **job.arguments())
    return recorder.values("IteratorGetNext:0")[0]


def assert_pieces_equal_the_whole(source: Input, pieces: list[int]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        whole, cut = Path(directory, "whole"), Path(directory, "cut")
        train(output_dir=whole, steps=sum(pieces), monitors=[Silent()], **source.job().arguments())
        for steps in pieces:
            arguments = source.job().arguments()
            train(output_dir=cut, steps=steps, monitors=[Silent()], save_input_state=True, **arguments)
        assert_values_equal(of_model(cut), of_model(whole))


@settings(max_examples=5)
@given(INPUTS, st.lists(st.integers(0, 6), min_size=2, max_size=3))
def test_pieces_equal_the_whole(source: Input, pieces: list[int]) -> None:
    assert_pieces_equal_the_whole(source, pieces)


@pytest.mark.slow
@settings(max_examples=200)
@given(INPUTS, st.lists(st.integers(0, 12), min_size=2, max_size=4))
def test_pieces_equal_the_whole_at_length(source: Input, pieces: list[int]) -> None:
    assert_pieces_equal_the_whole(source, pieces)


def test_a_killed_run_reads_on(tmp_path: Path) -> None:
    killed = run_python(SCRIPTS / "killed_input_run.py", tmp_path / "killed", 7)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for name in ("killed", "whole"):
        killed_input_run.main(str(tmp_path / name))
    assert_values_equal(of_model(tmp_path / "killed"), of_model(tmp_path / "whole"))


def test_without_it_the_input_starts_anew(tmp_path: Path) -> None:
    batches = [first_batch(Input().job(), tmp_path) for _ in range(2)]
    np.testing.assert_array_equal(*batches)
    assert "OneShotIterator/state" not in checkpoint_values(tmp_path)


def test_a_checkpoint_without_a_position(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    train(output_dir=tmp_path, steps=2, **Input().job().arguments())
    run(Input().job(), tmp_path, 2)
    assert any("no position of the iterator OneShotIterator" in line for line in caplog.messages)
    assert checkpoint_values(tmp_path)["global_step"] == 4


def test_an_iterator_that_a_hook_initialises(tmp_path: Path) -> None:
    class Initialises(v1.train.SessionRunHook):
        def after_create_session(self, session: Any, coord: Any) -> None:
            session.run("MakeIterator")

    def job() -> Job:
        return job_of(lambda: v1.data.make_initializable_iterator(Input().dataset()))

    whole = run(job(), tmp_path / "whole", 4, monitors=[Initialises()])
    pieces = [run(job(), tmp_path / "cut", 2, monitors=[Initialises()]) for _ in range(2)]
    assert [loss for piece in pieces for loss in piece] == whole


def test_iterators_besides_that_of_the_input(tmp_path: Path) -> None:
    """One that nobody initialises, and one that a monitor does, anew each time."""

    class Validates(monitors.EveryN):
        seen: list[int]

        def every_n_post_step(self, step: int, session: Any) -> None:
            session.run("MakeIterator_1")
            self.seen.append(session.run("IteratorGetNext_1:0"))

    def job() -> Job:
        built = Input(is_one_shot=False).job()
        with built.graph.as_default():
            v1.data.make_initializable_iterator(tf.data.Dataset.range(3, 5)).get_next()
            v1.data.make_initializable_iterator(tf.data.Dataset.range(2))
        return built

    validates = Validates(every_n_steps=1)
    validates.seen = []
    whole = run(job(), tmp_path / "whole", 4)
    pieces = [run(job(), tmp_path / "cut", 2, monitors=[validates]) for _ in range(2)]
    assert [loss for piece in pieces for loss in piece] == whole
    assert validates.seen == [3] * 4


def test_an_aborted_step_reads_again_from_the_checkpoint(tmp_path: Path) -> None:
    class Aborts(monitors.BaseMonitor):
        aborted = False

        def step_end(self, step: int, output: dict[Any, Any]) -> bool:
            if step == 3 and not self.aborted:
                self.aborted = True
                raise tf.errors.AbortedError(None, None, "gone")
            return super().step_end(step, output)

    job = Input().job()
    aborts, recorder = Aborts(), Recorder(job.loss)
    train(output_dir=tmp_path, steps=5, monitors=[aborts, recorder], save_input_state=True, **job.arguments())
    assert aborts.aborted
    assert recorder.values(job.loss) == run(Input().job(), tmp_path / "whole", 5)


# What keeps no position.


def in_python() -> tf.data.Dataset:
    def add_one(x: np.ndarray) -> np.ndarray:
        return x + 1

    return tf.data.Dataset.range(5).map(lambda x: tf.numpy_function(add_one, [x], tf.int64))


UNSAVEABLE: dict[str, Callable[[], tf.data.Dataset]] = {
    "from_generator": lambda: tf.data.Dataset.from_generator(lambda: iter([[1], [2]]), tf.int64, [1]),
    "numpy_function": in_python,
    "random op": lambda: tf.data.Dataset.range(5).map(lambda x: tf.random.uniform([])),
}


@pytest.mark.parametrize("kind", UNSAVEABLE)
def test_a_dataset_that_keeps_no_position(kind: str, tmp_path: Path) -> None:
    job = job_of(lambda: initialized_by_train(UNSAVEABLE[kind]()))
    recorder = Recorder()
    with pytest.raises(ValueError, match=r"iterator 'IteratorV2' cannot be saved: .*stateful"):
        run(job, tmp_path, 2, monitors=[recorder])
    assert recorder.steps("step_begin") == []
    assert checkpoint_numbers(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("queue", r"comes from queues: .*queue"), ("feed_adam", "no tf.data iterator")],
)
def test_an_input_that_keeps_no_position(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        run(graphs.build(name), tmp_path, 1)
    assert list(tmp_path.iterdir()) == []


def test_the_position_is_one_in_another_dataset(tmp_path: Path) -> None:
    run(Input(("shuffle",)).job(), tmp_path, 2)
    with pytest.raises(ValueError, match="'OneShotIterator' in the checkpoint does not fit its dataset"):
        run(Input(("map", "prefetch")).job(), tmp_path, 2)
    assert checkpoint_numbers(tmp_path) == [0, 2]


# Iterators in the collection of saveable objects.


def collected_job(is_one_shot: bool) -> Job:
    def make() -> Any:
        iterator = Input(("shuffle", "repeat"), is_one_shot).iterator()
        v1.add_to_collection(SAVEABLE_OBJECTS, tf.data.experimental.make_saveable_from_iterator(iterator))
        return iterator

    return job_of(make)


@pytest.mark.parametrize("save_input_state", [False, True])
@pytest.mark.parametrize("is_one_shot", [False, True], ids=["initializable", "one-shot"])
def test_an_iterator_in_the_collection(is_one_shot: bool, save_input_state: bool, tmp_path: Path) -> None:
    whole = run(collected_job(is_one_shot), tmp_path / "whole", 6)
    options = {"save_input_state": save_input_state}
    pieces = [run(collected_job(is_one_shot), tmp_path / "cut", n, **options) for n in (2, 3, 1)]
    assert [loss for piece in pieces for loss in piece] == whole
    positions = [name for name, _ in tf.train.list_variables(str(tmp_path / "cut")) if "terator" in name]
    assert positions == ["OneShotIterator:0_STATE" if is_one_shot else "IteratorV2:0_STATE"]


def test_an_iterator_in_the_collection_of_a_meta_graph(tmp_path: Path) -> None:
    whole = run(collected_job(True), tmp_path / "whole", 6)
    job = collected_job(True)
    losses = run(job, tmp_path / "cut", 2, save_input_state=False)
    for start in (2, 4):
        job.graph = tmp_path / "cut" / f"model.ckpt-{start}.meta"
        job.train_op, job.loss = "Momentum", "loss:0"
        losses += run(job, tmp_path / "cut", 2, save_input_state=False)
    assert losses == whole


def test_a_position_of_tensorflow_1(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """TensorFlow 1 saved a scalar, which is passed over."""
    caplog.set_level(logging.INFO)
    first = first_batch(collected_job(True), tmp_path)
    prefix = str(tmp_path / "model.ckpt-1")
    key = "OneShotIterator:0_STATE"
    values = read_all_but(prefix, key)
    with eager_mode():
        (position,) = tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=[key], shape_and_slices=[""], dtypes=[tf.variant]
        )
        tensors = [position[0], *map(tf.constant, values.values())]
        names = [key, *values]
        tf.raw_ops.SaveV2(
            prefix=prefix, tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors
        )
    np.testing.assert_array_equal(first_batch(collected_job(True), tmp_path), first)
    assert any("no position of the iterator OneShotIterator" in line for line in caplog.messages)


def read_all_but(prefix: str, key: str) -> dict[str, Any]:
    reader = tf.train.load_checkpoint(prefix)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if name != key}


@pytest.mark.parametrize("save_input_state", [False, True])
def test_a_collected_iterator_that_keeps_no_position(save_input_state: bool, tmp_path: Path) -> None:
    def make() -> Any:
        iterator = initialized_by_train(UNSAVEABLE["from_generator"]())
        v1.add_to_collection(SAVEABLE_OBJECTS, tf.data.experimental.make_saveable_from_iterator(iterator))
        return iterator

    with pytest.raises(ValueError, match="iterator 'IteratorV2' cannot be saved"):
        run(job_of(make), tmp_path, 1, save_input_state=save_input_state)
    assert checkpoint_numbers(tmp_path) == []
