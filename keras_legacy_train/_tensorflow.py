"""The private TensorFlow names this package needs, each with why no public one does.

No other module imports `tensorflow.python` or touches an underscored name of a TensorFlow object.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import itertools
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.python.checkpoint import saveable_compat as _saveable_compat
from tensorflow.python.checkpoint import util as _checkpoint_util
from tensorflow.python.client import session as _session
from tensorflow.python.eager import context as _context
from tensorflow.python.framework import func_graph as _func_graph
from tensorflow.python.framework import function_def_to_graph as _function_def_to_graph
from tensorflow.python.framework import meta_graph as _meta_graph
from tensorflow.python.framework import op_def_registry as _op_def_registry
from tensorflow.python.framework import stack as _stack
from tensorflow.python.ops import control_flow_util_v2 as _control_flow
from tensorflow.python.ops import handle_data_util as _handle_data
from tensorflow.python.ops import resource_variable_ops as _resource_variables
from tensorflow.python.ops import while_v2 as _while
from tensorflow.python.ops.control_flow_v2_func_graphs import WhileBodyFuncGraph as _WhileBody
from tensorflow.python.ops.control_flow_v2_func_graphs import WhileCondFuncGraph as _WhileCond
from tensorflow.python.saved_model import registration as _registration
from tensorflow.python.trackable.base import Trackable as _Trackable
from tensorflow.python.training import basic_session_run_hooks as _session_hooks
from tensorflow.python.training.saving import saveable_object as _saveable
from tensorflow.python.training.saving import saveable_object_util as _saveable_util

__all__ = ["FunctionDef", "NodeDef"]  # `FunctionDef` has no public name; type checkers want both as classes


class SessionInterface(_session.SessionInterface):
    """`Saver.save` and the queue runners accept only what is an instance of this."""


@contextlib.contextmanager
def eager_mode(fuses: bool = True) -> Iterator[None]:
    """Eager execution, also where `disable_v2_behavior()` switched it off: there is no public way back.

    Functions that are first called in it are optimized with less ado: half of the time that the start of a
    large graph takes is TensorFlow's optimizer. What `tf.config.optimizer` offers of this is for all that
    the process runs.

    Args:
        fuses: Whether operations on a CPU may be fused. Not, if it is not so further out.
    """
    context = _context.context()
    options = context.function_call_options
    ours = _optimized(options.config_proto_serialized, fuses)
    if ours.config_proto_serialized == options.config_proto_serialized and context.executing_eagerly():
        yield  # in it already
        return
    with _context.eager_mode():
        context.function_call_options = ours
        try:
            yield
        finally:
            if context.function_call_options is ours:  # it is not if `tf.config` was used meanwhile
                context.function_call_options = options


@functools.lru_cache(maxsize=8)
def _optimized(serialized_config: bytes, fuses: bool) -> _context.FunctionCallOptions:
    config = tf.compat.v1.ConfigProto.FromString(serialized_config)
    rewriting = config.graph_options.rewrite_options
    if not rewriting.meta_optimizer_iterations:
        rewriting.meta_optimizer_iterations = rewriting.ONE  # a second pass finds next to nothing
    if not tf.config.list_physical_devices("GPU"):
        # These have something to do on a GPU only.
        rewriting.layout_optimizer = rewriting.OFF
        rewriting.memory_optimization = rewriting.NO_MEM_OPT
        if not fuses:
            rewriting.remapping = rewriting.OFF
    return _context.FunctionCallOptions(config_proto=config)


@contextlib.contextmanager
def default_session(session: SessionInterface) -> Iterator[SessionInterface]:
    """Makes `session` what `tensor.eval()` finds: only a real Session can do so publicly."""
    with _stack.default_session(session):
        yield session


class FetchHandler(_session._FetchHandler):
    """Takes apart and rebuilds every structure of fetches that `Session.run` accepts."""


def expand_feed(feed: Any, value: Any) -> list[tuple[Any, Any]]:
    """Splits a fed sparse tensor and the like into (tensor, value) pairs, as `Session.run` does.

    The table of composite types that can be fed is not public.
    """
    for tensor_type, _, feed_fn, _ in _session._REGISTERED_EXPANSIONS:
        if isinstance(feed, tensor_type):
            return list(feed_fn(feed, value))
    raise TypeError(f"{feed!r} in feed_dict has invalid type {type(feed).__name__!r}.")


def op_def(op_type: str) -> Any:
    """The `OpDef` of an op type, or `None`: public `raw_ops` tell names but not attributes."""
    return _op_def_registry.get(op_type)


def call(function: Any, inputs: Sequence[Any]) -> list[tf.Tensor]:
    """Calls a ConcreteFunction with its inputs in order; returns its outputs in order, without structure.

    The public call binds arguments by name and formats them into a message on every call, which costs as
    much as a small step.
    """
    tensors = tf.nest.flatten(list(inputs), expand_composites=True)
    return function._inference_function.call_flat(*tensors, *function.captured_inputs)


def wrap_function(function: Callable[..., Any], signature: Sequence[tf.TypeSpec]) -> Any:
    """As `tf.compat.v1.wrap_function`, which leaves behind what the function calls.

    It registers those functions in the runtime, and nothing there takes them out when it is garbage.
    """
    wrapped = tf.compat.v1.wrap_function(function, signature)
    names = list(wrapped.graph._functions)
    # A function that calls this one keeps its innermost part only.
    weakref.finalize(wrapped._inference_function, _forget, _context.context(), names).atexit = False
    return wrapped


def while_loop(
    condition: Callable[[tf.Tensor], tf.Tensor], body: Callable[[tf.Tensor], tf.Tensor], number: tf.Tensor
) -> tf.Tensor:
    """Puts what `body` makes of a number in its place, as long as the condition holds; one after the other.

    To be called within a function. `tf.while_loop` carries two more numbers, for gradients, which takes a
    small step a tenth of its time.

    Args:
        condition: Takes such a number and returns a boolean scalar. It must need nothing else.
        body: Takes and returns such a number.
        number: A scalar.

    Returns:
        The first number for which the condition does not hold.
    """
    is_ordered = tf.compat.v1.get_default_graph()._add_control_dependencies
    signature = [tf.TensorSpec(number.shape, number.dtype)]
    name = _control_flow.unique_fn_name("while", "body")
    body_graph = _func_graph.func_graph_from_py_func(
        name, body, (), {}, signature, _WhileBody(name), add_control_dependencies=is_ordered
    )
    body_graph.outputs.extend(body_graph.internal_captures)
    loop_vars = [number, *body_graph.external_captures]
    signature += map(tf.TensorSpec.from_tensor, body_graph.external_captures)
    name = _control_flow.unique_fn_name("while", "cond")
    cond_graph = _func_graph.func_graph_from_py_func(
        name, lambda number, *_: condition(number), (), {}, signature, _WhileCond(name)
    )
    shapes = [tensor.shape for tensor in body_graph.outputs]
    return _while._build_while_op(loop_vars, cond_graph, body_graph, shapes, 1, "while", len(loop_vars))[0]


def _forget(context: Any, names: Sequence[str]) -> None:
    for name in names:
        context.remove_function(name)


# Names in the runtime that are free again, by dtype and shape. TensorFlow keeps 36 KB for each that was ever
# used, so variables share them, one after the other.
_free_names: collections.defaultdict[tuple[str, str], list[str]] = collections.defaultdict(list)
_name_numbers = itertools.count()


class _NameInUse(_resource_variables.EagerResourceDeleter):
    """Deletes a variable's value when it is garbage itself, and then gives the name free."""

    def __init__(self, handle: tf.Tensor, name: str, free_names: list[str]):
        super().__init__(handle, handle.device)
        self._name = name
        self._free_names = free_names

    def __del__(self) -> None:
        super().__del__()
        self._free_names.append(self._name)


