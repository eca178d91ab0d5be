"""Trains a model by one train op; stands for `tf.contrib.slim.learning`."""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow, framework
from keras_legacy_train.contrib import training
from keras_legacy_train.contrib._missing import module_getattr
from keras_legacy_train.contrib.training import clip_gradient_norms, multiply_gradients
from keras_legacy_train.contrib.training.gradients import GradientsAndVariables, summarize
from keras_legacy_train.contrib.training.loops import OurTraining, check_unused, uses_our_loop
from keras_legacy_train.estimator import log
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Steps

__all__ = [
    "add_gradients_summaries",
    "clip_gradient_norms",
    "create_train_op",
    "multiply_gradients",
    "train",
    "train_step",
]

__getattr__ = module_getattr(__name__, __all__)

_tf_train = tf.compat.v1.train

# Stands for a default that cannot be written as a value.
_USE_DEFAULT: Any = 0


def _is_default(value: Any) -> bool:
    return isinstance(value, int) and value == _USE_DEFAULT


def add_gradients_summaries(grads_and_vars: Iterable[tuple[Any, tf.Variable]]) -> list[tf.Tensor]:
    """Adds summaries of gradients; stands for `tf.contrib.slim.learning.add_gradients_summaries`.

    Args:
        grads_and_vars: Pairs of a gradient and its variable.

    Returns:
        The summary ops: of each gradient a histogram, `NAME/gradient`, and the norm, `NAME/gradient_norm`.
    """
    return summarize(grads_and_vars, "/")


def create_train_op(
    total_loss: tf.Tensor,
    optimizer: tf.compat.v1.train.Optimizer,
    global_step: Any = _USE_DEFAULT,
    update_ops: Iterable[Any] | None = None,
    variables_to_train: Sequence[tf.Variable] | None = None,
    clip_gradient_norm: float = 0,
    summarize_gradients: bool = False,
    gate_gradients: int = _tf_train.Optimizer.GATE_OP,
    aggregation_method: int | None = None,
    colocate_gradients_with_ops: bool = False,
    gradient_multipliers: Mapping[Any, Any] | None = None,
    check_numerics: bool = True,
) -> tf.Tensor:
    """Returns a loss that trains when it is computed; stands for `tf.contrib.slim.learning.create_train_op`.

    Args:
        total_loss: The loss.
        optimizer: The optimizer.
        global_step: The variable that counts the steps; by default the graph's, made if there is none. `None`
            for none.
        update_ops: What runs before the loss is computed; by default the collection `UPDATE_OPS`.
        variables_to_train: What is trained; by default all trainable variables.
        clip_gradient_norm: The largest norm of a gradient; 0 for no limit.
        summarize_gradients: Whether the gradients have summaries.
        gate_gradients: See `tf.compat.v1.train.Optimizer.compute_gradients`.
        aggregation_method: See there.
        colocate_gradients_with_ops: See there.
        gradient_multipliers: Factors of gradients, by variable or by the name of its op.
        check_numerics: Whether a loss that is not finite is an error.

    Returns:
        The loss, as a tensor that has trained once it has its value. It is in the collection `TRAIN_OP`.

    Raises:
        ValueError: There is nothing to train, or a variable is not trainable, or one with a factor has no
            gradient.
    """

    def transform(gradients: GradientsAndVariables) -> GradientsAndVariables:
        if gradient_multipliers:
            with tf.compat.v1.name_scope("multiply_grads"):
                gradients = multiply_gradients(gradients, gradient_multipliers)
        if clip_gradient_norm > 0:
            with tf.compat.v1.name_scope("clip_grads"):
                gradients = clip_gradient_norms(gradients, clip_gradient_norm)
        return gradients

    return training.create_train_op(
        total_loss,
        optimizer,
        global_step,
        update_ops,
        variables_to_train,
        transform,
        summarize_gradients,
        gate_gradients,
        aggregation_method,
        colocate_gradients_with_ops,
        check_numerics,
    )


