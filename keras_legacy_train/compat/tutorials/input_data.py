"""Stands for `tensorflow.examples.tutorials.mnist.input_data`: the digits of MNIST in batches."""

from __future__ import annotations

import gzip
import os
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_legacy_train.compat.tutorials.base import Datasets, maybe_download

__all__ = [
    "DEFAULT_SOURCE_URL",
    "DataSet",
    "dense_to_one_hot",
    "extract_images",
    "extract_labels",
    "load_mnist",
    "read_data_sets",
]

DEFAULT_SOURCE_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"


class _Fake(NamedTuple):
    """Says what a fake example is: one image for all, and one label."""

    image: list[int]
    label: Any


class DataSet:
    """Gives images with their labels in batches.

    Stands for `DataSet` of `tensorflow.examples.tutorials.mnist.input_data`. It sets and uses NumPy's global
    random generator, as that did: with the same seeds the batches are the same.

    Args:
        images: Array of `uint8`, of shape (examples, rows, columns, 1).
        labels: Array, of shape (examples,) or (examples, classes).
        fake_data: Whether all examples are the same one, made up.
        one_hot: Whether the label of a made-up example is a vector.
        dtype: `tf.uint8` for images from 0 to 255, `tf.float32` for 0 to 1.
        reshape: Whether an image is a row of pixels.
        seed: Seed of the order, that of the graph by default.

    Raises:
        TypeError: The type is another one.
        ValueError: There is not a label for each image.
    """

    def __init__(
        self,
        images: Any,
        labels: Any,
        fake_data: bool = False,
        one_hot: bool = False,
        dtype: Any = tf.float32,
        reshape: bool = True,
        seed: int | None = None,
    ):
        graph_seed, own_seed = tf.compat.v1.get_seed(seed)
        np.random.seed(graph_seed if seed is None else own_seed)
        dtype = tf.as_dtype(dtype).base_dtype
        if dtype not in (tf.uint8, tf.float32):
            raise TypeError(f"Images are tf.uint8 or tf.float32, not {dtype!r}.")
        self._fake: _Fake | None = None
        self._num_examples = 10000
        if fake_data:
            self._fake = _Fake([1] * 784, [1] + [0] * 9 if one_hot else 0)
        else:
            if len(images) != len(labels):
                raise ValueError(f"There are {len(images)} images, but {len(labels)} labels.")
            self._num_examples = len(images)
            if reshape:
                images = images.reshape(len(images), images.shape[1] * images.shape[2])
            if dtype == tf.float32:
                images = np.multiply(images.astype(np.float32), 1.0 / 255.0)
        self._images = images
        self._labels = labels
        self._epochs_completed = 0
        self._index_in_epoch = 0

    @property
    def images(self) -> Any:
        """All images, in the order of this epoch."""
        return self._images

    @property
    def labels(self) -> Any:
        """All labels, in the order of this epoch."""
        return self._labels

    @property
    def num_examples(self) -> int:
        """How many examples there are."""
        return self._num_examples

    @property
    def epochs_completed(self) -> int:
        """How often all examples were given."""
        return self._epochs_completed

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> tuple[Any, Any]:
        """Returns the next examples; at the end of an epoch, it goes on with those of the next one.

        Args:
            batch_size: How many.
            fake_data: Whether to return made-up examples.
            shuffle: Whether each epoch has an order of its own.

        Returns:
            The images and the labels.
        """
        if fake_data or self._fake:
            fake = self._fake or _Fake([1] * 784, 0)
            return [fake.image] * batch_size, [fake.label] * batch_size
        if self._epochs_completed == self._index_in_epoch == 0 and shuffle:
            self._shuffle()
        start, end = self._index_in_epoch, self._index_in_epoch + batch_size
        images, labels = self._images[start:end], self._labels[start:end]
        if end > self._num_examples:
            self._epochs_completed += 1
            if shuffle:
                self._shuffle()
            end -= self._num_examples
            images = np.concatenate([images, self._images[:end]])
            labels = np.concatenate([labels, self._labels[:end]])
        self._index_in_epoch = end
        return images, labels

    def _shuffle(self) -> None:
        order = np.arange(self._num_examples)
        np.random.shuffle(order)
        self._images = self._images[order]
        self._labels = self._labels[order]


def extract_images(f: Any) -> Any:
    """Reads the images of a file of MNIST.

    Stands for `extract_images` of `tensorflow.examples.tutorials.mnist.input_data`.

    Args:
        f: The compressed file, open for reading bytes.

    Returns:
        Array of `uint8`, of shape (images, rows, columns, 1).

    Raises:
        ValueError: The file is another one.
    """
    (count, rows, columns), pixels = _read_idx(f, 2051, "images", axes=3)
    return pixels.reshape(count, rows, columns, 1)


