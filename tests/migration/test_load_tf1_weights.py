"""`load_tf1_weights`: Keras models compute what the graphs of TensorFlow 1 computed, or say why not."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_legacy_train import CheckpointMismatchError, DamagedCheckpointError, train
from keras_legacy_train.migration import load_tf1_weights

v1 = tf.compat.v1
layers = keras.layers

BATCH = 4


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def some_value(variable: Any) -> np.ndarray:
    """Another value for each variable; positive, so that it may be a variance."""
    random = np.random.default_rng(sum(map(ord, variable.op.name)))
    return random.uniform(0.1, 0.9, variable.shape.as_list()).astype(variable.dtype.as_numpy_dtype)


def save(directory: Path, build: Callable[[], Any], **saver_options: Any) -> Any:
    """Saves a graph whose variables have random values; returns what its output is, if it has one."""
    with tf.Graph().as_default(), v1.Session() as session:
        output = build()
        for variable in v1.global_variables():
            variable.load(some_value(variable), session)
        v1.train.Saver(**saver_options).save(session, str(directory / "model.ckpt"), global_step=7)
        return None if output is None else session.run(output)


def save_tensors(directory: Path, tensors: dict[str, Any]) -> dict[str, np.ndarray]:
    """Saves tensors of these names: shapes, or the values themselves."""

    def build() -> None:
        for name, value in tensors.items():
            if isinstance(value, np.ndarray):
                v1.get_variable(name, initializer=value)
            else:
                v1.get_variable(name, value)

    with tf.Graph().as_default(), v1.Session() as session:
        build()
        for variable in v1.global_variables():
            value = tensors[variable.op.name]
            value = value if isinstance(value, np.ndarray) else some_value(variable)
            variable.load(value, session)
        v1.train.Saver().save(session, str(directory / "model.ckpt"), global_step=7)
        return session.run({variable.op.name: variable for variable in v1.global_variables()})


def weight(model: Any, path: str) -> np.ndarray:
    (found,) = [w for w in model.weights if w.path == path or w.path == f"{model.name}/{path}"]
    return keras.ops.convert_to_numpy(found)


def check_outputs(model: Any, inputs: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(model(inputs, training=False), expected, rtol=1e-5, atol=1e-5)


def sources(report: Any) -> dict[str, Any]:
    return {filled.path: filled.sources for filled in report.filled}


def values(model: Any) -> list[np.ndarray]:
    return [np.copy(value) for value in model.get_weights()]


def refused(model: Any, *arguments: Any, **options: Any) -> list[str]:
    """The problems; checks that the model is as it was."""
    before = values(model)
    with pytest.raises(CheckpointMismatchError) as error:
        load_tf1_weights(model, *arguments, **options)
    for was, value in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(was, value)
    return error.value.problems


# Layers as the libraries of TensorFlow 1 made them: the names are theirs.


def dense(x: Any, units: int, scope: str, kernel: str = "kernel", bias: str = "bias") -> Any:
    with v1.variable_scope(scope):
        return x @ v1.get_variable(kernel, [x.shape[-1], units]) + v1.get_variable(bias, [units])


def slim_dense(x: Any, units: int, scope: str) -> Any:
    return dense(x, units, scope, "weights", "biases")


def slim_conv(x: Any, filters: int, scope: str) -> Any:
    """A convolution with batch normalization, as `slim.conv2d` with `normalizer_fn=slim.batch_norm`."""
    with v1.variable_scope(scope):
        kernel = v1.get_variable("weights", [3, 3, x.shape[-1], filters])
        x = v1.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME")
        return tf.nn.relu(batch_norm(x, "BatchNorm"))


def slim_depthwise(x: Any, scope: str) -> Any:
    with v1.variable_scope(scope):
        kernel = v1.get_variable("depthwise_weights", [3, 3, x.shape[-1], 1])
        bias = v1.get_variable("biases", [x.shape[-1]])
        return v1.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], "SAME") + bias


def slim_separable(x: Any, filters: int, scope: str) -> Any:
    with v1.variable_scope(scope):
        depthwise = v1.get_variable("depthwise_weights", [3, 3, x.shape[-1], 1])
        pointwise = v1.get_variable("pointwise_weights", [1, 1, x.shape[-1], filters])
        bias = v1.get_variable("biases", [filters])
        return v1.nn.separable_conv2d(x, depthwise, pointwise, [1, 1, 1, 1], "SAME") + bias


def batch_norm(x: Any, scope: str) -> Any:
    with v1.variable_scope(scope):
        gamma, beta = (v1.get_variable(name, [x.shape[-1]]) for name in ("gamma", "beta"))
        mean = v1.get_variable("moving_mean", [x.shape[-1]], trainable=False)
        variance = v1.get_variable("moving_variance", [x.shape[-1]], trainable=False)
    return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)


def trained(x: Any) -> Any:
    """Adds an optimizer with its slots, a moving average and the global step, and returns `x`."""
    step = v1.train.get_or_create_global_step()
    with v1.variable_scope("OptimizeLoss"):
        train_op = v1.train.AdamOptimizer().minimize(tf.reduce_sum(x), global_step=step)
    with tf.control_dependencies([train_op]):
        tf.train.ExponentialMovingAverage(0.9).apply(v1.trainable_variables())
    return x


def mlp(scope: str = "network") -> Any:
    with v1.variable_scope(scope):
        h = tf.nn.relu(slim_dense(tf.constant(numbers(BATCH, 3)), 5, "hidden1"))
        return slim_dense(tf.nn.relu(slim_dense(h, 5, "hidden2")), 2, "logits")


def keras_mlp() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input([3]),
            layers.Dense(5, "relu", name="hidden1"),
            layers.Dense(5, "relu", name="hidden2"),
            layers.Dense(2, name="logits"),
        ]
    )


# Whole networks.


def test_dense_layers(tmp_path: Path) -> None:
    expected = save(tmp_path, lambda: trained(mlp()))
    model = keras_mlp()
    report = load_tf1_weights(model, tmp_path)
    check_outputs(model, numbers(BATCH, 3), expected)
    assert sources(report) == {
        f"{layer}/{ours}": (f"network/{layer}/{theirs}",)
        for layer in ("hidden1", "hidden2", "logits")
        for ours, theirs in (("kernel", "weights"), ("bias", "biases"))
    }
    assert not report.unfilled and not report.skipped and not report.unused
    assert len(report.bookkeeping) == 6 * 3 + 3
    assert report.checkpoint == str(tmp_path / "model.ckpt-7")


def test_a_report_can_be_read(tmp_path: Path) -> None:
    save(tmp_path, lambda: trained(mlp()))
    model = keras.Sequential([keras.Input([5]), layers.Dense(5, name="hidden2"), layers.Dense(7, name="new")])
    report = load_tf1_weights(model, tmp_path, skip="new/bias", strict=False)
    lines = str(report).splitlines()
    assert lines[:7] == [
        f"2 of 4 weights filled from {tmp_path / 'model.ckpt-7'}:",
        "  hidden2/kernel <- network/hidden2/weights",
        "  hidden2/bias <- network/hidden2/biases",
        "Without a counterpart, left as they were:",
        "  new/kernel: no counterpart in the checkpoint",
        "Skipped:",
        "  new/bias",
    ]
    assert "  network/logits/weights" in lines[lines.index("In the checkpoint, not used:") :]
    assert "  global_step" in lines[lines.index("In the checkpoint, of optimizers and counters:") :]


def test_layers_made_by_tf_layers(tmp_path: Path) -> None:
    def build() -> Any:
        h = dense(tf.constant(numbers(BATCH, 3)), 4, "dense")
        h = batch_norm(h, "batch_normalization")
        return dense(dense(h, 4, "dense_1"), 4, "dense_2")

    expected = save(tmp_path, build)
    names = ("dense", "batch_normalization", "dense_1", "dense_2")
    made = [layers.BatchNormalization(name=n) if "batch" in n else layers.Dense(4, name=n) for n in names]
    model = keras.Sequential([keras.Input([3]), *made])
    load_tf1_weights(model, tmp_path)
    check_outputs(model, numbers(BATCH, 3), expected)


def test_convolutions_of_slim(tmp_path: Path) -> None:
    images = numbers(BATCH, 6, 6, 3)

    def build() -> Any:
        with v1.variable_scope("mobile"):
            h = slim_conv(tf.constant(images), 4, "block1/conv1")
            h = slim_conv(h, 4, "block1/conv2")
            h = slim_separable(slim_depthwise(h, "depthwise"), 5, "separable")
            return slim_dense(tf.reduce_mean(h, [1, 2]), 2, "logits")

    expected = save(tmp_path, build)

    def conv(name: str) -> list[Any]:
        convolution = layers.Conv2D(4, 3, padding="same", use_bias=False, name=f"block1_{name}")
        return [convolution, layers.BatchNormalization(name=f"block1_{name}_BatchNorm"), layers.ReLU()]

    model = keras.Sequential(
        [
            keras.Input([6, 6, 3]),
            *conv("conv1"),
            *conv("conv2"),
            layers.DepthwiseConv2D(3, padding="same", name="depthwise"),
            layers.SeparableConv2D(5, 3, padding="same", name="separable"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, name="logits"),
        ]
    )
    load_tf1_weights(model, tmp_path)
    check_outputs(model, images, expected)


def test_a_scope_for_each_block(tmp_path: Path) -> None:
    """As in `vgg_16/conv1/conv1_1/weights`: no scope is around all of them."""

    def build() -> Any:
        h = tf.constant(numbers(BATCH, 3))
        for block, layer in itertools.product((1, 2), (1, 2)):
            h = slim_dense(h, 3, f"vgg/conv{block}/conv{block}_{layer}")
        return h

    expected = save(tmp_path, build)
    names = [f"conv{block}_{layer}" for block, layer in itertools.product((1, 2), (1, 2))]
    model = keras.Sequential([keras.Input([3]), *(layers.Dense(3, name=name) for name in names)])
    load_tf1_weights(model, tmp_path)
    check_outputs(model, numbers(BATCH, 3), expected)


@pytest.mark.parametrize("parts", [None, 3])
@pytest.mark.parametrize(
    "name", ["words", "model/Words", "input/words/embedding_weights", "words/embeddings"]
)
def test_embeddings(name: str, parts: int | None, tmp_path: Path) -> None:
    ids = np.array([[0, 3, 6], [6, 5, 1]])

    def build() -> Any:
        partitioner = None if parts is None else v1.fixed_size_partitioner(parts)
        with v1.variable_scope("", partitioner=partitioner):
            table = v1.get_variable(name, [7, 4])
        return v1.nn.embedding_lookup(table, tf.constant(ids), partition_strategy="div")

    expected = save(tmp_path, build)
    model = keras.Sequential([keras.Input([3], dtype="int64"), layers.Embedding(7, 4, name="words")])
    report = load_tf1_weights(model, tmp_path)
    assert sources(report) == {"words/embeddings": (name,)}
    check_outputs(model, ids, expected)


# Recurrent layers: the cells as `tf.nn.rnn_cell` had them, gate by gate.

Cell = Callable[[Any, Any, int, str], Any]
STEPS, INPUTS, UNITS = 5, 3, 4
SEQUENCE = numbers(BATCH, STEPS, INPUTS)


def fused(x: Any, h: Any, columns: int, scope: str) -> Any:
    with v1.variable_scope(scope, reuse=v1.AUTO_REUSE):
        both = tf.concat([x, h], 1)
        kernel = v1.get_variable("kernel", [both.shape[-1], columns])
        return both @ kernel + v1.get_variable("bias", [columns])


def lstm(forget_bias: float = 1.0) -> Cell:
    def cell(x: Any, state: Any, units: int, scope: str) -> Any:
        c, h = (tf.zeros([BATCH, units]),) * 2 if state is None else state
        i, j, f, o = tf.split(fused(x, h, 4 * units, scope), 4, 1)
        c = c * tf.sigmoid(f + forget_bias) + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        return h, (c, h)

    return cell


def gru(x: Any, state: Any, units: int, scope: str) -> Any:
    h = tf.zeros([BATCH, units]) if state is None else state
    r, u = tf.split(tf.sigmoid(fused(x, h, 2 * units, f"{scope}/gates")), 2, 1)
    h = u * h + (1 - u) * tf.tanh(fused(x, r * h, units, f"{scope}/candidate"))
    return h, h


def cudnn_gru(x: Any, state: Any, units: int, scope: str) -> Any:
    h = tf.zeros([BATCH, units]) if state is None else state
    r, u = tf.split(tf.sigmoid(fused(x, h, 2 * units, f"{scope}/gates")), 2, 1)
    with v1.variable_scope(f"{scope}/candidate", reuse=v1.AUTO_REUSE):
        projections = (dense(x, units, "input_projection"), dense(h, units, "hidden_projection"))
    h = u * h + (1 - u) * tf.tanh(projections[0] + r * projections[1])
    return h, h


def simple_rnn(x: Any, state: Any, units: int, scope: str) -> Any:
    h = tf.zeros([BATCH, units]) if state is None else state
    h = tf.tanh(fused(x, h, units, scope))
    return h, h


def unrolled(cell: Cell, scope: str, x: Any = SEQUENCE, units: int = UNITS, backward: bool = False) -> Any:
    """What `dynamic_rnn` returned: the outputs of all steps."""
    outputs, state = [], None
    inputs = tf.unstack(tf.convert_to_tensor(x), axis=1)
    for step in reversed(inputs) if backward else inputs:
        output, state = cell(step, state, units, scope)
        outputs.append(output)
    return tf.stack(outputs[::-1] if backward else outputs, axis=1)


def sequence_model(*recurrent: Any) -> keras.Model:
    return keras.Sequential([keras.Input([STEPS, INPUTS]), *recurrent])


@pytest.mark.parametrize(
    ("cell", "scope", "layer", "options"),
    [
        (lstm(), "rnn/lstm_cell", lambda: layers.LSTM(UNITS, return_sequences=True), {}),
        (lstm(), "encoder/rnn/basic_lstm_cell", lambda: layers.LSTM(UNITS, return_sequences=True), {}),
        (lstm(0.0), "rnn/lstm_cell", lambda: layers.LSTM(UNITS, return_sequences=True), {"forget_bias": 0.0}),
        (
            lstm(0.0),
            "cudnn_lstm/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell",
            lambda: layers.LSTM(UNITS, return_sequences=True),
            {},
        ),
        (gru, "rnn/gru_cell", lambda: layers.GRU(UNITS, reset_after=False, return_sequences=True), {}),
        (
            cudnn_gru,
            "rnn/cudnn_compatible_gru_cell",
            lambda: layers.GRU(UNITS, return_sequences=True),
            {},
        ),
        (simple_rnn, "rnn/basic_rnn_cell", lambda: layers.SimpleRNN(UNITS, return_sequences=True), {}),
        (lstm(), "rnn/lstm_cell", lambda: layers.RNN(layers.LSTMCell(UNITS), return_sequences=True), {}),
    ],
    ids=["LSTMCell", "BasicLSTMCell", "forget_bias 0", "CudnnLSTM", "GRUCell", "CudnnGRU", "RNNCell", "RNN"],
)
def test_recurrent_layers(
    cell: Cell, scope: str, layer: Callable[[], Any], options: dict[str, Any], tmp_path: Path
) -> None:
    expected = save(tmp_path, lambda: trained(unrolled(cell, scope)))
    model = sequence_model(layer())
    report = load_tf1_weights(model, tmp_path, **options)
    check_outputs(model, SEQUENCE, expected)
    assert not report.unused
    assert "rows split" in str(report)


def test_grus_of_both_kinds(tmp_path: Path) -> None:
    for number, (cell, scope, reset_after) in enumerate(
        [(gru, "rnn/gru_cell", False), (cudnn_gru, "rnn/cudnn_compatible_gru_cell", True)]
    ):
        directory = tmp_path / str(number)
        directory.mkdir()
        sequence = SEQUENCE[:, :2]
        expected = save(directory, lambda: unrolled(cell, scope, sequence))  # noqa: B023
        layer = layers.GRU(UNITS, reset_after=reset_after, return_sequences=True)
        model = keras.Sequential([keras.Input([2, INPUTS]), layer])
        load_tf1_weights(model, directory)
        check_outputs(model, sequence, expected)
        other = layers.GRU(UNITS, reset_after=not reset_after, return_sequences=True)
        (problem,) = refused(keras.Sequential([keras.Input([2, INPUTS]), other]), directory)
        assert problem.endswith(f"make the layer with reset_after={reset_after}")


def test_an_lstm_without_a_bias_fits_none_with_one(tmp_path: Path) -> None:
    save_tensors(tmp_path, {"lstm/kernel": [INPUTS, 4 * UNITS], "lstm/recurrent_kernel": [UNITS, 4 * UNITS]})
    (problem,) = refused(sequence_model(layers.LSTM(UNITS, name="lstm")), tmp_path)
    assert problem.endswith(
        "with a bias of shape [16] in the model, but lstm/kernel with no bias in the checkpoint"
    )


def test_each_weight_of_a_cell_may_come_from_another_scope(tmp_path: Path) -> None:
    shapes = {"kernel": [INPUTS, 4 * UNITS], "recurrent_kernel": [UNITS, 4 * UNITS], "bias": [4 * UNITS]}
    saved = save_tensors(tmp_path, {f"scope_of_{name}/{name}": shape for name, shape in shapes.items()})
    model = sequence_model(layers.LSTM(UNITS, name="lstm"))
    name_map = {f"lstm/lstm_cell/{name}": f"scope_of_{name}/{name}" for name in shapes}
    load_tf1_weights(model, tmp_path, name_map)
    for name, value in zip(shapes, model.get_weights(), strict=True):
        np.testing.assert_array_equal(value, saved[f"scope_of_{name}/{name}"])


def test_tensors_of_other_shapes_are_no_cell(tmp_path: Path) -> None:
    """They have the names that a cell's have, and are another network's."""
    gates = {"x/gates/kernel": [7, 8], "x/gates/bias": [8]}
    projections = {
        f"x/candidate/{side}_projection/{name}": [4]
        for side in ("input", "hidden")
        for name in ("kernel", "bias")
    }
    save_tensors(
        tmp_path,
        {**gates, **projections, "y/kernel": [2, 3, 4], "y/recurrent_kernel": [3, 4], "z/kernel": [3, 2]},
    )
    report = load_tf1_weights(
        keras.Sequential([keras.Input([3]), layers.Dense(2, use_bias=False, name="z")]), tmp_path
    )
    assert set(report.unused) == {*gates, *projections, "y/kernel", "y/recurrent_kernel"}


def test_a_copy_of_an_lstm_kernel_would_not_do(tmp_path: Path) -> None:
    """The gates have another order, and `forget_bias` is not in the checkpoint."""
    save(tmp_path, lambda: unrolled(lstm(), "rnn/lstm_cell"))
    model = sequence_model(layers.LSTM(UNITS))
    report = load_tf1_weights(model, tmp_path)
    old = tf.train.load_variable(str(tmp_path), "rnn/lstm_cell/bias")
    new = model.get_weights()[2]
    np.testing.assert_array_equal(new[UNITS : 2 * UNITS], old[2 * UNITS : 3 * UNITS] + 1.0)
    np.testing.assert_array_equal(new[2 * UNITS : 3 * UNITS], old[UNITS : 2 * UNITS])
    assert "gates i, j, f, o put in the order i, f, j, o; 1.0 added to the bias of f" in str(report)


def test_both_directions(tmp_path: Path) -> None:
    def build() -> Any:
        forward = unrolled(lstm(), "bidirectional_rnn/fw/lstm_cell")
        backward = unrolled(lstm(), "bidirectional_rnn/bw/lstm_cell", backward=True)
        return tf.concat([forward, backward], -1)

    expected = save(tmp_path, build)
    model = sequence_model(layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True)))
    load_tf1_weights(model, tmp_path)
    check_outputs(model, SEQUENCE, expected)


def stacked() -> Any:
    h = unrolled(lstm(), "rnn/multi_rnn_cell/cell_0/lstm_cell", units=INPUTS)
    return unrolled(lstm(), "rnn/multi_rnn_cell/cell_1/lstm_cell", h, units=INPUTS)


@pytest.mark.parametrize(
    "name_map",
    [
        {f"{layer}": f"rnn/multi_rnn_cell/cell_{n}" for n, layer in enumerate(("lower", "upper"))},
        {
            f"{layer}/lstm_cell/{name}": f"rnn/multi_rnn_cell/cell_{n}/lstm_cell/kernel"
            for n, layer in enumerate(("lower", "upper"))
            for name in ("kernel", "recurrent_kernel")
        },
        lambda path: path.replace("lower", "rnn/multi_rnn_cell/cell_0").replace(
            "upper", "rnn/multi_rnn_cell/cell_1"
        ),
    ],
    ids=["scopes", "weights", "function"],
)
def test_cells_of_one_size_must_be_told_apart(name_map: Any, tmp_path: Path) -> None:
    expected = save(tmp_path, stacked)
    names = ("lower", "upper")
    model = sequence_model(*(layers.LSTM(INPUTS, return_sequences=True, name=name) for name in names))
    first, *_ = refused(model, tmp_path)
    assert first.startswith("lower/lstm_cell/kernel: no counterpart")
    assert "is it rnn/multi_rnn_cell/cell_" in first
    load_tf1_weights(model, tmp_path, name_map)
    check_outputs(model, SEQUENCE, expected)


def test_recurrent_layers_of_tf_keras(tmp_path: Path) -> None:
    """Their tensors are those of Keras 3, with fewer parts in their names."""
    shapes = {"kernel": [INPUTS, 4 * UNITS], "recurrent_kernel": [UNITS, 4 * UNITS], "bias": [4 * UNITS]}
    saved = save_tensors(
        tmp_path, {f"{layer}/{name}": shape for layer in ("lstm", "lstm_1") for name, shape in shapes.items()}
    )
    inputs = keras.Input([STEPS, INPUTS])
    outputs = [layers.LSTM(UNITS, name=name)(inputs) for name in ("lstm_1", "lstm")]
    model = keras.Model(inputs, outputs)
    report = load_tf1_weights(model, tmp_path)
    assert "gates" not in str(report)
    for layer, name in itertools.product(("lstm", "lstm_1"), shapes):
        np.testing.assert_array_equal(weight(model, f"{layer}/lstm_cell/{name}"), saved[f"{layer}/{name}"])


def peepholes(x: Any, state: Any, units: int, scope: str) -> Any:
    with v1.variable_scope(scope, reuse=v1.AUTO_REUSE):
        v1.get_variable("w_f_diag", [units])
    return lstm()(x, state, units, scope)


@pytest.mark.parametrize(
    ("cell", "scope", "layer", "problem"),
    [
        (gru, "rnn/gru_cell", lambda: layers.GRU(UNITS, name="gru"), "reset_after=False"),
        (
            cudnn_gru,
            "rnn/gru_cell",
            lambda: layers.GRU(UNITS, reset_after=False, name="gru"),
            "reset_after=True",
        ),
        (lstm(), "rnn/lstm_cell", lambda: layers.LSTM(UNITS, use_bias=False, name="lstm"), "use_bias=True"),
        (peepholes, "rnn/lstm_cell", lambda: layers.LSTM(UNITS, name="lstm"), "w_f_diag"),
        (
            lstm(),
            "rnn/lstm_cell",
            lambda: layers.LSTM(UNITS + 1, name="lstm"),
            r"lstm/lstm_cell/kernel: shape [3, 20] in the model, of 5 units with 3 inputs, but"
            r" rnn/lstm_cell/kernel has shape [7, 16] in the checkpoint, of 4 units with 3 inputs",
        ),
    ],
    ids=["GRU", "CudnnGRU", "no bias", "peepholes", "units"],
)
def test_cells_that_keras_has_not(
    cell: Cell, scope: str, layer: Callable[[], Any], problem: str, tmp_path: Path
) -> None:
    save(tmp_path, lambda: unrolled(cell, scope))
    for options in ({}, {"strict": False}, {"name_map": {"": "rnn"}}):
        (found,) = refused(sequence_model(layer()), tmp_path, **options)
        assert problem in found


def test_a_dense_layer_is_not_taken_for_a_cell(tmp_path: Path) -> None:
    save_tensors(tmp_path, {"out/kernel": [INPUTS + UNITS, 4 * UNITS], "out/bias": [4 * UNITS]})
    first, *_ = refused(sequence_model(layers.LSTM(UNITS, name="lstm")), tmp_path)
    assert first == "lstm/lstm_cell/kernel: no counterpart in the checkpoint"


# What has no one counterpart.


def two_networks() -> None:
    for scope in ("generator", "discriminator"):
        mlp(scope)


def test_two_scopes_that_have_everything(tmp_path: Path) -> None:
    save(tmp_path, two_networks)
    model = keras_mlp()
    problems = refused(model, tmp_path)
    assert problems[0] == (
        "hidden1/kernel: no counterpart in the checkpoint; is it generator/hidden1/weights or"
        " discriminator/hidden1/weights?"
    ), problems[0]
    assert len(problems) == 6 + 1 and "name_map" in problems[-1]
    load_tf1_weights(model, tmp_path, {"": "generator"})
    np.testing.assert_array_equal(
        weight(model, "logits/bias"), tf.train.load_variable(str(tmp_path), "generator/logits/biases")
    )


def test_the_scope_that_has_everything_is_meant(tmp_path: Path) -> None:
    def build() -> None:
        mlp("network")
        slim_dense(tf.zeros([1, 3]), 5, "other/hidden1")

    save(tmp_path, build)
    report = load_tf1_weights(keras_mlp(), tmp_path)
    assert {name.partition("/")[0] for filled in report.filled for name in filled.sources} == {"network"}
    assert report.unused == ["other/hidden1/biases", "other/hidden1/weights"]


def test_a_name_without_a_scope_is_meant(tmp_path: Path) -> None:
    def build() -> None:
        mlp("")
        mlp("target_network")

    save(tmp_path, build)
    report = load_tf1_weights(keras_mlp(), tmp_path)
    assert sources(report)["logits/bias"] == ("logits/biases",)


def test_shapes_tell_layers_apart(tmp_path: Path) -> None:
    save_tensors(tmp_path, {"a/dense/kernel": [3, 2], "b/dense/kernel": [2, 3]})
    model = keras.Sequential([keras.Input([2]), layers.Dense(3, use_bias=False, name="dense")])
    assert sources(load_tf1_weights(model, tmp_path)) == {"dense/kernel": ("b/dense/kernel",)}


def test_two_spellings_in_one_scope(tmp_path: Path) -> None:
    saved = save_tensors(tmp_path, {"net/dense/kernel": [2, 2], "net/dense/weights": [2, 2]})
    model = dense_model()
    load_tf1_weights(model, tmp_path)
    np.testing.assert_array_equal(weight(model, "dense/kernel"), saved["net/dense/kernel"])
    load_tf1_weights(model, tmp_path, {"dense/kernel": "net/dense/weights"})
    np.testing.assert_array_equal(weight(model, "dense/kernel"), saved["net/dense/weights"])


def test_wrong_shapes_are_told_all_at_once(tmp_path: Path) -> None:
    save(tmp_path, mlp)
    model = keras.Sequential(
        [
            keras.Input([3]),
            layers.Dense(5, name="hidden1"),
            layers.Dense(4, name="hidden2"),
            layers.Dense(2, name="logits"),
        ]
    )
    expected = [
        f"{path}: shape {ours} in the model, but network/{name} has shape {theirs} in the checkpoint"
        for path, ours, name, theirs in (
            ("hidden2/kernel", [5, 4], "hidden2/weights", [5, 5]),
            ("hidden2/bias", [4], "hidden2/biases", [5]),
            ("logits/kernel", [4, 2], "logits/weights", [5, 2]),
        )
    ]
    assert refused(model, tmp_path) == expected
    assert refused(model, tmp_path, strict=False) == expected
    assert refused(model, tmp_path, {"": "network"}) == expected


def test_a_layer_that_the_checkpoint_lacks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path, mlp)
    model = keras.Sequential([keras_mlp(), layers.Dense(2, name="new")])
    problems = refused(model, tmp_path)
    assert [problem.partition(":")[0] for problem in problems[:-1]] == ["new/kernel", "new/bias"]

    before = weight(model, "new/kernel")
    report = load_tf1_weights(model, tmp_path, strict=False)
    assert list(report.unfilled) == ["new/kernel", "new/bias"] and len(report.filled) == 6
    np.testing.assert_array_equal(weight(model, "new/kernel"), before)
    warned = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == 2 and "new/kernel" in warned[0]

    caplog.clear()
    report = load_tf1_weights(model, tmp_path, skip=["new"])
    assert report.skipped == ["new/kernel", "new/bias"] and not report.unfilled
    assert all(record.levelno < logging.WARNING for record in caplog.records)


def test_suggestions_have_the_shape_and_a_similar_name(tmp_path: Path) -> None:
    save_tensors(
        tmp_path,
        {
            "fc/kernel": [3, 2],
            "softmax/kernel": [3, 2],
            "logits_layer/kernel": [3, 2],
            "logits_2/kernel": [2, 3],
            "kept/logits_layer/kernel/Adam": [3, 2],
        },
    )
    model = keras.Sequential([keras.Input([3]), layers.Dense(2, use_bias=False, name="logits")])
    first, *_ = refused(model, tmp_path)
    assert first.startswith("logits/kernel: no counterpart in the checkpoint; is it logits_layer/kernel or")
    assert "logits_2" not in first and "Adam" not in first


def test_layers_of_one_name(tmp_path: Path) -> None:
    class Block(layers.Layer):
        def __init__(self) -> None:
            super().__init__(name="block")
            self.parts = [layers.Dense(3, name="dense"), layers.Dense(3, name="dense")]

        def call(self, x: Any) -> Any:
            return self.parts[1](self.parts[0](x))

    save_tensors(tmp_path, {"block/dense/kernel": [3, 3], "block/dense/bias": [3]})
    block = Block()
    block(tf.zeros([1, 3]))
    problems = refused(block, tmp_path, strict=False)
    assert "block/dense/kernel: 2 weights of the model have this path" in problems[0]


def test_weights_of_a_model_itself(tmp_path: Path) -> None:
    class Scaled(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="scaled")
            self.scale = self.add_weight(shape=[3], name="scale")

        def call(self, x: Any) -> Any:
            return x * self.scale

    saved = save_tensors(tmp_path, {"network/scale": [3]})
    model = Scaled()
    model.build([None, 3])
    load_tf1_weights(model, tmp_path)
    np.testing.assert_array_equal(model.get_weights()[0], saved["network/scale"])


# What the user says about names.


@pytest.mark.parametrize(
    "name_map",
    [
        {"first": "network/hidden1", "second": "network/hidden2", "third": "network/logits"},
        {"first/kernel": "network/hidden1/weights:0", "first/bias": "network/hidden1/biases"}
        | {"second": "network/hidden2", "third": "network/logits"},
        {"mlp/first": "network/hidden1", "mlp/second": "network/hidden2", "mlp/third": "network/logits"},
        {"": "network", "first": "network/hidden1", "second": "network/hidden2", "third": "network/logits"},
        lambda path: (
            f"network/{path}".replace("first", "hidden1")
            .replace("second", "hidden2")
            .replace("third", "logits")
        ),
    ],
    ids=["scopes", "weights", "own name", "nested", "function"],
)
def test_name_map(name_map: Any, tmp_path: Path) -> None:
    expected = save(tmp_path, mlp)
    model = keras.Sequential(
        [
            keras.Input([3]),
            layers.Dense(5, "relu", name="first"),
            layers.Dense(5, "relu", name="second"),
            layers.Dense(2, name="third"),
        ],
        name="mlp",
    )
    load_tf1_weights(model, tmp_path, name_map)
    check_outputs(model, numbers(BATCH, 3), expected)


@pytest.mark.parametrize("name_map", [{"head": "network/logits"}, {"head/kernel": "network/logits/kernel"}])
def test_rules_find_what_name_map_leaves(name_map: Any, tmp_path: Path) -> None:
    save(tmp_path, mlp)
    model = keras.Sequential([keras.Input([3]), *keras_mlp().layers[:-1], layers.Dense(2, name="head")])
    skip = [] if "head" in name_map else ["head/bias"]
    report = load_tf1_weights(model, tmp_path, name_map, skip=skip)
    assert sources(report)["head/kernel"] == ("network/logits/weights",)
    assert sources(report)["hidden1/kernel"] == ("network/hidden1/weights",)
    by_function = load_tf1_weights(
        model, tmp_path, lambda p: "network/logits" + p[4:] if "head" in p else None
    )
    assert sources(by_function)["hidden1/kernel"] == ("network/hidden1/weights",)


def test_moving_averages_by_name(tmp_path: Path) -> None:
    save(tmp_path, lambda: trained(mlp()))
    ours, theirs = ("kernel", "bias"), ("weights", "biases")

    def average(path: str) -> str:
        layer, leaf = path.split("/")
        return f"network/{layer}/{theirs[ours.index(leaf)]}/ExponentialMovingAverage"

    model = keras_mlp()
    report = load_tf1_weights(model, tmp_path, average)
    name = "network/hidden1/weights/ExponentialMovingAverage"
    np.testing.assert_array_equal(
        weight(model, "hidden1/kernel"), tf.train.load_variable(str(tmp_path), name)
    )
    assert name not in report.bookkeeping and "network/hidden1/weights" in report.unused


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    save(tmp_path, mlp)
    problems = refused(
        keras_mlp(),
        tmp_path,
        {"logits/bias": "network/logits/baises", "hiden1": "network/hidden1"},
        skip=["logits/weights"],
        strict=False,
    )
    assert problems == [
        "logits/bias: name_map says 'network/logits/baises', which is not in the checkpoint; is it"
        " network/logits/biases or network/logits/weights or network/hidden2/biases?",
        "name_map: the model has no weight 'hiden1'",
        "skip: the model has no weight 'logits/weights'",
    ]


@pytest.mark.parametrize("name_map", [{"logits": None}, {1: "logits"}, lambda path: 3])
def test_names_that_are_no_strings(name_map: Any, tmp_path: Path) -> None:
    save(tmp_path, mlp)
    with pytest.raises(TypeError, match="must be a string"):
        load_tf1_weights(keras_mlp(), tmp_path, name_map)
    with pytest.raises(TypeError, match="skip must be a string"):
        load_tf1_weights(keras_mlp(), tmp_path, skip=[3])
    with pytest.raises(TypeError, match="name_map must be a dict or a function; it is 'logits'"):
        load_tf1_weights(keras_mlp(), tmp_path, "logits")


def test_a_part_of_a_model(tmp_path: Path) -> None:
    save(tmp_path, mlp)
    backbone = keras.Sequential(keras_mlp().layers[:-1], name="backbone")

    class Tuned(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="tuned")
            self.backbone, self.head = backbone, layers.Dense(9, name="head")

        def call(self, x: Any) -> Any:
            return self.head(self.backbone(x))

    model = Tuned()
    model(tf.zeros([1, 3]))
    for part, count in ((model.backbone, 4), (model.backbone.get_layer("hidden2"), 2)):
        report = load_tf1_weights(part, tmp_path)
        assert len(report.filled) == count and "hidden2/kernel" in sources(report)


# Checkpoints of all kinds.


@pytest.mark.parametrize(
    "options",
    [{}, {"sharded": True}, {"write_version": v1.train.SaverDef.V1}],
    ids=["one file", "sharded", "older format"],
)
@pytest.mark.parametrize("path", [str, Path, lambda path: path / "model.ckpt-7"])
def test_formats_and_paths(path: Callable[[Path], Any], options: dict[str, Any], tmp_path: Path) -> None:
    expected = save(tmp_path, mlp, **options)
    model = keras_mlp()
    load_tf1_weights(model, path(tmp_path))
    check_outputs(model, numbers(BATCH, 3), expected)


def test_partitioned_weights(tmp_path: Path) -> None:
    def build() -> Any:
        with v1.variable_scope("", partitioner=v1.fixed_size_partitioner(2)):
            kernel = v1.get_variable("dense/kernel", [3, 4])
            bias = v1.get_variable("dense/bias", [4])
        return tf.constant(numbers(BATCH, 3)) @ tf.convert_to_tensor(kernel) + tf.convert_to_tensor(bias)

    expected = save(tmp_path, build)
    model = keras.Sequential([keras.Input([3]), layers.Dense(4, name="dense")])
    load_tf1_weights(model, tmp_path)
    check_outputs(model, numbers(BATCH, 3), expected)


def test_what_train_has_saved(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        output = mlp()
        loss = tf.reduce_mean(tf.square(tf.nn.dropout(output, 0.5) - 1.0))
        step = v1.train.get_or_create_global_step()
        train_op = v1.train.AdamOptimizer(0.1).minimize(loss, global_step=step)
    train(graph, tmp_path, train_op, loss, max_steps=3)
    report = load_tf1_weights(keras_mlp(), tmp_path)
    assert len(report.filled) == 6 and not report.unused
    assert report.checkpoint == str(tmp_path / "model.ckpt-3")


def test_in_graph_mode(tmp_path: Path) -> None:
    expected = save(tmp_path, mlp)
    model = keras_mlp()
    with tf.Graph().as_default():
        load_tf1_weights(model, tmp_path)
    check_outputs(model, numbers(BATCH, 3), expected)


def dense_model(units: int = 2, **options: Any) -> keras.Model:
    return keras.Sequential([keras.Input([2]), layers.Dense(units, use_bias=False, name="dense", **options)])


@pytest.mark.parametrize(
    ("dtype", "policy"),
    [("float64", "float32"), ("float32", "float16"), ("float16", "float32"), ("float32", "bfloat16")],
)
def test_floats_are_converted(dtype: str, policy: str, tmp_path: Path) -> None:
    value = np.array([[0.5, 1.25], [-3.0, 2.0]], dtype)
    save_tensors(tmp_path, {"dense/kernel": value})
    model = dense_model(dtype=policy)
    report = load_tf1_weights(model, tmp_path)
    np.testing.assert_array_equal(weight(model, "dense/kernel"), value)
    assert report.filled[0].note == f"{dtype} converted to {policy}"


def test_numbers_too_large_for_the_dtype(tmp_path: Path) -> None:
    save_tensors(tmp_path, {"dense/kernel": np.array([[1.0, 1e9], [np.inf, np.nan]])})
    (problem,) = refused(dense_model(dtype="float16"), tmp_path)
    assert problem == "dense/kernel: numbers in dense/kernel are too large for float16"
    load_tf1_weights(dense_model(), tmp_path)


def test_integers_are_not_converted(tmp_path: Path) -> None:
    save_tensors(tmp_path, {"dense/kernel": np.arange(4).reshape(2, 2)})
    for options in ({}, {"strict": False}, {"name_map": {"dense": "dense"}}):
        (problem,) = refused(dense_model(), tmp_path, **options)
        assert problem.startswith(
            "dense/kernel: float32 in the model, but dense/kernel is int64 in the checkpoint"
        )


# Arguments that cannot be right.


def test_a_model_that_is_not_built(tmp_path: Path) -> None:
    save(tmp_path, mlp)
    for model in (keras.Sequential([layers.Dense(2)]), layers.Dense(2)):
        with pytest.raises(ValueError, match="is not built"):
            load_tf1_weights(model, tmp_path)


def test_what_is_no_layer(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"of Keras 3 .* it is a tensorflow\..*Graph"):
        load_tf1_weights(tf.Graph(), tmp_path)


def test_a_checkpoint_of_objects(tmp_path: Path) -> None:
    model = dense_model()
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "ckpt"))
    with pytest.raises(ValueError, match="TensorFlow 2"):
        load_tf1_weights(model, path)


def test_checkpoints_that_are_not_there(tmp_path: Path) -> None:
    save(tmp_path, mlp)
    model = keras_mlp()
    (tmp_path / "empty").mkdir()
    for path in ("empty", "nothing", "model.ckpt-7.index", "model.ckpt-7.meta"):
        with pytest.raises(ValueError, match=r"There is no checkpoint|cannot be read"):
            load_tf1_weights(model, tmp_path / path)


@pytest.mark.parametrize("harm", ["a bit", "the end", "all"])
def test_damaged_checkpoints(harm: str, tmp_path: Path) -> None:
    save(tmp_path, mlp)
    data = tmp_path / "model.ckpt-7.data-00000-of-00001"
    old = data.read_bytes()
    if harm == "all":
        os.remove(data)
    else:
        data.write_bytes(old[:8] if harm == "the end" else bytes([old[0] ^ 1]) + old[1:])
    model = keras_mlp()
    before = values(model)
    with pytest.raises(ValueError, match="cannot be read"):
        load_tf1_weights(model, tmp_path / "model.ckpt-7")
    with pytest.raises(DamagedCheckpointError):
        load_tf1_weights(model, tmp_path)
    for was, value in zip(before, values(model), strict=True):
        np.testing.assert_array_equal(was, value)


# A law.

NAMES = st.lists(st.sampled_from(["a", "b", "conv1", "Layer"]), min_size=1, max_size=2).map(tuple)


@st.composite
def stacks(draw: st.DrawFn) -> list[tuple[tuple[str, ...], bool]]:
    """Dense layers: the scope of each, and whether it has a bias."""
    scopes = draw(st.lists(NAMES, min_size=1, max_size=4, unique_by=lambda scope: "_".join(scope)))
    return [(scope, draw(st.booleans())) for scope in scopes]


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    stack=stacks(),
    scope=st.sampled_from(["", "model/", "a/", "x/a/"]),
    leaves=st.sampled_from([("weights", "biases"), ("kernel", "bias"), ("w", "b")]),
    decoys=st.sets(st.integers(0, 3)),
    missing=st.sets(st.integers(0, 7), max_size=1),
)
def test_each_weight_gets_its_own_value_or_is_reported(
    stack: Any, scope: str, leaves: Any, decoys: set[int], missing: set[int], tmp_path_factory: Any
) -> None:
    """Whatever the layers are called, and whatever else is in the checkpoint."""
    expected: dict[str, str] = {}
    made = []
    for parts, has_bias in stack:
        name = "_".join(parts)
        made.append(layers.Dense(2, use_bias=has_bias, name=name))
        for ours, theirs in list(zip(("kernel", "bias"), leaves, strict=True))[: 1 + has_bias]:
            expected[f"{name}/{ours}"] = f"{scope}{'/'.join(parts)}/{theirs}"
    model = keras.Sequential([keras.Input([2]), *made], name="stack")

    tensors: dict[str, np.ndarray] = {}
    for number, (path, name) in enumerate(expected.items()):
        value = np.full([2, 2] if "kernel" in path else [2], number + 1.0, np.float32)
        if number not in missing:
            tensors[name] = value
            if number in decoys and not missing:
                tensors[f"other_network/{name}"] = -value
    if not tensors:
        return
    save_tensors(directory := tmp_path_factory.mktemp("stack"), tensors)
    try:
        report = load_tf1_weights(model, directory, strict=False)
    except CheckpointMismatchError as error:
        assert len(error.problems) > 0
        return
    filled = sources(report)
    assert set(filled) | set(report.unfilled) == set(expected)
    for path, found in filled.items():
        assert found == (expected[path],)
        np.testing.assert_array_equal(weight(model, path), tensors[expected[path]])
    if not missing and (scope == "" or (scope == "model/" and not decoys)):
        assert not report.unfilled
