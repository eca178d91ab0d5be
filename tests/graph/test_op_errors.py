"""An error that an op raises names the op of the user's graph, where it was made, and the way out."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import Recorder, Silent
from keras_legacy_train import GraphModel, evaluate, infer, monitors, train

v1 = tf.compat.v1
Built = tuple[tf.Graph, tf.Operation, tf.Tensor]


def made_iterator() -> tf.Tensor:
    iterator = v1.data.make_initializable_iterator(tf.data.Dataset.range(1000))
    v1.add_to_collection("iterator", iterator.initializer)
    return tf.cast(iterator.get_next(), tf.float32)


def made_variable() -> tf.Tensor:
    orphan = v1.get_variable("orphan", initializer=2.0, trainable=False, collections=["nobody's"])
    v1.add_to_collection("orphan", orphan.initializer)
    return orphan * 2.0


def made_table() -> tf.Tensor:
    pairs = tf.lookup.KeyValueTensorInitializer(tf.constant([1, 2]), tf.constant([1.0, 2.0]))
    table = tf.lookup.StaticHashTable(pairs, 0.0, name="grades")
    v1.get_default_graph().clear_collection(v1.GraphKeys.TABLE_INITIALIZERS)
    return table.lookup(tf.constant(1))


def made_assert() -> tf.Tensor:
    x = v1.placeholder_with_default(3.0, [])
    with tf.control_dependencies([v1.assert_less(x, 1.0, message="x is large")]):
        return tf.identity(x)


def made_product() -> tf.Tensor:
    x = v1.placeholder_with_default(np.ones([2, 3], "float32"), [None, None])
    return tf.reduce_sum(tf.matmul(x, x, name="product"))


def made_branch() -> tf.Tensor:
    x = v1.placeholder_with_default(np.ones([2, 3], "float32"), [None, None])
    flag = v1.placeholder_with_default(True, [])
    return tf.cond(flag, lambda: tf.reduce_sum(tf.matmul(x, x, name="inner")), lambda: tf.constant(0.0))


def made_loop() -> tf.Tensor:
    x = v1.placeholder_with_default(np.ones([2, 3], "float32"), [None, None])
    body = lambda count: count + tf.reduce_sum(tf.matmul(x, x, name="turn"))  # noqa: E731
    return tf.while_loop(lambda count: count < 3.0, body, [0.0])


def made_dataset() -> tf.Tensor:
    dataset = tf.data.Dataset.range(9).map(lambda x: tf.gather([1.0], x + 1, name="pick"))
    return v1.data.make_one_shot_iterator(dataset).get_next()


def made_python() -> tf.Tensor:
    def fail(_x: float) -> float:
        raise KeyError("no such row")

    return tf.reshape(tf.numpy_function(fail, [1.0], tf.float32, name="rows"), [])


# What the error says, in order; the class it has; and the function above whose file and line it names.
PRECONDITION, ARGUMENT = tf.errors.FailedPreconditionError, tf.errors.InvalidArgumentError
KINDS: dict[Callable[[], tf.Tensor], tuple[type[tf.errors.OpError], list[str]]] = {
    made_iterator: (
        PRECONDITION,
        ["iterator has not been initialized", "'IteratorGetNext'", "'IteratorV2'", "TABLE_INITIALIZERS"],
    ),
    made_variable: (PRECONDITION, ["Could not find variable orphan", "'orphan' has no", "LOCAL_VARIABLES"]),
    made_table: (PRECONDITION, ["Table not initialized", "'grades' is not", "TABLE_INITIALIZERS"]),
    made_assert: (ARGUMENT, ["x is large", "(Assert)"]),
    made_product: (ARGUMENT, ["Matrix size-incompatible", "'product' (MatMul)"]),
    made_branch: (ARGUMENT, ["Matrix size-incompatible", "'inner' (MatMul)"]),
    made_loop: (ARGUMENT, ["Matrix size-incompatible", "'turn' (MatMul)"]),
    made_dataset: (ARGUMENT, ["indices = 1 is not in [0, 1)", "'pick' (GatherV2)", "'IteratorGetNext'"]),
    made_python: (tf.errors.UnknownError, ["KeyError: 'no such row'", "'rows' (PyFunc)"]),
}


def built(make: Callable[[], tf.Tensor]) -> Built:
    with tf.Graph().as_default() as graph:
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        made = make()
        v1.add_to_collection("made", made)
        loss = tf.square(w * made, name="loss")
        optimizer = v1.train.GradientDescentOptimizer(0.01)
        train_op = optimizer.minimize(loss, v1.train.create_global_step())
    return graph, train_op, loss


class Sampled(monitors.PrintTensor):
    """Samples the loss, so that what comes is a window with samples."""

    def __init__(self) -> None:
        super().__init__(["loss:0"], every_n=100)


def by_a_step(job: Built, path: Path) -> None:
    train(job[0], path, job[1], job[2], steps=3, monitors=[Recorder()])


def by_a_window(job: Built, path: Path) -> None:
    train(job[0], path, job[1], job[2], steps=3, monitors=[Silent()])


def by_a_sampled_window(job: Built, path: Path) -> None:
    train(job[0], path, job[1], job[2], steps=300, monitors=[Sampled()])


def by_infer(job: Built, path: Path) -> None:
    infer(None, {"loss": job[2]})


def by_evaluate(job: Built, path: Path) -> None:
    evaluate(job[0], path, None, {"loss": job[2]}, max_steps=1)


def by_an_evaluation_window(job: Built, path: Path) -> None:
    with job[0].as_default():
        mean, update_op = v1.metrics.mean(v1.get_collection("made")[0])
    evaluate(job[0], path, None, {"mean": mean}, update_op=update_op, max_steps=2)


def by_predict(job: Built, path: Path) -> None:
    GraphModel(job[0], outputs=job[2]).predict(steps=1, verbose=0)


def by_train_on_batch(job: Built, path: Path) -> None:
    GraphModel(job[0], train_op=job[1], loss=job[2]).train_on_batch()


def by_test_on_batch(job: Built, path: Path) -> None:
    GraphModel(job[0], loss=job[2]).test_on_batch()


def by_predict_on_batch(job: Built, path: Path) -> None:
    GraphModel(job[0], outputs=job[2]).predict_on_batch(None)


def by_an_initializer(job: Built, path: Path) -> None:
    train(job[0], path, job[1], job[2], init_op=job[0].get_collection("made"), steps=3)


def by_init_fn(job: Built, path: Path) -> None:
    train(job[0], path, job[1], job[2], init_fn=lambda session: session.run(job[2]), steps=3)


WAYS = [
    by_a_step,
    by_a_window,
    by_a_sampled_window,
    by_infer,
    by_evaluate,
    by_an_evaluation_window,
    by_predict,
    by_train_on_batch,
    by_test_on_batch,
    by_predict_on_batch,
    by_an_initializer,
    by_init_fn,
]


def check(error: tf.errors.OpError, make: Callable[[], tf.Tensor]) -> None:
    text = str(error)
    kind, words = KINDS[make]
    assert type(error) is kind
    assert error.message == text
    found = [text.find(word) for word in words]
    assert -1 not in found and found == sorted(found), text
    assert not re.search("lifted|stack traces unavailable|__inference|keras_legacy_train_", text), text
    first = make.__code__.co_firstlineno
    last = max(line for code in _codes(make.__code__) for *_, line in code.co_lines() if line)
    lines = [int(line) for line in re.findall(rf'File "{re.escape(__file__)}", line (\d+), in', text)]
    assert any(first < line <= last for line in lines), text


def _codes(code: Any) -> list[Any]:
    return [code, *itertools.chain(*(_codes(each) for each in code.co_consts if hasattr(each, "co_lines")))]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_ops_of_all_kinds(make: Callable[[], tf.Tensor], tmp_path: Path) -> None:
    with pytest.raises(tf.errors.OpError) as raised:
        by_a_window(built(make), tmp_path)
    check(raised.value, make)


@pytest.mark.parametrize("run", WAYS, ids=lambda run: run.__name__)
@pytest.mark.parametrize("make", [made_variable, made_product], ids=lambda make: make.__name__)
def test_however_it_is_run(
    run: Callable[[Built, Path], None],
    make: Callable[[], tf.Tensor],
    variable_kind: None,
    tmp_path: Path,
) -> None:
    with pytest.raises(tf.errors.OpError) as raised:
        run(built(make), tmp_path)
    check(raised.value, make)


def test_the_end_of_the_input_is_still_told_from_errors(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        step = v1.train.create_global_step()
        iterator = v1.data.make_one_shot_iterator(tf.data.Dataset.range(3))
        loss = tf.cast(iterator.get_next(), tf.float32)
        with tf.control_dependencies([loss]):
            train_op = step.assign_add(1).op
    assert train(graph, tmp_path, train_op, loss, steps=10) == 2.0
    with pytest.raises(tf.errors.OutOfRangeError, match=r"End of sequence(.|\n)*'IteratorGetNext'"):
        graph_model = GraphModel(graph, outputs=loss)
        for _ in range(4):
            graph_model.session.run(loss)


def test_unfed_placeholder_below_a_summary(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        shown = v1.placeholder(tf.float32, [], name="shown")
        v1.summary.scalar("curve", shown * 2.0)
    graph = shown.graph
    with graph.as_default():
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        loss = tf.square(w)
        train_op = v1.train.GradientDescentOptimizer(0.1).minimize(loss, v1.train.create_global_step())
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        train(graph, tmp_path, train_op, loss, steps=3)
    text = str(raised.value)
    assert text.startswith(
        "You must feed a value for placeholder tensor 'shown' with dtype float32 and shape ()."
    )
    assert "It is needed by the operation 'curve' (ScalarSummary)" in text and "SUMMARIES" in text
    assert text.count(f'File "{__file__}", line ') == 2


@pytest.mark.parametrize(("make", "key"), [(made_iterator, "iterator"), (made_variable, "orphan")])
def test_what_only_init_fn_initialises_on_resume(
    make: Callable[[], tf.Tensor], key: str, tmp_path: Path
) -> None:
    def run(until: int, **more: Any) -> None:
        graph, train_op, loss = built(make)
        initializer = graph.get_collection(key)
        if more.pop("in_collection", False):
            graph.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, initializer[0])
        hooks = [Initializes(key)] if more.pop("in_hook", False) else None
        train(
            graph,
            tmp_path,
            train_op,
            loss,
            init_fn=lambda session: session.run(initializer),
            max_steps=until,
            monitors=hooks or [Silent()],
        )

    run(2)
    with pytest.raises(tf.errors.FailedPreconditionError) as raised:
        run(4)
    check(raised.value, make)
    assert "not run when training resumes" in str(raised.value)
    run(4, in_collection=True)
    run(6, in_hook=True)
    assert v1.train.load_checkpoint(str(tmp_path)).get_tensor("global_step") == 6


class Initializes(v1.train.SessionRunHook):
    """Runs an initializer, as the message says."""

    def __init__(self, key: str):
        self.key = key

    def after_create_session(self, session: Any, coord: Any) -> None:
        session.run(session.graph.get_collection(self.key))
