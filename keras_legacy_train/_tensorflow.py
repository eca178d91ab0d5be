"""Collects the private TensorFlow names this package needs, each with the reason why no public one does.

No other module imports `tensorflow.python` or touches an underscored name of a TensorFlow object. The names
are ordered by topic: execution, sessions, functions, graphs, variables, checkpoints, savers, session hooks,
old names, clusters.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import inspect
import itertools
import secrets
import struct
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import device_attributes_pb2 as _device_attributes
from tensorflow.core.framework.dataset_options_pb2 import Options as DatasetOptions
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.framework.tensor_pb2 import VariantTensorDataProto
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel as SavedModelProto
from tensorflow.core.protobuf.tensor_bundle_pb2 import BundleEntryProto, BundleHeaderProto
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph
from tensorflow.core.util.saved_tensor_slice_pb2 import SavedTensorSlices
from tensorflow.python.checkpoint import saveable_compat as _saveable_compat
from tensorflow.python.checkpoint import util as _checkpoint_util
from tensorflow.python.client import session as _session
from tensorflow.python.client import timeline as _timeline
from tensorflow.python.eager import context as _context
from tensorflow.python.framework import func_graph as _func_graph
from tensorflow.python.framework import function_def_to_graph as _function_def_to_graph
from tensorflow.python.framework import meta_graph as _meta_graph
from tensorflow.python.framework import op_def_registry as _op_def_registry
from tensorflow.python.framework import stack as _stack
from tensorflow.python.lib.io._pywrap_record_io import RandomRecordReader
from tensorflow.python.ops import control_flow_util_v2 as _control_flow
from tensorflow.python.ops import handle_data_util as _handle_data
from tensorflow.python.ops import lookup_ops as _lookup
from tensorflow.python.ops import resource_variable_ops as _resource_variables
from tensorflow.python.ops import script_ops as _script_ops
from tensorflow.python.ops import summary_ops_v2 as _summaries
from tensorflow.python.ops import variable_scope as _variable_scope
from tensorflow.python.ops import while_v2 as _while
from tensorflow.python.ops.control_flow_v2_func_graphs import WhileBodyFuncGraph as _WhileBody
from tensorflow.python.ops.control_flow_v2_func_graphs import WhileCondFuncGraph as _WhileCond
from tensorflow.python.saved_model import registration as _registration
from tensorflow.python.trackable.base import Trackable as _Trackable
from tensorflow.python.training import basic_session_run_hooks as _session_hooks
from tensorflow.python.training import training_util as _training_util
from tensorflow.python.training import warm_starting_util as _warm_starting
from tensorflow.python.training.checkpoint_state_pb2 import CheckpointState as CheckpointStateProto
from tensorflow.python.training.saving import saveable_object as _saveable
from tensorflow.python.training.saving import saveable_object_util as _saveable_util

# No public names: what type checkers want as classes, what the files of a checkpoint and the options of a
# dataset are made of, and the reader that goes on in an event file where it has stopped.
__all__ = [
    "BundleEntryProto",
    "BundleHeaderProto",
    "CheckpointStateProto",
    "DatasetOptions",
    "FunctionDef",
    "NodeDef",
    "RandomRecordReader",
    "SavedModelProto",
    "SavedTensorSlices",
    "TrackableObjectGraph",
    "VariableDef",
    "VariantTensorDataProto",
]


# Execution.

# The file through which operations call Python, by which such calls are known among the frames of a thread.
SCRIPT_OPS_FILE = _script_ops.__file__


@contextlib.contextmanager
def eager_mode(fuses: bool = True) -> Iterator[None]:
    """Switches eager execution on, also after `disable_v2_behavior()`; there is no public way back.

    Functions that are first called in it get a shorter optimization: TensorFlow's optimizer takes half of the
    time that the start of a large graph takes. `tf.config.optimizer` offers some of this, but for everything
    that the process runs.

    Args:
        fuses: Whether operations on a CPU may be fused. They are not if an outer `eager_mode` forbids it.
    """
    context = _context.context()
    options = context.function_call_options
    ours = _call_options(options.config_proto_serialized, fuses)
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
def _call_options(serialized_config: bytes, fuses: bool) -> _context.FunctionCallOptions:
    """Returns the options of function calls: the given `ConfigProto` with a shorter optimization."""
    config = tf.compat.v1.ConfigProto.FromString(serialized_config)
    rewriting = config.graph_options.rewrite_options
    if not rewriting.meta_optimizer_iterations:
        rewriting.meta_optimizer_iterations = rewriting.ONE  # a second pass finds next to nothing
    if not tf.config.list_physical_devices("GPU"):
        # These help on a GPU only.
        rewriting.layout_optimizer = rewriting.OFF
        rewriting.memory_optimization = rewriting.NO_MEM_OPT
        if not fuses:
            rewriting.remapping = rewriting.OFF
    return _context.FunctionCallOptions(config_proto=config)


def global_seed() -> int | None:
    """Returns the seed that `tf.random.set_seed` has set, `None` if it has not been called."""
    seed: int | None = _context.global_seed()
    return seed


# Sessions.


class SessionInterface(_session.SessionInterface):
    """Marks a class as a session: `Saver.save` and the queue runners accept only instances of this."""


class FetchHandler(_session._FetchHandler):
    """Flattens every structure of fetches that `Session.run` accepts, and rebuilds it from the results."""


@contextlib.contextmanager
def default_session(session: SessionInterface) -> Iterator[SessionInterface]:
    """Makes `session` the default session, which `tensor.eval()` uses.

    In public only a real Session can do so.
    """
    with _stack.default_session(session):
        yield session


def expand_feed(feed: Any, value: Any) -> list[tuple[Any, Any]]:
    """Splits a fed sparse tensor and the like into (tensor, value) pairs, as `Session.run` does.

    The table of composite types that can be fed is not public.

    Raises:
        TypeError: Values of this type cannot be fed.
    """
    for tensor_type, _, feed_fn, _ in _session._REGISTERED_EXPANSIONS:
        if isinstance(feed, tensor_type):
            return list(feed_fn(feed, value))
    raise TypeError(f"{feed!r} in feed_dict has invalid type {type(feed).__name__!r}.")


def chrome_trace(metadata: tf.compat.v1.RunMetadata) -> str:
    """Returns the trace of a step as JSON, which Chrome shows; there is no public writer of it."""
    text: str = _timeline.Timeline(metadata.step_stats).generate_chrome_trace_format()
    return text


# Functions.


def call(function: Any, inputs: Sequence[Any]) -> list[tf.Tensor]:
    """Calls a ConcreteFunction with its inputs in order; returns its outputs in order, without structure.

    The public call binds arguments by name and formats them into a message on every call, which costs as
    much as a small step.
    """
    tensors = tf.nest.flatten(list(inputs), expand_composites=True)
    outputs: list[tf.Tensor] = function._inference_function.call_flat(*tensors, *function.captured_inputs)
    return outputs


def wrap_function(function: Callable[..., Any], signature: Sequence[tf.TypeSpec]) -> Any:
    """Wraps a function as `tf.compat.v1.wrap_function` does, and frees what that leaves behind.

    It registers the functions that `function` calls in the runtime. Nothing removes them there when the
    wrapped function is garbage collected.
    """
    wrapped = tf.compat.v1.wrap_function(function, signature)
    names = list(wrapped.graph._functions)
    # A function that calls this one keeps its innermost part only.
    weakref.finalize(wrapped._inference_function, _remove_functions, _context.context(), names).atexit = False
    return wrapped


def _remove_functions(context: Any, names: Sequence[str]) -> None:
    """Removes functions from the runtime."""
    for name in names:
        context.remove_function(name)


def set_message(error: tf.errors.OpError, message: str) -> tf.errors.OpError:
    """Gives an error another message, as TensorFlow itself does: its class, code and traceback stay."""
    error._message = message
    return error


def python_function(token: str) -> Callable[..., Any] | None:
    """Returns the Python function that a `PyFunc` calls, `None` if it is not of this process or gone.

    The public `tf.numpy_function` only makes one.
    """
    function: Callable[..., Any] | None = _script_ops._py_funcs.get(token)
    return function


def add_python_function(function: Callable[..., Any]) -> str:
    """Returns the token by which a `PyFunc` calls a Python function. The caller has to keep the function."""
    token: str = _script_ops._py_funcs.insert(function)
    return token


class Generator:
    """Accesses the generator of a `Dataset.from_generator`, of which a graph knows the name only.

    Attributes:
        structure: The dtypes of an element, in its structure.
        dtypes: The same, flat.
        shapes: The shapes of an element, flat.
    """

    def __init__(self, variables: Mapping[str, Any]):
        self._state = variables["generator_state"]
        self.structure: Any = variables["output_types"]
        self.dtypes: list[tf.DType] = variables["flattened_types"]
        self.shapes: list[tf.TensorShape] = variables["flattened_shapes"]

    @classmethod
    def of(cls, next_element: Callable[..., Any]) -> Generator | None:
        """Returns the generator whose next element a function returns; `None` if it is another function."""
        variables = inspect.getclosurevars(inspect.unwrap(next_element)).nonlocals
        return cls(variables) if "generator_state" in variables else None

    def iterator(self, number: np.ndarray) -> Iterator[Any]:
        """Returns an iterator of the generator; it is made when it is first asked for."""
        iterator: Iterator[Any] = self._state.get_iterator(number)
        return iterator

    @contextlib.contextmanager
    def giving(self, element: Any, number: np.ndarray) -> Iterator[None]:
        """Has an iterator give an element that has been taken from it."""
        iterators, key = self._state._iterators, number.item()
        iterator = iterators[key]
        iterators[key] = iter([element])
        try:
            yield
        finally:
            iterators[key] = iterator


def around_loop(function: tf.Graph) -> tf.Graph | None:
    """Returns the function in which a loop is built, given its body; `None` for any other function."""
    return function.outer_graph if isinstance(function, _WhileBody) else None


def function_graphs(graph: tf.Graph) -> list[tf.Graph]:
    """Returns the bodies of the functions in a graph, of which the public form keeps no tracebacks."""
    return [each.graph for each in graph._functions.values() if hasattr(each, "graph")]


def while_loop(
    condition: Callable[[tf.Tensor], tf.Tensor],
    body: Callable[..., Any],
    number: tf.Tensor,
    carried: Sequence[tf.Tensor] = (),
) -> tf.Tensor:
    """Builds a loop `while condition(number): number, *carried = body(number, *carried)`.

    One iteration comes after the other.

    Must be called while a function is built. `tf.while_loop` carries two more numbers, for gradients, which
    takes a tenth of the time of a small step.

    Args:
        condition: Takes the number and returns a boolean scalar. It must need nothing else.
        body: Takes the number and what is carried, and returns the next of both.
        number: The first number, a scalar.
        carried: What the first iteration is given besides. Shapes must not change.

    Returns:
        The first number for which the condition does not hold.
    """
    is_ordered = tf.compat.v1.get_default_graph()._add_control_dependencies
    loop_vars = [number, *carried]
    signature = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in loop_vars]
    name = _control_flow.unique_fn_name("while", "body")
    body_graph = _func_graph.func_graph_from_py_func(
        name, body, (), {}, signature, _WhileBody(name), add_control_dependencies=is_ordered
    )
    body_graph.outputs.extend(body_graph.internal_captures)
    body_graph.outputs.extend(body_graph.deferred_internal_captures)  # the keys of collectives are such
    deferred = tf.nest.flatten([capture() for capture in body_graph.deferred_external_captures])
    captures = [*body_graph.external_captures, *deferred]
    loop_vars += captures
    signature += map(tf.TensorSpec.from_tensor, captures)
    name = _control_flow.unique_fn_name("while", "cond")
    cond_graph = _func_graph.func_graph_from_py_func(
        name, lambda number, *_: condition(number), (), {}, signature, _WhileCond(name)
    )
    shapes = [tensor.shape for tensor in body_graph.outputs]
    return _while._build_while_op(loop_vars, cond_graph, body_graph, shapes, 1, "while", len(loop_vars))[0]


def function_body(function: FunctionDef, shapes: Sequence[tf.TensorShape] | None = None) -> Any:
    """Converts a FunctionDef, which names its tensors otherwise, to a graph with `inputs` and `outputs`.

    Args:
        function: The function.
        shapes: The shapes of its arguments; by default those that it notes.
    """
    return _function_def_to_graph.function_def_to_graph(function, input_shapes=shapes)


# Graphs.


def op_def(op_type: str) -> Any:
    """Returns the `OpDef` of an op type, or `None`: public `raw_ops` tell names but not attributes."""
    return _op_def_registry.get(op_type)


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


def is_in_control_flow(op: tf.Operation) -> bool:
    """Returns whether an operation lies inside a TF 1 conditional or loop, where it cannot be fetched.

    `Graph.is_fetchable` tells, but not in an imported graph.
    """
    context = op._get_control_flow_context()
    if context is not None and op.type in ("Exit", "RefExit"):
        context = context.outer_context  # an exit belongs to its loop, but its value is outside
    return context is not None


# Reads a `.meta` file into a `MetaGraphDef`. The public import has no place for changes between reading a
# file and importing it.
read_meta_graph_file = _meta_graph.read_meta_graph_file


# Variables.

# Names in the runtime that are free again, by dtype and shape. TensorFlow keeps 36 KB for each that was ever
# used, so variables share them, one after the other.
_free_names: collections.defaultdict[tuple[str, str], list[str]] = collections.defaultdict(list)
_name_numbers = itertools.count()
# What such names begin with; a number follows.
RUNTIME_NAME = "keras_legacy_train_"


class _VariableDeleter(_resource_variables.EagerResourceDeleter):
    """Deletes a variable's value when it is garbage collected itself, and then gives the name free."""

    def __init__(self, handle: tf.Tensor, name: str, free_names: list[str]):
        super().__init__(handle, handle.device)
        self._name = name
        self._free_names = free_names

    def __del__(self) -> None:
        super().__del__()
        self._free_names.append(self._name)


