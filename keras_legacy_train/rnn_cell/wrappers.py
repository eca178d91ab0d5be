"""Has the cells that are made of other cells: stacks of them, and wrappers around one."""

from __future__ import annotations

import hashlib
import itertools
import numbers
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train.rnn_cell.base import LSTMStateTuple, RNNCell
from keras_legacy_train.tf_layers.base import Layer, check_graph_is_built

v1 = tf.compat.v1


class MultiRNNCell(RNNCell):
    """Puts cells on top of each other; stands for `tf.nn.rnn_cell.MultiRNNCell`.

    Args:
        cells: The cells, from the input to the output.
        state_is_tuple: Whether the state is a tuple of those of the cells; otherwise it is one tensor.

    Raises:
        TypeError: `cells` is not a list or tuple, or has what is not a cell.
        ValueError: There are no cells, or the state of one is a tuple and that of all is not to be.
    """

    def __init__(self, cells: Sequence[Any], state_is_tuple: bool = True) -> None:
        super().__init__()
        if not isinstance(cells, (list, tuple)):
            raise TypeError(f"cells must be a list or tuple, but saw: {cells}.")
        if not cells:
            raise ValueError("Must specify at least one cell for MultiRNNCell.")
        for number, cell in enumerate(cells):
            check_cell(f"cells[{number}]", cell)
        if len({id(cell) for cell in cells}) < len(cells):
            v1.logging.warning("A cell occurs twice in MultiRNNCell: its weights are shared.")
        if not state_is_tuple and any(tf.nest.is_nested(cell.state_size) for cell in cells):
            raise ValueError(
                "Some cells return tuples of states, but the flag state_is_tuple is not set."
                f"  State sizes are: {[cell.state_size for cell in cells]}"
            )
        self._cells = cells
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        """Returns the size of the state: a tuple of those of the cells, or their sum."""
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> Any:
        """Returns the size of the output, which is that of the last cell."""
        return self._cells[-1].output_size

    @property
    def trainable_weights(self) -> list[Any]:
        """Returns the variables of the cells that are trained: none if this cell is not `trainable`."""
        return _weights_of(self._cells, "trainable_weights") if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        """Returns the variables of the cells that are not trained."""
        frozen = [] if self.trainable else _weights_of(self._cells, "trainable_weights")
        return frozen + _weights_of(self._cells, "non_trainable_weights")

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Returns a state of zeros, in the structure of `state_size`.

        Args:
            batch_size: An integer or a scalar tensor.
            dtype: The dtype of the tensors.
        """
        if not self._state_is_tuple:
            return super().zero_state(batch_size, dtype)
        with v1.name_scope(f"{type(self).__name__}ZeroState"):
            return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output of the last cell, and the new states.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The states of the cells.

        Raises:
            ValueError: The state is not a tuple of the right length.
        """
        if not self._state_is_tuple:
            state = tf.split(state, [cell.state_size for cell in self._cells], axis=1)
        elif not isinstance(state, (list, tuple)) or len(state) != len(self._cells):
            raise ValueError(
                f"Expected state to be a tuple of length {len(self._cells)}, but received: {state}"
            )
        new_states = []
        for number, (cell, old_state) in enumerate(zip(self._cells, state, strict=True)):
            with v1.variable_scope(f"cell_{number}"):
                inputs, new_state = cell(inputs, old_state)
            new_states.append(new_state)
        return inputs, tuple(new_states) if self._state_is_tuple else tf.concat(new_states, 1)


