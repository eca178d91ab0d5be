"""Stands for `tf.estimator.tpu`, that is `tf.contrib.tpu`, on machines without TPUs.

Scripts that were written for both train here as they did with `use_tpu=False`: on a CPU or GPU, with the
batch size in `params`.
"""

from __future__ import annotations

import inspect
import math
import os
import re
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np
import tensorflow as tf

from keras_legacy_train.callbacks.hook_schedule import ScheduledHook
from keras_legacy_train.estimator import log, run_config
from keras_legacy_train.estimator._replacements import TPU_REPLACEMENTS, missing_name
from keras_legacy_train.estimator.estimator import Estimator
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.estimator.model_fn import call_input_fn, call_model_fn, parameters
from keras_legacy_train.estimator.spec import EstimatorSpec, check_hooks
from keras_legacy_train.summaries import get_summary_writer

_INSTEAD = (
    "TPUs are not supported. Pass use_tpu=False to run on a CPU or GPU; to train on TPUs, use a keras.Model"
    " under tf.distribute.TPUStrategy"
)

HostCall: TypeAlias = tuple[Callable[..., Any], Sequence[Any] | Mapping[str, Any]]
"""A function of tensors, and the tensors: by position in a list, or by name in a dict."""


def CrossShardOptimizer(
    opt: tf.compat.v1.train.Optimizer,
    reduction: str = tf.compat.v1.losses.Reduction.MEAN,
    name: str = "CrossShardOptimizer",
    group_assignment: Any = None,
) -> tf.compat.v1.train.Optimizer:
    """Returns the optimizer itself: there are no shards to take the mean of.

    Args:
        opt: An optimizer.
        reduction: How the gradients of several shards would be combined.
        name: Name of the optimizer over all shards.
        group_assignment: Which shards would be combined.
    """
    return opt


class InputPipelineConfig:
    """Names the ways in which a TPU system gets its input. Without TPUs there is one input for all.

    Attributes:
        PER_SHARD_V1: The input function is called for each core.
        PER_HOST_V1: It is called for each host.
        PER_HOST_V2: It is called for each host, and returns a dataset.
        BROADCAST: It is called once, and each core gets everything.
        SLICED: It is called once, and each core gets its part.
    """

    PER_SHARD_V1 = 1
    PER_HOST_V1 = 2
    PER_HOST_V2 = 3
    BROADCAST = 4
    SLICED = 5


class _TPUConfig(NamedTuple):
    iterations_per_loop: int | str
    num_shards: int | None
    num_cores_per_replica: int | None
    per_host_input_for_training: bool | int
    tpu_job_name: str | None
    initial_infeed_sleep_secs: int | None
    input_partition_dims: Sequence[Any] | None
    eval_training_input_configuration: int
    experimental_host_call_every_n_steps: int
    experimental_allow_per_host_v2_parallel_get_next: bool
    experimental_feed_hook: Any


