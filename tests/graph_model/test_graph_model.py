"""`GraphModel` trains, evaluates and predicts as a Session does, by the methods of a `keras.Model`.

`pytest --tf-mode=disable_v2_behavior test_graph_model.py` runs these tests in another mode, as the last test
does.
"""

from __future__ import annotations

import gc
import itertools
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import graphs
import keras_legacy_train
from graph_model_helpers import X, Y, counting, line, line_model, predictions, trained, weights
from helpers import (
    Job,
    assert_values_close,
    assert_values_equal,
    checkpoint_values,
    run_in_session,
    run_python,
)
from keras_legacy_train.graph_model import GraphModel

v1 = tf.compat.v1


class TestStepsMatchASession:
    """The graphs that `train` is tested with, trained by `fit`."""

    STEPS = 5

    def losses(self, model: GraphModel, data: Any) -> list[float]:
        losses: list[float] = []
        note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: losses.append(logs["loss"]))
        model.fit(data, steps_per_epoch=1, epochs=self.STEPS, verbose=0, callbacks=note)
        return losses

    def batches(self, job: Job) -> Iterator[tuple[dict[str, np.ndarray]]] | None:
        if job.feed_fn is None:
            return None
        feed_dicts = (job.feed_fn() for _ in itertools.count())
        return (({tensor.name: value for tensor, value in feeds.items()},) for feeds in feed_dicts)

    @pytest.mark.parametrize(
        "use_resource",
        [pytest.param(False, id="reference"), pytest.param(True, id="resource", marks=pytest.mark.slow)],
    )
    @pytest.mark.parametrize("name", graphs.BUILDERS)
    def test_losses_and_variables(self, name: str, use_resource: bool, tmp_path: Path) -> None:
        expected = run_in_session(graphs.build(name, use_resource), self.STEPS)
        job = graphs.build(name, use_resource)
        model = GraphModel(
            job.graph,
            ["x", "y"] if job.feed_fn else None,
            train_op=job.train_op,
            loss=job.loss,
            init_feed_dict=job.init_feed_dict,
        )
        np.testing.assert_allclose(self.losses(model, self.batches(job)), expected.losses, rtol=1e-5)
        with job.graph.as_default():
            v1.train.Saver().save(model.session, str(tmp_path / "model.ckpt"))
        assert_values_close(checkpoint_values(tmp_path), expected.variables, rtol=1e-5, atol=1e-6)


def batch_forms() -> dict[str, Callable[[], tuple[Any, ...]]]:
    """Ways to give `fit` the rows, sixteen to a batch."""
    rows = {"x": X, "y": Y}
    slices = [slice(at, at + 16) for at in range(0, 64, 16)]

    def dataset(elements: Any) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices(elements).batch(16)

    return {
        "two_arrays": lambda: (X, Y),
        "lists": lambda: ([X], [Y]),
        "dicts": lambda: ({"x": X}, {"y": Y}),
        "one_dict": lambda: (rows,),
        "names_of_tensors": lambda: ({"x:0": X, "y:0": Y},),
        "dataset": lambda: (lambda: dataset((X, Y)),),
        "dataset_of_dicts": lambda: (lambda: dataset(rows),),
        "generator": lambda: (((X[s], Y[s]) for s in slices * 2),),
        "generator_of_dicts": lambda: ((({"x": X[s], "y": Y[s]},) for s in slices * 2),),
    }


