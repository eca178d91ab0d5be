import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import train
from keras_legacy_train.contrib import framework, layers
from keras_legacy_train.contrib.layers import utils

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_initializers_have_the_variance_of_fans():
    draw = {
        "xavier": layers.xavier_initializer(seed=1)([300, 200]),
        "normal": layers.xavier_initializer(uniform=False, seed=1)([300, 200]),
        "he": layers.variance_scaling_initializer(seed=1)([3, 3, 50, 40]),
        "out": layers.variance_scaling_initializer(1.0, "FAN_OUT", True, 1)([400, 100]),
    }
    with v1.Session() as session:
        drawn = session.run(draw)
    assert np.abs(drawn["xavier"]).max() < np.sqrt(3 / 250)
    # 1.3 makes up for the tails that are cut off, but for 1%.
    expected = {"xavier": 1 / 250, "normal": 1 / 250, "he": 2 / 450, "out": 1 / 100}
    for name, variance in expected.items():
        np.testing.assert_allclose(drawn[name].var(), variance, rtol=0.03)


def test_wrong_initializers_and_regularizers_are_refused():
    with pytest.raises(TypeError, match="Unknown mode MEAN"):
        layers.variance_scaling_initializer(mode="MEAN")
    with pytest.raises(TypeError, match="non-floating"):
        layers.xavier_initializer(dtype=tf.int32)
    with pytest.raises(ValueError, match="scale cannot be an integer: 1"):
        layers.l2_regularizer(1)
    with pytest.raises(ValueError, match="less than 0"):
        layers.l1_regularizer(-0.1)
    with pytest.raises(TypeError, match="non-floating"):
        layers.variance_scaling_initializer()([2, 2], dtype=tf.int32)
    with pytest.raises(ValueError, match="No weights"):
        layers.apply_regularization(layers.l2_regularizer(0.1))
    with pytest.raises(ValueError, match="must return a scalar Tensor instead of a Tensor with rank 1"):
        layers.apply_regularization(lambda weights: 2.0 * weights, [tf.ones([3])])
    assert layers.l2_regularizer(0.0)(tf.ones([2])) is None
    assert layers.sum_regularizer([None]) is None


