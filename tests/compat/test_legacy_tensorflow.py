"""The `tensorflow` of old scripts has the names of TensorFlow 1, or says what to use for them."""

from __future__ import annotations

import pickle
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf2

import keras_legacy_train as klt
from keras_legacy_train import rnn_cell, tf_layers
from keras_legacy_train.compat.tensorflow import legacy_import, legacy_module

tf: Any = legacy_module()


def test_names_of_today_are_those_of_compat_v1() -> None:
    assert tf.placeholder is tf2.compat.v1.placeholder
    assert tf.nn.relu is tf2.nn.relu
    assert tf.train.Saver is tf2.compat.v1.train.Saver
    assert tf.logging.info is tf2.compat.v1.logging.info
    assert tf.app.flags.DEFINE_string is tf2.compat.v1.app.flags.DEFINE_string


def test_names_that_moved_are_found() -> None:
    assert tf.layers.dense is tf_layers.dense
    assert tf.nn.rnn_cell.LSTMCell is rnn_cell.LSTMCell
    assert tf.contrib.learn.Estimator is klt.learn.Estimator
    assert tf.contrib.learn.python.learn.learn_runner.run is klt.learn.learn_runner.run
    assert tf.train.SummaryWriter is tf2.compat.v1.summary.FileWriter
    assert legacy_import("tensorflow.python.ops.rnn_cell").GRUCell is rnn_cell.GRUCell
    assert legacy_import("tensorflow.models.rnn.rnn_cell").GRUCell is rnn_cell.GRUCell
    for path in ("tensorflow.models.rnn.rnn", "tensorflow.python.ops.rnn"):
        assert legacy_import(path).rnn is tf2.compat.v1.nn.static_rnn
        assert legacy_import(path).dynamic_rnn is tf2.compat.v1.nn.dynamic_rnn


def test_private_paths_lead_to_what_is_still_there() -> None:
    ops = legacy_import("tensorflow.python.framework.ops")
    assert ops.get_default_graph is tf2.compat.v1.get_default_graph
    assert legacy_import("tensorflow.core.framework.summary_pb2").Summary is tf2.compat.v1.Summary
    assert legacy_import("tensorflow.python.tools.freeze_graph").freeze_graph
    graph_util = legacy_import("tensorflow.python.framework.graph_util")
    assert callable(graph_util.convert_variables_to_constants)


def test_compat_is_there_too() -> None:
    assert tf.compat.v1 is tf
    assert tf.compat.v2.constant is tf2.compat.v2.constant
    assert tf.compat.as_bytes("a") == b"a"


def test_versions_are_those_of_the_tensorflow_that_runs() -> None:
    assert tf.__version__ == tf.VERSION == tf2.__version__
    assert tf.__file__ == tf2.__file__


def test_modules_are_modules() -> None:
    assert isinstance(tf, types.ModuleType)
    assert isinstance(tf.contrib, types.ModuleType)
    assert repr(tf.contrib) == "<module 'tensorflow.contrib' of TensorFlow 1, by keras_legacy_train>"
    assert tf.contrib.__name__ == tf.contrib.__package__ == "tensorflow.contrib"
    assert pickle.loads(pickle.dumps(tf.contrib)) is tf.contrib


def test_dir_has_the_names_that_are_there() -> None:
    assert {"contrib", "layers", "mul", "placeholder", "train"} <= set(dir(tf))
    assert {"learn", "tpu"} <= set(dir(tf.contrib))
    assert "gan" not in dir(tf.contrib)
    assert "dense" in dir(tf.layers)
    assert set(tf.contrib.__all__) == {name for name in dir(tf.contrib) if not name.startswith("_")}


def test_names_of_contrib_are_in_the_dict() -> None:
    classes = [value for value in vars(tf.contrib.learn).values() if value is not tf.contrib.learn.RunConfig]
    assert klt.learn.Estimator in classes


def test_hasattr_tells_what_is_there() -> None:
    assert hasattr(tf, "contrib")
    assert not hasattr(tf.contrib, "gan")
    assert not hasattr(tf, "enable_time_travel")
    assert not hasattr(tf, "__wrapped__")


