"""Builds small networks of layers and cells, and observes what users see of them.

Runs under TensorFlow 1.15.5 (CPython 3.7) and under today's. A case takes a `Kit`: `kit.tf` has the API of
TensorFlow 1, `kit.layers` is `tf.layers` or what stands for it, `kit.cells` is `tf.nn.rnn_cell` or what stands
for it. It returns its output, a tensor or a list of tensors.
"""
import collections

import numpy as np

CASES = collections.OrderedDict()
SEED = 7


def case(build):
    CASES[build.__name__] = build
    return build


def pattern(shape, step=0.7):
    """Returns numbers between -1 and 1 that follow no simple rule."""
    size = int(np.prod(shape))
    return np.sin(step * np.arange(1, size + 1)).reshape(shape).astype("float32")


class Kit(object):
    """What a case builds with; keeps what is fed to its placeholders."""

    def __init__(self, tf, layers, cells):
        self.tf, self.layers, self.cells = tf, layers, cells
        self.feeds = {}

    def input(self, *shape, **options):
        """Returns a placeholder of a batch of 4."""
        known = options.get("known", shape)
        placeholder = self.tf.placeholder(self.tf.float32, (None,) + tuple(known), name="x")
        self.feeds[placeholder] = pattern((4,) + shape)
        return placeholder

    def bool(self, value):
        placeholder = self.tf.placeholder(self.tf.bool, (), name="training")
        self.feeds[placeholder] = value
        return placeholder

    def l2(self, scale):
        return lambda value: self.tf.multiply(scale, self.tf.nn.l2_loss(value), name="l2")


def numbers(array):
    """Returns a few numbers that tell an array from others."""
    flat = np.asarray(array, "float64").ravel()
    weights = np.cos(1.3 * np.arange(flat.size))
    return [float(number) for number in [flat.dot(weights)] + list(flat[:4])]


def observe(kit, build):
    """Builds a case in a new graph, runs it and trains it.

    Returns what can be written as JSON: names, collections, and numbers of the variables' first values (by the
    graph's seed), of outputs and gradients for fixed values, and of three steps of gradient descent.
    """
    tf = kit.tf
    config = tf.ConfigProto(allow_soft_placement=True)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    with tf.Graph().as_default(), tf.Session(config=config) as session:
        tf.set_random_seed(SEED)
        outputs = build(kit)
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        keys = tf.GraphKeys
        variables = tf.global_variables()
        trained = tf.trainable_variables()
        seen = {
            "outputs": [output.name for output in outputs],
            "shapes": [output.shape.as_list() for output in outputs],
            "variables": [
                [variable.op.name, variable.shape.as_list(), any(variable is each for each in trained)]
                for variable in variables
            ],
            "update_ops": [update.name for update in tf.get_collection(keys.UPDATE_OPS)],
            "losses": [loss.name for loss in tf.get_collection(keys.REGULARIZATION_LOSSES)],
        }
        loss = tf.add_n(
            [tf.reduce_mean(tf.square(output - 0.5)) for output in outputs]
            + tf.get_collection(keys.REGULARIZATION_LOSSES)
        )
        gradients = [tf.convert_to_tensor(0.0 if each is None else each) for each in tf.gradients(loss, trained)]
        optimizer = tf.train.GradientDescentOptimizer(0.1)
        with tf.control_dependencies([loss] + tf.get_collection(keys.UPDATE_OPS)):
            step = optimizer.minimize(loss, var_list=trained) if trained else tf.no_op()
        initializers = [variable.initializer for variable in variables]
        session.run([initializers, tf.tables_initializer()])
        seen["initial"] = [numbers(value) for value in session.run(variables)]
        fixed = {}
        for index, variable in enumerate(variables):
            value = 0.5 * pattern(variable.shape.as_list(), step=0.9 + 0.1 * index)
            positive = variable.op.name.endswith(("variance", "stddev"))
            fixed[initializers[index].inputs[1]] = 0.5 + np.abs(value) if positive else value
        session.run(initializers, fixed)
        results = session.run([outputs, gradients], kit.feeds)
        seen["values"], seen["gradients"] = ([numbers(value) for value in each] for each in results)
        seen["training"] = [float(session.run([loss, step], kit.feeds)[0]) for _ in range(3)]
        seen["trained"] = [numbers(value) for value in session.run(variables)]
    return seen


