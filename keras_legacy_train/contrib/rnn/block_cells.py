"""Has the cells and networks that are one op of TensorFlow each, and the gradients of these ops."""

from __future__ import annotations

import contextlib
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.rnn.fused import LSTMBlockWrapper
from keras_legacy_train.contrib.rnn.state_sizes import LSTMState, OneState, known_depth, known_size
from keras_legacy_train.rnn_cell import LSTMStateTuple
from keras_legacy_train.rnn_cell.base import LayerRNNCell
from keras_legacy_train.tf_layers.input_spec import InputSpec


class LSTMBlockCell(LSTMState, LayerRNNCell):
    """Has a long short-term memory, as one op; stands for `tf.contrib.rnn.LSTMBlockCell`.

    Its variables are those of `LSTMCell`.

    Args:
        num_units: The size of the memory and of the output.
        forget_bias: Added to the bias of the forget gate.
        cell_clip: The largest absolute value in the memory; `None` for no limit.
        use_peephole: Whether the gates see the memory.
        dtype: The dtype of the variables; by default that of the first input.
        reuse: Whether the variables of a cell of that name are used again.
        name: The name of the cell and of its variable scope.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        dtype: Any = None,
        reuse: Any = None,
        name: str | None = "lstm_cell",
    ) -> None:
        super().__init__(_reuse=reuse, dtype=dtype, name=name)
        self.input_spec = InputSpec(ndim=2)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._cell_clip = cell_clip
        self._use_peephole = use_peephole

    def build(self, input_shape: Any) -> None:
        """Makes `kernel`, `bias`, and the peepholes `w_i_diag` and so on.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        _add_lstm_weights(self, input_shape, self._num_units, self._use_peephole)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output and the new state.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: An `LSTMStateTuple`.

        Raises:
            ValueError: The state has no two parts.
        """
        if len(state) != 2:
            raise ValueError("Expecting state to be a tuple with length 2.")
        outputs = tf.raw_ops.LSTMBlockCell(
            x=inputs,
            cs_prev=state[0],
            h_prev=state[1],
            **_lstm_arguments(self, self._forget_bias, self._cell_clip, self._use_peephole),
        )
        return outputs.h, LSTMStateTuple(outputs.cs, outputs.h)


class LSTMBlockFusedCell(LSTMBlockWrapper):
    """Runs a long short-term memory over a sequence, as one op.

    Stands for `tf.contrib.rnn.LSTMBlockFusedCell`. Its variables are those of `LSTMCell`.

    Args:
        num_units: The size of the memory and of the output.
        forget_bias: Added to the bias of the forget gate.
        cell_clip: The largest absolute value in the memory; `None` for no limit.
        use_peephole: Whether the gates see the memory.
        reuse: Whether the variables of such a network are used again.
        dtype: The dtype of the variables; by default that of the first input.
        name: The name of the network and of its variable scope.
    """

    def __init__(
        self,
        num_units: int,
        forget_bias: float = 1.0,
        cell_clip: float | None = None,
        use_peephole: bool = False,
        reuse: Any = None,
        dtype: Any = None,
        name: str | None = "lstm_fused_cell",
    ) -> None:
        super().__init__(_reuse=reuse, dtype=dtype, name=name)
        self.input_spec = InputSpec(ndim=3)
        self._num_units = num_units
        self._forget_bias = forget_bias
        self._cell_clip = cell_clip
        self._use_peephole = use_peephole

    @property
    def num_units(self) -> int:
        """Returns the size of the memory and of the output."""
        return self._num_units

    def build(self, input_shape: Any) -> None:
        """Makes `kernel`, `bias`, and the peepholes `w_i_diag` and so on.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.
        """
        _add_lstm_weights(self, input_shape, self._num_units, self._use_peephole)

    def _call_cell(
        self,
        inputs: Any,
        initial_cell_state: Any = None,
        initial_output: Any = None,
        dtype: Any = None,
        sequence_length: Any = None,
    ) -> tuple[Any, Any]:
        steps = tf.shape(inputs)[0] if sequence_length is None else tf.reduce_max(sequence_length)
        outputs = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.cast(steps, tf.int64),
            x=inputs,
            cs_prev=initial_cell_state,
            h_prev=initial_output,
            **_lstm_arguments(self, self._forget_bias, self._cell_clip, self._use_peephole),
        )
        return outputs.cs, outputs.h


class GRUBlockCell(OneState, LayerRNNCell):
    """Updates its state through two gates, as one op; stands for `tf.contrib.rnn.GRUBlockCell`.

    Args:
        num_units: The size of the state and of the output.
        cell_size: The name of `num_units` before.
        reuse: Whether the variables of a cell of that name are used again.
        name: The name of the cell and of its variable scope.

    Raises:
        ValueError: Both sizes are given, or none.
    """

    _NAMES = ("w_ru", "b_ru", "w_c", "b_c")

    def __init__(
        self,
        num_units: int | None = None,
        cell_size: int | None = None,
        reuse: Any = None,
        name: str | None = "gru_cell",
    ) -> None:
        super().__init__(_reuse=reuse, name=name)
        if num_units is not None and cell_size is not None:
            raise ValueError("Exactly one of num_units or cell_size must be provided.")
        units = cell_size if num_units is None else num_units
        if units is None:
            raise ValueError("Exactly one of num_units or cell_size must be provided.")
        self._num_units = units
        self.input_spec = InputSpec(ndim=2)

    def build(self, input_shape: Any) -> None:
        """Makes the kernels and biases of the gates and of the candidate.

        Args:
            input_shape: The shape of the inputs; the last dimension is known.

        Raises:
            ValueError: It is not known.
        """
        units = self._num_units
        rows = known_depth(input_shape) + units
        w_ru, b_ru, w_c, b_c = self._NAMES
        self._gate_kernel = self.add_weight(w_ru, [rows, 2 * units])
        self._gate_bias = self.add_weight(b_ru, [2 * units], initializer="ones")
        self._candidate_kernel = self.add_weight(w_c, [rows, units])
        self._candidate_bias = self.add_weight(b_c, [units], initializer="zeros")
        self.built = True

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Returns the output, twice: it is the new state, too.

        Args:
            inputs: A tensor of shape `[batch, size]`.
            state: The last output.

        Raises:
            ValueError: The state has another size.
        """
        if known_size(state) != self._num_units:
            raise ValueError(
                f"Shape of h_prev[1] incorrect: cell_size {self._num_units} vs {known_size(state)}"
            )
        output = tf.raw_ops.GRUBlockCell(
            x=inputs,
            h_prev=state,
            w_ru=self._gate_kernel,
            w_c=self._candidate_kernel,
            b_ru=self._gate_bias,
            b_c=self._candidate_bias,
        ).h
        return output, output


