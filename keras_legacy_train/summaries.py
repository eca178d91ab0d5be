"""Event files, which TensorBoard shows.

```python
from keras_legacy_train.summaries import get_summary_writer

writer = get_summary_writer(output_dir)
writer.add_scalar("accuracy", 0.97, step=100)
writer.flush()
```

`tensorboard` writes them, so that graph mode, eager execution and `disable_v2_behavior()` are all the same
here; `tf.compat.v1.summary.FileWriter` refuses under eager execution. It has classes of its own for the
messages of TensorFlow.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import tensorflow as tf
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from keras_legacy_train import arguments


class SummaryWriter:
    """Appends events to a file in a directory. Stands for `tf.compat.v1.summary.FileWriter`.

    The file `events.out.tfevents.*` is made with the first event, the directory too if it is missing. Events
    are written in the background; `flush` waits until they are on disk. After `close`, the next event opens a
    new file. It may be used from several threads, and as a context manager that closes it.

    Args:
        logdir: Directory of the event files.
    """

    def __init__(self, logdir: str | bytes | os.PathLike):
        self._logdir = arguments.as_path("logdir", logdir)
        self._lock = threading.Lock()
        self._file: Any = None

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return get_summary_writer, (self._logdir,)  # what has a writer can be pickled; files and locks cannot

    def get_logdir(self) -> str:
        """The directory of the event files."""
        return self._logdir

    def add_summary(self, summary: bytes | tf.compat.v1.Summary, global_step: int | None = None) -> None:
        """Writes a summary.

        Args:
            summary: A `Summary`, or a serialised one, as the operations of `tf.compat.v1.summary` give it.
            global_step: The step it belongs to.
        """
        if not isinstance(summary, bytes):
            summary = summary.SerializeToString()
        self._add(global_step, summary=summary_pb2.Summary.FromString(summary))

    def add_scalar(self, tag: str, value: float, step: int | None = None) -> None:
        """Writes one number.

        Args:
            tag: What TensorBoard calls it.
            value: The number.
            step: The step it belongs to.
        """
        scalar = summary_pb2.Summary.Value(tag=tag, simple_value=float(value))
        self._add(step, summary=summary_pb2.Summary(value=[scalar]))

    def add_graph(self, graph: tf.Graph | tf.compat.v1.GraphDef, global_step: int | None = None) -> None:
        """Writes a graph.

        Args:
            graph: The graph. A `tf.Graph` is written with the shapes of its tensors.
            global_step: The step it belongs to.

        Raises:
            TypeError: It is no graph.
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
        session_log = event_pb2.SessionLog.FromString(session_log.SerializeToString())
        self._add(global_step, session_log=session_log)

    def add_event(self, event: tf.compat.v1.Event) -> None:
        """Writes an event as it is.

        Args:
            event: A `tf.compat.v1.Event`.
        """
        self._write(event_pb2.Event.FromString(event.SerializeToString()))

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

    def reopen(self) -> None:
        """Opens a new file if none is open."""
        with self._lock:
            self._open()

    def _add(self, step: int | None, **content: Any) -> None:
        event = event_pb2.Event(wall_time=time.time(), **content)
        if step is not None:
            event.step = int(step)
        self._write(event)

    def _write(self, event: event_pb2.Event) -> None:
        with self._lock:
            self._open().add_event(event)

    def _open(self) -> EventFileWriter:
        if self._file is None:
            self._file = EventFileWriter(self._logdir)
        return self._file


_writers: dict[str, SummaryWriter] = {}
_writers_lock = threading.Lock()


def get_summary_writer(logdir: str | bytes | os.PathLike) -> SummaryWriter:
    """Returns the writer of a directory, always the same one.

    Stands for `tf.contrib.learn.graph_actions.get_summary_writer`.

    Args:
        logdir: Directory of the event files.
    """
    key = os.path.realpath(arguments.as_path("logdir", logdir))
    with _writers_lock:
        if key not in _writers:
            _writers[key] = SummaryWriter(logdir)
        return _writers[key]


def clear_summary_writers() -> None:
    """Closes all writers that `get_summary_writer` has given, and forgets them.

    Stands for `tf.contrib.learn.graph_actions.clear_summary_writers`.
    """
    with _writers_lock:
        for writer in _writers.values():
            writer.close()
        _writers.clear()