class TestFit:
    @pytest.mark.parametrize("form", batch_forms())
    def test_takes_batches_in_any_form(self, form: str) -> None:
        model = line_model()
        options: dict[str, Any] = {"steps_per_epoch": 4} if "generator" in form else {}
        if "dataset" not in form and "generator" not in form:
            options = {"batch_size": 16, "shuffle": False}
        model.fit(*batch_forms()[form](), epochs=2, verbose=0, **options)
        assert_values_close(weights(model), weights(trained()), rtol=1e-6)

    def test_loss_of_an_epoch_is_the_mean_over_rows(self) -> None:
        model = line_model(train_op="loss")  # a step that changes nothing
        history = model.fit(X, Y, batch_size=24, verbose=0)  # batches of 24, 24 and 16 rows
        np.testing.assert_allclose(history.history["loss"], [np.mean(Y**2)], rtol=1e-5)

    def test_history_and_validation(self) -> None:
        model = line_model()
        history = model.fit(
            X[:48], Y[:48], epochs=3, validation_data=(X[48:], Y[48:]), verbose=0, callbacks=[]
        )
        assert isinstance(history, keras.callbacks.History)
        assert history.epoch == [0, 1, 2]
        assert history.history["loss"] == sorted(history.history["loss"], reverse=True)
        np.testing.assert_allclose(
            history.history["val_loss"][-1], model.evaluate(X[48:], Y[48:], verbose=0), rtol=1e-6
        )

    def test_validation_split(self) -> None:
        history = line_model().fit(X, Y, validation_split=0.25, verbose=0)
        np.testing.assert_allclose(len(history.history["val_loss"]), 1)

    def test_several_steps_in_a_call_are_single_steps(self) -> None:
        model = line_model()
        model.compile(steps_per_execution=4)
        model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        assert_values_close(weights(model), weights(trained()), rtol=1e-6)

    def test_inside_the_context_of_the_graph(self) -> None:
        model = line_model()
        with model.session.graph.as_default():
            model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
            assert_values_close(weights(model), weights(trained()), rtol=1e-6)

    def test_compiled_by_xla(self) -> None:
        model = line_model()
        model.compile(jit_compile=True)
        model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        assert_values_close(weights(model), weights(trained()), rtol=1e-4)

    def test_goes_on_where_the_last_call_stopped(self) -> None:
        model = line_model()
        for _ in range(2):
            model.fit(X, Y, batch_size=16, shuffle=False, verbose=0)
        assert_values_equal(weights(model), weights(trained()))
        assert model.session.run("global_step:0") == 8

    def test_a_graph_without_a_loss(self) -> None:
        history = line_model(loss=None, metrics={"error": "error"}).fit(X, Y, batch_size=16, verbose=0)
        assert list(history.history) == ["error"]

    def test_by_the_loop_of_this_package(self, tmp_path: Path) -> None:
        options: dict[str, Any] = {"batch_size": 16, "shuffle": False, "output_dir": tmp_path, "epochs": 2}
        model = line_model()
        history = keras_legacy_train.fit(model, X, Y, **options)
        assert len(history.history["loss"]) == 2
        assert_values_equal(weights(model), weights(trained()))
        resumed = line_model()
        keras_legacy_train.fit(resumed, X, Y, **options)
        assert_values_equal(weights(resumed), weights(model))

    def test_train_on_batch(self) -> None:
        model = line_model()
        before = model.test_on_batch(X, Y)
        assert model.train_on_batch(X, Y, return_dict=True) == {"loss": pytest.approx(before)}
        assert model.test_on_batch(X, Y) < before
        np.testing.assert_allclose(model.predict_on_batch(X), predictions(model), rtol=1e-5)

    def test_feed_dicts_of_training_and_evaluation(self) -> None:
        model = line_model(train_feed_dict={"scale": 0.0}, eval_feed_dict={"scale:0": 2.0})
        model.fit(X, Y, batch_size=16, verbose=0)
        assert not weights(model)["dense.kernel"].any()  # its gradient was 0
        model.set_weights([np.ones_like(value) for value in model.get_weights()])
        doubled = 2 * X.sum(axis=1, keepdims=True) + 1
        np.testing.assert_allclose(model.predict(X, verbose=0), doubled, rtol=1e-5)
        np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), np.mean((doubled - Y) ** 2), rtol=1e-5)

    def test_run_eagerly(self) -> None:
        model = line_model()
        model.compile(run_eagerly=True)
        model.fit(X, Y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        assert_values_close(weights(model), weights(trained()), rtol=1e-6)


class TestOwnInput:
    def test_fit(self) -> None:
        model = GraphModel(counting(), train_op="count", loss="number")
        history = model.fit(steps_per_epoch=4, epochs=3, verbose=0)
        assert history.history["loss"] == [1.5, 5.5, 9.5]
        assert model.get_weights() == [12]

    def test_fit_to_the_end_of_the_input(self) -> None:
        model = GraphModel(counting(5), train_op="count", loss="number")
        with pytest.warns(UserWarning, match="ran out of data"):
            history = model.fit(verbose=0)
        assert history.history["loss"] == [2]
        assert model.get_weights() == [5]

    def test_the_input_ends_within_an_epoch(self) -> None:
        model = GraphModel(counting(5), train_op="count", loss="number")
        with pytest.warns(UserWarning, match="ran out of data"):
            history = model.fit(steps_per_epoch=3, epochs=10, verbose=0)
        assert history.history["loss"] == [1, 3.5]
        assert history.epoch == [0, 1]

    def test_epochs_must_have_a_length(self) -> None:
        model = GraphModel(counting(), train_op="count", loss="number")
        with pytest.raises(ValueError, match="steps_per_epoch"):
            model.fit(epochs=2)

    def test_evaluate_and_predict(self) -> None:
        model = GraphModel(counting(), outputs=["number"], loss="number")
        assert model.evaluate(steps=4, verbose=0) == 1.5
        assert [values.tolist() for values in model.predict(steps=3, verbose=0)] == [[4, 5, 6]]

    def test_queues_are_filled_as_long_as_the_model_lives(self) -> None:
        job = graphs.build("queue")
        expected = run_in_session(graphs.build("queue"), 4).losses
        model = GraphModel(job.graph, train_op=job.train_op, loss=job.loss)
        losses = [model.fit(steps_per_epoch=1, verbose=0).history["loss"][0] for _ in range(4)]
        np.testing.assert_allclose(losses, expected, rtol=1e-5)
        runners = weakref.ref(model._queue_runners)
        del model
        gc.collect()
        assert runners() is None or runners().coordinator.should_stop()

    def test_a_failing_queue_runner_is_told_of(self) -> None:
        with tf.Graph().as_default() as graph:
            value = v1.py_func(lambda: 1 / 0, [], tf.float64)
            value.set_shape([])
            number = v1.train.batch([value], 1)
            loss = tf.reduce_sum(number, name="loss")
        model = GraphModel(graph, train_op=loss, loss=loss)
        with pytest.raises(Exception, match="ZeroDivisionError"), pytest.warns(UserWarning):
            model.fit(verbose=0)


@pytest.fixture(scope="module")
def model_with_metrics() -> GraphModel:
    pair = ("mean_error/value", "mean_error/update_op")
    return trained(metrics={"streamed": pair, "error": "error"})


class TestEvaluate:
    def test_returns_a_float_a_list_or_a_dict(self) -> None:
        model = trained()
        loss = model.evaluate(X, Y, verbose=0)
        assert loss == pytest.approx(np.mean((predictions(model) - Y) ** 2), rel=1e-5)
        assert model.evaluate(X, Y, verbose=0, return_dict=True) == {"loss": loss}
        with_metrics = trained(metrics={"error": "error"})
        assert with_metrics.evaluate(X, Y, verbose=0) == pytest.approx(
            [loss, np.mean(np.abs(predictions(model) - Y))], rel=1e-5
        )

    @pytest.mark.slow
    @given(batch_size=st.integers(1, 70))
    @settings(max_examples=5)
    def test_does_not_depend_on_the_batch_size(self, model_with_metrics: GraphModel, batch_size: int) -> None:
        model = model_with_metrics
        results = model.evaluate(X, Y, batch_size=batch_size, verbose=0, return_dict=True)
        error = np.mean(np.abs(predictions(model) - Y))
        assert results["error"] == pytest.approx(error, rel=1e-4)
        assert results["streamed"] == pytest.approx(error, rel=1e-4)
        predicted = model.predict(X, batch_size=batch_size, verbose=0)
        np.testing.assert_allclose(predicted, predictions(model), rtol=1e-4, atol=1e-5)

    def test_metrics_in_the_logs_of_fit(self) -> None:
        model = line_model(metrics={"streamed": ("mean_error/value:0", "mean_error/update_op:0")})
        history = model.fit(X, Y, batch_size=16, epochs=2, validation_data=(X, Y), verbose=0).history
        assert list(history) == ["loss", "streamed", "val_loss", "val_streamed"]
        error = np.mean(np.abs(predictions(model) - Y))
        assert history["val_streamed"][-1] == pytest.approx(error, rel=1e-5)
        assert history["streamed"][1] < history["streamed"][0]

    def test_only_the_variables_of_the_metric_begin_anew(self) -> None:
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, [None], name="x")
            seen = v1.get_local_variable("seen", [], initializer=v1.zeros_initializer())
            with tf.control_dependencies([v1.assign_add(seen, 1.0)]):
                x = tf.identity(x)
            mean = v1.metrics.mean(x)
        model = GraphModel(graph, "x", metrics={"mean": mean})
        assert model.evaluate(np.ones(4), batch_size=2, verbose=0) == 1
        assert model.evaluate(np.zeros(4), batch_size=2, verbose=0) == 0
        assert model.session.run("seen:0") == 4


