"""Trains beyond one machine: the servers that hold variables, and what connects a process to them.

May import `arguments`, `errors` and `_tensorflow`. Knows nothing of graphs, loops or checkpoints.

`tf_config` reads the environment, `spec` says who is in a cluster, `addresses`, `status` and `listening` are
about a single server; `connection` connects to servers, `server` is one. `mirrored` makes the strategy of
processes that train a Keras model, when `roll_call` has found all of them.
"""

from __future__ import annotations

from keras_legacy_train.cluster.mirrored import multi_worker_mirrored_strategy
from keras_legacy_train.cluster.server import serve
from keras_legacy_train.cluster.spec import Task, this_task

__all__ = ["Task", "multi_worker_mirrored_strategy", "serve", "this_task"]
