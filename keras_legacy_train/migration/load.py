"""Fills a Keras model from a checkpoint of TensorFlow 1: `load_tf1_weights`."""

from __future__ import annotations

import collections
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.checkpoints.lookup import checkpoint_prefix, open_checkpoint
from keras_legacy_train.errors import CheckpointMismatchError
from keras_legacy_train.migration.name_map import NameLookup, NameMap, SkipRule
from keras_legacy_train.migration.names import relative_paths
from keras_legacy_train.migration.report import LoadReport, describe_unfilled
from keras_legacy_train.migration.search import Search
from keras_legacy_train.migration.weights import Assignment, Tensor, Weight, split_tensors
from keras_legacy_train.types import PathLike

_LOGGER = logging.getLogger("keras_legacy_train")

# Keys of an object-based checkpoint, as TensorFlow 2 writes it.
_OBJECT_KEYS = re.compile(r"/\.ATTRIBUTES/|/\.OPTIMIZER_SLOT/|_CHECKPOINTABLE_OBJECT_GRAPH")
_HINT = "Tell the names of counterparts by name_map, leave weights out by skip, or pass strict=False."


def load_tf1_weights(
    model: keras.layers.Layer,
    checkpoint: PathLike,
    name_map: NameMap | None = None,
    *,
    skip: str | Iterable[str] = (),
    strict: bool = True,
    forget_bias: float = 1.0,
) -> LoadReport:
    """Fills the weights of a Keras model from a checkpoint of TensorFlow 1, either all of them or none.

    Each weight gets the value of its counterpart, the tensor of the same name and shape. Names that libraries
    of the time used are known: `dense/kernel` is found as `network/dense/weights`. The comparison ignores the
    model's own name, a scope around everything in the checkpoint, case, and `_` in the place of `/`. If a
    weight could have several counterparts, it counts as missing, and the report lists them.

    ```python
    import tensorflow.compat.v1 as tf

    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("network/hidden/weights", [8, 4])
        tf.get_variable("network/hidden/biases", [4])
        tf.get_variable("network/softmax/weights", [4, 2])
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, f"{output_dir}/model.ckpt")

    layers = [keras.Input([8]), keras.layers.Dense(4, name="hidden"), keras.layers.Dense(2, name="logits")]
    report = load_tf1_weights(
        keras.Sequential(layers), output_dir, {"logits": "network/softmax"}, skip=["logits/bias"]
    )
    assert report.skipped == ["logits/bias"] and not report.unused
    ```

    The cells of `tf.nn.rnn_cell` are converted to `keras.layers.LSTM`, `GRU` and `SimpleRNN`. `GRUCell` needs
    `keras.layers.GRU(reset_after=False)`.

    Args:
        model: A model or a layer that is built.
        checkpoint: Prefix of the checkpoint, in format V1 or V2, sharded or not; or a directory, whose newest
            checkpoint is taken.
        name_map: Names of counterparts that the rules do not find. A dict from the path of a weight, as the
            report shows it, to a name in the checkpoint, or from the path of a layer to a scope; `""` is the
            whole model, or no scope. Or a function from the path of a weight to a name, or to `None` to apply
            the rules. The last part of a name may be as in Keras. For a recurrent layer only the scope
            counts.
        skip: Paths of weights or layers to leave as they are.
        strict: Whether a weight without a counterpart is an error. If not, it is left as it is, with a
            warning.
        forget_bias: The number that the LSTMs added to the bias of their forget gates: the `forget_bias` of
            `LSTMCell` and `BasicLSTMCell`. The checkpoint does not hold it. For cuDNN's LSTM it is always 0.

    Returns:
        A report of the source of each weight; `print` it. Floats of another dtype are converted, and the
        report says so.

    Raises:
        TypeError: `model` is not a layer of Keras 3, or `name_map` or `skip` is of another type.
        ValueError: The model is not built, no checkpoint is found or it cannot be read, or it is not a
            checkpoint of TensorFlow 1.
        DamagedCheckpointError: There are checkpoints in the directory, and none of them can be read.
        CheckpointMismatchError: A counterpart has another shape, or a dtype that is not converted; a name in
            `name_map` or a path in `skip` does not exist; with `strict`, a weight has no counterpart.
            All of these are listed. Nothing was assigned.
    """
    strict = arguments.as_flag("strict", strict)
    forget_bias = arguments.as_number("forget_bias", forget_bias)
    with _tensorflow.eager_mode():
        weights = _model_weights(model)
        names, skipped = NameLookup(name_map), SkipRule(skip)
        prefix = checkpoint_prefix("checkpoint", checkpoint)
        reader = open_checkpoint("checkpoint", prefix)
        tensors, bookkeeping = _checkpoint_tensors(prefix, reader)

        left_alone = [weight for weight in weights if skipped(weight)]
        search = Search([weight for weight in weights if weight not in left_alone], tensors, bookkeeping)
        search.apply_name_map(names)
        search.apply_rules()
        unfilled = search.unfilled()

        problems = [*_duplicate_paths(weights), *search.problems]
        problems += [f"name_map: the model has no weight {path!r}" for path in sorted(names.unknown)]
        problems += [f"skip: the model has no weight {path!r}" for path in sorted(skipped.unknown)]
        if unfilled and strict:
            problems += [*describe_unfilled(unfilled), _HINT]
        if problems:
            raise CheckpointMismatchError(prefix, problems)

        filled = _read_assignments(prefix, reader, search.found, forget_bias)
        for _, variable, value in filled:
            variable.assign(value)
    used = {name for source in search.found.values() for name in source.names}
    order = [weight.path for weight in weights]
    report = LoadReport(
        checkpoint=prefix,
        filled=sorted((entry for entry, _, _ in filled), key=lambda entry: order.index(entry.path)),
        unfilled=unfilled,
        skipped=[weight.path for weight in left_alone],
        unused=[tensor.name for tensor in tensors if tensor.name not in used],
        bookkeeping=[tensor.name for tensor in bookkeeping if tensor.name not in used],
    )
    _LOGGER.info("%d of %d weights filled from %s.", len(filled), len(weights), prefix)
    for line in describe_unfilled(unfilled):
        _LOGGER.warning("%s", line)
    return report


