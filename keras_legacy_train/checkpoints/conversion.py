"""Converts checkpoints: between names and objects, from the older format, with other names and dtypes."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.checkpoints import directory as files
from keras_legacy_train.checkpoints.durable import sync_directory, sync_file, write_durably
from keras_legacy_train.checkpoints.keys import OBJECT_GRAPH, Form, form_of, without_added
from keras_legacy_train.checkpoints.lookup import checkpoint_prefix
from keras_legacy_train.checkpoints.reading import checkpoint_contents, open_reader, read_slice
from keras_legacy_train.checkpoints.regular_files import read_regular
from keras_legacy_train.checkpoints.variables import not_finite
from keras_legacy_train.checkpoints.verification import partial_variables, variable_slices
from keras_legacy_train.types import PathLike

# How many bytes of values are in memory at once, but for a variable that has more.
_MAX_BATCH_BYTES = 2**28
# The largest `.meta` file that is copied.
_MAX_META_BYTES = 2**31
_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@dataclasses.dataclass(frozen=True)
class ConvertedVariable:
    """Tells what became of a variable.

    Attributes:
        source: Its key in the source.
        name: Its name in the target.
        dtype: The dtype there.
        source_dtype: The dtype in the source.
        shape: The shape of the whole.
        slices: The slices in which it is stored in the source, as `tf.raw_ops.RestoreV2` takes them; `[""]`
            for the whole.
    """

    source: str
    name: str
    dtype: tf.DType
    source_dtype: tf.DType
    shape: Sequence[int]
    slices: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Conversion:
    """Tells what a conversion has done.

    Attributes:
        source: The prefix of the checkpoint that was read.
        target: The prefix of the one that was written.
        form: Its form.
        variables: What is in it, by name.
        dropped: The keys of what was left out.
    """

    source: str
    target: str
    form: Form
    variables: Sequence[ConvertedVariable]
    dropped: Sequence[str]


def convert_checkpoint(
    source: PathLike,
    target: PathLike,
    form: Form = "names",
    *,
    rename: Iterable[tuple[str, str]] = (),
    drop: Iterable[str] = (),
    cast: Iterable[tuple[str, str]] = (),
) -> Conversion:
    """Writes a checkpoint anew, in another form or with other names and dtypes. The source stays as it is.

    In the form of names a checkpoint is what `tf.compat.v1.train.Saver` writes. In the form of objects, the
    parts of a name are the names of objects: `tf.train.Checkpoint(dense=layer)` finds `dense/kernel` in
    `layer.kernel`. From there, variables get their own names, as their objects noted them, or those of their
    places.

    What was written is read back and compared before it gets its name. Slices of partitioned variables stay
    slices in the form of names, and are joined in the form of objects.

    Args:
        source: The prefix of a checkpoint in any format, or a directory, for the newest intact one in it.
        target: The prefix of the new one, in a directory that exists. There must be none of that name.
        form: `"names"` or `"objects"`.
        rename: Pairs of a regular expression, searched in each name, and what replaces what it finds; all are
            applied, in their order.
        drop: Regular expressions; a variable is left out if one is found in its name.
        cast: Pairs of a regular expression and a dtype. Where it is found in a name, floats are cast to a
            dtype of floats, and integers to one of integers; the first that applies counts.

    Returns:
        What is in the new checkpoint.

    Raises:
        ValueError: An argument cannot be right, a pattern finds nothing, two variables would have one name, a
            value does not fit its new dtype, or the source cannot be read.
        DamagedCheckpointError: There are checkpoints in the directory, and none of them can be read.
        OSError: The target cannot be written, or exists.
    """
    prefix = checkpoint_prefix("source", source)
    target = arguments.as_path("target", target)
    directory = _check_target(target)
    variables, dropped = _plan(prefix, form, _Renaming(rename), _Patterns("drop", drop), _Casts(cast))
    try:
        with tempfile.TemporaryDirectory(dir=directory, prefix=".converting-") as folder:
            written = os.path.join(folder, os.path.basename(target))
            with _tensorflow.eager_mode(), tf.device("CPU:0"):
                (_write_objects if form == "objects" else _write_names)(prefix, written, variables)
                _compare(prefix, written, variables, form)
            if form == "names" and _keeps_names(variables, dropped) and os.path.isfile(f"{prefix}.meta"):
                write_durably(f"{written}.meta", read_regular(f"{prefix}.meta", _MAX_META_BYTES))
            _move(written, target)
    except tf.errors.OpError as error:
        raise ValueError(f"{prefix} cannot be converted: {error.message}") from error
    if not os.path.lexists(os.path.join(directory, files.STATE_FILE)):
        files.write_state(directory, [target])
    return Conversion(prefix, target, form, variables, dropped)


def _check_target(target: str) -> str:
    """Returns the directory of the target.

    Raises:
        ValueError, OSError: It is no place for a new checkpoint.
    """
    directory, name = os.path.split(target)
    directory = directory or "."
    files.check_path(target)
    if not name or os.path.isdir(target):
        raise ValueError(f"{target!r} is a directory; name the checkpoint in it, as in 'new/model.ckpt-100'.")
    if not os.path.isdir(directory):
        raise FileNotFoundError(f"there is no directory {directory!r} to write to")
    present = files.checkpoint_files(os.path.join(directory, name))
    if present:
        raise FileExistsError(f"{present[0]} exists; nothing is written over it")
    if not os.access(directory, os.W_OK | os.X_OK):
        raise PermissionError(f"{directory!r} cannot be written to")
    return directory


class _Patterns:
    """Matches names by regular expressions, and knows which of these have found none.

    Args:
        argument: The argument that gave them, for messages.
        patterns: The expressions.
    """

    def __init__(self, argument: str, patterns: Iterable[str]):
        self._argument = argument
        self._patterns: dict[str, re.Pattern[str]] = {}
        for text in patterns:
            try:
                self._patterns[text] = re.compile(text)
            except re.error as error:
                raise ValueError(f"{argument}: {text!r} is no regular expression: {error}") from error
        self._unused = dict.fromkeys(self._patterns)

    def found_in(self, name: str) -> Iterator[tuple[str, re.Pattern[str]]]:
        """Yields the expressions that are found in a name, one after the other."""
        for text, pattern in self._patterns.items():
            if pattern.search(name):
                yield text, pattern

    def use(self, text: str) -> None:
        """Notes that an expression has had its effect."""
        self._unused.pop(text, None)

    def check_used(self, what: str) -> None:
        """Raises ValueError if an expression has had no effect."""
        if self._unused:
            raise ValueError(f"{self._argument}: {next(iter(self._unused))!r} is found in no {what}.")


class _Renaming(_Patterns):
    def __init__(self, pairs: Iterable[tuple[str, str]]):
        self._replacements = dict(pairs)
        super().__init__("rename", self._replacements)

    def __call__(self, name: str) -> str:
        for text, pattern in self._patterns.items():
            try:
                name, count = pattern.subn(self._replacements[text], name)
            except (re.error, IndexError) as error:
                replacement = self._replacements[text]
                raise ValueError(f"rename: {replacement!r} cannot replace {text!r}: {error}") from error
            if count:
                self.use(text)
        return name


class _Casts(_Patterns):
    def __init__(self, pairs: Iterable[tuple[str, str]]):
        self._dtypes = {}
        for text, dtype in pairs:
            try:
                self._dtypes[text] = tf.as_dtype(dtype)
            except TypeError as error:
                raise ValueError(f"cast: {dtype!r} is no dtype.") from error
        super().__init__("cast", self._dtypes)

    def __call__(self, name: str, dtype: tf.DType) -> tf.DType:
        for text, _ in self.found_in(name):
            if _kind(dtype) is not None and _kind(dtype) == _kind(self._dtypes[text]):
                self.use(text)
                return self._dtypes[text]
        return dtype


def _kind(dtype: tf.DType) -> str | None:
    """Returns the kind of number among which a dtype can be cast."""
    if dtype.is_floating:
        return "floating point"
    if dtype.is_integer and not dtype.is_quantized:
        return "integer"
    return "complex" if dtype.is_complex else None


def _plan(
    prefix: str, form: Form, rename: _Renaming, drop: _Patterns, cast: _Casts
) -> tuple[list[ConvertedVariable], list[str]]:
    """Returns what is to be written, by name, and what is left out."""
    try:
        shapes, dtypes = checkpoint_contents(prefix)
        slices = variable_slices(prefix)
        names = _names(prefix, shapes)
    except tf.errors.OpError as error:
        raise ValueError(f"source: the checkpoint {prefix!r} cannot be read: {error.message}") from error
    if form == "objects" and form_of(shapes) == "objects":
        raise ValueError(
            f"{prefix} has the form of objects already: copy its files. For other names or dtypes, convert"
            " it to names, and these to objects."
        )
    variables, dropped = [], []
    for key in without_added(shapes):
        found = [text for text, _ in drop.found_in(names[key])]
        for text in found:
            drop.use(text)
        if found:
            dropped.append(key)
            continue
        name, dtype = rename(names[key]), cast(names[key], dtypes[key])
        parts = slices.get(key, [""])
        variables.append(ConvertedVariable(key, name, dtype, dtypes[key], tuple(shapes[key]), parts))
    drop.check_used("name")
    rename.check_used("name")
    cast.check_used("name of a variable of that kind of number")
    _check_names(variables, form)
    return sorted(variables, key=lambda variable: variable.name), dropped


def _names(prefix: str, keys: Iterable[str]) -> Mapping[str, str]:
    """Returns the names of variables by their keys."""
    if form_of(list(keys)) == "names":
        return {key: key for key in keys}
    data = open_reader(prefix).get_tensor(OBJECT_GRAPH)
    graph = _tensorflow.TrackableObjectGraph.FromString(data)
    full_names = {each.checkpoint_key: each.full_name for node in graph.nodes for each in node.attributes}
    return {key: full_names.get(key) or _place(key) for key in keys}


def _place(key: str) -> str:
    """Returns the names of the objects that lead to a value, without TensorFlow's escapes."""
    place = key.removesuffix(_VALUE).replace("/.ATTRIBUTES/", "/").replace("/.OPTIMIZER_SLOT/", "/")
    return place.replace("..", ".")


