"""Has the optimizers of `tf.contrib.opt` that scripts use.

They are subclasses of `tf.compat.v1.train.Optimizer`, with the slots, names and numbers of TensorFlow 1.15:

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train import train
from keras_legacy_train.contrib import opt

with tf.Graph().as_default() as graph:
    weight = tf.get_variable("weight", [])
    loss = tf.square(weight - 3.0)
    optimizer = opt.AdamWOptimizer(weight_decay=1e-4, learning_rate=0.1)
    train_op = optimizer.minimize(loss, global_step=tf.train.create_global_step())
train(graph, output_dir, train_op, loss, max_steps=20)
```

Imports nothing of this package but how names that are not here are told.
"""

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.opt.adam import AdaMaxOptimizer, LazyAdamOptimizer, NadamOptimizer
from keras_legacy_train.contrib.opt.external import ExternalOptimizerInterface, ScipyOptimizerInterface
from keras_legacy_train.contrib.opt.lars import LARSOptimizer
from keras_legacy_train.contrib.opt.moving_average import MovingAverageOptimizer
from keras_legacy_train.contrib.opt.sign import AddSignOptimizer, PowerSignOptimizer
from keras_legacy_train.contrib.opt.weight_decay import (
    AdamWOptimizer,
    DecoupledWeightDecayExtension,
    MomentumWOptimizer,
    extend_with_decoupled_weight_decay,
)
from keras_legacy_train.contrib.opt.wrappers import (
    MultitaskOptimizerWrapper,
    VariableClippingOptimizer,
    clip_gradients_by_global_norm,
)

__all__ = [
    "AdaMaxOptimizer",
    "AdamWOptimizer",
    "AddSignOptimizer",
    "DecoupledWeightDecayExtension",
    "ExternalOptimizerInterface",
    "LARSOptimizer",
    "LazyAdamOptimizer",
    "MomentumWOptimizer",
    "MovingAverageOptimizer",
    "MultitaskOptimizerWrapper",
    "NadamOptimizer",
    "PowerSignOptimizer",
    "ScipyOptimizerInterface",
    "VariableClippingOptimizer",
    "clip_gradients_by_global_norm",
    "extend_with_decoupled_weight_decay",
]

__getattr__ = module_getattr(__name__, __all__)
