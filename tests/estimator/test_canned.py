"""Canned Estimators go on from what those of TensorFlow 1.15.5 and 2.15.1 left, and compute what they did."""

from __future__ import annotations

import glob
import json
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import estimator

v1 = tf.compat.v1
GOLDEN = Path(__file__).parent.parent / "golden"
sys.path.insert(0, str(GOLDEN))

import canned_cases  # noqa: E402

EXCHANGED = [(version, case) for case, versions in canned_cases.CASES.items() for version in versions]
QUICK = [
    ("tf1", "combined_classifier"),
    ("tf1", "dnn_classifier"),
    ("tf2", "combined_multi_head"),
]


def left_by_the_original(version: str, case: str, tmp_path: Path) -> Path:
    """Copies what three steps of an original left."""
    for path in (GOLDEN / "canned" / version / case).iterdir():
        if not path.name.startswith("observed"):
            shutil.copy(path, tmp_path)
    return tmp_path


def written_summaries(model_dir: Path) -> tuple[dict[int, float], set[str]]:
    """Returns the losses by their steps, and all tags."""
    losses, tags = {}, set()
    for path in glob.glob(f"{model_dir}/events*"):
        for event in v1.train.summary_iterator(path):
            for value in event.summary.value:
                tags.add(value.tag)
                if value.tag == "loss" or value.tag.startswith("loss/clicked"):
                    losses[event.step] = value.simple_value
    return losses, tags


@pytest.mark.parametrize(
    ("version", "case"),
    [
        pytest.param(*each, id="-".join(each), marks=[] if each in QUICK else [pytest.mark.slow])
        for each in EXCHANGED
    ],
)
def test_goes_on_as_the_original_did(version: str, case: str, tmp_path: Path) -> None:
    model_dir = left_by_the_original(version, case, tmp_path)
    observed = np.load(GOLDEN / "canned" / version / case / "observed.npz")
    expected = json.loads((GOLDEN / "canned" / version / case / "observed.json").read_text())
    config = estimator.RunConfig(save_summary_steps=1)
    model = canned_cases.build(case, estimator, str(model_dir), config)

    assert model.evaluate(canned_cases.input_fn(case, 1)) == pytest.approx(expected["metrics"], rel=1e-4)

    rows = list(model.predict(canned_cases.input_fn(case, 1)))
    for key in rows[0]:
        name = "/".join(key) if isinstance(key, tuple) else key
        wanted = observed[f"predictions/{name}"]
        values = np.array([row[key] for row in rows])
        if wanted.dtype.kind == "S":
            assert values.astype("S").tolist() == wanted.tolist()
        else:
            np.testing.assert_allclose(values, wanted, rtol=1e-4, atol=1e-5, err_msg=name)
    assert len(rows[0]) == sum(name.startswith("predictions/") for name in observed.files)

    model.train(canned_cases.input_fn(case, None), steps=4)
    after = {name.removeprefix("after/"): observed[name] for name in observed.files if "after/" in name}
    assert set(model.get_variable_names()) == set(after)
    reader = tf.train.load_checkpoint(str(model_dir))
    for name, wanted in after.items():
        np.testing.assert_allclose(reader.get_tensor(name), wanted, rtol=2e-4, atol=2e-5, err_msg=name)
    losses, tags = written_summaries(model_dir)
    np.testing.assert_allclose([losses[step] for step in range(4, 8)], observed["losses"], rtol=1e-4)
    assert tags - {"global_step/sec"} == set(expected["tags"]) - {"global_step/sec"}


def input_fn():
    """Reads a batch of four, the labels of which have the mean 0.5."""
    features = {"x": [[0.0], [1.0], [2.0], [3.0]], "c": [["a"], ["b"], ["a"], ["c"]]}
    return tf.data.Dataset.from_tensors((features, [[0.0], [1.0], [0.0], [1.0]]))


def trained(model, steps=1):
    return model.train(lambda: input_fn().repeat(), steps=steps)


def generation_of(model) -> str:
    """Returns of which version a trained model is: by its loss, and by its variables."""
    results = model.evaluate(input_fn)
    names = model.get_variable_names()
    is_sum = results["loss"] == pytest.approx(4 * results["average_loss"])
    assert is_sum or results["loss"] == pytest.approx(results["average_loss"])
    return f"{'sum' if is_sum else 'mean'}, {'tf2' if any('training/' in name for name in names) else 'tf1'}"


