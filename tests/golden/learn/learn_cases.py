"""Programs over `tf.contrib.learn` that TensorFlow 1.15.5 (Python 3.7) and this package run alike.

Every function takes the module that stands for `tf.contrib.learn`.
"""
from __future__ import annotations

import importlib

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
columns = tf.feature_column


def table(n=24, seed=0):
    """Returns features (two floats, a colour, a weight), and labels: a class of three, a bit, a number."""
    rng = np.random.RandomState(seed)
    x = rng.randn(n, 2).astype("float32")
    colours = np.array([b"red", b"green", b"blue"])[rng.randint(3, size=n)]
    features = {"x": x, "colour": colours, "weight": rng.uniform(0.5, 2.0, (n, 1)).astype("float32")}
    number = (x.dot([[1.0], [-2.0]]) + (colours == b"red")[:, None] + 0.1 * rng.randn(n, 1)).astype("float32")
    kind = np.digitize(number[:, 0], [-1.0, 1.0]).astype("int64")
    return features, {"kind": kind, "bit": (number > 0).astype("int64"), "number": number}


FEATURES, LABELS = table()
X = FEATURES["x"]


def batch(label, names=("x", "colour", "weight")):
    """Returns an `input_fn` whose only batch is the whole table."""
    return lambda: ({name: tf.constant(FEATURES[name]) for name in names}, tf.constant(LABELS[label]))


def colour():
    return columns.categorical_column_with_vocabulary_list("colour", ["red", "green", "blue"])


def dense_columns():
    return [columns.numeric_column("x", shape=(2,)), columns.embedding_column(colour(), 2)]


def wide_columns():
    return [columns.numeric_column("x", shape=(2,)), colour()]


def sparse_batch(label):
    """Returns an `input_fn` like that of the tutorial of wide and deep models."""

    def input_fn():
        count = len(FEATURES["colour"])
        indices = [[i, 0] for i in range(count)]
        features = {
            "age": tf.constant(20.0 + 10.0 * X[:, :1]),
            "hours": tf.constant(X[:, 1]),
            "colour": tf.SparseTensor(indices, tf.constant(FEATURES["colour"]), [count, 1]),
            "kind": tf.constant([[["a", "b", ""][i % 3]] for i in range(count)]),
            "weight": tf.constant(FEATURES["weight"]),
        }
        return features, tf.constant(LABELS[label])

    return input_fn


def legacy_columns(learn):
    """Returns columns of `tf.contrib.layers`, for a linear model and for a network."""
    ours = not learn.__name__.startswith("tensorflow")
    layers = importlib.import_module("keras_legacy_train.contrib.layers" if ours else "tensorflow.contrib.layers")
    colour = layers.sparse_column_with_keys("colour", ["red", "green"])
    kind = layers.sparse_column_with_hash_bucket("kind", hash_bucket_size=7)
    age = layers.real_valued_column("age")
    buckets = layers.bucketized_column(age, [12, 20, 27.5])
    crossed = layers.crossed_column([colour, kind], hash_bucket_size=20)
    wide = [colour, kind, buckets, crossed, layers.crossed_column([buckets, kind, colour], hash_bucket_size=30)]
    deep = [
        layers.embedding_column(kind, dimension=3), age, layers.real_valued_column("hours"),
        layers.one_hot_column(colour), layers.embedding_column(crossed, dimension=2, combiner="sqrtn"),
    ]
    return wide, deep


def softmax_model(features, targets, mode, params):
    weights = v1.get_variable("weights", [2, 3], initializer=v1.zeros_initializer())
    logits = tf.matmul(features, weights)
    predictions = {"classes": tf.argmax(logits, 1), "probabilities": tf.nn.softmax(logits)}
    if mode == "infer":
        return predictions, None, None
    loss = v1.losses.sparse_softmax_cross_entropy(targets, logits)
    loss = tf.identity(loss, name="the_loss")
    step = v1.train.get_global_step()
    optimizer = v1.train.GradientDescentOptimizer(params["learning_rate"])
    return predictions, loss, optimizer.minimize(loss, global_step=step)


