"""Has fully connected layers, dropout, and what changes the form of tensors."""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import tf_layers
from keras_legacy_train.contrib.framework.arg_scope import add_arg_scope
from keras_legacy_train.contrib.layers import utils
from keras_legacy_train.contrib.layers.initializers import xavier_initializer
from keras_legacy_train.contrib.layers.regularizers import Regularizer
from keras_legacy_train.contrib.layers.scopes import NAMES, add_to_collections, layer_scope, model_variable

v1 = tf.compat.v1

ZEROS = v1.zeros_initializer()
XAVIER = xavier_initializer()

Function = Callable[..., Any]


@add_arg_scope
def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Function | None = tf.nn.relu,
    normalizer_fn: Function | None = None,
    normalizer_params: Mapping[str, Any] | None = None,
    weights_initializer: Any = XAVIER,
    weights_regularizer: Regularizer | None = None,
    biases_initializer: Any = ZEROS,
    biases_regularizer: Regularizer | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """Returns `activation_fn(inputs @ weights + biases)`; stands for `tf.contrib.layers.fully_connected`.

    Args:
        inputs: A tensor of shape `[..., size]`.
        num_outputs: The size of the output's last dimension.
        activation_fn: Function applied to the output; `None` for none.
        normalizer_fn: Function applied before that, in the place of the biases, such as `batch_norm`.
        normalizer_params: Further arguments of that function.
        weights_initializer: Initialiser of `weights`.
        weights_regularizer: Function from `weights` to a loss.
        biases_initializer: Initialiser of `biases`; `None` for no biases.
        biases_regularizer: Function from `biases` to a loss.
        reuse: Whether the variables of `scope` are used again.
        variables_collections: Collections that the variables are added to, or a dict of them by "weights" and
            "biases".
        outputs_collections: Collections that the output is added to.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        scope: The variable scope or its name; by default a new one, `fully_connected`.

    Returns:
        A tensor of shape `[..., num_outputs]`.

    Raises:
        RuntimeError: No graph is being built.
        ValueError: `num_outputs` is not an integer, or the inputs have fewer than two dimensions or a last
            one of unknown size.
    """
    if not isinstance(num_outputs, numbers.Integral):
        raise ValueError(f"num_outputs type should be int, got {type(num_outputs)}.")
    with layer_scope(scope, "fully_connected", inputs, reuse, NAMES) as opened:
        inputs = tf.convert_to_tensor(inputs)
        layer = tf_layers.Dense(
            int(num_outputs),
            use_bias=not normalizer_fn and biases_initializer is not None,
            kernel_initializer=weights_initializer,
            bias_initializer=biases_initializer,
            kernel_regularizer=weights_regularizer,
            bias_regularizer=biases_regularizer,
            trainable=trainable,
            name=opened.name,
            dtype=inputs.dtype.base_dtype,
            _scope=opened,
            _reuse=reuse,
        )
        outputs = layer(inputs)
        add_to_collections(layer.kernel, variables_collections, "weights")
        add_to_collections(layer.bias, variables_collections, "biases")
        outputs = normalized_and_activated(outputs, normalizer_fn, normalizer_params, activation_fn)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


relu = functools.partial(fully_connected, activation_fn=tf.nn.relu)
relu6 = functools.partial(fully_connected, activation_fn=tf.nn.relu6)
elu = functools.partial(fully_connected, activation_fn=tf.nn.elu)
linear = functools.partial(fully_connected, activation_fn=None)


def normalized_and_activated(
    outputs: Any,
    normalizer_fn: Function | None,
    normalizer_params: Mapping[str, Any] | None,
    activation_fn: Function | None,
) -> Any:
    """Applies the functions that layers take.

    Args:
        outputs: The output of a layer.
        normalizer_fn: The first function; `None` for none.
        normalizer_params: Further arguments of the first function.
        activation_fn: The last function; `None` for none.
    """
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    return outputs if activation_fn is None else activation_fn(outputs)


