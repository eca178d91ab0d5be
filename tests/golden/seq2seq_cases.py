"""Builds small decoders of `tf.contrib.seq2seq`, or of what stands for it.

Runs under TensorFlow 1.15.5 (CPython 3.7) and under today's. A case takes a `layer_cases.Kit` with `kit.seq2seq`,
and tells by `kit.draws` whether it draws random numbers, which TensorFlow 2 draws anew for other fetches. It
returns a dict of tensors. `observe` runs them for fixed variables; a float tensor "loss" is trained, too.
"""
import collections

import numpy as np

from layer_cases import numbers, pattern

CASES = collections.OrderedDict()
BATCH, TIME, VOCABULARY, WIDTH = 4, 5, 7, 3
LENGTHS = [5, 3, 1, 4]
IDS = np.array([[1, 2, 3, 4, 5], [6, 5, 4, 0, 0], [2, 0, 0, 0, 0], [3, 3, 1, 6, 0]], "int32")
MEMORY_LENGTHS = [6, 2, 4, 6]


def case(build):
    CASES[build.__name__] = build
    return build


def observe(kit, build):
    """Builds a case in a new graph, runs it for fixed variables and trains it. Returns what JSON can hold."""
    tf, kit.draws = kit.tf, False
    config = tf.ConfigProto(allow_soft_placement=True)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    with tf.Graph().as_default(), tf.Session(config=config) as session:
        tf.set_random_seed(7)
        outputs = collections.OrderedDict(sorted(build(kit).items()))
        variables, trained = tf.global_variables(), tf.trainable_variables()
        seen = {
            "variables": [
                [variable.op.name, variable.shape.as_list(), any(variable is each for each in trained)]
                for variable in variables
            ],
            "shapes": {name: output.shape.as_list() for name, output in outputs.items()},
        }
        gradients, step = [], None
        if "loss" in outputs:
            optimizer = tf.train.GradientDescentOptimizer(0.5)
            # All gradients before any update: else reference variables change while others still need them.
            pairs = optimizer.compute_gradients(outputs["loss"], gate_gradients=optimizer.GATE_GRAPH)
            step = optimizer.apply_gradients(pairs)
            gradients = [
                tf.zeros_like(variable) if gradient is None else tf.convert_to_tensor(gradient)
                for gradient, variable in pairs
            ]
        initializers = [variable.initializer for variable in variables]
        fixed = {
            initializer.inputs[1]: pattern(variable.shape.as_list(), step=0.9 + 0.1 * index)
            for index, (initializer, variable) in enumerate(zip(initializers, variables))
        }
        session.run(initializers, fixed)
        values, gradients = session.run([outputs, gradients], kit.feeds)
        seen["values"] = {
            name: value.tolist() if value.dtype.kind in "iub" else list(value.shape) + numbers(value)
            for name, value in values.items()
        }
        seen["gradients"] = [numbers(value) for value in gradients]
        if step is not None and not kit.draws:
            seen["training"] = [float(session.run([outputs["loss"], step], kit.feeds)[0]) for _ in range(2)]
    return seen


def embedding(kit):
    return kit.tf.get_variable("embedding", [VOCABULARY, 3])


def ids(kit):
    placeholder = kit.tf.placeholder(kit.tf.int32, [None, None], name="ids")
    kit.feeds[placeholder] = IDS
    return placeholder


def lengths(kit, values=LENGTHS):
    placeholder = kit.tf.placeholder(kit.tf.int32, [None], name="lengths")
    kit.feeds[placeholder] = np.array(values, "int32")
    return placeholder


def memory(kit, size=4, known=False):
    shape = [BATCH, 6, size] if known else [None, None, size]
    placeholder = kit.tf.placeholder(kit.tf.float32, shape, name="memory")
    kit.feeds[placeholder] = pattern([BATCH, 6, size])
    return placeholder


