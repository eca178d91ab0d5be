"""`train`: the legacy signature, and the checks of its arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import keras
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.cluster.spec import DEFAULT_TIMEOUT, as_cluster
from keras_legacy_train.graph import arguments as graph_arguments
from keras_legacy_train.graph.initialize import GraphStart
from keras_legacy_train.training.functions import FunctionTraining, train_functions
from keras_legacy_train.training.graph import GraphTraining, train_graph
from keras_legacy_train.training.options import TrainingOptions


def train(
    graph: tf.Graph | str | os.PathLike[str] | keras.Model | None,
    output_dir: str | os.PathLike[str],
    train_op: Any,
    loss_op: Any,
    global_step_tensor: Any = None,
    init_op: Any = None,
    init_feed_dict: Mapping[Any, Any] | None = None,
    init_fn: Callable[[Any], Any] | None = None,
    log_every_steps: int | None = 10,
    supervisor_is_chief: bool = True,
    supervisor_master: str = "",
    supervisor_save_model_secs: float | None = 600,
    keep_checkpoint_max: int | None = 5,
    supervisor_save_summaries_steps: int | None = 100,
    feed_fn: Callable[[], Mapping[Any, Any]] | None = None,
    steps: int | None = None,
    fail_on_nan_loss: bool = True,
    monitors: Iterable[Any] | None = None,
    max_steps: int | None = None,
    *,
    callbacks: Iterable[keras.callbacks.Callback] | None = None,
    jit_compile: bool | Literal["auto"] = False,
    max_window: int | None = None,
    progress_bar: bool | None = None,
    steps_per_epoch: int | None = None,
    save_input_state: bool = False,
    cluster: tf.train.ClusterSpec | Mapping[str, Any] | None = None,
    cluster_timeout: float = DEFAULT_TIMEOUT,
    strategy: tf.distribute.Strategy | None = None,
) -> Any:
    """Trains a TF 1 graph; stands for `tf.contrib.learn.train`.

    It goes on from the newest checkpoint in `output_dir`, or initialises the graph if there is none, and runs
    `train_op` until `max_steps` is reached, `steps` more are done, a monitor or callback asks to stop, or the
    input ends. Steps that no monitor wants to see run many in one call.

    ```python
    with tf.Graph().as_default() as graph:
        w = tf.compat.v1.get_variable("w", shape=[], initializer=tf.compat.v1.ones_initializer())
        loss = tf.square(w - 3.0)
        optimizer = tf.compat.v1.train.GradientDescentOptimizer(0.1)
        train_op = optimizer.minimize(loss, tf.compat.v1.train.get_or_create_global_step())
    train(graph, output_dir, train_op, loss, max_steps=100)
    ```

    In the place of the graph there can be a Keras model, or `None` for functions over `tf.Variable`s. Then
    `train_op` and `loss_op` make a step, `feed_fn` gives the batches, and `init_op` and `init_fn` are
    functions:

    ```python
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    batches = tf.data.Dataset.from_tensor_slices(([[1.0], [2.0]], [[3.0], [5.0]])).repeat().batch(2)
    train(model, f"{output_dir}/model", keras.optimizers.SGD(0.1), "mse", feed_fn=batches, max_steps=100)
    ```

    Args:
        graph: The graph, or the path of a `.meta` file; everything below is then given by name. Names are
            accepted with a graph, too, with and without `":0"`. Or a Keras model, or `None`.
        output_dir: Where checkpoints and event files are written. Created if missing.
        train_op: What performs a step and raises the global step: an operation, a tensor, or any structure of
            them. With a model, a Keras optimizer, which lowers the loss on batches `(x, y)` or
            `(x, y, sample_weight)`; or a function of a batch that performs a step, called with nothing where
            there is no `feed_fn`.
        loss_op: The loss, a tensor of one number. With an optimizer, a Keras loss, its name, or a function of
            `y` and the model's output; with a function, another function that computes the loss from the
            batch, before the step, or the key of the loss in the dict that `train_op` returns.
        global_step_tensor: The integer variable that counts steps; by default the graph's own. Without a
            graph, a `tf.Variable` that `train_op` raises; by default one of our own, raised after each step.
        init_op: What initialises the global variables; by default each one's initializer. Without a graph, a
            function that sets the variables where there is no checkpoint yet.
        init_feed_dict: Fed to `init_op`.
        init_fn: Called after `init_op` with the session stand-in, which has `run`, `graph` and `as_default`,
            and can be given to a `tf.compat.v1.train.Saver`.
        log_every_steps: Steps from one `training step` line to the next; `None` for none.
        supervisor_is_chief: If not, nothing is written, and of the monitors only those with
            `run_on_all_workers` run; hooks do.
        supervisor_master: `"grpc://host:port"` for a server that holds the variables and runs the graph; `""`
            or `"local"` for this process.
        supervisor_save_model_secs: Seconds from one checkpoint to the next; `None` or 0 for only the first
            and the last.
        keep_checkpoint_max: How many checkpoints are kept; `None` or 0 for all.
        supervisor_save_summaries_steps: Steps from one summary to the next; `None` for none.
        feed_fn: Called before each step; returns its `feed_dict`, without a graph its batch. `StopIteration`
            from it ends the training. It is called ahead where that makes no difference.
            Without a graph it may also be a `tf.data.Dataset` of batches; its end ends the training.
        steps: How many steps to run, on top of those in the newest checkpoint.
        fail_on_nan_loss: Whether a NaN loss is an error.
        monitors: Monitors and `tf.compat.v1.train.SessionRunHook`s, or one of them. None given, the loss is
            logged and the graph's summaries are written.
        max_steps: The global step at which training ends.
        callbacks: Keras callbacks (or one).
        jit_compile: Whether XLA compiles the windows. Random numbers are then other ones, assertions have no
            effect, and a step with an op that XLA does not know, such as that of a queue, is an error that
            names it. `"auto"` compiles a step that XLA can compile and that has none of these, if it is
            faster so. What comes from `tf.data` iterators is taken ahead.
        max_window: Largest number of steps in one call; 1 lets the host see each step. If it is more than 1,
            `feed_fn` is called ahead from the start.
        progress_bar: Whether a progress bar is drawn; by default if the standard error output is a terminal.
        steps_per_epoch: Steps in what Keras callbacks see as an epoch; by default the whole run is one.
        save_input_state: Whether checkpoints hold the position in the input, so that a resumed run goes on
            with the next batch.
        cluster: The servers that hold the variables which the graph puts on them, as
            `tf.compat.v1.train.replica_device_setter` does: a `tf.train.ClusterSpec`, or a dict from jobs to
            addresses. By default the cluster of `TF_CONFIG`, if there is one. See the guide to clusters.
        cluster_timeout: Seconds for which a server may not answer, and for which a worker waits until the
            chief has given the variables their values.
        strategy: For a model or functions, the `tf.distribute.MirroredStrategy` or
            `tf.distribute.MultiWorkerMirroredStrategy` in whose scope the variables were made. `feed_fn`
            gives whole batches, the same in each process; each replica trains on its rows of them.

    Returns:
        The loss of the last step, a NumPy scalar of the loss's dtype; `None` if no step ran.

    Raises:
        ValueError, TypeError, FileNotFoundError: An argument cannot be right. Nothing has been touched.
        PermissionError: `output_dir` cannot be written to. No step has run.
        CheckpointMismatchError: The newest checkpoint does not fit the graph. No step has run.
        DamagedCheckpointError: There are checkpoints, and none of them can be read.
        DirectoryInUseError: Another process trains in `output_dir`. No step has run.
        NotInitializedError: Variables are left without a value. No step has run.
        ServerUnreachableError: A server of the cluster does not answer.
        ModelNotReadyError: The chief has not given the variables their values in time.
        NanLossDuringTrainingError: The loss is NaN. The newest checkpoint is still a good one.
        NoProgressError: `train_op` does not raise the global step.
        KeyboardInterrupt, SystemExit: Ctrl-C or SIGTERM came. A checkpoint has been written.
        Exception: `feed_fn`, a monitor, a callback or an op of the graph raised it. A checkpoint has been
            written.
    """
    directory = arguments.as_output_dir(output_dir)
    options = TrainingOptions.checked(
        names={
            "is_chief": "supervisor_is_chief",
            "save_secs": "supervisor_save_model_secs",
            "save_summaries_steps": "supervisor_save_summaries_steps",
        },
        monitors=monitors,
        callbacks=callbacks,
        steps=steps,
        max_steps=max_steps,
        steps_per_epoch=steps_per_epoch,
        is_chief=supervisor_is_chief,
        log_every_steps=log_every_steps,
        save_secs=supervisor_save_model_secs,
        save_summaries_steps=supervisor_save_summaries_steps,
        keep_checkpoint_max=keep_checkpoint_max,
        save_input_state=save_input_state,
        fail_on_nan_loss=fail_on_nan_loss,
        jit_compile=jit_compile,
        max_window=max_window,
        progress_bar=progress_bar,
    )
    cluster_timeout = arguments.as_timeout("cluster_timeout", cluster_timeout)
    arguments.check_callable("init_fn", init_fn)
    arguments.check_feeds("init_feed_dict", init_feed_dict)
    with _tensorflow.eager_mode():
        if graph is None or isinstance(graph, keras.Model):
            arguments.check_no_cluster(cluster, supervisor_master)
            functions = FunctionTraining(
                graph,
                train_op,
                loss_op,
                global_step_tensor=global_step_tensor,
                init_op=init_op,
                init_feed_dict=init_feed_dict,
                init_fn=init_fn,
                feed_fn=feed_fn,
                strategy=strategy,
            )
            return train_functions(functions, directory, options)
        if strategy is not None:
            raise ValueError(
                "strategy: a graph is not trained by a tf.distribute.Strategy. Leave it out; for several"
                " processes, build the graph under tf.compat.v1.train.replica_device_setter."
            )
        arguments.check_callable("feed_fn", feed_fn)
        legacy = graph_arguments.as_graph(graph)
        training = GraphTraining(
            legacy,
            graph_arguments.as_train_ops(legacy, train_op),
            graph_arguments.as_loss(legacy, loss_op),
            graph_arguments.as_global_step(legacy, global_step_tensor),
            GraphStart(
                None if init_op is None else graph_arguments.as_elements("init_op", legacy, init_op),
                init_feed_dict,
                init_fn,
            ),
            feed_fn=feed_fn,
            cluster=as_cluster(cluster, supervisor_master, options.is_chief, cluster_timeout),
        )
        return train_graph(training, directory, options)