@case
def dense(kit):
    return kit.layers.dense(kit.input(5), 3)


@case
def dense_with_everything(kit):
    tf = kit.tf
    return kit.layers.dense(
        kit.input(5), 3, activation=tf.nn.tanh, kernel_initializer=tf.random_normal_initializer(seed=3),
        bias_initializer=tf.constant_initializer(0.5), kernel_regularizer=kit.l2(0.1),
        bias_regularizer=kit.l2(0.2), activity_regularizer=kit.l2(0.3),
        kernel_constraint=lambda kernel: tf.clip_by_value(kernel, -0.2, 0.2),
        bias_constraint=tf.nn.relu, name="logits")


@case
def dense_stack(kit):
    x = kit.layers.dense(kit.input(5), 4, "relu", False)
    x = kit.layers.dense(x, 4, activation="sigmoid", trainable=False)
    with kit.tf.variable_scope("tower"):
        return kit.layers.dense(x, 2, kernel_initializer="he_normal")


@case
def dense_of_higher_rank(kit):
    return kit.layers.dense(kit.input(3, 5), 2, name="d")


@case
def dense_of_sparse_tensor(kit):
    tf = kit.tf
    x = tf.SparseTensor([[0, 1], [2, 0], [2, 5], [3, 3]], pattern((4,)), [4, 6])
    return kit.layers.dense(x, 2)


@case
def dense_shared(kit):
    tf = kit.tf
    x = kit.input(5)
    with tf.variable_scope("model", reuse=tf.AUTO_REUSE):
        first = kit.layers.dense(x, 3, name="d", kernel_regularizer=kit.l2(0.1))
        second = kit.layers.dense(2.0 * x, 3, name="d", kernel_regularizer=kit.l2(0.1))
    layer = kit.layers.Dense(3, name="shared")
    third = layer(first)
    return [second, third, layer.apply(second)]


@case
def dense_in_scope(kit):
    tf = kit.tf
    x = kit.input(5)
    options = dict(
        initializer=tf.constant_initializer(0.25), regularizer=kit.l2(0.1),
        partitioner=tf.fixed_size_partitioner(2))
    with tf.variable_scope("parts", **options):
        x = kit.layers.dense(x, 4)
    with tf.variable_scope("averages", partitioner=options["partitioner"]):
        return kit.layers.batch_normalization(x, training=True)


@case
def flatten(kit):
    x = kit.input(2, 3, 4)
    layer = kit.layers.Flatten(data_format="channels_first")
    return [kit.layers.flatten(x), layer(x), kit.layers.flatten(kit.input(3, 2, known=(None, 2)), name="f")]


@case
def dropout(kit):
    x = kit.input(6)
    return [
        kit.layers.dropout(x, 0.4, seed=3, training=True),
        kit.layers.dropout(x, rate=0.25, noise_shape=[None, 1], seed=5, training=True, name="rows"),
        kit.layers.dropout(x),
        kit.layers.dropout(x, training=kit.bool(True), seed=9),
        kit.layers.Dropout(0.3)(x, training=kit.bool(False)),
    ]


@case
def batch_normalization(kit):
    return kit.layers.batch_normalization(kit.input(5), training=True)


@case
def batch_normalization_in_inference(kit):
    return kit.layers.batch_normalization(kit.input(5), center=False, gamma_regularizer=kit.l2(0.1))


@case
def batch_normalization_by_tensor(kit):
    x = kit.input(3, 3, 2)
    first = kit.layers.batch_normalization(x, training=kit.bool(True), momentum=0.7, name="fused")
    second = kit.layers.batch_normalization(first, training=kit.bool(False), fused=False, name="plain")
    return kit.layers.batch_normalization(second, training=kit.bool(False), scale=False)


