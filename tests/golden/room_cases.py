"""Builds what small modules of `tf.contrib` do, or what stands for them.

Runs under TensorFlow 1.15.5 (CPython 3.7) and under today's. A case takes a `Rooms`: `rooms.tf` has the API of
TensorFlow 1, `rooms.opt`, `rooms.lookup` and `rooms.image` are the modules. It returns what JSON can hold.
"""
import collections

import numpy as np

from layer_cases import numbers, pattern

Rooms = collections.namedtuple("Rooms", ["tf", "opt", "lookup", "image"])

OPTIMIZERS = collections.OrderedDict([
    ("adamax", lambda opt, tf: opt.AdaMaxOptimizer(0.1)),
    ("add_sign", lambda opt, tf: opt.AddSignOptimizer(0.1, alpha=1.5, sign_decay_fn=halved)),
    ("power_sign", lambda opt, tf: opt.PowerSignOptimizer(0.1, base=2.0)),
    ("lazy_adam", lambda opt, tf: opt.LazyAdamOptimizer(0.1)),
    ("nadam", lambda opt, tf: opt.NadamOptimizer(0.1, beta1=0.8)),
    ("adam_w", lambda opt, tf: opt.AdamWOptimizer(0.01, learning_rate=0.1)),
    ("momentum_w", lambda opt, tf: opt.MomentumWOptimizer(0.01, 0.1, 0.9, use_nesterov=True)),
    ("adagrad_w", lambda opt, tf: opt.extend_with_decoupled_weight_decay(tf.train.AdagradOptimizer)(
        weight_decay=0.01, learning_rate=0.1
    )),
    ("lars", lambda opt, tf: opt.LARSOptimizer(0.1, skip_list=["bias"])),
    ("moving_average", lambda opt, tf: opt.MovingAverageOptimizer(
        tf.train.MomentumOptimizer(0.1, 0.9), average_decay=0.5
    )),
    ("variable_clipping", lambda opt, tf: opt.VariableClippingOptimizer(
        tf.train.MomentumOptimizer(0.1, 0.9), {tf.trainable_variables()[0]: [1]}, 0.8
    )),
    ("variable_clipping_of_columns", lambda opt, tf: opt.VariableClippingOptimizer(
        tf.train.MomentumOptimizer(0.1, 0.9), {tf.trainable_variables()[0]: [0]}, 0.8,
        colocate_clip_ops_with_vars=True
    )),
])


def halved(step):
    return 0.5


def trained(rooms, name):
    """Trains three variables for three steps: one by rows. The gradients are fed, so nothing else matters."""
    tf = rooms.tf
    with tf.Graph().as_default(), tf.Session() as session:
        rows = tf.get_variable("rows", initializer=pattern([5, 2]))
        kernel = tf.get_variable("kernel", initializer=pattern([2, 3], 0.9))
        bias = tf.get_variable("bias", initializer=pattern([3], 1.1))
        scale = tf.placeholder(tf.float32, ())
        loss = scale * tf.add_n([
            tf.reduce_sum(tf.gather(rows, [1, 3, 3]) * pattern([3, 2], 0.4)),
            tf.reduce_sum(kernel * pattern([2, 3], 0.5)),
            tf.reduce_sum(bias * pattern([3], 0.6)),
        ])
        optimizer = OPTIMIZERS[name](rooms.opt, tf)
        update = optimizer.minimize(loss, tf.train.get_or_create_global_step())
        session.run(tf.variables_initializer(tf.trainable_variables()))  # the averages begin with their values
        session.run(tf.global_variables_initializer())
        for value in (1.0, -0.5, 2.0):
            session.run(update, {scale: value})
        final = session.run({variable.op.name: variable for variable in tf.global_variables()})
    return {
        "variables": {each: list(value.shape) + numbers(value) for each, value in final.items()},
        "slots": sorted(optimizer.get_slot_names()) if name != "moving_average" else [],
    }


def tables(rooms, vocabulary_file):
    tf, lookup = rooms.tf, rooms.lookup
    words = tf.constant(["red", "green", "blue", "grey", "pink", ""])
    with tf.Session() as session:
        colors = tf.constant(["red", "green", "blue"])
        table = lookup.HashTable(lookup.KeyValueTensorInitializer(colors, tf.constant([5, 6, 7])), -1)
        mutable = lookup.MutableHashTable(tf.string, tf.int64, -1)
        seen = [
            lookup.index_table_from_tensor(colors).lookup(words),
            lookup.index_table_from_tensor(colors, num_oov_buckets=3).lookup(words),
            lookup.index_table_from_tensor(
                colors, num_oov_buckets=3, hasher_spec=lookup.StrongHashSpec([3, 4])
            ).lookup(words),
            lookup.index_table_from_tensor(
                tf.constant([30, 20]), num_oov_buckets=2, dtype=tf.int64
            ).lookup(tf.constant([20, 30, 40, 50], tf.int64)),
            lookup.index_table_from_file(vocabulary_file, num_oov_buckets=2, vocab_size=2).lookup(words),
            lookup.string_to_index_table_from_file(vocabulary_file).lookup(words),
            lookup.string_to_index_table_from_tensor(colors, default_value=9).lookup(words),
            lookup.string_to_index(words, colors),
            table.lookup(words),
        ]
        names = [
            lookup.index_to_string_table_from_tensor(colors).lookup(tf.constant([2, 0, 8], tf.int64)),
            lookup.index_to_string_table_from_file(vocabulary_file, default_value="?").lookup(
                tf.constant([2, 0, 8], tf.int64)
            ),
            lookup.index_to_string(tf.constant([1, 4], tf.int64), colors, default_value="none"),
        ]
        session.run(table.init)
        session.run(tf.tables_initializer())
        session.run(mutable.insert(colors, tf.constant([1, 2, 3], tf.int64)))
        seen.append(mutable.lookup(words))
        numbers_seen, names_seen = session.run([seen, names])
    return [value.tolist() for value in numbers_seen], [
        [name.decode() for name in value] for value in names_seen
    ]


def images(rooms):
    tf, image = rooms.tf, rooms.image
    pictures = tf.constant(pattern([2, 4, 5, 1]))
    transforms = image.compose_transforms(
        [1.0, 0.2, 0.1, 0.0, 1.1, 0.3, 0.01, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0]
    )
    outputs = [
        image.rotate(pictures, [0.3, -1.2]),
        image.rotate(pictures[0, :, :, 0], 0.7, interpolation="BILINEAR"),
        image.translate(pictures, [1.0, -2.0]),
        image.transform(pictures[0], transforms, "BILINEAR", output_shape=[3, 3]),
        transforms,
    ]
    gradient = tf.gradients(tf.reduce_sum(tf.square(outputs[0])), pictures)[0]
    with tf.Session() as session:
        return [list(value.shape) + numbers(value) for value in session.run(outputs + [gradient])]


def observe(rooms, vocabulary_file):
    """Returns what all cases see."""
    tf = rooms.tf
    seen = {"optimizers": collections.OrderedDict((name, trained(rooms, name)) for name in OPTIMIZERS)}
    with tf.Graph().as_default():
        seen["tables"] = tables(rooms, vocabulary_file)
    with tf.Graph().as_default():
        seen["images"] = images(rooms)
    return seen
