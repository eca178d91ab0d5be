"""Exports Estimators by the global step; stands for `tf.contrib.learn.utils.export`.

The original wrote the format of TensorFlow Serving before SavedModels, which nothing reads any more. These
exports are SavedModels, in directories of the same names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.checkpoints.reading import read_variable
from keras_legacy_train.estimator.export.saved_model import ExportedGraph, write_saved_model
from keras_legacy_train.learn.keys import PredictionKey

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
    estimator: Any,
    export_dir: Any,
    signature_fn: SignatureFn | None = None,
    input_fn: Callable[..., Any] | None = None,
    default_batch_size: int | None = 1,
    exports_to_keep: int | None = None,
) -> bytes:
    """Exports an Estimator; see `BaseEstimator.export`.

    Args:
        estimator: A `BaseEstimator`.
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
    exported: bytes = estimator.export(
        export_dir,
        input_fn,
        signature_fn=signature_fn,
        default_batch_size=default_batch_size,
        exports_to_keep=exports_to_keep,
    )
    return exported


def new_directory(export_dir: Any, checkpoint: str) -> str:
    """Returns the directory of an export, which is named by the global step.

    Args:
        export_dir: Where the directory is made.
        checkpoint: Prefix of the checkpoint.

    Raises:
        RuntimeError: There is one of this step.
    """
    base = arguments.as_path("export_dir", export_dir)
    step = int(read_variable(checkpoint, tf.compat.v1.GraphKeys.GLOBAL_STEP) or 0)
    directory = os.path.join(base, f"{step:0{_DIGITS}d}")
    if tf.io.gfile.exists(directory):
        raise RuntimeError(
            f"Overwriting exports can cause corruption and are not allowed. Duplicate export dir: {directory}"
        )
    return directory


def write(directory: str, exported: ExportedGraph, checkpoint: str, exports_to_keep: int | None) -> bytes:
    """Writes an export, deletes the oldest, and returns the export's path.

    Args:
        directory: See `new_directory`.
        exported: The graph.
        checkpoint: Prefix of the checkpoint.
        exports_to_keep: How many exports are kept; `None` for all.
    """
    # Beside the others, and under another name, until it is whole.
    written = write_saved_model(f"{directory}-tmp", [exported], checkpoint, None, False, False)
    tf.io.gfile.rename(os.fsdecode(written), directory)
    tf.io.gfile.rmtree(f"{directory}-tmp")
    _delete_old_exports(os.path.dirname(directory), exports_to_keep)
    return os.fsencode(directory)


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
