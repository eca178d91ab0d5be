"""Makes the monitors of a training that is given none."""

from __future__ import annotations

from keras_legacy_train import arguments
from keras_legacy_train.monitors.base import BaseMonitor
from keras_legacy_train.monitors.print_tensor import PrintTensor
from keras_legacy_train.monitors.requests import check_request
from keras_legacy_train.monitors.summary_saver import SummarySaver
from keras_legacy_train.types import Fetch, PathLike, SummaryWriterLike


def get_default_monitors(
    loss_op: Fetch | None = None,
    summary_op: Fetch | None = None,
    save_summary_steps: int = 100,
    output_dir: PathLike | None = None,
    summary_writer: SummaryWriterLike | None = None,
) -> list[BaseMonitor]:
    """Returns a `PrintTensor` for the loss and a `SummarySaver`.

    Stands for `tf.contrib.learn.monitors.get_default_monitors`.

    Args:
        loss_op: The loss, a tensor or its name; printed as `loss`. With `None` there is no `PrintTensor`.
        summary_op: See `SummarySaver`. With `None` there is no `SummarySaver`.
        save_summary_steps: See `save_steps` of `SummarySaver`.
        output_dir: See `SummarySaver`.
        summary_writer: See `SummarySaver`.

    Raises:
        ValueError: An argument is invalid.
    """
    monitors: list[BaseMonitor] = []
    if loss_op is not None:
        monitors.append(PrintTensor({"loss": check_request("loss_op", loss_op)}))
    if summary_op is not None:
        monitors.append(
            SummarySaver(
                summary_op,
                save_steps=arguments.as_number("save_summary_steps", save_summary_steps),
                output_dir=output_dir,
                summary_writer=summary_writer,
            )
        )
    return monitors
