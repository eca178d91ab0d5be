"""What holds for every public callback and every public monitor, those still to come included."""

from __future__ import annotations

import inspect
import logging
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import pytest
import tensorflow as tf

import graphs
from batch_helpers import X, Y, batches, fit, line_model, train
from helpers import EveryNLosses, checkpoint_numbers, scalar_events
from keras_legacy_train import callbacks, get_summary_writer, monitors
from keras_legacy_train.callbacks import LoopCallback
from keras_legacy_train.checkpoints import CheckpointManager, NamedVariables, SavedVariable

v1 = tf.compat.v1
STEPS = 4


pytestmark = pytest.mark.usefixtures("v2_behavior")


class Estimator:
    """What `ValidationMonitor` and `ExportMonitor` expect."""

    def __init__(self, model_dir: str):
        self.model_dir = model_dir

    def evaluate(self, x: Any) -> dict[str, float]:
        return {"loss": x}

    def export(self, export_dir: str, **options: Any) -> str:
        return export_dir


def with_estimator(monitor: Any, directory: Path) -> Any:
    monitor.set_estimator(Estimator(str(directory)))
    return monitor


def manager(directory: Path) -> CheckpointManager:
    state = NamedVariables([SavedVariable("w", tf.Variable(1.0))])
    made = CheckpointManager(str(directory / "own"), state, max_to_keep=None)
    made.verify_writable()
    return made


CALLBACKS: dict[str, Callable[[Path], LoopCallback]] = {
    "CheckpointSaver": lambda path: callbacks.CheckpointSaver(
        manager(path), global_step=lambda: 3, save_secs=None, writer=None
    ),
    "LoopCallback": lambda path: callbacks.LoopCallback(),
    "MonitorCallback": lambda path: callbacks.MonitorCallback(monitors.PrintTensor(["loss"], every_n=2)),
    "ProgressBar": lambda path: callbacks.ProgressBar(start=0, target_step=STEPS),
    "StepLogger": lambda path: callbacks.StepLogger(log_every_steps=2, start=0),
    "TerminateOnNaN": lambda path: callbacks.TerminateOnNaN(check_inf=True),
    "TrainingSummaries": lambda path: callbacks.TrainingSummaries(
        get_summary_writer(path / "own"), graph=None, start=0, save_steps=2
    ),
}
MONITORS: dict[str, Callable[[Path], Any]] = {
    "BaseMonitor": lambda path: monitors.BaseMonitor(),
    "CaptureVariable": lambda path: monitors.CaptureVariable("loss", every_n=2, first_n=1),
    "CheckpointSaver": lambda path: monitors.CheckpointSaver(path / "own", save_steps=2),
    "EveryN": lambda path: monitors.EveryN(every_n_steps=2, first_n_steps=1),
    "ExportMonitor": lambda path: with_estimator(monitors.ExportMonitor(2, str(path / "own")), path),
    "GraphDump": lambda path: monitors.GraphDump(),
    "LoggingTrainable": lambda path: monitors.LoggingTrainable(every_n=2),
    "NanLoss": lambda path: monitors.NanLoss("loss", every_n_steps=2),
    "PrintTensor": lambda path: monitors.PrintTensor(["loss"], every_n=2),
    "StepCounter": lambda path: monitors.StepCounter(every_n_steps=2, output_dir=path / "own"),
    "StopAtStep": lambda path: monitors.StopAtStep(num_steps=STEPS),
    "SummarySaver": lambda path: monitors.SummarySaver("summary", save_steps=2, output_dir=path / "own"),
    "ValidationMonitor": lambda path: with_estimator(monitors.ValidationMonitor(x=1.0), path),
}
HOOKS: dict[str, Callable[[Path], Any]] = {
    "RunHookAdapterForMonitors": lambda path: monitors.RunHookAdapterForMonitors([EveryNLosses("loss:0")]),
}
# And what the errors point to.
NEEDING_A_GRAPH = {
    "CheckpointSaver": "ModelCheckpoint",
    "RunHookAdapterForMonitors": "SessionRunHook",
    "SummarySaver": "TensorBoard",
}

# What the hooks of a LoopCallback take and return.
HOOK_TYPES = {"Feeds", "RunContext", "Sampling", "Steps", "StopReason"}

EVERY_CALLBACK = pytest.mark.parametrize("name", CALLBACKS)
EVERY_MONITOR = pytest.mark.parametrize("name", MONITORS)
EVERY_ONE = pytest.mark.parametrize(
    ("module", "name"),
    [*((callbacks, name) for name in CALLBACKS), *((monitors, name) for name in monitors.__all__)],
)


MAKERS = [
    *(pytest.param(make, id=f"callbacks.{name}") for name, make in CALLBACKS.items()),
    *(pytest.param(make, id=f"monitors.{name}") for name, make in {**MONITORS, **HOOKS}.items()),
]


