"""Finds the Python interpreters that peers run in.

`KLT_TF1_PYTHON` names one with TensorFlow 1.15.5, `KLT_ESTIMATOR_PYTHON` one with 2.15.1. The Makefile
installs those that are not named.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# By environment: the variable that names its interpreter, and the virtual environment to make without it.
_LEGACY = {
    "tf1": ("KLT_TF1_PYTHON", ".venv-tf1"),
    "estimator": ("KLT_ESTIMATOR_PYTHON", ".venv-estimator"),
}


@functools.cache
def interpreter(environment: str) -> str:
    """Returns the path of an environment's Python, which is installed if need be.

    Args:
        environment: "today" for the interpreter that runs this, "tf1" for one with TensorFlow 1.15.5,
            "estimator" for one with TensorFlow 2.15.1.

    Raises:
        subprocess.CalledProcessError: The installation failed.
    """
    if environment == "today":
        return sys.executable
    variable, directory = _LEGACY[environment]
    if variable not in os.environ:
        subprocess.run(["make", "-s", "-C", str(ROOT), f"{directory}/installed"], check=True)
    return os.environ.get(variable, str(ROOT / directory / "bin" / "python"))
