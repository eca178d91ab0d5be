"""`train` gives, step for step, what a plain Session loop gives on the same graph, whatever the graph is."""

from __future__ import annotations

import dataclasses
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings

from helpers import Recorder, assert_values_close, checkpoint_values, run_in_session
from keras_legacy_train import train
from strategies import INPUTS, LAYERS, OPTIMIZERS, Spec, build, specs

STEPS = 6
RTOL = 1e-5
ATOL = 1e-6


def assert_same_as_session(spec: Spec) -> None:
    job, watched = build(spec)
    expected = run_in_session(job, STEPS, watched)

    job, watched = build(spec)
    recorder = Recorder(job.loss, *watched)
    with tempfile.TemporaryDirectory() as output_dir:
        train(output_dir=output_dir, steps=STEPS, monitors=[recorder], **job.arguments())
        variables = checkpoint_values(output_dir)

    np.testing.assert_allclose(recorder.values(job.loss), expected.losses, rtol=RTOL, atol=ATOL)
    assert len(recorder.outputs) == len(expected.losses)
    for number, tensor in enumerate(watched):
        values = [values[number] for values in expected.requested]
        np.testing.assert_allclose(recorder.values(tensor), values, rtol=RTOL, atol=ATOL, err_msg=tensor.name)
    assert_values_close(variables, expected.variables, rtol=RTOL, atol=ATOL)


def describe(spec: Spec) -> str:
    """What of a spec is not the default."""
    plain = dataclasses.asdict(Spec())
    return ", ".join(
        f"{name}={value}" for name, value in dataclasses.asdict(spec).items() if value != plain[name]
    )


ONE_AT_A_TIME = [
    *(Spec(input=name) for name in INPUTS),
    *(Spec(layers=("dense", name)) for name in LAYERS),
    *(Spec(layers=(name,), control_flow_v2=False) for name in ("cond", "cond on step", "while")),
    *(Spec(layers=("partitioned embedding",), optimizer=name) for name in OPTIMIZERS),
    Spec(decayed=True),
    Spec(averaged=True),
    Spec(counted=True),
    Spec(metric=True),
    Spec(step_by=2),
]


@pytest.mark.parametrize("use_resource", [False, True], ids=["reference", "resource"])
@pytest.mark.parametrize(
    "spec",
    ONE_AT_A_TIME,
    ids=describe,
)
def test_one_thing_at_a_time(spec: Spec, use_resource: bool) -> None:
    assert_same_as_session(dataclasses.replace(spec, use_resource=use_resource))


@settings(max_examples=6)
@given(specs())
def test_composed_graphs(spec: Spec) -> None:
    assert_same_as_session(spec)


@pytest.mark.slow
@settings(max_examples=300)
@given(specs())
def test_many_composed_graphs(spec: Spec) -> None:
    assert_same_as_session(spec)
