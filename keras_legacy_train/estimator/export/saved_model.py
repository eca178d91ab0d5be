"""Writes an Estimator's graphs as a SavedModel, in the form of TensorFlow 1."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf
from google.protobuf import text_format

from keras_legacy_train import _tensorflow, arguments
from keras_legacy_train.checkpoints import SavedVariable
from keras_legacy_train.checkpoints.reading import check_variables
from keras_legacy_train.errors import CheckpointMismatchError
from keras_legacy_train.estimator.export.signatures import outputs_of, signatures
from keras_legacy_train.estimator.mode_keys import ModeKeys
from keras_legacy_train.graph.saving.export import make_readable_by_1_15

_KEYS = tf.compat.v1.GraphKeys
_TAGS = {
    ModeKeys.TRAIN: [tf.saved_model.TRAINING],
    ModeKeys.EVAL: ["eval"],
    ModeKeys.PREDICT: [tf.saved_model.SERVING],
}
# Where loaders look for the operation that trains.
_TRAIN_OP_KEY = "saved_model_train_op"
# Digits in the name of an export: seconds since 1970.
_DIGITS = 10
_TEMPORARY = "temp-"


@dataclasses.dataclass(frozen=True)
class ExportedGraph:
    """Holds one of the graphs of a SavedModel, which share their variables.

    Attributes:
        mode: The mode that it was built for.
        graph: The graph.
        signatures: Its signatures by name.
        saver: Restores its variables, now and when the SavedModel is loaded.
        variables: What it restores; empty for a Saver of the model's own, which may know other names.
        main_op: Initialises what is not restored, when the SavedModel is loaded.
    """

    mode: str
    graph: tf.Graph
    signatures: Mapping[str, Any]
    saver: tf.compat.v1.train.Saver
    variables: Sequence[SavedVariable]
    main_op: tf.Operation

    @classmethod
    def of(cls, mode: str, receiver: Any, spec: Any) -> ExportedGraph:
        """Returns the default graph, made ready for an export.

        Args:
            mode: The mode that it was built for.
            receiver: The `ServingInputReceiver` or its like.
            spec: The `EstimatorSpec`.
        """
        defs = signatures(receiver, outputs_of(spec), serving_only=mode == ModeKeys.PREDICT)
        if spec.train_op is not None:
            tf.compat.v1.add_to_collection(_TRAIN_OP_KEY, spec.train_op)
        return cls.with_signatures(mode, defs, spec.scaffold)

    @classmethod
    def with_signatures(
        cls, mode: str, defs: Mapping[str, Any], scaffold: tf.compat.v1.train.Scaffold
    ) -> ExportedGraph:
        """Returns the default graph, made ready for an export.

        Args:
            mode: The mode that it was built for.
            defs: Its `SignatureDef`s by name.
            scaffold: The model's scaffold.
        """
        graph = tf.compat.v1.get_default_graph()
        saver = scaffold.saver
        variables = []
        if saver is None:
            saver = tf.compat.v1.train.Saver(sharded=True)
            for variable in graph.get_collection(_KEYS.GLOBAL_VARIABLES):
                key, slice_spec = _tensorflow.save_slice(variable)
                variables.append(SavedVariable(key, variable, slice_spec))
        saver.build()
        main_op = scaffold.local_init_op
        if main_op is None:
            main_op = tf.compat.v1.train.Scaffold.default_local_init_op()
        return cls(mode, graph, defs, saver, variables, getattr(main_op, "op", main_op))


def call_receiver_fn(mode: str, receiver_fn: Any) -> Any:
    """Calls an input receiver function, in the default graph.

    Raises:
        ValueError: It is no function, or returns something else.
    """
    if not callable(receiver_fn):
        raise ValueError(
            f"The input receiver function for mode {mode!r} must be callable; got {receiver_fn!r}."
        )
    receiver = receiver_fn()
    if not (hasattr(receiver, "features") and hasattr(receiver, "receiver_tensors")):
        raise ValueError(
            f"The input receiver function for mode {mode!r} must return a ServingInputReceiver, a"
            f" TensorServingInputReceiver or a SupervisedInputReceiver; it returned {receiver!r}."
        )
    return receiver


def write_saved_model(
    export_dir_base: Any,
    graphs: Sequence[ExportedGraph],
    checkpoint: str,
    assets_extra: Mapping[str, Any] | None,
    as_text: bool,
    strip_default_attrs: bool,
) -> bytes:
    """Writes graphs as a SavedModel to a new directory in `export_dir_base`, and returns its path.

    The directory is called after the time. Nothing is there under this name before all is written.

    Args:
        export_dir_base: Where to make the directory.
        graphs: The graphs, at least one.
        checkpoint: Prefix of the checkpoint that has their variables.
        assets_extra: Paths of files to copy, by their places in `assets.extra`; `None` for none.
        as_text: Whether to write the graphs as text.
        strip_default_attrs: Whether to leave out attributes that have their default values.

    Raises:
        ValueError: An argument is invalid.
        CheckpointMismatchError: The variables are not those of a graph. Nothing is written.
    """
    base = arguments.as_path("export_dir_base", export_dir_base)
    extra = _checked_assets(assets_extra)
    with contextlib.ExitStack() as closing:
        sessions = [closing.enter_context(_restored(each, checkpoint)) for each in graphs]
        version = _next_version(base)
        directory, temporary = (os.path.join(base, name) for name in (version, _TEMPORARY + version))
        try:
            _build(temporary, graphs, sessions, strip_default_attrs)
            _finish(temporary, graphs, as_text)
            for place, source in extra.items():
                target = os.path.join(temporary, "assets.extra", place)
                tf.io.gfile.makedirs(os.path.dirname(target))
                tf.io.gfile.copy(source, target)
            tf.io.gfile.rename(temporary, directory)
        except BaseException:
            with contextlib.suppress(tf.errors.NotFoundError):
                tf.io.gfile.rmtree(temporary)
            raise
    return os.fsencode(directory)


def export_versions(export_dir_base: str) -> list[int]:
    """Returns the times in the names of the exports in a directory, the earliest first."""
    names = [name.rstrip("/") for name in _names(export_dir_base)]
    return sorted(int(name) for name in names if _is_version(name))


def _checked_assets(assets_extra: Any) -> dict[str, str]:
    if not isinstance(assets_extra or {}, Mapping):
        raise ValueError(f"assets_extra must be a dict of paths; it is {assets_extra!r}.")
    assets = {
        arguments.as_path("assets_extra", place): arguments.as_path("assets_extra", source)
        for place, source in (assets_extra or {}).items()
    }
    for place, source in assets.items():
        if not tf.io.gfile.exists(source):
            raise ValueError(f"assets_extra: there is no file {source!r} to copy to {place!r}.")
    return assets


@contextlib.contextmanager
def _restored(exported: ExportedGraph, checkpoint: str) -> Iterator[tf.compat.v1.Session]:
    """Makes a session with the variables of a checkpoint, which the builder of SavedModels asks for."""
    # The values only pass through it, so they need no room on a GPU.
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0}, allow_soft_placement=True)
    with tf.compat.v1.Session(graph=exported.graph, config=config) as session:
        try:
            check_variables(checkpoint, exported.variables)
            exported.saver.restore(session, checkpoint)
        except CheckpointMismatchError as error:
            raise _mismatch(exported, checkpoint, error.problems) from error
        except (tf.errors.NotFoundError, tf.errors.InvalidArgumentError) as error:
            raise _mismatch(exported, checkpoint, [error.message]) from error
        yield session


def _mismatch(exported: ExportedGraph, checkpoint: str, problems: list[str]) -> CheckpointMismatchError:
    explanation = (
        f"Could not load all requested variables from checkpoint, in mode `{exported.mode}`. Please make sure"
        " your model_fn does not expect variables that were not saved in the checkpoint."
    )
    return CheckpointMismatchError(checkpoint, [explanation, *problems])


def _build(
    directory: str, graphs: Sequence[ExportedGraph], sessions: Sequence[Any], strip_default_attrs: bool
) -> None:
    """Writes graphs, variables and assets."""
    builder = tf.compat.v1.saved_model.Builder(directory)
    for index, (exported, session) in enumerate(zip(graphs, sessions, strict=True)):
        with exported.graph.as_default():
            options = {
                "tags": _TAGS[exported.mode],
                "signature_def_map": exported.signatures,
                "assets_collection": exported.graph.get_collection(_KEYS.ASSET_FILEPATHS),
                "main_op": exported.main_op,
                "strip_default_attrs": strip_default_attrs,
                "saver": exported.saver,
            }
            if index == 0:
                builder.add_meta_graph_and_variables(session, **options)
            else:
                builder.add_meta_graph(**options)
    builder.save()


def _finish(directory: str, graphs: Sequence[ExportedGraph], as_text: bool) -> None:
    """Has TensorFlow 1.15 understand what was written, and writes it as text if it should be."""
    path = os.path.join(directory, "saved_model.pb")
    with tf.io.gfile.GFile(path, "rb") as file:
        saved_model = _tensorflow.SavedModelProto.FromString(file.read())
    for meta_graph, exported in zip(saved_model.meta_graphs, graphs, strict=True):
        make_readable_by_1_15(meta_graph, exported.graph)
    if as_text:
        with tf.io.gfile.GFile(f"{path}txt", "w") as file:
            file.write(text_format.MessageToString(saved_model))
        tf.io.gfile.remove(path)
    else:
        with tf.io.gfile.GFile(path, "wb") as file:
            file.write(saved_model.SerializeToString())


def _next_version(base: str) -> str:
    """Returns the name of a new export: the time, or the second after the newest export if that is later."""
    taken = [name.rstrip("/").removeprefix(_TEMPORARY) for name in _names(base)]
    return str(max(int(time.time()), *(int(name) + 1 for name in taken if _is_version(name)), 0))


def _is_version(name: str) -> bool:
    return len(name) == _DIGITS and name.isdigit()


def _names(directory: str) -> list[str]:
    return [*tf.io.gfile.listdir(directory)] if tf.io.gfile.isdir(directory) else []