def train(kit, decoder, targets, of_lengths, **options):
    """Decodes and adds the loss."""
    tf = kit.tf
    outputs, state, final_lengths = kit.seq2seq.dynamic_decode(decoder, **options)
    weights = tf.sequence_mask(of_lengths, tf.shape(targets)[1], dtype=tf.float32)
    if options.get("output_time_major"):
        targets, weights = tf.transpose(targets), tf.transpose(weights)
    logits = outputs.rnn_output
    loss = kit.seq2seq.sequence_loss(logits, targets, weights)
    seen = {"loss": loss, "logits": logits, "samples": outputs.sample_id, "lengths": final_lengths}
    return seen, state


def trained(kit, cell, state, **options):
    """Trains a decoder by a TrainingHelper, with an output layer."""
    tf = kit.tf
    targets, of_lengths = ids(kit), lengths(kit)
    inputs = tf.nn.embedding_lookup(embedding(kit), targets)
    helper = kit.seq2seq.TrainingHelper(inputs, of_lengths)
    decoder = kit.seq2seq.BasicDecoder(cell, helper, state, kit.layers.Dense(VOCABULARY, name="logits"))
    return train(kit, decoder, targets, of_lengths, **options)


def size_of(kit, tensor):
    return kit.tf.shape(tensor)[0]


@case
def training(kit):
    cell = kit.cells.GRUCell(4)
    return trained(kit, cell, cell.zero_state(BATCH, kit.tf.float32), impute_finished=True)[0]


@case
def time_major(kit):
    tf = kit.tf
    targets, of_lengths = ids(kit), lengths(kit)
    inputs = tf.nn.embedding_lookup(embedding(kit), tf.transpose(targets))
    cell = kit.cells.MultiRNNCell([kit.cells.LSTMCell(4), kit.cells.GRUCell(VOCABULARY)])
    helper = kit.seq2seq.TrainingHelper(inputs, of_lengths, time_major=True)
    decoder = kit.seq2seq.BasicDecoder(cell, helper, cell.zero_state(size_of(kit, targets), tf.float32))
    seen, state = train(
        kit, decoder, targets, of_lengths, output_time_major=True, maximum_iterations=5, scope="reader"
    )
    return dict(seen, c=state[0].c, gru=state[1])


@case
def luong(kit):
    tf = kit.tf
    values = memory(kit)
    mechanism = kit.seq2seq.LuongAttention(5, values, lengths(kit, MEMORY_LENGTHS), scale=True)
    cell = kit.seq2seq.AttentionWrapper(
        kit.cells.LSTMCell(5), mechanism, attention_layer_size=6, alignment_history=True
    )
    seen, state = trained(kit, cell, cell.zero_state(size_of(kit, values), tf.float32))
    return dict(
        seen, alignments=state.alignments, history=state.alignment_history.stack(), time=state.time
    )


@case
def bahdanau(kit):
    tf = kit.tf
    values = memory(kit, known=True)
    first = kit.layers.dense(values[:, 0], 5, name="first")
    mechanism = kit.seq2seq.BahdanauAttention(
        3, values, lengths(kit, MEMORY_LENGTHS), normalize=True, probability_fn=tf.nn.softmax
    )
    cell = kit.seq2seq.AttentionWrapper(kit.cells.GRUCell(5), mechanism, output_attention=False, name="attended")
    state = cell.zero_state(BATCH, tf.float32).clone(cell_state=first)
    seen, state = trained(kit, cell, state, impute_finished=True)
    return dict(seen, attention=state.attention)


@case
def two_mechanisms(kit):
    tf = kit.tf
    values = memory(kit)
    mechanisms = [
        kit.seq2seq.BahdanauAttention(3, values),
        kit.seq2seq.LuongAttention(5, tf.tanh(values), probability_fn=kit.seq2seq.hardmax),
    ]
    cell = kit.seq2seq.AttentionWrapper(
        kit.cells.GRUCell(5), mechanisms, attention_layer_size=[2, 4], alignment_history=True,
        cell_input_fn=lambda inputs, attention: tf.concat([attention, inputs], -1),
    )
    seen, state = trained(kit, cell, cell.zero_state(size_of(kit, values), tf.float32))
    return dict(seen, history=state.alignment_history[1].stack(), alignments=state.alignments[0])


