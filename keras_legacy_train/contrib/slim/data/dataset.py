"""Describes a data set: where its records are, how they are read and decoded."""

from __future__ import annotations

from typing import Any


class Dataset:
    """Holds what is known of a data set; stands for `tf.contrib.slim.dataset.Dataset`.

    Args:
        data_sources: The files: a path, a pattern, or a list of them.
        reader: The class that reads them, such as `tf.compat.v1.TFRecordReader`.
        decoder: A `DataDecoder`, which makes items of records.
        num_samples: How many records there are; `None` if that is not known.
        items_to_descriptions: What the items are, by their names.
        **kwargs: More attributes, such as `num_classes`.
    """

    data_sources: Any
    reader: Any
    decoder: Any
    num_samples: Any
    items_to_descriptions: Any

    def __init__(
        self,
        data_sources: Any,
        reader: Any,
        decoder: Any,
        num_samples: Any,
        items_to_descriptions: Any,
        **kwargs: Any,
    ):
        self.data_sources = data_sources
        self.reader = reader
        self.decoder = decoder
        self.num_samples = num_samples
        self.items_to_descriptions = items_to_descriptions
        vars(self).update(kwargs)
