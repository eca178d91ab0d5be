"""Calls input functions and model functions with the arguments that they take."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.estimator.spec import EstimatorSpec
from keras_legacy_train.graph.nodes import number

_ARGUMENTS = frozenset({"features", "labels", "mode", "params", "self", "config"})


# Datasets that have elements where their source has some; of two it depends on an argument.
_KEEPING = frozenset(
    {
        "BatchDatasetV2",
        "MapDataset",
        "OptionsDataset",
        "ParallelMapDatasetV2",
        "PrefetchDataset",
        "RepeatDataset",
        "ShuffleDatasetV3",
    }
)
# A larger graph takes long to copy.
_MOST_BYTES = 4 * 2**20


class Input(NamedTuple):
    """Holds what an input function has given a graph.

    Attributes:
        features: The features: a tensor, or any structure of tensors.
        labels: The labels likewise; `None` if there are none.
        iterator: The iterator over the dataset, if it is one; it must be initialised.
        dataset: The dataset, if it is one.
    """

    features: Any
    labels: Any
    iterator: tf.compat.v1.data.Iterator | None
    dataset: tf.data.Dataset | None

    @property
    def initializers(self) -> list[tf.Operation]:
        """Returns the operations that begin the input."""
        return [] if self.iterator is None else [self.iterator.initializer]


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Returns the names of the arguments that a function can be given by name.

    Args:
        function: A function, method, `functools.partial` or object with `__call__`.
    """
    if isinstance(function, functools.partial):
        names = parameters(function.func)[len(function.args) :]
        return tuple(name for name in names if name not in function.keywords)
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(name for name, each in inspect.signature(function).parameters.items() if each.kind in kinds)


def check_model_fn(model_fn: Any, params: Any) -> None:
    """Checks that a model function takes what an Estimator gives.

    Raises:
        ValueError: It is missing, does not take `features`, does not take the given `params`, or takes more.
    """
    if model_fn is None:
        raise ValueError("model_fn must be provided to Estimator.")
    if not callable(model_fn):
        raise ValueError(f"model_fn must be a function; it is {model_fn!r}.")
    names = set(parameters(model_fn))
    if "features" not in names:
        raise ValueError(f"model_fn ({model_fn}) must include features argument.")
    if params is not None and "params" not in names:
        raise ValueError(
            f"model_fn ({model_fn}) does not include params argument, but params ({params}) is passed to"
            " Estimator."
        )
    if params is None and "params" in names:
        log.warning(
            "Estimator's model_fn (%s) includes params argument, but params are not passed to Estimator.",
            model_fn,
        )
    unexpected = sorted(names - _ARGUMENTS)
    if unexpected:
        raise ValueError(f"model_fn ({model_fn}) has following not expected args: {unexpected}")


def call_model_fn(
    model_fn: Callable[..., Any], features: Any, labels: Any, mode: str, params: Any, config: Any
) -> EstimatorSpec:
    """Calls a model function, in the default graph.

    Raises:
        ValueError: It takes no labels, and there are labels; or it returns no `EstimatorSpec`.
    """
    given = {"mode": mode, "params": params, "config": config, "labels": labels}
    names = parameters(model_fn)
    if "labels" not in names and labels is not None:
        raise ValueError("model_fn does not take labels, but input_fn returns labels.")
    log.info("Calling model_fn.")
    spec = model_fn(features=features, **{name: given[name] for name in names if name in given})
    log.info("Done calling model_fn.")
    if not isinstance(spec, EstimatorSpec):
        raise ValueError(f"model_fn should return an EstimatorSpec. It returned {spec!r:.200}.")
    return spec


def call_input_fn(input_fn: Callable[..., Any], mode: str, params: Any, config: Any) -> Any:
    """Calls an input function, in the default graph and on the CPU.

    Raises:
        ValueError: It is no function.
    """
    if not callable(input_fn):
        raise ValueError(f"input_fn must be a function; it is {input_fn!r:.200}.")
    given = {"mode": mode, "params": params, "config": config}
    names = parameters(input_fn)
    with tf.device("/cpu:0"):
        return input_fn(**{name: given[name] for name in names if name in given})


def check_not_empty(given: Input) -> None:
    """Checks that a dataset has elements, as far as that is known without reading any.

    Raises:
        ValueError: It has none.
    """
    if given.dataset is None or _is_not_empty(tf.data.experimental.to_variant(given.dataset).op):
        return
    graph_def = tf.compat.v1.get_default_graph().as_graph_def()
    variant = tf.data.experimental.to_variant(given.dataset).name
    if graph_def.ByteSize() > _MOST_BYTES:
        return
    for node in graph_def.node:
        node.device = ""  # which may be one of a cluster
    # A copy, run by a session: one op of it is asked for, and the user's graph stays as it is.
    with tf.Graph().as_default() as copy:
        (dataset,) = tf.graph_util.import_graph_def(graph_def, return_elements=[variant], name="")
        number = tf.raw_ops.DatasetCardinality(input_dataset=dataset)
    try:
        with tf.compat.v1.Session(graph=copy) as session:
            is_empty = session.run(number) == 0
    except tf.errors.OpError:
        return  # what it is made of is not initialised yet
    if is_empty:
        raise ValueError("input_fn has returned a dataset without a batch.")


def _is_not_empty(dataset: tf.Operation) -> bool:
    """Returns whether a dataset certainly has elements, as seen from the operations that make it."""
    while dataset.type in _KEEPING:
        source, *arguments = (tensor.op for tensor in dataset.inputs)
        if dataset.type == "RepeatDataset" and not number(arguments[0].node_def):
            return False  # repeated not once, or nobody knows
        if dataset.type == "BatchDatasetV2" and number(arguments[1].node_def) != 0:
            return False  # all may be left out, as a batch that is not full
        dataset = source
    return dataset.type == "TensorSliceDataset" and bool(dataset.inputs[0].shape[:1].num_elements())


def as_input(result: Any, mode: str) -> Input:
    """Returns the features and labels in what an input function has returned.

    Args:
        result: A dataset of features, or of pairs of features and labels; or features, or such a pair.
        mode: What the input is for, one of `ModeKeys`.

    Raises:
        ValueError: It is a tuple or list of another length.
    """
    dataset = result if isinstance(result, tf.data.Dataset) else None
    iterator = None
    if dataset is not None:
        if mode != ModeKeys.TRAIN:
            dataset = _not_tuned(dataset)
        iterator = tf.compat.v1.data.make_initializable_iterator(dataset)
        result = iterator.get_next()
    if not isinstance(result, (list, tuple)):
        return Input(result, None, iterator, dataset)
    if len(result) != 2:
        raise ValueError("input_fn should return (features, labels) as a len 2 tuple.")
    features, labels = result
    return Input(features, labels, iterator, dataset)


def _not_tuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Returns a dataset that TensorFlow does not tune, unless it is to.

    An evaluation begins the iterator of the last one anew. TensorFlow then waits for the thread that tunes
    it, and that thread often does not hear that it is to end: it sleeps for as long as it has lived.
    """
    if dataset.options().autotune.enabled is not None:
        return dataset
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
