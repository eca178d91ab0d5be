"""Lists what stands for the names of TensorFlow 1.

A name is written without the leading module: `"contrib.layers"`, `"mul"`, `"python.ops.rnn_cell"`. A row
stands for its name and for all below it. Of several rows that match, the longest is taken. A name without a
row is that of `tf.compat.v1`, if it is there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, TypeAlias


@dataclasses.dataclass(frozen=True)
class Moved:
    """Says where the same thing is today.

    Attributes:
        to: Dotted path, from the package: `"tensorflow.compat.v1.multiply"`.
        renamed: Old names of arguments, and today's.
        order: Today's names of the arguments in the order in which they were passed by position, where that
            order was another one.
        order_when: When a call has that order: `"always"`, or if its first argument is an `int`, which is
            an axis. Today's order begins with tensors.
    """

    to: str
    renamed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    order: tuple[str, ...] = ()
    order_when: Literal["always", "first is int"] = "always"


@dataclasses.dataclass(frozen=True)
class Gone:
    """Says that a thing is not here.

    Attributes:
        use: Sentence that says what to use: `"Use keras.layers.LSTM."`
    """

    use: str


Entry: TypeAlias = Moved | Gone

NAMES: Mapping[str, Entry] = {
    "batch_matmul": Moved(
        "tensorflow.compat.v1.matmul",
        renamed={"x": "a", "y": "b", "adj_x": "adjoint_a", "adj_y": "adjoint_b"},
        order=("a", "b", "adjoint_a", "adjoint_b"),
    ),
    "complex_abs": Moved("tensorflow.compat.v1.abs"),
    "concat": Moved(
        "tensorflow.compat.v1.concat",
        renamed={"concat_dim": "axis"},
        order=("axis", "values"),
        order_when="first is int",
    ),
    "contrib.framework": Moved("keras_legacy_train.contrib.framework"),
    "contrib.framework.python.framework": Moved("keras_legacy_train.contrib.framework"),
    "contrib.framework.python.framework.checkpoint_utils": Moved("keras_legacy_train.contrib.framework"),
    "contrib.framework.python.ops": Moved("keras_legacy_train.contrib.framework"),
    "contrib.framework.python.ops.variables": Moved("keras_legacy_train.contrib.framework"),
    "contrib.layers": Moved("keras_legacy_train.contrib.layers"),
    "contrib.layers.GDN": Gone("Use a keras.layers.Layer of your own."),
    "contrib.layers.RevBlock": Gone("Use a model that keeps its activations, or tf.recompute_grad."),
    "contrib.layers.gdn": Gone("Use a keras.layers.Layer of your own."),
    "contrib.layers.images_to_sequence": Gone("Use tf.transpose and tf.reshape."),
    "contrib.layers.python.layers": Moved("keras_legacy_train.contrib.layers"),
    "contrib.layers.python.layers.embedding_ops": Moved("keras_legacy_train.contrib.layers.embeddings"),
    "contrib.layers.python.layers.encoders": Moved("keras_legacy_train.contrib.layers.embeddings"),
    "contrib.layers.python.layers.layers": Moved("keras_legacy_train.contrib.layers"),
    "contrib.layers.python.layers.optimizers": Moved("keras_legacy_train.layers"),
    "contrib.layers.recompute_grad": Gone("Use tf.recompute_grad."),
    "contrib.layers.rev_block": Gone("Use a model that keeps its activations, or tf.recompute_grad."),
    "contrib.layers.scale_gradient": Gone("Use x * factor + tf.stop_gradient(x * (1 - factor))."),
    "contrib.layers.sequence_to_images": Gone("Use tf.transpose and tf.reshape."),
    "contrib.learn": Moved("keras_legacy_train.learn"),
    "contrib.losses": Moved("keras_legacy_train.contrib.losses"),
    "contrib.losses.metric_learning.cluster_loss": Gone(
        "Use tf.contrib.losses.metric_learning.triplet_semihard_loss or npairs_loss, without clusters."
    ),
    "contrib.losses.metric_learning.npairs_loss_multilabel": Gone(
        "Use tf.contrib.losses.metric_learning.npairs_loss, with one label for each pair."
    ),
    "contrib.losses.python.losses": Moved("keras_legacy_train.contrib.losses"),
    "contrib.losses.python.losses.loss_ops": Moved("keras_legacy_train.contrib.losses"),
    "contrib.losses.python.metric_learning": Moved("keras_legacy_train.contrib.losses.metric_learning"),
    "contrib.losses.python.metric_learning.metric_loss_ops": Moved(
        "keras_legacy_train.contrib.losses.metric_learning"
    ),
    "contrib.metrics": Moved("keras_legacy_train.contrib.metrics"),
    "contrib.metrics.auc_using_histogram": Gone("Use tf.contrib.metrics.streaming_auc."),
    "contrib.metrics.auc_with_confidence_intervals": Gone(
        "Use tf.contrib.metrics.streaming_auc, and bootstrap the predictions for the interval."
    ),
    "contrib.metrics.cohen_kappa": Gone(
        "Use sklearn.metrics.cohen_kappa_score on the predictions of all batches."
    ),
    "contrib.metrics.precision_recall_at_equal_thresholds": Gone(
        "Use tf.contrib.metrics.streaming_curve_points with curve='PR', or streaming_precision_at_thresholds"
        " and streaming_recall_at_thresholds."
    ),
    "contrib.metrics.python.metrics.classification": Moved("keras_legacy_train.contrib.metrics"),
    "contrib.metrics.python.ops.metric_ops": Moved("keras_legacy_train.contrib.metrics"),
    "contrib.metrics.streaming_concat": Gone("Append the values of each session.run to a list of Python."),
    "contrib.metrics.streaming_dynamic_auc": Gone(
        "Use tf.contrib.metrics.streaming_auc, or sklearn.metrics.roc_auc_score on the predictions of all"
        " batches."
    ),
    "contrib.metrics.streaming_sparse_average_precision_at_top_k": Gone(
        "Use tf.contrib.metrics.streaming_sparse_average_precision_at_k on the scores."
    ),
    "contrib.slim": Moved("keras_legacy_train.contrib.slim"),
    "contrib.slim.nets": Gone(
        "Copy the file of the network from research/slim/nets of github.com/tensorflow/models: it works with"
        " this slim."
    ),
    "contrib.slim.python.slim": Moved("keras_legacy_train.contrib.slim"),
    "contrib.slim.python.slim.nets": Gone(
        "Copy the file of the network from research/slim/nets of github.com/tensorflow/models: it works with"
        " this slim."
    ),
    "contrib.tpu": Moved("keras_legacy_train.estimator.tpu"),
    "contrib.training": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.FailureTolerator": Gone(
        "Catch tf.errors.OpError around the call, and try again as often as it may fail."
    ),
    "contrib.training.FeedingQueueRunner": Gone(
        "Use tf.compat.v1.data.Dataset.from_generator in the place of a queue that Python feeds."
    ),
    "contrib.training.HParamDef": Gone("Use to_json and parse_json of tf.contrib.training.HParams."),
    "contrib.training.NextQueuedSequenceBatch": Gone(
        "Pad the sequences by tf.contrib.training.bucket_by_sequence_length, and use tf.nn.dynamic_rnn."
    ),
    "contrib.training.SequenceQueueingStateSaver": Gone(
        "Pad the sequences by tf.contrib.training.bucket_by_sequence_length, and use tf.nn.dynamic_rnn."
    ),
    "contrib.training.Tuner": Gone("Use the package keras-tuner."),
    "contrib.training.batch_sequences_with_states": Gone(
        "Pad the sequences by tf.contrib.training.bucket_by_sequence_length, and use tf.nn.dynamic_rnn."
    ),
    "contrib.training.python.training.bucket_ops": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.python.training.device_setter": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.python.training.evaluation": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.python.training.hparam": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.python.training.training": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.rejection_sample": Gone("Use tf.data.Dataset.rejection_resample, or filter."),
    "contrib.training.resample_at_rate": Gone(
        "Use tf.repeat(inputs, tf.random.poisson([], rates, tf.int32), axis=0)."
    ),
    "contrib.training.stratified_sample": Gone("Use tf.data.Dataset.rejection_resample."),
    "contrib.training.weighted_resample": Gone("Use tf.data.Dataset.rejection_resample."),
    "estimator": Moved("keras_legacy_train.estimator"),
    "histogram_summary": Moved(
        "tensorflow.compat.v1.summary.histogram",
        renamed={"tag": "name"},
        order=("name", "values", "collections"),
    ),
    "image_summary": Moved(
        "tensorflow.compat.v1.summary.image", renamed={"tag": "name", "max_images": "max_outputs"}
    ),
    "layers": Moved("keras_legacy_train.tf_layers"),
    "merge_all_summaries": Moved("tensorflow.compat.v1.summary.merge_all"),
    "merge_summary": Moved("tensorflow.compat.v1.summary.merge"),
    "mul": Moved("tensorflow.compat.v1.multiply"),
    "neg": Moved("tensorflow.compat.v1.negative"),
    "nn.rnn_cell": Moved("keras_legacy_train.rnn_cell"),
    "pack": Moved("tensorflow.compat.v1.stack"),
    "scalar_summary": Moved(
        "tensorflow.compat.v1.summary.scalar",
        renamed={"tags": "name", "values": "tensor"},
        order=("name", "tensor", "collections"),
    ),
    "select": Moved("tensorflow.compat.v1.where", renamed={"t": "x", "e": "y"}),
    "split": Moved(
        "tensorflow.compat.v1.split",
        renamed={"split_dim": "axis", "num_split": "num_or_size_splits"},
        order=("axis", "num_or_size_splits", "value"),
        order_when="first is int",
    ),
    "sub": Moved("tensorflow.compat.v1.subtract"),
    "train.SummaryWriter": Moved("tensorflow.compat.v1.summary.FileWriter"),
    "unpack": Moved("tensorflow.compat.v1.unstack"),
}


def lookup(name: str, names: Mapping[str, Entry] = NAMES) -> Entry | None:
    """Returns what stands for a name of TensorFlow 1.

    Args:
        name: The dotted name without the leading module: `"contrib.layers.conv2d"`.
        names: The table.

    Returns:
        The row of the longest prefix of the name. Of a `Moved`, `to` is the path of the name itself.
        `None` if no row matches: then the name is that of `tf.compat.v1`, if it is there.
    """
    prefix, rest = name, ""
    while prefix:
        entry = names.get(prefix)
        if isinstance(entry, Moved) and rest:
            return Moved(entry.to + rest)
        if entry is not None:
            return entry
        prefix, _, last = prefix.rpartition(".")
        rest = f".{last}{rest}"
    return None
