"""TensorFlow's own session hooks in `train(monitors=)`, one by one.

Each does what it does in a MonitoredSession, and is called no oftener than that takes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import graphs
from helpers import (
    Job,
    Recorder,
    Silent,
    checkpoint_numbers,
    newest_checkpoint,
    read_events,
    run_in_session,
    scalar_events,
)
from hook_helpers import feedable, run_monitored
from keras_legacy_train import train
from keras_legacy_train.callbacks import hook_schedule
from monitor_helpers import VARIABLE_KINDS, Clock

v1 = tf.compat.v1
hooks = v1.train


def both_ways(
    make: Callable[[Job, Path], Any], tmp_path: Path, use_resource: bool, steps: int = 25
) -> tuple[Any, Any]:
    """The hook after a training here, and after one in a MonitoredSession.

    The directories it is made for are `here` and `there`.
    """
    made = []
    for name in ("here", "there"):
        job = graphs.build("linear_sgd", use_resource)
        with job.graph.as_default():
            hook = make(job, tmp_path / name)
        if name == "here":
            train(output_dir=tmp_path / "train", steps=steps, monitors=[hook], **job.arguments())
        else:
            run_monitored(job, hook, steps)
        made.append(hook)
    return made[0], made[1]


def flush(directory: Path) -> None:
    """Has TensorFlow's shared writer for the directory write what it holds."""
    with tf.Graph().as_default():
        v1.summary.FileWriterCache.get(str(directory)).flush()


@VARIABLE_KINDS
@pytest.mark.parametrize(("n", "at_end"), [(1, False), (10, False), (10, True), (100, False), (None, True)])
def test_logging_tensor_hook(
    n: int | None, at_end: bool, use_resource: bool, tmp_path: Path, watched: dict[Any, list[int]]
) -> None:
    lines: list[list[float]] = []

    def make(job: Job, directory: Path) -> Any:
        lines.append([])
        log = lines[-1].append
        return hooks.LoggingTensorHook(
            {"l": "loss"}, every_n_iter=n, at_end=at_end, formatter=lambda v: log(v["l"]) or "logged"
        )

    here, _ = both_ways(make, tmp_path, use_resource)
    np.testing.assert_allclose(lines[0], lines[1], rtol=1e-5)
    assert watched[here] == ([] if n is None else list(range(1, 26, n)))


@VARIABLE_KINDS
@pytest.mark.parametrize("arguments", [{"num_steps": 12}, {"last_step": 12}])
def test_stop_at_step_hook(
    arguments: dict[str, int], use_resource: bool, tmp_path: Path, watched: dict[Any, list[int]]
) -> None:
    here, _ = both_ways(lambda job, directory: hooks.StopAtStepHook(**arguments), tmp_path, use_resource)
    assert watched[here] == [12]
    assert newest_checkpoint(tmp_path / "train") == "model.ckpt-12"


def test_stop_at_step_hook_counts_from_where_the_training_begins(job: Job, tmp_path: Path) -> None:
    for last in (7, 14):
        train(output_dir=tmp_path, monitors=hooks.StopAtStepHook(num_steps=7), **job.arguments())
        assert newest_checkpoint(tmp_path) == f"model.ckpt-{last}"


