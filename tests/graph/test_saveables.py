"""Objects in the `SAVEABLE_OBJECTS` collection are saved and restored as a `Saver` of TensorFlow 1 did."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.training.saver import BaseSaverBuilder

import graphs
from helpers import (
    Job,
    Recorder,
    Silent,
    checkpoint_numbers,
    checkpoint_values,
)
from keras_legacy_train import evaluate, train
from keras_legacy_train.errors import CheckpointMismatchError

v1 = tf.compat.v1

SAVEABLE_OBJECTS = v1.GraphKeys.SAVEABLE_OBJECTS


class Doubled(BaseSaverBuilder.SaveableObject):
    """A variable that is in no collection, saved as twice its value."""

    def __init__(self, variable: Any, name: str = "doubled"):
        super().__init__(variable, [BaseSaverBuilder.SaveSpec(variable * 2.0, "", f"{name}/twice")], name)

    def restore(self, restored_tensors: Any, restored_shapes: Any) -> tf.Operation:
        return tf.group(v1.assign(self.op, restored_tensors[0] / 2.0))


def new_table(**options: Any) -> tf.lookup.experimental.MutableHashTable:
    return tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, 0.5, name="memory", **options)


def table_job(scope: str = "scope", **options: Any) -> Job:
    """Each step looks up what the third step before it has put into a table."""

    def build() -> Any:
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        key = v1.train.get_or_create_global_step() % 3
        with tf.name_scope(scope):
            table = tf.lookup.experimental.MutableHashTable(
                tf.int64, tf.float32, 0.5, name="memory", **options
            )
        seen = table.lookup(key)
        loss = tf.square(w - seen)
        with tf.control_dependencies([loss]):
            inserted = table.insert(key, seen + w)
        with tf.control_dependencies([inserted]):
            return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), loss), loss

    return graphs.job(build)


def object_job(use_resource: bool) -> Job:
    """Each step adds to a variable that only an object of the collection saves."""

    def build() -> Any:
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        count = v1.get_variable(
            "count",
            [],
            initializer=v1.zeros_initializer(),
            collections=["own"],
            trainable=False,
            use_resource=use_resource,
        )
        v1.add_to_collection(SAVEABLE_OBJECTS, Doubled(count))
        v1.train.create_global_step()
        v1.add_to_collection(
            v1.GraphKeys.INIT_OP, tf.group(v1.global_variables_initializer(), count.initializer)
        )
        loss = tf.square(w - v1.assign_add(count, 1.0))
        return graphs.minimize(v1.train.GradientDescentOptimizer(0.1), loss), loss

    return graphs.job(build)


JOBS: dict[str, Callable[[], Job]] = {
    "table": table_job,
    "object, resource": lambda: object_job(use_resource=True),
    "object, reference": lambda: object_job(use_resource=False),
}
KEYS = {
    "table": {"memory-keys", "memory-values"},
    "object, resource": {"doubled/twice"},
    "object, reference": {"doubled/twice"},
}


def losses(job: Job, output_dir: Path, steps: int) -> list[float]:
    recorder = Recorder(job.loss)
    train(output_dir=output_dir, steps=steps, monitors=[recorder], **job.arguments())
    return recorder.values(job.loss)


@contextlib.contextmanager
def session_and_saver(job: Job, **options: Any) -> Iterator[tuple[v1.Session, v1.train.Saver]]:
    """A Session in which everything of a job is initialised, and a Saver for it."""
    with job.graph.as_default():
        init_op = v1.get_collection(v1.GraphKeys.INIT_OP) or v1.global_variables_initializer()
        saver = v1.train.Saver(**options)
    with v1.Session(graph=job.graph) as session:
        session.run(init_op)
        yield session, saver


def save_with_saver(job: Job, directory: Path, steps: int, **options: Any) -> None:
    """Runs steps in a Session and saves."""
    directory.mkdir()
    with session_and_saver(job, **options) as (session, saver):
        for _ in range(steps):
            session.run(job.train_op)
        saver.save(session, str(directory / "model.ckpt"), global_step=steps)


@pytest.mark.parametrize("kind", JOBS)
def test_pieces_equal_the_whole(kind: str, tmp_path: Path) -> None:
    whole = losses(JOBS[kind](), tmp_path / "whole", 9)
    pieces = [loss for steps in (4, 3, 2) for loss in losses(JOBS[kind](), tmp_path / "pieces", steps)]
    assert pieces == whole
    assert KEYS[kind] <= set(checkpoint_values(tmp_path / "pieces"))


@pytest.mark.parametrize("kind", JOBS)
def test_a_checkpoint_of_a_saver_is_restored(kind: str, tmp_path: Path) -> None:
    expected = losses(JOBS[kind](), tmp_path / "ours", 8)
    save_with_saver(JOBS[kind](), tmp_path / "saver", 4)
    assert losses(JOBS[kind](), tmp_path / "saver", 4) == expected[4:]
    keys = [checkpoint_values(tmp_path / "saver", f"model.ckpt-{step}").keys() for step in (4, 8)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize("kind", JOBS)
def test_a_saver_restores_our_checkpoint(kind: str, tmp_path: Path) -> None:
    expected = losses(JOBS[kind](), tmp_path / "whole", 8)
    losses(JOBS[kind](), tmp_path / "ours", 4)
    job = JOBS[kind]()
    with session_and_saver(job) as (session, saver):
        saver.restore(session, str(tmp_path / "ours" / "model.ckpt-4"))
        assert [session.run([job.loss, job.train_op])[0] for _ in range(4)] == expected[4:]


@pytest.mark.parametrize("kind", JOBS)
def test_the_saver_of_our_meta_graph_restores_them(kind: str, tmp_path: Path) -> None:
    job = JOBS[kind]()
    expected = losses(JOBS[kind](), tmp_path / "whole", 8)
    losses(job, tmp_path / "ours", 4)
    with tf.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph(str(tmp_path / "ours" / "model.ckpt-4.meta"))
        saver.restore(session, str(tmp_path / "ours" / "model.ckpt-4"))
        fetches = [job.loss.name, job.train_op.name]
        assert [session.run(fetches)[0] for _ in range(4)] == expected[4:]


@pytest.mark.parametrize("author", ["a Saver", "a sharded Saver", "train"])
@pytest.mark.parametrize("kind", JOBS)
def test_training_goes_on_from_a_meta_graph(kind: str, author: str, tmp_path: Path) -> None:
    expected = losses(JOBS[kind](), tmp_path / "whole", 9)
    job = JOBS[kind]()
    directory = tmp_path / "run"
    if author == "train":
        losses(job, directory, 4)
    else:
        save_with_saver(job, directory, 4, sharded=author == "a sharded Saver")
    found = []
    for start, steps in ((4, 3), (7, 2)):
        recorder = Recorder(job.loss.name)
        meta_graph = directory / f"model.ckpt-{start}.meta"
        train(meta_graph, directory, job.train_op.name, job.loss.name, steps=steps, monitors=[recorder])
        found += recorder.values(job.loss.name)
    assert found == expected[4:]


def test_a_meta_graph_without_a_saver(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    job = table_job()
    with job.graph.as_default():
        v1.add_to_collection(SAVEABLE_OBJECTS, Doubled(tf.constant(1.0)))
        v1.train.export_meta_graph(str(tmp_path / "graph.meta"))
    train(tmp_path / "graph.meta", tmp_path / "run", job.train_op.name, job.loss.name, steps=1)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert any("graph.meta" in warning and warning.endswith("doubled") for warning in warnings)
    assert "scope/memory-keys" in checkpoint_values(tmp_path / "run")


def test_a_table_that_is_not_in_the_collection_is_saved_too(tmp_path: Path) -> None:
    whole = losses(table_job(checkpoint=False), tmp_path / "whole", 8)
    assert whole == losses(table_job(checkpoint=False), tmp_path / "pieces", 4) + losses(
        table_job(checkpoint=False), tmp_path / "pieces", 4
    )
    assert {"scope/memory-keys", "scope/memory-values"} <= set(checkpoint_values(tmp_path / "pieces"))


def test_a_table_of_the_collection_comes_first_where_two_want_one_name(tmp_path: Path) -> None:
    job = table_job()
    with job.graph.as_default():
        tf.lookup.experimental.MutableHashTable(tf.string, tf.string, "", name="memory", checkpoint=False)
    train(output_dir=tmp_path, steps=3, **job.arguments())
    assert checkpoint_values(tmp_path)["memory-keys"].dtype == np.int64


@pytest.mark.parametrize("finalized", [False, True])
def test_evaluate_restores_them(finalized: bool, tmp_path: Path) -> None:
    train(output_dir=tmp_path / "run", steps=4, **table_job().arguments())
    job = table_job()
    if finalized:
        job.graph.finalize()
    results, step = evaluate(job.graph, tmp_path / "eval", tmp_path / "run", {"loss": job.loss}, max_steps=1)
    assert results["loss"] == losses(table_job(), tmp_path / "run", 1)[0]
    assert step == 4
    assert job.graph.finalized == finalized


def test_a_graph_that_is_trained_again_gets_no_more_ops(tmp_path: Path) -> None:
    job = table_job()
    train(output_dir=tmp_path, steps=1, monitors=[Silent()], **job.arguments())
    version = job.graph.version
    train(output_dir=tmp_path, steps=1, monitors=[Silent()], **job.arguments())
    assert job.graph.version == version


def test_a_checkpoint_without_them(tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=1, **graphs.build("linear_sgd").arguments())
    job = graphs.build("linear_sgd")
    with job.graph.as_default():
        new_table()
    with pytest.raises(CheckpointMismatchError, match="memory-keys: not in the checkpoint"):
        train(output_dir=tmp_path, steps=1, **job.arguments())


class Unrestorable(BaseSaverBuilder.SaveableObject):
    """Leaves `restore` to its subclasses, of which there are none."""

    def __init__(self) -> None:
        super().__init__(None, [BaseSaverBuilder.SaveSpec(tf.constant(1.0), "", "one")], "unrestorable")


class Computed(BaseSaverBuilder.SaveableObject):
    """Saves a value, and looks at it again when it is restored."""

    def __init__(self, value: tf.Tensor, name: str):
        super().__init__(value, [BaseSaverBuilder.SaveSpec(value, "", name)], name)

    def restore(self, restored_tensors: Any, restored_shapes: Any) -> tf.Operation:
        return tf.identity(restored_tensors[0]).op


def failing() -> Computed:
    """What it would save cannot be computed."""
    return Computed(tf.strings.to_number(tf.constant("abc")), "failing")


@pytest.mark.parametrize(
    ("make", "name"),
    [(lambda: "a string", "a string"), (Unrestorable, "unrestorable"), (failing, "failing")],
    ids=["no object", "no restore", "no value"],
)
def test_an_object_that_cannot_be_saved(make: Callable[[], Any], name: str, tmp_path: Path) -> None:
    job = graphs.build("linear_sgd")
    with job.graph.as_default():
        v1.add_to_collection(SAVEABLE_OBJECTS, make())
    recorder = Recorder()
    with pytest.raises(ValueError, match=f"{name}.*SAVEABLE_OBJECTS cannot be saved"):
        train(output_dir=tmp_path, steps=1, monitors=[recorder], **job.arguments())
    assert recorder.steps("step_begin") == []
    assert checkpoint_numbers(tmp_path) == []


def test_two_objects_of_one_name(tmp_path: Path) -> None:
    job = table_job()
    with job.graph.as_default():
        new_table()
    with pytest.raises(ValueError, match="one name: memory-keys, memory-values"):
        train(output_dir=tmp_path, steps=1, **job.arguments())
