"""Heads compute the losses, metrics, predictions and training operations of `tf.estimator`'s."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import estimator

v1 = tf.compat.v1
TRAIN, EVAL, PREDICT = estimator.ModeKeys.TRAIN, estimator.ModeKeys.EVAL, estimator.ModeKeys.PREDICT


def results(head, logits, labels, features=None, **options):
    """Returns the metrics of one batch."""
    metrics = head.metrics(**options)
    updated = head.update_metrics(metrics, features or {}, logits, labels, **options)
    return {key: float(metric.result()) for key, metric in updated.items()}


@pytest.fixture
def one_variable():
    """Makes a graph with logits that depend on one variable, and a global step."""
    with tf.Graph().as_default():
        variable = v1.get_variable("w", [1, 1], initializer=v1.zeros_initializer(), use_resource=True)
        v1.train.get_or_create_global_step()
        yield variable, tf.matmul(tf.constant([[1.0], [-2.0]]), variable)


def run(*fetches, steps=1):
    """Runs the first fetch `steps` times, and returns the values of the others."""
    with v1.Session() as session:
        session.run(
            [v1.global_variables_initializer(), v1.local_variables_initializer(), v1.tables_initializer()]
        )
        for _ in range(steps):
            session.run(fetches[0])
        return session.run(fetches[1:])


class TestLoss:
    @pytest.mark.parametrize(
        ("reduction", "expected"),
        [
            ("sum", 45 * 1 + 0.0),
            ("sum_over_batch_size", 22.5),
            ("auto", 22.5),
            ("weighted_sum", 45.0),
            ("weighted_sum_over_batch_size", 22.5),
            ("weighted_mean", 45 / 3.0),
            ("weighted_sum_by_nonzero_weights", 22.5),
        ],
    )
    def test_reductions_of_both_versions_are_taken(self, reduction, expected):
        head = estimator.RegressionHead(weight_column="w", loss_reduction=reduction)
        features = {"w": tf.constant([[1.0], [2.0]])}
        loss = head.loss(tf.constant([1.0, 2.0]), tf.constant([[6.0], [2.0 + 10**0.5]]), features)
        assert float(loss) == pytest.approx(expected)

    @pytest.mark.parametrize("reduction", ["none", "average", "mean"])
    def test_other_reductions_are_refused(self, reduction):
        with pytest.raises(ValueError, match="Invalid loss_reduction"):
            estimator.RegressionHead(loss_reduction=reduction)

    def test_regularization_losses_are_added(self):
        loss = estimator.RegressionHead().loss(
            tf.constant([[1.0]]), tf.constant([[3.0]]), regularization_losses=[tf.constant(0.5)] * 2
        )
        assert float(loss) == 5.0

    def test_a_loss_function_may_look_at_the_features(self):
        def loss_fn(labels, logits, features):
            return tf.abs(labels - logits) * features["scale"]

        head = estimator.MultiLabelHead(1 + 1, loss_fn=lambda labels, logits: logits[..., :1])
        assert float(head.loss(tf.constant([[0, 1]]), tf.constant([[7.0, 2.0]]))) == 7.0
        head = estimator.RegressionHead(loss_fn=loss_fn)
        assert float(head.loss(tf.constant([[1.0]]), tf.constant([[4.0]]), {"scale": 2.0})) == 6.0

    @pytest.mark.parametrize(
        ("loss_fn", "message"),
        [
            (lambda logits: logits, "loss_fn must contain argument: labels"),
            (lambda labels, logits, other: logits, r"loss_fn has unexpected args: \['other'\]"),
        ],
    )
    def test_a_loss_function_with_other_arguments_is_refused(self, loss_fn, message):
        with pytest.raises(ValueError, match=message):
            estimator.BinaryClassHead(loss_fn=loss_fn)

    def test_a_loss_function_returns_a_loss_for_each_example(self):
        head = estimator.BinaryClassHead(loss_fn=lambda labels, logits: tf.reduce_mean(logits, 0))
        message = r"loss_fn must return Tensor of shape .*, 1\].*logits_shape: \(2, 1\)\. loss_shape: \(1,\)"
        with pytest.raises(ValueError, match=message):
            head.loss(tf.constant([0, 1]), tf.constant([[1.0], [2.0]]))

    def test_losses_of_classes(self):
        binary = estimator.BinaryClassHead().loss(tf.constant([1, 0]), tf.constant([[10.0], [10.0]]))
        np.testing.assert_allclose(binary, np.log1p(np.exp(10.0)) / 2, rtol=1e-4)
        several = estimator.MultiClassHead(3).loss(tf.constant([2]), tf.constant([[0.0, 0.0, 0.0]]))
        np.testing.assert_allclose(several, np.log(3), rtol=1e-6)
        poisson = estimator.PoissonRegressionHead(compute_full_loss=False)
        np.testing.assert_allclose(
            poisson.loss(tf.constant([[2.0]]), tf.constant([[1.0]])), np.e - 2, rtol=1e-6
        )


class TestLabels:
    HEADS = (
        estimator.BinaryClassHead(),
        estimator.MultiClassHead(3),
        estimator.MultiLabelHead(2),
        estimator.RegressionHead(),
        estimator.PoissonRegressionHead(),
        estimator.LogisticRegressionHead(),
    )

    @pytest.mark.parametrize("head", HEADS, ids=lambda head: type(head).__name__)
    def test_missing_labels_are_named(self, head):
        with pytest.raises(ValueError, match="You must provide a labels Tensor"):
            head.loss(None, tf.zeros([2, head.logits_dimension]))

    @pytest.mark.parametrize("head", HEADS, ids=lambda head: type(head).__name__)
    def test_another_shape_is_refused(self, head):
        labels = tf.zeros([2, 5], tf.int64)
        with pytest.raises(ValueError, match="Mismatched label shape"):
            head.loss(labels, tf.zeros([2, head.logits_dimension]))
        labels = tf.zeros([3, 1 if head.logits_dimension == 3 else head.logits_dimension], tf.int64)
        with pytest.raises(ValueError, match="labels shape must be"):
            head.loss(labels, tf.zeros([2, head.logits_dimension]))

    @pytest.mark.parametrize("head", HEADS, ids=lambda head: type(head).__name__)
    def test_logits_of_another_shape_are_refused(self, head):
        for shape in ([2, head.logits_dimension + 1], [head.logits_dimension]):
            with pytest.raises(ValueError, match="logits shape must be"):
                head.predictions(tf.zeros(shape))

    @pytest.mark.parametrize(
        ("head", "labels", "message"),
        [
            (estimator.BinaryClassHead(), [2], "Labels must be <= 2 - 1"),
            (estimator.BinaryClassHead(), [-1], "Labels must be >= 0"),
            (estimator.MultiClassHead(3), [3], "Labels must be <= 3 - 1"),
            (estimator.MultiClassHead(3), [1.0], "Labels dtype should be integer"),
            (estimator.MultiClassHead(3, label_vocabulary=list("abc")), [1], "dtype should be string"),
            (estimator.MultiClassHead(3, label_vocabulary=list("abc")), ["d"], "Labels must be >= 0"),
            (estimator.LogisticRegressionHead(), [1.5], r"Labels must be in range \[0, 1\]"),
        ],
    )
    def test_labels_out_of_range_are_refused(self, head, labels, message):
        with pytest.raises(ValueError, match=message):
            head.loss(tf.constant(labels), tf.zeros([1, head.logits_dimension]))

    def test_a_graph_tells_of_labels_out_of_range_when_it_runs(self):
        with tf.Graph().as_default():
            labels = v1.placeholder_with_default([[7]], [None, None])
            loss = estimator.MultiClassHead(3).loss(labels, tf.zeros([1, 3]))
            with (
                v1.Session() as session,
                pytest.raises(tf.errors.InvalidArgumentError, match="Labels must be <= n_classes - 1"),
            ):
                session.run(loss)
            labels = v1.placeholder_with_default([[0], [0]], [None, None])
            loss = estimator.MultiClassHead(3).loss(labels, tf.zeros([1, 3]))
            with v1.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match="labels shape"):
                session.run(loss)

    def test_shapes_that_are_not_known_are_checked_when_the_graph_runs(self):
        """Labels `[2]` and logits `[2, 2]` have a loss: that of labels which are the same in all rows."""
        with tf.Graph().as_default(), v1.Session() as session:
            logits, labels = v1.placeholder(tf.float32), v1.placeholder(tf.int64)
            loss = estimator.MultiLabelHead(2).loss(labels, logits)
            assert session.run(loss, {logits: np.zeros([1, 2]), labels: [[0, 1]]}) == pytest.approx(np.log(2))
            for some_logits, some_labels, message in (
                (np.zeros([2, 2]), [0, 1], r"labels shape must be \[D0, D1, ... DN, 2\]"),
                (
                    np.zeros([2, 2]),
                    [[0], [1]],
                    r"\[expected_labels_shape: \] \[2 2\] \[labels_shape: \] \[2 1\]",
                ),
                (np.zeros([2]), [[0, 1]], r"logits shape must be \[D0, D1, ... DN, logits_dimension\]"),
            ):
                with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                    session.run(loss, {logits: some_logits, labels: some_labels})

    def test_sparse_labels_are_for_multi_label_heads(self):
        sparse = tf.SparseTensor([[0, 0], [1, 0], [1, 1]], tf.constant(["b", "a", "b"]), [2, 2])
        head = estimator.MultiLabelHead(2, label_vocabulary=["a", "b"])
        logits = tf.constant([[-1.0, 2.0], [0.5, 1.0]])
        dense = estimator.MultiLabelHead(2).loss(tf.constant([[0, 1], [1, 1]]), logits)
        assert float(head.loss(sparse, logits)) == pytest.approx(float(dense))
        ids = tf.SparseTensor(sparse.indices, tf.constant([1, 0, 1], tf.int64), [2, 2])
        assert float(head.loss(ids, logits)) == pytest.approx(float(dense))
        with pytest.raises(ValueError, match="SparseTensor labels are not supported"):
            estimator.BinaryClassHead().loss(ids, tf.zeros([2, 1]))


class TestWeights:
    def test_weights_are_a_feature_or_a_column(self):
        column = tf.feature_column.numeric_column("w", normalizer_fn=lambda weights: weights * 2)
        labels, logits = tf.constant([0.0, 0.0]), tf.constant([[1.0], [2.0]])
        features = {"w": tf.constant([1, 3])}
        for weight_column, expected in (("w", 13.0), (column, 26.0)):
            head = estimator.RegressionHead(weight_column=weight_column, loss_reduction="sum")
            assert float(head.loss(labels, logits, features)) == expected

    def test_weights_of_each_number_are_for_regressions(self):
        features = {"w": tf.constant([[1.0, 0.0]])}
        column = tf.feature_column.numeric_column("w", shape=(2,))
        head = estimator.RegressionHead(2, column, loss_reduction="sum")
        assert float(head.loss(tf.zeros([1, 2]), tf.constant([[3.0, 4.0]]), features)) == 9.0
        with pytest.raises(ValueError, match="weights shape must be"):
            estimator.MultiLabelHead(2, column).loss(tf.zeros([1, 2], tf.int64), tf.zeros([1, 2]), features)

    @pytest.mark.parametrize("head", [estimator.MultiLabelHead, estimator.RegressionHead])
    def test_weights_of_another_shape_are_refused(self, head):
        head = head(3, weight_column="w")
        labels, logits = np.zeros([2, 2, 3], "int64"), np.zeros([2, 2, 3], "float32")
        message = r"weights shape must be .*logits_shape: \(2, 2, 3\)\. weights_shape: \(2, 1, 1\)"
        with pytest.raises(ValueError, match=message):
            head.loss(labels, logits, {"w": tf.ones([2, 1, 1])})
        with tf.Graph().as_default(), v1.Session() as session:
            weights = v1.placeholder(tf.float32)
            loss = head.loss(labels, logits, {"w": weights})
            assert session.run(loss, {weights: np.ones([2, 2, 1])}) >= 0
            for shape in ([2, 2, 2], [2, 1, 1], [2]):
                with pytest.raises(tf.errors.InvalidArgumentError, match="weights shape must be"):
                    session.run(loss, {weights: np.ones(shape)})

    @pytest.mark.parametrize(
        ("weight_column", "error", "message"),
        [
            (3, TypeError, "Weight column must be either a string or NumericColumn"),
            ("absent", ValueError, "absent is not in features"),
        ],
    )
    def test_other_weights_are_refused(self, weight_column, error, message):
        head = estimator.RegressionHead(weight_column=weight_column)
        with pytest.raises(error, match=message):
            head.loss(tf.constant([0.0]), tf.constant([[1.0]]), {"w": tf.constant([1.0])})


class TestMetrics:
    LABELS = tf.constant([[1], [0], [1], [0]])
    LOGITS = tf.constant([[2.0], [1.0], [-1.0], [-3.0]])
    WEIGHTS = tf.constant([[1.0], [2.0], [1.0], [0.0]])

    def test_binary_metrics_are_weighted(self):
        head = estimator.BinaryClassHead(weight_column="w", thresholds=[0.2])
        got = results(head, self.LOGITS, self.LABELS, {"w": self.WEIGHTS})
        logistic = 1 / (1 + np.exp(-self.LOGITS.numpy()[:, 0]))
        losses = -np.log(np.where(self.LABELS.numpy()[:, 0] == 1, logistic, 1 - logistic))
        weights = self.WEIGHTS.numpy()[:, 0]
        expected = {
            "average_loss": np.average(losses, weights=weights),
            "accuracy": 1 / 4,
            "precision": 1 / 3,
            "recall": 1 / 2,
            "prediction/mean": np.average(logistic, weights=weights),
            "label/mean": 1 / 2,
            "accuracy_baseline": 1 / 2,
            "auc": 1 / 2,
            "auc_precision_recall": got["auc_precision_recall"],  # pinned by the goldens of canned models
            "accuracy/positive_threshold_0.2": 1 / 2,
            "precision/positive_threshold_0.2": 1 / 2,
            "recall/positive_threshold_0.2": 1,
        }
        assert got == pytest.approx(expected, rel=1e-4)

    def test_the_name_of_a_head_ends_its_metrics(self):
        keys = set(results(estimator.RegressionHead(name="price"), self.LOGITS, self.LABELS))
        assert keys == {"average_loss/price", "prediction/mean/price", "label/mean/price"}

    def test_metrics_of_single_classes(self):
        head = estimator.MultiLabelHead(
            2, label_vocabulary=["cat", "dog"], classes_for_class_based_metrics=["dog"]
        )
        got = results(head, tf.constant([[9.0, -9.0], [9.0, 9.0]]), tf.constant([[0, 0], [0, 1]]))
        assert got["auc/dog"] == pytest.approx(1)
        assert got["auc_precision_recall/dog"] == pytest.approx(1)
        assert got["probability_mean/dog"] == pytest.approx(0.5)
        with pytest.raises(ValueError, match=r"must be in range \[0, 1\]. Given: 2"):
            estimator.MultiLabelHead(2, classes_for_class_based_metrics=[2])

    def test_a_graph_counts_over_batches(self):
        with tf.Graph().as_default():
            logits = v1.placeholder_with_default(self.LOGITS.numpy(), [None, 1])
            labels = tf.constant(self.LABELS.numpy())
            spec = estimator.BinaryClassHead(thresholds=[0.2]).create_estimator_spec(
                {}, EVAL, logits, labels, regularization_losses=[tf.constant(3.0)]
            )
            values, updates = zip(*spec.eval_metric_ops.values(), strict=True)
            assert not v1.global_variables()
            (got,) = run(updates, values, steps=3)
        got = dict(zip(spec.eval_metric_ops, got, strict=True))
        assert got.pop("regularization_loss") == 3
        eager = results(estimator.BinaryClassHead(thresholds=[0.2]), self.LOGITS, self.LABELS)
        assert got == pytest.approx(eager, rel=1e-5)

    def test_of_an_empty_batch_they_are_zero(self):
        got = results(estimator.BinaryClassHead(), tf.zeros([0, 1]), tf.zeros([0, 1], tf.int32))
        assert {key: value for key, value in got.items() if key != "accuracy_baseline"} == dict.fromkeys(
            got.keys() - {"accuracy_baseline"}, 0.0
        )


class TestPredictions:
    def test_of_two_classes(self):
        head = estimator.BinaryClassHead(label_vocabulary=["no", "yes"])
        got = head.predictions(tf.constant([[0.0], [1.0]]))
        np.testing.assert_allclose(got["probabilities"], [[0.5, 0.5], [0.26894, 0.73106]], rtol=1e-4)
        assert got["class_ids"].numpy().tolist() == [[0], [1]]
        assert got["classes"].numpy().tolist() == [[b"no"], [b"yes"]]
        assert got["all_classes"].numpy().tolist() == [[b"no", b"yes"]] * 2
        assert got["all_class_ids"].numpy().tolist() == [[0, 1]] * 2

    def test_some_by_name(self):
        head = estimator.MultiClassHead(3)
        got = head.predictions(tf.constant([[0.0, 2.0, 1.0]]), ["class_ids", "classes"])
        assert {key: value.numpy().tolist() for key, value in got.items()} == {
            "class_ids": [[1]],
            "classes": [[b"1"]],
        }
        with pytest.raises(ValueError, match="Prediction key must be in PredictionKeys, given: logistic"):
            head.predictions(tf.zeros([1, 3]), ["logistic"])

    def test_of_numbers_pass_the_inverse_link(self):
        got = estimator.PoissonRegressionHead().predictions(tf.constant([[0.0]]))
        assert {key: float(value[0, 0]) for key, value in got.items()} == {"predictions": 1, "logits": 0}
        assert list(estimator.RegressionHead().predictions(tf.constant([[0.0]]))) == ["predictions"]

    @pytest.mark.parametrize(
        ("head", "outputs"),
        [
            (
                estimator.BinaryClassHead(),
                {
                    "serving_default": estimator.export.ClassificationOutput,
                    "classification": estimator.export.ClassificationOutput,
                    "regression": estimator.export.RegressionOutput,
                    "predict": estimator.export.PredictOutput,
                },
            ),
            (
                estimator.RegressionHead(),
                {
                    "serving_default": estimator.export.RegressionOutput,
                    "regression": estimator.export.RegressionOutput,
                    "predict": estimator.export.PredictOutput,
                },
            ),
            (
                estimator.MultiHead(
                    [estimator.MultiClassHead(3, name="a"), estimator.RegressionHead(name="b")]
                ),
                {
                    "serving_default": estimator.export.ClassificationOutput,
                    "a": estimator.export.ClassificationOutput,
                    "a/classification": estimator.export.ClassificationOutput,
                    "a/predict": estimator.export.PredictOutput,
                    "b": estimator.export.RegressionOutput,
                    "b/regression": estimator.export.RegressionOutput,
                    "b/predict": estimator.export.PredictOutput,
                    "predict": estimator.export.PredictOutput,
                },
            ),
        ],
    )
    def test_are_exported(self, head, outputs):
        with tf.Graph().as_default():
            spec = head.create_estimator_spec({}, PREDICT, tf.zeros([1, head.logits_dimension]))
        assert {key: type(output) for key, output in spec.export_outputs.items()} == outputs


class TestArguments:
    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: estimator.BinaryClassHead(thresholds=[0.5, 1.0]), r"thresholds not in \(0, 1\): "),
            (
                lambda: estimator.MultiLabelHead(2, thresholds=[0.0]),
                r"thresholds must be in \(0, 1\) range\. Given: 0\.0",
            ),
            (
                lambda: estimator.MultiClassHead(3, label_vocabulary={}),
                "label_vocabulary should be a list or a tuple. Given type: <class 'dict'>",
            ),
            (
                lambda: estimator.MultiLabelHead(3, label_vocabulary={}),
                "label_vocabulary must be a list or tuple. Given type: <class 'dict'>",
            ),
            (lambda: estimator.MultiClassHead(2), "n_classes must be > 2: 2."),
            (lambda: estimator.MultiLabelHead(1), "n_classes must be > 1 for multi-label .* Given: 1"),
        ],
    )
    def test_wrong_ones_are_refused_in_the_words_of_the_original(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()

    def test_the_number_of_classes_may_be_a_constant_of_a_graph(self):
        with tf.Graph().as_default():
            assert estimator.MultiClassHead(tf.constant(3)).logits_dimension == 3
            with pytest.raises(ValueError, match="n_classes must be > 2"):
                estimator.MultiClassHead(v1.placeholder(tf.int32, []))


class TestTraining:
    def test_by_an_optimizer_of_tensorflow_1(self, one_variable):
        variable, logits = one_variable
        spec = estimator.RegressionHead(loss_reduction="sum").create_estimator_spec(
            {}, TRAIN, logits, tf.constant([[1.0], [0.0]]), optimizer=v1.train.GradientDescentOptimizer(0.25)
        )
        trained, step = run(spec.train_op, variable, v1.train.get_global_step())
        assert (trained.tolist(), step) == ([[0.5]], 1)

    def test_by_a_keras_optimizer_with_updates(self, one_variable):
        variable, logits = one_variable
        with v1.variable_scope("other"):
            average = v1.get_variable("average", [], initializer=v1.zeros_initializer(), trainable=False)
        spec = estimator.RegressionHead(loss_reduction="sum").create_estimator_spec(
            {},
            TRAIN,
            logits,
            tf.constant([[1.0], [0.0]]),
            optimizer=tf.keras.optimizers.SGD(0.25),
            trainable_variables=[variable],
            update_ops=[v1.assign_add(average, 1.0)],
        )
        trained, updates, step = run(spec.train_op, variable, average, v1.train.get_global_step())
        assert (trained.tolist(), updates, step) == ([[0.5]], 1, 1)

    def test_by_a_function(self, one_variable):
        _, logits = one_variable
        step = v1.train.get_global_step()
        spec = estimator.RegressionHead().create_estimator_spec(
            {}, TRAIN, logits, tf.zeros([2]), train_op_fn=lambda loss: v1.assign_add(step, 5)
        )
        assert run(spec.train_op, step)[0] == 5

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "train_op_fn and optimizer cannot both be None."),
            ({"optimizer": 1, "train_op_fn": 1}, "train_op_fn and optimizer cannot both be set."),
            ({"optimizer": "Adam"}, "not an Optimizer instance. Given: Adam"),
            ({"optimizer": tf.keras.optimizers.SGD()}, "trainable_variables cannot be None"),
            ({"optimizer": 1, "trainable_variables": {}}, "trainable_variables should be a list or a tuple"),
            ({"optimizer": 1, "update_ops": {}}, "update_ops should be a list or a tuple"),
            ({"optimizer": tf.keras.optimizers.Nadam()}, "Estimators do not run Nadam"),
            ({"optimizer": tf.keras.optimizers.SGD(weight_decay=0.1)}, "the argument weight_decay of SGD"),
        ],
    )
    def test_by_nothing_else(self, one_variable, arguments, message):
        _, logits = one_variable
        with pytest.raises(ValueError, match=message):
            estimator.RegressionHead().create_estimator_spec({}, TRAIN, logits, tf.zeros([2]), **arguments)


class TestMultiHead:
    def test_losses_and_metrics_are_joined(self):
        heads = [estimator.RegressionHead(name="a"), estimator.RegressionHead(2, name="b")]
        head = estimator.MultiHead(heads, head_weights=[1.0, 0.5])
        assert (head.name, head.logits_dimension) == ("a_b", 3)
        labels = {"a": tf.constant([[1.0]]), "b": tf.constant([[0.0, 0.0]])}
        logits = tf.constant([[3.0, 2.0, 4.0]])
        assert float(head.loss(labels, logits)) == 4 + 0.5 * 10
        parts = {"a": logits[:, :1], "b": logits[:, 1:]}
        assert float(head.loss(labels, parts)) == 4 + 0.5 * 10
        got = results(head, logits, labels)
        assert (got["loss/a"], got["loss/b"], got["average_loss/b"]) == (4, 10, 10)
        assert head.predictions(logits)["b", "predictions"].numpy().tolist() == [[2, 4]]

    def test_what_cannot_be_joined_is_refused(self):
        named, other = estimator.RegressionHead(name="a"), estimator.MultiClassHead(3, name="b")
        for heads, weights, message in (
            ([], None, "Must specify heads"),
            ([estimator.RegressionHead()], None, "must have name specified"),
            ([named, named], None, "names of heads must differ"),
            ([named], [1, 2], "must have the same size"),
        ):
            with pytest.raises(ValueError, match=message):
                estimator.MultiHead(heads, weights)
        head = estimator.MultiHead([named, other])
        with pytest.raises(ValueError, match=r"labels has missing values for head\(s\): \['b'\]"):
            head.loss({"a": tf.zeros([1])}, tf.zeros([1, 4]))
        with pytest.raises(ValueError, match="Could not split logits"):
            head.predictions(tf.zeros([1, 5]))
        with pytest.raises(ValueError, match="labels must be a dict"):
            head.loss(tf.zeros([1]), tf.zeros([1, 4]))
        mixed = estimator.MultiHead([named, estimator.RegressionHead(loss_reduction="sum", name="c")])
        with pytest.raises(ValueError, match="loss_reduction must be the same"):
            mixed.loss_reduction  # noqa: B018


OPTIMIZERS = {
    "sgd": lambda: tf.keras.optimizers.SGD(0.1),
    "momentum": lambda: tf.keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adagrad": lambda: tf.keras.optimizers.Adagrad(0.1),
    "adam": lambda: tf.keras.optimizers.Adam(0.1),
    "amsgrad": lambda: tf.keras.optimizers.Adam(0.1, amsgrad=True, clipnorm=0.3),
    "rmsprop": lambda: tf.keras.optimizers.RMSprop(0.1),
    "centered": lambda: tf.keras.optimizers.RMSprop(0.1, centered=True, clipvalue=0.1),
    "rms_momentum": lambda: tf.keras.optimizers.RMSprop(0.01, momentum=0.5),
    "ftrl": lambda: tf.keras.optimizers.Ftrl(0.1, l1_regularization_strength=0.01, beta=0.1),
    "schedule": lambda: tf.keras.optimizers.SGD(
        tf.keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5), global_clipnorm=0.2
    ),
    "function": lambda: tf.keras.optimizers.SGD(lambda: 0.05),
}


def test_hooks_find_the_losses_under_the_names_of_tensorflow_1(one_variable):
    _, logits = one_variable
    head = estimator.BinaryClassHead(loss_reduction="weighted_sum")
    labels = tf.constant([[1.0], [0.0]])
    spec = head.create_estimator_spec(
        {}, TRAIN, logits, labels, optimizer=v1.train.GradientDescentOptimizer(0.1)
    )
    assert spec.loss.op.name == "head/weighted_loss/Sum"
    assert run(spec.train_op, "head/truediv:0", steps=0)[0] == pytest.approx(np.log(2))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_keras_optimizer_trains_a_graph_as_it_trains_eagerly(name):
    start = np.array([[0.5], [-1.0], [2.0]], "float32")
    x = np.array([[1.0, 0.5, -1.0], [0.3, 2.0, 1.0]], "float32")
    y = np.array([[1.0], [-1.0]], "float32")

    eager = tf.keras.Variable(start)
    optimizer = OPTIMIZERS[name]()
    for _ in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(x @ eager.value - y))
        optimizer.apply([tape.gradient(loss, eager.value)], [eager])

    with tf.Graph().as_default():
        v1.train.get_or_create_global_step()
        variable = v1.get_variable("w", initializer=start, use_resource=True)
        spec = estimator.RegressionHead().create_estimator_spec(
            {}, TRAIN, x @ variable, y, optimizer=OPTIMIZERS[name](), trainable_variables=[variable]
        )
        assert not [v.name for v in v1.global_variables() if not v.name.startswith(("w", "train", "global"))]
        (trained,) = run(spec.train_op, variable, steps=4)
    np.testing.assert_allclose(trained, eager.numpy(), rtol=2e-4)


@pytest.mark.parametrize("name", ["sgd", "momentum", "adagrad", "adam", "rmsprop", "ftrl"])
def test_rows_without_a_gradient_stay_where_the_optimizer_lets_them(name):
    def embedding(dense):
        with tf.Graph().as_default():
            v1.train.get_or_create_global_step()
            table = v1.get_variable("w", initializer=np.ones([5, 1], "float32"), use_resource=True)
            rows = tf.gather(tf.identity(table) if dense else table, [1, 3, 1])
            spec = estimator.RegressionHead().create_estimator_spec(
                {}, TRAIN, rows, tf.zeros([3]), optimizer=OPTIMIZERS[name](), trainable_variables=[table]
            )
            return run(spec.train_op, table, steps=3)[0]

    sparse, dense = embedding(False), embedding(True)
    np.testing.assert_allclose(sparse[[1, 3]], dense[[1, 3]], rtol=1e-5)
    np.testing.assert_array_equal(sparse[[0, 2, 4]], 1)
