"""Has normalisation: of batches, of examples, and of groups of channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import tf_layers
from keras_legacy_train.contrib.framework.arg_scope import add_arg_scope
from keras_legacy_train.contrib.layers import utils
from keras_legacy_train.contrib.layers.core import ZEROS, Function, format_of_layers
from keras_legacy_train.contrib.layers.scopes import add_to_collections, layer_scope, model_variable
from keras_legacy_train.tf_layers.switch import static_or_tensor, switch

v1 = tf.compat.v1

_ONES = v1.ones_initializer()


@add_arg_scope
def batch_norm(
    inputs: Any,
    decay: float = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Function | None = None,
    param_initializers: Mapping[str, Any] | None = None,
    param_regularizers: Mapping[str, Any] | None = None,
    updates_collections: Any = v1.GraphKeys.UPDATE_OPS,
    is_training: Any = True,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    batch_weights: Any = None,
    fused: bool | None = None,
    data_format: str = "NHWC",
    zero_debias_moving_mean: bool = False,
    scope: Any = None,
    renorm: bool = False,
    renorm_clipping: Mapping[str, Any] | None = None,
    renorm_decay: float = 0.99,
    adjustment: Callable[[Any], tuple[Any, Any]] | None = None,
) -> Any:
    """Normalises a batch in training, others by moving averages; stands for `tf.contrib.layers.batch_norm`.

    The updates of the moving averages are put in the `UPDATE_OPS` collection. A training op must wait for
    them, as `optimize_loss` does, unless `updates_collections` is `None`.

    Args:
        inputs: A tensor of shape `[batch, ..., channels]`.
        decay: The weight of the old value in a moving average.
        center: Whether `beta` is added.
        scale: Whether the output is multiplied by `gamma`.
        epsilon: Added to the variance.
        activation_fn: Function applied to the output; `None` for none.
        param_initializers: Initialisers by variable: `beta`, `gamma`, `moving_mean`, `moving_variance`.
        param_regularizers: Functions to losses, by variable: `beta`, `gamma`.
        updates_collections: Collections that the updates are added to; `None` to update when the output is
            computed.
        is_training: Whether this is training: a bool, or a scalar tensor of dtype bool.
        reuse: Whether the variables of `scope` are used again.
        variables_collections: Collections that the variables are added to, or a dict of them by variable.
        outputs_collections: Collections that the output is added to.
        trainable: Whether `beta` and `gamma` are put in the `TRAINABLE_VARIABLES` collection.
        batch_weights: Weights of the examples in the averages, of shape `[batch]`.
        fused: Whether the fused op is used where it can be; `None` for yes.
        data_format: "NHWC", or "NCHW" if the channels follow the batch.
        zero_debias_moving_mean: Whether the moving average of the mean makes up for its start at zero. It
            then has two more variables, `biased` and `local_step`.
        scope: The variable scope or its name; by default a new one, `BatchNorm`.
        renorm: Whether training corrects the batch by moving averages, too.
        renorm_clipping: Bounds of the correction: `rmin`, `rmax`, `dmax`.
        renorm_decay: The weight of the old value in the moving averages of `renorm`.
        adjustment: Function from the shape of the input to a scale and a bias, applied in training.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        RuntimeError: No graph is being built.
        ValueError: The rank or the number of channels is not known, `data_format` is wrong, or `renorm` comes
            with what it does not go with.
    """
    _check_format(data_format)
    inputs = tf.convert_to_tensor(inputs)
    parameters = _Parameters(
        param_initializers, param_regularizers, variables_collections, trainable, center, scale
    )
    fuses = fused is not False and batch_weights is None and not renorm and adjustment is None
    by_layer = (
        batch_weights is None
        and updates_collections == v1.GraphKeys.UPDATE_OPS
        and not zero_debias_moving_mean
        and not (fuses and inputs.shape.rank == 2)
    )
    fuses = fuses and inputs.shape.rank in (2, 4)
    if by_layer or not fuses:
        scope_of_variables = layer_scope(scope, "BatchNorm", inputs, reuse)
    else:  # The variables of `zero_debias_moving_mean` are then no model variables.
        scope_of_variables = v1.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse)
    with scope_of_variables as opened:
        if by_layer:
            layer = tf_layers.BatchNormalization(
                axis=1 if data_format == "NCHW" else -1,
                momentum=decay,
                epsilon=epsilon,
                center=center,
                scale=scale,
                beta_initializer=parameters.initializer("beta"),
                gamma_initializer=parameters.initializer("gamma"),
                moving_mean_initializer=parameters.initializer("moving_mean"),
                moving_variance_initializer=parameters.initializer("moving_variance"),
                beta_regularizer=parameters.regularizers.get("beta"),
                gamma_regularizer=parameters.regularizers.get("gamma"),
                renorm=renorm,
                renorm_clipping=renorm_clipping,
                renorm_momentum=renorm_decay,
                fused=fused,
                trainable=trainable,
                adjustment=adjustment,
                name=opened.name,
                _scope=opened,
                _reuse=reuse,
            )
            outputs = layer(inputs, training=is_training)
            for name in ("moving_mean", "moving_variance", "beta", "gamma"):
                add_to_collections(getattr(layer, name), variables_collections, name)
        else:
            if renorm:
                raise ValueError(
                    "renorm is not supported with batch_weights, updates_collections or"
                    " zero_debias_moving_mean"
                )
            outputs = _normalized_and_updated(
                inputs,
                parameters,
                data_format,
                epsilon,
                decay,
                zero_debias_moving_mean,
                static_or_tensor(is_training),
                updates_collections,
                batch_weights,
                fused=fuses,
            )
        outputs = outputs if activation_fn is None else activation_fn(outputs)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


class _Parameters:
    """Makes `beta`, `gamma` and moving averages, as the arguments of a layer say."""

    def __init__(
        self,
        initializers: Mapping[str, Any] | None,
        regularizers: Mapping[str, Any] | None,
        collections: Any,
        trainable: bool,
        center: bool,
        scale: bool,
    ) -> None:
        self._initializers = initializers or {}
        self.regularizers = regularizers or {}
        self._collections = collections
        self._trainable = trainable
        self._wanted = {"beta": center, "gamma": scale}

    def initializer(self, name: str) -> Any:
        default = ZEROS if name in ("beta", "moving_mean") else _ONES
        return self._initializers.get(name, default)

    def variable(self, name: str, shape: Any, dtype: Any) -> Any:
        """Returns `beta` or `gamma`, or `None` if it is not wanted."""
        if not self._wanted[name]:
            return None
        return model_variable(
            name,
            self._collections,
            shape=shape,
            dtype=dtype,
            initializer=self.initializer(name),
            regularizer=self.regularizers.get(name),
            trainable=self._trainable,
        )

    def averages(self, shape: Any, dtype: Any) -> list[Any]:
        """Returns the moving averages of the mean and of the variance."""
        with v1.variable_scope(v1.get_variable_scope()) as opened:
            opened.set_partitioner(None)  # They are assigned as a whole.
            return [
                model_variable(
                    name,
                    self._collections,
                    shape=shape,
                    dtype=dtype,
                    initializer=self.initializer(name),
                    trainable=False,
                )
                for name in ("moving_mean", "moving_variance")
            ]


def _normalized_and_updated(
    inputs: Any,
    parameters: _Parameters,
    data_format: str,
    epsilon: float,
    decay: float,
    zero_debias: bool,
    training: Any,
    updates_collections: Any,
    batch_weights: Any,
    fused: bool,
) -> Any:
    """Returns the normalised batch, and updates the moving averages or collects their updates."""
    axis = 1 if data_format == "NCHW" else -1
    shape = _size_of_channels(inputs, axis)
    dtype = tf.float32 if fused else inputs.dtype.base_dtype
    beta, gamma = (parameters.variable(name, shape, dtype) for name in ("beta", "gamma"))
    averages = parameters.averages(shape, dtype)
    old = [tf.convert_to_tensor(average) for average in averages]

    if fused:
        outputs, *moments = _fused(inputs, gamma, beta, old, shape, dtype, training, epsilon, data_format)
    elif training is False:
        moments = old
    else:
        moments = _moments(inputs, axis, batch_weights)
    if training is not False:
        # Where this turns out to be no training, averages move to where they are. An assignment to a
        # reference variable works in no branch of a conditional.
        new = switch(training, lambda: moments, lambda: old)
        updates = [
            _debiased(averages[0], new[0], decay, training)
            if zero_debias
            else _moved(averages[0], new[0], decay),
            _moved(averages[1], new[1], decay),
        ]
        moments = new
        if updates_collections is None:
            with tf.control_dependencies(updates):
                moments = [tf.identity(moment) for moment in moments]
                outputs = tf.identity(outputs) if fused else None
        else:
            for update in updates:
                v1.add_to_collections(updates_collections, update)
    if fused:
        outputs = outputs if inputs.shape.rank == 4 else tf.reshape(outputs, tf.shape(inputs))
    else:
        broadcast = _broadcast_shape(inputs, axis)
        mean, variance, offset, scale = (
            value if value is None or axis == -1 else tf.reshape(value, broadcast)
            for value in (*moments, beta, gamma)
        )
        outputs = tf.nn.batch_normalization(inputs, mean, variance, offset, scale, epsilon)
    outputs.set_shape(inputs.shape)
    return outputs


def _fused(
    inputs: Any,
    gamma: Any,
    beta: Any,
    averages: Sequence[Any],
    shape: list[int],
    dtype: Any,
    training: Any,
    epsilon: float,
    data_format: str,
) -> tuple[Any, Any, Any]:
    """Returns the normalised batch, as images, and the moments that it was normalised by."""
    gamma = tf.constant(1.0, dtype, shape) if gamma is None else gamma
    beta = tf.constant(0.0, dtype, shape) if beta is None else beta
    images = inputs
    if inputs.shape.rank == 2:
        images = tf.reshape(inputs, [-1, *shape, 1, 1] if data_format == "NCHW" else [-1, 1, 1, *shape])

    def normalize(**options: Any) -> Any:
        return v1.nn.fused_batch_norm(
            images, gamma, beta, epsilon=epsilon, data_format=data_format, **options
        )

    outputs, mean, variance = switch(
        training,
        normalize,
        lambda: normalize(mean=averages[0], variance=averages[1], is_training=False),
    )
    return outputs, mean, variance


def _moments(inputs: Any, axis: int, weights: Any) -> list[Any]:
    rank = inputs.shape.rank
    averaged = [each for each in range(rank) if each != axis % rank]
    if weights is None:
        moments = tf.nn.moments(inputs, averaged)
    else:
        weights = tf.reshape(tf.convert_to_tensor(weights), [-1] + [1] * (rank - 1))
        moments = v1.nn.weighted_moments(inputs, averaged, weights)
    return [tf.reshape(moment, _size_of_channels(inputs, axis)) for moment in moments]


def _moved(average: Any, value: Any, decay: float) -> Any:
    """Moves an average towards a value, and returns it."""
    with v1.name_scope("AssignMovingAvg") as scope:
        rate = tf.convert_to_tensor(1.0 - decay, average.dtype.base_dtype, name="decay")
        return v1.assign_sub(average, (average - value) * rate, name=scope)


def _debiased(average: Any, value: Any, decay: float, training: Any) -> Any:
    """Moves an average, which starts at zero, and divides it by the sum of the weights so far."""
    dtype = average.dtype.base_dtype
    with v1.variable_scope(average.op.name, values=[average, value]):
        options = {"dtype": dtype, "initializer": ZEROS, "trainable": False}
        biased = v1.get_variable("biased", average.shape, **options)
        local_step = v1.get_variable("local_step", [], **options)
        counted = switch(training, lambda: tf.ones([], dtype), lambda: tf.zeros([], dtype))
        rate = tf.convert_to_tensor(1.0 - decay, dtype, name="decay") * counted
        moved = v1.assign_sub(biased, (biased - value) * rate)
        steps = v1.assign_add(local_step, counted)
        debiased = moved / (1.0 - tf.pow(tf.constant(decay, dtype), tf.maximum(steps, 1.0)))
        kept = switch(training, lambda: debiased, lambda: value)
        return v1.assign(average, kept)


@add_arg_scope
def layer_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    activation_fn: Function | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    begin_norm_axis: int = 1,
    begin_params_axis: int = -1,
    scope: Any = None,
) -> Any:
    """Normalises each example; stands for `tf.contrib.layers.layer_norm`.

    Args:
        inputs: A tensor of shape `[batch, ...]`.
        center: Whether `beta` is added.
        scale: Whether the output is multiplied by `gamma`.
        activation_fn: Function applied to the output; `None` for none.
        reuse: Whether the variables of `scope` are used again.
        variables_collections: Collections that the variables are added to, or a dict of them by variable.
        outputs_collections: Collections that the output is added to.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        begin_norm_axis: The first of the dimensions that are averaged over.
        begin_params_axis: The first of the dimensions of `beta` and `gamma`.
        scope: The variable scope or its name; by default a new one, `LayerNorm`.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        ValueError: The rank is not known or too small, or a dimension of the variables is not known.
    """
    with v1.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as opened:
        inputs = tf.convert_to_tensor(inputs)
        rank = _known_rank(inputs)
        begin_norm_axis += rank if begin_norm_axis < 0 else 0
        if begin_params_axis >= rank or begin_norm_axis >= rank:
            raise ValueError(
                f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({begin_norm_axis}) must be <"
                f" rank(inputs) ({rank})"
            )
        shape = inputs.shape[begin_params_axis:]
        if not shape.is_fully_defined():
            raise ValueError(
                f"Inputs {inputs.name}: shape(inputs)[{begin_params_axis}:] is not fully defined:"
                f" {inputs.shape}"
            )
        parameters = _Parameters(None, None, variables_collections, trainable, center, scale)
        dtype = inputs.dtype.base_dtype
        beta, gamma = (parameters.variable(name, shape, dtype) for name in ("beta", "gamma"))
        mean, variance = v1.nn.moments(inputs, list(range(begin_norm_axis, rank)), keepdims=True)
        # The least number that float16 can tell from zero is larger.
        epsilon = 1e-3 if dtype == tf.float16 else 1e-12
        outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
        outputs.set_shape(inputs.shape)
        outputs = outputs if activation_fn is None else activation_fn(outputs)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def instance_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Function | None = None,
    param_initializers: Mapping[str, Any] | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    data_format: str = "NHWC",
    scope: Any = None,
) -> Any:
    """Normalises each channel of each example; stands for `tf.contrib.layers.instance_norm`.

    Args:
        inputs: A tensor of shape `[batch, *space, channels]`.
        center: See `layer_norm`, also for the arguments that are not listed here.
        scale: Whether the output is multiplied by `gamma`.
        epsilon: Added to the variance.
        activation_fn: Function applied to the output; `None` for none.
        param_initializers: Initialisers by variable: `beta`, `gamma`.
        reuse: Whether the variables of `scope` are used again.
        variables_collections: Collections that the variables are added to.
        outputs_collections: Collections that the output is added to.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        data_format: "NHWC", or "NCHW" if the channels follow the batch.
        scope: The variable scope or its name; by default a new one, `InstanceNorm`.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        ValueError: The rank or the number of channels is not known, or `data_format` is wrong.
    """
    _check_format(data_format)
    inputs = tf.convert_to_tensor(inputs)
    rank = _known_rank(inputs)
    axis = 1 if data_format == "NCHW" else rank - 1
    with v1.variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as opened:
        shape = _size_of_channels(inputs, axis)
        parameters = _Parameters(param_initializers, None, variables_collections, trainable, center, scale)
        beta, gamma = (
            parameters.variable(name, shape, inputs.dtype.base_dtype) for name in ("beta", "gamma")
        )
        if axis == 1:
            broadcast = _broadcast_shape(inputs, axis)
            beta, gamma = (None if value is None else tf.reshape(value, broadcast) for value in (beta, gamma))
        averaged = [each for each in range(1, rank) if each != axis]
        mean, variance = v1.nn.moments(inputs, averaged, keepdims=True)
        outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon, name="instancenorm")
        outputs = outputs if activation_fn is None else activation_fn(outputs)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def group_norm(
    inputs: Any,
    groups: int = 32,
    channels_axis: int = -1,
    reduction_axes: Sequence[int] = (-3, -2),
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Function | None = None,
    param_initializers: Mapping[str, Any] | None = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    mean_close_to_zero: bool = False,
) -> Any:
    """Normalises groups of channels of each example; stands for `tf.contrib.layers.group_norm`.

    Args:
        inputs: A tensor of known rank.
        groups: The number of groups, of which the number of channels is a multiple.
        channels_axis: The dimension of the channels.
        reduction_axes: The dimensions that are averaged over.
        center: See `layer_norm`, also for the arguments that are not listed here.
        scale: Whether the output is multiplied by `gamma`.
        epsilon: Added to the variance.
        activation_fn: Function applied to the output; `None` for none.
        param_initializers: Initialisers by variable: `beta`, `gamma`.
        reuse: Whether the variables of `scope` are used again.
        variables_collections: Collections that the variables are added to.
        outputs_collections: Collections that the output is added to.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        scope: The variable scope or its name; by default a new one, `GroupNorm`.
        mean_close_to_zero: Whether the variance is computed from sums of squares.

    Returns:
        A tensor of the shape of the inputs.

    Raises:
        ValueError: The rank or a size is not known, or an axis or `groups` does not fit.
    """
    inputs = tf.convert_to_tensor(inputs)
    rank = _known_rank(inputs)
    if not all(-rank <= axis < rank for axis in (channels_axis, *reduction_axes)):
        raise ValueError("Axis is out of bounds.")
    channels_axis %= rank
    (channels,) = _size_of_channels(inputs, channels_axis)
    averaged = [axis % rank for axis in reduction_axes]
    for axis in averaged:
        if inputs.shape.as_list()[axis] is None:
            raise ValueError(f"Inputs {inputs.name} has undefined dimensions {axis}.")
        if axis == channels_axis:
            raise ValueError("reduction_axis must be mutually exclusive with channels_axis")
    if groups > channels:
        raise ValueError(f"Invalid groups {groups} for {channels} channels.")
    if channels % groups:
        raise ValueError(f"{channels} channels is not commensurate with {groups} groups.")

    sizes = [tf.shape(inputs)[i] if size is None else size for i, size in enumerate(inputs.shape.as_list())]
    before, after = sizes[:channels_axis], sizes[channels_axis + 1 :]
    split = [groups, channels // groups]
    grouped = tf.reshape(inputs, [*before, *split, *after])
    axes = [channels_axis + 1, *(axis + (axis > channels_axis) for axis in averaged)]
    with v1.variable_scope(scope, "GroupNorm", [grouped], reuse=reuse) as opened:
        parameters = _Parameters(param_initializers, None, variables_collections, trainable, center, scale)
        beta, gamma = (
            parameters.variable(name, [channels], inputs.dtype.base_dtype) for name in ("beta", "gamma")
        )
        if mean_close_to_zero:
            counts, sums, squares, _ = v1.nn.sufficient_statistics(grouped, axes, keepdims=True)
            mean, variance = tf.nn.normalize_moments(counts, sums, squares, shift=None)
        else:
            mean, variance = v1.nn.moments(grouped, axes, keepdims=True)
        gain = tf.math.rsqrt(variance + epsilon)
        offset = -mean * gain
        broadcast = [1] * len(before) + split + [1] * len(after)
        if gamma is not None:
            gamma = tf.reshape(gamma, broadcast)
            gain, offset = gain * gamma, offset * gamma
        if beta is not None:
            offset += tf.reshape(beta, broadcast)
        outputs = tf.reshape(grouped * gain + offset, sizes)
        outputs.set_shape(inputs.shape)
        outputs = outputs if activation_fn is None else activation_fn(outputs)
        return utils.collect_named_outputs(outputs_collections, opened.name, outputs)


def _check_format(data_format: str) -> None:
    # Normalisation takes inputs of any rank by the names for images.
    format_of_layers(data_format, 2)


def _known_rank(inputs: Any) -> int:
    if inputs.shape.rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    return int(inputs.shape.rank)


def _size_of_channels(inputs: Any, axis: int) -> list[int]:
    _known_rank(inputs)
    size = inputs.shape.as_list()[axis]
    if size is None:
        raise ValueError(f"Inputs {inputs.name} has undefined channels dimension: {inputs.shape}.")
    return [size]


def _broadcast_shape(inputs: Any, axis: int) -> list[int]:
    shape = [1] * _known_rank(inputs)
    shape[axis] = inputs.shape.as_list()[axis]
    return shape
