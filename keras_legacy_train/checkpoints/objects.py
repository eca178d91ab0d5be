"""Saves and restores objects in the form of TensorFlow 2, in which Keras models are saved."""

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
    """Saves and restores objects as `tf.train.Checkpoint` does: models, optimizers, variables, iterators.

    Args:
        required: The objects by the names they have in the checkpoint.
        optional: Further objects, by name. If the checkpoint lacks one, it keeps its values.
    """

    def __init__(self, required: Mapping[str, Any], optional: Mapping[str, Any] | None = None):
        self._required = dict(required)
        self._optional = dict(optional or {})

    def copy(self) -> StateCopy:
        copies = ObjectCopies()
        objects = {**self._required, **self._optional}
        children = {name: copies.of(each) for name, each in objects.items()}
        copies.add_slots()
        return StateCopy(tf.train.Checkpoint(**children), copies.values())

    def restore(self, prefix: str) -> None:
        shapes, dtypes = checkpoint_contents(prefix)
        saved = _tensorflow.SavedObjectGraph(prefix)
        present = {name: each for name, each in self._optional.items() if name in saved.children()}
        root = tf.train.Checkpoint(**self._required, **present)
        keys = saved.keys(root)
        problems = [
            problem
            for each in _variables(root)
            if (problem := _problem(each, keys.get(id(each)), shapes, dtypes)) is not None
        ]
        if problems:
            raise CheckpointMismatchError(prefix, problems)
        root.read(prefix).expect_partial()


def _variables(root: tf.train.Checkpoint) -> list[tf.Variable | _keras.Variable]:
    descendants = tf.train.TrackableView(root).descendants()
    return [each for each in descendants if isinstance(each, (tf.Variable, _keras.Variable))]


def _problem(
    variable: tf.Variable | _keras.Variable,
    key: str | None,
    shapes: Mapping[str, list[int]],
    dtypes: Mapping[str, tf.DType],
) -> str | None:
    """Returns why a variable cannot be restored, or `None` if it can."""
    if key is None or key not in shapes:
        return f"{variable_name(variable)}: not in the checkpoint"
    shape = list(variable.shape)
    if not tf.TensorShape(variable.shape).is_compatible_with(shapes[key]):
        return f"{variable_name(variable)}: shape {shapes[key]} in the checkpoint, {shape} in the model"
    dtype = tf.as_dtype(variable.dtype).base_dtype
    if dtype != dtypes[key]:
        return f"{variable_name(variable)}: {dtypes[key].name} in the checkpoint, {dtype.name} in the model"
    return None
