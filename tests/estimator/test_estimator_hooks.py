"""Hooks see what they saw in `tf.estimator`, mocks of hooks too."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import tensorflow as tf

from estimator_models import LABELS, batches, endless_batches, linear_model_fn
from keras_legacy_train import estimator
from keras_legacy_train.estimator import Estimator, EstimatorSpec, RunConfig, SessionRunHook

tf1 = tf.compat.v1


def mocked_hook() -> Any:
    return mock.MagicMock(wraps=SessionRunHook(), spec=SessionRunHook)


def test_mocked_hooks_are_called_as_hooks(tmp_path: Path) -> None:
    steps = ["before_run", "after_run"]
    around = ["begin", "after_create_session"]
    training, evaluation, prediction = mocked_hook(), mocked_hook(), mocked_hook()
    model = Estimator(linear_model_fn, tmp_path, params={}).train(endless_batches, [training], steps=2)
    model.evaluate(batches, steps=2, hooks=[evaluation])
    for hook in (training, evaluation):
        assert [name for name, *_ in hook.method_calls] == [*around, *steps, *steps, "end"]
    assert len(list(model.predict(batches, hooks=[prediction]))) == len(LABELS)
    assert [name for name, *_ in prediction.method_calls] == [*around, *steps * 3, "before_run", "end"]


def test_hooks_for_the_chief_are_called_on_it_alone(tmp_path: Path) -> None:
    class OfWorker(RunConfig):
        @property
        def is_chief(self) -> bool:
            return False

    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        made = linear_model_fn(features, labels, mode, None)
        return made._replace(training_chief_hooks=[chief_hook], training_hooks=[hook])

    for config_class, calls in ((RunConfig, 1), (OfWorker, 0)):
        chief_hook, hook = mocked_hook(), mocked_hook()
        model = Estimator(model_fn, config=config_class(str(tmp_path / config_class.__name__)))
        model.train(endless_batches, steps=1)
        assert (chief_hook.after_run.call_count, hook.after_run.call_count) == (calls, 1)


def test_a_nan_loss_is_the_error_of_tensorflow_and_found_after_the_hooks_of_its_step(tmp_path: Path) -> None:
    def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
        step = tf1.assign_add(tf1.train.get_global_step(), 1)
        loss = tf.where(step > 1, float("nan"), 1.0)
        return EstimatorSpec(mode, loss=loss, train_op=step)

    hook = mocked_hook()
    with pytest.raises(tf1.train.NanLossDuringTrainingError, match=r"^NaN loss during training\."):
        Estimator(model_fn, tmp_path).train(endless_batches, [hook], steps=3)
    assert hook.after_run.call_count == 2
    # Hooks of the user's own raise TensorFlow's error itself.
    assert estimator.NanLossDuringTrainingError is tf1.train.NanLossDuringTrainingError
