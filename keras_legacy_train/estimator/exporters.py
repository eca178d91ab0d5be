"""Exports models after evaluations: always, once at the end, or those that are better than all before."""

from __future__ import annotations

import abc
import os
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.event_files import written_metrics
from keras_legacy_train.estimator.export.saved_model import export_versions
from keras_legacy_train.estimator.model_fn import parameters
from keras_legacy_train.types import PathLike

_ARGUMENTS = ("best_eval_result", "current_eval_result")


class Exporter(abc.ABC):
    """Exports a model after it was evaluated; stands for `tf.estimator.Exporter`.

    `EvalSpec` takes exporters, and `train_and_evaluate` calls them.
    """

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """Returns the name of the directory of the exports, in the directory `export` of the model's own."""

    @abc.abstractmethod
    def export(
        self,
        estimator: Any,
        export_path: PathLike,
        checkpoint_path: PathLike | None,
        eval_result: Mapping[str, Any] | None,
        is_the_final_export: bool,
    ) -> Any:
        """Exports a checkpoint of an Estimator, or decides not to.

        Args:
            estimator: The Estimator.
            export_path: The directory to write the export to.
            checkpoint_path: The checkpoint that was evaluated.
            eval_result: What `Estimator.evaluate` returned.
            is_the_final_export: Whether training has ended at `TrainSpec.max_steps`.

        Returns:
            The path of the export, or `None` if there is none.
        """


class _SavedModelExporter(Exporter):
    """Exports SavedModels.

    Args:
        name: The exporter's name.
        serving_input_receiver_fn: See `Estimator.export_saved_model`, as for the rest.
        assets_extra: Files to copy.
        as_text: Whether to write the graph as text.
        exports_to_keep: How many exports to keep, the newest; `None` for all.
    """

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Callable[[], Any] | None,
        assets_extra: Mapping[str, Any] | None,
        as_text: bool,
        exports_to_keep: int | None = None,
    ):
        if serving_input_receiver_fn is None:
            raise ValueError("An input_receiver_fn must be defined: serving_input_receiver_fn is None.")
        if exports_to_keep is not None and exports_to_keep <= 0:
            raise ValueError(
                f"`exports_to_keep`, if provided, must be a positive number. Got {exports_to_keep}"
            )
        self._name = name
        self._serving_input_receiver_fn = serving_input_receiver_fn
        self._assets_extra = assets_extra
        self._as_text = as_text
        self._exports_to_keep = exports_to_keep

    @property
    def name(self) -> str:
        return self._name

    def export(
        self,
        estimator: Any,
        export_path: PathLike,
        checkpoint_path: PathLike | None,
        eval_result: Mapping[str, Any] | None,
        is_the_final_export: bool,
    ) -> Any:
        exported = estimator.export_saved_model(
            export_path,
            self._serving_input_receiver_fn,
            assets_extra=self._assets_extra,
            as_text=self._as_text,
            checkpoint_path=checkpoint_path,
        )
        if self._exports_to_keep is not None:
            directory = os.fsdecode(export_path)
            for version in export_versions(directory)[: -self._exports_to_keep]:
                _delete(os.path.join(directory, str(version)))
        return exported


class LatestExporter(_SavedModelExporter):
    """Exports the model after every evaluation; stands for `tf.estimator.LatestExporter`.

    Args:
        name: Its name; see `Exporter.name`.
        serving_input_receiver_fn: Returns what the exported model is given; see
            `Estimator.export_saved_model`, as for the next two.
        assets_extra: Files to copy into the export.
        as_text: Whether to write the graph as text.
        exports_to_keep: How many exports to keep, the newest; `None` for all.

    Raises:
        ValueError: `exports_to_keep` is not positive, or there is no receiver function.
    """

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: Mapping[str, Any] | None = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ):
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)


class FinalExporter(_SavedModelExporter):
    """Exports the model once, at the end of training; stands for `tf.estimator.FinalExporter`.

    Training must end at `TrainSpec.max_steps`. If it has none, nothing is exported.

    Args:
        name: Its name; see `Exporter.name`.
        serving_input_receiver_fn: Returns what the exported model is given; see
            `Estimator.export_saved_model`, as for the next two.
        assets_extra: Files to copy into the export.
        as_text: Whether to write the graph as text.

    Raises:
        ValueError: There is no receiver function.
    """

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: Mapping[str, Any] | None = None,
        as_text: bool = False,
    ):
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)

    def export(
        self,
        estimator: Any,
        export_path: PathLike,
        checkpoint_path: PathLike | None,
        eval_result: Mapping[str, Any] | None,
        is_the_final_export: bool,
    ) -> Any:
        if not is_the_final_export:
            return None
        log.info("Performing the final export in the end of training.")
        return super().export(estimator, export_path, checkpoint_path, eval_result, is_the_final_export)


