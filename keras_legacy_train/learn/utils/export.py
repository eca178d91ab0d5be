"""Exports Estimators by the global step; stands for `tf.contrib.learn.utils.export`.

The original wrote the format of TensorFlow Serving before SavedModels, which nothing reads any more. These
exports are SavedModels, in directories of the same names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.checkpoints.reading import read_variable
from keras_legacy_train.estimator.export.saved_model import ExportedGraph, write_saved_model
from keras_legacy_train.learn.keys import ModeKeys, PredictionKey

if TYPE_CHECKING:
    from keras_legacy_train.learn.estimator import BaseEstimator

__all__ = [
    "classification_signature_fn",
    "classification_signature_fn_with_prob",
    "export_estimator",
    "generic_signature_fn",
    "logistic_regression_signature_fn",
    "regression_signature_fn",
]

_saved_model = tf.compat.v1.saved_model

# Digits of the global step in the name of an export.
_DIGITS = 8

# A default `SignatureDef`, and others by name.
Signatures = tuple[Any, Mapping[str, Any]]
SignatureFn = Callable[[Any, Any, Any], Signatures]


def generic_signature_fn(examples: Any, unused_features: Any, predictions: Any) -> Signatures:
    """Returns a signature from examples to predictions of any kind.

    Args:
        examples: A tensor of serialised `tf.train.Example`s.
        unused_features: The features, which are not used.
        predictions: A tensor or a dict of tensors.

    Raises:
        ValueError: There are no examples.
    """
    outputs = predictions if isinstance(predictions, Mapping) else {"outputs": predictions}
    return _saved_model.predict_signature_def({"inputs": _checked(examples)}, dict(outputs)), {}


def classification_signature_fn(examples: Any, unused_features: Any, predictions: Any) -> Signatures:
    """Returns a signature from examples to classes.

    Args:
        examples: See `generic_signature_fn`.
        unused_features: See `generic_signature_fn`.
        predictions: The names of the classes, or a dict with these as `"classes"`.

    Raises:
        ValueError: There are no examples, or the classes are no strings.
    """
    classes = _named(predictions, PredictionKey.CLASSES)
    return _saved_model.classification_signature_def(_checked(examples), classes, None), {}


def classification_signature_fn_with_prob(
    examples: Any, unused_features: Any, predictions: Any
) -> Signatures:
    """Returns a signature from examples to the probabilities of classes.

    Args:
        examples: See `generic_signature_fn`.
        unused_features: See `generic_signature_fn`.
        predictions: The probabilities, or a dict with these as `"probabilities"`.

    Raises:
        ValueError: There are no examples.
    """
    scores = _named(predictions, PredictionKey.PROBABILITIES)
    return _saved_model.classification_signature_def(_checked(examples), None, scores), {}


def regression_signature_fn(examples: Any, unused_features: Any, predictions: Any) -> Signatures:
    """Returns a signature from examples to numbers.

    Args:
        examples: See `generic_signature_fn`.
        unused_features: See `generic_signature_fn`.
        predictions: The numbers.

    Raises:
        ValueError: There are no examples.
    """
    return _saved_model.regression_signature_def(_checked(examples), predictions), {}


def logistic_regression_signature_fn(examples: Any, unused_features: Any, predictions: Any) -> Signatures:
    """Returns a signature from examples to the probability of the second of two classes.

    Args:
        examples: See `generic_signature_fn`.
        unused_features: See `generic_signature_fn`.
        predictions: The probabilities, of shape `[batch_size, 2]`, or a dict with these as
            `"probabilities"`.

    Raises:
        ValueError: There are no examples, or the probabilities are not those of two classes.
    """
    probabilities = _named(predictions, PredictionKey.PROBABILITIES)
    if not probabilities.shape.is_compatible_with([None, 2]):
        raise ValueError(f"predictions must have the shape [batch_size, 2]; it is {probabilities.shape}.")
    return _saved_model.regression_signature_def(_checked(examples), probabilities[:, 1]), {}


def export_estimator(
    estimator: BaseEstimator,
    export_dir: Any,
    signature_fn: SignatureFn | None = None,
    input_fn: Callable[..., Any] | None = None,
    default_batch_size: int | None = 1,
    exports_to_keep: int | None = None,
) -> bytes:
    """Exports an Estimator; see `BaseEstimator.export`.

    Args:
        estimator: The Estimator.
        export_dir: Where the export's directory is made.
        signature_fn: Returns the signatures.
        input_fn: Makes features of the Estimator and a tensor of examples.
        default_batch_size: Number of examples in a request; `None` for any.
        exports_to_keep: How many exports are kept; `None` for all.

    Returns:
        The path of the export.

    Raises:
        ValueError, RuntimeError: See `BaseEstimator.export`.
    """
    return export(
        estimator,
        estimator._checkpoint(None),
        export_dir,
        input_fn,
        None,
        True,
        signature_fn or generic_signature_fn,
        None,
        default_batch_size,
        exports_to_keep,
    )


def export(
    estimator: BaseEstimator,
    checkpoint: str,
    export_dir: Any,
    input_fn: Callable[..., Any] | None,
    input_feature_key: str | None,
    use_deprecated_input_fn: bool,
    signature_fn: SignatureFn,
    prediction_key: str | None,
    default_batch_size: int | None,
    exports_to_keep: int | None,
) -> bytes:
    """Exports an Estimator; see `BaseEstimator.export` for the arguments and what is raised."""
    base = arguments.as_path("export_dir", export_dir)
    step = int(read_variable(checkpoint, tf.compat.v1.GraphKeys.GLOBAL_STEP) or 0)
    directory = os.path.join(base, f"{step:0{_DIGITS}d}")
    if tf.io.gfile.exists(directory):
        raise RuntimeError(
            f"Overwriting exports can cause corruption and are not allowed. Duplicate export dir: {directory}"
        )
    with estimator._core._new_graph():
        examples = None
        if use_deprecated_input_fn:
            examples = tf.compat.v1.placeholder(tf.string, [default_batch_size], name="input_example_tensor")
            features = (input_fn or _parsed)(estimator, examples)
        else:
            if input_fn is None:
                raise ValueError("input_fn must be defined.")
            features, _ = input_fn()
            if input_feature_key is not None:
                features = dict(features)
                examples = features.pop(input_feature_key)
        if examples is None and not features:
            raise ValueError("Either features or examples must be defined.")
        ops = estimator._get_predict_ops(features)
        predictions = ops.predictions if prediction_key is None else ops.predictions[prediction_key]
        default, others = signature_fn(examples, features, predictions)
        signatures = {**others, tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: default}
        scaffold = ops.scaffold or tf.compat.v1.train.Scaffold()
        exported = ExportedGraph.with_signatures(ModeKeys.INFER, signatures, scaffold)
    # Beside the others, and under another name, until it is whole.
    written = write_saved_model(f"{directory}-tmp", [exported], checkpoint, None, False, False)
    tf.io.gfile.rename(os.fsdecode(written), directory)
    tf.io.gfile.rmtree(f"{directory}-tmp")
    _delete_old_exports(base, exports_to_keep)
    return os.fsencode(directory)


def _parsed(estimator: BaseEstimator, examples: tf.Tensor) -> Any:
    """Returns the features in examples, of the kind that the Estimator was trained with.

    Raises:
        ValueError: It was not trained in this process, or on features that an `Example` cannot hold.
    """
    specs = estimator._input_specs.get("Features")
    if specs is None:
        raise ValueError("Features information missing, was fit() ever called?")
    named = specs if isinstance(specs, Mapping) else {"": specs}
    parsed = tf.compat.v1.parse_example(examples, {name: _feature(spec) for name, spec in named.items()})
    return parsed if isinstance(specs, Mapping) else parsed[""]


def _feature(spec: Any) -> Any:
    if isinstance(spec, tf.SparseTensorSpec):
        return tf.io.VarLenFeature(spec.dtype)
    return tf.io.FixedLenFeature(spec.shape[1:], spec.dtype)


def _delete_old_exports(base: str, exports_to_keep: int | None) -> None:
    names = [name.rstrip("/") for name in tf.io.gfile.listdir(base)]
    exports = sorted(name for name in names if len(name) == _DIGITS and name.isdigit())
    if exports_to_keep is not None:
        for name in exports[: max(len(exports) - exports_to_keep, 0)]:
            tf.io.gfile.rmtree(os.path.join(base, name))


def _checked(examples: Any) -> Any:
    if examples is None:
        raise ValueError("examples cannot be None when using this signature fn.")
    return examples


def _named(predictions: Any, key: str) -> Any:
    return predictions[key] if isinstance(predictions, Mapping) else predictions
