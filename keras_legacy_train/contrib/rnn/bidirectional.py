"""Stacks recurrent networks that read their input both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


def stack_bidirectional_rnn(
    cells_fw: list[Any],
    cells_bw: list[Any],
    inputs: Sequence[Any],
    initial_states_fw: list[Any] | None = None,
    initial_states_bw: list[Any] | None = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """Unrolls layers that read both ways; stands for `tf.contrib.rnn.stack_bidirectional_rnn`.

    The outputs of both directions are the input of the next layer.

    Args:
        cells_fw: The cells that read forward, one a layer.
        cells_bw: The cells that read backward, one a layer.
        inputs: For each step a tensor of shape `[batch, size]`.
        initial_states_fw: The states to begin with, one a layer; by default zeros.
        initial_states_bw: The same for the other direction.
        dtype: The dtype of the states. Needed if some are not given.
        sequence_length: The lengths of the sequences, integers of shape `[batch]`.
        scope: The variable scope, or its name; by default `"stack_bidirectional_rnn"`.

    Returns:
        The list of outputs, and for both directions the last states of the layers.

    Raises:
        ValueError: Cells or states are not lists of the same length, or there are none.
    """

    def layer(cell_fw: Any, cell_bw: Any, inputs: Any, *states: Any, scope: Any) -> Any:
        return v1.nn.static_bidirectional_rnn(
            cell_fw, cell_bw, inputs, *states, dtype=dtype, sequence_length=sequence_length, scope=scope
        )

    return _stacked(layer, cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope)


def stack_bidirectional_dynamic_rnn(
    cells_fw: list[Any],
    cells_bw: list[Any],
    inputs: Any,
    initial_states_fw: list[Any] | None = None,
    initial_states_bw: list[Any] | None = None,
    dtype: Any = None,
    sequence_length: Any = None,
    parallel_iterations: int | None = None,
    time_major: bool = False,
    scope: Any = None,
    swap_memory: bool = False,
) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    """Loops over layers that read both ways; stands for `tf.contrib.rnn.stack_bidirectional_dynamic_rnn`.

    The outputs of both directions are the input of the next layer.

    Args:
        cells_fw: The cells that read forward, one a layer.
        cells_bw: The cells that read backward, one a layer.
        inputs: A tensor of shape `[batch, time, size]`.
        initial_states_fw: The states to begin with, one a layer; by default zeros.
        initial_states_bw: The same for the other direction.
        dtype: The dtype of the states. Needed if some are not given.
        sequence_length: The lengths of the sequences, integers of shape `[batch]`.
        parallel_iterations: How many steps may run at the same time.
        time_major: Whether inputs and outputs have the shape `[time, batch, size]`.
        scope: The variable scope, or its name; by default `"stack_bidirectional_rnn"`.
        swap_memory: Whether what the gradients need is kept off the GPU.

    Returns:
        The outputs, and for both directions the last states of the layers.

    Raises:
        ValueError: Cells or states are not lists of the same length, or there are none.
    """

    def layer(cell_fw: Any, cell_bw: Any, inputs: Any, *states: Any, scope: Any) -> Any:
        outputs, (state_fw, state_bw) = v1.nn.bidirectional_dynamic_rnn(
            cell_fw,
            cell_bw,
            inputs,
            sequence_length,
            *states,
            dtype=dtype,
            parallel_iterations=parallel_iterations,
            swap_memory=swap_memory,
            time_major=time_major,
        )
        return tf.concat(outputs, 2), state_fw, state_bw

    return _stacked(layer, cells_fw, cells_bw, inputs, initial_states_fw, initial_states_bw, scope)


def _stacked(
    layer: Callable[..., Any],
    cells_fw: Any,
    cells_bw: Any,
    inputs: Any,
    initial_states_fw: Any,
    initial_states_bw: Any,
    scope: Any,
) -> tuple[Any, tuple[Any, ...], tuple[Any, ...]]:
    for name, cells in (("cells_fw", cells_fw), ("cells_bw", cells_bw)):
        if not isinstance(cells, list) or not cells:
            raise ValueError(f"{name} must be a list of RNNCells (one per layer), and not be empty.")
    if len(cells_fw) != len(cells_bw):
        raise ValueError("Forward and Backward cells must have the same depth.")
    initial_states = []
    for name, states in (("initial_states_fw", initial_states_fw), ("initial_states_bw", initial_states_bw)):
        if states is not None and (not isinstance(states, list) or len(states) != len(cells_fw)):
            raise ValueError(f"{name} must be a list of state tensors (one per layer).")
        initial_states.append(states or [None] * len(cells_fw))
    states_fw, states_bw = [], []
    with v1.variable_scope(scope or "stack_bidirectional_rnn"):
        for number, each in enumerate(zip(cells_fw, cells_bw, *initial_states, strict=True)):
            cell_fw, cell_bw, *states = each
            with v1.variable_scope(f"cell_{number}") as opened:
                inputs, state_fw, state_bw = layer(cell_fw, cell_bw, inputs, *states, scope=opened)
            states_fw.append(state_fw)
            states_bw.append(state_bw)
    return inputs, tuple(states_fw), tuple(states_bw)