def _loss_smaller(best_eval_result: Any, current_eval_result: Any) -> bool:
    """Returns whether the loss of the current result is smaller.

    Raises:
        ValueError: There is no loss in one of them.
    """
    for name, result in zip(_ARGUMENTS, (best_eval_result, current_eval_result), strict=True):
        if not result or "loss" not in result:
            raise ValueError(f"{name} cannot be empty or no loss is found in it.")
    return bool(best_eval_result["loss"] > current_eval_result["loss"])


class BestExporter(_SavedModelExporter):
    """Exports the model when it is better than all before; stands for `tf.estimator.BestExporter`.

    The first model is always exported. After a restart, a model is compared with the best result in the event
    files of earlier evaluations. If nothing is left of the exports, it is exported as the first one.

    ```python
    def accuracy_greater(best_eval_result, current_eval_result):
        return current_eval_result["accuracy"] > best_eval_result["accuracy"]

    receiver_fn = lambda: None
    exporter = BestExporter(serving_input_receiver_fn=receiver_fn, compare_fn=accuracy_greater)
    ```

    Args:
        name: Its name; see `Exporter.name`.
        serving_input_receiver_fn: Returns what the exported model is given; see
            `Estimator.export_saved_model`, as for the next two but one.
        event_file_pattern: The event files of the evaluations, in the model's directory; for an evaluation
            with a name, `"eval_NAME/*.tfevents.*"`. With `None` or `""`, a restart forgets earlier results.
        compare_fn: Takes `best_eval_result` and `current_eval_result`, as `Estimator.evaluate` returns them.
            Returns whether the current one is better. By default it is if its `loss` is smaller.
        assets_extra: Files to copy into the export.
        as_text: Whether to write the graph as text.
        exports_to_keep: How many exports to keep, the newest, which are the best; `None` for all.

    Raises:
        ValueError: `exports_to_keep` is not positive, `compare_fn` takes other arguments, or there is no
            receiver function.
    """

    def __init__(
        self,
        name: str = "best_exporter",
        serving_input_receiver_fn: Callable[[], Any] | None = None,
        event_file_pattern: str | None = "eval/*.tfevents.*",
        compare_fn: Callable[..., bool] = _loss_smaller,
        assets_extra: Mapping[str, Any] | None = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ):
        _check_compare_fn(compare_fn)
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text, exports_to_keep)
        self._compare_fn = compare_fn
        self._event_file_pattern = event_file_pattern
        self._model_dir: Any = None
        self._best: Mapping[str, Any] | None = None

    def export(
        self,
        estimator: Any,
        export_path: PathLike,
        checkpoint_path: PathLike | None,
        eval_result: Mapping[str, Any] | None,
        is_the_final_export: bool,
    ) -> Any:
        if self._event_file_pattern and self._model_dir != estimator.model_dir:
            self._model_dir = estimator.model_dir
            has_exports = bool(export_versions(os.fsdecode(export_path)))
            self._best = self._best_before(eval_result) if has_exports else None
        if self._best is not None and not self._is_better(eval_result, self._best):
            return None
        log.info("Performing best model export.")
        self._best = eval_result
        return super().export(estimator, export_path, checkpoint_path, eval_result, is_the_final_export)

    def _is_better(self, result: Mapping[str, Any] | None, best: Mapping[str, Any]) -> bool:
        return bool(self._compare_fn(best_eval_result=best, current_eval_result=result))

    def _best_before(self, current: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Returns the best result in the event files, which may have the current one already."""
        log.info("Loading best metric from event files.")
        step = (current or {}).get(tf.compat.v1.GraphKeys.GLOBAL_STEP)
        best: Mapping[str, Any] | None = None
        pattern = os.path.join(os.fspath(self._model_dir), str(self._event_file_pattern))
        for result_step, result in written_metrics(pattern):
            if result_step != step and (best is None or self._is_better(result, best)):
                best = result
        return best


def _check_compare_fn(compare_fn: Any) -> None:
    if compare_fn is None:
        raise ValueError("`compare_fn` must not be None.")
    names = parameters(compare_fn)
    for name in _ARGUMENTS:
        if name not in names:
            raise ValueError(f"compare_fn ({compare_fn}) must include {name} argument.")
    unexpected = [name for name in names if name not in _ARGUMENTS]
    if unexpected:
        raise ValueError(f"compare_fn ({compare_fn}) has following not expected args: {unexpected}")


def _delete(directory: str) -> None:
    try:
        tf.io.gfile.rmtree(directory)
    except tf.errors.NotFoundError as error:
        log.warning("Can not delete %s recursively: %s", directory, error)
