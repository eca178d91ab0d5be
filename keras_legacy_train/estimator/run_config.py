"""Holds how an Estimator runs."""

from __future__ import annotations

import copy
import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.cluster.tf_config import read_tf_config
from keras_legacy_train.estimator import log

_Config = TypeVar("_Config", bound="RunConfig")

_USE_DEFAULT = object()


class TaskType:
    """Names the tasks of a cluster.

    Attributes:
        MASTER: What the chief was called first.
        PS: Holds variables.
        WORKER: Trains.
        CHIEF: Trains, and writes checkpoints.
        EVALUATOR: Evaluates checkpoints; it is not part of the training cluster.
    """

    MASTER = "master"
    PS = "ps"
    WORKER = "worker"
    CHIEF = "chief"
    EVALUATOR = "evaluator"


class RunConfig:
    """Holds how an Estimator runs; stands for `tf.estimator.RunConfig`.

    What describes a cluster is read from the environment variable `TF_CONFIG`, a JSON object with the keys
    `cluster` and `task`: `cluster_spec`, `task_type`, `task_id`, `is_chief`, `master`, `num_ps_replicas`,
    `num_worker_replicas`, `global_id_in_cluster`. There may also be `model_dir` and `service`.

    Args:
        model_dir: Directory of checkpoints and event files; `None` leaves it to the Estimator.
        tf_random_seed: The graph-level random seed; `None` for other numbers in each run.
        save_summary_steps: Steps from one summary to the next; 0 or `None` for none.
        save_checkpoints_steps: Steps from one checkpoint to the next.
        save_checkpoints_secs: Seconds from one checkpoint to the next. 600 if neither of the two is given; if
            both are `None` or 0, no checkpoint is written.
        session_config: A `tf.compat.v1.ConfigProto`. There is no session here, so a warning names what in it
            has no effect, and what to use.
        keep_checkpoint_max: How many checkpoints are kept; `None` or 0 for all.
        keep_checkpoint_every_n_hours: Hours from one checkpoint to the next that is kept for good.
        log_step_count_steps: Steps from one log line to the next; `None` for none.
        train_distribute: Must be `None`: strategies are not supported.
        device_fn: Returns the device of an operation that is being made; its argument is called `op`. In a
            cluster the default is `tf.compat.v1.train.replica_device_setter`, which puts variables on the
            parameter servers in turn.
        protocol: `"grpc"`, `"grpc+verbs"` or `None`; what a cluster speaks.
        eval_distribute: Must be `None`: strategies are not supported.
        experimental_distribute: Must be `None`: strategies are not supported.
        experimental_max_worker_delay_secs: The longest time that `train_and_evaluate` has a worker of a
            cluster wait at the start, so that the workers begin one after the other; `None` for 60.
        session_creation_timeout_secs: The longest time that a process of a cluster waits for the chief, or
            for a parameter server that does not answer; `None` for no limit.
        checkpoint_save_graph_def: Whether `graph.pbtxt` and `.meta` files are written.

    Raises:
        ValueError: An argument or `TF_CONFIG` cannot be right.
        TypeError: `service` in `TF_CONFIG` is no dict.
        NotImplementedError: A strategy is given.
    """

    # What `replace` may change.
    _REPLACEABLE: tuple[str, ...] = (
        "model_dir",
        "tf_random_seed",
        "save_summary_steps",
        "save_checkpoints_steps",
        "save_checkpoints_secs",
        "session_config",
        "keep_checkpoint_max",
        "keep_checkpoint_every_n_hours",
        "log_step_count_steps",
        "train_distribute",
        "device_fn",
        "protocol",
        "eval_distribute",
        "experimental_distribute",
        "experimental_max_worker_delay_secs",
        "session_creation_timeout_secs",
        "checkpoint_save_graph_def",
    )

    def __init__(
        self,
        model_dir: str | os.PathLike[str] | None = None,
        tf_random_seed: int | None = None,
        save_summary_steps: int | None = 100,
        save_checkpoints_steps: Any = _USE_DEFAULT,
        save_checkpoints_secs: Any = _USE_DEFAULT,
        session_config: tf.compat.v1.ConfigProto | None = None,
        keep_checkpoint_max: int | None = 5,
        keep_checkpoint_every_n_hours: float | None = 10000,
        log_step_count_steps: int | None = 100,
        train_distribute: Any = None,
        device_fn: Callable[[tf.Operation], Any] | None = None,
        protocol: str | None = None,
        eval_distribute: Any = None,
        experimental_distribute: Any = None,
        experimental_max_worker_delay_secs: int | None = None,
        session_creation_timeout_secs: float | None = 7200,
        checkpoint_save_graph_def: bool = True,
    ):
        if save_checkpoints_steps is _USE_DEFAULT and save_checkpoints_secs is _USE_DEFAULT:
            save_checkpoints_secs = 600
        steps = None if save_checkpoints_steps is _USE_DEFAULT else save_checkpoints_steps
        secs = None if save_checkpoints_secs is _USE_DEFAULT else save_checkpoints_secs
        tf_config = read_tf_config()
        if tf_config:
            log.info("TF_CONFIG environment variable: %s", tf_config)
        self._set(
            model_dir=_model_dir(model_dir, tf_config.get("model_dir")),
            tf_random_seed=tf_random_seed,
            save_summary_steps=save_summary_steps,
            save_checkpoints_steps=steps,
            save_checkpoints_secs=secs,
            session_config=session_config,
            keep_checkpoint_max=keep_checkpoint_max,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            log_step_count_steps=log_step_count_steps,
            train_distribute=train_distribute,
            device_fn=device_fn,
            protocol=protocol,
            eval_distribute=eval_distribute,
            experimental_distribute=experimental_distribute,
            experimental_max_worker_delay_secs=experimental_max_worker_delay_secs,
            session_creation_timeout_secs=session_creation_timeout_secs,
            checkpoint_save_graph_def=checkpoint_save_graph_def,
        )
        self._read_cluster(tf_config)

    def replace(self: _Config, **kwargs: Any) -> _Config:
        """Returns a copy with some properties changed.

        Of `save_checkpoints_steps` and `save_checkpoints_secs`, the one that is given replaces the other.

        Args:
            kwargs: The properties: arguments of the constructor.

        Raises:
            ValueError: There is no such argument, or a value cannot be right.
            NotImplementedError: A strategy is given.
        """
        changed = copy.deepcopy(self)
        changed._set(**kwargs)
        if kwargs.get("save_checkpoints_steps") is not None and "save_checkpoints_secs" not in kwargs:
            changed._save_checkpoints_secs = None
        if kwargs.get("save_checkpoints_secs") is not None and "save_checkpoints_steps" not in kwargs:
            changed._save_checkpoints_steps = None
        return changed

    def _set(self, **properties: Any) -> None:
        """Sets properties, and checks all of them."""
        for name, value in properties.items():
            if name not in self._REPLACEABLE:
                raise ValueError(
                    f"Replacing {name} is not supported. Allowed properties are {list(self._REPLACEABLE)}."
                )
            setattr(self, f"_{name}", value)
        by_steps, by_clock = (properties.get(f"save_checkpoints_{unit}") for unit in ("steps", "secs"))
        if by_steps is not None and by_clock is not None:
            raise ValueError("`save_checkpoints_steps` and `save_checkpoints_secs` cannot be both set.")
        for name in ("train_distribute", "eval_distribute", "experimental_distribute"):
            if getattr(self, f"_{name}") is not None:
                raise NotImplementedError(
                    f"{name}: an Estimator is not trained by a tf.distribute.Strategy. Train a keras.Model by"
                    " keras_legacy_train.fit(model, ..., strategy=strategy), or leave the argument out and"
                    " start one process for each task of a cluster, described by TF_CONFIG."
                )
        for name, (is_right, requirement) in _REQUIREMENTS.items():
            value = getattr(self, f"_{name}")
            if value is not None and not is_right(value):
                raise ValueError(f"{name} {requirement}")

    def _read_cluster(self, tf_config: Mapping[str, Any]) -> None:
        """Sets what `TF_CONFIG` tells of the cluster and this process's task in it."""
        self._service = tf_config.get("service")
        if self._service is not None and not isinstance(self._service, dict):
            raise TypeError(
                f'If "service" is set in TF_CONFIG, it must be a dict. Given {type(self._service)}'
            )
        task = tf_config.get("task", {})
        cluster = tf.train.ClusterSpec(tf_config.get("cluster", {}))
        self._cluster_spec = cluster
        self._master = self._evaluation_master = ""
        self._num_ps_replicas, self._num_worker_replicas = 0, 1
        self._global_id_in_cluster: int | None = 0
        self._is_chief = True
        if not cluster:
            self._task_type, self._task_id = task.get("type", TaskType.WORKER), int(task.get("index", 0))
            if self._task_type != TaskType.WORKER:
                raise ValueError('If "cluster" is not set in TF_CONFIG, task type must be WORKER.')
            if self._task_id != 0:
                raise ValueError('If "cluster" is not set in TF_CONFIG, task index must be 0.')
            self._master = tf_config.get("session_master", "")
            self._evaluation_master = tf_config.get("eval_session_master", "")
            return
        chief = TaskType.MASTER if TaskType.MASTER in cluster.jobs else TaskType.CHIEF
        if chief == TaskType.MASTER and TaskType.CHIEF in cluster.jobs:
            raise ValueError("If `master` node exists in `cluster`, job `chief` is not supported.")
        self._task_type, self._task_id = _task(cluster, task, chief)
        self._is_chief = self._task_type == chief
        if self._task_type == TaskType.EVALUATOR:
            if chief == TaskType.MASTER:
                raise ValueError(
                    "If `master` node exists in `cluster`, task_type `evaluator` is not supported."
                )
            # It is not part of the training cluster.
            self._cluster_spec = tf.train.ClusterSpec({})
            self._num_worker_replicas = 0
            self._global_id_in_cluster = None
            self._evaluation_master = tf_config.get("eval_session_master", "")
            return
        self._master = _master(cluster, self._task_type, self._task_id, tf_config)
        jobs = cluster.as_dict()
        self._num_ps_replicas = len(jobs.get(TaskType.PS, []))
        self._num_worker_replicas = len(jobs.get(TaskType.WORKER, [])) + len(jobs[chief])
        others = sorted(job for job in jobs if job not in (chief, TaskType.PS))
        order = [chief, *others, *([TaskType.PS] if TaskType.PS in jobs else [])]
        before = order[: order.index(self._task_type)]
        self._global_id_in_cluster = sum(len(jobs[job]) for job in before) + self._task_id
        if self._session_config is None:
            self._session_config = self._session_config_in_cluster()

    def _session_config_in_cluster(self) -> tf.compat.v1.ConfigProto | None:
        """Returns the default by which a task speaks to parameter servers only, and these to all."""
        filters = {
            TaskType.PS: ["/job:ps", "/job:worker", "/job:chief", "/job:master"],
            TaskType.WORKER: ["/job:ps", f"/job:worker/task:{self._task_id}"],
            TaskType.CHIEF: ["/job:ps", "/job:chief"],
            TaskType.MASTER: ["/job:ps", "/job:master"],
        }
        if self._task_type not in filters:
            return None
        config = default_session_config()
        config.device_filters.extend(filters[self._task_type])
        return config

    @property
    def cluster_spec(self) -> tf.train.ClusterSpec:
        """Returns the training cluster; an empty one for a process on its own."""
        return self._cluster_spec

    @property
    def device_fn(self) -> Callable[[tf.Operation], Any] | None:
        """Returns what decides on which device an operation is; `None` leaves it to the model function."""
        return self._device_fn

    @property
    def evaluation_master(self) -> str:
        """Returns the session master for evaluation; `""` is this process."""
        return self._evaluation_master

    @property
    def is_chief(self) -> bool:
        """Returns whether this process writes checkpoints."""
        return self._is_chief

    @property
    def master(self) -> str:
        """Returns the session master for training; `""` is this process."""
        return self._master

    @property
    def num_ps_replicas(self) -> int:
        """Returns the number of parameter servers."""
        return self._num_ps_replicas

    @property
    def num_worker_replicas(self) -> int:
        """Returns the number of workers, the chief among them."""
        return self._num_worker_replicas

    @property
    def task_id(self) -> int:
        """Returns the number of this process among those of its task type, from 0."""
        return self._task_id

    @property
    def global_id_in_cluster(self) -> int | None:
        """Returns the number of this process in the cluster: chief, workers by name, parameter servers.

        It is `None` for the evaluator.
        """
        return self._global_id_in_cluster

    @property
    def experimental_max_worker_delay_secs(self) -> int | None:
        """Returns the longest time in seconds that a worker waits at the start; `None` for the default."""
        return self._experimental_max_worker_delay_secs

    @property
    def task_type(self) -> str:
        """Returns what this process does in the cluster, one of `TaskType`."""
        return self._task_type

    @property
    def tf_random_seed(self) -> int | None:
        """Returns the graph-level random seed."""
        return self._tf_random_seed

    @property
    def save_summary_steps(self) -> int | None:
        """Returns the steps from one summary to the next; 0 or `None` for none."""
        return self._save_summary_steps

    @property
    def save_checkpoints_secs(self) -> float | None:
        """Returns the seconds from one checkpoint to the next."""
        return self._save_checkpoints_secs

    @property
    def session_config(self) -> tf.compat.v1.ConfigProto | None:
        """Returns the configuration of sessions."""
        return self._session_config

    @property
    def save_checkpoints_steps(self) -> int | None:
        """Returns the steps from one checkpoint to the next."""
        return self._save_checkpoints_steps

    @property
    def checkpoint_save_graph_def(self) -> bool:
        """Returns whether `graph.pbtxt` and `.meta` files are written."""
        return self._checkpoint_save_graph_def

    @property
    def keep_checkpoint_max(self) -> int | None:
        """Returns how many checkpoints are kept; `None` or 0 for all."""
        return self._keep_checkpoint_max

    @property
    def session_creation_timeout_secs(self) -> float | None:
        """Returns the longest time in seconds that a process waits for the chief, or for a server."""
        return self._session_creation_timeout_secs

    @property
    def keep_checkpoint_every_n_hours(self) -> float | None:
        """Returns the hours from one checkpoint to the next that is kept for good."""
        return self._keep_checkpoint_every_n_hours

    @property
    def log_step_count_steps(self) -> int | None:
        """Returns the steps from one log line to the next; `None` for none."""
        return self._log_step_count_steps

    @property
    def model_dir(self) -> str | None:
        """Returns the directory of checkpoints and event files."""
        return self._model_dir

    @property
    def service(self) -> dict[str, Any] | None:
        """Returns what `TF_CONFIG` has under the key `service`."""
        return self._service

    @property
    def train_distribute(self) -> None:
        """Returns `None`: strategies are not supported."""
        return self._train_distribute

    @property
    def eval_distribute(self) -> None:
        """Returns `None`: strategies are not supported."""
        return self._eval_distribute

    @property
    def protocol(self) -> str | None:
        """Returns what a cluster speaks; `None` for gRPC."""
        return self._protocol

    _task_type: str
    _task_id: int
    _model_dir: str | None
    _tf_random_seed: int | None
    _save_summary_steps: int | None
    _save_checkpoints_steps: int | None
    _save_checkpoints_secs: float | None
    _session_config: tf.compat.v1.ConfigProto | None
    _keep_checkpoint_max: int | None
    _keep_checkpoint_every_n_hours: float | None
    _log_step_count_steps: int | None
    _train_distribute: None
    _device_fn: Callable[[tf.Operation], Any] | None
    _protocol: str | None
    _eval_distribute: None
    _experimental_distribute: None
    _experimental_max_worker_delay_secs: int | None
    _session_creation_timeout_secs: float | None
    _checkpoint_save_graph_def: bool