def custom(learn, model_dir, config=None):
    return learn.Estimator(softmax_model, model_dir, config=config, params={"learning_rate": 0.5})


def accuracy_metric(learn):
    return {"right": learn.MetricSpec(v1.metrics.accuracy, prediction_key="classes")}


def linear_regressor(learn, model_dir):
    return learn.LinearRegressor(learn.infer_real_valued_columns_from_input(X), model_dir)


def linear_classifier(learn, model_dir):
    return learn.LinearClassifier(
        wide_columns(), model_dir, weight_column_name="weight", gradient_clip_norm=0.1,
        optimizer=v1.train.AdagradOptimizer(0.1),
    )


def linear_colours(learn, model_dir):
    return learn.LinearClassifier(wide_columns(), model_dir, n_classes=3)


def dnn_classifier(learn, model_dir):
    return learn.DNNClassifier([4, 3], learn.infer_real_valued_columns_from_input(X), model_dir, n_classes=3)


def dnn_regressor(learn, model_dir):
    return learn.DNNRegressor(
        [4], dense_columns(), model_dir, optimizer=lambda: v1.train.AdamOptimizer(0.01),
        activation_fn="tanh", gradient_clip_norm=1.0, weight_column_name="weight",
    )


def combined_classifier(learn, model_dir):
    return learn.DNNLinearCombinedClassifier(
        model_dir, linear_feature_columns=wide_columns(), dnn_feature_columns=dense_columns(),
        dnn_hidden_units=[3], fix_global_step_increment_bug=True,
    )


def combined_regressor(learn, model_dir):
    inferred = learn.infer_real_valued_columns_from_input(X)
    return learn.DNNLinearCombinedRegressor(
        model_dir, linear_feature_columns=inferred, linear_optimizer="SGD", dnn_feature_columns=inferred,
        dnn_hidden_units=[3], label_dimension=1,
    )


def wide_and_deep(learn, model_dir):
    wide, deep = legacy_columns(learn)
    return learn.DNNLinearCombinedClassifier(
        model_dir=model_dir, linear_feature_columns=wide, dnn_feature_columns=deep, dnn_hidden_units=[4, 3],
        fix_global_step_increment_bug=True,
    )


def joint_linear(learn, model_dir):
    return learn.LinearClassifier(legacy_columns(learn)[0][3:], model_dir, _joint_weight=True)


def centered(learn, model_dir):
    """Returns names of variables with a centered bias; its values depend on which op comes first."""
    linear = learn.LinearClassifier(wide_columns(), model_dir + "/a", n_classes=3, enable_centered_bias=True)
    dnn = learn.DNNRegressor([2], [columns.numeric_column("x", (2,))], model_dir + "/b", enable_centered_bias=True)
    linear.fit(input_fn=batch("kind"), steps=1)
    dnn.fit(input_fn=batch("number"), steps=1)
    return [linear.get_variable_names(), dnn.get_variable_names()]


# What makes the estimator, and what it is fitted to: the label, and whether `x` and `y` or an `input_fn` is given.
CASES = {
    "custom": (custom, "kind", "x"),
    "linear_regressor": (linear_regressor, "number", "x"),
    "linear_classifier": (linear_classifier, "bit", "input_fn"),
    "linear_colours": (linear_colours, "kind", "input_fn"),
    "dnn_classifier": (dnn_classifier, "kind", "x"),
    "dnn_regressor": (dnn_regressor, "number", "input_fn"),
    "combined_classifier": (combined_classifier, "bit", "input_fn"),
    "combined_regressor": (combined_regressor, "number", "x"),
    "wide_and_deep": (wide_and_deep, "bit", "sparse"),
    "joint_linear": (joint_linear, "bit", "sparse"),
}
INPUTS = {"input_fn": batch, "sparse": sparse_batch}


