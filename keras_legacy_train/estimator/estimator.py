"""`Estimator`: trains, evaluates and uses a model that a function builds."""

from __future__ import annotations

import contextlib
import copy
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.checkpoints import CheckpointIndex
from keras_legacy_train.checkpoints.lookup import checkpoint_prefix, optional_checkpoint_prefix
from keras_legacy_train.checkpoints.reading import read_variable
from keras_legacy_train.cluster.spec import Cluster, Task, cluster_of
from keras_legacy_train.estimator import log
from keras_legacy_train.estimator.arguments import (
    check_hooks,
    check_listeners,
    check_not_overridden,
    check_steps,
    complete_config,
)
from keras_legacy_train.estimator.built_graph import BuiltGraph
from keras_legacy_train.estimator.evaluation import BuiltEvaluation, write_results
from keras_legacy_train.estimator.export.saved_model import (
    ExportedGraph,
    call_receiver_fn,
    write_saved_model,
)
from keras_legacy_train.estimator.fingerprint import input_fingerprint
from keras_legacy_train.estimator.global_step import create_global_step
from keras_legacy_train.estimator.graph_run import restored_from
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.estimator.model_fn import (
    as_input,
    call_input_fn,
    call_model_fn,
    check_model_fn,
    check_not_empty,
)
from keras_legacy_train.estimator.prediction import Prediction, chosen, examples
from keras_legacy_train.estimator.run_config import RunConfig, TaskType
from keras_legacy_train.estimator.scaffold_start import ScaffoldStart
from keras_legacy_train.estimator.spec import EstimatorSpec
from keras_legacy_train.estimator.summary_callback import SummaryCallback
from keras_legacy_train.estimator.training_log import TrainingLog
from keras_legacy_train.estimator.warm_start import as_settings, warm_start
from keras_legacy_train.graph import arguments as graph_arguments
from keras_legacy_train.graph.saving.savers import has_own_methods
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.monitors import RunHookAdapterForMonitors
from keras_legacy_train.summaries import get_summary_writer
from keras_legacy_train.training.graph import GraphTraining, train_graph
from keras_legacy_train.training.options import TrainingOptions

_KEYS = tf.compat.v1.GraphKeys


