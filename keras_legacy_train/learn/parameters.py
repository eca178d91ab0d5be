"""Gives Estimators the parameters that scikit-learn's tools ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

_Self = TypeVar("_Self", bound="Parameters")


class Parameters:
    """Tells and sets parameters as `sklearn.base.BaseEstimator` does: the public attributes."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Returns the public attributes that are not functions, by name.

        Args:
            deep: Whether those of attributes with `get_params` are added, as `attribute__name`.
        """
        params: dict[str, Any] = {}
        for name, value in vars(self).items():
            if name.startswith("_") or callable(value):
                continue
            if deep and hasattr(value, "get_params"):
                nested: Mapping[str, Any] = value.get_params()
                params.update({f"{name}__{key}": part for key, part in nested.items()})
            params[name] = value
        return params

    def set_params(self: _Self, **params: Any) -> _Self:
        """Sets public attributes.

        Args:
            params: The values by name; `attribute__name` for one of an attribute's own parameters.

        Returns:
            The Estimator itself.

        Raises:
            ValueError: There is no such parameter.
        """
        valid = self.get_params()
        for name, value in params.items():
            attribute, _, nested = name.partition("__")
            if attribute not in valid:
                raise ValueError(
                    f"Invalid parameter {attribute} for estimator {type(self).__name__}. Valid parameters:"
                    f" {sorted(valid)}."
                )
            if nested:
                valid[attribute].set_params(**{nested: value})
            else:
                setattr(self, name, value)
        return self
