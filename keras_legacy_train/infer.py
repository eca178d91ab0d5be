"""Computes outputs of graphs: `infer`, `run_n`, `run_feeds` and `run_feeds_iter`."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.checkpoints.lookup import optional_checkpoint_prefix
from keras_legacy_train.graph import arguments as graph_arguments
from keras_legacy_train.graph.awaited_input import awaited_input
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.interrupts import watched_calls
from keras_legacy_train.programs.graph_state import restore_or_initialize
from keras_legacy_train.programs.output_runs import OutputRuns, Outputs, names_of_tensors
from keras_legacy_train.programs.prefetched_feeds import PrefetchedFeeds, Prefetching
from keras_legacy_train.programs.window import Window
from keras_legacy_train.programs.window_size import WindowSize
from keras_legacy_train.types import FeedDict, Fetches, PathLike


def infer(
    restore_checkpoint_path: PathLike | None,
    output_dict: Mapping[Any, Fetches],
    feed_dict: FeedDict | None = None,
) -> dict[Any, Any]:
    """Computes `output_dict` once; stands for `tf.contrib.learn.infer`.

    Args:
        restore_checkpoint_path: The checkpoint to restore the variables from, or a directory, whose newest
            one is taken; `None` to initialise them.
        output_dict: The tensors to compute, all of one graph, by any keys.
        feed_dict: Values to feed, by tensor or name.

    Returns:
        The values of the tensors as NumPy arrays and scalars, by the same keys.

    Raises:
        TypeError: A fed value is `None`, or a key is not a tensor.
        ValueError: `output_dict` is empty or of several graphs, a feed does not fit, or there is no such
            checkpoint.
    """
    arguments.check_feeds("feed_dict", feed_dict)
    (outputs,) = run_feeds(output_dict, [feed_dict], restore_checkpoint_path)
    return outputs


def run_n(
    output_dict: Mapping[Any, Fetches],
    feed_dict: FeedDict | None = None,
    restore_checkpoint_path: PathLike | None = None,
    n: int = 1,
) -> list[dict[Any, Any]]:
    """Computes `output_dict` `n` times with the same feeds; stands for `tf.contrib.learn.run_n`.

    Args:
        output_dict: See `infer`.
        feed_dict: See `infer`.
        restore_checkpoint_path: See `infer`.
        n: Number of times, 0 or more.

    Returns:
        A list of `n` dicts, each as `infer` returns it.

    Raises:
        TypeError, ValueError: As `infer` does, or `n` is not such a number.
    """
    arguments.check_feeds("feed_dict", feed_dict)
    n = arguments.as_count("n", n)
    return run_feeds(output_dict, itertools.repeat(feed_dict, n), restore_checkpoint_path)


def run_feeds(
    output_dict: Mapping[Any, Fetches],
    feed_dicts: Iterable[FeedDict | None],
    restore_checkpoint_path: PathLike | None = None,
) -> list[dict[Any, Any]]:
    """Computes `output_dict` with each of several feeds; stands for `tf.contrib.learn.run_feeds`.

    Args:
        output_dict: See `infer`.
        feed_dicts: The `feed_dict` of each computation; `None` to feed nothing.
        restore_checkpoint_path: See `infer`.

    Returns:
        A list of dicts, each as `infer` returns it.

    Raises:
        TypeError, ValueError: As `run_feeds_iter` does.
    """
    results: list[dict[Any, Any]] = []
    with (
        watched_calls(lambda: None),
        _restored(output_dict, feed_dicts, restore_checkpoint_path) as session,
        watched_calls(lambda: awaited_input(session)) as begin_call,
    ):
        items, names = iter(feed_dicts), names_of_tensors(session.graph, output_dict)
        outputs = None if names is None else OutputRuns(session, names)
        feeds = PrefetchedFeeds(lambda: _checked(next(items)), session)
        prefetching = Prefetching(session, feeds, None if outputs else False)
        size = WindowSize(Window.MAX_STEPS)

        def run_block(block: Mapping[str, np.ndarray], number: int) -> tuple[Outputs, int]:
            assert outputs is not None
            done = outputs.run(number, block)
            return done, len(done.runs)

        with contextlib.suppress(StopIteration):
            while True:
                begin_call()
                began, done = time.perf_counter(), len(results)
                many = prefetching.run(size(), run_block) if prefetching.is_worth_while(size()) else None
                if many is None:
                    results.append(session.run(output_dict, feeds.take()[0]))
                    prefetching.ran_singly(time.perf_counter() - began)
                else:
                    results += many.runs
                    if many.error is not None:
                        raise many.error
                size.took(len(results) - done, time.perf_counter() - began)
    return results


def run_feeds_iter(
    output_dict: Mapping[Any, Fetches],
    feed_dicts: Iterable[FeedDict | None],
    restore_checkpoint_path: PathLike | None = None,
) -> Iterator[dict[Any, Any]]:
    """Computes `output_dict` with each of several feeds, one at a time.

    Stands for `tf.contrib.learn.graph_actions.run_feeds_iter`. Nothing happens before the first item is asked
    for. Between items the graph is the default graph, and its session, which `tensor.eval()` uses, is the
    default session. The graph's queue runners stop at the end, also if the caller does not take all items.

    Args:
        output_dict: See `infer`.
        feed_dicts: The `feed_dict` of each item; `None` to feed nothing.
        restore_checkpoint_path: See `infer`.

    Yields:
        For each of `feed_dicts` a dict as `infer` returns it.

    Raises:
        TypeError: As `infer` does.
        ValueError: `output_dict` or `feed_dicts` is empty. See also `infer`.
    """
    with _restored(output_dict, feed_dicts, restore_checkpoint_path) as session:
        for feed_dict in feed_dicts:
            with watched_calls(lambda: awaited_input(session)):
                outputs = session.run(output_dict, _checked(feed_dict))
            yield outputs


@contextlib.contextmanager
def _restored(
    output_dict: Mapping[Any, Fetches],
    feed_dicts: Iterable[FeedDict | None],
    checkpoint_path: PathLike | None,
) -> Iterator[GraphSession]:
    """Checks the arguments, and makes the session of their graph the default one; see `run_feeds_iter`."""
    if not output_dict:
        raise ValueError(f"output_dict is invalid: {output_dict}.")
    if not feed_dicts:
        raise ValueError(f"feed_dicts is invalid: {feed_dicts}.")
    if not isinstance(output_dict, Mapping):
        raise ValueError(f"output_dict must be a dict of tensors; it is {output_dict!r}.")
    if not isinstance(feed_dicts, Iterable) or isinstance(feed_dicts, (str, Mapping)):
        raise ValueError(f"feed_dicts must be a list of dicts, or yield them; it is {feed_dicts!r}.")
    graph = _graph_of(output_dict)
    graph_arguments.check_fetches("output_dict", graph, output_dict)
    checkpoint = optional_checkpoint_prefix("restore_checkpoint_path", checkpoint_path)
    with _tensorflow.eager_mode():
        session = GraphSession(LiftedGraph(graph))
        with watched_calls(lambda: awaited_input(session)):
            restore_or_initialize(session, checkpoint)
    # The caller's code runs in here, so eager execution must be over.
    with session.as_default(), QueueRunners(session) as queue_runners:
        try:
            yield session
        except tf.errors.OutOfRangeError:
            queue_runners.raise_failure()
            raise


def _checked(feed_dict: FeedDict | None) -> FeedDict:
    """Returns an item of `feed_dicts`; raises TypeError where `None` is fed, or is fed to."""
    arguments.check_feeds("an item of feed_dicts", feed_dict)
    for key, value in (feed_dict or {}).items():
        if key is None:
            raise TypeError(f"Can not convert a NoneType into a Tensor: the key None is fed {value!r}.")
        if value is None:
            name = key if isinstance(key, str) else getattr(key, "name", key)
            raise TypeError(f"Can not convert a NoneType into a Tensor: {name!r} is fed None.")
    return feed_dict or {}


def _graph_of(output_dict: Mapping[Any, Any]) -> tf.Graph:
    """Returns the graph of the tensors; the default graph if all of them are names.

    Raises:
        ValueError: The tensors are of several graphs.
    """
    graphs: list[tf.Graph] = []
    for output in tf.nest.flatten(list(output_dict.values())):
        graph = getattr(output, "graph", None)
        if isinstance(graph, tf.Graph) and graph not in graphs:
            graphs.append(graph)
    if len(graphs) > 1:
        raise ValueError(f"output_dict must be of one graph; it is of {len(graphs)}.")
    return graphs[0] if graphs else tf.compat.v1.get_default_graph()
