"""The hooks of a monitor."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from keras_legacy_train.loop.schedule import Sampling


class BaseMonitor:
    """Watches the training, asks for values of the graph, and may stop it.

    Stands for `tf.contrib.learn.monitors.BaseMonitor`. Training calls `begin`, then around each step
    `step_begin`, `step_end` and `post_step`, and `end`. Steps are numbered from 1: *step k* is the run of
    `train_op` that finds the global step at `k - 1`. During a call the training's graph is the default graph.

    A subclass that overrides `step_begin`, `step_end` or `post_step` is called at every step, unless it also
    overrides `next_step`. The fewer steps are watched, the faster the training: see `EveryN`.

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

    # The state starts on the class, because subclasses of old need not call `__init__`.
    _begun = False
    _max_steps: int | None = None
    _current_epoch: int | None = None
    _current_step: int | None = None
    _estimator: Any = None

    @property
    def run_on_all_workers(self) -> bool:
        """Whether workers other than the chief run this monitor too."""
        return False

    def set_estimator(self, estimator: Any) -> None:
        """Tells the monitor whose training it watches.

        Args:
            estimator: An object with `model_dir`, the directory of its checkpoints and event files.

        Raises:
            ValueError: `estimator` is `None`.
        """
        if estimator is None:
            raise ValueError("Missing estimator.")
        self._estimator = estimator

    def set_model(self, model: Any) -> None:
        """Tells the monitor which Keras model it watches. Not called where a graph is trained.

        What `step_begin` asks for are then names: `"loss"`, a metric, a variable's path, `"learning_rate"`.

        Args:
            model: A `keras.Model`.

        Raises:
            ValueError: The monitor needs a graph.
        """

    def next_step(self, step: int) -> float:
        """The first step after `step` that this monitor must be called at.

        It speaks for the hooks of its own class. `monitors.schedule.next_step` is what the loop asks: it sees
        whether a subclass has overridden a hook.

        Args:
            step: The global step now.

        Returns:
            A step number, or `math.inf` for never.
        """
        return math.inf

    def sampling(self, step: int) -> Sampling | None:
        """What to keep of the step that this monitor wants to see next, and of later ones as far apart.

        A monitor that has an answer may be called for steps behind which others have run already: all that
        it does must be to look at what `step_end` is given. Like `next_step`, it speaks for the hooks of its
        own class.

        Args:
            step: Number of the step that `next_step` has named.

        Returns:
            The distance and what to compute along with each such step; `None`, as here, for one that must be
            there. See `EveryN.sampling_of`.
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
            ValueError: The monitor has begun already and not ended since.
        """
        if self._begun:
            raise ValueError("begin called twice without end.")
        self._max_steps = max_steps
        self._begun = True

    def resumed(self, step: int) -> None:
        """Called after `begin` if training goes on from a checkpoint, to go on with the schedule.

        Args:
            step: The global step of the checkpoint.
        """

    def end(self, session: Any = None) -> None:
        """Called once after the last step, however the training ended.

        Args:
            session: Runs operations of the graph, by `session.run(fetches, feed_dict)`.

        Raises:
            ValueError: The monitor has not begun.
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
            ValueError: The last epoch has not ended, or `epoch` is negative.
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
            ValueError: This is not the epoch that has begun.
        """
        if self._current_epoch != epoch:
            raise ValueError(f"epoch_end expected {self._current_epoch} but got {epoch}.")
        self._current_epoch = None

    def step_begin(self, step: int) -> Iterable[Any] | None:
        """Called before a step.

        Args:
            step: Number of the step.

        Returns:
            What to compute along with the step: tensors, operations, variables, or their names with or
            without `":0"`. Something empty, or `None`, asks for nothing.

        Raises:
            ValueError: `step` is negative or beyond `max_steps`.
        """
        if step < 0 or (self._max_steps is not None and step > self._max_steps):
            raise ValueError(f"Invalid step {step}.")
        self._current_step = step
        return []

    def step_end(self, step: int, output: dict[Any, Any]) -> bool | None:
        """Called after a step. It is not called if the step failed.

        Args:
            step: Number of the step.
            output: The values asked for, NumPy scalars and arrays, by the name of the tensor (`"loss:0"`) and
                by what was asked for. It also holds what other monitors asked for.

        Returns:
            Something true to stop the training after this step.

        Raises:
            ValueError: `step` is not the one that has begun.
        """
        if self._current_step != step:
            raise ValueError(f"step_end expected {self._current_step} but got {step}.")
        self._current_step = None
        return False

    def post_step(self, step: int, session: Any) -> None:
        """Called after every monitor's `step_end`.

        Args:
            step: Number of the step.
            session: Runs operations of the graph, by `session.run(fetches, feed_dict)`.
        """
