"""What a checkpoint holds of a training that is no graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import _keras, _tensorflow
from keras_legacy_train.checkpoints import NamedVariables, SavedVariable, TrackedObjects
from keras_legacy_train.programs.source import DatasetSource, Source


def model_state(
    model: keras.Model,
    global_step: tf.Variable,
    optimizer: Any,
    used: Iterable[tf.Variable],
    run_state: Any,
    source: Source | None,
) -> TrackedObjects:
    """A model with everything that its training changes.

    `tf.train.Checkpoint(model=model)` finds its weights and its optimizer in the checkpoint. What that passes
    over, metrics and seed generators among it, is there beside them.

    Args:
        model: The model, built.
        global_step: Counts the steps.
        optimizer: What trains the model, if that is known.
        used: Every variable that a step uses.
        run_state: The epoch, and what callbacks remember.
        source: The input, if its position is saved.
    """
    objects = {"model": model, "global_step": global_step}
    if optimizer is not None and optimizer is not getattr(model, "optimizer", None):
        objects["optimizer"] = optimizer
    root = tf.train.Checkpoint(**objects)
    known = {id(_value(each)) for each in tf.train.TrackableView(root).descendants()}
    others: dict[int, tf.Variable] = {}
    # Names may differ from process to process, so it is the order that counts.
    for variable in [*model.variables, *model.metrics_variables, *sorted(used, key=lambda v: v.name)]:
        if id(_value(variable)) not in known:
            others.setdefault(id(_value(variable)), _value(variable))
    optional: dict[str, Any] = {"run": run_state}
    if source is not None:
        optional["input"] = input_position(source)
    return TrackedObjects({**objects, "others": list(others.values())}, optional)


def variables_state(variables: Iterable[tf.Variable], source: Source | None) -> NamedVariables:
    """Variables under their names, as in a checkpoint of a graph.

    Args:
        variables: The variables.
        source: The input, if its position is saved.
    """
    saved = [SavedVariable(v.name.partition(":")[0], v) for v in {id(v): v for v in variables}.values()]
    if source is not None:
        saved.append(SavedVariable("input/state", _PositionTensor(source), optional=True))
    return NamedVariables(saved)


class _PositionTensor:
    """The position in the input, read and assigned as a variable is."""

    shape = tf.TensorShape([])
    device = "/device:CPU:0"

    def __init__(self, source: Source):
        self._position = input_position(source)
        ((self._name, state),) = self._position.read().items()
        self.dtype = state.dtype

    def read_value(self) -> tf.Tensor:
        return self._position.read()[self._name]

    def assign(self, value: tf.Tensor, read_value: bool = True) -> None:
        """Goes to the position. `read_value` is there since a variable's `assign` has it."""
        self._position.go_to({self._name: value})


def input_position(source: Source) -> Any:
    """The position in the input, as something that a checkpoint holds.

    Raises:
        ValueError: The input cannot tell its position.
    """
    if not isinstance(source, DatasetSource):
        raise ValueError(
            "save_input_state=True: a function that is called for each batch cannot tell its position. Pass a"
            " tf.data.Dataset, or save_input_state=False."
        )
    position = _tensorflow.InputPosition(source)
    try:
        position.read()
    except (tf.errors.OpError, AttributeError, NotImplementedError) as error:
        raise ValueError(
            "save_input_state=True: this input cannot tell its position, as one that calls Python code or is"
            f" distributed cannot. Pass save_input_state=False. {error}"
        ) from error
    return position


def _value(each: Any) -> Any:
    return each.value if isinstance(each, _keras.Variable) else each
