"""Has batch normalisation, with moving averages that a training step must update."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.tf_layers.base import Layer
from keras_legacy_train.tf_layers.functions_by_name import (
    Constraint,
    Initializer,
    Regularizer,
    get_constraint,
    get_initializer,
    get_regularizer,
)
from keras_legacy_train.tf_layers.input_spec import InputSpec
from keras_legacy_train.tf_layers.switch import static_or_tensor, switch

v1 = tf.compat.v1

_FUSED_FORMATS = {1: "NCHW", 3: "NHWC"}


class BatchNormalization(Layer):
    """Normalises a batch in training, others by moving averages; stands for `tf.layers.BatchNormalization`.

    The updates of the moving averages are put in the `UPDATE_OPS` collection. A training op must wait for
    them:

    ```python
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import tf_layers

    with tf.Graph().as_default():
        x = tf.random_normal([8, 3])
        loss = tf.reduce_sum(tf_layers.BatchNormalization()(x, training=True) ** 2)
        with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
            train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    ```

    Args:
        axis: The axis of the features, or a list of axes. All others are averaged over.
        momentum: The weight of the old value in a moving average.
        epsilon: Added to the variance.
        center: Whether `beta` is added.
        scale: Whether the output is multiplied by `gamma`.
        beta_initializer: Initialiser of `beta`.
        gamma_initializer: Initialiser of `gamma`.
        moving_mean_initializer: Initialiser of the moving average of the mean.
        moving_variance_initializer: Initialiser of the moving average of the variance.
        beta_regularizer: Function from `beta` to a loss.
        gamma_regularizer: Function from `gamma` to a loss.
        beta_constraint: Function from `beta` to its value after an optimizer's update.
        gamma_constraint: Function from `gamma` to its value after an optimizer's update.
        renorm: Whether training corrects the batch by moving averages, too (batch renormalisation).
        renorm_clipping: Bounds of the correction: `rmin`, `rmax`, `dmax`, each a scalar or a tensor.
        renorm_momentum: The weight of the old value in the moving averages of `renorm`.
        fused: Whether the fused op is used where it can be; `None` for yes, `False` for no.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection. If not, the moving
            averages have no updates.
        virtual_batch_size: Size of the parts of a batch that are normalised apart; `None` for one part.
        adjustment: Function from the shape of the input to a scale and a bias, applied in training before
            `gamma` and `beta`.
        name: The name of the layer and of its variable scope.
        **kwargs: Further arguments of `Layer`.

    Raises:
        TypeError: `axis` is neither an integer nor a list.
        ValueError: `renorm_clipping` has another key.
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Initializer = "zeros",
        gamma_initializer: Initializer = "ones",
        moving_mean_initializer: Initializer = "zeros",
        moving_variance_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        renorm: bool = False,
        renorm_clipping: Mapping[str, Any] | None = None,
        renorm_momentum: float = 0.99,
        fused: bool | None = None,
        trainable: bool = True,
        virtual_batch_size: int | None = None,
        adjustment: Callable[[Any], tuple[Any, Any]] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(trainable, name, **kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"axis must be int or list, type given: {type(axis)}")
        unknown = set(renorm_clipping or ()) - {"rmin", "rmax", "dmax"}
        if renorm and unknown:
            raise ValueError(
                f"renorm_clipping {renorm_clipping} contains keys not in ['rmax', 'rmin', 'dmax']"
            )
        self.axis = [axis] if isinstance(axis, int) else list(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = get_initializer(beta_initializer)
        self.gamma_initializer = get_initializer(gamma_initializer)
        self.moving_mean_initializer = get_initializer(moving_mean_initializer)
        self.moving_variance_initializer = get_initializer(moving_variance_initializer)
        self.beta_regularizer = get_regularizer(beta_regularizer)
        self.gamma_regularizer = get_regularizer(gamma_regularizer)
        self.beta_constraint = get_constraint(beta_constraint)
        self.gamma_constraint = get_constraint(gamma_constraint)
        self.renorm = renorm
        self.renorm_clipping = dict(renorm_clipping or {})
        self.renorm_momentum = renorm_momentum
        self.fused = fused
        self.virtual_batch_size = virtual_batch_size
        self.adjustment = adjustment

    def build(self, input_shape: Any) -> None:
        """Makes `gamma`, `beta`, `moving_mean` and `moving_variance`, and the averages of `renorm`.

        Args:
            input_shape: The shape of the input. The size of `axis` is known.

        Raises:
            ValueError: The size of `axis` is not known, or `axis` or `virtual_batch_size` does not fit.
        """
        shape = tf.TensorShape(input_shape)
        if not shape.rank:
            raise ValueError("Input has undefined rank:", shape)
        rank = shape.rank
        self.axis = self._checked_axes(rank)
        sizes = {axis: shape.as_list()[axis] for axis in self.axis}
        if None in sizes.values():
            raise ValueError("Input has undefined `axis` dimension. Input shape: ", shape)
        self.input_spec = InputSpec(ndim=rank, axes=sizes)
        self._set_scope(None)
        fits = not (self.renorm or self.virtual_batch_size is not None or self.adjustment)
        self.fused = self.fused is not False and rank == 4 and fits and self.axis in ([1], [3])
        if len(sizes) == 1 and self.virtual_batch_size is None:
            parameters = list(sizes.values())
        else:
            parameters = [sizes.get(axis, 1) for axis in range(rank)]
        if self.virtual_batch_size is not None:
            # The batch becomes two dimensions, of which the second has the parts.
            parameters.insert(1, 1)
            self.axis = [axis + 1 for axis in self.axis]

        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self._parameter(
                "gamma", parameters, self.gamma_initializer, self.gamma_regularizer, self.gamma_constraint
            )
        if self.center:
            self.beta = self._parameter(
                "beta", parameters, self.beta_initializer, self.beta_regularizer, self.beta_constraint
            )
        with self._unpartitioned():
            self._build_averages(parameters)
        self.built = True

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Returns the normalised inputs.

        Args:
            inputs: A tensor.
            training: Whether this is training: a bool, or a scalar tensor of dtype bool.
        """
        training = static_or_tensor(training)
        if self.fused:
            return self._fused(inputs, training)
        if self.virtual_batch_size is None:
            return self._normalized(inputs, training)
        features = inputs.shape.as_list()[1:]
        parts = tf.reshape(inputs, [self.virtual_batch_size, -1, *features])
        return tf.reshape(self._normalized(parts, training), [-1, *features])

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """Returns the shape of the output, which is that of the input.

        Args:
            input_shape: The shape of the input.
        """
        return tf.TensorShape(input_shape)

    @property
    def _parameter_dtype(self) -> Any:
        dtype = tf.as_dtype(self.dtype or tf.float32)
        return tf.float32 if dtype in (tf.float16, tf.bfloat16) else dtype

    def _checked_axes(self, rank: int) -> list[int]:
        axes = [axis + rank if axis < 0 else axis for axis in self.axis]
        for axis in axes:
            if not 0 <= axis < rank:
                raise ValueError(f"Invalid axis: {axis}")
        if len(set(axes)) < len(axes):
            raise ValueError(f"Duplicate axis: {axes}")
        if self.virtual_batch_size is not None:
            if self.virtual_batch_size <= 0:
                raise ValueError(
                    "virtual_batch_size must be a positive integer that divides the true batch size of the"
                    " input Tensor"
                )
            if 0 in axes:
                raise ValueError(
                    "When using virtual_batch_size, the batch dimension must be 0 and thus axis cannot"
                    " include 0"
                )
            if self.adjustment is not None:
                raise ValueError("When using virtual_batch_size, adjustment cannot be specified")
        return axes

    def _parameter(self, name: str, shape: Any, initializer: Any, regularizer: Any, constraint: Any) -> Any:
        return self.add_weight(
            name,
            shape,
            dtype=self._parameter_dtype,
            initializer=initializer,
            regularizer=regularizer,
            constraint=constraint,
        )

    @contextlib.contextmanager
    def _unpartitioned(self) -> Iterator[None]:
        """Keeps the scope's partitioner from averages, which are assigned as a whole."""
        partitioner = self._scope.partitioner
        self._scope.set_partitioner(None)
        try:
            yield
        finally:
            self._scope.set_partitioner(partitioner)

    def _build_averages(self, shape: Any) -> None:
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer

        def deviation(shape: Any, dtype: Any = tf.float32, partition_info: Any = None) -> Any:
            return tf.sqrt(variance(shape, dtype=dtype))

        self.moving_mean = self._average("moving_mean", shape, mean)
        self.moving_variance = self._average("moving_variance", shape, variance)
        if self.renorm:
            self.moving_stddev = self._average("moving_stddev", shape, deviation)
            self.renorm_mean = self._average("renorm_mean", shape, mean)
            self.renorm_stddev = self._average("renorm_stddev", shape, deviation)

    def _average(self, name: str, shape: Any, initializer: Any) -> Any:
        return self.add_weight(
            name,
            shape,
            dtype=self._parameter_dtype,
            initializer=initializer,
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=v1.VariableAggregation.MEAN,
        )

    def _fused(self, inputs: Any, training: Any) -> Any:
        size = [inputs.shape.as_list()[self.axis[0]]]
        gamma = tf.ones(size, self._parameter_dtype) if self.gamma is None else self.gamma
        beta = tf.zeros(size, self._parameter_dtype) if self.beta is None else self.beta

        def normalize(**options: Any) -> Any:
            return v1.nn.fused_batch_norm(
                inputs,
                gamma,
                beta,
                epsilon=self.epsilon,
                data_format=_FUSED_FORMATS[self.axis[0]],
                **options,
            )

        outputs, mean, variance = switch(
            training,
            normalize,
            lambda: normalize(mean=self.moving_mean, variance=self.moving_variance, is_training=False),
        )
        if training is not False:
            momentum = switch(training, lambda: self.momentum, lambda: 1.0)
            self.add_update(lambda: _move(self.moving_mean, mean, momentum))
            self.add_update(lambda: _move(self.moving_variance, variance, momentum))
        return outputs

    def _normalized(self, inputs: Any, training: Any) -> Any:
        rank = inputs.shape.rank
        averaged = [axis for axis in range(rank) if axis not in self.axis]
        if self.virtual_batch_size is not None:
            averaged.remove(1)
        broadcast = [1] * rank
        broadcast[self.axis[0]] = inputs.shape.as_list()[self.axis[0]]

        def expanded(values: Any) -> Any:
            if values is None or len(values.shape) == rank or averaged == list(range(rank - 1)):
                return values
            return tf.reshape(values, broadcast)

        scale, offset = expanded(self.gamma), expanded(self.beta)
        if training is False:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            if self.adjustment is not None:
                scale, offset = _composed(*self._adjusted(inputs, training), scale, offset)
            keep = self.virtual_batch_size is not None or len(self.axis) > 1
            of_batch = v1.nn.moments(tf.cast(inputs, self._parameter_dtype), averaged, keep_dims=keep)
            mean = switch(training, lambda: of_batch[0], lambda: tf.convert_to_tensor(self.moving_mean))
            variance = switch(
                training, lambda: of_batch[1], lambda: tf.convert_to_tensor(self.moving_variance)
            )
            new_mean, new_variance = mean, variance
            if self.virtual_batch_size is not None:
                new_mean = tf.reduce_mean(mean, axis=1, keepdims=True)
                new_variance = tf.reduce_mean(variance, axis=1, keepdims=True)
            if self.renorm:
                r, d, new_mean, new_variance = self._renormalized(new_mean, new_variance, training)
                r = expanded(tf.stop_gradient(r, name="renorm_r"))
                d = expanded(tf.stop_gradient(d, name="renorm_d"))
                scale, offset = _composed(r, d, scale, offset)
            self._add_updates(new_mean, new_variance, training)

        mean, variance, scale, offset = (
            None if value is None else tf.cast(value, inputs.dtype)
            for value in (mean, variance, scale, offset)
        )
        outputs = tf.nn.batch_normalization(
            inputs, expanded(mean), expanded(variance), offset, scale, self.epsilon
        )
        outputs.set_shape(inputs.shape)
        return outputs

    def _adjusted(self, inputs: Any, training: Any) -> tuple[Any, Any]:
        assert self.adjustment is not None
        scale, bias = self.adjustment(tf.shape(inputs))
        return (
            switch(training, lambda: scale, lambda: tf.ones_like(scale)),
            switch(training, lambda: bias, lambda: tf.zeros_like(bias)),
        )

    def _renormalized(self, mean: Any, variance: Any, training: Any) -> tuple[Any, Any, Any, Any]:
        """Returns the correction of the batch, and its moments, which wait for the averages' updates."""
        deviation = tf.sqrt(variance + self.epsilon)
        averaged = tf.maximum(self.renorm_stddev, tf.sqrt(self.epsilon))
        r = deviation / averaged
        d = (mean - self.renorm_mean) / averaged
        with tf.control_dependencies([r, d]):
            mean, deviation = tf.identity(mean), tf.identity(deviation)
        least, most, shift = (self.renorm_clipping.get(key) for key in ("rmin", "rmax", "dmax"))
        if least is not None:
            r = tf.maximum(r, least)
        if most is not None:
            r = tf.minimum(r, most)
        if shift is not None:
            d = tf.minimum(tf.maximum(d, -shift), shift)
        r_in_training, d_in_training = r, d
        r = switch(training, lambda: r_in_training, lambda: tf.ones_like(r_in_training))
        d = switch(training, lambda: d_in_training, lambda: tf.zeros_like(d_in_training))

        momentum = switch(training, lambda: self.renorm_momentum, lambda: 1.0)
        updates = [
            _move(self.renorm_mean, mean, momentum),
            _move(self.renorm_stddev, deviation, momentum),
        ]
        with tf.control_dependencies(updates):
            return r, d, tf.identity(mean), tf.identity(variance)

    def _add_updates(self, mean: Any, variance: Any, training: Any) -> None:
        # An assignment to a reference variable works in no branch of a conditional.
        momentum = switch(training, lambda: self.momentum, lambda: 1.0)
        self.add_update(_move(self.moving_mean, mean, momentum))
        if not self.renorm:
            self.add_update(_move(self.moving_variance, variance, momentum))
            return
        deviation = _move(self.moving_stddev, tf.sqrt(variance + self.epsilon), momentum)
        moved = tf.nn.relu(deviation * deviation - self.epsilon)
        value = switch(training, lambda: moved, lambda: tf.convert_to_tensor(self.moving_variance))
        with v1.name_scope("AssignNewValue") as scope:
            self.add_update(v1.assign(self.moving_variance, value, name=scope))


def batch_normalization(
    inputs: Any,
    axis: int | Sequence[int] = -1,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
    center: bool = True,
    scale: bool = True,
    beta_initializer: Initializer = "zeros",
    gamma_initializer: Initializer = "ones",
    moving_mean_initializer: Initializer = "zeros",
    moving_variance_initializer: Initializer = "ones",
    beta_regularizer: Regularizer = None,
    gamma_regularizer: Regularizer = None,
    beta_constraint: Constraint = None,
    gamma_constraint: Constraint = None,
    training: Any = False,
    trainable: bool = True,
    name: str | None = None,
    reuse: Any = None,
    renorm: bool = False,
    renorm_clipping: Mapping[str, Any] | None = None,
    renorm_momentum: float = 0.99,
    fused: bool | None = None,
    virtual_batch_size: int | None = None,
    adjustment: Callable[[Any], tuple[Any, Any]] | None = None,
) -> Any:
    """Returns the normalised inputs; stands for `tf.layers.batch_normalization`.

    The updates of the moving averages are put in the `UPDATE_OPS` collection. A training op must wait for
    them, as `BatchNormalization` shows.

    Args:
        inputs: A tensor.
        axis: As for `BatchNormalization`, and so are all arguments but `training` and `reuse`.
        momentum: The weight of the old value in a moving average.
        epsilon: Added to the variance.
        center: Whether `beta` is added.
        scale: Whether the output is multiplied by `gamma`.
        beta_initializer: Initialiser of `beta`.
        gamma_initializer: Initialiser of `gamma`.
        moving_mean_initializer: Initialiser of the moving average of the mean.
        moving_variance_initializer: Initialiser of the moving average of the variance.
        beta_regularizer: Function from `beta` to a loss.
        gamma_regularizer: Function from `gamma` to a loss.
        beta_constraint: Function from `beta` to its value after an optimizer's update.
        gamma_constraint: Function from `gamma` to its value after an optimizer's update.
        training: Whether this is training: a bool, or a scalar tensor of dtype bool.
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        name: The name of the layer and of its variable scope.
        reuse: Whether the variables of a layer of that name are used again.
        renorm: Whether training corrects the batch by moving averages, too.
        renorm_clipping: Bounds of the correction: `rmin`, `rmax`, `dmax`.
        renorm_momentum: The weight of the old value in the moving averages of `renorm`.
        fused: Whether the fused op is used where it can be; `None` for yes, `False` for no.
        virtual_batch_size: Size of the parts of a batch that are normalised apart.
        adjustment: Function from the shape of the input to a scale and a bias, applied in training.

    Returns:
        A tensor of the shape and dtype of the inputs.

    Raises:
        RuntimeError: No graph is being built.
        TypeError: `axis` is neither an integer nor a list.
        ValueError: The inputs, `axis`, `virtual_batch_size` or `renorm_clipping` do not fit.
    """
    layer = BatchNormalization(
        axis=axis,
        momentum=momentum,
        epsilon=epsilon,
        center=center,
        scale=scale,
        beta_initializer=beta_initializer,
        gamma_initializer=gamma_initializer,
        moving_mean_initializer=moving_mean_initializer,
        moving_variance_initializer=moving_variance_initializer,
        beta_regularizer=beta_regularizer,
        gamma_regularizer=gamma_regularizer,
        beta_constraint=beta_constraint,
        gamma_constraint=gamma_constraint,
        renorm=renorm,
        renorm_clipping=renorm_clipping,
        renorm_momentum=renorm_momentum,
        fused=fused,
        trainable=trainable,
        virtual_batch_size=virtual_batch_size,
        adjustment=adjustment,
        name=name,
        _scope=name,
        _reuse=reuse,
    )
    return layer(inputs, training=training)


def _composed(scale: Any, offset: Any, then_scale: Any, then_offset: Any) -> tuple[Any, Any]:
    if then_scale is not None:
        scale, offset = scale * then_scale, offset * then_scale
    return scale, offset if then_offset is None else offset + then_offset


def _move(average: Any, value: Any, momentum: Any) -> Any:
    """Moves an average towards a value, and returns it."""
    with v1.name_scope("AssignMovingAvg") as scope:
        rate = tf.cast(tf.convert_to_tensor(1.0 - momentum, name="decay"), average.dtype.base_dtype)
        return v1.assign_sub(average, (average - tf.cast(value, average.dtype.base_dtype)) * rate, name=scope)
