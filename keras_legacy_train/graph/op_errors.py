"""Makes errors of ops speak of the user's graph: which op it was, where it was made, and what to do."""

from __future__ import annotations

import linecache
import os
import re
from collections.abc import Iterable, Iterator, Mapping

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.graph.part import IMPORT_SCOPE

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

# What TensorFlow puts around the message of an op: for each node where it was made, as far as it knows.
_HEADER = re.compile(
    r"Graph execution error:\n\n"
    r"(?:Detected at node .*? defined at \(most recent call last\):\n"
    r"(?:<stack traces unavailable>\n|(?: .*\n|\n)+)?)*"
)
_FUNCTION = re.compile(r" ?\[Op:\w+\]")
# A node in a message: `{{node x}}`, `[[x]]` or `[[{{node x}}]]`.
_NODE = re.compile(r"(?<=\{\{node )[^{}\s]+(?=\}\})|(?<=\[\[)[^\[\]{}\s]+(?=\]\])")
_IMPORTED = re.compile(rf"^(?:.*?/)?{IMPORT_SCOPE}(?:_\d+)?/")
# What TensorFlow puts before the names in a conditional's or a loop's functions when it inlines them.
_INLINED = re.compile(r"^.*/_\d+/")

_VARIABLE = re.compile(rf"\b{_tensorflow.RUNTIME_NAME}\d+\b")
_MADE_HERE = "which was made here:"

_HANDS_ON = frozenset({"Enter", "Identity", "RefEnter", "RefIdentity", "RefSwitch", "Switch"})
_ON_RESUME = "init_fn is no place for that: it is not run when training resumes from a checkpoint."


def explain(
    error: tf.errors.OpError, graph: tf.Graph, runtime_names: Mapping[str, str], suffix: str
) -> tf.errors.OpError:
    """Rewrites the message of an error, which stays what it is otherwise.

    Args:
        error: What a function over parts of the graph has raised.
        graph: The user's graph.
        runtime_names: The names of its variables, by those that they have in the runtime.
        suffix: What names of the graph's shared resources and functions end in, in the runtime.

    Returns:
        The same error.
    """
    message = _FUNCTION.sub("", _HEADER.sub("", error.message)).strip()
    nodes = _NODE.findall(message)
    if not nodes or _MADE_HERE in message:
        return error
    message = _NODE.sub(lambda match: _IMPORTED.sub("", match[0]), message).replace(suffix, "")
    without_value = [runtime_names[name] for name in _VARIABLE.findall(message) if name in runtime_names]
    message = _VARIABLE.sub(lambda match: runtime_names.get(match[0], match[0]), message)
    operations = list(_operations(graph, nodes))
    lines = [message]
    for operation in operations:
        lines.append(_made(operation, "It was raised by" if operation is operations[0] else "It was run for"))
    if isinstance(error, tf.errors.FailedPreconditionError):
        lines.extend(map(_variable_way_out, dict.fromkeys(without_value)))
        if not without_value:
            sources = {source.name: source for operation in operations for source in _sources(operation)}
            lines.extend(filter(None, map(_input_way_out, sources.values())))
    return _tensorflow.set_message(error, "\n".join(lines))


def unfed(graph: tf.Graph, name: str, wanted: Iterable[str]) -> tf.errors.InvalidArgumentError:
    """Returns the error for a placeholder that is needed and not fed.

    Args:
        graph: The user's graph.
        name: The placeholder.
        wanted: The nodes that are computed.
    """
    placeholder = graph.get_operation_by_name(name)
    tensor = placeholder.outputs[0]
    lines = [
        f"You must feed a value for placeholder tensor {name!r} with dtype {tensor.dtype.name} and shape"
        f" {tensor.shape}.",
        _made(placeholder, "It is"),
    ]
    targets = filter(None, (_operation(graph, each) for each in wanted))
    needing = _needing(placeholder, list(targets))
    summary = next((operation for operation in needing if "Summary" in operation.type), None)
    if summary is not None:
        lines.append(_made(summary, "It is needed by"))
        lines.append("Feed it in each step that is summarised, or take that out of the SUMMARIES collection.")
    elif len(needing) > 1:
        lines.append(_made(needing[-1], "It is needed by"))
    return tf.errors.InvalidArgumentError(None, None, "\n".join(lines))


