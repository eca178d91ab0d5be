"""Lets the processes of a cluster share the variables of a graph: one gives them values, the others wait."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.cluster.connection import Connection
from keras_legacy_train.errors import ModelNotReadyError
from keras_legacy_train.graph.exchange import exchange_of
from keras_legacy_train.graph.session import GraphSession

_LOGGER = logging.getLogger("keras_legacy_train")

# Holds whether the chief has given all variables their values.
_READY = "keras_legacy_train/ready"
_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_BETWEEN_LINES = 30.0


class SharedModel:
    """Holds the variables of a graph that lie on servers.

    Args:
        session: The graph's session.
        connection: The connection to the servers.
        is_chief: Whether this process gives the variables their values. Others wait until it has.
        timeout: Seconds to wait.
    """

    def __init__(
        self,
        session: GraphSession,
        connection: Connection,
        is_chief: bool,
        timeout: float,
    ):
        self._session = session
        self._connection = connection
        self._is_chief = is_chief
        self._timeout = timeout
        self._ready = self._make_flag()

    def begin(self, give_values: Callable[[], None]) -> None:
        """Gives the variables their values, or waits until they have them.

        Args:
            give_values: Gives them those of the newest checkpoint, or the first ones.

        Raises:
            ModelNotReadyError: They have none within the timeout.
        """
        if self._is_chief:
            self._give_and_tell(give_values)
        else:
            self._wait()

    def tell_exchange(self, train_ops: Iterable[str], loss: str, global_step: str) -> None:
        """Logs what a step exchanges with the servers.

        Args:
            train_ops: Names of the operations that a step runs.
            loss: Name of the loss.
            global_step: Name of the variable that counts the steps.
        """
        lifted, train_ops = self._session.lifted, list(train_ops)
        exchange = exchange_of(lifted.part((), [loss], train_ops))
        calls = lifted.server_calls(lifted.part((), [f"{global_step}:0", loss], train_ops))
        if calls is None:
            how = "each value in a message of its own"
        else:
            how = "in 1 call" if calls.number == 1 else f"in {calls.number} calls"
        _LOGGER.info("Each step %s, %s.", exchange, how)

    def is_lost(self, error: BaseException) -> bool:
        """Returns whether an error has come of the end of a server."""
        return isinstance(error, tf.errors.OpError) and self._connection.is_lost()

    def begin_again(self, give_values: Callable[[], None]) -> None:
        """Connects again to servers, and goes on with what they hold if none of it is lost.

        Args:
            give_values: Gives the variables the values of the newest checkpoint.

        Raises:
            ServerUnreachableError: A server does not come back.
            ModelNotReadyError: See `begin`.
        """
        self._reconnect()
        if not self._is_chief:
            self._wait()
        elif self._missing():
            self._give_and_tell(give_values)

    def _give_and_tell(self, give_values: Callable[[], None]) -> None:
        with _tensorflow.eager_mode():
            self._ready.assign(False)
        give_values()
        with _tensorflow.eager_mode():
            self._ready.assign(True)

    def _wait(self) -> None:
        deadline = time.monotonic() + self._timeout
        next_line = time.monotonic()
        while True:
            try:
                missing = self._missing()
            except tf.errors.OpError:
                if not self._connection.is_lost():
                    raise
                self._reconnect()
                continue
            if not missing:
                return
            now = time.monotonic()
            if now >= deadline:
                raise ModelNotReadyError([name for name in missing if name != _READY], self._timeout)
            if now >= next_line:
                next_line = now + _SECONDS_BETWEEN_LINES
                _LOGGER.info("Waiting for the chief to give the model its values.")
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _missing(self) -> list[str]:
        """Returns the names of what has no value yet; the flag's, if the chief has not set it."""
        with _tensorflow.eager_mode():
            variables = self._session.lifted.shared_variables()
            missing = [name for name, variable in variables.items() if not variable.initialized]
            if not (self._ready.initialized and bool(self._ready)):
                missing.append(_READY)
        return missing

    def _reconnect(self) -> None:
        self._connection.reconnect()
        self._session.lifted.find_variables_again()
        with _tensorflow.eager_mode():
            self._ready.find_again()

    def _make_flag(self) -> _tensorflow.GraphVariable:
        first = next(iter(self._session.lifted.shared_variables().values()))
        with _tensorflow.eager_mode():
            return _tensorflow.GraphVariable(
                _READY, [], tf.bool, _READY, device=first.handle.device, is_shared=True
            )
