"""Keeps a server of TensorFlow to the address that it is asked for.

TensorFlow's servers listen at all addresses of the machine, whatever address they are given, and run what any
peer sends. So a filter is put on the socket, by which Linux drops what is not sent to the wanted address.
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import logging
import os
import secrets
import socket
import stat
import struct
import sys
from collections.abc import Iterable, Iterator

from keras_legacy_train.cluster import addresses

_LOGGER = logging.getLogger("keras_legacy_train")

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))

_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
# Instructions of the classic Berkeley Packet Filter.
_LOAD_WORD, _LOAD_BYTE, _SHIFT_RIGHT, _AND, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x30, 0x74, 0x54, 0x15, 0x06
_ALL, _NOTHING = 0xFFFFFFFF, 0
_IP_HEADER = 0xFFF00000  # where the header of the IP packet begins, for load instructions
_DESTINATION_V4, _DESTINATION_V6 = _IP_HEADER + 16, _IP_HEADER + 24

_Instruction = tuple[int, int, int, int]


def listen_only_at(host: str, port: int) -> None:
    """Has what listens at a port of this process hear only what is sent to one host, or from this machine.

    Where that is not possible, a warning says so.

    Args:
        host: The host; one that stands for all addresses leaves everything as it is.
        port: The port.
    """
    if addresses.is_any(host):
        for listener in _listeners(port):
            with contextlib.suppress(FileNotFoundError):  # there is no filter
                listener.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        return
    if sys.platform != "linux":
        _LOGGER.warning(
            "TensorFlow's server listens at port %d of all addresses of this machine, not only at %s, and"
            " runs what any peer sends. Keep the port closed by a firewall.",
            port,
            host,
        )
        return
    own = [ipaddress.ip_network(address) for address in addresses.ip_addresses(host)]
    _attach_filter(port, [*_LOOPBACK, *own])


def listen_to_this_process(port: int) -> str:
    """Has what listens at a port of this process hear only what is sent to a host that it returns.

    It is a loopback address that no other process thinks of. Until `listen_only_at` is called, connections of
    others wait. On systems but Linux they do not.
    """
    if sys.platform != "linux":
        return addresses.LOOPBACK
    host = str(_LOOPBACK[0][secrets.randbelow(2**24 - 2) + 1])
    _attach_filter(port, [ipaddress.ip_network(host)])
    return host


def _attach_filter(port: int, networks: Iterable[_Network]) -> None:
    """Has what listens at a port of this process hear only what is sent to some networks."""
    program = b"".join(struct.pack("HBBI", *each) for each in _filter(networks))
    instructions = ctypes.create_string_buffer(program)
    filter_program = struct.pack("HP", len(program) // 8, ctypes.addressof(instructions))
    for listener in _listeners(port):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_program)


def _filter(networks: Iterable[_Network]) -> list[_Instruction]:
    """Returns the filter that passes packets to some networks only."""
    version_4, version_6 = [], []
    for network in dict.fromkeys(networks):
        if isinstance(network, ipaddress.IPv4Network):
            version_4 += [
                (_LOAD_WORD, 0, 0, _DESTINATION_V4),
                (_AND, 0, 0, int(network.netmask)),
                (_JUMP_IF_EQUAL, 0, 1, int(network.network_address)),
                (_RETURN, 0, 0, _ALL),
            ]
        else:
            words = struct.unpack(">4I", network.network_address.packed)
            for index, word in enumerate(words):
                version_6.append((_LOAD_WORD, 0, 0, _DESTINATION_V6 + 4 * index))
                version_6.append((_JUMP_IF_EQUAL, 0, 7 - 2 * index, word))
            version_6.append((_RETURN, 0, 0, _ALL))
    version_4.append((_RETURN, 0, 0, _NOTHING))
    version_6.append((_RETURN, 0, 0, _NOTHING))
    return [
        (_LOAD_BYTE, 0, 0, _IP_HEADER),
        (_SHIFT_RIGHT, 0, 0, 4),
        (_JUMP_IF_EQUAL, 0, len(version_4), 4),
        *version_4,
        *version_6,
    ]


def hang_up(addresses_of_peers: Iterable[str], own_port: int) -> None:
    """Closes the connections of this process to some servers, and theirs to it.

    Calls into TensorFlow that wait for such a server then fail, as if it had ended.

    Args:
        addresses_of_peers: The addresses of the servers, `"host:port"`.
        own_port: The port at which this process listens.
    """
    peers = {
        (str(address), port)
        for host, port in map(addresses.split, addresses_of_peers)
        for address in addresses.ip_addresses(host)
    }
    for each in _sockets():
        with contextlib.suppress(OSError):  # one that is not connected
            host, port = each.getpeername()[:2]
            if (host.removeprefix("::ffff:"), port) in peers or each.getsockname()[1] == own_port:
                each.shutdown(socket.SHUT_RDWR)


def _listeners(port: int) -> Iterator[socket.socket]:
    for each in _sockets():
        is_listening = each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        if is_listening and each.getsockname()[1] == port:
            yield each


def _sockets() -> Iterator[socket.socket]:
    """Yields the internet stream sockets that are open in this process."""
    for number in map(int, os.listdir("/dev/fd")):
        try:
            is_socket = stat.S_ISSOCK(os.fstat(number).st_mode)
            copy = os.dup(number) if is_socket else None
        except OSError:
            continue  # closed meanwhile
        if copy is not None:
            with socket.socket(fileno=copy) as each:
                if each.type == socket.SOCK_STREAM and each.family in (socket.AF_INET, socket.AF_INET6):
                    yield each
