"""Makes TensorFlow functions of a step that is a function of a batch: one for a step, one for a window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.distributed.replicas import Replicas
from keras_legacy_train.programs.window import Window

# The number of a step that found no batch.
NO_BATCH = -1.0

FatalLoss = Callable[[tf.Tensor], tf.Tensor]


class BatchStep(Protocol):
    """Does with a batch what a step is.

    Attributes:
        replicas: On what it is run.
        run_eagerly: Whether it must be run as Python code, so that no function can be made of it.
        traced: What `traced` has made of it, for the next one who asks for the same.
    """

    replicas: Replicas
    run_eagerly: bool
    traced: TracedStep | None

    def __call__(self, batch: Any) -> tuple[tf.Tensor, dict[str, Any]]:
        """Trains on a batch; it is traced. Returns the step's loss, a scalar, and the logs."""

    def renew(self) -> bool:
        """Called before each call of a step or a window. Returns whether the step is another one now."""

    def begin_epoch(self) -> None:
        """Begins an epoch."""

    def needed_logs(self, logs: Mapping[str, Any]) -> list[str]:
        """Names of a step's logs without which `epoch_logs` cannot tell those of the epoch."""

    def over_replicas(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Returns the logs of the step that was run last, over all replicas, given those that it returned."""

    def epoch_logs(self, loss: Any, logs: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the logs of the epoch so far.

        Args:
            loss: The loss of its last step.
            logs: The logs of that step. Those that are not needed may be `None`.
        """


def traced(
    step: BatchStep, batch_spec: Any, is_fatal: FatalLoss, global_step: tf.Variable | None
) -> TracedStep:
    """Returns a step as TensorFlow functions; the same as the last time if that is of use.

    Args:
        step: What is done with a batch.
        batch_spec: The specification of a batch.
        is_fatal: Tells of a loss (a float64 scalar tensor) whether a window must end at it.
        global_step: A variable that the step raises. `None` if it raises none: then there will be one that is
            raised after each step, and is 0 now.
    """
    if global_step is not None:
        return TracedStep(step, batch_spec, is_fatal, global_step, counts=False)
    if step.traced is None or not step.traced.is_for(batch_spec, is_fatal):
        counter = tf.Variable(0, trainable=False, dtype=tf.int64, name="global_step")
        step.traced = TracedStep(step, batch_spec, is_fatal, counter, counts=True)
    step.traced.global_step.assign(0)
    step.traced.stop.assign(False)
    return step.traced


class TracedStep:
    """Runs a step on a batch, or on many in a window.

    Args:
        step: What is done with a batch.
        batch_spec: The specification of a batch.
        is_fatal: Tells of a loss (a float64 scalar tensor) whether a window must end at it.
        global_step: Counts the steps, an integer scalar.
        counts: Whether the global step is raised here. If not, the step does it.

    Attributes:
        run_once: A function of a batch. Returns the number of the step, its loss and its logs.
        global_step: Counts the steps.
        stop: Is true if the window that runs must end.
        variables: Every variable that the step uses, in the order in which it first does, as far as can be
            told: of a step that is run as Python code, none.
        loss_dtype: The NumPy dtype of the loss.
        log_names: The names of the logs.
        needed: Those of them that a window brings back, symbolic tensors by name.
        has_windows: Whether there can be a window.
        has_numbers: Whether a window tells the number of each step, before its loss. If not, it runs all the
            steps that it is asked for, or ends early, and each raises the global step by one.
    """

    def __init__(
        self, step: BatchStep, batch_spec: Any, is_fatal: FatalLoss, global_step: tf.Variable, counts: bool
    ):
        self.global_step = global_step
        self.stop = tf.Variable(False, trainable=False)
        self._step = step
        self._batch_spec = batch_spec
        self._is_fatal = is_fatal
        self._counts = counts
        self.has_numbers = not counts or step.replicas.count > 1
        self.variables: list[tf.Variable] = []
        self._make()

    def renew(self) -> bool:
        """Is made anew if the step has become another one; returns whether it was."""
        is_another = self._step.renew()
        if is_another:
            self._make()
        return is_another

    def _make(self) -> None:
        self._windows: dict[tuple[Any, ...], Window] = {}
        self.variables.clear()
        self.loss_dtype: Any = None
        self.log_names: list[str] = []
        self.needed: dict[str, Any] = {}
        self.has_windows = False
        self.run_once: Callable[[Any], tuple[tf.Tensor, tf.Tensor, dict[str, Any]]] = self._advance
        if not self._step.run_eagerly:
            self.run_once = tf.function(self._advance, autograph=False, reduce_retracing=True)
            self._trace(self.run_once)

    def is_for(self, batch_spec: Any, is_fatal: FatalLoss) -> bool:
        """Returns whether it would be made the same."""
        return is_fatal is self._is_fatal and batch_spec == self._batch_spec

    def window(self, inputs: tuple[Any, ...]) -> Window:
        """Returns the window that reads its batches from an iterator, or needs none.

        Args:
            inputs: The iterator, or nothing.
        """
        specs = tuple(map(tf.type_spec_from_value, inputs))
        if specs not in self._windows:
            self._windows[specs] = self._make_window(specs)
        return self._windows[specs]

    def _advance(self, batch: Any) -> tuple[tf.Tensor, tf.Tensor, dict[str, Any]]:
        loss, logs = self._step(batch)
        with tf.control_dependencies([loss]):
            number = self.global_step.assign_add(1) if self._counts else self.global_step.read_value()
        return number, loss, logs

    def _trace(self, function: Any) -> None:
        """Brings into being what a step creates when it is first run, and learns what a step returns."""
        traced = function.get_concrete_function(self._batch_spec)
        used = _in_order(traced)
        _check_eager(used)
        whole = {id(each): each for each in map(_tensorflow.of_all_replicas, used)}
        self.variables.extend(whole.values())
        _, loss, logs = traced.structured_outputs
        self.loss_dtype = loss.dtype.as_numpy_dtype
        self.log_names = list(logs)
        self.needed = {name: logs[name] for name in self._step.needed_logs(logs)}
        self.has_windows = all(map(is_number, tf.nest.flatten(self.needed)))

    def _make_window(self, specs: tuple[Any, ...]) -> Window:
        replicas = self._step.replicas
        columns = self.has_numbers + 1 + len(tf.nest.flatten(self.needed))

        def run_on(batch: Any) -> list[tf.Tensor]:
            number, loss, logs = self.run_once(batch)
            numbers = [number] * self.has_numbers + [loss]
            numbers += tf.nest.flatten({name: logs[name] for name in self.needed})
            return [tf.reshape(tf.cast(each, tf.float64), []) for each in numbers]

        def run_on_next(*iterators: Any) -> list[tf.Tensor]:
            if not iterators:
                return run_on(())
            if replicas.count == 1:
                # Where there is no batch, or an error instead, nothing of the step is done.
                batch = iterators[0].get_next()
                with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)):
                    has_come = tf.no_op()  # for TensorFlow leaves out of the control inputs what is an input
                with tf.control_dependencies([has_come]):
                    return run_on(batch)
            batch = iterators[0].get_next_as_optional()
            nothing = [tf.constant(NO_BATCH, tf.float64)] * columns
            numbers = _cond_of_replicas(batch.has_value(), lambda: run_on(batch.get_value()), lambda: nothing)
            return list(numbers)

        def run_step(target_step: tf.Tensor, *iterators: Any) -> tuple[list[tf.Tensor], tf.Tensor]:
            numbers = run_on_next(*iterators)
            must_end = self._is_fatal(numbers[self.has_numbers])
            if self.has_numbers:
                must_end |= (numbers[0] >= target_step) | (numbers[0] == NO_BATCH)
            with tf.control_dependencies([must_end]):  # a signal may come while the step waits for input
                return numbers, must_end | replicas.workers.any_in_step(self.stop.read_value())

        inputs = [tf.TensorSpec([], tf.float64), *specs]
        return Window(run_step, [tf.float64] * columns, inputs=inputs)


