"""Signals, and long waits, while the main thread is inside a call into TensorFlow.

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

# A wait for input that takes so many seconds is told of.
WAIT_SECONDS = 60.0
# A call that has not returned so many seconds after a signal is told of.
PATIENCE_SECONDS = 1.0
# So long may a call take to return after the signal that would end the process.
_LAST_CHANCE_SECONDS = 0.5

_WATCHED = (signal.SIGINT, signal.SIGTERM)
_CLOSE = b"\0"  # no signal has this number

WaitsFor = Callable[[], str | None]
# A frame inside TensorFlow, and where in its code it is.
_Place = tuple[FrameType, int]


class CallWatch:
    """Watches over the calls into TensorFlow of the main thread, from `start` to `stop`.

    Handlers of signals are left as they are. Of a signal whose handler has to wait for a call, a WARNING
    tells what the call waits for. A second signal during the same call ends the process, as if it had no
    handler.

    Args:
        waits_for: Returns a sentence that says which input a call may be waiting for, or `None`. It is called
            from another thread.
        unit: What a signal has to wait for, in the words of the log.
        on_signal: Called, from another thread, when a signal arrives.
        insists: Tells whether any second signal ends the process, also if the first came before the call.
        wait_seconds: After so many seconds of one step, what it waits for is logged.

    Attributes:
        waits_for: The argument; it may be changed.
        is_saving: Whether no signal may end the process now.
    """

    def __init__(
        self,
        waits_for: WaitsFor,
        *,
        unit: str = "call into TensorFlow",
        on_signal: Callable[[], None] = lambda: None,
        insists: Callable[[], bool] = lambda: False,
        wait_seconds: float | None = None,
    ):
        self.waits_for = waits_for
        self.is_saving = False
        self._unit = unit
        self._on_signal = on_signal
        self._insists = insists
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
        """Begins to watch. To be called in the main thread."""
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
        """Ends what `start` began."""
        global _active
        signal.set_wakeup_fd(self._outer_sender)
        self._closed = True
        self._hurry.set()
        # A process that was forked meanwhile has the pipe open, too, so closing it would not be noticed.
        os.write(self._sender, _CLOSE)
        for thread in (self._thread, *self._helpers):
            thread.join(PATIENCE_SECONDS)
        os.close(self._sender)
        os.close(self._receiver)
        _active = self._outer
        if _active is not None:
            _active.resume()

    def resume(self) -> None:
        """A step begins now: how long it waits is counted from here."""
        self._since = time.monotonic()

    def pause(self) -> None:
        """No step is running."""
        self._since = None

    @contextlib.contextmanager
    def during(self, waits_for: WaitsFor) -> Iterator[None]:
        """Watches over other calls within those it was made for."""
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
        """Tells of a call that has not returned, once. Called several times while a step may wait."""
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
        elif waited >= 0.5 and self._waiting_at is None:
            self._waiting_at = _place_in_tensorflow()  # keeps what a call works on, so not earlier

    def _arrived(self, number: int) -> None:
        if number not in _WATCHED:
            if self._outer_sender != -1:
                os.write(self._outer_sender, bytes([number]))
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
            self._in_a_thread(self._tell_of_signal, number, place)

    def _is_still_at(self, place: _Place | None) -> bool:
        """Gives the main thread a last chance to return from a call; tells whether it has not."""
        deadline = time.monotonic() + _LAST_CHANCE_SECONDS
        while _is_same(place, _place_in_tensorflow()):
            if time.monotonic() >= deadline:
                return True
            time.sleep(0.01)
        return False

    def _end_process(self, number: int) -> None:
        for helper in self._helpers:
            helper.join(0.2)  # it is about to say why
        # `signal.signal` works in the main thread only.
        ctypes.pythonapi.PyOS_setsig(ctypes.c_int(number), ctypes.c_void_p(signal.SIG_DFL))
        os.kill(os.getpid(), number)

    def _tell_of_signal(self, number: int, place: _Place | None) -> None:
        self._on_signal()
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
        """What may take its time must not keep this thread from reading the next signal."""
        helper = threading.Thread(target=function, args=arguments, daemon=True)
        self._helpers = [each for each in self._helpers if each.is_alive()] + [helper]
        helper.start()


# The innermost watch that has been started.
_active: CallWatch | None = None


@contextlib.contextmanager
def watched_calls(waits_for: WaitsFor, wait_seconds: float | None = None) -> Iterator[Callable[[], None]]:
    """Watches over the calls made within it; see `CallWatch`. Does nothing outside of the main thread.

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
    """In a forked process nobody reads the pipe, and its signals are not those of the parent."""
    global _active
    if _active is not None:
        _active = None
        signal.set_wakeup_fd(-1)


os.register_at_fork(after_in_child=_forget_in_child)


def _place_in_tensorflow() -> _Place | None:
    """Returns where in TensorFlow the main thread is; `None` if it is elsewhere, where handlers are run."""
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
    """Returns where the Python code is that TensorFlow has called, or that gives a step its input.

    Returns:
        For each thread in such code its file, line and function.
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
