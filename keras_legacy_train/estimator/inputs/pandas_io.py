"""Makes input functions of pandas tables."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.estimator.inputs.rows import Reading, read


def pandas_input_fn(
    x: Any,
    y: Any = None,
    batch_size: int = 128,
    num_epochs: int | None = 1,
    shuffle: bool | None = None,
    queue_capacity: int | None = 1000,
    num_threads: int = 1,
    target_column: str = "target",
) -> Callable[[], Any]:
    """Makes an input function of a pandas table; stands for `tf.compat.v1.estimator.inputs.pandas_input_fn`.

    Args:
        x: A `DataFrame`, whose columns are the features. It is copied.
        y: The labels: a `Series`, or a `DataFrame` of several; `None` for none. It has the index of `x`.
        batch_size: See `numpy_input_fn`, as for all that follow but the last.
        num_epochs: How often the rows are read; `None` for endlessly.
        shuffle: Whether each epoch has an order of its own. It must be given.
        queue_capacity: How many rows are shuffled at once, if that is more than 100,000.
        num_threads: How many threads would read the rows `num_epochs` times each.
        target_column: A name for the labels in error messages, which `x` must not have.

    Returns:
        A function without arguments. It returns a dict of features, or a pair of these and the labels: a
        tensor, or a dict of tensors. Under eager execution it returns a dataset of these.

    Raises:
        ValueError: `shuffle` is not given, a number is out of range, the indexes differ, or `x` has a column
            of the name `target_column`. When the function is called: a column holds neither numbers nor
            strings, or there are no rows.
        TypeError: `target_column` is not a string, or pandas is not installed.
    """
    reading = Reading.checked(batch_size, num_epochs, shuffle, queue_capacity, num_threads)
    if not isinstance(target_column, str):
        raise TypeError("target_column must be a string type")
    pandas = sys.modules.get("pandas")  # whoever has a table has imported it
    if pandas is None:
        raise TypeError(
            f"x must be a pandas DataFrame; it is {type(x).__name__}. pandas_input_fn should not be called"
            " without pandas installed."
        )
    if not isinstance(x, pandas.DataFrame):
        raise TypeError(f"x must be a pandas DataFrame; it is {type(x).__name__}.")
    if y is not None:
        if target_column in x:
            raise ValueError(
                f"Cannot use name {target_column} for target column: DataFrame already has a column with"
                f" that name: {x.columns}"
            )
        if not np.array_equal(x.index, y.index):
            raise ValueError(
                f"Index for x and y are mismatched.\nIndex for x: {x.index}\nIndex for y: {y.index}\n"
            )
    many_labels = isinstance(y, pandas.DataFrame)
    # Pairs of whether it is a label, and the name.
    columns = {(False, name): x[name].to_numpy(copy=True) for name in x}
    if many_labels:
        columns.update({(True, name): y[name].to_numpy(copy=True) for name in y})
    elif y is not None:
        columns[True, target_column] = y.to_numpy(copy=True)

    def structure(batch: dict[Any, tf.Tensor]) -> Any:
        features = {name: tensor for (is_label, name), tensor in batch.items() if not is_label}
        if y is None:
            return features
        labels = {name: tensor for (is_label, name), tensor in batch.items() if is_label}
        return features, labels if many_labels else labels[target_column]

    return lambda: read(columns, reading, structure)
