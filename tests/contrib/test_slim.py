"""Slim trains as its arguments say, reads files, and runs queues."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow.compat.v1 as tf1

from keras_legacy_train.contrib import slim, training


def build(limit: int | None = None) -> tuple[Any, Any]:
    """Returns the train op of a small model, whose input ends after `limit` steps, and its variable."""
    weight = tf1.get_variable("weight", initializer=1.0)
    factor = tf.constant(2.0)
    if limit is not None:
        numbers = tf.data.Dataset.from_tensors(2.0).repeat(limit)
        factor = tf1.data.make_one_shot_iterator(numbers).get_next()
    # The gradient of the exponential is computed from the loss, so the loss is computed before the update.
    loss = factor * tf.exp(weight)
    return slim.learning.create_train_op(loss, tf1.train.GradientDescentOptimizer(0.25)), weight


def loss_after(steps: int, weight: float = 1.0) -> float:
    """Returns the loss of the last of these steps."""
    loss = 0.0
    for _ in range(steps):
        loss = 2.0 * np.exp(weight)
        weight -= 0.25 * loss
    return loss


def join_queue_runners() -> None:
    """Waits for the threads of queue runners, which end with an error when their session is closed."""
    for thread in threading.enumerate():
        if thread.name.startswith("QueueRunnerThread"):
            thread.join(timeout=10)


def test_training_ends_with_its_input_or_at_the_word_of_a_step(tmp_path: Path) -> None:
    for context in (None, training.our_loop()):
        with tf.Graph().as_default():
            train_op, _ = build(limit=3)
            if context is None:
                loss = slim.learning.train(train_op, None)
            else:
                with context:
                    loss = slim.learning.train(train_op, None)
        np.testing.assert_allclose(loss, loss_after(3), 1e-5)

    seen: list[Any] = []

    def train_step_fn(session: Any, train_op: Any, global_step: Any, kwargs: Any) -> tuple[Any, bool]:
        loss, _ = slim.learning.train_step(session, train_op, global_step, {})
        seen.append(kwargs)
        return loss, len(seen) == 2

    wrapped: list[Any] = []
    with tf.Graph().as_default() as graph:
        train_op, weight = build()
    loss = slim.learning.train(
        train_op,
        tmp_path,
        train_step_fn=train_step_fn,
        train_step_kwargs={"mine": 7},
        graph=graph,
        init_fn=lambda session: session.run(weight.initializer, {weight.initializer.inputs[1]: 0.5}),
        session_wrapper=lambda session: wrapped.append(session) or session,
        summary_writer=None,
    )
    np.testing.assert_allclose(loss, loss_after(2, weight=0.5), 1e-5)
    assert seen == [{"mine": 7}, {"mine": 7}] and len(wrapped) == 1
    assert tf.train.latest_checkpoint(tmp_path).endswith("model.ckpt-2")
    assert not list(tmp_path.glob("events.*"))


def test_a_training_goes_on_from_its_newest_checkpoint_and_traces_steps(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def run(steps: int, **options: Any) -> float:
        with tf.Graph().as_default():
            train_op, _ = build()
            return float(slim.learning.train(train_op, tmp_path, number_of_steps=steps, **options))

    with caplog.at_level(logging.INFO, "keras_legacy_train"):
        np.testing.assert_allclose(run(2, log_every_n_steps=0), loss_after(2), 1e-5)
        assert "global step" not in caplog.text
        np.testing.assert_allclose(run(3, trace_every_n_steps=2), loss_after(3), 1e-5)
        assert f"global step 3: loss = {loss_after(3):.4f}" in caplog.text
        with training.our_loop():
            np.testing.assert_allclose(run(4), loss_after(4), 1e-5)
    assert "traceEvents" in json.loads((tmp_path / "tf_trace-3.json").read_text())


def test_a_training_begins_anew_where_its_session_is_aborted() -> None:
    calls: list[Any] = []

    def train_step_fn(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise tf.errors.AbortedError(None, None, "The server is gone.")
        return slim.learning.train_step(*args)

    with tf.Graph().as_default():
        train_op, _ = build()
        # Without a directory there is no checkpoint to go on from.
        loss = slim.learning.train(train_op, None, number_of_steps=3, train_step_fn=train_step_fn)
    np.testing.assert_allclose(loss, loss_after(3), 1e-5)
    assert len(calls) == 5


def test_a_worker_goes_on_with_the_variables_of_the_chief() -> None:
    server = tf1.train.Server.create_local_server()
    losses = []
    for options in ({"number_of_steps": 2}, {"number_of_steps": 3, "is_chief": False}):
        # Reference variables, if that is what they are, must say where they are.
        with tf.Graph().as_default(), tf.device("/cpu:0"):
            train_op, _ = build()
            delay = 0 if options.get("is_chief", True) else 2
            losses.append(
                slim.learning.train(
                    train_op, None, master=server.target, startup_delay_steps=delay, **options
                )
            )
    np.testing.assert_allclose(losses, [loss_after(2), loss_after(3)], 1e-5)


def test_our_loop_says_how_a_training_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # The step that failed is the last that there was: no line says that the training stopped.
    for limit, line in ((None, True), (2.0, False)):
        caplog.clear()
        with tf.Graph().as_default(), training.our_loop(), caplog.at_level(logging.INFO):
            step = tf1.train.get_or_create_global_step()
            loss = tf.square(tf1.get_variable("weight", initializer=1.0))
            train_op = slim.learning.create_train_op(loss, tf1.train.GradientDescentOptimizer(0.1))
            if limit is not None:
                within = tf1.assert_less(tf.cast(step, tf.float32), limit, message="too far")
                with tf.control_dependencies([within]):
                    train_op = tf.identity(train_op)
                with pytest.raises(tf.errors.InvalidArgumentError, match="too far"):
                    slim.learning.train(train_op, None, number_of_steps=4)
            else:
                slim.learning.train(train_op, None, number_of_steps=4)
        assert ("Stopping Training." in caplog.text) == line


def test_a_synchronous_training_cannot_be_delayed() -> None:
    descent = tf1.train.GradientDescentOptimizer(0.1)
    optimizer = tf1.train.SyncReplicasOptimizer(descent, replicas_to_aggregate=1)
    with pytest.raises(ValueError, match="startup_delay_steps must be zero"):
        slim.learning.train("unused", None, sync_optimizer=optimizer, startup_delay_steps=5)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_is_trained_by_a_synchronous_optimizer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient(tf1.train.Supervisor):
        """Does not wait two minutes for the optimizer's thread, which ends only with its session."""

        def __init__(self, **options: Any) -> None:
            super().__init__(stop_grace_secs=0.1, **options)

    monkeypatch.setattr(tf1.train, "Supervisor", Impatient)
    with tf.Graph().as_default():
        loss = 2.0 * tf.exp(tf1.get_variable("weight", initializer=1.0))
        descent = tf1.train.GradientDescentOptimizer(0.25)
        optimizer = tf1.train.SyncReplicasOptimizer(descent, replicas_to_aggregate=1, total_num_replicas=1)
        last = slim.learning.train(
            slim.learning.create_train_op(loss, optimizer),
            tmp_path,
            number_of_steps=3,
            sync_optimizer=optimizer,
            ignore_live_threads=True,
        )
    join_queue_runners()
    np.testing.assert_allclose(last, loss_after(3), 1e-5)
    weight = tf.train.load_variable(str(tmp_path / "model.ckpt-3"), "weight")
    np.testing.assert_allclose(2.0 * np.exp(weight), loss_after(4), 1e-5)


