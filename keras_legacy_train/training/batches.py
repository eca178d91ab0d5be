"""Training on batches: what a Keras model and functions over variables have in common."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train.callbacks.final_weights import FinalWeights
from keras_legacy_train.callbacks.keras_adapter import KerasAdapter
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.callbacks.on_models import check_callbacks
from keras_legacy_train.callbacks.run_state import Reminder, RunState
from keras_legacy_train.callbacks.terminate_on_nan import TerminateOnNaN
from keras_legacy_train.checkpoints import CheckpointManager, CheckpointState
from keras_legacy_train.interrupts import watched_calls
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.epochs import Epochs
from keras_legacy_train.programs.batch import BatchProgram
from keras_legacy_train.programs.graph_weights import v2_behavior
from keras_legacy_train.programs.model_state import model_state, variables_state
from keras_legacy_train.programs.named_values import NamedValues, trained_variables
from keras_legacy_train.programs.source import Source
from keras_legacy_train.programs.traced_step import BatchStep, traced
from keras_legacy_train.programs.values_session import ValuesSession
from keras_legacy_train.programs.variables_model import VariablesModel
from keras_legacy_train.summaries import get_summary_writer
from keras_legacy_train.training.output_directory import opened_checkpoints
from keras_legacy_train.training.run import TrainingOptions, begun, fatal_loss, run_training

_LOGGER = logging.getLogger("keras_legacy_train")


def train_batches(
    step: BatchStep,
    source: Source,
    output_dir: str | None,
    options: TrainingOptions,
    epochs: Epochs,
    *,
    model: keras.Model | None,
    optimizer: keras.optimizers.Optimizer | None,
    global_step: tf.Variable | None = None,
    initialize: Callable[[ValuesSession], None] | None = None,
    services: Sequence[LoopCallback] = (),
) -> Any:
    """Restores or initialises, and runs the loop.

    Args:
        step: What is done with a batch.
        source: Where the batches come from.
        output_dir: Where checkpoints and event files are written; `None` for none.
        options: The arguments of the training.
        epochs: Which steps make an epoch.
        model: The model that is trained, if there is one.
        optimizer: Its optimizer, if that is known.
        global_step: A variable that the step raises; by default one is made, and raised after each step.
        initialize: Called where there is no checkpoint yet.
        services: Callbacks that are called before the user's.

    Returns:
        The loss of the last step, `None` if no step ran.
    """
    if output_dir is not None:
        check_callbacks(options.callbacks)
    manager: CheckpointManager | None = None
    with contextlib.ExitStack() as cleanup:
        cleanup.enter_context(v2_behavior())
        cleanup.enter_context(watched_calls(lambda: None))
        cleanup.callback(source.close)
        nan = TerminateOnNaN(
            options.fail_on_nan_loss,
            log_every_steps=options.log_every_steps,
            last_good_checkpoint=lambda: None if manager is None else manager.latest,
        )
        is_fatal = fatal_loss([nan, *options.callbacks])
        try:
            # What does not fit together is found here, before a file is written.
            made = traced(step, source.batch_spec(), is_fatal, global_step)
        except StopIteration:
            _LOGGER.info("The input has ended before the first step.")
            return None
        program = BatchProgram(step, made, source)
        global_step = made.global_step
        shown = VariablesModel(program.variables) if model is None else model
        program.values = NamedValues([*program.variables, *trained_variables(model, optimizer)], optimizer)
        users_callbacks = [_adapted(callback, epochs) for callback in options.callbacks]
        has_epochs = epochs.length is not None or epochs.repeats_input
        monitor_callbacks = [
            MonitorCallback(monitor, tell_epochs=has_epochs)
            for monitor in options.monitors
            if options.is_chief or getattr(monitor, "run_on_all_workers", False)
        ]
        observers: list[LoopCallback] = [nan, *services, *monitor_callbacks, *users_callbacks]
        if optimizer is not None and model is not None:
            observers.insert(0, FinalWeights(optimizer, program.global_step))
        shown.stop_training = False
        for observer in observers:
            observer.set_model(shown)

        position = source if options.save_input_state and output_dir is not None else None
        state: CheckpointState
        run: RunState | None = None
        if model is None:
            state = variables_state([*program.variables, global_step], position)
        else:
            run = RunState(epochs, program, [*services, *users_callbacks])
            observers.append(Reminder(run))
            state = model_state(model, global_step, optimizer, program.variables, run, position)

        if output_dir is not None:
            manager = cleanup.enter_context(opened_checkpoints(output_dir, options))
            manager.track(state)
        session = ValuesSession(program.values)
        newest = None if manager is None else manager.latest
        if manager is not None and newest is not None:
            _LOGGER.info("Restoring parameters from %s", newest)
            manager.restore(newest)
        elif initialize is not None:
            initialize(session)

        def begin_epochs() -> None:
            if model is None:  # of a model, the checkpoint tells
                epochs.go_to(program.global_step())

        def restore_newest() -> None:
            if manager is None or manager.restore_latest() is None:
                raise FileNotFoundError(f"There is no checkpoint in {output_dir} to go on from.")
            begin_epochs()
            if run is not None:
                run.remind()

        begin_epochs()
        start = program.global_step()
        until = options.until(start)
        if until is None:
            until = epochs.last_step(start)
        params = {"epochs": epochs.count_until(until), "steps": epochs.length, "verbose": options.verbose}
        for observer in observers:
            observer.set_params(params)
        for monitor_callback in monitor_callbacks:
            monitor_callback.set_session(session)
        if model is not None and optimizer is not None:
            cleanup.enter_context(_optimizer_of(model, optimizer))
        cleanup.enter_context(begun(monitor_callbacks, until))
        return run_training(
            program,
            math.inf if until is None else until,
            options,
            observers,
            epochs=epochs,
            manager=manager if options.is_chief else None,
            writer=get_summary_writer(output_dir) if output_dir is not None and options.is_chief else None,
            recover=None if manager is None else restore_newest,
            is_new=newest is None,
        )


def _adapted(callback: keras.callbacks.Callback, epochs: Epochs) -> LoopCallback:
    return callback if isinstance(callback, LoopCallback) else KerasAdapter(callback, epochs)


@contextlib.contextmanager
def _optimizer_of(model: keras.Model, optimizer: keras.optimizers.Optimizer) -> Iterator[None]:
    """Has callbacks find the optimizer where `compile` would have put it."""
    own = vars(model)  # past `__setattr__`, by which Keras would track it for good
    earlier = {"optimizer": own["optimizer"]} if "optimizer" in own else {}
    own["optimizer"] = optimizer
    try:
        yield
    finally:
        del own["optimizer"]
        own.update(earlier)
