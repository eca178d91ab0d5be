"""Lists what to use instead of the names of `tf.estimator` that this package does not have."""

from __future__ import annotations

_TREES = "sklearn.ensemble.HistGradientBoostingClassifier or HistGradientBoostingRegressor"
_RNN = (
    "an Estimator whose model_fn calls keras_legacy_train.rnn_cell, or a keras.Model with keras.layers.LSTM"
)

REPLACEMENTS = {
    "BoostedTreesClassifier": _TREES,
    "BoostedTreesEstimator": _TREES,
    "BoostedTreesRegressor": _TREES,
    "KMeansClustering": "sklearn.cluster.MiniBatchKMeans",
}

EXPERIMENTAL_REPLACEMENTS = {
    "KMeans": "sklearn.cluster.MiniBatchKMeans",
    "LinearSDCA": "tf.compat.v1.train.FtrlOptimizer as the optimizer of a linear Estimator",
    "RNNClassifier": _RNN,
    "RNNEstimator": _RNN,
    "boosted_trees_classifier_train_in_memory": _TREES,
    "boosted_trees_regressor_train_in_memory": _TREES,
}

TPU_REPLACEMENTS = {
    "experimental": "tf.feature_column.embedding_column, without a TPU's embeddings",
}


def missing_name(module: str, name: str, replacements: dict[str, str]) -> AttributeError:
    """Returns the error for a name that a module does not have.

    Args:
        module: What the module stands for, `tf.estimator` for example.
        name: The name.
        replacements: What to use in the place of a name.
    """
    if name not in replacements:
        return AttributeError(f"{module}.{name} is not in keras_legacy_train.")
    return AttributeError(f"{module}.{name} is not in keras_legacy_train. Use {replacements[name]}.")