def train_step(
    sess: Any, train_op: Any, global_step: Any, train_step_kwargs: Mapping[str, Any]
) -> tuple[Any, bool]:
    """Runs one step; stands for `tf.contrib.slim.learning.train_step`.

    Args:
        sess: The session.
        train_op: The loss, a tensor that trains when it is computed.
        global_step: The variable that counts the steps.
        train_step_kwargs: Boolean tensors by name: `should_log` for a line in the log, `should_stop` for the
            end of the training, `should_trace` for a trace of the step, which is written to `logdir`, and to
            `summary_writer`.

    Returns:
        The loss, and whether to stop.

    Raises:
        ValueError: There is `should_trace`, but no `logdir`.
    """
    start = time.perf_counter()
    options = metadata = None
    if "should_trace" in train_step_kwargs:
        if "logdir" not in train_step_kwargs:
            raise ValueError("logdir must be present in train_step_kwargs when should_trace is present")
        if sess.run(train_step_kwargs["should_trace"]):
            options = tf.compat.v1.RunOptions(trace_level=tf.compat.v1.RunOptions.FULL_TRACE)
            metadata = tf.compat.v1.RunMetadata()
    total_loss = sess.run(train_op, options=options, run_metadata=metadata)
    seconds = time.perf_counter() - start
    # In one call with the train op, the step might be read before it is raised.
    wanted = {
        name: train_step_kwargs[name] for name in ("should_log", "should_stop") if name in train_step_kwargs
    }
    step, told = sess.run([global_step, wanted])
    if metadata is not None:
        _write_trace(metadata, step, train_step_kwargs)
    if told.get("should_log", False):
        log.info("global step %d: loss = %.4f (%.3f sec/step)", step, total_loss, seconds)
    return total_loss, told.get("should_stop", False)


def _write_trace(metadata: Any, step: int, train_step_kwargs: Mapping[str, Any]) -> None:
    path = os.path.join(train_step_kwargs["logdir"], f"tf_trace-{step}.json")
    log.info("Writing trace to %s", path)
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(_tensorflow.chrome_trace(metadata))
    if "summary_writer" in train_step_kwargs:
        train_step_kwargs["summary_writer"].add_run_metadata(metadata, f"run_metadata-{step}")


