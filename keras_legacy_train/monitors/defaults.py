"""The monitors of a training that names none."""

from __future__ import annotations

import os
from typing import Any

from keras_legacy_train import arguments
from keras_legacy_train.monitors.base import BaseMonitor
from keras_legacy_train.monitors.print_tensor import PrintTensor
from keras_legacy_train.monitors.requests import check_request
from keras_legacy_train.monitors.summary_saver import SummarySaver


def get_default_monitors(
    loss_op: Any = None,
    summary_op: Any = None,
    save_summary_steps: int = 100,
    output_dir: str | bytes | os.PathLike | None = None,
    summary_writer: Any = None,
) -> list[BaseMonitor]:
    """Returns a `PrintTensor` for the loss and a `SummarySaver`.

    Stands for `tf.contrib.learn.monitors.get_default_monitors`.

    Args:
        loss_op: The loss, a tensor or its name; printed as `loss`. `None` leaves out the `PrintTensor`.
        summary_op: See `SummarySaver`. `None` leaves that out.
        save_summary_steps: See `save_steps` of `SummarySaver`.
        output_dir: See `SummarySaver`.
        summary_writer: See `SummarySaver`.

    Raises:
        ValueError: An argument cannot be right.
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
