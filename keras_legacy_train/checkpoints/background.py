"""One piece of work at a time, beside the caller's own."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Background:
    """Runs functions in a thread, each after the one before; no thread is left when it has ended."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, function: Callable[[], object]) -> None:
        """Begins to run the function, once the one before has ended; raises what that one raised."""
        self.wait()

        def run() -> None:
            try:
                function()
            except BaseException as error:  # raised to whoever asks next
                self._error = error

        self._thread = threading.Thread(target=run, name="keras_legacy_train background")
        self._thread.start()

    def check(self) -> None:
        """Raises, once, what a function that has ended raised."""
        if self._thread is None or not self._thread.is_alive():
            error, self._error = self._error, None
            if error is not None:
                raise error

    def join(self) -> None:
        """Returns when nothing is running; what was raised is kept for `check`."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wait(self) -> None:
        """Returns when nothing is running; raises, once, what was raised."""
        self.join()
        self.check()