def _check_names(variables: Sequence[ConvertedVariable], form: Form) -> None:
    """Raises ValueError if the names cannot be those of the variables of one checkpoint."""
    if not variables:
        raise ValueError("Nothing is left to be written.")
    sources: dict[str, str] = {}
    for variable in variables:
        if variable.name in sources:
            raise ValueError(
                f"{sources[variable.name]} and {variable.source} would both be {variable.name!r};"
                " rename or drop one of them."
            )
        sources[variable.name] = variable.source
        scopes = variable.name.split("/")
        if not variable.name or (form == "objects" and (not all(scopes) or scopes[0] == "save_counter")):
            raise ValueError(f"{variable.source} cannot be called {variable.name!r}.")


def _keeps_names(variables: Sequence[ConvertedVariable], dropped: Sequence[str]) -> bool:
    """Tells whether the source's graph has these variables."""
    changed = [each for each in variables if (each.name, each.dtype) != (each.source, each.source_dtype)]
    return not dropped and not changed


def _write_names(prefix: str, written: str, variables: Sequence[ConvertedVariable]) -> None:
    shards: list[str] = []
    for batch in _batches(variables):
        shard = f"{written}_part{len(shards)}"
        tensors = [_value(prefix, variable, part) for variable, part in batch]
        tf.raw_ops.SaveV2(
            prefix=shard,
            tensor_names=[variable.name for variable, _ in batch],
            shape_and_slices=[part for _, part in batch],
            tensors=tensors,
        )
        shards.append(shard)
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=shards, destination_prefix=written, delete_old_dirs=False
    )


