"""Provides the helpers for variables and checkpoints that scripts took from `tf.contrib.framework`.

They work on the default graph, a TF 1 graph. A function that loads values returns an `init_fn` for `train`:

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train import framework, train

with tf.Graph().as_default() as graph:
    loss = tf.square(tf.get_variable("weight", []) - 3.0)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    train_op = optimizer.minimize(loss, global_step=framework.create_global_step())
train(graph, f"{output_dir}/pretrained", train_op, loss, max_steps=100)

with graph.as_default():
    pretrained = framework.get_variables_to_restore(exclude=["global_step"])
    init_fn = framework.assign_from_checkpoint_fn(f"{output_dir}/pretrained/model.ckpt-100", pretrained)
train(graph, f"{output_dir}/tuned", train_op, loss, init_fn=init_fn, max_steps=100)
```
"""

from keras_legacy_train.framework.assign import (
    assign_from_checkpoint,
    assign_from_checkpoint_fn,
    assign_from_values,
    assign_from_values_fn,
    init_from_checkpoint,
    list_variables,
    load_checkpoint,
    load_variable,
)
from keras_legacy_train.framework.variables import (
    add_model_variable,
    assert_global_step,
    assert_or_get_global_step,
    create_global_step,
    filter_variables,
    get_global_step,
    get_local_variables,
    get_model_variables,
    get_or_create_global_step,
    get_trainable_variables,
    get_unique_variable,
    get_variable_full_name,
    get_variables,
    get_variables_by_name,
    get_variables_by_suffix,
    get_variables_to_restore,
    global_variable,
    local_variable,
    model_variable,
    variable,
)

__all__ = [
    "add_model_variable",
    "assert_global_step",
    "assert_or_get_global_step",
    "assign_from_checkpoint",
    "assign_from_checkpoint_fn",
    "assign_from_values",
    "assign_from_values_fn",
    "create_global_step",
    "filter_variables",
    "get_global_step",
    "get_local_variables",
    "get_model_variables",
    "get_or_create_global_step",
    "get_trainable_variables",
    "get_unique_variable",
    "get_variable_full_name",
    "get_variables",
    "get_variables_by_name",
    "get_variables_by_suffix",
    "get_variables_to_restore",
    "global_variable",
    "init_from_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "local_variable",
    "model_variable",
    "variable",
]
