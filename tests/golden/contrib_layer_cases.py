"""Builds small networks of the layers of `tf.contrib.layers`; what `layer_cases` does for `tf.layers`.

Runs under TensorFlow 1.15.5 (CPython 3.7) and under today's. A case takes a `Kit`: `kit.layers` is
`tf.contrib.layers` or what stands for it, `kit.framework` is `tf.contrib.framework`.
"""
import collections

import layer_cases
from layer_cases import pattern

CASES = collections.OrderedDict()
MINE = ["mine"]


class Kit(layer_cases.Kit):
    def __init__(self, tf, layers, framework):
        super(Kit, self).__init__(tf, layers, None)
        self.framework = framework


def observe(kit, build):
    """Returns what `layer_cases.observe` does, and what is in the collections of a graph."""
    aliases = {}
    tf = kit.tf

    def built(kit):
        outputs = build(kit)
        for key in (tf.GraphKeys.MODEL_VARIABLES, tf.GraphKeys.ACTIVATIONS, tf.GraphKeys.WEIGHTS, "mine"):
            aliases[key] = [
                [each.op.name] + list(getattr(each, "aliases", [])) for each in tf.get_collection(key)
            ]
        summaries = tf.get_collection(tf.GraphKeys.SUMMARIES)
        aliases["summaries"] = [each.op.name for each in summaries]
        return outputs

    seen = layer_cases.observe(kit, built)
    seen["collections"] = aliases
    return seen


def case(build):
    CASES[build.__name__] = build
    return build


@case
def fully_connected(kit):
    return kit.layers.fully_connected(kit.input(5), 3)


@case
def fully_connected_with_everything(kit):
    tf, layers = kit.tf, kit.layers
    return layers.fully_connected(
        kit.input(5), 3, activation_fn=tf.nn.tanh, normalizer_fn=layers.layer_norm,
        normalizer_params={"center": False}, weights_initializer=tf.constant_initializer(0.3),
        weights_regularizer=layers.l1_l2_regularizer(0.1, 0.2), variables_collections={"weights": MINE},
        outputs_collections="mine", scope="logits")


@case
def fully_connected_of_higher_rank(kit):
    layers = kit.layers
    x = layers.fully_connected(kit.input(3, 5), 2, biases_regularizer=layers.l2_regularizer(0.1))
    return layers.fully_connected(x, 2, biases_initializer=None, activation_fn=None, trainable=False)


@case
def fully_connected_shared(kit):
    layers, x = kit.layers, kit.input(5)
    first = layers.linear(x, 3, scope="fc")
    second = layers.linear(2.0 * x, 3, scope="fc", reuse=True)
    return [first, second, layers.relu6(x, 2), layers.elu(x, 2), layers.relu(x, 2)]


@case
def fully_connected_in_scopes(kit):
    tf, layers = kit.tf, kit.layers
    with kit.framework.arg_scope([layers.fully_connected], weights_regularizer=layers.l2_regularizer(0.5)):
        with tf.variable_scope("model", regularizer=layers.l1_regularizer(0.1)):
            x = layers.fully_connected(kit.input(5), 3)
            x = layers.fully_connected(x, 3)
            with kit.framework.arg_scope([layers.fully_connected], activation_fn=tf.nn.sigmoid):
                return layers.fully_connected(x, 2, scope="out", outputs_collections=["mine"])


@case
def legacy_fully_connected(kit):
    layers = kit.layers
    x = layers.legacy_fully_connected(
        kit.input(3, 5), 4, activation_fn=kit.tf.nn.tanh, weight_regularizer=layers.l2_regularizer(0.1))
    layers.apply_regularization(layers.sum_regularizer([layers.l1_regularizer(0.2), None]))
    return [layers.legacy_relu(x, 3, name="one"), layers.legacy_linear(x, 2, bias_init=None)]


@case
def stacked_and_repeated(kit):
    layers, x = kit.layers, kit.input(5)
    x = layers.stack(x, layers.fully_connected, [4, (3, kit.tf.nn.tanh)], scope="fc")
    x = layers.stack(x, layers.linear, [3])
    return layers.repeat(layers.repeat(x, 2, layers.fully_connected, 3), 2, layers.linear, 3, scope="again")


@case
def conv2d(kit):
    layers = kit.layers
    x = layers.conv2d(
        kit.input(6, 5, 2), 3, [3, 2], stride=(2, 1), weights_regularizer=layers.l2_regularizer(0.1),
        outputs_collections="mine", variables_collections=MINE)
    x = layers.conv2d(x, 2, 3, rate=2, normalizer_fn=layers.batch_norm, scope="dilated")
    return layers.convolution(x, 2, 2, padding="VALID", activation_fn=None)


