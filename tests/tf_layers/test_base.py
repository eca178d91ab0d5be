"""Layers in scopes, collections and loops: what each owes to users who write their own."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import Silent
from keras_legacy_train import tf_layers, train

v1 = tf.compat.v1
KEYS = v1.GraphKeys


class Scale(tf_layers.Layer):
    """Multiplies by a variable, and has a loss and an update."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight("factor", [], initializer=v1.ones_initializer())
        self.calls = self.add_weight("calls", [], dtype=tf.int64, initializer="zeros", trainable=False)

    def call(self, inputs: Any, scope: Any = None, power: int = 1) -> Any:
        self.seen_scope = scope.name
        self.add_loss(tf.reduce_sum(inputs))
        self.add_loss(lambda: 2.0 * self.factor)
        self.add_update(lambda: v1.assign_add(self.calls, 1))
        return inputs * self.factor**power


@pytest.fixture
def x() -> Any:
    with tf.Graph().as_default():
        v1.set_random_seed(5)
        yield v1.placeholder(tf.float32, [None, 3], name="x")


def test_a_layer_of_a_user_is_built_once_in_its_scope(x: Any) -> None:
    layer = Scale(name="scale")
    with pytest.raises(ValueError, match="has not been used yet"):
        _ = layer.scope_name
    with pytest.raises(ValueError, match="isn't built"):
        layer.count_params()
    with v1.variable_scope("outer"):
        first = layer(x, power=2)
    second = layer.apply(x)
    assert [first.op.name, second.op.name] == ["outer/scale/mul_1", "outer/scale/mul_3"]
    assert layer.scope_name == layer.seen_scope == "outer/scale"
    assert [each.op.name for each in layer.variables] == ["outer/scale/factor", "outer/scale/calls"]
    assert layer.variables == v1.global_variables() == [layer.factor, layer.calls]
    assert layer.trainable_variables == v1.trainable_variables() == [layer.factor]
    assert layer.non_trainable_weights == layer.non_trainable_variables == [layer.calls]
    assert layer.losses == v1.losses.get_regularization_losses()
    assert layer.updates == v1.get_collection(KEYS.UPDATE_OPS)
    assert [len(layer.losses), len(layer.updates), layer.count_params()] == [4, 2, 2]
    assert layer.get_losses_for(x) == layer.losses[::2]
    assert layer.get_losses_for(None) == layer.losses[1::2]
    assert layer.get_updates_for(None) == layer.updates
    assert layer.get_updates_for(x) == []


def test_a_layer_that_is_not_trained_has_no_trained_variables_and_no_updates(x: Any) -> None:
    layer = Scale(trainable=False)
    layer(x)
    assert v1.trainable_variables() == layer.trainable_weights == layer.updates == []
    assert layer.non_trainable_weights == layer.weights == [layer.factor, layer.calls]


def test_a_layer_without_a_call_returns_its_inputs(x: Any) -> None:
    layer = tf_layers.Layer(name="nothing")
    variable = layer.add_variable("factor", [2], initializer="zeros")
    assert layer(x) is x
    assert (variable.op.name, layer.variables) == ("nothing/factor", [variable])
    with pytest.raises(NotImplementedError, match="Layer has no compute_output_shape"):
        layer.compute_output_shape([2, 3])
    with pytest.raises(ValueError, match="ON_READ only for non-trainable variables"):
        layer.add_weight(
            "read",
            [],
            trainable=True,
            synchronization=tf.VariableSynchronization.ON_READ,
            initializer="zeros",
        )


def test_an_object_uses_the_variables_of_another(x: Any) -> None:
    first = tf_layers.Dense(2, name="shared")
    first(x)
    again = tf_layers.Dense(2, name="shared", _reuse=True)
    again(x)
    assert again.kernel is first.kernel and again.bias is first.bias
    with pytest.raises(ValueError, match="missing/kernel does not exist"):
        tf_layers.Dense(2, name="missing", _reuse=True)(x)


