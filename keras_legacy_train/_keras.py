"""The private Keras names this package needs, each with why no public one does.

No other module imports `keras.src` or touches an underscored name of a Keras object.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.tensorflow import trainer as _trainer

# What every Keras variable on TensorFlow is; before Keras 3.6, `keras.Variable` is only a subclass of it.
from keras.src.backend.tensorflow.core import Variable
from keras.src.trainers.data_adapters import array_slicing as _array_slicing
from keras.src.trainers.epoch_iterator import EpochIterator as _EpochIterator

__all__ = ["Variable"]


def data_adapter(x: Any, **arguments: Any) -> Any:
    """What turns whatever `keras.Model.fit` accepts as data into a dataset of batches.

    `fit` alone uses it publicly.

    Args:
        x: The data.
        **arguments: `y`, `sample_weight`, `batch_size`, `steps_per_epoch`, `shuffle`, `class_weight`.
    """
    return _EpochIterator(x, **arguments).data_adapter


def split(arrays: Any, fraction: float) -> tuple[Any, Any]:
    """The arrays without their last rows, and those rows, as `model.fit(validation_split=)` takes them."""
    return _array_slicing.train_validation_split(arrays, validation_split=fraction)


def check_compiled(model: keras.Model) -> None:
    """Raises ValueError as `model.fit` does if the model has not been compiled."""
    model._assert_compile_called("fit")


def reduce_over_replicas(outputs: Any, strategy: tf.distribute.Strategy) -> Any:
    """One tensor in the place of those of all replicas, as `model.fit` reports them."""
    return _trainer.reduce_per_replica(outputs, strategy, "auto")


def epoch_logs(model: keras.Model, last_logs: Mapping[str, Any]) -> dict[str, Any]:
    """The logs that `model.fit` gives to `on_epoch_end`.

    They are the metrics' results, unless a `train_step` of the user's own returns something else.
    """
    return dict(model._get_metrics_result_or_logs(last_logs))


def initial_epoch(model: keras.Model) -> int:
    """The epoch that `keras.callbacks.BackupAndRestore` has a training begin with; it tells nobody else."""
    return model._initial_epoch or 0


@contextlib.contextmanager
def recorded_losses(model: keras.Model) -> Iterator[list[tf.Tensor]]:
    """Lists what `compute_loss` of a model returns: `train_step` reports running means only.

    The method is shadowed on the instance, past `__setattr__`, by which Keras would track it.
    """
    losses: list[tf.Tensor] = []
    compute_loss = model.compute_loss

    def recording(*args: Any, **kwargs: Any) -> tf.Tensor:
        losses.append(compute_loss(*args, **kwargs))
        return losses[-1]

    own = vars(model)
    earlier = own.get("compute_loss")
    own["compute_loss"] = recording
    try:
        yield losses
    finally:
        if earlier is None:
            del own["compute_loss"]
        else:
            own["compute_loss"] = earlier


def without_optionals(batch: Any) -> Any:
    """The batch with `None` for what an adapter has wrapped as an empty `tf.experimental.Optional`."""
    return keras.tree.map_structure(
        lambda each: None if isinstance(each, tf.experimental.Optional) else each, batch
    )
