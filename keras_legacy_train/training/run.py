"""Runs a training: in its directory, from its newest checkpoint, with all that watches it."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import tensorflow as tf

from keras_legacy_train.callbacks.checkpoint_saver import CheckpointSaver
from keras_legacy_train.callbacks.hook_callback import HookCallback
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.callbacks.nan_report import NanReport
from keras_legacy_train.callbacks.on_resume import OnResume
from keras_legacy_train.callbacks.progress_bar import ProgressBar
from keras_legacy_train.callbacks.signals import SignalHandler
from keras_legacy_train.callbacks.step_logger import StepLogger
from keras_legacy_train.callbacks.terminate_on_nan import TerminateOnNaN
from keras_legacy_train.callbacks.training_summaries import TrainingSummaries
from keras_legacy_train.checkpoints import CheckpointManager, CheckpointState
from keras_legacy_train.checkpoints.reading import read_variable
from keras_legacy_train.distributed.workers import ALONE, Workers
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.callback_list import CallbackList
from keras_legacy_train.loop.progress import Epochs, Progress
from keras_legacy_train.loop.recovery import Recovery
from keras_legacy_train.loop.run_context import RunContext
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.loop.training_loop import TrainingLoop
from keras_legacy_train.programs.base import Program
from keras_legacy_train.programs.window import Window
from keras_legacy_train.summaries import SummaryWriter, get_summary_writer
from keras_legacy_train.training.options import TrainingOptions
from keras_legacy_train.training.output_directory import OutputDirectory
from keras_legacy_train.training.together import JointCheckpointSaver, WorkersAgreement

_LOGGER = logging.getLogger("keras_legacy_train")

_Entered = TypeVar("_Entered")


class TrainingRun:
    """Takes a training from its directory to the end of its loop. It is a context manager.

    ```text
    with TrainingRun(output_dir, options) as run:     the directory is held, its newest checkpoint found
        run.begin(monitors, target_step)              monitors may add ops to the graph
        run.restore_or_initialize(state, initialize)
        loss = run.loop(program, …)                   the loop, with the services around it
    ```

    What is trained (a graph, a Keras model, functions) gives it the state, the program and the callbacks.

    Args:
        output_dir: Where checkpoints and event files are written; `None` for none.
        options: The arguments of the training.
        workers: The processes that train together.

    Attributes:
        newest: The prefix of the checkpoint that the training goes on from, `None` for a new one.
        progress: Where the training stands.
        writer: Writes event files, for the chief of a training that has a directory.
    """

    def __init__(self, output_dir: str | None, options: TrainingOptions, workers: Workers = ALONE):
        self.newest: str | None = None
        self.progress = Progress()
        self.writer: SummaryWriter | None = None
        self._output_dir = output_dir
        self._options = options
        self._workers = workers
        self._agreement = None if workers.count == 1 else WorkersAgreement(workers)
        self._directory: OutputDirectory | None = None
        self._manager: CheckpointManager | None = None
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> TrainingRun:
        with contextlib.ExitStack() as entered:  # left again if something here fails
            if self._output_dir is not None:
                directory = OutputDirectory(self._output_dir, self._options, self._workers)
                self._directory = entered.enter_context(directory)
                self.newest = self._directory.newest
                if self._options.is_chief:
                    self.writer = get_summary_writer(self._output_dir)
            self._cleanup = entered.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.__exit__(kind, error, trace)

    def enter(self, context: contextlib.AbstractContextManager[_Entered]) -> _Entered:
        """Enters a context that is left when the run is over."""
        return self._cleanup.enter_context(context)

    def on_exit(self, function: Callable[[], object]) -> None:
        """Has a function called when the run is over."""
        self._cleanup.callback(function)

    def saved_step(self, name: str) -> int:
        """Returns the value of the global step in the newest checkpoint, by its name; 0 if there is none."""
        return 0 if self.newest is None else int(read_variable(self.newest, name) or 0)

    def begin(self, callbacks: Sequence[MonitorCallback | HookCallback], target_step: int | None) -> None:
        """Begins monitors and hooks; ends them if no loop comes to do so."""
        self.enter(_begun(callbacks, target_step))

    def restore_or_initialize(
        self,
        state: CheckpointState,
        initialize: Callable[[], object],
        meta_graph: Callable[[], bytes | None] | None = None,
    ) -> None:
        """Gives the state its values: those of the newest checkpoint, or its first ones.

        Args:
            state: What checkpoints hold.
            initialize: Gives the state its first values; called where there is no checkpoint.
            meta_graph: Returns what to write to a checkpoint's `.meta` file.

        Raises:
            CheckpointMismatchError: The checkpoint does not fit the state. Nothing was assigned.
        """
        if self._directory is not None:
            self._manager = self._directory.checkpoints_of(state, meta_graph)
        if self._manager is not None and self.newest is not None:
            _LOGGER.info("Restoring parameters from %s", self.newest)
            self._manager.restore(self.newest)
        else:
            initialize()

    def restore_or_initialize_again(self, initialize: Callable[[], object]) -> None:
        """Gives the state its values once more, after they have been lost."""
        if self._manager is None or self._manager.restore_latest() is None:
            initialize()

    def loop(
        self,
        program: Program,
        target_step: int | None,
        callbacks: Sequence[LoopCallback],
        *,
        session: Any,
        epochs: Epochs,
        resume: Callable[[], None],
        graph: tf.Graph | None = None,
        recovery: Recovery | None = None,
    ) -> Any:
        """Runs the loop with everything that watches it.

        Args:
            program: What a step is. Its close is left to the caller.
            target_step: The global step at which training ends; `None` for no limit.
            callbacks: Monitors and callbacks, in the order in which they are called.
            session: What monitors and hooks get as their session.
            epochs: Which steps make an epoch.
            resume: Called after a restore, and after `on_train_begin` of the callbacks: sets right what these
                have reset.
            graph: What the event file shows.
            recovery: How the training goes on when what it runs on was lost; by default from the newest
                checkpoint.

        Returns:
            The loss of the last step, `None` if no step ran.

        Raises:
            ValueError: The required input has no batch. Nothing of a new training is left.
        """
        start, end = self.progress.step, math.inf if target_step is None else target_step
        watching = self._with_services(program, callbacks, end, resume, graph)
        context = self._context(program, session, end)
        for callback in watching:
            callback.set_run(context)

        if recovery is None and self._manager is not None and self._agreement is None:
            recovery = Recovery(self._restore_newest)  # of several processes, one cannot go back alone

        def recover() -> None:
            assert recovery is not None
            recovery.restore()
            self.progress.step = program.global_step()
            resume()

        _LOGGER.info("Training steps [%d,%s)", start, end)
        if start >= end:
            _LOGGER.info("No step is run: the global step is %d already, and the target is %s.", start, end)
        max_window = min(self._options.max_window or Window.MAX_STEPS, Window.MAX_STEPS)
        loop = TrainingLoop(
            program,
            CallbackList(watching),
            max_window,
            self.progress,
            epochs,
            None if recovery is None else dataclasses.replace(recovery, restore=recover),
            self._agreement,
        )
        loss = loop.run(end)
        if loss is None and loop.reason is StopReason.END_OF_INPUT:
            self._check_input_may_be_empty()
        return loss

    def _check_input_may_be_empty(self) -> None:
        """Raises ValueError if the input must have a batch, and takes back what a new training has written.

        The first files lie there before the first batch is asked for, since listeners and hooks look for
        them. The directory is still held.
        """
        is_new, name = self.newest is None, self._options.required_input
        if name is None or (self._options.save_input_state and not is_new):
            return  # a training that goes on may stand at the end of its input
        if is_new and self._manager is not None:
            self._manager.take_back()
        if is_new and self.writer is not None:
            self.writer.take_back()
        raise ValueError(f"{name} has yielded no batch, so the model has not been trained.")

    def _with_services(
        self,
        program: Program,
        callbacks: Sequence[LoopCallback],
        end: float,
        resume: Callable[[], None],
        graph: tf.Graph | None,
    ) -> list[LoopCallback]:
        """Returns the callbacks with the services of the loop before and after them, in their order."""
        options, start = self._options, self.progress.step
        signals = SignalHandler(program.stop_window, program.waits_for, self._agreement)
        nan = TerminateOnNaN(options.fail_on_nan_loss, log_every_steps=options.log_every_steps)
        saver = self._saver(program)
        # A hook may ask what a listener has found: an early-stopping hook does.
        is_first = options.saves_before_monitors or options.saving_listeners
        saves_first = [saver.first] if saver is not None and is_first else []
        watching = [signals.first, nan, *saves_first, *callbacks]
        if self.newest is not None:
            watching.append(OnResume(resume))
        if options.log_every_steps is not None:
            watching.append(StepLogger(options.log_every_steps, start))
        if sys.stderr.isatty() if options.progress_bar is None else options.progress_bar:
            watching.append(ProgressBar(start, end))
        if self.writer is not None:
            needs_steps = options.required_input is not None
            watching.append(
                TrainingSummaries(self.writer, graph, start, options.save_summaries_steps, needs_steps)
            )
        watching.append(signals)
        if saver is not None:
            watching.append(saver)
        return watching

    def _saver(self, program: Program) -> CheckpointSaver | None:
        options = self._options
        has_part = options.is_chief or self._agreement is not None
        if self._manager is None or not (has_part and options.saves):
            return None
        saver: Callable[..., CheckpointSaver] = CheckpointSaver
        if self._agreement is not None:
            saver = functools.partial(JointCheckpointSaver, self._workers)
        return saver(
            self._manager,
            program.global_step,
            options.save_secs,
            self.writer,
            options.save_steps,
            save_first=self.newest is None,
            listeners=options.saving_listeners,
        )

    def _context(self, program: Program, session: Any, end: float) -> RunContext:
        manager = self._manager
        reports_nan = manager is not None and self._options.is_chief and self._agreement is None
        return RunContext(
            program,
            session,
            self.progress.step,
            end,
            is_resumed=self.newest is not None,
            last_checkpoint=None if manager is None else lambda: manager.latest,
            report_nan=NanReport(manager) if manager is not None and reports_nan else None,
        )

    def _restore_newest(self) -> None:
        if self._manager is None or self._manager.restore_latest() is None:
            raise FileNotFoundError(f"There is no checkpoint in {self._output_dir} to go on from.")


@contextlib.contextmanager
def _begun(callbacks: Sequence[MonitorCallback | HookCallback], target_step: int | None) -> Iterator[None]:
    try:
        for callback in callbacks:
            callback.begin(target_step)
        yield
    except BaseException:
        for callback in callbacks:
            try:
                callback.on_train_end()
            except Exception:
                _LOGGER.exception("Also raised at the end")
        raise