def _batches(
    variables: Sequence[ConvertedVariable],
) -> Iterator[list[tuple[ConvertedVariable, str]]]:
    """Splits what is to be written into parts that fit into memory."""
    batch: list[tuple[ConvertedVariable, str]] = []
    size = 0
    for variable in variables:
        size += int(np.prod(variable.shape, dtype=np.float64)) * max(variable.dtype.size or 1, 1)
        if batch and size > _MAX_BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch += [(variable, part) for part in variable.slices]
    yield batch


def _write_objects(prefix: str, written: str, variables: Sequence[ConvertedVariable]) -> None:
    root = _tensorflow.NamedValue()
    for variable in variables:  # by name, so that an object comes before those below it
        *scopes, last = variable.name.split("/")
        parent = root
        for scope in scopes:
            parent = parent.children.setdefault(scope, _tensorflow.NamedValue())
        parent.children[last] = _tensorflow.NamedValue(variable.name, _joined(prefix, variable))
    checkpoint = tf.train.Checkpoint(root=root)
    checkpoint.save_counter.assign_add(1)  # as if saved, so that `restore` finds all it looks for
    checkpoint.write(written)


def _value(prefix: str, variable: ConvertedVariable, part: str) -> tf.Tensor:
    """Reads a value and casts it.

    Raises:
        ValueError: It does not fit its new dtype.
    """
    value = read_slice(prefix, variable.source, part, variable.source_dtype)
    if variable.dtype == variable.source_dtype:
        return value
    cast = tf.cast(value, variable.dtype)
    fits = (
        bool(tf.reduce_all(tf.equal(tf.cast(cast, value.dtype), value)))
        if value.dtype.is_integer
        else bool(not_finite([("", value)])) or not not_finite([("", cast)])
    )
    if not fits:
        raise ValueError(f"{variable.source} has values that {variable.dtype.name} cannot hold.")
    return cast


