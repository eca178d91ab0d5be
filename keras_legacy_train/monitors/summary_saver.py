"""A monitor that writes summaries."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from keras_legacy_train import arguments
from keras_legacy_train.loop.schedule import Sampling
from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.monitors.requests import check_request, find_output
from keras_legacy_train.summaries import get_summary_writer


class SummarySaver(EveryN):
    """Writes the graph's summaries to an event file, at step 1 and every `save_steps` steps.

    Stands for `tf.contrib.learn.monitors.SummarySaver`.

    Args:
        summary_op: A string tensor with a serialised `Summary`, as of `tf.compat.v1.summary.merge_all()`, or
            its name. `None` takes that of `scaffold`, and without one nothing is written.
        save_steps: Steps from one summary to the next. See `EveryN`.
        output_dir: Directory of the event file, if no `summary_writer` is given.
        summary_writer: A `SummaryWriter`, `tf.compat.v1.summary.FileWriter`, or what else has their methods.
        scaffold: A `tf.compat.v1.train.Scaffold`, whose `summary_op` is read at the first active step.

    Raises:
        ValueError: An argument cannot be right.
    """

    def __init__(
        self,
        summary_op: Any,
        save_steps: float = 100,
        output_dir: str | bytes | os.PathLike | None = None,
        summary_writer: Any = None,
        scaffold: Any = None,
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

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self._summary_op is not None or self._scaffold is not None:
            raise ValueError(
                "SummarySaver writes a summary operation of a graph, and a Keras model has none. fit() writes"
                " the loss into output_dir by itself; for more, use keras.callbacks.TensorBoard."
            )

    def sampling(self, step: int) -> Sampling | None:
        return self.sampling_of(self._requests(), step)

    def every_n_step_begin(self, step: int) -> Iterable[Any] | None:
        super().every_n_step_begin(step)
        return self._requests()

    def every_n_step_end(self, step: int, outputs: dict[Any, Any]) -> bool | None:
        super().every_n_step_end(step, outputs)
        if self._summary_op is not None and self._summary_writer is not None:
            self._summary_writer.add_summary(find_output(outputs, self._summary_op), step)
        return False

    def _requests(self) -> list[Any]:
        if self._summary_op is None and self._scaffold is not None:
            self._summary_op = self._scaffold.summary_op
        return [] if self._summary_op is None else [self._summary_op]

    def end(self, session: Any = None) -> None:
        super().end(session)
        if self._summary_writer is not None:
            self._summary_writer.flush()
