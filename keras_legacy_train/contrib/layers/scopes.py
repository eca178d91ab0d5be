"""Makes the variables of a layer in its scope: their names and collections."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import framework
from keras_legacy_train.contrib.layers.utils import get_variable_collections

v1 = tf.compat.v1

NAMES = {"kernel": "weights", "bias": "biases"}
"""The names that variables of `tf_layers` have in `tf.contrib.layers`."""


def layer_scope(
    scope: Any, default_name: str, inputs: Any, reuse: Any = None, names: Mapping[str, str] | None = None
) -> Any:
    """Returns the variable scope of a layer, whose variables are model variables.

    Args:
        scope: The scope or its name; `None` for a new one.
        default_name: The name of a new scope, made unique.
        inputs: The input of the layer.
        reuse: Whether the variables of the scope are used again.
        names: Other names for variables.
    """
    renamed = names or {}

    def model_variable_getter(getter: Callable[..., Any], name: str, **options: Any) -> Any:
        *scopes, short = name.split("/")
        keys = v1.GraphKeys
        options["collections"] = [*(options.get("collections") or ()), keys.GLOBAL_VARIABLES]
        if keys.MODEL_VARIABLES not in options["collections"]:
            options["collections"].append(keys.MODEL_VARIABLES)
        return getter(name="/".join([*scopes, renamed.get(short, short)]), **options)

    return v1.variable_scope(scope, default_name, [inputs], reuse=reuse, custom_getter=model_variable_getter)


def model_variable(name: str, variables_collections: Any, **options: Any) -> Any:
    """Makes a model variable in the current scope, or finds it there.

    Args:
        name: The name of the variable.
        variables_collections: Collections for all variables of the layer, or a dict of them by variable.
        **options: Further arguments of `framework.model_variable`.
    """
    collections = get_variable_collections(variables_collections, name)
    return framework.model_variable(name, collections=_as_list(collections), **options)


def add_to_collections(variable: Any, variables_collections: Any, name: str) -> None:
    """Adds a variable of a layer, or the parts of a partitioned one, to collections.

    Args:
        variable: The variable; `None` for none.
        variables_collections: Collections for all variables of the layer, or a dict of them by variable.
        name: The name of the variable in that dict.
    """
    if variable is None:
        return
    is_whole = isinstance(variable, tf.Variable) or tf.is_tensor(variable)
    for collection in _as_list(get_variable_collections(variables_collections, name)):
        present = v1.get_collection_ref(collection)
        for part in [variable] if is_whole else variable:
            if not any(part is each for each in present):
                present.append(part)


def _as_list(collections: Any) -> list[str]:
    return [collections] if isinstance(collections, str) else list(collections or ())
