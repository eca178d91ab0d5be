"""Defines `GraphModel`, which makes a Keras model of a TF 1 graph."""

from __future__ import annotations

import contextlib
import os
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_legacy_train import arguments
from keras_legacy_train.callbacks import arguments as callback_arguments
from keras_legacy_train.callbacks.compatibility import check_graph_callbacks
from keras_legacy_train.checkpoints.lookup import optional_checkpoint_prefix
from keras_legacy_train.graph import arguments as graph_arguments
from keras_legacy_train.graph.awaited_input import awaited_input
from keras_legacy_train.graph.elements import check_names, find_tensor
from keras_legacy_train.graph.initialize import initialize_variables
from keras_legacy_train.graph.lifted import LiftedGraph
from keras_legacy_train.graph.queue_runners import QueueRunners
from keras_legacy_train.graph.saving import saved_model
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.graph_model.batches import (
    Batches,
    EndOfInput,
    as_data,
    convert_strings,
    count_rows,
    naming_missing_feeds,
)
from keras_legacy_train.graph_model.metrics import GraphMetrics
from keras_legacy_train.graph_model.names import NamedTensors
from keras_legacy_train.interrupts import watched_calls
from keras_legacy_train.programs.graph_state import restore_or_initialize
from keras_legacy_train.programs.graph_weights import GraphWeights, v2_behavior, with_v2_behavior
from keras_legacy_train.types import FeedDict, Fetch, Fetches, PathLike

_TRAIN_OP = tf.compat.v1.GraphKeys.TRAIN_OP