def test_every_one_is_known_here() -> None:
    assert set(CALLBACKS) | HOOK_TYPES == set(callbacks.__all__)
    others = {"NanLossDuringTrainingError", "get_default_monitors", "replace_monitors_with_hooks"}
    assert set(MONITORS) | set(HOOKS) | others == set(monitors.__all__)
    for module in (callbacks, monitors):
        assert sorted(module.__all__, key=str) == list(module.__all__)


# How they are made and documented.


def documented(docstring: str) -> list[str]:
    """The names in the section `Args` of a docstring."""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", inspect.cleandoc(docstring), re.DOTALL | re.MULTILINE)
    entries = re.findall(r"^    (\w[\w, *]*):", section[1], re.MULTILINE) if section else []
    return [name.strip(" *") for entry in entries for name in entry.split(",")]


@EVERY_ONE
def test_arguments_are_documented(module: Any, name: str) -> None:
    each = getattr(module, name)
    assert each.__doc__ and each.__doc__.strip().endswith((".", "`", ")", "```"))
    if isinstance(each, type) and issubclass(each, Exception):
        return
    function = each.__init__ if isinstance(each, type) else each
    parameters = [p for p in inspect.signature(function).parameters if p not in ("self", "args", "kwargs")]
    assert documented(each.__doc__) == parameters


@EVERY_ONE
def test_public_methods_are_documented(module: Any, name: str) -> None:
    each = getattr(module, name)
    if isinstance(each, type):
        inherited = {*dir(keras.callbacks.Callback), *dir(Exception)}
        for attribute in set(dir(each)).difference(inherited):
            assert attribute.startswith("_") or inspect.getdoc(getattr(each, attribute)), attribute


@pytest.mark.parametrize("make", MAKERS)
def test_instances(make: Callable[[Path], Any], tmp_path: Path) -> None:
    """They show their names, are what the loop expects, and write nothing yet."""
    each = make(tmp_path)
    assert type(each).__name__ in repr(each)
    if isinstance(each, keras.callbacks.Callback):
        assert isinstance(each, LoopCallback)
    else:
        assert isinstance(each, (monitors.BaseMonitor, v1.train.SessionRunHook))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def bare(value: Any) -> str:
    """What an object says of itself, without its address."""
    return re.sub(r" at 0x\w+", "", repr(value))


@pytest.mark.parametrize("make", [make for make in MAKERS if make.id != "callbacks.CheckpointSaver"])
def test_pickle(make: Callable[[Path], Any], tmp_path: Path) -> None:
    """They can be sent to another process before they are used, but for what is tied to a directory here."""
    each = make(tmp_path)
    copy = pickle.loads(pickle.dumps(each))
    assert {key: bare(value) for key, value in vars(copy).items()} == {
        key: bare(value) for key, value in vars(each).items()
    }
    if isinstance(copy, monitors.BaseMonitor):
        with tf.Graph().as_default():
            v1.get_variable("w", [])
            copy.begin(max_steps=3)
            copy.end()


# Signatures of hooks.


def hooks_of(base: type) -> list[str]:
    return [name for name, each in vars(base).items() if callable(each) and not name.startswith("_")]


def bare_signature(function: Any) -> inspect.Signature:
    """Without annotations."""
    parameters = [
        p.replace(annotation=inspect.Parameter.empty) for p in inspect.signature(function).parameters.values()
    ]
    return inspect.Signature(parameters)


@EVERY_CALLBACK
def test_hooks_of_callbacks(name: str) -> None:
    each = getattr(callbacks, name)
    for base in (keras.callbacks.Callback, LoopCallback):
        for hook in hooks_of(base):
            assert bare_signature(getattr(each, hook)) == bare_signature(getattr(base, hook)), hook


@EVERY_MONITOR
def test_hooks_of_monitors(name: str) -> None:
    each = getattr(monitors, name)
    for base in (monitors.BaseMonitor, monitors.EveryN):
        if issubclass(each, base):
            for hook in hooks_of(base):
                assert bare_signature(getattr(each, hook)) == bare_signature(getattr(base, hook)), hook


# Wherever they are used, they work, or say what else does.


def in_keras(directory: Path, callback: Any) -> None:
    model = line_model()
    model.compile(keras.optimizers.SGD(0.01), "mse")
    model.fit(X, Y, batch_size=8, verbose=0, callbacks=callback)


def in_fit(directory: Path, callback: Any = None, monitor: Any = None) -> None:
    model = line_model()
    model.compile(keras.optimizers.SGD(0.01), "mse")
    options = {"output_dir": directory / "run", "callbacks": callback, "monitors": monitor, "verbose": 0}
    fit(model, X, Y, batch_size=8, **options)


def in_train_of_a_model(directory: Path, callback: Any = None, monitor: Any = None) -> None:
    options = {"feed_fn": batches(), "steps": STEPS, "callbacks": callback, "monitors": monitor}
    train(line_model(), directory / "run", keras.optimizers.SGD(0.01), "mse", **options)


