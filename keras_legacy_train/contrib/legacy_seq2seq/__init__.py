"""Provides the names of `tf.contrib.legacy_seq2seq`, or `tf.nn.seq2seq`: unrolled models of sequences.

A sequence is a list of tensors, one a step. An encoder reads one, and a decoder writes another:

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train.contrib import legacy_seq2seq, rnn

with tf.Graph().as_default():
    steps = [tf.placeholder(tf.int32, [None]) for _ in range(4)]
    outputs, state = legacy_seq2seq.embedding_attention_seq2seq(
        steps, steps, rnn.GRUCell(8), num_encoder_symbols=20, num_decoder_symbols=30, embedding_size=5
    )
    weights = [tf.ones_like(step, tf.float32) for step in steps]
    loss = legacy_seq2seq.sequence_loss(outputs, steps, weights)
```

This room imports `contrib.rnn` and `rnn_cell`.
"""

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.legacy_seq2seq.decoders import (
    attention_decoder,
    embedding_attention_decoder,
    embedding_rnn_decoder,
    rnn_decoder,
)
from keras_legacy_train.contrib.legacy_seq2seq.losses import (
    model_with_buckets,
    sequence_loss,
    sequence_loss_by_example,
)
from keras_legacy_train.contrib.legacy_seq2seq.models import (
    basic_rnn_seq2seq,
    embedding_attention_seq2seq,
    embedding_rnn_seq2seq,
    embedding_tied_rnn_seq2seq,
    one2many_rnn_seq2seq,
    tied_rnn_seq2seq,
)

__all__ = [
    "attention_decoder",
    "basic_rnn_seq2seq",
    "embedding_attention_decoder",
    "embedding_attention_seq2seq",
    "embedding_rnn_decoder",
    "embedding_rnn_seq2seq",
    "embedding_tied_rnn_seq2seq",
    "model_with_buckets",
    "one2many_rnn_seq2seq",
    "rnn_decoder",
    "sequence_loss",
    "sequence_loss_by_example",
    "tied_rnn_seq2seq",
]

__getattr__ = module_getattr(__name__, __all__)
