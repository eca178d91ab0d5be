"""Provides items of the records of a data set, which queues read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_legacy_train.contrib.slim.data.data_provider import DataProvider
from keras_legacy_train.contrib.slim.data.dataset import Dataset
from keras_legacy_train.contrib.slim.data.parallel_reader import parallel_read


class DatasetDataProvider(DataProvider):
    """Reads a data set; stands for `tf.contrib.slim.dataset_data_provider.DatasetDataProvider`.

    ```text
    provider = DatasetDataProvider(dataset, shuffle=False)
    image, label = provider.get(["image", "label"])
    ```

    Args:
        dataset: The data set.
        num_readers: How many readers there are. With more than one, the order is not determined.
        reader_kwargs: Keyword arguments of the readers.
        shuffle: Whether files and records are shuffled.
        num_epochs: How often each record is read; `None` for no limit. If given, local variables count, which
            must be initialised.
        common_queue_capacity: How many records wait, at most.
        common_queue_min: How many records wait, at least, if they are shuffled.
        record_key: The name of the item that is the key of the record.
        seed: The seed of the shuffle.
        scope: The scope of the ops.

    Raises:
        ValueError: There are no files, or an item of the data set has the name `record_key`.
    """

    def __init__(
        self,
        dataset: Dataset,
        num_readers: int = 1,
        reader_kwargs: Mapping[str, Any] | None = None,
        shuffle: bool = True,
        num_epochs: int | None = None,
        common_queue_capacity: int = 256,
        common_queue_min: int = 128,
        record_key: str = "record_key",
        seed: int | None = None,
        scope: str | None = None,
    ):
        key, data = parallel_read(
            dataset.data_sources,
            reader_class=dataset.reader,
            num_epochs=num_epochs,
            num_readers=num_readers,
            reader_kwargs=reader_kwargs,
            shuffle=shuffle,
            capacity=common_queue_capacity,
            min_after_dequeue=common_queue_min,
            seed=seed,
            scope=scope,
        )
        items = dataset.decoder.list_items()
        if record_key in items:
            raise ValueError(f"record_key must not be the name of an item; it is {record_key!r}.")
        tensors = dict(zip(items, dataset.decoder.decode(data, items), strict=True))
        super().__init__({**tensors, record_key: key}, dataset.num_samples)
