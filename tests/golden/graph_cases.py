"""Cases for `make_golden.py`: random ops, functions and control flow of old graphs.

Each gives the same numbers every time under TensorFlow 1.15.5 on a CPU.
"""

import tensorflow as tf
from make_golden import Job, case, linear_loss, minimize, rows
from tensorflow.python.framework import function

sgd = tf.train.GradientDescentOptimizer


def constant_rows():
    x, y = rows()
    return tf.constant(x), tf.constant(y)


def some_table(name, shape, seed):
    return tf.get_variable(name, shape, initializer=tf.random_normal_initializer(seed=seed))


# Random ops


@case()
def sampled_losses():
    """Sampled softmax and NCE: log-uniform candidates, with and without an op seed."""
    tf.set_random_seed(4)
    table = some_table("table", [50, 4], 1)
    w = some_table("w", [50, 4], 2)
    b = tf.get_variable("b", [50], initializer=tf.zeros_initializer())
    rows_ = tf.nn.embedding_lookup(table, [1, 5, 9, 20])
    labels = tf.constant([[2], [3], [40], [7]], tf.int64)
    softmax = tf.nn.sampled_softmax_loss(w, b, labels, rows_, 7, 50, seed=5)
    nce = tf.nn.nce_loss(w, b, labels, rows_, 7, 50)
    loss = tf.add(tf.reduce_mean(softmax), tf.reduce_mean(nce), name="loss")
    return Job(minimize(tf.train.AdagradOptimizer(0.5), loss), loss)


@case()
def shuffled_rows():
    """random_shuffle, integer random_uniform, random_gamma and multinomial."""
    tf.set_random_seed(4)
    x, y = constant_rows()
    picked = tf.concat(
        [
            tf.random_shuffle(tf.range(64), seed=3)[:16],
            tf.random_uniform([8], 0, 64, dtype=tf.int32, seed=2),
            tf.multinomial(tf.zeros([1, 64]), 4, seed=8, output_dtype=tf.int32)[0],
        ],
        axis=0,
    )
    fit = linear_loss(tf.gather(x, picked), tf.gather(y, picked))
    target = tf.get_variable("target", [], initializer=tf.ones_initializer())
    loss = tf.add(fit, tf.square(target - tf.random_gamma([], 2.0, seed=5)), name="total")
    return Job(minimize(sgd(0.05), loss), loss)


@case(steps_a=6, steps_b=3)
def rnn_dropout():
    """Dropout inside dynamic_rnn: random ops in a version 1 loop that runs iterations in parallel."""
    tf.set_random_seed(3)
    x, _ = rows(4 * 6, 3)
    cell = tf.nn.rnn_cell.GRUCell(5)
    cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=0.7, state_keep_prob=0.8, seed=3)
    outputs, _ = tf.nn.dynamic_rnn(cell, tf.constant(x.reshape(4, 6, 3)), dtype=tf.float32)
    loss = tf.reduce_mean(tf.square(outputs - 0.5), name="loss")
    return Job(minimize(tf.train.AdamOptimizer(0.05), loss), loss)


@case()
def scan_random():
    """tf.scan whose body draws normal numbers and samples classes."""
    tf.set_random_seed(3)
    w = tf.get_variable("w", [4], initializer=tf.ones_initializer())

    def step(state, x):
        drawn = tf.to_float(tf.multinomial([w], 1, seed=4)[0, 0])
        return state * 0.5 + w * x + tf.random_normal([4], seed=6) * 0.1 + drawn * 0.01

    states = tf.scan(step, tf.constant([1.0, 2.0, 3.0]), initializer=tf.zeros([4]), parallel_iterations=1)
    loss = tf.reduce_mean(tf.square(states), name="loss")
    return Job(minimize(sgd(0.1), loss), loss)


@case()
def random_branch():
    """Random ops in the branches of tf.cond: the branch not taken draws nothing."""
    tf.set_random_seed(4)
    step = tf.train.get_or_create_global_step()
    w = tf.get_variable("w", [], initializer=tf.ones_initializer())

    def odd():
        return tf.random_uniform([], seed=5) + tf.random_gamma([], 1.5, seed=3)

    target = tf.cond(tf.equal(step % 2, 0), lambda: tf.random_normal([], seed=3), odd)
    loss = tf.square(w - target, name="loss")
    return Job(minimize(sgd(0.1), loss), loss)


# Functions


@case()
def noisy_function():
    """A Defun function that draws, its symbolic gradient, and one with a gradient function of its own."""
    tf.set_random_seed(3)

    @function.Defun(tf.float32)
    def noisy(x):
        return x * 2.0 + tf.random_normal(tf.shape(x), seed=4)

    @function.Defun(tf.float32, tf.float32)
    def thrice(x, dy):
        return dy * 3.0

    @function.Defun(tf.float32, grad_func=thrice)
    def square(x):
        return x * x

    w = tf.get_variable("w", [3], initializer=tf.ones_initializer())
    loss = tf.reduce_mean(tf.square(noisy(w)) + square(w), name="loss")
    return Job(minimize(sgd(0.02), loss), loss)