class GraphVariable(_resource_variables.BaseResourceVariable):
    """Creates a resource variable without a value; reading it fails until it gets one.

    `tf.Variable` insists on an initial value, and TensorFlow's own `UninitializedVariable` reads as an empty
    tensor where TF 1 fails. With a `shared_name` of its own the variable lives in the runtime, so that a
    function body can reach it by a `VarHandleOp` of that name.

    Args:
        name: The variable's name, without `":0"`.
        shape: The shape, which may be partly or wholly unknown.
        dtype: The dtype.
        shared_name: The name in the runtime; by default one that is not used otherwise.
        trainable: Whether a `GradientTape` watches the variable.
        device: The device of a server that holds the variable, under its shared name; `None` for this
            process. It is left there when this object goes.
        is_shared: Whether other processes use it, too.
    """

    def __init__(
        self,
        name: str,
        shape: Any,
        dtype: tf.DType,
        shared_name: str | None = None,
        trainable: bool = False,
        device: str | None = None,
        is_shared: bool = False,
    ):
        shape, dtype = tf.TensorShape(shape), tf.as_dtype(dtype)
        free_names = [] if shared_name else _free_names[dtype.name, str(shape)]
        try:
            runtime_name = shared_name or free_names.pop()
        except IndexError:
            runtime_name = f"{RUNTIME_NAME}{next(_name_numbers)}"
        handle = _variable_handle(shape, dtype, runtime_name, device)
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
        self.runtime_name = runtime_name
        self.is_shared = is_shared
        self._server_device = device
        if device is None:
            self._handle_deleter = _VariableDeleter(handle, runtime_name, free_names)

    def find_again(self) -> None:
        """Finds the variable on its server, to which this process has connected again."""
        self._handle = _variable_handle(self.shape, self.dtype, self.runtime_name, self._server_device)

    def delete_from_server(self) -> None:
        """Frees what a server holds for it."""
        tf.raw_ops.DestroyResourceOp(resource=self.handle, ignore_lookup_error=True)

    @property
    def initialized(self) -> bool:
        """Returns whether the variable has a value."""
        return bool(tf.raw_ops.VarIsInitializedOp(resource=self.handle))


