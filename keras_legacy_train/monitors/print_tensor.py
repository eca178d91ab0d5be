"""Logs the values of tensors."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

import tensorflow as tf

from keras_legacy_train.loop.schedule import Sampling
from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.monitors.requests import check_request, format_outputs
from keras_legacy_train.types import Fetch, OutputDict

_LOGGER = logging.getLogger("keras_legacy_train")


class PrintTensor(EveryN):
    """Logs the values of tensors: `Step 1: loss = 10.0`.

    Stands for `tf.contrib.learn.monitors.PrintTensor`.

    Args:
        tensor_names: A dict from the tag to print to a tensor or its name; or an iterable of tensors and
            names, each of which has its name as its tag.
        every_n: Steps from one line to the next. See `EveryN`.
        first_n: Up to this step, every step gets a line. See `EveryN`.

    Raises:
        ValueError: An argument is invalid.
    """

    def __init__(
        self, tensor_names: Mapping[str, Fetch] | Iterable[Fetch], every_n: int = 100, first_n: int = 1
    ):
        super().__init__(every_n, first_n)
        if isinstance(tensor_names, Mapping):
            self._tensor_names = dict(tensor_names)
        elif isinstance(tensor_names, Iterable) and not isinstance(tensor_names, (str, tf.Tensor)):
            self._tensor_names = {getattr(tensor, "name", tensor): tensor for tensor in tensor_names}
        else:
            raise ValueError(f"tensor_names must be a list or a dict of tensors; it is {tensor_names!r}.")
        for tensor in self._tensor_names.values():
            check_request("tensor_names", tensor)

    def sampling(self, step: int) -> Sampling | None:
        return self.sampling_of(self._tensor_names.values(), step)

    def every_n_step_begin(self, step: int) -> Iterable[Fetch] | None:
        super().every_n_step_begin(step)
        return list(self._tensor_names.values())

    def every_n_step_end(self, step: int, outputs: OutputDict) -> bool | None:
        super().every_n_step_end(step, outputs)
        _LOGGER.info("Step %d: %s", step, format_outputs(outputs, self._tensor_names))
        return False
