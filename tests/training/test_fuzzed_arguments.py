"""Every parameter of every public function with what it cannot mean: an error that names it, no file."""

from __future__ import annotations

import functools
import inspect
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import graphs
import keras_legacy_train as klt
from keras_legacy_train import callbacks, framework, layers, monitors
from keras_legacy_train.checkpoints import CheckpointManager, NamedVariables

v1 = tf.compat.v1

NOTHING = object()
NAN = math.nan
NOT_NUMBERS = ["3", [3], {}, NOTHING, NAN, 1j]

# What a parameter of a kind cannot be.
STEPS = [*NOT_NUMBERS, -1, 1.5, math.inf, True]
POSITIVE = [*NOT_NUMBERS, -1, 0, 1.5, math.inf, True]
INTERVAL = [*NOT_NUMBERS, 1.5, math.inf, True]
EVERY = [*NOT_NUMBERS, None, math.inf, True]
SECONDS = [*NOT_NUMBERS, -1, True]
NUMBER = [*NOT_NUMBERS, True]
FLAG = [NOTHING, "yes", 2, [True], NAN]
PATH = [NOTHING, 3, NAN, ["a"], {}, True]
TEXT = [NOTHING, 3, NAN, ["a"], {}, True]
PATTERN = [*TEXT, "("]
FUNCTION = [NOTHING, 3, "f", [], {}]
FEEDS = [NOTHING, 3, "x", [1, 2]]
ELEMENT = [NOTHING, 3, NAN, "no_such_tensor", [NOTHING], np.zeros(3)]
WATCHERS = [NOTHING, 3, "monitor", [NOTHING], [None], {1: 2}]
CHECKPOINT = [*PATH, "no_such_checkpoint"]
FETCHES = [NOTHING, 3, "loss:0", ["loss:0"], {}, {"a": NOTHING}, {"a": "no_such_tensor:0"}, None]
MAPPING = [NOTHING, 3, "a", [1]]
LIST = [NOTHING, 3, "a"]
REQUEST = [None, NOTHING, 3, NAN, ["w"]]
OBJECT = [NOTHING, 3, "a"]
ANYTHING: list[Any] = []  # it is only handed on, or TensorFlow says what it is

