"""Holds how an Estimator of `tf.contrib.learn` runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import estimator

# What may differ between two runs of one experiment.
_FREE = (
    *("tf_random_seed", "save_summary_steps", "save_checkpoints_steps", "save_checkpoints_secs"),
    *("session_config", "keep_checkpoint_max", "keep_checkpoint_every_n_hours", "log_step_count_steps"),
)


class Environment:
    """Names where a job runs, as `TF_CONFIG` tells it."""

    CLOUD = "cloud"
    GOOGLE = "google"
    LOCAL = "local"


class TaskType:
    """Names the tasks of a cluster; stands for `tf.contrib.learn.TaskType`."""

    MASTER = "master"
    PS = "ps"
    WORKER = "worker"


class RunConfig(estimator.RunConfig):
    """Holds how an Estimator runs; stands for `tf.contrib.learn.RunConfig`.

    It is an `estimator.RunConfig`, so both kinds of Estimators take it. What describes a cluster is read from
    the environment variable `TF_CONFIG`.

    Args:
        master: Address of the session master; by default that of this task in `TF_CONFIG`, or `""`.
        num_cores: Number of cores of a server, in `tf_config`; 0 for all.
        log_device_placement: Whether a server logs the device of each op, in `tf_config`.
        gpu_memory_fraction: Fraction of each GPU's memory that a server takes, in `tf_config`.
        tf_random_seed: The graph-level random seed; `None` for other numbers in each run.
        save_summary_steps: Steps from one summary to the next; 0 or `None` for none.
        save_checkpoints_secs: Seconds from one checkpoint to the next; by default 600 if
            `save_checkpoints_steps` is not given.
        save_checkpoints_steps: Steps from one checkpoint to the next.
        keep_checkpoint_max: How many checkpoints are kept; `None` or 0 for all.
        keep_checkpoint_every_n_hours: Hours from one checkpoint to the next that is kept for good.
        log_step_count_steps: Steps from one log line to the next.
        protocol: `"grpc"`, `"grpc+verbs"` or `None`; what a cluster speaks.
        evaluation_master: Address of the session master for evaluations.
        model_dir: Directory of checkpoints and event files; `None` leaves it to the Estimator.
        session_config: A `tf.compat.v1.ConfigProto`.
        session_creation_timeout_secs: The longest time that a process of a cluster waits for the chief, or
            for a parameter server that does not answer; `None` for no limit.

    Raises:
        ValueError: An argument or `TF_CONFIG` cannot be right.
    """

    _USE_DEFAULT = 0

    def __init__(
        self,
        master: str | None = None,
        num_cores: int = 0,
        log_device_placement: bool = False,
        gpu_memory_fraction: float = 1,
        tf_random_seed: int | None = None,
        save_summary_steps: int | None = 100,
        save_checkpoints_secs: float | None = _USE_DEFAULT,
        save_checkpoints_steps: int | None = None,
        keep_checkpoint_max: int | None = 5,
        keep_checkpoint_every_n_hours: float | None = 10000,
        log_step_count_steps: int | None = 100,
        protocol: str | None = None,
        evaluation_master: str = "",
        model_dir: str | os.PathLike[str] | None = None,
        session_config: tf.compat.v1.ConfigProto | None = None,
        session_creation_timeout_secs: float | None = 7200,
    ):
        if save_checkpoints_secs == self._USE_DEFAULT:
            save_checkpoints_secs = 600 if save_checkpoints_steps is None else None
        self._tf_config = tf.compat.v1.ConfigProto(
            log_device_placement=log_device_placement,
            inter_op_parallelism_threads=num_cores,
            intra_op_parallelism_threads=num_cores,
            gpu_options=tf.compat.v1.GPUOptions(per_process_gpu_memory_fraction=gpu_memory_fraction),
        )
        super().__init__(
            model_dir=model_dir,
            tf_random_seed=tf_random_seed,
            save_summary_steps=save_summary_steps,
            save_checkpoints_steps=save_checkpoints_steps,
            save_checkpoints_secs=save_checkpoints_secs,
            session_config=session_config,
            keep_checkpoint_max=keep_checkpoint_max,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            log_step_count_steps=log_step_count_steps,
            protocol=protocol,
            session_creation_timeout_secs=session_creation_timeout_secs,
        )
        if master is not None:
            self._master = master
        self._evaluation_master = evaluation_master or ""

    def _read_cluster(self, tf_config: Mapping[str, Any]) -> None:
        task = tf_config.get("task", {})
        self._service = tf_config.get("service")
        self._environment = tf_config.get("environment", Environment.LOCAL)
        self._cluster_spec = tf.train.ClusterSpec(tf_config.get("cluster", {}))
        self._task_type = task.get("type")
        self._task_id = int(task.get("index") or 0)
        self._master = _master(self._cluster_spec, self._task_type, self._task_id)
        jobs = self._cluster_spec.as_dict()
        self._num_ps_replicas = len(jobs.get(TaskType.PS, []))
        self._num_worker_replicas = len(jobs.get(TaskType.WORKER, [])) + len(jobs.get(TaskType.MASTER, []))
        self._global_id_in_cluster = self._task_id
        chief = TaskType.MASTER if self._environment == Environment.CLOUD else TaskType.WORKER
        self._is_chief = self._task_id == 0 and self._task_type in (None, chief)

    @property
    def environment(self) -> str:
        """Returns where the job runs, one of `"local"`, `"cloud"` and `"google"`."""
        return str(self._environment)

    @property
    def tf_config(self) -> tf.compat.v1.ConfigProto:
        """Returns the configuration of a server of the cluster."""
        return self._tf_config

    @staticmethod
    def get_task_id() -> int:
        """Returns the number of this process's task in `TF_CONFIG`, 0 if it is not told."""
        return RunConfig().task_id

    def uid(self, whitelist: Iterable[str] | None = None) -> str:
        """Returns a text that is the same for configurations of the same experiment.

        Args:
            whitelist: Names of the properties that may differ; by default those that do not change what is
                trained, as the intervals of checkpoints and summaries.
        """
        free = {f"_{name}" for name in (_FREE if whitelist is None else whitelist)}
        properties = {name: value for name, value in vars(self).items() if name not in free}
        properties["_cluster_spec"] = sorted(self._cluster_spec.as_dict().items())
        return ", ".join(f"{name}={value!r}" for name, value in sorted(properties.items()))


def _master(cluster: tf.train.ClusterSpec, task_type: str | None, task_id: int) -> str:
    """Returns the address of this process's server, `""` if it is on its own.

    Raises:
        ValueError: The cluster has no such task.
    """
    jobs = cluster.as_dict()
    if sum(map(len, jobs.values())) <= 1 or not task_type:
        return ""
    hint = "Note that these values may be coming from the TF_CONFIG environment variable."
    if task_type not in jobs:
        raise ValueError(f"{task_type} is not a valid task_type in the cluster_spec:\n{cluster}\n\n{hint}")
    if not 0 <= task_id < len(jobs[task_type]):
        raise ValueError(
            f"{task_id} is not a valid task_id for task_type {task_type} in the cluster_spec:\n{cluster}"
            f"\n\n{hint}"
        )
    return f"grpc://{jobs[task_type][task_id]}"
