"""Has the optimizer with a learning rate for each layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.opt.kernels import run_kernel

v1 = tf.compat.v1


class LARSOptimizer(tf.compat.v1.train.Optimizer):
    """Scales the learning rate of each variable by norms; stands for `tf.contrib.opt.LARSOptimizer`.

    As in "Large Batch Training of Convolutional Networks", https://arxiv.org/abs/1708.03888.

    Args:
        learning_rate: The learning rate.
        momentum: The momentum.
        weight_decay: The decay of weights.
        eeta: What the ratio of the norms is multiplied by.
        epsilon: A small number against divisions by 0.
        name: The name of the slots.
        skip_list: Parts of names: variables whose names have one of them are neither scaled nor decayed.
        use_nesterov: Whether the momentum is Nesterov's.

    Raises:
        ValueError: `momentum` or `weight_decay` is negative.
    """

    def __init__(
        self,
        learning_rate: Any,
        momentum: float = 0.9,
        weight_decay: float = 0.0001,
        eeta: float = 0.001,
        epsilon: float = 0.0,
        name: str = "LARSOptimizer",
        skip_list: Iterable[str] | None = None,
        use_nesterov: bool = False,
    ) -> None:
        if momentum < 0.0:
            raise ValueError(f"momentum should be positive: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"weight_decay should be positive: {weight_decay}")
        super().__init__(use_locking=False, name=name)
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._weight_decay = weight_decay
        self._eeta = eeta
        self._epsilon = epsilon
        self._skip_list = list(skip_list or [])
        self._use_nesterov = use_nesterov

    def _create_slots(self, var_list: Any) -> None:
        for var in var_list:
            self._zeros_slot(var, "momentum", self._name)

    def _prepare(self) -> None:
        rate = self._learning_rate() if callable(self._learning_rate) else self._learning_rate
        momentum = self._momentum() if callable(self._momentum) else self._momentum
        self._learning_rate_tensor = tf.convert_to_tensor(rate, name="learning_rate")
        self._momentum_tensor = tf.convert_to_tensor(momentum, name="momentum")

    def compute_lr(self, grad: Any, var: Any) -> tuple[Any, Any]:
        """Returns the learning rate of a variable, and its gradient with that of the decay.

        Args:
            grad: The gradient.
            var: The variable.
        """
        if any(part in var.name for part in self._skip_list):
            return self._learning_rate_tensor, grad
        w_norm, g_norm = tf.norm(var, ord=2), tf.norm(grad, ord=2)
        ratio = self._eeta * w_norm / (g_norm + self._weight_decay * w_norm + self._epsilon)
        ratio = tf.where(tf.logical_and(w_norm > 0, g_norm > 0), ratio, 1.0)
        return self._learning_rate_tensor * ratio, grad + self._weight_decay * var

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._run(grad, var, is_resource=False).op

    def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
        return self._run(grad, var, is_resource=True)

    def _run(self, grad: Any, var: Any, is_resource: bool) -> Any:
        rate, grad = self.compute_lr(grad, var)
        return run_kernel(
            "ApplyMomentum",
            is_resource,
            {"var": var, "accum": self.get_slot(var, "momentum")},
            grad * rate,
            {"lr": 1.0, "momentum": self._momentum_tensor},
            use_locking=False,
            use_nesterov=self._use_nesterov,
        )

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        return self._run_sparse(grad.values, var, grad.indices, is_resource=False).op

    def _resource_apply_sparse(self, grad: Any, var: Any, indices: Any) -> Any:
        return self._run_sparse(grad, var, indices, is_resource=True)

    def _run_sparse(self, grad: Any, var: Any, indices: Any, is_resource: bool) -> Any:
        """Updates rows with the learning rate itself, as the original did."""
        return run_kernel(
            "SparseApplyMomentum",
            is_resource,
            {"var": var, "accum": self.get_slot(var, "momentum")},
            grad,
            {"lr": self._learning_rate_tensor, "momentum": self._momentum_tensor},
            indices=indices,
            use_locking=False,
            use_nesterov=self._use_nesterov,
        )
