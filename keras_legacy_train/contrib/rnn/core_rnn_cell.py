"""Has the names that scripts import from modules within `tf.contrib.rnn`, such as `core_rnn_cell._linear`.

They are those of `keras_legacy_train.contrib.rnn`, and some that TensorFlow did not mean to be public.
"""

from __future__ import annotations

from typing import Any

from keras_legacy_train.contrib import rnn
from keras_legacy_train.rnn_cell.linear import Linear as _Linear
from keras_legacy_train.rnn_cell.linear import linear as _linear
from keras_legacy_train.rnn_cell.wrappers import check_cell as assert_like_rnncell

__all__ = ["_Linear", "_linear", "assert_like_rnncell"]

_WEIGHTS_VARIABLE_NAME = "kernel"
_BIAS_VARIABLE_NAME = "bias"


def __getattr__(name: str) -> Any:
    """Returns the name of `keras_legacy_train.contrib.rnn`.

    Raises:
        AttributeError: It has none. The error says what to use instead.
    """
    return getattr(rnn, name)
