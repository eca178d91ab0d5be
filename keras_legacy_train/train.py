"""`train`: the legacy signature, from its arguments to the loop."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train import monitors as monitors_lib
from keras_legacy_train.callbacks.base import LoopCallback
from keras_legacy_train.callbacks.checkpoint import CheckpointSaver
from keras_legacy_train.callbacks.hook_callback import HookCallback, HookedRuns
from keras_legacy_train.callbacks.keras_adapter import KerasAdapter
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.callbacks.progress_bar import ProgressBar
from keras_legacy_train.callbacks.signals import SignalHandler
from keras_legacy_train.callbacks.step_logger import StepLogger
from keras_legacy_train.callbacks.summaries import TrainingSummaries
from keras_legacy_train.callbacks.terminate_on_nan import TerminateOnNaN
from keras_legacy_train.checkpoints import CheckpointManager, NamedVariables
from keras_legacy_train.directory_lock import DirectoryLock
from keras_legacy_train.graph.export import MetaGraphWriter
from keras_legacy_train.graph.initialize import check_initialized, initialize_locals, initialize_variables
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.loop.observers import Observers
from keras_legacy_train.loop.training_loop import TrainingLoop
from keras_legacy_train.programs.graph import GraphProgram
from keras_legacy_train.programs.graph_model import GraphModel
from keras_legacy_train.programs.graph_state import saved_random_states, saved_variables
from keras_legacy_train.summaries import SummaryWriter, get_summary_writer

SessionRunHook = tf.compat.v1.train.SessionRunHook

_LOGGER = logging.getLogger("keras_legacy_train")


def train(
    graph: tf.Graph | str | os.PathLike[str],
    output_dir: str | os.PathLike[str],
    train_op: Any,
    loss_op: Any,
    global_step_tensor: Any = None,
    init_op: Any = None,
    init_feed_dict: Mapping[Any, Any] | None = None,
    init_fn: Callable[[GraphSession], Any] | None = None,
    log_every_steps: int | None = 10,
    supervisor_is_chief: bool = True,
    supervisor_master: str = "",
    supervisor_save_model_secs: float | None = 600,
    keep_checkpoint_max: int | None = 5,
    supervisor_save_summaries_steps: int | None = 100,
    feed_fn: Callable[[], Mapping[Any, Any]] | None = None,
    steps: int | None = None,
    fail_on_nan_loss: bool = True,
    monitors: Iterable[Any] | None = None,
    max_steps: int | None = None,
    *,
    callbacks: Iterable[keras.callbacks.Callback] | None = None,
    jit_compile: bool = False,
    max_window: int | None = None,
    progress_bar: bool | None = None,
) -> Any:
    """Trains a TF 1 graph; stands for `tf.contrib.learn.train`.

    It goes on from the newest checkpoint in `output_dir`, or initialises the graph if there is none, and runs
    `train_op` until `max_steps` is reached, `steps` more are done, a monitor or callback asks to stop, or the
    input ends. Steps that no monitor wants to see run many in one call.

    ```python
    with tf.Graph().as_default() as graph:
        w = tf.compat.v1.get_variable("w", shape=[], initializer=tf.compat.v1.ones_initializer())
        loss = tf.square(w - 3.0)
        optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.1)
        train_op = optimizer.minimize(loss, tf.compat.v1.train.get_or_create_global_step())
    train(graph, output_dir, train_op, loss, max_steps=100)
    ```

    Args:
        graph: The graph, or the path of a `.meta` file; everything below is then given by name. Names are
            accepted with a graph, too, with and without `":0"`.
        output_dir: Where checkpoints and event files are written. Created if missing.
        train_op: What performs a step and raises the global step: an operation, a tensor, or any structure of
            them.
        loss_op: The loss, a tensor of one number.
        global_step_tensor: The integer variable that counts steps; by default the graph's own.
        init_op: What initialises the global variables; by default each one's initializer.
        init_feed_dict: Fed to `init_op`.
        init_fn: Called after `init_op` with the session stand-in, which has `run`, `graph` and `as_default`,
            and can be given to a `tf.compat.v1.train.Saver`.
        log_every_steps: Steps from one `training step` line to the next; `None` for none.
        supervisor_is_chief: If not, nothing is written, and of the monitors only those with
            `run_on_all_workers` run; hooks do.
        supervisor_master: `""` or `"local"`.
        supervisor_save_model_secs: Seconds from one checkpoint to the next; `None` or 0 for only the first
            and the last.
        keep_checkpoint_max: How many checkpoints are kept; `None` or 0 for all.
        supervisor_save_summaries_steps: Steps from one summary to the next; `None` for none.
        feed_fn: Called before each step; returns its `feed_dict`. `StopIteration` from it ends the training.
            With it, each step is a call of its own.
        steps: How many steps to run, on top of those in the newest checkpoint.
        fail_on_nan_loss: Whether a NaN loss is an error.
        monitors: Monitors and `tf.compat.v1.train.SessionRunHook`s, or one of them. None given, the loss is
            logged and the graph's summaries are written.
        max_steps: The global step at which training ends.
        callbacks: Keras callbacks (or one).
        jit_compile: Whether XLA compiles the windows. Random numbers are then other ones, and a step with an
            op that XLA does not know, an input op for example, is an error.
        max_window: Largest number of steps in one call; 1 lets the host see each step.
        progress_bar: Whether a progress bar is drawn; by default if the standard error output is a terminal.

    Returns:
        The loss of the last step, a NumPy scalar of the loss's dtype; `None` if no step ran.

    Raises:
        ValueError, TypeError, FileNotFoundError: An argument cannot be right. Nothing has been touched.
        PermissionError: `output_dir` cannot be written to. No step has run.
        CheckpointMismatchError: The newest checkpoint does not fit the graph. No step has run.
        DamagedCheckpointError: There are checkpoints, and none of them can be read.
        DirectoryInUseError: Another process trains in `output_dir`. No step has run.
        NotInitializedError: Variables are left without a value. No step has run.
        NanLossDuringTrainingError: The loss is NaN. The newest checkpoint is still a good one.
        NoProgressError: `train_op` does not raise the global step.
        KeyboardInterrupt, SystemExit: Ctrl-C or SIGTERM came. A checkpoint has been written.
        Whatever `feed_fn`, a monitor, a callback or an op of the graph raises, after a checkpoint has been
        written.
    """
    if steps is not None and max_steps is not None:
        raise ValueError("Can not provide both steps and max_steps.")
    steps = arguments.as_steps("steps", steps)
    max_steps = arguments.as_steps("max_steps", max_steps)
    output_dir = arguments.as_directory(output_dir)
    keep_checkpoint_max = arguments.as_steps("keep_checkpoint_max", keep_checkpoint_max) or None
    save_secs = arguments.as_seconds("supervisor_save_model_secs", supervisor_save_model_secs)
    log_every_steps = arguments.as_interval("log_every_steps", log_every_steps)
    save_summaries_steps = arguments.as_interval(
        "supervisor_save_summaries_steps", supervisor_save_summaries_steps
    )
    if max_window is None:
        max_window = GraphProgram.MAX_WINDOW
    max_window = min(arguments.as_positive("max_window", max_window), GraphProgram.MAX_WINDOW)
    arguments.check_master(supervisor_master)
    arguments.check_callable("init_fn", init_fn)
    arguments.check_callable("feed_fn", feed_fn)
    users_monitors = arguments.as_monitors(monitors)
    users_callbacks = arguments.as_callbacks(callbacks)
    graph = arguments.as_graph(graph)
    train_ops = arguments.as_train_ops(graph, train_op)
    loss = arguments.as_loss(graph, loss_op)
    global_step = arguments.as_global_step(graph, global_step_tensor)
    init_ops = None if init_op is None else arguments.as_elements("init_op", graph, init_op)

    with _tensorflow.eager_mode(), contextlib.ExitStack() as cleanup:
        manager = CheckpointManager(
            output_dir, max_to_keep=keep_checkpoint_max, require_finite=fail_on_nan_loss
        )
        newest = manager.latest
        done = 0 if newest is None else int(manager.read(newest, global_step) or 0)
        until = max_steps if steps is None else done + steps

        writer = get_summary_writer(output_dir) if supervisor_is_chief else None
        if not users_monitors and writer is not None:
            users_monitors = _default_monitors(graph, loss, writer, save_summaries_steps)
        if not supervisor_is_chief:
            users_monitors = [m for m in users_monitors if _runs_on_all_workers(m)]
        runs = HookedRuns()
        monitor_callbacks = [
            HookCallback(each, runs) if isinstance(each, SessionRunHook) else MonitorCallback(each)
            for each in users_monitors
        ]
        cleanup.enter_context(_begun(monitor_callbacks, graph, until))

        session = GraphSession(LiftedGraph(graph))
        saved = NamedVariables([*saved_variables(session), *saved_random_states(session)])
        manager.track(saved, MetaGraphWriter(graph))
        if newest is None:
            initialize_variables(session, init_ops, init_feed_dict, init_fn)
        else:
            _LOGGER.info("Restoring parameters from %s", newest)
            manager.restore(newest)
        initialize_locals(session)
        check_initialized(session)
        if supervisor_is_chief:
            manager.verify_writable()
            cleanup.enter_context(DirectoryLock(output_dir))

        queue_runners = cleanup.enter_context(QueueRunners(session))
        nan = TerminateOnNaN(
            fail_on_nan_loss, log_every_steps=log_every_steps, last_good_checkpoint=lambda: manager.latest
        )
        program = GraphProgram(
            session,
            queue_runners,
            train_ops,
            loss,
            global_step,
            feed_fn=feed_fn,
            is_fatal=_fatal_loss([nan, *users_callbacks]),
            jit_compile=jit_compile,
        )
        start, target = program.global_step(), math.inf if until is None else until
        runs.start(session, queue_runners.coordinator, program.run_args)
        for monitor_callback in monitor_callbacks:
            monitor_callback.set_session(session)

        observers: list[LoopCallback] = [nan, *monitor_callbacks]
        observers += _adapted(users_callbacks, session, start, until)
        if log_every_steps is not None:
            observers.append(StepLogger(log_every_steps, start))
        if sys.stderr.isatty() if progress_bar is None else progress_bar:
            observers.append(ProgressBar(start, target))
        if writer is not None:
            observers.append(TrainingSummaries(writer, graph, start, save_summaries_steps))
        observers.append(SignalHandler(program.stop_window))
        if writer is not None:
            saver = CheckpointSaver(
                manager, program.global_step, save_secs, writer, save_first=newest is None
            )
            observers.append(saver)

        _LOGGER.info("Training steps [%d,%s)", start, target)
        if start >= target:
            _LOGGER.info(
                "No step is run: the global step is %d already, and the target is %s.", start, target
            )

        def restore_newest() -> None:
            if manager.restore_latest() is None:
                raise FileNotFoundError(f"There is no checkpoint in {output_dir} to go on from.")

        return TrainingLoop(program, Observers(observers), max_window, restore_newest).run(target)


def _default_monitors(
    graph: tf.Graph, loss: tf.Tensor, writer: SummaryWriter, save_steps: int | None
) -> list[monitors_lib.BaseMonitor]:
    """The loss in the log and the graph's summaries in the event file."""
    if save_steps is None:
        return monitors_lib.get_default_monitors(loss_op=loss)
    with graph.as_default():
        collected = graph.get_collection(tf.compat.v1.GraphKeys.SUMMARY_OP)
        summary_op = collected[0] if collected else tf.compat.v1.summary.merge_all()
        if summary_op is not None and not collected:
            graph.add_to_collection(tf.compat.v1.GraphKeys.SUMMARY_OP, summary_op)
    return monitors_lib.get_default_monitors(
        loss_op=loss, summary_op=summary_op, save_summary_steps=save_steps, summary_writer=writer
    )


