"""Trains on batches: a Keras model, or functions over variables."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train.callbacks.compatibility import check_model_callbacks
from keras_legacy_train.callbacks.final_weights import FinalWeights
from keras_legacy_train.callbacks.keras_adapter import as_loop_callback
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.callbacks.run_state import RunState
from keras_legacy_train.checkpoints import CheckpointState
from keras_legacy_train.distributed.checks import check_variables
from keras_legacy_train.distributed.joint_checkpoints import ReplicatedState, check_equal
from keras_legacy_train.interrupts import watched_calls
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.progress import Epochs
from keras_legacy_train.programs.batch import BatchProgram
from keras_legacy_train.programs.graph_weights import v2_behavior
from keras_legacy_train.programs.model_state import model_state, variables_state
from keras_legacy_train.programs.named_values import NamedValues, trained_variables
from keras_legacy_train.programs.source import Source
from keras_legacy_train.programs.traced_step import BatchStep, TracedStep, traced
from keras_legacy_train.programs.values_session import ValuesSession
from keras_legacy_train.programs.variables_model import VariablesModel
from keras_legacy_train.training.options import TrainingOptions
from keras_legacy_train.training.run import TrainingRun
from keras_legacy_train.training.together import acting_together

_LOGGER = logging.getLogger("keras_legacy_train")


@dataclasses.dataclass(frozen=True)
class BatchTraining:
    """Says what is trained on batches, and how it begins.

    Attributes:
        step: What is done with a batch.
        source: Where the batches come from.
        epochs: Which steps make an epoch.
        model: The model that is trained, if there is one.
        optimizer: Its optimizer, if that is known.
        global_step: A variable that the step raises; by default one is made, and raised after each step.
        initialize: Called with a session stand-in where there is no checkpoint yet.
        services: Callbacks that are called before the user's.
        initial_epoch: The number of the first epoch, where no checkpoint tells it.
    """

    step: BatchStep
    source: Source
    epochs: Epochs
    model: keras.Model | None = None
    optimizer: keras.optimizers.Optimizer | None = None
    global_step: tf.Variable | None = None
    initialize: Callable[[ValuesSession], None] = lambda session: None
    services: Sequence[LoopCallback] = ()
    initial_epoch: int = 0


def train_batches(training: BatchTraining, output_dir: str | None, options: TrainingOptions) -> Any:
    """Trains a Keras model, or functions over variables.

    Args:
        training: What is trained, and on what.
        output_dir: Where checkpoints and event files are written; `None` for none.
        options: The arguments of the training.

    Returns:
        The loss of the last step, `None` if no step ran.
    """
    if output_dir is not None:
        check_model_callbacks(options.callbacks)
    replicas = training.step.replicas
    if replicas.workers.count > 1:
        options = options.replace(is_chief=replicas.workers.is_chief)
    with contextlib.ExitStack() as entered:
        entered.enter_context(v2_behavior())
        entered.enter_context(watched_calls(lambda: None))
        entered.enter_context(contextlib.closing(training.source))
        entered.enter_context(acting_together(replicas.workers))
        try:
            # What does not fit together is found here, before a file is written.
            step = traced(
                training.step, training.source.batch_spec(), options.fatal_loss(), training.global_step
            )
        except StopIteration:
            _LOGGER.info("The input has ended before the first step.")
            return None
        used = [each for each in step.variables if each is not step.global_step]
        check_variables(replicas, used, "the step")
        return _train(training, step, output_dir, options)


def _train(
    training: BatchTraining, step: TracedStep, output_dir: str | None, options: TrainingOptions
) -> Any:
    model, optimizer, epochs = training.model, training.optimizer, training.epochs
    replicas = training.step.replicas
    run = TrainingRun(output_dir, options, replicas.workers)
    run.progress.epoch = training.initial_epoch
    # If so, a callback may compile the model with another one.
    is_compiled = optimizer is getattr(model, "optimizer", None)

    def trained() -> tuple[list[Any], keras.optimizers.Optimizer | None]:
        current = getattr(model, "optimizer", None) if is_compiled else optimizer
        return [*step.variables, *trained_variables(model, current)], current

    values = NamedValues(trained, replicas.workers.count)
    program = BatchProgram(training.step, step, training.source, values)
    session = ValuesSession(values)

    services = list(training.services)
    if optimizer is not None and model is not None:
        services.insert(0, FinalWeights(optimizer, program.global_step))
    has_epochs = epochs.length is not None or epochs.repeats_input
    monitor_callbacks = [
        MonitorCallback(monitor, tell_epochs=has_epochs)
        for monitor in options.monitors
        if options.is_chief or getattr(monitor, "run_on_all_workers", False)
    ]
    users_callbacks = [as_loop_callback(callback, run.progress) for callback in options.callbacks]
    callbacks = [*services, *monitor_callbacks, *users_callbacks]
    shown = VariablesModel(step.variables) if model is None else model
    shown.stop_training = False
    for callback in callbacks:
        callback.set_model(shown)

    position = training.source if options.save_input_state and output_dir is not None else None
    state: CheckpointState
    if model is None:
        state = variables_state([*step.variables, step.global_step], position)
    else:
        memory = RunState(run.progress, program, [*services, *users_callbacks])
        state = model_state(model, step.global_step, optimizer, step.variables, memory, position)
    if replicas.count > 1:
        state = ReplicatedState(state, replicas, lambda: _kept_equal(model, optimizer, step))

    def resume() -> None:
        if model is None:
            epochs.locate(run.progress)
        else:  # of a model, the checkpoint tells the epoch
            memory.remind()

    with run:
        run.restore_or_initialize(state, lambda: training.initialize(session))
        run.progress.step = program.global_step()
        if model is None:
            epochs.locate(run.progress)
        target_step = options.target_step(run.progress.step)
        if target_step is None:
            target_step = epochs.last_step(run.progress)
        number = epochs.count_until(run.progress, target_step)
        params = {"epochs": number, "steps": epochs.length, "verbose": options.verbose}
        for callback in callbacks:
            callback.set_params(params)
        if model is not None and optimizer is not None and not is_compiled:
            run.enter(_optimizer_of(model, optimizer))
        run.begin(monitor_callbacks, target_step)
        loss = run.loop(program, target_step, callbacks, session=session, epochs=epochs, resume=resume)
        if output_dir is None and replicas.count > 1:  # otherwise the last checkpoint has seen to it
            check_equal(replicas, _kept_equal(model, optimizer, step))
        return loss


def _kept_equal(
    model: keras.Model | None, optimizer: keras.optimizers.Optimizer | None, step: TracedStep
) -> list[Any]:
    """Returns the variables that must be equal on all replicas; moving averages of a layer need not be."""
    if model is None:
        on_read = tf.VariableSynchronization.ON_READ
        used = [each for each in step.variables if each is not step.global_step]
        return [each for each in used if each.synchronization is not on_read]
    return [*model.trainable_variables, *([] if optimizer is None else optimizer.variables)]


@contextlib.contextmanager
def _optimizer_of(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Lets callbacks find the optimizer where `compile` would have put it."""
    own = vars(model)  # past `__setattr__`, by which Keras would track it for good
    earlier = {"optimizer": own["optimizer"]} if "optimizer" in own else {}
    own["optimizer"] = optimizer
    try:
        yield
    finally:
        del own["optimizer"]
        own.update(earlier)