def train(
    train_op: Any,
    logdir: str | os.PathLike[str] | None,
    train_step_fn: Callable[[Any, Any, Any, Any], tuple[Any, Any]] = train_step,
    train_step_kwargs: Any = _USE_DEFAULT,
    log_every_n_steps: int = 1,
    graph: tf.Graph | None = None,
    master: str = "",
    is_chief: bool = True,
    global_step: Any = None,
    number_of_steps: int | None = None,
    init_op: Any = _USE_DEFAULT,
    init_feed_dict: Mapping[Any, Any] | None = None,
    local_init_op: Any = _USE_DEFAULT,
    init_fn: Callable[[Any], Any] | None = None,
    ready_op: Any = _USE_DEFAULT,
    summary_op: Any = _USE_DEFAULT,
    save_summaries_secs: float = 600,
    summary_writer: Any = _USE_DEFAULT,
    startup_delay_steps: int = 0,
    saver: Any = None,
    save_interval_secs: float = 600,
    sync_optimizer: Any = None,
    session_config: Any = None,
    session_wrapper: Callable[[Any], Any] | None = None,
    trace_every_n_steps: int | None = None,
    ignore_live_threads: bool = False,
) -> Any:
    """Trains for a number of steps, or until the input ends; stands for `tf.contrib.slim.learning.train`.

    It runs in a session of a `tf.compat.v1.train.Supervisor`, within `contrib.training.our_loop()` in the
    loop of `keras_legacy_train.train`.

    Args:
        train_op: The loss, a tensor that trains when it is computed, as `create_train_op` returns it.
        logdir: Where checkpoints and event files are written; `None` for none.
        train_step_fn: Runs a step; called with the session, `train_op`, the global step and
            `train_step_kwargs`; returns the loss and whether to stop.
        train_step_kwargs: What `train_step_fn` gets; by default what `train_step` takes.
        log_every_n_steps: Steps from one line in the log to the next; 0 for none.
        graph: The graph; by default the default graph.
        master: The TensorFlow master.
        is_chief: Whether this process initialises the model and writes.
        global_step: The variable that counts the steps; by default the graph's.
        number_of_steps: The global step at which training ends; `None` for no limit.
        init_op: What initialises the global variables; by default their initializers.
        init_feed_dict: Fed to `init_op`.
        local_init_op: What initialises what no checkpoint holds; by default local variables and tables.
        init_fn: Called with the session after `init_op`, where there is no checkpoint yet.
        ready_op: Returns the names of variables without a value; by default of all.
        summary_op: The summaries; by default all of the graph. `None` for none.
        save_summaries_secs: Seconds from one summary to the next.
        summary_writer: A `FileWriter`; by default one for `logdir`. `None` for none.
        startup_delay_steps: The global step that a process that is not the chief waits for.
        saver: Writes the checkpoints; by default of all variables.
        save_interval_secs: Seconds from one checkpoint to the next.
        sync_optimizer: A `SyncReplicasOptimizer`, or a list of them.
        session_config: A `ConfigProto`.
        session_wrapper: Called with the session; returns what stands for it.
        trace_every_n_steps: Steps from one trace to the next, which are written to `logdir`.
        ignore_live_threads: Whether threads that do not stop at the end are no error.

    Returns:
        The loss of the last step; `None` if no step ran.

    Raises:
        ValueError: An argument cannot be right.
    """
    if train_op is None:
        raise ValueError("train_op cannot be None.")
    if logdir is None:
        given = {"saver": saver, "trace_every_n_steps": trace_every_n_steps}
        if not _is_default(summary_op):
            given["summary_op"] = summary_op
        for name, value in given.items():
            if value is not None or name == "summary_op":
                raise ValueError(f"Cannot provide {name} because logdir=None")
    if number_of_steps is not None and number_of_steps <= 0:
        raise ValueError("`number_of_steps` must be either None or a positive number.")
    sync_optimizers = _as_sync_optimizers(sync_optimizer)
    if sync_optimizers and startup_delay_steps > 0:
        raise ValueError("startup_delay_steps must be zero when sync_optimizer is supplied.")
    graph = tf.compat.v1.get_default_graph() if graph is None else graph
    logdir = None if logdir is None else os.fspath(logdir)
    with graph.as_default():
        if global_step is None:
            global_step = framework.get_or_create_global_step()
        if _is_default(summary_op):
            summary_op = tf.compat.v1.summary.merge_all()
        start = _Start(init_op, init_feed_dict, local_init_op, init_fn, ready_op)
        if uses_our_loop():
            check_unused(
                train_step_fn=None if train_step_fn is train_step else train_step_fn,
                train_step_kwargs=None if _is_default(train_step_kwargs) else train_step_kwargs,
                sync_optimizer=sync_optimizer,
                session_wrapper=session_wrapper,
                trace_every_n_steps=trace_every_n_steps,
            )
            hooks = []
            if logdir is not None and is_chief and summary_writer is not None and save_summaries_secs:
                hooks = _summary_hooks(logdir, summary_op, summary_writer, save_summaries_secs)
            our_training = OurTraining(
                graph,
                train_op,
                global_step,
                start.scaffold(saver),
                hooks,
                [_TrainingLog(log_every_n_steps, number_of_steps, logdir is not None and is_chief)],
            )
            return our_training.run(
                logdir,
                save_secs=save_interval_secs,
                is_chief=is_chief,
                master=master,
                config=session_config,
                max_steps=number_of_steps,
            )
        saver = saver or _tf_train.Saver()
        with tf.compat.v1.name_scope("init_ops"):
            start.add_ops(sync_optimizers, is_chief)
        if is_chief and sync_optimizers:
            init_tokens_op = [each.get_init_tokens_op() for each in sync_optimizers]
            chief_queue_runners = [each.get_chief_queue_runner() for each in sync_optimizers]
        if _is_default(train_step_kwargs):
            with tf.compat.v1.name_scope("train_step"):
                train_step_kwargs = _train_step_kwargs(global_step, number_of_steps, log_every_n_steps)
                if is_chief and trace_every_n_steps is not None:
                    is_due = tf.equal(tf.math.mod(global_step, trace_every_n_steps), 0)
                    train_step_kwargs.update(should_trace=is_due, logdir=logdir)
        supervisor = _tf_train.Supervisor(
            graph=graph,
            is_chief=is_chief,
            logdir=logdir,
            init_op=start.init_op,
            init_feed_dict=init_feed_dict,
            local_init_op=start.local_init_op,
            ready_for_local_init_op=start.ready_for_local_init_op,
            ready_op=start.ready_op,
            summary_op=summary_op,
            summary_writer=_tf_train.Supervisor.USE_DEFAULT
            if _is_default(summary_writer)
            else summary_writer,
            global_step=global_step,
            saver=saver,
            save_summaries_secs=save_summaries_secs,
            save_model_secs=save_interval_secs,
            init_fn=init_fn,
        )
        if summary_writer is not None:
            train_step_kwargs["summary_writer"] = supervisor.summary_writer

        saving = threading.Lock()  # an earlier checkpoint must not end up as the newest one

        def run(session: Any) -> Any:
            log.info("Starting Session.")
            if session_wrapper is not None:
                log.info("Wrapping session with wrapper function: %s", session_wrapper)
                session = session_wrapper(session)
            if is_chief and logdir:
                _start_services(
                    supervisor, session, summary_op, save_summaries_secs, save_interval_secs, saving
                )
            elif not is_chief and startup_delay_steps > 0:
                _wait_for_step(session, global_step, min(startup_delay_steps, number_of_steps or sys.maxsize))
            threads = supervisor.start_queue_runners(session)
            log.info("Starting Queues.")
            if is_chief and sync_optimizers:
                supervisor.start_queue_runners(session, chief_queue_runners)
                session.run(init_tokens_op)
            total_loss = None
            try:
                while not supervisor.should_stop():
                    total_loss, should_stop = train_step_fn(session, train_op, global_step, train_step_kwargs)
                    if should_stop:
                        log.info("Stopping Training.")
                        supervisor.request_stop()
                        break
            except tf.errors.OutOfRangeError as error:
                log.info("Caught OutOfRangeError. Stopping Training. %s", error)
            if logdir and is_chief:
                log.info("Finished training! Saving model to disk.")
                with saving:
                    supervisor.saver.save(session, supervisor.save_path, global_step=supervisor.global_step)
                supervisor.stop(threads, close_summary_writer=True, ignore_live_threads=ignore_live_threads)
            return total_loss

        while True:
            try:
                with supervisor.managed_session(
                    master, start_standard_services=False, config=session_config
                ) as session:
                    return run(session)
            except tf.errors.AbortedError:
                log.info("Retrying training!")  # from the newest checkpoint, in another session


