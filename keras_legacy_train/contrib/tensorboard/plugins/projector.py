"""Tells TensorBoard which embeddings to show; stands for `tf.contrib.tensorboard.plugins.projector`.

The messages are those of TensorBoard, which must be installed.
"""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

try:
    from tensorboard.plugins.projector import EmbeddingInfo, ProjectorConfig
    from tensorboard.plugins.projector.projector_config_pb2 import SpriteMetadata
except ImportError as error:
    raise ImportError(
        "tf.contrib.tensorboard.plugins.projector needs TensorBoard. Install it by pip install tensorboard"
    ) from error

__all__ = ["EmbeddingInfo", "ProjectorConfig", "SpriteMetadata", "visualize_embeddings"]

__getattr__ = module_getattr(__name__, __all__)


def visualize_embeddings(summary_writer: Any, config: ProjectorConfig) -> None:
    """Writes `projector_config.pbtxt`, which TensorBoard reads.

    Args:
        summary_writer: The `tf.compat.v1.summary.FileWriter` of the directory, or the directory itself.
        config: Which variables are shown, and the files with their labels.

    Raises:
        ValueError: The writer has no directory.
    """
    get_logdir = getattr(summary_writer, "get_logdir", None)
    directory = get_logdir() if get_logdir else summary_writer
    if directory is None:
        raise ValueError("Summary writer must have a logdir")
    path = os.path.join(os.fsdecode(directory), "projector_config.pbtxt")
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(str(config))
