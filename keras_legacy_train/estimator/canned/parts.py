"""Builds the linear and the deep part of a model."""

from __future__ import annotations

import abc
import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import tensorflow as tf

from keras_legacy_train import tf_layers
from keras_legacy_train.estimator.canned import feature_layers
from keras_legacy_train.estimator.canned.generation import Generation, check_optimizer
from keras_legacy_train.estimator.mode_keys import ModeKeys

v1 = tf.compat.v1

Activation: TypeAlias = Callable[[tf.Tensor], tf.Tensor] | None


class Part(abc.ABC):
    """Builds logits of features, in a variable scope of its own.

    Args:
        scope: The name of the scope.
        feature_columns: What the logits are made of.
        optimizer: What trains its variables: an optimizer, the name of one, or a function that returns one.
        partitioner: Partitions large variables, for parameter servers.

    Raises:
        ValueError: The optimizer cannot be right.
    """

    def __init__(self, scope: str, feature_columns: Iterable[Any], optimizer: Any, partitioner: Any):
        check_optimizer(optimizer)
        self.scope = scope
        self.optimizer = optimizer
        self._partitioner = partitioner
        self._columns = tuple(feature_columns)

    @abc.abstractmethod
    def logits(
        self, features: Mapping[str, Any], units: int, mode: str, generation: Generation, config: Any
    ) -> tf.Tensor:
        """Returns the logits, a tensor of shape `[batch size, units]`; called within the scope.

        Args:
            features: The features by name.
            units: The size of the last dimension.
            mode: One of `ModeKeys`.
            generation: Whose model it is.
            config: The `RunConfig`, which says how many parameter servers there are.
        """

    def variables(self) -> list[tf.Variable]:
        """Returns the variables that are trained."""
        variables: list[tf.Variable] = v1.get_collection(
            v1.GraphKeys.TRAINABLE_VARIABLES, scope=f"{self.scope}/"
        )
        return variables

    def _column_partitioner(self, generation: Generation, config: Any) -> Any:
        """Returns what partitions the variables of the columns.

        Without parameter servers, TensorFlow 1's partitions nothing, but the names of the optimizer's
        variables depend on whether there is one.
        """
        if generation is Generation.TF2:
            return None
        replicas = config.num_ps_replicas if config else 0
        return self._partitioner or v1.min_max_variable_partitioner(replicas, min_slice_size=64 << 20)

    def _scope_partitioner(self, generation: Generation, config: Any) -> Any:
        """Returns what partitions the other variables."""
        return self._column_partitioner(generation, config)

    @contextlib.contextmanager
    def in_scope(self, generation: Generation, config: Any) -> Iterator[None]:
        """Enters the scope of its variables.

        Args:
            generation: Whose model it is.
            config: The `RunConfig`, which says how many parameter servers there are.
        """
        resource = True if generation is Generation.TF2 else None
        partitioner = self._scope_partitioner(generation, config)
        with v1.variable_scope(self.scope, partitioner=partitioner, use_resource=resource):
            yield


class LinearPart(Part):
    """Builds a weighted sum of features.

    Args:
        feature_columns: Dense and categorical columns.
        optimizer: See `Part`; `None` for Ftrl at a learning rate that suits the number of columns.
        sparse_combiner: How the values of a categorical column become one.
        partitioner: See `Part`.

    Raises:
        ValueError: The optimizer cannot be right.
    """

    def __init__(
        self,
        feature_columns: Iterable[Any],
        optimizer: Any,
        sparse_combiner: str = "sum",
        partitioner: Any = None,
    ):
        self.optimizer_is_default = optimizer is None
        super().__init__("linear", feature_columns, "Ftrl" if optimizer is None else optimizer, partitioner)
        self._sparse_combiner = sparse_combiner

    def learning_rate(self, largest: float) -> float:
        """Returns a learning rate that suits the number of columns."""
        return min(largest, 1 / math.sqrt(len(self._columns)))

    def logits(
        self, features: Mapping[str, Any], units: int, mode: str, generation: Generation, config: Any
    ) -> tf.Tensor:
        logits, weights, bias = feature_layers.linear_model(
            features, self._columns, units, self._sparse_combiner
        )
        with summary_scope(generation):
            if units > 1:
                v1.summary.histogram("bias", bias)
            else:
                v1.summary.scalar("bias", tf.convert_to_tensor(bias)[0])
            v1.summary.scalar("fraction_of_zero_weights", _fraction_of_zeros(weights))
        return logits


