"""The private Keras names this package needs, each with why no public one does.

No other module imports `keras.src` or touches an underscored name of a Keras object.
"""

from __future__ import annotations

# What every Keras variable on TensorFlow is; before Keras 3.6, `keras.Variable` is only a subclass of it.
from keras.src.backend.tensorflow.core import Variable as Variable