@case
def layer_of_attention(kit):
    tf = kit.tf
    values = memory(kit)
    layer = kit.layers.Dense(4, activation=tf.tanh, name="attention")
    mechanism = kit.seq2seq.LuongAttention(5, values)
    inner = kit.cells.GRUCell(5)
    state = inner.zero_state(size_of(kit, values), tf.float32) + 0.5
    cell = kit.seq2seq.AttentionWrapper(inner, mechanism, attention_layer=layer, initial_cell_state=state)
    return trained(kit, cell, cell.zero_state(size_of(kit, values), tf.float32))[0]


@case
def bahdanau_monotonic(kit):
    tf = kit.tf
    values = memory(kit)
    mechanism = kit.seq2seq.BahdanauMonotonicAttention(
        3, values, lengths(kit, MEMORY_LENGTHS), normalize=True, score_bias_init=-1.0
    )
    cell = kit.seq2seq.AttentionWrapper(kit.cells.GRUCell(5), mechanism)
    seen, state = trained(kit, cell, cell.zero_state(size_of(kit, values), tf.float32))
    return dict(seen, alignments=state.alignments)


@case
def luong_monotonic(kit):
    tf = kit.tf
    values = memory(kit)
    mechanism = kit.seq2seq.LuongMonotonicAttention(5, values, scale=True, score_bias_init=0.5)
    cell = kit.seq2seq.AttentionWrapper(kit.cells.GRUCell(5), mechanism)
    seen, state = trained(kit, cell, cell.zero_state(size_of(kit, values), tf.float32))
    return dict(seen, alignments=state.alignments)


@case
def scheduled_embeddings(kit):
    tf = kit.tf
    kit.draws = True
    targets, of_lengths = ids(kit), lengths(kit)
    table = embedding(kit)
    cell = kit.cells.GRUCell(VOCABULARY)
    helper = kit.seq2seq.ScheduledEmbeddingTrainingHelper(
        tf.nn.embedding_lookup(table, targets), of_lengths, table, 0.5, seed=3, scheduling_seed=5
    )
    decoder = kit.seq2seq.BasicDecoder(cell, helper, cell.zero_state(size_of(kit, targets), tf.float32))
    # Steps that run at the same time draw in any order.
    return train(kit, decoder, targets, of_lengths, parallel_iterations=1)[0]


@case
def scheduled_outputs(kit):
    tf = kit.tf
    kit.draws = True
    targets, of_lengths = ids(kit), lengths(kit)
    inputs = tf.nn.embedding_lookup(embedding(kit), targets)
    cell = kit.cells.GRUCell(VOCABULARY)
    helper = kit.seq2seq.ScheduledOutputTrainingHelper(
        inputs, of_lengths, 0.5, seed=3, auxiliary_inputs=2.0 * inputs[:, :, :1],
        next_inputs_fn=lambda outputs: outputs[:, :3],
    )
    decoder = kit.seq2seq.BasicDecoder(cell, helper, cell.zero_state(size_of(kit, targets), tf.float32))
    # Steps that run at the same time draw in any order.
    return train(kit, decoder, targets, of_lengths, parallel_iterations=1)[0]


@case
def scheduled_outputs_as_inputs(kit):
    tf = kit.tf
    kit.draws = True
    targets, of_lengths = ids(kit), lengths(kit)
    inputs = tf.one_hot(targets, VOCABULARY)
    cell = kit.cells.GRUCell(VOCABULARY)
    helper = kit.seq2seq.ScheduledOutputTrainingHelper(inputs, of_lengths, 0.5, seed=3)
    decoder = kit.seq2seq.BasicDecoder(cell, helper, cell.zero_state(size_of(kit, targets), tf.float32))
    # Steps that run at the same time draw in any order.
    return train(kit, decoder, targets, of_lengths, parallel_iterations=1)[0]


