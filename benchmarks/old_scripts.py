"""Measures what `keras-legacy-train run` adds to the start of a script.

    python benchmarks/old_scripts.py
    python benchmarks/old_scripts.py --repetitions 20

Scripts start in turn by `python` and by `run`. Prints for each medians of the seconds of processor time, and
of the differences, as a line of JSON:

- start: a script that imports what both TensorFlow and `run` load, and nothing else. The difference is what
  `run` adds.
- graph: a script that imports TensorFlow, for `python` as `tensorflow.compat.v1`, and builds a graph. To
  start TensorFlow takes a hundred times as long as what `run` adds, so the difference is mostly chance.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

BODY = """
x = tf.placeholder(tf.float32, [None, 4])
weight = tf.get_variable("weight", [4, 1])
loss = tf.reduce_mean(tf.matmul(x, weight))
"""
SHARED = "import dataclasses, functools, importlib.util, inspect, re, tokenize\n"
TODAY = "import tensorflow.compat.v1 as tf\n\ntf.disable_v2_behavior()" + BODY
OLD = "import tensorflow as tf\n" + BODY
RUN = ("-m", "keras_legacy_train", "run")


def processor_seconds(*arguments: str) -> float:
    """Returns the processor time of a Python process.

    Args:
        arguments: Those of Python.

    Raises:
        RuntimeError: It failed.
    """
    process = os.posix_spawn(sys.executable, [sys.executable, *arguments], os.environ)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"python {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


def measure(today: str, old: str, repetitions: int) -> dict[str, float]:
    """Returns the medians.

    Args:
        today: The text of the script that `python` runs.
        old: That of the script that `run` runs.
        repetitions: How often each script starts, after one start that is not counted.
    """
    with tempfile.TemporaryDirectory() as folder:
        scripts = [Path(folder, name) for name in ("today.py", "old.py")]
        for script, text in zip(scripts, (today, old), strict=True):
            script.write_text(text, encoding="utf-8")
        paths = list(map(str, scripts))
        times = [
            (processor_seconds(paths[0]), processor_seconds(*RUN, paths[1])) for _ in range(repetitions + 1)
        ][1:]
    return {
        "python": round(statistics.median(each for each, _ in times), 3),
        "run": round(statistics.median(each for _, each in times), 3),
        "difference": round(statistics.median(run - python for python, run in times), 3),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=10)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    repetitions = parser.parse_args().repetitions
    start, graph = measure(SHARED, SHARED, repetitions), measure(TODAY, OLD, repetitions)
    print(json.dumps({"start": start, "graph": graph}))
