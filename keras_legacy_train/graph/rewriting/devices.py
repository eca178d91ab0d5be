"""Translates a graph's device strings, which may name a cluster, to devices that there are."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Callable, Collection, Mapping

import tensorflow as tf

from keras_legacy_train._tensorflow import NodeDef

_LOGGER = logging.getLogger("keras_legacy_train")


class LocalDevices:
    """Translates device strings: `"/job:worker/task:3/device:CPU:0"` becomes `"/device:CPU:0"`.

    A device that does not exist here becomes `""`, so that TensorFlow places the op. The first such device is
    logged.
    """

    # Where all runs that the graph puts nowhere; "" for this process.
    default = ""
    # Makes a name one of this process's own, among all that use the same servers.
    process_suffix = ""

    def __init__(self) -> None:
        self._translated = {"": ""}
        self._has_told = False

    def of_variable(self, device: str) -> tuple[str | None, bool]:
        """Returns the device of the server that holds a variable, and whether other processes use it, too.

        `None` stands for this process.
        """
        return None, False

    def scope(self) -> contextlib.AbstractContextManager[object]:
        """Returns the context that functions are made in; it says where their operations run."""
        return contextlib.nullcontext()

    def check_servers(self) -> None:
        """Raises an error if a server that functions need has been given up."""

    def check(self, op: tf.Operation) -> None:
        """Raises ValueError if an operation of the graph cannot run where it is put."""

    def place(self, node: NodeDef, *, calls_python: bool) -> None:
        """Places a node whose device has been translated.

        Args:
            node: The node.
            calls_python: Whether datasets call Python.
        """

    def __call__(self, device: str) -> str:
        """Returns the local device for a device string, `""` for any."""
        if device not in self._translated:
            self._translated[device] = self._translate(device)
        return self._translated[device]

    def _translate(self, device: str) -> str:
        spec = tf.DeviceSpec.from_string(device)
        here = {(d.device_type, int(d.name.rpartition(":")[2])) for d in tf.config.list_logical_devices()}
        known_type = spec.device_type is None or (spec.device_type.upper(), spec.device_index or 0) in here
        if not known_type or spec.job not in (None, "localhost"):
            self._tell(device)
        if spec.device_type is None or not known_type:
            return ""
        local = tf.DeviceSpec(device_type=spec.device_type, device_index=spec.device_index)
        return str(local.to_string())

    def _tell(self, device: str) -> None:
        if not self._has_told:
            self._has_told = True
            _LOGGER.info(
                "The graph names devices that do not exist here, such as %s; its ops run on what there is.",
                device,
            )


# Parts of the names of ops whose resource the processes would have to share.
_SHARED = ("Queue", "Accumulator", "Barrier", "MutableHashTable", "MutableDenseHashTable", "StagingArea")
_INPUTS = ("Iterator", "Dataset")
_LOCAL_HOST = "/job:localhost/replica:0/task:0/device:CPU:0"


class ClusterDevices(LocalDevices):
    """Translates the device strings of a graph whose variables lie on servers.

    Of what a graph puts on a server, the variables are there, and the ops that use them. All else is computed
    in this process or, where a server runs everything, on that one.

    Args:
        servers: The numbers of the servers of each job.
        default: The device of the server that runs everything, `""` for this process.
        check_servers: Called before anything runs; raises an error if a server has been given up.
    """

    def __init__(
        self,
        servers: Mapping[str, Collection[int]],
        default: str = "",
        check_servers: Callable[[], None] = lambda: None,
    ):
        super().__init__()
        self._servers = servers
        self.default = default
        self.process_suffix = f"_{uuid.uuid4().hex}"
        self._check_servers = check_servers

    def of_variable(self, device: str) -> tuple[str | None, bool]:
        """Returns the device of the server that holds a variable, and whether other processes use it, too.

        Raises:
            ValueError: The cluster has no such server.
        """
        spec = tf.DeviceSpec.from_string(device)
        if self.default or spec.job not in self._servers:
            return self.default or None, False
        index = spec.task or 0
        if index not in self._servers[spec.job]:
            raise ValueError(
                f"The graph puts a variable on {device}, but the cluster has only"
                f" {len(self._servers[spec.job])} of {spec.job!r}."
            )
        return f"/job:{spec.job}/replica:0/task:{index}/device:CPU:0", True

    def scope(self) -> contextlib.AbstractContextManager[object]:
        return tf.device(self.default) if self.default else contextlib.nullcontext()

    def check_servers(self) -> None:
        self._check_servers()

    def check(self, op: tf.Operation) -> None:
        """Checks that an operation of the graph can run where it is put.

        Raises:
            ValueError: The processes would have to share what it holds.
        """
        job = tf.DeviceSpec.from_string(op.device).job
        if not self.default and job in self._servers and any(part in op.type for part in _SHARED):
            raise ValueError(
                f"{op.name} ({op.type}) is on {op.device}, but of all that holds state only variables can be"
                " shared by the processes of a cluster. Put it on the worker. In the place of"
                " SyncReplicasOptimizer, which needs a queue on a server, use the optimizer that it wraps, or"
                " a Keras model and tf.distribute.MultiWorkerMirroredStrategy."
            )

    def place(self, node: NodeDef, *, calls_python: bool) -> None:
        is_input = any(part in node.op for part in _INPUTS)
        if self.default and ("PyFunc" in node.op or (is_input and calls_python)):
            node.device = _LOCAL_HOST  # where the Python is
        elif self.default and (is_input or node.op == "VarHandleOp"):
            node.device = self.default

    def _translate(self, device: str) -> str:
        spec = tf.DeviceSpec.from_string(device)
        if self.default or spec.job in self._servers:
            return ""  # where the variable is that it uses, or all else
        return super()._translate(spec.replace(job=None, replica=None, task=None).to_string())
