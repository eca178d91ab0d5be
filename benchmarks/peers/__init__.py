"""Defines the peers that are measured.

Each module has `train(name, clock, output_dir, **options)`, which trains a workload and tells the clock of
its steps. Also imported under Python 3.7.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from workloads import PIPELINES, WORKLOADS


@dataclasses.dataclass(frozen=True)
class Peer:
    """Describes one way to train a workload.

    Attributes:
        title: Its description.
        environment: The interpreter that runs it, see `environments`.
        module: Its module in this package.
        options: Options of the module's `train`.
        cannot: The workloads that it cannot train.
    """

    title: str
    environment: str
    module: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    cannot: tuple[str, ...] = ()

    def can(self, name: str) -> bool:
        """Returns whether it can train the workload."""
        return name not in self.cannot


_NOT_PIPELINES = tuple(name for name in WORKLOADS if name not in PIPELINES)
_NO_JIT = {"jit_compile": False}
_HUNDRED = {"steps_per_execution": 100}
_OLD_LOOPS = ("lstm",)  # XLA does not know the gradient of dynamic_rnn
_HANGING = ("feed",)  # it waits for the generator for ever

# Bare: without logs, monitors, summaries and a progress bar.
_BARE = {"bare": True}

PEERS = {
    "train": Peer("train", "today", "train_loop"),
    "train-bare": Peer("train, bare", "today", "train_loop", _BARE),
    "train-xla": Peer(
        "train, bare, jit_compile=True",
        "today",
        "train_loop",
        {**_BARE, "jit_compile": True},
        cannot=_OLD_LOOPS,
    ),
    "train-auto": Peer(
        'train, bare, jit_compile="auto"', "today", "train_loop", {**_BARE, "jit_compile": "auto"}
    ),
    "train-ahead": Peer(
        "train, max_window=100",
        "today",
        "train_loop",
        {"max_window": 100},
        cannot=tuple(name for name in WORKLOADS if WORKLOADS[name].source != "feed"),
    ),
    "fit": Peer("fit", "today", "fit_loop"),
    "contrib": Peer("tf.contrib.learn.train, TF 1.15.5", "tf1", "contrib_learn"),
    "estimator": Peer("tf.estimator.Estimator, TF 2.15.1", "estimator", "estimator"),
    "session": Peer("MonitoredTrainingSession", "today", "monitored_session"),
    "session-tf1": Peer(
        "MonitoredTrainingSession, TF 1.15.5", "tf1", "monitored_session", cannot=_NOT_PIPELINES
    ),
    "keras": Peer("Model.fit", "today", "keras_fit"),
    "keras-nojit": Peer("Model.fit, jit_compile=False", "today", "keras_fit", _NO_JIT),
    "keras-100": Peer("Model.fit, 100 steps a call", "today", "keras_fit", _HUNDRED, cannot=_HANGING),
    "keras-100-nojit": Peer(
        "Model.fit, 100 a call, jit_compile=False",
        "today",
        "keras_fit",
        {**_HUNDRED, **_NO_JIT},
        cannot=_HANGING,
    ),
    "loop": Peer("loop in a tf.function", "today", "function_loop"),
    "loop-xla": Peer(
        "loop in a tf.function, XLA",
        "today",
        "function_loop",
        {"jit_compile": True},
        cannot=_OLD_LOOPS,
    ),
    "reading": Peer(
        "reading the batches only",
        "today",
        "reading",
        cannot=(*_NOT_PIPELINES, "generator"),  # the loop waits for the generator for ever
    ),
}