def test_a_variable_says_whether_this_is_training(x: Any) -> None:
    training = v1.get_variable("training", initializer=False, trainable=False, use_resource=True)
    dropped = tf_layers.dropout(x, 0.5, seed=3, training=training)
    ones = np.ones([4, 3], "float32")
    with v1.Session() as session:
        session.run(training.initializer)
        assert session.run(dropped, {x: ones}).tolist() == ones.tolist()
        session.run(training.assign(True))
        assert set(session.run(dropped, {x: ones}).ravel()) == {0.0, 2.0}


def test_layers_that_keep_the_shape_say_so() -> None:
    with tf.Graph().as_default():
        for layer in (tf_layers.Dropout(), tf_layers.BatchNormalization()):
            assert layer.compute_output_shape([None, 3]).as_list() == [None, 3]
        with pytest.raises(ValueError, match="innermost dimension of input_shape must be defined"):
            tf_layers.Dense(2).compute_output_shape([2, None])


def test_names_are_counted_in_each_graph(x: Any) -> None:
    assert [Scale().name, Scale(name="mine").name, Scale().name] == ["scale_1", "mine", "scale_2"]
    with tf.Graph().as_default():
        assert tf_layers.BatchNormalization().name == "batch_normalization_1"


def test_first_values_are_those_of_get_variable(x: Any) -> None:
    tf_layers.dense(x, 4)
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(5)
        kernel = v1.get_variable("kernel", [3, 4])
        session.run(kernel.initializer)
        expected = session.run(kernel)
    with v1.Session(graph=x.graph) as session:
        (kernel, _) = v1.global_variables()
        session.run(kernel.initializer)
        np.testing.assert_array_equal(session.run(kernel), expected)


def test_a_scope_can_be_reused(x: Any) -> None:
    tf_layers.dense(x, 4, name="d")
    with pytest.raises(ValueError, match="already exists"):
        tf_layers.dense(x, 4, name="d")
    with pytest.raises(ValueError, match="does not exist"):
        tf_layers.dense(x, 4, name="other", reuse=True)
    tf_layers.dense(x, 4, name="d", reuse=True)
    tf_layers.dense(x, 4, name="d", reuse=v1.AUTO_REUSE)
    with v1.variable_scope("model") as scope:
        tf_layers.dense(x, 2)
    with v1.variable_scope(scope, reuse=True):
        tf_layers.dense(x, 2)
    layer = tf_layers.Dense(2, _scope=scope, _reuse=v1.AUTO_REUSE)
    layer(x)
    names = [each.op.name for each in v1.global_variables()]
    assert names == [
        "d/kernel",
        "d/bias",
        "model/dense/kernel",
        "model/dense/bias",
        "model/kernel",
        "model/bias",
    ]


def test_the_dtype_is_that_of_the_input_unless_it_is_given(x: Any) -> None:
    layer = tf_layers.Dense(2)
    assert layer.dtype is None
    assert layer(tf.cast(x, tf.float64)).dtype == tf.float64
    assert layer.dtype == layer.kernel.dtype.base_dtype == tf.float64
    assert tf_layers.Dense(2, dtype=tf.float64)(x).dtype == tf.float64
    normal = tf_layers.BatchNormalization()
    assert normal(tf.cast(x, tf.float16)).dtype == tf.float16
    assert normal.gamma.dtype.base_dtype == tf.float32


def test_a_custom_getter_has_the_last_word(x: Any) -> None:
    def frozen(getter: Any, *args: Any, **kwargs: Any) -> Any:
        return getter(*args, **kwargs | {"trainable": False})

    def halved(getter: Any, *args: Any, **kwargs: Any) -> Any:
        return 0.5 * getter(*args, **kwargs)

    layers = []
    for getter in (frozen, halved):
        with v1.variable_scope(getter.__name__, custom_getter=getter):
            layers.append(tf_layers.Dense(2, use_bias=False))
            layers[-1](x)
    assert layers[0].non_trainable_weights == [layers[0].kernel]
    assert isinstance(layers[1].kernel, tf.Tensor)
    assert [each.op.name for each in v1.trainable_variables()] == ["halved/dense/kernel"]