class TPUConfig(_TPUConfig):
    """Holds how a TPU system trains. It is checked, and without TPUs only `iterations_per_loop` acts.

    Args:
        iterations_per_loop: Steps in one call of the TPU, or a time such as `"60s"`, `"5m"` or `"1h"`. Lines
            in the log come that many times less often.
        num_shards: Number of replicas of the model.
        num_cores_per_replica: Number of cores over which a replica is spread.
        per_host_input_for_training: One of `InputPipelineConfig`; `True` is `PER_HOST_V1`, `False` is
            `PER_SHARD_V1`.
        tpu_job_name: Name of the TPU's job.
        initial_infeed_sleep_secs: Seconds before the first batch.
        input_partition_dims: How the input is split over the cores of a replica.
        eval_training_input_configuration: `InputPipelineConfig.PER_HOST_V1` or `SLICED`.
        experimental_host_call_every_n_steps: Steps from one `host_call` to the next.
        experimental_allow_per_host_v2_parallel_get_next: Whether batches may come in any order.
        experimental_feed_hook: A hook class for the TPU's input.

    Raises:
        TypeError, ValueError: An argument cannot be right.
    """

    __slots__ = ()

    def __new__(
        cls,
        iterations_per_loop: int | str = 2,
        num_shards: int | None = None,
        num_cores_per_replica: int | None = None,
        per_host_input_for_training: bool | int = True,
        tpu_job_name: str | None = None,
        initial_infeed_sleep_secs: int | None = None,
        input_partition_dims: Sequence[Any] | None = None,
        eval_training_input_configuration: int = InputPipelineConfig.PER_HOST_V1,
        experimental_host_call_every_n_steps: int = 1,
        experimental_allow_per_host_v2_parallel_get_next: bool = False,
        experimental_feed_hook: Any = None,
    ) -> TPUConfig:
        """Returns a new configuration, checked.

        Raises:
            TypeError, ValueError: An argument cannot be right.
        """
        _steps_per_loop(iterations_per_loop)
        if num_shards is not None:
            _check_positive("TPUConfig num_shards", num_shards)
        if input_partition_dims is not None:
            if len(input_partition_dims) not in (1, 2):
                raise ValueError("input_partition_dims must be a list/tuple with one or two elements.")
            if per_host_input_for_training is not InputPipelineConfig.PER_HOST_V2:
                raise ValueError("input_partition_dims is only supported in PER_HOST_V2 mode.")
            if num_cores_per_replica is None:
                raise ValueError("input_partition_dims requires setting num_cores_per_replica.")
        if num_cores_per_replica not in (None, 1, 2, 4, 8, 16, 32, 64, 128):
            raise ValueError(
                f"num_cores_per_replica must be 1, 2, 4, 8, 16, 32, 64, 128; got {num_cores_per_replica}"
            )
        if eval_training_input_configuration not in (
            InputPipelineConfig.PER_HOST_V1,
            InputPipelineConfig.SLICED,
        ):
            raise ValueError(
                "eval_training_input_configuration must be PER_HOST_V1 or SLICED;"
                f" got {eval_training_input_configuration}"
            )
        if per_host_input_for_training is True:
            per_host_input_for_training = InputPipelineConfig.PER_HOST_V1
        elif per_host_input_for_training is False:
            per_host_input_for_training = InputPipelineConfig.PER_SHARD_V1
        if initial_infeed_sleep_secs:
            _check_positive("TPUConfig initial_infeed_sleep_secs", initial_infeed_sleep_secs)
        return super().__new__(
            cls,
            iterations_per_loop,
            num_shards,
            num_cores_per_replica,
            per_host_input_for_training,
            tpu_job_name,
            initial_infeed_sleep_secs,
            input_partition_dims,
            eval_training_input_configuration,
            experimental_host_call_every_n_steps,
            experimental_allow_per_host_v2_parallel_get_next,
            experimental_feed_hook,
        )