def _variable_handle(
    shape: tf.TensorShape, dtype: tf.DType, shared_name: str, device: str | None
) -> tf.Tensor:
    with tf.device(device) if device is not None else contextlib.nullcontext():
        handle = tf.raw_ops.VarHandleOp(shape=shape, dtype=dtype, shared_name=shared_name)
    _handle_data.set_handle_data(handle, _handle_data.create_handle_data(shape, dtype))
    return handle


class SharedVariable(keras.Variable):
    """Makes a Keras variable of a TensorFlow variable that has a value already; both change together.

    Before Keras 3.6 the public constructor copies the value into a variable of its own.

    Args:
        variable: The TensorFlow variable.
        trainable: Whether Keras counts it as trainable.
        name: The Keras variable's name.
    """

    def __init__(self, variable: tf.Variable, trainable: bool, name: str):
        self._shared = variable
        super().__init__(variable, trainable=trainable, dtype=variable.dtype.name, autocast=False, name=name)

    def _initialize(self, value: Any) -> None:
        self._value = self._shared


def variable_from_proto(definition: VariableDef) -> tf.Variable:
    """Returns the resource variable that is defined of operations of the default graph.

    `tf.compat.v1.Variable.from_proto` would make a reference variable of it.
    """
    variable: tf.Variable = _resource_variables.ResourceVariable.from_proto(definition)
    variable_store = _variable_scope._get_default_variable_store()
    variable_store._vars[variable.op.name] = variable  # so that `get_variable` finds it, too
    return variable


