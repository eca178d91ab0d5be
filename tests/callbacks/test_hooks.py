"""Session hooks in `train(monitors=)`: what they are called with, and what they may do."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import graphs
from helpers import Job, Recorder, newest_checkpoint
from hook_helpers import feedable, run_monitored
from keras_legacy_train import train
from monitor_helpers import VARIABLE_KINDS

v1 = tf.compat.v1
hooks = v1.train


class Recording(hooks.SessionRunHook):
    """Notes its calls; asks for `fetches` and gives `feed_dict` at every step."""

    def __init__(self, fetches: Any = None, feed_dict: Any = None, options: Any = None):
        self.args = hooks.SessionRunArgs(fetches, feed_dict, options)
        self.calls: list[str] = []
        self.results: list[Any] = []
        self.contexts: list[Any] = []
        self.session: Any = None
        self.coordinator: Any = None

    def begin(self) -> None:
        self.calls.append("begin")

    def after_create_session(self, session: Any, coord: Any) -> None:
        self.session, self.coordinator = session, coord
        self.calls.append("after_create_session")

    def before_run(self, run_context: Any) -> Any:
        self.contexts.append(run_context)
        self.calls.append("before_run")
        return self.args

    def after_run(self, run_context: Any, run_values: Any) -> None:
        assert run_context is self.contexts[-1]
        self.calls.append("after_run")
        self.results.append(run_values.results)

    def end(self, session: Any) -> None:
        self.calls.append("end")


class Raising(hooks.SessionRunHook):
    """Raises in one of its methods."""

    def __init__(self, method: str):
        def raise_error(*arguments: Any) -> None:
            raise ZeroDivisionError(f"in {method}")

        setattr(self, method, raise_error)


class StopAfter(hooks.SessionRunHook):
    """Asks to stop in the given method of the third run."""

    def __init__(self, method: str):
        runs = itertools.count(1)

        def ask(run_context: Any, *_: Any) -> None:
            if next(runs) == 3:
                run_context.request_stop()

        setattr(self, method, ask)


# What a hook is called with.


def test_order_of_calls(job: Job, tmp_path: Path) -> None:
    here, there = Recording(), Recording()
    train(output_dir=tmp_path, steps=3, monitors=[here], **job.arguments())
    run_monitored(graphs.build("linear_sgd"), there, 3)
    assert here.calls == there.calls
    assert here.calls == ["begin", "after_create_session", *["before_run", "after_run"] * 3, "end"]


def test_no_step_is_left_to_run(job: Job, tmp_path: Path) -> None:
    hook = Recording()
    train(output_dir=tmp_path, max_steps=0, monitors=[hook], **job.arguments())
    assert hook.calls == ["begin", "after_create_session", "end"]


@VARIABLE_KINDS
@pytest.mark.parametrize(
    "fetch",
    [
        lambda job: job.loss,
        lambda job: job.train_op,
        lambda job: "loss:0",
        lambda job: "GradientDescent",
        lambda job: [],
        lambda job: {"a": job.loss, "b": [job.loss, (job.train_op, "loss:0")]},
        lambda job: collections.namedtuple("Pair", "x y")(job.loss, [job.loss]),
        lambda job: collections.OrderedDict(z=job.loss, a=job.loss),
        lambda job: tf.SparseTensor([[0]], tf.reshape(job.loss, [1]), [1]),
        lambda job: tf.IndexedSlices(tf.reshape(job.loss, [1]), tf.constant([0])),
        lambda job: tf.ragged.constant([[1], [2, 3]]),
    ],
    ids=[
        "tensor", "operation", "name", "name of operation", "empty", "nested", "namedtuple", "ordered",
        "sparse", "slices", "ragged",
    ],
)  # fmt: skip
def test_fetches(fetch: Callable[[Job], Any], use_resource: bool, tmp_path: Path) -> None:
    def recorded(run: Callable[[Job, Recording], Any]) -> Recording:
        job = graphs.build("linear_sgd", use_resource)
        with job.graph.as_default():
            hook = Recording(fetch(job))
        run(job, hook)
        return hook

    there = recorded(lambda job, hook: run_monitored(job, hook, 2))
    here = recorded(lambda job, hook: train(output_dir=tmp_path, steps=2, monitors=hook, **job.arguments()))
    assert type(here.results[0]) is type(there.results[0]) or "Pair" in repr(here.results[0])
    assert repr(here.results) == repr(there.results)


@VARIABLE_KINDS
def test_fetches_a_variable(use_resource: bool, tmp_path: Path) -> None:
    job = graphs.build("linear_sgd", use_resource)
    hook = Recording({"w": job.graph.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES)[0]})
    train(output_dir=tmp_path, steps=1, monitors=[hook], **job.arguments())
    assert hook.results[0]["w"].shape == (8, 1)


def test_fetches_nothing(job: Job, tmp_path: Path) -> None:
    hook = Recording(None)
    train(output_dir=tmp_path, steps=2, monitors=[hook], **job.arguments())
    assert hook.results == [None, None]


def test_run_values_have_options_and_metadata(job: Job, tmp_path: Path) -> None:
    seen = []

    class Looks(hooks.SessionRunHook):
        def after_run(self, run_context: Any, run_values: Any) -> None:
            seen.append(run_values)

    train(output_dir=tmp_path, steps=1, monitors=[Looks()], **job.arguments())
    assert seen == [hooks.SessionRunValues(None, v1.RunOptions(), v1.RunMetadata())]


def test_run_context(tmp_path: Path) -> None:
    job = graphs.build("feed_adam")
    first, second = Recording(), Recording()
    train(output_dir=tmp_path, steps=2, monitors=[first, second], **job.arguments())
    assert first.contexts == second.contexts  # one for all hooks
    assert first.contexts[0] is not first.contexts[1]
    context = first.contexts[0]
    assert context.session is first.session
    assert context.original_args.fetches == [job.train_op, job.loss]
    feeds = {key.name: value.shape for key, value in context.original_args.feed_dict.items()}
    assert feeds == {"x:0": (8, 8), "y:0": (8, 1)}
    assert not context.stop_requested


def test_defaults_inside_a_hook(job: Job, tmp_path: Path) -> None:
    seen = []

    class Evaluates(hooks.SessionRunHook):
        def note(self, *_: Any) -> None:
            assert v1.get_default_graph() is job.graph
            seen.append(int(v1.train.get_global_step().eval()))

        after_create_session = before_run = after_run = end = note

    train(output_dir=tmp_path, steps=2, monitors=[Evaluates()], **job.arguments())
    assert seen == [0, 0, 1, 1, 2, 2]


def test_begin_adds_to_the_graph(job: Job, tmp_path: Path) -> None:
    seen = []

    class Adds(hooks.SessionRunHook):
        def begin(self) -> None:
            self.counter = v1.get_variable("counter", initializer=10, use_resource=True)
            self.count = v1.assign_add(self.counter, 1)

        def before_run(self, run_context: Any) -> Any:
            return hooks.SessionRunArgs(self.count)

        def after_run(self, run_context: Any, run_values: Any) -> None:
            seen.append(int(run_values.results))

    train(output_dir=tmp_path, steps=3, monitors=[Adds()], **job.arguments())
    assert seen == [11, 12, 13]


def test_hook_finds_a_saver(job: Job, tmp_path: Path) -> None:
    found = []

    class Looks(hooks.SessionRunHook):
        def after_create_session(self, session: Any, coord: Any) -> None:
            found.extend(v1.get_collection(v1.GraphKeys.SAVERS))

    train(output_dir=tmp_path / "a", steps=1, monitors=[Looks()], **job.arguments())
    train(output_dir=tmp_path / "b", steps=1, monitors=[Looks()], **job.arguments())
    assert isinstance(found[0], v1.train.Saver)
    assert found[1:] == found[:1]


# Among others.


@pytest.mark.parametrize("given", [lambda hook: hook, lambda hook: [hook], lambda hook: iter((hook,))])
def test_one_or_many(given: Callable[[Any], Any], job: Job, tmp_path: Path) -> None:
    hook = Recording()
    train(output_dir=tmp_path, steps=1, monitors=given(hook), **job.arguments())
    assert hook.calls[-1] == "end"


def test_with_monitors(job: Job, tmp_path: Path) -> None:
    hook, recorder = Recording(job.loss), Recorder(job.loss)
    train(output_dir=tmp_path, steps=3, monitors=[hook, recorder], **job.arguments())
    assert hook.results == recorder.values(job.loss)


def test_with_a_monitor_that_watches_some_steps(
    job: Job, tmp_path: Path, watched: dict[Any, list[int]]
) -> None:
    logging_hook = hooks.LoggingTensorHook([job.loss], every_n_iter=10)
    recorder = Recording(job.loss)
    train(output_dir=tmp_path / "a", steps=4, monitors=[logging_hook, recorder], **job.arguments())
    assert watched[logging_hook] == watched[recorder] == [1, 2, 3, 4]


def test_runs_on_every_worker(job: Job, tmp_path: Path) -> None:
    hook, recorder = Recording(), Recorder()
    train(
        output_dir=tmp_path,
        steps=1,
        supervisor_is_chief=False,
        monitors=[hook, recorder],
        **job.arguments(),
    )
    assert hook.calls[-1] == "end"
    assert recorder.calls == []


def test_class_instead_of_a_hook(job: Job, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no monitor"):
        train(output_dir=tmp_path / "new", steps=1, monitors=[Recording], **job.arguments())
    assert not (tmp_path / "new").exists()


# Feeds.


@pytest.mark.parametrize("key", ["name", "tensor"])
def test_hook_feeds(key: str, tmp_path: Path) -> None:
    job = feedable()
    x = "x:0" if key == "name" else job.graph.get_tensor_by_name("x:0")
    hook = Recording([job.loss, "x:0"], {x: 5.0})
    assert train(output_dir=tmp_path, steps=2, monitors=[hook], **job.arguments()) == 15.0
    assert hook.results == [[15.0, 5.0]] * 2


def test_feeds_of_hooks_and_feed_fn_join(tmp_path: Path) -> None:
    job = feedable()
    job.feed_fn = lambda: {"y:0": 2.0}
    assert train(output_dir=tmp_path, steps=1, monitors=Recording(None, {"x:0": 3.0}), **job.arguments()) == 5


@pytest.mark.parametrize(
    ("by_user", "text"),
    [
        (True, "Same tensor is fed by a SessionRunHook and user. Conflict(s): x:0"),
        (False, "Same tensor is fed by two hooks. Conflict(s): x:0"),
    ],
)
def test_same_tensor_fed_twice(by_user: bool, text: str, tmp_path: Path) -> None:
    job = feedable()
    chosen = [Recording(None, {"x:0": 3.0}), Recording(None, {job.graph.get_tensor_by_name("x:0"): 3.0})]
    if by_user:
        job.feed_fn = lambda: {"x": 2.0}
    with pytest.raises(RuntimeError) as raised:
        train(output_dir=tmp_path, steps=1, monitors=chosen, **job.arguments())
    assert str(raised.value) == text


def test_wrong_feed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"x:0 takes shape \(\) .*given shape \(2,\)"):
        train(
            output_dir=tmp_path,
            steps=1,
            monitors=Recording(None, {"x:0": [1.0, 2.0]}),
            **feedable().arguments(),
        )


# Options.


def test_default_options(job: Job, tmp_path: Path) -> None:
    hook = Recording(job.loss, options=v1.RunOptions())
    train(output_dir=tmp_path, steps=1, monitors=[hook], **job.arguments())
    assert len(hook.results) == 1


def test_other_options(job: Job, tmp_path: Path) -> None:
    hook = Recording(job.loss, options=v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE))
    with pytest.raises(
        ValueError, match="Recording asks for a run with the options 'trace_level: FULL_TRACE'"
    ):
        train(output_dir=tmp_path, steps=1, monitors=[hook], **job.arguments())


# Stopping and ending.


@pytest.mark.parametrize("method", ["before_run", "after_run"])
def test_request_stop(method: str, job: Job, tmp_path: Path) -> None:
    after = Recording(job.loss)
    loss = train(output_dir=tmp_path, steps=9, monitors=[StopAfter(method), after], **job.arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-3"
    assert loss == after.results[2]
    assert [context.stop_requested for context in after.contexts] == [False, False, True]


def test_coordinator_stops(job: Job, tmp_path: Path) -> None:
    class Asks(hooks.FinalOpsHook):  # sees no step
        def after_create_session(self, session: Any, coord: Any) -> None:
            coord.request_stop()

    train(output_dir=tmp_path, steps=9, monitors=[Asks(job.loss)], **job.arguments())
    assert newest_checkpoint(tmp_path) == "model.ckpt-1"


@pytest.mark.parametrize("method", ["before_run", "after_run", "after_create_session"])
def test_no_end_after_an_error(method: str, job: Job, tmp_path: Path) -> None:
    hook = Recording()
    with pytest.raises(ZeroDivisionError, match=method):
        train(output_dir=tmp_path, steps=3, monitors=[hook, Raising(method)], **job.arguments())
    assert "end" not in hook.calls


def test_error_in_begin(job: Job, tmp_path: Path) -> None:
    hook, recorder = Recording(), Recorder()
    with pytest.raises(ZeroDivisionError, match="in begin"):
        train(output_dir=tmp_path, steps=3, monitors=[recorder, hook, Raising("begin")], **job.arguments())
    assert hook.calls == ["begin"]
    assert recorder.calls == [["begin", 3], ["end"]]


def test_error_in_end(job: Job, tmp_path: Path) -> None:
    hook = Recording()
    with pytest.raises(ZeroDivisionError, match="in end"):
        train(output_dir=tmp_path, steps=2, monitors=[Raising("end"), hook], **job.arguments())
    assert hook.calls[-1] == "end"
    assert newest_checkpoint(tmp_path) == "model.ckpt-2"


def test_end_of_input(tmp_path: Path) -> None:
    hook = Recording()
    train(output_dir=tmp_path, monitors=[hook], **graphs.build("queue").arguments())
    assert hook.calls[-2:] == ["before_run", "end"]
    assert hook.calls.count("after_run") == 16
