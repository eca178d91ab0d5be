"""Refuses strategies, models and optimizers that would train wrongly, or fail in words that help nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import _keras, _tensorflow
from keras_legacy_train.distributed.replicas import Replicas

_LOGGER = logging.getLogger("keras_legacy_train")

_SUPPORTED = (
    tf.distribute.MirroredStrategy,
    tf.distribute.MultiWorkerMirroredStrategy,
    tf.distribute.OneDeviceStrategy,
    tf.compat.v1.distribute.MirroredStrategy,
    tf.compat.v1.distribute.OneDeviceStrategy,
)
_NAMES_SHOWN = 5


def replicas_of(strategy: Any, model: keras.Model | None) -> Replicas:
    """Returns the replicas that a model, or functions, are trained on.

    Args:
        strategy: The argument of that name; `None` for the strategy in whose scope the model was made.
        model: The model, `None` for functions.

    Raises:
        ValueError: There can be no training by the strategy, or the model belongs to another one.
    """
    own = None if model is None else _keras.strategy_of(model)
    if strategy is None and own is None:
        return Replicas()
    _check_kind(own if strategy is None else strategy)
    replicas = Replicas(own if strategy is None else strategy)
    if model is not None and own is not replicas.strategy:
        raise ValueError(
            f"model: {model.name!r} was not made in the strategy's scope. Make the strategy first, and then"
            " the model and its optimizer within `with strategy.scope():`."
        )
    if replicas.count > 1 and model is not None and not _keras.ADDS_UP_OVER_REPLICAS:
        raise ValueError(
            f"strategy: Keras {keras.version()} adds up losses and metrics wrongly over replicas. Use Keras"
            " 3.10 or a newer one."
        )
    if replicas.count > 1 and tf.distribute.has_strategy():
        raise ValueError(
            "strategy: this was called within a strategy's scope(). Make the model and its optimizer there,"
            " and train outside of it."
        )
    return replicas


def check_variables(replicas: Replicas, variables: Iterable[Any], what: str) -> None:
    """Checks that every replica has its copy of variables.

    Args:
        replicas: The replicas.
        variables: Variables of TensorFlow or Keras.
        what: Where they come from, in the words of the message.

    Raises:
        ValueError: Some were not made in the strategy's scope.
    """
    if replicas.count == 1:
        return
    is_own = replicas.strategy.extended.variable_created_in_scope
    values = [each.value if isinstance(each, _keras.Variable) else each for each in variables]
    names = sorted({value.name.partition(":")[0] for value in values if not is_own(value)})
    if names:
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        raise ValueError(
            f"{what}: {', '.join(names[:_NAMES_SHOWN])}{more} were not made in the strategy's scope, so the"
            " replicas would not be kept equal. Make the model, its optimizer and its metrics, and call"
            " compile(), within `with strategy.scope():`."
        )


def check_optimizer(replicas: Replicas, optimizer: keras.optimizers.Optimizer | None) -> None:
    """Checks that an optimizer works on several replicas; warns where it does not do what it does on one.

    Raises:
        ValueError: It does not work.
    """
    if replicas.count == 1 or optimizer is None:
        return
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner.gradient_accumulation_steps:
        raise ValueError(
            f"gradient_accumulation_steps={inner.gradient_accumulation_steps} of the optimizer does not work"
            f" on several replicas. Leave it out; {replicas.count} replicas take larger batches."
        )
    check_variables(replicas, optimizer.variables, "optimizer")
    clips = [name for name in ("clipnorm", "global_clipnorm", "clipvalue") if getattr(inner, name, None)]
    if clips:
        _LOGGER.warning(
            "%s of the optimizer clips the gradients of each of the %d replicas before they are summed up,"
            " not those of the whole batch. On one replica the result is another one.",
            " and ".join(clips),
            replicas.count,
        )


def check_model(replicas: Replicas, model: keras.Model) -> None:
    """Checks that a compiled model that is built can be trained on several replicas.

    Raises:
        ValueError: It cannot.
    """
    if replicas.workers.count > 1 and model.run_eagerly:
        raise ValueError("model: compile(run_eagerly=True) does not work with several workers. Leave it out.")
    check_variables(replicas, [*model.variables, *model.metrics_variables], "model")


def check_same_order(replicas: Replicas, is_shuffled: bool) -> None:
    """Checks that all processes draw the same order of the data.

    Args:
        replicas: The replicas.
        is_shuffled: Whether an order is drawn.

    Raises:
        ValueError: They would draw different ones.
    """
    if replicas.workers.count == 1 or not is_shuffled:
        return
    seed = _tensorflow.global_seed()
    seeds = set(replicas.workers.gather(-1 if seed is None else seed)[:, 0])
    if len(seeds) > 1 or -1 in seeds:
        raise ValueError(
            "shuffle=True: the workers would draw different orders, and not train on the same batches. Call"
            " keras.utils.set_random_seed(n) with the same n in each, or pass shuffle=False."
        )


def _check_kind(strategy: Any) -> None:
    if isinstance(strategy, tf.distribute.experimental.ParameterServerStrategy):
        raise ValueError(
            "strategy: a ParameterServerStrategy cannot train a Keras model or functions here. For parameter"
            " servers, build a graph and call train(graph, ..., cluster=...), where each worker runs the"
            " program; for a model, use tf.distribute.MultiWorkerMirroredStrategy."
        )
    if not isinstance(strategy, _SUPPORTED):
        given = type(strategy).__name__ if isinstance(strategy, tf.distribute.Strategy) else repr(strategy)
        raise ValueError(
            "strategy must be a MirroredStrategy, MultiWorkerMirroredStrategy or OneDeviceStrategy of"
            f" tf.distribute; it is {given}."
        )