def of_all_replicas(variable: tf.Variable) -> tf.Variable:
    """Returns the variable of which another one is the copy on a replica, or that one itself."""
    owner = variable if hasattr(variable, "_distributed_container") else variable.handle
    container = getattr(owner, "_distributed_container", None)
    return variable if container is None else container()


def save_slice(variable: tf.Variable) -> tuple[str, str]:
    """Returns the name a variable is saved under, and its slice specification, `""` for the whole.

    No public attribute tells which part of a partitioned variable a variable is.
    """
    info = variable._save_slice_info
    return (variable.op.name, "") if info is None else (info.full_name, info.spec)


def saver_variables(saver: tf.compat.v1.train.Saver) -> list[tuple[str, str, tf.Variable]]:
    """Returns key, slice specification and variable of all that a Saver, once it is built, saves.

    No public attribute tells what it was given.
    """
    given = saver._var_list
    named = given.items() if isinstance(given, dict) else ((None, each) for each in given)
    found = []
    for name, each in named:
        for variable in each if hasattr(each, "__iter__") and not isinstance(each, tf.Variable) else [each]:
            if isinstance(variable, tf.Variable):
                key, slice_spec = save_slice(variable)
                found.append((name or key, slice_spec, variable))
    return found


def saver_limits(saver: tf.compat.v1.train.Saver) -> tuple[int | None, float | None]:
    """Returns how many checkpoints a Saver keeps, and each how many hours it keeps one for good."""
    return saver._max_to_keep or None, saver._keep_checkpoint_every_n_hours