def _start_services(
    supervisor: Any,
    session: Any,
    summary_op: Any,
    save_summaries_secs: float,
    save_interval_secs: float,
    saving: threading.Lock,
) -> None:
    """Starts what writes summaries, the speed and checkpoints, each now and every so many seconds.

    They are the standard services of a Supervisor, which fail where eager execution is the default: their
    threads begin outside of the graph.
    """
    writer, global_step, graph = supervisor.summary_writer, supervisor.global_step, session.graph
    SessionLog = tf.compat.v1.SessionLog
    last_step, last_time = _tf_train.global_step(session, global_step), time.time()

    def write_summaries() -> None:
        with graph.as_default():
            summaries, step = session.run([summary_op, global_step])
            log.info("Recording summary at step %s.", step)
            writer.add_summary(summaries, step)

    def write_speed() -> None:
        nonlocal last_step, last_time
        with graph.as_default():
            step, now = _tf_train.global_step(session, global_step), time.time()
            tag, speed = f"{global_step.op.name}/sec", (step - last_step) / max(now - last_time, 1e-9)
            last_step, last_time = step, now
            log.info("%s: %g", tag, speed)
            value = tf.compat.v1.Summary.Value(tag=tag, simple_value=speed)
            writer.add_summary(tf.compat.v1.Summary(value=[value]), step)

    def save() -> None:
        with graph.as_default(), saving:
            log.info("Saving checkpoint to path %s", supervisor.save_path)
            supervisor.saver.save(session, supervisor.save_path, global_step=global_step)
            if writer is not None:
                step = _tf_train.global_step(session, global_step)
                path = supervisor.save_path
                writer.add_session_log(SessionLog(status=SessionLog.CHECKPOINT, checkpoint_path=path), step)

    if writer is not None:
        writer.add_session_log(SessionLog(status=SessionLog.START), last_step)
    if writer is not None and save_summaries_secs:
        if summary_op is not None:
            supervisor.loop(save_summaries_secs, write_summaries)
        supervisor.loop(save_summaries_secs, write_speed)
    if save_interval_secs:
        supervisor.loop(save_interval_secs, save)


def _as_sync_optimizers(sync_optimizer: Any) -> list[Any]:
    """Returns the list of optimizers.

    Raises:
        ValueError: One is no `SyncReplicasOptimizer`.
    """
    if sync_optimizer is None:
        return []
    optimizers = sync_optimizer if isinstance(sync_optimizer, (list, tuple)) else [sync_optimizer]
    if not all(isinstance(each, _tf_train.SyncReplicasOptimizer) for each in optimizers):
        raise ValueError("`sync_optimizer` must be a tf.train.SyncReplicasOptimizer.")
    return list(optimizers)