class GraphVariable(_resource_variables.BaseResourceVariable):
    """A resource variable that starts without a value and fails to be read until it gets one.

    `tf.Variable` insists on an initial value, and TensorFlow's own `UninitializedVariable` reads as an empty
    tensor where TF 1 fails. Under a `shared_name` of its own the variable lives in the runtime so that a
    function body can reach it by a `VarHandleOp` of that name.
    """

    def __init__(
        self, name: str, shape: Any, dtype: tf.DType, shared_name: str | None = None, trainable: bool = False
    ):
        shape, dtype = tf.TensorShape(shape), tf.as_dtype(dtype)
        free_names = [] if shared_name else _free_names[dtype.name, str(shape)]
        try:
            runtime_name = shared_name or free_names.pop()
        except IndexError:
            runtime_name = f"keras_legacy_train_{next(_name_numbers)}"
        handle = tf.raw_ops.VarHandleOp(shape=shape, dtype=dtype, shared_name=runtime_name)
        _handle_data.set_handle_data(handle, _handle_data.create_handle_data(shape, dtype))
        super().__init__(
            trainable=trainable,
            shape=shape,
            dtype=dtype,
            handle=handle,
            unique_id=runtime_name,
            handle_name=name,
            in_graph_mode=False,
            validate_shape=False,
        )
        self._handle_deleter = _NameInUse(handle, runtime_name, free_names)

    @property
    def initialized(self) -> bool:
        """Whether the variable has a value."""
        return bool(tf.raw_ops.VarIsInitializedOp(resource=self.handle))