class TestPredict:
    def test_returns_what_outputs_is(self) -> None:
        expected = predictions(trained())
        one, several, named = (
            trained(outputs=outputs).predict(X, batch_size=24, verbose=0)
            for outputs in ("prediction", ["prediction", "x"], {"value": "prediction:0", "given": "x"})
        )
        np.testing.assert_allclose(one, expected, rtol=1e-4)
        np.testing.assert_allclose(several[0], expected, rtol=1e-4)
        np.testing.assert_array_equal(several[1], X)
        assert sorted(named) == ["given", "value"]
        np.testing.assert_allclose(named["value"], expected, rtol=1e-4)

    def test_names_of_inputs(self) -> None:
        model = trained(inputs={"rows": "x:0"})
        for x in ({"rows": X}, {"x": X}, {"x:0": X}, [X]):
            np.testing.assert_allclose(model.predict(x, verbose=0), predictions(model), rtol=1e-4)

    def test_call(self) -> None:
        model = trained(train_feed_dict={"scale": 0.0})
        if not tf.executing_eagerly():
            with pytest.raises(RuntimeError, match="predict_on_batch"):
                model(X)
            return
        np.testing.assert_allclose(model(X), predictions(model), rtol=1e-4)
        bias = weights(model)["dense.bias"]
        np.testing.assert_allclose(model({"x": X}, training=True), np.tile(bias, [64, 1]), rtol=1e-4)
        inside = tf.function(lambda x: model(x))(tf.constant(X))
        np.testing.assert_allclose(inside, predictions(model), rtol=1e-4)

    def test_text(self) -> None:
        with tf.Graph().as_default() as graph:
            words = v1.placeholder(tf.string, [None], name="words")
            tf.strings.length(words, name="length")
        model = GraphModel(graph, "words", "length")
        for words in (["a", "bcd"], np.array(["a", "bcd"], object)):
            np.testing.assert_array_equal(model.predict(np.array(words), verbose=0), [1, 3])

    def test_any_tensor_can_be_an_input(self) -> None:
        model = GraphModel(line(), "prediction", {"error": "error"}, targets="y", eval_feed_dict={"y": [[5]]})
        assert model.predict(np.array([[3.0]]), verbose=0) == {"error": [[2]]}

    def test_random_numbers_go_on(self) -> None:
        with tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, [None], name="x")
            tf.identity(v1.random_uniform(tf.shape(x), seed=5), name="noise")
        model = GraphModel(graph, "x", "noise")
        with v1.Session(graph=graph) as session:
            expected = [session.run("noise:0", {"x:0": np.zeros(3)}) for _ in range(4)]
        found = [model.predict(np.zeros(6), batch_size=3, verbose=0) for _ in range(2)]
        np.testing.assert_array_equal(np.concatenate(found), np.concatenate(expected))

    def test_version_1_control_flow(self) -> None:
        with graphs.control_flow(v2=False), tf.Graph().as_default() as graph:
            x = v1.placeholder(tf.float32, [None], name="x")
            w = v1.get_variable("w", initializer=2.0)
            grown = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * w), [0, x])[1]
            v1.cond(tf.reduce_sum(x) > 0, lambda: grown, lambda: -grown, name="either")
        model = GraphModel(graph, "x", "either/Merge")
        np.testing.assert_array_equal(model.predict(np.array([1.0, 2.0]), verbose=0), [8, 16])
        np.testing.assert_array_equal(model.predict(np.array([-1.0, 0.0]), verbose=0), [8, 0])


@pytest.mark.parametrize(
    "chosen",
    [
        "an_epoch or test_text or test_files or test_call or test_names or session_loads",
        pytest.param("not fresh_process", marks=pytest.mark.slow),
    ],
    ids=["some", "all"],
)
def test_other_modes(chosen: str, pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--tf-mode") != "defaults":
        pytest.skip("already the inner run")
    files = sorted(Path(__file__).parent.glob("test_graph_model*.py"))
    options = ["-q", "-p", "no:xdist", "--tf-mode=disable_v2_behavior"]
    ended = run_python("-m", "pytest", *options, "-k", chosen, *files)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed and int(passed[1]) > 6
