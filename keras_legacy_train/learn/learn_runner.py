"""Runs an `Experiment` by a schedule; stands for `tf.contrib.learn.learn_runner`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from keras_legacy_train import arguments
from keras_legacy_train.learn.experiment import Experiment
from keras_legacy_train.learn.run_config import RunConfig, TaskType

__all__ = ["run", "tune"]


def run(
    experiment_fn: Callable[..., Experiment],
    output_dir: str | os.PathLike[str] | None = None,
    schedule: str | None = None,
    run_config: RunConfig | None = None,
    hparams: Any = None,
) -> Any:
    """Makes an `Experiment` and runs it.

    Args:
        experiment_fn: Makes the experiment: of `output_dir`, or of `run_config` and `hparams`.
        output_dir: The directory of the Estimator, in place of `run_config`.
        schedule: Name of the method of the experiment to call; by default `"train_and_evaluate"`.
        run_config: The configuration, with a `model_dir`. The Estimator must be made with it.
        hparams: Passed to `experiment_fn` with `run_config`.

    Returns:
        What the method returns.

    Raises:
        ValueError: An argument cannot be right.
        TypeError: `experiment_fn` is no function or does not return an `Experiment`, or `schedule` names no
            method.
        RuntimeError: The Estimator is not made with `run_config`.
    """
    if output_dir is not None and run_config is not None:
        raise ValueError("Cannot provide both `output_dir` and `run_config`")
    if output_dir is None and run_config is None:
        raise ValueError("Must set value for `output_dir` or `run_config`")
    if not callable(experiment_fn):
        raise TypeError(f'Experiment builder "{experiment_fn}" is not callable.')
    if run_config is not None:
        experiment = _make(experiment_fn, run_config, hparams)
    else:
        if not output_dir:
            raise ValueError("Must specify an output directory")
        if hparams is not None:
            raise ValueError("Must set `hparams` as None for `experiment_fn` with `output_dir`.")
        experiment = _checked(experiment_fn(output_dir=output_dir))
    return _execute(experiment, schedule or _default_schedule(run_config or experiment.estimator.config))


def tune(experiment_fn: Callable[..., Experiment], tuner: Any) -> None:
    """Runs an `Experiment` for each trial of a tuner.

    Args:
        experiment_fn: Makes the experiment of `run_config` and `hparams`.
        tuner: Has `next_trial()`, which returns whether there is another, and `run_experiment(function)`,
            which calls the function with `run_config` and `hparams`.

    Raises:
        ValueError: The tuner lacks a method, or gives no `hparams`.
        TypeError, RuntimeError: See `run`.
    """
    arguments.check_methods("tuner", tuner, "next_trial", "run_experiment")

    def checked(run_config: RunConfig, hparams: Any) -> Experiment:
        if hparams is None:
            raise ValueError("`hparams` cannot be `None`.")
        return _make(experiment_fn, run_config, hparams)

    while tuner.next_trial():
        tuner.run_experiment(checked)


def _make(experiment_fn: Callable[..., Experiment], run_config: Any, hparams: Any) -> Experiment:
    """Returns the experiment of a configuration, and checks that its Estimator has it."""
    if not isinstance(run_config, RunConfig):
        raise ValueError("`run_config` must be `tf.contrib.learn.RunConfig` instance")
    if not run_config.model_dir:
        raise ValueError("Must specify a model directory `model_dir` in `run_config`.")
    expected = run_config.uid()
    experiment = _checked(experiment_fn(run_config, hparams))
    used = experiment.estimator.config
    if not hasattr(used, "uid"):
        raise RuntimeError(
            "Pass `run_config` argument of the `experiment_fn` to the Estimator in Experiment. It is likely a"
            " different `RunConfig` is passed to `Estimator` or the `config` constructor argument in"
            " `Estimator` is not set."
        )
    if used.uid() != expected:
        raise RuntimeError(
            "`RunConfig` instance is expected to be used by the `Estimator` inside the `Experiment`. expected"
            f" {expected}, but got {used.uid()}"
        )
    return experiment


def _checked(experiment: Any) -> Experiment:
    if not isinstance(experiment, Experiment):
        raise TypeError(
            f"Experiment builder did not return an Experiment instance, got {type(experiment)} instead."
        )
    return experiment


def _execute(experiment: Experiment, schedule: str) -> Any:
    if not hasattr(experiment, schedule):
        methods = [
            name
            for name in dir(experiment)
            if not name.startswith("_") and callable(getattr(experiment, name))
        ]
        raise ValueError(f"Schedule references non-existent task {schedule}. There are {methods}.")
    task = getattr(experiment, schedule)
    if not callable(task):
        raise TypeError(f"Schedule references non-callable member {schedule}")
    return task()


def _default_schedule(config: Any) -> str:
    """Returns the schedule of this process, by its task in the cluster."""
    tasks = sum(map(len, config.cluster_spec.as_dict().values()))
    if tasks <= 1:
        return "train_and_evaluate"
    if not config.task_type:
        raise ValueError("Must specify a schedule")
    schedules = {
        TaskType.MASTER: "train_and_evaluate",
        TaskType.PS: "run_std_server",
        TaskType.WORKER: "train",
    }
    if config.task_type not in schedules:
        raise ValueError(f"No default schedule for task type: {config.task_type}")
    return schedules[config.task_type]
