"""`export`: makes a SavedModel or a Keras model of a checkpoint of TensorFlow 1."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_legacy_train.command_line.feeds import parse_feeds
from keras_legacy_train.command_line.reporting import JSON, bad_input_in_one_line, fail, print_json

if TYPE_CHECKING:
    import keras

_SIGNATURE = re.compile(r"\s*(?P<name>\w+)\s*\((?P<inputs>[^()]*)\)\s*->\s*(?P<outputs>.+)")


def export(
    source: Annotated[
        str, typer.Argument(help="An output directory, for its newest intact checkpoint, or one.")
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="What to write; there must be nothing yet.")],
    signature: Annotated[
        list[str] | None,
        typer.Option(
            metavar='"NAME(INPUTS) -> OUTPUTS"',
            help="A function of the SavedModel over tensors of the graph. Can be repeated.",
        ),
    ] = None,
    graph: Annotated[
        str | None, typer.Option(help="The .meta file, if it is not the checkpoint's own.")
    ] = None,
    feed: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Feed a value to a tensor, such as keep_prob=1.0."),
    ] = None,
    keras_model: Annotated[
        str | None,
        typer.Option(
            "--keras",
            metavar="MODEL",
            help="Fill a Keras model instead: a .keras or .json file, or file.py:function that makes it.",
        ),
    ] = None,
    name_map: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="WEIGHT=NAME", help="With --keras: the name of a weight's counterpart."
        ),
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option(metavar="WEIGHT", help="With --keras: a weight to leave as it is.")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Writes the graph of SOURCE as a SavedModel with its newest intact checkpoint.

    A signature is such as "classify(image=images:0, keep_prob) -> scores=softmax:0". With --keras, the
    weights of a Keras model are filled from the checkpoint; OUTPUT is then a .keras or a .weights.h5 file, or
    the directory of a SavedModel.
    """
    with bad_input_in_one_line():
        if os.path.lexists(output):
            fail(f"{output} exists; nothing is written over it")
        parent = os.path.dirname(os.path.abspath(output))
        if not os.path.isdir(parent):
            fail(f"there is no directory {parent!r} to write to")
        if not os.access(parent, os.W_OK | os.X_OK):
            fail(f"{parent!r} cannot be written to")
        if keras_model is None:
            done = _export_graph(source, output, parent, signature or (), graph, parse_feeds(feed))
        else:
            done = _export_keras(source, output, parent, keras_model, name_map or (), skip or ())
    text = done.pop("text")
    if as_json:
        print_json(done)
    else:
        print(text)


def _export_graph(
    source: str,
    output: str,
    parent: str,
    signatures: Sequence[str],
    graph: str | None,
    feeds: Mapping[str, Any] | None,
) -> dict[str, Any]:
    from keras_legacy_train.checkpoints.lookup import checkpoint_prefix
    from keras_legacy_train.graph.inspection import inspect_graph
    from keras_legacy_train.graph_model import GraphModel

    prefix = checkpoint_prefix("source", source)
    path = graph or f"{prefix}.meta"
    if graph is None and not os.path.isfile(path):
        fail(f"there is no {path!r}; name the file of the graph by --graph")
    if not signatures:
        inputs = [each.name for each in inspect_graph(path).inputs if each.kind == "placeholder"]
        fail(f"--signature is missing; placeholders of {path!r} are {', '.join(inputs) or 'none'}")
    parsed = dict(_signature(text) for text in signatures)
    model = GraphModel(path, checkpoint=prefix, eval_feed_dict=feeds)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".exporting-") as folder:
        written = os.path.join(folder, "model")
        model.export(written, parsed)
        os.rename(written, output)
    return {
        "output": output,
        "graph": path,
        "checkpoint": prefix,
        "signatures": list(parsed),
        "text": f"{output}: {', '.join(parsed)}, from {prefix}.",
    }


def _signature(text: str) -> tuple[str, tuple[dict[str, str], dict[str, str]]]:
    """Reads `NAME(INPUTS) -> OUTPUTS`."""
    match = _SIGNATURE.fullmatch(text)
    if match is None:
        fail(f"--signature: {text!r} is not of the form 'NAME(INPUTS) -> OUTPUTS'")
    return match["name"], (_tensors(match["inputs"]), _tensors(match["outputs"]))


def _tensors(text: str) -> dict[str, str]:
    """Reads `key=tensor, other:0`: tensors by their keys, which are their names by default."""
    tensors = {}
    for each in filter(None, (part.strip() for part in text.split(","))):
        key, sign, tensor = each.partition("=")
        tensors[key.strip() if sign else re.sub(r"\W", "_", each.partition(":")[0])] = (
            tensor.strip() if sign else each
        )
    return tensors


def _export_keras(
    source: str,
    output: str,
    parent: str,
    model_source: str,
    name_map: Sequence[str],
    skip: Sequence[str],
) -> dict[str, Any]:
    from keras_legacy_train.migration import load_tf1_weights

    names = {}
    for text in name_map:
        weight, sign, name = text.partition("=")
        if not sign:
            fail(f"--map: {text!r} is not of the form WEIGHT=NAME")
        names[weight] = name
    model = _keras_model(model_source)
    report = load_tf1_weights(model, source, names or None, skip=skip)
    with tempfile.TemporaryDirectory(dir=parent, prefix=".exporting-") as folder:
        written = os.path.join(folder, os.path.basename(output))
        if output.endswith(".keras"):
            model.save(written)
        elif output.endswith(".weights.h5"):
            model.save_weights(written)
        else:
            with contextlib.redirect_stdout(io.StringIO()):  # before Keras 3.6 it has no `verbose`
                model.export(written)
        os.rename(written, output)
    return {
        "output": output,
        "model": model_source,
        "checkpoint": report.checkpoint,
        "filled": {each.path: list(each.sources) for each in report.filled},
        "skipped": list(report.skipped),
        "unused": list(report.unused),
        "text": f"{output}: {report}",
    }


def _keras_model(source: str) -> keras.Model:
    """Loads a model from a file, or calls the function that makes it."""
    import keras

    if source.endswith(".keras"):
        return keras.saving.load_model(source, compile=False)
    if source.endswith(".json"):
        with open(source, encoding="utf-8") as file:
            return keras.models.model_from_json(file.read())
    module, sign, function = source.rpartition(":")
    if not sign:
        fail(f"--keras: {source!r} is neither a .keras or .json file nor of the form file.py:function")
    make = getattr(_module(module), function, None)
    if not callable(make):
        fail(f"--keras: there is no function {function!r} in {module!r}")
    return make()


def _module(name: str) -> Any:
    """Imports a module by its name, or from a file."""
    if not name.endswith(".py"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            fail(f"--keras: {error}")
    if not os.path.isfile(name):
        fail(f"--keras: there is no file {name!r}")
    spec = importlib.util.spec_from_file_location(os.path.basename(name).removesuffix(".py"), name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
