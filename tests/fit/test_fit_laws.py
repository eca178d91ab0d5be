"""Whatever the windows, and wherever a run is cut: `fit` computes the same, and each step is seen once."""

from __future__ import annotations

import tempfile
from typing import Any

import keras
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_helpers import fit
from helpers import EveryNLosses
from keras_helpers import EPOCH, Recorder, again, arrays, assert_same_state, forget, line, sequential, state
from keras_legacy_train.callbacks import LoopCallback
from keras_legacy_train.programs.base import Steps


class Told(LoopCallback):
    """Notes the number and the loss of each step that it is told of."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []
        self.losses: list[float] = []

    def on_steps_end(self, steps: Steps) -> None:
        self.steps.extend(steps.numbers.tolist())
        self.losses.extend(steps.losses.tolist())


@settings(max_examples=5)
@given(
    build=st.sampled_from([line, sequential]),
    pieces=st.lists(st.integers(1, 2 * EPOCH), min_size=1, max_size=3),
    max_window=st.none() | st.integers(1, 9),
    every_n=st.none() | st.integers(1, 7),
    shuffle=st.booleans(),
    watched=st.booleans(),
)
def test_every_step_is_seen_once_and_windows_equal_single_steps(
    build: Any,
    pieces: list[int],
    max_window: int | None,
    every_n: int | None,
    shuffle: bool,
    watched: bool,
) -> None:
    def run(model: keras.Model, steps: int, *callbacks: Any, **options: Any) -> keras.callbacks.History:
        keras.utils.set_random_seed(7)
        return fit(model, **arrays(shuffle=shuffle), steps=steps, callbacks=callbacks, verbose=0, **options)

    total = sum(pieces)
    model, single = again(build), Told()
    expected = run(model, total, single, max_window=1)
    expected_state = state(model)

    again(build)
    told, recorder = Told(), Recorder()
    watchers = [told, recorder] if watched else [told]
    monitors = [] if every_n is None else [EveryNLosses("loss", every_n_steps=every_n)]
    with tempfile.TemporaryDirectory() as directory:
        for number, steps in enumerate(pieces):
            if number > 0:
                forget(model)
            options = {"output_dir": directory, "save_input_state": True, "save_summaries_steps": None}
            history = run(model, steps, *watchers, max_window=max_window, monitors=monitors, **options)

    assert told.steps == single.steps == list(range(1, total + 1))
    assert told.losses == single.losses
    assert_same_state(model, expected_state)
    assert history.history == expected.history
    assert history.epoch == expected.epoch == list(range(-(-total // EPOCH)))
    if watched:
        batches = [step % EPOCH for step in range(total)]
        assert recorder.numbers("batch begin") == recorder.numbers("batch end") == batches
