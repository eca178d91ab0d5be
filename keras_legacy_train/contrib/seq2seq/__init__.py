"""Has the decoders, helpers, attention and beam search of `tf.contrib.seq2seq`.

```python
import numpy as np
import tensorflow.compat.v1 as tf

from keras_legacy_train import rnn_cell, tf_layers, train
from keras_legacy_train.contrib import seq2seq

with tf.Graph().as_default() as graph:
    memory = tf.constant(np.random.rand(8, 5, 3).astype("float32"))
    targets = tf.constant(np.random.randint(7, size=(8, 4)))
    cell = seq2seq.AttentionWrapper(rnn_cell.GRUCell(6), seq2seq.LuongAttention(6, memory))
    helper = seq2seq.TrainingHelper(tf.one_hot(targets, 7), sequence_length=tf.fill([8], 4))
    decoder = seq2seq.BasicDecoder(cell, helper, cell.zero_state(8, tf.float32), tf_layers.Dense(7))
    outputs, _, _ = seq2seq.dynamic_decode(decoder)
    loss = seq2seq.sequence_loss(outputs.rnn_output, targets, tf.ones([8, 4]))
    train_op = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=tf.train.create_global_step())
train(graph, output_dir, train_op, loss, max_steps=20)
```

Arguments, variable names, states and numbers are those of TensorFlow 1.15.

May import `rnn_cell` and `tf_layers`.
"""

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.seq2seq.attention_mechanism import (
    AttentionMechanism,
    BahdanauAttention,
    BahdanauMonotonicAttention,
    LuongAttention,
    LuongMonotonicAttention,
    hardmax,
)
from keras_legacy_train.contrib.seq2seq.attention_wrapper import AttentionWrapper, AttentionWrapperState
from keras_legacy_train.contrib.seq2seq.basic_decoder import BasicDecoder, BasicDecoderOutput
from keras_legacy_train.contrib.seq2seq.beam_search_decoder import (
    BeamSearchDecoder,
    BeamSearchDecoderOutput,
    BeamSearchDecoderState,
    FinalBeamSearchDecoderOutput,
    tile_batch,
)
from keras_legacy_train.contrib.seq2seq.beam_search_ops import gather_tree
from keras_legacy_train.contrib.seq2seq.decoder import Decoder, dynamic_decode
from keras_legacy_train.contrib.seq2seq.helper import (
    CustomHelper,
    GreedyEmbeddingHelper,
    Helper,
    InferenceHelper,
    SampleEmbeddingHelper,
    ScheduledEmbeddingTrainingHelper,
    ScheduledOutputTrainingHelper,
    TrainingHelper,
)
from keras_legacy_train.contrib.seq2seq.loss import sequence_loss
from keras_legacy_train.contrib.seq2seq.monotonic_attention import monotonic_attention, safe_cumprod

__all__ = [
    "AttentionMechanism",
    "AttentionWrapper",
    "AttentionWrapperState",
    "BahdanauAttention",
    "BahdanauMonotonicAttention",
    "BasicDecoder",
    "BasicDecoderOutput",
    "BeamSearchDecoder",
    "BeamSearchDecoderOutput",
    "BeamSearchDecoderState",
    "CustomHelper",
    "Decoder",
    "FinalBeamSearchDecoderOutput",
    "GreedyEmbeddingHelper",
    "Helper",
    "InferenceHelper",
    "LuongAttention",
    "LuongMonotonicAttention",
    "SampleEmbeddingHelper",
    "ScheduledEmbeddingTrainingHelper",
    "ScheduledOutputTrainingHelper",
    "TrainingHelper",
    "dynamic_decode",
    "gather_tree",
    "hardmax",
    "monotonic_attention",
    "safe_cumprod",
    "sequence_loss",
    "tile_batch",
]

__getattr__ = module_getattr(__name__, __all__)
