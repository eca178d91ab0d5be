"""Runs functions in the background, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs functions in a thread, one after the other. Between them there is no thread."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, function: Callable[[], object]) -> None:
        """Starts a function once the one before has ended, and raises the error of that one."""
        self.wait()

        def run() -> None:
            try:
                function()
            except BaseException as error:  # raised to whoever asks next
                self._error = error

        self._thread = threading.Thread(target=run, name="keras_legacy_train background")
        self._thread.start()

    def check(self) -> None:
        """Raises the error of a function that has ended; only once."""
        if self._thread is None or not self._thread.is_alive():
            error, self._error = self._error, None
            if error is not None:
                raise error

    def join(self) -> None:
        """Waits until nothing is running. An error is kept for `check`."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wait(self) -> None:
        """Waits until nothing is running, and raises the error, only once."""
        self.join()
        self.check()