def legacy_fully_connected(
    x: Any,
    num_output_units: int,
    activation_fn: Function | None = None,
    weight_init: Any = XAVIER,
    bias_init: Any = ZEROS,
    name: str | None = None,
    weight_collections: Sequence[str] | None = (v1.GraphKeys.WEIGHTS,),
    bias_collections: Sequence[str] | None = (v1.GraphKeys.BIASES,),
    output_collections: Sequence[str] | None = (v1.GraphKeys.ACTIVATIONS,),
    trainable: bool = True,
    weight_regularizer: Regularizer | None = None,
    bias_regularizer: Regularizer | None = None,
) -> Any:
    """Returns `activation_fn(x @ weights + bias)`; stands for `tf.contrib.layers.legacy_fully_connected`.

    Args:
        x: A tensor of shape `[..., size]`.
        num_output_units: The size of the output's last dimension.
        activation_fn: Function applied to the output; `None` for none.
        weight_init: Initialiser of `weights`.
        bias_init: Initialiser of `bias`; `None` for no bias.
        name: The name of the variable scope, `fully_connected` by default.
        weight_collections: Collections that `weights` is added to.
        bias_collections: Collections that `bias` is added to.
        output_collections: Collections that the output is added to.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        weight_regularizer: Function from `weights` to a loss.
        bias_regularizer: Function from `bias` to a loss.

    Returns:
        A tensor of shape `[..., num_output_units]`.

    Raises:
        ValueError: `x` has fewer than two dimensions, or a last one of unknown size.
    """
    with v1.variable_scope(name, "fully_connected", [x]):
        x = tf.convert_to_tensor(x)
        size = utils.last_dimension(x.shape, min_rank=2)

        def variable(
            name: str, shape: list[int], initializer: Any, collections: Any, regularizer: Any
        ) -> Any:
            return v1.get_variable(
                name,
                shape,
                x.dtype.base_dtype,
                initializer,
                regularizer,
                trainable,
                list(dict.fromkeys([*(collections or ()), v1.GraphKeys.GLOBAL_VARIABLES])),
            )

        weights = variable(
            "weights", [size, num_output_units], weight_init, weight_collections, weight_regularizer
        )
        y = tf.matmul(x if x.shape.rank == 2 else tf.reshape(x, [-1, size]), weights)
        if bias_init is not None:
            bias = variable("bias", [num_output_units], bias_init, bias_collections, bias_regularizer)
            y = tf.nn.bias_add(y, bias)
        if x.shape.rank > 2:
            y = tf.reshape(y, tf.concat([tf.shape(x)[:-1], [num_output_units]], 0))
            y.set_shape([*x.shape[:-1], num_output_units])
        y = y if activation_fn is None else activation_fn(y)
        keys = [*(output_collections or ()), v1.GraphKeys.ACTIVATIONS]
        v1.add_to_collections(list(dict.fromkeys(keys)), y)
        return y


legacy_relu = functools.partial(legacy_fully_connected, activation_fn=tf.nn.relu)
legacy_linear = functools.partial(legacy_fully_connected, activation_fn=None)


@add_arg_scope
def dropout(
    inputs: Any,
    keep_prob: Any = 0.5,
    noise_shape: Any = None,
    is_training: Any = True,
    outputs_collections: Any = None,
    scope: Any = None,
    seed: int | None = None,
) -> Any:
    """Returns the inputs, a part of them set to zero in training; stands for `tf.contrib.layers.dropout`.

    Args:
        inputs: A tensor.
        keep_prob: The part of the inputs to keep, a number or a scalar tensor. They are divided by it.
        noise_shape: Shape of what is drawn; a dimension of 1 is drawn once for all.
        is_training: Whether this is training: a bool, or a scalar tensor of dtype bool.
        outputs_collections: Collections that the output is added to.
        scope: The variable scope or its name; by default a new one, `Dropout`.
        seed: Seed of the op.

    Returns:
        A tensor of the shape of the inputs.
    """
    with layer_scope(scope, "Dropout", inputs) as opened:
        inputs = tf.convert_to_tensor(inputs)
        layer = tf_layers.Dropout(1 - keep_prob, noise_shape, seed, name=opened.name, _scope=opened)
        outputs = layer(inputs, training=is_training)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: str | None = None) -> Any:
    """Makes all dimensions but the first into one; stands for `tf.contrib.layers.flatten`.

    Args:
        inputs: A tensor of shape `[batch, ...]`.
        outputs_collections: Collections that the output is added to.
        scope: The name scope, `Flatten` by default.

    Returns:
        A tensor of shape `[batch, size]`.
    """
    with v1.name_scope(scope, "Flatten", [inputs]) as name:
        outputs = tf_layers.flatten(tf.convert_to_tensor(inputs))
        return utils.collect_named_outputs(outputs_collections, name, outputs)