def test_gradients_are_summarised_by_value_and_norm() -> None:
    with tf.Graph().as_default(), tf1.Session() as session:
        weight = tf1.get_variable("weight", initializer=[1.0, 1.0])
        slim.learning.add_gradients_summaries([(tf.constant([3.0, 4.0]), weight), (None, weight)])
        values = tf1.Summary.FromString(session.run(tf1.summary.merge_all())).value
    assert {value.tag: value.simple_value or value.histo.sum for value in values} == {
        "weight/gradient": 7.0,
        "weight/gradient_norm": 5.0,
    }


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("train_op cannot be None", {"train_op": None}),
        ("Cannot provide summary_op", {"summary_op": None}),
        ("Cannot provide saver", {"saver": object()}),
        ("Cannot provide trace_every_n_steps", {"trace_every_n_steps": 2}),
        ("must be either None or a positive number", {"number_of_steps": 0}),
        ("SyncReplicasOptimizer", {"sync_optimizer": object()}),
    ],
)
def test_arguments_that_cannot_be_right_are_refused(message: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=message):
        slim.learning.train(**{"train_op": "unused", "logdir": None, **options})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("train_step_fn", lambda *args: (0.0, True)),
        ("train_step_kwargs", {}),
        ("session_wrapper", lambda session: session),
        ("trace_every_n_steps", 2),
    ],
)
def test_our_loop_names_what_needs_a_session(name: str, value: Any, tmp_path: Path) -> None:
    with tf.Graph().as_default(), training.our_loop():
        train_op, _ = build()
        with pytest.raises(ValueError, match=f"{name} needs a session"):
            slim.learning.train(train_op, tmp_path, **{name: value})


def test_a_traced_step_needs_a_directory() -> None:
    with pytest.raises(ValueError, match="logdir must be present"):
        slim.learning.train_step(None, None, None, {"should_trace": True})


