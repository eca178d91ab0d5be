"""The canned Estimators of TensorFlow 1.15.5 and 2.15.1 go on from our directories.

For 2.15.1, `KLT_ESTIMATOR_PYTHON` names a Python that has it, as `KLT_TF1_PYTHON` does for 1.15.5.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import estimator

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))

import canned_cases  # noqa: E402

pytestmark = pytest.mark.tf1


def run_original(variable: str, models_dir: Path) -> None:
    """Runs `canned_original.py` by the Python that an environment variable names."""
    python = os.environ.get(variable)
    if not python:
        pytest.fail(f"{variable} must name a Python that has the original")
    ours_only = {"PYTHONPATH", "TF2_BEHAVIOR"}  # TensorFlow 2 sets the second when it is imported
    environment = {name: value for name, value in os.environ.items() if name not in ours_only}
    ended = subprocess.run(
        [python, "canned_original.py", str(models_dir)],
        cwd=Path(__file__).parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("version", "variable"), [("tf1", "KLT_TF1_PYTHON"), ("tf2", "KLT_ESTIMATOR_PYTHON")]
)
def test_the_originals_go_on_from_our_directories(version: str, variable: str, tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    models, expected = {}, {}
    for case in [case for case, versions in canned_cases.CASES.items() if version in versions]:
        shutil.copytree(GOLDEN / "canned" / version / case, theirs / case)
        model = canned_cases.build(case, estimator, str(theirs / case), estimator.RunConfig())
        model.train(canned_cases.input_fn(case, None), steps=4)
        expected[case] = model.evaluate(canned_cases.input_fn(case, 1))
        shutil.copytree(theirs / case, ours / case)
        models[case] = canned_cases.build(case, estimator, str(ours / case), estimator.RunConfig())
        models[case].train(canned_cases.input_fn(case, None), steps=3)

    run_original(variable, theirs)

    metrics = json.loads((theirs / "metrics.json").read_text())
    for case, model in models.items():
        assert metrics[case] == pytest.approx(expected[case], rel=1e-4), case
        reader = tf.train.load_checkpoint(str(theirs / case))
        assert set(reader.get_variable_to_shape_map()) == set(model.get_variable_names()), case
        for name in model.get_variable_names():
            np.testing.assert_allclose(
                reader.get_tensor(name), model.get_variable_value(name), 2e-4, 2e-5, err_msg=f"{case}: {name}"
            )