@dataclasses.dataclass
class _Start:
    """Says how a graph begins, as `train` documents it."""

    init_op: Any
    init_feed_dict: Mapping[Any, Any] | None
    local_init_op: Any
    init_fn: Callable[[Any], Any] | None
    ready_op: Any
    ready_for_local_init_op: Any = None

    def add_ops(self, sync_optimizers: Sequence[Any], is_chief: bool) -> None:
        """Adds the ops of the defaults to the graph."""
        if _is_default(self.init_op):
            self.init_op = tf.compat.v1.global_variables_initializer()
        if _is_default(self.ready_op):
            self.ready_op = tf.compat.v1.report_uninitialized_variables()
        if _is_default(self.local_init_op):
            self.local_init_op = tf.group(
                tf.compat.v1.local_variables_initializer(), tf.compat.v1.tables_initializer()
            )
        if sync_optimizers:
            with tf.control_dependencies([] if self.local_init_op is None else [self.local_init_op]):
                name = "chief_init_op" if is_chief else "local_step_init_op"
                self.local_init_op = tf.group(*[getattr(each, name) for each in sync_optimizers])
            self.ready_for_local_init_op = tf.group(
                *[each.ready_for_local_init_op for each in sync_optimizers]
            )

    def scaffold(self, saver: Any) -> Any:
        """Returns a scaffold that says the same."""
        init_fn = self.init_fn
        given = {
            name: None if _is_default(value) else value
            for name, value in (
                ("init_op", self.init_op),
                ("local_init_op", self.local_init_op),
                ("ready_op", self.ready_op),
            )
        }
        return _tf_train.Scaffold(
            init_feed_dict=self.init_feed_dict,
            init_fn=None if init_fn is None else lambda scaffold, session: init_fn(session),
            saver=saver,
            **given,
        )


def _train_step_kwargs(
    global_step: Any, number_of_steps: int | None, log_every_n_steps: int
) -> dict[str, Any]:
    """Returns what `train_step` takes."""
    if number_of_steps:
        kwargs = {"should_stop": tf.greater_equal(global_step, number_of_steps)}
    else:
        kwargs = {"should_stop": tf.constant(False)}
    if log_every_n_steps > 0:
        kwargs["should_log"] = tf.equal(tf.math.mod(global_step, log_every_n_steps), 0)
    return kwargs


def _wait_for_step(session: Any, global_step: Any, step: int) -> None:
    while _tf_train.global_step(session, global_step) < step:
        time.sleep(1.0)


def _summary_hooks(logdir: str, summary_op: Any, summary_writer: Any, every_secs: float) -> list[Any]:
    """Returns hooks that write what a Supervisor writes."""
    where = {"output_dir": logdir} if _is_default(summary_writer) else {"summary_writer": summary_writer}
    hooks = [_tf_train.StepCounterHook(every_n_steps=None, every_n_secs=every_secs, **where)]
    if summary_op is not None:
        hooks.append(_tf_train.SummarySaverHook(save_secs=every_secs, summary_op=summary_op, **where))
    return hooks


class _TrainingLog(LoopCallback):
    """Logs what `train` logs in a session.

    Args:
        every: Steps from one line to the next; 0 for none.
        target: The step at which training ends; `None` for no limit.
        saves: Whether there is a checkpoint at the end.
    """

    def __init__(self, every: int, target: int | None, saves: bool):
        super().__init__()
        self._every = every
        self._target = target
        self._saves = saves
        self._step = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        log.info("Starting Session.")
        log.info("Starting Queues.")

    def on_steps_end(self, steps: Steps) -> None:
        seconds = steps.seconds / len(steps)
        for step, loss in zip(steps.numbers.tolist(), steps.losses.tolist(), strict=True):
            if self._every > 0 and step % self._every == 0:
                log.info("global step %d: loss = %.4f (%.3f sec/step)", step, loss, seconds)
        self._step = steps.last

    def on_loop_end(self, reason: StopReason) -> None:
        if reason.failed:
            return
        if self._target is not None and self._step >= self._target:
            log.info("Stopping Training.")
        if self._saves:
            log.info("Finished training! Saving model to disk.")
