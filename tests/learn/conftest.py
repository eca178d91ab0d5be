"""A model of `tf.contrib.learn` that is trained once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from keras_legacy_train import learn
from learn_helpers import X, Y, line


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> learn.Estimator:
    """An Estimator of a line, of which some tests change the directory by training on."""
    estimator = learn.Estimator(line, tmp_path_factory.mktemp("line") / "model")
    return estimator.fit(X, Y, steps=20, batch_size=3)


@pytest.fixture
def fresh(tmp_path: Path) -> learn.Estimator:
    """An Estimator of a line that is not trained."""
    return learn.Estimator(line, str(tmp_path / "model"))
