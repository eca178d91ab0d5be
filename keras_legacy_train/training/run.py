"""What every training shares: its services, in their order, around the loop."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from keras_legacy_train.callbacks.checkpoint_saver import CheckpointSaver
from keras_legacy_train.callbacks.hook_callback import HookCallback
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.callbacks.nan_report import NanReport
from keras_legacy_train.callbacks.progress_bar import ProgressBar
from keras_legacy_train.callbacks.signals import SignalHandler
from keras_legacy_train.callbacks.step_logger import StepLogger
from keras_legacy_train.callbacks.terminate_on_nan import TerminateOnNaN
from keras_legacy_train.callbacks.training_summaries import TrainingSummaries
from keras_legacy_train.checkpoints import CheckpointManager
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.callback_list import Observers
from keras_legacy_train.loop.epochs import Epochs
from keras_legacy_train.loop.training_loop import TrainingLoop
from keras_legacy_train.programs.base import Program
from keras_legacy_train.programs.window import Window
from keras_legacy_train.summaries import SummaryWriter

_LOGGER = logging.getLogger("keras_legacy_train")


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """The arguments, checked, that `train` and `fit` have in common.

    Attributes:
        monitors: Monitors and session hooks.
        callbacks: Keras callbacks.
        steps: How many steps to run.
        max_steps: The global step at which training ends.
        steps_per_epoch: Steps in an epoch.
        is_chief: Whether anything is written.
        log_every_steps: Steps from one log line to the next; `None` for none.
        save_secs: Seconds from one checkpoint to the next; `None` or 0 for none by the clock.
        save_steps: Steps from one checkpoint to the next; `None` for none by the count.
        save_summaries_steps: Steps from one summary to the next; `None` for none.
        keep_checkpoint_max: How many checkpoints are kept; `None` for all.
        save_input_state: Whether checkpoints hold the position in the input.
        fail_on_nan_loss: Whether a NaN loss is an error.
        jit_compile: Whether XLA compiles windows, `"auto"` for where it can.
        max_window: Largest number of steps in one call; `None` for no limit of the user's.
        progress_bar: Whether a progress bar is drawn; `None` for where there is a terminal.
        verbose: What Keras callbacks are told of it: 0 for silence, 1 for a bar, 2 for lines.
    """

    monitors: Sequence[Any]
    callbacks: Sequence[keras.callbacks.Callback]
    steps: int | None
    max_steps: int | None
    steps_per_epoch: int | None
    is_chief: bool
    log_every_steps: int | None
    save_secs: float | None
    save_steps: int | None
    save_summaries_steps: int | None
    keep_checkpoint_max: int | None
    save_input_state: bool
    fail_on_nan_loss: bool
    jit_compile: bool | Literal["auto"]
    max_window: int | None
    progress_bar: bool | None
    verbose: int = 1

    def replace(self, **changes: Any) -> TrainingOptions:
        """The options with some of them changed."""
        return dataclasses.replace(self, **changes)

    def until(self, done: int) -> int | None:
        """The global step at which training ends, given how many steps are done; `None` for no limit."""
        return self.max_steps if self.steps is None else done + self.steps


def run_training(
    program: Program,
    until: float,
    options: TrainingOptions,
    watchers: Sequence[LoopCallback],
    *,
    epochs: Epochs,
    manager: CheckpointManager | None,
    writer: SummaryWriter | None,
    graph: tf.Graph | None = None,
    recover: Callable[[], Any] | None = None,
    is_new: bool,
) -> Any:
    """Runs the loop with everything that watches it.

    Args:
        program: What a step is.
        until: The global step at which training ends; infinity for no limit.
        options: The arguments of the training.
        watchers: Monitors and callbacks, in the order in which they are called.
        epochs: Which steps make an epoch.
        manager: Saves checkpoints, where any are saved.
        writer: Writes summaries, where any are written.
        graph: What the event file shows.
        recover: See `TrainingLoop`.
        is_new: Whether the training begins afresh, so that there is no checkpoint yet.

    Returns:
        The loss of the last step, `None` if no step ran.
    """
    start = program.global_step()
    signals = SignalHandler(program.stop_window, program.waits_for)
    observers = [signals.first, *watchers]
    if options.log_every_steps is not None:
        observers.append(StepLogger(options.log_every_steps, start))
    if sys.stderr.isatty() if options.progress_bar is None else options.progress_bar:
        observers.append(ProgressBar(start, until))
    if writer is not None:
        observers.append(TrainingSummaries(writer, graph, start, options.save_summaries_steps))
    observers.append(signals)
    if not is_new:
        for watcher in watchers:
            if isinstance(watcher, MonitorCallback):
                watcher.resumed(start)
    if manager is not None:
        for watcher in watchers:
            if isinstance(watcher, TerminateOnNaN):
                watcher.report_with(lambda: manager.latest, NanReport(manager))
        saver = CheckpointSaver(
            manager, program.global_step, options.save_secs, writer, options.save_steps, save_first=is_new
        )
        observers.append(saver)

    _LOGGER.info("Training steps [%d,%s)", start, until)
    if start >= until:
        _LOGGER.info("No step is run: the global step is %d already, and the target is %s.", start, until)
    max_window = min(options.max_window or Window.MAX_STEPS, Window.MAX_STEPS)
    return TrainingLoop(program, Observers(observers), max_window, epochs, recover).run(until)


@contextlib.contextmanager
def begun(
    monitor_callbacks: Sequence[MonitorCallback | HookCallback], max_steps: int | None
) -> Iterator[None]:
    """Begins the monitors and hooks; ends them if no loop came to do so."""
    try:
        for callback in monitor_callbacks:
            callback.begin(max_steps)
        yield
    except BaseException:
        for callback in monitor_callbacks:
            try:
                callback.on_train_end()
            except Exception:
                _LOGGER.exception("Also raised at the end")
        raise


def fatal_loss(callbacks: Iterable[keras.callbacks.Callback]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Which losses must end a window, going by the callbacks that fail at them."""
    failing = [each for each in callbacks if isinstance(each, TerminateOnNaN) and each.fail]
    if any(each.check_inf for each in failing):
        return _is_not_finite
    return tf.math.is_nan if failing else _is_never_fatal


def _is_not_finite(loss: tf.Tensor) -> tf.Tensor:
    return ~tf.math.is_finite(loss)


def _is_never_fatal(loss: tf.Tensor) -> tf.Tensor:
    return tf.constant(False)
