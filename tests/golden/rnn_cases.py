"""Builds small networks of `tf.contrib.rnn`, `tf.contrib.legacy_seq2seq` and `tf.contrib.crf`.

Runs under TensorFlow 1.15.5 (CPython 3.7) and under today's. A case takes a `Kit` and returns its outputs, for
`layer_cases.observe` to see.
"""
import collections

import numpy as np

import layer_cases

CASES = collections.OrderedDict()


def case(build):
    CASES[build.__name__] = build
    return build


class Kit(layer_cases.Kit):
    """What a case builds with: `rnn`, `seq2seq` and `crf` are the modules, or what stands for them."""

    def __init__(self, tf, rnn, seq2seq, crf):
        super(Kit, self).__init__(tf, None, rnn)
        self.rnn, self.seq2seq, self.crf = rnn, seq2seq, crf

    def steps(self, count, size):
        """Returns the inputs of an unrolled network."""
        return [self.input(size) for _ in range(count)]

    def symbols(self, steps, count, offset=0):
        """Returns integers below `count` for each step."""
        steps = [self.tf.placeholder(self.tf.int32, [None]) for _ in range(steps)]
        for number, step in enumerate(steps):
            self.feeds[step] = (offset + 2 * number + np.arange(4)) % count
        return steps

    def lengths(self, *values):
        placeholder = self.tf.placeholder(self.tf.int32, [None])
        self.feeds[placeholder] = values
        return placeholder


def flat(kit, outputs, state):
    """Returns the tensors of outputs and a state in a list."""
    state = kit.tf.contrib.framework.nest.flatten(state) if hasattr(kit.tf, "contrib") else kit.tf.nest.flatten(state)
    return (list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]) + state


def looped(kit, cell, steps=2, size=2, **options):
    """Runs a cell in a loop."""
    return flat(kit, *kit.tf.nn.dynamic_rnn(cell, kit.input(steps, size), dtype=kit.tf.float32, **options))


def unrolled(kit, cell, steps=2, size=2, scope=None):
    """Runs a cell step by step, which takes less time."""
    return flat(kit, *kit.rnn.static_rnn(cell, kit.steps(steps, size), dtype=kit.tf.float32, scope=scope))


@case
def block_lstm(kit):
    rnn = kit.rnn
    stack = rnn.MultiRNNCell([
        rnn.LSTMBlockCell(3), rnn.LSTMBlockCell(2, forget_bias=0.5, cell_clip=0.4, use_peephole=True, name="p")])
    return looped(kit, stack, steps=3, sequence_length=kit.lengths(3, 1, 2, 3))


@case
def block_gru(kit):
    rnn = kit.rnn
    return unrolled(kit, rnn.MultiRNNCell([rnn.GRUBlockCell(3), rnn.GRUBlockCellV2(cell_size=2, name="v2")]))


@case
def fused_lstm(kit):
    tf, rnn = kit.tf, kit.rnn
    x = tf.transpose(kit.input(3, 2), [1, 0, 2])
    plain = flat(kit, *rnn.LSTMBlockFusedCell(3)(x, dtype=tf.float32))
    cell = rnn.LSTMBlockFusedCell(2, cell_clip=0.5, use_peephole=True, name="p")
    state = tf.ones([4, 2]), tf.zeros([4, 2])
    masked = flat(kit, *cell(x, initial_state=state, sequence_length=kit.lengths(3, 1, 0, 2)))
    back = flat(kit, *rnn.TimeReversedFusedRNN(rnn.LSTMBlockFusedCell(2, name="b"))(
        x, dtype=tf.float32, sequence_length=kit.lengths(2, 1, 3, 3)))
    return plain + masked + back


