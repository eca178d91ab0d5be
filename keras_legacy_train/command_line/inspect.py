"""`inspect`: says what an output directory, a checkpoint or a graph holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keras_legacy_train.command_line.reporting import (
    JSON,
    bad_input_in_one_line,
    console,
    fail,
    number_text,
    print_json,
    print_table,
    size_text,
    time_json,
    time_text,
)

if TYPE_CHECKING:
    from keras_legacy_train.checkpoints.directory_lock import LockHolder
    from keras_legacy_train.checkpoints.inspection import CheckpointReport, DirectoryReport
    from keras_legacy_train.events import EventFiles
    from keras_legacy_train.graph.inspection import GraphReport

_ROWS = 50
_CHECKPOINT_HEADINGS = ("checkpoint", ">step", "time", ">size", "form", "whole", "finite", "")
_EVENT_HEADINGS = ("tag", "kind", ">count", ">first step", ">last step", ">last value")


def inspect(
    path: Annotated[str, typer.Argument(help="An output directory, a checkpoint, or a .meta file.")],
    all_rows: Annotated[bool, typer.Option("--all", help="Print all rows of long tables.")] = False,
    as_json: JSON = False,
) -> None:
    """Says what PATH holds: checkpoints, events and the lock of a directory, or the graph of a .meta file.

    All values of checkpoints are read, which verifies them. Nothing is changed.
    """
    with bad_input_in_one_line():
        if os.path.isdir(path):
            _inspect_directory(path, all_rows, as_json)
        elif path.endswith(".meta"):
            _inspect_graph(path, all_rows, as_json)
        else:
            _inspect_checkpoint(path, all_rows, as_json)


def _inspect_directory(path: str, all_rows: bool, as_json: bool) -> None:
    from keras_legacy_train.checkpoints.inspection import inspect_directory
    from keras_legacy_train.events import EventFiles

    report = inspect_directory(path)
    events = EventFiles(path)
    events.update()
    if as_json:
        print_json(
            {
                "directory": path,
                "resumes": report.resumes,
                "problem": report.problem,
                "checkpoints": [_checkpoint_json(each, report.resumes) for each in report.checkpoints],
                "gone": list(report.gone),
                "lock": lock_json(report.holder),
                "events": events_json(events),
            }
        )
        return
    out = console()
    out.print(f"[bold]{_escaped(path)}[/bold]: {_resumption(report)}")
    out.print(f"Lock: {lock_text(report.holder)}")
    if report.checkpoints:
        out.print()
        rows = [_checkpoint_row(each, report.resumes) for each in report.checkpoints]
        print_table(_CHECKPOINT_HEADINGS, _shown(rows, all_rows, last=True))
    if report.gone:
        out.print(f"Listed, but gone: {_escaped(_names(report.gone))}")
    for each in report.checkpoints:
        if each.prefix == report.resumes:
            out.print(f"\n[bold]Variables of {_escaped(os.path.basename(each.prefix))}[/bold]")
            _print_variables(each, all_rows)
    out.print()
    _print_events(events, all_rows)


def _inspect_checkpoint(path: str, all_rows: bool, as_json: bool) -> None:
    from keras_legacy_train.checkpoints.directory import checkpoint_files
    from keras_legacy_train.checkpoints.inspection import inspect_checkpoint

    prefix = path.removesuffix(".index")
    if not checkpoint_files(prefix):
        fail(f"there is no directory, .meta file or checkpoint {path!r}")
    report = inspect_checkpoint(prefix)
    if report.damage is not None:
        fail(f"the checkpoint {prefix!r} cannot be read: {report.damage}")
    if as_json:
        print_json(_checkpoint_json(report))
        return
    print_table(_CHECKPOINT_HEADINGS, [_checkpoint_row(report)])
    console().print()
    _print_variables(report, all_rows)


def _inspect_graph(path: str, all_rows: bool, as_json: bool) -> None:
    from keras_legacy_train.graph.inspection import inspect_graph

    report = inspect_graph(path)
    if as_json:
        print_json(_graph_json(path, report))
        return
    out = console()
    version = f", of TensorFlow {report.version}" if report.version else ""
    out.print(f"[bold]{_escaped(path)}[/bold]: {report.nodes} nodes{version}")
    out.print(f"Steps: {_escaped(', '.join(report.train_ops)) or 'no train_op is collected'}")
    out.print(f"Losses: {_escaped(', '.join(report.losses)) or 'none is collected'}")
    out.print(f"Global step: {_escaped(report.global_step or 'none')}")
    rows: list[Sequence[object]]
    if report.inputs:
        out.print("\n[bold]Inputs[/bold]")
        needed = {True: "needed by the step", False: ""}
        rows = [
            (each.name, each.kind, each.dtype, each.shape, needed[each.is_needed]) for each in report.inputs
        ]
        print_table(["name", "kind", "dtype", "shape", ""], _shown(rows, all_rows))
    if report.variables:
        out.print(f"\n[bold]Variables[/bold] ({sum(each.size or 0 for each in report.variables):,} numbers)")
        trained = {True: "trained", False: ""}
        rows = [
            (each.name, each.dtype, each.shape, each.kind, trained[each.is_trainable])
            for each in report.variables
        ]
        print_table(["name", "dtype", "shape", "kind", ""], _shown(rows, all_rows))
    out.print()
    if not report.problems:
        out.print("It lifts: train and GraphModel run this graph.")
        return
    out.print("[bold]Would not lift[/bold]")
    rows = [(each.node, each.op, each.why) for each in report.problems]
    print_table(["node", "op", "why"], _shown(rows, all_rows))


def lock_text(holder: LockHolder | None) -> str:
    """Says who holds a directory."""
    if holder is None:
        return "nobody trains here"
    process = holder.process
    state = {True: "which runs", False: "which is gone", None: "which cannot be seen from here"}
    return (
        f"process {process.pid} on {process.host}, {state[holder.is_running]}; last sign"
        f" {time_text(holder.last_seen)}"
    )


def lock_json(holder: LockHolder | None) -> dict[str, Any] | None:
    """Returns who holds a directory, for JSON."""
    if holder is None:
        return None
    return {
        "pid": holder.process.pid,
        "host": holder.process.host,
        "running": holder.is_running,
        "last_seen": time_json(holder.last_seen),
    }


def events_json(events: EventFiles) -> dict[str, Any]:
    """Returns what event files hold, for JSON."""
    return {
        "files": events.paths,
        "damaged": events.damaged,
        "count": events.events,
        "starts": events.starts,
        "graph": events.has_graph,
        "scalars": {
            tag: {
                "count": len(each.steps),
                "first_step": each.steps[0],
                "last_step": each.steps[-1],
                "last_value": each.values[-1],
            }
            for tag, each in sorted(events.scalars.items())
            if each.steps
        },
        "others": {kind: dict(sorted(tags.items())) for kind, tags in sorted(events.others.items())},
    }


def _resumption(report: DirectoryReport) -> str:
    if report.problem is not None:
        return f"training does not start here: {report.problem}"
    if report.resumes is None:
        return "no checkpoints; training would begin at the first step"
    return f"training goes on from {os.path.basename(report.resumes)}"


def _checkpoint_row(report: CheckpointReport, resumes: str | None = None) -> Sequence[object]:
    notes = []
    if report.prefix == resumes:
        notes.append("resumes")
    if not report.is_listed:
        notes.append("not listed")
    form = "?" if report.form is None else report.form + (" (V1)" if report.version == 1 else "")
    whole = "yes" if report.damage is None else f"no: {report.damage}"
    finite = "?" if report.damage is not None else "yes"
    if report.not_finite:
        finite = f"no: {_names(report.not_finite)}"
    return (
        os.path.basename(report.prefix),
        "?" if report.step is None else report.step,
        time_text(report.time),
        size_text(report.bytes),
        form,
        whole,
        finite,
        ", ".join(notes),
    )


def _checkpoint_json(report: CheckpointReport, resumes: str | None = None) -> dict[str, Any]:
    return {
        "prefix": report.prefix,
        "step": report.step,
        "time": time_json(report.time),
        "bytes": report.bytes,
        "form": report.form,
        "version": report.version,
        "listed": report.is_listed,
        "resumes": report.prefix == resumes,
        "whole": report.damage is None,
        "damage": report.damage,
        "finite": None if report.damage is not None else not report.not_finite,
        "variables": [
            {
                "name": each.name,
                "dtype": each.dtype,
                "shape": list(each.shape),
                "slices": each.slices,
                "norm": each.norm,
                "not_finite": each.not_finite,
            }
            for each in report.variables
        ],
    }


def _print_variables(report: CheckpointReport, all_rows: bool) -> None:
    rows = [
        (
            each.name,
            each.dtype,
            _shape(each.shape) + (f" in {each.slices} slices" if each.slices > 1 else ""),
            number_text(each.norm),
            f"{each.not_finite} not finite" if each.not_finite else "",
        )
        for each in report.variables
    ]
    print_table(["variable", "dtype", "shape", ">norm", ""], _shown(rows, all_rows))


def _print_events(events: EventFiles, all_rows: bool) -> None:
    out = console()
    if not events.paths:
        out.print("No event files.")
        return
    files = "1 file" if len(events.paths) == 1 else f"{len(events.paths)} files"
    graph = ", with the graph" if events.has_graph else ""
    out.print(f"[bold]Events[/bold]: {events.events} in {files}{graph}")
    for path, damage in events.damaged.items():
        out.print(f"{_escaped(os.path.basename(path))}: {_escaped(damage)}")
    rows: list[Sequence[object]] = [
        (tag, "scalar", len(each.steps), each.steps[0], each.steps[-1], number_text(each.values[-1]))
        for tag, each in sorted(events.scalars.items())
        if each.steps
    ]
    rows += [
        (tag, kind, count, "", "", "")
        for kind, tags in sorted(events.others.items())
        for tag, count in sorted(tags.items())
    ]
    if rows:
        print_table(_EVENT_HEADINGS, _shown(rows, all_rows))


def _graph_json(path: str, report: GraphReport) -> dict[str, Any]:
    return {
        "graph": path,
        "nodes": report.nodes,
        "version": report.version,
        "train_ops": list(report.train_ops),
        "losses": list(report.losses),
        "global_step": report.global_step,
        "inputs": [
            {
                "name": each.name,
                "kind": each.kind,
                "dtype": each.dtype,
                "shape": each.shape,
                "needed": each.is_needed,
            }
            for each in report.inputs
        ],
        "variables": [
            {
                "name": each.name,
                "dtype": each.dtype,
                "shape": each.shape,
                "kind": each.kind,
                "trainable": each.is_trainable,
            }
            for each in report.variables
        ],
        "lifts": not report.problems,
        "problems": [{"node": each.node, "op": each.op, "why": each.why} for each in report.problems],
    }


def _shown(rows: Sequence[Sequence[object]], all_rows: bool, last: bool = False) -> list[Sequence[object]]:
    """Returns the rows to print: the first ones, or the last, and how many there are more."""
    if all_rows or len(rows) <= _ROWS:
        return list(rows)
    more = f"… and {len(rows) - _ROWS} more; --all prints them"
    return [(more,), *rows[-_ROWS:]] if last else [*rows[:_ROWS], (more,)]


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(os.path.basename(name) if os.path.isabs(name) else name for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _escaped(text: str) -> str:
    """Returns text that rich prints as it is."""
    from rich.markup import escape

    return escape(text)
