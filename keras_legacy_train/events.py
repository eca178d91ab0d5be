"""Reads event files, also while a training writes them, and where anything may lie in their place.

files = EventFiles("/tmp/run")
files.update()
files.scalars["loss"].values  # from the first step on
files.update()  # reads what has been written since
"""

from __future__ import annotations

import collections
import dataclasses
import os
import re
import struct
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints.regular_files import open_regular

_NAME = re.compile(r"events\.out\.tfevents\.")
# A record has its length and the checksum of that before the data, and the checksum of the data behind it.
_HEADER_BYTES = 12
_RECORD_BYTES = _HEADER_BYTES + 4


@dataclasses.dataclass
class Scalars:
    """Holds the numbers that were written under one tag.

    Attributes:
        steps: Their steps.
        values: The numbers.
        times: When they were written, in seconds since the epoch.
    """

    steps: list[int] = dataclasses.field(default_factory=list)
    values: list[float] = dataclasses.field(default_factory=list)
    times: list[float] = dataclasses.field(default_factory=list)

    def add(self, step: int, value: float, time: float) -> None:
        """Adds a number behind the others."""
        self.steps.append(step)
        self.values.append(value)
        self.times.append(time)

    def forget_after(self, step: int, time: float) -> None:
        """Drops the numbers of later steps that were written before a time."""
        points = zip(self.steps, self.times, strict=True)
        kept = [index for index, point in enumerate(points) if point[0] <= step or point[1] >= time]
        if len(kept) < len(self.steps):
            self.steps = [self.steps[index] for index in kept]
            self.values = [self.values[index] for index in kept]
            self.times = [self.times[index] for index in kept]


class EventFiles:
    """Holds what the event files of a directory hold, as far as they have been read.

    Where a training has gone on from a checkpoint, the scalars of the steps that it did once more are those
    of the second time, as in TensorBoard.

    Args:
        directory: The directory. It need not exist.

    Attributes:
        directory: As given.
        scalars: The scalars by tag.
        others: How many summaries there are of each other kind, such as `"histogram"`, by tag.
        events: The number of events.
        starts: The steps at which a training has started.
        has_graph: Whether there is a graph.
        damaged: By path what is wrong with a file, in one line. What lies before the damage has been read.
    """

    def __init__(self, directory: str):
        self.directory = directory
        self.scalars: dict[str, Scalars] = {}
        self.others: dict[str, collections.Counter[str]] = {}
        self.events = 0
        self.starts: list[int] = []
        self.has_graph = False
        self._files: dict[str, _EventFile] = {}

    @property
    def paths(self) -> list[str]:
        """Returns the paths of the files, in the order in which they were begun."""
        return list(self._files)

    @property
    def damaged(self) -> dict[str, str]:
        return {path: file.damage for path, file in self._files.items() if file.damage is not None}

    def update(self) -> None:
        """Reads what has been written since the last time.

        Raises:
            OSError: The directory cannot be read.
        """
        for name in event_file_names(self.directory):
            path = os.path.join(self.directory, name)
            file = self._files.setdefault(path, _EventFile(path))
            for event in file.read():
                self._add(event)

    def _add(self, event: tf.compat.v1.Event) -> None:
        self.events += 1
        log = event.session_log
        if log.status == tf.compat.v1.SessionLog.START:
            self.starts.append(event.step)
            for scalars in self.scalars.values():
                scalars.forget_after(event.step, event.wall_time)
        self.has_graph |= bool(event.graph_def)
        for value in event.summary.value:
            number = _scalar(value)
            if number is None:
                self.others.setdefault(_kind(value), collections.Counter())[value.tag] += 1
            else:
                self.scalars.setdefault(value.tag, Scalars()).add(event.step, number, event.wall_time)


def event_file_names(directory: str) -> list[str]:
    """Returns the names of the event files in a directory, the earliest first; it need not exist.

    Raises:
        OSError: The directory cannot be read.
    """
    try:
        return sorted(filter(_NAME.search, os.listdir(directory)), key=_numbers_and_texts)
    except FileNotFoundError:
        return []


def _numbers_and_texts(name: str) -> list[tuple[int, str]]:
    """Returns the parts of a name, so that `.10` comes behind `.9`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split(".")]


def find_runs(directory: str) -> list[str]:
    """Returns the directories at and below a directory that have event files, sorted by their paths."""
    found = (path for path, _, names in os.walk(directory) if any(map(_NAME.search, names)))
    return sorted(found)


class _EventFile:
    """Reads an event file up to its end, and later from there on.

    Args:
        path: The file.

    Attributes:
        damage: Why nothing more is read of it; `None` as long as it is in order.
    """

    def __init__(self, path: str):
        self.damage: str | None = None
        self._path = path
        self._offset = 0

    def read(self) -> Iterator[tf.compat.v1.Event]:
        """Yields the events that are complete and have not been read."""
        if self.damage is not None:
            return
        try:
            descriptor = open_regular(self._path)
        except OSError as error:
            self.damage = error.strerror or str(error)
            return
        try:
            yield from self._read(descriptor)
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int) -> Iterator[tf.compat.v1.Event]:
        size = os.fstat(descriptor).st_size
        reader = None
        # TensorFlow's reader allocates whatever length a record claims.
        while _is_complete(descriptor, self._offset, size):
            reader = reader or _tensorflow.RandomRecordReader(self._path)
            try:
                record, self._offset = reader.read(self._offset)
                event = tf.compat.v1.Event.FromString(record)
            except (tf.errors.DataLossError, DecodeError) as error:
                self.damage = f"damaged at byte {self._offset}: {error}"
                return
            except IndexError:  # cut meanwhile
                return
            yield event


def _is_complete(descriptor: int, offset: int, size: int) -> bool:
    """Tells whether all of the record at an offset is there."""
    header = os.pread(descriptor, 8, offset)
    return len(header) == 8 and offset + _RECORD_BYTES + struct.unpack("<Q", header)[0] <= size


def _kind(value: Any) -> str:
    """Returns the kind of a summary, in one word for the forms of TensorFlow 1 and 2."""
    kind = value.metadata.plugin_data.plugin_name.removesuffix("s") or value.WhichOneof("value") or "empty"
    return "histogram" if kind == "histo" else str(kind)


def _scalar(value: Any) -> float | None:
    """Returns the number in a summary, in the form of TensorFlow 1 or 2; `None` if it is no scalar."""
    if value.HasField("simple_value"):
        return float(value.simple_value)
    if value.metadata.plugin_data.plugin_name != "scalars" or not value.HasField("tensor"):
        return None
    try:
        array = tf.make_ndarray(value.tensor)
        return float(array) if array.shape == () else None
    except (TypeError, ValueError):
        return None