@pytest.mark.parametrize(
    ("module", "name", "message"),
    [
        ("contrib", "gan", "tf.contrib.gan is not in keras_legacy_train. Use the package tensorflow_gan."),
        ("", "matmull", "tf.matmull is neither in tf.compat.v1 nor in .* Did you mean 'matmul'"),
        ("contrib", "learm", "Did you mean 'learn'"),
        ("nn", "relu_6", "tf.nn.relu_6 .* Did you mean 'relu6'"),
        ("contrib.learn", "SVM", "sklearn.svm.LinearSVC"),
        ("python.framework.tensor_shape", "scalar", r"tensorflow.python.* Use tf.TensorShape\(\[\]\)"),
    ],
)
def test_errors_say_what_to_use(module: str, name: str, message: str) -> None:
    with pytest.raises(AttributeError, match=message):
        getattr(legacy_module(module), name)
    with pytest.raises(ModuleNotFoundError, match=message):
        legacy_import(".".join(filter(None, ["tensorflow", module, name])))


def test_packages_that_are_not_installed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    with pytest.raises(
        AttributeError, match=r"tf.keras.layers is in the package tf_keras.* pip install tf_keras"
    ):
        _ = tf.keras.layers


def test_a_package_that_does_not_work_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tf_keras").mkdir()
    (tmp_path / "tf_keras" / "__init__.py").write_text("import absent_dependency\n")
    for name in [each for each in sys.modules if each.partition(".")[0] == "tf_keras"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="No module named 'absent_dependency'"):
        _ = tf.keras.layers