def test_a_partitioned_variable_is_trained(x: Any) -> None:
    with v1.variable_scope("s", partitioner=v1.fixed_size_partitioner(3)):
        layer = tf_layers.Dense(2, kernel_regularizer=tf.nn.l2_loss, use_bias=False)
        layer(x)
    assert layer.trainable_weights == [layer.kernel]
    assert list(layer.kernel) == v1.trainable_variables()
    assert [len(layer.losses), layer.count_params()] == [3, 6]


@pytest.mark.usefixtures("variable_kind")
def test_regularisers_and_constraints_of_keras_work(x: Any) -> None:
    layer = tf_layers.Dense(
        1,
        kernel_initializer=v1.constant_initializer(-2.0),
        kernel_regularizer=keras.regularizers.L2(0.25),
        kernel_constraint="non_neg",
    )
    loss = tf.reduce_sum(layer(x)) + v1.losses.get_regularization_loss()
    train_op = v1.train.GradientDescentOptimizer(0.0).minimize(loss)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        assert session.run(layer.losses) == [3.0]
        session.run(train_op, {x: np.zeros([1, 3])})
        assert session.run(layer.kernel).tolist() == [[0.0]] * 3


def test_copies_have_variables_of_their_own(x: Any) -> None:
    layer = tf_layers.Dense(2, kernel_regularizer="l2")
    twin = copy.deepcopy(layer)
    layer(x)
    assert copy.deepcopy(layer).kernel is layer.kernel
    twin(x)
    assert [layer.scope_name, twin.scope_name] == ["dense", "dense_1"]
    assert len(layer.losses) == len(twin.losses) == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: tf_layers.dense(x[0], 2), ValueError, r"Input 0 of layer dense_1 .* expected min_ndim=2"),
        (lambda x: tf_layers.dense(v1.placeholder(tf.float32), 2), ValueError, "its rank is undefined"),
        (lambda x: tf_layers.dense(v1.placeholder(tf.float32, [2, None]), 2), ValueError, "last dimension"),
        (lambda x: tf_layers.dense(tf.zeros([2, 2], tf.int32), 2), TypeError, "non-floating point dtype"),
        (
            lambda x: tf_layers.dense(x, 2, activation="sigmod"),
            ValueError,
            "Unknown activation function:sigmod",
        ),
        (lambda x: tf_layers.dense(x, 2, kernel_initializer="big"), ValueError, "Unknown initializer: big"),
        (lambda x: tf_layers.Dense(2, kernel_shape=3), TypeError, "kernel_shape"),
        (
            lambda x: tf_layers.flatten(x, data_format="NHWC"),
            ValueError,
            "`data_format` argument must be one of",
        ),
        (lambda x: tf_layers.batch_normalization(x, axis=2), ValueError, "Invalid axis: 2"),
        (lambda x: tf_layers.batch_normalization(x, axis=[1, -1]), ValueError, "Duplicate axis"),
        (lambda x: tf_layers.batch_normalization(x, axis="1"), TypeError, "axis must be int or list"),
        (lambda x: tf_layers.batch_normalization(x, axis=0), ValueError, "undefined `axis` dimension"),
        (lambda x: tf_layers.batch_normalization(x, virtual_batch_size=0), ValueError, "positive integer"),
        (
            lambda x: tf_layers.batch_normalization(x, renorm=True, renorm_clipping={"max": 1}),
            ValueError,
            "contains keys not in",
        ),
        (
            lambda x: tf_layers.batch_normalization(x[:4], axis=0, virtual_batch_size=2),
            ValueError,
            "batch dimension must be 0",
        ),
        (
            lambda x: tf_layers.batch_normalization(
                x, virtual_batch_size=2, adjustment=lambda shape: (1.0, 0.0)
            ),
            ValueError,
            "adjustment cannot be specified",
        ),
        (
            lambda x: tf_layers.BatchNormalization().build(tf.TensorShape(None)),
            ValueError,
            "Input has undefined rank",
        ),
        (lambda x: tf_layers.InputSpec(ndim=2, axes={2: 3}), ValueError, "Axis 2 is greater than"),
        (lambda x: tf_layers.InputSpec(axes={"a": 3}), TypeError, "keys in axes must be integers"),
    ],
)
def test_what_does_not_fit_is_refused(x: Any, call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call(x)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"ndim": 3}, "expected ndim=3, found ndim=2"),
        ({"max_ndim": 1}, "expected max_ndim=1"),
        ({"axes": {-1: 4}}, "expected axis -1 of input shape to have value 4"),
        ({"shape": [None, 4]}, "expected shape"),
        ({"dtype": "int32"}, "expected dtype=int32"),
    ],
)
def test_a_layer_says_which_input_it_takes(x: Any, spec: dict[str, Any], message: str) -> None:
    layer = Scale()
    layer.input_spec = tf_layers.InputSpec(**spec)
    with pytest.raises(
        ValueError, match=f"Input 0 of layer scale_1 is incompatible with the layer: {message}"
    ):
        layer(x)


