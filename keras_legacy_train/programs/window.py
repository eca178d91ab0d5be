"""Many steps in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

# In the place of a step's first number where no step was run.
NOT_RUN = -1.0


class Window:
    """Runs a step again and again in one call, and keeps what each returned.

    It is kept in a variable, so that it outlives an error inside the call, which what a while loop carries
    does not. float64 holds step numbers and losses exactly.

    Args:
        run_step: Runs a step, given its index in the window and the window's inputs, and returns its numbers,
            scalar tensors. The first is not negative; the window goes on as long as it is below a bound.
        columns: How many numbers it returns.
        inputs: The specifications of what each call of the window is given.
        ends: Tells after a step, given its numbers as float64 scalars, whether the window must end there.
        jit_compile: Whether XLA compiles the window.
    """

    # The longest window: rows of the record, which each call clears.
    MAX_STEPS = 16_384

    def __init__(
        self,
        run_step: Callable[..., Sequence[tf.Tensor]],
        columns: int,
        *,
        inputs: Sequence[tf.TypeSpec] = (),
        ends: Callable[..., tf.Tensor] | None = None,
        jit_compile: bool = False,
    ):
        cleared = tf.fill([self.MAX_STEPS, columns], tf.constant(NOT_RUN, tf.float64))
        record = tf.Variable(cleared, trainable=False)

        @tf.function(autograph=False, jit_compile=jit_compile or None)
        def window(until: tf.Tensor, at_most: tf.Tensor, *inputs: Any) -> tf.Tensor:
            record.assign(tf.fill(record.shape, tf.constant(NOT_RUN, tf.float64)))

            def goes_on(done: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
                return (done < at_most) & wanted

            def run_one(done: tf.Tensor, _: tf.Tensor) -> list[tf.Tensor]:
                numbers = [tf.cast(tf.reshape(number, []), tf.float64) for number in run_step(done, *inputs)]
                tf.raw_ops.ResourceScatterUpdate(
                    resource=record.handle, indices=done, updates=tf.stack(numbers)
                )
                wanted = numbers[0] < until
                if ends is not None:
                    with tf.control_dependencies(numbers):  # what it reads may change during the step
                        wanted &= ~ends(*numbers)
                return [done + 1, wanted]

            state = [tf.constant(0, tf.int64), tf.constant(True)]
            done, _ = tf.while_loop(goes_on, run_one, state, parallel_iterations=1)
            return record[:done]

        self._record = record
        self._function = window.get_concrete_function(
            tf.TensorSpec([], tf.float64), tf.TensorSpec([], tf.int64), *inputs
        )

    def run(self, until: float, at_most: int, *inputs: Any) -> tuple[np.ndarray, tf.errors.OpError | None]:
        """Runs steps until the first number of one is `until` or more; at least one, `at_most` at the most.

        Returns:
            A row of numbers for each step done, `float64[n, columns]`; and the error that ended the window,
            if one did. The step that raised it has no row.
        """
        try:
            # Python numbers would each be traced anew.
            bounds = tf.constant(until, tf.float64), tf.constant(at_most, tf.int64)
            return self._function(*bounds, *inputs).numpy(), None
        except tf.errors.OpError as error:
            rows = self._record.numpy()
            return rows[: np.argmax(rows[:, 0] == NOT_RUN)], error