def _joined(prefix: str, variable: ConvertedVariable) -> tf.Tensor:
    """Reads a whole value, of its slices where there are some; TensorFlow joins those of some dtypes only.

    Raises:
        ValueError: It does not fit its new dtype, or its slices are not the whole.
    """
    if list(variable.slices) == [""]:
        return _value(prefix, variable, "")
    whole = np.empty(variable.shape, variable.dtype.as_numpy_dtype)
    for part in variable.slices:
        *_, places = part.split(" ")
        whole[tuple(map(_extent, places.split(":")))] = _value(prefix, variable, part).numpy()
    if variable.source in partial_variables(prefix):
        raise ValueError(f"{variable.source} has slices that are not the whole; drop it.")
    return tf.constant(whole, variable.dtype)


def _extent(text: str) -> slice:
    """Returns the slice of `"2,3"`, which is from 2 to 5, or of `"-"`, the whole."""
    if text == "-":
        return slice(None)
    start, length = map(int, text.split(","))
    return slice(start, start + length)


def _compare(prefix: str, written: str, variables: Sequence[ConvertedVariable], form: Form) -> None:
    """Raises ValueError if what is read back is not what was to be written, to the bit."""
    shapes, _ = checkpoint_contents(written)
    if set(without_added(shapes)) != {_key(variable, form) for variable in variables}:
        raise ValueError(f"{written} does not hold what was written to it.")
    for variable in variables:
        for part in [""] if form == "objects" else variable.slices:
            expected = _value(prefix, variable, part) if form == "names" else _joined(prefix, variable)
            found = read_slice(written, _key(variable, form), part, variable.dtype)
            if not _is_same(expected, found):
                raise ValueError(f"{variable.name} was not written as it was read.")


def _key(variable: ConvertedVariable, form: Form) -> str:
    return variable.name.replace(".", "..") + _VALUE if form == "objects" else variable.name


def _is_same(one: tf.Tensor, other: tf.Tensor) -> bool:
    if one.shape != other.shape:
        return False
    if one.dtype == tf.variant:  # a position in a dataset
        return bool(tf.equal(tf.io.serialize_tensor(one), tf.io.serialize_tensor(other)))
    left, right = one.numpy(), other.numpy()
    if one.dtype == tf.string:
        return bool(np.array_equal(left, right))
    return bool(np.asarray(left).tobytes() == np.asarray(right).tobytes())


def _move(written: str, target: str) -> None:
    """Gives the files their names, the index last: without it there is no checkpoint."""
    paths = sorted(files.checkpoint_files(written), key=lambda path: path.endswith(".index"))
    moved: list[str] = []
    try:
        for path in paths:
            sync_file(path)
        for path in paths:
            place = target + path.removeprefix(written)
            if os.path.lexists(place):
                raise FileExistsError(f"{place} exists; nothing is written over it")
            os.rename(path, place)
            moved.append(place)
        sync_directory(os.path.dirname(target) or ".")
    except BaseException:
        for place in moved:
            with contextlib.suppress(OSError):
                os.remove(place)
        raise
