"""More of what is rare in Estimators and heads; what TensorFlow 2.15.1 has, too, it did the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from estimator_models import LABELS, ROWS, batches, endless_batches, linear_model_fn
from keras_legacy_train import estimator
from keras_legacy_train.contrib import training
from keras_legacy_train.estimator import tpu

v1 = tf.compat.v1
MODES = estimator.ModeKeys


def trained_by(optimizer: Any, make: Any) -> Any:
    """Returns a variable after three steps."""
    with tf.Graph().as_default():
        v1.train.create_global_step()
        variable = v1.get_variable("w", initializer=np.ones([3, 1], np.float32), use_resource=True)
        spec = estimator.RegressionHead().create_estimator_spec(
            {},
            MODES.TRAIN,
            make(variable),
            tf.zeros([2]),
            optimizer=optimizer,
            trainable_variables=[variable],
        )
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for _ in range(3):
                session.run(spec.train_op)
            return session.run(variable)


@pytest.mark.parametrize("centered", [False, True])
def test_rmsprop_with_momentum_trains_rows_as_it_trains_a_matrix(centered: bool) -> None:
    def optimizer() -> Any:
        return keras.optimizers.RMSprop(0.01, momentum=0.5, centered=centered)

    rows = trained_by(optimizer(), lambda variable: tf.gather(variable, [0, 2]))
    whole = trained_by(optimizer(), lambda variable: tf.gather(tf.identity(variable), [0, 2]))
    np.testing.assert_allclose(rows[[0, 2]], whole[[0, 2]], rtol=1e-5)
    assert rows[1] == 1 and rows[0] < 1


def test_a_keras_optimizer_needs_gradients_of_resource_variables() -> None:
    head, optimizer = estimator.RegressionHead(), keras.optimizers.SGD(0.1)
    for use_resource, factor, message in ((True, None, "No gradients"), (False, 1.0, "trains resource var")):
        with tf.Graph().as_default():
            v1.train.create_global_step()
            variable = v1.get_variable("w", [2, 1], use_resource=use_resource)
            logits = tf.zeros([2, 1]) if factor is None else factor * variable
            with pytest.raises(ValueError, match=message):
                head.create_estimator_spec(
                    {},
                    MODES.TRAIN,
                    logits,
                    tf.zeros([2]),
                    optimizer=optimizer,
                    trainable_variables=[variable],
                )


def test_weights_of_more_dimensions_may_lack_the_last() -> None:
    column = tf.feature_column.numeric_column("w", shape=())
    head = estimator.RegressionHead(weight_column=column, loss_reduction="sum")
    with tf.Graph().as_default(), v1.Session() as session:
        weights, labels = tf.constant([[1.0, 2.0]]), tf.zeros([1, 2, 1])
        loss = head.loss(labels, tf.constant([[[3.0], [4.0]]]), {"w": weights}, MODES.EVAL)
        assert session.run(loss) == 1 * 9 + 2 * 16


def test_sparse_inputs_are_served() -> None:
    with tf.Graph().as_default():
        sparse = v1.sparse_placeholder(tf.float32, [None, 3], "sparse")
        outputs = estimator.export.PredictOutput({"sum": tf.sparse.reduce_sum(sparse, 1)})
        signature = outputs.as_signature_def({"x": sparse})
    names = signature.inputs["x"].coo_sparse
    assert names.indices_tensor_name == "sparse/indices:0"
    assert names.values_tensor_name == "sparse/values:0"


def test_exports_that_cannot_be_right_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = estimator.Estimator(linear_model_fn, str(tmp_path / "model"), params={})
    model.train(endless_batches, steps=1)

    def receiver_fn() -> Any:
        x = v1.placeholder(tf.float32, [None, 2], "x")
        return estimator.export.ServingInputReceiver({"x": x}, {"x": x})

    for call, message in (
        (lambda: model.export_saved_model(str(tmp_path / "a"), None), "An input_receiver_fn must be defined"),
        (lambda: model.export_saved_model(str(tmp_path / "a"), 3), "must be callable; got 3"),
        (
            lambda: model.export_saved_model(str(tmp_path / "a"), receiver_fn, assets_extra=["file"]),
            "assets_extra must be a dict of paths",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()

    def classifying(features: Any, labels: Any, mode: str) -> Any:
        spec = linear_model_fn(features, labels, mode, {})
        served = {"serving_default": estimator.export.ClassificationOutput(spec.predictions["y"])}
        return estimator.EstimatorSpec(mode, spec.predictions, spec.loss, spec.train_op, None, served)

    # A signature of classes takes strings only, serialized examples.
    model = estimator.Estimator(classifying, str(tmp_path / "model"))
    model.export_saved_model(str(tmp_path / "b"), receiver_fn)
    assert "Export includes no signatures!" in caplog.text


def test_prediction_ends_when_a_hook_says_so(tmp_path: Path) -> None:
    class Stop(v1.train.SessionRunHook):
        def after_run(self, run_context: Any, run_values: Any) -> None:
            run_context.request_stop()

    model = estimator.Estimator(linear_model_fn, str(tmp_path), params={}).train(endless_batches, steps=1)
    assert len(list(model.predict(batches, hooks=[Stop()]))) == 2
    assert len(list(model.predict(batches, hooks=[Stop()], yield_single_examples=False))) == 1


def test_a_spec_may_be_made_under_eager_execution() -> None:
    loss, predictions = tf.constant(1.0), {"y": tf.constant([2.0])}
    spec = estimator.EstimatorSpec(MODES.EVAL, predictions, loss)
    assert spec.loss is loss and spec.predictions == predictions
    assert estimator.EstimatorSpec(MODES.PREDICT, loss).predictions is loss
    metric = keras.metrics.Mean(name="mine")
    with pytest.raises(ValueError, match=r'Please call update_state\(\.\.\.\) on the "mine" metric'):
        estimator.EstimatorSpec(MODES.EVAL, loss=loss, eval_metric_ops={"m": metric})


def test_a_tpu_estimator_gives_params_of_both_kinds(tmp_path: Path) -> None:
    seen = []

    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
        seen.append((mode, getattr(params, "batch_size", None), params.rate))
        spec = linear_model_fn(features, labels, mode, None)
        return tpu.TPUEstimatorSpec(mode, spec.predictions, spec.loss, spec.train_op)

    options: dict[str, Any] = {"config": tpu.RunConfig(model_dir=str(tmp_path)), "use_tpu": False}
    model = tpu.TPUEstimator(model_fn, params=training.HParams(rate=0.5), train_batch_size=3, **options)
    model.train(lambda params: batches(None, params.batch_size), steps=1)
    assert len(list(model.predict(lambda params: batches()))) == len(LABELS)
    assert seen == [(MODES.TRAIN, 3, 0.5), (MODES.PREDICT, None, 0.5)]
    without = lambda features, labels, mode: None  # noqa: E731
    with pytest.raises(
        ValueError, match=r"model_fn .* params argument, required by TPUEstimator to pass batch"
    ):
        tpu.TPUEstimator(without, **options)


@pytest.mark.usefixtures("v2_behavior")
class TestKerasModels:
    def test_outputs_and_variables_have_names_of_their_own(self, tmp_path: Path) -> None:
        class Pair(keras.Model):
            def __init__(self) -> None:
                super().__init__()
                self.first, self.second = (keras.layers.Dense(1, name="same") for _ in range(2))

            def call(self, x: Any) -> Any:
                return {"sum": self.first(x) + self.second(x)}

        pair = Pair()
        pair.compile("sgd", {"sum": "mse"})
        pair(ROWS)
        model = estimator.model_to_estimator(pair, model_dir=str(tmp_path))
        model.train(lambda: batches_of(ROWS, {"sum": LABELS}), steps=1)
        names = [name for name in model.get_variable_names() if "kernel" in name]
        assert len(names) == 2
        (first, *_) = model.predict(lambda: batches_of(ROWS, {"sum": LABELS}))
        assert first.keys() == {"sum"}

    def test_rows_may_have_weights(self, tmp_path: Path) -> None:
        def make() -> Any:
            made = keras.Sequential([keras.Input([2]), keras.layers.Dense(1, kernel_initializer="ones")])
            made.compile(keras.optimizers.SGD(0.1), "mse")
            return made

        weights = np.arange(6, dtype=np.float32)
        features = {"features": ROWS, "sample_weights": weights}
        model = estimator.model_to_estimator(make(), model_dir=str(tmp_path))
        model.train(lambda: batches_of(features, LABELS), steps=1)
        other = make()
        other.train_on_batch(ROWS, LABELS, sample_weight=weights)
        (name,) = (name for name in model.get_variable_names() if name.endswith("/kernel"))
        np.testing.assert_allclose(model.get_variable_value(name), other.get_weights()[0], rtol=1e-5)

    def test_features_that_are_missing_are_named(self, tmp_path: Path) -> None:
        a, b = keras.Input([2], name="a"), keras.Input([2], name="b")
        made = keras.Model([a, b], keras.layers.Dense(1)(a + b))
        made.compile("sgd", "mse")
        model = estimator.model_to_estimator(made, model_dir=str(tmp_path))
        with pytest.raises(KeyError, match=r"does not cover requested inputs keys defined in the keras"):
            model.train(lambda: batches_of({"a": ROWS}, LABELS), steps=1)


def batches_of(features: Any, labels: Any) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((features, labels)).batch(6)


def test_optimizers_of_several_workers_train_no_joint_models(tmp_path: Path) -> None:
    joint = v1.train.SyncReplicasOptimizer(v1.train.GradientDescentOptimizer(0.1), 1)
    columns = [tf.feature_column.numeric_column("x", 2)]
    model = estimator.DNNLinearCombinedRegressor(
        str(tmp_path), linear_feature_columns=columns, linear_optimizer=joint
    )
    with pytest.raises(ValueError, match="SyncReplicasOptimizer does not support multi optimizers case"):
        model.train(endless_batches, steps=1)
    with pytest.raises(ValueError, match=r"An input_receiver_fn must be defined\."):
        model.export_savedmodel(str(tmp_path), None)


@pytest.mark.usefixtures("v2_behavior")
def test_a_keras_model_may_be_built_by_its_input(tmp_path: Path) -> None:
    unbuilt = keras.Sequential([keras.layers.Dense(1, kernel_initializer="ones")])
    unbuilt.compile(keras.optimizers.SGD(0.0), "mse")
    model = estimator.model_to_estimator(unbuilt, model_dir=str(tmp_path))
    model.train(lambda: batches_of(ROWS, LABELS), steps=1)
    found = [
        each for (each,) in (list(row.values()) for row in model.predict(lambda: batches_of(ROWS, LABELS)))
    ]
    np.testing.assert_allclose(np.ravel(found), ROWS.sum(1), rtol=1e-6)
