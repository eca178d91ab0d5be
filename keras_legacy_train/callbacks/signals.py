"""Ctrl-C and SIGTERM end the training after the current step."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from keras_legacy_train.interrupts import CallWatch, WaitsFor
from keras_legacy_train.loop.agreement import Agreement
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps

_SIGTERM_EXIT_CODE = 128 + signal.SIGTERM


class SignalHandler(LoopCallback):
    """Turns SIGINT into `KeyboardInterrupt` and SIGTERM into `SystemExit(143)`, both between two steps.

    A signal ends the running window after a whole step. A second signal does not wait for the step: if the
    step does not end, the process does. Neither interrupts the last save. Handlers can only be set in the
    main thread; in another thread this does nothing.

    Its place is after the callbacks that must see the last step.

    Args:
        stop_window: Called from another thread as soon as a signal arrives.
        waits_for: Says which input a step may be waiting for. See `CallWatch`.
        agreement: Has all processes of a training end after the same step; by default there is one.

    Attributes:
        first: A callback to put before all others, so that their hooks do not count as a step.
    """

    def __init__(
        self,
        stop_window: Callable[[], None],
        waits_for: WaitsFor = lambda: None,
        agreement: Agreement | None = None,
    ):
        super().__init__()
        self._agreement = agreement
        self._watch = CallWatch(
            waits_for,
            unit="step",
            on_signal=stop_window,
            insists=lambda: not self._is_ending,
            passes_on=False,
        )
        self.first: LoopCallback = _HooksBegin(self._watch)
        self._received: int | None = None
        self._is_ending = False
        self._raised = False
        self._earlier_handlers: dict[signal.Signals, Any] = {}
        self._is_watching = False
        self._process = os.getpid()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._earlier_handlers[number] = signal.signal(number, self._handle)
        self._process = os.getpid()
        self._is_watching = True
        self._watch.start()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._watch.resume()

    def on_steps_end(self, steps: Steps) -> None:
        self._watch.resume()
        received = self._received if self._agreement is None else self._agreement.signal(self._received)
        if received is not None:
            self._received = received
            self._raise()

    def on_loop_end(self, reason: StopReason) -> None:
        self._is_ending = self._watch.is_saving = True  # the final checkpoint is written in peace

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self._is_watching:
            self._is_watching = False
            self._watch.stop()
            self._restore_handlers()
        if self._received is not None and not self._raised:
            self._raise()

    def _restore_handlers(self) -> None:
        while self._earlier_handlers:
            signal.signal(*self._earlier_handlers.popitem())

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # in a forked worker, the earlier handlers count
            self._restore_handlers()
            os.kill(os.getpid(), number)
            return
        is_first = self._received is None
        self._received = number
        if not is_first and not self._is_ending and self._agreement is None:
            self._raise()

    def _raise(self) -> None:
        self._raised = True
        if self._received == signal.SIGTERM:
            raise SystemExit(_SIGTERM_EXIT_CODE)
        raise KeyboardInterrupt


class _HooksBegin(LoopCallback):
    """Tells a watch that a step or the last save is over."""

    def __init__(self, watch: CallWatch):
        super().__init__()
        self._watch = watch

    def on_steps_end(self, steps: Steps) -> None:
        self._watch.pause()

    def on_loop_end(self, reason: StopReason) -> None:
        self._watch.pause()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        self._watch.is_saving = False
