"""The package loads its modules when they are asked for."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import keras_legacy_train as klt
from helpers import run_python


def test_importing_the_package_loads_neither_tensorflow_nor_keras() -> None:
    code = "import sys, keras_legacy_train; print({'keras', 'tensorflow'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"


def test_every_name_is_there() -> None:
    from keras_legacy_train import train as train_function

    assert {name for name in klt.__all__ if not hasattr(klt, name)} == set()
    assert set(klt.__all__) <= set(dir(klt))
    # Functions whose modules have their names.
    for name in ("train", "fit", "evaluate"):
        assert isinstance(getattr(klt, name), types.FunctionType)
    assert klt.train is train_function


def test_modules_are_loaded_by_their_names() -> None:
    code = "import keras_legacy_train as klt; print(klt.estimator.Estimator.__name__, klt.errors.__name__)"
    ended = run_python("-c", code)
    assert ended.stdout == "Estimator keras_legacy_train.errors\n", ended.stderr
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = klt.no_such_name
