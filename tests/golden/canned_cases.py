"""Canned models that TensorFlow 1.15.5, 2.15.1 and this package build alike, on one small table.

`CASES` has their names. `build` makes one.
"""

import numpy as np
import tensorflow as tf

# With which versions have the model: some heads and columns are in one of them only.
CASES = {
    "linear_classifier": ("tf1", "tf2"),
    "linear_regressor": ("tf1", "tf2"),
    "linear_vocabulary": ("tf1", "tf2"),
    "dnn_classifier": ("tf1", "tf2"),
    "dnn_regressor": ("tf1", "tf2"),
    "dnn_multiclass": ("tf1", "tf2"),
    "dnn_shared_columns": ("tf1",),
    "dnn_shared_embeddings": ("tf2",),
    "combined_classifier": ("tf1", "tf2"),
    "combined_regressor": ("tf1", "tf2"),
    "combined_linear_only": ("tf1", "tf2"),
    "baseline_classifier": ("tf1", "tf2"),
    "baseline_regressor": ("tf1", "tf2"),
    "dnn_multi_label": ("tf2",),
    "linear_poisson": ("tf2",),
    "linear_thresholds": ("tf2",),
    "baseline_logistic": ("tf2",),
    "combined_multi_head": ("tf2",),
}
BATCH = 4
ROWS = 12


def table():
    """Returns the features and the labels of every case."""
    rng = np.random.RandomState(0)
    age = rng.uniform(0, 3, (ROWS, 1)).astype("float32")
    size = rng.randn(ROWS, 2).astype("float32")
    color = rng.choice(["red", "green", "blue", "none"], (ROWS, 1))
    tags = rng.choice(["", "a", "b", "c"], (ROWS, 3))
    weight = rng.uniform(0.5, 2, (ROWS, 1)).astype("float32")
    features = {"age": age, "size": size, "color": color, "tags": tags, "weight": weight}
    features["color2"] = np.roll(color, 1, axis=0)
    score = age[:, 0] - 1.5 + size[:, 0] + (color[:, 0] == "red")
    features["score"] = rng.uniform(1, 2, (ROWS, 3)).astype("float32")
    classes = np.digitize(score, [-0.5, 1.0])[:, None]
    labels = {
        "binary": (score > 0).astype("int64")[:, None],
        "classes": classes.astype("int64"),
        "names": np.array(["low", "middle", "high"])[classes],
        "value": score.astype("float32")[:, None],
        "values": np.stack([score, -2 * score], 1).astype("float32"),
        "counts": np.clip(np.round(score + 2), 0, None).astype("float32")[:, None],
        "many": (rng.uniform(size=(ROWS, 3)) < 0.5).astype("int64"),
    }
    return features, labels


def label_of(case):
    """Returns which column of the table is the label; two for a model with two heads."""
    for part, name in [
        ("vocabulary", "names"),
        ("multi_label", "many"),
        ("poisson", "counts"),
        ("multi_head", "heads"),
        ("multiclass", "classes"),
        ("linear_regressor", "values"),
        ("regressor", "value"),
        ("shared", "value"),
        ("baseline_classifier", "classes"),
    ]:
        if part in case:
            return name
    return "binary"


def input_fn(case, epochs):
    """Returns an input function: the table in batches, in order, `epochs` times; `None` is endless."""

    def read():
        features, labels = table()
        if "baseline" in case:  # with more, that of TensorFlow 2.15 cannot initialise its variable
            return (
                tf.data.Dataset.from_tensor_slices(({"age": features["age"]}, labels[label_of(case)]))
                .repeat(epochs)
                .batch(BATCH)
            )
        name = label_of(case)
        labels["heads"] = {"first": labels["binary"], "second": labels["value"]}
        data = tf.data.Dataset.from_tensor_slices((features, labels[name]))
        return data.repeat(epochs).batch(BATCH).map(_with_sparse_tags)

    return read


def _with_sparse_tags(features, label):
    features = dict(features)
    tags = features["tags"]
    where = tf.compat.v1.where(tf.not_equal(tags, ""))
    shape = tf.cast(tf.shape(tags), tf.int64)
    features["tags"] = tf.SparseTensor(where, tf.gather_nd(tags, where), shape)
    features["tag_weights"] = tf.SparseTensor(where, tf.gather_nd(features.pop("score"), where), shape)
    return features, label


