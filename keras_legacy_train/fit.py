"""`fit`: the training loop around a compiled Keras model."""

from __future__ import annotations

import functools
import math
import numbers
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from keras_legacy_train import _keras, _tensorflow, arguments
from keras_legacy_train.callbacks import arguments as callback_arguments
from keras_legacy_train.callbacks.epoch_logger import EpochLogger
from keras_legacy_train.callbacks.validation import Validation
from keras_legacy_train.distributed.checks import (
    check_model,
    check_optimizer,
    check_same_order,
    replicas_of,
)
from keras_legacy_train.distributed.evaluation import ReplicaEvaluation
from keras_legacy_train.distributed.replicas import Replicas
from keras_legacy_train.graph import arguments as graph_arguments
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.progress import Epochs
from keras_legacy_train.programs.model_step import model_step
from keras_legacy_train.programs.source import DatasetSource
from keras_legacy_train.summaries import get_summary_writer
from keras_legacy_train.training.batches import BatchTraining, train_batches
from keras_legacy_train.training.options import TrainingOptions


def fit(
    model: keras.Model,
    x: Any = None,
    y: Any = None,
    *,
    batch_size: int | None = None,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
    shuffle: bool | str = True,
    validation_data: Any = None,
    validation_split: float = 0.0,
    validation_batch_size: int | None = None,
    validation_steps: int | None = None,
    validation_freq: int | Sequence[int] = 1,
    validation_every_steps: int | None = None,
    output_dir: str | os.PathLike[str] | None = None,
    steps: int | None = None,
    max_steps: int | None = None,
    epochs: int | None = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    monitors: Iterable[Any] | None = None,
    callbacks: Iterable[keras.callbacks.Callback] | None = None,
    save_secs: float | None = 600,
    save_steps: int | None = None,
    save_input_state: bool = False,
    save_summaries_steps: int | None = 100,
    keep_checkpoint_max: int | None = 5,
    log_every_steps: int | None = 10,
    fail_on_nan_loss: bool = True,
    max_window: int | None = None,
    verbose: int | str = "auto",
    strategy: tf.distribute.Strategy | None = None,
) -> keras.callbacks.History:
    """Trains a compiled Keras model by steps, and goes on where an earlier run in the directory stopped.

    It takes what `keras.Model.fit` takes, and computes what that computes: the losses, the weights, the calls
    of callbacks. Steps that nobody watches run many in one call; `steps_per_execution` of the model does not
    matter. Into `output_dir` go checkpoints and event files, and another call with the same `output_dir`
    resumes from the newest checkpoint: weights, optimizer, metrics, seed generators, the epoch, the history,
    and what callbacks such as `EarlyStopping` remember.

    ```python
    import numpy as np

    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x, y = np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])
    history = fit(model, x, y, output_dir=output_dir, max_steps=100, shuffle=False)
    assert history.history["loss"][-1] < history.history["loss"][0]
    ```

    Args:
        model: The model, compiled.
        x: Data as for `keras.Model.fit`: arrays, a `tf.data.Dataset`, a generator, a `keras.utils.PyDataset`.
        y: Targets, if `x` has none.
        batch_size: Samples in a batch of arrays; by default 32.
        sample_weight: A weight for each sample of arrays.
        class_weight: A dict from class indices to weights.
        shuffle: Whether arrays are shuffled anew in each epoch.
        validation_data: Data the model is evaluated on, in the forms of `keras.Model.fit`.
        validation_split: Fraction of arrays, from their end, that the model is evaluated on and not trained.
        validation_batch_size: Samples in a batch of an evaluation; by default `batch_size`.
        validation_steps: Batches in an evaluation; by default all.
        validation_freq: Epochs from one evaluation to the next, or the numbers of epochs, from 1.
        validation_every_steps: Steps from one evaluation to the next, in the place of epochs. The results are
            logged, and stand in the logs of the epoch in which they were found.
        output_dir: Where checkpoints and event files are written, created if missing. `None` for none.
        steps: How many steps to run, on top of those in the newest checkpoint.
        max_steps: The step at which training ends.
        epochs: The number of epochs at which training ends. Of `steps`, `max_steps` and `epochs` at most one
            can be given; with none of them there is one epoch.
        initial_epoch: The number of the first epoch, from 0, where nothing is resumed; a resumed run goes on
            in the epoch in which the last one stopped.
        steps_per_epoch: Steps in an epoch; by default one pass over the data.
        monitors: Monitors of `keras_legacy_train.monitors`, or one of them. They ask by name: for `"loss"`,
            that of the step; a metric, over the epoch so far; the path of a variable; `"learning_rate"`.
        callbacks: Keras callbacks, or one. One that overrides a batch hook sees every step.
        save_secs: Seconds from one checkpoint to the next; `None` for none by the clock. There is one at the
            start and one at the end in any case.
        save_steps: Steps from one checkpoint to the next; `None` for none by the count.
        save_input_state: Whether checkpoints hold the position in the data, so that a resumed run goes on
            with the next batch. If not, it begins the epoch's data anew. Data from a generator or a
            `PyDataset` cannot tell its position.
        save_summaries_steps: Steps from one summary to the next; `None` for none.
        keep_checkpoint_max: How many checkpoints are kept; `None` or 0 for all.
        log_every_steps: Steps from one `training step` line in the log to the next; `None` for none.
        fail_on_nan_loss: Whether a NaN loss is an error.
        max_window: Largest number of steps in one call; 1 lets the host see each step.
        verbose: 0 for silence, 1 for a progress bar, 2 for a line each epoch, `"auto"` for a progress bar if
            the standard error output is a terminal.
        strategy: The `tf.distribute.MirroredStrategy` or `tf.distribute.MultiWorkerMirroredStrategy` in
            whose scope the model was made and compiled; by default that is known from the model. A batch of
            the data is one for all replicas, and each trains on its rows of it. With several processes, each
            calls `fit` with the same arguments, the data among them.

    Returns:
        The `keras.callbacks.History`, with the epochs of earlier runs in the directory, too. If training
        stopped within an epoch, its logs so far are the last entry.

    Raises:
        ValueError, TypeError: An argument cannot be right, or the model is not compiled. Nothing has been
            touched.
        PermissionError: `output_dir` cannot be written to. No step has run.
        CheckpointMismatchError: The newest checkpoint does not fit the model. No step has run.
        DamagedCheckpointError: There are checkpoints, and none of them can be read.
        DirectoryInUseError: Another process trains in `output_dir`. No step has run.
        NanLossDuringTrainingError: The loss is NaN. The newest checkpoint is still a good one.
        KeyboardInterrupt, SystemExit: Ctrl-C or SIGTERM came. A checkpoint has been written.
    """
    graph_arguments.check_not_tf_keras("model", model)
    if not isinstance(model, keras.Model):
        raise TypeError(f"model must be a keras.Model; it is {model!r}.")
    _keras.check_compiled(model)
    if type(model).make_train_function is not keras.Model.make_train_function:
        raise ValueError(
            f"model: {type(model).__name__} overrides make_train_function, which runs steps in a way of its"
            " own. Override train_step instead."
        )
    given = {"steps": steps, "max_steps": max_steps, "epochs": epochs}
    together = [name for name, value in given.items() if value is not None]
    if len(together) > 1:
        raise ValueError(f"Can not provide both {together[0]} and {together[1]}.")
    if verbose not in (0, 1, 2, "auto"):
        raise ValueError(f"verbose must be 0, 1, 2 or 'auto'; it is {verbose!r}.")
    if validation_every_steps is not None and validation_data is None and not validation_split:
        raise ValueError("validation_every_steps: there is no validation_data and no validation_split.")
    _check_data(x, class_weight, shuffle, validation_split)
    directory = None if output_dir is None else arguments.as_output_dir(output_dir)
    steps_per_epoch = _limited(
        "steps_per_epoch", arguments.as_optional_positive("steps_per_epoch", steps_per_epoch)
    )
    options = TrainingOptions.checked(
        monitors=monitors,
        callbacks=callbacks,
        steps=steps,
        max_steps=max_steps,
        steps_per_epoch=steps_per_epoch,
        log_every_steps=log_every_steps,
        save_secs=save_secs,
        save_steps=save_steps,
        save_summaries_steps=save_summaries_steps,
        keep_checkpoint_max=keep_checkpoint_max,
        save_input_state=save_input_state,
        fail_on_nan_loss=fail_on_nan_loss,
        max_window=max_window,
        progress_bar=None if verbose == "auto" else verbose == 1,
        verbose=1 if verbose == "auto" else int(verbose),
    )
    first_epoch = arguments.as_count("initial_epoch", initial_epoch)
    number = _limited("epochs", arguments.as_steps("epochs", epochs) if together else 1)
    callback_arguments.check_no_hooks(options.monitors)
    every_steps = arguments.as_optional_positive("validation_every_steps", validation_every_steps)
    every_epochs = _as_frequency(validation_freq)
    batch_size = arguments.as_optional_positive("batch_size", batch_size)
    validation_batch_size = arguments.as_optional_positive("validation_batch_size", validation_batch_size)
    validation_steps = arguments.as_optional_positive("validation_steps", validation_steps)

    with _tensorflow.eager_mode():
        replicas = replicas_of(strategy, model)
        check_optimizer(replicas, model.optimizer)
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = _keras.split_validation(
                (x, y, sample_weight), validation_split
            )
        adapter = _keras.data_adapter(
            x,
            y=y,
            sample_weight=sample_weight,
            batch_size=batch_size,
            steps_per_epoch=options.steps_per_epoch,
            shuffle=shuffle,
            class_weight=class_weight,
        )
        check_same_order(replicas, _keras.shuffles(adapter))
        dataset = adapter.get_tf_dataset()
        # Replicas cannot make variables, and a step that is run as Python code makes them too late for a
        # checkpoint.
        if replicas.count > 1 or (model.run_eagerly and directory is not None):
            _keras.build(model, dataset.element_spec)
        check_model(replicas, model)
        is_counted = steps_per_epoch is None and adapter.num_batches is not None
        source = DatasetSource(
            dataset,
            continues=steps_per_epoch is not None or dataset.cardinality() == tf.data.INFINITE_CARDINALITY,
            length=adapter.num_batches,
            unread_iterators=_keras.unread_iterators(adapter) if is_counted else 0,
            on_begin=adapter.on_epoch_begin,
            on_end=adapter.on_epoch_end,
        )
        schedule = Epochs(
            options.steps_per_epoch or adapter.num_batches,
            count=math.inf if number is None else number,
            repeats_input=True,
        )
        services: list[LoopCallback] = []
        if validation_data is not None:
            writer = None if directory is None else get_summary_writer(directory)
            evaluation = _evaluation(
                model, replicas, validation_data, validation_batch_size or batch_size, validation_steps
            )
            evaluate = functools.partial(evaluation, options.callbacks)
            services.append(Validation(evaluate, every_epochs, every_steps, writer))
        if verbose == 2:
            services.append(EpochLogger())
        histories = [each for each in options.callbacks if isinstance(each, keras.callbacks.History)]
        model.history = histories[0] if histories else keras.callbacks.History()
        training = BatchTraining(
            model_step(model, replicas),
            source,
            schedule,
            model=model,
            optimizer=model.optimizer,
            services=services,
            initial_epoch=first_epoch,
        )
        all_callbacks = [*options.callbacks, *([] if histories else [model.history])]
        train_batches(training, directory, options.replace(callbacks=all_callbacks))
        return model.history