@case
def batch_normalization_fused(kit):
    x = kit.layers.batch_normalization(kit.input(3, 3, 2), training=True, momentum=0.5)
    return kit.layers.batch_normalization(x, scale=False, center=False, training=True, epsilon=0.1)


@case
def batch_normalization_not_fused(kit):
    x = kit.input(3, 3, 2)
    x = kit.layers.batch_normalization(x, fused=False, training=True, momentum=0.5)
    x = kit.layers.batch_normalization(x, axis=2, training=True)
    return kit.layers.batch_normalization(x, axis=[1, 3], training=True, trainable=False)


@case
def batch_normalization_shared(kit):
    x = kit.input(5)
    layer = kit.layers.BatchNormalization(name="shared", trainable=True)
    return [layer(x), kit.layers.batch_normalization(x + 1.0, name="shared", reuse=True)]


@case
def batch_renormalization(kit):
    clipping = {"rmin": 0.5, "rmax": 1.5, "dmax": 0.3}
    x = kit.layers.batch_normalization(
        kit.input(5), training=True, renorm=True, renorm_clipping=clipping, renorm_momentum=0.8)
    return kit.layers.batch_normalization(x, training=kit.bool(True), renorm=True)


@case
def batch_normalization_of_parts(kit):
    x = kit.layers.batch_normalization(kit.input(5), training=True, virtual_batch_size=2)
    adjustment = lambda shape: (
        kit.tf.random_uniform([shape[0], 1], 0.5, 1.5, seed=3), kit.tf.fill([shape[0], 1], 0.2))
    return kit.layers.batch_normalization(x, training=True, adjustment=adjustment)


@case
def conv1d(kit):
    layers = kit.layers
    x = kit.input(7, 3)
    first = layers.conv1d(x, 4, 3, activation=kit.tf.nn.relu, kernel_regularizer=kit.l2(0.1))
    second = layers.conv1d(x, 2, (2,), 2, "same", name="wide")
    third = layers.Conv1D(2, 3, padding="causal", dilation_rate=2)(x)
    return [first, second, third, layers.conv1d(x, 2, 3, dilation_rate=2)]


@case
def conv2d(kit):
    layers = kit.layers
    x = kit.input(6, 5, 3)
    first = layers.conv2d(x, 2, (3, 2), strides=(2, 1), padding="SAME", activity_regularizer=kit.l2(0.1))
    second = layers.conv2d(x, 4, 2, dilation_rate=(2, 1), name="dilated")
    with kit.tf.variable_scope("model", reuse=kit.tf.AUTO_REUSE):
        third = layers.conv2d(first, 2, 1, name="shared")
        fourth = layers.conv2d(third, 2, 1, name="shared", trainable=False)
    return [second, fourth, layers.Conv2D(1, 3, activation="elu")(x)]


@case
def conv3d(kit):
    x = kit.input(4, 5, 3, 2)
    first = kit.layers.conv3d(x, 3, 2, bias_initializer=kit.tf.constant_initializer(0.5))
    return [first, kit.layers.conv3d(x, 2, (1, 2, 3), (2, 1, 1), padding="same", name="c")]


@case
def separable_conv(kit):
    x = kit.layers.separable_conv2d(
        kit.input(5, 6, 3), 4, 3, padding="same", depth_multiplier=2, activation="tanh",
        depthwise_regularizer=kit.l2(0.1), pointwise_regularizer=kit.l2(0.2))
    y = kit.layers.separable_conv2d(x, 2, (2, 2), dilation_rate=(2, 2), name="dilated")
    z = kit.input(7, 2)
    return [
        kit.layers.separable_conv2d(x, 3, 2, strides=2), y,
        kit.layers.separable_conv1d(z, 3, 2, strides=2, use_bias=False),
        kit.layers.SeparableConv1D(2, 3, padding="causal", name="causal")(z)]


