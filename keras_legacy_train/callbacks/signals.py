"""Ctrl-C and SIGTERM end the training after the current step."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps

_SIGTERM_EXIT_CODE = 128 + signal.SIGTERM


class SignalHandler(LoopCallback):
    """Turns SIGINT into `KeyboardInterrupt` and SIGTERM into `SystemExit(143)`, both between two steps.

    Python runs a signal handler only when the call into TensorFlow has returned, and a window takes half a
    second. So the arrival of a signal is written to a pipe, where a thread waits that ends the window. A
    second signal does not wait for the step. Handlers can be set in the main thread only; elsewhere this does
    nothing.

    Args:
        stop_window: Called, from another thread, as soon as a signal arrives.
    """

    def __init__(self, stop_window: Callable[[], None]):
        super().__init__()
        self._stop_window = stop_window
        self._received: int | None = None
        self._ending = False
        self._raised = False
        self._restore: Callable[[], None] | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        handled = [
            number
            for number in (signal.SIGINT, signal.SIGTERM)
            if signal.getsignal(number) not in (signal.SIG_IGN, None)
        ]
        earlier_handlers = {number: signal.signal(number, self._handle) for number in handled}
        receiver, sender = os.pipe()
        os.set_blocking(sender, False)
        earlier_sender = signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
        watcher = threading.Thread(target=self._watch, args=(receiver, handled), daemon=True)
        watcher.start()

        def restore() -> None:
            signal.set_wakeup_fd(earlier_sender)
            for number, handler in earlier_handlers.items():
                signal.signal(number, handler)
            os.close(sender)  # ends the watcher
            watcher.join()
            os.close(receiver)

        self._restore = restore

    def on_steps_end(self, steps: Steps) -> None:
        if self._received is not None:
            self._raise()

    def on_loop_end(self, reason: StopReason) -> None:
        self._ending = True  # the final checkpoint is written in peace

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._restore is not None:
            restore, self._restore = self._restore, None
            restore()
        if self._received is not None and not self._raised:
            self._raise()

    def _watch(self, receiver: int, handled: list[signal.Signals]) -> None:
        while arrived := os.read(receiver, 1):
            if arrived[0] in handled:
                self._stop_window()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        first = self._received is None
        self._received = number
        if not first and not self._ending:
            self._raise()

    def _raise(self) -> None:
        self._raised = True
        if self._received == signal.SIGTERM:
            raise SystemExit(_SIGTERM_EXIT_CODE)
        raise KeyboardInterrupt
