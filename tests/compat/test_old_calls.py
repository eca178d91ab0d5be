"""The modules of scripts are compiled so that a few calls mean what they meant."""

from __future__ import annotations

import textwrap
import threading
import traceback
from typing import Any

import numpy as np
import pytest

from keras_legacy_train.compat.import_hook import user_builtins
from keras_legacy_train.compat.source import compile_source, has_old_calls


def names_of(source: str) -> dict[str, Any]:
    """Returns what a module of the user has, once it is executed."""
    text = f"import numpy as np; int(np.int8(1))\n{textwrap.dedent(source)}".encode()
    names: dict[str, Any] = {"__builtins__": user_builtins(), "__name__": "script"}
    exec(compile_source(text, "script.py"), names)
    return names


def test_methods_that_are_gone_are_there() -> None:
    names = names_of(
        """
        import threading
        data = np.arange(3, dtype=np.uint8).tostring()
        alive = threading.current_thread().isAlive()

        class Own:
            def tostring(self, value):
                return value
        given = Own().tostring(1)
        """
    )
    assert (names["data"], names["alive"], names["given"]) == (b"\0\1\2", True, 1)
    assert not hasattr(threading.Thread, "isAlive")


def test_arrays_of_one_number_are_numbers() -> None:
    names = names_of(
        """
        one = int(np.array([[3]])), float(np.float32([2.5])), [float(x) for x in np.ones([2, 1])]
        others = int("7"), int("11", 2), int(), float("inf"), isinstance(1, int), np.zeros(2, int).dtype.kind
        try:
            int(np.zeros(2))
        except TypeError:
            refused = True
        """
    )
    assert names["one"] == (3, 2.5, [1.0, 1.0])
    assert names["others"] == (7, 3, 0, np.inf, True, "i")
    assert names["refused"]


@pytest.mark.parametrize(
    "own", ["def int(x): return 5", "int = lambda x: 5", "from builtins import max as int, min"]
)
def test_names_that_the_module_has_itself_are_its_own(own: str) -> None:
    assert names_of(f"{own}\nfive = int('5') if 'max' not in {own!r} else int([5])")["five"] == 5


def test_lines_are_those_of_the_source() -> None:
    with pytest.raises(TypeError) as caught:
        names_of("def f(x):\n    return int(x)\n\n\nf(None)\n")
    lines = [frame.lineno for frame in traceback.extract_tb(caught.tb) if frame.filename == "script.py"]
    assert lines == [6, 3]
    with pytest.raises(SyntaxError) as wrong:
        names_of("x = int(3)\nx =\n")
    assert wrong.value.lineno == 3


def test_modules_without_such_calls_are_compiled_as_they_are() -> None:
    assert not has_old_calls(b"import numpy as np\nx = int(3)\ny = print(np.int8(3)), tostring(x)\n")
    assert has_old_calls(b"x = int(np.argmax(y, axis=1))\n")
    assert has_old_calls(b"x = y.tostring()\n")
