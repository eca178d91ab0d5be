"""Gives monitors values by name, for a step that is not a part of a graph."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import _keras
from keras_legacy_train.programs.outputs import NamedOutputs


class NamedValues:
    """Looks up the variables of a training by name, and its learning rate.

    A variable of a Keras model is named by its path, such as `"dense/kernel"`; a `tf.Variable` by its name.
    Both may end in `":0"`, as in a graph.

    Args:
        find: Returns the variables, and the optimizer, if there is one; that tells the value of
            `"learning_rate"`.
        workers: How many processes train together.
    """

    def __init__(
        self,
        find: Callable[[], tuple[Iterable[Any], keras.optimizers.Optimizer | None]],
        workers: int = 1,
    ):
        self._find = find
        self._workers = workers
        self.renew()

    def renew(self) -> None:
        """Finds the variables and the optimizer again; to be called when the step has become another one."""
        variables, self._optimizer = self._find()
        self._variables = _by_name(variables)

    def outputs(self, requests: Iterable[Any], computed: Mapping[str, Any]) -> NamedOutputs:
        """Returns the requested values.

        Args:
            requests: Names, or variables.
            computed: The values that the step has computed, by name.

        Raises:
            ValueError: There is no value of a name, several variables have it, or it is put together from
                those of several processes.
        """
        outputs = NamedOutputs()
        for request in requests:
            name = request if isinstance(request, str) else path_or_name(request)
            outputs[name] = self.value(request, computed)
        return outputs

    def value(self, request: Any, computed: Mapping[str, Any]) -> Any:
        """Returns the value of one request, a NumPy scalar or array; see `outputs`."""
        if not isinstance(request, str):
            return self._read(path_or_name(request), request)
        name = request.removesuffix(":0")
        if name in computed:
            return np.asarray(computed[name])[()]
        if name in self._variables:
            return self._read(name)
        rate = getattr(self._optimizer, "learning_rate", None)
        if name == "learning_rate" and rate is not None:
            return np.asarray(rate)[()]
        names = [*computed, *self._variables, *([] if rate is None else ["learning_rate"])]
        close = difflib.get_close_matches(name, names, cutoff=0.4) or names
        raise ValueError(
            f"A monitor asks for {name!r}, but there is no such value in a step of this training."
            f" There are, among others: {', '.join(close[:10])}."
        )

    def _read(self, name: str, asked: Any = None) -> np.ndarray | np.generic:
        """Reads the variable of a name; if a variable was asked for, it must be that one."""
        known = self._variables.get(name, [])
        if len(known) > 1:
            raise ValueError(
                f"A monitor asks for {name!r}, but {len(known)} variables are called so. Give them, or the"
                " layers they are in, names of their own."
            )
        if not known or (asked is not None and _value(asked) is not _value(known[0])):
            raise ValueError(f"A monitor asks for {asked!r}, which is no variable of this training.")
        if self._workers > 1 and _value(known[0]).synchronization is tf.VariableSynchronization.ON_READ:
            raise ValueError(  # the other processes would have to read it at the same time
                f"A monitor asks for {name!r}, of which each worker has a part, as of metrics' variables."
                " Ask for the result of the metric by its name among the logs, such as 'accuracy'."
            )
        value: np.ndarray | np.generic = known[0].numpy()
        return value


def _by_name(variables: Iterable[Any]) -> dict[str, list[Any]]:
    """Groups variables by name. A name that is the path of a Keras variable means only that."""
    distinct = {id(variable): variable for variable in variables}.values()
    of_keras = [variable for variable in distinct if isinstance(variable, _keras.Variable)]
    inside = {id(variable.value) for variable in of_keras}
    others = [each for each in distinct if not isinstance(each, _keras.Variable) and id(each) not in inside]
    named: dict[str, list[Any]] = {}
    for variable in of_keras:
        named.setdefault(variable.path, []).append(variable)
    paths = set(named)
    for variable in others:
        name = path_or_name(variable)
        if name not in paths:
            named.setdefault(name, []).append(variable)
    return named


def _value(variable: Any) -> Any:
    """Returns the TensorFlow variable inside a Keras variable, or the variable itself."""
    return variable.value if isinstance(variable, _keras.Variable) else variable


def trained_variables(
    model: keras.Model | None, optimizer: keras.optimizers.Optimizer | None
) -> list[keras.Variable]:
    """Returns the variables of a model, its metrics and an optimizer."""
    variables = [] if model is None else [*model.variables, *model.metrics_variables]
    return variables + ([] if optimizer is None else list(optimizer.variables))


def path_or_name(variable: Any) -> str:
    """Returns the path of a Keras variable, or the name of a `tf.Variable` without `":0"`.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(variable, _keras.Variable):
        return str(variable.path)
    if isinstance(variable, tf.Variable):
        return str(variable.name).removesuffix(":0")
    raise ValueError(f"A monitor asks for {variable!r}, which is neither a name nor a variable.")
