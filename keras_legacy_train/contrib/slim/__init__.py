"""Stands for `tf.contrib.slim`: layers, losses, metrics and data sets, and what trains and evaluates models.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train.contrib import slim

with tf.Graph().as_default():
    images, labels = tf.random.normal([4, 28, 28, 1]), tf.constant([3, 1, 4, 1])
    with slim.arg_scope([slim.conv2d], weights_regularizer=slim.l2_regularizer(0.001)):
        net = slim.max_pool2d(slim.conv2d(images, 8, [5, 5], scope="conv1"), [2, 2])
    logits = slim.fully_connected(slim.flatten(net), 10, activation_fn=None, scope="logits")
    slim.losses.sparse_softmax_cross_entropy(logits, labels)
    loss = slim.losses.get_total_loss()
    train_op = slim.learning.create_train_op(loss, tf.train.GradientDescentOptimizer(0.01))
    slim.learning.train(train_op, output_dir, number_of_steps=5)
```

Has the names of `contrib.layers` and of `contrib.framework`, as before. May import them, `contrib.losses`,
`contrib.metrics`, `contrib.training`, and what lies below them.
"""

from keras_legacy_train.contrib import framework, layers, losses, metrics
from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.framework import *  # noqa: F403
from keras_legacy_train.contrib.layers import *  # noqa: F403
from keras_legacy_train.contrib.layers import initializers, regularizers, utils
from keras_legacy_train.contrib.slim import evaluation, learning, model_analyzer, queues
from keras_legacy_train.contrib.slim.data import (
    data_decoder,
    data_provider,
    dataset,
    dataset_data_provider,
    parallel_reader,
    prefetch_queue,
    tfexample_decoder,
)

# isort: split
# Comes last: `layers` has another module of this name.
import keras_legacy_train.contrib.slim.summaries as summaries  # type: ignore[no-redef]

__all__ = [
    *framework.__all__,
    *(name for name in layers.__all__ if name not in ("summaries", "utils")),
    "data_decoder",
    "data_provider",
    "dataset",
    "dataset_data_provider",
    "evaluation",
    "initializers",
    "layers",
    "learning",
    "losses",
    "metrics",
    "model_analyzer",
    "parallel_reader",
    "prefetch_queue",
    "queues",
    "regularizers",
    "summaries",
    "tfexample_decoder",
    "utils",
]

__getattr__ = module_getattr(__name__, __all__)