class DeepPart(Part):
    """Builds logits by fully connected layers.

    Args:
        feature_columns: Dense columns.
        hidden_units: The sizes of the hidden layers.
        optimizer: See `Part`.
        activation_fn: The activation of the hidden layers.
        dropout: Which part of the activations is dropped in training; `None` for none.
        batch_norm: Whether the outputs of the hidden layers are normalised.
        partitioner: Partitions the variables of the columns.

    Raises:
        ValueError: The optimizer cannot be right.
    """

    def __init__(
        self,
        feature_columns: Iterable[Any],
        hidden_units: Iterable[int],
        optimizer: Any,
        activation_fn: Activation,
        dropout: float | None,
        batch_norm: bool,
        partitioner: Any = None,
    ):
        super().__init__("dnn", feature_columns, optimizer, partitioner)
        self._hidden_units = tuple(hidden_units)
        self._activation_fn = activation_fn
        self._dropout = dropout
        self._batch_norm = batch_norm

    def _scope_partitioner(self, generation: Generation, config: Any) -> Any:
        if generation is Generation.TF2:
            return None
        return v1.min_max_variable_partitioner(config.num_ps_replicas if config else 0)

    def logits(
        self, features: Mapping[str, Any], units: int, mode: str, generation: Generation, config: Any
    ) -> tf.Tensor:
        training = mode == ModeKeys.TRAIN
        scope = v1.get_variable_scope()
        partitioner = self._column_partitioner(generation, config)
        with v1.variable_scope("input_from_feature_columns", partitioner=partitioner):
            shared_scope = v1.get_variable_scope()
            if generation is Generation.TF2:
                shared_scope = v1.VariableScope(reuse=False, use_resource=True)
            net = feature_layers.input_layer(features, self._columns, shared_scope)
        for index, size in enumerate(self._hidden_units):
            name = f"hiddenlayer_{index}"
            net = self._dense(net, size, self._activation_fn, name)
            if self._dropout is not None and training:
                net = tf.nn.dropout(net, rate=self._dropout)
            if self._batch_norm:
                with v1.variable_scope(name, auxiliary_name_scope=False):
                    # The default momentum is too small for some problems.
                    net = tf_layers.batch_normalization(
                        net, momentum=0.999, training=training, name=f"batchnorm_{index}"
                    )
            with summary_scope(generation):
                summarize_layer(net, f"{scope.name}/{name}")
        logits = self._dense(net, units, None, "logits")
        with summary_scope(generation):
            summarize_layer(logits, f"{scope.name}/logits")
        return logits

    @staticmethod
    def _dense(net: tf.Tensor, size: int, activation: Any, name: str) -> tf.Tensor:
        initializer = v1.glorot_uniform_initializer()
        return tf_layers.dense(net, size, activation, kernel_initializer=initializer, name=name)


@contextlib.contextmanager
def summary_scope(generation: Generation) -> Iterator[None]:
    """Enters the name scope that begins the tags of summaries: in TensorFlow 1 the current one, else none.

    Args:
        generation: Whose model it is.
    """
    with v1.name_scope(None) if generation is Generation.TF2 else contextlib.nullcontext():
        yield


def summarize_layer(value: tf.Tensor, tag: str) -> None:
    """Adds the summaries of a layer: which part of its outputs is zero, and a histogram of them.

    Args:
        value: The outputs.
        tag: Begins the tags.
    """
    v1.summary.scalar(f"{tag}/fraction_of_zero_values", tf.math.zero_fraction(value))
    v1.summary.histogram(f"{tag}/activation", value)


def _fraction_of_zeros(weights: Sequence[Any]) -> tf.Tensor:
    weights = [tf.convert_to_tensor(weight) for weight in weights]
    zeros = tf.add_n([tf.reduce_sum(tf.cast(tf.equal(w, 0.0), tf.float32)) for w in weights])
    return zeros / tf.cast(tf.add_n([tf.size(w, tf.int64) for w in weights]), tf.float32)