DEFAULT = "mean, tf2" if tf.__internal__.tf2.enabled() else "sum, tf1"


class TestGeneration:
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ({}, DEFAULT),
            ({"optimizer": "Adam"}, DEFAULT),
            ({"optimizer": lambda: v1.train.AdagradOptimizer(0.1)}, "sum, tf1"),
            ({"optimizer": lambda: keras.optimizers.Adagrad(0.1)}, "mean, tf2"),
            ({"loss_reduction": v1.losses.Reduction.SUM}, "sum, tf1"),
            ({"loss_reduction": v1.losses.Reduction.MEAN}, "mean, tf1"),
            ({"loss_reduction": "sum"}, "sum, tf2"),
            ({"loss_reduction": "sum", "optimizer": lambda: v1.train.AdagradOptimizer(0.1)}, "sum, tf1"),
        ],
    )
    def test_is_told_by_the_arguments(self, arguments, expected, tmp_path):
        model = trained(estimator.BaselineRegressor(str(tmp_path), **arguments))
        assert generation_of(model) == expected

    def test_optimizers_may_be_made_before(self, tmp_path):
        for number, (optimizer, expected) in enumerate(
            [(v1.train.AdamOptimizer(0.1), "sum, tf1"), (keras.optimizers.Adam(0.1), "mean, tf2")]
        ):
            model = estimator.BaselineRegressor(str(tmp_path / str(number)), optimizer=optimizer)
            assert generation_of(trained(model)) == expected

    @pytest.mark.slow
    def test_is_told_by_the_checkpoint_before_the_mode(self, tmp_path):
        for optimizer, expected in (
            (v1.train.FtrlOptimizer(0.3), "sum, tf1"),
            (keras.optimizers.Ftrl(0.3), "mean, tf2"),
        ):
            model_dir = str(tmp_path / expected[-3:])
            trained(estimator.BaselineRegressor(model_dir, optimizer=optimizer))
            assert generation_of(trained(estimator.BaselineRegressor(model_dir))) == expected

    def test_a_partitioner_is_of_tensorflow_1(self, tmp_path):
        column = tf.feature_column.categorical_column_with_vocabulary_list("c", ["a", "b", "c"])
        model = estimator.LinearRegressor([column], str(tmp_path), partitioner=v1.fixed_size_partitioner(2))
        trained(trained(model))  # the second goes on from the checkpoint of the first
        assert generation_of(model) == "sum, tf1"
        assert "linear/linear_model/c/weights/part_1/Ftrl" in model.get_variable_names()
        assert model.get_variable_value("linear/linear_model/c/weights").shape == (3, 1)


def numbers():
    return [tf.feature_column.numeric_column("x")]


class TestOptimizers:
    def test_a_learning_rate_may_depend_on_the_global_step(self, tmp_path):
        def optimizer():
            rate = v1.train.exponential_decay(0.5, v1.train.get_global_step(), 1, 1e-3)
            return v1.train.GradientDescentOptimizer(rate)

        model = trained(estimator.BaselineRegressor(str(tmp_path), optimizer=optimizer), steps=2)
        # One step by 0.5 * the gradient of the sum of squares, and one by a thousandth of that.
        first = 0.5 * 2 * (0 + 1 + 0 + 1)
        second = first - 0.5e-3 * 2 * (4 * first - 2)
        np.testing.assert_allclose(model.get_variable_value("baseline/bias"), [second], rtol=1e-5)
        assert model.evaluate(input_fn)["global_step"] == 2

    def test_a_keras_schedule_follows_the_global_step(self, tmp_path):
        schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.0])
        model = estimator.BaselineRegressor(str(tmp_path), optimizer=keras.optimizers.SGD(schedule))
        trained(model, steps=3)
        np.testing.assert_allclose(model.get_variable_value("baseline/bias"), [0.5], rtol=1e-5)

    @pytest.mark.parametrize(
        ("optimizer", "message"),
        [
            ("Adamax", r"Unsupported optimizer name: Adamax. Supported names are: \('Adagrad', 'Adam'"),
            (3, "The given object is not an Optimizer instance. Given: 3"),
            (None, "The given object is not an Optimizer instance. Given: None"),
        ],
    )
    def test_others_are_refused_at_once(self, optimizer, message, tmp_path):
        with pytest.raises(ValueError, match=message):
            estimator.DNNRegressor([2], numbers(), str(tmp_path), optimizer=optimizer)
        assert not list(tmp_path.iterdir())

    def test_a_function_that_returns_something_else_is_refused(self, tmp_path):
        model = estimator.BaselineRegressor(str(tmp_path), optimizer=lambda: 3)
        with pytest.raises(ValueError, match="not an Optimizer instance"):
            trained(model)

    def test_linear_models_may_leave_it_open(self, tmp_path):
        model = trained(estimator.LinearRegressor(numbers(), str(tmp_path), optimizer=None))
        assert any("Ftrl" in name for name in model.get_variable_names())


