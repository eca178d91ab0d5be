"""Provides the legacy names: replaces `from tensorflow.contrib import learn`.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train import learn

with tf.Graph().as_default() as graph:
    loss = tf.square(tf.get_variable("weight", []) - 3.0)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    train_op = optimizer.minimize(loss, global_step=tf.train.create_global_step())
learn.train(graph, output_dir, train_op, loss, monitors=[learn.monitors.StopAtStep(num_steps=100)])
learn.graph_actions.evaluate(graph, f"{output_dir}/eval", output_dir, {"loss": loss}, max_steps=1)
```

A name of `tf.contrib.learn` that is not here raises an `AttributeError` that says what to use instead.
"""

from __future__ import annotations

import difflib
from typing import NoReturn

from keras_legacy_train.errors import NanLossDuringTrainingError
from keras_legacy_train.evaluate import evaluate, infer, run_feeds, run_n
from keras_legacy_train.learn import graph_actions, monitors
from keras_legacy_train.learn._replacements import REPLACEMENTS
from keras_legacy_train.train import train

__all__ = [
    "NanLossDuringTrainingError",
    "evaluate",
    "graph_actions",
    "infer",
    "monitors",
    "run_feeds",
    "run_n",
    "train",
]


def __getattr__(name: str) -> NoReturn:
    """Raises an error that says what to use instead of a name of `tf.contrib.learn`.

    Raises:
        AttributeError: Always: the module does not have the name.
    """
    if name in REPLACEMENTS:
        raise AttributeError(
            f"tf.contrib.learn.{name} is not in keras_legacy_train. Use {REPLACEMENTS[name]}."
        )
    close = difflib.get_close_matches(name, __all__, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}.{hint}")
