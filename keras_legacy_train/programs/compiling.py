"""Decides whether windows are compiled by XLA."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

import tensorflow as tf

from keras_legacy_train.graph import xla
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.programs.stacked_input import StackedInput

_LOGGER = logging.getLogger("keras_legacy_train")


class Compilation:
    """Decides which windows of a step XLA compiles, and has their input taken ahead.

    Args:
        lifted: The graph.
        loss: Name of the loss.
        operations: Names of the operations that a step runs.
        jit_compile: Whether windows are compiled; `"auto"` for where that works, computes the same, and is
            faster.

    Attributes:
        is_possible: Whether a window may be compiled: as given, until XLA turns out to be of no use.
        input: The input of a step, where it can be taken ahead; `None` where there is none.
    """

    def __init__(
        self,
        lifted: LiftedGraph,
        loss: str,
        operations: Sequence[str],
        jit_compile: bool | Literal["auto"],
    ):
        self.is_possible = bool(jit_compile)
        self.input: StackedInput | None = None
        self._lifted = lifted
        self._loss = loss
        self._operations = operations
        self._trial = Trial() if jit_compile == "auto" else None
        self._is_examined = False

    def compiles_next(self) -> bool:
        """Returns whether the next window is to be compiled."""
        if self.is_possible and not self._is_examined:
            self._examine()
        return self.is_possible and (self._trial is None or self._trial.compiles)

    def ran(self, steps: int, seconds: float) -> None:
        """Learns from a window that was compiled, or was not, as `compiles_next` has told."""
        if self.is_possible and self._trial is not None:
            self._trial.ran(steps, seconds)
            self.is_possible = self._trial.compiles or not self._trial.is_over

    def give_up(self, error: tf.errors.OpError) -> None:
        """Is told why XLA cannot compile or run a window.

        Raises:
            ValueError: It was asked for.
        """
        message = error.message.partition("{")[0]
        if self._trial is None:
            raise ValueError(
                "jit_compile=True, but XLA cannot compile or run this step; no variable has changed."
                f" Pass jit_compile='auto' or False. {message}"
            ) from error
        _LOGGER.info("XLA cannot compile this step; it is run as it is. %s", message)
        self.is_possible = False

    def _examine(self) -> None:
        """Finds out which input a compiled step is given, and for `"auto"` whether it should be compiled."""
        self._is_examined = True
        self.input = StackedInput.of(self._lifted, [self._loss], self._operations)
        if self._trial is None:
            return
        names = () if self.input is None else self.input.names
        reason = xla.reason_not_to_compile(self._lifted.part(names, [self._loss], self._operations))
        if reason is not None:
            _LOGGER.info("XLA does not compile this step: %s.", reason)
            self.is_possible = False


class Trial:
    """Has windows run compiled and not compiled by turns, until it is known which is faster.

    The first window of each kind is not counted: to make it, and to compile it, takes time of its own.

    Attributes:
        compiles: Whether the next window is to be compiled.
        is_over: Whether it is known which is faster; `compiles` then tells it.
    """

    # Of each kind at least so many windows are timed, and more until they have taken so many seconds.
    LEAST, SECONDS = 3, 0.05
    # But no more than so many.
    MOST = 8

    def __init__(self) -> None:
        self.compiles = False
        self.is_over = False
        # The steps and the seconds of each window, by whether it was compiled.
        self._windows: dict[bool, list[tuple[int, float]]] = {False: [], True: []}

    def ran(self, steps: int, seconds: float) -> None:
        """Learns from a window of the kind that `compiles` has told."""
        if self.is_over or not steps:
            return
        self._windows[self.compiles].append((steps, seconds))
        self.compiles = not self.compiles
        if all(map(self._is_enough, self._windows)):
            self._decide()

    def _is_enough(self, kind: bool) -> bool:
        timed = [seconds for _, seconds in self._windows[kind][1:]]
        return len(timed) >= self.MOST or (len(timed) >= self.LEAST and sum(timed) >= self.SECONDS)

    def _decide(self) -> None:
        plain, compiled = (
            min(seconds / steps for steps, seconds in self._windows[kind][1:]) for kind in (False, True)
        )
        self.is_over, self.compiles = True, compiled < plain
        _LOGGER.info(
            "A step takes %.0f µs compiled by XLA and %.0f µs otherwise; it goes on %s.",
            1e6 * compiled,
            1e6 * plain,
            "compiled" if self.compiles else "as it is",
        )
