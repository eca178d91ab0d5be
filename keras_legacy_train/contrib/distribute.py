"""Has the names of `tf.contrib.distribute`, over `tf.distribute`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

v1 = tf.compat.v1

CrossDeviceOps = tf.distribute.CrossDeviceOps
DistributionStrategy = v1.distribute.Strategy
OneDeviceStrategy = v1.distribute.OneDeviceStrategy
ReductionToOneDeviceCrossDeviceOps = v1.distribute.ReductionToOneDevice
get_loss_reduction = v1.distribute.get_loss_reduction
get_replica_context = v1.distribute.get_replica_context
get_strategy = v1.distribute.get_strategy
has_strategy = v1.distribute.has_strategy
in_cross_replica_context = v1.distribute.in_cross_replica_context
# Their names in TensorFlow 1.8 to 1.12.
get_distribution_strategy = get_strategy
has_distribution_strategy = has_strategy

__all__ = [
    "AllReduceCrossDeviceOps",
    "AllReduceCrossTowerOps",
    "CrossDeviceOps",
    "DistributionStrategy",
    "MirroredStrategy",
    "OneDeviceStrategy",
    "ReductionToOneDeviceCrossDeviceOps",
    "get_distribution_strategy",
    "get_loss_reduction",
    "get_replica_context",
    "get_strategy",
    "has_distribution_strategy",
    "has_strategy",
    "in_cross_replica_context",
]

__getattr__ = module_getattr(__name__, __all__)


def AllReduceCrossDeviceOps(
    all_reduce_alg: str = "nccl", num_packs: int = 1, *args: Any, **kwargs: Any
) -> tf.distribute.CrossDeviceOps:
    """Returns the ops that sum over devices; stands for `tf.contrib.distribute.AllReduceCrossDeviceOps`.

    Args:
        all_reduce_alg: "nccl" or "hierarchical_copy".
        num_packs: How many packs of tensors are sent.
        *args: Limits for small tensors, which are not needed any more.
        **kwargs: The same by name.

    Raises:
        ValueError: There is no such algorithm.
    """
    if all_reduce_alg == "nccl":
        return tf.distribute.NcclAllReduce(num_packs)
    if all_reduce_alg == "hierarchical_copy":
        return tf.distribute.HierarchicalCopyAllReduce(num_packs)
    raise ValueError(f"all_reduce_alg must be 'nccl' or 'hierarchical_copy', but is {all_reduce_alg!r}")


AllReduceCrossTowerOps = AllReduceCrossDeviceOps


def MirroredStrategy(
    devices: Sequence[str] | None = None,
    num_gpus: int | None = None,
    num_gpus_per_worker: int | None = None,
    cross_device_ops: Any = None,
    auto_shard_dataset: bool = False,
    cross_tower_ops: Any = None,
) -> tf.distribute.Strategy:
    """Returns a strategy with a copy of the variables on each GPU.

    Stands for `tf.contrib.distribute.MirroredStrategy`.

    Args:
        devices: The devices; by default all GPUs, or `num_gpus` of them.
        num_gpus: The number of GPUs.
        num_gpus_per_worker: The same by its later name.
        cross_device_ops: The ops that sum over devices.
        auto_shard_dataset: Not needed: this is one worker.
        cross_tower_ops: The ops by their older name.

    Raises:
        ValueError: Both devices and a number of GPUs are given.
    """
    count = num_gpus if num_gpus is not None else num_gpus_per_worker
    if devices is not None and count is not None:
        raise ValueError("Must only specify one of `devices` and `num_gpus`.")
    if count is not None:
        devices = [f"/device:GPU:{number}" for number in range(count)] or ["/device:CPU:0"]
    return v1.distribute.MirroredStrategy(devices, cross_device_ops or cross_tower_ops)