@case
def fused_adaptor(kit):
    tf, rnn = kit.tf, kit.rnn
    x = tf.transpose(kit.input(3, 2), [1, 0, 2])
    forward = flat(kit, *rnn.FusedRNNCellAdaptor(rnn.BasicRNNCell(3), use_dynamic_rnn=True)(
        x, dtype=tf.float32, scope="fw"))
    back = rnn.TimeReversedFusedRNN(rnn.FusedRNNCellAdaptor(rnn.GRUCell(2)))
    return forward + flat(kit, *back(x, dtype=tf.float32, scope="bw")) + flat(
        kit, *rnn.FusedRNNCellAdaptor(rnn.GRUCell(2), use_dynamic_rnn=True)(kit.steps(2, 2), dtype=tf.float32))


@case
def layer_norm_lstm(kit):
    rnn = kit.rnn
    first = unrolled(kit, rnn.LayerNormBasicLSTMCell(4, forget_bias=0.5, norm_gain=0.9, norm_shift=0.1))
    cell = rnn.LayerNormBasicLSTMCell(3, layer_norm=False, activation=kit.tf.nn.relu)
    return first + unrolled(kit, cell, scope="plain")


@case
def layer_norm_dropout(kit):
    cell = kit.rnn.LayerNormBasicLSTMCell(6, dropout_keep_prob=0.6, dropout_prob_seed=3)
    return flat(kit, *cell(kit.input(2), cell.zero_state(4, kit.tf.float32)))


@case
def coupled_lstm(kit):
    tf, rnn = kit.tf, kit.rnn
    plain = unrolled(kit, rnn.CoupledInputForgetGateLSTMCell(3))
    cell = rnn.CoupledInputForgetGateLSTMCell(
        4, use_peepholes=True, num_proj=3, proj_clip=0.2, num_unit_shards=2, num_proj_shards=3, layer_norm=True)
    rich = unrolled(kit, cell, scope="rich")
    joined = rnn.CoupledInputForgetGateLSTMCell(2, state_is_tuple=False, activation=tf.nn.relu)
    return plain + rich + unrolled(kit, joined, scope="joined")


@case
def gated_cells(kit):
    tf, rnn = kit.tf, kit.rnn
    ones = tf.constant_initializer(0.5)
    return (
        unrolled(kit, rnn.UGRNNCell(3)) + unrolled(kit, rnn.UGRNNCell(2, initializer=ones), scope="u") +
        unrolled(kit, rnn.IntersectionRNNCell(2), scope="i") +
        unrolled(kit, rnn.IntersectionRNNCell(3, num_in_proj=3, initializer=ones), scope="projected") +
        unrolled(kit, rnn.SRUCell(2), scope="s"))


@case
def nas(kit):
    rnn = kit.rnn
    return unrolled(kit, rnn.NASCell(3)) + unrolled(kit, rnn.NASCell(3, num_proj=2, use_bias=True), scope="rich")


@case
def independent_cells(kit):
    rnn = kit.rnn
    cells = [rnn.IndRNNCell(3), rnn.IndyGRUCell(2), rnn.IndyLSTMCell(3, forget_bias=0.5)]
    return unrolled(kit, rnn.MultiRNNCell(cells))


@case
def grouped_lstm(kit):
    rnn = kit.rnn
    return unrolled(kit, rnn.GLSTMCell(4, number_of_groups=2)) + unrolled(
        kit, rnn.GLSTMCell(4, number_of_groups=2, num_proj=2, initializer=kit.tf.constant_initializer(0.3)), scope="p")


@case
def phased_lstm(kit):
    tf, rnn = kit.tf, kit.rnn
    time = tf.placeholder(tf.float32, [None, 3, 1])
    kit.feeds[time] = np.arange(12.0).reshape(4, 3, 1)
    inputs = (time, kit.input(3, 2))
    plain = tf.nn.dynamic_rnn(rnn.PhasedLSTMCell(3), inputs, dtype=tf.float32)
    cell = rnn.PhasedLSTMCell(2, use_peepholes=True, leak=0.1, ratio_on=0.3, trainable_ratio_on=False)
    steps = list(zip(tf.unstack(time, axis=1), kit.steps(3, 2)))
    return flat(kit, *plain) + flat(kit, *rnn.static_rnn(cell, steps, dtype=tf.float32, scope="rich"))


