"""Has the predictors of `tf.contrib.predictor`: functions from arrays to arrays, made from saved models.

Imports `estimator`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.estimator import Estimator

v1 = tf.compat.v1

__all__ = ["Predictor", "from_estimator", "from_saved_model"]

__getattr__ = module_getattr(__name__, __all__)


class Predictor:
    """Runs a graph on arrays; stands for the predictors of `tf.contrib.predictor`.

    Args:
        session: The session.
        feed_tensors: The inputs by name.
        fetch_tensors: The outputs by name.
    """

    def __init__(
        self, session: Any, feed_tensors: Mapping[str, Any], fetch_tensors: Mapping[str, Any]
    ) -> None:
        self._session = session
        self._feed_tensors = dict(feed_tensors)
        self._fetch_tensors = dict(fetch_tensors)

    @property
    def graph(self) -> tf.Graph:
        """Returns the graph."""
        return self._session.graph

    @property
    def session(self) -> Any:
        """Returns the session."""
        return self._session

    @property
    def feed_tensors(self) -> dict[str, Any]:
        """Returns the inputs by name."""
        return self._feed_tensors

    @property
    def fetch_tensors(self) -> dict[str, Any]:
        """Returns the outputs by name."""
        return self._fetch_tensors

    def __call__(self, input_dict: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the outputs by name.

        Args:
            input_dict: The arrays of the inputs, by name.

        Raises:
            ValueError: There is no input of a name.
        """
        unexpected = set(input_dict) - set(self._feed_tensors)
        if unexpected:
            raise ValueError(
                f"Got unexpected keys in input_dict: {unexpected}\nexpected: {set(self._feed_tensors)}"
            )
        feeds = {self._feed_tensors[key]: value for key, value in input_dict.items() if value is not None}
        outputs: dict[str, Any] = self._session.run(self._fetch_tensors, feeds)
        return outputs

    def __repr__(self) -> str:
        """Returns the inputs and outputs as text."""
        return (
            f"{type(self).__name__} with feed tensors {self._feed_tensors}"
            f" and fetch_tensors {self._fetch_tensors}"
        )


def from_saved_model(
    export_dir: str | os.PathLike[str],
    signature_def_key: str | None = None,
    signature_def: Any = None,
    input_names: Mapping[str, str] | None = None,
    output_names: Mapping[str, str] | None = None,
    tags: str | None = None,
    graph: tf.Graph | None = None,
    config: Any = None,
) -> Predictor:
    """Returns the predictor of a saved model; stands for `tf.contrib.predictor.from_saved_model`.

    Args:
        export_dir: The directory of the model.
        signature_def_key: The name of the signature; by default "serving_default".
        signature_def: The signature itself.
        input_names: The names of tensors, by the names of inputs, in the place of a signature.
        output_names: The names of tensors, by the names of outputs.
        tags: The tags of the model, separated by commas; by default "serve".
        graph: The graph to load it into; by default a new one.
        config: The `ConfigProto` of the session.

    Raises:
        ValueError: There is no such signature, or more than one way to find inputs and outputs is given.
    """
    if (input_names is None) != (output_names is None):
        raise ValueError("input_names and output_names must both be specified or both be unspecified.")
    if sum(each is not None for each in (signature_def_key, signature_def, input_names)) > 1:
        raise ValueError(
            "You must specify at most one of signature_def_key OR signature_def OR"
            " (input_names AND output_names)."
        )
    graph = graph or tf.Graph()
    with graph.as_default():
        session = v1.Session(config=config)
        signatures = v1.saved_model.load(
            session, (tags or "serve").split(","), os.fspath(export_dir)
        ).signature_def
    if input_names is None or output_names is None:
        if signature_def is None:
            signature_def = _signature(signatures, signature_def_key or "serving_default")
        input_names = {key: tensor.name for key, tensor in signature_def.inputs.items()}
        output_names = {key: tensor.name for key, tensor in signature_def.outputs.items()}
    return Predictor(
        session,
        {key: graph.get_tensor_by_name(name) for key, name in input_names.items()},
        {key: graph.get_tensor_by_name(name) for key, name in output_names.items()},
    )


def from_estimator(
    estimator: Estimator,
    serving_input_receiver_fn: Callable[[], Any],
    output_key: str | None = None,
    graph: tf.Graph | None = None,
    config: Any = None,
) -> Predictor:
    """Returns the predictor of an Estimator; stands for `tf.contrib.predictor.from_estimator`.

    Args:
        estimator: The Estimator, trained. Its newest checkpoint is used.
        serving_input_receiver_fn: A function without arguments that returns a `ServingInputReceiver`.
        output_key: The name of the output; by default "serving_default".
        graph: The graph to build it in; by default a new one.
        config: The `ConfigProto` of the session.

    Raises:
        TypeError: `estimator` is not an `estimator.Estimator`.
        ValueError: There is no checkpoint, or no output of that name.
    """
    if not isinstance(estimator, Estimator):
        raise TypeError(
            "estimator must be a keras_legacy_train.estimator.Estimator,"
            f" but is a {type(estimator).__name__}. Export one of learn by its export_savedmodel, and use"
            " from_saved_model."
        )
    with tempfile.TemporaryDirectory() as directory:
        exported = estimator.export_saved_model(directory, serving_input_receiver_fn)
        return from_saved_model(os.fsdecode(exported), output_key, graph=graph, config=config)


def _signature(signatures: Mapping[str, Any], key: str) -> Any:
    # Estimators of tf.contrib.learn exported their signatures by such names.
    for name in (key, f"default_input_alternative:{key}"):
        if name in signatures:
            return signatures[name]
    raise ValueError(f'Got signature_def_key "{key}". Available signatures are {list(signatures)}.')
