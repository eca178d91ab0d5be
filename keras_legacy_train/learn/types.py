"""Names the types that the Estimators' signatures share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

ModelFn = Callable[..., Any]
InputFn = Callable[[], Any]
FeatureEngineeringFn = Callable[[Any, Any], tuple[Any, Any]]
Path = str | os.PathLike[str]
