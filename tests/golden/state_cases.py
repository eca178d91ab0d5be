"""Cases for `make_golden.py`: what old graphs did with variables, tables and queues; and whole models.

Each gives the same numbers every time under TensorFlow 1.15.5 on a CPU.
"""

import numpy as np
import tensorflow as tf
from make_golden import Job, case, linear_loss, minimize, rows
from tensorflow.python.training import moving_averages

sgd = tf.train.GradientDescentOptimizer


def constant_rows():
    x, y = rows()
    return tf.constant(x), tf.constant(y)


def some_table(name, shape, seed):
    return tf.get_variable(name, shape, initializer=tf.random_normal_initializer(seed=seed))


# Variables


@case()
def late_reads():
    """A reference read in every way, before and after it is updated."""
    w = tf.Variable([1.0, 2.0], name="w")
    seen = tf.get_variable("seen", [8, 2], initializer=tf.zeros_initializer(), trainable=False)
    early = tf.identity(w)
    alias = tf.identity(early)
    loss = tf.reduce_sum(tf.square(w - 4.0), name="loss")
    with tf.control_dependencies([minimize(tf.train.AdamOptimizer(0.1), loss)]):
        reads = [w.read_value(), tf.identity(w), w + 0.0, alias * 1.0, tf.stop_gradient(w) * 1.0]
        added = tf.assign_add(w, [0.1, 0.1])
    with tf.control_dependencies(reads):
        after = tf.add(added, 1.0)
    with tf.control_dependencies([added]):
        rows_ = [reads[0] * 0, w + 0.0, after, w.value() * 3.0, early * 1.0, alias + 0.0, tf.identity(w)]
        train_op = tf.assign(seen, tf.stack([*rows_, reads[0] * 0]))
    return Job(train_op, loss)


@case()
def unordered_reads():
    """Reads that nothing orders against an update: they come first. Scatters and slices of both kinds."""
    step = tf.train.get_or_create_global_step()
    reference = tf.get_variable("reference", [6, 2], initializer=tf.ones_initializer())
    resource = tf.get_variable("resource", [6, 2], initializer=tf.ones_initializer(), use_resource=True)
    row = tf.to_int32(step % 3)
    loss = tf.reduce_mean(tf.square(reference - 3.0) + tf.square(resource - 2.0), name="loss")
    last = minimize(tf.train.MomentumOptimizer(0.1, 0.9), loss)
    for v in (reference, resource):
        for update in (
            lambda v: tf.scatter_update(v, [row, row + 1], [[0.1, 0.2], [0.3, 0.4]]),
            lambda v: tf.scatter_add(v, [0, 5], [[0.1, 0.2], [0.3, 0.4]]),
            lambda v: v[1:3].assign(tf.fill([2, 2], 0.5)),
            lambda v: tf.scatter_nd_update(v, [[4, 0]], [9.0]),
            lambda v: tf.scatter_mul(v, [2], [[1.5, 1.5]]),
        ):
            with tf.control_dependencies([last]):
                last = update(v)
    return Job(tf.group(last), loss)


@case()
def moving_averages_without_bias():
    """Averages that correct their start, of variables and a tensor; a variable initialised from another."""
    tf.set_random_seed(3)
    x, y = constant_rows()
    w = tf.Variable(tf.random_normal([8, 1], seed=3), name="w")
    twice = tf.Variable(w.initialized_value() * 2.0, name="twice", trainable=False)
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + tf.reduce_sum(twice) * 0.01 - y), name="loss")
    mean_loss = tf.Variable(0.0, trainable=False, name="mean_loss")
    step = tf.train.get_or_create_global_step()
    average = tf.train.ExponentialMovingAverage(0.99, num_updates=step, zero_debias=True)
    with tf.control_dependencies([minimize(sgd(0.05), loss)]):
        averaged = average.apply([w, loss])
        updated = moving_averages.assign_moving_average(mean_loss, loss, 0.9, zero_debias=True)
    return Job(tf.group(averaged, updated), loss)