class RunConfig(run_config.RunConfig):
    """Holds how a `TPUEstimator` runs.

    Args:
        tpu_config: A `TPUConfig`.
        evaluation_master: Must be `None` or `""`: there are no TPUs.
        master: Must be `None` or `""`.
        cluster: Must be `None`.
        kwargs: The arguments of `estimator.RunConfig`.

    Raises:
        ValueError: A TPU is named, or an argument cannot be right.
    """

    _REPLACEABLE = (*run_config.RunConfig._REPLACEABLE, "tpu_config")

    def __init__(
        self,
        tpu_config: TPUConfig | None = None,
        evaluation_master: str | None = None,
        master: str | None = None,
        cluster: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._tpu_config = tpu_config or TPUConfig()
        for name, value in (
            ("evaluation_master", evaluation_master),
            ("master", master),
            ("cluster", cluster),
        ):
            if value:
                raise ValueError(f"{name}: {_INSTEAD}. It is {value!r}; leave it out.")

    def _session_config_in_cluster(self) -> None:
        """Returns `None`: the tasks of a TPU's cluster speak to all others."""

    @property
    def tpu_config(self) -> TPUConfig:
        """Returns the configuration of the TPU system."""
        return self._tpu_config

    @property
    def cluster(self) -> None:
        """Returns the resolver of the TPU system: there is none."""
        return None


class _TPUEstimatorSpec(NamedTuple):
    mode: str
    predictions: Any
    loss: Any
    train_op: Any
    eval_metrics: HostCall | None
    export_outputs: dict[str, Any] | None
    scaffold_fn: Callable[[], Any] | None
    host_call: HostCall | None
    training_hooks: tuple[Any, ...]
    evaluation_hooks: tuple[Any, ...]
    prediction_hooks: tuple[Any, ...]


class TPUEstimatorSpec(_TPUEstimatorSpec):
    """Holds what a model function returns to a `TPUEstimator`.

    Args:
        mode: As in `EstimatorSpec`, like those not named here.
        predictions: As there.
        loss: As there.
        train_op: As there.
        eval_metrics: A function that returns the metrics by name, as `EstimatorSpec.eval_metric_ops` has
            them, and the tensors to call it with: a list, or a dict by argument.
        export_outputs: As there.
        scaffold_fn: Returns the `Scaffold`.
        host_call: A function that returns operations to run at each step, such as those of
            `tf.summary.create_file_writer`, and the tensors to call it with.
        training_hooks: As there.
        evaluation_hooks: As there.
        prediction_hooks: As there.

    Raises:
        TypeError, ValueError, RuntimeError: An argument cannot be right.
    """

    __slots__ = ()

    def __new__(
        cls,
        mode: str,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metrics: HostCall | None = None,
        export_outputs: dict[str, Any] | None = None,
        scaffold_fn: Callable[[], Any] | None = None,
        host_call: HostCall | None = None,
        training_hooks: Iterable[Any] | None = None,
        evaluation_hooks: Iterable[Any] | None = None,
        prediction_hooks: Iterable[Any] | None = None,
    ) -> TPUEstimatorSpec:
        """Returns a new specification, checked.

        Raises:
            TypeError, ValueError, RuntimeError: An argument cannot be right.
        """
        _check_host_call("eval_metrics", eval_metrics)
        _check_host_call("host_call", host_call)
        return super().__new__(
            cls,
            mode,
            predictions,
            loss,
            train_op,
            eval_metrics,
            export_outputs,
            scaffold_fn,
            host_call,
            check_hooks(training_hooks),
            check_hooks(evaluation_hooks),
            check_hooks(prediction_hooks),
        )

    def as_estimator_spec(self) -> EstimatorSpec:
        """Returns the same as an `EstimatorSpec`, for a CPU or GPU."""
        train_op, evaluation_hooks, prediction_hooks = (
            self.train_op,
            self.evaluation_hooks,
            self.prediction_hooks,
        )
        training_hooks = self.training_hooks
        if self.host_call is not None:
            calls = tf.nest.flatten(_call(self.host_call))
            if self.mode == ModeKeys.TRAIN:
                # A part of the step, not a hook's request: so steps need not be run one by one.
                train_op = tf.group(train_op, *calls)
                training_hooks += (_SummaryWriters(),)
            else:
                evaluation_hooks += (_HostCall(calls),)
                prediction_hooks += (_HostCall(calls),)
        return EstimatorSpec(
            self.mode,
            self.predictions,
            self.loss,
            train_op,
            eval_metric_ops=None if self.eval_metrics is None else _call(self.eval_metrics),
            export_outputs=self.export_outputs,
            scaffold=None if self.scaffold_fn is None else self.scaffold_fn(),
            training_hooks=training_hooks,
            evaluation_hooks=evaluation_hooks,
            prediction_hooks=prediction_hooks,
        )


def _check_host_call(name: str, host_call: Any) -> None:
    if host_call is None:
        return
    if not isinstance(host_call, (tuple, list)):
        raise ValueError(f"{name} should be tuple or list")
    if len(host_call) != 2:
        raise ValueError(f"{name} should have two elements.")
    function, tensors = host_call
    if not callable(function):
        raise TypeError(f"{name}[0] should be callable.")
    if not isinstance(tensors, (tuple, list, dict)):
        raise ValueError(f"{name}[1] should be tuple or list, or dict.")
    if isinstance(tensors, dict) or inspect.getfullargspec(function).varargs is not None:
        return
    taken = parameters(function)
    if len(taken) != len(tensors):
        raise RuntimeError(
            f"In TPUEstimatorSpec.{name}, length of tensors {len(tensors)} does not match method args of the"
            f" function, which takes {len(taken)}."
        )


def _call(host_call: HostCall) -> Any:
    function, tensors = host_call
    return function(**tensors) if isinstance(tensors, Mapping) else function(*tensors)


class _SummaryWriters(ScheduledHook):
    """Opens the writers of `tf.summary.create_file_writer` before the first step, and flushes them last."""

    def begin(self) -> None:
        operations = tf.compat.v1.get_default_graph().get_operations()
        self._open = [each for each in operations if each.type == "CreateSummaryFileWriter"]
        self._flush = [tf.raw_ops.FlushSummaryWriter(writer=each.inputs[0]) for each in self._open]

    def after_create_session(self, session: Any, coord: Any) -> None:
        session.run(self._open)

    def next_step(self, step: int) -> float:
        return math.inf

    def end(self, session: Any) -> None:
        session.run(self._flush)


class _HostCall(_SummaryWriters):
    """Runs operations along with each step."""

    def __init__(self, operations: Sequence[Any]):
        self._operations = operations

    def next_step(self, step: int) -> float:
        return step + 1

    def before_run(self, run_context: Any) -> Any:
        return tf.compat.v1.train.SessionRunArgs(self._operations)


class TPUEstimator(Estimator):
    """Trains as `tf.estimator.tpu.TPUEstimator` does with `use_tpu=False`.

    The batch size of each mode is in the `params` of the input function and of the model function, as
    `params["batch_size"]`; both must take `params`. `params["use_tpu"]` of the model function is `False`.

    Args:
        model_fn: The model function. It returns a `TPUEstimatorSpec` or an `EstimatorSpec`.
        model_dir: As in `Estimator`.
        config: A `tpu.RunConfig`.
        params: As in `Estimator`, without `batch_size` and `context`.
        use_tpu: Must be `False`.
        train_batch_size: The batch size of training.
        eval_batch_size: The batch size of evaluation.
        predict_batch_size: The batch size of prediction.
        batch_axis: How a batch is split over the cores of a TPU; without effect here.
        eval_on_tpu: Without effect, since `use_tpu` is `False`.
        export_to_tpu: Whether a graph for TPUs is exported besides that for a CPU or GPU. It is not: a line
            in the log says so.
        export_to_cpu: Must be `True`.
        warm_start_from: As in `Estimator`.
        embedding_config_spec: Must be `None`.
        export_saved_model_api_version: 1 or 2, which differ for TPUs only.

    Raises:
        ValueError: A TPU is asked for, or an argument cannot be right.
    """

    def __init__(
        self,
        model_fn: Any = None,
        model_dir: str | os.PathLike[str] | None = None,
        config: RunConfig | None = None,
        params: Any = None,
        use_tpu: bool = True,
        train_batch_size: int | None = None,
        eval_batch_size: int | None = None,
        predict_batch_size: int | None = None,
        batch_axis: Any = None,
        eval_on_tpu: bool = True,
        export_to_tpu: bool = True,
        export_to_cpu: bool = True,
        warm_start_from: Any = None,
        embedding_config_spec: Any = None,
        export_saved_model_api_version: int = 1,
    ):
        if not isinstance(config, RunConfig):
            raise ValueError("`config` must be provided with type `tpu_config.RunConfig`")
        reserved = ["batch_size", "context"]
        if params is not None and any(key in params for key in reserved):
            raise ValueError(f"{reserved} are reserved keys but existed in params {params}.")
        if use_tpu:
            raise ValueError(f"use_tpu: {_INSTEAD}.")
        if embedding_config_spec is not None:
            raise ValueError(f"embedding_config_spec: {_INSTEAD}.")
        if not export_to_cpu:
            raise ValueError(f"export_to_cpu: {_INSTEAD}.")
        if export_saved_model_api_version not in (1, 2):
            raise ValueError(
                f"export_saved_model_api_version should be 1 or 2; got {export_saved_model_api_version}."
            )
        if callable(model_fn) and "params" not in parameters(model_fn):
            raise ValueError(
                f"model_fn ({model_fn}) does not include params argument, required by TPUEstimator to pass"
                " batch size as params['batch_size']"
            )
        self._batch_sizes = {
            ModeKeys.TRAIN: train_batch_size,
            ModeKeys.EVAL: eval_batch_size,
            ModeKeys.PREDICT: predict_batch_size,
        }
        self._input_graph: Any = lambda: None  # the graph that has an input, weakly
        steps, loop = config.log_step_count_steps, _steps_per_loop(config.tpu_config.iterations_per_loop)
        if steps is not None and loop is not None:
            config = config.replace(log_step_count_steps=math.ceil(steps / loop))
        super().__init__(model_fn, model_dir, config, params or {}, warm_start_from)

    def _call_input_fn(self, input_fn: Callable[..., Any], mode: str) -> Any:
        if callable(input_fn) and "params" not in parameters(input_fn):
            raise ValueError(
                f"input_fn ({input_fn}) does not include params argument, required by TPUEstimator to pass"
                ' batch size as params["batch_size"]'
            )
        self._input_graph = weakref.ref(tf.compat.v1.get_default_graph())
        return call_input_fn(
            input_fn, mode, self._params_with(batch_size=self._batch_sizes[mode]), self.config
        )

    def _call_model_fn(self, features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        # An exported model is built without an input function, and takes batches of any size.
        has_input = self._input_graph() is tf.compat.v1.get_default_graph()
        batch_size = self._batch_sizes[mode] if has_input else None
        params = self._params_with(batch_size=batch_size, use_tpu=False)
        spec = call_model_fn(
            _returning_estimator_spec(self._model_fn), features, labels, mode, params, config
        )
        steps = self._config.log_step_count_steps
        if mode != ModeKeys.TRAIN or batch_size is None or steps is None:
            return spec
        writer = get_summary_writer(self.model_dir) if self._config.save_summary_steps else None
        return spec._replace(
            training_hooks=(*spec.training_hooks, _ExamplesPerSecond(batch_size, steps, writer))
        )

    def _params_with(self, **more: Any) -> Any:
        """Returns a copy of the parameters with some added, but for those that are `None`."""
        params = self.params
        for name, value in more.items():
            if value is None:
                continue
            if hasattr(params, "add_hparam"):  # not a dict, but HParams
                params.add_hparam(name, value)
            else:
                params[name] = value
        return params


class _ExamplesPerSecond(tf.compat.v1.train.StepCounterHook):
    """Logs and writes how many examples are trained in a second."""

    def __init__(self, batch_size: int, every_n_steps: int, writer: Any):
        super().__init__(every_n_steps, summary_writer=writer)
        self._batch_size = batch_size

    def _log_and_record(self, elapsed_steps: int, elapsed_time: float, global_step: int) -> None:
        speed = self._batch_size * elapsed_steps / elapsed_time
        log.info("examples/sec: %g", speed)
        if self._summary_writer is not None:
            summary = tf.compat.v1.Summary()
            summary.value.add(tag="examples/sec", simple_value=speed)
            self._summary_writer.add_summary(summary, global_step)


def _returning_estimator_spec(model_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a model function with the same arguments, but none that returns a `TPUEstimatorSpec`."""

    def call(**arguments: Any) -> Any:
        spec = model_fn(**arguments)
        return spec.as_estimator_spec() if isinstance(spec, TPUEstimatorSpec) else spec

    kind = inspect.Parameter.KEYWORD_ONLY
    taken = [inspect.Parameter(name, kind) for name in parameters(model_fn)]
    call.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    return call


def _steps_per_loop(iterations_per_loop: int | str) -> int | None:
    """Returns the steps in one call of a TPU; `None` where a time is given.

    Raises:
        ValueError: It is neither a positive number nor a time such as `"60s"`.
    """
    match = re.fullmatch(r"([1-9]\d*)([hms]?)", str(iterations_per_loop))
    if match is None:
        raise ValueError(
            "Invalid TPUConfig `iterations_per_loop` value. Value must be positive integer value or time-"
            "based value `<N><s|m|h>` where <N> is any positive integer and `s`, `m`, `h` are unit of time in"
            " seconds, minutes, hours respectively. Examples of valid values: `3600s`, `60m`, `1h`."
        )
    return None if match[2] else int(match[1])


def _check_positive(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be int, got {type(value)}")
    if value <= 0:
        raise ValueError(f"{name} must be positive, got {value}")


def __getattr__(name: str) -> NoReturn:
    """Raises an error that says what to use instead of a name of `tf.estimator.tpu`.

    Raises:
        AttributeError: Always: the module does not have the name.
    """
    raise missing_name("tf.estimator.tpu", name, TPU_REPLACEMENTS)
