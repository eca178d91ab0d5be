"""What monitors, `init_fn` and `feed_fn` get where the original gave them a `tf.Session`.

    session.run([loss, "w:0"], feed_dict={x: rows})
    with session.as_default():
        loss.eval()
    tf.compat.v1.train.Saver().restore(session, path)

It has no runtime of its own: `run` makes a function of what is fetched and calls it, over the same
variables that training uses.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.elements import is_variable, variable_value
from keras_legacy_train.graph.lifted import LiftedGraph


class GraphSession(_tensorflow.SessionInterface):
    """Runs parts of a lifted graph by the Session's interface.

    Args:
        lifted: The lifted graph.
    """

    def __init__(self, lifted: LiftedGraph):
        self.lifted = lifted
        self._closed = False
        self._places: dict[str | tf.Tensor, FeedPlace] = {}
        self._entered: list[contextlib.AbstractContextManager[GraphSession]] = []

    @property
    def graph(self) -> tf.Graph:
        """The graph that `fetches` and `feed_dict` speak of. Ops may be added to it at any time."""
        return self.lifted.graph

    @property
    def graph_def(self) -> tf.compat.v1.GraphDef:
        """The graph's definition."""
        return self.graph.as_graph_def(add_shapes=True)

    @property
    def sess_str(self) -> str:
        """The master, which is this process."""
        return ""

    def list_devices(self) -> list[tf.config.LogicalDevice]:
        """The devices of this process; each has a `name` and a `device_type`."""
        return tf.config.list_logical_devices()

    def close(self) -> None:
        """Lets `run` fail from now on."""
        self._closed = True

    def __enter__(self) -> GraphSession:
        self._entered.append(self.as_default())
        return self._entered[-1].__enter__()

    def __exit__(self, *error: Any) -> None:
        self._entered.pop().__exit__(*error)
        self.close()

    @contextlib.contextmanager
    def as_default(self) -> Iterator[GraphSession]:
        """Makes this what `tensor.eval()` and `op.run()` use, and its graph the default graph."""
        with self.graph.as_default(), _tensorflow.default_session(self):
            yield self

    def run(
        self,
        fetches: Any,
        feed_dict: Mapping[Any, Any] | None = None,
        options: Any = None,
        run_metadata: Any = None,
    ) -> Any:
        """Computes `fetches`; stands for `tf.Session.run`.

        Args:
            fetches: A tensor, operation, variable, name, or any structure of them.
            feed_dict: Values by tensors or names; any tensor can be fed.
            options: `None` or default options: there is nothing that `tf.RunOptions` could steer.
            run_metadata: Must be `None`; use `tf.profiler.experimental` to trace.

        Returns:
            The structure of `fetches` with NumPy values, `None` in the place of an operation.

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
        """`run` without structures: everything by name, feeds already checked by `feeds`."""
        feeds = feeds or {}
        unfed = [name for name in tensors if name not in feeds]
        with self.lifted.eager_mode():
            function = self.lifted.function(feeds, unfed, operations)
            values = [value.numpy() for value in function([tf.constant(value) for value in feeds.values()])]
        if len(unfed) == len(tensors):
            return values
        found = {**feeds, **dict(zip(unfed, values, strict=True))}
        return [found[name] for name in tensors]

    def feeds(self, feed_dict: Mapping[Any, Any] | None) -> dict[str, np.ndarray]:
        """Checks a `feed_dict`: values by tensor names, as arrays of the tensors' dtypes.

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
                place = self._place(part)
                feeds[place.name] = place.array(part_value)
        return feeds

    def make_callable(
        self, fetches: Any, feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable[..., Any]:
        """A function that runs `fetches`; stands for `tf.Session.make_callable`.

        Args:
            fetches: See `run`.
            feed_list: What it takes values for, in order.
            accept_options: Whether it takes `options` and `run_metadata` of `run`.
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
        """Not supported: a function cannot stop half-way."""
        raise NotImplementedError("Partial runs are not supported. Call run once with all feeds.")

    def partial_run(self, handle: Any, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """Not supported: a function cannot stop half-way."""
        raise NotImplementedError("Partial runs are not supported. Call run once with all feeds.")

    def _expand(self, key: Any, value: Any) -> list[tuple[Any, Any]]:
        if isinstance(key, (str, tf.Tensor)):
            return [(key, value)]
        if isinstance(key, tuple):
            return [pair for k, v in zip(key, value, strict=True) for pair in self._expand(k, v)]
        return _tensorflow.expand_feed(key, value)

    def _place(self, key: Any) -> FeedPlace:
        if is_variable(handle := getattr(key, "handle", None)):
            key = handle
        if not isinstance(key, (str, tf.Tensor)):  # a variable is not always hashable
            return FeedPlace(self._tensor(key))
        if key not in self._places:
            self._places[key] = FeedPlace(self._tensor(key))
        return self._places[key]

    def _tensor(self, key: Any) -> tf.Tensor:
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


class FeedPlace:
    """A tensor that can be fed, with what there is to know of it at each step.

    Args:
        tensor: The tensor.

    Attributes:
        name: Its name.
    """

    def __init__(self, tensor: tf.Tensor):
        self.name = tensor.name
        if is_variable(tensor):  # fed is its value
            tensor = variable_value(tensor)
        self._dtype = tensor.dtype.base_dtype
        self._shape = tensor.shape
        self._dimensions = None if tensor.shape.rank is None else tensor.shape.as_list()

    def array(self, value: Any) -> np.ndarray:
        """The value as an array of the tensor's dtype.

        Raises:
            ValueError: It is of another shape or dtype.
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
        if not self._takes(array.shape):
            given_dtype = getattr(value, "dtype", array.dtype)
            raise ValueError(f"{self._expected()}; it was given shape {array.shape} and dtype {given_dtype}.")
        return array

    def _takes(self, shape: tuple[int, ...]) -> bool:
        dimensions = self._dimensions
        return dimensions is None or (
            len(dimensions) == len(shape)
            and all(known is None or known == given for known, given in zip(dimensions, shape, strict=True))
        )

    def _expected(self) -> str:
        return f"{self.name} takes shape {self._shape} and dtype {self._dtype.name}"