def test_arguments_have_their_old_names_and_order() -> None:
    ones, zeros = np.ones([2, 2], np.float32), np.zeros([2, 1], np.float32)
    labels, logits = np.eye(2, dtype=np.float32), np.array([[0.5, -1], [2, 0]], np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        joined = np.concatenate([ones, zeros], axis=1)
        for tensor in (
            tf.concat(1, [ones, zeros]),
            tf.concat([ones, zeros], 1),
            tf.concat(concat_dim=1, values=[ones, zeros]),
            tf.concat(np.int64(1), [ones, zeros], name="joined"),
        ):
            np.testing.assert_array_equal(session.run(tensor), joined)
        for parts in (
            tf.split(1, 2, ones),
            tf.split(ones, 2, 1),
            tf.split(split_dim=1, num_split=2, value=ones),
        ):
            assert [part.shape for part in session.run(parts)] == [(2, 1), (2, 1)]
        by_name = tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        by_position = tf.nn.softmax_cross_entropy_with_logits(logits, labels)
        np.testing.assert_array_equal(*session.run([by_name, by_position]))
        product = tf.batch_matmul(ones, labels, adj_y=True)
        np.testing.assert_array_equal(session.run(product), ones)
        assert session.run(tf.list_diff([1, 2, 3], [2])[0]).tolist() == [1, 3]
        assert [part.shape for part in session.run(tf.split_v(ones, [1, 1], split_dim=1))] == [(2, 1)] * 2
        chosen = tf.select([True, False], t=[1, 2], e=[3, 4])
        assert session.run(chosen).tolist() == [1, 4]
        sparse = tf2.sparse.from_dense(labels)
        for halves in (
            tf.sparse_split(1, 2, sparse),
            tf.sparse_split(split_dim=1, num_split=2, sp_input=sparse),
        ):
            assert session.run([half.dense_shape for half in halves])[0].tolist() == [2, 1]


def test_values_that_were_given_otherwise_are_understood() -> None:
    image = np.arange(24, dtype=np.float32).reshape(1, 2, 4, 3)
    with tf.Graph().as_default(), tf.Session() as session:
        height, flags = tf.constant(4), tf.constant([False, True, True, False])
        for resized in (
            tf.image.resize_images(image, 4, 8),
            tf.image.resize_images(image, height, np.int64(8), 0),
            tf.image.resize_images(image, new_height=height, new_width=tf.Dimension(8)),
            tf.image.resize_images(image, [4, 8]),
        ):
            assert session.run(resized).shape == (1, 4, 8, 3)
        nearest = tf.image.resize_images(image, 4, 8, tf.image.ResizeMethod.NEAREST_NEIGHBOR)
        np.testing.assert_array_equal(session.run(nearest), image.repeat(2, axis=1).repeat(2, axis=2))
        for reversed_ in (
            tf.reverse(image, [False, True, True, False]),
            tf.reverse(image, dims=np.array([False, True, True, False])),
            tf.reverse(image, flags),
            tf.reverse(image, [flags[0], True, True, False]),
            tf.reverse(image, [1, 2]),
            tf.reverse(image, axis=tf.constant([1, 2])),
        ):
            np.testing.assert_array_equal(session.run(reversed_), image[:, ::-1, ::-1])


def test_predictions_may_come_before_labels_as_before() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        labels = tf.placeholder_with_default([1.0, 0.0, 0.0], [3])
        logits = tf.Variable([1.0, 2.0, 3.0]) * 2
        session.run(tf.initialize_all_variables())
        for loss, names in (
            (tf.nn.weighted_cross_entropy_with_logits, {"logits": logits, "labels": labels}),
            (tf.nn.log_poisson_loss, {"log_input": logits, "targets": labels}),
        ):
            weight = (3.0,) if loss is tf.nn.weighted_cross_entropy_with_logits else ()
            before, today = loss(logits, labels, *weight), loss(labels, logits, *weight)
            by_name = loss(**names, **({"pos_weight": 3.0} if weight else {}))
            values = session.run([before, today, by_name])
            np.testing.assert_array_equal(values, [values[0]] * 3)
        by_half = tf.nn.weighted_cross_entropy_with_logits(logits, targets=labels, pos_weight=3.0)
        undecided = tf.nn.weighted_cross_entropy_with_logits([1.0, 0.0, 0.0], [2.0, 4.0, 6.0], 3.0)
        np.testing.assert_array_equal(*session.run([by_half, undecided]))
        guess = tf.argmax(tf.stack([logits, 1 - logits]), 0)
        tables = [
            tf.contrib.metrics.confusion_matrix(guess, [1, 0, 0]),
            tf.contrib.metrics.confusion_matrix([1, 0, 0], guess),
        ]
        np.testing.assert_array_equal(*session.run(tables))


def test_transposed_convolutions_know_their_shape() -> None:
    with tf.Graph().as_default():
        images, filters = tf.placeholder(tf.float32, [None, 4, 4, 8]), tf.zeros([5, 5, 2, 8])
        batch = tf.shape(images)[0]
        for convolution in (tf.nn.conv2d_transpose, tf.nn.deconv2d):
            for shape, known in (
                ([3, 8, 8, 2], 3),
                (tf.stack([3, 8, 8, 2]), 3),
                ([batch, 8, 8, 2], None),
                (tf.stack([batch, 8, 8, 2]), None),
            ):
                result = convolution(images, filters, shape, strides=[1, 2, 2, 1])
                assert result.get_shape().as_list() == [known, 8, 8, 2]
        unknown = convolution(images, filters, tf.placeholder(tf.int32, [4]), strides=[1, 2, 2, 1])
        assert unknown.get_shape().ndims == 4


def test_the_losses_and_decoders_of_speech_are_those_of_nn() -> None:
    ctc = legacy_import("tensorflow.contrib.ctc")
    assert ctc.ctc_greedy_decoder is tf.nn.ctc_greedy_decoder
    assert ctc.ctc_beam_search_decoder is tf.nn.ctc_beam_search_decoder


def test_modules_of_tensorflow_itself_have_the_functions_of_before() -> None:
    array_ops, math_ops = (
        legacy_import(f"tensorflow.python.ops.{name}") for name in ("array_ops", "math_ops")
    )
    ones = np.ones([2, 2], np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        for tensor, shape in (
            (array_ops.concat(1, [ones, ones]), (2, 4)),
            (array_ops.concat([ones, ones], 1), (2, 4)),
            (array_ops.split(1, 2, ones)[0], (2, 1)),
            (array_ops.pack([ones, ones]), (2, 2, 2)),
            (math_ops.mul(ones, ones), (2, 2)),
            (array_ops.expand_dims(ones, dim=0), (1, 2, 2)),
        ):
            assert session.run(tensor).shape == shape


def test_classes_with_other_arguments_are_classes() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        sparse = tf.SparseTensor([[0, 1]], [2.0], shape=[1, 2])
        assert isinstance(sparse, tf.SparseTensor)
        assert type(sparse) is tf2.SparseTensor
        assert issubclass(tf2.SparseTensor, tf.SparseTensor)
        assert tf.SparseTensor.from_value(session.run(sparse)).dense_shape.shape == [2]
        placeholder = tf.sparse_placeholder(tf.float32)
        fed = tf.SparseTensorValue([[0, 1]], [2.0], shape=[1, 2])
        dense = tf.sparse_tensor_to_dense(placeholder)
        assert session.run(dense, {placeholder: fed}).tolist() == [[0.0, 2.0]]


def test_initializers_may_be_functions_of_a_shape() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        variables = [
            tf.Variable(tf.zeros_initializer([2])),
            tf.get_variable("by_name", initializer=tf.zeros_initializer(shape=[2], dtype=tf.float32)),
            tf.get_variable("of_class", [2], initializer=tf.zeros_initializer),
            tf.get_variable("of_object", [2], initializer=tf.zeros_initializer(tf.float32)),
            tf.Variable(1 - tf.ones_initializer([2])),
        ]
        session.run(tf.initialize_all_variables())
        np.testing.assert_array_equal(session.run(variables), np.zeros([5, 2]))
        assert isinstance(tf.zeros_initializer(), tf.zeros_initializer)


def test_inputs_may_come_before_labels_as_before() -> None:
    labels = np.zeros([2, 1], np.int64)
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = tf.constant(np.eye(2, 3, dtype=np.float32))
        sampled = [labels[0], np.ones([2, 1], np.float32), np.ones([1], np.float32)]
        for loss in (tf.nn.nce_loss, tf.nn.sampled_softmax_loss):
            weights = tf.ones([4, 3]), tf.zeros([4])
            before = loss(*weights, inputs, labels, 1, 4, sampled_values=sampled)
            today = loss(*weights, labels, inputs, 1, 4, sampled_values=sampled)
            by_name = loss(
                *weights, inputs=inputs, labels=labels, num_sampled=1, num_classes=4, sampled_values=sampled
            )
            values = session.run([before, today, by_name])
            np.testing.assert_array_equal(values, [values[0]] * 3)
        sounds = tf.constant(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 1, 4))
        words = tf.SparseTensor([[0, 0]], tf.constant([1]), [1, 1])
        np.testing.assert_array_equal(
            *session.run([tf.nn.ctc_loss(sounds, words, [3]), tf.nn.ctc_loss(words, sounds, [3])])
        )


def test_losses_have_the_arguments_of_before() -> None:
    predictions, labels = np.array([[0.2, 0.9]], np.float32), np.array([[0.0, 1.0]], np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        for losses in (tf.contrib.losses, tf.contrib.slim.losses):
            pairs = [
                (
                    losses.log_loss(predictions, targets=labels, weight=2.0),
                    losses.log_loss(predictions, labels, 2.0),
                ),
                (losses.hinge_loss(predictions, target=labels), losses.hinge_loss(predictions, labels)),
                (
                    losses.sum_of_squares(predictions, targets=labels),
                    losses.mean_squared_error(predictions, labels),
                ),
                (
                    losses.softmax_cross_entropy(predictions, labels, weight=0.5),
                    losses.softmax_cross_entropy(predictions, labels, weights=0.5),
                ),
            ]
            for before, today in session.run(pairs):
                np.testing.assert_array_equal(before, today)


def test_summaries_of_before_are_written() -> None:
    with tf.Graph().as_default(), tf.Session() as session:
        tf.scalar_summary("loss", 2.0, name="loss_summary")
        tf.histogram_summary("weights", [1.0, 2.0])
        tf.image_summary("digits", np.zeros([2, 4, 4, 1], np.float32), max_images=1, name="images")
        summary = tf2.compat.v1.Summary.FromString(session.run(tf.merge_all_summaries()))
    assert [value.tag for value in summary.value] == ["loss", "weights", "digits/image"]