@case
def conv_transpose(kit):
    layers = kit.layers
    x = kit.input(3, 4, 2)
    first = layers.conv2d_transpose(x, 3, 3, strides=(2, 3), kernel_regularizer=kit.l2(0.1))
    second = layers.conv2d_transpose(x, 2, (1, 2), 2, "same", activation=kit.tf.nn.relu, name="t")
    third = layers.conv2d_transpose(kit.input(2, 4, 3), 2, 2, data_format="channels_first")
    volume = layers.conv3d_transpose(kit.input(2, 3, 2, 2), 2, 2, strides=(2, 1, 1), use_bias=False)
    return [first, second, third, volume, layers.Conv3DTranspose(1, 3, padding="same")(volume)]


@case
def pooling(kit):
    layers = kit.layers
    line, image, volume = kit.input(7, 3), kit.input(5, 6, 2), kit.input(4, 5, 3, 2)
    return [
        layers.max_pooling1d(line, 2, 2), layers.average_pooling1d(line, (3,), 1, padding="same", name="p"),
        layers.max_pooling1d(line, 2, 2, data_format="channels_first"),
        layers.max_pooling2d(image, (2, 3), (2, 1)), layers.average_pooling2d(image, 2, 2, "same"),
        layers.MaxPooling2D(pool_size=[2, 2], strides=[1, 1], name="p")(image),
        layers.max_pooling3d(volume, 2, 1), layers.average_pooling3d(volume, (1, 2, 2), 2, padding="same"),
        layers.AveragePooling3D(2, 1, data_format="channels_first")(volume)]


def once(kit, cell, size=2):
    """Returns the output of one call of a cell, and the new state."""
    output, state = cell(kit.input(size), cell.zero_state(4, kit.tf.float32))
    return [output] + list(state if isinstance(state, tuple) else [state])


def unrolled(kit, cell, state=None, steps=3, size=2):
    """Returns all outputs of a cell, and its last state."""
    x = kit.input(steps, size)
    outputs, last = kit.tf.nn.dynamic_rnn(cell, x, initial_state=state, dtype=kit.tf.float32)
    last = list(last) if isinstance(last, tuple) else [last]
    return [outputs] + [each for part in last for each in (part if isinstance(part, tuple) else [part])]


@case
def basic_rnn(kit):
    tf, cells = kit.tf, kit.cells
    x = kit.input(2)
    cell = cells.BasicRNNCell(3, activation=tf.nn.relu, name="once")
    output, state = cell(x, cell.zero_state(4, tf.float32))
    again, _ = cell(x, state)
    return [output, again] + unrolled(kit, cells.BasicRNNCell(2))


@case
def gru(kit):
    tf, cells = kit.tf, kit.cells
    with tf.variable_scope("first", initializer=tf.constant_initializer(0.3)):
        first = unrolled(kit, cells.GRUCell(3))
    cell = cells.GRUCell(
        2, activation="sigmoid", kernel_initializer=tf.zeros_initializer(),
        bias_initializer=tf.constant_initializer(0.5), trainable=True)
    x = kit.input(3, 2)
    second, _ = tf.nn.dynamic_rnn(cell, x, sequence_length=[3, 1, 2, 0], dtype=tf.float32, scope="second")
    return first + [second]


@case
def basic_lstm(kit):
    tf, cells = kit.tf, kit.cells
    x = kit.input(3, 2)
    first, state = tf.nn.static_rnn(
        cells.BasicLSTMCell(3, forget_bias=0.5), tf.unstack(x, axis=1), dtype=tf.float32, scope="static")
    cell = cells.BasicLSTMCell(2, state_is_tuple=False, activation=tf.nn.relu)
    return list(first) + list(state) + unrolled(kit, cell)


@case
def lstm(kit):
    tf, cells = kit.tf, kit.cells
    plain = once(kit, cells.LSTMCell(3, forget_bias=0.0))
    with tf.variable_scope("rich"):
        cell = cells.LSTMCell(
            4, use_peepholes=True, cell_clip=0.4, initializer=tf.constant_initializer(0.2), num_proj=3,
            proj_clip=0.1)
        rich = unrolled(kit, cell)
    with tf.variable_scope("joined"):
        joined = once(kit, cells.LSTMCell(4, num_proj=2, num_unit_shards=2, state_is_tuple=False))
    return plain + rich + joined


