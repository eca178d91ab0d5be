"""Columns of `contrib.layers` make of features what they made in TensorFlow 1.15.5, and refuse what they did.

The numbers, names and messages are those that its functions gave for the same calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train.contrib import layers

v1 = tf.compat.v1

SIZE = layers.real_valued_column("size", 2)
WORD = layers.sparse_column_with_keys("word", ["a", "b", "c"])
ID = layers.sparse_column_with_integerized_feature("id", 10)
BUCKETS = layers.bucketized_column(SIZE, (1.0, 2.0))
WEIGHTED = layers.weighted_sparse_column(WORD, "weight")


@pytest.fixture(autouse=True)
def graph() -> Iterator[None]:
    with tf.Graph().as_default():
        yield


def features() -> dict[str, Any]:
    return {
        "size": tf.constant([[1.0, 2.0], [0.5, 3.0], [9.0, 1.5]]),
        "word": tf.constant([["a", "b"], ["", "a"], ["c", ""]]),
        # A dense feature of weights lacks those that are zero, as one of words those that are empty.
        "weight": tf.constant([[0.5, 2.0], [0.0, 3.0], [1.0, 0.0]]),
        "whole_weight": tf.constant([[1, 2], [0, 3], [1, 0]]),
        "id": tf.constant([[3, 12], [-1, 5], [1, -1]]),
        "cube": tf.reshape(tf.range(12.0), [3, 2, 2]),
        "words_in_cube": tf.SparseTensor([[0, 0, 1], [0, 1, 0], [2, 1, 1]], ["a", "b", "a"], [3, 2, 2]),
    }


def counting(shape: Any, **_: Any) -> tf.Tensor:
    return tf.reshape(tf.range(float(np.prod(shape))), shape)


def linear(column: Any) -> list[float]:
    """Returns the outputs of a linear model whose weights are 1, 2, 3 and so on."""
    sums, variables, _ = layers.weighted_sum_from_feature_columns(features(), [column], 1)
    (weights,) = variables[column]
    numbers = np.arange(1.0, weights.shape.num_elements() + 1).reshape(weights.shape)
    assert weights.name == f"weighted_sum_from_feature_columns/{column.name}/weights:0"
    with v1.Session() as session:
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        session.run(v1.assign(weights, numbers))
        return [float(each) for (each,) in session.run(sums)]


def deep(columns: Any) -> tuple[Any, dict[str, list[int]], list[str]]:
    """Returns the input of a network, the shape of each column's, and the names of the variables."""
    of_columns: dict[Any, Any] = {}
    made = layers.input_from_feature_columns(features(), columns, cols_to_outs=of_columns)
    with v1.Session() as session:
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        found = session.run(made)
    shapes = {column.name: output.shape.as_list() for column, output in of_columns.items()}
    return found, shapes, [variable.op.name for variable in v1.global_variables()]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (BUCKETS, [8, 7, 8]),
        (WEIGHTED, [4.5, 3, 3]),
        (layers.weighted_sparse_column(WORD, "whole_weight", tf.int32), [5, 3, 3]),
        (layers.sparse_column_with_hash_bucket("id", 6, dtype=tf.int64), [9, 2, 4]),
        (layers.sparse_column_with_hash_bucket("word", 6, hash_keys=[[1, 2], [3, 4]]), [14, 6, 9]),
        (layers.crossed_column([layers.crossed_column([WORD, ID], 20), BUCKETS], 30), [122, 110, 112]),
        (
            layers.crossed_column(
                [WORD, layers.sparse_column_with_hash_bucket("word", 7)],
                25,
                hash_key=layers.SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY,
            ),
            [52, 66, 57],
        ),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_linear_models_sum_the_weights_that_they_summed(column: Any, expected: list[float]) -> None:
    assert linear(column) == expected


def test_networks_get_the_inputs_that_they_got() -> None:
    embedding = layers.embedding_column(WORD, 2, initializer=counting)
    columns = [embedding, layers.one_hot_column(WORD)]
    found, shapes, variables = deep(columns)
    np.testing.assert_allclose(found, [[1, 2, 1, 1, 0], [0, 1, 1, 0, 0], [4, 5, 0, 0, 1]])
    assert shapes == {"word_embedding": [3, 2], "word_one_hot": [3, 3]}
    assert variables == ["input_from_feature_columns/word_embedding/weights"]

    transformed = layers.transform_features(features(), [*columns, WEIGHTED])
    with v1.Session() as session:
        session.run(v1.tables_initializer())
        made = session.run([transformed[column] for column in (*columns, WEIGHTED)])
    assert [each.values.tolist() for each in (*made[:2], made[2][0])] == [[0, 1, 0, 2]] * 3
    spec = layers.create_feature_spec_for_parsing([BUCKETS, layers.one_hot_column(WORD)])
    assert spec == {"size": tf.io.FixedLenFeature([2], tf.float32), "word": tf.io.VarLenFeature(tf.string)}


