"""Provides the names of `tf.contrib.crf`: linear-chain conditional random fields over sequences of tags.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train.contrib import crf

with tf.Graph().as_default():
    scores = tf.random.normal([2, 5, 3])  # of 3 tags at 5 steps
    tags = tf.zeros([2, 5], tf.int32)
    lengths = tf.constant([5, 4])
    log_likelihood, transitions = crf.crf_log_likelihood(scores, tags, lengths)
    loss = -tf.reduce_mean(log_likelihood)
    best_tags, best_scores = crf.crf_decode(scores, transitions, lengths)
```

This room imports `rnn_cell`.
"""

from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.crf.cells import (
    CrfDecodeBackwardRnnCell,
    CrfDecodeForwardRnnCell,
    CrfForwardRnnCell,
)
from keras_legacy_train.contrib.crf.decoding import crf_decode, viterbi_decode
from keras_legacy_train.contrib.crf.scores import (
    crf_binary_score,
    crf_log_likelihood,
    crf_log_norm,
    crf_multitag_sequence_score,
    crf_sequence_score,
    crf_unary_score,
)

__all__ = [
    "CrfDecodeBackwardRnnCell",
    "CrfDecodeForwardRnnCell",
    "CrfForwardRnnCell",
    "crf_binary_score",
    "crf_decode",
    "crf_log_likelihood",
    "crf_log_norm",
    "crf_multitag_sequence_score",
    "crf_sequence_score",
    "crf_unary_score",
    "viterbi_decode",
]

__getattr__ = module_getattr(__name__, __all__)
