"""Has the optimizers that are variants of Adam."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.opt.kernels import cast, run_kernel

v1 = tf.compat.v1


class NadamOptimizer(tf.compat.v1.train.AdamOptimizer):
    """Is Adam with Nesterov's momentum; stands for `tf.contrib.opt.NadamOptimizer`.

    Args:
        learning_rate: The learning rate.
        beta1: The decay of the mean gradient.
        beta2: The decay of the mean square.
        epsilon: A small number against divisions by 0.
        use_locking: Whether updates lock the variables.
        name: The name of the slots; by default "Adam".
    """

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._run(grad, var, is_resource=False).op

    def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
        return self._run(grad, var, is_resource=True)

    def _run(self, grad: Any, var: Any, is_resource: bool) -> Any:
        beta1_power, beta2_power = self._get_beta_accumulators()
        return run_kernel(
            "ApplyAdam",
            is_resource,
            {"var": var, "m": self.get_slot(var, "m"), "v": self.get_slot(var, "v")},
            grad,
            {
                "beta1_power": beta1_power,
                "beta2_power": beta2_power,
                "lr": self._lr_t,
                "beta1": self._beta1_t,
                "beta2": self._beta2_t,
                "epsilon": self._epsilon_t,
            },
            use_locking=self._use_locking,
            use_nesterov=True,
        )

    def _apply_sparse_shared(self, grad: Any, var: Any, indices: Any, scatter_add: Any) -> Any:
        beta1, beta2, epsilon = cast(var, self._beta1_t, self._beta2_t, self._epsilon_t)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        scaled = grad * (1 - beta1)
        with tf.control_dependencies([v1.assign(m, m * beta1, use_locking=self._use_locking)]):
            new_m = scatter_add(m, indices, scaled)
        m_bar = scaled + beta1 * tf.gather(new_m, indices)
        with tf.control_dependencies([v1.assign(v, v * beta2, use_locking=self._use_locking)]):
            new_v = scatter_add(v, indices, grad * grad * (1 - beta2))
        root = tf.sqrt(tf.gather(new_v, indices))
        update = scatter_add(var, indices, -_corrected_rate(self, var) * m_bar / (root + epsilon))
        return tf.group(update, m_bar, new_v)


class LazyAdamOptimizer(tf.compat.v1.train.AdamOptimizer):
    """Is Adam that leaves rows without a gradient as they are; stands for `tf.contrib.opt.LazyAdamOptimizer`.

    Args:
        learning_rate: The learning rate.
        beta1: The decay of the mean gradient.
        beta2: The decay of the mean square.
        epsilon: A small number against divisions by 0.
        use_locking: Whether updates lock the variables.
        name: The name of the slots; by default "Adam".
    """

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        return self._update_rows(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad: Any, var: Any, indices: Any) -> Any:
        return self._update_rows(grad, var, indices)

    def _update_rows(self, grad: Any, var: Any, indices: Any) -> Any:
        beta1, beta2, epsilon = cast(var, self._beta1_t, self._beta2_t, self._epsilon_t)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        m_rows = beta1 * tf.gather(m, indices) + (1 - beta1) * grad
        v_rows = beta2 * tf.gather(v, indices) + (1 - beta2) * tf.square(grad)
        rows = _corrected_rate(self, var) * m_rows / (tf.sqrt(v_rows) + epsilon)
        locking = self._use_locking
        return tf.group(
            v1.scatter_update(m, indices, m_rows, use_locking=locking),
            v1.scatter_update(v, indices, v_rows, use_locking=locking),
            v1.scatter_sub(var, indices, rows, use_locking=locking),
        )


class AdaMaxOptimizer(tf.compat.v1.train.AdamOptimizer):
    """Is Adam by the largest gradient; stands for `tf.contrib.opt.AdaMaxOptimizer`.

    As in "Adam: a Method for Stochastic Optimization", https://arxiv.org/abs/1412.6980, section 7.1.

    Args:
        learning_rate: The learning rate.
        beta1: The decay of the mean gradient.
        beta2: The decay of the largest one.
        epsilon: A small number against divisions by 0.
        use_locking: Whether updates lock the variables.
        name: The name of the slots.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        use_locking: bool = False,
        name: str = "AdaMax",
    ) -> None:
        super().__init__(learning_rate, beta1, beta2, epsilon, use_locking, name)

    def _get_beta_accumulators(self) -> Any:
        return self._get_non_slot_variable("beta1_power", graph=v1.get_default_graph())

    def _create_slots(self, var_list: Any) -> None:
        first = min(var_list, key=lambda var: var.name)
        self._create_non_slot_variable(self._beta1, "beta1_power", colocate_with=first)
        for var in var_list:
            self._zeros_slot(var, "m", self._name)
            self._zeros_slot(var, "v", self._name)

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._run(grad, var, is_resource=False).op

    def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
        return self._run(grad, var, is_resource=True)

    def _run(self, grad: Any, var: Any, is_resource: bool) -> Any:
        return run_kernel(
            "ApplyAdaMax",
            is_resource,
            {"var": var, "m": self.get_slot(var, "m"), "v": self.get_slot(var, "v")},
            grad,
            {
                "beta1_power": self._get_beta_accumulators(),
                "lr": self._lr_t,
                "beta1": self._beta1_t,
                "beta2": self._beta2_t,
                "epsilon": self._epsilon_t,
            },
            use_locking=self._use_locking,
        )

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        return self._update_rows(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad: Any, var: Any, indices: Any) -> Any:
        return self._update_rows(grad, var, indices)

    def _update_rows(self, grad: Any, var: Any, indices: Any) -> Any:
        rate, beta1, beta2, epsilon, beta1_power = cast(
            var, self._lr_t, self._beta1_t, self._beta2_t, self._epsilon_t, self._get_beta_accumulators()
        )
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        m_rows = tf.gather(m, indices) * beta1 + grad * (1 - beta1)
        v_rows = tf.maximum(tf.gather(v, indices) * beta2, tf.abs(grad))
        rows = -rate / (1 - beta1_power) * (m_rows / (v_rows + epsilon))
        locking = self._use_locking
        return tf.group(
            v1.scatter_update(m, indices, m_rows, use_locking=locking),
            v1.scatter_update(v, indices, v_rows, use_locking=locking),
            v1.scatter_add(var, indices, rows, use_locking=locking),
        )

    def _finish(self, update_ops: Any, name_scope: Any) -> Any:
        with tf.control_dependencies(update_ops):
            power = self._get_beta_accumulators()
            with v1.colocate_with(power):
                update = power.assign(power * self._beta1_t, use_locking=self._use_locking)
        return tf.group(*update_ops, update, name=name_scope)


def _corrected_rate(optimizer: Any, var: Any) -> Any:
    """Returns Adam's learning rate, corrected for the moments that began at 0."""
    rate, beta1_power, beta2_power = cast(var, optimizer._lr_t, *optimizer._get_beta_accumulators())
    return rate * tf.sqrt(1 - beta2_power) / (1 - beta1_power)