@case
def convolutional_lstm(kit):
    tf, rnn = kit.tf, kit.rnn
    line = rnn.Conv1DLSTMCell(input_shape=[5, 2], output_channels=3, kernel_shape=[3])
    image = rnn.Conv2DLSTMCell(input_shape=[3, 4, 2], output_channels=1, kernel_shape=[2, 3], use_bias=False)
    volume = rnn.Conv3DLSTMCell(
        input_shape=[2, 3, 2, 1], output_channels=2, kernel_shape=[2, 2, 2], skip_connection=True)
    outputs, _ = volume(kit.input(2, 3, 2, 1), volume.zero_state(4, tf.float32))
    return [outputs] + flat(kit, *rnn.static_rnn(line, [kit.input(5, 2)] * 2, dtype=tf.float32)) + flat(
        kit, *rnn.static_rnn(image, [kit.input(3, 4, 2)] * 2, dtype=tf.float32))


@case
def projections(kit):
    tf, rnn = kit.tf, kit.rnn
    cell = rnn.OutputProjectionWrapper(
        rnn.InputProjectionWrapper(rnn.BasicLSTMCell(3), 4, activation=tf.nn.relu), 2, activation=tf.tanh)
    return looped(kit, cell) + unrolled(kit, rnn.OutputProjectionWrapper(rnn.GRUCell(3), 2), scope="static")


@case
def embedding(kit):
    tf, rnn = kit.tf, kit.rnn
    cell = rnn.EmbeddingWrapper(rnn.MultiRNNCell([rnn.BasicLSTMCell(3), rnn.GRUCell(2)]), 5, 4)
    return flat(kit, *rnn.static_rnn(cell, kit.symbols(3, 5), dtype=tf.float32))


@case
def attention_wrapper(kit):
    rnn = kit.rnn
    plain = unrolled(kit, rnn.AttentionCellWrapper(rnn.BasicLSTMCell(3), 2))
    cell = rnn.AttentionCellWrapper(
        rnn.GRUCell(3), 2, attn_size=2, attn_vec_size=4, input_size=5, state_is_tuple=False)
    return plain + unrolled(kit, cell, scope="rich")


@case
def highway(kit):
    rnn = kit.rnn
    return unrolled(kit, rnn.HighwayWrapper(rnn.GRUCell(2))) + unrolled(
        kit, rnn.HighwayWrapper(rnn.BasicLSTMCell(2), False, carry_bias_init=0.5), scope="both")


@case
def stacked_bidirectional(kit):
    tf, rnn = kit.tf, kit.rnn
    forward, backward = [rnn.GRUCell(2), rnn.BasicLSTMCell(3)], [rnn.BasicRNNCell(3), rnn.GRUCell(2)]
    states = [tf.ones([4, 3]), tf.zeros([4, 2])]
    outputs, fw, bw = rnn.stack_bidirectional_dynamic_rnn(
        forward, backward, kit.input(3, 2), initial_states_bw=states, dtype=tf.float32,
        sequence_length=kit.lengths(3, 2, 1, 3))
    return flat(kit, outputs, (fw, bw))


@case
def stacked_bidirectional_unrolled(kit):
    tf, rnn = kit.tf, kit.rnn
    forward, backward = [rnn.GRUCell(2), rnn.BasicLSTMCell(3)], [rnn.BasicRNNCell(3), rnn.GRUCell(2)]
    outputs, fw, bw = rnn.stack_bidirectional_rnn(forward, backward, kit.steps(2, 2), dtype=tf.float32)
    return flat(kit, outputs, (fw, bw))


