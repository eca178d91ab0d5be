"""Names the types that public signatures share.

TensorFlow and Keras ship no type stubs, so a type checker takes their classes for `Any`. The names below
still tell a reader what a parameter takes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt
import tensorflow as tf

PathLike: TypeAlias = str | bytes | os.PathLike[str]
"""A path of a file or a directory."""

TensorLike: TypeAlias = tf.Tensor | tf.Variable | npt.ArrayLike
"""A tensor, a variable, or what `tf.convert_to_tensor` takes: a number, a NumPy array, a list of these."""

Fetch: TypeAlias = tf.Tensor | tf.Operation | tf.Variable | str
"""Something to compute in a graph: a tensor, an operation, a variable, or a name ("loss", "loss:0")."""

Fetches: TypeAlias = Fetch | Sequence[Any] | Mapping[Any, Any]
"""A fetch, or any structure of fetches: lists, tuples and dicts, nested as deep as need be."""

FeedDict: TypeAlias = Mapping[Any, Any]
"""The values to feed to a graph, by tensor, placeholder or name."""

FeedFn: TypeAlias = Callable[[], FeedDict]
"""Returns the feeds of the next step. Raises StopIteration to end the training or evaluation."""

OutputDict: TypeAlias = dict[Any, Any]
"""The values of a step: NumPy arrays and scalars, by the tensor's name and by the fetch itself."""

Monitor: TypeAlias = Any
"""A `monitors.BaseMonitor`, any object with the same methods, or a `tf.compat.v1.train.SessionRunHook`."""

Monitors: TypeAlias = Monitor | Iterable[Monitor]
"""Monitors and hooks in any number, or a single one."""


class SessionLike(Protocol):
    """Runs operations of a graph: a `tf.compat.v1.Session`, or what the package gives in its place."""

    @property
    def graph(self) -> tf.Graph:
        """Returns the graph that the session runs."""

    def run(self, fetches: Fetches, feed_dict: FeedDict | None = None) -> Any:
        """Computes `fetches` and returns their values in the same structure."""


InitFn: TypeAlias = Callable[[SessionLike], Any]
"""Sets variables by means of the session. Called once before the first step, unless training resumes."""


class SummaryWriterLike(Protocol):
    """Writes summaries: a `summaries.SummaryWriter`, a `tf.compat.v1.summary.FileWriter`, or their like."""

    def add_summary(self, summary: Any, global_step: int | None = None) -> None:
        """Writes a `Summary`, or a serialised one, of a step."""

    def flush(self) -> None:
        """Waits until everything written is on disk."""
