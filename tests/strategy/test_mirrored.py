"""Laws of training on two replicas in one process: it equals training on one, and what cannot is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import tensorflow as tf

from helpers import SCRIPTS, run_python
from keras_helpers import arrays, assert_same_history, line
from keras_legacy_train import estimator, fit, train

pytestmark = pytest.mark.usefixtures("v2_behavior")
SCRIPT = SCRIPTS / "mirrored_laws.py"
LAWS = re.findall(r"^    (\w+),$", SCRIPT.read_text().partition("LAWS = [")[2], re.MULTILINE)


@pytest.fixture(scope="module")
def problems(request: pytest.FixtureRequest) -> dict[str, str]:
    """Tries the laws that are chosen in one process, which has two logical CPUs."""
    tests = {item.name for item in request.session.items}
    chosen = [law for law in LAWS if f"test_two_replicas[{law}]" in tests]
    ended = run_python(SCRIPT, *chosen, timeout=900)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, str] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("law", LAWS)
def test_two_replicas(law: str, problems: dict[str, str]) -> None:
    if law not in problems:
        pytest.skip("Keras adds up over replicas since 3.10")
    assert problems[law] == ""


def test_one_device_is_one_replica() -> None:
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    with strategy.scope():
        model = line()
    history = fit(model, **arrays(), verbose=0, strategy=strategy)
    assert_same_history(history, fit(line(), **arrays(), verbose=0))


def test_other_strategies_are_refused_by_name() -> None:
    central = tf.distribute.experimental.CentralStorageStrategy(["CPU:0"])
    servers = object.__new__(tf.distribute.ParameterServerStrategy)  # a real one connects to the cluster
    for strategy, message in (
        (central, "it is CentralStorageStrategy"),
        ("mirrored", "it is 'mirrored'"),
        (servers, "ParameterServerStrategy cannot train .* cluster="),
    ):
        with pytest.raises(ValueError, match=f"strategy.*{message}"):
            fit(line(), **arrays(), strategy=strategy)


def test_a_graph_is_not_trained_by_a_strategy(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="strategy: a graph is not trained"):
        train(tf.Graph(), tmp_path, "train", "loss", strategy=tf.distribute.OneDeviceStrategy("CPU:0"))
    assert not list(tmp_path.iterdir())


def test_estimators_name_the_two_ways() -> None:
    strategy = tf.distribute.OneDeviceStrategy("CPU:0")
    with pytest.raises(NotImplementedError, match=r"train_distribute: .*fit\(.*strategy=.*TF_CONFIG"):
        estimator.RunConfig(train_distribute=strategy)
