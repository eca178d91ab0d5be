"""Learns word vectors from a short text, by skip-grams and noise-contrastive estimation.

A queue holds the positions in the text, shuffled. The `feed_fn` dequeues a batch of positions in the session
of the loop, and makes the skip-grams in NumPy: for each position the word there, and a word that is one or
two positions away. Afterwards the days of the week are close to each other, and so are the animals.

    python examples/word_embeddings.py --output-dir /tmp/word_embeddings
"""

from __future__ import annotations

import argparse
import collections
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from keras_legacy_train import learn

TEXT = """
    On Saturday the horse ate fish in the field. On Friday the hen found corn in the yard. On Sunday the cat
    found apples in the garden. On Thursday the dog ate bread in the cellar. On Monday the goat liked cake in
    the barn. On Wednesday the mouse found cheese in the kitchen. On Tuesday the mouse stole apples in the
    barn. On Friday the dog ate cheese in the cellar. On Tuesday the horse ate bread in the garden. On
    Wednesday the cat stole fish in the kitchen. On Thursday the hen liked corn in the field. On Saturday the
    goat found cake in the yard. On Sunday the dog liked cheese in the kitchen. On Monday the mouse found
    bread in the cellar. On Thursday the goat found cake in the yard. On Saturday the horse liked fish in the
    garden. On Friday the hen liked apples in the barn. On Wednesday the cat liked corn in the field. On
    Tuesday the cat ate cheese in the yard. On Monday the horse found corn in the kitchen. On Sunday the dog
    liked cake in the field. On Friday the hen liked apples in the barn. On Thursday the mouse found bread in
    the garden. On Saturday the goat liked fish in the cellar. On Tuesday the goat found cake in the yard. On
    Wednesday the cat liked corn in the garden. On Monday the horse found bread in the cellar. On Sunday the
    hen ate cheese in the field. On Monday the mouse ate apples in the kitchen. On Saturday the dog stole fish
    in the barn. On Thursday the horse stole cake in the cellar. On Friday the dog found apples in the field.
    On Tuesday the hen found bread in the garden. On Wednesday the goat found corn in the kitchen. On Sunday
    the mouse liked fish in the yard. On Thursday the cat stole cheese in the barn. On Tuesday the cat found
    apples in the cellar. On Friday the dog stole cheese in the barn. On Monday the hen ate corn in the yard.
    On Wednesday the goat stole cake in the kitchen. On Sunday the mouse ate bread in the garden. On Saturday
    the horse liked fish in the field.
"""
KINDS = (
    "monday tuesday wednesday thursday friday saturday sunday",
    "cat dog goat hen horse mouse",
    "ate found liked stole",
    "apples bread cake cheese corn fish",
    "barn cellar field garden kitchen yard",
)
BATCH_SIZE = 64
WINDOW = 2
EMBEDDING_SIZE = 16
NOISE_WORDS = 8


def numbered_words(text: str) -> tuple[np.ndarray, list[str]]:
    """Returns the text as numbers `int64[count]`, and the word of each number, the most frequent first."""
    words = text.lower().replace(".", "").split()
    vocabulary = [word for word, _ in collections.Counter(words).most_common()]
    return np.array([vocabulary.index(word) for word in words]), vocabulary


def skip_grams(
    text: np.ndarray, positions: np.ndarray, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the words at the positions, and for each of them a word near it."""
    distances = random.choice([d for d in range(-WINDOW, WINDOW + 1) if d != 0], size=len(positions))
    return text[positions], text[(positions + distances) % len(text)]


def embeddings(vocabulary_size: int) -> tf.Tensor:
    initializer = tf.random_uniform_initializer(-1.0, 1.0)
    return tf.get_variable("embeddings", [vocabulary_size, EMBEDDING_SIZE], initializer=initializer)


def train_embeddings(output_dir: str, steps: int) -> None:
    text, vocabulary = numbered_words(TEXT)
    random = np.random.RandomState(0)
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        positions = tf.train.range_input_producer(len(text), seed=1).dequeue_many(BATCH_SIZE)
        centers = tf.placeholder(tf.int64, [BATCH_SIZE], name="centers")
        contexts = tf.placeholder(tf.int64, [BATCH_SIZE], name="contexts")

        def feed_fn() -> dict[tf.Tensor, Any]:
            batch = skip_grams(text, positions.eval(), random)
            return dict(zip([centers, contexts], batch, strict=True))

        size = len(vocabulary)
        losses = tf.nn.nce_loss(
            weights=tf.get_variable("nce_weights", [size, EMBEDDING_SIZE]),
            biases=tf.get_variable("nce_biases", [size], initializer=tf.zeros_initializer()),
            labels=tf.expand_dims(contexts, 1),
            inputs=tf.nn.embedding_lookup(embeddings(size), centers),
            num_sampled=NOISE_WORDS,
            num_classes=size,
        )
        loss = tf.reduce_mean(losses)
        tf.summary.scalar("loss", loss)
        global_step = tf.train.get_or_create_global_step()
        train_op = tf.train.AdagradOptimizer(0.5).minimize(loss, global_step=global_step)
        learn.train(graph, output_dir, train_op, loss, feed_fn=feed_fn, log_every_steps=200, max_steps=steps)


def nearest_words(output_dir: str) -> dict[str, str]:
    """Returns for each word the word whose vector has the smallest angle to its own."""
    _, vocabulary = numbered_words(TEXT)
    with tf.Graph().as_default():
        vectors = tf.nn.l2_normalize(embeddings(len(vocabulary)), axis=1)
        _, nearest = tf.nn.top_k(tf.matmul(vectors, vectors, transpose_b=True), k=2)
        outputs = learn.infer(tf.train.latest_checkpoint(output_dir), {"nearest": nearest})
    # The first of the two is the word itself.
    return {
        word: vocabulary[number] for word, (_, number) in zip(vocabulary, outputs["nearest"], strict=True)
    }


def share_of_the_same_kind(nearest: dict[str, str]) -> float:
    """Prints the nearest word of each word, and returns how often the two are of the same kind."""
    kinds = [kind.split() for kind in KINDS]
    for kind in kinds:
        print(", ".join(f"{word} ~ {nearest[word]}" for word in kind))
    return float(np.mean([nearest[word] in kind for kind in kinds for word in kind]))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Trains word vectors on a short text.")
    parser.add_argument("--output-dir", default=os.path.join(tempfile.gettempdir(), "word_embeddings"))
    parser.add_argument("--steps", type=int, default=1500, help="train up to this global step")
    parser.add_argument("--at-least", type=float, default=0.8, help="fail if the share is lower")
    options = parser.parse_args(arguments)

    train_embeddings(options.output_dir, options.steps)
    share = share_of_the_same_kind(nearest_words(options.output_dir))
    print(f"Nearest word of the same kind: {share:.0%}")
    if share < options.at_least:
        sys.exit(f"That is less than {options.at_least:.0%}.")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("absl").setLevel(logging.WARNING)  # TensorFlow tells how long each save took
    main()
