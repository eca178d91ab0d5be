"""Tells of which kind an Estimator is, for monitors that work with several."""

from __future__ import annotations

import sys
from typing import Any


def is_core_estimator(estimator: Any) -> bool:
    """Returns whether an Estimator is one of `keras_legacy_train.estimator`.

    That room imports this one, so it is not imported here. If nobody has, there are none of its Estimators.

    Args:
        estimator: The Estimator that a monitor was given.
    """
    room = sys.modules.get("keras_legacy_train.estimator")
    return room is not None and isinstance(estimator, room.Estimator)
