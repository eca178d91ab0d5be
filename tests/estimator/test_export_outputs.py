"""The outputs of a model become the signatures of TensorFlow Serving."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import tensorflow as tf

from keras_legacy_train.estimator import export
from keras_legacy_train.estimator.export.outputs import TrainOutput, with_default_output

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


def floats(name: str = "floats") -> tf.Tensor:
    return v1.placeholder(tf.float32, [None, 3], name=name)


def examples() -> dict[str, tf.Tensor]:
    return {"examples": v1.placeholder(tf.string, [None], name="examples")}


def names(infos: Any) -> dict[str, str]:
    return {key: info.name for key, info in infos.items()}


@pytest.mark.parametrize(
    ("make", "method", "outputs"),
    [
        (
            lambda: export.ClassificationOutput(scores=floats(), classes=tf.constant(["a"], name="labels")),
            "tensorflow/serving/classify",
            {"scores": "floats:0", "classes": "labels:0"},
        ),
        (
            lambda: export.ClassificationOutput(floats()),
            "tensorflow/serving/classify",
            {"scores": "floats:0"},
        ),
        (lambda: export.RegressionOutput(floats()), "tensorflow/serving/regress", {"outputs": "floats:0"}),
    ],
)
def test_serving_of_examples_names_inputs_and_outputs_as_tensorflow_serving_does(
    make: Any, method: str, outputs: dict[str, str]
) -> None:
    signature = make().as_signature_def(examples())
    assert signature.method_name == method
    assert names(signature.inputs) == {"inputs": "examples:0"}
    assert names(signature.outputs) == outputs
    assert v1.saved_model.is_valid_signature(signature)


@pytest.mark.parametrize("make", [export.ClassificationOutput, export.RegressionOutput])
@pytest.mark.parametrize(
    "receivers", [lambda: {"x": floats("x")}, lambda: {**examples(), "x": floats("x")}, dict]
)
def test_classifications_and_regressions_are_served_from_one_tensor_of_examples(
    make: Any, receivers: Any
) -> None:
    with pytest.raises(ValueError, match=r"single tensor input of type tf\.string"):
        make(floats()).as_signature_def(receivers())


def test_a_prediction_has_names_of_its_own() -> None:
    signature = export.PredictOutput({"a": floats(), ("head", "b"): tf.constant(1, name="b")})
    built = signature.as_signature_def({"x": floats("x"), "y": floats("y")})
    assert built.method_name == "tensorflow/serving/predict"
    assert names(built.inputs) == {"x": "x:0", "y": "y:0"}
    assert names(built.outputs) == {"a": "floats:0", "head/b": "b:0"}
    assert list(export.PredictOutput(floats()).outputs) == ["output"]


@pytest.mark.parametrize(("make", "kind"), [(TrainOutput, "training"), (export.EvalOutput, "eval")])
def test_a_supervised_output_prefixes_its_names(make: Any, kind: str) -> None:
    mean, update = v1.metrics.mean(floats())
    output = make(
        loss=tf.constant(1.0, name="total"),
        predictions={"logits": floats("logits"), "predictions_more": floats("more")},
        metrics={"mean": (mean, update), "metrics/op": (mean, update.op)},
    )
    signature = output.as_signature_def(examples())
    assert signature.method_name == f"tensorflow/supervised/{kind}"
    assert names(signature.inputs) == {"examples": "examples:0"}
    assert names(signature.outputs) == {
        "loss": "total:0",
        "predictions/logits": "logits:0",
        "predictions_more": "more:0",
        "metrics/mean/value": mean.name,
        "metrics/mean/update_op": update.name,
        "metrics/op/value": mean.name,
        "metrics/op/update_op": "metric_op_wrapper:0",
    }
    assert list(make(loss={"a": tf.constant(1.0)}).loss) == ["loss/a"]
    assert make().predictions is None
    with pytest.raises(ValueError, match="cannot be None or empty"):
        output.as_signature_def({})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (export.ClassificationOutput, "At least one of `scores` and `classes`"),
        (lambda: export.ClassificationOutput(scores=tf.constant(1)), "scores must be a float32 Tensor"),
        (lambda: export.ClassificationOutput(scores=[1.0]), "scores must be a float32 Tensor"),
        (lambda: export.ClassificationOutput(classes=tf.constant([1])), "classes must be a string Tensor"),
        (lambda: export.RegressionOutput(tf.constant([1])), "value must be a float32 Tensor"),
        (lambda: export.PredictOutput({"a": [1.0]}), "Prediction output value must be a Tensor"),
        (lambda: export.PredictOutput({1: floats()}), "Prediction output key must be a string; got 1"),
        (lambda: export.PredictOutput(None), "Prediction output value must be a Tensor; got None"),
        (lambda: export.EvalOutput(loss=1.0), "loss output value must be a Tensor"),
        (
            lambda: export.EvalOutput(metrics={"m": (1.0, floats())}),
            "metrics/m output value must be a Tensor",
        ),
        (lambda: export.EvalOutput(metrics={"m": (floats(), 1.0)}), "metrics/m update_op must be a Tensor"),
        (lambda: export.EvalOutput(metrics={"m": floats()}), "pairs, or objects with one update op"),
    ],
)
def test_a_wrong_value_is_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_only_output_is_the_default() -> None:
    default = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
    one, other = export.PredictOutput(floats()), export.RegressionOutput(floats())
    assert with_default_output({"one": one}, None) == {"one": one, default: one}
    assert with_default_output({default: one}, None) == {default: one}
    assert with_default_output({"one": one, default: other}, None) == {"one": one, default: other}
    assert list(with_default_output(None, {"p": floats()})[default].outputs) == ["p"]
    with pytest.raises(ValueError, match="none of them are specified as the default"):
        with_default_output({"one": one, "other": other}, None)
    with pytest.raises(TypeError, match="must be dict"):
        with_default_output([one], None)
    with pytest.raises(TypeError, match="must be ExportOutput objects"):
        with_default_output({"one": floats()}, None)