class NamedTensors(_Trackable):
    """Tensors that a `tf.train.Checkpoint` saves under names of our choosing.

    Publicly an object's place in the object graph becomes its name in the file, which no reader of TF 1
    understands; only the older protocol of saveables leaves the names to the object.

    Args:
        tensors: For each its name in the file, itself, and its TF 1 slice specification or `""`.
    """

    def __init__(self, tensors: Sequence[tuple[str, tf.Tensor, str]]):
        self._tensors = tensors

    def _gather_saveables_for_checkpoint(self) -> dict[str, Any]:
        def saveable(name: str) -> _saveable.SaveableObject:
            specs = [_saveable.SaveSpec(tensor, slice_spec, key) for key, tensor, slice_spec in self._tensors]
            return _saveable.SaveableObject(None, specs, name)

        return {"tensors": saveable}


def tensors_to_save(original: Any) -> dict[str, Any]:
    """What an object writes of itself into a checkpoint now, by either of the two protocols for it.

    Returns:
        By name a tensor, a dict of tensors by slice, or `None` for a variable without a value.

    Raises:
        TypeError: The object writes its files itself.
    """
    if _registration.get_registered_saver_name(original):
        raise TypeError(f"{original!r} cannot be in a checkpoint: it writes files of its own.")
    if _saveable_util.trackable_has_serialize_to_tensor(original):
        written = original._serialize_to_tensors()
    else:
        factories = original._gather_saveables_for_checkpoint().items()
        written = {spec.name: spec for name, factory in factories for spec in factory(name=name).specs}
    return tf.nest.map_structure(
        lambda value: value.tensor if isinstance(value, _saveable.SaveSpec) else value, written
    )


class ObjectCopy(_Trackable):
    """Stands for an object in a `tf.train.Checkpoint`, which then writes the same file.

    TensorFlow copies objects itself if told to `experimental_enable_async_checkpoint`, but then keeps a
    thread until the process ends, and tells of a failure only at the next save.

    Args:
        original: The object.
        tensors: What is written of it, as `tensors_to_save` returns it.

    Attributes:
        children: The copies of the objects below it, by name; to be filled in.
    """

    def __init__(self, original: Any, tensors: dict[str, Any]):
        self.children: dict[str, ObjectCopy] = {}
        self._tensors = tensors
        legacy_name = _saveable_compat.get_saveable_name(original)
        if legacy_name:
            _saveable_compat.legacy_saveable_name(legacy_name)(self)
        full_name = _checkpoint_util.get_full_name(original)
        if full_name:  # by which the readers of TF 1 find a variable
            self._should_act_as_resource_variable = True
            self._shared_name = full_name

    def _trackable_children(self, save_type: str = "checkpoint", **options: Any) -> dict[str, ObjectCopy]:
        return self.children

    def _serialize_to_tensors(self) -> dict[str, Any]:
        return self._tensors


class SavedObjects:
    """The graph of objects in a checkpoint in the form of TensorFlow 2.

    `tf.train.CheckpointView` tells which saved object is which live one, but not under which key the file has
    its value.

    Args:
        prefix: The checkpoint's path without suffix.
    """

    def __init__(self, prefix: str):
        self._view = tf.train.CheckpointView(prefix)
        self._nodes = self._view._object_graph_proto.nodes

    def children(self) -> list[str]:
        """Names of the objects that the checkpoint was asked to save."""
        return [child.local_name for child in self._nodes[0].children]

    def keys(self, root: tf.train.Checkpoint) -> dict[int, str]:
        """The key in the file of each object below `root` that has a value there, by its `id`."""
        return {
            id(live): self._nodes[node].attributes[0].checkpoint_key
            for node, live in self._view.match(root).items()
            if self._nodes[node].attributes
        }


class InputPosition(_Trackable):
    """The position of whatever iterator a source has at the time.

    A `tf.train.Checkpoint` can hold an iterator, but not the latest of many.

    Args:
        source: A `DatasetSource`.
    """

    READING = "reading"

    def __init__(self, source: Any):
        self._source = source

    def read(self) -> dict[str, tf.Tensor]:
        """The position, as tensors by name; `READING`, an `int64[2]`, among them."""
        reading = tf.constant(self._source.reading, tf.int64)
        return {**self._source.iterator._serialize_to_tensors(), self.READING: reading}

    def go_to(self, position: dict[str, tf.Tensor]) -> None:
        """Goes to a position that `read` gave. Without `READING` it lies in the first pass."""
        position = dict(position)
        reading = position.pop(self.READING, None)
        passes, at_end = (1, False) if reading is None else reading.numpy().tolist()
        if passes > 0:
            self._source.iterator_in(passes, bool(at_end))._restore_from_tensors(position)

    _serialize_to_tensors = read
    _restore_from_tensors = go_to


