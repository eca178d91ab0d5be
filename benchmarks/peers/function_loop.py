"""Trains by a loop inside a `tf.function`, written by hand for speed alone: the limit of what is possible.

It logs nothing, saves nothing and has no callbacks. The step is that of the graph peers, over variables that
`wrap_function` makes.

Under XLA the whole loop is compiled if the batch is a constant. XLA cannot compile a dataset: there, a
hundred batches at a time are read from it, and the loop over these is compiled.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from clock import Clock
from workloads import WORKLOADS, arrays, graphs

_SECONDS = 0.5
_STACKED = 100

Loop = Callable[[tf.Tensor], tf.Tensor]


def train(name: str, clock: Clock, output_dir: str, jit_compile: bool = False) -> None:
    """Trains a workload until the clock stops it."""
    clock.start()
    step, global_step = _make_step(name)
    if WORKLOADS[name].source == "feed":
        done = _run_fed(tf.function(step, jit_compile=jit_compile), name, clock)
    elif WORKLOADS[name].source == "constant":
        batch = [tf.constant(array) for array in arrays(name)]
        done = _run(_loop(lambda: step(*batch), jit_compile), clock)
    elif jit_compile:
        done = _run(_loop_over_stacks(step, iter(graphs.dataset(name).batch(_STACKED))), clock, _STACKED)
    else:
        iterator = iter(graphs.dataset(name))
        done = _run(_loop(lambda: step(*next(iterator))), clock)
    if done != int(global_step):
        raise RuntimeError(f"{done} steps were called for, but {int(global_step)} were run.")


def _make_step(name: str) -> tuple[Callable[..., tf.Tensor], tf.Variable]:
    """Makes the step, a function of its batch, and the variable that counts the steps."""

    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        loss = graphs.loss(name, x, y)
        with tf.control_dependencies([graphs.minimize(name, loss)]):
            return tf.identity(loss)

    batch_size = WORKLOADS[name].batch_size
    specs = [tf.TensorSpec((batch_size, *array.shape[1:]), array.dtype) for array in arrays(name)]
    wrapped = tf.compat.v1.wrap_function(step, specs)
    return wrapped, tf.compat.v1.train.get_global_step(wrapped.graph)


def _loop(step: Callable[[], tf.Tensor], jit_compile: bool = False) -> Loop:
    """Makes a function that runs a number of steps and returns the last loss."""

    def loop(steps: tf.Tensor) -> tf.Tensor:
        return _repeat(lambda index: step(), steps)

    compiled: Loop = tf.function(loop, jit_compile=jit_compile)
    return compiled


def _loop_over_stacks(step: Callable[..., tf.Tensor], iterator: Any) -> Loop:
    """Makes a function that runs a number of steps over stacks of batches and returns the last loss."""

    def steps_of_stack(xs: tf.Tensor, ys: tf.Tensor) -> tf.Tensor:
        return _repeat(lambda index: step(xs[index], ys[index]), tf.constant(_STACKED))

    compiled = tf.function(steps_of_stack, jit_compile=True)

    def loop(steps: tf.Tensor) -> tf.Tensor:
        return _repeat(lambda index: compiled(*next(iterator)), steps // _STACKED)

    function: Loop = tf.function(loop)
    return function


def _repeat(step: Callable[[tf.Tensor], tf.Tensor], times: tf.Tensor) -> tf.Tensor:
    """Runs a step a number of times; returns the last loss."""
    _, loss = tf.while_loop(
        lambda index, loss: index < times,
        lambda index, loss: [index + 1, step(index)],
        [tf.constant(0), tf.constant(0.0)],
        parallel_iterations=1,  # nothing else keeps a step from reading variables that the last one changes
    )
    return loss


def _run(loop: Loop, clock: Clock, multiple_of: int = 1) -> int:
    """Calls the loop for about half a second at a time; returns the number of steps."""
    done, size = 0, multiple_of
    while True:
        began = time.perf_counter()
        float(loop(tf.constant(size)))
        took = time.perf_counter() - began
        done += size
        if clock.tell(done):
            return done
        fitting = int(min(_SECONDS / took * size, 8 * size))
        size = max(fitting // multiple_of, 1) * multiple_of


def _run_fed(step: Callable[..., tf.Tensor], name: str, clock: Clock) -> int:
    """Feeds a step with one batch after the other; returns the number of steps."""
    batches = graphs.batches(name)
    for done in itertools.count(1):
        float(step(*next(batches)))
        if clock.tell(done):
            break
    return done
