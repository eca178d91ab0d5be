"""Provides the layers of `tf.contrib.layers`.

They add ops and variables to a graph of TensorFlow 1. Functions have the arguments, variable names,
collections and numbers of TensorFlow 1.15:

```python
import numpy as np
import tensorflow.compat.v1 as tf

from keras_legacy_train import train
from keras_legacy_train.contrib import framework, layers

with tf.Graph().as_default() as graph:
    x = tf.constant(np.random.rand(32, 8).astype("float32"))
    with framework.arg_scope([layers.fully_connected], weights_regularizer=layers.l2_regularizer(0.01)):
        hidden = layers.fully_connected(x, 16, normalizer_fn=layers.batch_norm, scope="hidden")
        outputs = layers.linear(hidden, 1, scope="outputs")
    loss = tf.reduce_mean(tf.square(outputs - 1.0)) + tf.losses.get_regularization_loss()
    step = framework.create_global_step()
    train_op = layers.optimize_loss(loss, step, learning_rate=0.1, optimizer="SGD")
train(graph, output_dir, train_op, loss, max_steps=100)
```

May import `contrib.framework`, `tf_layers`, `feature_columns`, `framework` and `layers`.
"""

from keras_legacy_train import feature_columns as feature_column
from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.layers import summaries, utils
from keras_legacy_train.contrib.layers.convolutional import (
    conv1d,
    conv2d,
    conv2d_in_plane,
    conv2d_transpose,
    conv3d,
    conv3d_transpose,
    convolution,
    convolution1d,
    convolution2d,
    convolution2d_in_plane,
    convolution2d_transpose,
    convolution3d,
    convolution3d_transpose,
    separable_conv2d,
    separable_convolution2d,
)
from keras_legacy_train.contrib.layers.core import (
    bias_add,
    dense_to_sparse,
    dropout,
    elu,
    flatten,
    fully_connected,
    legacy_fully_connected,
    legacy_linear,
    legacy_relu,
    linear,
    maxout,
    one_hot_encoding,
    relu,
    relu6,
    repeat,
    softmax,
    stack,
    unit_norm,
)
from keras_legacy_train.contrib.layers.embeddings import (
    bow_encoder,
    embed_sequence,
    embedding_lookup_unique,
    safe_embedding_lookup_sparse,
)
from keras_legacy_train.contrib.layers.initializers import (
    variance_scaling_initializer,
    xavier_initializer,
    xavier_initializer_conv2d,
)
from keras_legacy_train.contrib.layers.normalization import batch_norm, group_norm, instance_norm, layer_norm
from keras_legacy_train.contrib.layers.pooling import avg_pool2d, avg_pool3d, max_pool2d, max_pool3d, pool
from keras_legacy_train.contrib.layers.regularizers import (
    apply_regularization,
    l1_l2_regularizer,
    l1_regularizer,
    l2_regularizer,
    sum_regularizer,
)
from keras_legacy_train.contrib.layers.spatial_softmax import spatial_softmax
from keras_legacy_train.contrib.layers.summaries import (
    summarize_activation,
    summarize_activations,
    summarize_biases,
    summarize_collection,
    summarize_tensor,
    summarize_tensors,
    summarize_variables,
    summarize_weights,
)
from keras_legacy_train.feature_columns import (
    SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY,
    bucketized_column,
    check_feature_columns,
    create_feature_spec_for_parsing,
    crossed_column,
    embedding_column,
    infer_real_valued_columns,
    input_from_feature_columns,
    joint_weighted_sum_from_feature_columns,
    make_place_holder_tensors_for_base_features,
    one_hot_column,
    parse_feature_columns_from_examples,
    real_valued_column,
    shared_embedding_columns,
    sparse_column_with_hash_bucket,
    sparse_column_with_integerized_feature,
    sparse_column_with_keys,
    sparse_column_with_vocabulary_file,
    transform_features,
    weighted_sparse_column,
    weighted_sum_from_feature_columns,
)
from keras_legacy_train.layers import (
    OPTIMIZER_CLS_NAMES,
    OPTIMIZER_SUMMARIES,
    adaptive_clipping_fn,
    optimize_loss,
)

__all__ = [
    "OPTIMIZER_CLS_NAMES",
    "OPTIMIZER_SUMMARIES",
    "SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY",
    "adaptive_clipping_fn",
    "apply_regularization",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "bias_add",
    "bow_encoder",
    "bucketized_column",
    "check_feature_columns",
    "conv1d",
    "conv2d",
    "conv2d_in_plane",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "convolution",
    "convolution1d",
    "convolution2d",
    "convolution2d_in_plane",
    "convolution2d_transpose",
    "convolution3d",
    "convolution3d_transpose",
    "create_feature_spec_for_parsing",
    "crossed_column",
    "dense_to_sparse",
    "dropout",
    "elu",
    "embed_sequence",
    "embedding_column",
    "embedding_lookup_unique",
    "feature_column",
    "flatten",
    "fully_connected",
    "group_norm",
    "infer_real_valued_columns",
    "input_from_feature_columns",
    "instance_norm",
    "joint_weighted_sum_from_feature_columns",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "layer_norm",
    "legacy_fully_connected",
    "legacy_linear",
    "legacy_relu",
    "linear",
    "make_place_holder_tensors_for_base_features",
    "max_pool2d",
    "max_pool3d",
    "maxout",
    "one_hot_column",
    "one_hot_encoding",
    "optimize_loss",
    "parse_feature_columns_from_examples",
    "pool",
    "real_valued_column",
    "relu",
    "relu6",
    "repeat",
    "safe_embedding_lookup_sparse",
    "separable_conv2d",
    "separable_convolution2d",
    "shared_embedding_columns",
    "softmax",
    "sparse_column_with_hash_bucket",
    "sparse_column_with_integerized_feature",
    "sparse_column_with_keys",
    "sparse_column_with_vocabulary_file",
    "spatial_softmax",
    "stack",
    "sum_regularizer",
    "summaries",
    "summarize_activation",
    "summarize_activations",
    "summarize_biases",
    "summarize_collection",
    "summarize_tensor",
    "summarize_tensors",
    "summarize_variables",
    "summarize_weights",
    "transform_features",
    "unit_norm",
    "utils",
    "variance_scaling_initializer",
    "weighted_sparse_column",
    "weighted_sum_from_feature_columns",
    "xavier_initializer",
    "xavier_initializer_conv2d",
]

__getattr__ = module_getattr(__name__, __all__)