def test_stop_at_step_hook_past_its_step(job: Job, tmp_path: Path) -> None:
    train(output_dir=tmp_path, steps=5, monitors=[Silent()], **job.arguments())
    train(output_dir=tmp_path, monitors=hooks.StopAtStepHook(last_step=3), **job.arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-6"


@VARIABLE_KINDS
def test_checkpoint_saver_hook(use_resource: bool, tmp_path: Path, watched: dict[Any, list[int]]) -> None:
    here, _ = both_ways(
        lambda job, directory: hooks.CheckpointSaverHook(str(directory), save_steps=10),
        tmp_path,
        use_resource,
    )
    for name in ("here", "there"):
        assert checkpoint_numbers(tmp_path / name) == [0, 10, 20, 25]
        flush(tmp_path / name)
        logged = [e.step for e in read_events(tmp_path / name) if e.HasField("session_log")]
        assert logged == [0, 10, 20, 25]
    for step in (0, 10, 25):
        one, other = (
            tf.train.load_checkpoint(str(tmp_path / name / f"model.ckpt-{step}"))
            for name in ("here", "there")
        )
        np.testing.assert_allclose(one.get_tensor("w"), other.get_tensor("w"), rtol=1e-4, atol=1e-7)
        assert one.get_tensor("global_step") == step
    assert watched[here] == [10, 20]


def test_checkpoint_saver_hook_with_saver_and_listener(job: Job, tmp_path: Path) -> None:
    saved = []

    class StopsAtSecond(hooks.CheckpointSaverListener):
        def after_save(self, session: Any, global_step_value: int) -> bool:
            saved.append((int(global_step_value), session.run("w:0").shape))
            return len(saved) == 2

    with job.graph.as_default():
        saver = v1.train.Saver(v1.trainable_variables())
    hook = hooks.CheckpointSaverHook(
        str(tmp_path / "saved"), save_steps=3, saver=saver, listeners=[StopsAtSecond()]
    )
    train(output_dir=tmp_path / "train", steps=9, monitors=[hook], **job.arguments())
    assert saved == [(0, (8, 1)), (3, (8, 1))]
    assert newest_checkpoint(tmp_path / "train") == "model.ckpt-3"
    names = {name for name, _ in tf.train.list_variables(str(tmp_path / "saved"))}
    assert names == {"w", "b"}


@VARIABLE_KINDS
def test_step_counter_hook(use_resource: bool, tmp_path: Path, watched: dict[Any, list[int]]) -> None:
    here, _ = both_ways(
        lambda job, directory: hooks.StepCounterHook(every_n_steps=10, output_dir=str(directory)),
        tmp_path,
        use_resource,
    )
    for name in ("here", "there"):
        flush(tmp_path / name)
        assert list(scalar_events(tmp_path / name)["global_step/sec"]) == [11, 21]
    assert watched[here] == [1, 11, 21]


@VARIABLE_KINDS
def test_summary_saver_hook(use_resource: bool, tmp_path: Path, watched: dict[Any, list[int]]) -> None:
    # Not compared with a MonitoredSession, where the steps depend on when in a run the global step is read.
    job = graphs.build("linear_sgd", use_resource)
    losses = run_in_session(graphs.build("linear_sgd", use_resource), 21).losses
    with job.graph.as_default():
        hook = hooks.SummarySaverHook(
            save_steps=10, output_dir=str(tmp_path / "hook"), summary_op=v1.summary.merge_all()
        )
    train(output_dir=tmp_path / "train", steps=25, monitors=[hook], **job.arguments())
    written = scalar_events(tmp_path / "hook")["loss_summary"]
    assert written == pytest.approx({step: losses[step - 1] for step in (1, 11, 21)}, rel=1e-4)
    assert watched[hook] == [1, 11, 21]


@pytest.mark.parametrize("fail", [True, False])
def test_nan_tensor_hook(fail: bool, tmp_path: Path) -> None:
    def build() -> Any:
        step = v1.train.get_or_create_global_step()
        loss = tf.where(v1.assign_add(step, 1) < 4, 1.0, math.nan)
        return loss, loss

    job = graphs.job(build)
    hook = hooks.NanTensorHook(job.loss, fail_on_nan_loss=fail)
    options = {"steps": 9, "monitors": [hook], "fail_on_nan_loss": False}
    if fail:
        with pytest.raises(hooks.NanLossDuringTrainingError, match=r"^NaN loss during training\.$"):
            train(output_dir=tmp_path, **options, **job.arguments())
        assert newest_checkpoint(tmp_path) == "model.ckpt-0"
    else:
        assert math.isnan(train(output_dir=tmp_path, **options, **job.arguments()))
        assert newest_checkpoint(tmp_path) == "model.ckpt-4"


def test_global_step_waiter_hook(job: Job, tmp_path: Path, watched: dict[Any, list[int]]) -> None:
    ready, reached = hooks.GlobalStepWaiterHook(0), hooks.GlobalStepWaiterHook(5)
    train(output_dir=tmp_path, steps=5, monitors=[ready], **job.arguments())
    train(output_dir=tmp_path, steps=5, monitors=[reached], **job.arguments())
    assert (watched[ready], watched[reached]) == ([1], [6])


def test_global_step_waiter_hook_that_would_wait_for_ever(job: Job, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="waits for global step 5, but it is 0"):
        train(output_dir=tmp_path, steps=9, monitors=[hooks.GlobalStepWaiterHook(5)], **job.arguments())


def test_feed_fn_hook(tmp_path: Path) -> None:
    job = feedable()
    values = iter([1.0, 2.0, 3.0])
    recorder = Recorder(job.loss)
    feeder = hooks.FeedFnHook(lambda: {job.graph.get_tensor_by_name("x:0"): next(values)})
    train(output_dir=tmp_path, monitors=[feeder, recorder], **job.arguments())  # StopIteration ends it
    assert recorder.values(job.loss) == [11.0, 12.0, 13.0]
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"


def test_final_ops_hook(tmp_path: Path, watched: dict[Any, list[int]]) -> None:
    job = feedable()
    hook = hooks.FinalOpsHook({"loss": job.loss, "step": "global_step:0"}, {"x:0": 7.0})
    train(output_dir=tmp_path, steps=5, monitors=[hook], **job.arguments())
    assert hook.final_ops_values == {"loss": 17.0, "step": 5}
    assert watched[hook] == []


def test_profiler_hook(job: Job, tmp_path: Path) -> None:
    with job.graph.as_default():
        hook = hooks.ProfilerHook(save_steps=1, output_dir=str(tmp_path / "profile"))
    with pytest.raises(ValueError, match=r"ProfilerHook .*tf\.profiler\.experimental"):
        train(output_dir=tmp_path / "train", steps=1, monitors=[hook], **job.arguments())
    assert not (tmp_path / "train").exists()


# Schedules.


def begun(hook: Any) -> Any:
    with tf.Graph().as_default():
        v1.train.get_or_create_global_step()
        tf.constant(1.0, name="loss")
        hook.begin()
    return hook


def directory_hook(hook_class: Any, directory: Path, **arguments: Any) -> Any:
    if hook_class is hooks.LoggingTensorHook:
        return begun(hook_class(["loss"], every_n_secs=arguments["secs"]))
    if hook_class is hooks.StepCounterHook:
        return begun(hook_class(every_n_steps=None, every_n_secs=arguments["secs"]))
    if hook_class is hooks.SummarySaverHook:
        return begun(hook_class(save_secs=arguments["secs"], summary_op="s"))
    return begun(hook_class(str(directory), save_secs=arguments["secs"]))


@pytest.mark.parametrize(
    "hook_class",
    [hooks.LoggingTensorHook, hooks.StepCounterHook, hooks.SummarySaverHook, hooks.CheckpointSaverHook],
)
def test_timers_of_seconds(hook_class: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "time", clock)
    hook = directory_hook(hook_class, tmp_path, secs=10)
    assert hook_schedule.next_step(hook, 0) == 1
    hook._timer.update_last_triggered_step(0)
    if hook_class is hooks.SummarySaverHook:
        hook._next_step = 1
    hook_schedule.steps_passed(hook, 5, 5)
    assert hook_schedule.next_step(hook, 5) == math.inf
    clock.now += 9.9
    assert hook_schedule.next_step(hook, 5) == math.inf
    clock.now += 0.1
    assert hook_schedule.next_step(hook, 5) == 6


class OverridesAfterRun(hooks.LoggingTensorHook):
    def after_run(self, run_context: Any, run_values: Any) -> None:
        super().after_run(run_context, run_values)


class OverridesFormat(hooks.LoggingTensorHook):
    def end(self, session: Any) -> None: ...


class GrandChild(OverridesAfterRun, hooks.LoggingTensorHook):
    pass


def test_hook_on_the_instance_is_called_at_every_step() -> None:
    hook = hooks.StopAtStepHook(last_step=50)
    assert hook_schedule.next_step(hook, 3) == 50
    hook.after_run = lambda run_context, run_values: None
    assert hook_schedule.next_step(hook, 3) == 4


@pytest.mark.parametrize(
    ("hook_class", "steps"),
    [
        (OverridesFormat, [1, 11, 21]),
        (OverridesAfterRun, list(range(1, 26))),
        (GrandChild, list(range(1, 26))),
    ],
)
def test_subclasses(
    hook_class: Any, steps: Iterable[int], job: Job, tmp_path: Path, watched: dict[Any, list[int]]
) -> None:
    hook = hook_class([job.loss], every_n_iter=10)
    train(output_dir=tmp_path, steps=25, monitors=[hook], **job.arguments())
    assert watched[hook] == steps


def test_timer_of_ones_own_is_asked_at_every_step() -> None:
    class Timer(hooks.SecondOrStepTimer):
        def should_trigger_for_step(self, step: int) -> bool:
            return step in (3, 7)

    hook = begun(hooks.LoggingTensorHook(["loss"], every_n_iter=10))
    hook._timer = Timer(every_steps=10)
    hook._timer.update_last_triggered_step(0)
    assert hook_schedule.next_step(hook, 4) == 5


def test_step_raised_by_two(tmp_path: Path, watched: dict[Any, list[int]]) -> None:
    def build() -> Any:
        step = v1.train.get_or_create_global_step()
        return v1.assign_add(step, 2), tf.constant(1.0)

    job = graphs.job(build)
    seen: list[Any] = []
    logging_hook = hooks.LoggingTensorHook(
        ["global_step"], every_n_iter=5, formatter=lambda values: seen.append(1) or ""
    )
    train(output_dir=tmp_path, monitors=[logging_hook, hooks.StopAtStepHook(last_step=25)], **job.arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-26"
    assert len(seen) == 3  # runs 1, 6, 11 of the 13
