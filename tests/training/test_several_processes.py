"""What a process does about the others that train with it. The others are played by the test."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from checkpoint_helpers import write
from keras_helpers import line
from keras_legacy_train import errors, train
from keras_legacy_train.distributed.checks import (
    check_model,
    check_optimizer,
    check_same_order,
    check_variables,
    replicas_of,
)
from keras_legacy_train.distributed.joint_checkpoints import check_equal
from keras_legacy_train.distributed.replicas import Replicas
from keras_legacy_train.distributed.workers import Workers
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.rewriting.devices import LocalDevices
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.loop.agreement import Agreement
from keras_legacy_train.training.options import TrainingOptions
from keras_legacy_train.training.output_directory import OutputDirectory
from keras_legacy_train.training.shared_model import SharedModel
from keras_legacy_train.training.together import WorkersAgreement, acting_together

v1 = tf.compat.v1


class TwoWorkers(Workers):
    """This process, and another one that gives what `other` says."""

    def __init__(self, other: Callable[..., Any] = lambda *values: values):
        super().__init__()
        self.count = 2
        self.calls: list[tuple[float, ...]] = []
        self._other = other

    def gather(self, *values: float) -> np.ndarray:
        self.calls.append(values)
        return np.array([values, self._other(*values)], np.float64)


def two_replicas(other: Callable[..., Any] = lambda *values: values) -> Replicas:
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        replicas = Replicas(tf.distribute.get_strategy())
    replicas.workers = TwoWorkers(other)
    return replicas


def raising(error: Exception) -> Callable[..., Any]:
    def raise_it(*_: Any) -> None:
        raise error

    return raise_it


def test_they_agree_on_what_one_of_them_has_to_do() -> None:
    agreement = WorkersAgreement(TwoWorkers(lambda watched, window: (5, 64)))
    assert agreement.plan(8, 16) == (5.0, 16)  # the nearest watched step, and the chief's window
    agreement = WorkersAgreement(TwoWorkers(lambda number: (15,)))
    assert agreement.signal(None) == 15 and agreement.any(False)
    assert WorkersAgreement(TwoWorkers()).signal(None) is None
    workers = TwoWorkers(lambda value: (3.0,))
    assert (workers.least(7), workers.chiefs(7), workers.chiefs(lambda: 8.0)) == (3.0, 7.0, 8.0)


def test_a_process_alone_agrees_with_itself() -> None:
    agreement = Agreement()
    assert agreement.signal(15) == 15 and agreement.signal(None) is None


def test_they_leave_together() -> None:
    workers = TwoWorkers()
    with acting_together(workers):
        pass
    for error in (SystemExit(0), KeyboardInterrupt(), errors.NanLossDuringTrainingError()):
        with pytest.raises(type(error)), acting_together(workers):
            raise error
    assert workers.calls == [(0.0,)] * 4
    with pytest.raises(ZeroDivisionError), acting_together(workers):
        raise ZeroDivisionError  # of which the others know nothing
    assert len(workers.calls) == 4


def test_one_ends_when_another_is_lost(log: pytest.LogCaptureFixture) -> None:
    lost = [
        tf.errors.UnavailableError(None, None, "Connection\n refused"),
        tf.errors.AbortedError(None, None, "aborted"),
        tf.errors.FailedPreconditionError(None, None, "it has another incarnation"),
    ]
    for error in lost:
        with pytest.raises(SystemExit) as ended, acting_together(TwoWorkers(raising(error))):
            pass
        assert ended.value.code == 143
    assert "Start all of them again" in log.messages[0] and "Connection refused" in log.messages[0]
    with pytest.raises(tf.errors.FailedPreconditionError), acting_together(TwoWorkers()):
        raise tf.errors.FailedPreconditionError(None, None, "the variable has no value")


@pytest.mark.usefixtures("v2_behavior")
def test_models_that_several_processes_cannot_train_are_refused() -> None:
    model = line()
    model.run_eagerly = True
    with pytest.raises(ValueError, match=r"compile\(run_eagerly=True\) does not work with several workers"):
        check_model(two_replicas(), model)
    with pytest.raises(ValueError, match=r"'.*' was not made in the strategy's scope"):
        replicas_of(tf.distribute.OneDeviceStrategy("CPU:0"), model)


def test_they_draw_the_same_order_of_the_data() -> None:
    check_same_order(two_replicas(), is_shuffled=False)
    tf.random.set_seed(3)
    check_same_order(two_replicas(), is_shuffled=True)
    with pytest.raises(ValueError, match="the workers would draw different orders"):
        check_same_order(two_replicas(lambda seed: (seed + 1,)), is_shuffled=True)


@pytest.mark.usefixtures("eager_mode")
def test_variables_that_have_drifted_apart_are_named() -> None:
    same, text = tf.Variable([1.0, 2.0], name="same"), tf.Variable("a", name="text")
    check_equal(two_replicas(), [])
    check_equal(two_replicas(), [same, text])

    def other(*sums: float) -> list[float]:
        return [each * 1.1 for each in sums]

    with pytest.raises(errors.ReplicasDifferError, match="no longer have the same values in same:"):
        check_equal(two_replicas(other), [same, text])


@pytest.mark.usefixtures("eager_mode")
def test_each_replica_gets_its_rows() -> None:
    """This one is the first of two."""
    replicas = two_replicas()
    replicas.count = 2
    batch = {
        "dense": tf.range(5),
        "sparse": tf.sparse.from_dense(np.arange(10).reshape(5, 2)),
        "ragged": tf.ragged.constant([[1], [], [2, 3], [4], []]),
        "none": None,
    }
    part, weight = replicas.run(lambda batch, weight: (batch, weight), batch)
    assert weight == pytest.approx(0.8) and part["none"] is None
    np.testing.assert_array_equal(part["dense"], [0, 1])
    np.testing.assert_array_equal(tf.sparse.to_dense(part["sparse"]), [[0, 1], [2, 3]])
    assert part["ragged"].to_list() == [[1], []]
    assert replicas.run(lambda batch, weight: weight, ()) == 1.0
    np.testing.assert_array_equal(replicas.mean(tf.constant([3, 4])), [3, 4])  # a count is no mean

    @tf.function(input_signature=[tf.TensorSpec([None]), tf.SparseTensorSpec([None, 2], tf.float32)])
    def of_any_size(dense: tf.Tensor, sparse: tf.SparseTensor) -> Any:
        return replicas.run(lambda batch, weight: (batch[0], weight), (dense, sparse))

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 2], tf.float32)])
    def of_sparse_rows(sparse: tf.SparseTensor) -> Any:
        return replicas.run(lambda batch, weight: (tf.sparse.to_dense(batch), weight), sparse)

    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    part, weight = of_any_size(tf.constant([1.0, 2.0, 3.0]), tf.sparse.from_dense(rows))
    np.testing.assert_array_equal(part, [1.0])
    np.testing.assert_allclose(weight, 2 / 3, rtol=1e-6)
    part, weight = of_sparse_rows(tf.sparse.from_dense(rows))
    np.testing.assert_array_equal(part, rows[:1])
    with pytest.raises(ValueError, match=r"A batch of 1 rows has fewer rows than there are replicas \(2\)"):
        replicas.run(lambda batch, weight: batch, tf.constant([1.0]))
    with pytest.raises(ValueError, match="must consist of tensors with rows; it has a scalar"):
        replicas.run(lambda batch, weight: batch, tf.constant(1.0))


@pytest.mark.usefixtures("v2_behavior")
def test_what_several_replicas_would_train_wrongly_is_refused() -> None:
    replicas = two_replicas()
    replicas.count = 2
    optimizer = keras.optimizers.SGD(gradient_accumulation_steps=4)
    with pytest.raises(ValueError, match="gradient_accumulation_steps=4 of the optimizer does not work"):
        check_optimizer(replicas, optimizer)
    variables = [tf.Variable(0.0, name=f"v{number}") for number in range(7)]
    message = "graph: v0, v1, v2, v3, v4 and 2 more were not made in the strategy's scope"
    with pytest.raises(ValueError, match=message):
        check_variables(replicas, variables, "graph")
    with replicas.strategy.scope():
        check_variables(replicas, [tf.Variable(0.0)], "graph")


@pytest.mark.usefixtures("eager_mode")
def test_all_go_on_from_the_checkpoint_of_the_chief(tmp_path: Path) -> None:
    write(tmp_path, 1, 3)
    other = TwoWorkers()
    other.index = 1
    options = TrainingOptions(is_chief=False)
    other.gather = lambda *values: np.array([[1.0], [-1.0]])  # type: ignore[method-assign]
    with OutputDirectory(str(tmp_path), options, other) as directory:
        assert directory.newest == str(tmp_path / "model.ckpt-1")
    other.gather = lambda *values: np.array([[-1.0], [-1.0]])  # type: ignore[method-assign]
    with OutputDirectory(str(tmp_path), options, other) as directory:
        assert directory.newest is None
    other.gather = lambda *values: np.array([[7.0], [-1.0]])  # type: ignore[method-assign]
    message = "model.ckpt-7, which is not there for this worker. output_dir must be on a file system that all"
    with pytest.raises(FileNotFoundError, match=message), OutputDirectory(str(tmp_path), options, other):
        pass
    with OutputDirectory(str(tmp_path), TrainingOptions(), TwoWorkers()) as directory:
        assert directory.newest == str(tmp_path / "model.ckpt-3")


def test_the_chief_of_a_strategy_is_the_chief_of_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keras_legacy_train.training.functions.replicas_of", lambda *_: two_replicas())
    with pytest.raises(ValueError, match=r"supervisor_is_chief=False, but .* this process is the chief"):
        train(None, tmp_path / "new", lambda: {"loss": 0.0}, "loss", steps=1, supervisor_is_chief=False)
    assert not (tmp_path / "new").exists()


class ServerHere(LocalDevices):
    """Holds the variables in this process, as ones that others share."""

    def of_variable(self, device: str) -> tuple[str | None, bool]:
        return "/job:localhost/replica:0/task:0/device:CPU:0", True


class Connection:
    """A connection to servers, of which one may be lost."""

    def __init__(self) -> None:
        self.lost = False
        self.reconnected = 0

    def is_lost(self) -> bool:
        return self.lost

    def reconnect(self) -> None:
        self.lost = False
        self.reconnected += 1


@pytest.fixture
def session() -> Iterator[GraphSession]:
    with tf.Graph().as_default() as graph:
        step = v1.train.create_global_step()
        w = v1.get_variable("shared_w", initializer=1.0)
        loss = tf.square(w, name="loss")
        v1.train.GradientDescentOptimizer(0.1).minimize(loss, step, name="train")
        v1.global_variables_initializer()
    session = GraphSession(LiftedGraph(graph, ServerHere()))
    yield session
    with session.lifted.eager_mode():
        for variable in session.lifted.shared_variables().values():
            variable.delete_from_server()


def test_workers_wait_until_the_chief_has_given_the_values(
    session: GraphSession, log: pytest.LogCaptureFixture
) -> None:
    connection: Any = Connection()
    worker = SharedModel(session, connection, is_chief=False, timeout=0.0)
    with pytest.raises(errors.ModelNotReadyError) as late:
        worker.begin(lambda: None)
    assert sorted(late.value.variables) == ["global_step", "shared_w"]

    given: list[str] = []

    def give() -> None:
        given.append("values")
        session.run("init")

    chief = SharedModel(session, connection, is_chief=True, timeout=0.0)
    chief.begin(give)
    worker.begin(lambda: None)
    chief.begin_again(give)  # nothing was lost
    assert given == ["values"] and connection.reconnected == 1
    with session.lifted.eager_mode():
        session.lifted.shared_variables()["shared_w"].delete_from_server()
    with pytest.raises(errors.ModelNotReadyError) as late:
        worker.begin_again(lambda: None)
    assert late.value.variables == ["shared_w"]
    chief.begin_again(give)
    worker.begin_again(lambda: None)
    assert given == ["values"] * 2 and session.run("shared_w:0") == 1.0
    log.set_level(logging.INFO)
    chief.tell_exchange(["train"], "loss:0", "global_step")
    assert log.messages[-1].startswith("Each step ")


def test_a_worker_that_waits_for_the_chief_survives_the_loss_of_a_server(
    session: GraphSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection: Any = Connection()
    SharedModel(session, connection, is_chief=True, timeout=0.0).begin(lambda: session.run("init"))
    worker = SharedModel(session, connection, is_chief=False, timeout=0.0)
    lost = tf.errors.UnavailableError(None, None, "gone")
    looks = iter([lost])
    shared_variables = session.lifted.shared_variables

    def look() -> Any:
        for error in looks:
            connection.lost = True
            raise error
        return shared_variables()

    monkeypatch.setattr(session.lifted, "shared_variables", look)
    worker.begin(lambda: None)
    assert connection.reconnected == 1
    assert not worker.is_lost(lost) and not worker.is_lost(ZeroDivisionError())
    connection.lost = True
    assert worker.is_lost(lost)

    def fail() -> Any:
        connection.lost = False
        raise lost

    monkeypatch.setattr(session.lifted, "shared_variables", fail)
    with pytest.raises(tf.errors.UnavailableError):  # of no server of the cluster
        worker.begin(lambda: None)