def fit(estimator, name, steps, monitors=None):
    _, label, kind = CASES[name]
    if kind == "x":
        estimator.fit(X, LABELS[label], steps=steps, batch_size=7, monitors=monitors)
    else:
        estimator.fit(input_fn=INPUTS[kind](label), steps=steps, monitors=monitors)


def observe(learn, estimator, name):
    """Returns what an estimator that is fitted answers, in plain values."""
    _, label, kind = CASES[name]
    metrics = accuracy_metric(learn) if name == "custom" else None
    if kind == "x":
        results = [
            estimator.evaluate(X, LABELS[label], metrics=metrics),
            estimator.evaluate(X, LABELS[label], batch_size=5, steps=3, name="three", metrics=metrics),
        ]
        predictions = list(estimator.predict(X, batch_size=9))
    else:
        input_fn = INPUTS[kind](label)
        results = [estimator.evaluate(input_fn=input_fn, steps=1)]
        predictions = list(estimator.predict(input_fn=input_fn))
    return {
        "results": plain(results),
        "predictions": plain(predictions),
        "variables": {key: plain(estimator.get_variable_value(key)) for key in estimator.get_variable_names()},
    }


def plain(value):
    """Returns the value as JSON has it."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, bytes):
        return value.decode()
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def validated(learn, model_dir):
    """Trains with a `ValidationMonitor` that stops early; returns what it has seen, and the step reached."""
    config = learn.RunConfig(save_checkpoints_steps=5, tf_random_seed=1)
    estimator = custom(learn, model_dir, config)
    seen = []
    evaluate = estimator.evaluate

    def spy(**arguments):
        results = evaluate(**arguments)
        seen.append(plain(results))
        return results

    estimator.evaluate = spy
    # Of one class alone, so that the loss gets worse in the end.
    monitor = learn.monitors.ValidationMonitor(
        X[:6], LABELS["kind"][:6], every_n_steps=4, early_stopping_rounds=12, check_interval_secs=None,
        metrics=accuracy_metric(learn), early_stopping_metric="right", early_stopping_metric_minimize=False,
    )
    estimator.fit(X, LABELS["kind"], batch_size=8, steps=60, monitors=[monitor])
    return {
        "seen": seen,
        "best": plain([monitor.best_step, monitor.best_value, monitor.best_metrics]),
        "step": int(estimator.get_variable_value("global_step")),
    }


class Calls(object):
    """Makes a monitor that notes its calls and the losses."""

    def __init__(self, learn):
        calls = self.calls = []

        class Monitor(learn.monitors.BaseMonitor):
            def begin(self, max_steps=None):
                super().begin(max_steps)
                calls.append(["begin", max_steps])

            def step_begin(self, step):
                super().step_begin(step)
                return ["the_loss:0"]

            def step_end(self, step, output):
                calls.append([step, plain(output["the_loss:0"])])
                return super().step_end(step, output)

            def end(self, session=None):
                super().end(session)
                calls.append(["end"])

        self.monitor = Monitor()


def feeds():
    """Returns arguments of the data feeder, by name."""
    rows = np.arange(10.0, dtype="float32").reshape(5, 2)
    return {
        "shuffled": ((rows, np.arange(5), 2, True, None), 7),
        "in_order": ((rows, np.arange(5), 2, False, 2), 9),
        "whole": ((rows, [0.5, 1.5, 2.5, 3.5, 4.5], None, True, None), 3),
        "column_of_labels": ((np.arange(4), np.arange(4.0).reshape(4, 1), 3, False, 1), 3),
        "dicts": (({"a": rows, "b": np.arange(5)}, {"c": np.arange(5)}, 3, False, 1), 3),
        "no_labels": ((rows, None, 4, False, 1), 3),
        "iterators": ((iter(list(rows)), iter(np.arange(5)), 2, True, None), 4),
        "iterator_of_dicts": ((iter([{"a": row} for row in rows]), None, 2, True, None), 4),
    }
