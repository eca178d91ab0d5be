"""Many steps in one call, of some of which more is kept than the loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.programs.window import (
    Window,
    left_after,
    make_record,
    recorded,
    require,
    unset_values,
    write,
)


class SampledWindow:
    """Runs steps in one call, as `Window` does, but the first and each `every`-th after it in another way,
    which returns samples. They are kept in variables, too.

    Args:
        run_step: Runs a step. Returns its loss, and whether the window must end after it.
        run_sampled_step: Runs a step. Returns the samples, scalar tensors of which the first is the loss, and
            whether the window must end after it.
        every: Steps from one sample to the next.
        dtypes: Those of the samples. That of the loss is `tf.float32` or `tf.float64`.
    """

    # The most samples in a window, of each of which somebody is told afterwards.
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
        size = self._most_samples * every
        unset = unset_values(size, dtypes[0])
        losses = make_record(size, dtypes[0])
        samples = [make_record(self._most_samples, dtype) for dtype in dtypes[1:]]

        # The steps that are left are counted down. Where they are a multiple of `every`, a sample is due.
        def run_one(left: tf.Tensor) -> tf.Tensor:
            loss, must_end = run_step()
            require(write(losses, left - 1, loss))
            return left_after(left, must_end)

        def run_from_sample(left: tf.Tensor) -> tf.Tensor:
            (loss, *values), must_end = run_sampled_step()
            place = left // every - 1
            written = [write(record, place, value) for record, value in zip(samples, values, strict=True)]
            with tf.control_dependencies(written):  # a step is done only when there are its samples
                require(write(losses, left - 1, loss))
            left = left_after(left, must_end)
            with tf.control_dependencies(tf.compat.v1.get_default_graph().control_outputs):
                left = _tensorflow.while_loop(lambda left: left % every > 0, run_one, left)
            require(left.op)
            return left

        def loop(at_most: tf.Tensor) -> tf.Tensor:
            left = _tensorflow.while_loop(lambda left: left > 0, run_from_sample, at_most)
            require(left.op)
            return left

        run_loop = _tensorflow.wrap_function(loop, [tf.TensorSpec([], tf.int64)])

        @tf.function(autograph=False)
        def window(at_most: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
            losses.assign(unset)
            return run_loop(at_most), [record.read_value() for record in (losses, *samples)]

        self._records = [losses, *samples]
        self._function = window.get_concrete_function(tf.TensorSpec([], tf.int64))

    def run(self, at_most: int) -> tuple[np.ndarray, list[np.ndarray], tf.errors.OpError | None]:
        """Runs steps until one says that it is the last, or as many samples are taken as fit.

        Args:
            at_most: The largest number of steps, `every` or more.

        Returns:
            The loss of each step done, `[n]`; the samples but for the loss, `[ceil(n / every)]` each; and the
            error that ended the window, if one did.
        """
        count = min(at_most // self._every, self._most_samples)
        error: tf.errors.OpError | None = None
        records: Sequence[Any] = self._records
        try:
            _, *records = _tensorflow.call(self._function, [tf.constant(count * self._every, tf.int64)])
        except tf.errors.OpError as raised:
            error = raised
        (losses,) = recorded(records[:1], count * self._every)
        taken = math.ceil(len(losses) / self._every)
        return losses, [np.asarray(record)[count - 1 :: -1][:taken] for record in records[1:]], error
