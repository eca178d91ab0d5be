"""Checkpoints that lie: tables with right checksums around contents that TensorFlow would never write."""

from __future__ import annotations

import math
import pathlib
import random
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train._tensorflow import BundleEntryProto, BundleHeaderProto, SavedTensorSlices
from keras_legacy_train.checkpoints.sorted_table import read_table

_CRC_TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0x82F63B78 if _byte & 1 else 0)
    _CRC_TABLE.append(_byte)

_MAGIC = bytes.fromhex("57fb808b247547db")


def checksum(data: bytes) -> int:
    """Returns the CRC-32C of the data, in the masked form in which it is stored."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return (crc >> 15 | crc << 17) + 0xA282EAD8 & 0xFFFFFFFF


def varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def entry(key: bytes, value: bytes, shared: int = 0) -> bytes:
    """Returns an entry of a block that shares the first bytes of its key with the entry before."""
    return varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value


def block(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    content = b"".join(entry(key, value) for key, value in entries)
    starts, position = [], 0
    for key, value in entries:
        starts.append(position)
        position += len(entry(key, value))
    return content + struct.pack(f"<{len(starts) + 1}I", *starts, len(starts))


def stored(content: bytes, compression: int = 0) -> bytes:
    """Returns a block as it stands in the file: with its kind of compression and its checksum."""
    kind = bytes([compression])
    return content + kind + struct.pack("<I", checksum(content + kind))


def snappy(content: bytes) -> bytes:
    """Compresses runs of one byte, and nothing else."""
    encoded, position = bytearray(varint(len(content))), 0
    while position < len(content):
        run = position + 1
        while run < len(content) and content[run] == content[position] and run - position < 65:
            run += 1
        encoded += bytes([0, content[position]])
        position += 1
        if run > position:
            encoded += bytes([run - position - 1 << 2 | 2, 1, 0])
            position = run
    return bytes(encoded)


def table(
    blocks: Sequence[tuple[bytes, bytes]],
    handles: Sequence[tuple[int, int]] | None = None,
    index_handle: tuple[int, int] | None = None,
) -> bytes:
    """Returns a table.

    Args:
        blocks: The last key of each block, and the block as `stored` returns it.
        handles: The offset and the size that the index tells of each block, by default the right ones.
        index_handle: The offset and the size that the footer tells of the index.
    """
    data, right = b"", []
    for _, each in blocks:
        right.append((len(data), len(each) - 5))
        data += each
    keys = [key for key, _ in blocks]
    pairs = [(k, varint(o) + varint(s)) for k, (o, s) in zip(keys, handles or right, strict=True)]
    meta_handle = varint(len(data)) + varint(8)
    data += stored(struct.pack("<2I", 0, 1))
    index = block(pairs)
    offset, size = index_handle or (len(data), len(index))
    footer = meta_handle + varint(offset) + varint(size)
    return data + stored(index) + footer.ljust(40, b"\x00") + _MAGIC


def write_table(path: pathlib.Path, entries: dict[bytes, bytes], compress: bool = False) -> None:
    """Writes the entries as a table of one block."""
    pairs = sorted(entries.items())
    content = block(pairs)
    content = stored(snappy(content), 1) if compress else stored(content)
    path.write_bytes(table([(pairs[-1][0] if pairs else b"", content)]))


def change_entry(index: pathlib.Path, key: bytes, change: Callable[[Any], None]) -> None:
    """Changes what an index says of one variable."""
    entries = dict(read_table(str(index)))
    message = BundleEntryProto.FromString(entries[key])
    change(message)
    write_table(index, {**entries, key: message.SerializeToString()})


def write_partitioned(directory: pathlib.Path) -> None:
    """Writes what `read_forged.py` reads: checkpoints 1 and 2, in both formats, of several variables."""
    v1 = tf.compat.v1
    for version, folder in ((2, directory), (1, directory / "v1")):
        folder.mkdir()
        for step in (1, 2):
            with tf.Graph().as_default(), v1.Session() as session:
                v1.get_variable("w", initializer=np.full([7, 2], step, np.float32))
                v1.get_variable("table", [7, 2], partitioner=v1.fixed_size_partitioner(2))
                v1.get_variable("n", initializer=np.array([b"abc", b"d"], object))
                v1.get_variable("k", initializer=np.zeros(100, np.float32))
                session.run(v1.global_variables_initializer())
                saver = v1.train.Saver(write_version=version)
                saver.save(session, str(folder / "model.ckpt"), step, write_meta_graph=False)


# Forgeries by chance. Numbers that are wrong in every way.
NUMBERS = [
    -(2**63),
    -(2**31),
    -2,
    -1,
    0,
    1,
    2,
    3,
    5,
    7,
    255,
    2**20,
    2**31 - 1,
    2**40,
    2**61,
    2**62,
    2**63 - 1,
]


def forge_index(index: pathlib.Path, chance: random.Random) -> str:
    """Forges the index of a checkpoint in the current format; returns what was done."""
    entries = dict(read_table(str(index)))
    key = chance.choice([key for key in entries if key])
    way = chance.choice(_INDEX_WAYS)
    if way in (_forge_header, _forge_bytes, _forge_keys):
        way(entries, key, chance)
    else:
        message = BundleEntryProto.FromString(entries[key])
        way(message, key, chance)
        entries[key] = message.SerializeToString()
    write_table(index, entries, compress=chance.random() < 0.1)
    return f"{way.__name__} of {key!r}"


def _forge_shape(message: Any, key: bytes, chance: random.Random) -> None:
    _forge_dimensions(message.shape, chance)


def _forge_dimensions(shape: Any, chance: random.Random) -> None:
    way = chance.randrange(5)
    if way == 0:
        shape.unknown_rank = True
    elif way == 1:
        for _ in range(chance.choice([9, 254, 255, 300])):
            shape.dim.add(size=chance.choice([0, 1, 1, 2]))
    elif way == 2:
        del shape.dim[:]
        for _ in range(chance.randrange(5)):
            shape.dim.add(size=chance.choice(NUMBERS))
    elif shape.dim:
        chance.choice(list(shape.dim)).size = chance.choice(NUMBERS)


def _forge_dtype(message: Any, key: bytes, chance: random.Random) -> None:
    message.dtype = chance.choice([*range(32), 101, 120, 121, 122, -1, 1000, 2**31 - 1])


def _forge_place(message: Any, key: bytes, chance: random.Random) -> None:
    field = chance.choice(["offset", "size", "shard_id"])
    numbers = NUMBERS if field != "shard_id" else [n for n in NUMBERS if abs(n) < 2**31]
    setattr(message, field, chance.choice(numbers))


def _forge_shape_and_size(message: Any, key: bytes, chance: random.Random) -> None:
    """Forges a shape and a size that agree, but no file is so long."""
    elements = chance.choice([2**20, 2**33, 2**40, 2**50])
    del message.shape.dim[:]
    message.shape.dim.add(size=elements)
    message.size = elements * 4


def _forge_slices(message: Any, key: bytes, chance: random.Random) -> None:
    part = message.slices.add()
    for _ in range(chance.choice([len(message.shape.dim), 0, 1, 2, 300])):
        part.extent.add(start=chance.choice(NUMBERS), length=chance.choice(NUMBERS))
    if chance.random() < 0.3:
        message.slices.add().CopyFrom(part)


def _forge_first_slice(message: Any, key: bytes, chance: random.Random) -> None:
    if not message.slices:
        _forge_slices(message, key, chance)
    elif chance.random() < 0.3:
        message.slices.add().CopyFrom(message.slices[0])
    elif message.slices[0].extent:
        extent = message.slices[0].extent[0]
        extent.start, extent.length = chance.choice(NUMBERS), chance.choice(NUMBERS)


def _forge_header(entries: dict[bytes, bytes], key: bytes, chance: random.Random) -> None:
    header = BundleHeaderProto.FromString(entries[b""])
    field = chance.choice(["num_shards", "endianness", "version", "none"])
    if field == "num_shards":
        header.num_shards = chance.choice([n for n in NUMBERS if abs(n) < 2**31])
    elif field == "endianness":
        header.endianness = chance.choice([1, 2, -1])
    elif field == "version":
        header.version.min_consumer = chance.choice([-1, 2, 2**31 - 1])
    entries[b""] = header.SerializeToString()
    if field == "none":
        del entries[b""]


def _forge_bytes(entries: dict[bytes, bytes], key: bytes, chance: random.Random) -> None:
    value = bytearray(entries[key] or b"\x00")
    for _ in range(chance.choice([1, 2, 8])):
        value[chance.randrange(len(value))] = chance.randrange(256)
    entries[key] = bytes(value)


def _forge_keys(entries: dict[bytes, bytes], key: bytes, chance: random.Random) -> None:
    value = entries.pop(key)
    if chance.random() < 0.7:
        entries[chance.choice([b"\xff\xfe", b"\x00", b"\x00" + key, key + b"\x00", key * 999, b"v"])] = value


_INDEX_WAYS: list[Callable[..., None]] = [
    _forge_shape,
    _forge_shape,
    _forge_dtype,
    _forge_place,
    _forge_shape_and_size,
    _forge_slices,
    _forge_first_slice,
    _forge_header,
    _forge_bytes,
    _forge_keys,
]


def forge_table(path: pathlib.Path, chance: random.Random) -> str:
    """Forges how a table is built, in either format; returns what was done."""
    pairs = list(read_table(str(path)))
    content, key = block(pairs), pairs[-1][0]
    way = chance.randrange(8)
    number = chance.choice([n for n in NUMBERS if n >= 0] + [2**64 - 1, 2**64 - 6, 2**32 - 6])
    near = chance.choice([0, 1, len(content), number])
    if way == 0:
        data = table([(key, stored(content))], handles=[(number, near)])
    elif way == 1:
        data = table([(key, stored(content))], index_handle=(number, near))
    elif way == 2:  # a compressed block that claims to be long
        data = table([(key, stored(varint(min(number, 2**32 - 1)) + snappy(content)[2:], 1))])
    elif way == 3:
        data = table([(key, stored(content, chance.choice([1, 2, 255])))])
    elif way == 4:  # restarts
        content = content[: -4 * chance.randrange(1, 4)] + struct.pack("<I", min(number, 2**32 - 1))
        data = table([(key, stored(content))])
    elif way == 5:  # order
        chance.shuffle(pairs)
        data = table([(key, stored(block(pairs)))])
    elif way == 6:  # twice
        data = table([(key, stored(content))] * 2, handles=[(0, len(content))] * 2)
    else:  # lengths of entries
        first = varint(min(number, 2**32)) + varint(near) + varint(chance.choice([0, 1, number]))
        data = table([(key, stored(first + content))])
    path.write_bytes(data)
    return f"table, way {way} with {number} and {near}"


def forge_strings(index: pathlib.Path, data: pathlib.Path, chance: random.Random) -> str:
    """Forges the lengths of strings, whose checksum is right; returns what was done."""
    entries = dict(read_table(str(index)))
    messages = {key: BundleEntryProto.FromString(value) for key, value in entries.items() if key}
    strings = sorted(key for key, message in messages.items() if message.dtype == 7)
    message = messages[chance.choice(strings)]
    elements = math.prod(dimension.size for dimension in message.shape.dim)
    lengths = [chance.choice([n for n in NUMBERS if n >= 0] + [2**64 - 1]) for _ in range(elements)]
    head = b"".join(map(varint, lengths))
    plain = b"".join(struct.pack("<I" if n < 2**32 else "<Q", n) for n in lengths)
    forged = head + struct.pack("<I", checksum(plain))
    contents = bytearray(data.read_bytes())
    contents[message.offset : message.offset + len(forged)] = forged
    data.write_bytes(contents)
    return f"lengths {lengths}"


def forge_slice_file(path: pathlib.Path, chance: random.Random) -> str:
    """Forges a checkpoint in the older format; returns what was done."""
    entries = dict(read_table(str(path)))
    key = chance.choice([*entries, b"", b""])
    message = SavedTensorSlices.FromString(entries[key])
    if key:
        tensor = message.data.data
        way = chance.randrange(4)
        if way == 0:
            tensor.Clear()
        elif way == 1:
            del tensor.float_val[len(tensor.float_val) // 2 :]
            del tensor.string_val[1:]
        elif way == 2:
            _forge_dimensions(tensor.tensor_shape, chance)
        else:
            tensor.dtype = chance.choice([1, 2, 7, 20, 21, 1000])
    else:
        meta = chance.choice(list(message.meta.tensor))
        way = chance.randrange(5)
        if way == 0:
            _forge_dimensions(meta.shape, chance)
        elif way == 1:
            meta.type = chance.choice([*range(32), 101, -1])
        elif way == 2:
            _forge_slices_of(meta, chance)
        elif way == 3:
            meta.name = chance.choice(["", "w", "x" * 999])
        else:
            message.meta.versions.min_consumer = chance.choice([-1, 99])
    entries[key] = message.SerializeToString()
    if chance.random() < 0.1:
        del entries[chance.choice(list(entries))]
    write_table(path, entries, compress=chance.random() < 0.1)
    return f"slice file, way {way} of {key!r}"


def _forge_slices_of(meta: Any, chance: random.Random) -> None:
    part = chance.choice(list(meta.slice))
    part.extent.add(start=chance.choice(NUMBERS), length=chance.choice(NUMBERS))
    if chance.random() < 0.5:
        extent = part.extent[0]
        extent.start, extent.length = chance.choice(NUMBERS), chance.choice(NUMBERS)
        del part.extent[-1]
