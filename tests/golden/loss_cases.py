"""Builds losses and metrics, and observes what users see of them.

Runs under TensorFlow 1.15.5 (CPython 3.7) and under today's. A case takes a `Kit`: `kit.tf` has the API of
TensorFlow 1, `kit.losses` is `tf.contrib.losses` or what stands for it, and so on. Losses return what they are
called for, metrics a pair of a value and an update op.
"""
import collections

import numpy as np

LOSSES = collections.OrderedDict()
METRICS = collections.OrderedDict()

Kit = collections.namedtuple("Kit", ["tf", "losses", "metrics"])


def loss(build):
    LOSSES[build.__name__] = build
    return build


def metric(build):
    METRICS[build.__name__] = build
    return build


def pattern(shape, step=0.7):
    """Returns numbers between -1 and 1 that follow no simple rule."""
    size = int(np.prod(shape))
    return np.sin(step * np.arange(1, size + 1)).reshape(shape).astype("float32")


def numbers(array):
    """Returns a few numbers that tell an array from others."""
    flat = np.asarray(array, "float64").ravel()
    weights = np.cos(1.3 * np.arange(flat.size))
    return [float(number) for number in [flat.dot(weights)] + list(flat[:4])]


class Inputs(object):
    """What a case builds with: tensors that depend on the variable `x`, of which gradients are recorded."""

    def __init__(self, tf):
        self.x = tf.get_variable("x", initializer=pattern([6, 4]))
        self.labels = tf.constant((pattern([6, 4], 1.1) > 0).astype("float32"))
        self.classes = tf.constant([3, 0, 2, 2, 1, 0])
        self.one_hot = tf.one_hot(self.classes, 4)
        self.row_weights = tf.constant([1.0, 0.0, 2.0, 0.5, 0.0, 3.0])
        self.weights = tf.constant(np.maximum(pattern([6, 4], 0.3), 0.0))


def observe_loss(kit, build):
    """Returns names, values and gradients of what a case returns, and the collection of losses."""
    tf = kit.tf
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = Inputs(tf)
        built = build(kit, inputs)
        built = built if isinstance(built, list) else [built]
        gradients = [tf.gradients(each, inputs.x)[0] for each in built]
        session.run(tf.global_variables_initializer())
        values, gradients = session.run([built, gradients])
        return {
            "dtypes": [each.dtype.name for each in built],
            "losses": [each.name for each in tf.get_collection(tf.GraphKeys.LOSSES)],
            "values": [numbers(each) for each in values],
            "gradients": [numbers(each) for each in gradients],
        }


def observe_metric(kit, build):
    """Returns the local variables of a metric, and its values before and after two batches."""
    tf = kit.tf
    with tf.Graph().as_default(), tf.Session() as session:
        batch = {
            "scores": tf.placeholder(tf.float32, [None, 4]),
            "labels": tf.placeholder(tf.int64, [None, 4]),
            "classes": tf.placeholder(tf.int64, [None]),
            "weights": tf.placeholder(tf.float32, [None, 1]),
        }
        value, update_op = build(kit, batch)
        for name in ("values", "updates"):
            assert len(tf.get_collection(name)) <= 1
        session.run(tf.local_variables_initializer())
        seen = {
            "variables": sorted(
                [each.op.name, each.shape.as_list(), each.dtype.base_dtype.name] for each in tf.local_variables()
            ),
            "collections": [len(tf.get_collection(name)) for name in ("values", "updates", "metric_variables")],
            "values": [],
        }
        for step in (0.7, 0.4, 1.9):
            rows = 5 if step == 0.4 else 7
            scores = pattern([rows, 4], step)
            feeds = {
                batch["scores"]: 0.5 + 0.5 * scores,
                batch["labels"]: (pattern([rows, 4], 1.3 * step) > 0.1).astype("int64"),
                batch["classes"]: np.argmax(pattern([rows, 4], 0.8 * step), 1),
                batch["weights"]: np.maximum(pattern([rows, 1], 0.5), 0.0),
            }
            updated = session.run(update_op, feeds)
            seen["values"] += [] if updated is None else [numbers(updated)]
            seen["values"].append(numbers(session.run(value)))
        return seen


@loss
def differences(kit, the):
    return [
        kit.losses.absolute_difference(the.x, the.labels),
        kit.losses.absolute_difference(the.x, the.labels, the.row_weights, scope="rows"),
        kit.losses.mean_squared_error(the.x, the.labels, weights=0.5),
        kit.losses.mean_squared_error(the.x, the.labels, the.weights),
        kit.losses.mean_squared_error(the.x, the.labels, kit.tf.reshape(the.row_weights, [6, 1])),
        kit.losses.mean_squared_error(the.x, the.labels, 0.0),
    ]


