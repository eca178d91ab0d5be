"""Has the modules of `tf.contrib`, which TensorFlow 2 does not have.

Each is a package of functions that add ops and variables to a graph of TensorFlow 1. They have the arguments,
names, collections and numbers of TensorFlow 1.15:

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train.contrib import framework

with tf.Graph().as_default():
    framework.model_variable("weight", [])
    print([variable.op.name for variable in framework.get_model_variables()])
```

A module is loaded when it is asked for. A name that is not there raises an `AttributeError` that says what to
use instead.

May import `compat/names.py`, `estimator`, `learn`, `framework`, `layers`, `tf_layers` and `rnn_cell`, and all
below them.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from types import ModuleType

from keras_legacy_train.contrib._missing import missing_name


def __getattr__(name: str) -> ModuleType:
    """Returns the module of that name, which is loaded now.

    Raises:
        AttributeError: There is none. The error says what to use instead.
    """
    if name in __dir__():
        return importlib.import_module(f"{__name__}.{name}")
    raise missing_name(__name__, name, __dir__())


def __dir__() -> list[str]:
    """Returns the names of the modules."""
    return [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
