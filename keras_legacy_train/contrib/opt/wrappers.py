"""Has what wraps optimizers: clipped variables, and losses of several tasks."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1


class VariableClippingOptimizer(tf.compat.v1.train.Optimizer):
    """Clips the norms of variables after each update; stands for `tf.contrib.opt.VariableClippingOptimizer`.

    Args:
        opt: The optimizer that updates them.
        vars_to_clip_dims: The dimensions over which the norm of a variable is taken, by variable.
        max_norm: The largest norm.
        use_locking: Whether clipping locks the variables.
        colocate_clip_ops_with_vars: Whether norms are computed where the variables are.
        name: The name scope of the ops.
    """

    def __init__(
        self,
        opt: Any,
        vars_to_clip_dims: Mapping[Any, Sequence[int]],
        max_norm: Any,
        use_locking: bool = False,
        colocate_clip_ops_with_vars: bool = False,
        name: str = "VariableClipping",
    ) -> None:
        super().__init__(use_locking, name)
        self._opt = opt
        self._dims = [(var, list(dims)) for var, dims in vars_to_clip_dims.items()]
        self._max_norm = max_norm
        self._colocate = colocate_clip_ops_with_vars

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the pairs of the optimizer.

        Args:
            *args: The arguments of its `compute_gradients`.
            **kwargs: The arguments of its `compute_gradients`.
        """
        return self._opt.compute_gradients(*args, **kwargs)

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        """Returns a slot of the optimizer.

        Args:
            *args: The arguments of its `get_slot`.
            **kwargs: The arguments of its `get_slot`.
        """
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the names of the optimizer's slots.

        Args:
            *args: The arguments of its `get_slot_names`.
            **kwargs: The arguments of its `get_slot_names`.
        """
        return self._opt.get_slot_names(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """Returns the operation that updates the variables and clips them.

        Args:
            grads_and_vars: Pairs of a gradient and its variable.
            global_step: The variable that counts the steps.
            name: The name scope of the ops.
        """
        grads_and_vars = list(grads_and_vars)
        with v1.name_scope(name, self._name) as scope:
            update = self._opt.apply_gradients(grads_and_vars, global_step=global_step)
            with tf.control_dependencies([update]):
                clips = [
                    self._clip(var, dims, grad)
                    for grad, var in grads_and_vars
                    for clipped, dims in self._dims
                    if var is clipped and grad is not None
                ]
            return tf.group(update, *clips, name=scope)

    def _clip(self, var: Any, dims: list[int], grad: Any) -> Any:
        """Clips a variable, or the rows of it that have a gradient."""
        # Norms over rows need all of these.
        indices = grad.indices if isinstance(grad, tf.IndexedSlices) and 0 not in dims else None
        with v1.name_scope(f"clip_{var.op.name}"):
            value = var.read_value() if indices is None else tf.gather(var, indices)
            with v1.colocate_with(var) if self._colocate else contextlib.nullcontext():
                excess = value - tf.clip_by_norm(value, self._max_norm, dims)
            if indices is None:
                return v1.assign_sub(var, excess, use_locking=self._use_locking)
            return v1.scatter_sub(var, indices, excess, use_locking=self._use_locking)


class MultitaskOptimizerWrapper:
    """Leaves variables and slots as they are where gradients are all zero.

    Stands for `tf.contrib.opt.MultitaskOptimizerWrapper`: of several tasks, only some have a loss in a step.

    Args:
        opt: The optimizer, which is changed. All its other attributes are this object's, too.

    Raises:
        TypeError: `opt` is not an optimizer.
        ValueError: Its variables are reference variables, and control flow is that of TensorFlow 2.
    """

    def __init__(self, opt: Any) -> None:
        if not isinstance(opt, v1.train.Optimizer):
            raise TypeError("Supplied optimizer must be an instance of tf.train.Optimizer")
        self._opt = opt
        for name in ("_apply_dense", "_resource_apply_dense", "_apply_sparse", "_resource_apply_sparse"):
            setattr(opt, name, _unless_zero(getattr(opt, name)))

    def __getattr__(self, name: str) -> Any:
        """Returns the attribute of the optimizer."""
        return getattr(self._opt, name)


def clip_gradients_by_global_norm(gradients_variables: Any, clip_norm: Any = 20.0) -> tuple[Any, Any]:
    """Clips the gradients of several tasks; stands for `tf.contrib.opt.clip_gradients_by_global_norm`.

    Args:
        gradients_variables: Pairs of a gradient and its variable.
        clip_norm: The largest norm.

    Returns:
        The pairs with clipped gradients, and the norm before.
    """
    gradients, variables = zip(*gradients_variables, strict=True)
    norm = tf.linalg.global_norm(gradients)
    gradients, _ = tf.clip_by_global_norm(gradients, clip_norm, use_norm=norm)
    return list(zip(gradients, variables, strict=True)), norm


def _unless_zero(update: Any) -> Any:
    def wrapped(grad: Any, var: Any, *args: Any) -> Any:
        is_reference = var.dtype != var.dtype.base_dtype
        if is_reference and v1.control_flow_v2_enabled():
            raise ValueError(
                "MultitaskOptimizerWrapper needs resource variables, or the control flow of TensorFlow 1:"
                " call tf.compat.v1.disable_control_flow_v2() first."
            )
        values = grad.values if isinstance(grad, tf.IndexedSlices) else grad

        def run() -> Any:
            with tf.control_dependencies([update(grad, var, *args)]):
                return tf.no_op()

        return v1.cond(tf.equal(tf.math.count_nonzero(values), 0), tf.no_op, run)

    return wrapped
