"""A monitor that exports the model while it is being trained."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.monitors.every_n import EveryN

_LOGGER = logging.getLogger("keras_legacy_train")


class ExportMonitor(EveryN):
    """Exports the newest checkpoint every `every_n_steps` steps, and at the end.

    Stands for `tf.contrib.learn.monitors.ExportMonitor`. The estimator's `export` does the work; a
    `RuntimeError` from it means that there is nothing new to export.

    Args:
        every_n_steps: Steps from one export to the next. See `EveryN`.
        export_dir: Directory of the exports.
        input_fn: Returns (features, labels), features being a dict of tensors.
        input_feature_key: Key of the features whose tensor takes serialised `Example`s; `None` if
            `signature_fn` makes no use of them.
        exports_to_keep: How many exports are kept.
        signature_fn: Returns a default signature and a dict of named ones, given the tensor of examples, the
            features and the predictions.
        default_batch_size: Batch size of the placeholder for examples.

    Raises:
        ValueError: An argument cannot be right. While training: `set_estimator` was not called.
    """

    def __init__(
        self,
        every_n_steps: int,
        export_dir: str | bytes | os.PathLike,
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
    def export_dir(self) -> str | bytes | os.PathLike:
        """Directory of the exports."""
        return self._export_dir

    @property
    def exports_to_keep(self) -> int | None:
        """How many exports are kept."""
        return self._exports_to_keep

    @property
    def signature_fn(self) -> Callable[..., Any] | None:
        """Makes the signatures."""
        return self._signature_fn

    @property
    def last_export_dir(self) -> Any:
        """What `export` returned last, the directory of that export; `None` before the first."""
        return self._last_export_dir

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool | None:
        super().every_n_step_end(step, outputs)
        self._export(
            "Skipping exporting because the existing checkpoint has already been exported. Consider exporting"
            " less frequently."
        )
        return False

    def end(self, session: Any = None) -> None:
        super().end(session)
        if tf.train.latest_checkpoint(os.fsdecode(self._exporter().model_dir)) is None:
            _LOGGER.info("Skipping export at the end since model has not been saved yet.")
        else:
            self._export("Skipping exporting for the same step.")

    def _export(self, text_if_nothing_new: str) -> None:
        exporter = self._exporter()
        try:
            self._last_export_dir = exporter.export(
                self.export_dir,
                exports_to_keep=self.exports_to_keep,
                signature_fn=self.signature_fn,
                input_fn=self._input_fn,
                default_batch_size=self._default_batch_size,
                input_feature_key=self._input_feature_key,
                use_deprecated_input_fn=self._input_fn is None,
            )
        except RuntimeError as error:
            _LOGGER.info("%s (%s)", text_if_nothing_new, error)

    def _exporter(self) -> Any:
        if self._estimator is None:
            raise ValueError("Missing call to set_estimator.")
        return self._estimator
