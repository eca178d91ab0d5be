"""Looks up rows of matrices: words, and sequences of them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train import framework
from keras_legacy_train.contrib.layers.core import dense_to_sparse
from keras_legacy_train.contrib.layers.regularizers import Regularizer

v1 = tf.compat.v1


def embed_sequence(
    ids: Any,
    vocab_size: int | None = None,
    embed_dim: int | None = None,
    unique: bool = False,
    initializer: Any = None,
    regularizer: Regularizer | None = None,
    trainable: bool = True,
    scope: Any = None,
    reuse: Any = None,
) -> Any:
    """Returns a row of a matrix for each number in sequences; stands for that of `tf.contrib.layers`.

    Args:
        ids: Numbers of rows, of shape `[batch, length]`.
        vocab_size: The number of rows; not needed to use a matrix again.
        embed_dim: The size of a row.
        unique: Whether each row is looked up once only.
        initializer: Initialiser of `embeddings`, the matrix.
        regularizer: Function from `embeddings` to a loss.
        trainable: Whether `embeddings` is trained.
        scope: The variable scope or its name; by default a new one, `EmbedSequence`.
        reuse: Whether `embeddings` of `scope` is used again.

    Returns:
        A tensor of shape `[batch, length, embed_dim]`.

    Raises:
        ValueError: A size is not given, and there is no matrix to use again.
    """
    if not reuse and not (vocab_size and embed_dim):
        raise ValueError(
            "Must specify vocab size and embedding dimension when not reusing. Got vocab_size="
            f"{vocab_size} and embed_dim={embed_dim}"
        )
    with v1.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        embeddings = framework.model_variable(
            "embeddings",
            shape=[vocab_size, embed_dim] if vocab_size and embed_dim else None,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        if unique:
            return embedding_lookup_unique(embeddings, ids)
        return v1.nn.embedding_lookup(embeddings, ids)


def bow_encoder(
    ids: Any,
    vocab_size: int,
    embed_dim: int,
    sparse_lookup: bool = True,
    initializer: Any = None,
    regularizer: Regularizer | None = None,
    trainable: bool = True,
    scope: Any = None,
    reuse: Any = None,
) -> Any:
    """Returns the average row of a matrix for the numbers in each sequence.

    Stands for `tf.contrib.layers.bow_encoder`, a bag of words.

    Args:
        ids: Numbers of rows, of shape `[batch, length]`, or a `SparseTensor`.
        vocab_size: The number of rows.
        embed_dim: The size of a row.
        sparse_lookup: Whether zeros stand for no word. A sequence without words has row 0.
        initializer: Initialiser of `embeddings`, the matrix.
        regularizer: Function from `embeddings` to a loss.
        trainable: Whether `embeddings` is trained.
        scope: The variable scope or its name; by default a new one, `bow_encoder`.
        reuse: Whether `embeddings` of `scope` is used again.

    Returns:
        A tensor of shape `[batch, embed_dim]`.

    Raises:
        ValueError: A size is not given.
        TypeError: `ids` is sparse, and `sparse_lookup` is false.
    """
    if not vocab_size or not embed_dim:
        raise ValueError("Must specify vocab size and embedding dimension")
    is_sparse = isinstance(ids, tf.SparseTensor)
    if is_sparse and not sparse_lookup:
        raise TypeError(f"ids are expected to be dense Tensor, got: {ids}")
    with v1.variable_scope(scope, "bow_encoder", [ids], reuse=reuse):
        embeddings = framework.model_variable(
            "embeddings",
            shape=[vocab_size, embed_dim],
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        if not sparse_lookup:
            return tf.reduce_mean(v1.nn.embedding_lookup(embeddings, ids), axis=1)
        words = ids if is_sparse else dense_to_sparse(ids)
        return safe_embedding_lookup_sparse([embeddings], words, combiner="mean", default_id=0)


def embedding_lookup_unique(
    params: Any, ids: Any, partition_strategy: str = "mod", name: str | None = None
) -> Any:
    """Returns rows of a matrix, each of which is looked up once only.

    Stands for `tf.contrib.layers.embedding_lookup_unique`.

    Args:
        params: The matrix, or a list of its parts.
        ids: Numbers of rows, a tensor of any shape.
        partition_strategy: How rows are spread over parts: "mod" or "div".
        name: The name scope, `EmbeddingLookupUnique` by default.

    Returns:
        A tensor of the shape of `ids`, with one more dimension, the size of a row.
    """
    with v1.name_scope(name, "EmbeddingLookupUnique", [params, ids]):
        ids = tf.convert_to_tensor(ids)
        unique_ids, places = tf.unique(tf.reshape(ids, [-1]))
        rows = v1.nn.embedding_lookup(params, unique_ids, partition_strategy)
        outputs = tf.reshape(tf.gather(rows, places), tf.concat([tf.shape(ids), tf.shape(rows)[1:]], 0))
        outputs.set_shape(ids.shape.concatenate(rows.shape[1:]))
        return outputs


def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: Any,
    sparse_weights: Any = None,
    combiner: str | None = None,
    default_id: int | None = None,
    name: str | None = None,
    partition_strategy: str = "div",
    max_norm: float | None = None,
) -> Any:
    """Combines the rows of a matrix for each example; stands for that of `tf.contrib.layers`.

    Numbers below zero, and weights that are not above it, are left out.

    Args:
        embedding_weights: The matrix, or a list of its parts.
        sparse_ids: Numbers of rows, a `SparseTensor` of shape `[batch, ..., length]`.
        sparse_weights: Their weights, a `SparseTensor` of the same shape; `None` for ones.
        combiner: "mean", "sqrtn" or "sum"; "mean" by default.
        default_id: Row for examples without numbers; `None` for zeros.
        name: The name scope.
        partition_strategy: How rows are spread over parts: "mod" or "div".
        max_norm: The largest length of a row, to which longer ones are scaled down.

    Returns:
        A tensor of shape `[batch, ..., embed_dim]`.

    Raises:
        ValueError: There is no matrix.
    """
    return v1.nn.safe_embedding_lookup_sparse(
        embedding_weights,
        sparse_ids,
        sparse_weights,
        combiner or "mean",
        default_id,
        name or "embedding_lookup",
        partition_strategy,
        max_norm,
    )
