"""Estimators of ready-made models: linear models, deep networks, and both together.

`base.py` has what they share; their model functions are in `learn/networks.py`.

May import `estimator`, `head` and `networks` of `learn`, and what these import.
"""

from keras_legacy_train.learn.canned.dnn import DNNClassifier, DNNEstimator, DNNRegressor
from keras_legacy_train.learn.canned.dnn_linear_combined import (
    DNNLinearCombinedClassifier,
    DNNLinearCombinedEstimator,
    DNNLinearCombinedRegressor,
)
from keras_legacy_train.learn.canned.linear import LinearClassifier, LinearEstimator, LinearRegressor
from keras_legacy_train.learn.canned.logistic_regressor import LogisticRegressor

__all__ = [
    "DNNClassifier",
    "DNNEstimator",
    "DNNLinearCombinedClassifier",
    "DNNLinearCombinedEstimator",
    "DNNLinearCombinedRegressor",
    "DNNRegressor",
    "LinearClassifier",
    "LinearEstimator",
    "LinearRegressor",
    "LogisticRegressor",
]
