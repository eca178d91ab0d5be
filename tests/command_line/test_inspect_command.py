"""`inspect` says what is there, of damaged and hostile directories, too, and changes nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import graphs
from checkpoint_helpers import data_file, flip_a_bit, index_file, manager_of, save_with_saver, saved, write
from command_line_helpers import refusal, run_command, run_json, tree
from forged_checkpoints import change_entry
from keras_legacy_train import train
from keras_legacy_train.checkpoints.directory_lock import DirectoryLock
from keras_legacy_train.summaries import SummaryWriter

v1 = tf.compat.v1
pytestmark = pytest.mark.usefixtures("eager_mode")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 20 steps, whose graph collects its step and its loss."""
    directory = tmp_path_factory.mktemp("inspected") / "run"
    job = graphs.build("linear_sgd")
    job.graph.add_to_collection(v1.GraphKeys.LOSSES, job.loss)
    for steps in (10, 20):
        train(output_dir=directory, max_steps=steps, supervisor_save_summaries_steps=5, **job.arguments())
    return directory


def test_a_run(run: Path) -> None:
    before = tree(run)
    found = run_json("inspect", run)
    assert found["resumes"] == str(run / "model.ckpt-20")
    assert found["problem"] is None and found["lock"] is None and found["gone"] == []
    assert [each["step"] for each in found["checkpoints"]] == [0, 10, 20]
    newest = found["checkpoints"][-1]
    assert newest["whole"] and newest["finite"] and newest["resumes"] and newest["listed"]
    assert newest["form"] == "names" and newest["bytes"] == sum(
        path.stat().st_size for path in run.glob("model.ckpt-20.*")
    )
    reader = tf.train.load_checkpoint(str(run / "model.ckpt-20"))
    (w,) = (each for each in newest["variables"] if each["name"] == "w")
    assert w["dtype"] == "float32" and w["shape"] == [8, 1] and w["slices"] == 1
    assert w["norm"] == pytest.approx(np.linalg.norm(reader.get_tensor("w")))
    scalars = found["events"]["scalars"]
    assert {"loss", "loss_summary", "global_step/sec"} <= scalars.keys()
    assert scalars["loss"]["last_step"] == 20 and scalars["loss"]["first_step"] == 1
    assert found["events"]["graph"] and found["events"]["starts"] == [0, 10]
    text = run_command("inspect", run)
    assert "goes on from model.ckpt-20" in text and "nobody trains here" in text
    assert tree(run) == before


def test_a_checkpoint(tmp_path: Path) -> None:
    prefix = save_with_saver(tmp_path)
    found = run_json("inspect", prefix)
    sliced = {each["name"]: each["slices"] for each in found["variables"]}
    assert sliced == {"w": 1, "table": 2} and found["version"] == 2
    assert run_json("inspect", f"{prefix}.index") == found
    assert "[7, 2] in 2 slices" in run_command("inspect", prefix)


def test_the_older_format_and_the_form_of_objects(tmp_path: Path) -> None:
    old = run_json("inspect", save_with_saver(tmp_path, write_version=1))
    assert old["version"] == 1 and {each["slices"] for each in old["variables"]} == {1, 2}
    prefix = tf.train.Checkpoint(a=tf.Variable([3.0, 4.0])).save(str(tmp_path / "objects"))
    new = run_json("inspect", prefix)
    assert new["form"] == "objects"
    assert [each["norm"] for each in new["variables"]] == [5.0]


def test_values_that_are_no_numbers(tmp_path: Path) -> None:
    values = {
        "text": [b"a", b"\xff"],
        "nan": [1.0, np.nan, np.inf],
        "none": np.zeros([0, 3]),
        "truth": [True],
    }
    manager_of(tmp_path, *(saved(*each) for each in values.items()), require_finite=False).save(1)
    (found,) = run_json("inspect", tmp_path)["checkpoints"]
    variables = {each["name"]: each for each in found["variables"]}
    assert found["whole"] and not found["finite"]
    assert variables["text"]["norm"] is None and variables["none"]["norm"] == 0.0
    assert variables["nan"]["norm"] == "nan" and variables["nan"]["not_finite"] == 2
    assert "no: nan" in run_command("inspect", tmp_path)


def test_the_holder_of_the_lock(tmp_path: Path) -> None:
    with DirectoryLock(str(tmp_path)):
        lock = run_json("inspect", tmp_path)["lock"]
        assert lock["pid"] == os.getpid() and lock["running"] is True
        assert f"process {os.getpid()}" in run_command("inspect", tmp_path)


def test_an_empty_directory(tmp_path: Path) -> None:
    found = run_json("inspect", tmp_path)
    assert (found["resumes"], found["checkpoints"], found["events"]["files"]) == (None, [], [])
    assert "would begin at the first step" in run_command("inspect", tmp_path)