@case
def multi_rnn_of_char_rnn(kit):
    tf, rnn, seq2seq = kit.tf, kit.rnn, kit.seq2seq
    with tf.variable_scope("rnnlm"):
        softmax_w = tf.get_variable("softmax_w", [3, 5])
        softmax_b = tf.get_variable("softmax_b", [5])
        table = tf.get_variable("embedding", [5, 3])
    cell = rnn.MultiRNNCell([rnn.BasicLSTMCell(3, state_is_tuple=True) for _ in range(2)], state_is_tuple=True)
    state = cell.zero_state(4, tf.float32)
    inputs = [tf.nn.embedding_lookup(table, step) for step in kit.symbols(3, 5)]

    def loop(previous, _):
        previous = tf.matmul(previous, softmax_w) + softmax_b
        return tf.nn.embedding_lookup(table, tf.stop_gradient(tf.argmax(previous, 1)))

    outputs, last = seq2seq.rnn_decoder(inputs, state, cell, loop_function=loop, scope="rnnlm")
    logits = tf.matmul(tf.reshape(tf.concat(outputs, 1), [-1, 3]), softmax_w) + softmax_b
    targets = tf.reshape(tf.stack(kit.symbols(3, 5, offset=1), 1), [-1])
    loss = seq2seq.sequence_loss_by_example([logits], [targets], [tf.ones([12])])
    return [loss] + flat(kit, outputs, last)


@case
def basic_seq2seq(kit):
    rnn, seq2seq = kit.rnn, kit.seq2seq
    first = seq2seq.basic_rnn_seq2seq(kit.steps(2, 2), kit.steps(3, 2), rnn.BasicLSTMCell(3))
    cell = rnn.OutputProjectionWrapper(rnn.GRUCell(3), 2)
    tied = seq2seq.tied_rnn_seq2seq(kit.steps(2, 2), kit.steps(2, 2), cell)
    return flat(kit, *first) + flat(kit, *tied)


def both_ways(kit, build, fed):
    """Returns the outputs of a model that a tensor tells whether to feed back, and of one that does the other."""
    tf = kit.tf
    told = build(kit.bool(fed))
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        return flat(kit, *told) + flat(kit, *build(not fed))


@case
def embedding_rnn_seq2seq(kit):
    rnn, seq2seq = kit.rnn, kit.seq2seq
    sources, targets = kit.symbols(2, 6), kit.symbols(2, 5)
    return both_ways(kit, lambda feed: seq2seq.embedding_rnn_seq2seq(
        sources, targets, rnn.BasicLSTMCell(3), 6, 5, embedding_size=2, feed_previous=feed), True)


@case
def embedding_tied_rnn_seq2seq(kit):
    rnn, seq2seq = kit.rnn, kit.seq2seq
    sources, targets = kit.symbols(2, 6), kit.symbols(2, 5)
    return both_ways(kit, lambda feed: seq2seq.embedding_tied_rnn_seq2seq(
        sources, targets, rnn.GRUCell(3), 6, 2, num_decoder_symbols=5, feed_previous=feed), False)


@case
def embedding_attention_seq2seq(kit):
    rnn, seq2seq = kit.rnn, kit.seq2seq
    sources, targets = kit.symbols(2, 6), kit.symbols(2, 5)
    cell = lambda: rnn.MultiRNNCell([rnn.GRUCell(3), rnn.BasicLSTMCell(3)])
    return both_ways(kit, lambda feed: seq2seq.embedding_attention_seq2seq(
        sources, targets, cell(), 6, 5, embedding_size=2, feed_previous=feed), True)


@case
def attention_decoder(kit):
    tf, rnn, seq2seq = kit.tf, kit.rnn, kit.seq2seq
    states = kit.input(3, 2)
    return flat(kit, *seq2seq.attention_decoder(
        kit.steps(2, 3), tf.ones([4, 3]), states, rnn.GRUCell(3), output_size=2, num_heads=2,
        initial_state_attention=True))