def test_a_layer_of_two_inputs_takes_no_other_number(x: Any) -> None:
    layer = tf_layers.Layer(name="two")
    layer.input_spec = [tf_layers.InputSpec(ndim=2), tf_layers.InputSpec(min_ndim=1, axes={-1: 3})]
    assert len(layer([x, x])) == 2
    with pytest.raises(ValueError, match="Layer two expects 2 inputs, but it received 1 input tensors"):
        layer([x])
    assert repr(layer.input_spec[1]) == "InputSpec(min_ndim=1, axes={-1: 3})"


def test_an_output_of_none_is_refused(x: Any) -> None:
    layer = Scale()
    layer.call = lambda inputs: None  # type: ignore[assignment]
    with pytest.raises(ValueError, match="should return a Tensor"):
        layer(x)


def test_a_layer_needs_a_graph() -> None:
    if tf.executing_eagerly():
        with pytest.raises(RuntimeError, match=r"with tf.Graph\(\).as_default\(\)"):
            tf_layers.dense(np.zeros([2, 3], "float32"), 2)


@pytest.mark.usefixtures("variable_kind")
def test_a_graph_of_layers_is_trained_in_windows(tmp_path: Path) -> None:
    def network() -> tuple[Any, Any]:
        step = v1.train.create_global_step()
        x = tf.constant(np.sin(np.arange(96.0)).reshape(4, 4, 2, 3), tf.float32)
        x = tf_layers.batch_normalization(x, training=v1.placeholder_with_default(True, []), momentum=0.8)
        x = tf_layers.dropout(tf_layers.flatten(x), 0.0, training=True)
        x = tf_layers.dense(x, 1, kernel_initializer="ones", kernel_regularizer=tf.nn.l2_loss)
        loss = tf.reduce_mean(tf.square(x - 1.0)) + v1.losses.get_regularization_loss()
        with tf.control_dependencies([loss, *v1.get_collection(KEYS.UPDATE_OPS)]):
            return v1.train.GradientDescentOptimizer(0.005).minimize(loss, step), loss

    with tf.Graph().as_default() as graph:
        train_op, loss = network()
    final = train(graph, tmp_path, train_op, loss, steps=8, monitors=[Silent()])
    with tf.Graph().as_default(), v1.Session() as session:
        train_op, loss = network()
        session.run(v1.global_variables_initializer())
        expected = [session.run([loss, train_op])[0] for _ in range(8)]
        averages = {each.op.name: session.run(each) for each in v1.global_variables()}
    assert expected[-1] < 0.9 * expected[0]
    np.testing.assert_allclose(final, expected[-1], rtol=1e-4)
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(tmp_path)))
    for name, value in averages.items():
        np.testing.assert_allclose(reader.get_tensor(name), value, 1e-4, 1e-5, err_msg=name)
