"""Estimators of `tf.contrib.learn` are exported as SavedModels that predict what the Estimators predict."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train import learn
from keras_legacy_train.learn.utils import saved_model_export_utils
from learn_helpers import X, Y, line

v1 = tf.compat.v1
SPEC = {"x": tf.io.FixedLenFeature([1], tf.float32)}
SERVING = learn.build_parsing_serving_input_fn(SPEC)


def examples() -> list[bytes]:
    def example(value: float) -> tf.train.Example:
        feature = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        return tf.train.Example(features=tf.train.Features(feature={"x": feature}))

    return [example(value).SerializeToString() for value in X[:, 0]]


def serve(path: bytes, signature: str = "serving_default") -> dict[str, Any]:
    """Returns what a signature of a SavedModel gives for the examples, by TensorFlow 1's loader."""
    with tf.Graph().as_default(), v1.Session() as session:
        meta_graph = v1.saved_model.load(session, ["serve"], os.fsdecode(path))
        definition = meta_graph.signature_def[signature]
        (fed,) = definition.inputs.values()
        fetches = {name: info.name for name, info in definition.outputs.items()}
        values = session.run(fetches, {fed.name: examples()})
    return {**values, "method": definition.method_name}


@pytest.fixture(scope="module")
def estimator(tmp_path_factory: pytest.TempPathFactory) -> learn.Estimator:
    model = learn.Estimator(line, tmp_path_factory.mktemp("exported") / "model")
    return model.fit({"x": X}, Y, steps=5)


def test_a_saved_model_predicts_what_the_estimator_predicts(
    estimator: learn.Estimator, tmp_path: Path
) -> None:
    extra = tmp_path / "note.txt"
    extra.write_text("note")
    path = estimator.export_savedmodel(str(tmp_path), SERVING, assets_extra={"a/b.txt": str(extra)})
    served = serve(path)
    assert served.pop("method") == tf.saved_model.PREDICT_METHOD_NAME
    expected = estimator.predict({"x": X}, as_iterable=False)
    assert set(served) == set(expected) == {"product", "x"}
    np.testing.assert_allclose(served["product"], expected["product"])
    assert serve(path, "default_input_alternative:default_output_alternative").keys() >= expected.keys()
    assert (Path(os.fsdecode(path)) / "assets.extra" / "a" / "b.txt").read_text() == "note"


def test_canned_estimators_serve_regressions_and_classes(tmp_path: Path) -> None:
    columns = [tf.feature_column.numeric_column("x")]
    regressor = learn.LinearRegressor(columns, str(tmp_path / "regressor")).fit({"x": X}, Y, steps=5)
    served = serve(regressor.export_savedmodel(str(tmp_path / "a"), SERVING))
    assert served["method"] == tf.saved_model.REGRESS_METHOD_NAME
    np.testing.assert_allclose(served["outputs"], list(regressor.predict({"x": X})), rtol=1e-6)
    classes = (X[:, 0] > 2).astype("int64")
    classifier = learn.LinearClassifier(columns, str(tmp_path / "classifier")).fit({"x": X}, classes, steps=5)
    strategy = saved_model_export_utils.make_parsing_export_strategy(columns, exports_to_keep=1)
    path = [strategy.export(classifier, str(tmp_path / "b")) for _ in range(2)][-1]
    assert os.listdir(tmp_path / "b") == [os.path.basename(os.fsdecode(path))]
    served = serve(path)
    assert served["method"] == tf.saved_model.CLASSIFY_METHOD_NAME
    np.testing.assert_allclose(
        served["scores"], classifier.predict_proba({"x": X}, as_iterable=False), rtol=1e-6
    )
    np.testing.assert_array_equal(served["classes"], [[b"0", b"1"]] * 6)


