"""Defines the hooks that the loop calls beyond those of Keras."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_legacy_train.loop.run_context import RunContext
from keras_legacy_train.loop.schedule import Sampling
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps


class LoopCallback(keras.callbacks.Callback):
    """Tells the loop when it wants to see a step.

    The loop runs the steps that nobody wants to see in one call of a `tf.function`. A callback that is
    content to be told of them afterwards overrides `on_steps_end` only:

    ```python
    class LossHistory(LoopCallback):
        def __init__(self):
            super().__init__()
            self.losses = []

        def on_steps_end(self, steps):
            self.losses.extend(steps.losses.tolist())
    ```

    One that must be there when a step is run overrides `next_step`, and `on_step_begin` or `on_step_end`.

    `keras.Model.fit` does not call these hooks. A callback that is to work there, too, overrides
    `on_train_batch_begin`, which only `keras.Model.fit` calls; the others raise ValueError there.
    """

    def set_run(self, run: RunContext) -> None:
        """Is told of the run to come, before `on_train_begin`, as `set_model` tells of the model."""

    def next_step(self, step: int) -> float:
        """Returns the first step after `step` that this callback must be called at; infinity for none.

        Args:
            step: The global step now.
        """
        return math.inf

    @property
    def looks_back(self) -> bool:
        """Returns whether the hooks below do nothing but look at what they are given.

        Then they may be called for a step when later ones have been run.
        """
        return False

    def sampling(self, step: int) -> Sampling | None:
        """Returns what to keep of the step this callback wants to see next, and of later ones as far apart.

        Args:
            step: Number of that step.

        Returns:
            The distance, and what to compute along with each such step; `None` unless `looks_back`.
        """
        return None

    def on_step_begin(self, step: int) -> Iterable[Any]:
        """Called before a watched step. Returns the tensors, operations or names to compute along with it.

        They may include `Feeds`, values that the step is given.
        """
        return ()

    def on_step_end(self, step: int, outputs: Mapping[Any, Any]) -> bool | None:
        """Called after a watched step with what was requested. A true result ends the training."""
        return None

    def on_steps_end(self, steps: Steps) -> bool | None:
        """Called after each watched step and each window, with the numbers and losses of the steps in it.

        A true result ends the training.
        """
        return None

    def on_loop_end(self, reason: StopReason) -> None:
        """Called once when no further step will run, before any callback's `on_train_end`."""

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called by `keras.Model.fit` only, where the hooks above are not called.

        Raises:
            ValueError: The callback has not overridden this, so it would do nothing.
        """
        self.on_train_end()
        raise ValueError(
            f"{type(self).__name__} works in keras_legacy_train.fit() and train(), and would do nothing in"
            " keras.Model.fit(). Call fit(model, ...) of this package, or leave the callback out."
        )
