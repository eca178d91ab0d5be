"""Trains a Keras model, or functions over variables, in the place of a graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import _keras, arguments
from keras_legacy_train import monitors as monitors_lib
from keras_legacy_train.callbacks.arguments import check_no_hooks
from keras_legacy_train.distributed.checks import check_optimizer, check_variables, replicas_of
from keras_legacy_train.distributed.replicas import Replicas
from keras_legacy_train.loop.progress import Epochs
from keras_legacy_train.programs.function_step import FunctionStep, OptimizerStep
from keras_legacy_train.programs.source import DatasetSource, FunctionSource, NoSource, Source
from keras_legacy_train.programs.traced_step import BatchStep
from keras_legacy_train.programs.values_session import ValuesSession
from keras_legacy_train.training.batches import BatchTraining, train_batches
from keras_legacy_train.training.options import TrainingOptions


@dataclasses.dataclass(frozen=True)
class FunctionTraining:
    """Says what is trained without a graph; `train` documents the arguments, which are not checked yet."""

    model: keras.Model | None
    train_op: Any
    loss_op: Any
    global_step_tensor: Any = None
    init_op: Any = None
    init_feed_dict: Mapping[Any, Any] | None = None
    init_fn: Callable[[ValuesSession], Any] | None = None
    feed_fn: Any = None
    strategy: Any = None


def train_functions(training: FunctionTraining, output_dir: str, options: TrainingOptions) -> Any:
    """Trains a Keras model, or functions over variables, by the arguments of `train`.

    Raises:
        ValueError: An argument cannot be right.
    """
    if training.init_feed_dict is not None:
        raise ValueError(
            "init_feed_dict: there is no graph with placeholders to feed; init_op is a function."
        )
    check_no_hooks(options.monitors)
    arguments.check_callable("init_op", training.init_op)
    if options.jit_compile == "auto":
        raise ValueError("jit_compile='auto' is for graphs. For a model or functions, pass True or False.")
    source = _source(training.feed_fn)
    replicas = replicas_of(training.strategy, training.model)
    workers = replicas.workers
    if workers.count > 1 and workers.is_chief != options.is_chief:
        raise ValueError(
            f"supervisor_is_chief={options.is_chief}, but in the strategy's cluster this process is"
            f" {'the' if workers.is_chief else 'not the'} chief. Pass"
            " supervisor_is_chief=keras_legacy_train.cluster.this_task().is_chief."
        )
    step = _step(training, not isinstance(source, NoSource), bool(options.jit_compile), replicas)
    monitors = options.monitors or monitors_lib.get_default_monitors(loss_op="loss")

    def initialize(session: ValuesSession) -> None:
        if training.init_op is not None:
            training.init_op()
        if training.init_fn is not None:
            training.init_fn(session)

    optimizer = training.train_op if isinstance(training.train_op, keras.optimizers.Optimizer) else None
    batches = BatchTraining(
        step,
        source,
        Epochs(options.steps_per_epoch),
        model=training.model,
        optimizer=optimizer,
        global_step=_global_step(training.global_step_tensor),
        initialize=initialize,
    )
    return train_batches(batches, output_dir, options.replace(monitors=monitors))


def _source(feed_fn: Any) -> Source:
    if feed_fn is None:
        return NoSource()
    if isinstance(feed_fn, tf.data.Dataset):
        if not hasattr(tf.data.experimental.to_variant(feed_fn), "numpy"):
            raise ValueError(
                f"feed_fn: {feed_fn} is part of a graph. It was made with eager execution off, as"
                " tf.compat.v1.disable_v2_behavior() leaves it; make it before that call."
            )
        return DatasetSource(feed_fn, continues=True)
    if not callable(feed_fn):
        raise ValueError(f"feed_fn must be a function or a tf.data.Dataset; it is {feed_fn!r}.")
    return FunctionSource(feed_fn)


def _step(training: FunctionTraining, takes_batch: bool, jit_compile: bool, replicas: Replicas) -> BatchStep:
    model, train_op, loss_op = training.model, training.train_op, training.loss_op
    if train_op is None:
        raise ValueError("Missing train_op.")
    if loss_op is None:
        raise ValueError("Missing loss_op.")
    if isinstance(train_op, keras.optimizers.Optimizer):
        if model is None:
            raise ValueError(
                "train_op: a Keras optimizer needs a model, in the place of the graph. For plain variables,"
                " pass a function that applies the gradients."
            )
        if not takes_batch:
            raise ValueError("feed_fn is missing: a Keras optimizer trains the model on batches (x, y).")
        _check_loss(loss_op)
        _build(model, train_op, replicas)
        return OptimizerStep(model, train_op, loss_op, jit_compile, replicas)
    if not callable(train_op) or isinstance(train_op, type):
        raise ValueError(
            "train_op must be a Keras optimizer or a function where graph is a model or None; it is"
            f" {train_op!r}."
        )
    if not isinstance(loss_op, str) and not callable(loss_op):
        raise ValueError(
            f"loss_op must be a function, or the key of the loss in what train_op returns; it is {loss_op!r}."
        )
    return FunctionStep(train_op, loss_op, takes_batch, jit_compile, replicas)


def _build(model: keras.Model, optimizer: keras.optimizers.Optimizer, replicas: Replicas) -> None:
    """Makes the optimizer's variables, since replicas cannot, and checks all that are to be kept equal."""
    if replicas.count == 1:
        return
    if not model.built:
        raise ValueError(
            f"graph: the model {model.name!r} has no variables yet. Call it on a batch within"
            " `with strategy.scope():`, or begin it with a keras.Input."
        )
    check_variables(replicas, model.variables, "graph")
    check_optimizer(replicas, optimizer)
    with replicas.strategy.scope():
        optimizer.build(model.trainable_variables)


def _check_loss(loss: Any) -> None:
    """Checks that a model can be compiled with a loss, or with several for several outputs.

    Raises:
        ValueError: It cannot.
    """
    if isinstance(loss, Mapping):
        loss = list(loss.values())
    if isinstance(loss, (list, tuple)) and not loss:
        raise ValueError("loss_op must be a Keras loss; it is empty.")
    for each in loss if isinstance(loss, (list, tuple)) else [loss]:
        if isinstance(each, str):
            try:
                keras.losses.get(each)
            except ValueError as error:
                raise ValueError(f"loss_op: there is no Keras loss {each!r}.") from error
        elif not callable(each):
            raise ValueError(
                "loss_op must be a Keras loss, its name or a function of y and the model's output; it is"
                f" {loss!r}."
            )


def _global_step(global_step_tensor: Any) -> tf.Variable | None:
    if global_step_tensor is None:
        return None
    is_keras = isinstance(global_step_tensor, _keras.Variable)
    variable = global_step_tensor.value if is_keras else global_step_tensor
    if not isinstance(variable, tf.Variable) or not variable.dtype.is_integer or variable.shape.rank != 0:
        raise ValueError(
            "global_step_tensor must be an integer tf.Variable of one number that train_op raises; it is"
            f" {global_step_tensor!r}."
        )
    return variable
