"""Has what all Estimators of `tf.contrib.learn` do, but for how a model is built."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import tensorflow as tf

from keras_legacy_train import estimator as core
from keras_legacy_train.checkpoints.lookup import optional_checkpoint_prefix
from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.evaluation import write_results
from keras_legacy_train.estimator.export.saved_model import ExportedGraph, write_saved_model
from keras_legacy_train.estimator.model_fn import as_input
from keras_legacy_train.estimator.prediction import Prediction
from keras_legacy_train.learn import outputs as reads
from keras_legacy_train.learn.data_feeder import make_input_fn
from keras_legacy_train.learn.errors import NotFittedError
from keras_legacy_train.learn.input_specs import are_compatible, parse_examples, placeholders, specs_of
from keras_legacy_train.learn.interfaces import Evaluable, Trainable
from keras_legacy_train.learn.keys import ModeKeys
from keras_legacy_train.learn.model_fn_ops import ModelFnOps
from keras_legacy_train.learn.model_runner import ModelRunner
from keras_legacy_train.learn.parameters import Parameters
from keras_legacy_train.learn.run_config import RunConfig
from keras_legacy_train.learn.types import InputFn, ModelFn, Path
from keras_legacy_train.learn.utils import export as export_utils
from keras_legacy_train.learn.utils import saved_model_export_utils
from keras_legacy_train.monitors import replace_monitors_with_hooks

_Estimator = TypeVar("_Estimator", bound="BaseEstimator")


class BaseEstimator(Parameters, Evaluable, Trainable):
    """Trains, evaluates and uses a model; stands for `tf.contrib.learn.BaseEstimator`.

    Subclasses define `_call_model_fn`, or `_get_train_ops`, `_get_eval_ops` and `_get_predict_ops`.
    `Estimator` does so with a function that users give.

    Args:
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        config: A `RunConfig`.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(self, model_dir: Path | None = None, config: core.RunConfig | None = None):
        if config is None:
            config = RunConfig()
            log.info("Using default config.")
        in_config = getattr(config, "model_dir", None)
        if None not in (model_dir, in_config) and os.fspath(model_dir or "") != in_config:
            raise ValueError(
                "model_dir are set both in constructor and RunConfig, but with different values. In"
                f" constructor: '{model_dir}', in RunConfig: '{in_config}' "
            )
        self._core = ModelRunner(self._build_ops, model_dir, config)
        self._model_dir = self._core.model_dir
        self._config: core.RunConfig = self._core.config
        self._input_specs: dict[str, Any] = {}

    @property
    def model_dir(self) -> str:
        """Returns the directory of checkpoints and event files."""
        return self._model_dir

    @property
    def config(self) -> core.RunConfig:
        """Returns a copy of the configuration."""
        return copy.deepcopy(self._config)

    @property
    def model_fn(self) -> ModelFn:
        """Returns the model function with the parameters filled in: `f(features, labels, mode, config)`."""

        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> ModelFnOps:
            return self._call_model_fn(features, labels, mode, config=config)

        return model_fn

    def fit(
        self: _Estimator,
        x: Any = None,
        y: Any = None,
        input_fn: InputFn | None = None,
        steps: int | None = None,
        batch_size: int | None = None,
        monitors: Iterable[Any] | None = None,
        max_steps: int | None = None,
    ) -> _Estimator:
        """Trains the model, from the newest checkpoint in `model_dir` on.

        Args:
            x: The features: an array or a data frame of one row per example, a dict of them, or an iterator
                of examples. Arrays are gone through again and again, each time in another order.
            y: The labels, in the same form.
            input_fn: In place of `x` and `y`, returns features and labels: tensors or dicts of tensors, or a
                `tf.data.Dataset` of such pairs.
            steps: How many steps to run; `None` for no limit but the end of the input.
            batch_size: Number of examples in a batch of `x` and `y`; by default all of an array.
            monitors: Monitors and `SessionRunHook`s.
            max_steps: The global step at which training ends, in the place of `steps`.

        Returns:
            The Estimator itself.

        Raises:
            ValueError: An argument or what the functions return cannot be right.
            CheckpointMismatchError: The newest checkpoint does not fit the model. No step has run.
            NanLossDuringTrainingError: The loss is NaN. The newest checkpoint is still a good one.
            Exception: As `keras_legacy_train.train` raises.
        """
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        _check_inputs(x, y, input_fn, None, batch_size)
        if input_fn is None:
            input_fn = make_input_fn(x, y, batch_size, shuffle=True, epochs=None)
        return self._fit(input_fn, steps, max_steps, monitors)

    def partial_fit(
        self: _Estimator,
        x: Any = None,
        y: Any = None,
        input_fn: InputFn | None = None,
        steps: int | None = 1,
        batch_size: int | None = None,
        monitors: Iterable[Any] | None = None,
    ) -> _Estimator:
        """Trains the model for one step, or a few, on another part of the data.

        Args:
            x: See `fit`.
            y: See `fit`.
            input_fn: See `fit`.
            steps: See `fit`.
            batch_size: See `fit`.
            monitors: See `fit`.

        Returns:
            The Estimator itself.

        Raises:
            ValueError: See `fit`.
        """
        log.warning(
            "The current implementation of partial_fit is not optimized for use in a loop. Consider using"
            " fit() instead."
        )
        return self.fit(x=x, y=y, input_fn=input_fn, steps=steps, batch_size=batch_size, monitors=monitors)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        input_fn: InputFn | None = None,
        feed_fn: Callable[[], Mapping[Any, Any]] | None = None,
        batch_size: int | None = None,
        steps: int | None = None,
        metrics: Mapping[Any, Any] | None = None,
        name: str | None = None,
        checkpoint_path: Path | None = None,
        hooks: Sequence[tf.compat.v1.train.SessionRunHook] | None = None,
        log_progress: bool = True,
    ) -> dict[str, Any]:
        """Evaluates the model, and writes the results to an event file in `eval` or `eval_<name>`.

        Args:
            x: The features, as in `fit`; arrays are gone through once, in order.
            y: The labels, as in `fit`.
            input_fn: See `fit`.
            feed_fn: Returns what is fed to the graph of `input_fn` for the next batch.
            batch_size: Number of examples in a batch of `x` and `y`; by default all of an array.
            steps: How many batches to evaluate; `None` for all.
            metrics: Metrics besides those of the model function: `MetricSpec`s by name.
            name: Distinguishes the results of several evaluations.
            checkpoint_path: The checkpoint to evaluate; by default the newest in `model_dir`.
            hooks: `SessionRunHook`s.
            log_progress: Whether the number of batches is logged.

        Returns:
            The metrics by name, `loss` and `global_step`.

        Raises:
            ValueError: An argument or what the functions return cannot be right.
            NotFittedError: There is no checkpoint.
            CheckpointMismatchError: The checkpoint does not fit the model.
        """
        _check_inputs(x, y, input_fn, feed_fn, batch_size)
        if metrics is not None and not isinstance(metrics, Mapping):
            raise ValueError(f"Metrics argument should be None or dict. Got {metrics}.")
        if input_fn is None:
            input_fn = make_input_fn(x, y, batch_size)
        watching = [*(hooks or ())]
        if feed_fn is not None:
            watching.append(tf.compat.v1.train.FeedFnHook(feed_fn))
        return self._evaluate(input_fn, steps, metrics, name, checkpoint_path, watching, log_progress)

    def predict(
        self,
        x: Any = None,
        input_fn: InputFn | None = None,
        batch_size: int | None = None,
        outputs: Sequence[str] | None = None,
        as_iterable: bool = True,
        iterate_batches: bool = False,
    ) -> Any:
        """Returns the predictions of the model.

        Args:
            x: The features, as in `fit`; arrays are gone through once, in order.
            input_fn: See `fit`. Labels are not used. If the input is constant, there is one batch.
            batch_size: Number of examples in a batch of `x`; by default all of an array.
            outputs: Which predictions to return, if the model function gives a dict; `None` for all.
            as_iterable: Whether the predictions come one after the other, until the input ends; if not, those
                of all of `x`, or of one batch of `input_fn`, come at once.
            iterate_batches: Whether each batch comes as a whole.

        Returns:
            An iterator over examples or batches, or a single batch: NumPy arrays, in a dict if the model
            function gives a dict.

        Raises:
            ValueError: An argument or what the functions return cannot be right.
            NotFittedError: There is no checkpoint.
            CheckpointMismatchError: The checkpoint does not fit the model.
        """
        _check_inputs(x, None, input_fn, None, batch_size)
        gives_all = input_fn is None and not as_iterable
        if input_fn is None:
            input_fn = make_input_fn(x, None, batch_size)
        batches = self._predict(input_fn, outputs)
        if gives_all:
            return reads.joined(list(batches))
        if not as_iterable:
            return next(iter(batches))
        return batches if iterate_batches else (row for batch in batches for row in reads.rows(batch))

    def export_savedmodel(
        self,
        export_dir_base: Path,
        serving_input_fn: Callable[[], Any],
        default_output_alternative_key: str | None = None,
        assets_extra: Mapping[str, Path] | None = None,
        as_text: bool = False,
        checkpoint_path: Path | None = None,
        strip_default_attrs: bool = False,
    ) -> bytes:
        """Exports the model as a SavedModel for TensorFlow Serving, into a new directory named by the time.

        Args:
            export_dir_base: Where that directory is made.
            serving_input_fn: Returns an `InputFnOps`.
            default_output_alternative_key: Which head is served by default, if there are several.
            assets_extra: Files to copy into `assets.extra`: their paths by the paths there.
            as_text: Whether the file is written in text form.
            checkpoint_path: The checkpoint to export; by default the newest in `model_dir`.
            strip_default_attrs: Whether attributes of default value are left out of the graph.

        Returns:
            The path of the new directory.

        Raises:
            ValueError: An argument or what the functions return cannot be right.
            NotFittedError: There is no checkpoint.
        """
        if serving_input_fn is None:
            raise ValueError("serving_input_fn must be defined.")
        checkpoint = self._checkpoint(checkpoint_path)
        with self._core._new_graph():
            inputs = saved_model_export_utils.checked_inputs(serving_input_fn())
            ops = self._call_model_fn(inputs.features, None, ModeKeys.INFER)
            signatures = saved_model_export_utils.signatures(
                inputs.default_inputs, ops, default_output_alternative_key
            )
            exported = _exported_graph(ops, signatures)
        return write_saved_model(
            export_dir_base,
            [exported],
            checkpoint,
            assets_extra=assets_extra,
            as_text=as_text,
            strip_default_attrs=strip_default_attrs,
        )

    def export(
        self,
        export_dir: Path,
        input_fn: Callable[..., Any] | None = None,
        input_feature_key: str | None = None,
        use_deprecated_input_fn: bool = True,
        signature_fn: export_utils.SignatureFn | None = None,
        prediction_key: str | None = None,
        default_batch_size: int | None = 1,
        exports_to_keep: int | None = None,
        checkpoint_path: Path | None = None,
    ) -> bytes:
        """Exports the model into a new directory named by the global step; see also `export_savedmodel`.

        Args:
            export_dir: Where that directory is made.
            input_fn: Makes features of the Estimator and a tensor of serialised `tf.train.Example`s; by
                default those that the Estimator was trained on. Without `use_deprecated_input_fn`, it takes
                nothing and returns features and labels.
            input_feature_key: Key of the tensor of examples among these features; `None` if `signature_fn`
                does not use it.
            use_deprecated_input_fn: Which of the two kinds `input_fn` is.
            signature_fn: Makes of examples, features and predictions a default `SignatureDef` and a dict of
                others; by default a generic one.
            prediction_key: Which of the predictions `signature_fn` gets; `None` for all.
            default_batch_size: Number of examples in a request; `None` for any.
            exports_to_keep: How many exports are kept; `None` for all.
            checkpoint_path: The checkpoint to export; by default the newest in `model_dir`.

        Returns:
            The path of the new directory. It has a SavedModel.

        Raises:
            ValueError: An argument or what the functions return cannot be right.
            RuntimeError: The step is exported already.
            NotFittedError: There is no checkpoint.
        """
        checkpoint = self._checkpoint(checkpoint_path)
        directory = export_utils.new_directory(export_dir, checkpoint)
        with self._core._new_graph():
            examples = None
            if use_deprecated_input_fn:
                examples = tf.compat.v1.placeholder(
                    tf.string, [default_batch_size], name="input_example_tensor"
                )
                features = self._parse_examples(examples) if input_fn is None else input_fn(self, examples)
            else:
                if input_fn is None:
                    raise ValueError("input_fn must be defined.")
                features, _ = input_fn()
                if input_feature_key is not None:
                    features = dict(features)
                    examples = features.pop(input_feature_key)
            if examples is None and not features:
                raise ValueError("Either features or examples must be defined.")
            ops = self._get_predict_ops(features)
            predictions = ops.predictions if prediction_key is None else ops.predictions[prediction_key]
            make_signatures = signature_fn or export_utils.generic_signature_fn
            default, others = make_signatures(examples, features, predictions)
            exported = _exported_graph(
                ops, {**others, tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: default}
            )
        return export_utils.write(directory, exported, checkpoint, exports_to_keep)

    def get_variable_names(self) -> list[str]:
        """Returns the names of the variables in the newest checkpoint.

        Raises:
            ValueError: There is no checkpoint.
        """
        return self._core.get_variable_names()

    def get_variable_value(self, name: str) -> Any:
        """Returns the value of a variable in the newest checkpoint, a NumPy array.

        Args:
            name: Its name.

        Raises:
            ValueError: There is no checkpoint.
            tf.errors.NotFoundError: There is no such variable in it.
        """
        return self._core.get_variable_value(name)

    # What follows is for this package, and for subclasses that build other graphs.

    def _call_model_fn(
        self, features: Any, labels: Any, mode: str, metrics: Any = None, config: Any = None
    ) -> ModelFnOps:
        """Builds the model in the default graph.

        Args:
            features: The features.
            labels: The labels, `None` if there are none.
            mode: One of `ModeKeys`.
            metrics: Metrics to add; see `evaluate`.
            config: The configuration; by default the Estimator's own.

        Raises:
            NotImplementedError: The subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define _call_model_fn.")

    def _fit(
        self: _Estimator,
        input_fn: InputFn,
        steps: int | None,
        max_steps: int | None,
        monitors: Iterable[Any] | None,
    ) -> _Estimator:
        self._core.fit(input_fn, replace_monitors_with_hooks(monitors, self), steps, max_steps)
        return self

    def _evaluate(
        self,
        input_fn: InputFn,
        steps: int | None,
        metrics: Any,
        name: str | None,
        checkpoint_path: Path | None = None,
        hooks: Sequence[tf.compat.v1.train.SessionRunHook] = (),
        log_progress: bool = True,
    ) -> dict[str, Any]:
        checkpoint = self._checkpoint(checkpoint_path)
        results = self._core.run_evaluation(input_fn, steps, metrics, checkpoint, hooks, log_progress)
        write_results(self._core.eval_dir(name), results, checkpoint)
        return results

    def _predict(self, input_fn: InputFn, outputs: Sequence[str] | None) -> Iterator[Any]:
        """Builds the graph, and returns an iterator over the batches of predictions."""
        checkpoint = self._checkpoint(None)
        with self._core._new_graph() as graph:
            given = as_input(input_fn(), core.ModeKeys.PREDICT)
            ops = self._get_predict_ops(given.features)
            fetches = reads.reading(given.features, reads.chosen(ops.predictions, outputs))
            is_constant = reads.is_constant(graph)
            # Of a spec only the scaffold is used; predictions may be sparse, which a spec does not take.
            spec = core.EstimatorSpec(ModeKeys.EVAL, loss=tf.zeros([]), scaffold=ops.scaffold)
            prediction = Prediction(graph, spec, given, [])

        def batches() -> Iterator[Any]:
            with prediction.restored(self._core._restoring(prediction, checkpoint)) as run:
                for batch in prediction.batches(run, fetches):
                    yield batch
                    if is_constant:
                        return

        return batches()

    def _checkpoint(self, path: Path | None) -> str:
        """Returns the checkpoint that a path means, by default the newest.

        Raises:
            NotFittedError: There is none.
        """
        checkpoint = optional_checkpoint_prefix("checkpoint_path", path) or self._core.latest_checkpoint()
        if checkpoint is None:
            raise NotFittedError(f"Couldn't find trained model at {self._model_dir}.")
        return checkpoint

    def _check_specs(self, features: Any, labels: Any) -> None:
        """Checks that the input is of the kind that this Estimator has met first.

        Raises:
            ValueError: It has other keys, dtypes or shapes.
        """
        for name, value in (("Features", features), ("Labels", labels)):
            if value is None:
                continue
            known = self._input_specs.setdefault(name, specs_of(value))
            if not are_compatible(value, known):
                raise ValueError(
                    f"{name} are incompatible with given information. Given {name.lower()}: {value}, required"
                    f" signatures: {known}."
                )

    def _parse_examples(self, examples: tf.Tensor) -> Any:
        """Returns the features in examples, of the kind that the Estimator was trained with.

        Raises:
            ValueError: It was not trained in this process, or on features that an `Example` cannot hold.
        """
        specs = self._input_specs.get("Features")
        if specs is None:
            raise ValueError("Features information missing, was fit() ever called?")
        return parse_examples(specs, examples)

    def _build_ops(self, features: Any, labels: Any, mode: str, metrics: Any) -> ModelFnOps:
        """Builds the model for training or evaluation."""
        self._check_specs(features, labels)
        if mode == ModeKeys.EVAL:
            return self._get_eval_ops(features, labels, metrics)
        return self._get_train_ops(features, labels)

    def _get_train_ops(self, features: Any, labels: Any) -> ModelFnOps:
        """Builds the model for training."""
        return self._call_model_fn(features, labels, ModeKeys.TRAIN)

    def _get_eval_ops(self, features: Any, labels: Any, metrics: Any) -> ModelFnOps:
        """Builds the model for evaluation."""
        return self._call_model_fn(features, labels, ModeKeys.EVAL, metrics)

    def _get_predict_ops(self, features: Any) -> ModelFnOps:
        """Builds the model for inference; one that makes a loss in each mode gets stand-ins for labels."""
        specs = self._input_specs.get("Labels")
        labels = None if specs is None else placeholders(specs)
        return self._call_model_fn(features, labels, ModeKeys.INFER)


def _check_inputs(x: Any, y: Any, input_fn: Any, feed_fn: Any, batch_size: int | None) -> None:
    """Checks that the input is given in one way.

    Raises:
        ValueError: It is given in none or in two, or arrays are tensors.
    """
    if input_fn is None:
        if x is None:
            raise ValueError("Either x or input_fn must be provided.")
        if tf.is_tensor(x) or tf.is_tensor(y):
            raise ValueError("Inputs cannot be tensors. Please provide input_fn.")
        if feed_fn is not None:
            raise ValueError("Can not provide both feed_fn and x or y.")
        return
    if x is not None or y is not None:
        raise ValueError("Can not provide both input_fn and x or y.")
    if batch_size is not None:
        raise ValueError("Can not provide both input_fn and batch_size.")
    if not callable(input_fn):
        raise ValueError(f"input_fn must be a function; it is {input_fn!r:.200}.")


def _exported_graph(ops: ModelFnOps, signatures: Mapping[str, Any]) -> ExportedGraph:
    scaffold = ops.scaffold or tf.compat.v1.train.Scaffold()
    return ExportedGraph.with_signatures(ModeKeys.INFER, dict(signatures), scaffold)
