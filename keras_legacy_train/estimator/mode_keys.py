"""Names what an Estimator does with a model."""

from __future__ import annotations


class ModeKeys:
    """Names what a model function is called for; stands for `tf.estimator.ModeKeys`.

    Attributes:
        TRAIN: Training.
        EVAL: Evaluation.
        PREDICT: Prediction, and the export of a model that predicts.
    """

    TRAIN = "train"
    EVAL = "eval"
    PREDICT = "infer"
