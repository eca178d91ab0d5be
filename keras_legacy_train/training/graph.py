"""Training a TF 1 graph: from the checked arguments to the loop."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import monitors as monitors_lib
from keras_legacy_train.callbacks.hook_callback import HookCallback, HookedRuns
from keras_legacy_train.callbacks.keras_adapter import KerasAdapter
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.callbacks.on_graphs import check_callbacks
from keras_legacy_train.callbacks.resumed_input import ResumedInput
from keras_legacy_train.callbacks.terminate_on_nan import TerminateOnNaN
from keras_legacy_train.checkpoints import NamedVariables
from keras_legacy_train.graph.awaited_input import awaited_input
from keras_legacy_train.graph.elements import register_global_step
from keras_legacy_train.graph.initialize import check_initialized, initialize_locals, initialize_variables
from keras_legacy_train.graph.iterators import IteratorPositions
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.saving.export import MetaGraphWriter
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.interrupts import watched_calls
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.epochs import Epochs
from keras_legacy_train.programs.graph import GraphProgram
from keras_legacy_train.programs.graph_state import (
    check_objects,
    saved_position,
    saved_random_states,
    saved_variables,
)
from keras_legacy_train.programs.graph_weights import GraphWeights
from keras_legacy_train.summaries import SummaryWriter, get_summary_writer
from keras_legacy_train.training.output_directory import opened_checkpoints
from keras_legacy_train.training.run import TrainingOptions, begun, fatal_loss, run_training

SessionRunHook = tf.compat.v1.train.SessionRunHook

_LOGGER = logging.getLogger("keras_legacy_train")


def train_graph(
    graph: tf.Graph,
    output_dir: str,
    train_ops: Sequence[tf.Operation | tf.Tensor],
    loss: tf.Tensor,
    global_step: str,
    init_ops: Sequence[tf.Operation | tf.Tensor] | None,
    init_feed_dict: Mapping[Any, Any] | None,
    init_fn: Callable[[GraphSession], Any] | None,
    feed_fn: Callable[[], Mapping[Any, Any]] | None,
    options: TrainingOptions,
) -> Any:
    """Trains a graph; `train` documents the arguments."""
    with contextlib.ExitStack() as cleanup:
        manager = cleanup.enter_context(opened_checkpoints(output_dir, options))
        newest = manager.latest
        until = options.until(0 if newest is None else int(manager.read(newest, global_step) or 0))

        writer = get_summary_writer(output_dir) if options.is_chief else None
        monitors = options.monitors
        if not monitors and writer is not None:
            monitors = _default_monitors(graph, loss, writer, options.save_summaries_steps)
        if not options.is_chief:
            monitors = [monitor for monitor in monitors if _runs_on_all_workers(monitor)]
        runs = HookedRuns()
        epochs = Epochs(options.steps_per_epoch)
        monitor_callbacks = [
            HookCallback(each, runs)
            if isinstance(each, SessionRunHook)
            else MonitorCallback(each, tell_epochs=options.steps_per_epoch is not None)
            for each in monitors
        ]
        register_global_step(graph)
        with graph.as_default():
            cleanup.enter_context(begun(monitor_callbacks, until))

        session = GraphSession(LiftedGraph(graph))
        cleanup.enter_context(watched_calls(lambda: awaited_input(session)))
        position = IteratorPositions(session, options.save_input_state)
        saved = NamedVariables(
            [*saved_variables(session), *saved_random_states(session), *saved_position(position)]
        )
        manager.track(saved, MetaGraphWriter(graph))
        if newest is None:
            initialize_variables(session, init_ops, init_feed_dict, init_fn)
        else:
            _LOGGER.info("Restoring parameters from %s", newest)
            manager.restore(newest)
        initialize_locals(session)
        check_initialized(session)
        check_objects(session)
        position.check()

        queue_runners = cleanup.enter_context(QueueRunners(session))
        nan = TerminateOnNaN(
            options.fail_on_nan_loss,
            log_every_steps=options.log_every_steps,
            last_good_checkpoint=lambda: manager.latest,
        )
        program = GraphProgram(
            session,
            queue_runners,
            train_ops,
            loss,
            global_step,
            feed_fn=feed_fn,
            feeds_ahead=options.max_window is not None,
            is_fatal=fatal_loss([nan, *options.callbacks]),
            jit_compile=options.jit_compile,
        )
        cleanup.callback(program.close)
        epochs.go_to(program.global_step())
        runs.start(session, queue_runners.coordinator, program.run_args)
        for monitor_callback in monitor_callbacks:
            monitor_callback.set_session(session)

        def restore_newest() -> None:
            if manager.restore_latest() is None:
                raise FileNotFoundError(f"There is no checkpoint in {output_dir} to go on from.")
            position.resume()
            epochs.go_to(program.global_step())

        target = math.inf if until is None else until
        resumed = [] if newest is None else [ResumedInput(position)]
        users_callbacks = _adapted(options.callbacks, session, epochs, program.global_step(), until)
        return run_training(
            program,
            target,
            options,
            [nan, *monitor_callbacks, *users_callbacks, *resumed],
            epochs=epochs,
            manager=manager if options.is_chief else None,
            writer=writer,
            graph=graph,
            recover=restore_newest,
            is_new=newest is None,
        )


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


def _adapted(
    callbacks: Sequence[keras.callbacks.Callback],
    session: GraphSession,
    epochs: Epochs,
    start: int,
    until: int | None,
) -> list[LoopCallback]:
    """The user's callbacks, each shown the graph as a model."""
    if not callbacks:
        return []
    model = GraphWeights(session)
    check_callbacks(callbacks, model.optimizer, resumes=True)
    steps = epochs.length
    if steps is None and until is not None:
        steps = max(until - start, 0)
    params = {"epochs": epochs.count_until(until), "steps": steps, "verbose": 1}
    adapted = []
    for callback in callbacks:
        observer = callback if isinstance(callback, LoopCallback) else KerasAdapter(callback, epochs)
        observer.set_params(params)
        observer.set_model(model)
        adapted.append(observer)
    return adapted
