"""Makes input functions of data in memory.

`rows.py` reads the rows in batches; `numpy_io.py` and `pandas_io.py` say which columns there are.

May import nothing else of the package but `arguments` and `estimator.log`.
"""

from __future__ import annotations

from keras_legacy_train.estimator.inputs.numpy_io import numpy_input_fn
from keras_legacy_train.estimator.inputs.pandas_io import pandas_input_fn

__all__ = ["numpy_input_fn", "pandas_input_fn"]