def default_session_config() -> tf.compat.v1.ConfigProto:
    """Returns the `session_config` of an Estimator whose `RunConfig` has none."""
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    rewriting = config.graph_options.rewrite_options
    rewriting.meta_optimizer_iterations = rewriting.ONE
    return config


def warn_of_session_config(config: tf.compat.v1.ConfigProto) -> None:
    """Logs which fields of a session's configuration have no effect, and what has it instead."""
    for field, _ in config.ListFields():
        if field.name not in _WITHOUT_CHOICE:
            log.warning(
                "session_config.%s has no effect, since there is no session. %s",
                field.name,
                _INSTEAD.get(field.name, "See tf.config for the settings of this process."),
            )


# What is always so here, or is about nothing but sessions.
_WITHOUT_CHOICE = frozenset({"allow_soft_placement", "graph_options", "device_filters", "experimental"})
_INSTEAD = {
    "intra_op_parallelism_threads": "Call tf.config.threading.set_intra_op_parallelism_threads.",
    "inter_op_parallelism_threads": "Call tf.config.threading.set_inter_op_parallelism_threads.",
    "gpu_options": "Call tf.config.experimental.set_memory_growth or tf.config.set_visible_devices.",
    "device_count": "Call tf.config.set_visible_devices or tf.config.set_logical_device_configuration.",
    "log_device_placement": "Call tf.debugging.set_log_device_placement.",
}


