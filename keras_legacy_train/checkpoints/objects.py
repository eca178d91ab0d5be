"""Checkpoints in the object form of TensorFlow 2, which Keras models are saved in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import _keras, _tensorflow
from keras_legacy_train.checkpoints.object_copies import ObjectCopies, variable_name
from keras_legacy_train.checkpoints.reading import checkpoint_contents
from keras_legacy_train.checkpoints.state import StateCopy
from keras_legacy_train.errors import CheckpointMismatchError


class TrackedObjects:
    """Objects that `tf.train.Checkpoint` can save: models, optimizers, variables, iterators.

    Args:
        required: The objects by the names they have in the checkpoint.
        optional: Further ones, which a checkpoint may lack. They are left as they are then.
    """

    def __init__(self, required: Mapping[str, Any], optional: Mapping[str, Any] | None = None):
        self._required = dict(required)
        self._optional = dict(optional or {})

    def copy(self) -> StateCopy:
        copies = ObjectCopies()
        objects = {**self._required, **self._optional}
        children = {name: copies.of(each) for name, each in objects.items()}
        copies.add_slots()
        return StateCopy(children, copies.values())

    def restore(self, prefix: str) -> None:
        shapes, _ = checkpoint_contents(prefix)
        saved = _tensorflow.SavedObjectGraph(prefix)
        present = {name: each for name, each in self._optional.items() if name in saved.children()}
        root = tf.train.Checkpoint(**self._required, **present)
        keys = saved.keys(root)
        problems = [
            problem
            for each in _variables(root)
            if (problem := _problem(each, keys.get(id(each)), shapes)) is not None
        ]
        if problems:
            raise CheckpointMismatchError(prefix, problems)
        root.read(prefix).expect_partial()


def _variables(root: tf.train.Checkpoint) -> list[tf.Variable | _keras.Variable]:
    descendants = tf.train.TrackableView(root).descendants()
    return [each for each in descendants if isinstance(each, (tf.Variable, _keras.Variable))]


def _problem(
    variable: tf.Variable | _keras.Variable, key: str | None, shapes: Mapping[str, list[int]]
) -> str | None:
    """Why a variable cannot be filled, or `None` if it can."""
    if key is None:
        return f"{variable_name(variable)}: not in the checkpoint"
    shape = list(variable.shape)
    if not tf.TensorShape(variable.shape).is_compatible_with(shapes[key]):
        return f"{variable_name(variable)}: shape {shapes[key]} in the checkpoint, {shape} in the model"
    return None