def decoded(kit, helper, cell=None, **options):
    cell = cell or kit.cells.GRUCell(4)
    layer = kit.layers.Dense(VOCABULARY, name="logits")
    decoder = kit.seq2seq.BasicDecoder(cell, helper, cell.zero_state(BATCH, kit.tf.float32), layer)
    outputs, state, of_lengths = kit.seq2seq.dynamic_decode(decoder, **options)
    return {
        "logits": outputs.rnn_output, "ids": outputs.sample_id, "state": state, "lengths": of_lengths
    }


@case
def greedy(kit):
    table = embedding(kit)
    helper = kit.seq2seq.GreedyEmbeddingHelper(table, [1, 2, 3, 4], 5)
    return decoded(kit, helper, impute_finished=True, maximum_iterations=9)


@case
def drawn(kit):
    helper = kit.seq2seq.SampleEmbeddingHelper(
        embedding(kit), [1, 2, 3, 4], 5, softmax_temperature=0.5, seed=11
    )
    return decoded(kit, helper, maximum_iterations=9)


@case
def inference(kit):
    tf = kit.tf
    helper = kit.seq2seq.InferenceHelper(
        sample_fn=lambda outputs: outputs[:, :3], sample_shape=[3], sample_dtype=tf.float32,
        start_inputs=tf.constant(pattern([BATCH, 3])),
        end_fn=lambda samples: tf.reduce_sum(samples, 1) > 0.9, next_inputs_fn=lambda samples: 2.0 * samples,
    )
    return decoded(kit, helper, maximum_iterations=6)


@case
def custom(kit):
    tf = kit.tf
    table = embedding(kit)
    helper = kit.seq2seq.CustomHelper(
        initialize_fn=lambda: (tf.fill([BATCH], False), tf.nn.embedding_lookup(table, [1, 2, 3, 4])),
        sample_fn=lambda time, outputs, state: tf.argmin(outputs, -1, output_type=tf.int32),
        next_inputs_fn=lambda time, outputs, state, sample_ids: (
            time >= tf.constant([1, 2, 3, 4]), tf.nn.embedding_lookup(table, sample_ids), state
        ),
    )
    return decoded(kit, helper)


def searched(kit, cell, state, start_tokens=(1, 2, 3, 4), output_layer=None, **options):
    table = embedding(kit)
    layer = output_layer or kit.layers.Dense(VOCABULARY, name="logits")
    decoder = kit.seq2seq.BeamSearchDecoder(
        cell, table, list(start_tokens), 5, state, WIDTH, layer, **options
    )
    outputs, state, of_lengths = kit.seq2seq.dynamic_decode(decoder, maximum_iterations=8)
    steps = outputs.beam_search_decoder_output
    return {
        "ids": outputs.predicted_ids, "scores": steps.scores, "step_ids": steps.predicted_ids,
        "parents": steps.parent_ids, "log_probs": state.log_probs, "beam_lengths": state.lengths,
        "finished": state.finished, "lengths": of_lengths,
    }, state.cell_state


@case
def beams(kit):
    cell = kit.cells.MultiRNNCell([kit.cells.LSTMCell(4), kit.cells.GRUCell(3)])
    state = cell.zero_state(BATCH * WIDTH, kit.tf.float32)
    seen, state = searched(kit, cell, state)
    return dict(seen, c=state[0].c)


@case
def beams_with_attention(kit):
    tf = kit.tf
    values, of_lengths = kit.seq2seq.tile_batch((memory(kit), lengths(kit, MEMORY_LENGTHS)), WIDTH)
    cell = kit.seq2seq.AttentionWrapper(
        kit.cells.GRUCell(5), kit.seq2seq.LuongAttention(5, values, of_lengths),
        attention_layer_size=4, alignment_history=True,
    )
    state = cell.zero_state(BATCH * WIDTH, tf.float32).clone(cell_state=tf.tanh(values[:, 0] @ tf.ones([4, 5])))
    seen, state = searched(
        kit, cell, state, length_penalty_weight=0.7, coverage_penalty_weight=0.2
    )
    return dict(seen, history=state.alignment_history, attention=state.attention)


