"""Errors of Estimators."""

from __future__ import annotations


class NotFittedError(ValueError, AttributeError):
    """Raised where an Estimator is used that has not been trained; stands for `learn.NotFittedError`."""
