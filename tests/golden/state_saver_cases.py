"""Builds recurrent networks that keep their state from segment to segment, and observes what users see of them.

Runs under TensorFlow 1.15.5 (CPython 3.7) and under today's. A case takes a `Kit`: `kit.tf` has the API of
TensorFlow 1, `kit.training` is `tf.contrib.training` or what stands for it, `kit.cells` is `tf.nn.rnn_cell` or
what stands for it.
"""
import collections

import numpy as np

Kit = collections.namedtuple("Kit", ["tf", "training", "cells"])
Network = collections.namedtuple("Network", ["batch", "loss", "train_op"])

LENGTHS = [5, 3, 8, 2]
UNROLL = 3
BATCHES = 4  # of two segments


def pattern(shape, step=0.7):
    """Returns numbers between -1 and 1 that follow no simple rule."""
    size = int(np.prod(shape))
    return np.sin(step * np.arange(1, size + 1)).reshape(shape).astype("float32")


def sequences(tf):
    """Returns the key, the values `[time, 2]`, the length and the label of one of four sequences."""
    index = tf.train.range_input_producer(len(LENGTHS), num_epochs=1, shuffle=False).dequeue()
    length = tf.gather(LENGTHS, index)
    count = tf.cast(tf.range(2 * length) + 3 * index, tf.float32)
    values = tf.reshape(tf.sin(0.7 * count), tf.stack([length, 2]))
    values.set_shape([None, 2])
    return tf.string_join(["s", tf.as_string(index)]), values, length, tf.cast(index, tf.float32)


def sparse(tf, dense):
    """Returns a sparse tensor of the positive numbers."""
    indices = tf.where(dense > 0)
    return tf.SparseTensor(indices, tf.gather_nd(dense, indices), tf.shape(dense, out_type=tf.int64))


def build(kit, batch_size, with_lstm):
    """Returns a network that is trained on the segments."""
    tf = kit.tf
    key, values, length, label = sequences(tf)
    inputs, context = {"x": values}, {"label": label, "name": key}
    if with_lstm:
        inputs["bag"] = sparse(tf, tf.concat([values, -values], 1))
        context["set"] = sparse(tf, tf.sin(label + tf.range(4.0)))
        cell = kit.cells.BasicLSTMCell(3)
        states, state_name = {"c": tf.zeros([3]), "h": tf.fill([3], 0.5)}, ("c", "h")
        length = None
    else:
        cell = kit.cells.BasicRNNCell(3)
        states, state_name = {"state": pattern([3])}, "state"
    batch = kit.training.batch_sequences_with_states(
        key, inputs, context, length, states, UNROLL, batch_size, num_threads=1, capacity=3)
    steps = tf.unstack(batch.sequences["x"], axis=1)
    with tf.variable_scope("net", initializer=lambda shape, *_, **__: tf.constant(pattern(shape))):
        outputs, _ = tf.nn.static_state_saving_rnn(cell, steps, batch, state_name, batch.length)
    distances = [tf.reduce_mean(tf.square(output), 1) - batch.context["label"] for output in outputs]
    loss = tf.reduce_mean(tf.square(tf.add_n(distances)))
    step = tf.train.get_or_create_global_step()
    train_op = tf.train.GradientDescentOptimizer(0.02).minimize(loss, global_step=step)
    return Network(batch, loss, train_op)


def names(kit, network):
    """Returns the names and static shapes of what users see."""
    tf, batch = kit.tf, network.batch
    tensors = [batch.key, batch.insertion_index, batch.length, batch.total_length, batch.next_key, batch.sequence,
               batch.sequence_count, batch.sequences["x"], batch.context["label"], batch.context["name"]]
    # Sparse tensors have other places among the outputs of the op.
    has_sparse = "set" in batch.context
    runner = tf.get_collection(tf.GraphKeys.QUEUE_RUNNERS)[-1]
    return {
        "tensors": [
            [tensor.op.name if has_sparse else tensor.name, tensor.shape.as_list()] for tensor in tensors],
        "batch_size": batch.batch_size.shape.as_list(),
        "variables": [[each.op.name, each.shape.as_list()] for each in tf.global_variables()],
        "runner": [runner.name, runner.close_op.name, [op.name for op in runner.enqueue_ops]],
        "tags": [op.name for op in tf.get_default_graph().get_operations() if "ready_segment" in op.name],
    }


def fetches(network):
    """Returns what is recorded at each step."""
    batch = network.batch
    seen = {
        "key": batch.key, "next_key": batch.next_key, "length": batch.length, "total_length": batch.total_length,
        "sequence": batch.sequence, "sequence_count": batch.sequence_count, "index": batch.insertion_index,
        "batch_size": batch.batch_size, "x": batch.sequences["x"], "loss": network.loss}
    for name in ("label", "name"):
        seen[name] = batch.context[name]
    if "set" in batch.context:
        for name, tensor in (("bag", batch.sequences["bag"]), ("set", batch.context["set"])):
            seen[name + "_indices"], seen[name + "_values"] = tensor.indices, tensor.values
            # TensorFlow 1 gives smaller batches the size of full ones.
            seen[name + "_shape"] = tensor.dense_shape[1:]
    return seen


def plain(value):
    """Returns a value as JSON has it."""
    value = np.asarray(value)
    if value.dtype == object:
        return [each.decode() for each in value.ravel()]
    if value.dtype.kind == "f":
        return [float("%.6g" % each) for each in value.ravel()]
    return value.tolist()


def observe(kit, batch_size, with_lstm):
    """Returns names, what each step sees until the input ends, and what is trained."""
    tf = kit.tf
    with tf.Graph().as_default(), tf.Session() as session:
        network = build(kit, batch_size, with_lstm)
        seen = {"names": names(kit, network), "steps": []}
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        try:
            while True:
                values, _ = session.run([fetches(network), network.train_op])
                seen["steps"].append({key: plain(value) for key, value in values.items()})
        except tf.errors.OutOfRangeError:
            if tf.__version__ >= "2":  # in TensorFlow 1 that might take for ever
                coordinator.request_stop()
                coordinator.join(threads, stop_grace_period_secs=10)
        trained = session.run(tf.trainable_variables())
        seen["trained"] = [plain(each) for each in trained]
        return seen


CASES = collections.OrderedDict([
    ("rnn_by_two", (2, False)),
    ("lstm_sparse", (2, True)),
])
