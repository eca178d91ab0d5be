"""Reading on where the run before stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras_legacy_train.graph.iterators import IteratorPositions
from keras_legacy_train.loop.callback import LoopCallback


class ResumedInput(LoopCallback):
    """Goes to the restored position in the input when training begins.

    It must come after the hooks, which may initialise iterators until then.

    Args:
        position: The position.
    """

    def __init__(self, position: IteratorPositions):
        super().__init__()
        self._position = position

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._position.resume()
