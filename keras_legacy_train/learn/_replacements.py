"""Lists what to use instead of the names of `tf.contrib.learn` that this package does not have."""

from __future__ import annotations

_READ = "tf.data.TFRecordDataset with tf.io.parse_example"
_PANDAS = "the DataFrame's to_numpy()"
_DASK = "compute() and to_numpy() of the dask collection"

_BY_REPLACEMENT = {
    "tf.compat.v1.nn.dynamic_rnn in the model_fn of an Estimator": "DynamicRnnEstimator",
    "sklearn.cluster.KMeans": "KMeansClustering",
    "sklearn.svm.LinearSVC, or LinearEstimator with binary_svm_head()": "SVM",
    _PANDAS: "extract_pandas_data extract_pandas_labels extract_pandas_matrix",
    _DASK: "extract_dask_data extract_dask_labels",
    _READ: (
        "read_batch_examples read_batch_features read_batch_record_features read_keyed_batch_examples"
        " read_keyed_batch_examples_shared_queue read_keyed_batch_features"
        " read_keyed_batch_features_shared_queue"
    ),
    "tf.data.Dataset.from_tensor_slices, or a feed_fn": "io",
    "keras.datasets or sklearn.datasets": "datasets",
    "tf.compat.v1.nn in a graph, or keras.layers": "ops",
}

REPLACEMENTS = {name: use for use, names in _BY_REPLACEMENT.items() for name in names.split()}