def _runs_on_all_workers(monitor: Any) -> bool:
    return isinstance(monitor, SessionRunHook) or getattr(monitor, "run_on_all_workers", False)


@contextlib.contextmanager
def _begun(
    monitor_callbacks: Sequence[MonitorCallback | HookCallback], graph: tf.Graph, max_steps: int | None
) -> Iterator[None]:
    """Begins the monitors and hooks; ends them if no loop came to do so."""
    try:
        with graph.as_default():
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


def _fatal_loss(callbacks: Iterable[keras.callbacks.Callback]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Which losses must end a window, going by the callbacks that fail at them."""
    failing = [each for each in callbacks if isinstance(each, TerminateOnNaN) and each.fail]
    if any(each.check_inf for each in failing):
        return lambda loss: ~tf.math.is_finite(loss)
    if failing:
        return tf.math.is_nan
    return lambda loss: tf.constant(False)


def _adapted(
    callbacks: Sequence[keras.callbacks.Callback], session: GraphSession, start: int, until: int | None
) -> list[LoopCallback]:
    """The user's callbacks, each shown the graph as a model."""
    if not callbacks:
        return []
    model = GraphModel(session)
    params = {"epochs": 1, "steps": None if until is None else max(until - start, 0), "verbose": 0}
    adapted = []
    for callback in callbacks:
        observer = callback if isinstance(callback, LoopCallback) else KerasAdapter(callback)
        observer.set_params(params)
        observer.set_model(model)
        adapted.append(observer)
    return adapted
