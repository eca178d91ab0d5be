"""Collects the private Keras names this package needs, each with the reason why no public one does.

No other module imports `keras.src` or touches an underscored name of a Keras object.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.backend.tensorflow import trainer as _trainer

# The class of every Keras variable on TensorFlow; before Keras 3.6, `keras.Variable` is a subclass of it.
from keras.src.backend.tensorflow.core import Variable
from keras.src.trainers.data_adapters import array_slicing as _array_slicing
from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter as _ArrayDataAdapter
from keras.src.trainers.epoch_iterator import EpochIterator as _EpochIterator

from keras_legacy_train import _backend

__all__ = ["Variable"]

_backend.check()


def data_adapter(x: Any, **arguments: Any) -> Any:
    """Makes the adapter that turns whatever `keras.Model.fit` accepts as data into a dataset of batches.

    In public only `keras.Model.fit` makes one.

    Args:
        x: The data.
        **arguments: `y`, `sample_weight`, `batch_size`, `steps_per_epoch`, `shuffle`, `class_weight`.

    Raises:
        ValueError, TypeError: Keras does not accept the data.
    """
    iterator = _EpochIterator(x, **arguments)
    if hasattr(iterator, "reset"):  # from Keras 3.6 on; calls `on_epoch_end` of a PyDataset, as `fit` does
        iterator.reset()
    return iterator.data_adapter


def shuffles(adapter: Any) -> bool:
    """Returns whether an adapter draws another order of its arrays for each epoch."""
    return isinstance(adapter, _ArrayDataAdapter) and bool(adapter._shuffle)


class _Counted:
    """Counts its iterators; it is an empty dataset."""

    def __init__(self) -> None:
        self.iterators = 0

    def __iter__(self) -> Iterator[Any]:
        self.iterators += 1
        return iter(())


def unread_iterators(adapter: Any) -> int:
    """Returns how many iterators `model.fit` makes of a dataset of known length after each epoch, unread.

    A dataset that shuffles draws another order for each. Those of arrays do not tell, and are left out: to
    make one takes as long as a short epoch.
    """
    return 0 if isinstance(adapter, _ArrayDataAdapter) else _unread_iterators()


@functools.cache
def _unread_iterators() -> int:
    """Counts the iterators; versions of Keras differ."""
    epoch = _trainer.TFEpochIterator(x=np.zeros([1, 1]), distribute_strategy=tf.distribute.get_strategy())
    epoch._distributed_dataset = counted = _Counted()
    for _ in epoch if hasattr(epoch, "reset") else epoch.enumerate_epoch():
        pass
    return counted.iterators - 1


def split_validation(arrays: Any, fraction: float) -> tuple[Any, Any]:
    """Splits the last rows off arrays, as `model.fit(validation_split=)` does.

    Args:
        arrays: Any structure of arrays.
        fraction: Part of the rows to split off, between 0 and 1.

    Returns:
        The arrays without these rows, and these rows.

    Raises:
        ValueError: The arrays cannot be split.
    """
    trained, held_out = _array_slicing.train_validation_split(arrays, validation_split=fraction)
    return trained, held_out


def check_compiled(model: keras.Model) -> None:
    """Raises ValueError as `model.fit` does if the model has not been compiled."""
    model._assert_compile_called("fit")


def build(model: keras.Model, batch: Any) -> None:
    """Makes the variables of a model, its metrics and its optimizer, as `model.fit` does under a strategy.

    Args:
        model: The model, compiled.
        batch: The specification of a batch.

    Raises:
        ValueError: The model is not built, and its `call` cannot be traced.
    """
    try:
        with model.distribute_strategy.scope():
            model._symbolic_build(data_batch=without_optionals(batch))
    except RuntimeError as error:
        raise ValueError(
            f"model: {model.name!r} is not built, and its call cannot be traced. Call model.evaluate on a"
            " batch before, which makes the variables."
        ) from error


class Evaluation:
    """Evaluates a model on the same data again and again, as `model.fit` does at the end of epochs.

    `model.evaluate` prepares the data anew each time, and batches of a generator get lost.

    Args:
        model: The model, compiled.
        x: The data.
        **arguments: `y`, `sample_weight`, `batch_size`, `steps_per_epoch`.
    """

    def __init__(self, model: keras.Model, x: Any, **arguments: Any):
        self._model = model
        self._iterator = _trainer.TFEpochIterator(
            x=x,
            shuffle=False,
            distribute_strategy=model.distribute_strategy,
            steps_per_execution=model.steps_per_execution,
            **arguments,
        )

    def __call__(self, callbacks: Iterable[keras.callbacks.Callback]) -> dict[str, float]:
        """Returns the results by name. Calls `on_test_*` of the callbacks, which know the model."""
        self._model._eval_epoch_iterator = self._iterator
        try:
            results: dict[str, float] = self._model.evaluate(
                callbacks=keras.callbacks.CallbackList(list(callbacks)),
                return_dict=True,
                verbose=0,
                _use_cached_eval_dataset=True,
            )
            return results
        finally:
            del self._model._eval_epoch_iterator


def train_function(model: keras.Model) -> Any:
    """Returns the function that `model.fit` would call for each step.

    It is another one after each call of `compile`, and of `make_train_function(force=True)`.
    """
    model.make_train_function()
    return model.train_function


# Whether Keras adds up losses and metrics over replicas, as it does since 3.10. Earlier versions add up means
# as if they were sums.
ADDS_UP_OVER_REPLICAS = "synchronization" in inspect.signature(Variable.__init__).parameters


def strategy_of(model: keras.Model) -> tf.distribute.Strategy | None:
    """Returns the strategy in whose scope a model was made, `None` for none.

    `model.distribute_strategy` is then the one in whose scope it is asked for.
    """
    strategy: tf.distribute.Strategy | None = model._distribute_strategy
    return strategy


@contextlib.contextmanager
def weighted_gradients(optimizer: keras.optimizers.Optimizer | None) -> Iterator[Callable[[Any], None]]:
    """Has each replica multiply by a weight of its own what its gradients are computed of.

    That is what `optimizer.scale_loss` returns. The method is shadowed in the instance's `__dict__`, since
    Keras's `__setattr__` would track it.

    Yields:
        A function that a replica, which is traced in a thread of its own, calls with its weight.
    """
    weights = threading.local()

    def weigh(weight: Any) -> None:
        weights.value = weight

    if not isinstance(optimizer, keras.optimizers.Optimizer):  # none, or one that is a graph's own
        yield weigh
        return
    scale_loss = optimizer.scale_loss

    def weighted(loss: tf.Tensor) -> tf.Tensor:
        weight = getattr(weights, "value", 1.0)
        is_one = isinstance(weight, float) and weight == 1.0
        return scale_loss(loss if is_one else loss * tf.cast(weight, loss.dtype))

    own = vars(optimizer)
    earlier = {"scale_loss": own["scale_loss"]} if "scale_loss" in own else {}
    own["scale_loss"] = weighted
    try:
        yield weigh
    finally:
        del own["scale_loss"]
        own.update(earlier)


def takes_means(loss: Any) -> bool:
    """Tells whether every loss that a model is compiled with is a mean over the rows, and not a sum."""
    losses = [each for each in keras.tree.flatten(loss) if isinstance(each, keras.losses.Loss)]
    return all(each.reduction not in ("sum", "none", None) for each in losses)


def epoch_logs(model: keras.Model, last_logs: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the logs that `model.fit` gives to `on_epoch_end`.

    They are the metrics' results, unless a `train_step` of the user's own returns something else.
    """
    return dict(model._get_metrics_result_or_logs(last_logs))


