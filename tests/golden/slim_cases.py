"""Reads, trains and evaluates by slim, as its own scripts do, and observes what users see.

Runs under TensorFlow 1.15.5 (CPython 3.7) and under today's. `tf` has the API of TensorFlow 1, `slim` is
`tf.contrib.slim` or what stands for it.
"""
import logging
import os
import re

import numpy as np

STEPS = 6
BATCH = 4


def pattern(shape, step=0.7):
    """Returns numbers between -1 and 1 that follow no simple rule."""
    size = int(np.prod(shape))
    return np.sin(step * np.arange(1, size + 1)).reshape(shape).astype("float32")


def numbers(array):
    """Returns a few numbers that tell an array from others."""
    flat = np.asarray(array, "float64").ravel()
    weights = np.cos(1.3 * np.arange(flat.size))
    return [float(number) for number in [flat.dot(weights)] + list(flat[:4])]


def feature(tf, value):
    """Returns a feature of strings, floats or integers."""
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    values = np.ravel(value).tolist()
    if isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def encoded_images(tf, count):
    """Returns PNG images of 12 x 12 pixels."""
    pixels = (127.5 + 127.5 * pattern([count, 12, 12, 1], 0.37)).astype("uint8")
    with tf.Graph().as_default(), tf.Session() as session:
        image = tf.placeholder(tf.uint8)
        encoded = tf.image.encode_png(image)
        return [session.run(encoded, {image: each}) for each in pixels]


def write_records(tf, path):
    """Writes examples as `download_and_convert_data.py` does.

    There are as many as in a batch, so all batches are the same: threads that write summaries take batches, too.
    """
    with tf.python_io.TFRecordWriter(path) as writer:
        for index, encoded in enumerate(encoded_images(tf, BATCH)):
            features = {
                "image/encoded": encoded, "image/format": b"png", "image/class/label": index % 3,
                "image/height": 12, "image/width": 12}
            features = {key: feature(tf, value) for key, value in features.items()}
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())


def get_split(tf, slim, pattern_of_files, reader=None):
    """Returns the data set, as those of slim's `datasets/` do."""
    keys_to_features = {
        "image/encoded": tf.FixedLenFeature((), tf.string, default_value=""),
        "image/format": tf.FixedLenFeature((), tf.string, default_value="raw"),
        "image/class/label": tf.FixedLenFeature([1], tf.int64, default_value=tf.zeros([1], dtype=tf.int64)),
    }
    items_to_handlers = {
        "image": slim.tfexample_decoder.Image(shape=[12, 12, 1], channels=1),
        "label": slim.tfexample_decoder.Tensor("image/class/label", shape=[]),
    }
    decoder = slim.tfexample_decoder.TFExampleDecoder(keys_to_features, items_to_handlers)
    return slim.dataset.Dataset(
        data_sources=pattern_of_files, reader=reader or tf.TFRecordReader, decoder=decoder, num_samples=BATCH,
        num_classes=3, items_to_descriptions={"image": "An image.", "label": "A number."}, labels_to_names=None)


def constant_initializer(tf):
    return lambda shape, dtype=None, partition_info=None: tf.constant(0.2 * pattern(shape, 1.7))


def lenet(tf, slim, images, num_classes, is_training):
    """Returns the logits and the end points of a small LeNet, written as in slim's `nets/`."""
    end_points = {}
    with tf.variable_scope("LeNet", "LeNet", [images]):
        net = end_points["conv1"] = slim.conv2d(images, 4, [5, 5], scope="conv1")
        net = end_points["pool1"] = slim.max_pool2d(net, [2, 2], 2, scope="pool1")
        net = end_points["conv2"] = slim.conv2d(
            net, 6, [3, 3], scope="conv2", normalizer_fn=slim.batch_norm,
            normalizer_params={"decay": 0.9, "is_training": is_training})
        net = end_points["pool2"] = slim.avg_pool2d(net, [2, 2], 2, scope="pool2")
        net = end_points["Flatten"] = slim.flatten(net)
        net = end_points["fc3"] = slim.fully_connected(net, 8, scope="fc3")
        net = slim.dropout(net, 1.0, is_training=is_training, scope="dropout3")
        logits = end_points["Logits"] = slim.fully_connected(net, num_classes, activation_fn=None, scope="fc4")
    end_points["Predictions"] = slim.softmax(logits, scope="Predictions")
    return logits, end_points


