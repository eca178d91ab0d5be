"""Collects the state of a training without a graph for checkpoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import _keras, _tensorflow
from keras_legacy_train.checkpoints import NamedVariables, SavedVariable, TrackedObjects
from keras_legacy_train.checkpoints.state import StateCopy
from keras_legacy_train.programs.source import DatasetSource, Source


def model_state(
    model: keras.Model,
    global_step: tf.Variable,
    optimizer: Any,
    used: Iterable[tf.Variable],
    run_state: Any,
    source: Source | None,
) -> ModelState:
    """Collects a model with everything that its training changes.

    `tf.train.Checkpoint(model=model)` finds its weights and its optimizer in the checkpoint. Variables that
    this leaves out, such as those of metrics and seed generators, are saved beside them.

    Args:
        model: The model, built.
        global_step: Counts the steps.
        optimizer: The optimizer that trains the model, if it is known.
        used: Every variable that a step uses, always in the same order.
        run_state: The epoch, and the state of callbacks.
        source: The input, if its position is saved.

    Raises:
        ValueError: The input cannot tell its position.
    """
    objects = {"model": model, "global_step": global_step}
    if optimizer is not None and optimizer is not getattr(model, "optimizer", None):
        objects["optimizer"] = optimizer
    optional: dict[str, Any] = {"run": run_state}
    if source is not None:
        optional["input"] = dataset_position(source)
    return ModelState(objects, used, optional)


class ModelState:
    """A model and what its training changes, found anew for each checkpoint: it may have been compiled anew.

    Args:
        objects: The model as `"model"`, and what else has a name of its own.
        used: Every variable that a step uses now, always in the same order.
        optional: What a checkpoint may lack.
    """

    def __init__(self, objects: dict[str, Any], used: Iterable[tf.Variable], optional: dict[str, Any]):
        self._objects = objects
        self._used = used
        self._optional = optional

    def copy(self) -> StateCopy:
        """Copies the values."""
        return self._tracked().copy()

    def restore(self, prefix: str) -> None:
        """Takes the values from a checkpoint; see `CheckpointState`."""
        self._tracked().restore(prefix)

    def _tracked(self) -> TrackedObjects:
        model = self._objects["model"]
        root = tf.train.Checkpoint(**self._objects)
        strategy = model.distribute_strategy
        known = {
            id(each)
            for variable in tf.train.TrackableView(root).descendants()
            for each in _same_values(variable, strategy)
        }
        groups = {"model": model.variables, "metrics": model.metrics_variables, "step": self._used}
        others: dict[str, tf.train.Checkpoint] = {}
        for name, variables in groups.items():
            # Names may differ from process to process, so variables are numbered by their order.
            new = {id(value): value for value in map(_value, variables) if id(value) not in known}
            numbered = {str(number): each for number, each in enumerate(new.values())}
            others[name] = tf.train.Checkpoint(**numbered)
            known.update(id(each) for value in new.values() for each in _same_values(value, strategy))
        return TrackedObjects({**self._objects, "others": tf.train.Checkpoint(**others)}, self._optional)


def variables_state(variables: Iterable[tf.Variable], source: Source | None) -> NamedVariables:
    """Collects variables under their names, as in a checkpoint of a graph.

    Args:
        variables: The variables.
        source: The input, if its position is saved.

    Raises:
        ValueError: Two variables have one name, or the input cannot tell its position.
    """
    distinct = list({id(variable): variable for variable in variables}.values())
    names = [variable.name.partition(":")[0] for variable in distinct]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"Several variables are called {', '.join(twice)}, and a checkpoint has one place for each name."
            " Give each a name of its own; pass your counter of steps as global_step_tensor; and pass a Keras"
            " model in the graph's place."
        )
    saved = [SavedVariable(name, variable) for name, variable in zip(names, distinct, strict=True)]
    if source is not None:
        saved.append(SavedVariable("input/state", _PositionTensor(source), optional=True))
    return NamedVariables(saved)


class _PositionTensor:
    """Reads and assigns the position in the input as that of a variable."""

    shape = tf.TensorShape(None)
    device = "/device:CPU:0"

    def __init__(self, source: Source):
        self._position = dataset_position(source)
        tensors = self._position.read()
        (self._name,) = tensors.keys() - {self._position.READING}
        self.dtype = tensors[self._name].dtype

    def read_value(self) -> tf.Tensor:
        """Returns the position now."""
        return self._position.read()[self._name]

    def assign(self, value: tf.Tensor, read_value: bool = True) -> None:
        """Goes to the position. `read_value` does nothing; a variable's `assign` has it."""
        self._position.go_to({self._name: value})


def dataset_position(source: Source) -> Any:
    """Makes the object that saves and restores the position in the input.

    Raises:
        ValueError: The input cannot tell its position.
    """
    if not isinstance(source, DatasetSource):
        raise ValueError(
            "save_input_state=True: only a tf.data.Dataset can tell its position. Pass one, or"
            " save_input_state=False."
        )
    position = _tensorflow.DatasetPosition(source)
    try:
        position.read()
    except (tf.errors.OpError, AttributeError, NotImplementedError) as error:
        raise ValueError(
            "save_input_state=True: this input cannot tell its position, as one that calls Python code or is"
            f" distributed cannot. Pass save_input_state=False. {error}"
        ) from error
    return position


def _same_values(each: Any, strategy: tf.distribute.Strategy) -> tuple[Any, ...]:
    """Returns an object, and for a variable its copies on replicas, unless each has a value of its own."""
    value = _value(each)
    if not isinstance(value, tf.Variable) or value.synchronization is tf.VariableSynchronization.ON_READ:
        return (value,)
    return (value, *strategy.experimental_local_results(value))


def _value(each: Any) -> Any:
    """Returns the TensorFlow variable inside a Keras variable, or any other object itself."""
    return each.value if isinstance(each, _keras.Variable) else each
