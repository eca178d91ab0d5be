"""Exports Estimators as SavedModels; stands for `tf.contrib.learn.utils.saved_model_export_utils`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train import estimator as core
from keras_legacy_train.estimator.export.saved_model import export_versions
from keras_legacy_train.learn.export_strategy import ExportStrategy
from keras_legacy_train.learn.keys import PredictionKey, ProblemType
from keras_legacy_train.learn.model_fn_ops import ModelFnOps, OutputAlternative, classes_of, scores_of
from keras_legacy_train.learn.real_valued_columns import parse_example_spec
from keras_legacy_train.learn.utils.input_fn_utils import InputFnOps, build_parsing_serving_input_fn

__all__ = ["make_export_strategy", "make_parsing_export_strategy"]

_saved_model = tf.compat.v1.saved_model

# Begins the names of signatures whose inputs are those that the input function says.
_INPUT_KEY = "default_input_alternative"
# Names the only output of a model that gives no output alternatives.
_OUTPUT_KEY = "default_output_alternative"


def make_export_strategy(
    serving_input_fn: Callable[[], Any],
    default_output_alternative_key: str | None = None,
    assets_extra: Mapping[str, Any] | None = None,
    as_text: bool = False,
    exports_to_keep: int | None = 5,
    strip_default_attrs: bool | None = None,
) -> ExportStrategy:
    """Returns an export strategy for an `Experiment` that writes SavedModels.

    Stands for `tf.contrib.learn.make_export_strategy`.

    Args:
        serving_input_fn: Returns an `InputFnOps`; for a core Estimator, a `ServingInputReceiver`.
        default_output_alternative_key: Which head is served where none is asked for, if there are several.
            Must be `None` for a core Estimator.
        assets_extra: Files to copy into `assets.extra`: their paths by the paths there.
        as_text: Whether the file is written in text form.
        exports_to_keep: How many exports are kept; `None` for all.
        strip_default_attrs: Whether attributes of default value are left out of the graph.
    """

    def export_fn(
        estimator: Any, export_dir_base: Any, checkpoint_path: Any = None, strip_default_attrs: Any = False
    ) -> Any:
        given = {
            "assets_extra": assets_extra,
            "as_text": as_text,
            "checkpoint_path": checkpoint_path,
            "strip_default_attrs": bool(strip_default_attrs),
        }
        if isinstance(estimator, core.Estimator):
            if default_output_alternative_key is not None:
                raise ValueError(
                    "default_output_alternative_key is not supported in core Estimator. Given:"
                    f" {default_output_alternative_key}"
                )
        else:
            given["default_output_alternative_key"] = default_output_alternative_key
        exported = estimator.export_savedmodel(export_dir_base, serving_input_fn, **given)
        _delete_old_exports(export_dir_base, exports_to_keep)
        return exported

    return ExportStrategy("Servo", export_fn, strip_default_attrs)


def make_parsing_export_strategy(
    feature_columns: Iterable[Any],
    default_output_alternative_key: str | None = None,
    assets_extra: Mapping[str, Any] | None = None,
    as_text: bool = False,
    exports_to_keep: int | None = 5,
    target_core: bool = False,
    strip_default_attrs: bool | None = None,
) -> ExportStrategy:
    """Returns an export strategy for requests of serialised `tf.train.Example`s.

    Args:
        feature_columns: The columns that tell how the features are parsed.
        default_output_alternative_key: See `make_export_strategy`.
        assets_extra: See `make_export_strategy`.
        as_text: See `make_export_strategy`.
        exports_to_keep: See `make_export_strategy`.
        target_core: Whether it is for a core Estimator.
        strip_default_attrs: See `make_export_strategy`.
    """
    spec = parse_example_spec(feature_columns)
    return make_export_strategy(
        core.export.build_parsing_serving_input_receiver_fn(spec)
        if target_core
        else build_parsing_serving_input_fn(spec),
        default_output_alternative_key,
        assets_extra,
        as_text,
        exports_to_keep,
        strip_default_attrs,
    )


def checked_inputs(inputs: Any) -> InputFnOps:
    """Returns what a `serving_input_fn` has returned, if a model can be exported with it.

    Args:
        inputs: An `InputFnOps` with features and default inputs.

    Raises:
        ValueError: It is something else.
    """
    if not isinstance(inputs, InputFnOps):
        raise ValueError(f"serving_input_fn must return an InputFnOps; it returned {inputs!r:.200}.")
    if not inputs.features:
        raise ValueError("Features must be defined.")
    if not inputs.default_inputs:
        raise ValueError("A default input_alternative must be provided.")
    return inputs


def signatures(
    inputs: Mapping[str, Any], ops: ModelFnOps, default_output_alternative_key: str | None
) -> dict[str, Any]:
    """Returns the `SignatureDef`s of a model by name, one for each head and the default.

    Args:
        inputs: The inputs by name.
        ops: What the model function returned.
        default_output_alternative_key: Which head is served by default, if there are several.

    Raises:
        ValueError: There is no such head, or several and no default.
    """
    alternatives, default = _alternatives(ops, default_output_alternative_key)
    made = {
        f"{_INPUT_KEY}:{key or 'None'}": _signature(inputs, *alternative)
        for key, alternative in alternatives.items()
    }
    made[tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY] = _signature(inputs, *alternatives[default])
    return made


def _delete_old_exports(export_dir_base: Any, exports_to_keep: int | None) -> None:
    if exports_to_keep is None:
        return
    base = arguments.as_path("export_dir_base", export_dir_base)
    versions = export_versions(base)
    for version in versions[: max(len(versions) - exports_to_keep, 0)]:
        tf.io.gfile.rmtree(os.path.join(base, str(version)))


def _alternatives(
    ops: ModelFnOps, default: str | None
) -> tuple[Mapping[str | None, OutputAlternative], str | None]:
    """Returns what the model offers by the names of its heads, and the name of the default one.

    Raises:
        ValueError: There is no such head, or several and no default.
    """
    given = ops.output_alternatives
    if not given:
        if default:
            raise ValueError(
                f"Requested default_output_alternative: {default}, but available output_alternatives are: []"
            )
        outputs = ops.predictions
        if not isinstance(outputs, Mapping):
            outputs = {PredictionKey.GENERIC: outputs}
        return {_OUTPUT_KEY: (ProblemType.UNSPECIFIED, dict(outputs))}, _OUTPUT_KEY
    names = sorted(map(str, given))
    if default:
        if default not in given:
            raise ValueError(
                f"Requested default_output_alternative: {default}, but available output_alternatives are:"
                f" {names}"
            )
        return given, default
    if len(given) > 1:
        raise ValueError(
            f"Please specify a default_output_alternative.  Available output_alternatives are: {names}"
        )
    return given, next(iter(given))


def _signature(inputs: Mapping[str, Any], problem_type: int, outputs: Mapping[str, Any]) -> Any:
    """Returns the `SignatureDef` that fits the kind of problem, if there is only one input."""
    if len(inputs) == 1:
        (examples,) = inputs.values()
        if problem_type in (ProblemType.CLASSIFICATION, ProblemType.LOGISTIC_REGRESSION):
            classes, scores = classes_of(outputs), scores_of(outputs)
            if classes is None and scores is None and len(outputs) == 1:
                (only,) = outputs.values()
                classes, scores = (only, None) if only.dtype == tf.string else (None, only)
            if classes is not None or scores is not None:
                return _saved_model.classification_signature_def(examples, classes, scores)
        elif problem_type == ProblemType.LINEAR_REGRESSION and len(outputs) == 1:
            (predictions,) = outputs.values()
            return _saved_model.regression_signature_def(examples, predictions)
    return _saved_model.predict_signature_def(dict(inputs), dict(outputs))
