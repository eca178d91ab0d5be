"""Makes input functions of NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.estimator.inputs.rows import Reading, read

# The columns of what has no names.
_ONLY_FEATURE = ("x",)
_ONLY_LABEL = ("y",)


def numpy_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int | None = 1000,
    num_threads: int = 1,
) -> Callable[[], Any]:
    """Makes an input function of NumPy arrays; stands for `tf.compat.v1.estimator.inputs.numpy_input_fn`.

    The rows are read by a `tf.data` iterator, without the threads and queues that TensorFlow 1 used. Rows in
    order are the same as there. Shuffled ones come in another order: 100,000 rows are shuffled at once, or
    `queue_capacity` if that is more. A graph-level random seed makes the order repeatable.

    ```python
    import numpy as np

    age, height = np.arange(4) * 1.0, np.arange(32, 36)
    input_fn = numpy_input_fn({"age": age, "height": height}, y=age > 1, batch_size=2, shuffle=False)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        features, labels = session.run(input_fn())
    assert list(features["height"]) == [32, 33]
    ```

    Args:
        x: An array, or a dict of arrays by the names of features. The first dimension is that of the rows.
        y: The labels in the same form; `None` for none.
        batch_size: How many rows the function returns at once. The last batch may have fewer.
        num_epochs: How often the rows are read; `None` for endlessly. Batches go over the ends of epochs.
        shuffle: Whether each epoch has an order of its own. It must be given.
        queue_capacity: How many rows are shuffled at once, if that is more than 100,000.
        num_threads: As in TensorFlow 1, each thread reads all epochs: the rows are read `num_threads` times
            as often as `num_epochs` says.

    Returns:
        A function without arguments. It returns the features in the form of `x`, or a pair of features and
        labels. Under eager execution it returns a dataset of these.

    Raises:
        ValueError: `shuffle` is not given, or a number is out of range. When the function is called: arrays
            are empty, of different lengths, or hold neither numbers nor strings, or a name is in `x` and `y`.
        TypeError: When the function is called: `x` or `y` is neither an array nor a dict of arrays.
    """
    reading = Reading.checked(batch_size, num_epochs, shuffle, queue_capacity, num_threads)

    def input_fn() -> Any:
        features = _columns("x", x, _ONLY_FEATURE)
        labels = {} if y is None else _columns("y", y, _ONLY_LABEL)
        duplicates = features.keys() & labels.keys()
        if duplicates:
            raise ValueError(f"{len(duplicates)} duplicate keys are found in both x and y: {duplicates}")
        columns = {**features, **labels}
        if len({array.shape[0] for array in columns.values()}) != 1:
            raise ValueError(
                "Length of tensors in x and y is mismatched. All elements in x and y must have the same"
                f" length.\nShapes in x: {_shapes(features)}\nShapes in y: {_shapes(labels)}\n"
            )

        def structure(batch: dict[Any, tf.Tensor]) -> Any:
            batch_x = _like(x, batch, features)
            return batch_x if y is None else (batch_x, _like(y, batch, labels))

        return read(columns, reading, structure)

    return input_fn


def _columns(name: str, data: Any, only: Any) -> dict[Any, np.ndarray]:
    """Returns the arrays by name, in the order of their names."""
    if isinstance(data, dict):
        if not data:
            if name == "y":
                raise ValueError("y cannot be empty dict, use None instead.")
            raise ValueError("x cannot be an empty dict")
        columns = dict(sorted(data.items()))
    else:
        columns = {only: data}
    for key, array in columns.items():
        if not isinstance(array, np.ndarray):
            where = name if key == only else f"{name}[{key!r}]"
            raise TypeError(f"{where} must be a dict or array; got {type(array).__name__}")
        if array.ndim == 0 or array.size == 0:
            raise ValueError(f"{name} cannot be an empty array")
    return columns


def _like(data: Any, batch: dict[Any, tf.Tensor], columns: dict[Any, np.ndarray]) -> Any:
    """Returns a batch of the columns in the form of the data: a dict, or a single tensor."""
    tensors = {key: batch[key] for key in columns}
    return tensors if isinstance(data, dict) else next(iter(tensors.values()))


def _shapes(columns: dict[Any, np.ndarray]) -> Any:
    return {key: array.shape for key, array in columns.items()} or None
