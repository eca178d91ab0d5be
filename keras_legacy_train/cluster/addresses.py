"""Takes the addresses of servers apart: `"host:port"`."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

LOOPBACK = "127.0.0.1"
_ANY = ("0.0.0.0", "::", "*")


def split(address: str) -> tuple[str, int]:
    """Returns the host and the port of an address; the loopback host where it names none.

    Raises:
        ValueError: It is no `"host:port"`.
    """
    host, colon, port = str(address).rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f'The address of a server must be "host:port", such as "10.0.0.1:2222": {address!r}')
    return host.strip("[]") or LOOPBACK, int(port)


def is_any(host: str) -> bool:
    """Returns whether a host stands for all addresses of a machine."""
    return host in _ANY


def ip_addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Returns the addresses of a host.

    Raises:
        OSError: The name is not known.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found))


def is_loopback(host: str) -> bool:
    """Returns whether a host is reached from its own machine only; not if its name is not known."""
    try:
        return all(address.is_loopback for address in ip_addresses(host))
    except OSError:
        return False


def host_towards(host: str) -> str:
    """Returns the address of this machine by which it reaches another one."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect((host, 9))  # sends nothing, so any port will do
        return str(probe.getsockname()[0])


def is_free(port: int) -> bool:
    """Returns whether a server can listen at a port of this machine."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Returns a port at which nothing listens."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
