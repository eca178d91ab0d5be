"""`learn` stands in for `tf.contrib.learn`: every name of it is here, or says what to use."""

from __future__ import annotations

import importlib
import inspect
import types
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

import graphs
import keras_legacy_train
from keras_legacy_train import learn

# dir() of tf.contrib.learn, its graph_actions and its monitors in TensorFlow 1.15.5, the public names.
ORIGINAL = {
    "learn": """
        BaseEstimator DNNClassifier DNNEstimator DNNLinearCombinedClassifier DNNLinearCombinedEstimator
        DNNLinearCombinedRegressor DNNRegressor DynamicRnnEstimator Estimator Evaluable Experiment
        ExportStrategy Head InputFnOps KMeansClustering LinearClassifier LinearEstimator LinearRegressor
        LogisticRegressor MetricSpec ModeKeys ModelFnOps NanLossDuringTrainingError NotFittedError
        PredictionKey ProblemType RunConfig SKCompat SVM TaskType Trainable binary_svm_head
        build_parsing_serving_input_fn datasets evaluate extract_dask_data extract_dask_labels
        extract_pandas_data extract_pandas_labels extract_pandas_matrix graph_actions head infer
        infer_real_valued_columns_from_input infer_real_valued_columns_from_input_fn io learn_runner
        make_export_strategy models monitors multi_class_head multi_head multi_label_head no_op_train_fn ops
        poisson_regression_head preprocessing read_batch_examples read_batch_features
        read_batch_record_features read_keyed_batch_examples read_keyed_batch_examples_shared_queue
        read_keyed_batch_features read_keyed_batch_features_shared_queue regression_head run_feeds run_n
        train utils
    """,
    "learn.graph_actions": """
        clear_summary_writers evaluate get_summary_writer infer run_feeds run_feeds_iter run_n train
    """,
    "learn.monitors": """
        BaseMonitor CaptureVariable CheckpointSaver EveryN ExportMonitor GraphDump LoggingTrainable NanLoss
        NanLossDuringTrainingError PrintTensor RunHookAdapterForMonitors StepCounter StopAtStep SummarySaver
        ValidationMonitor get_default_monitors replace_monitors_with_hooks
    """,
}
NAMES = [(module, name) for module, names in ORIGINAL.items() for name in names.split()]
ABSENT = {
    *("DynamicRnnEstimator", "KMeansClustering", "SVM", "datasets", "io"),
    *("extract_dask_data", "extract_dask_labels", "extract_pandas_data", "extract_pandas_labels"),
    *("extract_pandas_matrix", "ops", "read_batch_examples", "read_batch_features"),
    *("read_batch_record_features", "read_keyed_batch_examples", "read_keyed_batch_features"),
    *("read_keyed_batch_examples_shared_queue", "read_keyed_batch_features_shared_queue"),
}

# Parameters with their defaults, as TensorFlow 1.15.5 has them. `run_feeds` took what `run_feeds_iter` takes.
SIGNATURES = {
    "evaluate": (
        "graph, output_dir, checkpoint_path, eval_dict, update_op=None, global_step_tensor=None,"
        " supervisor_master='', log_every_steps=10, feed_fn=None, max_steps=None"
    ),
    "infer": "restore_checkpoint_path, output_dict, feed_dict=None",
    "run_n": "output_dict, feed_dict=None, restore_checkpoint_path=None, n=1",
    "run_feeds": "output_dict, feed_dicts, restore_checkpoint_path=None",
    "run_feeds_iter": "output_dict, feed_dicts, restore_checkpoint_path=None",
    "get_summary_writer": "logdir",
    "clear_summary_writers": "",
}


def module(name: str) -> types.ModuleType:
    return importlib.import_module(f"keras_legacy_train.{name}")


@pytest.mark.parametrize(("where", "name"), NAMES, ids=".".join)
def test_every_name_is_here_or_says_what_to_use(where: str, name: str) -> None:
    if where == "learn" and name in ABSENT:
        with pytest.raises(AttributeError, match=rf"tf\.contrib\.learn\.{name} is not .* Use \w+"):
            getattr(module(where), name)
    else:
        assert getattr(module(where), name) is not None
        assert name in module(where).__all__


@pytest.mark.parametrize("where", ORIGINAL)
def test_there_is_nothing_but_names_of_the_original(where: str) -> None:
    extra = {"learn.graph_actions": {"NanLossDuringTrainingError"}}
    assert set(module(where).__all__) <= set(ORIGINAL[where].split()) | extra.get(where, set())


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_the_original_ones(name: str) -> None:
    function = getattr(learn.graph_actions, name)
    parameters = [p.replace(annotation=inspect.Parameter.empty) for p in _parameters(function)]
    assert ", ".join(map(str, parameters)) == SIGNATURES[name]
    assert getattr(keras_legacy_train, name) is function


def _parameters(function: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def test_everything_is_the_same_object_under_both_spellings() -> None:
    assert learn.train is learn.graph_actions.train is keras_legacy_train.train
    assert learn.NanLossDuringTrainingError is keras_legacy_train.NanLossDuringTrainingError
    for name in learn.monitors.__all__:
        assert getattr(learn.monitors, name) is getattr(keras_legacy_train.monitors, name)


def test_every_form_of_import() -> None:
    import keras_legacy_train.learn as renamed
    from keras_legacy_train.learn import graph_actions, monitors
    from keras_legacy_train.learn.monitors import EveryN

    assert renamed is learn is keras_legacy_train.learn
    assert (graph_actions, monitors) == (learn.graph_actions, learn.monitors)
    assert EveryN is keras_legacy_train.monitors.EveryN


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'evalute'\. Did you mean 'evaluate'\?"):
        _ = learn.evalute
    with pytest.raises(AttributeError, match=r"has no attribute 'quux'\.$"):
        _ = learn.quux
    assert not hasattr(learn, "SVM")


def test_a_script_of_the_old_time(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        train_op, loss = graphs.linear_sgd()
    stop = learn.monitors.StopAtStep(num_steps=20)
    last = learn.train(graph, str(tmp_path), train_op, loss, monitors=[stop])
    results, step = learn.graph_actions.evaluate(
        graph, str(tmp_path / "eval"), str(tmp_path), {"loss": loss}, max_steps=1
    )
    assert step == 20 and results["loss"] < last
    assert learn.infer(str(tmp_path / "model.ckpt-20"), {"loss": loss}) == results
    assert learn.graph_actions.get_summary_writer(str(tmp_path)).get_logdir() == str(tmp_path)
    learn.graph_actions.clear_summary_writers()