class CellWrapper(RNNCell):
    """Calls another cell. It has no variables and no scope of its own."""

    def __init__(self, cell: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_cell("cell", cell)
        self.cell = cell

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`, or a structure of tensors.
            state: The state of the cell.
            scope: The variable scope of the cell, or its name.
        """
        return self.cell(inputs, state, scope=scope)

    @property
    def wrapped_cell(self) -> Any:
        """Returns the cell."""
        return self.cell

    @property
    def state_size(self) -> Any:
        """Returns the size of the cell's state."""
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        """Returns the size of the cell's output."""
        return self.cell.output_size

    @property
    def trainable_weights(self) -> list[Any]:
        """Returns the variables of the cell that are trained."""
        return _weights_of([self.cell], "trainable_weights")

    @property
    def non_trainable_weights(self) -> list[Any]:
        """Returns the variables of the cell that are not trained."""
        return _weights_of([self.cell], "non_trainable_weights")

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Returns a state of zeros for the cell.

        Args:
            batch_size: An integer or a scalar tensor.
            dtype: The dtype of the tensors.
        """
        with v1.name_scope(f"{type(self).__name__}ZeroState"):
            return self.cell.zero_state(batch_size, dtype)


class DropoutWrapper(CellWrapper):
    """Drops parts of the inputs, states and outputs of a cell; stands for `tf.nn.rnn_cell.DropoutWrapper`.

    Args:
        cell: The cell.
        input_keep_prob: The part of the inputs to keep, from 0 to 1; a number or a scalar tensor.
        output_keep_prob: The part of the outputs to keep.
        state_keep_prob: The part of the state to keep. That which the cell gets next is dropped.
        variational_recurrent: Whether the same parts are dropped in all steps and all rows of a batch.
        input_size: The size of the inputs, a structure of integers or `tf.TensorShape`. Needed if
            `variational_recurrent` drops inputs.
        dtype: The dtype of what is drawn. Needed with `variational_recurrent`.
        seed: Seed of all that is drawn.
        dropout_state_filter_visitor: Function from a state, or a part of it, to whether it may be dropped. It
            may also return a structure of bools, for the parts of the part. By default everything may but the
            memory `c` of an `LSTMStateTuple`, and `TensorArray`s.
        **kwargs: Further arguments of `RNNCell`.

    Raises:
        TypeError: `cell` is not a cell, or `dropout_state_filter_visitor` is not callable.
        ValueError: A probability is not between 0 and 1, or `variational_recurrent` lacks what it needs.
        RuntimeError: `variational_recurrent` is set, and no graph is being built.
    """

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Callable[[Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cell, dtype=dtype, **kwargs)
        if not callable(dropout_state_filter_visitor or _may_be_dropped):
            raise TypeError("dropout_state_filter_visitor must be callable")
        self._may_be_dropped = dropout_state_filter_visitor or _may_be_dropped
        self._input_keep_prob = _probability("input_keep_prob", input_keep_prob)
        self._output_keep_prob = _probability("output_keep_prob", output_keep_prob)
        self._state_keep_prob = _probability("state_keep_prob", state_keep_prob)
        self._seed = seed
        self._noise: dict[str, list[Any]] = {}
        if variational_recurrent:
            check_graph_is_built("DropoutWrapper with variational_recurrent=True")
            if dtype is None:
                raise ValueError("When variational_recurrent=True, dtype must be provided")
            sizes = {"state": cell.state_size, "output": cell.output_size}
            if _drops(self._input_keep_prob):
                if input_size is None:
                    raise ValueError(
                        "When variational_recurrent=True and input_keep_prob < 1.0 or is unknown, input_size"
                        " must be provided"
                    )
                sizes = {"input": input_size, **sizes}
            self._noise = {kind: self._drawn(kind, size, dtype) for kind, size in sizes.items()}

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """Returns the output and the new state of the cell, parts of both dropped.

        Args:
            inputs: A tensor of shape `[batch, size]`, or a structure of tensors. Parts of it are dropped.
            state: The state of the cell.
            scope: The variable scope of the cell, or its name.
        """
        inputs = self._dropped("input", inputs, self._input_keep_prob)
        output, new_state = super().__call__(inputs, state, scope)
        new_state = self._dropped("state", new_state, self._state_keep_prob)
        return self._dropped("output", output, self._output_keep_prob), new_state

    def _drawn(self, kind: str, sizes: Any, dtype: Any) -> list[Any]:
        return [
            tf.random.uniform(
                [1, *tf.TensorShape(size).as_list()], dtype=dtype, seed=self._seed_of(kind, number)
            )
            for number, size in enumerate(tf.nest.flatten(sizes))
        ]

    def _seed_of(self, kind: str, number: int) -> int | None:
        if self._seed is None:
            return None
        digest = hashlib.md5(f"{self._seed}{kind}_{number}".encode(), usedforsecurity=False).hexdigest()
        return int(digest[:8], 16) & 0x7FFFFFFF

    def _dropped(self, kind: str, values: Any, keep: Any) -> Any:
        if not _drops(keep):
            return values
        tensors = tf.nest.flatten(values)
        numbers_of_seeds: list[int | None] = list(range(len(tensors)))
        if kind == "state":
            numbers_of_seeds = list(self._numbers(values, itertools.count()))
        noise = self._noise.get(kind) or [None] * len(tensors)
        dropped = [
            tensor if number is None else self._drop(tensor, keep, drawn, self._seed_of(kind, number))
            for tensor, drawn, number in zip(tensors, noise, numbers_of_seeds, strict=True)
        ]
        return tf.nest.pack_sequence_as(values, dropped)

    def _drop(self, tensor: Any, keep: Any, noise: Any, seed: int | None) -> Any:
        if noise is None:
            return tf.nn.dropout(tensor, rate=1.0 - keep, seed=seed)
        dropped = tensor / keep * tf.floor(keep + noise)
        dropped.set_shape(tensor.shape)
        return dropped

    def _numbers(self, state: Any, counter: Iterator[int]) -> Iterator[int | None]:
        """Yields, for each tensor of a state, the number of its seed, or `None` if it may not be dropped."""
        may = self._may_be_dropped(state)
        if not isinstance(may, bool):
            for may_child, child in zip(_children(may), _children(state), strict=True):
                yield from self._numbers(child, counter) if may_child else _kept(child, counter)
        elif may and tf.nest.is_nested(state):
            for child in _children(state):
                yield from self._numbers(child, counter)
        elif may:
            yield next(counter)
        else:
            yield from _kept(state, counter)


class ResidualWrapper(CellWrapper):
    """Adds the inputs of a cell to its outputs; stands for `tf.nn.rnn_cell.ResidualWrapper`.

    Args:
        cell: The cell.
        residual_fn: Function from the inputs and the outputs to the outputs; by default their sum.
        **kwargs: Further arguments of `RNNCell`.

    Raises:
        TypeError: `cell` is not a cell.
    """

    def __init__(
        self, cell: Any, residual_fn: Callable[[Any, Any], Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cell, **kwargs)
        self._residual_fn = residual_fn or _sum

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """Returns the output with the inputs added, and the new state.

        Args:
            inputs: A tensor of the shape of the output, or a structure of such tensors.
            state: The state of the cell.
            scope: The variable scope of the cell, or its name.

        Raises:
            ValueError: The shapes or structures of inputs and outputs differ.
        """
        outputs, new_state = super().__call__(inputs, state, scope)
        return self._residual_fn(inputs, outputs), new_state


class DeviceWrapper(CellWrapper):
    """Puts the ops of a cell on a device; stands for `tf.nn.rnn_cell.DeviceWrapper`.

    Args:
        cell: The cell.
        device: The device, or a function from an op to it, as `tf.compat.v1.device` takes it.
        **kwargs: Further arguments of `RNNCell`.

    Raises:
        TypeError: `cell` is not a cell.
    """

    def __init__(self, cell: Any, device: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self._device = device

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> Any:
        """Returns the output and the new state, computed on the device.

        Args:
            inputs: A tensor of shape `[batch, size]`, or a structure of tensors.
            state: The state of the cell.
            scope: The variable scope of the cell, or its name.
        """
        with v1.device(self._device):
            return super().__call__(inputs, state, scope)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Returns a state of zeros on the device.

        Args:
            batch_size: An integer or a scalar tensor.
            dtype: The dtype of the tensors.
        """
        with v1.device(self._device):
            return super().zero_state(batch_size, dtype)


def check_cell(name: str, cell: Any) -> None:
    missing = [each for each in ("output_size", "state_size", "zero_state") if not hasattr(cell, each)]
    if missing or not callable(cell):
        wrong = f"it has no {' and no '.join(missing)}" if missing else "it is not callable"
        raise TypeError(f"The argument {name!r} ({cell}) is not an RNNCell: {wrong}.")


def _weights_of(cells: Sequence[Any], kind: str) -> list[Any]:
    return [weight for cell in cells if isinstance(cell, Layer) for weight in getattr(cell, kind)]


def _probability(name: str, value: Any) -> Any:
    known = tf.get_static_value(value) if isinstance(value, tf.Tensor) else value
    if known is None or isinstance(known, tf.Variable):
        return value
    if not 0 <= known <= 1:
        raise ValueError(f"Parameter {name} must be between 0 and 1: {known}")
    return float(known)


def _drops(keep: Any) -> bool:
    return not isinstance(keep, numbers.Real) or keep < 1.0


def _may_be_dropped(state: Any) -> Any:
    if isinstance(state, LSTMStateTuple):
        return LSTMStateTuple(c=False, h=True)
    return not isinstance(state, tf.TensorArray)


def _children(state: Any) -> list[Any]:
    return [state[key] for key in sorted(state)] if isinstance(state, dict) else list(state)


def _kept(state: Any, counter: Iterator[int]) -> Iterator[None]:
    next(counter)
    yield from [None] * len(tf.nest.flatten(state))


def _sum(inputs: Any, outputs: Any) -> Any:
    tf.nest.assert_same_structure(inputs, outputs)
    for given, made in zip(tf.nest.flatten(inputs), tf.nest.flatten(outputs), strict=True):
        given.shape.assert_is_compatible_with(made.shape)
    return tf.nest.map_structure(lambda given, made: given + made, inputs, outputs)