def test_wrong_layers_are_refused():
    image = v1.placeholder(tf.float32, [None, 4, 4, 2])
    wide = v1.placeholder(tf.float32, [None, 4, None, 6])
    unknown = v1.placeholder(tf.float32)
    matrix = v1.placeholder(tf.float32, [None, 3])
    sparse = tf.SparseTensor([[0, 0]], [1], [1, 1])
    for call, message in [
        (lambda: layers.fully_connected(image, 2.5), "num_outputs type"),
        (lambda: layers.conv1d(image, 2, 2), "expects input with rank 3, got 4"),
        (lambda: layers.conv2d(image, 2, 2, data_format="NWHC"), "Invalid data_format"),
        (lambda: layers.max_pool2d(image, 2, data_format="NWHC"), "either NCHW or NHWC"),
        (lambda: layers.max_pool3d(image, 2, data_format="NHWC"), "either NCDHW or NDHWC"),
        (lambda: layers.layer_norm(unknown), "undefined rank"),
        (lambda: layers.batch_norm(image, renorm=True, updates_collections=None), "renorm is not supported"),
        (lambda: layers.layer_norm(matrix, begin_norm_axis=2), r"begin_norm_axis \(2\) must be < rank"),
        (lambda: layers.layer_norm(wide, begin_params_axis=2), r"shape\(inputs\)\[2:\] is not fully defined"),
        (lambda: layers.group_norm(image, 3), "Invalid groups 3 for 2 channels"),
        (
            lambda: layers.group_norm(wide, 4, reduction_axes=[1]),
            "6 channels is not commensurate with 4",
        ),
        (lambda: layers.group_norm(wide, 2, 4), "Axis is out of bounds"),
        (lambda: layers.group_norm(wide, 2, -5, (-4,)), "Axis is out of bounds"),
        (lambda: layers.group_norm(wide, 2, -1, (-3, -5)), "Axis is out of bounds"),
        (lambda: layers.group_norm(wide, 2), "has undefined dimensions 2"),
        (lambda: layers.group_norm(wide, 2, -1, (1, -1)), "must be mutually exclusive with channels_axis"),
        (lambda: layers.instance_norm(wide[..., 0]), "undefined channels dimension"),
        (lambda: layers.conv2d(matrix, 2, 2), "input with rank 4, got 2"),
        (lambda: layers.convolution(matrix, 2, 2), "not supported for input with rank 2"),
        (lambda: layers.pool(matrix, 2, "MAX"), "Rank of inputs must be known, and >= 3"),
        (lambda: layers.unit_norm(unknown, 1), "input rank must be known"),
        (lambda: layers.bias_add(matrix, data_format="NCHW"), "NCHW only supports 4D"),
        (lambda: layers.bow_encoder([[1]], 0, 3), "Must specify vocab size"),
        (
            lambda: layers.softmax(v1.placeholder(tf.float32, [2, None])),
            "dimension -1 of shape must be",
        ),
        (lambda: layers.conv2d_in_plane(matrix, 2), "rank of shape must be at least 4 not: 2"),
        (lambda: layers.conv2d_in_plane(image, [1, 2, 3]), "Must be an int, a list with 2 elements"),
        (lambda: layers.embed_sequence([[1]], 3), "Must specify vocab size"),
        (lambda: layers.stack(image, layers.conv2d, 3), "list or tuple"),
        (lambda: layers.maxout(image, 3), "not a multiple"),
        (lambda: layers.unit_norm(image, 4), "dim must be"),
        (lambda: layers.softmax(unknown), "dims of shape must be known"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="expected to be dense"):
        layers.bow_encoder(sparse, 3, 3, sparse_lookup=False)


def test_arguments_of_layers_come_from_scopes():
    assert framework.arg_scoped_arguments(layers.conv2d)[0] == "stride"
    assert layers.conv2d is layers.convolution2d
    with (
        framework.arg_scope([layers.conv2d, layers.conv2d_transpose], padding="VALID", stride=2),
        framework.arg_scope([layers.max_pool2d], stride=1),
    ):
        image = layers.conv2d(tf.ones([1, 9, 9, 1]), 2, 3)
        assert layers.max_pool2d(image, 2).shape == [1, 3, 3, 2]
    assert layers.conv2d(image, 2, 3, scope="again").shape == [1, 4, 4, 2]


def test_end_points_are_in_a_dict_by_name():
    layers.conv2d(tf.ones([1, 4, 4, 1]), 2, 3, scope="a/conv", outputs_collections="points")
    last = layers.flatten(tf.ones([1, 4]), outputs_collections=["points"], scope="flat")
    points = utils.convert_collection_to_dict("points", clear_collection=True)
    assert list(points) == ["a/conv", "flat"]
    assert points["flat"] is last
    assert v1.get_collection("points") == []
    assert utils.gather_tensors_aliases([last, tf.constant(1.0, name="one")]) == ["flat", "one"]


def test_partitioned_variables_are_added_to_collections_in_parts():
    with v1.variable_scope("parts", partitioner=v1.fixed_size_partitioner(2)):
        layers.fully_connected(tf.ones([2, 4]), 3, variables_collections=["mine"], biases_initializer=None)
    names = [variable.op.name for variable in v1.get_collection("mine")]
    assert names == ["parts/fully_connected/weights/part_0", "parts/fully_connected/weights/part_1"]
    assert v1.get_collection("mine") == framework.get_model_variables()


def test_a_batch_norm_that_is_no_training_leaves_its_averages_as_they_are():
    training = v1.placeholder_with_default(False, [])
    outputs = [
        layers.batch_norm(
            tf.constant([[1.0], [3.0]]), updates_collections=None, is_training=training, **options
        )
        for options in ({}, {"fused": False}, {"zero_debias_moving_mean": True, "decay": 0.9})
    ]
    averages = [v for v in v1.global_variables() if not v.op.name.endswith("beta")]
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        before = session.run(averages)
        assert all(np.allclose(each, [[1.0], [3.0]], atol=0.01) for each in session.run(outputs))
        assert session.run(averages) == before
        in_training = session.run(outputs, {training: True})
        assert all(np.allclose(each, [[-1.0], [1.0]], atol=0.01) for each in in_training)
        debiased = next(v for v in averages if v.op.name == "BatchNorm_2/moving_mean")
        np.testing.assert_allclose(session.run(debiased), [2.0], rtol=1e-5)


def test_conditions_are_static_where_they_can_be():
    assert utils.smart_cond(True, lambda: 1, lambda: 2) == 1
    assert utils.smart_cond(tf.constant(False), lambda: 1, lambda: 2) == 2
    chosen = utils.smart_cond(
        v1.placeholder_with_default(True, []), lambda: tf.constant(1), lambda: tf.constant(2)
    )
    with v1.Session() as session:
        assert session.run(chosen) == 1
    assert utils.n_positive_integers(2, 3) == (3, 3)
    assert utils.two_element_tuple([1, 2]) == (1, 2)
    with pytest.raises(ValueError, match="Expected sequence of 2"):
        utils.n_positive_integers(2, [1, 0])
    with pytest.raises(ValueError, match="n must be a positive integer"):
        utils.n_positive_integers(0, 1)
    with pytest.raises(TypeError, match="fn2 must be callable"):
        utils.static_cond(True, lambda: 1, 2)
    with pytest.raises(ValueError, match="cannot be None"):
        utils.constant_value(None)
    with pytest.raises(ValueError, match="wrong type"):
        utils.constant_value(tf.constant(1), tf.bool)


def test_training_computes_what_a_session_does(graph, tmp_path):
    image = tf.constant(np.sin(np.arange(128.0)).reshape(4, 4, 4, 2), tf.float32)
    ones = v1.constant_initializer(0.1)
    with framework.arg_scope([layers.conv2d, layers.fully_connected], weights_initializer=ones):
        net = layers.conv2d(
            image,
            3,
            3,
            normalizer_fn=layers.batch_norm,
            normalizer_params={"updates_collections": None, "decay": 0.5, "scale": True},
        )
        net = layers.fully_connected(
            layers.flatten(net),
            4,
            normalizer_fn=layers.batch_norm,
            normalizer_params={"zero_debias_moving_mean": True, "decay": 0.5},
        )
        loss = tf.reduce_mean(tf.square(layers.linear(net, 1) - [[1.0], [0.0], [0.0], [2.0]]))
    step = framework.create_global_step()
    train_op = layers.optimize_loss(loss, step, learning_rate=0.1, optimizer="SGD", clip_gradients=1.0)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for _ in range(3):
            expected = session.run(train_op)
        trained = {variable.op.name: session.run(variable) for variable in v1.global_variables()}
    assert train(graph, str(tmp_path), train_op, loss, max_steps=3) == pytest.approx(expected, rel=1e-5)
    for name, value in trained.items():
        np.testing.assert_allclose(
            framework.load_variable(str(tmp_path), name), value, 1e-4, 1e-5, err_msg=name
        )
