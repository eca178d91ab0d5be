"""Has the optimizers whose weights decay apart from the loss: https://arxiv.org/abs/1711.05101."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


class DecoupledWeightDecayExtension:
    """Makes weights decay in an optimizer; stands for `tf.contrib.opt.DecoupledWeightDecayExtension`.

    A subclass inherits from it and then from the optimizer. Each update of a variable first subtracts
    `weight_decay * variable`; of rows with a gradient only, where the gradient is sparse.

    Args:
        weight_decay: The decay, a number, a tensor, or a function that returns one.
        **kwargs: The arguments of the optimizer.
    """

    def __init__(self, weight_decay: Any, **kwargs: Any) -> None:
        self._weight_decay = weight_decay
        self._weight_decay_tensor: Any = None
        self._decay_var_list: list[Any] | None = None
        super().__init__(**kwargs)

    def minimize(self, loss: Any, *args: Any, decay_var_list: Any = None, **kwargs: Any) -> Any:
        """Returns the operation that trains.

        TensorFlow 1.15 forgot `decay_var_list` here, and let all variables decay. Here, as in its
        `apply_gradients`, it counts.

        Args:
            loss: The loss.
            *args: Further arguments of the optimizer's `minimize`.
            decay_var_list: The variables that decay; by default all.
            **kwargs: Further arguments of the optimizer's `minimize`.
        """
        self._decay_var_list = list(decay_var_list) if decay_var_list else None
        try:
            return super().minimize(loss, *args, **kwargs)  # type: ignore[misc]
        finally:
            self._decay_var_list = None

    def apply_gradients(
        self,
        grads_and_vars: Any,
        global_step: Any = None,
        name: str | None = None,
        decay_var_list: Any = None,
    ) -> Any:
        """Returns the operation that updates the variables.

        Args:
            grads_and_vars: Pairs of a gradient and its variable.
            global_step: The variable that counts the steps.
            name: The name of the operation.
            decay_var_list: The variables that decay; by default all.
        """
        if decay_var_list:
            self._decay_var_list = list(decay_var_list)
        return super().apply_gradients(grads_and_vars, global_step, name)  # type: ignore[misc]

    def _prepare(self) -> None:
        decay = self._weight_decay() if callable(self._weight_decay) else self._weight_decay
        self._weight_decay_tensor = tf.convert_to_tensor(decay, name="weight_decay")
        super()._prepare()  # type: ignore[misc]

    def _decay(self, grad: Any, var: Any, indices: Any = None) -> Any:
        """Returns the operation by which a variable decays, once its gradient is known."""
        if self._decay_var_list is not None and not any(var is each for each in self._decay_var_list):
            return tf.no_op()
        locking = self._use_locking  # type: ignore[attr-defined]
        with tf.control_dependencies([grad]):
            decay = tf.cast(self._weight_decay_tensor, var.dtype.base_dtype)
            if indices is None:
                return v1.assign_sub(var, decay * var, use_locking=locking)
            return v1.scatter_sub(var, indices, decay * tf.gather(var, indices), use_locking=locking)

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        with tf.control_dependencies([self._decay(grad, var)]):
            return super()._apply_dense(grad, var)  # type: ignore[misc]

    def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
        with tf.control_dependencies([self._decay(grad, var)]):
            return super()._resource_apply_dense(grad, var)  # type: ignore[misc]

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        with tf.control_dependencies([self._decay(grad.values, var, grad.indices)]):
            return super()._apply_sparse(grad, var)  # type: ignore[misc]

    def _resource_apply_sparse(self, grad: Any, var: Any, indices: Any) -> Any:
        with tf.control_dependencies([self._decay(grad, var, indices)]):
            return super()._resource_apply_sparse(grad, var, indices)  # type: ignore[misc]


def extend_with_decoupled_weight_decay(base_optimizer: Any) -> Any:
    """Returns a class of optimizers whose first argument is `weight_decay`.

    Stands for `tf.contrib.opt.extend_with_decoupled_weight_decay`.

    Args:
        base_optimizer: A subclass of `tf.compat.v1.train.Optimizer`.
    """

    class OptimizerWithDecoupledWeightDecay(DecoupledWeightDecayExtension, base_optimizer):
        """Is the optimizer with weights that decay.

        Args:
            weight_decay: The decay.
            **kwargs: The arguments of the optimizer.
        """

        def __init__(self, weight_decay: Any, **kwargs: Any) -> None:
            super().__init__(weight_decay, **kwargs)

    return OptimizerWithDecoupledWeightDecay


class MomentumWOptimizer(DecoupledWeightDecayExtension, tf.compat.v1.train.MomentumOptimizer):
    """Is momentum with weights that decay; stands for `tf.contrib.opt.MomentumWOptimizer`.

    Args:
        weight_decay: The decay.
        learning_rate: The learning rate.
        momentum: The momentum.
        use_locking: Whether updates lock the variables.
        name: The name of the slots.
        use_nesterov: Whether the momentum is Nesterov's.
    """

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any,
        momentum: Any,
        use_locking: bool = False,
        name: str = "MomentumW",
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(
            weight_decay,
            learning_rate=learning_rate,
            momentum=momentum,
            use_locking=use_locking,
            name=name,
            use_nesterov=use_nesterov,
        )


class AdamWOptimizer(DecoupledWeightDecayExtension, tf.compat.v1.train.AdamOptimizer):
    """Is Adam with weights that decay; stands for `tf.contrib.opt.AdamWOptimizer`.

    Args:
        weight_decay: The decay.
        learning_rate: The learning rate.
        beta1: The decay of the mean gradient.
        beta2: The decay of the mean square.
        epsilon: A small number against divisions by 0.
        use_locking: Whether updates lock the variables.
        name: The name of the slots.
    """

    def __init__(
        self,
        weight_decay: Any,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "AdamW",
    ) -> None:
        super().__init__(
            weight_decay,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            use_locking=use_locking,
            name=name,
        )