@case()
def growing_variable():
    """A variable without a fixed shape, and one that counts up."""
    grown = tf.Variable([1.0], validate_shape=False, trainable=False, name="grown")
    counter = tf.Variable(0, trainable=False, name="counter").count_up_to(100)
    w = tf.Variable(1.0, name="w")
    loss = tf.square(w - tf.reduce_sum(grown) + tf.to_float(counter), name="loss")
    with tf.control_dependencies([minimize(sgd(0.1), loss)]):
        train_op = tf.assign(grown, tf.concat([grown, [0.1]], 0), validate_shape=False)
    return Job(train_op, loss)


@case(steps_a=20, steps_b=0)
def count_ends():
    """A variable's count ends the training."""
    counter = tf.Variable(0, trainable=False, name="counter", dtype=tf.int64).count_up_to(6)
    w = tf.Variable(1.0, name="w")
    loss = tf.square(w - tf.to_float(counter), name="loss")
    return Job(minimize(sgd(0.1), loss), loss)


@case()
def sparse_lookups():
    """Sparse lookups, safe and plain; sparse gradients of a reference and a resource variable."""
    ids = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], tf.constant([1, 3, 5], tf.int64), [4, 2])
    weights = tf.SparseTensor(ids.indices, tf.constant([1.0, 0.5, 2.0]), [4, 2])
    reference = some_table("reference", [8, 3], 1)
    with tf.variable_scope("", use_resource=True):
        resource = some_table("resource", [8, 3], 2)
    lookup = tf.contrib.layers.safe_embedding_lookup_sparse
    means = lookup([reference], ids, weights, combiner="mean")
    full = tf.SparseTensor([[0, 0], [1, 1], [2, 0]], ids.values, [3, 2])
    sums = tf.nn.embedding_lookup_sparse(resource, full, None, combiner="sqrtn")
    loss = tf.add(tf.reduce_mean(tf.square(means - 1)), tf.reduce_mean(tf.square(sums - 1)), name="loss")
    adam = tf.train.AdamOptimizer(0.1).minimize(loss, var_list=[reference])
    lazy = tf.contrib.opt.LazyAdamOptimizer(0.1)
    step = tf.train.get_or_create_global_step()
    return Job(tf.group(adam, lazy.minimize(loss, step, var_list=[resource])), loss)


# What lives beside the step


@case()
def padded_queue():
    """Sequences of several lengths through a queue that pads them."""
    number = tf.train.range_input_producer(10, shuffle=False).dequeue()
    numbers, ids = tf.train.batch([number, tf.range(number % 5 + 1)], 4, dynamic_pad=True)
    looked_up = tf.nn.embedding_lookup(some_table("table", [10, 3], 1), ids)
    loss = tf.reduce_mean(tf.square(tf.reduce_sum(looked_up, [1, 2]) - tf.to_float(numbers)), name="loss")
    return Job(minimize(sgd(0.01), loss), loss)


@case()
def staging_area():
    """A batch put into a StagingArea and taken out in the same step."""
    data = tf.data.Dataset.from_tensor_slices(rows()).repeat().batch(8)
    batch = tf.data.make_one_shot_iterator(data).get_next()
    area = tf.contrib.staging.StagingArea([tf.float32, tf.float32], shapes=[[8, 8], [8, 1]])
    with tf.control_dependencies([area.put(batch)]):
        x, y = area.get()
    loss = linear_loss(x, y)
    return Job(minimize(sgd(0.05), loss), loss)


@case()
def gradient_accumulators():
    """Each gradient goes through a ConditionalAccumulator."""
    x, y = constant_rows()
    step = tf.train.get_or_create_global_step()
    loss = linear_loss(x, y)
    optimizer = sgd(0.05)
    means = []
    for gradient, v in optimizer.compute_gradients(loss):
        accumulator = tf.ConditionalAccumulator(tf.float32, v.shape, shared_name=v.op.name + "/sum")
        with tf.control_dependencies([accumulator.apply_grad(gradient, local_step=step)]):
            means.append((accumulator.take_grad(1), v))
    return Job(optimizer.apply_gradients(means, global_step=step), loss)


