"""Reads a sorted table: the format of a checkpoint's index, and of a whole checkpoint in the older format.

TensorFlow's reader trusts the sizes that such a file claims, and ends the process where they are forged. This
reader trusts nothing. It leaves the checksums of blocks to TensorFlow, which verifies them itself.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from keras_legacy_train.checkpoints.regular_files import open_regular

_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER_BYTES = 48
_TRAILER_BYTES = 5  # of a block: its compression and its checksum
_SNAPPY = 1
# The most that a Snappy element of 3 bytes can stand for is 64 bytes.
_MAX_SNAPPY_RATIO = 22
# Entries from one key that is stored whole to the next; the keys between share its beginning.
_MAX_ENTRIES_PER_RESTART = 16


class FormatError(ValueError):
    """Raised if a file does not keep to its format."""


def read_table(path: str, max_bytes: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    """Reads the pairs of key and value in a table, in the order of their keys.

    Args:
        path: The file.
        max_bytes: Size from which on a file is refused; `None` for none.

    Raises:
        FormatError: The file is no such table.
        OSError: It cannot be read, or is no regular file.
    """
    descriptor = open_regular(path)
    try:
        size = os.fstat(descriptor).st_size
        if size < _FOOTER_BYTES:
            raise FormatError(f"{size} bytes are too few for a table")
        if max_bytes is not None and size > max_bytes:
            raise FormatError(f"{size} bytes are too many for an index")
        last_key = None
        for key, value in _entries(descriptor, size - _FOOTER_BYTES):
            if last_key is not None and key <= last_key:
                raise FormatError("its keys are not in order")
            last_key = key
            yield key, value
    finally:
        os.close(descriptor)


def _entries(descriptor: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    footer = _read(descriptor, end, _FOOTER_BYTES)
    if footer[-len(_MAGIC) :] != _MAGIC:
        raise FormatError("it does not end as a table does")
    position = 0
    for _ in range(2):  # the handle of the meta index, which is empty
        _, position = read_varint(footer, position)
    offset, position = read_varint(footer, position)
    size, position = read_varint(footer, position)
    block_end = 0
    for _, handle in _block_entries(_block(descriptor, offset, size, end)):
        offset, position = read_varint(handle, 0)
        size, position = read_varint(handle, position)
        if offset < block_end:
            raise FormatError("its blocks overlap")
        block_end = offset + size
        yield from _block_entries(_block(descriptor, offset, size, end))


def _block(descriptor: int, offset: int, size: int, end: int) -> bytes:
    """Reads a block that must end before `end`."""
    if offset + size + _TRAILER_BYTES > end:
        raise FormatError("a block lies outside of the file")
    data = _read(descriptor, offset, size + 1)
    content, compression = data[:-1], data[-1]
    if compression == _SNAPPY:
        return _uncompressed(content)
    if compression:
        raise FormatError("a block is compressed in an unknown way")
    return content


def _block_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Reads the entries of a block, each of which says how much of the key before it shares."""
    if len(block) < 4:
        raise FormatError("a block is too short")
    (count,) = struct.unpack_from("<I", block, len(block) - 4)
    end = len(block) - 4 * (count + 1)
    if end < 0:
        raise FormatError("a block has too many restarts")
    restarts = set(struct.unpack_from(f"<{count}I", block, end))
    position, key, key_bytes = 0, b"", 0
    while position < end:
        start = position
        shared, position = read_varint(block, position)
        added, position = read_varint(block, position)
        length, position = read_varint(block, position)
        if shared > len(key) or position + added + length > end:
            raise FormatError("an entry lies outside of its block")
        if start in restarts:
            restarts.remove(start)
            if shared:
                raise FormatError("a restart shares the key before it")
        key = key[:shared] + block[position : position + added]
        key_bytes += len(key)
        if key_bytes > _MAX_ENTRIES_PER_RESTART * len(block):
            raise FormatError("its keys are longer than they can be")
        position += added
        yield key, block[position : position + length]
        position += length
    if restarts - {0}:  # an empty block has one at 0
        raise FormatError("a restart is not at an entry")


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Reads a number of up to 64 bits in pieces of 7; returns it and the position behind it.

    Raises:
        FormatError: There is none.
    """
    value = shift = 0
    for byte in data[position : position + 10]:
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise FormatError("a number does not end")


def _uncompressed(data: bytes) -> bytes:
    """Decodes the Snappy format: literal bytes, and copies of what is decoded already."""
    size, position = read_varint(data, 0)
    if size > _MAX_SNAPPY_RATIO * len(data):
        raise FormatError("a compressed block claims more than it can hold")
    decoded = bytearray()
    while position < len(data):
        tag = data[position]
        position += 1
        kind, length = tag & 3, tag >> 2
        if kind == 0:
            if length >= 60:
                length, position = _little_endian(data, position, length - 59)
            decoded += data[position : position + length + 1]
            position += length + 1
            continue
        if kind == 1:
            low, position = _little_endian(data, position, 1)
            length, distance = (length & 7) + 4, (tag >> 5) << 8 | low
        else:
            length, (distance, position) = length + 1, _little_endian(data, position, 2 if kind == 2 else 4)
        if not 0 < distance <= len(decoded):
            raise FormatError("a compressed block copies from before its beginning")
        pattern = decoded[-distance:][:length]
        decoded += (pattern * (length // len(pattern) + 1))[:length]
        if len(decoded) > size:
            break
    if len(decoded) != size:
        raise FormatError("a compressed block holds another number of bytes than it claims")
    return bytes(decoded)


def _little_endian(data: bytes, position: int, size: int) -> tuple[int, int]:
    return int.from_bytes(data[position : position + size], "little"), position + size


def _read(descriptor: int, offset: int, size: int) -> bytes:
    data = os.pread(descriptor, size, offset)
    while len(data) < size:  # Linux reads 2 GB at a time
        more = os.pread(descriptor, size - len(data), offset + len(data))
        if not more:
            raise FormatError("it has become shorter")
        data += more
    return data
