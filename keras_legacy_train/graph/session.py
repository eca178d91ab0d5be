"""What monitors, `init_fn` and `feed_fn` get where the original gave them a `tf.Session`.

    session.run([loss, "w:0"], feed_dict={x: rows})
    with session.as_default():
        loss.eval()
    tf.compat.v1.train.Saver().restore(session, path)

It has no runtime of its own: `run` makes a function of what is fetched and calls it, over the same variables
    that
training uses.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.lifted import LiftedGraph


class GraphSession(_tensorflow.SessionInterface):
    """Runs parts of a lifted graph by the Session's interface.

    Args:
        lifted: The lifted graph.
    """

    def __init__(self, lifted: LiftedGraph):
        self.lifted = lifted

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
            options: Must be `None`: there is nothing that `tf.RunOptions` could steer.
            run_metadata: Must be `None`; use `tf.profiler.experimental` to trace.

        Returns:
            The structure of `fetches` with NumPy values, `None` in the place of an operation.

        Raises:
            ValueError: A fed value does not fit its tensor, or `options` or `run_metadata` is given.
        """
        if options is not None or run_metadata is not None:
            raise ValueError("options and run_metadata have no meaning here; use tf.profiler.experimental.")
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
        with _tensorflow.eager_mode():
            function = self.lifted.function(feeds, tensors, operations)
            return [value.numpy() for value in function([tf.constant(value) for value in feeds.values()])]

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
                tensor = self._tensor(part)
                feeds[tensor.name] = _fed_array(tensor, part_value)
        return feeds

    def make_callable(
        self, fetches: Any, feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable[..., Any]:
        """A function that runs `fetches`, taking one value for each tensor of `feed_list`."""
        keys = list(feed_list or ())
        return lambda *values: self.run(fetches, dict(zip(keys, values, strict=True)))

    def _expand(self, key: Any, value: Any) -> list[tuple[Any, Any]]:
        if isinstance(key, str):
            return [(key, value)]
        if isinstance(key, tuple):
            return [pair for k, v in zip(key, value, strict=True) for pair in self._expand(k, v)]
        return _tensorflow.expand_feed(key, value)

    def _tensor(self, key: Any) -> tf.Tensor:
        if isinstance(key, str) and ":" not in key:
            key = f"{key}:0"
        try:
            return self.graph.as_graph_element(key, allow_tensor=True, allow_operation=False)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Cannot feed {key!r}: it is no tensor of the graph. {error}") from error


def _fed_array(tensor: tf.Tensor, value: Any) -> np.ndarray:
    expected = f"{tensor.name} takes shape {tensor.shape} and dtype {tensor.dtype.base_dtype.name}"
    if isinstance(value, (tf.Tensor, tf.Variable)) and not hasattr(value, "numpy"):
        raise ValueError(f"{expected}, fed as an array; it was given the symbolic {value!r}.")
    if value is None:
        raise ValueError(f"{expected}; it was given None.")
    try:
        array = np.asarray(value, tensor.dtype.base_dtype.as_numpy_dtype)
    except (TypeError, ValueError) as error:
        given = np.shape(value) if isinstance(value, np.ndarray) else type(value).__name__
        raise ValueError(f"{expected}; it was given {value!r:.100} ({given}).") from error
    if not tensor.shape.is_compatible_with(array.shape):
        given_dtype = getattr(value, "dtype", array.dtype)
        raise ValueError(f"{expected}; it was given shape {array.shape} and dtype {given_dtype}.")
    return array