# The attributes that callbacks count in, beside their public ones; a resumed callback must know them.
CALLBACK_COUNTERS: dict[type, tuple[str, ...]] = {
    keras.callbacks.ModelCheckpoint: ("_batches_seen_since_last_saving", "_last_batch_seen"),
    keras.callbacks.TensorBoard: ("_global_train_batch", "_global_test_batch"),
}


def resolve_monitor_mode(callback: keras.callbacks.Callback) -> None:
    """Has a callback that watches a metric find out whether less or more of it is better.

    Keras does so at the end of the first epoch, and then `EarlyStopping` of Keras 3.5 forgets its best value.
    """
    if getattr(callback, "monitor_op", callback) is None:
        callback._set_monitor_op()


def write_no_train_graph(callback: keras.callbacks.Callback) -> None:
    """Has a `keras.callbacks.TensorBoard` not write the graph of `model.train_function`.

    It is not what runs a step, so it has no graph, and Keras 3.5 would fail. Newer versions do not write it.
    """
    if isinstance(callback, keras.callbacks.TensorBoard):
        callback._should_write_train_graph = False


def initial_epoch(model: keras.Model) -> int:
    """Returns the epoch that `keras.callbacks.BackupAndRestore` has a training begin with.

    No public attribute tells it.
    """
    return model._initial_epoch or 0


@contextlib.contextmanager
def recorded_losses(model: keras.Model) -> Iterator[Callable[[], list[tf.Tensor]]]:
    """Records what `compute_loss` of a model returns: `train_step` reports running means only.

    The method is shadowed in the instance's `__dict__`, since Keras's `__setattr__` would track it.

    Yields:
        A function that returns the losses of the calls so far. Each replica is traced in a thread of its own,
        and gets its own losses.
    """
    losses: dict[int, list[tf.Tensor]] = collections.defaultdict(list)
    compute_loss = model.compute_loss

    def recording(*args: Any, **kwargs: Any) -> tf.Tensor:
        loss = compute_loss(*args, **kwargs)
        losses[threading.get_ident()].append(loss)
        return loss

    own = vars(model)
    earlier = own.get("compute_loss")
    own["compute_loss"] = recording
    try:
        yield lambda: losses[threading.get_ident()]
    finally:
        if earlier is None:
            del own["compute_loss"]
        else:
            own["compute_loss"] = earlier


def without_optionals(batch: Any) -> Any:
    """Returns a batch, or its specification, with `None` in the place of each empty `Optional`.

    An adapter wraps what is missing in a batch, such as sample weights, as an empty `Optional`.
    """
    optional = (tf.experimental.Optional, tf.OptionalSpec)
    return keras.tree.map_structure(lambda each: None if isinstance(each, optional) else each, batch)


def learning_rate(optimizer: Any) -> Any:
    """Returns the learning rate that a Keras optimizer was given: a variable, a schedule or a function.

    In public there is only its value.
    """
    return optimizer._learning_rate
