"""Reads back what evaluations have written to event files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.estimator import log


def written_metrics(pattern: str) -> Iterator[tuple[int, dict[str, float]]]:
    """Yields global step and metrics of each evaluation, in the order in which they were written.

    Args:
        pattern: Says which event files are read, as a glob. A damaged one, such as one whose writer was
            killed, is read up to the damage.
    """
    for path in sorted(tf.io.gfile.glob(pattern)):
        for event in _events(path):
            values = [value for value in event.summary.value if value.HasField("simple_value")]
            if values:
                yield event.step, {value.tag: value.simple_value for value in values}


def _events(path: str) -> list[Any]:
    """Returns the events of a file, of a damaged one those before the damage."""
    events = []
    with _tensorflow.eager_mode():
        try:
            for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
                events.append(tf.compat.v1.Event.FromString(record))
        except tf.errors.DataLossError as error:
            log.warning("Skipping rest of %s, which is damaged: %s", path, error.message)
    return events
