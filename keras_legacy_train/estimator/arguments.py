"""Checks and completes what an Estimator is given."""

from __future__ import annotations

import tempfile
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.run_config import RunConfig, default_session_config, warn_of_session_config

# What subclasses may override of an Estimator.
_MAY_BE_OVERRIDDEN = {
    "model_fn",
    "latest_checkpoint",
    "_assert_members_are_not_overridden",
    "_call_input_fn",
    "_call_model_fn",
    "_create_and_assert_global_step",
}


def complete_config(config: Any, model_dir: Any) -> RunConfig:
    """Returns the configuration with a model directory and a session configuration.

    Raises:
        ValueError: It is no `RunConfig`, or has another directory.
    """
    if config is None:
        config = RunConfig()
        log.info("Using default config.")
    if not isinstance(config, RunConfig):
        raise ValueError(f"config must be an instance of `RunConfig`, but provided {config}.")
    changes: dict[str, Any] = {}
    if config.session_config is None:
        changes["session_config"] = default_session_config()
    else:
        warn_of_session_config(config.session_config)
    if model_dir is not None:
        # An empty one stands for a temporary directory.
        model_dir = model_dir if model_dir == "" else arguments.as_path("model_dir", model_dir)
        if config.model_dir is not None and config.model_dir != model_dir:
            raise ValueError(
                "`model_dir` are set both in constructor and `RunConfig`, but with different values. In"
                f" constructor: '{model_dir}', in `RunConfig`: '{config.model_dir}' "
            )
    if model_dir:
        changes["model_dir"] = model_dir
    elif config.model_dir is None:
        changes["model_dir"] = tempfile.mkdtemp()
        log.warning("Using temporary folder as model directory: %s", changes["model_dir"])
    return config.replace(**changes)


def check_not_overridden(cls: type, estimator: Any) -> None:
    """Checks that a subclass overrides no member of an Estimator, but those that are meant to be.

    Raises:
        ValueError: It does.
    """
    members = {name for name in dir(cls) if not name.startswith("__")} - _MAY_BE_OVERRIDDEN
    own = type(estimator)
    overridden = [
        name for name in sorted(members & vars(own).keys()) if getattr(cls, name) != getattr(own, name)
    ]
    if overridden:
        raise ValueError(
            f"Subclasses of Estimator cannot override members of Estimator. {own} does override {overridden}"
        )


def check_steps(steps: Any, max_steps: Any) -> tuple[int | None, int | None]:
    """Returns the two as integers.

    Raises:
        ValueError: Both are given, or one is not positive.
        TypeError: One is no integer.
    """
    if steps is not None and max_steps is not None:
        raise ValueError("Can not provide both steps and max_steps.")
    for name, value in (("steps", steps), ("max_steps", max_steps)):
        if value is not None and value <= 0:
            raise ValueError(f"Must specify {name} > 0, given: {value}")
    return arguments.as_steps("steps", steps), arguments.as_steps("max_steps", max_steps)


def check_hooks(hooks: Any) -> list[tf.compat.v1.train.SessionRunHook]:
    """Returns session hooks as a list.

    Raises:
        TypeError: One is none.
    """
    checked = list(hooks or [])
    for hook in checked:
        if not isinstance(hook, tf.compat.v1.train.SessionRunHook):
            raise TypeError(f"Hooks must be a SessionRunHook, given: {hook}")
    return checked


def check_listeners(listeners: Any) -> list[tf.compat.v1.train.CheckpointSaverListener]:
    """Returns listeners as a list.

    Raises:
        TypeError: One is none.
    """
    checked = list(listeners or [])
    for listener in checked:
        if not isinstance(listener, tf.compat.v1.train.CheckpointSaverListener):
            raise TypeError(f"saving_listeners must be a list of CheckpointSaverListener, given: {listener}")
    return checked
