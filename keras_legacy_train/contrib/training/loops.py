"""Trains by a train op: in TensorFlow's own sessions, or on demand in the loop of this package."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.estimator.run_config import warn_of_session_config
from keras_legacy_train.estimator.scaffold_start import ScaffoldStart
from keras_legacy_train.graph import arguments as graph_arguments
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.training.graph import GraphTraining, train_graph
from keras_legacy_train.training.options import TrainingOptions

_KEYS = tf.compat.v1.GraphKeys
_tf_train = tf.compat.v1.train

_uses_our_loop: ContextVar[bool] = ContextVar("uses_our_loop", default=False)


@contextlib.contextmanager
def our_loop() -> Iterator[None]:
    """Has `train`, and `slim.learning.train`, run the loop of `keras_legacy_train.train` in its context.

    There is no session then: steps that nobody needs to see run many in one call. Losses, checkpoints,
    summaries and log lines are the same.

    ```python
    import tensorflow.compat.v1 as tf

    from keras_legacy_train.contrib import training

    with tf.Graph().as_default():
        loss = tf.square(tf.get_variable("weight", []) - 3.0)
        train_op = training.create_train_op(loss, tf.train.GradientDescentOptimizer(0.1))
        with training.our_loop():
            training.train(train_op, output_dir, hooks=[tf.train.StopAtStepHook(num_steps=100)])
    ```
    """
    token = _uses_our_loop.set(True)
    try:
        yield
    finally:
        _uses_our_loop.reset(token)


def uses_our_loop() -> bool:
    """Returns whether the caller is in the context of `our_loop`."""
    return _uses_our_loop.get()


def check_unused(**given: Any) -> None:
    """Checks that arguments that only a session can serve are not given.

    Args:
        given: The arguments; each must be `None`.

    Raises:
        ValueError: One is given.
    """
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"{name} needs a session, and our_loop() runs without one. Leave it out, or train outside of"
                " our_loop()."
            )


def train(
    train_op: Any,
    logdir: str | os.PathLike[str] | None,
    master: str = "",
    is_chief: bool = True,
    scaffold: Any = None,
    hooks: Sequence[Any] | None = None,
    chief_only_hooks: Sequence[Any] | None = None,
    save_checkpoint_secs: float | None = 600,
    save_summaries_steps: int | None = 100,
    config: Any = None,
    max_wait_secs: int = 7200,
    run_metadata: Any = None,
) -> Any:
    """Runs a train op until a hook asks to stop or the input ends; stands for `tf.contrib.training.train`.

    It runs in a `tf.compat.v1.train.MonitoredTrainingSession`, within `our_loop()` in the loop of
    `keras_legacy_train.train`.

    Args:
        train_op: What a step runs; a tensor that is the loss, as `create_train_op` returns it.
        logdir: Where checkpoints and event files are written; `None` for none.
        master: The TensorFlow master.
        is_chief: Whether this process writes.
        scaffold: A `tf.compat.v1.train.Scaffold`, which says how the graph begins and what is saved.
        hooks: Session hooks. One of them should stop the training, a `StopAtStepHook` for example.
        chief_only_hooks: Session hooks for the chief alone.
        save_checkpoint_secs: Seconds from one checkpoint to the next; `None` for none.
        save_summaries_steps: Steps from one summary to the next; `None` for none.
        config: A `ConfigProto`.
        max_wait_secs: Seconds that a process that is not the chief waits for it.
        run_metadata: A `RunMetadata` that is filled in.

    Returns:
        The value of `train_op` in the last step; `None` if no step ran.

    Raises:
        ValueError: There is no `logdir`, but something to write there.
    """
    if logdir is None and is_chief:
        for name, value in (
            ("save_summaries_steps", save_summaries_steps),
            ("save_checkpoint_secs", save_checkpoint_secs),
        ):
            if value:
                raise ValueError(f"logdir cannot be None when {name} is not None")
    if uses_our_loop():
        check_unused(run_metadata=run_metadata)
        return _train_in_our_loop(
            train_op,
            logdir,
            master,
            is_chief,
            _tf_train.Scaffold() if scaffold is None else scaffold,
            [*(hooks or ()), *(chief_only_hooks or () if is_chief else ())],
            save_checkpoint_secs,
            save_summaries_steps,
            config,
        )
    loss = None
    with _tf_train.MonitoredTrainingSession(
        master=master,
        is_chief=is_chief,
        checkpoint_dir=None if logdir is None else os.fspath(logdir),
        scaffold=scaffold,
        hooks=hooks,
        chief_only_hooks=chief_only_hooks,
        save_checkpoint_secs=save_checkpoint_secs,
        save_summaries_steps=save_summaries_steps,
        config=config,
        max_wait_secs=max_wait_secs,
    ) as session:
        while not session.should_stop():
            loss = session.run(train_op, run_metadata=run_metadata)
    return loss


def _train_in_our_loop(
    train_op: Any,
    logdir: str | os.PathLike[str] | None,
    master: str,
    is_chief: bool,
    scaffold: Any,
    hooks: Sequence[Any],
    save_secs: float | None,
    save_summaries_steps: int | None,
    config: Any,
) -> Any:
    if logdir is not None and is_chief:
        directory = os.fspath(logdir)
        hooks = [*hooks, _tf_train.StepCounterHook(output_dir=directory)]
        if save_summaries_steps:
            summaries = {"save_steps": save_summaries_steps, "output_dir": directory, "scaffold": scaffold}
            hooks.append(_tf_train.SummarySaverHook(**summaries))
    graph = tf.compat.v1.get_default_graph()
    training = OurTraining(graph, train_op, None, scaffold, hooks)
    return training.run(logdir, save_secs=save_secs, is_chief=is_chief, master=master, config=config)


@dataclasses.dataclass(frozen=True)
class OurTraining:
    """Trains by a train op in the loop of this package.

    Attributes:
        graph: The graph.
        train_op: The loss, a tensor that trains when it is computed.
        global_step: The variable that counts the steps; `None` for the graph's own.
        scaffold: Says how the graph begins, and what is saved.
        hooks: Session hooks.
        services: Callbacks that are called before the hooks.
    """

    graph: tf.Graph
    train_op: Any
    global_step: Any
    scaffold: Any
    hooks: Sequence[Any]
    services: Sequence[LoopCallback] = ()

    def run(
        self,
        logdir: str | os.PathLike[str] | None,
        *,
        save_secs: float | None,
        is_chief: bool,
        master: str,
        config: Any,
        max_steps: int | None = None,
    ) -> Any:
        """Trains.

        Args:
            logdir: Where checkpoints and event files are written; `None` for none.
            save_secs: Seconds from one checkpoint to the next; `None` for none.
            is_chief: Whether this process writes.
            master: Must be `""` or `"local"`.
            config: A `ConfigProto`. What it says of sessions has no effect.
            max_steps: The global step at which training ends.

        Returns:
            The loss of the last step, `None` if no step ran.
        """
        arguments.check_master(master)
        if config is not None:
            warn_of_session_config(config)
        saver = self.scaffold.saver or next(iter(self.graph.get_collection(_KEYS.SAVERS)), None)
        keep_max, keep_every_n_hours = (5, None) if saver is None else _tensorflow.saver_limits(saver)
        training = GraphTraining(
            self.graph,
            graph_arguments.as_train_ops(self.graph, self.train_op),
            graph_arguments.as_loss(self.graph, self.train_op),
            graph_arguments.as_global_step(self.graph, self.global_step),
            ScaffoldStart(self.scaffold),
            saver=saver,
            services=self.services,
            has_default_monitors=False,
        )
        options = TrainingOptions.checked(
            names={"save_secs": "save_checkpoint_secs"},
            monitors=self.hooks,
            max_steps=max_steps,
            is_chief=is_chief,
            log_every_steps=None,
            save_secs=save_secs,
            save_summaries_steps=None,
            saves=bool(save_secs),
            keep_checkpoint_max=keep_max,
            keep_checkpoint_every_n_hours=keep_every_n_hours,
            fail_on_nan_loss=False,
            progress_bar=False,
        )
        with _tensorflow.eager_mode():
            return train_graph(
                training, None if logdir is None else arguments.as_path("logdir", logdir), options
            )