@loss
def pairwise(kit, the):
    return [
        kit.losses.mean_pairwise_squared_error(the.x, the.labels),
        kit.losses.mean_pairwise_squared_error(the.x, the.labels, the.row_weights, scope="rows"),
        kit.losses.mean_pairwise_squared_error(the.x, the.labels, 0.0),
    ]


@loss
def cross_entropies(kit, the):
    return [
        kit.losses.sigmoid_cross_entropy(the.x, the.labels),
        kit.losses.sigmoid_cross_entropy(the.x, the.labels, the.weights, label_smoothing=0.1, scope="smooth"),
        kit.losses.softmax_cross_entropy(the.x, the.one_hot),
        kit.losses.softmax_cross_entropy(the.x, the.one_hot, the.row_weights, 0.2),
        kit.losses.sparse_softmax_cross_entropy(the.x, the.classes),
        kit.losses.sparse_softmax_cross_entropy(
            the.x, kit.tf.reshape(the.classes, [6, 1]), kit.tf.reshape(the.row_weights, [6, 1])),
        kit.losses.log_loss(kit.tf.sigmoid(the.x), the.labels, the.weights, epsilon=1e-3),
        kit.losses.log_loss(kit.tf.sigmoid(the.x), the.labels),
    ]


@loss
def others(kit, the):
    x = kit.tf.nn.l2_normalize(the.x, 1)
    hinge = kit.losses.hinge_loss(the.x, the.labels)
    return [
        hinge,
        kit.losses.compute_weighted_loss(hinge, the.row_weights, "hinge"),
        kit.losses.compute_weighted_loss(kit.tf.cast(hinge, kit.tf.float64)),
        kit.losses.cosine_distance(x, the.one_hot, axis=1),
        kit.losses.cosine_distance(x, the.one_hot, dim=1, weights=the.row_weights, scope="cosine"),
    ]


@loss
def total(kit, the):
    kit.losses.mean_squared_error(the.x, the.labels, scope="first")
    kit.losses.softmax_cross_entropy(the.x, the.one_hot)
    kit.losses.add_loss(kit.tf.reduce_sum(the.x, name="mine"))
    kit.losses.add_loss(kit.tf.reduce_sum(the.x), None)
    kit.tf.add_to_collection(kit.tf.GraphKeys.REGULARIZATION_LOSSES, kit.tf.nn.l2_loss(the.x, name="l2"))
    found = kit.losses.get_losses() + kit.losses.get_losses("first") + kit.losses.get_regularization_losses()
    return found + [kit.losses.get_total_loss(), kit.losses.get_total_loss(False, "without")]


@loss
def metric_learning(kit, the):
    module = kit.losses.metric_learning
    pairs = kit.tf.constant([1, 0, 1, 0, 1, 1])
    return [
        module.contrastive_loss(pairs, the.x, the.labels, margin=1.5),
        module.triplet_semihard_loss(the.classes, kit.tf.nn.l2_normalize(the.x, 1)),
        module.triplet_semihard_loss(pairs, the.x, margin=0.3),
        module.npairs_loss(the.classes, the.x, the.labels),
        module.lifted_struct_loss(pairs, the.x, 0.8),
    ]


def simple(metric_name, first, second, *args, **kwargs):
    """Adds the case of a metric of tensors of the batch, given by their names."""

    def build(kit, batch):
        tf = kit.tf
        tensors = {
            "guesses": tf.cast(batch["scores"] > 0.5, tf.int64),
            "guess": tf.argmax(batch["scores"], 1),
            "top": tf.cast(tf.nn.top_k(batch["scores"], 2)[1], tf.int64),
            "column": batch["classes"][:, None],
            "values": tf.cast(batch["labels"], tf.float32),
        }
        tensors.update(batch)
        options = dict(kwargs)
        if "weights" in options:
            options["weights"] = batch["weights"]
        if not metric_name.endswith("tives_at_thresholds"):
            options.update(metrics_collections="values", updates_collections="updates")
        pair = [tensors[each] for each in (first, second) if each]
        return getattr(kit.metrics, metric_name)(*(pair + list(args)), **options)

    METRICS[metric_name + "".join("_" + key for key in sorted(kwargs))] = build


for each in ("true_positives", "true_negatives", "false_positives", "false_negatives", "accuracy", "precision",
             "recall", "false_positive_rate", "false_negative_rate"):
    simple("streaming_" + each, "guesses", "labels", weights="weights")
