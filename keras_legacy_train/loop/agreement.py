"""Says what the processes of one training must agree on."""

from __future__ import annotations


class Agreement:
    """Lets a loop ask the other processes of a training; this class is for a process that has none.

    A subclass exchanges what each of them wants. All of them make the same calls in the same order.
    """

    def plan(self, watched: float, window: int) -> tuple[float, int]:
        """Returns the next step that is watched, and how many steps a window has at most.

        Args:
            watched: The next step that somebody wants to see in this process; infinity for none.
            window: How many steps fit into a window by the clock of this process.
        """
        return watched, window

    def any(self, flag: bool) -> bool:
        """Returns whether a flag is set in one of them."""
        return flag

    def signal(self, number: int | None) -> int | None:
        """Returns a signal that one of them has received, `None` if none has.

        Args:
            number: The number of the signal that this process has received, `None` for none.
        """
        return number