@case()
def mutable_tables():
    """Tables looked up and filled in the step; the checkpoint holds one of them."""
    step = tf.train.get_or_create_global_step()
    w = tf.get_variable("w", [], initializer=tf.ones_initializer())
    saved = tf.contrib.lookup.MutableHashTable(tf.int64, tf.float32, 0.5)
    passing = tf.contrib.lookup.MutableHashTable(tf.string, tf.float32, 0.25, checkpoint=False)
    one, key = tf.zeros([1], tf.int64), tf.as_string(step % 3)
    seen, seen_by_key = saved.lookup(one), passing.lookup(key)
    loss = tf.reduce_sum(tf.square(w - seen) + tf.square(w - seen_by_key), name="loss")
    train_op = minimize(sgd(0.1), loss)
    with tf.control_dependencies([train_op, seen, seen_by_key]):
        train_op = tf.group(saved.insert(one, [w]), passing.insert(key, w * 2.0))
    return Job(train_op, loss)


@case()
def metrics():
    """tf.metrics and streaming metrics, their local variables updated beside the step."""
    x, y = constant_rows()
    loss = linear_loss(x, y)
    scores = tf.clip_by_value(tf.stack([loss, 0.2, 0.1]), 0.0, 1.0)
    updates = [
        tf.metrics.mean(loss)[1],
        tf.metrics.auc([True, False, True], scores)[1],
        tf.contrib.metrics.streaming_accuracy(tf.constant([1, 2]), tf.constant([1, 3]))[1],
    ]
    seen = tf.get_variable("seen", [3], initializer=tf.zeros_initializer(), trainable=False)
    with tf.control_dependencies([minimize(tf.train.AdamOptimizer(0.05), loss), *updates]):
        train_op = tf.assign(seen, tf.stack(updates))
    return Job(train_op, loss)


# Whole models


@case(steps_a=5, steps_b=3)
def slim_network():
    """A slim network whose train op is a tensor: fused batch norm, pools, LRN, dropout, clipped gradients."""
    tf.set_random_seed(3)
    slim = tf.contrib.slim
    images = tf.constant(np.random.RandomState(0).randn(4, 12, 12, 2).astype("f"))
    normalizer = {"is_training": True, "fused": True, "decay": 0.8}
    with slim.arg_scope([slim.conv2d], normalizer_fn=slim.batch_norm, normalizer_params=normalizer):
        net = slim.max_pool2d(slim.conv2d(images, 4, [3, 3]), [2, 2])
        net = slim.avg_pool2d(slim.separable_conv2d(tf.nn.lrn(net), 4, [3, 3], 1), [2, 2])
    net = slim.dropout(slim.flatten(net), 0.7)
    logits = slim.fully_connected(net, 3, activation_fn=None)
    slim.losses.softmax_cross_entropy(logits, tf.one_hot([0, 1, 2, 1], 3))
    loss = slim.losses.get_total_loss()
    step = tf.train.get_or_create_global_step()
    rate = tf.train.piecewise_constant(step, [2, 5], [0.1, 0.05, 0.01])
    optimizer = tf.train.MomentumOptimizer(rate, 0.9, use_nesterov=True)
    return Job(slim.learning.create_train_op(loss, optimizer, clip_gradient_norm=2.0), loss)


@case()
def accumulated_gradients():
    """Gradients summed in variables and applied every second step, in a branch."""
    x, y = constant_rows()
    step = tf.train.get_or_create_global_step()
    loss = linear_loss(x, y)
    optimizer = tf.train.AdamOptimizer(0.1)
    gradients = optimizer.compute_gradients(loss)
    sums = [tf.Variable(tf.zeros_like(v.initialized_value()), trainable=False) for _, v in gradients]
    added = [total.assign_add(gradient) for total, (gradient, _) in zip(sums, gradients)]

    def apply():
        applied = optimizer.apply_gradients([(s / 2, v) for s, (_, v) in zip(sums, gradients)])
        with tf.control_dependencies([applied]):
            return tf.group(*[total.assign(tf.zeros_like(total)) for total in sums])

    with tf.control_dependencies(added):
        applied = tf.cond(tf.equal(step % 2, 1), apply, tf.no_op)
    with tf.control_dependencies([applied]):
        train_op = tf.assign_add(step, 1)
    return Job(train_op, loss)
