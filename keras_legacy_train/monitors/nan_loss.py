"""Ends the training when the loss is NaN."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import numpy as np

from keras_legacy_train import arguments
from keras_legacy_train.errors import NanLossDuringTrainingError
from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.monitors.requests import check_request, find_output
from keras_legacy_train.types import Fetch, OutputDict

_LOGGER = logging.getLogger("keras_legacy_train")


class NanLoss(EveryN):
    """Ends the training, with or without an error, when the loss is NaN.

    Stands for `tf.contrib.learn.monitors.NanLoss`. `train` checks the loss of every step itself. Use this
    monitor for another tensor, or to stop the training without an error.

    Args:
        loss_tensor: The tensor to check, or its name.
        every_n_steps: Steps from one check to the next. See `EveryN`.
        fail_on_nan_loss: Whether a NaN raises an error. If not, training stops as if it were complete.

    Raises:
        ValueError: An argument is invalid.
    """

    def __init__(self, loss_tensor: Fetch, every_n_steps: int = 100, fail_on_nan_loss: bool = True):
        super().__init__(every_n_steps=every_n_steps)
        self._loss_tensor = check_request("loss_tensor", loss_tensor)
        self._fail_on_nan_loss = arguments.as_flag("fail_on_nan_loss", fail_on_nan_loss)

    def every_n_step_begin(self, step: int) -> Iterable[Fetch] | None:
        super().every_n_step_begin(step)
        return [self._loss_tensor]

    def every_n_step_end(self, step: int, outputs: OutputDict) -> bool | None:
        """Checks the loss of an active step.

        Raises:
            NanLossDuringTrainingError: The loss is NaN, and `fail_on_nan_loss` is set.
        """
        super().every_n_step_end(step, outputs)
        if not np.isnan(find_output(outputs, self._loss_tensor)).any():
            return False
        message = "Model diverged with loss = NaN."
        if self._fail_on_nan_loss:
            _LOGGER.error(message)
            raise NanLossDuringTrainingError(step=step)
        _LOGGER.warning(message)
        return True
