"""Defines the hooks of a monitor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras

from keras_legacy_train.loop.schedule import Sampling
from keras_legacy_train.types import Fetch, OutputDict, SessionLike


class BaseMonitor:
    """Watches the training, asks for values of the graph, and may stop it.

    Stands for `tf.contrib.learn.monitors.BaseMonitor`. Training calls `begin` once, `step_begin`, `step_end`
    and `post_step` around each step, and `end` once. Steps are numbered from 1: *step k* is the run of
    `train_op` that finds the global step at `k - 1`. The graph being trained is the default graph during
    every call.

    A subclass that overrides `step_begin`, `step_end` or `post_step` is called at every step, unless it also
    overrides `next_step`. Training is faster the fewer steps are watched: see `EveryN`.

    Example:
        ```python
        class StopWhenGood(BaseMonitor):
            def __init__(self, loss, enough):
                super().__init__()
                self.loss, self.enough = loss, enough

            def step_begin(self, step):
                super().step_begin(step)
                return [self.loss]

            def step_end(self, step, output):
                super().step_end(step, output)
                return output[self.loss.name] < self.enough
        ```
    """

    # Defaults on the class, because legacy subclasses need not call `__init__`. The names are the original's.
    _begun = False
    _max_steps: int | None = None
    _current_epoch: int | None = None
    _current_step: int | None = None
    _estimator: Any = None

    @property
    def run_on_all_workers(self) -> bool:
        """Tells whether workers other than the chief run this monitor, too."""
        return False

    def set_estimator(self, estimator: Any) -> None:
        """Gives the monitor the estimator that is trained.

        Args:
            estimator: An object with `model_dir`, the directory of its checkpoints and event files.

        Raises:
            ValueError: `estimator` is `None`.
        """
        if estimator is None:
            raise ValueError("Missing estimator.")
        self._estimator = estimator

    def set_model(self, model: keras.Model) -> None:
        """Gives the monitor the Keras model that is trained. Not called where a graph is trained.

        `step_begin` must then ask for names: `"loss"`, a metric, a variable's path, `"learning_rate"`.

        Args:
            model: A `keras.Model`.

        Raises:
            ValueError: The monitor needs a graph.
        """

    def next_step(self, step: int) -> float:
        """Returns the first step after `step` at which this monitor must be called.

        The answer holds for the hooks of the class that defines this method. Where a subclass overrides a
        hook and not `next_step`, the loop calls the monitor at every step.

        Args:
            step: The global step now.

        Returns:
            A step number, or `math.inf` for never.
        """
        return math.inf

    def sampling(self, step: int) -> Sampling | None:
        """Tells the loop which values to keep for this monitor, so that it can be called later.

        The loop may then run further steps before it calls the hooks of this one. So the hooks must do no
        more than read the values that `step_end` gets. Like that of `next_step`, the answer holds for the
        hooks of the class that defines this method.

        Args:
            step: The step that `next_step` returned.

        Returns:
            What to fetch at that step and at later ones, and how many steps they are apart. `None`, the
            default, if the hooks must be called at the step itself. See `EveryN.sampling_of`.
        """
        return None

    def steps_passed(self, step: int) -> None:
        """Called after steps that this monitor did not ask to see.

        Args:
            step: The global step after the last of them.
        """

    def begin(self, max_steps: int | None = None) -> None:
        """Called once before the first step. May still add operations to the default graph.

        Args:
            max_steps: The global step at which training will end, or `None` if it is not known.

        Raises:
            ValueError: `begin` was called before, and `end` has not been called since.
        """
        if self._begun:
            raise ValueError("begin called twice without end.")
        self._max_steps = max_steps
        self._begun = True

    def resumed(self, step: int) -> None:
        """Called after `begin` if training resumes from a checkpoint. Continues the schedule from there.

        Args:
            step: The global step of the checkpoint.
        """

    def end(self, session: SessionLike | None = None) -> None:
        """Called once after the last step, however the training ended.

        Args:
            session: Runs operations of the graph, by `session.run(fetches, feed_dict)`.

        Raises:
            ValueError: `begin` was not called.
        """
        if not self._begun:
            raise ValueError("end called without begin.")
        self._max_steps = None
        self._begun = False

    def epoch_begin(self, epoch: int) -> None:
        """Called before an epoch, by loops that have epochs.

        Args:
            epoch: Number of the epoch, 0 or more.

        Raises:
            ValueError: The previous epoch has not ended, or `epoch` is negative.
        """
        if self._current_epoch is not None:
            raise ValueError("epoch_begin called twice without epoch_end.")
        if epoch < 0:
            raise ValueError(f"Invalid epoch {epoch}.")
        self._current_epoch = epoch

    def epoch_end(self, epoch: int) -> None:
        """Called after an epoch, by loops that have epochs.

        Args:
            epoch: Number of the epoch.

        Raises:
            ValueError: `epoch` is not the epoch that has begun.
        """
        if self._current_epoch != epoch:
            raise ValueError(f"epoch_end expected {self._current_epoch} but got {epoch}.")
        self._current_epoch = None

    def step_begin(self, step: int) -> Iterable[Fetch] | None:
        """Called before a step.

        Args:
            step: Number of the step.

        Returns:
            What to compute along with the step: tensors, operations, variables, or their names with or
            without `":0"`. Nothing is computed for an empty iterable or `None`.

        Raises:
            ValueError: `step` is negative or beyond `max_steps`.
        """
        if step < 0 or (self._max_steps is not None and step > self._max_steps):
            raise ValueError(f"Invalid step {step}.")
        self._current_step = step
        return []

    def step_end(self, step: int, output: OutputDict) -> bool | None:
        """Called after a step, unless the step failed.

        Args:
            step: Number of the step.
            output: The values that `step_begin` asked for, as NumPy scalars and arrays. Keys are the tensors'
                names (`"loss:0"`) and the requests themselves. The values that other monitors asked for are
                in there, too.

        Returns:
            A true value to stop the training after this step.

        Raises:
            ValueError: `step` is not the step that has begun.
        """
        if self._current_step != step:
            raise ValueError(f"step_end expected {self._current_step} but got {step}.")
        self._current_step = None
        return False

    def post_step(self, step: int, session: SessionLike) -> None:
        """Called after a step, when `step_end` of every monitor has been called.

        Args:
            step: Number of the step.
            session: Runs operations of the graph, by `session.run(fetches, feed_dict)`.
        """