def _takes_only_op(function: Any) -> bool:
    return callable(function) and list(inspect.signature(function).parameters) == ["op"]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int)


# What a property that is not `None` must be.
_REQUIREMENTS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "model_dir": (bool, "should be non-empty"),
    "save_summary_steps": (lambda steps: bool(steps >= 0), "should be >= 0"),
    "save_checkpoints_steps": (lambda steps: bool(steps >= 0), "should be >= 0"),
    "save_checkpoints_secs": (lambda secs: bool(secs >= 0), "should be >= 0"),
    "session_config": (
        lambda config: isinstance(config, tf.compat.v1.ConfigProto),
        "must be instance of ConfigProto",
    ),
    "keep_checkpoint_max": (lambda number: bool(number >= 0), "should be >= 0"),
    "keep_checkpoint_every_n_hours": (lambda hours: bool(hours > 0), "should be > 0"),
    "log_step_count_steps": (lambda steps: bool(steps > 0), "should be > 0"),
    "tf_random_seed": (_is_integer, "must be integer."),
    "experimental_max_worker_delay_secs": (_is_integer, "must be an integer if set."),
    "session_creation_timeout_secs": (lambda secs: bool(secs > 0), "should be > 0"),
    "device_fn": (_takes_only_op, 'must be callable with exactly one argument "op".'),
    "protocol": (lambda protocol: protocol in ("grpc", "grpc+verbs"), "should be grpc or grpc+verbs"),
}