@case
def convolutions_of_other_ranks(kit):
    layers = kit.layers
    return [layers.conv1d(kit.input(6, 2), 3, 2, stride=2), layers.convolution3d(kit.input(4, 3, 3, 1), 2, 2)]


@case
def transposed_convolutions(kit):
    layers = kit.layers
    x = layers.conv2d_transpose(kit.input(3, 2, 2), 3, [3, 2], stride=2, normalizer_fn=layers.layer_norm)
    x = layers.conv2d_transpose(x, 1, 2, stride=2, padding="VALID", activation_fn=None, scope="up")
    return [x, layers.conv3d_transpose(kit.input(2, 2, 2, 1), 2, 2, stride=2)]


@case
def separable_conv2d(kit):
    layers = kit.layers
    x = layers.separable_conv2d(
        kit.input(6, 5, 2), 3, [3, 3], depth_multiplier=2, weights_regularizer=layers.l2_regularizer(0.1),
        variables_collections={"weights": MINE})
    return layers.separable_conv2d(x, None, 2, depth_multiplier=2, stride=2, scope="depthwise")


@case
def conv2d_in_plane(kit):
    return kit.layers.conv2d_in_plane(kit.input(6, 5, 2), [2, 3], activation_fn=None)


@case
def pooling(kit):
    layers, x = kit.layers, kit.input(6, 6, 2)
    volume = kit.input(4, 4, 4, 1)
    return [
        layers.max_pool2d(x, 2, outputs_collections="mine"),
        layers.avg_pool2d(x, [3, 2], stride=1, padding="SAME", scope="pool1"),
        layers.max_pool3d(volume, 2), layers.avg_pool3d(volume, 2),
        layers.pool(x, 2, "MAX", outputs_collections="mine"), layers.pool(x, [2, 3], "AVG", stride=2)]


@case
def batch_norm(kit):
    x = kit.layers.batch_norm(
        kit.input(3, 3, 2), decay=0.8, scale=True, param_regularizers={"beta": kit.layers.l2_regularizer(0.3)},
        variables_collections={"moving_mean": MINE}, outputs_collections=MINE)
    return kit.layers.batch_norm(x, is_training=False, center=False, activation_fn=kit.tf.nn.relu, scope="bn")


@case
def batch_norm_in_place(kit):
    layers = kit.layers
    x = layers.batch_norm(kit.input(3, 3, 2), decay=0.8, updates_collections=None, scale=True)
    x = layers.batch_norm(x, decay=0.8, updates_collections=None, fused=False)
    return layers.fully_connected(
        layers.flatten(x), 3, normalizer_fn=layers.batch_norm,
        normalizer_params={"updates_collections": None, "decay": 0.7, "is_training": kit.bool(True)})


@case
def batch_norm_by_tensor(kit):
    layers = kit.layers
    training, inference = kit.bool(True), kit.bool(False)
    x = layers.batch_norm(kit.input(5), decay=0.8, is_training=training)
    x = layers.batch_norm(x, decay=0.8, is_training=inference, updates_collections=None, scale=True)
    x = layers.batch_norm(x, is_training=inference, fused=False, updates_collections="mine")
    return layers.batch_norm(x, decay=0.8, is_training=training, fused=False, updates_collections=None)


@case
def batch_norm_of_matrix(kit):
    layers = kit.layers
    x = layers.batch_norm(kit.input(5), decay=0.8)
    x = layers.batch_norm(x, decay=0.8, fused=False, scale=True)
    return layers.batch_norm(x, is_training=False)


@case
def batch_norm_zero_debiased(kit):
    layers = kit.layers
    x = layers.batch_norm(kit.input(5), decay=0.8, zero_debias_moving_mean=True)
    return layers.batch_norm(
        x, decay=0.8, zero_debias_moving_mean=True, updates_collections=None, is_training=kit.bool(True))


@case
def batch_norm_weighted(kit):
    weights = kit.tf.constant([1.0, 2.0, 0.0, 0.5])
    return kit.layers.batch_norm(kit.input(3, 5), decay=0.8, batch_weights=weights)


@case
def batch_norm_channels_first(kit):
    return kit.layers.batch_norm(
        kit.input(3, 2, 2), decay=0.8, fused=False, data_format="NCHW", updates_collections=None, scale=True)


