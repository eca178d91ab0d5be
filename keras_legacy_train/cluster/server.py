"""Runs a server that holds variables, or computes, for other processes."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.cluster import addresses
from keras_legacy_train.cluster.listening import listen_only_at, listen_to_this_process
from keras_legacy_train.cluster.status import open_channel
from keras_legacy_train.cluster.tf_config import read_tf_config

_SECONDS_HELD = 2**31
_SECONDS_TO_ANSWER = 60.0

_LOGGER = logging.getLogger("keras_legacy_train")


def serve(*, all_addresses: bool = False) -> None:
    """Runs the server of this process's task in `TF_CONFIG`, until a signal ends the process.

    It listens at the address that `TF_CONFIG` has for the task; where that names no host (`":2222"`), at the
    loopback address. Stands for `tf.train.Server(cluster, job_name, task_index).join()`.

    TensorFlow's servers run whatever a peer sends, and ask for no password. So the port must be closed to
    everybody who may not run programs on this machine.

    Args:
        all_addresses: Whether an address such as `"0.0.0.0:2222"`, which stands for all addresses of the
            machine, is accepted.

    Raises:
        ValueError: `TF_CONFIG` names no cluster or no task of it, or all addresses without `all_addresses`.
        OSError: The address is in use, or is none of this machine.
    """
    tf_config = read_tf_config()
    task = tf_config.get("task", {})
    try:
        spec = tf.train.ClusterSpec(tf_config["cluster"])
        job, index = task["type"], int(task["index"])
        address = spec.task_address(job, index)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            'TF_CONFIG must name a task of its cluster, such as {"cluster": {"ps": ["10.0.0.1:2222"]},'
            f' "task": {{"type": "ps", "index": 0}}}}. It is {tf_config}.'
        ) from error
    host, port = addresses.split(address)
    if addresses.is_any(host) and not all_addresses:
        raise ValueError(
            f"{address} is all addresses of this machine, and the server would run what anybody sends. Name"
            " one address, or pass all_addresses=True (--all-addresses)."
        )
    with _running(job, index, host, port):
        _LOGGER.info("Serving as %s %d at %s:%d.", job, index, host, port)
        if not addresses.is_loopback(host):
            _LOGGER.warning(
                "%s is reached from other machines. TensorFlow's servers run whatever a peer sends, without a"
                " password: keep the port closed to strangers.",
                address,
            )
        threading.Event().wait()  # unlike the server's own `join`, it is ended by Ctrl-C


@contextlib.contextmanager
def _running(job: str, index: int, host: str, port: int) -> Iterator[None]:
    _check_free(host, port)
    # The server need not know the others: clients tell it of those that it is to speak to.
    cluster = tf.train.ClusterSpec({job: {index: f"{host}:{port}"}})
    server = tf.distribute.Server(cluster, job_name=job, task_index=index)
    _hold_context(server.server_def, f"{listen_to_this_process(port)}:{port}")
    listen_only_at(host, port)
    try:
        yield
    finally:
        del server


def _hold_context(server: tf.train.ServerDef, address: str) -> None:
    """Has the server keep a context, which is what it holds for a client, as long as it lives.

    TensorFlow's server makes a new collective executor for a client that comes while it has no context. Of
    two clients that come at once, one then uses an executor that is freed, which ends the server's process.
    """
    with contextlib.closing(open_channel(address)) as channel:
        create = channel.unary_unary("/tensorflow.eager.EagerService/CreateContext")
        create(_tensorflow.create_context_request(server, _SECONDS_HELD), timeout=_SECONDS_TO_ANSWER)


def _check_free(host: str, port: int) -> None:
    """Raises OSError if the address is in use, or is none of this machine; TensorFlow would not say which."""
    place = "" if addresses.is_any(host) else host
    try:
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((place, port))
    except OSError as error:
        raise OSError(error.errno, f"The server cannot listen at {host}:{port}: {error.strerror}") from error
