"""Lets optimizers outside TensorFlow, those of SciPy for example, train variables in a session."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

_logger = logging.getLogger(__name__)


class ExternalOptimizerInterface:
    """Trains variables by a function of their values; stands for `tf.contrib.opt.ExternalOptimizerInterface`.

    A subclass minimises in `_minimize`. All variables together are one vector there.

    Args:
        loss: The loss, a scalar.
        var_list: The variables; by default those to train.
        equalities: Scalars that shall be 0.
        inequalities: Scalars that shall not be negative.
        var_to_bounds: The lowest and the highest values of a variable, by variable.
        **optimizer_kwargs: What `_minimize` takes.
    """

    def __init__(
        self,
        loss: Any,
        var_list: Iterable[Any] | None = None,
        equalities: Iterable[Any] | None = None,
        inequalities: Iterable[Any] | None = None,
        var_to_bounds: Mapping[Any, Any] | None = None,
        **optimizer_kwargs: Any,
    ) -> None:
        self._loss = loss
        self._equalities = list(equalities or [])
        self._inequalities = list(inequalities or [])
        self._vars = v1.trainable_variables() if var_list is None else list(var_list)
        self.optimizer_kwargs = optimizer_kwargs
        self._packed_bounds = None if var_to_bounds is None else self._bounds(var_to_bounds)
        self._update_placeholders = [v1.placeholder(var.dtype.base_dtype) for var in self._vars]
        self._var_updates = [
            v1.assign(var, tf.reshape(placeholder, var.shape))
            for var, placeholder in zip(self._vars, self._update_placeholders, strict=True)
        ]
        self._packed_var = self._pack(self._vars)
        self._packed_loss_grad = self._gradient(loss)
        self._packed_equality_grads = [self._gradient(each) for each in self._equalities]
        self._packed_inequality_grads = [self._gradient(each) for each in self._inequalities]
        ends = np.cumsum([0] + [int(np.prod(var.shape.as_list())) for var in self._vars])
        self._packing_slices = [slice(*pair) for pair in itertools.pairwise(ends)]

    def minimize(
        self,
        session: Any = None,
        feed_dict: Mapping[Any, Any] | None = None,
        fetches: Sequence[Any] | None = None,
        step_callback: Callable[[Any], Any] | None = None,
        loss_callback: Callable[..., Any] | None = None,
        **run_kwargs: Any,
    ) -> None:
        """Minimises the loss, and gives the variables the best values.

        Args:
            session: The session; by default the current one.
            feed_dict: What is fed while the loss is computed.
            fetches: Tensors for `loss_callback`.
            step_callback: Called with the vector of all variables after each step of the optimizer.
            loss_callback: Called with the values of `fetches` whenever the loss was computed.
            **run_kwargs: Arguments of `session.run` for the last update.
        """
        session = session or v1.get_default_session()
        feed_dict, fetches = dict(feed_dict or {}), list(fetches or [])

        def functions(tensors: Sequence[Any]) -> list[Callable[[Any], Any]]:
            return [self._function([tensor], session, feed_dict, fetches) for tensor in tensors]

        values = self._minimize(
            initial_val=session.run(self._packed_var),
            loss_grad_func=self._function(
                [self._loss, self._packed_loss_grad], session, feed_dict, fetches, loss_callback
            ),
            equality_funcs=functions(self._equalities),
            equality_grad_funcs=functions(self._packed_equality_grads),
            inequality_funcs=functions(self._inequalities),
            inequality_grad_funcs=functions(self._packed_inequality_grads),
            packed_bounds=self._packed_bounds,
            step_callback=step_callback or (lambda values: None),
            optimizer_kwargs=self.optimizer_kwargs,
        )
        feeds = {
            placeholder: values[part]
            for placeholder, part in zip(self._update_placeholders, self._packing_slices, strict=True)
        }
        session.run(self._var_updates, feed_dict=feeds, **run_kwargs)

    def _minimize(
        self,
        initial_val: Any,
        loss_grad_func: Callable[[Any], Any],
        equality_funcs: Sequence[Callable[[Any], Any]],
        equality_grad_funcs: Sequence[Callable[[Any], Any]],
        inequality_funcs: Sequence[Callable[[Any], Any]],
        inequality_grad_funcs: Sequence[Callable[[Any], Any]],
        packed_bounds: Any,
        step_callback: Callable[[Any], Any],
        optimizer_kwargs: Mapping[str, Any],
    ) -> Any:
        """Returns the vector of the best values.

        Args:
            initial_val: The vector to begin with.
            loss_grad_func: Returns the loss and its gradient for a vector.
            equality_funcs: Return, as lists of one, what shall be 0.
            equality_grad_funcs: Return, as lists of one, the gradients of these.
            inequality_funcs: Return, as lists of one, what shall not be negative.
            inequality_grad_funcs: Return, as lists of one, the gradients of these.
            packed_bounds: Pairs of the lowest and the highest value, one for each number, or None.
            step_callback: To be called with the vector after each step.
            optimizer_kwargs: Further arguments.
        """
        raise NotImplementedError(
            "To use ExternalOptimizerInterface, subclass from it and implement the _minimize() method."
        )

    def _bounds(self, var_to_bounds: Mapping[Any, Any]) -> list[tuple[float, float]]:
        bounds: list[tuple[float, float]] = []
        for var in self._vars:
            given = [pair for each, pair in var_to_bounds.items() if each is var] or [(-np.inf, np.inf)]
            shape = var.shape.as_list()
            lowest, highest = (np.broadcast_to(bound, shape).ravel() for bound in given[0])
            bounds.extend(zip(lowest, highest, strict=True))
        return bounds

    def _gradient(self, tensor: Any) -> tf.Tensor:
        gradients = v1.gradients(tensor, self._vars)
        return self._pack(
            [
                tf.zeros_like(var) if gradient is None else gradient
                for var, gradient in zip(self._vars, gradients, strict=True)
            ]
        )

    def _pack(self, tensors: Sequence[Any]) -> tf.Tensor:
        return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], 0)

    def _function(
        self,
        tensors: list[Any],
        session: Any,
        feed_dict: Mapping[Any, Any],
        fetches: list[Any],
        callback: Callable[..., Any] | None = None,
    ) -> Callable[[Any], list[Any]]:
        """Returns a function from the vector of all variables to the values of tensors."""

        def evaluate(vector: Any) -> list[Any]:
            values = {
                placeholder: vector[part]
                for placeholder, part in zip(self._update_placeholders, self._packing_slices, strict=True)
            }
            session.run(self._var_updates, values)
            results = session.run(tensors + fetches, feed_dict)
            if callback is not None:
                callback(*results[len(tensors) :])
            return list(results[: len(tensors)])

        return evaluate


class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """Trains by `scipy.optimize.minimize`; stands for `tf.contrib.opt.ScipyOptimizerInterface`.

    Needs SciPy. The method is "L-BFGS-B" by default; for equalities and inequalities pass "SLSQP".

    Args:
        loss: The loss, a scalar.
        var_list: The variables; by default those to train.
        equalities: Scalars that shall be 0.
        inequalities: Scalars that shall not be negative.
        var_to_bounds: The lowest and the highest values of a variable, by variable.
        **optimizer_kwargs: Further arguments of `scipy.optimize.minimize`, `options` for example.
    """

    def _minimize(
        self,
        initial_val: Any,
        loss_grad_func: Callable[[Any], Any],
        equality_funcs: Sequence[Callable[[Any], Any]],
        equality_grad_funcs: Sequence[Callable[[Any], Any]],
        inequality_funcs: Sequence[Callable[[Any], Any]],
        inequality_grad_funcs: Sequence[Callable[[Any], Any]],
        packed_bounds: Any,
        step_callback: Callable[[Any], Any],
        optimizer_kwargs: Mapping[str, Any],
    ) -> Any:
        import scipy.optimize

        # Some methods of SciPy take double precision only.
        def loss_and_gradient(vector: Any) -> tuple[Any, Any]:
            loss, gradient = loss_grad_func(vector)
            return np.float64(loss), np.float64(gradient)

        def constraints(kind: str, functions: Any, gradients: Any) -> list[dict[str, Any]]:
            return [
                {
                    "type": kind,
                    "fun": lambda vector, function=function: np.float64(function(vector)[0]),
                    "jac": lambda vector, gradient=gradient: np.float64(gradient(vector)[0]),
                }
                for function, gradient in zip(functions, gradients, strict=True)
            ]

        ours = {
            "jac": True,
            "callback": step_callback,
            "constraints": constraints("eq", equality_funcs, equality_grad_funcs)
            + constraints("ineq", inequality_funcs, inequality_grad_funcs),
            "bounds": packed_bounds,
        }
        for name in ours:
            if name == "bounds" and name in optimizer_kwargs:
                raise ValueError("Bounds must be set using the var_to_bounds argument")
            if name in optimizer_kwargs:
                raise ValueError(
                    f"Optimizer keyword arg {name!r} is set automatically and cannot be injected manually"
                )
        options = {"method": "L-BFGS-B", **ours, **optimizer_kwargs}
        if not ours["constraints"]:
            del options["constraints"]  # SciPy warns of them where a method takes none
        result = scipy.optimize.minimize(loss_and_gradient, np.float64(initial_val), **options)
        _logger.info(
            "Optimization terminated with: %s; objective function value %f", result.message, result.fun
        )
        return result["x"]
