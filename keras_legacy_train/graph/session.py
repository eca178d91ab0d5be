"""Provides the session that monitors, `init_fn` and `feed_fn` get in the place of a `tf.Session`.

    session.run([loss, "w:0"], feed_dict={x: rows})
    with session.as_default():
        loss.eval()
    tf.compat.v1.train.Saver().restore(session, path)

It has no runtime of its own: `run` makes a function that computes the fetches, and calls it. The function
uses the same variables as the training.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.elements import is_variable, variable_value
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.types import FeedDict, Fetches


class Run(NamedTuple):
    """Describes a run of a session that has not ended.

    Attributes:
        fetches: Names of tensors and operations.
        feeds: The fed values, by names of tensors.
    """

    fetches: Sequence[str]
    feeds: Mapping[str, np.ndarray]


class GraphSession(_tensorflow.SessionInterface):
    """Runs parts of a lifted graph, with the interface of a `tf.Session`.

    Args:
        lifted: The lifted graph.

    Attributes:
        lifted: The lifted graph.
        running: The run that each thread is in, by the thread's number.
        initial_values: The small constants that initializers assign, by the names of the operations; `None`
            for other initializers. Each evaluation assigns them again.
    """

    def __init__(self, lifted: LiftedGraph):
        self.lifted = lifted
        self.running: dict[int, Run] = {}
        self.initial_values: dict[str, tf.Tensor | None] = {}
        self._closed = False
        self._before_use: Callable[[], None] | None = None
        self._feed_specs: dict[str | tf.Tensor, FeedSpec] = {}
        self._entered: list[contextlib.AbstractContextManager[GraphSession]] = []

    @property
    def graph(self) -> tf.Graph:
        """Returns the graph that fetches and feeds belong to. Ops may be added to it at any time."""
        return self.lifted.graph

    @property
    def graph_def(self) -> tf.compat.v1.GraphDef:
        """Returns the graph's definition, a `GraphDef` with shapes."""
        return self.graph.as_graph_def(add_shapes=True)

    @property
    def sess_str(self) -> str:
        """Returns the master: `""`, which is this process."""
        return ""

    def list_devices(self) -> list[tf.config.LogicalDevice]:
        """Returns the devices of this process; each has a `name` and a `device_type`."""
        return list(tf.config.list_logical_devices())

    def close(self) -> None:
        """Closes the session; `run` then raises RuntimeError."""
        self._closed = True

    def __enter__(self) -> GraphSession:
        """Makes this the default session; see `as_default`."""
        self._entered.append(self.as_default())
        return self._entered[-1].__enter__()

    def __exit__(self, *error: Any) -> None:
        """Closes the session."""
        self._entered.pop().__exit__(*error)
        self.close()

    @contextlib.contextmanager
    def as_default(self) -> Iterator[GraphSession]:
        """Makes this the session that `tensor.eval()` and `op.run()` use, and its graph the default graph."""
        with self.graph.as_default(), _tensorflow.default_session(self):
            yield self

    @contextlib.contextmanager
    def noticing_use(self, before_use: Callable[[], None]) -> Iterator[None]:
        """Has a function called each time before the session computes something, in the thread that asks."""
        self._before_use = before_use
        try:
            yield
        finally:
            self._before_use = None

    def unnoticed(self) -> GraphSession:
        """Returns the same session for threads of our own, whose use is not noticed."""
        session = copy.copy(self)
        session._before_use = None
        return session

    def run(
        self,
        fetches: Fetches,
        feed_dict: FeedDict | None = None,
        options: Any = None,
        run_metadata: Any = None,
    ) -> Any:
        """Computes `fetches`; stands for `tf.Session.run`.

        Args:
            fetches: A tensor, operation, variable, name, or any structure of them.
            feed_dict: Values by tensors or names; any tensor can be fed.
            options: `None` or default options; `tf.RunOptions` has no effect here.
            run_metadata: Must be `None`; use `tf.profiler.experimental` to trace.

        Returns:
            The structure of `fetches` with NumPy values, and `None` in the place of each operation.

        Raises:
            ValueError: A fed value does not fit its tensor, or `options` or `run_metadata` is given.
            RuntimeError: The session is closed.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if options not in (None, tf.compat.v1.RunOptions()) or run_metadata is not None:
            raise ValueError(
                "options and run_metadata have no meaning here. Use tf.profiler.experimental to trace."
            )
        feeds = self.feeds(feed_dict)
        fed = {self.graph.get_tensor_by_name(name).ref(): value for name, value in feeds.items()}
        handler = _tensorflow.FetchHandler(self.graph, fetches, fed)
        tensors = [tensor.name for tensor in handler.fetches()]
        operations = [operation.name for operation in handler.targets()]
        values = self.compute(tensors, operations, feeds) if tensors or operations else []
        return handler.build_results(self, values)

    def compute(
        self,
        tensors: Sequence[str],
        operations: Iterable[str] = (),
        feeds: Mapping[str, np.ndarray] | None = None,
    ) -> list[Any]:
        """Computes tensors and runs operations, all given by name; `run` without structures.

        Args:
            tensors: Names of the tensors to compute.
            operations: Names of the operations to run.
            feeds: Values by tensor names, as `feeds` returns them.

        Returns:
            The values of the tensors.
        """
        if self._before_use is not None:
            self._before_use()
        feeds, operations = feeds or {}, tuple(operations)
        unfed = [name for name in tensors if name not in feeds]
        thread = threading.get_ident()
        with self.lifted.eager_mode():
            function = self.lifted.function(feeds, unfed, operations)
            self.running[thread] = Run([*unfed, *operations], feeds)
            try:
                values = [
                    value.numpy() for value in function([tf.constant(value) for value in feeds.values()])
                ]
            finally:
                self.running.pop(thread, None)
        if len(unfed) == len(tensors):
            return values
        found = {**feeds, **dict(zip(unfed, values, strict=True))}
        return [found[name] for name in tensors]

    def feeds(self, feed_dict: FeedDict | None) -> dict[str, np.ndarray]:
        """Checks a `feed_dict`, and converts its values to arrays of the tensors' dtypes.

        Returns:
            The arrays by tensor names.

        Raises:
            ValueError: A key is not a tensor of the graph, or a value is of another shape or dtype.
        """
        if feed_dict is None:
            return {}
        if not isinstance(feed_dict, Mapping):
            raise ValueError(
                f"Feeds must be a dict from tensors or names to values, not a {type(feed_dict).__name__}:"
                f" {feed_dict!r:.200}"
            )
        feeds: dict[str, np.ndarray] = {}
        for key, value in feed_dict.items():
            for part, part_value in self._expand(key, value):
                spec = self._feed_spec(part)
                feeds[spec.name] = spec.to_array(part_value)
        return feeds

    def make_callable(
        self, fetches: Fetches, feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable[..., Any]:
        """Makes a function that runs `fetches`; stands for `tf.Session.make_callable`.

        Args:
            fetches: See `run`.
            feed_list: The tensors that the function takes values for, in order.
            accept_options: Whether the function takes `options` and `run_metadata` of `run`.

        Returns:
            The function. It raises as `run` does, and ValueError or TypeError for wrong arguments.
        """
        keys = list(feed_list or ())

        def call(*values: Any, **options: Any) -> Any:
            if len(values) != len(keys):
                raise ValueError(f"feed_list names {len(keys)} values; {len(values)} were given.")
            if options and not accept_options:
                raise TypeError(f"Made without accept_options=True, but called with {', '.join(options)}.")
            with self.graph.as_default():  # elsewhere a variable cannot be a key
                return self.run(fetches, dict(zip(keys, values, strict=True)), **options)

        return call

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> Any:
        """Raises NotImplementedError: a function cannot stop half-way."""
        raise NotImplementedError("Partial runs are not supported. Call run once with all feeds.")

    def partial_run(self, handle: Any, fetches: Any, feed_dict: FeedDict | None = None) -> Any:
        """Raises NotImplementedError: a function cannot stop half-way."""
        raise NotImplementedError("Partial runs are not supported. Call run once with all feeds.")

    def _expand(self, key: Any, value: Any) -> list[tuple[Any, Any]]:
        """Splits a fed tuple, sparse tensor and the like into (tensor, value) pairs."""
        if isinstance(key, (str, tf.Tensor)):
            return [(key, value)]
        if isinstance(key, tuple):
            return [pair for k, v in zip(key, value, strict=True) for pair in self._expand(k, v)]
        return _tensorflow.expand_feed(key, value)

    def _feed_spec(self, key: Any) -> FeedSpec:
        """Returns the specification of a fed tensor; keeps it for the next step."""
        if is_variable(handle := getattr(key, "handle", None)):
            key = handle
        if not isinstance(key, (str, tf.Tensor)):  # a variable is not always hashable
            return FeedSpec(self._tensor(key))
        if key not in self._feed_specs:
            self._feed_specs[key] = FeedSpec(self._tensor(key))
        return self._feed_specs[key]

    def _tensor(self, key: Any) -> tf.Tensor:
        """Returns the tensor of a key in a `feed_dict`; raises ValueError if it cannot be fed."""
        if isinstance(key, str) and ":" not in key:
            key = f"{key}:0"
        try:
            tensor = self.graph.as_graph_element(key, allow_tensor=True, allow_operation=False)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Cannot feed {key!r}: it is no tensor of the graph. {error}") from error
        if is_variable(tensor):
            return tensor
        if not self.graph.is_feedable(tensor) or tensor.dtype in (tf.resource, tf.variant):
            raise ValueError(f"Tensor {tensor.name} may not be fed.")
        return tensor


class FeedSpec:
    """Holds name, shape and dtype of a fed tensor, and converts values to it.

    Args:
        tensor: The tensor; the handle of a resource variable stands for its value.

    Attributes:
        name: The tensor's name.
    """

    def __init__(self, tensor: tf.Tensor):
        self.name = tensor.name
        if is_variable(tensor):
            tensor = variable_value(tensor)
        self._dtype = tensor.dtype.base_dtype
        self._shape = tensor.shape
        self._dimensions = None if tensor.shape.rank is None else tensor.shape.as_list()

    def to_array(self, value: Any) -> np.ndarray:
        """Converts a value to an array of the tensor's dtype.

        Raises:
            ValueError: It has another shape or dtype.
        """
        if value is None or (isinstance(value, (tf.Tensor, tf.Variable)) and not hasattr(value, "numpy")):
            raise ValueError(f"{self._expected()}, fed as an array; it was given {value!r}.")
        try:
            array = np.asarray(value, self._dtype.as_numpy_dtype)
        except (OverflowError, TypeError, ValueError) as error:
            given = np.shape(value) if isinstance(value, np.ndarray) else type(value).__name__
            raise ValueError(f"{self._expected()}; it was given {value!r:.100} ({given}).") from error
        if isinstance(value, int) and self._dtype.is_integer and array != value:  # NumPy 1 wraps around
            raise ValueError(f"{self._expected()}; it was given {value}, which is out of its range.")
        if not self._accepts_shape(array.shape):
            given_dtype = getattr(value, "dtype", array.dtype)
            raise ValueError(f"{self._expected()}; it was given shape {array.shape} and dtype {given_dtype}.")
        return array

    def _accepts_shape(self, shape: tuple[int, ...]) -> bool:
        """Returns whether a value of this shape can be fed."""
        dimensions = self._dimensions
        return dimensions is None or (
            len(dimensions) == len(shape)
            and all(known is None or known == given for known, given in zip(dimensions, shape, strict=True))
        )

    def _expected(self) -> str:
        """Describes the shape and dtype that can be fed, for messages."""
        return f"{self.name} takes shape {self._shape} and dtype {self._dtype.name}"