def _model_dir(model_dir: Any, in_tf_config: Any) -> str | None:
    if model_dir == "":
        raise ValueError("model_dir should be non-empty.")
    if in_tf_config == "":
        raise ValueError("model_dir in TF_CONFIG should be non-empty.")
    given = None if model_dir is None else arguments.as_path("model_dir", model_dir)
    if in_tf_config:
        if given is not None and in_tf_config != given:
            raise ValueError(
                "`model_dir` provided in RunConfig construct, if set, must have the same value as the"
                f' model_dir in TF_CONFIG. model_dir: {given}\nTF_CONFIG["model_dir"]: {in_tf_config}.\n'
            )
        log.info("Using model_dir in TF_CONFIG: %s", in_tf_config)
    return given or in_tf_config


def _task(cluster: tf.train.ClusterSpec, task: Mapping[str, Any], chief: str) -> tuple[str, int]:
    """Returns type and number of this process's task, checked against the cluster."""
    if chief not in cluster.jobs:
        raise ValueError(f'If "cluster" is set in TF_CONFIG, it must have one "{chief}" node.')
    if len(cluster.job_tasks(chief)) > 1:
        raise ValueError(f'The "cluster" in TF_CONFIG must have only one "{chief}" node.')
    task_type, task_id = task.get("type"), task.get("index")
    if not task_type:
        raise ValueError('If "cluster" is set in TF_CONFIG, task type must be set.')
    if task_id is None:
        raise ValueError('If "cluster" is set in TF_CONFIG, task index must be set.')
    task_id = int(task_id)
    if task_id < 0:
        raise ValueError("Task index must be non-negative number.")
    if task_type == TaskType.EVALUATOR:
        return task_type, task_id
    hint = "Note that these values may be coming from the TF_CONFIG environment variable."
    if task_type not in cluster.jobs:
        raise ValueError(f"{task_type} is not a valid task_type in the cluster_spec:\n{cluster}\n\n{hint}")
    if task_id >= len(cluster.job_tasks(task_type)):
        raise ValueError(
            f"{task_id} is not a valid task_id for task_type {task_type} in the cluster_spec:\n{cluster}"
            f"\n\n{hint}"
        )
    return task_type, task_id


def _master(cluster: tf.train.ClusterSpec, task_type: str, task_id: int, tf_config: Mapping[str, Any]) -> str:
    """Returns the address of the task's server; `""` for a cluster of one process."""
    if "session_master" in tf_config:
        return str(tf_config["session_master"])
    if cluster.num_tasks(cluster.jobs[0]) == len(cluster.jobs) == 1:
        return ""
    return f"grpc://{cluster.job_tasks(task_type)[task_id]}"
