"""Set-up of the test suite: a quiet TensorFlow, one law profile, and a choice of TensorFlow mode."""

from __future__ import annotations

import collections
import gc
import logging
import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import hypothesis
import pytest

import sampled_cases

TF_MODES = ("defaults", "disable_resource_variables", "disable_v2_behavior")

hypothesis.settings.register_profile(
    "suite",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # to shrink an example takes minutes
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--tf-mode",
        choices=TF_MODES,
        default="defaults",
        help="call tf.compat.v1.disable_v2_behavior() or disable_resource_variables() before any test",
    )


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(20_000, 50, 100)  # graphs are many objects, and to walk over all of them takes seconds
    config.addinivalue_line("markers", "slow: takes minutes; not in the default suite")
    config.addinivalue_line("markers", "tf1: needs a Python with TensorFlow 1.15.5, named by KLT_TF1_PYTHON")
    mode = config.getoption("--tf-mode")
    if mode != "defaults":
        import tensorflow as tf

        getattr(tf.compat.v1, mode)()


@pytest.hookimpl(tryfirst=True)  # pytest leaves the slow tests out afterwards
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.option.keyword:  # who asks for tests by name gets all their cases
        sampled_cases.mark_left_out(items)


@pytest.fixture(params=["reference", "resource"])
def variable_kind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Variables are of one kind, and then of the other."""
    import tensorflow as tf

    make = {False: tf.compat.v1.disable_resource_variables, True: tf.compat.v1.enable_resource_variables}
    before = tf.compat.v1.resource_variables_enabled()
    make[request.param == "resource"]()
    yield
    make[before]()


@pytest.fixture(params=["shapes of TensorFlow 1", "shapes of TensorFlow 2"])
def shape_version(request: pytest.FixtureRequest) -> Iterator[None]:
    """Dimensions of shapes are objects, as after `disable_v2_behavior()`, and then numbers."""
    import tensorflow as tf

    before = isinstance(tf.TensorShape([1])[0], int)
    make = {False: tf.compat.v1.disable_v2_tensorshape, True: tf.compat.v1.enable_v2_tensorshape}
    make[request.param.endswith("2")]()
    yield
    make[before]()


@pytest.fixture
def job() -> Any:
    """A linear model on a constant batch, trained by gradient descent: the plainest graph."""
    import graphs  # after pytest_configure, which may change the mode

    return graphs.build("linear_sgd")


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> dict[Any, list[int]]:
    """The steps at which each hook was called."""
    from keras_legacy_train.callbacks.hook_callback import HookCallback

    steps: dict[Any, list[int]] = collections.defaultdict(list)
    on_step_begin = HookCallback.on_step_begin

    def spy(self: HookCallback, step: int) -> Any:
        steps[self.hook].append(step)
        return on_step_begin(self, step)

    monkeypatch.setattr(HookCallback, "on_step_begin", spy)
    return steps


@pytest.fixture
def eager_mode() -> Iterator[None]:
    """Executes eagerly, also after `disable_v2_behavior()`."""
    from keras_legacy_train import _tensorflow

    with _tensorflow.eager_mode():
        yield


@pytest.fixture
def v2_behavior() -> Iterator[None]:
    """Executes eagerly, with tensors and shapes as Keras expects them, also after `disable_v2_behavior()`."""
    from keras_legacy_train.programs import graph_weights

    with graph_weights.v2_behavior():
        yield


@pytest.fixture(params=[False, True], ids=["reference", "resource"])
def use_resource(request: pytest.FixtureRequest) -> bool:
    """Tells of which kind the variables of `graph` are: each in turn."""
    return bool(request.param)


@pytest.fixture
def graph(use_resource: bool) -> Iterator[Any]:
    """Makes an empty default graph whose variables are of one kind, and then of the other."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        tf.compat.v1.get_variable_scope().set_use_resource(use_resource)
        yield graph


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Captures what the package logs, from INFO on."""
    caplog.set_level(logging.INFO, "keras_legacy_train")
    return caplog


@pytest.fixture
def no_writers_left() -> Iterator[None]:
    """Closes the summary writers that the test leaves open."""
    from keras_legacy_train.summaries import clear_summary_writers

    yield
    clear_summary_writers()


@pytest.fixture(scope="module")
def crash_server() -> Iterator[Any]:
    """Starts a process that forks one child per run, and kills it where the test says."""
    from crashes import CrashServer

    with CrashServer() as running:
        yield running
