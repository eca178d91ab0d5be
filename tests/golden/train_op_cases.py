"""Builds train ops and buckets, and observes what users see of them.

Runs under TensorFlow 1.15.5 (CPython 3.7) and under today's. A case takes a `Kit`: `kit.tf` has the API of
TensorFlow 1, `kit.training` is `tf.contrib.training` or what stands for it, `kit.learning` is
`tf.contrib.slim.learning` or what stands for it.
"""
import collections

import numpy as np

TRAIN_OPS = collections.OrderedDict()

Kit = collections.namedtuple("Kit", ["tf", "training", "learning"])


def case(build):
    TRAIN_OPS[build.__name__] = build
    return build


def pattern(shape, step=0.7):
    """Returns numbers between -1 and 1 that follow no simple rule."""
    size = int(np.prod(shape))
    return np.sin(step * np.arange(1, size + 1)).reshape(shape).astype("float32")


def numbers(array):
    """Returns a few numbers that tell an array from others."""
    flat = np.asarray(array, "float64").ravel()
    weights = np.cos(1.3 * np.arange(flat.size))
    return [float(number) for number in [flat.dot(weights)] + list(flat[:4])]


def network(tf):
    """Returns the loss of a network with an embedding, an update op, and a variable without a gradient."""
    table = tf.get_variable("table", initializer=pattern([5, 3]))
    weights = tf.get_variable("layer/weights", initializer=pattern([3, 2], 0.4))
    tf.get_variable("unused", initializer=pattern([2], 0.2))
    mean = tf.get_variable("mean", initializer=0.5, trainable=False)
    output = tf.matmul(tf.nn.embedding_lookup(table, [0, 2, 4, 2]), weights)
    tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign(mean, 0.9 * mean + 0.1 * tf.reduce_mean(output)))
    return tf.reduce_mean(tf.square(output - 1.5)) * 4.0


def observe(kit, build):
    """Returns names, losses of three steps, what is trained, and the tags of summaries."""
    tf = kit.tf
    with tf.Graph().as_default() as graph, tf.Session() as session:
        train_op = build(kit, network(tf), tf.train.GradientDescentOptimizer(0.1))
        merged = tf.summary.merge_all()
        session.run(tf.global_variables_initializer())
        seen = {
            "name": train_op.name,
            "collection": [each.name for each in tf.get_collection(tf.GraphKeys.TRAIN_OP)],
            "variables": [[each.op.name, each.shape.as_list()] for each in tf.global_variables()],
            "scopes": sorted(
                {each.name.split("/")[0] for each in graph.get_operations()}
                & {"train_op", "summarize_grads", "multiply_grads", "clip_grads", "update_barrier"}),
            "tags": [],
        }
        if merged is not None:
            summary = tf.Summary.FromString(session.run(merged))
            seen["tags"] = sorted([each.tag, float(each.simple_value)] for each in summary.value)
        seen["losses"] = [float(session.run(train_op)) for _ in range(3)]
        seen["trained"] = [numbers(each) for each in session.run(tf.global_variables())]
        return seen


@case
def plain(kit, loss, optimizer):
    return kit.training.create_train_op(loss, optimizer)


@case
def clipped(kit, loss, optimizer):
    return kit.training.create_train_op(
        loss, optimizer, update_ops=[], summarize_gradients=True,
        transform_grads_fn=kit.training.clip_gradient_norms_fn(0.5))


@case
def multiplied(kit, loss, optimizer):
    factors = {"table": 0.5, kit.tf.trainable_variables()[1]: kit.tf.constant(2.0)}
    return kit.training.create_train_op(
        loss, optimizer, global_step=None, check_numerics=False,
        transform_grads_fn=lambda gradients: kit.training.multiply_gradients(gradients, factors))


@case
def of_slim(kit, loss, optimizer):
    return kit.learning.create_train_op(
        loss, optimizer, clip_gradient_norm=0.7, summarize_gradients=True,
        gradient_multipliers={"layer/weights": 3.0}, variables_to_train=kit.tf.trainable_variables()[:2])


def bucketed(kit):
    """Returns the batches that buckets make of twelve sequences, in an order that does not depend on threads."""
    tf = kit.tf
    with tf.Graph().as_default(), tf.Session() as session:
        index = tf.train.range_input_producer(13, num_epochs=1, shuffle=False).dequeue()
        length = index % 5 + 1
        lengths, batch = kit.training.bucket_by_sequence_length(
            length, {"row": tf.range(length) + 10 * index, "index": index}, 2, [3, 4], dynamic_pad=True,
            allow_smaller_final_batch=True, keep_input=tf.not_equal(index, 7))
        seen = {"shapes": [lengths.shape.as_list(), batch["row"].shape.as_list(), sorted(batch)]}
        session.run(tf.local_variables_initializer())
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        batches = []
        try:
            while True:
                values = session.run([lengths, batch["row"], batch["index"]])
                batches.append([each.tolist() for each in values])
        except tf.errors.OutOfRangeError:
            coordinator.request_stop()
        coordinator.join(threads)
        seen["batches"] = sorted(batches)
        return seen
