"""Takes the input of steps ahead, since XLA cannot take it."""

from __future__ import annotations

import collections
import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.nodes import node_name, split_inputs
from keras_legacy_train.graph.part import Part
from keras_legacy_train.programs.record import any_left, require

_INPUT_OPS = ("IteratorGetNext", "IteratorGetNextSync")


@dataclasses.dataclass
class Block:
    """Holds the input of some steps.

    Attributes:
        rows: For each tensor an array that has a row for each step, and perhaps more behind them.
        number: How many steps it is for.
        is_usual: Whether its arrays have the shapes that most have. XLA compiles for each shape anew.
    """

    rows: dict[str, tf.Tensor]
    number: int
    is_usual: bool


class StackedInput:
    """Takes elements from the iterators of a graph, one for each step, and stacks them.

    They are written into variables: what a while loop carries is lost when the input ends in the call.

    Args:
        lifted: The graph.
        names: The tensors that come from the iterators.

    Attributes:
        names: As given.
        blocks: What has been taken and not been used.
    """

    # So many elements are taken at once, if they have no more than so many bytes.
    MAX_ROWS = 128
    MAX_BYTES = 64 * 2**20

    def __init__(self, lifted: LiftedGraph, names: Sequence[str]):
        self.blocks: collections.deque[Block] = collections.deque()
        self._lifted = lifted
        self.names = list(names)
        self._error: tf.errors.OpError | None = None
        self._buffers: _Buffers | None = None
        self._rewrites = lifted.rewrites

    @staticmethod
    def of(lifted: LiftedGraph, fetches: Sequence[str], operations: Iterable[str]) -> StackedInput | None:
        """Returns the input of a step; `None` if it has none, or cannot be taken ahead of the rest of it."""
        operations = list(operations)
        names = _taken_from_iterators(lifted.part((), fetches, operations))
        if not names or any(lifted.spec(name).dtype in (tf.variant, tf.resource) for name in names):
            return None
        rest = lifted.part(names, fetches, operations)
        return None if rest.op_types().intersection(_INPUT_OPS) else StackedInput(lifted, names)

    @property
    def is_waiting(self) -> bool:
        """Returns whether something has been taken that has not been used: blocks, or an error."""
        return bool(self.blocks) or self._error is not None

    def fill(self, at_most: int) -> None:
        """Takes the input of at most so many steps, unless some is waiting."""
        if self.is_waiting:
            return
        if self._rewrites != self._lifted.rewrites:
            self._buffers = None  # its nodes have been rewritten
            self._rewrites = self._lifted.rewrites
        try:
            start = 0
            if self._buffers is None:
                self._buffers, start = self._take_first(), 1
            self._buffers.fill(start, at_most)
        except tf.errors.OpError as error:
            if self._buffers is None or not self._buffers.has_other:
                self._error = error
        if self._buffers is not None:
            self.blocks.extend(self._buffers.blocks())

    def drop(self, number: int) -> None:
        """Removes the input of steps that have been run, all of them of the first block."""
        block = self.blocks[0]
        block.number -= number
        if block.number:
            block.rows = {name: tf.roll(rows, -number, 0) for name, rows in block.rows.items()}
        else:
            self.blocks.popleft()

    def take_one(self) -> dict[str, np.ndarray]:
        """Removes and returns the input of the next step, if some is waiting.

        Raises:
            tf.errors.OpError: To take it has failed.
        """
        if not self.blocks:
            error = self.take_error()
            if error is not None:
                raise error
            return {}
        row = {name: rows[0].numpy() for name, rows in self.blocks[0].rows.items()}
        self.drop(1)
        return row

    def take_error(self) -> tf.errors.OpError | None:
        """Removes and returns the error that has ended the input."""
        error, self._error = self._error, None
        return error

    def _take_first(self) -> _Buffers:
        """Takes an element, and returns buffers that hold it and have room for more of its kind."""
        first = self._lifted.function((), self.names, ())(())
        size = sum(value.dtype.size * value.shape.num_elements() for value in first)
        rows = max(1, min(self.MAX_ROWS, self.MAX_BYTES // max(size, 1)))
        part = self._lifted.part((), self.names, ())
        is_alike = all(self._lifted.spec(name).shape.is_fully_defined() for name in self.names)
        with self._lifted.scope():
            return _Buffers(self.names, first, rows, part, is_alike)


class _Buffers:
    """Holds the variables that elements are written into, and the function that takes and writes them.

    Args:
        names: The tensors of an element.
        first: The first element.
        rows: How many elements there is room for.
        part: Takes the next element.
        is_alike: Whether all elements are certain to have the shapes of the first.
    """

    def __init__(
        self, names: Sequence[str], first: Sequence[tf.Tensor], rows: int, part: Part, is_alike: bool
    ):
        self._names = names
        self._rows = rows
        # An element of another shape than the first has no place there. So each is kept before it is written.
        self._last = [tf.Variable(value, trainable=False, shape=tf.TensorShape(None)) for value in first]
        self._places = [
            tf.Variable(tf.zeros([rows, *value.shape], value.dtype), trainable=False) for value in first
        ]
        self._taken, self._written = (tf.Variable(1, dtype=tf.int64, trainable=False) for _ in range(2))
        for variable, value in zip(self._places, first, strict=True):
            variable[0].assign(value)
        self._is_alike = is_alike
        number = tf.TensorSpec([], tf.int64)
        self._function = _tensorflow.wrap_function(self._loop(part), [number, number])

    def fill(self, start: int, end: int) -> None:
        """Takes and writes elements, at the places from `start` to `end`.

        Raises:
            tf.errors.OpError: There is none, or to compute it has failed. Those before it are written.
        """
        end = min(end, self._rows)
        for counter in (self._taken, self._written):
            counter.assign(start)
        if start < end:
            self._function(tf.constant(end - start, tf.int64), tf.constant(end, tf.int64))

    @property
    def has_other(self) -> bool:
        """Returns whether the last element has other shapes than the first."""
        return bool(self._taken.numpy() > self._written.numpy())

    def blocks(self) -> Iterator[Block]:
        """Yields what has been taken."""
        written = int(self._written.numpy())
        if written:
            arrays = [variable.read_value() for variable in self._places]
            yield Block(dict(zip(self._names, arrays, strict=True)), written, is_usual=True)
        if self.has_other:
            arrays = [variable.read_value()[tf.newaxis] for variable in self._last]
            yield Block(dict(zip(self._names, arrays, strict=True)), 1, is_usual=False)

    def _loop(self, part: Part) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
        def take_one(left: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
            values, _ = part.build(())
            place = end - left
            done: list[tf.Operation] = []  # one after the other: to wake a thread takes longer than to write

            def then(op: Callable[..., tf.Operation], variable: tf.Variable, **arguments: tf.Tensor) -> None:
                with tf.control_dependencies(done):
                    done[:] = [op(resource=variable.handle, **arguments)]

            if not self._is_alike:
                for variable, value in zip(self._last, values, strict=True):
                    then(tf.raw_ops.AssignVariableOp, variable, value=value)
                then(tf.raw_ops.AssignVariableOp, self._taken, value=place + 1)
                with tf.control_dependencies(done):
                    values = [
                        tf.ensure_shape(value, variable.shape[1:])
                        for variable, value in zip(self._places, values, strict=True)
                    ]
            for variable, value in zip(self._places, values, strict=True):
                then(tf.raw_ops.ResourceScatterUpdate, variable, indices=place, updates=value)
            then(tf.raw_ops.AssignVariableOp, self._written, value=place + 1)
            require(done)
            return left - 1

        def loop(number: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
            left = _tensorflow.while_loop(any_left, lambda left: [take_one(left, end)], number)
            require([left.op])
            return left

        return loop


def _taken_from_iterators(part: Part) -> list[str]:
    """Returns the tensors that nodes of a part take from iterators."""
    sources = {node.name for node in part.graph_def.node if node.op in _INPUT_OPS}
    taken = itertools.chain(part.fetches, *(split_inputs(node)[0] for node in part.graph_def.node))
    return [name for name in dict.fromkeys(taken) if node_name(name) in sources]