def _made(operation: tf.Operation, what: str) -> str:
    """Returns the lines that tell which operation it is, and where it was made."""
    text = f"{what} the operation {operation.name!r} ({operation.type})"
    frames = [] if operation.traceback is None else operation.traceback.get_user_frames()
    frame = next((frame for frame in reversed(frames) if not frame.filename.startswith(_PACKAGE)), None)
    if frame is None:
        return f"{text}."
    line = linecache.getline(frame.filename, frame.lineno).strip()
    where = f'  File "{frame.filename}", line {frame.lineno}, in {frame.name or "<lambda>"}'
    return "\n".join([f"{text}, {_MADE_HERE}", where, *([f"    {line}"] if line else [])])


def _operations(graph: tf.Graph, nodes: Iterable[str]) -> Iterator[tf.Operation]:
    """Yields the user's operations that the nodes come from, each once."""
    found: set[str] = set()
    for node in nodes:
        operation = _origin(graph, node)
        if operation is not None and operation.name not in found:
            found.add(operation.name)
            yield operation


def _origin(graph: tf.Graph, node: str) -> tf.Operation | None:
    """Returns the user's operation that a node comes from, if that can be told."""
    name = _IMPORTED.sub("", node)
    name_in_function = _INLINED.sub("", name)
    if name == node or name_in_function != name:
        operation = _operation_in_function(graph, name_in_function)
        if operation is not None or name == node:
            return operation
    return _operation(graph, name)


def _operation(graph: tf.Graph, name: str) -> tf.Operation | None:
    """Returns the operation of that name, or the one that a node below it was made for."""
    while name:
        try:
            return graph.get_operation_by_name(name)
        except KeyError:
            name = name.rpartition("/")[0]
    return None


def _operation_in_function(graph: tf.Graph, name: str) -> tf.Operation | None:
    """Returns the operation of that name in a function of the graph, if there is exactly one."""
    bodies = _tensorflow.function_graphs(graph)
    found = [operation for body in bodies for operation in body.get_operations() if operation.name == name]
    return found[0] if len(found) == 1 else None


def _needing(operation: tf.Operation, targets: Iterable[tf.Operation]) -> list[tf.Operation]:
    """Returns a way from the operation to one of the targets, both included."""
    needed_by: dict[tf.Operation, tf.Operation | None] = dict.fromkeys(targets)
    waiting = list(needed_by)
    while waiting:
        current = waiting.pop()
        for needed in (*(tensor.op for tensor in current.inputs), *current.control_inputs):
            if needed not in needed_by:
                needed_by[needed] = current
                waiting.append(needed)
    way = []
    step: tf.Operation | None = operation
    while step is not None:
        way.append(step)
        step = needed_by.get(step)
    return way


def _sources(operation: tf.Operation) -> Iterator[tf.Operation]:
    """Yields the operations that make the resources which the operation takes."""
    for tensor in operation.inputs:
        source = tensor.op
        while source.type in _HANDS_ON:
            source = source.inputs[0].op
        if tensor.dtype == tf.resource or tensor.dtype != tensor.dtype.base_dtype:
            yield source


def _variable_way_out(name: str) -> str:
    return (
        f"The variable {name!r} has no value. Put it into the collection GLOBAL_VARIABLES, whose variables"
        " are initialised and then saved, or LOCAL_VARIABLES, whose variables are initialised in every run;"
        f" or assign it in after_create_session of a SessionRunHook. {_ON_RESUME}"
    )


def _input_way_out(source: tf.Operation) -> str | None:
    if "Iterator" in source.type:
        what, initializer = "iterator", "iterator.initializer"
    elif "Table" in source.type:
        what, initializer = "table", "its initializer"
    else:
        return None
    return (
        f"The {what} {source.name!r} is not initialised. Add {initializer} to the collection"
        " tf.compat.v1.GraphKeys.TABLE_INITIALIZERS, which is run whenever training begins or resumes, or run"
        f" it in after_create_session of a SessionRunHook. {_ON_RESUME}"
    )