TRAINING = {
    "log_every_steps": INTERVAL,
    "keep_checkpoint_max": STEPS,
    "steps": STEPS,
    "max_steps": STEPS,
    "fail_on_nan_loss": FLAG,
    "monitors": WATCHERS,
    "callbacks": WATCHERS,
    "max_window": POSITIVE,
    "steps_per_epoch": POSITIVE,
    "save_input_state": FLAG,
}
TRAIN = {
    **TRAINING,
    "graph": [NOTHING, 3, [], "no_such_file.meta"],
    "output_dir": [*PATH, None, ""],
    "train_op": [*ELEMENT, None, []],
    "loss_op": [*ELEMENT, None, [], "sub:0"],
    "global_step_tensor": [*ELEMENT, "w:0"],
    "init_op": ELEMENT,
    "init_feed_dict": FEEDS,
    "init_fn": FUNCTION,
    "supervisor_is_chief": FLAG,
    "supervisor_master": [NOTHING, 3, "grpc://a"],
    "supervisor_save_model_secs": SECONDS,
    "supervisor_save_summaries_steps": INTERVAL,
    "feed_fn": FUNCTION,
    "jit_compile": FLAG,
    "progress_bar": FLAG,
    "cluster": [NOTHING, 3, "ps", {"ps": ["a"]}],
    "cluster_timeout": [*SECONDS, None, 0],
    "strategy": [NOTHING, 3, "mirrored"],
}
TRAIN_MODEL = {
    **TRAIN,
    "graph": [NOTHING, 3, []],
    "train_op": [NOTHING, 3, [], "sgd "],
    "loss_op": [NOTHING, 3, []],
    "global_step_tensor": [NOTHING, 3, "no_such_tensor"],
    "init_op": [NOTHING, 3, "init"],
    "init_feed_dict": [{}, 3],
    "feed_fn": [NOTHING, 3],
    "jit_compile": [*FLAG, "auto"],
}
FIT = {
    **TRAINING,
    "strategy": TRAIN["strategy"],
    "model": [NOTHING, None, 3, keras.layers.Dense(1)],
    "x": [NOTHING, None, 3, "x"],
    "y": ANYTHING,
    "batch_size": POSITIVE,
    "sample_weight": ANYTHING,
    "class_weight": [NOTHING, 3, "x", [1.0]],
    "shuffle": [NOTHING, "yes", 2],
    "validation_data": [NOTHING, 3],
    "validation_split": [*NUMBER, 1.5, -0.5],
    "validation_batch_size": POSITIVE,
    "validation_steps": POSITIVE,
    "validation_freq": [*POSITIVE[2:], [0], ["a"]],
    "validation_every_steps": POSITIVE,
    "output_dir": [*PATH, ""],
    "epochs": STEPS,
    "initial_epoch": [*STEPS, None],
    "save_secs": SECONDS,
    "save_steps": POSITIVE,
    "save_summaries_steps": INTERVAL,
    "verbose": [NOTHING, "yes", 3, [1]],
}
EVALUATE = {
    "graph": TRAIN["graph"],
    "output_dir": TRAIN["output_dir"],
    "checkpoint_path": CHECKPOINT,
    "eval_dict": FETCHES,
    "update_op": ELEMENT,
    "global_step_tensor": TRAIN["global_step_tensor"],
    "supervisor_master": TRAIN["supervisor_master"],
    "log_every_steps": INTERVAL,
    "feed_fn": FUNCTION,
    "max_steps": STEPS,
}
OUTPUTS = {"output_dict": FETCHES, "restore_checkpoint_path": CHECKPOINT}
MODEL = {
    "graph": TRAIN["graph"],
    "inputs": [NOTHING, 3, "no_such_tensor"],
    "outputs": [NOTHING, 3, "no_such_tensor"],
    "targets": [NOTHING, 3, "no_such_tensor"],
    "train_op": ELEMENT,
    "loss": ELEMENT,
    "metrics": [NOTHING, 3, "loss", {"a": NOTHING}, {"a": "no_such_tensor"}],
    "checkpoint": CHECKPOINT,
    "learning_rate": [NOTHING, "no_such_tensor"],
    "train_feed_dict": FEEDS,
    "eval_feed_dict": FEEDS,
    "init_feed_dict": FEEDS,
    "name": [NOTHING, 3],
}
WEIGHTS = {
    "model": [NOTHING, None, 3, "model"],
    "checkpoint": [*CHECKPOINT, None],
    "name_map": [NOTHING, 3, "a", {1: "a"}, {"a": 1}],
    "skip": [NOTHING, 3, [3]],
    "strict": FLAG,
    "forget_bias": NUMBER,
}
EVERY_N = {"every_n": EVERY, "first_n": EVERY}
WRITER = {"output_dir": PATH, "summary_writer": OBJECT}
ASSIGN = {
    "model_path": [*CHECKPOINT, None],
    "var_list": [NOTHING, 3, "a", [3], {"a": 3}],
    "ignore_missing_vars": FLAG,
}
SCOPE = {"scope": PATTERN}
SCOPE_AND_SUFFIX = {**SCOPE, "suffix": PATTERN}


@functools.cache
def _job() -> Any:
    return graphs.build("linear_sgd")


