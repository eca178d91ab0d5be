"""Trains a TF 1 graph: from the checked arguments to the loop."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import keras
import tensorflow as tf

from keras_legacy_train import monitors as monitors_lib
from keras_legacy_train.callbacks.compatibility import check_graph_callbacks
from keras_legacy_train.callbacks.hook_callback import HookCallback
from keras_legacy_train.callbacks.keras_adapter import as_loop_callback
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.checkpoints import NamedVariables
from keras_legacy_train.cluster.connection import Connection
from keras_legacy_train.cluster.spec import Cluster
from keras_legacy_train.graph.awaited_input import awaited_input
from keras_legacy_train.graph.elements import register_global_step
from keras_legacy_train.graph.initialize import GraphStart
from keras_legacy_train.graph.iterators import IteratorPositions
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.rewriting.devices import ClusterDevices
from keras_legacy_train.graph.saving.export import MetaGraphWriter
from keras_legacy_train.graph.saving.savers import has_own_methods
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.interrupts import watched_calls
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.progress import Epochs, Progress
from keras_legacy_train.loop.recovery import Recovery
from keras_legacy_train.programs.graph import GraphProgram
from keras_legacy_train.programs.graph_state import (
    SaverState,
    check_objects,
    saved_position,
    saved_random_states,
    saved_variables,
)
from keras_legacy_train.programs.graph_weights import GraphWeights
from keras_legacy_train.summaries import SummaryWriter
from keras_legacy_train.training.options import TrainingOptions
from keras_legacy_train.training.run import TrainingRun
from keras_legacy_train.training.shared_model import SharedModel

_LOGGER = logging.getLogger("keras_legacy_train")

_Result = TypeVar("_Result")

SessionRunHook = tf.compat.v1.train.SessionRunHook


@dataclasses.dataclass(frozen=True)
class GraphTraining:
    """Says what is trained of a graph, and how it begins; `train` documents the arguments.

    Attributes:
        graph: The graph.
        train_ops: What one step runs.
        loss: The loss, a tensor of one number.
        global_step: Name of the variable that counts the steps.
        start: What gives it its first values.
        saver: The graph's own Saver, which says what checkpoints hold; `None` for all variables.
        feed_fn: Returns the `feed_dict` of the next step.
        services: Callbacks that are called before the user's.
        has_default_monitors: Whether the loss is logged and summaries are written where there are no
            monitors.
        saves_graph: Whether the graph is written: as `graph.pbtxt`, to `.meta` files and the event file.
        cluster: The servers that the graph's variables lie on; `None` if everything is in this process.
    """

    graph: tf.Graph
    train_ops: Sequence[tf.Operation | tf.Tensor]
    loss: tf.Tensor
    global_step: str
    start: GraphStart = dataclasses.field(default_factory=GraphStart)
    saver: tf.compat.v1.train.Saver | None = None
    feed_fn: Callable[[], Mapping[Any, Any]] | None = None
    services: Sequence[LoopCallback] = ()
    has_default_monitors: bool = True
    saves_graph: bool = True
    cluster: Cluster | None = None


def train_graph(training: GraphTraining, output_dir: str | None, options: TrainingOptions) -> Any:
    """Trains a graph.

    Args:
        training: The graph, and what is run of it.
        output_dir: Where checkpoints and event files are written; `None` for none.
        options: The arguments of the training.

    Returns:
        The loss of the last step, `None` if no step ran.
    """
    graph, cluster = training.graph, training.cluster
    if cluster is not None and not cluster.device and options.steps is not None:
        raise ValueError(
            "steps counts from the step that this process begins at, which others raise at the same time."
            " In a cluster pass max_steps."
        )
    if cluster is not None and not cluster.device and not options.is_chief:
        output_dir = None  # the chief alone reads and writes checkpoints
    connection = None if cluster is None else Connection(cluster)
    with connection or contextlib.nullcontext(), TrainingRun(output_dir, options) as run:
        target_step = options.target_step(run.saved_step(training.global_step))
        monitor_callbacks = _monitor_callbacks(training, options, run.writer)
        register_global_step(graph)
        with graph.as_default():
            for listener in options.saving_listeners:
                listener.begin()
            run.begin(monitor_callbacks, target_step)
            training.start.complete_graph(graph)

        devices = _devices(cluster, connection)
        session = GraphSession(LiftedGraph(graph, devices, keeps_datasets=options.save_input_state))
        if cluster is not None and cluster.device:
            run.on_exit(session.lifted.delete_from_server)
        run.enter(watched_calls(lambda: awaited_input(session)))
        position = IteratorPositions(session, options.save_input_state)
        if training.saver is not None and has_own_methods(training.saver):
            state: NamedVariables = SaverState(session, training.saver)
        else:
            state = NamedVariables(
                [
                    *saved_variables(session, training.saver),
                    *saved_random_states(session),
                    *saved_position(position),
                ]
            )

        recovery = _begin_model(run, training, options, session, state, connection)

        def complete_start() -> None:
            training.start.initialize_locals(session)
            training.start.check(session)
            check_objects(session)
            position.check()

        _run(recovery, complete_start)
        queue_runners = run.enter(QueueRunners(session))
        program = GraphProgram(
            session,
            queue_runners,
            training.train_ops,
            training.loss,
            training.global_step,
            feed_fn=training.feed_fn,
            prefetches_feeds=None if options.max_window is None else options.max_window > 1,
            is_fatal=options.fatal_loss(),
            jit_compile=options.jit_compile,
        )
        run.enter(contextlib.closing(program))
        epochs = Epochs(options.steps_per_epoch)
        run.progress.step = _run(recovery, program.global_step)
        epochs.locate(run.progress)

        def resume() -> None:
            position.resume()
            epochs.locate(run.progress)

        return run.loop(
            program,
            target_step,
            [
                *training.services,
                *monitor_callbacks,
                *_adapted(options.callbacks, session, epochs, run.progress, target_step),
            ],
            session=session,
            epochs=epochs,
            resume=resume,
            graph=graph if training.saves_graph else None,
            recovery=recovery,
        )


def _begin_model(
    run: TrainingRun,
    training: GraphTraining,
    options: TrainingOptions,
    session: GraphSession,
    state: NamedVariables,
    connection: Connection | None,
) -> Recovery | None:
    """Gives the graph its values, or waits until the chief of the cluster has.

    Returns:
        How they are brought back when a server has lost them; `None` if all are in this process.
    """

    def initialize() -> None:
        training.start.initialize_variables(session)

    def restore_or_initialize() -> None:
        meta_graph = MetaGraphWriter(training.graph) if training.saves_graph else None
        run.restore_or_initialize(state, initialize, meta_graph)

    if training.cluster is None or connection is None or training.cluster.device:
        restore_or_initialize()
        return None
    if not session.lifted.shared_variables():
        _LOGGER.warning(
            "The graph puts no variable on a server of the cluster, so this process trains by itself."
            " Build the graph under tf.compat.v1.train.replica_device_setter."
        )
        restore_or_initialize()
        return None
    shared = SharedModel(session, connection, options.is_chief, training.cluster.timeout)

    def go_on() -> None:
        shared.begin_again(lambda: run.restore_or_initialize_again(initialize))
        training.start.initialize_locals(session)

    recovery = Recovery(go_on, shared.is_lost)
    try:
        shared.begin(restore_or_initialize)
    except tf.errors.OpError as error:
        if not recovery.is_possible(error):
            raise
        recovery.run(go_on)
    operations = [op.name for op in map(_operation, training.train_ops)]
    shared.tell_exchange(operations, training.loss.name, training.global_step)
    return recovery


def _run(recovery: Recovery | None, function: Callable[[], _Result]) -> _Result:
    return function() if recovery is None else recovery.run(function)


def _operation(element: tf.Operation | tf.Tensor) -> tf.Operation:
    return element.op if isinstance(element, tf.Tensor) else element


def _devices(cluster: Cluster | None, connection: Connection | None) -> ClusterDevices | None:
    if cluster is None or connection is None:
        return None
    servers = {job: list(tasks) for job, tasks in cluster.servers.items()}
    return ClusterDevices(servers, cluster.device, connection.check)


def _monitor_callbacks(
    training: GraphTraining, options: TrainingOptions, writer: SummaryWriter | None
) -> list[MonitorCallback | HookCallback]:
    """Returns the callbacks that call the monitors and hooks of this process."""
    monitors = options.monitors
    if not monitors and writer is not None and training.has_default_monitors:
        monitors = _default_monitors(training.graph, training.loss, writer, options.save_summaries_steps)
    if not options.is_chief:
        monitors = [monitor for monitor in monitors if _runs_on_all_workers(monitor)]
    tell_epochs = options.steps_per_epoch is not None
    callbacks: list[MonitorCallback | HookCallback] = []
    for each in monitors:
        if type(each) is monitors_lib.RunHookAdapterForMonitors:
            callbacks += [_AdaptedMonitor(monitor, tell_epochs) for monitor in each.monitors]
        elif isinstance(each, SessionRunHook):
            callbacks.append(HookCallback(each))
        else:
            callbacks.append(MonitorCallback(each, tell_epochs))
    return callbacks


class _AdaptedMonitor(MonitorCallback):
    """Calls a monitor of an adapter at the steps that it wants to see, not at each as the adapter does."""

    def begin(self, max_steps: int | None) -> None:
        super().begin(None)  # an adapter is not told


def _default_monitors(
    graph: tf.Graph, loss: tf.Tensor, writer: SummaryWriter, save_steps: int | None
) -> list[monitors_lib.BaseMonitor]:
    """Returns monitors that log the loss and write the graph's summaries to the event file."""
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
    progress: Progress,
    target_step: int | None,
) -> list[LoopCallback]:
    """Returns the user's callbacks, each shown the graph as a model."""
    if not callbacks:
        return []
    model = GraphWeights(session)
    check_graph_callbacks(callbacks, model.optimizer, resumes=True)
    steps = epochs.length
    if steps is None and target_step is not None:
        steps = max(target_step - progress.step, 0)
    params = {"epochs": epochs.count_until(progress, target_step), "steps": steps, "verbose": 1}
    adapted = [as_loop_callback(callback, progress) for callback in callbacks]
    for callback in adapted:
        callback.set_params(params)
        callback.set_model(model)
    return adapted
