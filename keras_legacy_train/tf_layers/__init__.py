"""Provides the layers of `tf.layers`, which Keras 3 does not have.

They add ops and variables to a graph of TensorFlow 1. Functions and classes have the arguments, variable
names, collections and numbers of TensorFlow 1.15:

```python
import numpy as np
import tensorflow.compat.v1 as tf

from keras_legacy_train import tf_layers, train

with tf.Graph().as_default() as graph:
    x = tf.constant(np.random.rand(32, 8).astype("float32"))
    hidden = tf_layers.dense(x, 16, activation=tf.nn.relu)
    hidden = tf_layers.batch_normalization(hidden, training=True)
    loss = tf.reduce_mean(tf.square(tf_layers.dense(hidden, 1) - 1.0))
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        optimizer = tf.train.GradientDescentOptimizer(0.1)
        train_op = optimizer.minimize(loss, global_step=tf.train.create_global_step())
train(graph, output_dir, train_op, loss, max_steps=100)
```

This room imports nothing else of the package.
"""

from keras_legacy_train.tf_layers.base import Layer
from keras_legacy_train.tf_layers.convolutional import (
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    SeparableConv1D,
    SeparableConv2D,
    conv1d,
    conv2d,
    conv2d_transpose,
    conv3d,
    conv3d_transpose,
    separable_conv1d,
    separable_conv2d,
)
from keras_legacy_train.tf_layers.core import Dense, Dropout, Flatten, dense, dropout, flatten
from keras_legacy_train.tf_layers.input_spec import InputSpec
from keras_legacy_train.tf_layers.normalization import BatchNormalization, batch_normalization
from keras_legacy_train.tf_layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    average_pooling1d,
    average_pooling2d,
    average_pooling3d,
    max_pooling1d,
    max_pooling2d,
    max_pooling3d,
)

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Dense",
    "Dropout",
    "Flatten",
    "InputSpec",
    "Layer",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "SeparableConv1D",
    "SeparableConv2D",
    "average_pooling1d",
    "average_pooling2d",
    "average_pooling3d",
    "batch_normalization",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "dense",
    "dropout",
    "flatten",
    "max_pooling1d",
    "max_pooling2d",
    "max_pooling3d",
    "separable_conv1d",
    "separable_conv2d",
]
