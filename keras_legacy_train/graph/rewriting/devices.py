"""Translates a graph's device strings, which may name a cluster, to devices of this machine."""

from __future__ import annotations

import logging

import tensorflow as tf

_LOGGER = logging.getLogger("keras_legacy_train")


class LocalDevices:
    """Translates device strings: `"/job:worker/task:3/device:CPU:0"` becomes `"/device:CPU:0"`.

    A device that does not exist here becomes `""`, so that TensorFlow places the op. The first such device is
    logged.
    """

    def __init__(self) -> None:
        self._translated = {"": ""}
        self._has_told = False

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
