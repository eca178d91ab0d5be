"""Provides the names of `tf.contrib.rnn`: cells, wrappers around cells, and recurrent networks.

The cells of `tf.nn.rnn_cell` are those of `keras_legacy_train.rnn_cell`. All run by
`tf.compat.v1.nn.dynamic_rnn`, `static_rnn` and their like:

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train.contrib import rnn

with tf.Graph().as_default():
    x = tf.placeholder(tf.float32, [None, 7, 3])
    cell = rnn.MultiRNNCell([rnn.LSTMBlockCell(4), rnn.LayerNormBasicLSTMCell(2)])
    outputs, state = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    print([variable.op.name for variable in tf.trainable_variables()])
```

This room imports `rnn_cell` and `tf_layers`.
"""

import tensorflow as _tf

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.rnn.bidirectional import (
    stack_bidirectional_dynamic_rnn,
    stack_bidirectional_rnn,
)
from keras_legacy_train.contrib.rnn.block_cells import (
    GRUBlockCell,
    GRUBlockCellV2,
    LSTMBlockCell,
    LSTMBlockFusedCell,
)
from keras_legacy_train.contrib.rnn.convolutional_cells import (
    Conv1DLSTMCell,
    Conv2DLSTMCell,
    Conv3DLSTMCell,
    ConvLSTMCell,
)
from keras_legacy_train.contrib.rnn.fused import (
    FusedRNNCell,
    FusedRNNCellAdaptor,
    LSTMBlockWrapper,
    TimeReversedFusedRNN,
)
from keras_legacy_train.contrib.rnn.gated_cells import (
    GLSTMCell,
    IntersectionRNNCell,
    NASCell,
    PhasedLSTMCell,
    SRUCell,
    UGRNNCell,
)
from keras_legacy_train.contrib.rnn.independent_cells import IndRNNCell, IndyGRUCell, IndyLSTMCell
from keras_legacy_train.contrib.rnn.normalized_cells import (
    CoupledInputForgetGateLSTMCell,
    LayerNormBasicLSTMCell,
)
from keras_legacy_train.contrib.rnn.sequences import best_effort_input_batch_size, transpose_batch_time
from keras_legacy_train.contrib.rnn.wrappers import (
    AttentionCellWrapper,
    EmbeddingWrapper,
    HighwayWrapper,
    InputProjectionWrapper,
    OutputProjectionWrapper,
)
from keras_legacy_train.rnn_cell import (
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    LSTMStateTuple,
    MultiRNNCell,
    ResidualWrapper,
    RNNCell,
)
from keras_legacy_train.rnn_cell.base import LayerRNNCell

static_bidirectional_rnn = _tf.compat.v1.nn.static_bidirectional_rnn
static_rnn = _tf.compat.v1.nn.static_rnn
static_state_saving_rnn = _tf.compat.v1.nn.static_state_saving_rnn

__all__ = [
    "AttentionCellWrapper",
    "BasicLSTMCell",
    "BasicRNNCell",
    "Conv1DLSTMCell",
    "Conv2DLSTMCell",
    "Conv3DLSTMCell",
    "ConvLSTMCell",
    "CoupledInputForgetGateLSTMCell",
    "DeviceWrapper",
    "DropoutWrapper",
    "EmbeddingWrapper",
    "FusedRNNCell",
    "FusedRNNCellAdaptor",
    "GLSTMCell",
    "GRUBlockCell",
    "GRUBlockCellV2",
    "GRUCell",
    "HighwayWrapper",
    "IndRNNCell",
    "IndyGRUCell",
    "IndyLSTMCell",
    "InputProjectionWrapper",
    "IntersectionRNNCell",
    "LSTMBlockCell",
    "LSTMBlockFusedCell",
    "LSTMBlockWrapper",
    "LSTMCell",
    "LSTMStateTuple",
    "LayerNormBasicLSTMCell",
    "LayerRNNCell",
    "MultiRNNCell",
    "NASCell",
    "OutputProjectionWrapper",
    "PhasedLSTMCell",
    "RNNCell",
    "ResidualWrapper",
    "SRUCell",
    "TimeReversedFusedRNN",
    "UGRNNCell",
    "best_effort_input_batch_size",
    "stack_bidirectional_dynamic_rnn",
    "stack_bidirectional_rnn",
    "static_bidirectional_rnn",
    "static_rnn",
    "static_state_saving_rnn",
    "transpose_batch_time",
]

__getattr__ = module_getattr(__name__, __all__)
