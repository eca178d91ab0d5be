"""Tells the parameters and the operations of a graph; stands for `tf.contrib.tfprof.model_analyzer`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

v1 = tf.compat.v1

TRAINABLE_VARS_PARAMS_STAT_OPTIONS = v1.profiler.ProfileOptionBuilder.trainable_variables_parameter()
FLOAT_OPS_OPTIONS = v1.profiler.ProfileOptionBuilder.float_operation()
PRINT_ALL_TIMING_MEMORY = v1.profiler.ProfileOptionBuilder.time_and_memory()

__all__ = [
    "FLOAT_OPS_OPTIONS",
    "PRINT_ALL_TIMING_MEMORY",
    "TRAINABLE_VARS_PARAMS_STAT_OPTIONS",
    "print_model_analysis",
]

__getattr__ = module_getattr(__name__, __all__)


def print_model_analysis(
    graph: tf.Graph,
    run_meta: Any = None,
    op_log: Any = None,
    tfprof_cmd: str = "scope",
    tfprof_options: Mapping[str, Any] = TRAINABLE_VARS_PARAMS_STAT_OPTIONS,
) -> Any:
    """Prints what a graph has, by `tf.compat.v1.profiler.profile`.

    Args:
        graph: The graph.
        run_meta: The `RunMetadata` of a traced run, for times and memory.
        op_log: The `OpLogProto` of `tfprof_logger`.
        tfprof_cmd: What the numbers are grouped by: "scope", "graph", "op" or "code".
        tfprof_options: What is printed.

    Returns:
        The root of the tree of numbers: `total_parameters`, `total_float_ops` and more.
    """
    return v1.profiler.profile(graph, run_meta, op_log, tfprof_cmd, dict(tfprof_options))