def test_damage_is_shown_and_stepped_over(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3, 4)
    flip_a_bit(data_file(tmp_path, 4))
    data_file(tmp_path, 3).unlink()
    (tmp_path / "vocab.index").write_text("the user's own")
    found = run_json("inspect", tmp_path)
    assert found["resumes"] == str(tmp_path / "model.ckpt-2")
    assert [(each["step"], each["whole"]) for each in found["checkpoints"]] == [
        (1, True),
        (2, True),
        (3, False),
        (4, False),
    ]
    assert found["checkpoints"][3]["finite"] is None
    assert "model.ckpt-3.data-00000-of-00001" in found["checkpoints"][2]["damage"]
    assert "model.ckpt-4" in refusal("inspect", tmp_path / "model.ckpt-4")


def test_hostile_files_are_damage(tmp_path: Path) -> None:
    """Neither a FIFO, nor a device, nor a forged shape, nor a list of 20,000 names holds it up."""
    write(tmp_path, 1, 2, 3, 4, 5)
    data_file(tmp_path, 2).unlink()
    os.mkfifo(data_file(tmp_path, 2))
    index_file(tmp_path, 3).unlink()
    index_file(tmp_path, 3).symlink_to("/dev/zero")

    def forge(entry: object) -> None:
        entry.shape.dim.add().size = 2**40  # type: ignore[attr-defined]

    change_entry(index_file(tmp_path, 4), b"w", forge)
    os.mkfifo(tmp_path / "events.out.tfevents.1")
    (tmp_path / "events.out.tfevents.2").write_bytes(b"\xff" * 100)
    names = "".join(f'all_model_checkpoint_paths: "model.ckpt-{step}"\n' for step in range(10, 20_000))
    (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "model.ckpt-1"\n{names}')
    found = run_json("inspect", tmp_path)
    assert [each["step"] for each in found["checkpoints"] if each["whole"]] == [1, 5]
    assert found["resumes"] == str(tmp_path / "model.ckpt-1")
    assert len(found["gone"]) == 19_990
    assert len(found["events"]["damaged"]) == 1
    assert len(run_command("inspect", tmp_path).splitlines()) < 40


def test_when_no_checkpoint_is_whole(tmp_path: Path) -> None:
    write(tmp_path, 1)
    flip_a_bit(data_file(tmp_path, 1))
    assert "none of them can be read" in run_json("inspect", tmp_path)["problem"]
    text = run_command("inspect", tmp_path)
    assert "training does not start here: " in text and "none of them can be read" in text


def test_long_tables_are_cut(tmp_path: Path) -> None:
    manager_of(tmp_path, *(saved(f"v{number:03}", [1.0]) for number in range(60))).save(1)
    prefix = tmp_path / "model.ckpt-1"
    text = run_command("inspect", prefix)
    more = re.search(r"… and (\d+) more; --all prints them", text)
    assert more is not None and text.count("float32") == 60 - int(more[1])
    assert run_command("inspect", prefix, "--all").count("float32") == 60
    (tmp_path / "many").mkdir()
    write(tmp_path / "many", *range(60))
    text = run_command("inspect", tmp_path / "many")  # the newest are of interest
    assert "more; --all prints them" in text and "model.ckpt-59" in text and "model.ckpt-1 " not in text


def test_events_of_a_training_that_did_steps_again(tmp_path: Path) -> None:
    for start, last, value in ((0, 4, 1.0), (2, 6, 2.0)):
        with SummaryWriter(tmp_path) as writer:
            writer.add_session_log(v1.SessionLog(status=v1.SessionLog.START), start)
            for step in range(start + 1, last + 1):
                writer.add_scalar("loss", value, step)
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        tf.summary.scalar("accuracy", 0.5, step=1)
        tf.summary.histogram("weights", [1.0, 2.0], step=6)
    events = run_json("inspect", tmp_path)["events"]
    assert events["scalars"]["loss"]["count"] == 6 and events["starts"] == [0, 2]
    assert events["scalars"]["accuracy"]["last_value"] == 0.5
    assert events["others"] == {"histogram": {"weights": 1}}


def test_a_graph(run: Path) -> None:
    found = run_json("inspect", run / "model.ckpt-20.meta")
    assert found["lifts"] and found["problems"] == [] and found["inputs"] == []
    assert found["global_step"] == "global_step" and found["losses"] == ["loss:0"]
    (train_op,) = found["train_ops"]
    assert train_op.startswith("GradientDescent")
    kinds = {each["name"]: (each["shape"], each["kind"], each["trainable"]) for each in found["variables"]}
    assert kinds == {
        "w": ("[8, 1]", "global", True),
        "b": ("[1]", "global", True),
        "global_step": ("[]", "global", False),
    }
    assert "It lifts" in run_command("inspect", run / "model.ckpt-20.meta")


@pytest.fixture(scope="module")
def odd_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph with placeholders, a Python function, and an op that nobody knows."""
    path = tmp_path_factory.mktemp("graph") / "odd.meta"
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, 2], "x")
        v1.placeholder_with_default(1.0, [], "keep_prob")
        y = v1.py_func(lambda a: a, [x], tf.float32, name="python")
        loss = tf.reduce_sum(y * v1.get_variable("w", [2]), name="loss")
        v1.train.GradientDescentOptimizer(0.1).minimize(loss, v1.train.get_or_create_global_step())
        meta_graph = v1.train.export_meta_graph()
    meta_graph.graph_def.node.add(name="custom", op="NoSuchOp", input=["x"])
    path.write_bytes(meta_graph.SerializeToString())
    return path


def test_what_would_not_lift(odd_graph: Path) -> None:
    found = run_json("inspect", odd_graph)
    needed = {each["name"]: each["needed"] for each in found["inputs"]}
    assert needed == {"x": True, "keep_prob": False}
    assert not found["lifts"]
    problems = {each["node"]: each["why"] for each in found["problems"]}
    assert "Python function" in problems["python"] and "no such op" in problems["custom"]
    text = run_command("inspect", odd_graph)
    assert "needed by the step" in text and "NoSuchOp" in text


def test_a_graph_of_a_script_that_collects_little(tmp_path: Path) -> None:
    path = tmp_path / "graph.meta"
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, name="x")
        v1.train.create_global_step()

        @tf.function
        def called(x: tf.Tensor) -> tf.Tensor:
            return tf.numpy_function(lambda a: a, [x], tf.float32)

        queue = tf.queue.FIFOQueue(3, tf.float32)
        v1.train.add_queue_runner(v1.train.QueueRunner(queue, [queue.enqueue(called(x))]))
        v1.train.export_meta_graph(str(path), graph=graph, collection_list=[v1.GraphKeys.QUEUE_RUNNERS])
    found = run_json("inspect", path)
    assert found["global_step"] == "global_step" and found["losses"] == []
    assert [(each["name"], each["shape"]) for each in found["inputs"]] == [
        ("x", "?"),
        ("fifo_queue", ""),
    ]
    (problem,) = found["problems"]
    assert problem["node"].startswith("__inference_called") and "Python function" in problem["why"]


def test_an_op_that_works_on_reference_variables_alone(tmp_path: Path) -> None:
    path = tmp_path / "graph.meta"
    with tf.Graph().as_default() as graph:
        with v1.variable_scope("", use_resource=False):
            first, second = v1.get_variable("a", [2]), v1.get_variable("b", [2])
        chosen = tf.raw_ops.RefSelect(index=0, inputs=[first._ref(), second._ref()])
        v1.add_to_collection(v1.GraphKeys.TRAIN_OP, v1.assign(first, chosen + 1.0))
        v1.train.create_global_step()
        v1.train.export_meta_graph(str(path), graph=graph)
    found = run_json("inspect", path)
    assert not found["lifts"]
    (problem,) = found["problems"]
    assert "RefSelect works on reference variables only" in problem["why"]
    assert "Build a, b with use_resource=True" in problem["why"]


def test_a_forged_collection(run: Path, tmp_path: Path) -> None:
    meta_graph = v1.MetaGraphDef.FromString((run / "model.ckpt-20.meta").read_bytes())
    meta_graph.collection_def[v1.GraphKeys.TRAINABLE_VARIABLES].bytes_list.value.append(b"\xff")
    (tmp_path / "forged.meta").write_bytes(meta_graph.SerializeToString())
    assert "'trainable_variables'" in refusal("inspect", tmp_path / "forged.meta")


@pytest.mark.parametrize(
    "content",
    [b"", b"junk" * 100, b"\xff\xfe" * 100, None],
    ids=["empty", "junk", "no text", "missing"],
)
def test_no_graph(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "graph.meta"
    if content is not None:
        path.write_bytes(content)
    assert "graph.meta" in refusal("inspect", path)


def test_a_fifo_in_the_place_of_a_graph(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "graph.meta")
    assert "graph.meta" in refusal("inspect", tmp_path / "graph.meta")


def test_nothing_of_that_name(tmp_path: Path) -> None:
    assert "nothing" in refusal("inspect", tmp_path / "nothing")
    assert "'*'" in refusal("inspect", _made(tmp_path / "a*b"))


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory
