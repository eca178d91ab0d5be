"""What Estimators export is what the originals' Estimators exported, and serves what they predict."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from export_helpers import (
    GOLDEN,
    assert_served,
    export_all,
    export_cases,
    export_classifier,
    recorded,
    trained_model,
)
from helpers import SCRIPTS, run_python
from keras_legacy_train import estimator
from keras_legacy_train._tensorflow import SavedModelProto, eager_mode
from keras_legacy_train.errors import CheckpointMismatchError
from keras_legacy_train.estimator.export.saved_model import export_versions

v1 = tf.compat.v1
SERVE = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> estimator.Estimator:
    return trained_model(tmp_path_factory.mktemp("trained") / "model")


@pytest.fixture(scope="module")
def exports(model: estimator.Estimator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return export_all(model, tmp_path_factory.mktemp("exports"))


@pytest.mark.parametrize("case", export_cases.CASES)
@pytest.mark.parametrize("version", ["1.15", "2.15"])
def test_exports_are_the_originals(exports: dict[str, str], case: str, version: str) -> None:
    original = recorded(case, version)
    for graph in original["saved_model"]["graphs"].values():
        for name in list(graph["signatures"]):
            # 1.15 exports what cannot be computed from its inputs, too.
            if "unfed" in name or name.startswith("word:"):
                assert version == "1.15"
                del graph["signatures"][name]
    assert export_cases.describe(exports[case]) == original["saved_model"]
    assert_served(export_cases.serve(exports[case]), original["outputs"])


@pytest.mark.slow
def test_what_is_loaded_in_a_fresh_process_predicts_as_the_estimator(
    model: estimator.Estimator, exports: dict[str, str], tmp_path: Path
) -> None:
    features = {"x": export_cases.X, "color": export_cases.WORDS}
    predictions = list(model.predict(lambda: tf.data.Dataset.from_tensors(features)))
    case = tmp_path / "case"
    shutil.copytree(exports["parsing"], case / "model")
    (case / "signature").write_text("predict")
    np.savez(case / "inputs.npz", examples=export_cases.examples().astype(bytes))
    run_python(SCRIPTS / "exported_run.py", tmp_path).check_returncode()
    served = np.load(case / "outputs.npz")
    assert sorted(served) == ["class", "logits"]
    for key in served:
        np.testing.assert_array_equal(served[key], [prediction[key] for prediction in predictions])


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3, width=32)] * 3), min_size=1, max_size=5))
@settings(max_examples=10)
def test_a_loaded_export_predicts_as_the_estimator(
    model: estimator.Estimator, exports: dict[str, str], rows: list[tuple[float, ...]]
) -> None:
    x, color = np.array(rows, np.float32), np.resize(export_cases.WORDS, len(rows))
    predictions = list(
        model.predict(estimator.inputs.numpy_input_fn({"x": x, "color": color}, shuffle=False))
    )
    with eager_mode():
        serve = tf.saved_model.load(exports["raw"]).signatures["predict"]
        outputs = serve(x=tf.constant(x), color=tf.constant(color))
    for key, output in outputs.items():
        np.testing.assert_allclose(output, [each[key] for each in predictions], rtol=1e-6)


def test_exports_of_canned_estimators_have_only_what_tensorflow_1_15_knows(tmp_path: Path) -> None:
    path = export_classifier(tmp_path)
    saved_model = SavedModelProto.FromString(Path(path, "saved_model.pb").read_bytes())
    nodes = saved_model.meta_graphs[0].graph_def.node
    assert {"ParseExample", "SparseSegmentMean"} <= {node.op for node in nodes}
    assert not any("Tsegmentids" in node.attr or node.op == "ParseExampleV2" for node in nodes)
    outputs = export_cases.serve(path)
    assert outputs.keys() == {"serve/classification", "serve/predict", "serve/serving_default"}
    best = np.argmax(outputs["serve/predict"]["probabilities"], axis=1)
    assert np.ravel(outputs["serve/predict"]["class_ids"]).tolist() == best.tolist()
    assert outputs["serve/serving_default"] == outputs["serve/classification"]


def test_an_export_goes_to_a_directory_called_after_the_time(
    model: estimator.Estimator, tmp_path: Path
) -> None:
    receiver_fn = export_cases.make_receiver_fn(estimator, "raw")
    asset = GOLDEN / "colors.txt"
    base = tmp_path / "many"
    paths = [
        model.export_saved_model(base, receiver_fn, {"a/colors.txt": asset}, as_text=index == 1)
        for index in range(2)
    ]
    assert isinstance(paths[0], bytes)
    first, second = (Path(os.fsdecode(path)) for path in paths)
    assert [int(first.name), int(second.name)] == export_versions(str(base))  # no two have one name
    assert (first / "assets.extra" / "a" / "colors.txt").read_text() == asset.read_text()
    assert not (second / "saved_model.pb").exists()
    assert "signature_def" in (second / "saved_model.pbtxt").read_text()
    assert not list(base.glob("temp-*"))
    older = model.export_savedmodel(base, receiver_fn, strip_default_attrs=True)
    assert export_cases.describe(os.fsdecode(older))["graphs"].keys() == {"serve"}


def linear(features: Any, labels: Any, mode: str) -> estimator.EstimatorSpec:
    weight = v1.get_variable("weight", [], initializer=v1.ones_initializer())
    prediction = weight * (features["x"] if isinstance(features, dict) else features)
    train_op = v1.assign_add(v1.train.get_global_step(), 1)
    return estimator.EstimatorSpec(mode, prediction, tf.reduce_sum(prediction), train_op)


def numbers() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensors([1.0, 2.0])


def served(path: bytes, value: float) -> Any:
    """Returns what an export answers to a batch of one."""
    with eager_mode():
        serve = tf.saved_model.load(os.fsdecode(path)).signatures[SERVE]
        return serve(input=tf.constant([value]))["output"].numpy().tolist()


@pytest.fixture
def trained(tmp_path: Path) -> estimator.Estimator:
    return estimator.Estimator(linear, tmp_path / "model").train(numbers, steps=1)


def raw(kind: Any = estimator.export.TensorServingInputReceiver) -> Callable[[], Any]:
    def receiver_fn() -> Any:
        x = v1.placeholder(tf.float32, [None], name="x")
        return kind(x, x)

    return receiver_fn


@pytest.mark.parametrize(
    "kind",
    [
        estimator.export.TensorServingInputReceiver,
        lambda x, _: estimator.export.ServingInputReceiver({"x": x}, x),
    ],
)
def test_a_single_tensor_is_fed_as_input_and_served_as_output(
    trained: estimator.Estimator, kind: Any, tmp_path: Path
) -> None:
    assert served(trained.export_saved_model(tmp_path / "export", raw(kind)), 3.0) == [3.0]


def test_a_saver_and_a_local_init_op_of_the_scaffold_are_exported(tmp_path: Path) -> None:
    def model_fn(features: Any, mode: str) -> estimator.EstimatorSpec:
        weight = v1.get_variable("weight", [], initializer=v1.ones_initializer())
        unsaved = v1.get_variable("unsaved", [], initializer=v1.zeros_initializer())
        scaffold = v1.train.Scaffold(
            saver=v1.train.Saver([weight, v1.train.get_global_step()]),
            local_init_op=v1.assign(unsaved, 5.0),
        )
        train_op = tf.group(v1.assign(weight, 2.0), v1.assign_add(v1.train.get_global_step(), 1))
        outputs = features * weight + unsaved
        return estimator.EstimatorSpec(mode, outputs, weight, train_op, scaffold=scaffold)

    model = estimator.Estimator(model_fn, tmp_path / "model").train(numbers, steps=1)
    path = model.export_saved_model(tmp_path / "export", raw())
    variables = dict(tf.train.list_variables(f"{os.fsdecode(path)}/variables/variables"))
    assert variables == {"global_step": [], "weight": []}
    assert served(path, 1.0) == [7.0]


def test_an_older_checkpoint_can_be_exported(tmp_path: Path) -> None:
    def model_fn(features: Any, mode: str) -> estimator.EstimatorSpec:
        step = v1.train.get_global_step()
        prediction = features + tf.cast(step, tf.float32)
        return estimator.EstimatorSpec(mode, prediction, tf.reduce_sum(prediction), v1.assign_add(step, 1))

    config = estimator.RunConfig(save_checkpoints_steps=1)
    model = estimator.Estimator(model_fn, tmp_path / "model", config).train(
        lambda: numbers().repeat(), steps=3
    )
    receiver_fn = raw()
    for step, checkpoint in ((2, tmp_path / "model" / "model.ckpt-2"), (3, None)):
        path = model.export_saved_model(tmp_path / "export", receiver_fn, checkpoint_path=checkpoint)
        assert served(path, 0.0) == [step]


def one_placeholder() -> Any:
    return v1.placeholder(tf.float32, [None])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"serving_input_receiver_fn": None}, "An input_receiver_fn must be defined"),
        ({"serving_input_receiver_fn": 1}, "must be callable; got 1"),
        ({"serving_input_receiver_fn": one_placeholder}, "must return a ServingInputReceiver"),
        ({"checkpoint_path": "nowhere"}, "checkpoint_path: There is no checkpoint 'nowhere'"),
        ({"assets_extra": {"a": "/nowhere/b"}}, "assets_extra: there is no file '/nowhere/b'"),
        ({"assets_extra": ["a"]}, "assets_extra must be a dict"),
        (
            {"experimental_mode": "predict"},
            r"No valid modes for exporting found. Got dict_keys\(\['predict'\]\)",
        ),
        ({"export_dir_base": None}, "export_dir_base must be a path"),
    ],
)
def test_a_wrong_argument_is_named_and_nothing_written(
    trained: estimator.Estimator, arguments: dict[str, Any], message: str, tmp_path: Path
) -> None:
    defaults = {"export_dir_base": tmp_path / "export", "serving_input_receiver_fn": raw()}
    with pytest.raises(ValueError, match=message):
        trained.export_saved_model(**defaults | arguments)
    assert not (tmp_path / "export").exists()


def test_a_model_that_was_not_trained_or_has_changed_is_not_exported(
    trained: estimator.Estimator, tmp_path: Path
) -> None:
    new = estimator.Estimator(linear, tmp_path / "new")
    with pytest.raises(ValueError, match=f"Couldn't find trained model at {tmp_path / 'new'}"):
        new.export_saved_model(tmp_path / "export", raw())

    def larger(features: Any, labels: Any, mode: str) -> estimator.EstimatorSpec:
        v1.get_variable("extra", [2])
        return linear(features, labels, mode)

    changed = estimator.Estimator(larger, trained.model_dir)
    with pytest.raises(CheckpointMismatchError, match=r"(?s)Could not load all.*\n  extra: not in"):
        changed.export_saved_model(tmp_path / "export", raw())
    with pytest.raises(ValueError, match="No valid modes for exporting found"):
        trained.experimental_export_all_saved_models(tmp_path / "export", {})
    assert not (tmp_path / "export").exists()


def test_a_failed_export_leaves_nothing_behind(trained: estimator.Estimator, tmp_path: Path) -> None:
    file = GOLDEN / "colors.txt"
    with pytest.raises(tf.errors.FailedPreconditionError):
        trained.export_saved_model(tmp_path / "export", raw(), {"a": file, "a/b": file})
    assert not list((tmp_path / "export").iterdir())


@pytest.mark.parametrize(
    "kind", [estimator.export.ServingInputReceiver, estimator.export.TensorServingInputReceiver]
)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda x: (None, x), "features must be defined"),
        (lambda x: (x, None), "receiver_tensors must be defined"),
        (lambda x: ([x], x), "feature.* must be a Tensor, SparseTensor, or RaggedTensor"),
        (lambda x: (x, {"x": 1}), "receiver_tensor x must be a Tensor"),
        (lambda x: (x, {1: x}), "receiver_tensor keys must be strings: 1"),
        (lambda x: (x, x, x), "receiver_tensors_alternatives must be a dict"),
        (lambda x: (x, x, {"a": [x]}), "receiver_tensors_alternative input must be a Tensor"),
    ],
)
def test_a_wrong_receiver_is_named(kind: Any, arguments: Callable[[Any], Any], message: str) -> None:
    with tf.Graph().as_default(), pytest.raises(ValueError, match=message):
        kind(*arguments(one_placeholder()))


def test_receivers_name_what_has_no_name() -> None:
    export = estimator.export
    with tf.Graph().as_default():
        x, y = one_placeholder(), one_placeholder()
        receiver = export.ServingInputReceiver(x, x, {"other": y})
        assert receiver == ({"feature": x}, {"input": x}, {"other": {"input": y}})
        assert export.ServingInputReceiver({1: x}, {"a": x}) == ({1: x}, {"a": x}, None)
        assert export.TensorServingInputReceiver(x, x) == (x, {"input": x}, None)
        assert export.SupervisedInputReceiver(x, {"y": y}, x) == (x, {"y": y}, {"input": x})
        with pytest.raises(ValueError, match="labels must be defined"):
            export.SupervisedInputReceiver(x, None, x)


def test_raw_receivers_have_placeholders_like_the_tensors() -> None:
    build = estimator.export.build_raw_supervised_input_receiver_fn
    features = {"x": tf.zeros([2, 3]), "y": tf.constant(["a"])}
    receiver_fn = estimator.export.build_raw_serving_input_receiver_fn(features, default_batch_size=4)
    with tf.Graph().as_default():
        receiver = receiver_fn()
        assert receiver.features == receiver.receiver_tensors
        assert {key: (each.dtype, each.shape) for key, each in receiver.features.items()} == {
            "x": (tf.float32, [4, 3]),
            "y": (tf.string, [4]),
        }
        supervised = build(features, tf.zeros([2]))()
        assert supervised.receiver_tensors == {**supervised.features, "label": supervised.labels}
        single = build(tf.zeros([2]), {"a": tf.zeros([2])})()
        assert single.receiver_tensors == {"input": single.features, **single.labels}
    with pytest.raises(ValueError, match=r"distinct keys. Found overlapping keys: {'x'}"):
        build(features, {"x": tf.zeros([2])})
    with pytest.raises(ValueError, match="features must be a dict of tensors"):
        estimator.export.build_raw_serving_input_receiver_fn(tf.zeros([2]))
