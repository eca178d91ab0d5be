"""Makes functions that make a layer and call it once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from keras_legacy_train.tf_layers.base import Layer
from keras_legacy_train.tf_layers.functions_by_name import snake_case

_Arguments = ParamSpec("_Arguments")

_INPUTS = inspect.Parameter("inputs", inspect.Parameter.POSITIONAL_OR_KEYWORD)
_REUSE = inspect.Parameter("reuse", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)


def as_function(
    layer_class: Callable[_Arguments, Layer], has_variables: bool = True
) -> Callable[Concatenate[Any, _Arguments], Any]:
    """Returns the function that calls a new layer of a class: `conv2d` for `Conv2D`.

    It takes the inputs, then the arguments of the class in their order, then `reuse`.

    Args:
        layer_class: A subclass of `Layer` whose constructor ends with `**kwargs`.
        has_variables: Whether the layer has variables, so that the function takes `reuse`.
    """
    class_name = layer_class.__name__
    *parameters, _ = inspect.signature(layer_class).parameters.values()
    signature = inspect.Signature([_INPUTS, *parameters, *([_REUSE] if has_variables else [])])

    def function(*args: Any, **kwargs: Any) -> Any:
        arguments = signature.bind(*args, **kwargs).arguments
        inputs, reuse = arguments.pop("inputs"), arguments.pop("reuse", None)
        scope = {"_scope": arguments.get("name"), "_reuse": reuse} if has_variables else {}
        make: Callable[..., Layer] = layer_class
        return make(**arguments, **scope)(inputs)

    function.__name__ = function.__qualname__ = snake_case(class_name)
    function.__module__ = layer_class.__module__
    function.__signature__ = signature  # type: ignore[attr-defined]
    function.__doc__ = _DOCSTRING.format(name=function.__name__, class_name=class_name)
    if has_variables:
        function.__doc__ += _REUSE_DOCSTRING
    return function


_DOCSTRING = """Returns the output of a new `{class_name}` for `inputs`; stands for `tf.layers.{name}`.

    Args:
        inputs: A tensor, the input of the layer.
        name: The name of the layer, and of its variable scope. All other arguments are those of
            `{class_name}`, in their order.

    Returns:
        A tensor.

    Raises:
        RuntimeError: No graph is being built.
        ValueError: The inputs do not fit, or `{class_name}` refuses an argument.
    """

_REUSE_DOCSTRING = """
    The argument `reuse` comes last: whether the variables of a layer of that name are used again.
    """
