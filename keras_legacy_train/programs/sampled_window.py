"""Runs many steps in one call, and keeps samples of some of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.programs.record import StepRecord, any_left, require, steps_left
from keras_legacy_train.programs.window import Window


class SampledWindow:
    """Runs steps in one call as `Window` does, the first and each `every`-th after it by another function.

    That function returns samples, which are kept in variables, too.

    Args:
        run_step: Runs a step. Returns its loss, and whether the window must end after it.
        run_sampled_step: Runs a step. Returns the samples, scalar tensors of which the first is the loss, and
            whether the window must end after it.
        every: Steps from one sample to the next.
        dtypes: The dtypes of the samples. That of the loss is `tf.float32` or `tf.float64`.
    """

    # The most samples in a window: callbacks are told of each afterwards.
    MAX_SAMPLES = 256

    def __init__(
        self,
        run_step: Callable[[], tuple[tf.Tensor, tf.Tensor]],
        run_sampled_step: Callable[[], tuple[Sequence[tf.Tensor], tf.Tensor]],
        every: int,
        dtypes: Sequence[tf.DType],
    ):
        self._every = every
        self._most_samples = min(Window.MAX_STEPS // every, self.MAX_SAMPLES)
        losses = StepRecord(self._most_samples * every, dtypes[:1])
        samples = StepRecord(self._most_samples, dtypes[1:])

        # The steps that are left are counted down. Where they are a multiple of `every`, a sample is due.
        def run_one(left: tf.Tensor) -> tf.Tensor:
            loss, must_end = run_step()
            require(losses.write(left - 1, [loss]))
            return steps_left(left, must_end)

        def run_from_sample(left: tf.Tensor) -> tf.Tensor:
            (loss, *values), must_end = run_sampled_step()
            written = samples.write(left // every - 1, values)
            with tf.control_dependencies(written):  # a step is done only when there are its samples
                require(losses.write(left - 1, [loss]))
            left = steps_left(left, must_end)
            with tf.control_dependencies(tf.compat.v1.get_default_graph().control_outputs):
                left = _tensorflow.while_loop(lambda left: left % every > 0, run_one, left)
            require([left.op])
            return left

        def loop(at_most: tf.Tensor) -> tf.Tensor:
            left = _tensorflow.while_loop(any_left, run_from_sample, at_most)
            require([left.op])
            return left

        run_loop = _tensorflow.wrap_function(loop, [tf.TensorSpec([], tf.int64)])

        def window(at_most: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
            losses.clear()
            return run_loop(at_most), losses.read(), samples.read()

        self._losses = losses
        self._samples = samples
        function = tf.function(window, autograph=False)
        self._function = function.get_concrete_function(tf.TensorSpec([], tf.int64))

    def run(self, at_most: int) -> tuple[np.ndarray, list[np.ndarray], tf.errors.OpError | None]:
        """Runs steps until one says that it is the last, or as many samples are taken as fit.

        Args:
            at_most: The largest number of steps, `every` or more.

        Returns:
            The loss of each step done, `[n]`; the samples without the loss, `[ceil(n / every)]` each; and the
            error that ended the window, if one did.
        """
        count = min(at_most // self._every, self._most_samples)
        error: tf.errors.OpError | None = None
        values: list[Any] | None = None
        try:
            _, *values = _tensorflow.call(self._function, [tf.constant(count * self._every, tf.int64)])
        except tf.errors.OpError as raised:
            error = raised
        (losses,) = self._losses.rows(count * self._every, None if values is None else values[:1])
        taken = math.ceil(len(losses) / self._every)
        return losses, self._samples.rows(count, None if values is None else values[1:], taken), error