def _check_data(x: Any, class_weight: Any, shuffle: Any, validation_split: Any) -> None:
    """Checks what Keras would let pass, or report in words that help nobody."""
    if x is None:
        raise ValueError("x is missing: there is nothing to train on.")
    if class_weight is not None and not isinstance(class_weight, Mapping):
        raise ValueError(f"class_weight must be a dict from classes to weights; it is {class_weight!r}.")
    if shuffle not in (True, False, "batch"):
        raise ValueError(f"shuffle must be True, False or 'batch'; it is {shuffle!r}.")
    is_number = isinstance(validation_split, numbers.Real) and not isinstance(validation_split, bool)
    if not is_number or not 0 <= validation_split < 1:
        raise ValueError(f"validation_split must be 0 or more, and less than 1; it is {validation_split!r}.")


def _limited(name: Literal["epochs", "steps_per_epoch"], value: int | None) -> int | None:
    """Returns the value of an argument, or the limit that `keras.config` sets to it if that is less.

    Keras has such limits since 3.12.
    """
    limit = getattr(keras.config, f"max_{name}", lambda: None)()
    if not limit or (value is not None and value <= limit):
        return value
    warnings.warn(f"Limiting {name} to {limit}", stacklevel=3)
    return int(limit)


def _as_frequency(validation_freq: Any) -> int | list[int]:
    if isinstance(validation_freq, Sequence) and not isinstance(validation_freq, str):
        return [arguments.as_positive("validation_freq", epoch) for epoch in validation_freq]
    return arguments.as_positive("validation_freq", validation_freq)


def _evaluation(
    model: keras.Model, replicas: Replicas, data: Any, batch_size: int | None, steps: int | None
) -> _keras.Evaluation | ReplicaEvaluation:
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
    given = {"y": y, "sample_weight": sample_weight, "batch_size": batch_size, "steps_per_epoch": steps}
    try:
        if replicas.count > 1:
            return ReplicaEvaluation(model, replicas, x, **given)
        return _keras.Evaluation(model, x, **given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"validation_data: {error}") from error