@add_arg_scope
def one_hot_encoding(
    labels: Any,
    num_classes: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    outputs_collections: Any = None,
    scope: str | None = None,
) -> Any:
    """Returns a vector for each label, with a one at its place; stands for that of `tf.contrib.layers`.

    Args:
        labels: Integers, a tensor.
        num_classes: The size of a vector.
        on_value: The value at the label's place.
        off_value: The value at other places.
        outputs_collections: Collections that the output is added to.
        scope: The name scope, `OneHotEncoding` by default.

    Returns:
        A tensor of shape `[..., num_classes]`.
    """
    with v1.name_scope(scope, "OneHotEncoding", [labels, num_classes]) as name:
        labels = tf.convert_to_tensor(labels)
        if labels.dtype == tf.int32:
            labels = tf.cast(labels, tf.int64)
        outputs = tf.one_hot(labels, num_classes, on_value=on_value, off_value=off_value)
        return utils.collect_named_outputs(outputs_collections, name, outputs)


@add_arg_scope
def softmax(logits: Any, scope: Any = None) -> Any:
    """Returns the softmax over the last dimension; stands for `tf.contrib.layers.softmax`.

    Args:
        logits: A tensor of shape `[..., num_classes]`.
        scope: The variable scope or its name; by default a new one, `softmax`.

    Returns:
        A tensor of the shape of `logits`.

    Raises:
        ValueError: `logits` has fewer than two dimensions, or a last one of unknown size.
    """
    with v1.variable_scope(scope, "softmax", [logits]):
        size = utils.last_dimension(logits.shape, min_rank=2)
        predictions = tf.reshape(tf.nn.softmax(tf.reshape(logits, [-1, size])), tf.shape(logits))
        predictions.set_shape(logits.shape)
        return predictions


