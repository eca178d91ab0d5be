"""`fit` evaluates the model every so many steps, and training goes on as if it had not."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batch_helpers import fit
from helpers import scalar_events
from keras_helpers import (
    EPOCH,
    Recorder,
    again,
    arrays,
    assert_same_history,
    assert_same_state,
    categories,
    f1_scored,
    forget,
    inputs,
    line,
    sequential,
    state,
    targets,
)

HELD_OUT = inputs()[:8], targets()[:8]


def validated(every_steps: int, **options: Any) -> dict[str, Any]:
    """Arguments of `fit`."""
    return arrays(validation_data=HELD_OUT, validation_every_steps=every_steps, verbose=0, **options)


@pytest.mark.slow
def test_every_so_many_steps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    fit(again(line), **validated(4), epochs=2, output_dir=tmp_path)
    written = scalar_events(tmp_path)
    assert list(written["val_loss"]) == list(written["val_mae"]) == [4, 8]
    for step, loss in written["val_loss"].items():
        model = again(line)
        fit(model, **arrays(), max_steps=step, verbose=0)
        np.testing.assert_allclose(loss, model.evaluate(*HELD_OUT, verbose=0)[0], rtol=1e-5)
    logged = [text for text in caplog.messages if text.startswith("validation at step ")]
    assert [text.partition(":")[0] for text in logged] == ["validation at step 4", "validation at step 8"]
    assert f"val_loss = {written['val_loss'][8]:.5f}, val_mae = " in logged[1]


@pytest.mark.slow
def test_training_goes_on_as_without() -> None:
    theirs, ours = sequential(), sequential()
    expected = fit(theirs, **arrays(), epochs=2, verbose=0)
    history = fit(ours, **validated(3), epochs=2)
    for name, values in expected.history.items():
        assert history.history[name] == values
    assert_same_state(ours, theirs)


def test_results_stand_in_the_logs_of_their_epoch() -> None:
    recorder = Recorder()
    history = fit(again(line), **validated(7), epochs=4, callbacks=recorder)
    ends = [set(logs) for hook, _, logs in recorder.calls if hook == "epoch end"]
    plain = {"loss", "mae"}
    results = {"val_loss", "val_mae"}
    assert ends == [plain, plain | results, plain | results, plain]  # steps 7 and 14
    assert len(history.history["val_loss"]) == 2


@pytest.mark.parametrize("pieces", [(3, 12), (4, 1, 10), (EPOCH, 2 * EPOCH)])
def test_a_resumed_run_knows_the_results_of_its_epoch(pieces: tuple[int, ...], tmp_path: Path) -> None:
    model = again(line)
    expected = fit(model, **validated(3), steps=15)
    expected_state = state(model)
    again(line)
    for number, steps in enumerate(pieces):
        if number > 0:
            forget(model)
        history = fit(model, **validated(3), steps=steps, output_dir=tmp_path, save_input_state=True)
    assert_same_history(history, expected)
    assert_same_state(model, expected_state)
    assert list(scalar_events(tmp_path)["val_loss"]) == [3, 6, 9, 12, 15]


@pytest.mark.slow
def test_a_metric_of_several_numbers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    one_hot = np.eye(2)[categories()]
    options = {"validation_data": (inputs(), one_hot), "output_dir": tmp_path, "verbose": 0}
    history = fit(f1_scored(), **arrays(y=one_hot), validation_every_steps=2, **options)
    assert history.history["val_f1_score"][0].shape == (2,)
    assert "val_f1_score" not in scalar_events(tmp_path)
    assert list(scalar_events(tmp_path)["val_loss"]) == [2, 4]


def test_data_is_needed() -> None:
    with pytest.raises(ValueError, match=r"validation_every_steps: there is no validation_data"):
        fit(again(line), **arrays(), validation_every_steps=3, verbose=0)
