"""Lists what to use instead of the names of `tf.contrib.learn` that this package does not have."""

from __future__ import annotations

_MODEL = "a keras.Model with its fit(), or build the graph and pass it to keras_legacy_train.train"
_RUN = "keras_legacy_train.train and keras_legacy_train.evaluate"
_HEAD = "a loss of tf.compat.v1.losses in a graph, or of keras.losses in a keras.Model"
_MODEL_FN = "a function that builds a graph and returns its train_op and loss for keras_legacy_train.train"
_EXPORT = "tf.saved_model.save, or keras.Model.export"
_READ = "tf.data.TFRecordDataset with tf.io.parse_example"
_PANDAS = "the DataFrame's to_numpy()"
_DASK = "compute() and to_numpy() of the dask collection"
_COLUMNS = "tf.feature_column.numeric_column, or plain arrays with a keras.Model"

_BY_REPLACEMENT = {
    _MODEL: (
        "BaseEstimator DNNClassifier DNNEstimator DNNLinearCombinedClassifier DNNLinearCombinedEstimator"
        " DNNLinearCombinedRegressor DNNRegressor DynamicRnnEstimator Estimator Evaluable LinearClassifier"
        " LinearEstimator LinearRegressor LogisticRegressor SKCompat Trainable models"
    ),
    "sklearn.cluster.KMeans": "KMeansClustering",
    "sklearn.svm.LinearSVC": "SVM",
    "sklearn.exceptions.NotFittedError": "NotFittedError",
    _RUN: "Experiment RunConfig TaskType learn_runner",
    _HEAD: (
        "Head ProblemType binary_svm_head head multi_class_head multi_head multi_label_head no_op_train_fn"
        " poisson_regression_head regression_head"
    ),
    _MODEL_FN: "ModeKeys ModelFnOps",
    "the keys of your own dict of outputs in keras_legacy_train.infer": "PredictionKey",
    "tf.compat.v1.metrics in the eval_dict and update_op of keras_legacy_train.evaluate": "MetricSpec",
    _EXPORT: "ExportStrategy InputFnOps build_parsing_serving_input_fn make_export_strategy utils",
    _PANDAS: "extract_pandas_data extract_pandas_labels extract_pandas_matrix",
    _DASK: "extract_dask_data extract_dask_labels",
    _COLUMNS: "infer_real_valued_columns_from_input infer_real_valued_columns_from_input_fn",
    _READ: (
        "read_batch_examples read_batch_features read_batch_record_features read_keyed_batch_examples"
        " read_keyed_batch_examples_shared_queue read_keyed_batch_features"
        " read_keyed_batch_features_shared_queue"
    ),
    "tf.data.Dataset.from_tensor_slices, or a feed_fn": "io",
    "keras.datasets or sklearn.datasets": "datasets",
    "tf.compat.v1.nn in a graph, or keras.layers": "ops",
    "keras.layers.TextVectorization and keras.layers.StringLookup": "preprocessing",
}

REPLACEMENTS = {name: use for use, names in _BY_REPLACEMENT.items() for name in names.split()}
