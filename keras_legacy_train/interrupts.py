"""Watches for signals and long waits while the main thread is inside a call into TensorFlow.

Python runs a signal handler only when such a call has returned, and a call that waits for input may never
return. So the arrival of a signal is also written to a pipe, which another thread reads.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import select
import signal
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import _tensorflow

_LOGGER = logging.getLogger("keras_legacy_train")

# How long a step waits for input before the log says so.
WAIT_SECONDS = 60.0
# How long a call may go on after a signal before the log says so.
PATIENCE_SECONDS = 1.0
# How long a call may go on after a second signal before the process ends.
_LAST_CHANCE_SECONDS = 0.5

_WATCHED = (signal.SIGINT, signal.SIGTERM)
_CLOSE = b"\0"  # no signal has this number

WaitsFor = Callable[[], str | None]
# A frame inside TensorFlow, and where in its code it is.
_Place = tuple[FrameType, int]


class CallWatch:
    """Watches over the calls into TensorFlow of the main thread, from `start` to `stop`.

    Signal handlers are left as they are. If a handler cannot run because a call does not return, a WARNING
    says what the call waits for. A second signal during the same call ends the process as if there were no
    handler.

    Args:
        waits_for: Returns a sentence about the input that a call may be waiting for, or `None`. Called from
            another thread.
        unit: What a signal waits for, in the words of the log.
        on_signal: Called from another thread when a signal arrives.
        insists: Tells whether any second signal ends the process, even if the first came before the call.
        passes_on: Whether signals are also reported to an earlier `signal.set_wakeup_fd`. Other signals than
            SIGINT and SIGTERM always are.
        wait_seconds: How long a step waits before the log says so; `WAIT_SECONDS` by default.

    Attributes:
        waits_for: The argument; it may be changed.
        is_saving: Whether signals must not end the process now.
    """

    def __init__(
        self,
        waits_for: WaitsFor,
        *,
        unit: str = "call into TensorFlow",
        on_signal: Callable[[], None] = lambda: None,
        insists: Callable[[], bool] = lambda: False,
        passes_on: bool = True,
        wait_seconds: float | None = None,
    ):
        self.waits_for = waits_for
        self.is_saving = False
        self._unit = unit
        self._on_signal = on_signal
        self._insists = insists
        self._passes_on = passes_on
        self._wait_seconds = WAIT_SECONDS if wait_seconds is None else wait_seconds
        self._outer: CallWatch | None = None
        self._since: float | None = None
        self._told_since: float | None = None
        self._waiting_at: _Place | None = None
        self._signals = 0
        self._place: _Place | None = None
        self._hurry = threading.Event()
        self._closed = False
        self._helpers: list[threading.Thread] = []

    def start(self) -> None:
        """Begins to watch. Must be called in the main thread."""
        global _active
        self._outer, _active = _active, self
        if self._outer is not None:
            self._outer.pause()
        self._receiver, self._sender = os.pipe()
        os.set_blocking(self._sender, False)
        self._outer_sender = signal.set_wakeup_fd(self._sender, warn_on_full_buffer=False)
        self.resume()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops watching."""
        global _active
        signal.set_wakeup_fd(self._outer_sender)
        self._closed = True
        self._hurry.set()
        # Closing the pipe would not wake the thread if a forked process has it open, too.
        os.write(self._sender, _CLOSE)
        self._thread.join(PATIENCE_SECONDS)
        for helper in self._helpers:
            helper.join(PATIENCE_SECONDS)
        os.close(self._sender)
        os.close(self._receiver)
        self._place = self._waiting_at = None
        _active = self._outer
        if _active is not None:
            _active.resume()

    def resume(self) -> None:
        """Starts to count how long a step waits."""
        self._since = time.monotonic()

    def pause(self) -> None:
        """Stops counting, since no step is running."""
        self._since = None

    @contextlib.contextmanager
    def during(self, waits_for: WaitsFor) -> Iterator[None]:
        """Watches over calls of another kind while it is entered."""
        earlier, was_paused = self.waits_for, self._since is None
        self.waits_for = waits_for
        self.resume()
        try:
            yield
        finally:
            self.waits_for = earlier
            self.resume()
            if was_paused:
                self.pause()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._receiver, select.POLLIN)
        while True:
            if poll.poll(self._wait_seconds / 4 * 1000):
                read = os.read(self._receiver, 1)
                if read in (_CLOSE, b""):
                    return
                self._arrived(read[0])
            else:
                self._look_for_a_wait()

    def _look_for_a_wait(self) -> None:
        """Logs, once, that a call has not returned. Called several times while a step may wait."""
        since = self._since
        if since is None or since == self._told_since:
            self._waiting_at = None
            return
        waited = (time.monotonic() - since) / self._wait_seconds
        if waited >= 1:
            earlier, self._waiting_at = self._waiting_at, None
            if _is_same(earlier, _place_in_tensorflow()):
                self._told_since = since
                self._in_a_thread(self._tell_of_wait, since)
            elif self._since == since:
                self._since = time.monotonic()
        elif waited < 0.5:
            self._waiting_at = None  # since a frame keeps the values that its call works on
        elif self._waiting_at is None:
            self._waiting_at = _place_in_tensorflow()

    def _arrived(self, number: int) -> None:
        is_watched = number in _WATCHED
        if self._outer_sender != -1 and (self._passes_on or not is_watched):
            with contextlib.suppress(OSError):  # nobody may be reading there any more
                os.write(self._outer_sender, bytes([number]))
        if not is_watched:
            return
        self._signals += 1
        place, earlier = _place_in_tensorflow(), self._place
        self._place = place
        if self.is_saving:
            return
        is_second = self._signals > 1 and (self._insists() or _is_same(place, earlier))
        if is_second:
            self._hurry.set()
            if self._is_still_at(place):
                self._end_process(number)
        else:
            self._hurry.clear()
            self._in_a_thread(self._tell_of_signal, number, place)

    def _is_still_at(self, place: _Place | None) -> bool:
        """Gives the main thread a last chance to return from a call. Returns whether it did not."""
        deadline = time.monotonic() + _LAST_CHANCE_SECONDS
        while _is_same(place, _place_in_tensorflow()):
            if time.monotonic() >= deadline:
                return True
            time.sleep(0.01)
        return False

    def _end_process(self, number: int) -> None:
        for helper in self._helpers:
            helper.join(0.2)  # it may be about to log what the call waits for
        # `signal.signal` works in the main thread only.
        ctypes.pythonapi.PyOS_setsig(ctypes.c_int(number), ctypes.c_void_p(signal.SIG_DFL))
        os.kill(os.getpid(), number)

    def _tell_of_signal(self, number: int, place: _Place | None) -> None:
        self._on_signal()
        if not self._closed:
            self._hurry.wait(PATIENCE_SECONDS)
        if self._closed or self.is_saving:
            return
        if not (self._insists() or _is_same(place, _place_in_tensorflow())):
            return
        _LOGGER.warning(
            "%s takes effect after the current %s, which has not ended yet.%s A second signal ends the"
            " process at once and leaves the checkpoints as they are.",
            signal.Signals(number).name,
            self._unit,
            self._in_words(),
        )

    def _tell_of_wait(self, since: float) -> None:
        what = self._in_words()
        if what and self._since == since:
            _LOGGER.warning("A %s has not ended for %g s.%s", self._unit, self._wait_seconds, what)

    def _in_words(self) -> str:
        what = self.waits_for()
        return f" {what}" if what else ""

    def _in_a_thread(self, function: Callable[..., None], *arguments: Any) -> None:
        """Calls a function that may take long, so that this thread can read the next signal."""
        helper = threading.Thread(target=function, args=arguments, daemon=True)
        self._helpers = [each for each in self._helpers if each.is_alive()] + [helper]
        helper.start()