def columns():
    """Returns the columns of the linear part and those of the deep part."""
    make = tf.feature_column
    age = make.numeric_column("age")
    buckets = make.bucketized_column(age, [1.0, 2.0])
    size = make.numeric_column("size", shape=(2,))
    color = make.categorical_column_with_vocabulary_list("color", ["red", "green", "blue"])
    tags = make.categorical_column_with_hash_bucket("tags", 5)
    crossed = make.crossed_column([buckets, "color"], 7)
    weighted = make.weighted_categorical_column(tags, "tag_weights")
    linear = [age, size, color, weighted, crossed]
    deep = [age, size, make.embedding_column(color, 3), make.indicator_column(tags)]
    return linear, deep


def shared_embeddings(case):
    """Returns two columns with the same embedding, of TensorFlow 1 or 2; both have to be made in a graph."""
    names = ["red", "green", "blue"]
    with tf.Graph().as_default():
        colors = [
            tf.feature_column.categorical_column_with_vocabulary_list(key, names)
            for key in ("color", "color2")
        ]
        if case == "dnn_shared_columns":
            return tf.compat.v1.feature_column.shared_embedding_columns(colors, 2)
        return tf.feature_column.shared_embeddings(colors, 2)


def build(case, estimator, model_dir, config):
    """Makes the model of a case.

    Args:
        case: One of `CASES`.
        estimator: What has the classes: `tf.estimator`, or what stands in its place.
        model_dir: Directory of its checkpoints.
        config: A `RunConfig`.
    """
    linear, deep = columns()
    e, common = estimator, {"model_dir": model_dir, "config": config}
    if case == "linear_classifier":
        return e.LinearClassifier(linear, weight_column="weight", **common)
    if case == "linear_regressor":
        return e.LinearRegressor(
            linear, label_dimension=2, optimizer="Adam", sparse_combiner="mean", **common
        )
    if case == "linear_vocabulary":
        vocabulary = ["low", "middle", "high"]
        return e.LinearClassifier(
            linear, n_classes=3, label_vocabulary=vocabulary, optimizer="RMSProp", **common
        )
    if case == "dnn_classifier":
        return e.DNNClassifier([4, 3], deep, batch_norm=True, **common)
    if case == "dnn_regressor":
        return e.DNNRegressor([4], deep, weight_column="weight", optimizer="Adam", **common)
    if case == "dnn_multiclass":
        return e.DNNClassifier([4], deep, n_classes=3, optimizer="SGD", activation_fn=tf.nn.tanh, **common)
    if "shared" in case:
        return e.DNNRegressor([4], deep[:2] + shared_embeddings(case), optimizer="Adagrad", **common)
    parts = {"linear_feature_columns": linear, "dnn_feature_columns": deep, "dnn_hidden_units": [4]}
    if case == "combined_classifier":
        return e.DNNLinearCombinedClassifier(**dict(parts, **common))
    if case == "combined_regressor":
        optimizers = {"linear_optimizer": "Adam", "dnn_optimizer": "Adam"}
        return e.DNNLinearCombinedRegressor(**dict(parts, **dict(optimizers, **common)))
    if case == "combined_linear_only":
        return e.DNNLinearCombinedClassifier(linear_feature_columns=linear, **common)
    if case == "baseline_classifier":
        return e.BaselineClassifier(n_classes=3, **common)
    if case == "baseline_regressor":
        return e.BaselineRegressor(optimizer="Adagrad", **common)
    if case == "dnn_multi_label":
        head = e.MultiLabelHead(3, thresholds=[0.3, 0.6], classes_for_class_based_metrics=[0, 2])
        return e.DNNEstimator(head, [4], deep, optimizer="Ftrl", **common)
    if case == "linear_poisson":
        return e.LinearEstimator(e.PoissonRegressionHead(), linear, optimizer="Adagrad", **common)
    if case == "linear_thresholds":
        head = e.BinaryClassHead(weight_column="weight", thresholds=[0.4, 0.5], name="clicked")
        return e.LinearEstimator(head, linear, **common)
    if case == "baseline_logistic":
        return e.BaselineEstimator(e.LogisticRegressionHead(), **common)
    heads = [e.BinaryClassHead(name="first"), e.RegressionHead(name="second")]
    head = e.MultiHead(heads, head_weights=[1.0, 0.5])
    return e.DNNLinearCombinedEstimator(head, **dict(parts, **common))
