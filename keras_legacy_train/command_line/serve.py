"""`serve`: runs a server of a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from keras_legacy_train.command_line.reporting import bad_input_in_one_line, log_on_stderr


def serve(
    all_addresses: Annotated[
        bool,
        typer.Option(
            "--all-addresses",
            help="Accept an address such as 0.0.0.0:2222, which stands for all addresses of the machine.",
        ),
    ] = False,
) -> None:
    """Holds variables for the other processes of the cluster in TF_CONFIG, until Ctrl-C or SIGTERM.

    The server runs whatever a peer sends, without a password: keep its port closed to strangers.
    """
    with bad_input_in_one_line(), log_on_stderr():
        from keras_legacy_train import cluster

        cluster.serve(all_addresses=all_addresses)
