"""Checks that Keras runs on TensorFlow."""

from __future__ import annotations

_NEEDS_TENSORFLOW = (
    "keras_legacy_train needs Keras on TensorFlow, but {found}."
    " Set the environment variable KERAS_BACKEND=tensorflow before keras is imported."
)


def check() -> None:
    """Loads Keras, if it runs on TensorFlow.

    Raises:
        ImportError: It does not.
    """
    try:
        from keras import backend
    except ImportError as error:
        raise ImportError(
            _NEEDS_TENSORFLOW.format(found=f"Keras cannot load its backend: {error}")
        ) from error
    if backend.backend() != "tensorflow":
        raise ImportError(_NEEDS_TENSORFLOW.format(found=f"its backend is {backend.backend()!r}"))
