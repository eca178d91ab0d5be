"""Arguments of `fit` that cannot be right are named, before a step runs and before a file is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from batch_helpers import fit
from keras_helpers import arrays, inputs, line, targets


class OwnFunction(keras.Sequential):
    def make_train_function(self, force: bool = False) -> Any:
        return super().make_train_function(force)


def test_arguments_that_cannot_be_right_are_named(tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"steps": 1, "max_steps": 2}, r"Can not provide both steps and max_steps\."),
        ({"steps": 1, "epochs": 2}, r"Can not provide both steps and epochs\."),
        ({"verbose": 3}, "verbose must be 0, 1, 2 or 'auto'; it is 3"),
        ({"x": None}, "x is missing: there is nothing to train on"),
        ({"class_weight": [1.0]}, r"class_weight must be a dict from classes to weights; it is \[1\.0\]"),
        ({"shuffle": "rows"}, "shuffle must be True, False or 'batch'; it is 'rows'"),
        ({"validation_split": 1.0}, r"validation_split must be 0 or more, and less than 1; it is 1\.0"),
        ({"validation_every_steps": 2}, "there is no validation_data and no validation_split"),
        ({"validation_data": (inputs(), targets()[:3])}, r"validation_data: (.|\n)*cardinality"),
    ]
    model = line()
    for options, message in cases:
        with pytest.raises(ValueError, match=message):
            fit(model, **{"verbose": 0, "output_dir": tmp_path / "new", **arrays(), **options})
    with pytest.raises(TypeError, match=r"model must be a keras\.Model; it is 'model'"):
        fit("model", **arrays())
    own = OwnFunction([keras.Input([4]), keras.layers.Dense(1)])
    own.compile("sgd", "mse")
    with pytest.raises(ValueError, match="OwnFunction overrides make_train_function"):
        fit(own, **arrays())
    assert model.optimizer.iterations.numpy() == 0
    assert not (tmp_path / "new").exists()


def test_each_epoch_may_be_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    history = fit(line(), **arrays(), epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    for number, (text, loss) in enumerate(zip(lines, history.history["loss"], strict=True), 1):
        assert re.match(rf"Epoch {number}/2 - \d+s - ", text)
        assert f"loss: {loss:.4f}" in text


def test_validation_may_have_epochs_of_its_own() -> None:
    options = arrays(
        epochs=3, verbose=0, validation_data=(inputs()[:8], targets()[:8]), validation_freq=[1, 3]
    )
    history, expected = fit(line(), **options), line().fit(**options)
    assert len(history.history["val_loss"]) == 2
    np.testing.assert_allclose(history.history["val_loss"], expected.history["val_loss"], rtol=1e-5)


def test_backup_and_restore_begins_where_it_was(tmp_path: Path) -> None:
    model = line()
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    fit(model, **arrays(), epochs=1, verbose=0, callbacks=backup)
    history = fit(model, **arrays(), epochs=3, verbose=0, callbacks=backup)
    assert history.epoch == [1, 2]
