"""Copies the values of a graph of objects, in the form of TensorFlow 2."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train import _keras, _tensorflow
from keras_legacy_train.checkpoints.variables import host_copy


class ObjectCopies:
    """Copies objects, and the names by which they refer to each other, so that both give the same checkpoint.

    It copies every object that `tf.train.Checkpoint` can save: also Python state, iterators and tables.
    """

    def __init__(self) -> None:
        # By the object's id. The object is kept too, lest its id be given to another one.
        self._copies: dict[int, tuple[Any, _tensorflow.ObjectCopy]] = {}
        self._values: list[tuple[str, tf.Tensor]] = []

    def of(self, original: Any) -> _tensorflow.ObjectCopy:
        """Returns the copy of an object and of all below it; always the same one.

        Raises:
            TypeError: Something there cannot be copied.
        """
        if id(original) not in self._copies:
            copy = self._copy(original)
            self._copies[id(original)] = original, copy
            children = tf.train.TrackableView.children(original)
            copy.children = {name: self.of(child) for name, child in children.items()}
        return self._copies[id(original)][1]

    def add_slots(self) -> None:
        """Copies also the slots of optimizers of TensorFlow 1, which are not among their children.

        Call it when all objects are copied.
        """
        copies = list(self._copies.values())
        variables = [pair for pair in copies if _is_variable(pair[0])]
        for optimizer, copy in copies:
            if isinstance(copy, _OptimizerCopy):
                for name in optimizer.get_slot_names():
                    for variable, variable_copy in variables:
                        slot = _slot(optimizer, variable, name)
                        if slot is not None:
                            copy.slots.setdefault(name, {})[id(variable_copy)] = self.of(slot)

    def values(self) -> list[tuple[str, tf.Tensor]]:
        """Returns the name and the value of each variable among them."""
        return self._values

    def _copy(self, original: Any) -> _tensorflow.ObjectCopy:
        tensors = tf.nest.map_structure(
            lambda value: None if value is None else host_copy(value), _tensorflow.tensors_to_save(original)
        )
        if _is_variable(original):
            name = variable_name(original)
            self._values += [(name, value) for value in tf.nest.flatten(tensors) if value is not None]
        is_optimizer = isinstance(original, tf.compat.v1.train.Optimizer)
        return (_OptimizerCopy if is_optimizer else _tensorflow.ObjectCopy)(original, tensors)


class _OptimizerCopy(_tensorflow.ObjectCopy):
    """Stands for an optimizer of TensorFlow 1 in a checkpoint, with its slots.

    Attributes:
        slots: Copies of the slot variables, by the slot's name and the `id` of the variable's copy.
    """

    def __init__(self, original: Any, tensors: dict[str, Any]):
        super().__init__(original, tensors)
        self.slots: dict[str, dict[int, _tensorflow.ObjectCopy]] = {}

    def get_slot_names(self) -> list[str]:
        return list(self.slots)

    def get_slot(self, variable: Any, name: str) -> _tensorflow.ObjectCopy | None:
        return self.slots[name].get(id(variable))


def _slot(optimizer: tf.compat.v1.train.Optimizer, variable: Any, name: str) -> tf.Variable | None:
    try:
        return optimizer.get_slot(variable, name)
    except AttributeError:  # a variable of Keras, which it knows by another object
        return None


def variable_name(variable: tf.Variable | _keras.Variable) -> str:
    """Returns the name by which users know a variable."""
    return str(variable.path if isinstance(variable, _keras.Variable) else variable.name.partition(":")[0])


def _is_variable(each: Any) -> bool:
    return isinstance(each, (tf.Variable, _keras.Variable))
