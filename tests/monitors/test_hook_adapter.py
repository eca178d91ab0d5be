"""Monitors in a MonitoredSession, by way of `RunHookAdapterForMonitors`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import EveryNLosses, Job, Recorder, run_in_session
from keras_legacy_train import monitors, train
from monitor_helpers import VARIABLE_KINDS

v1 = tf.compat.v1


def run_monitored(job: Job, hooks: list[Any], steps: int) -> int:
    """Runs at most so many steps in a MonitoredSession; returns how many."""
    with (
        job.graph.as_default(),
        v1.train.MonitoredSession(session_creator=v1.train.ChiefSessionCreator(), hooks=hooks) as session,
    ):
        for done in range(steps):
            if session.should_stop():
                return done
            session.run(job.train_op)
    return steps


def adapted(*chosen: Any) -> list[Any]:
    return [monitors.RunHookAdapterForMonitors(chosen)]


@VARIABLE_KINDS
def test_every_n(use_resource: bool) -> None:
    job = graphs.build("linear_sgd", use_resource)
    monitor = EveryNLosses(job.loss, every_n_steps=5, first_n_steps=2)
    run_monitored(job, adapted(monitor), 15)
    expected = run_in_session(graphs.build("linear_sgd", use_resource), 15).losses
    assert list(monitor.losses) == monitor.post_steps[:-1] == [1, 2, 7, 12]
    assert monitor.post_steps[-1] == 15
    for step, loss in monitor.losses.items():
        np.testing.assert_allclose(loss, expected[step - 1], rtol=1e-4)


@VARIABLE_KINDS
def test_steps_are_numbered_as_in_train(use_resource: bool, tmp_path: Path) -> None:
    job, other = graphs.build("linear_sgd", use_resource), graphs.build("linear_sgd", use_resource)
    here, there = Recorder(other.loss), Recorder(job.loss)
    run_monitored(job, adapted(there), 4)
    train(output_dir=tmp_path, steps=4, monitors=[here], **other.arguments())
    assert there.calls[0] == ["begin", None]
    assert there.calls[1:] == here.calls[1:]
    np.testing.assert_allclose(there.values(job.loss), here.values(other.loss), rtol=1e-5)


@VARIABLE_KINDS
@pytest.mark.parametrize("kind", ["tensor", "name:0", "name", "variable", "operation"])
def test_requests(kind: str, use_resource: bool) -> None:
    job = graphs.build("linear_sgd", use_resource)
    variable = job.graph.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES)[0]
    request = {
        "tensor": job.loss,
        "name:0": "loss:0",
        "name": "loss",
        "variable": variable,
        "operation": job.train_op,
    }[kind]
    recorder = Recorder(request)
    run_monitored(job, adapted(recorder), 1)
    value = recorder.outputs[1][request]
    if kind == "operation":
        assert value is None
    else:
        assert value.shape == ((8, 1) if kind == "variable" else ())


@pytest.mark.parametrize("nothing", [None, (), {}, []], ids=repr)
def test_no_request(nothing: Any, job: Job) -> None:
    recorder = Recorder()
    recorder.requests = nothing
    run_monitored(job, adapted(recorder), 2)
    assert recorder.steps("step_end") == [1, 2]


def test_outputs_are_shared(job: Job) -> None:
    asks, looks = Recorder("loss:0"), Recorder()
    run_monitored(job, adapted(asks, looks), 1)
    assert looks.outputs[1]["loss:0"] == asks.outputs[1]["loss:0"] > 0


@pytest.mark.parametrize("arguments", [{"num_steps": 3}, {"last_step": 3}])
def test_stop_at_step(arguments: dict[str, int], job: Job) -> None:
    other = Recorder()
    assert run_monitored(job, adapted(monitors.StopAtStep(**arguments), other), 9) == 3
    assert other.steps("post_step") == [1, 2, 3]


def test_session_is_handed_on(job: Job) -> None:
    seen = []

    class Reads(monitors.BaseMonitor):
        def post_step(self, step: int, session: Any) -> None:
            seen.append(session.run(v1.train.get_global_step()))

        def end(self, session: Any) -> None:
            seen.append(session.run(v1.train.get_global_step()) * 10)

    class EndsWithout(monitors.BaseMonitor):
        def end(self) -> None:
            seen.append("end")

    run_monitored(job, adapted(Reads(), EndsWithout()), 2)
    assert seen == [1, 2, 20, "end"]


def test_checkpoint_saver(job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        monitor = monitors.CheckpointSaver(tmp_path, save_steps=2, saver=v1.train.Saver())
    run_monitored(job, adapted(monitor), 4)
    state = tf.train.get_checkpoint_state(str(tmp_path))
    names = [Path(path).name for path in state.all_model_checkpoint_paths]
    assert names == ["model.ckpt-1", "model.ckpt-3", "model.ckpt-4"]


def test_graph_without_a_global_step() -> None:
    with tf.Graph().as_default(), pytest.raises(RuntimeError, match="Global step should be created"):
        monitors.RunHookAdapterForMonitors([Recorder()]).begin()


def test_in_train(job: Job, tmp_path: Path) -> None:
    recorder = Recorder(job.loss)
    loss = train(output_dir=tmp_path, steps=3, monitors=adapted(recorder), **job.arguments())
    assert recorder.steps("step_end") == [1, 2, 3]
    assert recorder.outputs[3][job.loss] == loss


# replace_monitors_with_hooks.


class Config:
    def __init__(self, is_chief: bool):
        self.is_chief = is_chief


class Estimator:
    def __init__(self, is_chief: bool = True):
        self.config = Config(is_chief)


def test_replace_nothing() -> None:
    assert monitors.replace_monitors_with_hooks(None, Estimator()) == []
    assert monitors.replace_monitors_with_hooks([], Estimator()) == []


def test_replace_hooks_only() -> None:
    hooks = [v1.train.StopAtStepHook(1), v1.train.FinalOpsHook(None)]
    assert monitors.replace_monitors_with_hooks(hooks, Estimator()) == hooks


def test_replace_monitors(job: Job) -> None:
    hook, first, second, estimator = v1.train.StopAtStepHook(2), Recorder(), Recorder(), Estimator()
    stays, adapter = monitors.replace_monitors_with_hooks([first, hook, second], estimator)
    assert stays is hook
    assert isinstance(adapter, monitors.RunHookAdapterForMonitors)
    assert first._estimator is second._estimator is estimator
    assert run_monitored(job, [stays, adapter], 9) == 2
    assert first.steps("step_end") == second.steps("step_end") == [1, 2]


def test_replace_on_another_worker_than_the_chief(job: Job) -> None:
    recorder = Recorder()
    chosen = [recorder, monitors.StopAtStep(last_step=2)]
    hooks = monitors.replace_monitors_with_hooks(chosen, Estimator(is_chief=False))
    assert run_monitored(job, hooks, 9) == 2
    assert recorder.calls == []
    assert monitors.replace_monitors_with_hooks([recorder], Estimator(is_chief=False)) == []


def test_estimator_without_a_configuration() -> None:
    assert len(monitors.replace_monitors_with_hooks([Recorder()], object())) == 1