@case
def batch_renorm(kit):
    return kit.layers.batch_norm(
        kit.input(3, 3, 2), decay=0.8, renorm=True, renorm_clipping={"rmax": 1.5, "dmax": 0.5}, renorm_decay=0.7)


@case
def normalized(kit):
    layers, x = kit.layers, kit.input(3, 2, 4)
    return [
        layers.layer_norm(x, activation_fn=kit.tf.nn.relu, outputs_collections=MINE),
        layers.layer_norm(x, begin_norm_axis=-1, begin_params_axis=2, scope="ln"),
        layers.instance_norm(x, param_initializers={"gamma": kit.tf.constant_initializer(2.0)}),
        layers.instance_norm(x, data_format="NCHW", scale=False, variables_collections=MINE),
        layers.group_norm(x, groups=2), layers.group_norm(x, 3, 1, (2, 3), mean_close_to_zero=True),
        layers.unit_norm(x, 1)]


@case
def biases_and_flattening(kit):
    layers, x = kit.layers, kit.input(2, 3, 4)
    biased = layers.bias_add(x, regularizer=layers.l2_regularizer(0.1), activation_fn=kit.tf.nn.tanh)
    return [
        layers.flatten(biased, outputs_collections="mine"), layers.flatten(x, scope="flat"),
        layers.maxout(x, 2), layers.maxout(x, 1, axis=1), layers.softmax(x),
        layers.spatial_softmax(x, temperature=2.0),
        layers.one_hot_encoding([1, 0, 3], 4, outputs_collections="mine")]


@case
def dropout(kit):
    layers, x = kit.layers, kit.input(6)
    kept = layers.dropout(x, keep_prob=1.0, is_training=kit.bool(True))
    return [layers.dropout(x, 0.5, is_training=False, outputs_collections="mine"), kept]


@case
def embedded(kit):
    tf, layers = kit.tf, kit.layers
    ids = tf.constant([[1, 2, 0], [3, 3, 1]])
    words = layers.embed_sequence(ids, 5, 4, initializer=tf.constant_initializer(0.2), scope="words")
    again = layers.embed_sequence(ids[:1], unique=True, scope="words", reuse=True)
    bags = [layers.bow_encoder(ids, 5, 3), layers.bow_encoder(ids, 5, 3, sparse_lookup=False)]
    sparse = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], tf.constant([1, 3, -1], tf.int64), [4, 2])
    weights = tf.SparseTensor(sparse.indices, [0.5, 2.0, 1.0], [4, 2])
    matrix = tf.get_variable("matrix", [5, 3])
    return [words, again] + bags + [
        layers.safe_embedding_lookup_sparse(matrix, sparse),
        layers.safe_embedding_lookup_sparse([matrix], sparse, weights, combiner="sqrtn", default_id=2),
        layers.embedding_lookup_unique(matrix, ids)]


@case
def summarized(kit):
    layers, tf = kit.layers, kit.tf
    x = layers.legacy_fully_connected(kit.input(5), 3, activation_fn=tf.nn.relu6)
    layers.summarize_activations()
    y = layers.relu(x, 2)
    layers.summarize_activation(y)
    layers.summarize_collection("weights")
    layers.summaries.summarize_biases()
    layers.summarize_tensors([tf.reduce_sum(x), x, tf.constant("text")])
    layers.summarize_tensor(x, "tag")
    return y


def features(kit):
    tf = kit.tf
    return {
        "age": tf.constant([[20.0], [31.5], [-4.0], [50.0]]),
        "size": tf.constant([[1.0, 2.0], [0.5, 3.0], [9.0, 1.5], [2.0, 2.0]]),
        "count": tf.constant([3, 1, 4, 1], tf.int64),
        "words": tf.SparseTensor([[0, 0], [0, 1], [2, 0]], ["red", "blue", "red"], [4, 2]),
        "kind": tf.constant([["a", "b"], ["", "a"], ["c", "c"], ["b", ""]]),
        "ids": tf.SparseTensor([[0, 0], [1, 0], [3, 1]], tf.constant([3, 12, 1], tf.int64), [4, 2]),
        "weights": tf.SparseTensor([[0, 0], [0, 1], [2, 0]], [0.5, 2.0, 3.0], [4, 2]),
    }


def columns(kit):
    """Returns columns by the names of their features."""
    layers = kit.layers
    return {
        "age": layers.real_valued_column("age", normalizer=lambda x: x / 10.0),
        "size": layers.real_valued_column("size", dimension=2),
        "count": layers.real_valued_column("count", dtype=kit.tf.int64),
        "words": layers.sparse_column_with_keys("words", ["red", "green", "blue"]),
        "kind": layers.sparse_column_with_hash_bucket("kind", 5, combiner="mean"),
        "ids": layers.sparse_column_with_integerized_feature("ids", 10),
    }


