"""Stands for `tf.contrib.learn.graph_actions`."""

from keras_legacy_train.errors import NanLossDuringTrainingError
from keras_legacy_train.evaluate import evaluate
from keras_legacy_train.infer import infer, run_feeds, run_feeds_iter, run_n
from keras_legacy_train.summaries import clear_summary_writers, get_summary_writer
from keras_legacy_train.train import train

__all__ = [
    "NanLossDuringTrainingError",
    "clear_summary_writers",
    "evaluate",
    "get_summary_writer",
    "infer",
    "run_feeds",
    "run_feeds_iter",
    "run_n",
    "train",
]