simple("streaming_accuracy", "guess", "classes", name="named")
simple("streaming_false_positive_rate", "guesses", "labels")
for each in ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "covariance",
             "pearson_correlation"):
    simple("streaming_" + each, "scores", "values")
    simple("streaming_" + each, "scores", "values", weights="weights")
simple("streaming_mean_cosine_distance", "scores", "values", 1)
simple("streaming_mean_iou", "guess", "classes", 4)
simple("streaming_mean", "scores", None)
simple("streaming_percentage_less", "scores", None, 0.4)
simple("streaming_auc", "scores", "labels", weights="weights")
simple("streaming_auc", "scores", "labels", curve="PR", num_thresholds=20)
simple("streaming_specificity_at_sensitivity", "scores", "labels", 0.7)
simple("streaming_sensitivity_at_specificity", "scores", "labels", 0.7)
for each in ("precision", "recall", "false_positive_rate", "false_negative_rate", "true_positives",
             "true_negatives", "false_positives", "false_negatives"):
    simple("streaming_%s_at_thresholds" % each, "scores", "labels", [0.2, 0.5, 0.9], weights="weights")
simple("streaming_recall_at_k", "scores", "classes", 2)
simple("streaming_sparse_recall_at_k", "scores", "column", 2)
simple("streaming_sparse_precision_at_k", "scores", "column", 2, class_id=1)
simple("streaming_sparse_average_precision_at_k", "scores", "column", 3)
simple("streaming_sparse_precision_at_top_k", "top", "column")
simple("sparse_recall_at_top_k", "column", "top")
simple("streaming_curve_points", "labels", "scores", num_thresholds=9)
simple("streaming_curve_points", "labels", "scores", num_thresholds=9, curve="PR", weights="weights")
simple("recall_at_precision", "labels", "scores", 0.6, num_thresholds=9)
simple("recall_at_precision", "labels", "scores", 0.6, num_thresholds=9, strict_mode=True)
simple("precision_at_recall", "labels", "scores", 0.6, num_thresholds=9)
simple("f1_score", "labels", "scores", num_thresholds=9, weights="weights")
simple("count", "scores", None)
simple("count", "scores", None, weights="weights")


@metric
def relative_error(kit, batch):
    values = kit.tf.cast(batch["labels"], kit.tf.float32)
    return kit.metrics.streaming_mean_relative_error(batch["scores"], values, batch["scores"] + 1.0)


@metric
def batch_accuracy(kit, batch):
    guess = kit.tf.argmax(batch["scores"], 1)
    weighted = kit.metrics.accuracy(guess, batch["classes"], weights=kit.tf.squeeze(batch["weights"], 1))
    matrix = kit.metrics.confusion_matrix(batch["classes"], guess, 4)
    return kit.tf.constant(0.0), kit.tf.stack(
        [kit.metrics.accuracy(guess, batch["classes"]), weighted, kit.tf.cast(matrix[1, 2], kit.tf.float32)])


@metric
def aggregated(kit, batch):
    guess = kit.tf.argmax(batch["scores"], 1)
    values, updates = kit.metrics.aggregate_metric_map({
        "accuracy": kit.metrics.streaming_accuracy(guess, batch["classes"]),
        "mean": kit.metrics.streaming_mean(batch["scores"]),
    })
    listed = kit.metrics.aggregate_metrics(*[(values[key], updates[key]) for key in sorted(values)])
    return kit.tf.stack(listed[0]), kit.tf.stack(listed[1])


@metric
def of_columns(kit, batch):
    """Gives metrics tensors of which some have a last dimension of 1 and others have not."""
    tf, classes = kit.tf, batch["classes"]
    guess, weights = tf.argmax(batch["scores"], 1), batch["weights"]
    row_weights = tf.squeeze(weights, 1)
    first, second = batch["scores"][:, 0], batch["scores"][:, 1]
    pairs = [
        kit.metrics.streaming_accuracy(guess[:, None], classes, row_weights),
        kit.metrics.streaming_accuracy(guess, classes[:, None], weights),
        kit.metrics.streaming_accuracy(guess[:, None], classes[:, None], row_weights),
        kit.metrics.streaming_covariance(first[:, None], second, weights),
        kit.metrics.streaming_covariance(first[:, None], second[:, None], row_weights),
        kit.metrics.streaming_pearson_correlation(first, second[:, None], weights),
        kit.metrics.count(first[:, None], row_weights),
        kit.metrics.streaming_true_positives(guess > 1, classes[:, None] > 1, weights),
    ]
    return tf.stack([value for value, _ in pairs]), tf.stack([update for _, update in pairs])
