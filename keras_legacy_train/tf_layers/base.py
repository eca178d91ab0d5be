"""Has the base class of layers: their variables, scopes, losses and updates."""

from __future__ import annotations

import collections
import copy
import inspect
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.tf_layers.functions_by_name import (
    Constraint,
    Initializer,
    Regularizer,
    get_constraint,
    get_initializer,
    get_regularizer,
    snake_case,
)
from keras_legacy_train.tf_layers.input_spec import check_inputs

v1 = tf.compat.v1

# How many layers of each class a graph has, to name the next.
_layer_counts: weakref.WeakKeyDictionary[tf.Graph, collections.Counter[str]] = weakref.WeakKeyDictionary()


class Layer:
    """Makes variables in a variable scope, and ops from them; stands for `tf.layers.Layer`.

    A subclass makes its variables in `build(input_shape)`, with `add_weight`, and its ops in `call(inputs)`.
    Both run in the scope of the layer, which is opened at the first call.

    Args:
        trainable: Whether the variables are put in the `TRAINABLE_VARIABLES` collection.
        name: The name of the layer; by default one made from that of the class. The variable scope has this
            name, too, or one made from it if there is such a scope already.
        dtype: The dtype of the variables; by default that of the first input.
        activity_regularizer: Function from an output to a loss, or `None`.
        _scope: The variable scope; by default a new one with the name of the layer.
        _reuse: Whether variables of that name must exist; `tf.compat.v1.AUTO_REUSE` for either.
    """

    def __init__(
        self,
        trainable: bool = True,
        name: Any = None,
        dtype: Any = None,
        *,
        activity_regularizer: Callable[[Any], Any] | None = None,
        _scope: Any = None,
        _reuse: Any = None,
    ) -> None:
        self.trainable = trainable
        self.built = False
        self.input_spec: Any = None
        self.activity_regularizer = activity_regularizer
        self._base_name = getattr(name, "name", name) or snake_case(type(self).__name__)
        self._name = name if isinstance(name, str) and name else _unique_name(snake_case(type(self).__name__))
        self._dtype = None if dtype is None else tf.as_dtype(dtype).base_dtype.name
        self._reuse = _reuse
        self._scope: Any = _capture(_scope) if _scope else None
        self._trainable_weights: list[Any] = []
        self._non_trainable_weights: list[Any] = []
        self._losses: list[tf.Tensor] = []
        self._updates: list[tf.Operation] = []
        self._inputs: list[Any] = []

    @property
    def name(self) -> str:
        """Returns the name of the layer, unique in the graph unless it was given."""
        return self._name

    @property
    def scope_name(self) -> str:
        """Returns the name of the layer's variable scope.

        Raises:
            ValueError: The layer has not been called.
        """
        if self._scope is None:
            raise ValueError(
                f'No name available for layer scope because the layer "{self.name}" has not been used yet.'
                " The scope name is determined the first time the layer instance is called."
                " You must therefore call the layer before querying `scope_name`."
            )
        return str(self._scope.name)

    @property
    def dtype(self) -> str | None:
        """Returns the name of the variables' dtype; `None` until an input says it."""
        return self._dtype

    @property
    def trainable_weights(self) -> list[Any]:
        """Returns the variables to train: none if the layer is not `trainable`."""
        return list(self._trainable_weights) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        """Returns the variables that are not trained."""
        frozen = [] if self.trainable else self._trainable_weights
        return [*frozen, *self._non_trainable_weights]

    @property
    def weights(self) -> list[Any]:
        """Returns all variables, the trained ones first."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_variables(self) -> list[Any]:
        """Returns `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        """Returns `non_trainable_weights`."""
        return self.non_trainable_weights

    @property
    def variables(self) -> list[Any]:
        """Returns `weights`."""
        return self.weights

    @property
    def losses(self) -> list[tf.Tensor]:
        """Returns the losses of regularisers and of `add_loss`. They are in `REGULARIZATION_LOSSES`, too."""
        return list(self._losses)

    @property
    def updates(self) -> list[tf.Operation]:
        """Returns the ops to run with every training step: none if the layer is not `trainable`.

        A call puts them in the `UPDATE_OPS` collection.
        """
        return list(self._updates) if self.trainable else []

    def build(self, input_shape: Any) -> None:
        """Makes the variables. Called once, before the first `call`.

        Args:
            input_shape: The `tf.TensorShape` of the input, or a structure of them.
        """
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns the output for an input.

        Args:
            inputs: A tensor or a structure of tensors.
            *args: What the subclass takes.
            **kwargs: What the subclass takes. An argument `scope` is given the variable scope of the layer.
        """
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tf.TensorShape:
        """Returns the shape of the output.

        Args:
            input_shape: The shape of the input.

        Raises:
            NotImplementedError: The subclass does not say it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no compute_output_shape")

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Builds the layer if need be, and returns its output.

        Args:
            inputs: A tensor or a structure of tensors. Arrays and numbers are made into tensors.
            *args: Further arguments for `call`.
            **kwargs: Further arguments for `call`, and `scope`, the variable scope or its name, at the first
                call.

        Returns:
            The output of `call`, a tensor or a structure of tensors.

        Raises:
            RuntimeError: No graph is being built.
            ValueError: The inputs do not fit the layer, or `call` returned None.
        """
        check_graph_is_built(type(self).__name__)
        self._set_scope(kwargs.pop("scope", None))
        inputs = tf.nest.map_structure(_as_tensor, inputs)
        self._inputs += tf.nest.flatten(inputs)
        with v1.variable_scope(
            self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False
        ) as opened:
            if "scope" in inspect.signature(self.call).parameters:
                kwargs["scope"] = opened
            with v1.name_scope(opened.original_name_scope):
                check_inputs(self.input_spec, inputs, self.name)
                self._build_for(inputs)
                outputs = self.call(inputs, *args, **kwargs)
                if outputs is None:
                    raise ValueError(
                        "A layer's `call` method should return a Tensor or a list of Tensors,"
                        f" not None (layer: {self.name})."
                    )
                self._regularize_activity(inputs, outputs)
        _add_to_collection(v1.GraphKeys.UPDATE_OPS, self.updates)
        return outputs

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls the layer: the same as `layer(inputs, *args, **kwargs)`.

        Args:
            inputs: A tensor or a structure of tensors.
            *args: Further arguments for `call`.
            **kwargs: Further arguments for `call`.
        """
        return self(inputs, *args, **kwargs)

    def add_weight(
        self,
        name: str,
        shape: Any = (),
        dtype: Any = None,
        initializer: Initializer = None,
        regularizer: Regularizer = None,
        trainable: bool | None = None,
        constraint: Constraint = None,
        use_resource: bool | None = None,
        synchronization: tf.VariableSynchronization = tf.VariableSynchronization.AUTO,
        aggregation: tf.VariableAggregation = tf.compat.v1.VariableAggregation.NONE,
        partitioner: Callable[..., Any] | None = None,
    ) -> Any:
        """Makes a variable in the layer's scope, or finds it there, by `tf.compat.v1.get_variable`.

        Args:
            name: The name of the variable.
            shape: Its shape.
            dtype: Its dtype; by default that of the layer, or float32.
            initializer: Its initialiser; by default that of the scope, or Glorot's uniform one.
            regularizer: Function from the variable to a loss, which is added to the layer's `losses`.
            trainable: Whether it is trained; by default it is, unless it is synchronised when read.
            constraint: Function from the variable to its value after an update by an optimizer.
            use_resource: Whether it is a resource variable; by default as the scope says.
            synchronization: When copies of the variable are made equal, in a distribution strategy.
            aggregation: How copies of the variable are made equal, in a distribution strategy.
            partitioner: Splits the variable into parts; by default that of the scope.

        Returns:
            The variable. What a partitioner or a custom getter returns, if there is one.

        Raises:
            RuntimeError: No graph is being built.
            ValueError: The variable is to be trained and to be synchronised when read; or it exists and must
                not, or the other way round.
        """
        check_graph_is_built(type(self).__name__)
        on_read = synchronization == tf.VariableSynchronization.ON_READ
        if trainable and on_read:
            raise ValueError(
                "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable"
                " variables. You have specified trainable=True and"
                " synchronization=VariableSynchronization.ON_READ."
            )
        trainable = (not on_read if trainable is None else trainable) and self.trainable
        regularize = get_regularizer(regularizer)
        self._set_scope(None)
        with (
            v1.variable_scope(
                self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False
            ) as opened,
            v1.name_scope(opened.original_name_scope),
        ):
            existing = {id(variable) for variable in v1.global_variables()} if regularize else set()
            variable = v1.get_variable(
                name,
                shape,
                dtype=tf.as_dtype(dtype or self.dtype or tf.float32),
                initializer=get_initializer(initializer),
                trainable=trainable,
                constraint=get_constraint(constraint),
                partitioner=partitioner,
                use_resource=use_resource,
                synchronization=synchronization,
                aggregation=aggregation,
            )
            parts = _parts(variable)
            if regularize and existing.isdisjoint(map(id, parts)):
                for part in parts:
                    # As `get_variable` does, so that the loss of a cell in a loop can be read outside of it.
                    with v1.name_scope(f"{name}/Regularizer"), tf.init_scope():
                        self.add_loss(regularize(part))
        # A custom getter may have made the variable an untrained one, or a tensor.
        self._add_to_weights(variable, trainable and is_trained(variable))
        return variable

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """Makes a variable: the same as `add_weight`.

        Args:
            *args: The arguments of `add_weight`.
            **kwargs: The arguments of `add_weight`.
        """
        return self.add_weight(*args, **kwargs)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds losses to those of the layer, and to the `REGULARIZATION_LOSSES` collection.

        Args:
            losses: A scalar tensor, a function that returns one, or a list of these. `None` is left out.
            inputs: Not needed: what a loss depends on is read from the graph.
        """
        added = [loss() if callable(loss) else loss for loss in tf.nest.flatten(losses)]
        added = [tf.convert_to_tensor(loss) for loss in added if loss is not None]
        self._losses += added
        _add_to_collection(v1.GraphKeys.REGULARIZATION_LOSSES, added)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Adds ops to the `updates` of the layer.

        Args:
            updates: An op, a tensor or a variable whose op is meant, a function that returns one, or a list
                of these.
            inputs: Not needed: what an update depends on is read from the graph.
        """
        for update in tf.nest.flatten(updates):
            made = update() if callable(update) else update
            self._updates.append(getattr(made, "op", made))

    def get_losses_for(self, inputs: Any) -> list[tf.Tensor]:
        """Returns the losses that depend on inputs, or those that do not.

        Args:
            inputs: Tensors; `None` for the losses that depend on no input, such as those of variables.
        """
        return [loss for loss in self.losses if self._is_of(inputs, loss.op)]

    def get_updates_for(self, inputs: Any) -> list[tf.Operation]:
        """Returns the updates that depend on inputs, or those that do not.

        Args:
            inputs: Tensors; `None` for the updates that depend on no input.
        """
        return [update for update in self.updates if self._is_of(inputs, update)]

    def count_params(self) -> int:
        """Returns the number of scalars in the variables.

        Raises:
            ValueError: The layer has no variables yet, because it has not been called.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. Call it first."
            )
        return sum(part.shape.num_elements() for weight in self.weights for part in _parts(weight))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Copies the layer. Scopes and tensors, which belong to a graph, are shared."""
        memo[id(self)] = twin = type(self).__new__(type(self))
        for name, value in vars(self).items():
            if any(map(_belongs_to_a_graph, tf.nest.flatten(value))):
                setattr(twin, name, list(value) if isinstance(value, list) else value)
            else:
                setattr(twin, name, copy.deepcopy(value, memo))
        return twin

    def _is_of(self, inputs: Any, op: tf.Operation) -> bool:
        if inputs is None:
            return not _depends_on(op, self._inputs)
        return _depends_on(op, tf.nest.flatten(inputs))

    def _add_to_weights(self, variable: Any, trained: bool) -> None:
        weights = self._trainable_weights if trained else self._non_trainable_weights
        if all(variable is not weight for weight in weights):
            weights.append(variable)

    def _set_scope(self, scope: Any) -> None:
        if self._scope is None and self._reuse:
            self._scope = _capture(self._base_name if scope is None else scope)
        elif self._scope is None:
            self._scope = _capture(scope, default_name=self._base_name)

    def _build_for(self, inputs: Any) -> None:
        if self.built:
            return
        tensors = tf.nest.flatten(inputs)
        if tensors and self._dtype is None:
            self._dtype = tensors[0].dtype.base_dtype.name
        self.build(tf.nest.map_structure(lambda tensor: tensor.shape, inputs))
        self.built = True

    def _regularize_activity(self, inputs: Any, outputs: Any) -> None:
        if self.activity_regularizer is None:
            return
        with v1.name_scope("ActivityRegularizer"):
            for output in tf.nest.flatten(outputs):
                loss = self.activity_regularizer(output)
                self.add_loss(loss / tf.cast(tf.shape(output)[0], loss.dtype), inputs=inputs)


def check_graph_is_built(what: str) -> None:
    """Raises RuntimeError, with the way out, in eager execution.

    Args:
        what: The layer or cell that was to be used.
    """
    if tf.executing_eagerly():
        raise RuntimeError(
            f"{what} adds to a graph of TensorFlow 1, and no graph is being built. Call it within"
            " `with tf.Graph().as_default():`, or in the model_fn of an Estimator. In eager execution, use"
            " the layers of Keras."
        )


def is_trained(variable: Any) -> bool:
    """Returns whether what `get_variable` returned is trained: all parts of it, if it is partitioned.

    Args:
        variable: A variable, or what a partitioner or a custom getter made of it.
    """
    return all(getattr(part, "trainable", False) for part in _parts(variable))


def _unique_name(base_name: str) -> str:
    counts = _layer_counts.setdefault(v1.get_default_graph(), collections.Counter())
    counts[base_name] += 1
    return f"{base_name}_{counts[base_name]}"


def _capture(scope: Any, default_name: str | None = None) -> Any:
    with v1.variable_scope(scope, default_name=default_name) as captured:
        return captured


def _as_tensor(value: Any) -> Any:
    return tf.convert_to_tensor(value) if isinstance(value, (np.ndarray, np.generic, float, int)) else value


def _parts(variable: Any) -> list[Any]:
    """Returns the variables of a partitioned variable, or the only one of another."""
    return list(variable) if _is_partitioned(variable) else [variable]


def _is_partitioned(value: Any) -> bool:
    # The class has no public name.
    return hasattr(value, "as_tensor") and not isinstance(value, (tf.Tensor, tf.Variable))


def _belongs_to_a_graph(value: Any) -> bool:
    kinds = (tf.Tensor, tf.Variable, tf.Operation, v1.VariableScope)
    return isinstance(value, kinds) or _is_partitioned(value)


def _add_to_collection(key: str, elements: Iterable[Any]) -> None:
    collection = v1.get_collection_ref(key)
    present = {id(element) for element in collection}
    collection += [element for element in elements if id(element) not in present]


def _depends_on(op: tf.Operation, tensors: Iterable[Any]) -> bool:
    sources = {tensor.op for tensor in tensors}
    seen: set[tf.Operation] = set()
    waiting = [op]
    while waiting:
        each = waiting.pop()
        if each in sources:
            return True
        if each not in seen:
            seen.add(each)
            waiting += [tensor.op for tensor in each.inputs]
    return False
