"""Builds datasets as people write them: of several stages, with threads of their own.

By calls that TensorFlow 1.15.5, 2.15 and 2.21 all have.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from workloads import RECORDS_VARIABLE

PIXELS, EXAMPLES, FILES = 784, 4096, 4

AUTOTUNE = tf.data.experimental.AUTOTUNE


def dataset(name: str, batch_size: int) -> Any:
    """Makes a dataset of batches without end: pixels `float32[batch_size, 784]`, labels `int64[batch_size]`.

    Args:
        name: The workload.
        batch_size: Examples in a batch.
    """
    return _DATASETS[name]().batch(batch_size, drop_remainder=True).prefetch(AUTOTUNE)


def images() -> tuple[np.ndarray, np.ndarray]:
    """Returns random images `uint8[n, 784]` and labels `int64[n]`."""
    rng = np.random.RandomState(0)
    return rng.randint(256, size=(EXAMPLES, PIXELS)).astype(np.uint8), rng.randint(10, size=EXAMPLES)


def save_records(directory: str) -> None:
    """Writes the images as TFRecord files of examples, where they are not there yet."""
    os.makedirs(directory, exist_ok=True)
    pixels, labels = images()
    for number, path in enumerate(_files(directory)):
        if os.path.exists(path):
            continue
        with tf.io.TFRecordWriter(f"{path}.new") as writer:
            for image, label in zip(pixels[number::FILES], labels[number::FILES], strict=True):
                features = {
                    "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image.tobytes()])),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
        os.replace(f"{path}.new", path)


def _files(directory: str) -> list[str]:
    return [os.path.join(directory, f"images{number}.tfrecord") for number in range(FILES)]


def _normalized(pixels: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cast(pixels, tf.float32) / 255.0, label


def _parsed(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    features = {
        "image": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
    }
    example = tf.io.parse_single_example(record, features)
    pixels = tf.reshape(tf.io.decode_raw(example["image"], tf.uint8), [PIXELS])
    return _normalized(pixels, example["label"])


def _map() -> Any:
    examples = tf.data.Dataset.from_tensor_slices(images())
    return examples.shuffle(EXAMPLES).repeat().map(_normalized, num_parallel_calls=AUTOTUNE)


def _records() -> Any:
    records = tf.data.TFRecordDataset(_files(os.environ[RECORDS_VARIABLE]))
    return records.shuffle(1_000).repeat().map(_parsed, num_parallel_calls=AUTOTUNE)


def _interleave() -> Any:
    files = tf.data.Dataset.from_tensor_slices(_files(os.environ[RECORDS_VARIABLE])).shuffle(FILES)
    records = files.interleave(tf.data.TFRecordDataset, cycle_length=FILES, num_parallel_calls=AUTOTUNE)
    return records.shuffle(1_000).repeat().map(_parsed, num_parallel_calls=AUTOTUNE)


def _generator() -> Any:
    def examples() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        pixels, labels = images()
        scaled = pixels.astype(np.float32) / 255
        return itertools.cycle(zip(scaled, labels))  # noqa: B905, which Python 3.7 does not have

    shapes = (tf.TensorShape([PIXELS]), tf.TensorShape([]))
    return tf.data.Dataset.from_generator(examples, (tf.float32, tf.int64), shapes)


_DATASETS: dict[str, Callable[[], Any]] = {
    "map": _map,
    "records": _records,
    "interleave": _interleave,
    "generator": _generator,
}
