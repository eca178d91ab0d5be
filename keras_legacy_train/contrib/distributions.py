"""Has the distributions of `tf.contrib.distributions`, from TensorFlow Probability.

It must be installed: `pip install keras_legacy_train[distributions]`.
"""

from __future__ import annotations

from typing import Any

_ELSEWHERE = {
    "bijectors": "bijectors",
    "fill_triangular": "math.fill_triangular",
    "percentile": "stats.percentile",
    "softplus_inverse": "math.softplus_inverse",
}


def __getattr__(name: str) -> Any:
    """Returns the distribution or function of a name.

    Raises:
        AttributeError: There is none of the name.
        ImportError: TensorFlow Probability is not installed.
    """
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import tensorflow_probability as tfp
    except ImportError as error:
        raise ImportError(
            f"tf.contrib.distributions.{name} needs TensorFlow Probability. Install it by"
            " pip install keras_legacy_train[distributions]"
        ) from error
    value = tfp
    for part in _ELSEWHERE.get(name, f"distributions.{name}").split("."):
        if not hasattr(value, part):
            raise AttributeError(
                f"tf.contrib.distributions.{name} is not in TensorFlow Probability. See what is in"
                " tensorflow_probability.distributions."
            )
        value = getattr(value, part)
    return value
