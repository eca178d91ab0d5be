"""The guide's snippet for Slurm tells each task of a cluster what it is."""

from __future__ import annotations

import json
import os
import re

import pytest

from helpers import TESTS

SNIPPET = re.compile(r"```text\n(import json\n(?:(?!```).)*SlurmClusterResolver.*?)```", re.DOTALL)


@pytest.mark.parametrize(
    ("rank", "job", "index"), [(0, "chief", 0), (1, "ps", 0), (2, "worker", 0), (7, "worker", 5)]
)
def test_a_task_of_slurm(rank: int, job: str, index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SLURM_PROCID": str(rank),
        "SLURM_STEP_NUM_TASKS": "8",
        "SLURM_STEP_NODELIST": "node[1-2]",
        "SLURM_STEP_TASKS_PER_NODE": "4(x2)",
        "TF_CONFIG": "",
    }.items():
        monkeypatch.setenv(name, value)
    (snippet,) = SNIPPET.findall((TESTS.parent / "docs" / "cluster.md").read_text(encoding="utf-8"))
    exec(snippet, {})
    config = json.loads(os.environ["TF_CONFIG"])
    assert config["task"] == {"type": job, "index": index}
    tasks = [*config["cluster"]["chief"], *config["cluster"]["ps"], *config["cluster"]["worker"]]
    assert tasks == [f"node{node}:{port}" for node in (1, 2) for port in range(8888, 8892)]
