"""What monitors see of a step that is no part of a graph: values by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import _keras
from keras_legacy_train.programs.outputs import Outputs


class NamedValues:
    """The variables of a training, by name, and its learning rate.

    A variable of a Keras model is called by its path, as `"dense/kernel"`; a `tf.Variable` by its name. Both
    may have `":0"` behind, as in a graph.

    Args:
        variables: The variables.
        optimizer: Where `"learning_rate"` is looked up.
    """

    def __init__(self, variables: Iterable[Any], optimizer: keras.optimizers.Optimizer | None = None):
        self._variables = {variable_name(variable): variable for variable in variables}
        self._optimizer = optimizer

    def outputs(self, requests: Iterable[Any], computed: Mapping[str, Any]) -> Outputs:
        """The values of what was asked for.

        Args:
            requests: Names, or variables.
            computed: What the step has computed, by name.

        Raises:
            ValueError: There is nothing of a name.
        """
        outputs = Outputs()
        for request in requests:
            name = request if isinstance(request, str) else variable_name(request)
            if name not in outputs:
                outputs[name] = self.value(name.removesuffix(":0"), computed)
        return outputs

    def value(self, name: str, computed: Mapping[str, Any]) -> Any:
        """The value of one name, a NumPy scalar or array."""
        if name in computed:
            return np.asarray(computed[name])[()]
        if name in self._variables:
            return self._variables[name].numpy()
        if name == "learning_rate" and self._optimizer is not None:
            return np.asarray(self._optimizer.learning_rate)[()]
        names = [*computed, *self._variables] + (["learning_rate"] if self._optimizer is not None else [])
        close = difflib.get_close_matches(name, names, cutoff=0.4) or names
        raise ValueError(
            f"A monitor asks for {name!r}, but there is no such value in a step of this training."
            f" There are, among others: {', '.join(close[:10])}."
        )


def variable_name(variable: Any) -> str:
    """The path of a Keras variable, or the name of a `tf.Variable` without `":0"`."""
    if isinstance(variable, _keras.Variable):
        return variable.path
    if isinstance(variable, tf.Variable):
        return variable.name.removesuffix(":0")
    raise ValueError(f"A monitor asks for {variable!r}, which is neither a name nor a variable.")