@add_arg_scope
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> Any:
    """Returns the largest of groups of features; stands for `tf.contrib.layers.maxout`.

    Args:
        inputs: A tensor.
        num_units: How many features are left; the number of features is a multiple of it.
        axis: The dimension of the features.
        scope: The variable scope or its name; by default a new one, `MaxOut`.

    Returns:
        A tensor with `num_units` features.

    Raises:
        ValueError: The number of features is not a multiple of `num_units`.
    """
    with v1.variable_scope(scope, "MaxOut", [inputs]):
        inputs = tf.convert_to_tensor(inputs)
        sizes = inputs.shape.as_list()
        features = sizes[axis]
        if features % num_units:
            raise ValueError(f"number of features({features}) is not a multiple of num_units({num_units})")
        sizes[axis] = num_units
        sizes = [tf.shape(inputs)[i] if size is None else size for i, size in enumerate(sizes)]
        return tf.reduce_max(tf.reshape(inputs, [*sizes, features // num_units]), -1)


@add_arg_scope
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> Any:
    """Returns the inputs divided by their length along a dimension; stands for `tf.contrib.layers.unit_norm`.

    Args:
        inputs: A tensor of known rank.
        dim: The dimension.
        epsilon: Added to the square of the length.
        scope: The variable scope or its name; by default a new one, `UnitNorm`.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        ValueError: The rank is not known, or `dim` is not one of the dimensions.
    """
    with v1.variable_scope(scope, "UnitNorm", [inputs]):
        if inputs.shape.rank is None:
            raise ValueError("The input rank must be known.")
        if not 0 <= dim < inputs.shape.rank:
            raise ValueError("dim must be positive but smaller than the input rank.")
        length = tf.sqrt(epsilon + tf.reduce_sum(tf.square(inputs), dim, keepdims=True))
        return tf.divide(inputs, length, name="div")


@add_arg_scope
def bias_add(
    inputs: Any,
    activation_fn: Function | None = None,
    initializer: Any = ZEROS,
    regularizer: Regularizer | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """Adds a bias for each feature; stands for `tf.contrib.layers.bias_add`.

    Args:
        inputs: A tensor of shape `[..., features]`.
        activation_fn: Function applied to the output; `None` for none.
        initializer: Initialiser of `biases`.
        regularizer: Function from `biases` to a loss.
        reuse: Whether the variables of `scope` are used again.
        variables_collections: Collections that `biases` is added to, or a dict of them by "biases".
        outputs_collections: Collections that the output is added to.
        trainable: Whether `biases` is put in the `TRAINABLE_VARIABLES` collection.
        data_format: "NHWC", or "NCHW" for images whose features follow the batch.
        scope: The variable scope or its name; by default a new one, `BiasAdd`.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        ValueError: `data_format` is another or does not fit, or the number of features is not known.
    """
    format_of_layers(data_format, 2)
    with v1.variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as opened:
        inputs = tf.convert_to_tensor(inputs)
        channels_first = data_format == "NCHW"
        if channels_first and inputs.shape.rank != 4:
            raise ValueError("Data format NCHW only supports 4D Tensor")
        biases = model_variable(
            "biases",
            variables_collections,
            shape=[utils.channel_dimension(inputs.shape, "channels_first" if channels_first else "")],
            dtype=inputs.dtype.base_dtype,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        outputs = v1.nn.bias_add(inputs, biases, data_format="NCHW" if channels_first else None)
        outputs = outputs if activation_fn is None else activation_fn(outputs)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def dense_to_sparse(
    tensor: Any, eos_token: int = 0, outputs_collections: Any = None, scope: Any = None
) -> Any:
    """Returns a tensor without its entries of one value; stands for `tf.contrib.layers.dense_to_sparse`.

    Args:
        tensor: A tensor of integers.
        eos_token: The value to leave out.
        outputs_collections: Collections that the output is added to.
        scope: The variable scope or its name; by default a new one, `dense_to_sparse`.
    """
    with v1.variable_scope(scope, "dense_to_sparse", [tensor]) as opened:
        tensor = tf.convert_to_tensor(tensor)
        indices = tf.where(tf.not_equal(tensor, tf.constant(eos_token, tensor.dtype)))
        outputs = tf.SparseTensor(indices, tf.gather_nd(tensor, indices), tf.shape(tensor, out_type=tf.int64))
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


def stack(inputs: Any, layer: Function, stack_args: Sequence[Any], **kwargs: Any) -> Any:
    """Applies a layer several times, each time with other arguments; stands for `tf.contrib.layers.stack`.

    ```python
    import tensorflow.compat.v1 as tf

    from keras_legacy_train.contrib import layers

    with tf.Graph().as_default():
        layers.stack(tf.ones([8, 3]), layers.fully_connected, [32, 64], scope="fc")
        print([variable.op.name for variable in tf.global_variables()])  # fc/fc_1/weights, …, fc/fc_2/biases
    ```

    Args:
        inputs: The input of the first layer.
        layer: The layer, a function of its input.
        stack_args: Its second argument in each place, or a tuple of further arguments.
        **kwargs: Arguments that are the same in all places; and `scope`, the name of the scope, by default
            that of the layer.

    Returns:
        The output of the last layer.

    Raises:
        ValueError: `stack_args` is not a list or tuple.
    """
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError("stack_args need to be a list or tuple")
    calls = [args if isinstance(args, (list, tuple)) else [args] for args in stack_args]
    return _one_after_another(inputs, layer, calls, "Stack", kwargs)


def repeat(inputs: Any, repetitions: int, layer: Function, *args: Any, **kwargs: Any) -> Any:
    """Applies a layer several times, with the same arguments; stands for `tf.contrib.layers.repeat`.

    Args:
        inputs: The input of the first layer.
        repetitions: How often the layer is applied.
        layer: The layer, a function of its input.
        *args: Further arguments of the layer.
        **kwargs: Further arguments of the layer; and `scope`, the name of the scope, by default that of the
            layer.

    Returns:
        The output of the last layer.
    """
    return _one_after_another(inputs, layer, [args] * repetitions, "Repeat", kwargs)


def _one_after_another(
    inputs: Any, layer: Function, calls: Sequence[Any], default_scope: str, options: dict[str, Any]
) -> Any:
    scope = options.pop("scope", None)
    with v1.variable_scope(scope, default_scope, [inputs]):
        outputs = tf.convert_to_tensor(inputs)
        if scope is None:
            # A functools.partial has its function's name.
            named = layer if hasattr(layer, "__name__") else getattr(layer, "func", None)
            scope = getattr(named, "__name__", default_scope.lower())
        for number, args in enumerate(calls, 1):
            outputs = layer(outputs, *args, **{**options, "scope": f"{scope}_{number}"})
        return outputs


def format_of_layers(data_format: str | None, rank: int) -> str:
    """Returns the data format in the words of `tf_layers`: "channels_last" or "channels_first".

    Args:
        data_format: "NHWC" or "NCHW" for images, others for spaces of another rank.
        rank: The number of dimensions of the space.

    Raises:
        ValueError: It is another.
    """
    space = "DHW"[-rank:]
    if data_format not in (f"N{space}C", f"NC{space}"):
        raise ValueError(f"data_format has to be either NC{space} or N{space}C.")
    return "channels_first" if data_format == f"NC{space}" else "channels_last"
