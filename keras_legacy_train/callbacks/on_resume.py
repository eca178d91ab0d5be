"""Restores what `on_train_begin` of other callbacks has reset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras_legacy_train.loop.callback import LoopCallback


class OnResume(LoopCallback):
    """Calls a function when a resumed training begins.

    It must come after the user's callbacks: `on_train_begin` of many forgets what was restored, and hooks may
    initialise iterators until then.

    Args:
        resume: The function.
    """

    def __init__(self, resume: Callable[[], None]):
        super().__init__()
        self._resume = resume

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._resume()
