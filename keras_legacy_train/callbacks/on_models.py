"""Which of Keras's callbacks cannot work beside checkpoints of a model, said before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable

import keras


def check_callbacks(callbacks: Iterable[keras.callbacks.Callback]) -> None:
    """Raises ValueError for a callback that cannot do its work where training restores its checkpoints."""
    for callback in callbacks:
        problem = _problem(callback)
        if problem is not None:
            raise ValueError(f"callbacks: {type(callback).__name__}{problem} Or pass output_dir=None.")


def _problem(callback: keras.callbacks.Callback) -> str | None:
    if isinstance(callback, keras.callbacks.BackupAndRestore):
        return " is of no use here: training resumes from the newest checkpoint in output_dir by itself."
    if isinstance(callback, keras.callbacks.SwapEMAWeights) and callback.swap_on_epoch:
        return (
            "(swap_on_epoch=True) has the averages in the place of the weights when the last checkpoint is"
            " written, and no run could go on from that. Pass swap_on_epoch=False."
        )
    return None
