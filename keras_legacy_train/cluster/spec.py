"""Says which processes train together, and which of them this one is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.cluster import addresses
from keras_legacy_train.cluster.tf_config import read_tf_config

_CHIEFS = ("chief", "master")
# Jobs whose processes compute. Those of all others hold variables.
_TRAINERS = (*_CHIEFS, "worker", "evaluator")

# The job of a server that runs everything.
_MASTER_JOB = "master"
_GRPC = "grpc://"

DEFAULT_TIMEOUT = 300.0


@dataclasses.dataclass(frozen=True)
class Task:
    """Names a process of a cluster.

    Attributes:
        type: Its job: `"chief"`, `"worker"`, `"ps"` or `"evaluator"`.
        index: Its number among those of the job, from 0.
        is_chief: Whether it initialises the variables and writes checkpoints: the `"chief"` (or `"master"`),
            in a cluster without one the first worker.
    """

    type: str
    index: int
    is_chief: bool


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Says where the servers of a training are.

    Attributes:
        servers: The addresses of the servers, `"host:port"`, by their jobs and numbers.
        address: The address that the cluster has for this process, if it is in the cluster.
        device: The device of what the graph puts nowhere: `""` for this process.
        timeout: Seconds for which a server, or the chief, may keep a process waiting.
    """

    servers: Mapping[str, Mapping[int, str]]
    address: str | None = None
    device: str = ""
    timeout: float = DEFAULT_TIMEOUT

    @property
    def addresses(self) -> list[str]:
        """Returns the addresses of all servers."""
        return [address for tasks in self.servers.values() for address in tasks.values()]


def this_task() -> Task | None:
    """Returns which process of the cluster in `TF_CONFIG` this one is; `None` if there is no cluster.

    ```python
    from keras_legacy_train import cluster

    task = cluster.this_task()
    is_chief = task is None or task.is_chief
    ```

    Raises:
        ValueError: `TF_CONFIG` is no JSON, or names no task of its cluster.
    """
    tf_config = read_tf_config()
    if "cluster" not in tf_config:
        return None
    return _task(tf.train.ClusterSpec(tf_config["cluster"]), tf_config)


def as_cluster(cluster: Any, master: Any, is_chief: bool, timeout: float) -> Cluster | None:
    """Returns the cluster that `train` is told of.

    Args:
        cluster: A `tf.train.ClusterSpec`, or what one is made of; `None` for that of `TF_CONFIG`.
        master: `supervisor_master`.
        is_chief: `supervisor_is_chief`.
        timeout: Seconds for which a server, or the chief, may keep a process waiting.

    Returns:
        `None` if everything is in this process.

    Raises:
        ValueError: They contradict each other, or one of them cannot be right.
    """
    tf_config = read_tf_config()
    spec = _as_spec(tf_config.get("cluster", {}) if cluster is None else cluster)
    task = _task(spec, tf_config) if spec.jobs and "task" in tf_config else None
    found = cluster_of(spec, task, master, timeout)
    if found is not None and not found.device:
        _check_task(task, is_chief)
    return found


def cluster_of(
    spec: tf.train.ClusterSpec,
    task: Task | None,
    master: Any,
    timeout: float,
    name: str = "supervisor_master",
) -> Cluster | None:
    """Returns where the servers of a process are that trains.

    Args:
        spec: The cluster; an empty one if there is none.
        task: The process's task in it, if that is known.
        master: The address of the session master.
        timeout: Seconds for which a server, or the chief, may keep the process waiting.
        name: What the user knows the session master by.

    Returns:
        `None` if everything is in this process.

    Raises:
        ValueError: They contradict each other, or one of them cannot be right.
    """
    address = _as_address(name, master)
    servers = {job: dict(enumerate(spec.job_tasks(job))) for job in spec.jobs if job not in _TRAINERS}
    for places in servers.values():
        for each in places.values():
            _check_address(each)
    if servers:
        if address is not None and not _is_in(address, spec):
            raise ValueError(
                f"{name}={master!r} is no process of the cluster {spec.as_dict()}."
                " In a cluster pass '': a process computes by itself."
            )
        # An evaluator is in no cluster.
        own = None if task is None or task.type not in spec.jobs else spec.task_address(task.type, task.index)
        return Cluster(servers, own, timeout=timeout)
    if address is None or _is_in(address, spec):
        return None
    device = f"/job:{_MASTER_JOB}/replica:0/task:0/device:CPU:0"
    return Cluster({_MASTER_JOB: {0: address}}, device=device, timeout=timeout)


def _as_address(name: str, master: Any) -> str | None:
    """Returns the address of a session master; `None` for this process.

    Raises:
        ValueError: It is no address.
    """
    if master in ("", "local", None):
        return None
    if not isinstance(master, str) or not master.startswith(_GRPC):
        raise ValueError(f"{name} must be '', 'local' or 'grpc://host:port'; it is {master!r}.")
    try:
        host, port = addresses.split(master.removeprefix(_GRPC))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    return f"{host}:{port}"


def _check_address(address: str) -> None:
    try:
        addresses.split(address)
    except ValueError as error:
        raise ValueError(f"cluster: {error}") from error


def _as_spec(cluster: Any) -> tf.train.ClusterSpec:
    try:
        return tf.train.ClusterSpec(cluster)
    except TypeError as error:
        raise ValueError(
            f"cluster must be a tf.train.ClusterSpec, or a dict from jobs to addresses; it is {cluster!r}."
        ) from error


def _task(spec: tf.train.ClusterSpec, tf_config: Mapping[str, Any]) -> Task:
    """Returns the task that `TF_CONFIG` names, checked against the cluster."""
    task = tf_config.get("task", {})
    job, index = task.get("type"), task.get("index", 0)
    if job != "evaluator" and (
        job not in spec.jobs or not str(index).isdigit() or int(index) not in spec.task_indices(job)
    ):
        raise ValueError(f"TF_CONFIG: task {task} is not in the cluster {spec.as_dict()}.")
    has_chief = any(chief in spec.jobs for chief in _CHIEFS)
    is_chief = job in _CHIEFS or (job == "worker" and int(index) == 0 and not has_chief)
    return Task(job, int(index), is_chief)


def _check_task(task: Task | None, is_chief: bool) -> None:
    if task is None:
        return
    if task.type not in (*_CHIEFS, "worker"):
        raise ValueError(
            f"By TF_CONFIG this process is {task.type} {task.index}, which does not train."
            " Call keras_legacy_train.cluster.serve() in it."
        )
    if task.is_chief != is_chief:
        raise ValueError(
            f"supervisor_is_chief={is_chief}, but by TF_CONFIG this process is {task.type} {task.index},"
            f" which is {'the' if task.is_chief else 'not the'} chief. Pass"
            " supervisor_is_chief=keras_legacy_train.cluster.this_task().is_chief."
        )


def _is_in(address: str, spec: tf.train.ClusterSpec) -> bool:
    """Returns whether an address may be that of a process of the cluster that computes, by its port.

    A server speaks of itself as `localhost`, whatever the cluster calls its machine.
    """
    _, port = addresses.split(address)
    return any(
        addresses.split(each)[1] == port
        for job in spec.jobs
        if job in _TRAINERS
        for each in spec.job_tasks(job)
    )
