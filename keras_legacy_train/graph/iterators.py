"""Saves and restores the positions of a graph's iterators in their datasets.

    positions = IteratorPositions(session, every=True)
    for key, state in positions.states.items():
        saved = state.read_value()
    …
    state.assign(saved)
    positions.resume()  # once the iterators are initialised

A position is more than a number: it holds the state of each dataset, with the elements in a shuffle's buffer.
"""

from __future__ import annotations

import logging

import tensorflow as tf

from keras_legacy_train.graph.saving.savers import saved_positions
from keras_legacy_train.graph.session import GraphSession

_KEYS = tf.compat.v1.GraphKeys
_LOGGER = logging.getLogger("keras_legacy_train")

_ITERATORS = frozenset({"Iterator", "IteratorV2", "OneShotIterator"})

# The policies of `SerializeIterator` for random ops, Python functions and variables in a dataset.
_IGNORE, _FAIL = 1, 2


class IteratorState:
    """Saves the position of an iterator in the collection of saveable objects, in TensorFlow's form.

    It has the interface of a variable as far as checkpoints need it. An assigned position has no effect
    before `resume`, since initialising an iterator sets it to the beginning.

    Args:
        session: The session of the graph.
        name: Name of the op that makes the iterator.
        policy: The policy of `SerializeIterator` for random ops and the like.
    """

    dtype = tf.variant
    shape = tf.TensorShape(None)
    device = "/device:CPU:0"

    def __init__(self, session: GraphSession, name: str, policy: int):
        self.name = name
        self._session = session
        self._policy = policy
        self._assigned: tf.Tensor | None = None

    def read_value(self) -> tf.Tensor:
        """Returns the position now.

        Raises:
            ValueError: It cannot be saved.
        """
        try:
            return self._pack()
        except tf.errors.OpError as error:
            raise ValueError(
                f"The position of the iterator {self.name!r} cannot be saved: {error.message}"
                " Random ops, variables and Python functions in a dataset keep a state of their own."
            ) from error

    def assign(self, value: tf.Tensor, read_value: bool = True) -> None:
        """Takes a position. `read_value` does nothing; a variable's `assign` has it."""
        self._assigned = value

    def check(self) -> None:
        """Checks that the position can be saved, if the iterator is initialised.

        Raises:
            ValueError: It cannot be saved.
        """
        if self._is_initialized():
            self.read_value()

    def resume(self) -> None:
        """Goes to the assigned position; without one, logs that the input starts from the beginning.

        Raises:
            ValueError: The position belongs to another dataset.
        """
        assigned, self._assigned = self._assigned, None
        state = None if assigned is None else self._unpack(assigned)
        if state is None:
            _LOGGER.info(
                "The checkpoint has no position of the iterator %s; it starts from the beginning.", self.name
            )
            return
        if not self._is_initialized():
            return
        try:
            tf.raw_ops.DeserializeIterator(resource_handle=self._handle(), serialized=state)
        except tf.errors.OpError as error:
            raise ValueError(
                f"The position of the iterator {self.name!r} in the checkpoint does not fit its dataset:"
                f" {error.message}"
            ) from error

    def _pack(self) -> tf.Tensor:
        """Returns the position as a checkpoint holds it."""
        return self._serialize(self._policy)

    def _unpack(self, state: tf.Tensor) -> tf.Tensor | None:
        """Converts a position in a checkpoint to the form of `DeserializeIterator`; `None` if it has none."""
        # TensorFlow 1 wrote a scalar, which crashes TensorFlow 2.
        return state if state.shape.rank == 1 else None

    def _is_initialized(self) -> bool:
        try:
            self._serialize(_IGNORE)
        except tf.errors.FailedPreconditionError:
            return False
        except tf.errors.UnimplementedError:
            return True  # the dataset cannot be serialized, so there is one
        return True

    def _serialize(self, policy: int) -> tf.Tensor:
        return tf.raw_ops.SerializeIterator(resource_handle=self._handle(), external_state_policy=policy)

    def _handle(self) -> tf.Tensor:
        return self._session.lifted.function((), [f"{self.name}:0"])([])[0]


class SerializedIteratorState(IteratorState):
    """Saves the position of any iterator as one string, since not every reader of checkpoints reads variants.

    The string is empty for an iterator that is not initialised.

    Args:
        session: The session of the graph.
        name: Name of the op that makes the iterator.
    """

    dtype = tf.string
    shape = tf.TensorShape([])

    def __init__(self, session: GraphSession, name: str):
        super().__init__(session, name, _FAIL)

    def _pack(self) -> tf.Tensor:
        try:
            return tf.io.serialize_tensor(self._serialize(_FAIL))
        except tf.errors.FailedPreconditionError:
            if self._is_initialized():
                raise
            return tf.constant(b"")

    def _unpack(self, state: tf.Tensor) -> tf.Tensor | None:
        return tf.io.parse_tensor(state, tf.variant) if state.numpy() else None


class IteratorPositions:
    """Saves the positions of a graph's iterators.

    Args:
        session: The session of the graph.
        every: Whether to save iterators that are not in the collection of saveable objects, too.

    Attributes:
        states: The positions by their keys in a checkpoint.

    Raises:
        ValueError: `every` is set, and the input comes from queues or from no iterator.
    """

    def __init__(self, session: GraphSession, every: bool):
        self.states: dict[str, IteratorState] = {}
        graph = session.graph
        collected = set()
        for key, tensor in saved_positions(graph).items():
            op = graph.get_tensor_by_name(tensor).op
            name = op.inputs[0].op.name
            collected.add(name)
            self.states[key] = IteratorState(session, name, op.get_attr("external_state_policy"))
        if every:
            self._check_sources(graph)
            names = [op.name for op in graph.get_operations() if op.type in _ITERATORS]
            others = [name for name in names if name not in collected]
            self.states.update({f"{name}/state": SerializedIteratorState(session, name) for name in others})

    def check(self) -> None:
        """Checks that all positions can be saved. Local variables and tables must be initialised.

        Raises:
            ValueError: A position cannot be saved.
        """
        for state in self.states.values():
            state.check()

    def resume(self) -> None:
        """Goes to the assigned positions. The iterators must have been initialised before.

        Raises:
            ValueError: A position belongs to another dataset.
        """
        for state in self.states.values():
            state.resume()

    def _check_sources(self, graph: tf.Graph) -> None:
        queues = [runner.name for runner in graph.get_collection(_KEYS.QUEUE_RUNNERS)]
        if queues:
            raise ValueError(
                f"save_input_state=True, but the input comes from queues: {', '.join(queues)}. They hold"
                " elements that their readers have passed already. Read the input by a tf.data iterator."
            )
        if not any(op.type in _ITERATORS for op in graph.get_operations()):
            raise ValueError(
                "save_input_state=True, but the graph has no tf.data iterator whose position could be saved."
                " What feed_fn reads from is its own to restore."
            )
