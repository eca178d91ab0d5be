"""Models that Estimators export, for `make_export_golden.py` and for the tests.

Each runs under TensorFlow 1.15.5, under tensorflow-estimator 2.15 and here: `estimator` is `tf.estimator`, or
what stands for it.
"""
import os

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import saved_model_pb2

DIRECTORY = os.path.dirname(os.path.abspath(__file__))
X = np.linspace(-1.0, 1.0, 12).astype("float32").reshape(4, 3)
WORDS = np.array([b"red", b"blue", b"green", b"unknown"])
LABELS = np.arange(8.0).astype("float32").reshape(4, 2)


def make_model_fn(estimator, vocabulary):
    """Makes a linear model with a lookup table; its outputs are of all kinds."""
    export = estimator.export

    def model_fn(features, labels, mode):
        weight = tf.get_variable("weight", [3, 2], initializer=tf.constant_initializer(0.1))
        table = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
            ),
            -1,
        )
        color = tf.cast(table.lookup(features["color"]), tf.float32)
        logits = tf.matmul(features["x"], weight) + color[:, tf.newaxis]
        predictions = {"logits": logits, "class": tf.argmax(logits, 1)}
        unfed = tf.placeholder(tf.float32, [], name="unfed")
        outputs = {
            tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY: export.ClassificationOutput(
                scores=tf.nn.softmax(logits), classes=tf.as_string(predictions["class"])[:, tf.newaxis]
            ),
            "scores": export.ClassificationOutput(scores=logits),
            "regression": export.RegressionOutput(logits[:, :1]),
            "float64": export.RegressionOutput(tf.cast(logits, tf.float64)),
            "predict": export.PredictOutput(predictions),
            "single": export.PredictOutput(logits),
            "unfed": export.PredictOutput(logits + unfed),
        }
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.EstimatorSpec(mode, predictions, export_outputs=outputs)
        loss = tf.reduce_mean(tf.square(logits - labels))
        train_op = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, tf.train.get_global_step())
        metrics = {"mean": tf.metrics.mean(logits), "grouped": tf.metrics.mean(logits)[:1] + (tf.no_op(),)}
        return estimator.EstimatorSpec(mode, predictions, loss, train_op, eval_metric_ops=metrics)

    return model_fn


def input_fn():
    features = {"x": X, "color": WORDS}
    return tf.data.Dataset.from_tensors((features, LABELS)).repeat()


FEATURE_SPEC = {"x": tf.FixedLenFeature([3], tf.float32), "color": tf.FixedLenFeature([], tf.string)}


def make_receiver_fn(estimator, kind):
    """Makes an input receiver function: of Examples, with alternatives or without, or of raw features."""
    export = estimator.export
    if kind == "parsing":
        return export.build_parsing_serving_input_receiver_fn(FEATURE_SPEC)
    if kind == "alternatives":

        def receiver_fn():
            examples = tf.placeholder(tf.string, [None], name="examples")
            features = tf.parse_example(examples, FEATURE_SPEC)
            alternatives = {"parsed": features, "word": features["color"]}
            return export.ServingInputReceiver(features, examples, alternatives)

        return receiver_fn

    def raw_features():
        return {"x": tf.placeholder(tf.float32, [None, 3]), "color": tf.placeholder(tf.string, [None])}

    if kind == "raw":

        def raw_receiver_fn():
            features = raw_features()
            return export.ServingInputReceiver(features, features)

        return raw_receiver_fn

    def supervised_receiver_fn():
        with tf.Graph().as_default():
            features = raw_features()
            labels = tf.placeholder(tf.float32, [None, 2])
            make = estimator.experimental.build_raw_supervised_input_receiver_fn(features, labels)
        return make()

    return supervised_receiver_fn


# What is exported of the model, by mode.
CASES = {
    "parsing": {"infer": "parsing"},
    "alternatives": {"infer": "alternatives"},
    "raw": {"infer": "raw"},
    "all_modes": {"train": "supervised", "eval": "supervised", "infer": "raw"},
}


def export(estimator, model, case, directory):
    """Exports the trained model; returns the path of the SavedModel."""
    receiver_fns = {mode: make_receiver_fn(estimator, kind) for mode, kind in CASES[case].items()}
    if list(receiver_fns) == ["infer"]:
        return os.fsdecode(model.export_saved_model(directory, receiver_fns["infer"]))
    return os.fsdecode(model.experimental_export_all_saved_models(directory, receiver_fns))


def examples():
    """Returns the features as serialised Examples."""

    def example(x, color):
        features = {
            "x": tf.train.Feature(float_list=tf.train.FloatList(value=x)),
            "color": tf.train.Feature(bytes_list=tf.train.BytesList(value=[color])),
        }
        return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()

    return np.array([example(x, color) for x, color in zip(X, WORDS)], dtype=object)


def describe(path):
    """Returns what a SavedModel consists of: its files, and each graph's signatures by its tag."""
    files = [
        os.path.relpath(os.path.join(folder, name), path) for folder, _, names in os.walk(path) for name in names
    ]
    saved_model = saved_model_pb2.SavedModel()
    with open(os.path.join(path, "saved_model.pb"), "rb") as file:
        saved_model.ParseFromString(file.read())
    return {
        "files": sorted(files),
        "graphs": {",".join(graph.meta_info_def.tags): _describe_graph(graph) for graph in saved_model.meta_graphs},
    }


def _describe_graph(graph):
    marks = ["saved_model_main_op", "saved_model_train_op", "saved_model_assets"]
    return {
        "marks": [mark for mark in marks if mark in graph.collection_def],
        "assets": sorted(asset.filename for asset in graph.asset_file_def),
        "signatures": {
            name: {
                "method": signature.method_name,
                "inputs": _describe_tensors(signature.inputs),
                "outputs": _describe_tensors(signature.outputs),
            }
            for name, signature in graph.signature_def.items()
        },
    }


def _describe_tensors(infos):
    return {
        key: [tf.as_dtype(info.dtype).name, [dimension.size for dimension in info.tensor_shape.dim]]
        for key, info in infos.items()
    }


FEEDS = {"x": X, "color": WORDS, "examples": examples(), "input": examples(), "inputs": examples(), "label": LABELS}


def serve(path):
    """Returns the outputs of all signatures of a SavedModel, as the loader of TensorFlow 1 gives them."""
    outputs = {}
    for tags in describe(path)["graphs"]:
        with tf.Graph().as_default(), tf.Session() as session:
            graph = tf.saved_model.load(session, tags.split(","), path)
            for name, signature in graph.signature_def.items():
                if "unfed" in name or name.startswith(("word:", "__")):
                    continue  # 1.15 exports what cannot be computed, too
                feeds = {info.name: FEEDS[key] for key, info in signature.inputs.items()}
                fetches = {key: info.name for key, info in signature.outputs.items() if "update" not in key}
                values = session.run(fetches, feeds)
                outputs[tags + "/" + name] = {key: _plain(value) for key, value in values.items()}
    return outputs


def _plain(value):
    array = np.asarray(value)
    return (array.astype(str) if array.dtype == object else array).tolist()