def test_a_strategy_exports_core_estimators_too(estimator: learn.Estimator, tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> core.EstimatorSpec:
        return line(features, labels, mode).estimator_spec()

    model = core.Estimator(model_fn, estimator.model_dir)
    receiver_fn = core.export.build_parsing_serving_input_receiver_fn(SPEC)
    path = learn.make_export_strategy(receiver_fn).export(model, str(tmp_path))
    np.testing.assert_allclose(
        serve(path)["product"], estimator.predict({"x": X}, as_iterable=False)["product"]
    )
    with pytest.raises(ValueError, match="default_output_alternative_key is not supported in core"):
        learn.make_export_strategy(receiver_fn, "a").export(model, str(tmp_path))


def test_one_of_several_heads_is_served_by_default(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> learn.ModelFnOps:
        heads = [
            learn.regression_head(head_name="a", label_name="a"),
            learn.regression_head("b", head_name="b"),
        ]
        logits = v1.get_variable("w", [2]) * features["x"]

        def train_op_fn(loss: Any) -> Any:
            return v1.train.GradientDescentOptimizer(0.01).minimize(loss, v1.train.get_global_step())

        return learn.multi_head(heads).create_model_fn_ops(features, mode, labels, train_op_fn, logits=logits)

    model = learn.Estimator(model_fn, str(tmp_path / "model")).fit({"x": X}, {"a": Y, "b": -Y}, steps=50)
    path = model.export_savedmodel(str(tmp_path), SERVING, default_output_alternative_key="b")
    np.testing.assert_allclose(serve(path)["outputs"], -Y, atol=0.1)
    np.testing.assert_allclose(serve(path, "default_input_alternative:a")["outputs"], Y, atol=0.1)
    for key, message in [
        ("c", "Requested default_output_alternative: c"),
        (None, "Please specify a default"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.export_savedmodel(str(tmp_path), SERVING, default_output_alternative_key=key)


def test_an_export_monitor_exports_each_step_once(tmp_path: Path) -> None:
    config = learn.RunConfig(save_checkpoints_steps=2)
    model = learn.Estimator(line, str(tmp_path / "model"), config)
    monitor = learn.monitors.ExportMonitor(
        1, str(tmp_path / "exports"), exports_to_keep=2, default_batch_size=None
    )
    model.fit({"x": X}, Y, steps=5, monitors=[monitor])
    assert sorted(os.listdir(tmp_path / "exports")) == ["00000004", "00000005"]
    assert monitor.last_export_dir == os.fsencode(tmp_path / "exports" / "00000005")
    served = serve(monitor.last_export_dir)
    np.testing.assert_allclose(served["product"], model.predict({"x": X}, as_iterable=False)["product"])


def test_an_export_may_have_signatures_of_its_own(estimator: learn.Estimator, tmp_path: Path) -> None:
    def input_fn() -> Any:
        fed = v1.placeholder(tf.string, [None], name="fed")
        return {**v1.parse_example(fed, SPEC), "fed": fed}, None

    def signature_fn(examples: Any, features: Any, predictions: Any) -> Any:
        signature = v1.saved_model.regression_signature_def(examples, predictions)
        return signature, {"other": signature}

    path = estimator.export(
        str(tmp_path),
        input_fn,
        input_feature_key="fed",
        use_deprecated_input_fn=False,
        signature_fn=signature_fn,
        prediction_key="product",
    )
    np.testing.assert_allclose(serve(path, "other")["outputs"], serve(path)["outputs"])
    with pytest.raises(RuntimeError, match="Overwriting exports can cause corruption"):
        estimator.export(str(tmp_path))


def test_exports_that_cannot_be_right_are_named(estimator: learn.Estimator, tmp_path: Path) -> None:
    fresh = learn.Estimator(line, str(tmp_path / "fresh"))
    for model, serving_input_fn, error, message in [
        (estimator, None, ValueError, "serving_input_fn must be defined"),
        (estimator, lambda: ({}, None), ValueError, "must return an InputFnOps"),
        (estimator, lambda: learn.InputFnOps({}, None, {}), ValueError, "Features must be defined"),
        (fresh, SERVING, learn.NotFittedError, "Couldn't find trained model"),
    ]:
        with pytest.raises(error, match=message):
            model.export_savedmodel(str(tmp_path / "export"), serving_input_fn)
    assert not (tmp_path / "export").exists()
    with pytest.raises(ValueError, match="Features information missing, was fit"):
        learn.Estimator(line, estimator.model_dir).export(str(tmp_path))
