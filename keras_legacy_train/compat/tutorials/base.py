"""Stands for `tf.contrib.learn.datasets.base`: files that are fetched once, and CSV files."""

from __future__ import annotations

import collections
import csv
import os
import shutil
import urllib.request
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["Dataset", "Datasets", "load_csv_with_header", "load_csv_without_header", "maybe_download"]

Dataset = collections.namedtuple("Dataset", ["data", "target"])
Datasets = collections.namedtuple("Datasets", ["train", "validation", "test"])


def maybe_download(filename: str, work_directory: str, source_url: str) -> str:
    """Returns the path of a file, which is fetched if it is not there.

    Stands for `tf.contrib.learn.datasets.base.maybe_download`.

    Args:
        filename: Name of the file.
        work_directory: Directory where it is, or is put.
        source_url: From where it is fetched.

    Raises:
        OSError: The file is not there, and cannot be fetched.
    """
    path = os.path.join(work_directory, filename)
    if not tf.io.gfile.exists(path):
        tf.io.gfile.makedirs(work_directory)
        partial = f"{path}.part"
        try:
            source = urllib.request.urlopen(source_url, timeout=60)
            with source, tf.io.gfile.GFile(partial, "wb") as target:
                shutil.copyfileobj(source, target)
        except OSError as error:
            raise OSError(
                f"{path} is not there, and {source_url} cannot be fetched: {error}. Put the file there."
            ) from error
        tf.io.gfile.rename(partial, path)
        print("Successfully downloaded", filename, tf.io.gfile.stat(path).length, "bytes.")
    return path


def load_csv_with_header(
    filename: str, target_dtype: Any, features_dtype: Any, target_column: int = -1
) -> Dataset:
    """Reads a CSV file whose first row has the number of rows and of features.

    Stands for `tf.contrib.learn.datasets.base.load_csv_with_header`.

    Args:
        filename: Path of the file.
        target_dtype: NumPy type of the targets.
        features_dtype: NumPy type of the features.
        target_column: Column of the targets.

    Returns:
        `Dataset` of `data`, of shape (rows, features), and `target`, of shape (rows,).

    Raises:
        ValueError: The file has other numbers of rows or features than it says.
    """
    with tf.io.gfile.GFile(filename) as file:
        header, *rows = csv.reader(file)
    dataset = _dataset(rows, target_dtype, features_dtype, target_column)
    expected = (int(header[0]), int(header[1]))
    if dataset.data.shape != expected:
        raise ValueError(f"{filename} says that it has {expected} numbers, but has {dataset.data.shape}.")
    return dataset


def load_csv_without_header(
    filename: str, target_dtype: Any, features_dtype: Any, target_column: int = -1
) -> Dataset:
    """Reads a CSV file that begins with the numbers.

    Stands for `tf.contrib.learn.datasets.base.load_csv_without_header`.

    Args:
        filename: Path of the file.
        target_dtype: NumPy type of the targets.
        features_dtype: NumPy type of the features.
        target_column: Column of the targets.

    Returns:
        `Dataset` of `data`, of shape (rows, features), and `target`, of shape (rows,).
    """
    with tf.io.gfile.GFile(filename) as file:
        return _dataset(list(csv.reader(file)), target_dtype, features_dtype, target_column)


def _dataset(rows: list[list[str]], target_dtype: Any, features_dtype: Any, target_column: int) -> Dataset:
    target = [row.pop(target_column) for row in rows]
    return Dataset(np.array(rows, dtype=features_dtype), np.array(target, dtype=target_dtype))
