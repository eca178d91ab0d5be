"""Stands for `tf.contrib.training`: hyperparameters, train ops, training and evaluation, buckets,
batches of sequences with states.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train.contrib import training

hparams = training.HParams(learning_rate=0.1, steps=20).parse("steps=10")
with tf.Graph().as_default():
    loss = tf.square(tf.get_variable("weight", []) - 3.0)
    train_op = training.create_train_op(loss, tf.train.GradientDescentOptimizer(hparams.learning_rate))
    training.train(train_op, output_dir, hooks=[tf.train.StopAtStepHook(num_steps=hparams.steps)])
```

May import `estimator`, `training` and what lies below them.
"""

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.training.bucketing import bucket, bucket_by_sequence_length
from keras_legacy_train.contrib.training.device_setter import (
    GreedyLoadBalancingStrategy,
    RandomStrategy,
    byte_size_load_fn,
)
from keras_legacy_train.contrib.training.evaluation import (
    StopAfterNEvalsHook,
    SummaryAtEndHook,
    checkpoints_iterator,
    evaluate_once,
    evaluate_repeatedly,
    get_or_create_eval_step,
    wait_for_new_checkpoint,
)
from keras_legacy_train.contrib.training.gradients import (
    add_gradients_summaries,
    clip_gradient_norms,
    clip_gradient_norms_fn,
    create_train_op,
    multiply_gradients,
)
from keras_legacy_train.contrib.training.hparam import HParams, parse_values
from keras_legacy_train.contrib.training.loops import our_loop, train
from keras_legacy_train.contrib.training.state_batches import batch_sequences_with_states
from keras_legacy_train.contrib.training.state_saver import (
    NextQueuedSequenceBatch,
    SequenceQueueingStateSaver,
)

__all__ = [
    "GreedyLoadBalancingStrategy",
    "HParams",
    "NextQueuedSequenceBatch",
    "RandomStrategy",
    "SequenceQueueingStateSaver",
    "StopAfterNEvalsHook",
    "SummaryAtEndHook",
    "add_gradients_summaries",
    "batch_sequences_with_states",
    "bucket",
    "bucket_by_sequence_length",
    "byte_size_load_fn",
    "checkpoints_iterator",
    "clip_gradient_norms",
    "clip_gradient_norms_fn",
    "create_train_op",
    "evaluate_once",
    "evaluate_repeatedly",
    "get_or_create_eval_step",
    "multiply_gradients",
    "our_loop",
    "parse_values",
    "train",
    "wait_for_new_checkpoint",
]

__getattr__ = module_getattr(__name__, __all__)
