"""Estimators that bring their models: linear, of fully connected layers, of both together, and baselines.

`tf.estimator` had two of each: one for TensorFlow 1, one for TensorFlow 2. Their models are the same, also in
the names of variables. They differ in these points:

|  | TensorFlow 1 | TensorFlow 2 |
|---|---|---|
| optimizers by name | those of `tf.compat.v1.train` | Keras's |
| learning rate of `DNNClassifier` and its like | 0.05 | the default of Keras's optimizer |
| default of `loss_reduction` | the sum over a batch | the mean over a batch |
| areas under curves | as `tf.compat.v1.metrics.auc` computes them | as Keras computes them |
| variables of optimizers | `dnn/logits/bias/t_0/Adagrad` | `training/Adagrad/dnn/logits/bias/accumulator` |

Here is one class for both. Which of the two it is, is decided by the first of these that can tell:

1. An optimizer: one of `tf.compat.v1.train`, or one of Keras.
2. A partitioner, which only TensorFlow 1's take, or `loss_reduction`: a value of
   `tf.compat.v1.losses.Reduction`, or one of `tf.losses.Reduction`.
3. The names of variables in the newest checkpoint.
4. The mode of TensorFlow: after `tf.compat.v1.disable_v2_behavior()` it is TensorFlow 1's.

`generation.py` decides this. `feature_layers.py` makes tensors of feature columns, `parts.py` makes logits of
these, `base.py` has what all share.

May import `heads`, `export` and the modules of `estimator` for one Estimator, and the modules of the package
up to `train`.
"""

from __future__ import annotations

from keras_legacy_train.estimator.canned.baseline import (
    BaselineClassifier,
    BaselineEstimator,
    BaselineRegressor,
)
from keras_legacy_train.estimator.canned.dnn import DNNClassifier, DNNEstimator, DNNRegressor
from keras_legacy_train.estimator.canned.dnn_linear_combined import (
    DNNLinearCombinedClassifier,
    DNNLinearCombinedEstimator,
    DNNLinearCombinedRegressor,
)
from keras_legacy_train.estimator.canned.linear import LinearClassifier, LinearEstimator, LinearRegressor

__all__ = [
    "BaselineClassifier",
    "BaselineEstimator",
    "BaselineRegressor",
    "DNNClassifier",
    "DNNEstimator",
    "DNNLinearCombinedClassifier",
    "DNNLinearCombinedEstimator",
    "DNNLinearCombinedRegressor",
    "DNNRegressor",
    "LinearClassifier",
    "LinearEstimator",
    "LinearRegressor",
]