@case
def one2many_seq2seq(kit):
    rnn, seq2seq = kit.rnn, kit.seq2seq
    targets = collections.OrderedDict([("a", kit.symbols(2, 5)), ("b", kit.symbols(3, 4))])
    cells = {"a": rnn.BasicLSTMCell(3), "b": rnn.BasicLSTMCell(3)}
    outputs, states = seq2seq.one2many_rnn_seq2seq(
        kit.symbols(2, 6), targets, rnn.BasicLSTMCell(3), cells, 6, {"a": 5, "b": 4}, 2,
        feed_previous=kit.bool(True))
    return [each for name in "ab" for each in flat(kit, outputs[name], states[name])]


@case
def buckets(kit):
    tf, rnn, seq2seq = kit.tf, kit.rnn, kit.seq2seq
    sources, targets = kit.symbols(3, 6), kit.symbols(4, 7)
    weights = [tf.cast(step > 1, tf.float32) for step in targets]
    with tf.variable_scope("projection"):
        kernel, bias = tf.get_variable("proj_w", [3, 7]), tf.get_variable("proj_b", [7])

    def model(encoder_inputs, decoder_inputs):
        return seq2seq.embedding_attention_seq2seq(
            encoder_inputs, decoder_inputs, rnn.GRUCell(3), 6, 7, embedding_size=3,
            output_projection=(kernel, bias))

    def loss(labels, logits):
        logits = tf.matmul(logits, kernel) + bias
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)

    arguments = sources, targets, targets[1:] + targets[:1], weights, [(2, 3), (3, 4)], model
    with tf.variable_scope("m"):
        outputs, losses = seq2seq.model_with_buckets(*arguments, softmax_loss_function=loss)
    with tf.variable_scope("m", reuse=True):
        _, by_example = seq2seq.model_with_buckets(
            *arguments, softmax_loss_function=loss, per_example_loss=True)
    return [losses[0], losses[1], by_example[0], by_example[1], outputs[0][2], outputs[1][3]]


@case
def crf(kit):
    tf, crf = kit.tf, kit.crf
    inputs, lengths = kit.input(4, 3), kit.lengths(4, 1, 0, 3)
    tags = tf.constant([[0, 1, 2, 2], [1, 0, 0, 0], [0, 0, 0, 0], [2, 2, 1, 0]])
    likelihood, transitions = crf.crf_log_likelihood(inputs, tags, lengths)
    best, score = crf.crf_decode(inputs, transitions, lengths)
    allowed = tf.constant(np.arange(48).reshape(4, 4, 3) % 5 > 1)
    return [
        likelihood, tf.cast(best, tf.float32), score,
        crf.crf_multitag_sequence_score(inputs, allowed, lengths, transitions),
        crf.crf_unary_score(tags, lengths, inputs), crf.crf_binary_score(tf.cast(tags, tf.int64), lengths, transitions)]


@case
def crf_of_one_step(kit):
    tf, crf = kit.tf, kit.crf
    transitions = tf.get_variable("transitions", [3, 3])
    tags, lengths = tf.constant([[0], [1], [2], [0]]), kit.lengths(1, 1, 0, 1)
    seen = []
    for known in [(1, 3), (None, 3)]:
        inputs = kit.input(1, 3, known=known)
        likelihood, _ = crf.crf_log_likelihood(inputs, tags, lengths, transitions)
        best, score = crf.crf_decode(inputs, transitions, lengths)
        seen += [likelihood, tf.cast(best, tf.float32), score]
    return seen


@case
def embedding_attention_decoder(kit):
    tf, rnn, seq2seq = kit.tf, kit.rnn, kit.seq2seq
    projection = tf.get_variable("kernel", [3, 5]), tf.get_variable("bias", [5])
    outputs = []
    for update in (True, False):
        outputs += flat(kit, *seq2seq.embedding_attention_decoder(
            kit.symbols(3, 5), tf.ones([4, 3]), kit.input(3, 2), rnn.GRUCell(3), 5, 2,
            output_projection=projection, feed_previous=True, update_embedding_for_previous=update,
            scope="updated" if update else "not_updated"))
    return outputs