# Checkpoints that `tf.train.CheckpointManager` writes.


class NamedCheckpoint(tf.train.Checkpoint):
    """Writes tensors under names of our choosing, and no object graph, as a Saver of TensorFlow 1 does.

    With public names, the name in the file is the object's place in the object graph, which no reader of TF 1
    understands. And where a file has an object graph, `warm_start` looks only there for names of variables.
    `tf.train.CheckpointManager` calls this method, which is not public.

    Args:
        tensors: For each tensor its name in the file, itself, and its TF 1 slice specification or `""`.
    """

    def __init__(self, tensors: Sequence[tuple[str, tf.Tensor, str]]):
        super().__init__()
        self._tensors_by_name = list(tensors)

    @property
    def save_counter(self) -> _Uncounted:
        """Returns what is told of each save, and counts nothing: checkpoints are numbered by the caller.

        A variable takes time to make, and one that is kept is lost when the process joins a cluster.
        """
        return _Uncounted()

    def _write(self, file_prefix: str, options: tf.train.CheckpointOptions | None = None) -> str:
        part = f"{file_prefix}_temp/part-00000-of-00001"
        with tf.device("/cpu:0"):
            tf.raw_ops.SaveV2(
                prefix=part,
                tensor_names=[name for name, _, _ in self._tensors_by_name],
                shape_and_slices=[slice_spec for _, _, slice_spec in self._tensors_by_name],
                tensors=[tensor for _, tensor, _ in self._tensors_by_name],
            )
            tf.raw_ops.MergeV2Checkpoints(
                checkpoint_prefixes=[part], destination_prefix=file_prefix, delete_old_dirs=True
            )
        for callback in (options and options.experimental_write_callbacks) or ():
            callback(file_prefix)
        return file_prefix


