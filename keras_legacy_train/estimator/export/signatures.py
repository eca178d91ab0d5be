"""Makes the signatures of a SavedModel, by the rules of TensorFlow Serving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.export.outputs import (
    EVAL_KEY,
    SERVING_KEY,
    TRAIN_KEY,
    EvalOutput,
    ExportOutput,
    TrainOutput,
    with_default_output,
)
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.graph.saving.saved_model import needed_operations

_saved_model = tf.compat.v1.saved_model
_METHODS = {
    tf.saved_model.CLASSIFY_METHOD_NAME: "Classify",
    tf.saved_model.REGRESS_METHOD_NAME: "Regress",
    tf.saved_model.PREDICT_METHOD_NAME: "Predict",
    TrainOutput.method: "Train",
    EvalOutput.method: "Eval",
}


def outputs_of(spec: Any) -> dict[str, ExportOutput]:
    """Returns the outputs of a model to export, by the names of their signatures.

    Args:
        spec: The `EstimatorSpec` of the mode to export. Operations may be added to its graph.
    """
    if spec.mode == ModeKeys.PREDICT:
        return with_default_output(spec.export_outputs, spec.predictions)
    name, kind = (TRAIN_KEY, TrainOutput) if spec.mode == ModeKeys.TRAIN else (EVAL_KEY, EvalOutput)
    return {name: kind(loss=spec.loss, predictions=spec.predictions, metrics=spec.eval_metric_ops)}


def signatures(receiver: Any, outputs: Mapping[str, ExportOutput], serving_only: bool) -> dict[str, Any]:
    """Returns a `SignatureDef` by name for each output that can be computed from what the receiver takes.

    Which ones there are is logged, and why the others are not.

    Args:
        receiver: A `ServingInputReceiver` or its like.
        outputs: The outputs by name.
        serving_only: Whether to leave out what TensorFlow Serving does not serve.
    """
    inputs = {"": receiver.receiver_tensors}
    alternatives = getattr(receiver, "receiver_tensors_alternatives", None) or {}
    inputs.update({f"{name or 'None'}:": tensors for name, tensors in alternatives.items()})
    included: dict[str, Any] = {}
    excluded: dict[str, str] = {}
    for prefix, tensors in inputs.items():
        for output_name, output in outputs.items():
            name = f"{prefix}{output_name or 'None'}"
            try:
                signature = output.as_signature_def(tensors)
                _check_servable(tensors, signature.outputs)
            except ValueError as error:
                excluded[name] = str(error)
            else:
                included[name] = signature
    _report(included, excluded)
    if not serving_only:
        return included
    return {name: each for name, each in included.items() if _saved_model.is_valid_signature(each)}


def _check_servable(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Checks that outputs (`TensorInfo`s by name) need no placeholder but those that are fed.

    Raises:
        ValueError: They do.
    """
    fed = tf.nest.flatten(dict(inputs), expand_composites=True)
    graph = fed[0].graph
    names = [tensor.name for tensor in fed]
    computed = [graph.get_tensor_by_name(info.name) for info in outputs.values()]
    for operation in needed_operations(computed, set(names)):
        if operation.type == "Placeholder":
            raise ValueError(
                f"The signature's input tensors {names} are insufficient to compute its output keys"
                f" {list(outputs)} because of the dependency on `{operation.name}` which is not given as a"
                " signature input."
            )


def _report(included: Mapping[str, Any], excluded: Mapping[str, str]) -> None:
    """Logs which signatures there are."""
    for method, title in _METHODS.items():
        names = [name for name, signature in included.items() if signature.method_name == method]
        log.info("Signatures INCLUDED in export for %s: %s", title, names or None)
    if excluded:
        log.info(
            "Signatures EXCLUDED from export because they cannot be be served via TensorFlow Serving APIs:"
        )
        for name, reason in excluded.items():
            log.info("'%s' : %s", name, reason)
    if not included:
        log.warning("Export includes no signatures!")
    elif SERVING_KEY not in included:
        log.warning("Export includes no default signature!")
