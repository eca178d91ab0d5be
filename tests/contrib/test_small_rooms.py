"""The smaller modules of `contrib` do what their names say, over what TensorFlow has today."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format

from estimator_models import batches, linear_model_fn
from helpers import read_events
from keras_legacy_train import contrib, estimator
from keras_legacy_train.contrib import (
    data,
    deprecated,
    distribute,
    distributions,
    framework,
    image,
    lookup,
    opt,
    predictor,
    summary,
)
from keras_legacy_train.contrib import estimator as contrib_estimator
from keras_legacy_train.contrib.tensorboard.plugins import projector
from keras_legacy_train.contrib.tfprof import model_analyzer
from keras_legacy_train.estimator import tpu

v1 = tf.compat.v1

PICTURE = np.zeros([3, 2], "float32")


def elements(dataset: Any) -> list[Any]:
    return [np.asarray(element).tolist() for element in dataset.as_numpy_iterator()]


def numbers(count: int) -> tf.data.Dataset:
    return tf.data.Dataset.range(count)


def test_datasets_have_the_transformations_of_tensorflow_1() -> None:
    assert elements(numbers(5).apply(data.batch_and_drop_remainder(2))) == [[0, 1], [2, 3]]
    ragged = numbers(5).map(lambda n: tf.fill([n], n))
    padded = ragged.apply(data.padded_batch_and_drop_remainder(2, [4]))
    assert elements(padded) == [[[0] * 4, [1, 0, 0, 0]], [[2, 2, 0, 0], [3, 3, 3, 0]]]
    assert elements(numbers(5).apply(data.sliding_window_batch(3, stride=2))) == [[0, 1, 2], [2, 3, 4]]
    pairs = tf.data.Dataset.zip((numbers(4), numbers(4).map(lambda n: n * n)))
    windows = pairs.apply(data.sliding_window_batch(2, window_shift=2)).as_numpy_iterator()
    assert [[part.tolist() for part in pair] for pair in windows] == [[[0, 1], [0, 1]], [[2, 3], [4, 9]]]
    assert elements(numbers(4).apply(data.map_and_batch(lambda n: n + 1, 4))) == [[1, 2, 3, 4]]
    flat = numbers(2).apply(data.sloppy_interleave(lambda n: tf.data.Dataset.from_tensors(n), 2))
    assert sorted(elements(flat)) == [0, 1]
    total = data.Reducer(lambda _: np.int64(0), lambda total, n: total + n, lambda total: total)
    assert int(data.reduce_dataset(numbers(5), total)) == 10
    with pytest.raises(TypeError, match=r"must be a `tf\.data\.Dataset`"):
        data.reduce_dataset([1, 2], total)
    with pytest.raises(ValueError, match="both `stride` and `window_shift`"):
        data.sliding_window_batch(3, stride=2, window_shift=2)


def test_batches_of_features_are_read_from_files(tmp_path: Path) -> None:
    path = str(tmp_path / "examples")
    with tf.io.TFRecordWriter(path) as writer:
        for number in range(4):
            feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
            example = tf.train.Example(features=tf.train.Features(feature={"n": feature}))
            writer.write(example.SerializeToString())
    with tf.Graph().as_default(), v1.Session() as session:
        features = {"n": tf.io.FixedLenFeature([], tf.int64)}
        batch = data.read_batch_features(path, 4, features, randomize_input=False, num_epochs=1)
        assert session.run(batch)["n"].tolist() == [0, 1, 2, 3]


def test_weights_decay_only_where_it_is_asked() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        kept, decayed = (v1.get_variable(name, initializer=1.0) for name in ("kept", "decayed"))
        optimizer = opt.AdamWOptimizer(weight_decay=0.5, learning_rate=0.0)
        update = optimizer.minimize(kept + decayed, decay_var_list=[decayed])
        session.run(v1.global_variables_initializer())
        session.run(update)
        assert session.run([kept, decayed]) == [1.0, 0.5]
        gradients = [(tf.constant(1.0), kept), (tf.constant(1.0), decayed)]
        optimizer = opt.MomentumWOptimizer(weight_decay=0.5, learning_rate=0.0, momentum=0.9)
        update = optimizer.apply_gradients(gradients, decay_var_list=[decayed])
        session.run(v1.variables_initializer(optimizer.variables()))
        session.run(update)
        assert session.run([kept, decayed]) == [1.0, 0.25]


def test_a_saver_swaps_variables_and_their_averages(tmp_path: Path) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        weight = v1.get_variable("weight", initializer=8.0)
        optimizer = opt.MovingAverageOptimizer(v1.train.GradientDescentOptimizer(1.0), average_decay=0.5)
        with pytest.raises(RuntimeError, match="apply_gradients"):
            optimizer.swapping_saver()
        update = optimizer.minimize(weight)
        with pytest.raises(ValueError, match="weight/ExponentialMovingAverage is not part of variables"):
            optimizer.swapping_saver([weight])
        saver = optimizer.swapping_saver()
        session.run(v1.global_variables_initializer())
        session.run(update)
        path = saver.save(session, str(tmp_path / "model"))
    reader = tf.train.load_checkpoint(path)
    assert reader.get_tensor("weight") == 7.5
    assert reader.get_tensor("weight/ExponentialMovingAverage") == 7.0


def test_wrapped_optimizers_clip_variables_and_leave_zero_gradients_alone() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        rows = v1.get_variable("rows", initializer=[[3.0, 4.0], [0.3, 0.4]])
        clipping = opt.VariableClippingOptimizer(v1.train.MomentumOptimizer(0.0, 0.9), {rows: [1]}, 1.0)
        clipped = clipping.minimize(tf.reduce_sum(rows))
        assert clipping.get_slot(rows, "momentum").op.name == "rows/Momentum"
        other = v1.get_variable("other", initializer=1.0)
        scale = v1.placeholder(tf.float32, ())
        momentum = v1.train.MomentumOptimizer(1.0, 0.5)
        update = opt.MultitaskOptimizerWrapper(momentum).minimize(scale * other, var_list=[other])
        session.run(v1.global_variables_initializer())
        session.run(clipped)
        np.testing.assert_allclose(session.run(rows), [[0.6, 0.8], [0.3, 0.4]], 1e-6)
        values = []
        for value in (1.0, 0.0, 1.0):
            session.run(update, {scale: value})
            values.append(float(session.run(other)))
        assert values == [0.0, 0.0, -1.5]
        gradients, norm = opt.clip_gradients_by_global_norm([(tf.constant([3.0, 4.0]), rows)], 1.0)
        np.testing.assert_allclose(session.run([gradients[0][0], norm])[0], [0.6, 0.8], 1e-6)


def test_what_optimizers_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="momentum should be positive: -1"):
        opt.LARSOptimizer(0.1, momentum=-1.0)
    with pytest.raises(ValueError, match="weight_decay should be positive: -1"):
        opt.LARSOptimizer(0.1, weight_decay=-1.0)
    with tf.Graph().as_default(), v1.Session() as session:
        loss = tf.square(v1.get_variable("weight", initializer=1.0))
        session.run(v1.global_variables_initializer())
        with pytest.raises(NotImplementedError, match=r"implement the _minimize\(\) method"):
            opt.ExternalOptimizerInterface(loss).minimize(session)
        pytest.importorskip("scipy")
        with pytest.raises(ValueError, match="'jac' is set automatically"):
            opt.ScipyOptimizerInterface(loss, jac=False).minimize(session)


def test_conditional_updates_of_reference_variables_are_refused() -> None:
    optimizer = opt.MultitaskOptimizerWrapper(v1.train.GradientDescentOptimizer(0.1))
    with pytest.raises(TypeError, match="must be an instance of"):
        opt.MultitaskOptimizerWrapper(object())
    with tf.Graph().as_default():
        variable = v1.get_variable("variable", initializer=1.0, use_resource=False)
        with pytest.raises(ValueError, match="needs resource variables"):
            optimizer.minimize(variable * 2.0)


def test_scipy_finds_a_minimum_within_bounds_and_constraints() -> None:
    pytest.importorskip("scipy")
    with tf.Graph().as_default(), v1.Session() as session:
        vector = v1.get_variable("vector", initializer=[7.0, 7.0])
        loss = tf.reduce_sum(tf.square(vector))
        session.run(v1.global_variables_initializer())
        losses: list[float] = []
        bounded = opt.ScipyOptimizerInterface(loss, var_to_bounds={vector: ([1, 2], np.inf)})
        bounded.minimize(session, fetches=[loss], loss_callback=losses.append)
        np.testing.assert_allclose(session.run(vector), [1, 2], atol=1e-5)
        assert losses[0] == 98 and losses[-1] == 5
        constrained = opt.ScipyOptimizerInterface(
            loss, equalities=[vector[1] - 3.0], inequalities=[vector[0] - 1.5], method="SLSQP"
        )
        constrained.minimize(session)
        np.testing.assert_allclose(session.run(vector), [1.5, 3.0], atol=1e-5)
        with pytest.raises(ValueError, match="var_to_bounds"):
            opt.ScipyOptimizerInterface(loss, bounds=[]).minimize(session)


def test_predictors_run_saved_models_and_estimators(tmp_path: Path) -> None:
    trained = estimator.Estimator(linear_model_fn, str(tmp_path / "model"), params={"rate": 0.1})
    trained.train(batches, max_steps=2)

    def receiver() -> Any:
        x = v1.placeholder(tf.float32, [None, 2], name="x")
        return estimator.export.ServingInputReceiver({"x": x}, {"inputs": x})

    exported = trained.export_saved_model(str(tmp_path / "export"), receiver)
    from_files = predictor.from_saved_model(exported.decode() if isinstance(exported, bytes) else exported)
    from_object = predictor.from_estimator(trained, receiver)
    inputs = {"inputs": [[1.0, 2.0], [3.0, 4.0]]}
    for key, value in from_files(inputs).items():
        np.testing.assert_allclose(value, from_object(inputs)[key])
    assert from_files.session.graph is from_files.graph is from_files.feed_tensors["inputs"].graph
    names = {key: tensor.name for key, tensor in from_files.feed_tensors.items()}
    outputs = {key: tensor.name for key, tensor in from_files.fetch_tensors.items()}
    assert repr(from_files).startswith("Predictor with feed tensors {'inputs': <tf.Tensor 'x:0'")
    by_names = predictor.from_saved_model(exported, input_names=names, output_names=outputs)
    for key, value in from_files(inputs).items():
        np.testing.assert_allclose(by_names(inputs)[key], value)
    with pytest.raises(ValueError, match="must both be specified"):
        predictor.from_saved_model(exported, input_names=names)
    with pytest.raises(ValueError, match="at most one of signature_def_key"):
        predictor.from_saved_model(exported, "other", input_names=names, output_names=outputs)
    with pytest.raises(TypeError, match=r"must be a keras_legacy_train\.estimator\.Estimator"):
        predictor.from_estimator(object(), receiver)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unexpected keys"):
        from_files({"other": 1})
    with pytest.raises(ValueError, match="Available signatures are"):
        predictor.from_saved_model(exported, "other")


def test_heads_are_made_by_functions() -> None:
    heads = [
        contrib_estimator.binary_classification_head(name="a"),
        contrib_estimator.multi_class_head(3, name="b"),
        contrib_estimator.multi_label_head(3, name="c"),
        contrib_estimator.regression_head(label_dimension=2, name="d"),
        contrib_estimator.poisson_regression_head(name="e"),
        contrib_estimator.logistic_regression_head(name="f"),
    ]
    assert [head.logits_dimension for head in heads] == [1, 3, 3, 2, 1, 1]
    both = contrib_estimator.multi_head(heads[:2], head_weights=[1.0, 2.0])
    assert both.logits_dimension == 4


def test_summaries_are_written_by_ops(tmp_path: Path) -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        step = v1.train.create_global_step()
        assert not session.run(summary.should_record_summaries())
        writer = summary.create_file_writer(str(tmp_path), flush_millis=1)
        with writer.as_default(), summary.always_record_summaries():
            assert session.run(summary.should_record_summaries())
            summary.scalar("loss", tf.constant(2.0))
            session.run(v1.global_variables_initializer())
            summary.initialize(graph=session.graph, session=session)
            session.run(step.assign(5))
            session.run(summary.all_summary_ops())
            session.run(summary.flush())
    (path,) = tmp_path.iterdir()
    events = [event for event in v1.train.summary_iterator(str(path)) if event.summary.value]
    assert [(event.step, event.summary.value[0].tag) for event in events] == [(5, "loss")]


def test_host_calls_of_tpu_estimators_write_them(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str, params: Any) -> Any:
        spec = linear_model_fn(features, labels, mode, params)

        def host_call(step: Any, loss: Any) -> Any:
            writer = summary.create_file_writer(params["directory"], max_queue=10)
            with writer.as_default(), summary.always_record_summaries():
                summary.scalar("host/loss", loss[0], step=step[0])
                return summary.all_summary_ops()

        step = tf.reshape(v1.train.get_global_step(), [1])
        return tpu.TPUEstimatorSpec(
            mode,
            loss=spec.loss,
            train_op=spec.train_op,
            host_call=(host_call, [step, tf.reshape(spec.loss, [1])]),
        )

    host = tmp_path / "host"
    config = tpu.RunConfig(model_dir=str(tmp_path / "model"), tpu_config=tpu.TPUConfig(iterations_per_loop=2))
    trained = tpu.TPUEstimator(
        model_fn, config=config, use_tpu=False, train_batch_size=2, params={"directory": str(host)}
    )
    trained.train(lambda params: batches(None, params["batch_size"]), steps=4)
    assert len([event for event in read_events(host) if event.summary.value]) == 4


def test_old_summaries_keep_their_tags() -> None:
    with tf.Graph().as_default(), v1.Session() as session, v1.name_scope("scope"):
        deprecated.scalar_summary("loss of all", 2.0)
        deprecated.histogram_summary("weights", [1.0, 2.0])
        deprecated.image_summary("image", tf.zeros([1, 2, 2, 1]), max_images=1)
        deprecated.audio_summary("sound", tf.zeros([1, 4]), 8000, max_outputs=1)
        merged = v1.Summary.FromString(session.run(deprecated.merge_all_summaries()))
    assert [value.tag for value in merged.value] == ["loss of all", "weights", "image/image", "sound/audio"]


def test_embeddings_are_shown_by_the_projector(tmp_path: Path) -> None:
    config = projector.ProjectorConfig()
    config.embeddings.add(tensor_name="words", metadata_path="words.tsv")
    with tf.Graph().as_default():
        projector.visualize_embeddings(v1.summary.FileWriter(str(tmp_path)), config)
    written = text_format.Parse(
        (tmp_path / "projector_config.pbtxt").read_text(), projector.ProjectorConfig()
    )
    assert written == config

    class Silent:
        def get_logdir(self) -> None:
            return None

    with pytest.raises(ValueError, match="must have a logdir"):
        projector.visualize_embeddings(Silent(), config)


def test_the_projector_needs_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec(projector.__name__)
    assert spec is not None and spec.loader is not None
    monkeypatch.setitem(sys.modules, "tensorboard.plugins.projector.projector_config_pb2", None)
    monkeypatch.setitem(sys.modules, "tensorboard.plugins.projector", None)
    with pytest.raises(ImportError, match="needs TensorBoard"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_parameters_are_counted(capfd: pytest.CaptureFixture[str]) -> None:
    with tf.Graph().as_default() as graph:
        v1.get_variable("weights", [3, 4])
        options = dict(model_analyzer.TRAINABLE_VARS_PARAMS_STAT_OPTIONS, output="none")
        found = model_analyzer.print_model_analysis(graph, tfprof_options=options)
    assert found.total_parameters == 12


def test_strategies_take_the_arguments_of_before() -> None:
    assert distribute.MirroredStrategy(num_gpus=0).num_replicas_in_sync == 1
    assert not distribute.has_distribution_strategy()
    with pytest.raises(ValueError, match="only specify one"):
        distribute.MirroredStrategy(["/cpu:0"], num_gpus=1)
    for algorithm, kind in (
        ("nccl", tf.distribute.NcclAllReduce),
        ("hierarchical_copy", tf.distribute.HierarchicalCopyAllReduce),
    ):
        assert isinstance(distribute.AllReduceCrossDeviceOps(algorithm, num_packs=2), kind)
    with pytest.raises(ValueError, match="'nccl' or 'hierarchical_copy', but is 'ring'"):
        distribute.AllReduceCrossTowerOps("ring")


def test_distributions_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_probability", None)
    with pytest.raises(ImportError, match=r"pip install keras_legacy_train\[distributions\]"):
        distributions.Normal  # noqa: B018


def test_distributions_are_those_of_tensorflow_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = types.SimpleNamespace(
        distributions=types.SimpleNamespace(Normal="normal"),
        math=types.SimpleNamespace(softplus_inverse="inverse"),
    )
    monkeypatch.setitem(sys.modules, "tensorflow_probability", installed)
    assert (distributions.Normal, distributions.softplus_inverse) == ("normal", "inverse")
    with pytest.raises(AttributeError, match=r"distributions\.Conditional is not in TensorFlow Probability"):
        distributions.Conditional  # noqa: B018


def test_tables_need_words() -> None:
    for make in (lookup.index_table_from_tensor, lookup.index_to_string_table_from_tensor):
        with tf.Graph().as_default(), pytest.raises(ValueError, match="mapping must be specified"):
            make(None)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("output_shape must be a 1-D", lambda: image.transform(PICTURE, [1.0] * 8, output_shape=[3])),
        ("Angles should have rank 0 or 1", lambda: image.rotate(PICTURE, [[1.0]])),
        ("Translations should have rank 1 or 2", lambda: image.translate(PICTURE, [[[1.0, 2.0]]])),
        ("Transforms should have rank 1 or 2", lambda: image.transform(PICTURE, [[[1.0] * 8]])),
        ("transforms cannot be empty", lambda: image.compose_transforms()),
        ("Transforms should be 1D or 2D", lambda: image.compose_transforms([[[1.0] * 8]])),
        ("Matrices should be 2D or 3D", lambda: image.matrices_to_flat_transforms([1.0])),
        ("Invalid dtype .*uint16", lambda: image.rotate(PICTURE.astype("uint16"), 1.0)),
        ("Images should have rank between 2 and 4", lambda: image.rotate(PICTURE[0], 1.0)),
        ("rank must be statically known", lambda: image.transform(v1.placeholder(tf.float32), [1.0] * 8)),
        ("input must be a dictionary", lambda: framework.nest.flatten_dict_items([1])),
    ],
)
def test_what_does_not_fit_is_refused(message: str, call: Callable[[], Any]) -> None:
    with tf.Graph().as_default(), pytest.raises((TypeError, ValueError), match=message):
        call()


def test_names_that_are_not_here_are_told() -> None:
    with pytest.raises(AttributeError, match="Did you mean 'AdamWOptimizer'"):
        opt.AdamOptimizer  # noqa: B018
    assert contrib.lookup.__name__ == "keras_legacy_train.contrib.lookup"