class _Uncounted:
    """Stands for the counter that `tf.train.CheckpointManager` raises by one."""

    def assign_add(self, delta: int) -> None:
        """Counts nothing."""


def tensors_to_save(original: Any) -> dict[str, Any]:
    """Collects the tensors that an object writes into a checkpoint now, by either of the two protocols.

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
    tensors: dict[str, Any] = tf.nest.map_structure(
        lambda value: value.tensor if isinstance(value, _saveable.SaveSpec) else value, written
    )
    return tensors


class ObjectCopy(_Trackable):
    """Stands for an object in a `tf.train.Checkpoint`, which then writes the same file.

    With `experimental_enable_async_checkpoint` TensorFlow copies objects itself, but it keeps a thread until
    the process ends, and reports a failure only at the next save.

    Args:
        original: The object.
        tensors: The tensors that are written of it, as `tensors_to_save` returns them.

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


class NamedValue(_Trackable):
    """Has a `tf.train.Checkpoint` save a tensor as that of a variable.

    Only private attributes tell the name by which the readers of TensorFlow 1 know a variable, and let an
    object have both a value and others below it.

    Args:
        name: The variable's name; `""` for an object that only has others below it.
        value: Its value, or `None`.

    Attributes:
        children: The objects below it, by name; to be filled in.
    """

    def __init__(self, name: str = "", value: tf.Tensor | None = None):
        self.children: dict[str, NamedValue] = {}
        self._value = value
        if name:
            self._should_act_as_resource_variable = True
            self._shared_name = name

    def _trackable_children(self, save_type: str = "checkpoint", **options: Any) -> dict[str, NamedValue]:
        return self.children

    def _serialize_to_tensors(self) -> dict[str, tf.Tensor]:
        return {} if self._value is None else {"VARIABLE_VALUE": self._value}


class SavedObjectGraph:
    """Reads the object graph of a checkpoint in the form of TensorFlow 2.

    `tf.train.CheckpointView` tells which saved object is which live one, but not under which key the file has
    its value.

    Args:
        prefix: The checkpoint's path without suffix.
    """

    def __init__(self, prefix: str):
        self._view = tf.train.CheckpointView(prefix)
        self._nodes = self._view._object_graph_proto.nodes

    def children(self) -> list[str]:
        """Returns the names of the objects that the checkpoint was asked to save."""
        return [child.local_name for child in self._nodes[0].children]

    def keys(self, root: tf.train.Checkpoint) -> dict[int, str]:
        """Returns the key in the file of each object below `root` that has a value there, by its `id`."""
        return {
            id(live): self._nodes[node].attributes[0].checkpoint_key
            for node, live in self._view.match(root).items()
            if self._nodes[node].attributes
        }