@functools.cache
def _model() -> keras.Model:
    model = keras.Sequential([keras.Input([2]), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@functools.cache
def _trained() -> tempfile.TemporaryDirectory[str]:
    job, directory = _job(), tempfile.TemporaryDirectory()
    klt.train(job.graph, directory.name, job.train_op, job.loss, max_steps=1)
    return directory


def _train_arguments() -> dict[str, Any]:
    job = _job()
    return {
        "graph": job.graph,
        "output_dir": "out",
        "train_op": job.train_op,
        "loss_op": job.loss,
        "max_steps": 1,
    }


def _train_model_arguments() -> dict[str, Any]:
    return {
        "graph": _model(),
        "output_dir": "out",
        "train_op": keras.optimizers.SGD(),
        "loss_op": "mse",
        "feed_fn": lambda: (np.zeros([4, 2]), np.zeros([4, 1])),
        "max_steps": 1,
    }


def _fit_arguments() -> dict[str, Any]:
    return {
        "model": _model(),
        "x": np.zeros([4, 2]),
        "y": np.zeros([4, 1]),
        "output_dir": "out",
        "max_steps": 1,
    }


def _evaluate_arguments() -> dict[str, Any]:
    job = _job()
    return {
        "graph": job.graph,
        "output_dir": "out",
        "checkpoint_path": None,
        "eval_dict": {"loss": job.loss},
        "max_steps": 1,
    }


def _optimize_loss_arguments() -> dict[str, Any]:
    return {
        "loss": tf.square(v1.get_variable("w", [])),
        "global_step": v1.train.get_or_create_global_step(),
        "learning_rate": 0.1,
        "optimizer": "SGD",
    }


def _outputs(**also: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"output_dict": {"loss": _job().loss}, **also}


Functions = dict[str, tuple[Callable[..., Any], Callable[[], dict[str, Any]], dict[str, list[Any]]]]

# By name: the function, arguments that are right, and by parameter what it cannot be.
FUNCTIONS: Functions = {
    "train": (klt.train, _train_arguments, TRAIN),
    "train of a model": (klt.train, _train_model_arguments, TRAIN_MODEL),
    "fit": (klt.fit, _fit_arguments, FIT),
    "evaluate": (klt.evaluate, _evaluate_arguments, EVALUATE),
    "infer": (klt.infer, _outputs(restore_checkpoint_path=None), {**OUTPUTS, "feed_dict": FEEDS}),
    "run_n": (klt.run_n, _outputs(), {**OUTPUTS, "feed_dict": FEEDS, "n": [*STEPS, None]}),
    "run_feeds": (
        klt.run_feeds,
        _outputs(feed_dicts=[None]),
        {**OUTPUTS, "feed_dicts": [NOTHING, None, 3, "x", [], [3], ["x"]]},
    ),
    "run_feeds_iter": (
        klt.run_feeds_iter,
        _outputs(feed_dicts=[None]),
        {**OUTPUTS, "feed_dicts": [NOTHING, None, 3, "x", [], [3], ["x"]]},
    ),
    "GraphModel": (klt.GraphModel, lambda: {"graph": _job().graph}, MODEL),
    "load_tf1_weights": (
        klt.load_tf1_weights,
        lambda: {"model": _model(), "checkpoint": "no_such_checkpoint"},
        WEIGHTS,
    ),
    "get_summary_writer": (klt.get_summary_writer, dict, {"logdir": [*PATH, None, ""]}),
    "clear_summary_writers": (klt.clear_summary_writers, dict, {}),
}

MONITORS: Functions = {
    "BaseMonitor": (monitors.BaseMonitor, dict, {}),
    "CaptureVariable": (
        monitors.CaptureVariable,
        lambda: {"var_name": "w"},
        {**EVERY_N, "var_name": REQUEST},
    ),
    "CheckpointSaver": (
        monitors.CheckpointSaver,
        lambda: {"checkpoint_dir": "out", "save_steps": 1},
        {
            "checkpoint_dir": [*PATH, None, ""],
            "save_secs": SECONDS,
            "save_steps": EVERY[:-1],
            "saver": OBJECT,
            "checkpoint_basename": [*TEXT, None, "", "../a"],
            "scaffold": OBJECT,
        },
    ),
    "EveryN": (monitors.EveryN, dict, {"every_n_steps": EVERY, "first_n_steps": EVERY}),
    "ExportMonitor": (
        monitors.ExportMonitor,
        lambda: {"every_n_steps": 1, "export_dir": "out"},
        {
            "every_n_steps": EVERY,
            "export_dir": [*PATH, None, ""],
            "input_fn": FUNCTION,
            "input_feature_key": TEXT,
            "exports_to_keep": STEPS,
            "signature_fn": FUNCTION,
            "default_batch_size": POSITIVE,
        },
    ),
    "GraphDump": (monitors.GraphDump, dict, {"ignore_ops": [NOTHING, 3, "Const", [3]]}),
    "LoggingTrainable": (monitors.LoggingTrainable, dict, {**EVERY_N, **SCOPE}),
    "NanLoss": (
        monitors.NanLoss,
        lambda: {"loss_tensor": "loss"},
        {"loss_tensor": REQUEST, "every_n_steps": EVERY, "fail_on_nan_loss": FLAG},
    ),
    "PrintTensor": (
        monitors.PrintTensor,
        lambda: {"tensor_names": ["loss"]},
        {**EVERY_N, "tensor_names": [NOTHING, None, 3, "loss", [3], {"a": 3}]},
    ),
    "RunHookAdapterForMonitors": (
        monitors.RunHookAdapterForMonitors,
        lambda: {"monitors": []},
        {"monitors": [*WATCHERS, None]},
    ),
    "StepCounter": (monitors.StepCounter, dict, {**WRITER, "every_n_steps": EVERY}),
    "StopAtStep": (monitors.StopAtStep, dict, {"num_steps": STEPS, "last_step": STEPS}),
    "SummarySaver": (
        monitors.SummarySaver,
        lambda: {"summary_op": "merged"},
        {**WRITER, "summary_op": [NOTHING, 3, NAN], "save_steps": EVERY, "scaffold": OBJECT},
    ),
    "ValidationMonitor": (
        monitors.ValidationMonitor,
        lambda: {"x": [1]},
        {
            **dict.fromkeys(["x", "y", "metrics"], ANYTHING),
            "input_fn": FUNCTION,
            "batch_size": POSITIVE,
            "eval_steps": POSITIVE,
            "every_n_steps": EVERY,
            "hooks": LIST,
            "early_stopping_rounds": STEPS,
            "early_stopping_metric": [*TEXT, None],
            "early_stopping_metric_minimize": FLAG,
            "name": TEXT,
            "check_interval_secs": SECONDS,
        },
    ),
    "get_default_monitors": (
        monitors.get_default_monitors,
        lambda: {"summary_op": "merged"},
        {
            **WRITER,
            "loss_op": [NOTHING, 3],
            "summary_op": [NOTHING, 3],
            "save_summary_steps": EVERY,
        },
    ),
    "replace_monitors_with_hooks": (
        monitors.replace_monitors_with_hooks,
        lambda: {"monitors_or_hooks": [monitors.EveryN()], "estimator": NOTHING},
        {"monitors_or_hooks": [NOTHING, 3, "a", [NOTHING]], "estimator": [None]},
    ),
}

CALLBACKS: Functions = {
    "CheckpointSaver": (
        callbacks.CheckpointSaver,
        lambda: {
            "manager": CheckpointManager("out", NamedVariables(()), max_to_keep=None),
            "global_step": lambda: 1,
            "save_secs": None,
            "writer": None,
        },
        {
            "manager": [*OBJECT, None],
            "global_step": [*FUNCTION, None],
            "save_secs": SECONDS,
            "writer": OBJECT,
            "save_steps": POSITIVE,
            "save_first": FLAG,
            "listeners": WATCHERS,
        },
    ),
    "LoopCallback": (callbacks.LoopCallback, dict, {}),
    "MonitorCallback": (
        callbacks.MonitorCallback,
        lambda: {"monitor": monitors.EveryN()},
        {"monitor": [*OBJECT, None, monitors.EveryN], "tell_epochs": FLAG},
    ),
    "ProgressBar": (
        callbacks.ProgressBar,
        lambda: {"start": 0, "target_step": 10},
        {"start": [*STEPS, None], "target_step": [*NOT_NUMBERS, None, -1]},
    ),
    "StepLogger": (
        callbacks.StepLogger,
        lambda: {"log_every_steps": 1, "start": 0},
        {"log_every_steps": [*INTERVAL, None], "start": [*STEPS, None]},
    ),
    "TerminateOnNaN": (
        callbacks.TerminateOnNaN,
        dict,
        {
            "fail": FLAG,
            "check_inf": FLAG,
            "log_every_steps": INTERVAL,
            "last_good_checkpoint": [*FUNCTION, None],
        },
    ),
    "TrainingSummaries": (
        callbacks.TrainingSummaries,
        lambda: {"writer": klt.get_summary_writer("out"), "graph": None, "start": 0, "save_steps": 1},
        {
            "writer": [*OBJECT, None],
            "graph": OBJECT,
            "start": [*STEPS, None],
            "save_steps": INTERVAL,
            "needs_steps": FLAG,
        },
    ),
}

FRAMEWORK: Functions = {
    "add_model_variable": (framework.add_model_variable, dict, {"var": [NOTHING, None, 3, "w"]}),
    "assert_or_get_global_step": (
        framework.assert_or_get_global_step,
        dict,
        {"graph": OBJECT, "global_step_tensor": OBJECT},
    ),
    "assign_from_checkpoint": (
        framework.assign_from_checkpoint,
        lambda: {"model_path": _trained().name, "var_list": {"w": v1.get_variable("w", [])}},
        ASSIGN,
    ),
    "assign_from_checkpoint_fn": (
        framework.assign_from_checkpoint_fn,
        lambda: {"model_path": _trained().name, "var_list": {"w": v1.get_variable("w", [])}},
        {**ASSIGN, "reshape_variables": FLAG},
    ),
    "assign_from_values": (
        framework.assign_from_values,
        dict,
        {"var_names_to_values": [*MAPPING, None, {"w": 1.0}, {3: 1.0}]},
    ),
    "assign_from_values_fn": (
        framework.assign_from_values_fn,
        dict,
        {"var_names_to_values": [*MAPPING, None, {"w": 1.0}, {3: 1.0}]},
    ),
    "filter_variables": (
        framework.filter_variables,
        lambda: {"var_list": []},
        {
            "var_list": [NOTHING, 3, "a", [3]],
            "include_patterns": [NOTHING, 3, "a", [3], ["("]],
            "exclude_patterns": [NOTHING, 3, "a", [3], ["("]],
            "reg_search": FLAG,
        },
    ),
    "get_local_variables": (framework.get_local_variables, dict, SCOPE_AND_SUFFIX),
    "get_model_variables": (framework.get_model_variables, dict, SCOPE_AND_SUFFIX),
    "get_trainable_variables": (framework.get_trainable_variables, dict, SCOPE_AND_SUFFIX),
    "get_variables": (framework.get_variables, dict, {**SCOPE_AND_SUFFIX, "collection": [NOTHING, 3, []]}),
    "get_variables_by_suffix": (
        framework.get_variables_by_suffix,
        lambda: {"suffix": "w"},
        {**SCOPE, "suffix": [*PATTERN, None]},
    ),
    "get_variables_by_name": (
        framework.get_variables_by_name,
        lambda: {"given_name": "w"},
        {**SCOPE, "given_name": [*TEXT, None]},
    ),
    "get_unique_variable": (framework.get_unique_variable, dict, {"var_op_name": [NOTHING, None, 3, "w"]}),
    "get_variable_full_name": (framework.get_variable_full_name, dict, {"var": [NOTHING, None, 3, "w"]}),
    "get_variables_to_restore": (
        framework.get_variables_to_restore,
        dict,
        {"include": [NOTHING, 3, "a"], "exclude": [NOTHING, 3, "a"]},
    ),
    "init_from_checkpoint": (
        framework.init_from_checkpoint,
        lambda: {"checkpoint_dir": _trained().name, "assignment_map": {"w": "w"}},
        {"checkpoint_dir": [*CHECKPOINT, None], "assignment_map": [NOTHING, 3, "a", None]},
    ),
    "list_variables": (framework.list_variables, dict, {"checkpoint_dir": [*CHECKPOINT, None]}),
    "load_checkpoint": (framework.load_checkpoint, dict, {"filepattern": [*CHECKPOINT, None]}),
    "load_variable": (
        framework.load_variable,
        lambda: {"checkpoint_dir": _trained().name, "name": "w"},
        {"checkpoint_dir": [*CHECKPOINT, None], "name": [*TEXT, None, "no_such_variable"]},
    ),
}
# What makes variables hands its arguments to TensorFlow, which says what they are.
HANDED_ON = {
    "assert_global_step",
    "create_global_step",
    "get_global_step",
    "get_or_create_global_step",
    "global_variable",
    "local_variable",
    "model_variable",
    "variable",
}
# The loop makes these for the hooks of callbacks, and users read them.
HOOK_TYPES = {"Feeds", "RunContext", "Sampling", "Steps", "StopReason"}

LAYERS: Functions = {
    "adaptive_clipping_fn": (
        layers.adaptive_clipping_fn,
        dict,
        {
            "std_factor": NUMBER,
            "decay": NUMBER,
            "static_max_norm": NUMBER,
            "global_step": OBJECT,
            "report_summary": FLAG,
            "epsilon": NUMBER,
            "name": TEXT,
        },
    ),
    "optimize_loss": (
        layers.optimize_loss,
        _optimize_loss_arguments,
        {
            "loss": [NOTHING, None, 3, "loss", [1.0, 2.0]],
            "global_step": [NOTHING, 3, "step"],
            "learning_rate": [*NOT_NUMBERS, None, -1, True],
            "optimizer": [NOTHING, None, 3, "sgd ", keras.optimizers.SGD, lambda rate: None],
            "gradient_noise_scale": NUMBER,
            "gradient_multipliers": [*MAPPING, {3: 1.0}, {"w": "a"}],
            "clip_gradients": [*NOT_NUMBERS, True],
            "learning_rate_decay_fn": FUNCTION,
            "update_ops": [*LIST, [NOTHING]],
            "variables": [*LIST, [3]],
            "name": TEXT,
            "summaries": [NOTHING, 3, "loss", ["all"]],
            "colocate_gradients_with_ops": FLAG,
            "increment_global_step": FLAG,
        },
    ),
}

MODULES = {
    klt: FUNCTIONS,
    monitors: MONITORS,
    callbacks: CALLBACKS,
    framework: FRAMEWORK,
    layers: LAYERS,
}
CASES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": functions[name]
    for module, functions in MODULES.items()
    for name in functions
}


@pytest.mark.parametrize(
    ("function", "parameter"),
    [(function, parameter) for function, (_, _, wrong) in CASES.items() for parameter in wrong],
)
def test_wrong_value(function: str, parameter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call, right, wrong = CASES[function]
    failures = []
    for value in wrong[parameter]:
        try:
            with tf.Graph().as_default():
                given = {**right(), parameter: value}
                if parameter in ("steps", "epochs"):
                    del given["max_steps"]
                result = call(**given)
                if isinstance(result, Iterator):
                    next(result)
        except (ValueError, TypeError, FileNotFoundError) as error:
            if parameter not in str(error):
                failures.append(f"{value!r}: {type(error).__name__} does not name it: {str(error)[:200]}")
        except Exception as error:
            failures.append(f"{value!r}: {type(error).__name__}: {str(error)[:200]}")
        else:
            failures.append(f"{value!r}: accepted")
        if any(tmp_path.iterdir()):
            failures.append(f"{value!r}: wrote {[path.name for path in tmp_path.iterdir()]}")
            for path in tmp_path.iterdir():
                path.rename(tmp_path.parent / f"{path.name}-{len(failures)}-{tmp_path.name}")
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("function", CASES)
def test_no_parameter_is_left_out(function: str) -> None:
    call, _, wrong = CASES[function]
    assert set(wrong) == set(inspect.signature(call).parameters)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_no_function_is_left_out(module: Any) -> None:
    public = {name for name in module.__all__ if callable(getattr(module, name))}
    errors = {name for name in public if name.endswith(("Error", "Report"))}
    assert public - errors - HANDED_ON - HOOK_TYPES <= set(MODULES[module])
