"""Makes the strategy of several processes that train one Keras model."""

from __future__ import annotations

import json
import signal
import threading

import tensorflow as tf

from keras_legacy_train.cluster import addresses
from keras_legacy_train.cluster.listening import listen_only_at
from keras_legacy_train.cluster.roll_call import call_roll
from keras_legacy_train.cluster.spec import DEFAULT_TIMEOUT, this_task
from keras_legacy_train.cluster.tf_config import read_tf_config


def multi_worker_mirrored_strategy(
    communication_options: tf.distribute.experimental.CommunicationOptions | None = None,
    *,
    timeout: float = DEFAULT_TIMEOUT,
) -> tf.distribute.MultiWorkerMirroredStrategy:
    """Returns the `tf.distribute.MultiWorkerMirroredStrategy` of the cluster in `TF_CONFIG`.

    TensorFlow's constructor waits for workers without end, and takes SIGTERM away from the process. This
    first waits until every worker answers, for a limited time, and leaves the handlers of signals as they
    were. Like the constructor, it must be called before TensorFlow runs an operation. All workers must call
    it.

    ```python
    import keras

    from keras_legacy_train import cluster

    strategy = cluster.multi_worker_mirrored_strategy(timeout=120)
    with strategy.scope():
        model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
    ```

    Args:
        communication_options: How workers talk, as for `tf.distribute.MultiWorkerMirroredStrategy`.
        timeout: Seconds to wait for the other workers.

    Returns:
        The strategy. Without a cluster in `TF_CONFIG`, that of this process alone.

    Raises:
        ServerUnreachableError: Workers have not answered in time. They are named.
        ValueError: `TF_CONFIG` cannot be right, or another worker has another cluster.
        OSError: The address of this process is in use, or is none of this machine.
    """
    task = this_task()
    if task is None:
        return _strategy(communication_options)
    if task.type not in ("chief", "worker"):
        raise ValueError(
            f"By TF_CONFIG this process is {task.type} {task.index}. The processes of a"
            " MultiWorkerMirroredStrategy are a chief and workers, or workers only."
        )
    jobs = tf.train.ClusterSpec(read_tf_config()["cluster"]).as_dict()
    places = {
        f"{job} {number}": place
        for job in ("chief", "worker")
        for number, place in enumerate(jobs.get(job, []))
    }
    own = f"{task.type} {task.index}"
    call_roll(own, places, json.dumps(jobs, sort_keys=True), timeout)
    strategy = _strategy(communication_options)
    listen_only_at(*addresses.split(places[own]))
    return strategy


def _strategy(options: tf.distribute.experimental.CommunicationOptions | None) -> tf.distribute.Strategy:
    strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    handler = signal.getsignal(signal.SIGTERM)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)  # TensorFlow has put its own in the place of this one
    return strategy
