"""Computes the candidate samplers behind sampled softmax and NCE losses, with their state in a variable.

Each takes the op's attributes, the handle of the state variable and `true_classes`, and returns the sampled
classes and the expected counts of true and sampled classes. The classes are the very ones that the old
kernels pick. The counts of samplers that pick without repetition (`unique`) are rounded correctly here. They
may differ from the old kernel's in the last bit, which depends on the version of the C library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_legacy_train.graph.random_ops import philox

Attributes = Mapping[str, Any]
Sampled = tuple[tf.Tensor, tf.Tensor, tf.Tensor]
# Takes the number of picks to try, returns the classes picked, in order (fewer, where a try was void).
Pick = Callable[[tf.Tensor], tf.Tensor]
# Takes classes, returns their probabilities in one pick, float32.
Probability = Callable[[tf.Tensor], tf.Tensor]

# 2048 numbers of 32 bits reserved for each class to sample, in portions of 256 blocks.
_PORTIONS_PER_CLASS = 2


def uniform(attributes: Attributes, resource: tf.Tensor, true_classes: tf.Tensor) -> Sampled:
    """Samples every class below `range_max` with the same probability."""
    range_max = attributes["range_max"]
    stream = philox.reserve(resource, _PORTIONS_PER_CLASS * attributes["num_sampled"])
    # The lowest numbers are void, so that the others divide into `range_max` equal parts.
    void = tf.constant(2**64 % range_max, tf.uint64)

    def pick(tries: tf.Tensor) -> tf.Tensor:
        bits = stream.bits([tries], tf.uint64)
        return tf.cast(bits[bits >= void] % tf.constant(range_max, tf.uint64), tf.int64)

    def probability(classes: tf.Tensor) -> tf.Tensor:
        return tf.fill(tf.shape(classes), np.float32(1 / range_max))

    return _sampled(attributes, true_classes, range_max, pick, probability)


def log_uniform(attributes: Attributes, resource: tf.Tensor, true_classes: tf.Tensor) -> Sampled:
    """Samples class c with probability log((c + 2) / (c + 1)) / log(range_max + 1), about Zipf's law."""
    range_max = attributes["range_max"]
    log_range = np.log1p(np.float64(range_max))
    stream = philox.reserve(resource, _PORTIONS_PER_CLASS * attributes["num_sampled"])

    def pick(tries: tf.Tensor) -> tf.Tensor:
        return (tf.cast(tf.exp(stream.uniform([tries]) * log_range), tf.int64) - 1) % range_max

    def probability(classes: tf.Tensor) -> tf.Tensor:
        rank = tf.cast(classes, tf.float64)
        return tf.cast(tf.math.log((rank + 2) / (rank + 1)) / log_range, tf.float32)

    return _sampled(attributes, true_classes, range_max, pick, probability)


def learned_unigram(attributes: Attributes, resource: tf.Tensor, true_classes: tf.Tensor) -> Sampled:
    """Samples each class in proportion to its count among the true classes so far, plus one.

    The counts follow the generator's three numbers in the state variable.
    """
    num_sampled = attributes["num_sampled"]
    state = tf.ensure_shape(tf.raw_ops.ReadVariableOp(resource=resource, dtype=tf.int64), [None])
    key_and_counter = tf.bitcast(state[:3], tf.uint64)
    stream = philox.Stream(key=key_and_counter[2:], counter=key_and_counter[:2])
    weights = state[3:]
    cdf = tf.cumsum(weights)
    total = cdf[-1]

    def pick(tries: tf.Tensor) -> tf.Tensor:
        bits = tf.cast(stream.bits([tries], tf.uint32), tf.int64)
        return tf.searchsorted(cdf, bits[bits >= 2**32 % total] % total, side="right", out_type=tf.int64)

    def probability(classes: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.gather(weights, classes), tf.float32) / tf.cast(total, tf.float32)

    sampled = _sampled(attributes, true_classes, attributes["range_max"], pick, probability)
    seen = tf.reshape(true_classes, [-1])
    blocks = tf.constant(_PORTIONS_PER_CLASS * num_sampled * 256, tf.int64)
    with tf.control_dependencies(sampled):
        tf.raw_ops.ResourceScatterAdd(
            resource=resource,
            indices=tf.concat([[0], seen + 3], axis=0),
            updates=tf.concat([[blocks], tf.ones_like(seen)], axis=0),
        )
    return sampled


