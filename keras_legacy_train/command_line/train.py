"""`train`: trains the graph in a `.meta` file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from keras_legacy_train.command_line.feeds import parse_feeds
from keras_legacy_train.command_line.reporting import (
    FAILED,
    JSON,
    bad_input_in_one_line,
    fail,
    log_on_stderr,
    print_json,
)

if TYPE_CHECKING:
    from keras_legacy_train.graph.inspection import GraphReport


def train(
    graph: Annotated[str, typer.Argument(help="The .meta file.")],
    output_dir: Annotated[str, typer.Option(help="Where checkpoints and event files are written.")],
    max_steps: Annotated[
        int | None, typer.Option(min=0, help="The global step at which training ends.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=0, help="How many steps to run, instead.")] = None,
    train_op: Annotated[
        list[str] | None,
        typer.Option(help="An operation that a step runs; by default that of the TRAIN_OP collection."),
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="The loss's tensor; by default that of the LOSSES collection.")
    ] = None,
    global_step: Annotated[
        str | None, typer.Option(help="The variable that counts steps; by default the graph's own.")
    ] = None,
    init_op: Annotated[
        str | None, typer.Option(help="What initialises the variables; by default their initializers.")
    ] = None,
    feed: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Feed a value at each step, such as keep_prob=0.5."),
    ] = None,
    log_every_steps: Annotated[int, typer.Option(help="Steps from one line of the log to the next.")] = 10,
    save_secs: Annotated[float, typer.Option(min=0, help="Seconds from one checkpoint to the next.")] = 600,
    save_summaries_steps: Annotated[
        int, typer.Option(min=1, help="Steps from one summary to the next.")
    ] = 100,
    keep_checkpoint_max: Annotated[
        int, typer.Option(min=0, help="How many checkpoints are kept; 0 for all.")
    ] = 5,
    max_window: Annotated[
        int | None, typer.Option(min=1, help="Largest number of steps in one call.")
    ] = None,
    jit_compile: Annotated[
        bool, typer.Option("--jit-compile", help="Have XLA compile steps, where it can.")
    ] = False,
    save_input_state: Annotated[
        bool, typer.Option("--save-input-state", help="Keep the position in the input in checkpoints.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Trains the graph in GRAPH, from the newest checkpoint in --output-dir on.

    The exit code is 1 where a training fails that has begun, as by a NaN loss.
    """
    with bad_input_in_one_line():
        import tensorflow as tf

        from keras_legacy_train import NanLossDuringTrainingError, NoProgressError
        from keras_legacy_train import train as train_graph
        from keras_legacy_train.checkpoints.directory import newest_listed, step_of
        from keras_legacy_train.graph.inspection import inspect_graph

        if max_steps is not None and steps is not None:
            fail("--max-steps and --steps cannot both be given")
        feeds = parse_feeds(feed)
        report = inspect_graph(graph, train_op)
        chosen_train_op = train_op or _train_op(graph, report)
        chosen_loss = _loss(graph, report) if loss is None else loss
        _check_runs(graph, report)
        try:
            with log_on_stderr():
                final_loss = train_graph(
                    graph,
                    output_dir,
                    chosen_train_op,
                    chosen_loss,
                    global_step,
                    init_op=init_op,
                    feed_fn=None if feeds is None else lambda: feeds,
                    log_every_steps=log_every_steps,
                    supervisor_save_model_secs=save_secs,
                    supervisor_save_summaries_steps=save_summaries_steps,
                    keep_checkpoint_max=keep_checkpoint_max,
                    max_steps=max_steps,
                    steps=steps,
                    max_window=max_window,
                    jit_compile="auto" if jit_compile else False,
                    save_input_state=save_input_state,
                )
        except (NanLossDuringTrainingError, NoProgressError, tf.errors.OpError) as error:
            fail(error, FAILED)
        newest = newest_listed(output_dir)
    final = None if final_loss is None else float(final_loss)
    if as_json:
        print_json(
            {
                "output_dir": output_dir,
                "step": None if newest is None else step_of(newest),
                "loss": final,
                "checkpoint": newest,
            }
        )
    elif newest is not None:
        done = "No step was left to run" if final is None else f"The last loss is {final:.5f}"
        print(f"{done}; the newest checkpoint is {os.path.basename(newest)} in {output_dir}.")


def _train_op(path: str, report: GraphReport) -> str:
    if len(report.train_ops) == 1:
        return report.train_ops[0]
    found = f"is in {', '.join(report.train_ops)}" if report.train_ops else "is in none"
    fail(f"--train-op is needed: what {path!r} collects as TRAIN_OP {found}")


def _loss(path: str, report: GraphReport) -> str:
    if len(report.losses) == 1:
        return report.losses[0]
    found = f"several losses: {', '.join(report.losses)}" if report.losses else "no loss"
    fail(f"--loss is needed: {path!r} collects {found}")


def _check_runs(path: str, report: GraphReport) -> None:
    """Ends the command if the step needs what this process does not have."""
    needed = [problem for problem in report.problems if problem.is_needed or not problem.op]
    if needed:
        where = f"{needed[0].node} ({needed[0].op}): " if needed[0].node else ""
        more = f" {len(needed) - 1} more; inspect lists them." if len(needed) > 1 else ""
        fail(f"{path!r} cannot be trained here. {where}{needed[0].why}{more}")
