"""Makes a lifted graph's variables the weights of a Keras model."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import keras
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.elements import find_global_step
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.programs.graph_optimizer import GraphOptimizer, find_learning_rate
from keras_legacy_train.types import Fetch

_KEYS = tf.compat.v1.GraphKeys
_Class = TypeVar("_Class", bound=type)


@contextlib.contextmanager
def v2_behavior() -> Iterator[None]:
    """Enables eager execution, tensors and shapes as Keras expects, also after `disable_v2_behavior()`."""
    v1 = tf.compat.v1
    with _tensorflow.eager_mode(), contextlib.ExitStack() as restore:
        if not isinstance(tf.constant(0) == 0, tf.Tensor):
            v1.enable_tensor_equality()
            restore.callback(v1.disable_tensor_equality)
        if not isinstance(tf.TensorShape([0])[0], int):
            v1.enable_v2_tensorshape()
            restore.callback(v1.disable_v2_tensorshape)
        yield


def with_v2_behavior(*methods: str) -> Callable[[_Class], _Class]:
    """Decorates a class so that the named methods run in `v2_behavior`."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def run(*args: Any, **kwargs: Any) -> Any:
            with v2_behavior():
                return method(*args, **kwargs)

        return run

    def decorate(cls: _Class) -> _Class:
        for name in methods:
            setattr(cls, name, wrap(getattr(cls, name)))
        return cls

    return decorate


@with_v2_behavior("get_weights", "set_weights", "save_weights", "load_weights", "summary", "count_params")
class GraphWeights(keras.Model):
    """Shows a graph to Keras callbacks: a model whose weights are the graph's global variables.

    So `get_weights`, `save_weights`, `count_params`, `summary` and `stop_training` work. The names of the
    weights, in files, too, are the variables' TF 1 names with `"."` for `"/"`. The model cannot be called.

    Variables of dtypes that Keras does not have cannot be weights: strings, and complex numbers before
    Keras 3.6. They are left out, also in the files of `save_weights`; checkpoints have them.

    Args:
        session: The graph's session; all its global variables must have values.
        learning_rate: The variable that `optimizer.learning_rate` reads and sets; see `find_learning_rate`.
        name: The model's name.

    Attributes:
        session: The graph's session, with `run`, `graph` and `as_default`. It can be given to a
            `tf.compat.v1.train.Saver`.
        optimizer: Has `learning_rate` and `iterations`, for the callbacks that use them.
        stop_training: Set by callbacks to end the training.

    Raises:
        ValueError: `learning_rate` is not a variable of the graph.
    """

    def __init__(self, session: GraphSession, learning_rate: Fetch | None = None, name: str = "graph"):
        super().__init__(name=name, autocast=False)
        self.session = session
        graph = session.graph
        trainable = {variable.op.name for variable in graph.get_collection(_KEYS.TRAINABLE_VARIABLES)}
        names = dict.fromkeys(v.op.name for v in graph.get_collection(_KEYS.GLOBAL_VARIABLES))
        by_name = {
            name: self._shared_variable(name, name in trainable)
            for name in names
            if _is_known_to_keras(session.lifted.variable(name).dtype)
        }
        for variable in by_name.values():
            # A tf.train.Checkpoint finds attributes, but not the members of a list.
            setattr(self, f"variable.{variable.name}", variable)
        rate_name = find_learning_rate(session, learning_rate)
        rate = by_name.get(rate_name)
        if rate is None and rate_name is not None:
            rate = self._shared_variable(rate_name, trainable=False)
        global_step = find_global_step(graph)
        steps = None if global_step is None else by_name.get(global_step.op.name)
        self.optimizer = GraphOptimizer(rate, steps)
        self._scopes = functools.cache(lambda: _scopes(by_name, name))
        self.built = True
        self.stop_training = False

    @property
    def layers(self) -> list[keras.layers.Layer]:
        """Returns a layer for each variable scope, with its variables, for `summary` and for histograms."""
        return self._scopes()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises NotImplementedError: Keras cannot save a graph."""
        self.get_config()

    def get_config(self) -> dict[str, Any]:
        """Raises NotImplementedError: Keras cannot save a graph."""
        raise NotImplementedError(
            "A graph cannot be saved as a .keras file. save_weights() writes its variables, to a file whose"
            " name ends in '.weights.h5'; GraphModel.export() writes a SavedModel. To ModelCheckpoint pass"
            " save_weights_only=True."
        )

    def save_own_variables(self, store: Any) -> None:
        """Writes the weights under their names; Keras would number them.

        Args:
            store: A mapping from names to arrays.
        """
        for variable in self.weights:
            store[variable.name] = variable

    def load_own_variables(self, store: Any) -> None:
        """Assigns all weights from `store`, or none; ignores other entries.

        Args:
            store: A mapping from names to arrays.

        Raises:
            ValueError: Weights are missing there, or have another shape.
        """
        there = set(store.keys())
        problems = []
        for variable in self.weights:
            if variable.name not in there:
                problems.append(f"{variable.name} is missing")
            elif tuple(store[variable.name].shape) != tuple(variable.shape):
                problems.append(
                    f"{variable.name} has shape {store[variable.name].shape}, not {variable.shape}"
                )
        if problems:
            raise ValueError("The file does not fit this graph:\n  " + "\n  ".join(problems))
        for variable in self.weights:
            variable.assign(store[variable.name])

    def _shared_variable(self, name: str, trainable: bool) -> keras.Variable:
        """Makes the weight that shares its value with a variable of the graph."""
        variable = self.session.lifted.variable(name)
        return _tensorflow.SharedVariable(variable, trainable, name.replace("/", "."))


class VariableScope(keras.layers.Layer):
    """Shows the variables of one scope as a layer. The model saves and loads them, the layer does not.

    Args:
        name: The layer's name.
        variables: Its weights.
    """

    def __init__(self, name: str, variables: list[keras.Variable]):
        super().__init__(name=name)
        self.scope_variables = variables
        self.built = True

    def save_own_variables(self, store: Any) -> None:
        """Writes nothing."""

    def load_own_variables(self, store: Any) -> None:
        """Reads nothing."""


def _is_known_to_keras(dtype: tf.DType) -> bool:
    """Returns whether a Keras variable can have the dtype."""
    try:
        return bool(keras.backend.standardize_dtype(dtype.name) != "string")
    except ValueError:
        return False


def _scopes(variables: dict[str, keras.Variable], top_name: str) -> list[keras.layers.Layer]:
    """Makes a layer for each scope; an optimizer's slots of a variable belong to the variable's scope.

    Args:
        variables: The variables by their TF 1 names.
        top_name: Name of the layer for variables in no scope.
    """
    members: dict[str, list[keras.Variable]] = {}
    for name, variable in variables.items():
        scope = name.rpartition("/")[0]
        while scope in variables:
            scope = scope.rpartition("/")[0]
        members.setdefault(scope.replace("/", ".") or top_name, []).append(variable)
    return [VariableScope(name, each) for name, each in members.items()]