class SaveableObject(_saveable.SaveableObject):
    """What a `tf.compat.v1.train.Saver` saves besides variables: the Saver is public, this is not.

    Args:
        name: Its name.
        tensors: For each tensor its name in the file, its slice specification or `""`, and itself.
        restore: From the tensors read to the operation that restores them.
    """

    def __init__(
        self,
        name: str,
        tensors: Sequence[tuple[str, str, tf.Tensor]],
        restore: Callable[[Sequence[tf.Tensor]], tf.Operation],
    ):
        self._restore = restore
        specs = [_saveable.SaveSpec(tensor, slice_spec, key) for key, slice_spec, tensor in tensors]
        super().__init__(None, specs, name)

    def restore(self, restored_tensors: Sequence[tf.Tensor], restored_shapes: Any) -> tf.Operation:
        return self._restore(restored_tensors)


@contextlib.contextmanager
def unfinalized(graph: tf.Graph) -> Iterator[None]:
    """Lets ops be added to a graph that may be finalized, for which there is no public way."""
    finalized = graph.finalized
    graph._unsafe_unfinalize()
    try:
        yield
    finally:
        if finalized:
            graph.finalize()


def save_slice(variable: tf.Variable) -> tuple[str, str]:
    """The name a variable is saved under, and which slice of that it is (`""`: all of it).

    Which part of a partitioned variable a variable is, it tells by no public attribute.
    """
    info = variable._save_slice_info
    return (variable.op.name, "") if info is None else (info.full_name, info.spec)


def is_in_control_flow(op: tf.Operation) -> bool:
    """Whether an operation lies inside a TF 1 conditional or loop, where it cannot be fetched.

    `Graph.is_fetchable` tells, but not in an imported graph.
    """
    context = op._get_control_flow_context()
    if context is not None and op.type in ("Exit", "RefExit"):
        context = context.outer_context  # an exit belongs to its loop, but its value is outside
    return context is not None


class SharedVariable(keras.Variable):
    """A Keras variable around a TensorFlow variable that has a value already; both change together.

    Before Keras 3.6 the public constructor copies the value into a variable of its own.
    """

    def __init__(self, variable: tf.Variable, trainable: bool, name: str):
        self._shared = variable
        super().__init__(variable, trainable=trainable, dtype=variable.dtype.name, autocast=False, name=name)

    def _initialize(self, value: Any) -> None:
        self._value = self._shared


# TensorFlow's session hooks keep to themselves when they will act next.
NeverTriggerTimer = _session_hooks.NeverTriggerTimer


def hook_timer(hook: Any) -> Any:
    """The timer of a hook that has one."""
    return hook._timer


def timer_steps(timer: Any) -> int | None:
    """Steps between two triggers of a `SecondOrStepTimer`; `None` if it goes by the clock."""
    return timer._every_steps


def runs_seen(hook: tf.compat.v1.train.LoggingTensorHook) -> int:
    """How many runs the hook has counted."""
    return hook._iter_count


def add_runs_seen(hook: tf.compat.v1.train.LoggingTensorHook, runs: int) -> None:
    """Has the hook count runs at which it was not called."""
    hook._iter_count += runs


def stop_step(hook: tf.compat.v1.train.StopAtStepHook) -> int | None:
    """The step to stop at; `None` before the hook knows it."""
    return hook._last_step


def summary_step(hook: tf.compat.v1.train.SummarySaverHook) -> int | None:
    """The number of the step that the hook expects next; `None` before the first."""
    return hook._next_step


def set_summary_step(hook: tf.compat.v1.train.SummarySaverHook, step: int) -> None:
    """Changes that number."""
    hook._next_step = step


def forget_counted_step(hook: tf.compat.v1.train.StepCounterHook) -> None:
    """Has the hook not compare the global step of two runs, which it reads before or after it is raised."""
    hook._last_global_step = None


def awaited_step(hook: tf.compat.v1.train.GlobalStepWaiterHook) -> int | None:
    """The global step that the hook waits for; `None` if it waits no longer."""
    return None if hook._worker_is_started else hook._wait_until_step


def function_body(function: FunctionDef) -> Any:
    """A function as a graph with `inputs` and `outputs`: a FunctionDef names its tensors otherwise."""
    return _function_def_to_graph.function_def_to_graph(function)


# The public import has no place for changes between reading a file and importing it.
read_meta_graph_file = _meta_graph.read_meta_graph_file
