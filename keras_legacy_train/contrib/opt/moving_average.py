"""Has the optimizer that keeps averages of the variables."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


class MovingAverageOptimizer(tf.compat.v1.train.Optimizer):
    """Keeps moving averages of what an optimizer trains; stands for `tf.contrib.opt.MovingAverageOptimizer`.

    Args:
        opt: The optimizer.
        average_decay: The decay of the averages.
        num_updates: The number of updates, with which the decay grows at first; by default it does not.
        sequential_update: Whether averages are taken after the update and not at the same time.
    """

    def __init__(
        self, opt: Any, average_decay: float = 0.9999, num_updates: Any = None, sequential_update: bool = True
    ) -> None:
        super().__init__(opt._use_locking, opt.get_name())
        self._optimizer = opt
        self._ema = tf.train.ExponentialMovingAverage(average_decay, num_updates=num_updates)
        self._averages: dict[str, str] | None = None
        self._sequential_update = sequential_update

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the pairs of the optimizer.

        Args:
            *args: The arguments of its `compute_gradients`.
            **kwargs: The arguments of its `compute_gradients`.
        """
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """Returns the operation that updates the variables and their averages.

        Args:
            grads_and_vars: Pairs of a gradient and its variable.
            global_step: The variable that counts the steps.
            name: The name of the optimizer's operation.
        """
        grads_and_vars = list(grads_and_vars)
        update = self._optimizer.apply_gradients(grads_and_vars, global_step=global_step, name=name)
        variables = [var for grad, var in grads_and_vars if grad is not None]
        with tf.control_dependencies([update] if self._sequential_update else []):
            average = self._ema.apply(variables)
        names = [(var.op.name, self._ema.average(var).op.name) for var in variables]
        self._averages = {each: other for pair in names for each, other in (pair, pair[::-1])}
        return tf.group(update, average, name="train_with_avg")

    def swapping_saver(
        self, var_list: Any = None, name: str = "swapping_saver", **kwargs: Any
    ) -> tf.compat.v1.train.Saver:
        """Returns a Saver that saves averages under the names of their variables, and the other way round.

        Args:
            var_list: The variables, as a list or by name; by default all.
            name: The name of the saver.
            **kwargs: Further arguments of `tf.compat.v1.train.Saver`.

        Raises:
            RuntimeError: `minimize` or `apply_gradients` was not called yet.
            ValueError: An average or its variable is not in `var_list`.
        """
        if self._averages is None:
            raise RuntimeError("Must call apply_gradients or minimize before creating the swapping_saver")
        variables = v1.global_variables() if var_list is None else var_list
        by_name = variables if isinstance(variables, dict) else {var.op.name: var for var in variables}
        swapped = {}
        for key, var in by_name.items():
            other = self._averages.get(key)
            if other is not None and other not in by_name:
                raise ValueError(
                    f"Variable to swap {other} is not part of variables to save. This breaks"
                    " MovingAverageOptimizer."
                )
            swapped[key] = var if other is None else by_name[other]
        return v1.train.Saver(swapped, name=name, **kwargs)
