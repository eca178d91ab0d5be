"""What Keras callbacks are shown of variables that belong to no model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import keras
import tensorflow as tf

from keras_legacy_train import _tensorflow


class VariablesModel(keras.Model):
    """A model whose weights are variables, so that `get_weights`, `save_weights` and `stop_training` work.

    Their paths are the variables' names. It cannot be called. Strings cannot be weights and are left out.

    Args:
        variables: The variables.
    """

    def __init__(self, variables: Iterable[tf.Variable]):
        super().__init__(name="variables")
        self.shared_variables = [_shared(each) for each in variables if each.dtype != tf.string]
        self.built = True
        self.stop_training = False


def _shared(variable: tf.Variable) -> _tensorflow.SharedVariable:
    *scopes, name = variable.name.partition(":")[0].split("/")
    with contextlib.ExitStack() as opened:
        for scope in scopes:
            opened.enter_context(keras.name_scope(scope))
        return _tensorflow.SharedVariable(variable, variable.trainable, name)