@case
def inputs_of_columns(kit):
    layers, of = kit.layers, columns(kit)
    weighted = layers.weighted_sparse_column(of["words"], "weights")
    crossed = layers.crossed_column([of["words"], of["kind"]], 9)
    zeros = kit.tf.constant_initializer(0.2)
    return layers.input_from_feature_columns(
        features(kit),
        [
            of["size"], of["age"], of["count"], layers.bucketized_column(of["size"], [1.0, 2.0, 2.0, 5.0]),
            layers.one_hot_column(of["kind"]), layers.one_hot_column(weighted), layers.one_hot_column(crossed),
            layers.embedding_column(of["ids"], 2, max_norm=0.3), layers.embedding_column(weighted, 3, "sqrtn"),
            layers.embedding_column(crossed, 2, "sum", initializer=zeros),
        ],
        weight_collections=MINE)


@case
def shared_inputs_of_columns(kit):
    layers = kit.layers
    first = layers.sparse_column_with_integerized_feature("ids", 10)
    second = layers.sparse_column_with_integerized_feature("count", 10)
    shared = layers.shared_embedding_columns([first, second], 3, shared_embedding_name="shared")
    named = layers.shared_embedding_columns([second, first], 2, "sum")
    return layers.input_from_feature_columns(features(kit), list(shared) + list(named), scope="inputs")


@case
def weighted_sum_of_columns(kit):
    layers, of = kit.layers, columns(kit)
    key = layers.SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY
    buckets = layers.bucketized_column(of["size"], [1.0, 2.0, 5.0])
    crossed = layers.crossed_column([of["kind"], of["words"]], 20)
    sums, _, bias = layers.weighted_sum_from_feature_columns(
        features(kit),
        [
            of["size"], of["age"], of["words"], of["kind"], of["ids"], buckets, crossed,
            layers.weighted_sparse_column(of["words"], "weights"),
            layers.crossed_column([buckets, of["ids"]], 30), layers.crossed_column([crossed, of["ids"]], 30),
            layers.crossed_column([of["words"], of["ids"]], 25, hash_key=key),
            layers.sparse_column_with_hash_bucket("words", 6, hash_keys=[[1, 2], [3, 4]]),
        ],
        num_outputs=2, weight_collections=MINE, scope="linear")
    return [sums, kit.tf.identity(bias)]


@case
def joint_weighted_sum_of_columns(kit):
    of = columns(kit)
    crossed = kit.layers.crossed_column([of["ids"], of["words"]], 20)
    joint = [of["words"], of["ids"], crossed]
    return kit.layers.joint_weighted_sum_from_feature_columns(features(kit), joint, 2)[0]


@case
def separable_conv2d_without_biases(kit):
    tf, layers = kit.tf, kit.layers
    x = layers.separable_conv2d(
        kit.input(6, 5, 2), None, 2, depth_multiplier=2, normalizer_fn=layers.layer_norm, scope="normalized")
    return layers.separable_conv2d(x, None, [2, 3], 1, biases_initializer=None, activation_fn=tf.nn.tanh)


@case
def batch_norm_that_is_not_trained(kit):
    averages = {
        "moving_mean": kit.tf.constant_initializer(0.5), "moving_variance": kit.tf.constant_initializer(2.0)}
    x = kit.layers.batch_norm(
        kit.input(3, 2), is_training=False, fused=False, scale=True, param_initializers=averages)
    return kit.layers.batch_norm(
        x, is_training=False, fused=False, updates_collections=None, param_initializers=averages)


@case
def regularized_in_part(kit):
    layers = kit.layers
    return [
        layers.fully_connected(
            kit.input(3), 2, weights_regularizer=layers.l1_l2_regularizer(0.0, 0.5),
            biases_regularizer=layers.l1_l2_regularizer(0.5, 0.0)),
        layers.linear(kit.input(3), 2, weights_regularizer=layers.l1_l2_regularizer(0.0, 0.0))]


@case
def summarized_in_part(kit):
    tf, layers = kit.tf, kit.layers
    x = layers.legacy_relu(kit.input(5), 3, name="first")
    y = layers.legacy_fully_connected(x, 2, activation_fn=tf.nn.tanh, name="second")
    layers.summarize_activations(name_filter="second")
    layers.summarize_collection("weights", "first/w")
    return y