def is_number(log: Any) -> bool:
    """Tells whether a log is a tensor of a single real number, so that a window can keep it."""
    if not isinstance(log, tf.Tensor) or log.shape.rank != 0:
        return False
    return bool(log.dtype.is_bool or log.dtype.is_integer or log.dtype.is_floating)


def _cond_of_replicas(wanted: tf.Tensor, run: Callable[[], Any], skip: Callable[[], Any]) -> Any:
    """`tf.cond` as a loop that runs once or not at all: within the other, replicas do not find their ids."""
    _, result = tf.while_loop(
        lambda done, _: wanted & ~done,
        lambda *_: (tf.constant(True), run()),
        [tf.constant(False), skip()],
        parallel_iterations=1,
    )
    return result


def _in_order(traced: Any) -> list[tf.Variable]:
    """Returns the variables of a traced function in the order of their first use."""
    first_use = {id(captured): number for number, captured in enumerate(traced.captured_inputs)}
    return sorted(traced.variables, key=lambda variable: first_use.get(id(variable.handle), len(first_use)))


def _check_eager(variables: Iterable[tf.Variable]) -> None:
    """Raises ValueError for variables of a graph, whose values a step could not reach."""
    names = sorted(variable.name for variable in variables if not hasattr(variable.handle, "numpy"))
    if names:
        raise ValueError(
            f"{', '.join(names[:5])}{', …' * (len(names) > 5)} belong to a graph: they were made with eager"
            " execution off, as tf.compat.v1.disable_v2_behavior() leaves it. Make the model, its optimizer"
            " and the variables before that call."
        )
