"""Trains classifiers of digits as programs of TensorFlow 1 did, and prints how good they are."""

import sys

import numpy as np
import tensorflow as tf
from tensorflow.contrib import rnn
from tensorflow.contrib.layers import fully_connected as fc

slim = tf.contrib.slim


def digits():
    """Returns pictures of 8 by 8 points that have one bright row each, and which one it is."""
    random = np.random.RandomState(0)
    labels = np.arange(64) % 8
    images = random.uniform(size=[64, 8, 8]).astype(np.float32)
    images[np.arange(64), labels] += 3.0
    return images, labels


def accuracy_of(logits, labels):
    """Trains for some steps, and returns how many labels are right."""
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    train_op = tf.train.AdamOptimizer(0.05).minimize(loss)
    right = tf.reduce_mean(tf.to_float(tf.equal(tf.argmax(logits, dimension=1), labels)))
    with tf.Session() as session:
        session.run(tf.initialize_all_variables())
        for _ in range(60):
            session.run(train_op)
        return session.run(right)


def convolutional(images, labels):
    with slim.arg_scope([slim.conv2d], activation_fn=tf.nn.relu):
        net = slim.conv2d(tf.expand_dims(images, -1), 4, [3, 3], scope="conv")
    net = tf.concat(1, [slim.flatten(net), tf.layers.dense(tf.layers.flatten(images), 8)])
    return accuracy_of(fc(net, 8, activation_fn=None), labels)


def recurrent(images, labels):
    outputs, _ = rnn.static_rnn(rnn.BasicLSTMCell(16), tf.unpack(images, axis=1), dtype=tf.float32)
    return accuracy_of(tf.layers.dense(tf.add_n(outputs), 8), labels)


def model_fn(features, labels, mode):
    logits = tf.layers.dense(tf.layers.flatten(features["images"]), 8)
    loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
    train_op = tf.train.AdamOptimizer(0.05).minimize(loss, tf.train.get_global_step())
    metrics = {"accuracy": tf.metrics.accuracy(labels, tf.argmax(logits, 1))}
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op, eval_metric_ops=metrics)


def estimated(images, labels):
    estimator = tf.estimator.Estimator(model_fn, sys.argv[1])
    inputs = {"x": {"images": images}, "y": labels, "batch_size": 64, "shuffle": False}
    estimator.train(tf.estimator.inputs.numpy_input_fn(num_epochs=None, **inputs), steps=60)
    return estimator.evaluate(tf.estimator.inputs.numpy_input_fn(num_epochs=1, **inputs))["accuracy"]


if __name__ == "__main__":
    for train in [convolutional, recurrent]:
        with tf.Graph().as_default():
            tf.set_random_seed(1)
            images, labels = digits()
            print(train.__name__, train(tf.constant(images), tf.constant(labels)))
    print(estimated.__name__, estimated(*digits()))