def in_train_of_functions(directory: Path, callback: Any = None, monitor: Any = None) -> None:
    w = tf.Variable(1.0, name="w")
    options = {"steps": STEPS, "callbacks": callback, "monitors": monitor}
    train(None, directory / "run", lambda: {"loss": w.assign(w / 2)}, "loss", **options)


def in_train_of_a_graph(directory: Path, callback: Any = None, monitor: Any = None) -> None:
    job = graphs.build("linear_sgd")
    with job.graph.as_default():
        tf.identity(v1.summary.scalar("watched", job.loss, collections=[]), name="summary")
    options = {"steps": STEPS, "callbacks": callback, "monitors": monitor}
    train(output_dir=directory / "run", **options, **job.arguments())


LOOPS = pytest.mark.parametrize(
    "run", [in_fit, in_train_of_a_model, in_train_of_functions, in_train_of_a_graph]
)


@LOOPS
def test_callbacks_in_the_loop(
    run: Callable[..., None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    run(tmp_path, callback=[make(tmp_path / name) for name, make in CALLBACKS.items()])
    assert checkpoint_numbers(tmp_path / "CheckpointSaver" / "own") == [3]
    printed = [text.partition(":")[0] for text in caplog.messages if text.startswith("Step ")]
    assert printed == ["Step 1", "Step 3", "Step 4"]
    logged = [text.partition(",")[0] for text in caplog.messages if text.startswith("training step ")]
    assert sorted(logged) == ["training step 2", "training step 4", "training step 4"]  # one of train's own
    assert list(scalar_events(tmp_path / "TrainingSummaries" / "own")["loss"]) == [1, 3, 4]


@LOOPS
def test_monitors_in_the_loop(run: Callable[..., None], tmp_path: Path) -> None:
    has_graph = run is in_train_of_a_graph
    chosen = {
        name: make(tmp_path / name)
        for name, make in {**MONITORS, **HOOKS}.items()
        if has_graph or name not in {**NEEDING_A_GRAPH, **HOOKS}
    }
    run(tmp_path, monitor=list(chosen.values()))
    assert list(chosen["CaptureVariable"].values) == [1, 3, 4]
    assert list(scalar_events(tmp_path / "StepCounter" / "own")["global_step/sec"]) == [3, 4]
    if has_graph:
        assert checkpoint_numbers(tmp_path / "CheckpointSaver" / "own") == [1, 3, 4]
        assert list(scalar_events(tmp_path / "SummarySaver" / "own")["watched"]) == [1, 3, 4]
        assert list(chosen["RunHookAdapterForMonitors"]._monitors[0].losses) == [1]


@pytest.mark.parametrize("name", NEEDING_A_GRAPH)
@pytest.mark.parametrize("run", [in_keras, in_fit, in_train_of_a_model, in_train_of_functions])
def test_monitors_that_need_a_graph(name: str, run: Callable[..., None], tmp_path: Path) -> None:
    callback = callbacks.MonitorCallback({**MONITORS, **HOOKS}[name](tmp_path))
    with pytest.raises(ValueError, match=NEEDING_A_GRAPH[name]):
        run(tmp_path, callback)
    assert list(tmp_path.iterdir()) == []


@EVERY_CALLBACK
def test_callbacks_in_keras(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "keras_legacy_train")
    callback = CALLBACKS[name](tmp_path)
    if name == "TerminateOnNaN":
        in_keras(tmp_path, callback)
    elif name == "MonitorCallback":
        in_keras(tmp_path, callback)
        printed = [text.partition(":")[0] for text in caplog.messages if text.startswith("Step ")]
        assert printed == ["Step 1", "Step 3", "Step 4"]
    else:
        with pytest.raises(ValueError, match=rf"{name} works in keras_legacy_train\.fit\(\)"):
            in_keras(tmp_path, callback)


def test_a_callback_of_ones_own_in_keras() -> None:
    """It is ended before the error is raised: Keras would not do so, and it may have begun something."""
    ended: list[str] = []

    class Own(LoopCallback):
        def on_train_end(self, logs: Any = None) -> None:
            ended.append("end")

    with pytest.raises(ValueError, match="Own works in"):
        in_keras(Path(), Own())
    assert ended == ["end"]


def test_monitors_in_keras(tmp_path: Path) -> None:
    chosen = {name: make(tmp_path / name) for name, make in MONITORS.items() if name not in NEEDING_A_GRAPH}
    in_keras(tmp_path, [callbacks.MonitorCallback(monitor) for monitor in chosen.values()])
    assert list(chosen["CaptureVariable"].values) == [1, 3, 4]
    assert list(scalar_events(tmp_path / "StepCounter" / "own")["global_step/sec"]) == [3, 4]
