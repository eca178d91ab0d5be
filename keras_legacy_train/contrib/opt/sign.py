"""Has the optimizers that look whether gradient and momentum agree: https://arxiv.org/abs/1709.07417."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib.opt.kernels import cast, run_kernel

v1 = tf.compat.v1


class _SignOptimizer(tf.compat.v1.train.Optimizer, abc.ABC):
    """Scales gradients by whether their signs are those of the momentum."""

    _kernel: str

    def __init__(
        self,
        learning_rate: Any,
        beta: Any,
        sign_decay_fn: Callable[[Any], Any] | None,
        use_locking: bool,
        name: str,
    ) -> None:
        super().__init__(use_locking, name)
        self._lr = learning_rate
        self._beta = beta
        self._sign_decay_fn = sign_decay_fn
        self._sign_decay_t: Any = None

    @abc.abstractmethod
    def _numbers(self) -> dict[str, Any]:
        """Returns the numbers of the op that only it has."""

    @abc.abstractmethod
    def _multiplier(self, agreement: Any, dtype: Any) -> Any:
        """Returns what gradients are multiplied by."""

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """Returns the operation that updates the variables.

        Args:
            grads_and_vars: Pairs of a gradient and its variable.
            global_step: The variable that counts the steps. It is given to `sign_decay_fn`, too.
            name: The name of the operation.
        """
        decay = 1.0 if self._sign_decay_fn is None else self._sign_decay_fn(global_step)
        self._sign_decay_t = tf.convert_to_tensor(decay, name="sign_decay")
        return super().apply_gradients(grads_and_vars, global_step, name)

    def _create_slots(self, var_list: Any) -> None:
        for var in var_list:
            self._zeros_slot(var, "m", self._name)

    def _prepare(self) -> None:
        self._lr_t = tf.convert_to_tensor(self._lr, name="learning_rate")
        self._beta_t = tf.convert_to_tensor(self._beta, name="beta")

    def _apply_dense(self, grad: Any, var: Any) -> Any:
        return self._run(grad, var, is_resource=False).op

    def _resource_apply_dense(self, grad: Any, var: Any) -> Any:
        return self._run(grad, var, is_resource=True)

    def _run(self, grad: Any, var: Any, is_resource: bool) -> Any:
        return run_kernel(
            self._kernel,
            is_resource,
            {"var": var, "m": self.get_slot(var, "m")},
            grad,
            {"lr": self._lr_t, "beta": self._beta_t, "sign_decay": self._sign_decay_t, **self._numbers()},
            use_locking=self._use_locking,
        )

    def _apply_sparse(self, grad: Any, var: Any) -> Any:
        return self._update_rows(grad.values, var, grad.indices)

    def _resource_apply_sparse(self, grad: Any, var: Any, indices: Any) -> Any:
        return self._update_rows(grad, var, indices)

    def _update_rows(self, grad: Any, var: Any, indices: Any) -> Any:
        rate, beta, decay = cast(var, self._lr_t, self._beta_t, self._sign_decay_t)
        m = self.get_slot(var, "m")
        dense = tf.scatter_nd(tf.expand_dims(indices, 1), grad, tf.cast(tf.shape(m), indices.dtype))
        new_m = m * beta + dense * (1 - beta)
        agreement = tf.sign(tf.gather(new_m, indices)) * tf.sign(grad)
        rows = rate * self._multiplier(decay * agreement, var.dtype.base_dtype) * grad
        return tf.group(
            v1.assign(m, new_m, use_locking=self._use_locking),
            v1.scatter_sub(var, indices, rows, use_locking=self._use_locking),
        )


class AddSignOptimizer(_SignOptimizer):
    """Multiplies gradients by `alpha + decay * agreement`; stands for `tf.contrib.opt.AddSignOptimizer`.

    Args:
        learning_rate: The learning rate.
        alpha: What is added.
        beta: The decay of the momentum.
        sign_decay_fn: A function from the global step to the decay of agreement; by default it is 1.
        use_locking: Whether updates lock the variables.
        name: The name of the slots.
    """

    _kernel = "ApplyAddSign"

    def __init__(
        self,
        learning_rate: Any = 0.1,
        alpha: Any = 1.0,
        beta: Any = 0.9,
        sign_decay_fn: Callable[[Any], Any] | None = None,
        use_locking: bool = False,
        name: str = "AddSignOptimizer",
    ) -> None:
        super().__init__(learning_rate, beta, sign_decay_fn, use_locking, name)
        self._alpha = alpha

    def _numbers(self) -> dict[str, Any]:
        return {"alpha": self._alpha}

    def _multiplier(self, agreement: Any, dtype: Any) -> Any:
        return tf.cast(self._alpha, dtype) + agreement


class PowerSignOptimizer(_SignOptimizer):
    """Multiplies gradients by `base ** (decay * agreement)`; stands for `tf.contrib.opt.PowerSignOptimizer`.

    Args:
        learning_rate: The learning rate.
        base: The base, a number.
        beta: The decay of the momentum.
        sign_decay_fn: A function from the global step to the decay of agreement; by default it is 1.
        use_locking: Whether updates lock the variables.
        name: The name of the slots.
    """

    _kernel = "ApplyPowerSign"

    def __init__(
        self,
        learning_rate: Any = 0.1,
        base: float = math.e,
        beta: Any = 0.9,
        sign_decay_fn: Callable[[Any], Any] | None = None,
        use_locking: bool = False,
        name: str = "PowerSignOptimizer",
    ) -> None:
        super().__init__(learning_rate, beta, sign_decay_fn, use_locking, name)
        self._logbase = math.log(base)

    def _numbers(self) -> dict[str, Any]:
        return {"logbase": self._logbase}

    def _multiplier(self, agreement: Any, dtype: Any) -> Any:
        return tf.exp(tf.cast(self._logbase, dtype) * agreement)
