"""Writes event files, which TensorBoard shows.

```python
from keras_legacy_train.summaries import get_summary_writer

writer = get_summary_writer(output_dir)
writer.add_scalar("accuracy", 0.97, step=100)
writer.flush()
```

The writers work in graph mode, under eager execution and after `disable_v2_behavior()`.
`tf.compat.v1.summary.FileWriter` raises an error under eager execution.
"""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.types import PathLike

# An event that comes more than this many seconds after the last flush flushes the file.
_FLUSH_SECONDS = 1.0

_file_numbers = itertools.count()


class SummaryWriter:
    """Appends events to a file in a directory.

    Stands for `tf.compat.v1.summary.FileWriter`. The first event makes the file `events.out.tfevents.*`, and
    the directory if it is missing. Events are on disk after about a second, or when `flush` is called. After
    `close`, the next event opens a new file. A writer may be used from several threads, and as a context
    manager, which closes it.

    Args:
        logdir: Directory of the event files.

    Raises:
        ValueError: `logdir` is not a path.
        tf.errors.OpError: While writing: the file cannot be written.
    """

    def __init__(self, logdir: PathLike):
        self._logdir = arguments.as_path("logdir", logdir)
        self._lock = threading.Lock()
        self._file: tf.io.TFRecordWriter | None = None
        self._path = ""
        self._tells_of_sessions_only = False
        self._flushed = 0.0

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return get_summary_writer, (self._logdir,)  # Files and locks cannot be pickled.

    def get_logdir(self) -> str:
        """Returns the directory of the event files."""
        return self._logdir

    def add_summary(self, summary: bytes | tf.compat.v1.Summary, global_step: int | None = None) -> None:
        """Writes a summary.

        Args:
            summary: A `Summary`, or a serialised one, which is what the operations of `tf.compat.v1.summary`
                return.
            global_step: The step it belongs to.
        """
        if isinstance(summary, bytes):
            summary = tf.compat.v1.Summary.FromString(summary)
        self._add(global_step, summary=summary)

    def add_scalar(self, tag: str, value: float, step: int | None = None) -> None:
        """Writes one number.

        Args:
            tag: The name that TensorBoard shows.
            value: The number.
            step: The step it belongs to.
        """
        scalar = tf.compat.v1.Summary.Value(tag=tag, simple_value=float(value))
        self._add(step, summary=tf.compat.v1.Summary(value=[scalar]))

    def add_graph(self, graph: tf.Graph | tf.compat.v1.GraphDef, global_step: int | None = None) -> None:
        """Writes a graph.

        Args:
            graph: The graph. A `tf.Graph` is written with the shapes of its tensors.
            global_step: The step it belongs to.

        Raises:
            TypeError: `graph` is not a graph.
        """
        if isinstance(graph, tf.Graph):
            graph = graph.as_graph_def(add_shapes=True)
        if not isinstance(graph, tf.compat.v1.GraphDef):
            raise TypeError(f"The graph must be a tf.Graph or a GraphDef, not {type(graph).__name__}.")
        self._add(global_step, graph_def=graph.SerializeToString())

    def add_session_log(self, session_log: tf.compat.v1.SessionLog, global_step: int | None = None) -> None:
        """Writes that a session has started or a checkpoint was saved.

        Args:
            session_log: A `tf.compat.v1.SessionLog`.
            global_step: The step it belongs to.
        """
        self._add(global_step, session_log=session_log)

    def add_event(self, event: tf.compat.v1.Event) -> None:
        """Writes an event unchanged.

        Args:
            event: A `tf.compat.v1.Event`.
        """
        with self._lock:
            file = self._open()
            file.write(event.SerializeToString())
            self._tells_of_sessions_only &= event.HasField("session_log")
            now = time.monotonic()
            if now > self._flushed + _FLUSH_SECONDS:
                file.flush()
                self._flushed = now

    def flush(self) -> None:
        """Waits until all events so far are on disk."""
        with self._lock:
            if self._file is not None:
                self._file.flush()

    def close(self) -> None:
        """Writes all events so far and closes the file."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                file.close()

    def take_back(self) -> None:
        """Closes and deletes the file, if it tells only that sessions have started and saved checkpoints.

        The next event opens a new file.
        """
        self.close()
        with self._lock:
            if self._tells_of_sessions_only:
                tf.io.gfile.remove(self._path)
                self._tells_of_sessions_only = False

    def reopen(self) -> None:
        """Opens a new file if none is open."""
        with self._lock:
            self._open()

    def _add(self, step: int | None, **content: Any) -> None:
        event = tf.compat.v1.Event(wall_time=time.time(), **content)
        if step is not None:
            event.step = int(step)
        self.add_event(event)

    def _open(self) -> tf.io.TFRecordWriter:
        if self._file is None:
            tf.io.gfile.makedirs(self._logdir)
            # TensorBoard reads files with such a name and with this first event.
            origin = f"{socket.gethostname()}.{os.getpid()}.{next(_file_numbers)}"
            name = f"events.out.tfevents.{int(time.time()):010d}.{origin}"
            self._path = os.path.join(self._logdir, name)
            self._tells_of_sessions_only = True
            self._file = tf.io.TFRecordWriter(self._path)
            version = tf.compat.v1.Event(wall_time=time.time(), file_version="brain.Event:2")
            self._file.write(version.SerializeToString())
        return self._file


_writers: dict[str, SummaryWriter] = {}
_writers_lock = threading.Lock()


def get_summary_writer(logdir: PathLike) -> SummaryWriter:
    """Returns the writer of a directory, always the same one.

    Stands for `tf.contrib.learn.graph_actions.get_summary_writer`.

    Args:
        logdir: Directory of the event files.

    Raises:
        ValueError: `logdir` is not a path.
    """
    key = os.path.realpath(arguments.as_path("logdir", logdir))
    with _writers_lock:
        if key not in _writers:
            _writers[key] = SummaryWriter(logdir)
        return _writers[key]


def clear_summary_writers() -> None:
    """Closes all writers that `get_summary_writer` has returned, and forgets them.

    Stands for `tf.contrib.learn.graph_actions.clear_summary_writers`.
    """
    with _writers_lock:
        for writer in _writers.values():
            writer.close()
        _writers.clear()
