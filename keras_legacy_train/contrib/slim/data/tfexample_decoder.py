"""Makes items of `tf.train.Example` records."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.slim.data.data_decoder import DataDecoder

Tensors = Mapping[str, Any]


def _dense(value: Any, default_value: Any = None) -> tf.Tensor:
    return tf.sparse.to_dense(value, default_value) if isinstance(value, tf.SparseTensor) else value


class ItemHandler(abc.ABC):
    """Makes an item of features; stands for `tf.contrib.slim.tfexample_decoder.ItemHandler`.

    Args:
        keys: The names of the features, or of the only one.
    """

    def __init__(self, keys: str | Sequence[str]):
        self._keys: list[str] = [keys] if isinstance(keys, str) else list(keys)

    @property
    def keys(self) -> list[str]:
        """Returns the names of the features."""
        return self._keys

    @abc.abstractmethod
    def tensors_to_item(self, keys_to_tensors: Tensors) -> Any:
        """Returns the item, a tensor.

        Args:
            keys_to_tensors: The features by their names.
        """


class ItemHandlerCallback(ItemHandler):
    """Makes an item by a function; stands for `tf.contrib.slim.tfexample_decoder.ItemHandlerCallback`.

    Args:
        keys: The names of the features.
        func: Called with the features by their names; returns the item.
    """

    def __init__(self, keys: str | Sequence[str], func: Callable[[Tensors], Any]):
        super().__init__(keys)
        self._func = func

    def tensors_to_item(self, keys_to_tensors: Tensors) -> Any:
        """Returns what the function returns."""
        return self._func(keys_to_tensors)


class BoundingBox(ItemHandler):
    """Makes boxes of their sides; stands for `tf.contrib.slim.tfexample_decoder.BoundingBox`.

    The item has the shape `[number of boxes, 4]`.

    Args:
        keys: The names of the four features; by default `ymin`, `xmin`, `ymax` and `xmax`.
        prefix: What comes before the names.

    Raises:
        ValueError: There are not four keys.
    """

    def __init__(self, keys: Sequence[str] | None = None, prefix: str = ""):
        keys = ["ymin", "xmin", "ymax", "xmax"] if keys is None else keys
        if len(keys) != 4:
            raise ValueError(f"BoundingBox expects 4 keys but got {len(keys)}")
        super().__init__([prefix + key for key in keys])

    def tensors_to_item(self, keys_to_tensors: Tensors) -> tf.Tensor:
        """Returns the boxes."""
        sides = [keys_to_tensors[key] for key in self._keys]
        sides = [side.values if isinstance(side, tf.SparseTensor) else side for side in sides]
        return tf.transpose(tf.stack(sides))


class Tensor(ItemHandler):
    """Takes a feature as it is, or gives it a shape; stands for `tf.contrib.slim.tfexample_decoder.Tensor`.

    Args:
        tensor_key: The name of the feature.
        shape_keys: The names of features that together are its shape.
        shape: Its shape.
        default_value: What a sparse feature has where it has no value.

    Raises:
        ValueError: There are both `shape_keys` and `shape`.
    """

    def __init__(
        self,
        tensor_key: str,
        shape_keys: str | Sequence[str] | None = None,
        shape: Any = None,
        default_value: Any = 0,
    ):
        if shape_keys and shape is not None:
            raise ValueError("Cannot specify both shape_keys and shape parameters.")
        self._tensor_key = tensor_key
        self._shape_keys = [shape_keys] if isinstance(shape_keys, str) else list(shape_keys or ())
        self._shape = shape
        self._default_value = default_value
        super().__init__([tensor_key, *self._shape_keys])

    def tensors_to_item(self, keys_to_tensors: Tensors) -> Any:
        """Returns the feature, dense."""
        tensor, shape = keys_to_tensors[self._tensor_key], self._shape
        if self._shape_keys:
            shape = tf.reshape(tf.stack([_dense(keys_to_tensors[key]) for key in self._shape_keys]), [-1])
        if isinstance(tensor, tf.SparseTensor):
            if shape is not None:
                tensor = tf.sparse.reshape(tensor, shape)
            return tf.sparse.to_dense(tensor, self._default_value)
        return tensor if shape is None else tf.reshape(tensor, shape)


class LookupTensor(Tensor):
    """Looks a feature up in a table; stands for `tf.contrib.slim.tfexample_decoder.LookupTensor`.

    Args:
        tensor_key: The name of the feature.
        table: The lookup table.
        shape_keys: See `Tensor`.
        shape: See `Tensor`.
        default_value: See `Tensor`.

    Raises:
        ValueError: There are both `shape_keys` and `shape`.
    """

    def __init__(
        self,
        tensor_key: str,
        table: Any,
        shape_keys: str | Sequence[str] | None = None,
        shape: Any = None,
        default_value: Any = "",
    ):
        self._table = table
        super().__init__(tensor_key, shape_keys, shape, default_value)

    def tensors_to_item(self, keys_to_tensors: Tensors) -> Any:
        """Returns what the table has for the feature."""
        return self._table.lookup(super().tensors_to_item(keys_to_tensors))


class BackupHandler(ItemHandler):
    """Takes one item, or where it is empty another.

    Stands for `tf.contrib.slim.tfexample_decoder.BackupHandler`.

    Args:
        handler: Makes the first.
        backup: Makes the other.

    Raises:
        ValueError: One of them is no `ItemHandler`.
    """

    def __init__(self, handler: ItemHandler, backup: ItemHandler):
        for name, each in (("handler", handler), ("backup", backup)):
            if not isinstance(each, ItemHandler):
                raise ValueError(f"{name} must be an ItemHandler; it is {each!r}.")
        self._handler = handler
        self._backup = backup
        super().__init__([*handler.keys, *backup.keys])

    def tensors_to_item(self, keys_to_tensors: Tensors) -> Any:
        """Returns the first item, if it is not empty."""
        item = self._handler.tensors_to_item(keys_to_tensors)
        is_empty = tf.equal(tf.size(item), 0)
        return tf.cond(is_empty, lambda: self._backup.tensors_to_item(keys_to_tensors), lambda: item)


class SparseTensor(ItemHandler):
    """Makes a sparse tensor of indices and values.

    Stands for `tf.contrib.slim.tfexample_decoder.SparseTensor`.

    Args:
        indices_key: The name of the feature of the indices.
        values_key: The name of the feature of the values.
        shape_key: The name of the feature of the shape.
        shape: The shape; by default that of the feature of the indices.
        densify: Whether the item is dense.
        default_value: What a dense item has where there is no value.
    """

    def __init__(
        self,
        indices_key: str | None = None,
        values_key: str | None = None,
        shape_key: str | None = None,
        shape: Any = None,
        densify: bool = False,
        default_value: Any = 0,
    ):
        self._indices_key = indices_key or "indices"
        self._values_key = values_key or "values"
        self._shape_key = shape_key
        self._shape = shape
        self._densify = densify
        self._default_value = default_value
        super().__init__([self._indices_key, self._values_key, *([shape_key] if shape_key else [])])

    def tensors_to_item(self, keys_to_tensors: Tensors) -> Any:
        """Returns the tensor."""
        indices, values = keys_to_tensors[self._indices_key], keys_to_tensors[self._values_key]
        if self._shape_key:
            shape = _dense(keys_to_tensors[self._shape_key])
        else:
            shape = self._shape or indices.dense_shape
        columns = tf.cast(indices.values, tf.int64)[:, None]
        item = tf.SparseTensor(tf.concat([indices.indices[:, :-1], columns], axis=1), values.values, shape)
        return tf.sparse.to_dense(item, self._default_value) if self._densify else item


class Image(ItemHandler):
    """Decodes an image; stands for `tf.contrib.slim.tfexample_decoder.Image`.

    Args:
        image_key: The name of the feature of the encoded image; by default `image/encoded`.
        format_key: The name of the feature of the format; by default `image/format`. Only `raw` and `RAW`
            matter: other images tell by themselves what they are.
        shape: The shape of the image, `[height, width, channels]`.
        channels: How many channels it has.
        dtype: The dtype of the item. Values are cast to it.
        repeated: Whether there are several images, all of one shape.
        dct_method: How a JPEG is decoded: `"INTEGER_FAST"` or `"INTEGER_ACCURATE"`.
    """

    def __init__(
        self,
        image_key: str | None = None,
        format_key: str | None = None,
        shape: Any = None,
        channels: int | None = 3,
        dtype: tf.DType = tf.uint8,
        repeated: bool = False,
        dct_method: str = "",
    ):
        self._image_key = image_key or "image/encoded"
        self._format_key = format_key or "image/format"
        self._shape = shape
        self._channels = channels
        self._dtype = dtype
        self._repeated = repeated
        self._dct_method = dct_method
        super().__init__([self._image_key, self._format_key])

    def tensors_to_item(self, keys_to_tensors: Tensors) -> tf.Tensor:
        """Returns the image, `[height, width, channels]`; several with one dimension more."""
        encoded, image_format = keys_to_tensors[self._image_key], keys_to_tensors[self._format_key]
        if not self._repeated:
            return self._decode(encoded, image_format)
        return tf.map_fn(
            lambda each: self._decode(each, image_format), encoded, fn_output_signature=self._dtype
        )

    def _decode(self, encoded: tf.Tensor, image_format: tf.Tensor) -> tf.Tensor:
        channels = self._channels or 0

        def raw() -> tf.Tensor:
            return tf.io.decode_raw(encoded, self._dtype)

        def jpeg() -> tf.Tensor:
            image = tf.io.decode_jpeg(encoded, channels, dct_method=self._dct_method)
            return tf.cast(image, self._dtype)

        def other() -> tf.Tensor:
            return tf.cast(tf.io.decode_image(encoded, channels), self._dtype)

        def by_content() -> tf.Tensor:
            return tf.cond(tf.io.is_jpeg(encoded), jpeg, other)

        is_raw = tf.equal(image_format, "raw") | tf.equal(image_format, "RAW")
        image = tf.cond(is_raw, raw, by_content)
        image.set_shape([None, None, self._channels])
        return image if self._shape is None else tf.reshape(image, self._shape)


class TFExampleDecoder(DataDecoder):
    """Makes items of `tf.train.Example` records.

    Stands for `tf.contrib.slim.tfexample_decoder.TFExampleDecoder`.

    Args:
        keys_to_features: What `tf.io.parse_single_example` takes, such as `FixedLenFeature`s by name.
        items_to_handlers: `ItemHandler`s by the names of the items.
    """

    def __init__(self, keys_to_features: Mapping[str, Any], items_to_handlers: Mapping[str, ItemHandler]):
        self._keys_to_features = keys_to_features
        self._items_to_handlers = items_to_handlers

    def list_items(self) -> list[str]:
        """Returns the names of all items."""
        return list(self._items_to_handlers)

    def decode(self, serialized_example: Any, items: Sequence[str] | None = None) -> list[Any]:
        """Returns the items of a record, tensors in the order of their names.

        Args:
            serialized_example: The record, a string.
            items: The names of the items; by default all.
        """
        example = tf.io.parse_single_example(serialized_example, self._keys_to_features)
        for key, feature in self._keys_to_features.items():
            if isinstance(feature, tf.io.FixedLenFeature):
                example[key] = tf.reshape(example[key], feature.shape)
        handlers = [self._items_to_handlers[item] for item in items or self.list_items()]
        return [handler.tensors_to_item({key: example[key] for key in handler.keys}) for handler in handlers]