def test_features_of_more_dimensions_are_made_flat() -> None:
    words = layers.sparse_column_with_keys("words_in_cube", ["a", "b"])
    columns = [layers.embedding_column(words, 2, "sum", counting), layers.real_valued_column("cube", 4)]
    found, shapes, _ = deep(columns)
    np.testing.assert_allclose(found, [[2, 4, 0, 1, 2, 3], [0, 0, 4, 5, 6, 7], [0, 1, 8, 9, 10, 11]])
    assert shapes["cube"] == [3, 4]


@pytest.mark.parametrize("columns", [[WORD, WEIGHTED], [WEIGHTED, WORD]])
def test_columns_share_a_matrix(columns: list[Any]) -> None:
    found, _, variables = deep(layers.shared_embedding_columns(columns, 2, initializer=counting))
    # A mean of the rows [0, 1] and [2, 3] with the weights 0.5 and 2, for one.
    np.testing.assert_allclose(found, [[1, 2, 1.6, 2.6], [0, 1, 0, 1], [4, 5, 4, 5]])
    of_both = "word_word_weighted_by_weight_shared_embedding"
    assert variables == [f"input_from_feature_columns/word_shared_embedding/{of_both}"]


def test_a_shared_matrix_has_the_name_of_up_to_three_columns() -> None:
    d, b, c, a = (layers.sparse_column_with_hash_bucket(name, 10) for name in "dbca")
    of_four = layers.shared_embedding_columns([d, b, c, a], 2)
    assert {column.shared_embedding_name for column in of_four} == {"a_b_c_plus_1_others_shared_embedding"}
    weighted = layers.weighted_sparse_column(a, "w")
    of_both_kinds = layers.shared_embedding_columns([weighted, d], 2)
    assert of_both_kinds[0].shared_embedding_name == "d_a_weighted_by_w_shared_embedding"
    (alone,) = layers.shared_embedding_columns([d], 2)
    assert (alone.name, alone.shared_embedding_name) == ("d_embedding", None)


def test_a_shared_matrix_has_one_shape() -> None:
    other = layers.sparse_column_with_integerized_feature("id", 7)
    columns = [
        layers.shared_embedding_columns([column, column], 2, shared_embedding_name="s")[0]
        for column in (ID, other)
    ]
    with pytest.raises(ValueError, match=r"The embedding variable with name s already exists, but its shape"):
        deep(columns)
    unlike = layers.sparse_column_with_keys("word", ["a", "b", "d"])
    with pytest.raises(ValueError, match=r"The input sparse id columns are not compatible\."):
        layers.shared_embedding_columns([WORD, unlike], 2)


def test_arguments_that_cannot_be_right_are_refused_in_the_words_of_the_original() -> None:
    by_hash, both_or_none = layers.sparse_column_with_hash_bucket, "Must specify both `ckpt_to_load_from` and"
    for call, error, message in [
        (
            lambda: layers.real_valued_column("a", 1.5),
            TypeError,
            "dimension must be an integer. dimension: 1",
        ),
        (lambda: layers.real_valued_column("a", 0), ValueError, "dimension must be greater than 0."),
        (lambda: layers.real_valued_column("a", dtype=tf.string), ValueError, "must be convertible to float"),
        (lambda: layers.bucketized_column(SIZE, []), ValueError, "boundaries must be a non-empty list or"),
        (lambda: layers.shared_embedding_columns("ab", 2), TypeError, "must be a non-string sequence"),
        (lambda: layers.shared_embedding_columns([], 2), ValueError, "should have at least one element."),
        (
            lambda: layers.shared_embedding_columns([WORD, SIZE], 2),
            TypeError,
            "Elements of sparse_id_columns",
        ),
        (lambda: layers.embedding_column(WORD, 2, ckpt_to_load_from="x"), ValueError, both_or_none),
        (lambda: layers.crossed_column([WORD, ID], 5, tensor_name_in_ckpt="x"), ValueError, both_or_none),
        (lambda: layers.crossed_column([WORD, ID], 1), ValueError, "hash_bucket_size must be at least 2."),
        (lambda: by_hash("a", 5, dtype=tf.float32), ValueError, "dtype must be string or integer."),
        (
            lambda: layers.sparse_column_with_integerized_feature("a", 5, dtype=tf.string),
            ValueError,
            "dtype must be an integer if is_integerized is True.",
        ),
        (lambda: by_hash("a", 5, hash_keys=[]), ValueError, "hash_keys must be a non-empty list"),
        (lambda: by_hash("a", 5, hash_keys=[[1]]), ValueError, "pairs of integers"),
        (lambda: by_hash("a", 5, hash_keys=[1]), ValueError, "pairs of integers"),
        (
            lambda: layers.weighted_sparse_column(WORD, "w", tf.string),
            ValueError,
            "not convertible to float.",
        ),
        (
            lambda: layers.infer_real_valued_columns({"s": tf.sparse.eye(2)}),
            ValueError,
            "SparseTensor is not supported for auto detection.",
        ),
        (
            lambda: layers.infer_real_valued_columns(tf.constant([["a"]])),
            ValueError,
            "Non integer or non floating types are not supported for auto detection.",
        ),
        (
            # The original failed by multiplying with None.
            lambda: layers.infer_real_valued_columns(v1.placeholder(tf.float32, [3, None])),
            ValueError,
            "The shape of a feature must be known but for its first dimension",
        ),
    ]:
        with pytest.raises(error, match=message):
            call()
