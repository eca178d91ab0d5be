"""Makes the keys under which a checkpoint has the slices of partitioned variables."""

from __future__ import annotations

from collections.abc import Sequence


def is_slice_key(key: bytes) -> bool:
    """Tells whether a key is that of a slice: no variable's name begins with a zero byte."""
    return key.startswith(b"\x00")


def slice_key(name: bytes, extents: Sequence[tuple[int, int]]) -> bytes:
    """Returns the key of a slice. Sorted as bytes, such keys are in the order of what they encode.

    Args:
        name: The variable's name.
        extents: The offset and the length along each dimension; of a whole dimension 0 and -1.
    """
    numbers = b"".join(_signed(number) for extent in extents for number in extent)
    return _unsigned(0) + _string(name) + _unsigned(len(extents)) + numbers


def _string(text: bytes) -> bytes:
    escapes = {0x00: b"\x00\xff", 0xFF: b"\xff\x00"}
    return b"".join(escapes.get(byte, bytes([byte])) for byte in text) + b"\x00\x01"


def _unsigned(number: int) -> bytes:
    """Encodes the number of bytes, then the bytes, the highest first."""
    size = (number.bit_length() + 7) // 8
    return bytes([size]) + number.to_bytes(size, "big")


def _signed(number: int) -> bytes:
    """Encodes a number of 64 bits: as many leading ones as there are bytes, then the number.

    All bits of that header are inverted for negative numbers.
    """
    size = (number ^ (number >> 63)).bit_length() // 7 + 1
    header = (1 << size) - 1 << 7 * size
    return ((number & (1 << 8 * size) - 1) ^ header).to_bytes(size, "big")