@case
def stacked(kit):
    tf, cells = kit.tf, kit.cells
    cell = cells.MultiRNNCell([cells.BasicLSTMCell(3), cells.ResidualWrapper(cells.GRUCell(3)), cells.LSTMCell(2)])
    state = cell.zero_state(4, tf.float32)
    joined = cells.MultiRNNCell([cells.GRUCell(2), cells.GRUCell(3)], state_is_tuple=False)
    with tf.variable_scope("joined"):
        outputs = once(kit, joined)
    return outputs + unrolled(kit, cell, state)


@case
def bidirectional(kit):
    tf, cells = kit.tf, kit.cells
    outputs, states = tf.nn.bidirectional_dynamic_rnn(
        cells.GRUCell(2), cells.BasicLSTMCell(3), kit.input(3, 2), dtype=tf.float32)
    return list(outputs) + [states[0]] + list(states[1])


@case
def dropout_wrapper(kit):
    tf, cells = kit.tf, kit.cells
    plain = cells.DropoutWrapper(cells.BasicLSTMCell(5, name="a"), 0.5, 0.6, 0.7, seed=3)
    by_tensor = cells.DropoutWrapper(
        cells.GRUCell(5, name="b"), output_keep_prob=tf.placeholder_with_default(0.5, []), seed=4)
    variational = cells.DropoutWrapper(
        cells.LSTMCell(5, name="c"), 0.5, 0.6, 0.7, variational_recurrent=True, input_size=6, dtype=tf.float32,
        seed=5)
    filtered = cells.DropoutWrapper(
        cells.LSTMCell(5, name="d"), state_keep_prob=0.5, seed=6, dropout_state_filter_visitor=lambda state: True)
    device = cells.DeviceWrapper(cells.ResidualWrapper(
        cells.GRUCell(6, name="e"), residual_fn=lambda inputs, outputs: 2.0 * inputs + outputs), "/cpu:0")
    return [
        each for cell in (plain, by_tensor, variational, filtered, device) for each in once(kit, cell, size=6)]


@case
def filtered_dropout(kit):
    tf, cells = kit.tf, kit.cells
    memories = lambda state: (
        cells.LSTMStateTuple(c=True, h=False) if isinstance(state, cells.LSTMStateTuple) else True)
    of_memories = cells.DropoutWrapper(
        cells.LSTMCell(5, name="a"), state_keep_prob=0.5, seed=3, dropout_state_filter_visitor=memories)
    stacks = [
        cells.MultiRNNCell([cells.LSTMCell(5, name=name + "0"), cells.GRUCell(4, name=name + "1")])
        for name in "bc"]
    of_stack = cells.DropoutWrapper(stacks[0], state_keep_prob=0.5, seed=4)
    without_lstm = cells.DropoutWrapper(
        stacks[1], state_keep_prob=0.5, seed=4,
        dropout_state_filter_visitor=lambda state: not isinstance(state, cells.LSTMStateTuple))
    outputs = once(kit, of_memories, size=6)
    for cell in (of_stack, without_lstm):
        output, ((c, h), state) = cell(kit.input(6), cell.zero_state(4, tf.float32))
        outputs += [output, c, h, state]
    return outputs


@case
def cell_of_a_user(kit):
    tf, cells = kit.tf, kit.cells

    class Cell(cells.RNNCell):
        @property
        def state_size(self):
            return 3

        @property
        def output_size(self):
            return 2

        def call(self, inputs, state):
            kernel = tf.get_variable("kernel", [5, 3])
            with tf.variable_scope("out"):
                out = tf.get_variable("kernel", [3, 2], initializer=tf.constant_initializer(0.5))
            state = tf.tanh(tf.matmul(tf.concat([inputs, state], 1), kernel))
            return tf.matmul(state, out), state

    return unrolled(kit, Cell()) + list(Cell(name="named")(kit.input(2), tf.ones([4, 3])))
