"""What `GraphDump` keeps of a graph, and how two dumps compare."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import monitors
from monitor_helpers import VARIABLE_KINDS, Line, drive

v1 = tf.compat.v1


def dump_line(values: Sequence[float], use_resource: bool) -> monitors.GraphDump:
    """The dump of one step for each value, which `w` has before the step."""
    line = Line(use_resource)
    dump = monitors.GraphDump()

    def run(step: int, requests: Iterable[Any]) -> dict[Any, Any]:
        with line.graph.as_default():
            line.w.load(next(remaining), line.session)
        return line.run(step, requests)

    remaining = iter(values)
    with line.graph.as_default():
        drive(dump, len(values), run=run)
    return dump


@VARIABLE_KINDS
def test_graph_dumps_of_equal_runs_match(use_resource: bool) -> None:
    first, second = (dump_line([2.0, 3.0], use_resource) for _ in range(2))
    assert list(first.data) == [1, 2]
    matched, non_matched = first.compare(second, step=2)
    assert {"loss:0", "loss_summary:0"} <= set(matched)
    assert set(non_matched) <= {"w:0", "global_step:0"}  # references, seen before or after their update


@VARIABLE_KINDS
def test_graph_dumps_of_runs_that_part(use_resource: bool) -> None:
    first, second = dump_line([2.0, 3.0], use_resource), dump_line([2.0, 4.0], use_resource)
    assert "loss:0" in first.compare(second, step=1)[0]
    matched, non_matched = first.compare(second, step=2)
    assert non_matched["loss:0"] == (9.0, 16.0)
    assert "loss:0" not in matched


def dump_of(**values: Any) -> monitors.GraphDump:
    dump = monitors.GraphDump()
    with tf.Graph().as_default():
        drive(dump, 1, run=lambda step, requests: values)
    return dump


@pytest.mark.parametrize(
    ("value", "other", "same"),
    [
        (np.float32(1.0), np.float32(1.0 + 5e-7), True),
        (np.float32(1.0), np.float32(1.1), False),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-7]), True),
        (np.array([1.0, 2.0]), np.array([1.0, 2.1]), False),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0]), False),
        (np.zeros([2]), np.zeros([2, 1]), False),
        (np.array([10**6]), np.array([10**6]), True),
        (np.array([10**6]), np.array([10**6 + 1]), False),
        (np.array([True]), np.array([False]), False),
        (b"text", b"text", True),
        (b"text", b"other", False),
        (np.array([b"a", b"bc"], object), np.array([b"a", b"bc"], object), True),
        (None, None, True),
        (np.float32(math.nan), np.float32(math.nan), False),
    ],
)
def test_graph_dumps_compare_values(value: Any, other: Any, same: bool) -> None:
    matched, non_matched = dump_of(x=value).compare(dump_of(x=other), step=1)
    assert matched == (["x"] if same else [])
    assert list(non_matched) == ([] if same else ["x"])
    if not same:
        assert non_matched["x"][0] is value and non_matched["x"][1] is other


def test_graph_dumps_compare_with_a_tolerance() -> None:
    first, second = dump_of(x=np.float32(0.0)), dump_of(x=np.float32(0.05))
    assert first.compare(second, step=1)[0] == []
    assert first.compare(second, step=1, atol=0.1)[0] == ["x"]


def test_graph_dumps_compare_what_is_missing() -> None:
    with pytest.raises(ValueError, match=r"^x:0 missing at step 1\.$"):
        dump_of(**{"x:0": 1.0}).compare(dump_of(), step=1)
    assert dump_of().compare(dump_of(x=1.0), step=1) == ([], {})
    assert dump_of(x=1.0).compare(dump_of(x=1.0), step=7) == ([], {})


def test_graph_dump_ignores_the_objects_among_the_keys(line: Line) -> None:
    dump = monitors.GraphDump()
    line.drive(dump, 1)
    assert any(not isinstance(key, str) for key in dump.data[1])
    matched, _ = dump.compare(dump, step=1)
    assert sorted(matched) == sorted(key for key in dump.data[1] if isinstance(key, str))


def test_graph_dump_logs_the_operations(line: Line, log: pytest.LogCaptureFixture) -> None:
    line.drive(monitors.GraphDump(), 0)
    assert "op=Square name=loss." in log.messages
    assert not [message for message in log.messages if message.startswith("op=Const ")]


def test_graph_dump_ignores_operations_by_type(line: Line) -> None:
    dump = monitors.GraphDump(ignore_ops=["Square"])
    line.drive(dump, 1)
    assert "loss:0" not in dump.data[1]
    assert "loss/x:0" not in dump.data[1]
    assert any(key.startswith("gradients/") for key in dump.data[1] if isinstance(key, str))


def build_branches() -> None:
    """Conditionals and a loop, a resource, a variant and a saver: much of it cannot be fetched."""
    v1.disable_control_flow_v2()
    try:
        x = v1.get_variable("x", [], initializer=v1.ones_initializer(), use_resource=True)
        tf.cond(x > 0, lambda: tf.exp(x), lambda: tf.sin(x))
        tf.while_loop(lambda i: i < 3.0, lambda i: tf.abs(i) + 1.0, [x])
    finally:
        v1.enable_control_flow_v2()
    v1.data.make_one_shot_iterator(tf.data.Dataset.range(9).batch(2)).get_next()
    v1.train.Saver()


@pytest.mark.parametrize("imported", [False, True])
def test_graph_dump_leaves_out_what_has_no_value(imported: bool) -> None:
    with tf.Graph().as_default() as graph:
        build_branches()
        meta_graph = v1.train.export_meta_graph()
    if imported:
        with tf.Graph().as_default() as graph:
            v1.train.import_meta_graph(meta_graph)
    dump = monitors.GraphDump()
    with graph.as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())

        def run(step: int, requests: Iterable[Any]) -> dict[str, Any]:
            return session.run({tensor.name: tensor for tensor in requests})

        drive(dump, 1, run=run)
    assert {"cond/Merge:0", "while/Exit:0", "IteratorGetNext:0"} <= set(dump.data[1])
    assert not {"cond/Exp:0", "while/Abs:0", "x:0", "save/RestoreV2:0"} & set(dump.data[1])