@case
def beams_of_unknown_number(kit):
    tf = kit.tf
    values = kit.seq2seq.tile_batch(memory(kit), multiplier=WIDTH)
    cell = kit.seq2seq.AttentionWrapper(
        kit.cells.GRUCell(VOCABULARY), [kit.seq2seq.BahdanauAttention(3, values)], output_attention=False,
        alignment_history=True,
    )
    state = cell.zero_state(BATCH * WIDTH, tf.float32)
    table = embedding(kit)
    start_tokens = tf.placeholder(tf.int32, [None])
    kit.feeds[start_tokens] = [1, 2, 3, 4]
    decoder = kit.seq2seq.BeamSearchDecoder(
        cell, lambda ids: tf.nn.embedding_lookup(table, ids), start_tokens, 5, state, WIDTH,
        reorder_tensor_arrays=False,
    )
    outputs, state, _ = kit.seq2seq.dynamic_decode(decoder, maximum_iterations=6, output_time_major=True)
    return {
        "ids": outputs.predicted_ids, "scores": outputs.beam_search_decoder_output.scores,
        "history": state.cell_state.alignment_history[0].stack(),
    }


@case
def functions(kit):
    tf = kit.tf
    seq2seq = kit.seq2seq
    stop = tf.constant([[0.1, 0.6, 0.3, 0.9], [0.5, 0.0, 1.0, 0.2]])
    before = tf.constant([[1.0, 0.0, 0.0, 0.0], [0.1, 0.5, 0.2, 0.0]])
    logits = tf.constant(pattern([2, 4, 3]))
    targets = tf.constant([[0, 2, 1, 1], [1, 1, 0, 2]])
    weights = tf.constant([[1.0, 0.5, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]])
    step_ids = np.array([[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]], [[10, 5, 12]]], "int32")
    parents = np.array([[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]], [[1, 2, 0]]], "int32")
    seen = {
        "tree": seq2seq.gather_tree(step_ids, parents, [4], 5),
        "short_tree": seq2seq.gather_tree(step_ids, parents, [3], 11),
        "tiled": seq2seq.tile_batch(tf.constant([[1, 2], [3, 4]]), 2),
        "hardmax": seq2seq.hardmax(stop),
        "cumprod": seq2seq.safe_cumprod(stop, axis=1, exclusive=True),
    }
    for mode in ("recursive", "parallel"):
        seen[mode] = seq2seq.monotonic_attention(stop, before, mode)
    seen["hard"] = seq2seq.monotonic_attention(tf.round(stop), before, "hard")
    reductions = ["average_across_timesteps", "average_across_batch", "sum_over_timesteps", "sum_over_batch"]
    for chosen in ([], [0], [1], [2], [3], [2, 3], [0, 3]):
        options = {name: index in chosen for index, name in enumerate(reductions)}
        name = "loss_" + "_".join(map(str, chosen))
        seen[name] = seq2seq.sequence_loss(logits, targets, weights, **options)
    seen["own_loss"] = seq2seq.sequence_loss(
        logits, targets, weights, softmax_loss_function=lambda labels, logits: tf.cast(labels, tf.float32)
    )
    return seen


@case
def mechanisms_of_their_own(kit):
    tf, seq2seq = kit.tf, kit.seq2seq
    values, query = memory(kit, known=True), tf.constant(pattern([BATCH, 4], 0.3))
    luong = seq2seq.LuongAttention(
        4, values, lengths(kit, MEMORY_LENGTHS), custom_key_value_fn=lambda keys, values: (2.0 * keys, values + 1.0)
    )
    noisy = seq2seq.BahdanauMonotonicAttention(4, values, sigmoid_noise=0.5, sigmoid_noise_seed=3)
    alignments, _ = luong(query, luong.initial_state(BATCH, tf.float32))
    with_noise, _ = noisy(query, noisy.initial_state(BATCH, tf.float32))
    kit.draws = True
    return {
        "keys": luong.keys, "values": luong.values, "alignments": alignments, "noisy": with_noise,
        "loss": tf.reduce_sum(tf.square(alignments)) + tf.reduce_sum(tf.square(with_noise)),
    }