def fixed_unigram(attributes: Attributes, resource: tf.Tensor, true_classes: tf.Tensor) -> Sampled:
    """Samples each class in proportion to a weight from an attribute or a file, raised to a power."""
    weights, total = _unigram_weights(attributes)
    share, other = _alias_table(weights)
    classes = len(weights)
    void = 2**32 % classes
    stream = philox.reserve(resource, _PORTIONS_PER_CLASS * attributes["num_sampled"])

    def pick(tries: tf.Tensor) -> tf.Tensor:
        bits = _without_void(tf.cast(stream.bits([2 * tries], tf.uint32), tf.int64), void)
        pairs = tf.reshape(bits[: tf.size(bits) // 2 * 2], [-1, 2])
        fraction = tf.cast(tf.bitwise.bitwise_and(pairs[:, 0], 2**23 - 1), tf.float32) * 2.0**-23
        place = pairs[:, 1] % classes
        return tf.where(fraction < tf.gather(share, place), place, tf.gather(other, place))

    def probability(ids: tf.Tensor) -> tf.Tensor:
        return tf.gather(weights / total, ids)

    return _sampled(attributes, true_classes, int(np.count_nonzero(weights)), pick, probability)


def _sampled(
    attributes: Attributes, true_classes: tf.Tensor, possible: int, pick: Pick, probability: Probability
) -> Sampled:
    """Samples classes by `pick`, and computes the expected counts.

    Args:
        attributes: The op's attributes.
        true_classes: The true classes of the batch.
        possible: Number of classes that can be picked.
        pick: Picks classes.
        probability: Tells the probability of a class in one pick.

    Raises:
        ValueError: More different classes are wanted than there are.
    """
    num_sampled, unique = attributes["num_sampled"], attributes["unique"]
    if unique and num_sampled > possible:
        raise ValueError(f"Sampler's range is too small: {num_sampled} different classes of {possible}.")
    classes, tries = _first(pick, num_sampled, unique)

    def expected_count(ids: tf.Tensor) -> tf.Tensor:
        once = probability(ids)
        without_rejects = once * num_sampled
        if not unique:
            return without_rejects
        # 1 - (1 - once) ** tries, rounded to float32 where the old kernel does.
        log_never = tf.cast(tries, tf.float32) * _float32(tf.math.log1p, -once)
        return tf.where(tf.equal(tries, num_sampled), without_rejects, -_float32(tf.math.expm1, log_never))

    return classes, expected_count(true_classes), expected_count(classes)


def _float32(function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor) -> tf.Tensor:
    """Computes a function of float32, rounded correctly; TensorFlow's own float32 functions are not."""
    return tf.cast(function(tf.cast(x, tf.float64)), tf.float32)


def _first(pick: Pick, num_sampled: int, unique: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the first `num_sampled` classes picked, different ones if `unique`, and the number of picks.

    Until there are enough, it picks again from the start, twice as many; the numbers stay the same.
    """

    def attempt(tries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        classes = pick(tries)
        if not unique:
            return classes, tf.constant(num_sampled, tf.int64)
        classes, order = tf.unique(classes)
        return classes, tf.argmax(tf.cast(tf.equal(order, num_sampled - 1), tf.int32)) + 1

    def again(tries: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, ...]:
        return (2 * tries, *attempt(2 * tries))

    tries = tf.constant(2 * num_sampled if unique else num_sampled)
    _, classes, needed = tf.while_loop(
        lambda _, classes, __: tf.size(classes) < num_sampled,
        again,
        (tries, *attempt(tries)),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([])),
    )
    return classes[:num_sampled], needed


def _without_void(bits: tf.Tensor, void: int) -> tf.Tensor:
    """Skips numbers at odd positions that are below `void`; the number after takes the position."""

    def first_void(bits: tf.Tensor) -> tf.Tensor:
        return 2 * tf.argmax(tf.cast(bits[1::2] < void, tf.int32)) + 1

    (bits,) = tf.while_loop(
        lambda bits: tf.reduce_any(bits[1::2] < void),
        lambda bits: (tf.concat([bits[: first_void(bits)], bits[first_void(bits) + 1 :]], axis=0),),
        (bits,),
        shape_invariants=(tf.TensorShape([None]),),
    )
    return bits


def _unigram_weights(attributes: Attributes) -> tuple[np.ndarray, np.float32]:
    """Returns the weights of this shard's classes, float32, and their sum as the old kernel rounds it."""
    if attributes["vocab_file"]:
        with tf.io.gfile.GFile(attributes["vocab_file"].decode()) as lines:
            given = [float(line.rpartition(",")[2]) for line in lines]
    else:
        given = attributes["unigrams"]
    num_shards, shard = attributes["num_shards"], attributes["shard"]
    reserved = len(range(shard, attributes["num_reserved_ids"], num_shards))
    # The kernel numbers the words from the reserved ids it holds itself, not from all of them.
    kept = [weight for word, weight in enumerate(given, start=reserved) if word % num_shards == shard]
    weights = (np.array(kept, np.float32).astype(np.float64) ** attributes["distortion"]).astype(np.float32)
    total = np.cumsum(weights, dtype=np.float32)[-1]
    return np.concatenate([np.zeros(reserved, np.float32), weights]), total


def _alias_table(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Builds Walker's alias table: each class has a slot of the same size, shared with one other class.

    Returns:
        The class's share of its slot, float32, and the other class, int64.
    """
    total = np.cumsum(weights, dtype=np.float64)[-1]
    room = np.float64(weights * np.float32(len(weights))) / total
    other = np.arange(len(weights))
    low = [int(place) for place in np.flatnonzero(room < 1)]
    high = [int(place) for place in np.flatnonzero(room >= 1)]
    while low and high:
        poor, rich = low.pop(), high.pop()
        other[poor] = rich
        room[rich] -= 1 - room[poor]
        (low if room[rich] < 1 else high).append(rich)
    room[low + high] = 1
    return np.float32(room), other