def before(model, name):
    """Returns the value that a variable had before the first step."""
    return tf.train.load_checkpoint(f"{model.model_dir}/model.ckpt-0").get_tensor(name)


class TestDeepLayers:
    def test_dropout_is_for_training(self, tmp_path):
        config = estimator.RunConfig(tf_random_seed=3)
        model = estimator.DNNRegressor([50], numbers(), str(tmp_path), dropout=0.9, config=config)
        trained(model)
        assert model.evaluate(input_fn) == model.evaluate(input_fn)
        # Of the fifty hidden units that see the feature, only those that were kept have a gradient.
        changed = model.get_variable_value("dnn/logits/kernel") != before(model, "dnn/logits/kernel")
        assert 0 < np.count_nonzero(changed) < 25

    def test_no_activation_is_linear(self, tmp_path):
        model = estimator.DNNRegressor([3], numbers(), str(tmp_path), activation_fn=None)
        outputs = [row["predictions"][0] for row in trained(model).predict(input_fn)]
        np.testing.assert_allclose(np.diff(outputs, 2), 0, atol=1e-5)


class TestBadInput:
    def test_features_are_a_dict(self, tmp_path):
        for model in (
            estimator.LinearRegressor(numbers(), str(tmp_path)),
            estimator.DNNRegressor([2], numbers(), str(tmp_path)),
            estimator.BaselineRegressor(str(tmp_path)),
        ):
            with pytest.raises(ValueError, match="features should be a dictionary of `Tensor`s"):
                model.train(lambda: (tf.zeros([2, 1]), tf.zeros([2, 1])), steps=1)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "Either linear_feature_columns or dnn_feature_columns must be defined."),
            ({"dnn_feature_columns": numbers()}, "dnn_hidden_units must be defined"),
        ],
    )
    def test_a_combined_model_needs_columns_and_units(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            estimator.DNNLinearCombinedRegressor(**arguments)

    def test_heads_are_checked_at_once(self):
        with pytest.raises(ValueError, match="does not have"):
            estimator.BaselineClassifier(n_classes=3, label_vocabulary=["a"])
        with pytest.raises(ValueError, match="Invalid loss_reduction"):
            estimator.LinearRegressor(numbers(), loss_reduction="none")
        with pytest.raises(ValueError, match="Invalid label_dimension 0"):
            estimator.DNNRegressor([2], numbers(), label_dimension=0)

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ([], "feature_columns must not be empty"),
            (numbers() * 2, "Duplicate feature column name found"),
            ([tf.feature_column.categorical_column_with_identity("x", 3)], "must be a DenseColumn"),
        ],
    )
    def test_columns_of_deep_layers(self, columns, message, tmp_path):
        with pytest.raises(ValueError, match=message):
            trained(estimator.DNNRegressor([2], columns, str(tmp_path)))

    def test_an_absent_feature_is_named(self, tmp_path):
        columns = [tf.feature_column.numeric_column("height")]
        with pytest.raises(ValueError, match="Feature height is not in features dictionary"):
            trained(estimator.LinearRegressor(columns, str(tmp_path)))

    def test_features_of_a_baseline_are_of_one_batch(self, tmp_path):
        model = estimator.BaselineRegressor(str(tmp_path))
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="did not hold"):
            model.train(lambda: ({"x": tf.zeros([2, 1]), "y": tf.zeros([3, 1])}, tf.zeros([2, 1])), steps=1)