def arg_scope(tf, slim):
    return slim.arg_scope(
        [slim.conv2d, slim.fully_connected], weights_regularizer=slim.l2_regularizer(0.01),
        weights_initializer=constant_initializer(tf), activation_fn=tf.nn.relu)


def batches(tf, slim, dataset):
    """Returns images and labels of the next batch."""
    provider = slim.dataset_data_provider.DatasetDataProvider(dataset, shuffle=False, num_readers=1)
    image, label = provider.get(["image", "label"])
    image = tf.subtract(tf.to_float(image) / 127.5, 1.0)
    images, labels = tf.train.batch([image, label], BATCH, num_threads=1, capacity=5 * BATCH)
    queue = slim.prefetch_queue.prefetch_queue([images, slim.one_hot_encoding(labels, 3)], capacity=2)
    return queue.dequeue()


class Lines(logging.Handler):
    """Keeps the lines of the log, without times and paths."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.lines = []

    def emit(self, record):
        line = record.getMessage()
        if line.startswith(("global step", "Starting", "Stopping", "Finished training")):
            self.lines.append(re.sub(r"\(.* sec/step\)|at \d.*", "", line).strip())


def build_training(tf, slim, records):
    """Builds what `train_image_classifier.py` builds; returns the train op."""
    images, labels = batches(tf, slim, get_split(tf, slim, records))
    with arg_scope(tf, slim):
        logits, end_points = lenet(tf, slim, images, 3, True)
    slim.losses.softmax_cross_entropy(logits, labels, label_smoothing=0.1, weights=1.0)
    for name in sorted(end_points):
        tf.summary.histogram("activations/" + name, end_points[name])
        tf.summary.scalar("sparsity/" + name, tf.nn.zero_fraction(end_points[name]))
    for loss in tf.get_collection(tf.GraphKeys.LOSSES):
        tf.summary.scalar("losses/%s" % loss.op.name, loss)
    for variable in slim.get_model_variables():
        tf.summary.histogram(variable.op.name, variable)
    global_step = slim.create_global_step()
    rate = tf.train.exponential_decay(0.05, global_step, 3, 0.5, staircase=True)
    return slim.learning.create_train_op(
        slim.losses.get_total_loss(), tf.train.RMSPropOptimizer(rate, 0.9, 0.9, 1.0), clip_gradient_norm=2.0)


def train(tf, slim, records, directory, losses=None):
    """Trains for a few steps; returns what was seen. `losses` gets those of all steps."""
    options = {}
    if losses is not None:

        def train_step_fn(session, *args):
            loss, should_stop = slim.learning.train_step(session, *args)
            losses.append(float(loss))
            return loss, should_stop

        options["train_step_fn"] = train_step_fn
    lines = Lines()
    loggers = [logging.getLogger(name) for name in ("tensorflow", "keras_legacy_train")]
    for logger in loggers:
        logger.addHandler(lines)
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.INFO)
    try:
        with tf.Graph().as_default():
            train_op = build_training(tf, slim, records)
            size = slim.model_analyzer.analyze_vars(slim.get_model_variables())
            last = slim.learning.train(
                train_op, directory, number_of_steps=STEPS, log_every_n_steps=2, save_summaries_secs=60,
                save_interval_secs=600, **options)
            variables = [[each.op.name, each.shape.as_list()] for each in tf.global_variables()]
    finally:
        for logger, level in zip(loggers, levels):
            logger.removeHandler(lines)
            logger.setLevel(level)
    path = tf.train.latest_checkpoint(directory)
    reader = tf.train.NewCheckpointReader(path)
    return {
        "last": float(last),
        "variables": variables,
        "size": list(size),
        "checkpoint": os.path.basename(path),
        "trained": {name: numbers(reader.get_tensor(name)) for name, _ in variables},
        "lines": lines.lines,
        "tags": tags(tf, directory),
    }


def tags(tf, directory):
    """Returns the tags of the summaries in the event files."""
    found = set()
    for name in os.listdir(directory):
        if name.startswith("events."):
            for event in tf.train.summary_iterator(os.path.join(directory, name)):
                found.update(value.tag for value in event.summary.value)
    return sorted(found - {"global_step/sec"})


def evaluate(tf, slim, records, checkpoint, directory):
    """Evaluates as `eval_image_classifier.py` does; returns accuracy, recall and the tags."""
    with tf.Graph().as_default():
        images, labels = batches(tf, slim, get_split(tf, slim, records))
        with arg_scope(tf, slim):
            logits, _ = lenet(tf, slim, images, 3, False)
        tf.train.get_or_create_global_step()
        labels = tf.argmax(labels, 1)
        values, updates = slim.metrics.aggregate_metric_map({
            "Accuracy": slim.metrics.streaming_accuracy(tf.argmax(logits, 1), labels),
            "Recall_2": slim.metrics.streaming_recall_at_k(logits, labels, 2),
        })
        for name in sorted(values):
            tf.summary.scalar("eval/" + name, values[name])
        result = slim.evaluation.evaluate_once(
            master="", checkpoint_path=checkpoint, logdir=directory, num_evals=5,
            eval_op=list(updates.values()), final_op=[values["Accuracy"], values["Recall_2"]],
            variables_to_restore=slim.get_variables_to_restore())
    return {"values": [float(each) for each in result], "tags": tags(tf, directory)}


def decode(tf, slim):
    """Returns what each handler makes of an example."""
    handlers = slim.tfexample_decoder
    image = encoded_images(tf, 1)[0]
    features = {
        "image/encoded": image, "image/format": b"png", "raw": b"\x01\x02\x03\x04\x05\x06", "raw/format": b"RAW",
        "box/ymin": [0.1, 0.2], "box/xmin": [0.3, 0.4], "box/ymax": [0.5, 0.6], "box/xmax": [0.7, 0.8],
        "values": [1.0, 2.0, 3.0, 4.0], "rows": 2, "columns": 2, "indices": [0, 2, 5], "weights": [0.5, 1.5, 2.5],
        "length": 7, "name": b"b",
    }
    example = tf.train.Example(
        features=tf.train.Features(feature={key: feature(tf, value) for key, value in features.items()}))
    with tf.Graph().as_default(), tf.Session() as session:
        keys_to_features = {
            "image/encoded": tf.FixedLenFeature((), tf.string), "image/format": tf.FixedLenFeature((), tf.string),
            "raw": tf.FixedLenFeature((), tf.string), "raw/format": tf.FixedLenFeature((), tf.string),
            "values": tf.VarLenFeature(tf.float32), "rows": tf.FixedLenFeature([1], tf.int64),
            "columns": tf.VarLenFeature(tf.int64), "indices": tf.VarLenFeature(tf.int64),
            "weights": tf.VarLenFeature(tf.float32), "length": tf.FixedLenFeature([1], tf.int64),
            "name": tf.FixedLenFeature([1], tf.string), "missing": tf.VarLenFeature(tf.float32),
        }
        for side in ("ymin", "xmin", "ymax", "xmax"):
            keys_to_features["box/" + side] = tf.VarLenFeature(tf.float32)
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(["a", "b"]), tf.constant([5, 6], tf.int64)), -1)
        items_to_handlers = {
            "image": handlers.Image(channels=3),
            "cast": handlers.Image(channels=1, shape=[12, 12], dtype=tf.float32),
            "raw": handlers.Image("raw", "raw/format", shape=[1, 2, 3]),
            "boxes": handlers.BoundingBox(prefix="box/"),
            "values": handlers.Tensor("values", shape_keys=["rows", "columns"]),
            "dense": handlers.Tensor("values", default_value=-1.0),
            "shaped": handlers.Tensor("values", shape=[4, 1]),
            "sparse": handlers.SparseTensor("indices", "weights", "length", densify=True, default_value=-1.0),
            "sparse_by_shape": handlers.SparseTensor("indices", "weights", shape=[6], densify=True),
            "looked_up": handlers.LookupTensor("name", table),
            "backup": handlers.BackupHandler(
                handlers.Tensor("missing"), handlers.Tensor("weights")),
            "called": handlers.ItemHandlerCallback(
                ["rows", "length"], lambda features: features["rows"] * features["length"]),
        }
        decoder = handlers.TFExampleDecoder(keys_to_features, items_to_handlers)
        items = sorted(decoder.list_items())
        tensors = decoder.decode(tf.constant(example.SerializeToString()), items)
        session.run(tf.tables_initializer())
        values = session.run(tensors)
        return {
            item: [str(value.dtype), list(value.shape), tensor.shape.as_list(), numbers(value)]
            for item, tensor, value in zip(items, tensors, values)
        }