class Estimator:
    """Trains, evaluates and uses a model that a function builds; stands for `tf.estimator.Estimator`.

    `train`, `evaluate` and `predict` each call `input_fn` and the model function in a new graph. Training
    goes on from the newest checkpoint in `model_dir`. Subclasses may add methods, but not override these.

    In a cluster, which `TF_CONFIG` describes, the variables lie on the parameter servers. The chief alone
    initialises, restores and saves them, runs `training_chief_hooks` and calls saving listeners.

    ```python
    import tensorflow.compat.v1 as tf

    from keras_legacy_train import estimator

    def model_fn(features, labels, mode, params):
        predictions = tf.get_variable("weight", []) * features["x"]
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.EstimatorSpec(mode, {"y": predictions})
        loss = tf.reduce_mean(tf.square(predictions - labels))
        optimizer = tf.train.GradientDescentOptimizer(params["learning_rate"])
        train_op = optimizer.minimize(loss, tf.train.get_global_step())
        return estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    def input_fn():
        return tf.data.Dataset.from_tensor_slices(({"x": [1.0, 2.0]}, [3.0, 6.0])).batch(2)

    model = estimator.Estimator(model_fn, output_dir, params={"learning_rate": 0.1})
    model.train(lambda: input_fn().repeat(), steps=100)
    results = model.evaluate(input_fn)
    outputs = list(model.predict(input_fn))
    ```

    Args:
        model_fn: Builds the model. It is called with `features`, and those of `labels`, `mode`, `params` and
            `config` that it takes; it returns an `EstimatorSpec`.
        model_dir: Directory of checkpoints and event files; by default that of `config`, else a temporary
            one.
        config: A `RunConfig`.
        params: Passed on to `model_fn` and the input functions, where they take it.
        warm_start_from: What variables begin with where there is no checkpoint: a `WarmStartSettings`; or the
            path of a checkpoint, of a directory of them or of a SavedModel, for all trainable variables.

    Raises:
        ValueError: An argument cannot be right, or a subclass overrides a method.
    """

    def __init__(
        self,
        model_fn: Callable[..., EstimatorSpec],
        model_dir: str | os.PathLike[str] | None = None,
        config: RunConfig | None = None,
        params: Any = None,
        warm_start_from: Any = None,
    ):
        self._assert_members_are_not_overridden()
        self._config = complete_config(config, model_dir)
        self._model_dir = str(self._config.model_dir)
        self._session_config = self._config.session_config
        log.info("Using config: %s", vars(self._config))
        check_model_fn(model_fn, params)
        self._model_fn = model_fn
        self._params = copy.deepcopy(params or {})
        self._warm_start_settings = as_settings(warm_start_from)
        self._kept_evaluation: BuiltEvaluation | None = None
        self._is_training = False
        self._kept_prediction: Prediction | None = None

    @property
    def model_dir(self) -> str:
        """Returns the directory of checkpoints and event files."""
        return self._model_dir

    @property
    def config(self) -> RunConfig:
        """Returns a copy of the configuration."""
        return copy.deepcopy(self._config)

    @property
    def params(self) -> Any:
        """Returns a copy of the parameters."""
        return copy.deepcopy(self._params)

    @property
    def model_fn(self) -> Callable[..., EstimatorSpec]:
        """Returns the model function with the parameters filled in: `f(features, labels, mode, config)`."""

        def model_fn(features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
            return self._call_model_fn(features, labels, mode, config)

        return model_fn

    def train(
        self,
        input_fn: Callable[..., Any],
        hooks: Iterable[tf.compat.v1.train.SessionRunHook] | None = None,
        steps: int | None = None,
        max_steps: int | None = None,
        saving_listeners: Iterable[tf.compat.v1.train.CheckpointSaverListener] | None = None,
        *,
        save_input_state: bool = False,
    ) -> Estimator:
        """Trains the model, from the newest checkpoint in `model_dir` on.

        Args:
            input_fn: Returns the training data: a `tf.data.Dataset` of batches `(features, labels)`, or such
                a pair of tensors or structures of tensors. It may take `mode`, `params` and `config`.
            hooks: `SessionRunHook`s.
            steps: How many steps to run; `None` for no limit but the end of the input.
            max_steps: The global step at which training ends, in the place of `steps`.
            saving_listeners: `CheckpointSaverListener`s, called before and after each checkpoint.
            save_input_state: Whether checkpoints hold the position in the dataset, so that a later call goes
                on with the next batch.

        Returns:
            The Estimator itself.

        Raises:
            ValueError: An argument or what the functions return cannot be right; or this process is one of a
                cluster that does not train, or cannot.
            TypeError: A hook or listener is of another type.
            ServerUnreachableError: A parameter server does not answer.
            ModelNotReadyError: The chief of the cluster has not given the variables their values in time.
            CheckpointMismatchError: The newest checkpoint does not fit the model. No step has run.
            NanLossDuringTrainingError: The loss is NaN. The newest checkpoint is still a good one.
            Exception: As `keras_legacy_train.train` raises.
        """
        self._check_task()
        steps, max_steps = check_steps(steps, max_steps)
        if max_steps is not None and max_steps <= self._saved_step():
            log.info("Skipping training since max_steps has already saved.")
            return self
        with self._training():
            loss = self._train_model(
                input_fn,
                check_hooks(hooks),
                check_listeners(saving_listeners),
                steps=steps,
                max_steps=max_steps,
                save_input_state=save_input_state,
            )
        log.info("Loss for final step: %s.", loss)
        return self

    def evaluate(
        self,
        input_fn: Callable[..., Any],
        steps: int | None = None,
        hooks: Iterable[tf.compat.v1.train.SessionRunHook] | None = None,
        checkpoint_path: str | os.PathLike[str] | None = None,
        name: str | None = None,
    ) -> dict[str, Any]:
        """Evaluates the model, and writes the results to an event file in `eval_dir(name)`.

        Args:
            input_fn: Returns the data; see `train`.
            steps: How many batches to evaluate; `None` for all.
            hooks: `SessionRunHook`s.
            checkpoint_path: The checkpoint to evaluate; by default the newest in `model_dir`. If there is
                none, new values are.
            name: Distinguishes the results of several evaluations.

        Returns:
            The metrics of the model function by name, `loss`, the mean over the batches, and `global_step`.

        Raises:
            ValueError: An argument or what the functions return cannot be right.
            TypeError: A hook is of another type.
            CheckpointMismatchError: The checkpoint does not fit the model.
        """
        hooks = check_hooks(hooks)
        if steps is not None and steps <= 0:
            raise ValueError(f"Must specify steps > 0, given: {steps}")
        checkpoint = self._checkpoint(checkpoint_path, "evaluate")
        steps = arguments.as_steps("steps", steps)
        evaluation = self._build_evaluation(input_fn, hooks, checkpoint)
        results, can_be_repeated = evaluation.run(self._restoring(evaluation, checkpoint), steps)
        if can_be_repeated:
            self._kept_evaluation = evaluation
        write_results(self.eval_dir(name), results, checkpoint)
        return results

    def predict(
        self,
        input_fn: Callable[..., Any],
        predict_keys: str | Iterable[str] | None = None,
        hooks: Iterable[tf.compat.v1.train.SessionRunHook] | None = None,
        checkpoint_path: str | os.PathLike[str] | None = None,
        yield_single_examples: bool = True,
    ) -> Iterator[Any]:
        """Yields the predictions of the model, until the input ends.

        Args:
            input_fn: Returns the data; see `train`. Labels are not used.
            predict_keys: Which predictions to yield, if these are a dict; `None` for all.
            hooks: `SessionRunHook`s.
            checkpoint_path: The checkpoint to use; by default the newest in `model_dir`. If there is none,
                new values are used.
            yield_single_examples: Whether each example is yielded on its own, not each batch.

        Yields:
            The predictions, NumPy arrays by the names that the model function has given them; or one array,
            if they have no names.

        Raises:
            ValueError: An argument or what the functions return cannot be right; or the predictions of a
                batch have several lengths, and examples are to be yielded.
            TypeError: A hook is of another type.
            CheckpointMismatchError: The checkpoint does not fit the model.
        """
        hooks = check_hooks(hooks)
        checkpoint = self._checkpoint(checkpoint_path, "predict")
        prediction = self._build_prediction(input_fn, hooks, checkpoint)
        fetches = chosen(prediction.spec.predictions, predict_keys)
        with prediction.restored(self._restoring(prediction, checkpoint)) as run:
            for outputs in prediction.batches(run, fetches):
                yield from examples(outputs) if yield_single_examples else [outputs]
        if prediction.keep(run):
            self._kept_prediction = prediction

    def export_saved_model(
        self,
        export_dir_base: str | os.PathLike[str],
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: Mapping[str, Any] | None = None,
        as_text: bool = False,
        checkpoint_path: str | os.PathLike[str] | None = None,
        experimental_mode: str = ModeKeys.PREDICT,
    ) -> bytes:
        """Exports the model as a SavedModel, to a new directory in `export_dir_base` called after the time.

        It has a signature for each of the model's `export_outputs`, as TensorFlow Serving knows them. It is
        loaded by `tf.saved_model.load`, and by the loader of TensorFlow 1.

        ```python
        import tensorflow.compat.v1 as tf

        from keras_legacy_train import estimator

        def model_fn(features, labels, mode):
            predictions = tf.get_variable("weight", []) * features["x"]
            loss = tf.reduce_mean(tf.square(predictions - 3.0))
            train_op = tf.assign_add(tf.train.get_global_step(), 1)
            return estimator.EstimatorSpec(mode, {"y": predictions}, loss, train_op)

        model = estimator.Estimator(model_fn, output_dir)
        model.train(lambda: tf.data.Dataset.from_tensors({"x": [1.0]}), steps=1)
        receiver_fn = estimator.export.build_raw_serving_input_receiver_fn({"x": tf.zeros([1])})
        path = model.export_saved_model(f"{output_dir}/export", receiver_fn)
        serve = tf.saved_model.load_v2(path.decode()).signatures["serving_default"]
        ```

        Args:
            export_dir_base: Where to make the directory.
            serving_input_receiver_fn: Returns what the exported model is given, a
                `export.ServingInputReceiver` or `export.TensorServingInputReceiver`.
            assets_extra: Paths of files to copy into the SavedModel, by their places in its directory
                `assets.extra`.
            as_text: Whether to write the graph as text.
            checkpoint_path: The checkpoint to export; by default the newest in `model_dir`.
            experimental_mode: The mode of the exported graph. For another than `PREDICT`, the receiver
                function is one of `export.build_raw_supervised_input_receiver_fn`.

        Returns:
            The path of the new directory.

        Raises:
            ValueError: There is no receiver function, no checkpoint or no such mode, or what the functions
                return cannot be right.
            CheckpointMismatchError: The checkpoint does not fit the model.
        """
        if serving_input_receiver_fn is None:
            raise ValueError("An input_receiver_fn must be defined.")
        receiver_fns = {experimental_mode: serving_input_receiver_fn}
        return self._export(export_dir_base, receiver_fns, assets_extra, as_text, checkpoint_path)

    def experimental_export_all_saved_models(
        self,
        export_dir_base: str | os.PathLike[str],
        input_receiver_fn_map: Mapping[str, Callable[[], Any]],
        assets_extra: Mapping[str, Any] | None = None,
        as_text: bool = False,
        checkpoint_path: str | os.PathLike[str] | None = None,
    ) -> bytes:
        """Exports the graphs of several modes as one SavedModel; see `export_saved_model`.

        The variables are those of the graph for training if it is exported, else of that for evaluation, else
        of that for prediction. The tags of the graphs are `"train"`, `"eval"` and `"serve"`.

        Args:
            export_dir_base: Where to make the directory.
            input_receiver_fn_map: The receiver functions by mode.
            assets_extra: Paths of files to copy, by their places in `assets.extra`.
            as_text: Whether to write the graphs as text.
            checkpoint_path: The checkpoint to export; by default the newest in `model_dir`.

        Returns:
            The path of the new directory.

        Raises:
            ValueError: There is no mode or no checkpoint, or what the functions return cannot be right.
            CheckpointMismatchError: The checkpoint does not fit the model in one of the modes.
        """
        return self._export(export_dir_base, input_receiver_fn_map, assets_extra, as_text, checkpoint_path)

    def export_savedmodel(
        self,
        export_dir_base: str | os.PathLike[str],
        serving_input_receiver_fn: Callable[[], Any],
        assets_extra: Mapping[str, Any] | None = None,
        as_text: bool = False,
        checkpoint_path: str | os.PathLike[str] | None = None,
        strip_default_attrs: bool = False,
    ) -> bytes:
        """Exports the model as a SavedModel; the older name of `export_saved_model`.

        Args:
            export_dir_base: Where to make the directory.
            serving_input_receiver_fn: Returns what the exported model is given.
            assets_extra: Paths of files to copy, by their places in `assets.extra`.
            as_text: Whether to write the graph as text.
            checkpoint_path: The checkpoint to export; by default the newest in `model_dir`.
            strip_default_attrs: Whether to leave out the attributes of operations that have default values.

        Returns:
            The path of the new directory.

        Raises:
            ValueError: There is no receiver function or no checkpoint, or what the functions return cannot be
                right.
            CheckpointMismatchError: The checkpoint does not fit the model.
        """
        if serving_input_receiver_fn is None:
            raise ValueError("An input_receiver_fn must be defined.")
        receiver_fns = {ModeKeys.PREDICT: serving_input_receiver_fn}
        return self._export(
            export_dir_base, receiver_fns, assets_extra, as_text, checkpoint_path, strip_default_attrs
        )

    def eval_dir(self, name: str | None = None) -> str:
        """Returns the directory that an evaluation writes its results to.

        Args:
            name: The name of the evaluation; see `evaluate`.
        """
        return os.path.join(self._model_dir, f"eval_{name}" if name else "eval")

    def get_variable_names(self) -> list[str]:
        """Returns the names of the variables in the newest checkpoint.

        Raises:
            ValueError: There is no checkpoint.
        """
        dtypes = tf.train.load_checkpoint(self._trained_checkpoint()).get_variable_to_dtype_map()
        return sorted(name for name, dtype in dtypes.items() if not _is_bookkeeping(name, dtype))

    def get_variable_value(self, name: str) -> Any:
        """Returns the value of a variable in the newest checkpoint, a NumPy array.

        Args:
            name: Its name.

        Raises:
            ValueError: There is no checkpoint.
            tf.errors.NotFoundError: There is no such variable in it.
        """
        return tf.train.load_variable(self._trained_checkpoint(), name)

    def latest_checkpoint(self) -> str | None:
        """Returns the prefix of the newest checkpoint in `model_dir`; `None` if there is none."""
        newest: str | None = tf.train.latest_checkpoint(self._model_dir)
        return newest

    # What follows is for this package, and for subclasses that change how a graph is built.

    def _assert_members_are_not_overridden(self) -> None:
        check_not_overridden(Estimator, self)

    def _call_input_fn(self, input_fn: Callable[..., Any], mode: str) -> Any:
        return call_input_fn(input_fn, mode, self.params, self.config)

    def _call_model_fn(self, features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        return call_model_fn(self._model_fn, features, labels, mode, self.params, config)

    def _create_and_assert_global_step(self, graph: tf.Graph) -> Any:
        return create_global_step(graph)

    @contextlib.contextmanager
    def _new_graph(self, device_fn: Callable[[tf.Operation], Any] | None = None) -> Iterator[tf.Graph]:
        """Makes a graph with a global step the default one, as every mode needs it."""
        with tf.Graph().as_default() as graph, graph.device(device_fn):
            tf.compat.v1.set_random_seed(self._config.tf_random_seed)
            self._create_and_assert_global_step(graph)
            yield graph

    def _maybe_warm_start(self, checkpoint: str | None) -> None:
        """Warm-starts the variables of the default graph, if there is no checkpoint and they should be."""
        if checkpoint is None and self._warm_start_settings is not None:
            warm_start(self._warm_start_settings)

    def _checkpoint(self, path: Any, purpose: str) -> str | None:
        """Returns the checkpoint that a path means, by default the newest intact one; `None` if none is."""
        given = optional_checkpoint_prefix("checkpoint_path", path)
        if given is not None:
            return given
        with _tensorflow.eager_mode():  # a monitor may ask, within the graph of the training
            newest = CheckpointIndex(self._model_dir).find_latest()
        if newest is None:
            log.info(
                "Could not find trained model in model_dir: %s, running initialization to %s.",
                self._model_dir,
                purpose,
            )
        return newest

    def _build_evaluation(
        self, input_fn: Callable[..., Any], hooks: Sequence[Any], checkpoint: str | None
    ) -> BuiltEvaluation:
        """Builds what evaluates the model; where an earlier one computes the same, returns that.

        Args:
            input_fn: See `evaluate`.
            hooks: See `evaluate`.
            checkpoint: The checkpoint that will be evaluated, if it is one: without one, a model may be
                warm-started.
        """
        kept, self._kept_evaluation = self._kept_evaluation, None  # nobody else has it meanwhile
        with self._new_graph() as graph:
            result = self._call_input_fn(input_fn, ModeKeys.EVAL)
            input_text = input_fingerprint(graph, result) if self._is_training else None
            if kept is not None and input_text and kept.input_text == input_text and checkpoint and not hooks:
                return kept  # the same `train` has called the model function for this input already
            given = as_input(result, ModeKeys.EVAL)
            spec = self._call_model_fn(given.features, given.labels, ModeKeys.EVAL, self.config)
            self._maybe_warm_start(checkpoint)
            evaluation = BuiltEvaluation(graph, spec, given, [*hooks, *spec.evaluation_hooks])
        if kept is not None and kept.is_same(evaluation):
            evaluation = kept
        evaluation.input_text = input_text
        return evaluation

    @contextlib.contextmanager
    def _training(self) -> Iterator[None]:
        """Knows, while it is entered, which evaluation the training that is under way has made."""
        self._is_training = True
        try:
            yield
        finally:
            self._is_training = False
            if self._kept_evaluation is not None:
                self._kept_evaluation.input_text = None

    def _build_prediction(
        self, input_fn: Callable[..., Any], hooks: Sequence[Any], checkpoint: str | None
    ) -> Prediction:
        """Builds what predicts; see `_build_evaluation`."""
        with self._new_graph() as graph:
            given = as_input(self._call_input_fn(input_fn, ModeKeys.PREDICT), ModeKeys.PREDICT)
            _warn_if_endless(graph)
            spec = self._call_model_fn(given.features, None, ModeKeys.PREDICT, self.config)
            self._maybe_warm_start(checkpoint)
            prediction = Prediction(graph, spec, given, [*hooks, *spec.prediction_hooks])
        kept, self._kept_prediction = self._kept_prediction, None
        return kept if kept is not None and kept.is_same(prediction) else prediction

    def _restoring(self, built: BuiltGraph, checkpoint: str | None) -> Callable[[GraphSession], None] | None:
        """Returns what gives a graph the values of a checkpoint; `None` if there is none."""
        if checkpoint is None:
            return None
        return restored_from(checkpoint, _own_saver(built.graph, built.spec))

    def _trained_checkpoint(self) -> str:
        checkpoint = self.latest_checkpoint()
        if checkpoint is None:
            raise ValueError(f"Could not find trained model in model_dir: {self._model_dir}.")
        return checkpoint

    def _export(
        self,
        export_dir_base: Any,
        receiver_fns: Mapping[str, Callable[[], Any]],
        assets_extra: Mapping[str, Any] | None,
        as_text: bool,
        checkpoint_path: Any,
        strip_default_attrs: bool = True,
    ) -> bytes:
        """Builds the graph of each mode that has a receiver function, and writes the SavedModel of them."""
        checkpoint = self._checkpoint_to_export(checkpoint_path)
        graphs = []
        # The first one has the variables: none that training has is missing then.
        for mode in (ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.PREDICT):
            if not receiver_fns.get(mode):
                continue
            with self._new_graph():
                receiver = call_receiver_fn(mode, receiver_fns[mode])
                labels = getattr(receiver, "labels", None)
                spec = self._call_model_fn(receiver.features, labels, mode, self.config)
                graphs.append(ExportedGraph.of(mode, receiver, spec))
        if not graphs:
            raise ValueError(f"No valid modes for exporting found. Got {receiver_fns.keys()}.")
        return write_saved_model(
            export_dir_base, graphs, checkpoint, assets_extra, as_text, strip_default_attrs
        )

    def _checkpoint_to_export(self, path: Any) -> str:
        given = optional_checkpoint_prefix("checkpoint_path", path)
        checkpoint = given or CheckpointIndex(self._model_dir).find_latest()
        if checkpoint is None and self._warm_start_settings is not None:
            checkpoint = checkpoint_prefix(
                "warm_start_from", self._warm_start_settings.ckpt_to_initialize_from
            )
        if checkpoint is None:
            raise ValueError(f"Couldn't find trained model at {self._model_dir}.")
        return checkpoint

    def _saved_step(self) -> int:
        newest = self.latest_checkpoint()
        return 0 if newest is None else int(read_variable(newest, _KEYS.GLOBAL_STEP) or 0)

    def _check_task(self) -> None:
        """Checks that this process is one that trains."""
        config = self._config
        if config.task_type in (TaskType.EVALUATOR, TaskType.PS):
            raise ValueError(
                "Train has been called wrong configuration. Please use tf.estimator.train_and_evaluate which"
                f" calls proper API according to given configuration. Current configuration: {self.config}."
            )
        if config.num_worker_replicas > 1 and not config.num_ps_replicas:
            raise ValueError(
                f"The cluster {config.cluster_spec.as_dict()} has {config.num_worker_replicas} tasks that"
                ' train, and no "ps" to hold the variables that they share. Add one, or unset TF_CONFIG to'
                " train in this process alone."
            )

    def _cluster(self) -> Cluster | None:
        """Returns the servers that the variables of a training lie on; `None` for this process."""
        config = self._config
        task = Task(config.task_type, config.task_id, config.is_chief) if config.cluster_spec else None
        seconds = config.session_creation_timeout_secs
        timeout = math.inf if seconds is None else seconds
        return cluster_of(config.cluster_spec, task, config.master, timeout, name="master")

    def _device_fn(self) -> Callable[[tf.Operation], Any] | None:
        """Returns what decides on which device an operation of a training is."""
        config = self._config
        if config.device_fn is not None or not config.num_ps_replicas:
            return config.device_fn
        setter: Callable[[tf.Operation], Any] = tf.compat.v1.train.replica_device_setter(
            ps_tasks=config.num_ps_replicas,
            worker_device=f"/job:{config.task_type or TaskType.WORKER}/task:{config.task_id}",
            cluster=config.cluster_spec,
        )
        return setter

    def _train_model(
        self,
        input_fn: Callable[..., Any],
        hooks: Sequence[Any],
        saving_listeners: Sequence[tf.compat.v1.train.CheckpointSaverListener] = (),
        *,
        steps: int | None = None,
        max_steps: int | None = None,
        save_input_state: bool = False,
    ) -> Any:
        """Builds the graph and trains it.

        Args:
            input_fn: See `train`.
            hooks: Session hooks, and monitors.
            saving_listeners: See `train`.
            steps: See `train`.
            max_steps: See `train`.
            save_input_state: See `train`.

        Returns:
            The loss of the last step, `None` if no step ran.
        """
        config, cluster, device_fn = self._config, self._cluster(), self._device_fn()
        if not config.is_chief:
            saving_listeners = ()
        with self._new_graph(device_fn) as graph:
            _tensorflow.add_global_step_read(graph)
            given = as_input(self._call_input_fn(input_fn, ModeKeys.TRAIN), ModeKeys.TRAIN)
            check_not_empty(given)
            spec = self._call_model_fn(given.features, given.labels, ModeKeys.TRAIN, self.config)
            if config.is_chief:
                self._maybe_warm_start(self.latest_checkpoint())
            if not any(summary.op.name == "loss" for summary in graph.get_collection(_KEYS.SUMMARIES)):
                tf.compat.v1.summary.scalar("loss", spec.loss)
            graph.add_to_collection(_KEYS.LOSSES, spec.loss)
            own_saver = _own_saver(graph, spec)
            if own_saver is None:
                saver = tf.compat.v1.train.Saver(
                    sharded=True,
                    max_to_keep=config.keep_checkpoint_max,
                    keep_checkpoint_every_n_hours=config.keep_checkpoint_every_n_hours,
                    defer_build=True,
                    save_relative_paths=True,
                )
                graph.add_to_collection(_KEYS.SAVERS, saver)
            global_step = graph_arguments.as_global_step(graph, None)
        has_methods = own_saver is not None and has_own_methods(own_saver)
        keep_max, keep_every_n_hours = config.keep_checkpoint_max, config.keep_checkpoint_every_n_hours
        if own_saver is not None and not has_methods:
            keep_max, keep_every_n_hours = _tensorflow.saver_limits(own_saver)
        chief_hooks = spec.training_chief_hooks if config.is_chief else ()
        watchers = [*chief_hooks, *hooks, *spec.training_hooks]
        if cluster is not None and steps is not None:
            # They count from the step that this process begins at, which others raise at the same time.
            watchers.append(tf.compat.v1.train.StopAtStepHook(num_steps=steps))
            steps = None
        saves = bool(config.save_checkpoints_steps or config.save_checkpoints_secs)
        saver_hooks = [h for h in watchers if isinstance(h, tf.compat.v1.train.CheckpointSaverHook)]
        if has_methods and saves and config.is_chief and not saver_hooks:
            saver_hooks = [self._saver_hook(own_saver)]
            watchers = saver_hooks + watchers
        if saving_listeners and saver_hooks:
            _tensorflow.add_saving_listeners(saver_hooks[0], saving_listeners)
        elif saving_listeners and not saves:
            raise ValueError(
                "There should be a CheckpointSaverHook to use saving_listeners. Please set one of the"
                " RunConfig.save_checkpoints_steps or RunConfig.save_checkpoints_secs."
            )
        saves = saves and not saver_hooks
        training = GraphTraining(
            graph,
            [spec.train_op],
            spec.loss,
            global_step,
            ScaffoldStart(spec.scaffold, given.initializers),
            saver=own_saver,
            services=self._services(spec, global_step),
            has_default_monitors=False,
            saves_graph=config.checkpoint_save_graph_def,
            cluster=cluster,
        )
        options = TrainingOptions.checked(
            monitors=watchers,
            steps=steps,
            max_steps=max_steps,
            is_chief=config.is_chief,
            log_every_steps=None,
            save_secs=config.save_checkpoints_secs,
            save_steps=config.save_checkpoints_steps or None,
            save_summaries_steps=None,
            saves=saves,
            saving_listeners=saving_listeners if saves else (),
            saves_before_monitors=any(isinstance(each, RunHookAdapterForMonitors) for each in watchers),
            keep_checkpoint_max=keep_max,
            keep_checkpoint_every_n_hours=keep_every_n_hours,
            save_input_state=save_input_state,
            required_input=None if cluster else "input_fn",  # in a cluster others may have done all
            progress_bar=False,
        )
        with _tensorflow.eager_mode(), graph.device(device_fn):  # hooks may add variables
            loss = train_graph(training, self._model_dir, options)
        if loss is None:
            log.warning("Training with estimator made no steps. Perhaps input is empty or misspecified.")
        return loss

    def _saver_hook(self, saver: tf.compat.v1.train.Saver) -> tf.compat.v1.train.CheckpointSaverHook:
        """Returns what calls the methods of a Saver that has its own."""
        return tf.compat.v1.train.CheckpointSaverHook(
            self._model_dir,
            save_secs=self._config.save_checkpoints_secs,
            save_steps=self._config.save_checkpoints_steps,
            saver=saver,
            save_graph_def=self._config.checkpoint_save_graph_def,
        )

    def _services(self, spec: EstimatorSpec, global_step: str) -> list[LoopCallback]:
        """Returns what writes the log lines and the summaries of a training."""
        config = self._config
        writes = config.is_chief
        if {TaskType.MASTER, TaskType.WORKER} <= set(config.cluster_spec.jobs):
            # A master evaluates in between, which would leave gaps.
            writes = (config.task_type, config.task_id) == (TaskType.WORKER, 0)
        writer = get_summary_writer(self._model_dir) if writes else None
        services: list[LoopCallback] = []
        if config.log_step_count_steps is not None:
            services.append(TrainingLog(config.log_step_count_steps, f"{global_step}/sec", writer))
        if config.save_summary_steps and writer is not None:
            services.append(SummaryCallback(spec.scaffold, config.save_summary_steps, writer))
        return services


def _is_bookkeeping(key: str, dtype: tf.DType) -> bool:
    """Returns whether a key of a checkpoint is not the name of a variable."""
    if key.endswith("/state"):  # the position of an iterator
        return dtype in (tf.string, tf.variant)
    return key == "_CHECKPOINTABLE_OBJECT_GRAPH" or key.endswith(
        (".ATTRIBUTES/VARIABLE_VALUE", "/random_state")
    )


def _own_saver(graph: tf.Graph, spec: EstimatorSpec) -> tf.compat.v1.train.Saver | None:
    """Returns the Saver that the model function has made, if it has made one."""
    return spec.scaffold.saver or next(iter(graph.get_collection(_KEYS.SAVERS)), None)


def _warn_if_endless(graph: tf.Graph) -> None:
    ends = any(op.type == "IteratorGetNext" for op in graph.get_operations())
    if not ends and not graph.get_collection(_KEYS.QUEUE_RUNNERS):
        log.warning(
            "Input graph does not use tf.data.Dataset or contain a QueueRunner. That means predict yields"
            " forever. This is probably a mistake."
        )
