"""Exports the model while it is trained."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.monitors.estimators import is_core_estimator
from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.types import OutputDict, PathLike, SessionLike

_LOGGER = logging.getLogger("keras_legacy_train")


class ExportMonitor(EveryN):
    """Exports the newest checkpoint every `every_n_steps` steps, and at the end.

    Stands for `tf.contrib.learn.monitors.ExportMonitor`. It calls `export` of the estimator. If that raises a
    `RuntimeError`, there is nothing new to export, and training goes on.

    Args:
        every_n_steps: Steps from one export to the next. See `EveryN`.
        export_dir: Directory of the exports.
        input_fn: Returns `(features, labels)`; `features` is a dict of tensors.
        input_feature_key: Key of the feature whose tensor takes serialised `Example`s; `None` if
            `signature_fn` does not use them.
        exports_to_keep: Number of exports to keep; `None` for all.
        signature_fn: Takes the tensor of examples, the features and the predictions. Returns a default
            signature and a dict of named signatures.
        default_batch_size: Batch size of the placeholder for examples.

    Raises:
        ValueError: An argument is invalid. While training: `set_estimator` was not called, or the estimator
            is one of `keras_legacy_train.estimator`, which has no `export`.
    """

    def __init__(
        self,
        every_n_steps: int,
        export_dir: PathLike,
        input_fn: Callable[[], Any] | None = None,
        input_feature_key: str | None = None,
        exports_to_keep: int | None = 5,
        signature_fn: Callable[..., Any] | None = None,
        default_batch_size: int | None = 1,
    ):
        super().__init__(every_n_steps=every_n_steps)
        arguments.as_path("export_dir", export_dir)
        arguments.check_callable("input_fn", input_fn)
        arguments.check_callable("signature_fn", signature_fn)
        self._export_dir = export_dir
        self._input_fn = input_fn
        self._input_feature_key = arguments.as_optional_text("input_feature_key", input_feature_key)
        self._exports_to_keep = arguments.as_steps("exports_to_keep", exports_to_keep)
        self._signature_fn = signature_fn
        self._default_batch_size = arguments.as_optional_positive("default_batch_size", default_batch_size)
        self._last_export_dir: Any = None

    @property
    def export_dir(self) -> PathLike:
        """Returns the directory of the exports."""
        return self._export_dir

    @property
    def exports_to_keep(self) -> int | None:
        """Returns the number of exports to keep; `None` for all."""
        return self._exports_to_keep

    @property
    def signature_fn(self) -> Callable[..., Any] | None:
        """Returns the function that makes the signatures."""
        return self._signature_fn

    @property
    def last_export_dir(self) -> Any:
        """Returns the last result of `export`, the directory of that export; `None` before the first."""
        return self._last_export_dir

    def every_n_step_end(self, step: int, outputs: OutputDict) -> bool | None:
        super().every_n_step_end(step, outputs)
        self._export(
            "Skipping exporting because the existing checkpoint has already been exported. Consider exporting"
            " less frequently."
        )
        return False

    def end(self, session: SessionLike | None = None) -> None:
        super().end(session)
        if tf.train.latest_checkpoint(os.fsdecode(self._checked_estimator().model_dir)) is None:
            _LOGGER.info("Skipping export at the end since model has not been saved yet.")
        else:
            self._export("Skipping exporting for the same step.")

    def _export(self, skip_message: str) -> None:
        """Exports the newest checkpoint; logs `skip_message` if there is nothing new to export."""
        estimator = self._checked_estimator()
        try:
            self._last_export_dir = estimator.export(
                self.export_dir,
                exports_to_keep=self.exports_to_keep,
                signature_fn=self.signature_fn,
                input_fn=self._input_fn,
                default_batch_size=self._default_batch_size,
                input_feature_key=self._input_feature_key,
                use_deprecated_input_fn=self._input_fn is None,
            )
        except RuntimeError as error:
            _LOGGER.info("%s (%s)", skip_message, error)

    def _checked_estimator(self) -> Any:
        if self._estimator is None:
            raise ValueError("Missing call to set_estimator.")
        if is_core_estimator(self._estimator):
            raise ValueError(
                "ExportMonitor does not support `tf.estimator.Estimator. `. Please pass an ExportStrategy to"
                " Experiment instead."
            )
        return self._estimator