def extract_labels(f: Any, one_hot: bool = False, num_classes: int = 10) -> Any:
    """Reads the labels of a file of MNIST.

    Stands for `extract_labels` of `tensorflow.examples.tutorials.mnist.input_data`.

    Args:
        f: The compressed file, open for reading bytes.
        one_hot: Whether a label is a vector.
        num_classes: Its length.

    Returns:
        Array of shape (labels,), or (labels, classes).

    Raises:
        ValueError: The file is another one.
    """
    _, labels = _read_idx(f, 2049, "labels", axes=1)
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def dense_to_one_hot(labels_dense: Any, num_classes: int) -> Any:
    """Returns labels as vectors.

    Stands for `dense_to_one_hot` of `tensorflow.examples.tutorials.mnist.input_data`.

    Args:
        labels_dense: Array of classes, of shape (labels,).
        num_classes: How many classes there are.

    Returns:
        Array of `float64`, of shape (labels, classes).
    """
    return np.eye(num_classes)[np.asarray(labels_dense).ravel()]


def read_data_sets(
    train_dir: str,
    fake_data: bool = False,
    one_hot: bool = False,
    dtype: Any = tf.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    source_url: str = DEFAULT_SOURCE_URL,
) -> Datasets:
    """Reads the digits of MNIST from four files, `train-images-idx3-ubyte.gz` and so on.

    Stands for `read_data_sets` of `tensorflow.examples.tutorials.mnist.input_data`.

    Args:
        train_dir: Directory of the files. Those that are not there are fetched.
        fake_data: Whether to make up the examples instead.
        one_hot: Whether a label is a vector.
        dtype: `tf.uint8` for images from 0 to 255, `tf.float32` for 0 to 1.
        reshape: Whether an image is a row of pixels.
        validation_size: How many of the examples for training are kept for validation.
        seed: Seed of the order, that of the graph by default.
        source_url: From where missing files are fetched, with a slash at its end.

    Returns:
        `Datasets` of `train`, `validation` and `test`, each a `DataSet`.

    Raises:
        OSError: A file is not there, and cannot be fetched.
        ValueError: A file is damaged, or `validation_size` is larger than the set.
    """
    if fake_data:
        fakes = [DataSet([], [], True, one_hot, dtype, seed=seed) for _ in Datasets._fields]
        return Datasets(*fakes)
    url = source_url or DEFAULT_SOURCE_URL
    sets = []
    for name in ("train", "t10k"):
        with _open(f"{name}-images-idx3-ubyte.gz", train_dir, url) as file:
            images = extract_images(file)
        with _open(f"{name}-labels-idx1-ubyte.gz", train_dir, url) as file:
            sets.append((images, extract_labels(file, one_hot=one_hot)))
    (images, labels), test = sets
    if not 0 <= validation_size <= len(images):
        raise ValueError(f"validation_size is {validation_size}, but there are {len(images)} examples.")
    parts = [
        (images[validation_size:], labels[validation_size:]),
        (images[:validation_size], labels[:validation_size]),
        test,
    ]
    return Datasets(*(DataSet(*part, dtype=dtype, reshape=reshape, seed=seed) for part in parts))


def load_mnist(train_dir: str = "MNIST-data") -> Datasets:
    """Reads the digits of MNIST as `read_data_sets` does by default.

    Stands for `load_mnist` of `tensorflow.examples.tutorials.mnist.input_data`.

    Args:
        train_dir: Directory of the files.
    """
    return read_data_sets(train_dir)


def _open(name: str, directory: str, url: str) -> Any:
    return tf.io.gfile.GFile(maybe_download(name, directory, url + name), "rb")


def _read_idx(file: Any, magic: int, kind: str, axes: int) -> tuple[list[int], Any]:
    """Reads a file of bytes behind a header of big-endian integers."""
    name = os.fspath(file.name)
    print("Extracting", name)
    try:
        with gzip.GzipFile(fileobj=file) as stream:
            found, *shape = np.frombuffer(stream.read(4 * (1 + axes)), ">u4").tolist()
            values = np.frombuffer(stream.read(), np.uint8)
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{name} is not a file of MNIST, or is damaged: {error}") from error
    if found != magic or len(values) != np.prod(shape):
        raise ValueError(f"{name} does not hold {kind} of MNIST, or is damaged.")
    return shape, values
