"""Measures one peer on one workload, in the interpreter that runs this; `run.py` starts it.

Writes the result of `Clock.results` to a file, as JSON. With a target, it writes the seconds that a whole
training of so many steps takes in this fresh process, from the making of the graph or model on.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from clock import Clock
from peers import PEERS
from workloads import WORKLOADS


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=PEERS, required=True)
    parser.add_argument("--workload", choices=WORKLOADS, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--warm-up-seconds", type=float, required=True)
    parser.add_argument("--warm-up-steps", type=int, required=True)
    parser.add_argument("--target", type=int, default=0, help="steps of a whole training")
    parser.add_argument("--result", required=True, help="file to write")
    arguments = parser.parse_args()

    peer = PEERS[arguments.peer]
    module = importlib.import_module("peers." + peer.module)
    target = {"target": arguments.target} if arguments.target else {}
    clock = Clock(arguments.seconds, arguments.warm_up_seconds, arguments.warm_up_steps, **target)
    with tempfile.TemporaryDirectory() as output_dir:
        began = time.perf_counter()
        module.train(arguments.workload, clock, output_dir, **peer.options)
        seconds = time.perf_counter() - began
    with open(arguments.result, "w") as file:
        json.dump({"training_seconds": seconds} if arguments.target else clock.results(), file)


if __name__ == "__main__":
    main()
