"""Writes a checkpoint, which counts only when all of it is on disk."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Sequence

import tensorflow as tf

from keras_legacy_train.checkpoints import directory as files
from keras_legacy_train.checkpoints.durable import sync_directory, sync_file, write_durably
from keras_legacy_train.checkpoints.leftovers import mark_finished, mark_unfinished, remove_unfinished


def write_checkpoint(
    prefix: str,
    checkpoint: tf.train.Checkpoint,
    meta_graph: bytes | None,
    earlier: Sequence[str],
    max_to_keep: int | None,
) -> list[str]:
    """Writes a checkpoint, lists it in the `checkpoint` file, and only then deletes those not kept.

    `tf.train.CheckpointManager` writes and deletes. It deletes the files that the `checkpoint` file lists,
    wherever they lie, so it reads only a `checkpoint` file written here.

    Args:
        prefix: The checkpoint's path without suffix, which ends in its number; there are no such files yet.
        checkpoint: Has the values to write.
        meta_graph: What to write to `<prefix>.meta`.
        earlier: The prefixes of the checkpoints before, oldest first.
        max_to_keep: How many to keep; `None` for all.

    Returns:
        The prefixes of the checkpoints now, oldest first.

    Raises:
        tf.errors.OpError, OSError: It could not be written. Its files are deleted, where that is possible.
    """
    directory, name = os.path.split(prefix)
    files.write_state(directory, earlier)
    manager = tf.train.CheckpointManager(
        checkpoint, directory, max_to_keep, checkpoint_name=name.rpartition("-")[0]
    )

    def complete(_: str) -> None:
        """Completes the files when TensorFlow has written the tensors, but not yet the `checkpoint` file."""
        if meta_graph is not None:
            write_durably(prefix + ".meta", meta_graph)
        for path in files.checkpoint_files(prefix):
            sync_file(path)
        sync_directory(directory)

    options = tf.train.CheckpointOptions(experimental_write_callbacks=[complete])
    try:
        mark_unfinished(prefix)
        with _no_new_root_handler():
            manager.save(checkpoint_number=files.step_of(prefix), options=options)
    except BaseException:
        with contextlib.suppress(OSError):  # the next start cleans up what cannot be deleted now
            if not _is_listed(prefix):
                remove_unfinished(prefix)
        raise
    for old in set(earlier).difference(manager.checkpoints):
        files.delete_remains(old)
    sync_file(os.path.join(directory, files.STATE_FILE))
    mark_finished(prefix)
    sync_directory(directory)
    checkpoints: list[str] = manager.checkpoints
    return checkpoints


@contextlib.contextmanager
def _no_new_root_handler() -> Iterator[None]:
    """Keeps TensorFlow from adding a handler to a root logger that has none, as it does when it logs a save.

    Lines of TensorFlow's own logger would be printed twice from then on.
    """
    if logging.root.handlers:
        yield
        return
    silent = logging.NullHandler()
    logging.root.addHandler(silent)
    try:
        yield
    finally:
        logging.root.removeHandler(silent)


def _is_listed(prefix: str) -> bool:
    paths = files.read_state(os.path.dirname(prefix)) or []
    return os.path.basename(prefix) in map(os.path.basename, paths)