def _tells_orders_drawn(position: dict[str, tf.Tensor]) -> bool:
    """Returns whether a position tells how many orders a dataset that shuffles has drawn."""
    states = [state for state in position.values() if state.dtype == tf.variant]
    each = [variant for state in states for variant in tf.unstack(tf.reshape(state, [-1]))]
    return any(b"num_random_samples" in tf.io.serialize_tensor(variant).numpy() for variant in each)


class DatasetPosition(_Trackable):
    """Saves and restores how far a dataset has been read, by whatever iterator reads it at the time.

    A `tf.train.Checkpoint` can hold an iterator, but not the latest of many.

    Args:
        source: A `DatasetSource`.
    """

    READING = "reading"

    def __init__(self, source: Any):
        self._source = source

    def read(self) -> dict[str, tf.Tensor]:
        """Returns the position, as tensors by name; `READING`, an `int64[3]`, among them."""
        reading = tf.constant(self._source.reading, tf.int64)
        return {**self._source.iterator._serialize_to_tensors(), self.READING: reading}

    def go_to(self, position: dict[str, tf.Tensor]) -> None:
        """Goes to a position that `read` returned. Without `READING` it lies in the first pass."""
        position = dict(position)
        reading = position.pop(self.READING, None)
        passes, at_end, batches = (1, False, 0) if reading is None else reading.numpy().tolist()
        if passes > 0:
            iterator = self._source.iterator_in(passes, bool(at_end), batches)
            resets = passes == 1 and self._source.is_finite and not _tells_orders_drawn(position)
            first = iterator._serialize_to_tensors() if resets else None
            iterator._restore_from_tensors(position)
            if first is not None:  # the restore may have drawn an order for a second iterator
                self._source.make_iterator()._restore_from_tensors(first)

    _serialize_to_tensors = read
    _restore_from_tensors = go_to


# Savers of TensorFlow 1.


