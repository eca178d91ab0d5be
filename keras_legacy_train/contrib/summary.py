"""Has the summaries of `tf.contrib.summary`, which ops write to event files themselves.

As in TensorFlow 1, a graph needs `initialize` first, and runs `all_summary_ops` along with its steps.
"""

from __future__ import annotations

import tensorflow as tf

from keras_legacy_train._tensorflow import legacy_summaries
from keras_legacy_train.contrib._missing import module_getattr

v1 = tf.compat.v1

SummaryWriter = tf.summary.SummaryWriter
all_summary_ops = v1.summary.all_v2_summary_ops
always_record_summaries = legacy_summaries.always_record_summaries
audio = legacy_summaries.audio
create_file_writer = legacy_summaries.create_file_writer
create_summary_file_writer = legacy_summaries.create_summary_file_writer
eval_dir = legacy_summaries.eval_dir
flush = tf.summary.flush
generic = legacy_summaries.generic
graph = legacy_summaries.graph_v1
histogram = legacy_summaries.histogram
image = legacy_summaries.image
import_event = legacy_summaries.import_event
initialize = v1.summary.initialize
never_record_summaries = legacy_summaries.never_record_summaries
record_summaries_every_n_global_steps = legacy_summaries.record_summaries_every_n_global_steps
scalar = legacy_summaries.scalar
summary_writer_initializer_op = legacy_summaries.summary_writer_initializer_op


def should_record_summaries() -> tf.Tensor:
    """Returns a boolean tensor: whether summaries are recorded. Unless something says so, they are not."""
    return legacy_summaries._legacy_contrib_should_record_summaries()


__all__ = [
    "SummaryWriter",
    "all_summary_ops",
    "always_record_summaries",
    "audio",
    "create_file_writer",
    "create_summary_file_writer",
    "eval_dir",
    "flush",
    "generic",
    "graph",
    "histogram",
    "image",
    "import_event",
    "initialize",
    "never_record_summaries",
    "record_summaries_every_n_global_steps",
    "scalar",
    "should_record_summaries",
    "summary_writer_initializer_op",
]

__getattr__ = module_getattr(__name__, __all__)