@with_v2_behavior(
    "fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch", "export"
)
class GraphModel(GraphWeights):
    """Makes a `keras.Model` of a TF 1 graph: `train_op` is the training step, placeholders are the inputs.

    `fit`, `evaluate` and `predict` are Keras's own, with its callbacks, batches and validation data. The
    weights are all global variables, under their TF 1 names with `"."` for `"/"`, so `get_weights`,
    `save_weights`, `load_weights`, `summary` and `count_params` work. Strings cannot be weights. They are
    left out there, but checkpoints by a `Saver`, and `export`, have them.

    ```python
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        x, y = v1.placeholder(tf.float32, [None, 2], "x"), v1.placeholder(tf.float32, [None, 1], "y")
        weight = v1.get_variable("weight", [2, 1], initializer=v1.zeros_initializer())
        prediction = tf.matmul(x, weight, name="prediction")
        loss = v1.losses.mean_squared_error(y, prediction)
        train_op = v1.train.GradientDescentOptimizer(0.1).minimize(loss)

    model = GraphModel(graph, inputs="x", targets="y", outputs="prediction", train_op=train_op, loss=loss)
    rows = tf.random.stateless_normal([64, 2], seed=(1, 2)).numpy()
    history = model.fit(rows, rows[:, :1] - rows[:, 1:], batch_size=8, epochs=20, verbose=0)
    assert history.history["loss"][-1] < 0.001
    assert model.predict(rows, verbose=0).shape == (64, 1)
    model.export(output_dir)
    ```

    A batch is a list in the order of `inputs` and `targets`, or a dict by name; the dict `x` may hold the
    targets, too. Keras converts arrays of floats to its `floatx`, so feed float64 placeholders from a
    `tf.data.Dataset` to keep all digits.

    A graph that reads its own input, by iterators or queues, is trained with `x=None`:
    `fit(steps_per_epoch=100, epochs=5)`; likewise `evaluate(steps=10)` and `predict(steps=10)`. Without the
    number of steps, one epoch goes on to the end of the input. The first call starts the queue runners.

    The loss in the logs is, as always in Keras, the mean over all rows of the epoch so far. So are metrics
    that are tensors. In a pair `(value, update_op)` of `tf.compat.v1.metrics`, `value` is read after the
    step, and its local variables are set back when an epoch or an evaluation begins.

    Args:
        graph: The graph, or the path of a `.meta` file. Everything below may be given by name, with or
            without `":0"`; with a file it must be.
        inputs: The tensors that `x` is fed to: a tensor, a list, or a dict from names of your choice to
            tensors.
        outputs: The tensors that `predict` returns: a tensor, a list or a dict, which makes an array, a list
            or a dict of arrays.
        targets: The tensors that `y` is fed to, as the loss needs them. `predict` and `export` do not.
        train_op: Performs a step: an operation, a tensor, or any structure of them. `fit` needs it.
        loss: A tensor, for the logs. A tensor with several entries counts as their mean.
        metrics: Further tensors for the logs, or pairs `(value, update_op)`, by their names in the logs.
        checkpoint: The prefix of the checkpoint to restore, or a directory, for the newest one in it. By
            default the variables are initialised.
        learning_rate: The variable that holds the learning rate, for callbacks that set it. By default the
            graph's one variable that is called `learning_rate`, if there is one.
        train_feed_dict: Values that `fit` feeds at each step besides the batch, such as `{"keep_prob": 0.5}`.
        eval_feed_dict: Values that `evaluate`, `predict` and exported functions feed instead.
        init_feed_dict: Values fed to the initializers.
        name: The model's name.

    Attributes:
        session: Runs anything in the graph, over the model's variables: `session.run(fetches, feed_dict)`. It
            can be given to a `tf.compat.v1.train.Saver`.
        optimizer: Has `learning_rate`, and `iterations`, the global step.

    Raises:
        ValueError, TypeError, FileNotFoundError: An argument cannot be right, or there is no such checkpoint.
        CheckpointMismatchError: The checkpoint does not fit the graph.
        DamagedCheckpointError: There are checkpoints in the directory, and none of them can be read.
        NotInitializedError: Variables are left without a value.
    """

    def __init__(
        self,
        graph: tf.Graph | PathLike,
        inputs: Fetches | None = None,
        outputs: Fetches | None = None,
        *,
        targets: Fetches | None = None,
        train_op: Fetches | None = None,
        loss: Fetch | None = None,
        metrics: Mapping[str, Any] | None = None,
        checkpoint: PathLike | None = None,
        learning_rate: Fetch | None = None,
        train_feed_dict: FeedDict | None = None,
        eval_feed_dict: FeedDict | None = None,
        init_feed_dict: FeedDict | None = None,
        name: str = "graph",
    ):
        if tf.distribute.has_strategy():
            raise ValueError("A GraphModel has one copy of its variables; make it outside strategy.scope().")
        graph = graph_arguments.as_graph(graph)
        check_names("train_op", graph, train_op)
        check_names("learning_rate", graph, learning_rate)
        train_ops = [] if train_op is None else graph_arguments.as_train_ops(graph, train_op)
        loss_tensor = None if loss is None else find_tensor("loss", graph, loss)
        feed_dicts = {"train": train_feed_dict, "eval": eval_feed_dict, "init": init_feed_dict}
        for what, feed_dict in feed_dicts.items():
            arguments.check_feeds(f"{what}_feed_dict", feed_dict)
            check_names(f"{what}_feed_dict", graph, list(feed_dict or ()))
        prefix = optional_checkpoint_prefix("checkpoint", checkpoint)
        with v2_behavior():
            session = GraphSession(LiftedGraph(graph))
            with watched_calls(lambda: awaited_input(session)):
                if init_feed_dict is not None:
                    initialize_variables(session, init_feed_dict=init_feed_dict)
                restore_or_initialize(session, prefix)
            super().__init__(session, learning_rate, name)
            self._input_tensors = NamedTensors("inputs", graph, inputs)
            self._output_tensors = NamedTensors("outputs", graph, outputs)
            self._batches = Batches(self._input_tensors, NamedTensors("targets", graph, targets))
            self._train_operations = [getattr(element, "op", element).name for element in train_ops]
            self._graph_metrics = GraphMetrics(session, loss_tensor, metrics)
            self._train_feeds = session.feeds(train_feed_dict)
            self._eval_feeds = session.feeds(eval_feed_dict)
            self._queue_runners: QueueRunners | None = None
            self.compile()

    def compile(
        self,
        *unsupported: Any,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool = False,
        **also_unsupported: Any,
    ) -> None:
        """Sets how steps are run. The constructor has called it; call it again to change that.

        Args:
            run_eagerly: Whether `fit` runs around the step without a `tf.function`.
            steps_per_execution: How many steps run in one call, as in `keras.Model.compile`.
            jit_compile: Whether XLA compiles the step.

        Raises:
            TypeError: An optimizer, a loss or metrics are given; those of the graph are used.
        """
        if unsupported or also_unsupported:
            raise TypeError(
                "compile() takes run_eagerly, steps_per_execution and jit_compile. The optimizer, the loss"
                " and the metrics are in the graph: GraphModel(..., train_op=..., loss=..., metrics=...)."
            )
        optimizer = self.optimizer
        super().compile(
            optimizer=None,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )
        self.optimizer = optimizer

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Returns the loss and the metrics, as Keras resets and reads them."""
        return self._graph_metrics.trackers

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: keras.callbacks.Callback | Sequence[keras.callbacks.Callback] | None = None,
        **options: Any,
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, by the graph's `train_op`.

        Args:
            x: Arrays, a `tf.data.Dataset`, a generator, or whatever else Keras takes, or a function that
                makes one of these; `None` if the graph reads its own input.
            y: The targets, if `x` has none.
            batch_size: Samples in a batch of arrays; by default 32.
            epochs: The epoch at which training ends.
            verbose: 0 for silence, 1 for a progress bar, 2 for a line each epoch.
            callbacks: Keras callbacks, or a single one.
            **options: The other arguments of `keras.Model.fit`.

        Returns:
            The history: `history.history` has for each name in the logs a list of its values at the ends of
            epochs.

        Raises:
            ValueError: There is no `train_op`, a callback cannot work on a graph, or a batch does not fit.
        """
        self._check_train_op()
        self._check_metrics()
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = callback_arguments.as_callbacks(callbacks)
        check_graph_callbacks(getattr(callbacks, "callbacks", callbacks), self.optimizer)
        if x is None:
            if epochs > 1 and options.get("steps_per_epoch") is None:
                raise ValueError(
                    "Without x the graph reads its own input; steps_per_epoch says how much of it."
                )
            options.setdefault("shuffle", False)
            callbacks.append(EndOfInput())
        if options.get("validation_data") is not None:
            options["validation_data"] = as_data(options["validation_data"])
        with self._input_running(self._trained()):
            return super().fit(
                as_data(x), convert_strings(y), batch_size, epochs, verbose, callbacks, **options
            )

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, **options: Any) -> Any:
        """Computes loss and metrics as `keras.Model.evaluate` does; takes its arguments.

        Args:
            x: See `fit`.
            y: The targets, if `x` has none.
            batch_size: Rows in a batch.
            **options: The other arguments of `keras.Model.evaluate`.

        Returns:
            A float, or a list of them if there are several; with `return_dict=True` a dict.

        Raises:
            ValueError: There is neither a loss nor a metric, or a batch does not fit.
        """
        self._check_metrics()
        with self._input_running(self._tested()):
            return super().evaluate(as_data(x), convert_strings(y), batch_size, **options)

    def predict(self, x: Any = None, batch_size: int | None = None, **options: Any) -> Any:
        """Computes the outputs as `keras.Model.predict` does; takes its arguments.

        Args:
            x: See `fit`; without targets.
            batch_size: Rows in a batch.
            **options: The other arguments of `keras.Model.predict`.

        Returns:
            The outputs of all batches, joined: an array, a list or a dict of arrays, as `outputs` is.

        Raises:
            ValueError: There are no `outputs`, or a batch does not fit.
        """
        self._check_outputs()
        with self._input_running(self._predicted()):
            return super().predict(as_data(x), batch_size, **options)

    def train_on_batch(self, x: Any = None, y: Any = None, **options: Any) -> Any:
        """Trains on a batch as `keras.Model.train_on_batch` does; takes its arguments.

        Args:
            x: The batch.
            y: The targets, if `x` has none.
            **options: The other arguments of `keras.Model.train_on_batch`.

        Returns:
            The loss, or a list with the metrics too; with `return_dict=True` a dict.

        Raises:
            ValueError: There is no `train_op`, or the batch does not fit.
        """
        self._check_train_op()
        with self._input_running(self._trained()):
            return super().train_on_batch(x, convert_strings(y), **options)

    def test_on_batch(self, x: Any = None, y: Any = None, **options: Any) -> Any:
        """Computes loss and metrics of a batch as `keras.Model.test_on_batch` does; takes its arguments.

        Args:
            x: The batch.
            y: The targets, if `x` has none.
            **options: The other arguments of `keras.Model.test_on_batch`.

        Returns:
            The loss, or a list with the metrics too; with `return_dict=True` a dict.

        Raises:
            ValueError: The batch does not fit.
        """
        with self._input_running(self._tested()):
            return super().test_on_batch(x, convert_strings(y), **options)

    def predict_on_batch(self, x: Any) -> Any:
        """Computes the outputs of a batch as `keras.Model.predict_on_batch` does.

        Args:
            x: The batch.

        Returns:
            An array, a list or a dict of arrays, as `outputs` is.

        Raises:
            ValueError: There are no `outputs`, or the batch does not fit.
        """
        self._check_outputs()
        with self._input_running(self._predicted()):
            return super().predict_on_batch(x)

    def export(
        self,
        filepath: str | os.PathLike[str],
        signatures: Mapping[str, tuple[Fetches | None, Fetches]] | None = None,
    ) -> None:
        """Writes a SavedModel, which TensorFlow Serving and `tf.saved_model.load` run.

        It has the variables as they are now, the tables with their files, and `eval_feed_dict`. Names of
        arguments are the names of inputs, with `"_"` for each character that is no letter or digit.

        Args:
            filepath: The directory to write.
            signatures: For each name a pair of inputs and outputs, given as for `GraphModel`. They are added
                to `"serving_default"`, the model's own inputs and outputs.

        Raises:
            ValueError: A signature needs a placeholder that is not among its inputs, or a resource that lives
                in this process only, such as an iterator or a Python function.
        """
        graph = self.session.graph
        named = {}
        if len(self._output_tensors):
            named["serving_default"] = self._signature(self._input_tensors, self._output_tensors)
        for name, (inputs, outputs) in (signatures or {}).items():
            argument = f"signatures[{name!r}]"
            named[name] = self._signature(
                NamedTensors(argument, graph, inputs), NamedTensors(argument, graph, outputs)
            )
        if not named:
            self._check_outputs()
        with naming_missing_feeds():
            saved_model.save(self.session, os.fspath(filepath), named)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        """Computes the outputs of a batch.

        Args:
            inputs: The batch `x`, as `fit` takes it.
            training: Whether to feed `train_feed_dict`; else `eval_feed_dict` is fed.

        Returns:
            The outputs, as tensors.

        Raises:
            ValueError: There are no `outputs`, or the batch does not fit.
            RuntimeError: Eager execution is off.
        """
        self._check_outputs()
        if not (tf.executing_eagerly() or tf.inside_function()):
            raise RuntimeError(
                "Eager execution is off, so the model cannot be called. Use predict_on_batch()."
            )
        values = self._run(self._batches.feeds(inputs), self._predicted(), (), bool(training))
        return self._output_tensors.pack(values)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Performs a training step on a batch; returns the logs. Keras calls it."""
        return self._step(data, self._train_operations, training=True)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Computes loss and metrics of a batch; returns the logs. Keras calls it."""
        return self._step(data, [], training=False)

    def predict_step(self, data: Any) -> Any:
        """Computes the outputs of a batch. Keras calls it."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.call(x)

    def _step(self, data: Any, operations: list[str], training: bool) -> dict[str, Any]:
        """Runs operations on a batch with loss and metrics; returns the logs."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if sample_weight is not None:
            raise ValueError(
                "sample_weight and class_weight are not known to the graph; feed weights as an input."
            )
        feeds = self._batches.feeds(x, y)
        metrics = self._graph_metrics
        values = self._run(feeds, metrics.tensors, [*operations, *metrics.operations], training)
        metrics.update(values, count_rows(feeds))
        logs: dict[str, Any] = self.get_metrics_result()
        return logs

    def _run(
        self,
        feeds: Mapping[str, tf.Tensor],
        tensors: Sequence[str],
        operations: Sequence[str],
        training: bool,
    ) -> list[tf.Tensor]:
        """Computes tensors and runs operations, all by name, with the feeds and the constant ones."""
        constants = self._train_feeds if training else self._eval_feeds
        all_feeds = {**{name: tf.constant(value) for name, value in constants.items()}, **feeds}
        computed = [name for name in tensors if name not in all_feeds]
        with naming_missing_feeds():
            function = self.session.lifted.function(all_feeds, computed, operations)
        values = dict(zip(computed, function(list(all_feeds.values())), strict=True))
        return [(values if name in values else all_feeds)[name] for name in tensors]

    def _signature(self, inputs: NamedTensors, outputs: NamedTensors) -> saved_model.Signature:
        """Makes the signature of an exported function, which feeds `eval_feed_dict` besides."""
        arguments_of = {re.sub(r"\W", "_", name): tensor for name, tensor in inputs.tensors.items()}
        if len(arguments_of) < len(inputs):
            raise ValueError(f"Two of {', '.join(map(repr, inputs.tensors))} become one name of an argument.")
        fed = {tensor.name for tensor in arguments_of.values()}
        constants = {name: value for name, value in self._eval_feeds.items() if name not in fed}
        return saved_model.Signature(arguments_of, outputs.tensors, constants)

    def _trained(self) -> list[str]:
        """Returns the names of what a training step runs."""
        return [*self._train_operations, *self._graph_metrics.tensors]

    def _tested(self) -> list[str]:
        """Returns the names of what a step of an evaluation runs."""
        return [*self._graph_metrics.tensors, *self._graph_metrics.operations]

    def _predicted(self) -> list[str]:
        """Returns the names of the outputs."""
        return [tensor.name for tensor in self._output_tensors.tensors.values()]

    def _check_train_op(self) -> None:
        """Raises ValueError if there is no `train_op`."""
        if not self._train_operations:
            collected = [op.name for op in self.session.graph.get_collection(_TRAIN_OP)]
            known = f" The graph has {', '.join(map(repr, collected))}." if collected else ""
            raise ValueError(f"Missing train_op: GraphModel(..., train_op=...) is what fit() runs.{known}")

    def _check_metrics(self) -> None:
        """Raises ValueError if there is neither a loss nor a metric."""
        if not self.metrics:
            raise ValueError("There is nothing to report: GraphModel(..., loss=..., metrics=...).")

    def _check_outputs(self) -> None:
        """Raises ValueError if there are no `outputs`."""
        if not len(self._output_tensors):
            raise ValueError("Missing outputs: GraphModel(..., outputs=...) says what is computed.")

    @contextlib.contextmanager
    def _input_running(self, names: Sequence[str]) -> Iterator[None]:
        """Starts the graph's queue runners, which then run as long as the model exists.

        Args:
            names: Names of the tensors and operations that are computed meanwhile.
        """
        if self._queue_runners is None:
            self._queue_runners = QueueRunners(self.session).__enter__()
            # Exits as after an error, so that it raises no failure; that is done below.
            weakref.finalize(self, self._queue_runners.__exit__, Exception)
        try:
            with watched_calls(lambda: awaited_input(self.session, names)):
                yield
        except tf.errors.OpError as error:
            self.session.lifted.explain(error)
            raise
        finally:
            self._queue_runners.raise_failure()
