"""Provides the legacy names: replaces `from tensorflow.contrib import learn`.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train import learn

with tf.Graph().as_default() as graph:
    loss = tf.square(tf.get_variable("weight", []) - 3.0)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    train_op = optimizer.minimize(loss, global_step=tf.train.create_global_step())
learn.train(graph, output_dir, train_op, loss, monitors=[learn.monitors.StopAtStep(num_steps=100)])
learn.graph_actions.evaluate(graph, f"{output_dir}/eval", output_dir, {"loss": loss}, max_steps=1)
```

Here are also `Estimator`, the canned Estimators and what belongs to them. They run as those of `estimator`.
A name of `tf.contrib.learn` that is not here raises an `AttributeError` that says what to use instead.

May import every other room; no room imports it.
"""

from __future__ import annotations

import difflib
from typing import NoReturn

from keras_legacy_train.errors import NanLossDuringTrainingError
from keras_legacy_train.evaluate import evaluate
from keras_legacy_train.infer import infer, run_feeds, run_n
from keras_legacy_train.learn import (
    graph_actions,
    head,
    learn_runner,
    models,
    monitors,
    preprocessing,
    utils,
)
from keras_legacy_train.learn._replacements import REPLACEMENTS
from keras_legacy_train.learn.base_estimator import BaseEstimator
from keras_legacy_train.learn.canned import (
    DNNClassifier,
    DNNEstimator,
    DNNLinearCombinedClassifier,
    DNNLinearCombinedEstimator,
    DNNLinearCombinedRegressor,
    DNNRegressor,
    LinearClassifier,
    LinearEstimator,
    LinearRegressor,
    LogisticRegressor,
)
from keras_legacy_train.learn.errors import NotFittedError
from keras_legacy_train.learn.estimator import Estimator
from keras_legacy_train.learn.experiment import Experiment
from keras_legacy_train.learn.export_strategy import ExportStrategy
from keras_legacy_train.learn.head import (
    Head,
    binary_svm_head,
    multi_class_head,
    multi_head,
    multi_label_head,
    no_op_train_fn,
    poisson_regression_head,
    regression_head,
)
from keras_legacy_train.learn.interfaces import Evaluable, Trainable
from keras_legacy_train.learn.keys import ModeKeys, PredictionKey, ProblemType
from keras_legacy_train.learn.metric_spec import MetricSpec
from keras_legacy_train.learn.model_fn_ops import ModelFnOps
from keras_legacy_train.learn.real_valued_columns import (
    infer_real_valued_columns_from_input,
    infer_real_valued_columns_from_input_fn,
)
from keras_legacy_train.learn.run_config import RunConfig, TaskType
from keras_legacy_train.learn.sk_compat import SKCompat
from keras_legacy_train.learn.utils import (
    InputFnOps,
    build_parsing_serving_input_fn,
    make_export_strategy,
)
from keras_legacy_train.train import train

__all__ = [
    "BaseEstimator",
    "DNNClassifier",
    "DNNEstimator",
    "DNNLinearCombinedClassifier",
    "DNNLinearCombinedEstimator",
    "DNNLinearCombinedRegressor",
    "DNNRegressor",
    "Estimator",
    "Evaluable",
    "Experiment",
    "ExportStrategy",
    "Head",
    "InputFnOps",
    "LinearClassifier",
    "LinearEstimator",
    "LinearRegressor",
    "LogisticRegressor",
    "MetricSpec",
    "ModeKeys",
    "ModelFnOps",
    "NanLossDuringTrainingError",
    "NotFittedError",
    "PredictionKey",
    "ProblemType",
    "RunConfig",
    "SKCompat",
    "TaskType",
    "Trainable",
    "binary_svm_head",
    "build_parsing_serving_input_fn",
    "evaluate",
    "graph_actions",
    "head",
    "infer",
    "infer_real_valued_columns_from_input",
    "infer_real_valued_columns_from_input_fn",
    "learn_runner",
    "make_export_strategy",
    "models",
    "monitors",
    "multi_class_head",
    "multi_head",
    "multi_label_head",
    "no_op_train_fn",
    "poisson_regression_head",
    "preprocessing",
    "regression_head",
    "run_feeds",
    "run_n",
    "train",
    "utils",
]


def __getattr__(name: str) -> NoReturn:
    """Raises an error that says what to use instead of a name of `tf.contrib.learn`.

    Raises:
        AttributeError: Always: the module does not have the name.
    """
    if name in REPLACEMENTS:
        raise AttributeError(
            f"tf.contrib.learn.{name} is not in keras_legacy_train. Use {REPLACEMENTS[name]}."
        )
    close = difflib.get_close_matches(name, __all__, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}.{hint}")
