"""Starts a model from the variables of another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.estimator import log

VocabInfo = tf.compat.v1.train.VocabInfo


class _Fields(NamedTuple):
    ckpt_to_initialize_from: str
    vars_to_warm_start: Any
    var_name_to_vocab_info: Mapping[str, Any]
    var_name_to_prev_var_name: Mapping[str, str]


class WarmStartSettings(_Fields):
    """Says which variables begin with the values of a checkpoint; stands for
    `tf.estimator.WarmStartSettings`.

    Args:
        ckpt_to_initialize_from: The checkpoint, or a directory, whose newest one is taken.
        vars_to_warm_start: Which variables: a regular expression for trainable ones; a list of them for all
            kinds; a list of variables; `None` for those in `var_name_to_vocab_info` only.
        var_name_to_vocab_info: By the name of a variable its `VocabInfo`, where the vocabulary has changed.
        var_name_to_prev_var_name: By the name of a variable its name in the checkpoint, where that differs.

    Raises:
        ValueError: There is no `ckpt_to_initialize_from`.
    """

    __slots__ = ()

    def __new__(
        cls,
        ckpt_to_initialize_from: str | os.PathLike[str],
        vars_to_warm_start: Any = ".*",
        var_name_to_vocab_info: Mapping[str, Any] | None = None,
        var_name_to_prev_var_name: Mapping[str, str] | None = None,
    ) -> WarmStartSettings:
        if not ckpt_to_initialize_from:
            raise ValueError("`ckpt_to_initialize_from` MUST be set in WarmStartSettings")
        return super().__new__(
            cls,
            arguments.as_path("ckpt_to_initialize_from", ckpt_to_initialize_from),
            vars_to_warm_start,
            var_name_to_vocab_info or {},
            var_name_to_prev_var_name or {},
        )


def as_settings(warm_start_from: Any) -> WarmStartSettings | None:
    """Returns the settings that an argument `warm_start_from` means.

    Args:
        warm_start_from: Settings; or the path of a checkpoint, of a directory of checkpoints, or of a
            SavedModel; or `None`.

    Raises:
        ValueError: It is something else.
    """
    if warm_start_from is None or isinstance(warm_start_from, WarmStartSettings):
        return warm_start_from
    if not isinstance(warm_start_from, (str, bytes, os.PathLike)):
        raise ValueError(
            f"warm_start_from must be a string or a WarmStartSettings, instead got {type(warm_start_from)}"
        )
    path = arguments.as_path("warm_start_from", warm_start_from)
    variables = os.path.join(path, "variables", "variables")
    if tf.io.gfile.exists(f"{variables}.index"):
        log.info("Warm-starting from a SavedModel")
        path = variables
    return WarmStartSettings(path)


def warm_start(settings: WarmStartSettings) -> None:
    """Has the variables of the default graph begin with the values that the settings name."""
    log.info("Warm-starting with WarmStartSettings: %s", settings)
    _tensorflow.warm_start(*settings)