def test_checkpoints_are_evaluated_in_a_loop(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        train_op, _ = build()
        slim.learning.train(train_op, tmp_path / "train", number_of_steps=3)
    with tf.Graph().as_default():
        weight = tf1.get_variable("weight", [])
        tf1.summary.scalar("weight", weight)
        value = slim.evaluation.evaluation_loop(
            "",
            tmp_path / "train",
            tmp_path / "eval",
            2,
            eval_op=weight,
            final_op=weight,
            max_number_of_evaluations=1,
        )
    np.testing.assert_allclose(2.0 * np.exp(value), loss_after(4), 1e-5)
    assert list((tmp_path / "eval").glob("events.*"))


def run_queues(fetches: Any) -> Any:
    with tf1.Session() as session, slim.queues.QueueRunners(session):
        return session.run(fetches)


def test_queue_runners_run_in_a_context_that_is_not_nested() -> None:
    with tf.Graph().as_default(), tf1.Session() as session:
        queue = slim.prefetch_queue.prefetch_queue({"b": tf.constant([1, 2]), "a": tf.constant("x")}, 3)
        batch = queue.dequeue()
        with slim.queues.QueueRunners(session):
            values = session.run(batch)
            with pytest.raises(slim.queues.NestedQueueRunnerError), slim.queues.QueueRunners(session):
                pass
    assert values["a"] == b"x" and values["b"].tolist() == [1, 2]
    with tf.Graph().as_default():
        assert (
            run_queues(slim.prefetch_queue.prefetch_queue([tf.constant(3)], dynamic_pad=True).dequeue()) == 3
        )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_session_is_closed_where_its_queues_do_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(tf.train.Coordinator):
        def join(self, threads: Any, stop_grace_period_secs: float) -> None:
            super().join(threads, stop_grace_period_secs=0.1)

    monkeypatch.setattr(tf.train, "Coordinator", Impatient)
    with tf.Graph().as_default(), tf1.Session() as session:
        empty, filled = (tf.queue.FIFOQueue(2, [tf.int32], [[]]) for _ in range(2))
        tf1.train.add_queue_runner(tf1.train.QueueRunner(filled, [filled.enqueue(empty.dequeue())]))
        size = filled.size()
        with slim.queues.QueueRunners(session):
            assert session.run(size) == 0
        with pytest.raises(RuntimeError, match="closed Session"):
            session.run(size)
        join_queue_runners()
        # Runners can be started again, in another session.
        with tf1.Session() as another, slim.queues.QueueRunners(another):
            assert another.run(size) == 0
    join_queue_runners()


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Returns three files of two records each."""
    paths = [str(tmp_path / f"part-{index}") for index in range(3)]
    for index, path in enumerate(paths):
        with tf.io.TFRecordWriter(path) as writer:
            for row in range(2):
                writer.write(b"%d" % (2 * index + row))
    return paths


def test_records_are_read_once_in_order_or_by_several_readers(files: list[str]) -> None:
    reader = slim.parallel_reader
    pattern = files[0][:-1] + "*"
    assert sorted(reader.get_data_files([pattern, files[1]])) == sorted([*files, files[1]])
    with pytest.raises(ValueError, match=r"No data files found in .*none"):
        reader.get_data_files(files[0] + "none*")

    def read(record: Any) -> list[bytes]:
        rows = []
        with tf1.Session() as session:
            session.run(tf1.local_variables_initializer())
            with slim.queues.QueueRunners(session):
                try:
                    while True:
                        rows.append(session.run(record))
                except tf.errors.OutOfRangeError:
                    return rows

    expected = [b"%d" % index for index in range(6)]
    with tf.Graph().as_default():
        _, record = reader.single_pass_read(files, tf1.TFRecordReader)
        assert read(record) == expected
    with tf.Graph().as_default():
        _, record = reader.parallel_read(
            pattern, tf1.TFRecordReader, num_epochs=1, num_readers=2, capacity=8, min_after_dequeue=2, seed=1
        )
        assert sorted(read(record)) == expected


def test_several_records_are_read_at_a_time(files: list[str]) -> None:
    with tf.Graph().as_default(), tf1.Session() as session:
        queue = tf.queue.FIFOQueue(8, [tf.string, tf.string], [[], []])
        reader = slim.parallel_reader.ParallelReader(tf1.TFRecordReader, queue, num_readers=2)
        assert (reader.num_readers, reader.common_queue) == (2, queue)
        names = tf1.train.string_input_producer(files, num_epochs=1, shuffle=False)
        keys, records = reader.read_up_to(names, 4)
        counts = [reader.num_records_produced(), reader.num_work_units_completed()]
        session.run(tf1.local_variables_initializer())
        with slim.queues.QueueRunners(session):
            seen = [session.run([keys, records]) for _ in range(2)]
            assert session.run(counts) == [6, 3]
    assert [len(rows) for _, rows in seen] == [4, 2]
    assert sorted(row for _, rows in seen for row in rows) == [b"%d" % index for index in range(6)]
    assert {key.decode().rpartition(":")[0] for names, _ in seen for key in names} == set(files)
    with tf.Graph().as_default(), pytest.raises(TypeError, match=r"common_queue\.dtypes must be"):
        slim.parallel_reader.ParallelReader(tf1.TFRecordReader, tf.queue.FIFOQueue(8, [tf.string]))


def test_an_example_may_have_several_images(files: list[str]) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1)
    with tf.Graph().as_default(), tf1.Session() as session:
        image = slim.tfexample_decoder.Image(shape=[3, 4, 1], channels=1, repeated=True, dtype=tf.int32)
        encoded = tf.stack([tf.io.encode_png(each) for each in pixels])
        decoded = image.tensors_to_item({"image/encoded": encoded, "image/format": tf.constant("png")})
        assert session.run(decoded).tolist() == pixels.tolist()
        decoder = slim.tfexample_decoder.TFExampleDecoder({}, {"key": image})
        dataset = slim.dataset.Dataset(files, tf1.TFRecordReader, decoder, 6, {})
        with pytest.raises(ValueError, match="record_key must not be the name of an item"):
            slim.dataset_data_provider.DatasetDataProvider(dataset, record_key="key")


def test_a_provider_gives_the_items_it_has() -> None:
    provider = slim.data_provider.DataProvider({"image": 1, "label": 2}, 5)
    assert provider.get(["label", "image"]) == [2, 1] and provider.num_samples() == 5
    assert list(provider.list_items()) == ["image", "label"]
    for items, message in ((["mask"], r"Item \[mask\] is invalid"), ("image", "must be a list")):
        with pytest.raises(ValueError, match=message):
            provider.get(items)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("expects 4 keys", lambda: slim.tfexample_decoder.BoundingBox(["ymin"])),
        ("both shape_keys and shape", lambda: slim.tfexample_decoder.Tensor("a", ["b"], [2])),
        ("handler must be an ItemHandler", lambda: slim.tfexample_decoder.BackupHandler(None, None)),
    ],
)
def test_handlers_say_what_is_wrong(message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_variables_and_ops_are_counted_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with tf.Graph().as_default() as graph:
        slim.model_variable("conv/weights", [3, 2, 1])
        slim.variable("half", [4], dtype=tf.float16)
        assert slim.model_analyzer.analyze_vars(slim.get_variables(), print_info=True) == (10, 32)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "Variables: name (type shape) [size]"
    assert lines[3] == "conv/weights:0 (float32 3x2x1) [6, bytes: 24]"
    assert lines[-2:] == ["Total size of variables: 10", "Total bytes of variables: 32"]
    with tf.Graph().as_default() as graph:
        tf.zeros([2, 3], name="zeros")
    assert slim.model_analyzer.analyze_ops(graph, print_info=True) == 6
    assert capsys.readouterr().out.splitlines()[3] == "zeros \t-> (float32 2x3) [6]"


def test_summaries_bear_the_names_of_their_tensors(capfd: pytest.CaptureFixture[str]) -> None:
    with tf.Graph().as_default(), tf1.Session() as session:
        number = tf.constant([0.0, 0.0, 1.0, 3.0], name="number")
        image = tf.reshape(number, [1, 2, 2, 1], name="image")
        slim.summaries.add_histogram_summaries([number], prefix="all")
        slim.summaries.add_zero_fraction_summaries([number])
        slim.summaries.add_image_summaries([image])
        slim.summaries.add_scalar_summaries([tf.reduce_sum(number, name="sum")])
        slim.summaries.add_scalar_summary(number[3], "last", "my", print_summary=True)
        summary = tf1.Summary.FromString(session.run(tf1.summary.merge_all()))
    values = {value.tag: value.simple_value for value in summary.value}
    # The scope of a summary has a number where an op has its name already.
    tags = ["all/number", "number/Fraction_of_Zero_Values", "image_1/image/0", "sum_1", "my/last"]
    assert list(values) == tags
    assert [values[tag] for tag in tags] == [0.0, 0.5, 0.0, 4.0, 3.0]
    assert "my/last 3" in capfd.readouterr().err


def test_slim_has_the_names_of_layers_and_framework_and_says_what_is_gone() -> None:
    assert slim.conv2d is slim.layers.conv2d and slim.summaries is not slim.layers.summaries
    assert slim.get_or_create_global_step and slim.xavier_initializer and slim.utils.last_dimension
    with pytest.raises(AttributeError, match="nets"):
        _ = slim.nets
    assert all(hasattr(slim, name) for name in slim.__all__)
