"""Stands for `tf.contrib.losses`: losses that are added to the collection `LOSSES`, predictions first.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train.contrib import losses

with tf.Graph().as_default():
    logits = tf.get_variable("logits", [4, 3])
    losses.sparse_softmax_cross_entropy(logits, tf.constant([0, 2, 1, 1]))
    total_loss = losses.get_total_loss()
```

May import `contrib.framework`.
"""

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.losses import metric_learning
from keras_legacy_train.contrib.losses.loss_ops import (
    absolute_difference,
    add_loss,
    compute_weighted_loss,
    cosine_distance,
    get_losses,
    get_regularization_losses,
    get_total_loss,
    hinge_loss,
    log_loss,
    mean_pairwise_squared_error,
    mean_squared_error,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
    sparse_softmax_cross_entropy,
)

__all__ = [
    "absolute_difference",
    "add_loss",
    "compute_weighted_loss",
    "cosine_distance",
    "get_losses",
    "get_regularization_losses",
    "get_total_loss",
    "hinge_loss",
    "log_loss",
    "mean_pairwise_squared_error",
    "mean_squared_error",
    "metric_learning",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
]

__getattr__ = module_getattr(__name__, __all__)
