"""Provides the names of `tf.contrib.framework`: default arguments for functions, variables, checkpoints.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train.contrib import framework

with tf.Graph().as_default():
    with framework.arg_scope([framework.model_variable], regularizer=tf.nn.l2_loss):
        framework.model_variable("weight", [3, 2])
    print(tf.losses.get_regularization_losses())
```

The functions for variables and checkpoints are those of `keras_legacy_train.framework`; `nest` is a module,
and `tensors.py` checks tensors. This room imports nothing else of the package.
"""

import tensorflow as _tf

from keras_legacy_train import framework as _framework
from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.framework import nest
from keras_legacy_train.contrib.framework.arg_scope import (
    add_arg_scope,
    arg_scope,
    arg_scope_func_key,
    arg_scoped_arguments,
    current_arg_scope,
    has_arg_scope,
)
from keras_legacy_train.contrib.framework.tensors import (
    assert_scalar_int,
    deprecated,
    get_name_scope,
    get_placeholders,
    smart_cond,
    smart_constant_value,
)
from keras_legacy_train.framework import (
    add_model_variable,
    assert_global_step,
    assert_or_get_global_step,
    assign_from_checkpoint,
    assign_from_checkpoint_fn,
    assign_from_values,
    assign_from_values_fn,
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
    init_from_checkpoint,
    list_variables,
    load_checkpoint,
    load_variable,
)

TensorSpec = _tf.TensorSpec
argsort = _tf.argsort
assert_same_float_dtype = _tf.compat.v1.debugging.assert_same_float_dtype
assert_scalar = _tf.compat.v1.assert_scalar
convert_to_tensor_or_sparse_tensor = _tf.compat.v1.convert_to_tensor_or_sparse_tensor
is_non_decreasing = _tf.math.is_non_decreasing
is_numeric_tensor = _tf.debugging.is_numeric_tensor
is_strictly_increasing = _tf.math.is_strictly_increasing
is_tensor = _tf.is_tensor
sort = _tf.sort

global_variable = add_arg_scope(_framework.global_variable)
local_variable = add_arg_scope(_framework.local_variable)
model_variable = add_arg_scope(_framework.model_variable)
variable = add_arg_scope(_framework.variable)

__all__ = [
    "TensorSpec",
    "add_arg_scope",
    "add_model_variable",
    "arg_scope",
    "arg_scope_func_key",
    "arg_scoped_arguments",
    "argsort",
    "assert_global_step",
    "assert_or_get_global_step",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_scalar_int",
    "assign_from_checkpoint",
    "assign_from_checkpoint_fn",
    "assign_from_values",
    "assign_from_values_fn",
    "convert_to_tensor_or_sparse_tensor",
    "create_global_step",
    "current_arg_scope",
    "deprecated",
    "filter_variables",
    "get_global_step",
    "get_local_variables",
    "get_model_variables",
    "get_name_scope",
    "get_or_create_global_step",
    "get_placeholders",
    "get_trainable_variables",
    "get_unique_variable",
    "get_variable_full_name",
    "get_variables",
    "get_variables_by_name",
    "get_variables_by_suffix",
    "get_variables_to_restore",
    "global_variable",
    "has_arg_scope",
    "init_from_checkpoint",
    "is_non_decreasing",
    "is_numeric_tensor",
    "is_strictly_increasing",
    "is_tensor",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "local_variable",
    "model_variable",
    "nest",
    "smart_cond",
    "smart_constant_value",
    "sort",
    "variable",
]

__getattr__ = module_getattr(__name__, __all__)