class GRUBlockCellV2(GRUBlockCell):
    """Is a `GRUBlockCell` with the variables of `GRUCell`; stands for `tf.contrib.rnn.GRUBlockCellV2`.

    Args:
        num_units: The size of the state and of the output.
        cell_size: The name of `num_units` before.
        reuse: Whether the variables of a cell of that name are used again.
        name: The name of the cell and of its variable scope.

    Raises:
        ValueError: Both sizes are given, or none.
    """

    _NAMES = ("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")


def _add_lstm_weights(layer: Any, input_shape: Any, units: int, use_peephole: bool) -> None:
    layer.kernel = layer.add_weight("kernel", [known_depth(input_shape) + units, 4 * units])
    layer.bias = layer.add_weight("bias", [4 * units], initializer="zeros")
    if use_peephole:
        layer.peepholes = {f"wc{gate}": layer.add_weight(f"w_{gate}_diag", [units]) for gate in "ifo"}
    layer.built = True


def _lstm_arguments(
    layer: Any, forget_bias: float, cell_clip: float | None, use_peephole: bool
) -> dict[str, Any]:
    if use_peephole:
        peepholes = layer.peepholes
    else:
        unused = tf.zeros([layer.bias.shape.as_list()[0] // 4], layer.bias.dtype.base_dtype)
        peepholes = {"wci": unused, "wcf": unused, "wco": unused}
    return {
        "w": layer.kernel,
        "b": layer.bias,
        **peepholes,
        "forget_bias": forget_bias,
        "cell_clip": -1 if cell_clip is None else cell_clip,
        "use_peephole": use_peephole,
    }


def _lstm_block_cell_gradient(op: tf.Operation, *gradients: Any) -> list[Any]:
    x, cs_prev, h_prev, w, wci, wcf, wco, b = op.inputs
    i, cs, f, o, ci, co, _ = op.outputs
    of_cell = tf.raw_ops.LSTMBlockCellGrad(
        x=x,
        cs_prev=cs_prev,
        h_prev=h_prev,
        w=w,
        wci=wci,
        wcf=wcf,
        wco=wco,
        b=b,
        i=i,
        cs=cs,
        f=f,
        o=o,
        ci=ci,
        co=co,
        cs_grad=gradients[1],
        h_grad=gradients[6],
        use_peephole=op.get_attr("use_peephole"),
    )
    gates = of_cell.dicfo
    of_x, of_h = tf.split(tf.matmul(gates, w, transpose_b=True), [known_size(x), known_size(h_prev)], 1)
    of_w = tf.matmul(tf.concat([x, h_prev], 1), gates, transpose_a=True)
    peepholes = [of_cell.wci_grad, of_cell.wcf_grad, of_cell.wco_grad]
    return [of_x, of_cell.cs_prev_grad, of_h, of_w, *peepholes, tf.reduce_sum(gates, 0)]


def _gru_block_cell_gradient(op: tf.Operation, *gradients: Any) -> list[Any]:
    x, h_prev, w_ru, w_c, b_ru, b_c = op.inputs
    r, u, c, _ = op.outputs
    of_cell = tf.raw_ops.GRUBlockCellGrad(
        x=x,
        h_prev=h_prev,
        w_ru=w_ru,
        w_c=w_c,
        b_ru=b_ru,
        b_c=b_c,
        r=r,
        u=u,
        c=c,
        d_h=gradients[3],
    )
    gates, candidate = of_cell.d_r_bar_u_bar, of_cell.d_c_bar
    of_w_ru = tf.matmul(tf.concat([x, h_prev], 1), gates, transpose_a=True)
    of_w_c = tf.matmul(tf.concat([x, h_prev * r], 1), candidate, transpose_a=True)
    of_biases = [tf.reduce_sum(gates, 0), tf.reduce_sum(candidate, 0)]
    return [of_cell.d_x, of_cell.d_h_prev, of_w_ru, of_w_c, *of_biases]


# TensorFlow 2 has kept the gradient of BlockLSTM alone. Another package may have registered these already.
for _op, _gradient in (
    ("LSTMBlockCell", _lstm_block_cell_gradient),
    ("GRUBlockCell", _gru_block_cell_gradient),
):
    with contextlib.suppress(KeyError):
        tf.RegisterGradient(_op)(_gradient)