def _model_weights(model: Any) -> list[Weight]:
    """Returns the weights of a model.

    Raises:
        TypeError: `model` is not a layer of Keras 3.
        ValueError: It is not built.
    """
    if not isinstance(model, keras.layers.Layer):
        raise TypeError(
            f"model must be a keras.Model or a keras.layers.Layer of Keras 3 ({keras.__version__}); it is a"
            f" {type(model).__module__}.{type(model).__qualname__}."
        )
    if not model.built:
        raise ValueError(
            f"{model.name!r} is not built, so it has no weights yet. Call it on a batch, or its build()."
        )
    paths = relative_paths(model)
    return [Weight(path, variable) for path, variable in zip(paths, model.weights, strict=True)]


def _checkpoint_tensors(prefix: str, reader: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Returns the weights in a checkpoint, and the other tensors. Leaves out what TensorFlow 2 adds.

    Raises:
        ValueError: It is an object-based checkpoint, as TensorFlow 2 writes it.
    """
    shapes = {
        name: shape
        for name, shape in reader.get_variable_to_shape_map().items()
        if not _OBJECT_KEYS.search(name)
    }
    if not shapes:
        raise ValueError(
            f"{prefix!r} is a checkpoint of TensorFlow 2, which knows objects and no names. Restore it by"
            " tf.train.Checkpoint(model=model).restore, or the model's load_weights."
        )
    return split_tensors(shapes, reader.get_variable_to_dtype_map())


def _duplicate_paths(weights: Sequence[Weight]) -> list[str]:
    counts = collections.Counter(weight.path for weight in weights)
    return [
        f"{path}: {count} weights of the model have this path; give their layers different names"
        for path, count in counts.items()
        if count > 1
    ]


def _read_assignments(
    prefix: str, reader: Any, found: Mapping[Any, Any], forget_bias: float
) -> list[Assignment]:
    """Reads and converts all values, so that nothing is assigned if one of them fails.

    Raises:
        ValueError: A tensor cannot be read.
        CheckpointMismatchError: A value is too large for the dtype of its weight.
    """

    def read(name: str) -> np.ndarray:
        try:
            value: np.ndarray = reader.get_tensor(name)
            return value
        except (IndexError, RuntimeError, ValueError, tf.errors.OpError) as error:
            raise ValueError(f"{name} in the checkpoint {prefix!r} cannot be read: {error}") from error

    filled, problems = [], []
    for target, source in found.items():
        try:
            filled += target.assignments(source, read, forget_bias)
        except OverflowError as error:
            problems.append(str(error))
    if problems:
        raise CheckpointMismatchError(prefix, problems)
    return filled
