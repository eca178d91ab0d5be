"""Shows variables that belong to no model to Keras callbacks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import keras
import tensorflow as tf

from keras_legacy_train import _tensorflow


class VariablesModel(keras.Model):
    """Makes variables the weights of a model, for `get_weights`, `save_weights` and `stop_training`.

    The paths of the weights are the variables' names. Strings cannot be weights and are left out. The model
    cannot be called.

    Args:
        variables: The variables.

    Attributes:
        shared_variables: The weights.
        stop_training: Set by callbacks to end the training.
    """

    def __init__(self, variables: Iterable[tf.Variable]):
        super().__init__(name="variables")
        self.shared_variables = [shared_variable(each) for each in variables if each.dtype != tf.string]
        self.built = True
        self.stop_training = False


def shared_variable(variable: tf.Variable) -> _tensorflow.SharedVariable:
    """Returns the weight that shares its value with a variable, under the same name."""
    *scopes, name = variable.name.partition(":")[0].split("/")
    with contextlib.ExitStack() as opened:
        for scope in scopes:
            opened.enter_context(keras.name_scope(scope))
        return _tensorflow.SharedVariable(variable, variable.trainable, name)
