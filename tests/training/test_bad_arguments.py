"""Arguments that cannot be right: an error that says so, before a step runs and before a file is written."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import Job, Recorder, newest_checkpoint
from keras_legacy_train import train

v1 = tf.compat.v1


def job_with_step(make_step: Callable[[], Any]) -> Job:
    """A job whose global step, if any, is what `make_step` puts into the collection."""

    def build() -> graphs.Parts:
        make_step()
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        loss = tf.square(w, name="loss")
        return v1.train.GradientDescentOptimizer(0.1).minimize(loss), loss

    return graphs.job(build)


def step_variable(dtype: tf.DType = tf.int64, shape: tuple[int, ...] = (), name: str = "global_step") -> Any:
    return v1.get_variable(
        name,
        shape,
        dtype,
        initializer=v1.zeros_initializer(),
        trainable=False,
        collections=[v1.GraphKeys.GLOBAL_VARIABLES, v1.GraphKeys.GLOBAL_STEP],
    )


def assert_refused(error: type[Exception], match: str, output_dir: Path, job: Job, **changed: Any) -> None:
    """`train` raises, and neither a step nor a file has come of it."""
    recorder = Recorder()
    arguments = {**job.arguments(), "steps": 1, "monitors": [recorder], "output_dir": output_dir, **changed}
    with pytest.raises(error, match=match):
        train(**arguments)
    assert recorder.steps("step_begin") == []
    assert not output_dir.exists()


LEGACY_PARAMETERS = {
    "graph": inspect.Parameter.empty,
    "output_dir": inspect.Parameter.empty,
    "train_op": inspect.Parameter.empty,
    "loss_op": inspect.Parameter.empty,
    "global_step_tensor": None,
    "init_op": None,
    "init_feed_dict": None,
    "init_fn": None,
    "log_every_steps": 10,
    "supervisor_is_chief": True,
    "supervisor_master": "",
    "supervisor_save_model_secs": 600,
    "keep_checkpoint_max": 5,
    "supervisor_save_summaries_steps": 100,
    "feed_fn": None,
    "steps": None,
    "fail_on_nan_loss": True,
    "monitors": None,
    "max_steps": None,
}


def test_signature_is_the_legacy_one() -> None:
    parameters = inspect.signature(train).parameters.values()
    legacy = [p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    ours = [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    assert [(p.name, p.default) for p in legacy] == list(LEGACY_PARAMETERS.items())
    assert {"callbacks", "jit_compile", "max_window"} <= {p.name for p in ours}
    assert all(p.default is not inspect.Parameter.empty for p in ours)


@pytest.mark.parametrize("value", [None, ""])
def test_no_output_dir(value: Any, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="Output directory should be non-empty"):
        train(output_dir=value, steps=1, **job.arguments())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["train_op", "loss_op"])
def test_missing_op(name: str, job: Job, tmp_path: Path) -> None:
    assert_refused(ValueError, rf"Missing {name}\.", tmp_path / "new", job, **{name: None})


def test_no_global_step(tmp_path: Path) -> None:
    match = 'No "global_step" was provided or found in the graph.'
    assert_refused(ValueError, match, tmp_path / "new", job_with_step(lambda: None))


def test_two_global_steps(tmp_path: Path) -> None:
    def make_steps() -> None:
        step_variable()
        step_variable(name="another_step")

    match = 'No "global_step" was provided or found in the graph.'
    assert_refused(ValueError, match, tmp_path / "new", job_with_step(make_steps))


def test_global_step_of_float_dtype(tmp_path: Path) -> None:
    job = job_with_step(lambda: step_variable(tf.float32))
    assert_refused(TypeError, 'Existing "global_step" does not have integer type', tmp_path / "new", job)


def test_global_step_that_is_not_scalar(tmp_path: Path) -> None:
    job = job_with_step(lambda: step_variable(shape=(2,)))
    assert_refused(TypeError, 'Existing "global_step" is not scalar', tmp_path / "new", job)


@pytest.mark.parametrize(
    ("dtype", "shape"), [(tf.float32, ()), (tf.int64, (2,))], ids=["float", "not scalar"]
)
def test_global_step_tensor_argument_is_checked_too(
    dtype: tf.DType, shape: tuple[int, ...], job: Job, tmp_path: Path
) -> None:
    with job.graph.as_default():
        bad = step_variable(dtype, shape, name="bad_step")
    assert_refused(TypeError, "bad_step|global_step", tmp_path / "new", job, global_step_tensor=bad)


def test_a_global_step_that_is_no_variable(job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        constant = tf.constant(0, tf.int64, name="constant")
    match = "global_step_tensor must be a global variable or a read of one; it is 'constant:0'"
    assert_refused(ValueError, match, tmp_path / "new", job, global_step_tensor=constant)


@pytest.mark.parametrize("form", ["variable", "tensor", "name", "name:0"])
def test_global_step_tensor_argument(form: str, tmp_path: Path) -> None:
    def build() -> graphs.Parts:
        step = v1.get_variable("my_step", [], tf.int64, initializer=v1.zeros_initializer(), trainable=False)
        w = v1.get_variable("w", [], initializer=v1.ones_initializer())
        loss = tf.square(w)
        return v1.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step), loss

    job = graphs.job(build)
    step = next(v for v in job.graph.get_collection(v1.GraphKeys.GLOBAL_VARIABLES) if v.op.name == "my_step")
    with job.graph.as_default():
        read = step.read_value()
    given = {"variable": step, "tensor": read, "name": "my_step", "name:0": "my_step:0"}[form]
    train(output_dir=tmp_path, steps=3, global_step_tensor=given, **job.arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"


@pytest.mark.parametrize(
    ("make_loss", "named"),
    [
        pytest.param(lambda job: job.train_op, "GradientDescent", id="operation"),
        pytest.param(lambda job: [job.loss], "list", id="list"),
        pytest.param(lambda job: 1.5, "1.5", id="number"),
        pytest.param(lambda job: job.graph.get_tensor_by_name("sub:0"), "64, 1", id="not scalar"),
    ],
)
def test_impossible_loss(make_loss: Callable[[Job], Any], named: str, job: Job, tmp_path: Path) -> None:
    assert_refused(ValueError, named, tmp_path / "new", job, loss_op=make_loss(job))


def test_loss_of_shape_1(job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        loss_op = tf.reshape(job.loss, [1])
    loss = train(**{**job.arguments(), "loss_op": loss_op}, output_dir=tmp_path, steps=2)
    assert isinstance(loss, np.float32)
    assert np.shape(loss) == ()


def test_loss_of_unknown_shape_that_is_scalar(job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        loss_op = v1.placeholder_with_default(job.loss, None)
    loss = train(**{**job.arguments(), "loss_op": loss_op}, output_dir=tmp_path, steps=2)
    assert np.shape(loss) == ()


def test_loss_of_unknown_shape_that_is_not_scalar(job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        loss_op = v1.placeholder_with_default(tf.zeros([2, 3]) + job.loss, None)
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        train(**{**job.arguments(), "loss_op": loss_op}, output_dir=tmp_path, steps=2)


@pytest.mark.parametrize(
    "form",
    [
        lambda op: [op],
        lambda op: (op, op),
        lambda op: {"train": op},
        lambda op: [[op], {"same": op}],
        lambda op: op.name,
        lambda op: [op.name],
        lambda op: tf.group(op),
    ],
    ids=["list", "tuple", "dict", "nested", "name", "list of names", "group"],
)
def test_forms_of_train_op(form: Callable[[Any], Any], job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        train_op = form(job.train_op)
    train(**{**job.arguments(), "train_op": train_op}, output_dir=tmp_path, steps=3)
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"


def test_train_op_that_is_a_tensor(job: Job, tmp_path: Path) -> None:
    with job.graph.as_default(), tf.control_dependencies([job.train_op]):
        train_op = tf.identity(job.loss)
    train(**{**job.arguments(), "train_op": train_op}, output_dir=tmp_path, steps=3)
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"


@pytest.mark.parametrize("name", ["loss", "loss:0"])
def test_loss_op_by_name(name: str, job: Job, tmp_path: Path) -> None:
    assert train(**{**job.arguments(), "loss_op": name}, output_dir=tmp_path, steps=1) > 0


@pytest.mark.parametrize("name", ["train_op", "loss_op", "global_step_tensor"])
def test_name_that_is_not_in_the_graph(name: str, job: Job, tmp_path: Path) -> None:
    assert_refused(ValueError, "no_such_thing", tmp_path / "new", job, **{name: "no_such_thing"})


@pytest.mark.parametrize("name", ["train_op", "loss_op", "init_op", "global_step_tensor"])
def test_op_of_another_graph(name: str, job: Job, tmp_path: Path) -> None:
    with tf.Graph().as_default() as other:
        stranger = tf.constant(1, tf.int64 if name == "global_step_tensor" else tf.float32, name="stranger")
    with pytest.raises(ValueError, match="stranger") as raised:
        train(**{**job.arguments(), name: stranger}, output_dir=tmp_path / "new", steps=1)
    assert str(job.graph) in str(raised.value)
    assert str(other) in str(raised.value)
    assert not (tmp_path / "new").exists()


X, Y = np.zeros([8, 8], np.float32), np.zeros([8, 1], np.float32)


@pytest.mark.parametrize(
    ("feeds", "named"),
    [
        pytest.param({"x": X, "y": Y, "z": X}, "z", id="a key that is not in the graph"),
        pytest.param([X, Y], "list", id="a list"),
        pytest.param({"x": X[:, :3], "y": Y}, r"(?s)x.*8.*3.*float32", id="a value of the wrong shape"),
        pytest.param({"x": [["a"] * 8] * 8, "y": Y}, r"(?s)x.*float32", id="a value of the wrong dtype"),
    ],
)
def test_feed_fn_returns(feeds: Any, named: str, tmp_path: Path) -> None:
    job = graphs.build("feed_adam")
    recorder = Recorder()
    with pytest.raises(ValueError, match=named):
        train(
            **{**job.arguments(), "feed_fn": lambda: feeds}, output_dir=tmp_path, steps=1, monitors=[recorder]
        )
    assert recorder.steps("step_end") == []
    assert newest_checkpoint(tmp_path) in (None, "model.ckpt-0")


@pytest.mark.parametrize(
    "key", [lambda job, name: job.graph.get_tensor_by_name(f"{name}:0"), lambda job, name: name,
            lambda job, name: f"{name}:0"], ids=["tensor", "name", "name:0"]
)  # fmt: skip
@pytest.mark.parametrize("value", [lambda x: x, lambda x: x.tolist(), lambda x: x.astype("float64")],
                         ids=["float32", "list", "float64"])  # fmt: skip
def test_what_feed_fn_may_return(key: Any, value: Any, tmp_path: Path) -> None:
    job = graphs.build("feed_adam")
    feeds = {key(job, "x"): value(X), key(job, "y"): value(Y)}
    assert train(**{**job.arguments(), "feed_fn": lambda: feeds}, output_dir=tmp_path, steps=2) == 0.0


@pytest.mark.parametrize("master", ["grpc://localhost", "worker"])
def test_supervisor_master(master: str, job: Job, tmp_path: Path) -> None:
    assert_refused(ValueError, "supervisor_master", tmp_path / "new", job, supervisor_master=master)


@pytest.mark.parametrize("master", ["", "local"])
def test_supervisor_master_that_works(master: str, job: Job, tmp_path: Path) -> None:
    assert train(output_dir=tmp_path, steps=1, supervisor_master=master, **job.arguments()) > 0


@pytest.mark.parametrize("graph", [None, 3, "no_such_file.meta"])
def test_impossible_graph(graph: Any, job: Job, tmp_path: Path) -> None:
    with pytest.raises((ValueError, TypeError, OSError)):
        train(**{**job.arguments(), "graph": graph}, output_dir=tmp_path / "new", steps=1)
    assert not (tmp_path / "new").exists()


def test_a_file_that_holds_no_graph(job: Job, tmp_path: Path) -> None:
    path = tmp_path / "other.meta"
    for content in (b"junk" * 100, b"\xff\xfe\x00" * 100):
        path.write_bytes(content)
        match = r"graph: '.*other\.meta' is not a \.meta file"
        assert_refused(ValueError, match, tmp_path / "new", job, graph=path)


@pytest.mark.slow
def test_keras_on_another_backend() -> None:
    """The other backends need packages of their own, so Keras only says that it runs on one."""
    script = "import keras; keras.backend.backend = lambda: 'jax'; import keras_legacy_train"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "ImportError" in ended.stderr
    assert "KERAS_BACKEND" in ended.stderr
