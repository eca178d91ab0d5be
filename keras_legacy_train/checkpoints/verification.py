"""Verifies what TensorFlow's reader takes on trust in a checkpoint, before the reader gets the files.

That reader ends the process where a shape is negative or unknown, and allocates whatever a shape claims.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints.regular_files import open_regular, size_of_regular
from keras_legacy_train.checkpoints.slice_keys import is_slice_key, slice_key
from keras_legacy_train.checkpoints.sorted_table import FormatError, read_table, read_varint

# An index has about 100 bytes for each variable.
_MAX_INDEX_BYTES = 2**28
_MAX_RANK = 254
_MAX_ELEMENTS = 2**63 - 1
_CHECKSUM_BYTES = 4
# Where the older format has the values of a dtype in a `TensorProto`, and how many numbers make a value.
_VALUE_FIELDS = {
    "float32": ("float_val", 1),
    "float64": ("double_val", 1),
    "int64": ("int64_val", 1),
    "uint32": ("uint32_val", 1),
    "uint64": ("uint64_val", 1),
    "bool": ("bool_val", 1),
    "string": ("string_val", 1),
    "float16": ("half_val", 1),
    "bfloat16": ("half_val", 1),
    "complex64": ("scomplex_val", 2),
    "complex128": ("dcomplex_val", 2),
}


def verify_files(prefix: str) -> set[str]:
    """Verifies that the files of a checkpoint hold what they claim, as far as TensorFlow does not.

    Values are not read, and so the checksums not verified, which TensorFlow does when it reads.

    Args:
        prefix: The checkpoint's path without suffix.

    Returns:
        The names of the variables in the checkpoint.

    Raises:
        tf.errors.NotFoundError: A file is missing.
        tf.errors.DataLossError: A file is damaged, or no regular file.
    """
    path = prefix + ".index"
    try:
        if os.path.lexists(path):
            return _TensorBundle(prefix).verify()
        names: set[str] = set()
        paths = tf.io.gfile.glob(prefix)
        if not paths:
            raise FileNotFoundError(f"there is no {os.path.basename(path)}")
        for path in paths:
            names |= _verify_slice_file(path)
        return names
    except FileNotFoundError as error:
        raise tf.errors.NotFoundError(None, None, f"{os.path.basename(prefix)}: {error}") from error
    except (OSError, FormatError) as error:
        raise tf.errors.DataLossError(None, None, f"{os.path.basename(path)}: {error}") from error


def partial_variables(prefix: str) -> dict[str, list[str]]:
    """Returns the variables that a checkpoint has only parts of, with the slices that are there.

    A partitioned variable of TensorFlow 1 may have an optimizer whose variables are saved so: one under the
    name of each part, with the shape of the whole.

    Args:
        prefix: The checkpoint's path without suffix; its files have been verified.

    Returns:
        By name the slices, as `tf.raw_ops.RestoreV2` takes them.
    """
    if not os.path.lexists(prefix + ".index"):
        return {}
    return _TensorBundle(prefix).partial_variables()


def variable_slices(prefix: str) -> dict[str, list[str]]:
    """Returns the partitioned variables of a checkpoint, with the slices that are there.

    Args:
        prefix: The checkpoint's path without suffix; its files have been verified.

    Returns:
        By name the slices, as `tf.raw_ops.RestoreV2` takes them.
    """
    if os.path.lexists(prefix + ".index"):
        return _TensorBundle(prefix).slices()
    slices: dict[str, list[str]] = {}
    for path in tf.io.gfile.glob(prefix):
        for name, shape, _, parts in _partitions(read_table(path)):
            partial = [_slice_spec(extents, shape) for extents in parts if _is_slice(extents)]
            if partial:
                slices.setdefault(name, []).extend(partial)
    return slices


class _TensorBundle:
    """Verifies a checkpoint in the current format: an index of variables, and data files with their values.

    Args:
        prefix: The checkpoint's path without suffix.
    """

    def __init__(self, prefix: str):
        self._prefix = prefix
        self._entries: dict[bytes, Any] = {}
        for key, value in read_table(prefix + ".index", _MAX_INDEX_BYTES):
            message = _tensorflow.BundleEntryProto if key else _tensorflow.BundleHeaderProto
            self._entries[key] = _parsed(message, value)
        try:
            self._shards = self._entries.pop(b"").num_shards
        except KeyError:
            raise FormatError("it has no header") from None
        # Bytes that are not yet claimed in the data file of each shard.
        self._unclaimed: dict[int, int] = {}

    def verify(self) -> set[str]:
        """Verifies everything; returns the names of the variables."""
        slices: set[bytes] = set()
        for key, entry in self._entries.items():
            if is_slice_key(key):
                continue
            shape, _ = _shape(key, entry.shape), _dtype(key, entry.dtype)
            for part in entry.slices:
                extents = _extents(key, part, shape)
                stored = slice_key(key, extents) if _is_slice(extents) else key
                if stored in slices:
                    raise FormatError(f"{_text(key)} has a slice twice")
                slices.add(stored)
                self._verify_slice(key, entry, stored, _extent_shape(extents, shape))
            if not entry.slices:
                self._verify_value(key, entry)
        if any(is_slice_key(key) and key not in slices for key in self._entries):
            raise FormatError("it has a slice of no variable")
        return {_text(key) for key in self._entries if not is_slice_key(key)}

    def slices(self) -> dict[str, list[str]]:
        """Returns the slices of partitioned variables, by name."""
        return {
            name: [_slice_spec(extents, shape) for extents in slices]
            for name, shape, slices in self._partitioned()
            if all(map(_is_slice, slices))
        }

    def partial_variables(self) -> dict[str, list[str]]:
        """Returns the slices of variables whose slices are not the whole, by name."""
        return {
            name: [_slice_spec(extents, shape) for extents in slices]
            for name, shape, slices in self._partitioned()
            if sum(math.prod(_extent_shape(extents, shape)) for extents in slices) < math.prod(shape)
        }

    def _partitioned(self) -> Iterator[tuple[str, list[int], list[list[tuple[int, int]]]]]:
        for key, entry in self._entries.items():
            if entry.slices and not is_slice_key(key):
                shape = _shape(key, entry.shape)
                yield _text(key), shape, [_extents(key, part, shape) for part in entry.slices]

    def _verify_slice(self, key: bytes, whole: Any, stored: bytes, shape: Sequence[int]) -> None:
        entry = self._entries.get(stored)
        if entry is None:
            raise FormatError(f"a slice of {_text(key)} is missing")
        is_cut_again = entry is not whole and entry.slices
        if entry.dtype != whole.dtype or _shape(key, entry.shape) != shape or is_cut_again:
            raise FormatError(f"a slice of {_text(key)} does not fit in it")
        self._verify_value(key, entry)

    def _verify_value(self, key: bytes, entry: Any) -> None:
        """Verifies that the data file holds as many bytes as the shape and the dtype say."""
        elements = math.prod(_shape(key, entry.shape))
        dtype = _dtype(key, entry.dtype)
        if min(entry.offset, entry.size) < 0 or not 0 <= entry.shard_id < self._shards:
            raise FormatError(f"{_text(key)} has a place that no file has")
        path = f"{self._prefix}.data-{entry.shard_id:05d}-of-{self._shards:05d}"
        if entry.shard_id not in self._unclaimed:
            self._unclaimed[entry.shard_id] = size_of_regular(path)
        self._unclaimed[entry.shard_id] -= entry.size
        if self._unclaimed[entry.shard_id] < 0 or entry.offset + entry.size > size_of_regular(path):
            raise FormatError(f"{_text(key)} claims more than {os.path.basename(path)} holds")
        if dtype not in (tf.string, tf.variant):
            size = elements * dtype.size
        elif elements > entry.size:
            size = elements
        else:
            size = _size_of_strings(path, entry.offset, entry.size, elements, dtype)
        if size != entry.size:
            raise FormatError(f"{_text(key)} has {entry.size} bytes where its shape makes {size}")


def _size_of_strings(path: str, offset: int, size: int, elements: int, dtype: tf.DType) -> int:
    """Adds up the bytes of strings, or of variants.

    The lengths of strings stand together before the strings; that of a variant stands before it.
    """
    with open(open_regular(path), "rb") as file:
        file.seek(offset)
        if dtype == tf.string:
            lengths, position, total = file.read(min(size, 10 * elements)), 0, 0
            for _ in range(elements):
                length, position = read_varint(lengths, position)
                total += length
            return position + _CHECKSUM_BYTES + total
        data, position = file.read(size), 0
        for _ in range(elements):
            length, position = read_varint(data, position)
            variant = data[position : position + length]
            if len(variant) == length:
                _verify_tensors(_parsed(_tensorflow.VariantTensorDataProto, variant), length)
            position += length + _CHECKSUM_BYTES
        return position


def _verify_tensors(variant: Any, size: int) -> None:
    """Verifies that no tensor in a variant has more elements than the variant has bytes."""
    for tensor in variant.tensors:
        if math.prod(_shape(b"a variant", tensor.tensor_shape)) > size:
            raise FormatError("a variant claims more than it holds")
        for inner in tensor.variant_val:
            _verify_tensors(inner, size)


def _verify_slice_file(path: str) -> set[str]:
    """Verifies a file in the older format, with slices of variables and their values; returns their names."""
    entries = read_table(path)
    expected: dict[bytes, tuple[int, tf.DType]] = {}
    names = set()
    for name, shape, dtype, slices in _partitions(entries):
        names.add(name)
        for extents in slices:
            elements = math.prod(_extent_shape(extents, shape))
            expected[slice_key(name.encode(), extents)] = elements, dtype
    for key, value in entries:
        if key in expected:
            elements, dtype = expected.pop(key)
            field, numbers = _VALUE_FIELDS.get(dtype.name, ("int_val", 1))
            tensor = _parsed(_tensorflow.SavedTensorSlices, value).data.data
            if len(getattr(tensor, field)) != elements * numbers:
                raise FormatError("a slice has another number of values than its shape makes")
    if expected:
        raise FormatError("a slice is missing")
    return names


def _partitions(
    entries: Iterator[tuple[bytes, bytes]],
) -> Iterator[tuple[str, list[int], tf.DType, list[list[tuple[int, int]]]]]:
    """Yields name, shape, dtype and slices of each variable in a file in the older format.

    Args:
        entries: The entries of the file's table, of which it takes the first.
    """
    key, value = next(entries, (None, b""))
    if key != b"":
        raise FormatError("it has no header")
    for meta in _parsed(_tensorflow.SavedTensorSlices, value).meta.tensor:
        name = meta.name.encode()
        shape, dtype = _shape(name, meta.shape), _dtype(name, meta.type)
        yield meta.name, shape, dtype, [_extents(name, part, shape) for part in meta.slice]


def _shape(key: bytes, shape: Any) -> list[int]:
    """Returns the dimensions of a `TensorShapeProto` that TensorFlow can have a tensor of."""
    dimensions = [dimension.size for dimension in shape.dim]
    if shape.unknown_rank or len(dimensions) > _MAX_RANK or min(dimensions, default=0) < 0:
        raise FormatError(f"{_text(key)} has an impossible shape")
    if math.prod(max(dimension, 1) for dimension in dimensions) > _MAX_ELEMENTS:
        raise FormatError(f"{_text(key)} has an impossible shape")
    return dimensions


def _dtype(key: bytes, number: int) -> tf.DType:
    try:
        dtype = tf.as_dtype(number)
    except TypeError:
        raise FormatError(f"{_text(key)} has an unknown dtype") from None
    if dtype == tf.resource or dtype != dtype.base_dtype:
        raise FormatError(f"{_text(key)} has a dtype that is not saved")
    return dtype


def _extents(key: bytes, part: Any, shape: Sequence[int]) -> list[tuple[int, int]]:
    """Returns the offset and the length along each dimension; of a whole dimension 0 and -1."""
    if len(part.extent) != len(shape):
        raise FormatError(f"a slice of {_text(key)} has other dimensions")
    extents = []
    for extent, dimension in zip(part.extent, shape, strict=True):
        start, length = extent.start, extent.length if extent.HasField("length") else -1
        if (start, length) != (0, -1) and (min(start, length) < 0 or start + length > dimension):
            raise FormatError(f"a slice of {_text(key)} lies outside of it")
        extents.append((start, length))
    return extents


def _is_slice(extents: Sequence[tuple[int, int]]) -> bool:
    return any(length >= 0 for _, length in extents)


def _extent_shape(extents: Sequence[tuple[int, int]], shape: Sequence[int]) -> list[int]:
    return [whole if length < 0 else length for (_, length), whole in zip(extents, shape, strict=True)]


def _slice_spec(extents: Sequence[tuple[int, int]], shape: Sequence[int]) -> str:
    """Returns a slice in the form that `tf.raw_ops.RestoreV2` takes: `"4 2 0,3:-"`."""
    parts = ["-" if length < 0 else f"{start},{length}" for start, length in extents]
    return " ".join([*map(str, shape), ":".join(parts)])


def _parsed(message: Any, data: bytes) -> Any:
    try:
        return message.FromString(data)
    except DecodeError as error:
        raise FormatError(f"an entry cannot be read ({error})") from error


def _text(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError:
        raise FormatError(f"{key!r} is not the name of a variable") from None