# The innermost watch that has been started.
_active: CallWatch | None = None


@contextlib.contextmanager
def watched_calls(waits_for: WaitsFor, wait_seconds: float | None = None) -> Iterator[Callable[[], None]]:
    """Watches over the calls made within it, as `CallWatch` does. Does nothing outside the main thread.

    Args:
        waits_for: See `CallWatch`.
        wait_seconds: See `CallWatch`.

    Yields:
        A function to be called before each step.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
    elif _active is not None:
        with _active.during(waits_for):
            yield _active.resume
    else:
        watch = CallWatch(waits_for, wait_seconds=wait_seconds)
        watch.start()
        try:
            yield watch.resume
        finally:
            watch.stop()


def _forget_in_child() -> None:
    """Stops reporting signals in a forked process, whose signals are not the parent's."""
    global _active
    if _active is not None:
        _active = None
        signal.set_wakeup_fd(-1)


os.register_at_fork(after_in_child=_forget_in_child)


def _place_in_tensorflow() -> _Place | None:
    """Returns where in TensorFlow the main thread is; `None` if it is elsewhere, where handlers can run."""
    frame = sys._current_frames().get(main_thread())
    if frame is None or not frame.f_code.co_filename.startswith(_TENSORFLOW):
        return None
    return frame, frame.f_lasti


def _is_same(place: _Place | None, other: _Place | None) -> bool:
    return place is not None and other is not None and place[0] is other[0] and place[1] == other[1]


def main_thread() -> int:
    """Returns the number of the main thread."""
    ident = threading.main_thread().ident
    assert ident is not None
    return ident


_TENSORFLOW = os.path.dirname(tf.__file__) + os.sep
_STDLIB = sysconfig.get_path("stdlib") + os.sep
_OURS = os.path.dirname(__file__) + os.sep
_LIBRARIES = (_TENSORFLOW, os.path.dirname(keras.__file__) + os.sep, _OURS)


def python_at_work() -> list[str]:
    """Finds the Python code that TensorFlow has called, or that prepares the input of a step.

    Returns:
        The file, line and function of each thread in such code.
    """
    places = []
    for ident, frame in sys._current_frames().items():
        stack = list(_stack(frame))
        is_input = ident == main_thread() and not frame.f_code.co_filename.startswith(_LIBRARIES)
        if is_input or any(each.f_code.co_filename == _tensorflow.SCRIPT_OPS_FILE for each in stack):
            own = next((each for each in stack if _is_users(each.f_code.co_filename)), frame)
            places.append(f"{own.f_code.co_filename}, line {own.f_lineno}, in {own.f_code.co_name}")
    return places


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_users(path: str) -> bool:
    is_stdlib = path.startswith(_STDLIB) and "-packages" not in path
    return not (is_stdlib or path.startswith((*_LIBRARIES, "<frozen ")))