class SaveableObject(_saveable.SaveableObject):
    """Has a `tf.compat.v1.train.Saver` save more than variables: the Saver is public, this class is not.

    Args:
        name: Its name.
        tensors: For each tensor its name in the file, its slice specification or `""`, and itself.
        restore: Takes the tensors read and returns the operation that restores them.
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
        """Returns the operation that restores the object; the Saver calls it."""
        return self._restore(restored_tensors)


# Session hooks, which have no public attribute that tells when they will act next.

NeverTriggerTimer = _session_hooks.NeverTriggerTimer


def hook_timer(hook: Any) -> Any:
    """Returns the timer of a hook that has one."""
    return hook._timer


def timer_steps(timer: Any) -> int | None:
    """Returns the steps between two triggers of a `SecondOrStepTimer`; `None` if it goes by the clock."""
    steps: int | None = timer._every_steps
    return steps


def runs_seen(hook: tf.compat.v1.train.LoggingTensorHook) -> int:
    """Returns how many runs the hook has counted."""
    runs: int = hook._iter_count
    return runs


def add_runs_seen(hook: tf.compat.v1.train.LoggingTensorHook, runs: int) -> None:
    """Has the hook count runs at which it was not called."""
    hook._iter_count += runs


def stop_step(hook: tf.compat.v1.train.StopAtStepHook) -> int | None:
    """Returns the step to stop at; `None` before the hook knows it."""
    step: int | None = hook._last_step
    return step


def summary_step(hook: tf.compat.v1.train.SummarySaverHook) -> int | None:
    """Returns the number of the step that the hook expects next; `None` before the first."""
    step: int | None = hook._next_step
    return step


def set_summary_step(hook: tf.compat.v1.train.SummarySaverHook, step: int) -> None:
    """Sets the number of the step that the hook expects next."""
    hook._next_step = step


def forget_counted_step(hook: tf.compat.v1.train.StepCounterHook) -> None:
    """Has the hook not compare the global step of two runs, which it reads before or after it is raised."""
    hook._last_global_step = None


def awaited_step(hook: tf.compat.v1.train.GlobalStepWaiterHook) -> int | None:
    """Returns the global step that the hook waits for; `None` if it waits no longer."""
    return None if hook._worker_is_started else hook._wait_until_step


def warm_start(*settings: Any) -> None:
    """Calls `tf.compat.v1.train.warm_start` with the settings, for any checkpoint with the variables' names.

    TensorFlow looks for the names of a checkpoint of its second form in the graph of objects only, in which
    checkpoints of this package have none.
    """
    find_renames = _warm_starting._get_object_checkpoint_renames

    def find_renames_if_needed(path: str, names: Sequence[str]) -> dict[str, str]:
        keys = tf.train.load_checkpoint(path).get_variable_to_shape_map()
        return {} if keys.keys() >= set(names) else find_renames(path, names)

    _warm_starting._get_object_checkpoint_renames = find_renames_if_needed
    try:
        tf.compat.v1.train.warm_start(*settings)
    finally:
        _warm_starting._get_object_checkpoint_renames = find_renames


def run_after(operations: Iterable[tf.Operation], others: Sequence[tf.Operation]) -> None:
    """Has operations that exist already wait for others, as `tf.control_dependencies` does for new ones."""
    for operation in operations:
        operation._add_control_inputs(others)


def add_global_step_read(graph: tf.Graph) -> None:
    """Adds the read of the global step that session hooks share, for which there is no public function."""
    _training_util._get_or_create_global_step_read(graph)


def add_saving_listeners(
    hook: tf.compat.v1.train.CheckpointSaverHook,
    listeners: Sequence[tf.compat.v1.train.CheckpointSaverListener],
) -> None:
    """Has a hook that exists already call listeners, too."""
    hook._listeners.extend(each for each in listeners if each not in hook._listeners)


# For old names.

# Tables of words. The public `tf.lookup.StaticVocabularyTable` has no other hash and no default value, and
# the functions that make tables are not public any more.
FastHashSpec = _lookup.FastHashSpec
HasherSpec = _lookup.HasherSpec
IdTableWithHashBuckets = _lookup.IdTableWithHashBuckets
InitializableLookupTableBase = _lookup.InitializableLookupTableBase
LookupInterface = _lookup.LookupInterface
StrongHashSpec = _lookup.StrongHashSpec
TableInitializerBase = _lookup.TableInitializerBase
TextFileIdTableInitializer = _lookup.TextFileIdTableInitializer
TextFileStringTableInitializer = _lookup.TextFileStringTableInitializer
index_table_from_file = _lookup.index_table_from_file
index_table_from_tensor = _lookup.index_table_from_tensor
index_to_string_table_from_file = _lookup.index_to_string_table_from_file
index_to_string_table_from_tensor = _lookup.index_to_string_table_from_tensor

# The functions of `tf.contrib.summary`: those of `tf.summary` have other arguments, and write others.
legacy_summaries = _summaries

# Which ops a graph needs, which is nowhere public.
ops_used_by_graph_def = _meta_graph.ops_used_by_graph_def
stripped_op_list_for_graph = _meta_graph.stripped_op_list_for_graph


# Clusters.


def device_attributes(reply: bytes) -> Iterator[Any]:
    """Yields the `DeviceAttributes` in a serialized `GetStatusResponse`, which has no class in Python."""
    place = 0
    while place < len(reply):
        place += 1  # the tag of the repeated field
        size = shift = 0
        while True:
            byte = reply[place]
            size |= (byte & 0x7F) << shift
            shift, place = shift + 7, place + 1
            if byte < 0x80:
                break
        yield _device_attributes.DeviceAttributes.FromString(reply[place : place + size])
        place += size


def create_context_request(server: tf.train.ServerDef, keep_alive_seconds: int) -> bytes:
    """Returns a serialized `CreateContextRequest` for a server, which has no class in Python."""
    server_def: bytes = server.SerializeToString()
    server_field = b"\x0a" + _varint(len(server_def)) + server_def
    context_id_field = b"\x39" + struct.pack("<Q", secrets.randbits(63))
    return server_field + b"\x18" + _varint(keep_alive_seconds) + context_id_field


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])