@case()
def function_twice():
    """Functions that draw, each called twice: each call has a generator of its own."""
    tf.set_random_seed(3)

    @function.Defun(tf.float32)
    def noisy(x):
        return x * 2.0 + tf.random_normal(tf.shape(x), seed=4)

    @tf.function
    def jittered(x):
        return x + tf.random.uniform([3], seed=6)

    w = tf.get_variable("w", [3], initializer=tf.ones_initializer())
    fixed = tf.stop_gradient(w)
    noise = noisy(fixed) - 3.0 * noisy(fixed + 1.0) + jittered(w) - 2.0 * jittered(w)
    loss = tf.reduce_mean(tf.square(noise + w), name="loss")
    return Job(minimize(sgd(0.02), loss), loss)


@case()
def version_2_control_flow():
    """If, While and a function that updates a variable, with random ops in all three."""
    tf.enable_control_flow_v2()
    try:
        tf.set_random_seed(3)
        step = tf.train.get_or_create_global_step()
        w = tf.get_variable("w", [2], initializer=tf.ones_initializer(), use_resource=True)
        calls = tf.get_variable(
            "calls", [], initializer=tf.zeros_initializer(), use_resource=True, trainable=False
        )

        @tf.function
        def noisy(x):
            calls.assign_add(1.0)
            return x * w + tf.random.normal([2], seed=4)

        def even():
            return tf.reduce_sum(w * 2 + tf.random.uniform([2], seed=5))

        branch = tf.cond(tf.equal(step % 2, 0), even, lambda: tf.reduce_sum(w))
        _, looped = tf.while_loop(
            lambda i, total: i < 3,
            lambda i, total: (i + 1, total + noisy(tf.ones([2]))),
            [0, tf.zeros([2])],
        )
        loss = tf.square(branch - 1.0) + tf.reduce_sum(tf.square(looped - 1.0))
        loss = tf.identity(loss, "loss")
        return Job(minimize(sgd(0.01), loss), loss)
    finally:
        tf.disable_control_flow_v2()


# Control flow of version 1


@case()
def nested_control_flow():
    """A loop in a branch in a loop, and its gradient; map_fn and a TensorArray."""
    w = tf.get_variable("w", [2], initializer=tf.ones_initializer())

    def three_times(x):
        return tf.while_loop(lambda j, _: j < 3, lambda j, v: (j + 1, tf.tanh(v * w)), [0, x])[1]

    def body(i, x):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: three_times(x), lambda: x * 1.1 + w)

    _, looped = tf.while_loop(lambda i, _: i < 5, body, [0, tf.constant([0.3, 0.7])])
    mapped = tf.map_fn(lambda row: tf.reduce_sum(row * w), tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    array = tf.TensorArray(tf.float32, 4, dynamic_size=True)
    _, array = tf.while_loop(
        lambda i, _: i < 6, lambda i, a: (i + 1, a.write(i, w[0] * tf.to_float(i))), [0, array]
    )
    parts = [looped - 2.0, (mapped - 1.0) * 0.1, array.stack() * 0.1]
    loss = tf.add_n([tf.reduce_sum(tf.square(part)) for part in parts], name="loss")
    return Job(minimize(sgd(0.05), loss), loss)


@case()
def updates_in_branches():
    """References read and assigned in tf.cond, and in a branch inside a loop."""
    step = tf.train.get_or_create_global_step()
    w = tf.get_variable("w", [2], initializer=tf.ones_initializer())
    count = tf.get_variable("count", [], tf.int32, initializer=tf.zeros_initializer(), trainable=False)
    output = tf.cond(step % 2 > 0, lambda: w * 2.0, lambda: tf.identity(w))
    loss = tf.reduce_sum(tf.square(output - 3.0), name="loss")
    train_op = minimize(tf.train.AdamOptimizer(0.1), loss)

    def body(i):
        def add():
            return tf.assign_add(count, i)

        with tf.control_dependencies([tf.cond(tf.equal(i % 2, 0), add, lambda: tf.assign_sub(count, 1))]):
            return i + 1

    with tf.control_dependencies([train_op]):
        looped = tf.while_loop(lambda i: i < 5, body, [tf.constant(0)], parallel_iterations=1)
    return Job(tf.group(looped), loss)


@case()
def batch_norm_branch():
    """Batch norm by a flag that changes: in tf.cond, updated in place, fused and not."""
    tf.set_random_seed(3)
    batch_norm = tf.contrib.layers.batch_norm
    x, y = constant_rows()
    training = tf.not_equal(tf.train.get_or_create_global_step() % 3, 2)
    x = batch_norm(x, is_training=training, updates_collections=None, decay=0.8)

    def train():
        return batch_norm(x, is_training=True, scope="bn", decay=0.7, updates_collections=None)

    def use():
        return batch_norm(x, is_training=False, scope="bn", reuse=True)

    hidden = tf.layers.batch_normalization(tf.cond(training, train, use), training=training)
    loss = linear_loss(hidden, y)
    return Job(minimize(sgd(0.05), loss), loss)
