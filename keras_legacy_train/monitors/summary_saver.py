"""Writes the graph's summaries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.loop.schedule import Sampling
from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.monitors.requests import check_request, find_output
from keras_legacy_train.summaries import get_summary_writer
from keras_legacy_train.types import Fetch, OutputDict, PathLike, SessionLike, SummaryWriterLike


class SummarySaver(EveryN):
    """Writes the graph's summaries to an event file, at step 1 and every `save_steps` steps.

    Stands for `tf.contrib.learn.monitors.SummarySaver`.

    Args:
        summary_op: A string tensor with a serialised `Summary`, such as `tf.compat.v1.summary.merge_all()`,
            or its name. `None` takes the `summary_op` of `scaffold`; without a scaffold nothing is written.
        save_steps: Steps from one summary to the next. See `EveryN`.
        output_dir: Directory of the event file, if no `summary_writer` is given.
        summary_writer: A `SummaryWriter`, a `tf.compat.v1.summary.FileWriter`, or any object with
            `add_summary` and `flush`.
        scaffold: Gives the `summary_op`. It is read at the first active step.

    Raises:
        ValueError: An argument is invalid.
    """

    def __init__(
        self,
        summary_op: Fetch | None,
        save_steps: float = 100,
        output_dir: PathLike | None = None,
        summary_writer: SummaryWriterLike | None = None,
        scaffold: tf.compat.v1.train.Scaffold | None = None,
    ):
        super().__init__(every_n_steps=arguments.as_number("save_steps", save_steps))
        self._summary_op = None if summary_op is None else check_request("summary_op", summary_op)
        arguments.check_methods("summary_writer", summary_writer, "add_summary", "flush")
        directory = arguments.as_optional_path("output_dir", output_dir)
        self._summary_writer = summary_writer
        if summary_writer is None and directory is not None:
            self._summary_writer = get_summary_writer(directory)
        if scaffold is not None and not hasattr(scaffold, "summary_op"):
            raise ValueError(f"scaffold must be a tf.compat.v1.train.Scaffold; it is {scaffold!r}.")
        self._scaffold = scaffold

    def set_estimator(self, estimator: Any) -> None:
        super().set_estimator(estimator)
        if self._summary_writer is None:
            self._summary_writer = get_summary_writer(estimator.model_dir)

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        if self._summary_op is not None or self._scaffold is not None:
            raise ValueError(
                "SummarySaver writes a summary operation of a graph, and a Keras model has none. fit() writes"
                " the loss into output_dir by itself; for more, use keras.callbacks.TensorBoard."
            )

    def sampling(self, step: int) -> Sampling | None:
        return self.sampling_of(self._requests(), step)

    def every_n_step_begin(self, step: int) -> Iterable[Fetch] | None:
        super().every_n_step_begin(step)
        return self._requests()

    def every_n_step_end(self, step: int, outputs: OutputDict) -> bool | None:
        super().every_n_step_end(step, outputs)
        if self._summary_op is not None and self._summary_writer is not None:
            self._summary_writer.add_summary(find_output(outputs, self._summary_op), step)
        return False

    def _requests(self) -> list[Any]:
        if self._summary_op is None and self._scaffold is not None:
            self._summary_op = self._scaffold.summary_op
        return [] if self._summary_op is None else [self._summary_op]

    def end(self, session: SessionLike | None = None) -> None:
        super().end(session)
        if self._summary_writer is not None:
            self._summary_writer.flush()
