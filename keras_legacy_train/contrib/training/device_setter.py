"""Strategies by which `tf.compat.v1.train.replica_device_setter` chooses the server of a variable."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import tensorflow as tf


class RandomStrategy:
    """Chooses servers at random, the same one for a name each time.

    Stands for `tf.contrib.training.RandomStrategy`.

    Args:
        num_ps_tasks: How many servers there are.
        seed: Which choice is made.
    """

    def __init__(self, num_ps_tasks: int, seed: int = 0):
        self._num_tasks = num_ps_tasks
        self._seed = seed

    def __call__(self, op: tf.Operation) -> int:
        """Returns the server of an op."""
        digest = hashlib.md5(f"{op.name}_{self._seed}".encode(), usedforsecurity=False).hexdigest()
        return int(digest, 16) % self._num_tasks


class GreedyLoadBalancingStrategy:
    """Chooses the server with the least load; stands for `tf.contrib.training.GreedyLoadBalancingStrategy`.

    Args:
        num_tasks: How many servers there are.
        load_fn: Returns the load that an op is, `byte_size_load_fn` for example.
    """

    def __init__(self, num_tasks: int, load_fn: Callable[[tf.Operation], float]):
        self._load_fn = load_fn
        self._loads = [0.0] * num_tasks

    def __call__(self, op: tf.Operation) -> int:
        """Returns the server of an op."""
        task = self._loads.index(min(self._loads))
        self._loads[task] += self._load_fn(op)
        return task


def byte_size_load_fn(op: tf.Operation) -> int:
    """Returns how many bytes a variable has; stands for `tf.contrib.training.byte_size_load_fn`.

    Args:
        op: The op of a variable.

    Raises:
        ValueError: It has several outputs, or its shape is not known.
    """
    if len(op.outputs) != 1:
        raise ValueError(f"{op.name} must have one output; it has {len(op.outputs)}.")
    (output,) = op.outputs
    is_resource = output.dtype == tf.resource
    dtype = tf.as_dtype(op.get_attr("dtype")) if is_resource else output.dtype.base_dtype
    shape = output.shape
    if is_resource or not shape.is_fully_defined():
        shape = tf.TensorShape(op.get_attr("shape"))
    shape.assert_is_fully_defined()
    return int(shape.num_elements() * dtype.size)
