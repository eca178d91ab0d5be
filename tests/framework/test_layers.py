"""`optimize_loss`: the steps, names and summaries of TensorFlow 1.15.5, and what it refuses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from helpers import Recorder, Silent
from keras_legacy_train import layers, train

v1 = tf.compat.v1

# The first losses of `model` that tf.contrib.layers.optimize_loss gave in TensorFlow 1.15.5.
SGD = [5.26154, 2.725195, 1.559095, 1.000424, 0.721194]
ADAM = [5.26154, 4.246397, 3.358865, 2.600122, 1.96964]
CLIPPED = [8.346617, 8.112206, 7.881493, 7.654473, 7.431139]
RECORDED: dict[str, tuple[dict[str, Any], list[float]]] = {
    "Adagrad": ({"optimizer": "Adagrad"}, [5.26154, 4.253196, 3.649541, 3.214262, 2.875427]),
    "Adam": ({"optimizer": "Adam"}, ADAM),
    "Ftrl": ({"optimizer": "Ftrl"}, [5.26154, 3.458571, 2.951651, 2.583342, 2.296854]),
    "Momentum": ({"optimizer": "Momentum"}, [5.26154, 2.725195, 0.7167358, 1.035755, 2.470543]),
    "RMSProp": ({"optimizer": "RMSProp"}, [5.26154, 3.248322, 2.168021, 1.521891, 1.117599]),
    "SGD": ({}, SGD),
    "class": ({"optimizer": v1.train.AdamOptimizer}, ADAM),
    "function": (
        {"optimizer": lambda rate: v1.train.MomentumOptimizer(rate, 0.5)},
        [5.26154, 2.725195, 0.9916331, 0.5185547, 0.5063262],
    ),
    "function_of_nothing": (
        {"learning_rate": None, "optimizer": lambda: v1.train.MomentumOptimizer(0.05, 0.5)},
        [5.26154, 3.869012, 2.392882, 1.377939, 0.8317877],
    ),
    "clip": ({"clip_gradients": 0.3}, [5.26154, 5.097776, 4.936961, 4.77909, 4.624157]),
    "clip_sparse": ({"clip_gradients": 0.3, "embedding": True}, CLIPPED),
    "multipliers": (
        {"gradient_multipliers": {"w:0": 0.5, "t:0": 2.0}, "embedding": True},
        [8.346617, 4.507013, 2.782302, 1.934163, 1.468043],
    ),
    "decay": (
        {"learning_rate_decay_fn": lambda rate, step: v1.train.exponential_decay(rate, step, 2, 0.5)},
        [5.26154, 2.725195, 1.855585, 1.467554, 1.265191],
    ),
    "adaptive": (
        {"adaptive": {}, "embedding": True},
        [8.346617, 7.50156, 6.632753, 5.7559, 2.657852],
    ),
    "adaptive_all": (
        {"adaptive": {"std_factor": 0.5, "decay": 0.9, "static_max_norm": 1.0, "report_summary": True}},
        [5.26154, 4.727139, 4.225404, 3.756152, 3.319183],
    ),
    "no_noise": (
        {"gradient_noise_scale": 0.0, "embedding": True},
        [8.346617, 3.669446, 1.838128, 1.078331, 0.7404796],
    ),
    "variables": ({"only": "w", "name": "mine"}, [5.26154, 3.03352, 1.890286, 1.296911, 0.9851977]),
    "global_step_of_the_graph": ({"global_step": None}, SGD),
}


@pytest.fixture(autouse=True)
def graph(graph: tf.Graph) -> tf.Graph:
    """Adds a global step."""
    v1.train.get_or_create_global_step()
    return graph


def model(embedding: bool = False) -> tf.Tensor:
    """A loss of w and b, and of the embedding t with sparse gradients; another variable has none."""
    rng = np.random.RandomState(0)
    x, y = rng.randn(16, 3).astype("float32"), rng.randn(16, 1).astype("float32")
    w = v1.get_variable("w", [3, 1], initializer=v1.ones_initializer())
    b = v1.get_variable("b", [1], initializer=v1.zeros_initializer())
    residual = tf.matmul(tf.constant(x), w) + b - y
    if embedding:
        t = v1.get_variable("t", [5, 1], initializer=v1.ones_initializer())
        residual += tf.nn.embedding_lookup(t, [i % 3 for i in range(16)])
    v1.get_variable("unused", [2], initializer=v1.zeros_initializer())
    return tf.reduce_mean(tf.square(residual), name="loss")


def optimized(embedding: bool = False, only: str | None = None, adaptive: Any = None, **options: Any) -> Any:
    """The training op of `model`: SGD at 0.1 unless told otherwise."""
    loss = model(embedding)
    step = v1.train.get_global_step()
    if only is not None:
        options["variables"] = [v for v in v1.trainable_variables() if v.op.name == only]
    if adaptive is not None:
        adaptive = {"global_step": step, **adaptive} if adaptive else {}
        options["clip_gradients"] = layers.adaptive_clipping_fn(**adaptive)
    return layers.optimize_loss(
        loss, **{"global_step": step, "learning_rate": 0.1, "optimizer": "SGD", **options}
    )


def tags() -> list[str]:
    """Tags of all summaries in the default graph."""
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        summary = v1.Summary.FromString(session.run(v1.summary.merge_all()))
    return sorted(value.tag for value in summary.value)


@pytest.mark.parametrize("name", RECORDED)
def test_trains_as_the_original_did(name: str, graph: tf.Graph, tmp_path: Path) -> None:
    options, expected = RECORDED[name]
    train_op = optimized(**options)
    recorder = Recorder(train_op)
    train(graph, tmp_path, train_op, train_op, monitors=[recorder], max_steps=len(expected))
    np.testing.assert_allclose(recorder.values(train_op), expected, rtol=1e-5)


def test_windows_are_the_same(graph: tf.Graph, tmp_path: Path) -> None:
    train_op = optimized(adaptive={})
    loss = train(graph, tmp_path, train_op, train_op, monitors=[Silent()], max_steps=5)
    again = tf.Graph()
    with again.as_default():
        v1.train.get_or_create_global_step()
        train_op = optimized(adaptive={})
    recorder = Recorder(train_op)
    train(again, tmp_path / "again", train_op, train_op, monitors=[recorder], max_steps=5)
    np.testing.assert_array_equal(loss, recorder.values(train_op)[-1])


def test_names_are_those_of_old_checkpoints() -> None:
    assert optimized(adaptive={}, optimizer="Adam").name == "OptimizeLoss/control_dependency:0"
    assert {variable.op.name for variable in v1.global_variables()} == {
        *("global_step", "w", "b", "unused"),
        *("OptimizeLoss/learning_rate", "OptimizeLoss/AdaptiveMaxNorm/mean"),
        *("OptimizeLoss/AdaptiveMaxNorm/sq_mean", "OptimizeLoss/beta1_power", "OptimizeLoss/beta2_power"),
        *(f"OptimizeLoss/{name}/{slot}" for name in ("w", "b") for slot in ("Adam", "Adam_1")),
    }


def test_summaries_by_default() -> None:
    optimized()
    assert tags() == ["OptimizeLoss/global_norm/gradient_norm", "OptimizeLoss/loss"]


def test_summary_of_a_decaying_rate_and_of_clipping() -> None:
    optimized(learning_rate_decay_fn=lambda rate, step: rate, adaptive={"report_summary": True})
    assert tags() == [
        "OptimizeLoss/global_norm/adaptive_max_gradient_norm",
        "OptimizeLoss/global_norm/clipped_gradient_norm",
        "OptimizeLoss/global_norm/gradient_norm",
        "OptimizeLoss/learning_rate_1",
        "OptimizeLoss/loss",
    ]


def test_all_summaries() -> None:
    optimized(True, clip_gradients=0.3, summaries=layers.OPTIMIZER_SUMMARIES)
    each = [f"OptimizeLoss/gradient{kind}/{name}_0" for kind in ("_norm", "s") for name in "btw"]
    norms = ["clipped_gradient_norm", "gradient_norm"]
    assert tags() == [
        *(f"OptimizeLoss/global_norm/{norm}" for norm in norms),
        *each,
        "OptimizeLoss/loss",
    ]


def test_no_summaries() -> None:
    optimized(clip_gradients=0.3, summaries=[])
    assert v1.summary.merge_all() is None


GIVEN = {
    "in the collection": lambda update: None,
    "list": lambda update: [update],
    "generator": lambda update: (each for each in [update]),
    "name": lambda update: [update.name],
}


@pytest.mark.parametrize("given", GIVEN)
def test_update_ops_run_before_the_loss_is_computed(given: str, graph: tf.Graph, tmp_path: Path) -> None:
    count = v1.get_variable("count", [], initializer=v1.zeros_initializer(), trainable=False)
    update = v1.assign_add(count, 1.0)
    if given == "in the collection":
        v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
    train_op = optimized(update_ops=GIVEN[given](update))
    train(graph, tmp_path, train_op, train_op, max_steps=4)
    assert tf.train.load_variable(str(tmp_path), "count") == 4.0


def test_step_is_left_alone_on_request(graph: tf.Graph, tmp_path: Path) -> None:
    first = optimized(increment_global_step=False)
    second = layers.optimize_loss(graph.get_tensor_by_name("loss:0"), None, 0.1, "SGD")
    assert second.name == "OptimizeLoss_1/control_dependency:0"
    loss = train(graph, tmp_path, [first, second], second, max_steps=3)
    assert tf.train.load_variable(str(tmp_path), "global_step") == 3
    assert loss < SGD[0]


def test_without_any_global_step() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        train_op = layers.optimize_loss(model(), None, 0.1, "SGD")
        session.run(v1.global_variables_initializer())
        np.testing.assert_allclose([session.run(train_op) for _ in range(5)], SGD, rtol=1e-5)


def test_noise_changes_gradients_by_at_most_twice_its_scale() -> None:
    def keep(pairs: list[Any]) -> list[Any]:
        seen.extend(gradient for gradient, _ in pairs if gradient is not None)
        return pairs

    seen: list[Any] = []
    loss = model(embedding=True)
    options = {"learning_rate": 0.1, "optimizer": "SGD", "clip_gradients": keep}
    layers.optimize_loss(loss, None, gradient_noise_scale=1e-2, **options)
    layers.optimize_loss(loss, None, **options)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        noisy, exact = (session.run([tf.convert_to_tensor(g) for g in part]) for part in (seen[:3], seen[3:]))
    for with_noise, without in zip(noisy, exact, strict=True):
        assert 0 < np.max(np.abs(with_noise - without)) <= 2.1e-2


@pytest.mark.parametrize(
    "rate", [1, np.float32(0.5), lambda: tf.constant(0.1)], ids=["int", "numpy", "tensor"]
)
def test_learning_rates(rate: Any) -> None:
    optimized(learning_rate=rate() if callable(rate) else rate)


def test_multipliers_by_variable_and_by_name() -> None:
    def pairs_seen(multipliers: Any) -> Any:
        seen: list[Any] = []
        layers.optimize_loss(
            loss,
            None,
            0.1,
            "SGD",
            gradient_multipliers=multipliers,
            clip_gradients=lambda pairs: seen.extend(pairs) or pairs,
        )
        return {variable.op.name: gradient for gradient, variable in seen}

    loss = model()
    w = v1.trainable_variables()[0]
    gradients = [
        pairs_seen(multipliers)["w"] for multipliers in ({}, {w: 3.0}, {"w:0": 3.0, "nothing:0": 2.0})
    ]
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        plain, by_variable, by_name = session.run(gradients)
    np.testing.assert_allclose(by_variable, 3 * plain)
    np.testing.assert_allclose(by_name, 3 * plain)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rate": -1.0}, "Invalid learning_rate"),
        ({"learning_rate": "0.1"}, "0d Tensor or float"),
        ({"learning_rate": True}, "0d Tensor or float"),
        ({"learning_rate": [0.1]}, "0d Tensor or float"),
        ({"learning_rate": None}, "Learning rate is None"),
        ({"learning_rate": None, "optimizer": v1.train.AdamOptimizer}, "Learning rate is None"),
        ({"optimizer": "Adamm"}, "one of .*Adam.* you provided Adamm"),
        ({"optimizer": 3}, "Unrecognized optimizer"),
        ({"optimizer": lambda rate: "Adam"}, "Unrecognized optimizer"),
        ({"optimizer": tf.keras.optimizers.Adam}, "Unrecognized optimizer"),
        ({"clip_gradients": "5"}, "clip_gradients"),
        ({"clip_gradients": True}, "clip_gradients"),
        ({"summaries": ["losss"]}, "you provided losss"),
        ({"variables": []}, "No variables to optimize"),
        ({"gradient_multipliers": [2.0]}, r"gradient_multipliers must be a dict; it is \[2\.0\]"),
        ({"update_ops": "update"}, "update_ops must be a list; it is 'update'"),
        ({"update_ops": [3]}, "update_ops must be operations, tensors or names; one is 3"),
    ],
)
def test_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        optimized(**options)


def test_refuses_a_loss_that_is_no_scalar_and_a_step_that_is_none() -> None:
    optimize: Callable[..., Any] = functools.partial(layers.optimize_loss, learning_rate=0.1, optimizer="SGD")
    with pytest.raises(ValueError, match="scalar"):
        optimize(tf.constant([1.0, 2.0]), None)
    with pytest.raises(ValueError, match="loss must be a scalar tensor; it is None"):
        optimize(None, None)
    with pytest.raises(ValueError, match=r"loss must be of a float dtype; .* is int32"):
        optimize(tf.constant(1), None)
    with pytest.raises(ValueError, match="global_step must be a variable or a tensor; it is 'step'"):
        layers.adaptive_clipping_fn(global_step="step")
    with pytest.raises(TypeError, match="integer"):
        optimize(model(), tf.constant(1.0))
    with tf.Graph().as_default(), pytest.raises(ValueError, match="global_step is required"):
        optimize(model(), None, learning_rate_decay_fn=lambda rate, step: rate)


def test_multipliers_scale_the_rows_of_sparse_gradients() -> None:
    def moved(**options: Any) -> np.ndarray:
        with tf.Graph().as_default(), v1.Session() as session:
            v1.train.create_global_step()
            op = optimized(embedding=True, only="t", **options)
            session.run(v1.global_variables_initializer())
            session.run(op)
            (table,) = [each for each in v1.trainable_variables() if each.op.name == "t"]
            return session.run(table) - 1.0

    once = moved()
    assert np.count_nonzero(once) == 3
    np.testing.assert_allclose(moved(gradient_multipliers={"t:0": 2.0}), 2 * once, rtol=1e-6)
