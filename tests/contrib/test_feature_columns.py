import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train import learn
from keras_legacy_train.contrib import layers

v1 = tf.compat.v1


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def run(tensors):
    with v1.Session() as session:
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        return session.run(tensors)


def test_columns_say_how_examples_are_parsed():
    word = layers.sparse_column_with_hash_bucket("word", 10)
    columns = [
        layers.real_valued_column("size", 2, default_value=[1, 2]),
        layers.embedding_column(layers.weighted_sparse_column(word, "weight"), 3),
        layers.crossed_column([word, layers.sparse_column_with_integerized_feature("id", 5)], 10),
    ]
    spec = layers.create_feature_spec_for_parsing(columns)
    assert spec == {
        "size": tf.io.FixedLenFeature([2], tf.float32, [1.0, 2.0]),
        "word": tf.io.VarLenFeature(tf.string),
        "weight": tf.io.VarLenFeature(tf.float32),
        "id": tf.io.VarLenFeature(tf.int64),
    }
    example = tf.train.Example()
    example.features.feature["word"].bytes_list.value.append(b"red")
    features = layers.parse_feature_columns_from_examples([example.SerializeToString()], [*columns[:1], word])
    assert run(features["size"]).tolist() == run(features[columns[0]]).tolist() == [[1.0, 2.0]]
    placeholders = layers.make_place_holder_tensors_for_base_features(columns)
    assert placeholders["size"].shape.as_list() == [None, 2]
    assert isinstance(placeholders["word"], tf.SparseTensor)


def test_categories_are_numbered_by_the_lines_of_a_file(tmp_path):
    (tmp_path / "words.txt").write_text("red\ngreen\n")
    options = {"vocabulary_file": str(tmp_path / "words.txt"), "vocab_size": 2}
    columns = [
        layers.sparse_column_with_vocabulary_file("word", **options),
        layers.sparse_column_with_vocabulary_file("word", num_oov_buckets=1, **options),
    ]
    made = layers.transform_features({"word": tf.constant([["green", ""], ["blue", "red"]])}, columns)
    assert [run(made[column].values).tolist() for column in columns] == [[1, -1, 0], [1, 2, 0]]
    assert [column.length for column in columns] == [2, 3]


def test_columns_of_equal_features_are_equal_and_may_come_once():
    first, second = (layers.sparse_column_with_keys("word", ["a", "b"]) for _ in range(2))
    assert first == second
    assert len({first, second}) == 1
    with pytest.raises(ValueError, match="Duplicate feature column key found for column: word"):
        layers.check_feature_columns([first, second])
    with pytest.raises(ValueError, match="found dict"):
        layers.check_feature_columns({"word": first})


def test_columns_of_numbers_are_inferred():
    features = {"a": tf.zeros([4, 3, 2]), "b": tf.zeros([4], tf.int32)}
    assert layers.infer_real_valued_columns(features) == [
        layers.real_valued_column("a", 6),
        layers.real_valued_column("b", dtype=tf.int32),
    ]
    assert layers.infer_real_valued_columns(tf.zeros([4, 3])) == [layers.real_valued_column("", 3)]
    with pytest.raises(ValueError, match="Non integer or non floating"):
        layers.infer_real_valued_columns(tf.constant(["a"]))


def test_a_model_starts_with_the_weights_of_a_checkpoint(tmp_path):
    weights = np.arange(6.0, dtype="float32").reshape(3, 2)
    with tf.Graph().as_default(), v1.Session() as session:
        v1.get_variable("old", initializer=weights)
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(tmp_path / "model"))
    ids = layers.sparse_column_with_integerized_feature("id", 3)
    column = layers.embedding_column(ids, 2, ckpt_to_load_from=path, tensor_name_in_ckpt="old")
    inputs = layers.input_from_feature_columns({"id": tf.constant([[2], [0]])}, [column])
    assert run(inputs).tolist() == [[4.0, 5.0], [0.0, 1.0]]


def test_columns_that_do_not_fit_are_refused():
    word = layers.sparse_column_with_hash_bucket("word", 10)
    age = layers.real_valued_column("age")
    ids = layers.sparse_column_with_integerized_feature("id", 5)
    features = {"word": tf.constant([["a"]]), "age": tf.constant([[1.0]])}
    of_networks, of_sums = layers.input_from_feature_columns, layers.weighted_sum_from_feature_columns
    for call, error, message in [
        (lambda: of_networks(features, [word]), ValueError, "not supported in DNN"),
        (lambda: of_sums(features, [layers.embedding_column(word, 2)], 1), ValueError, "in linear models"),
        (lambda: of_sums(features, [ids], 1), ValueError, r"Feature 'id' missing from \['age', 'word'\]"),
        (
            lambda: layers.joint_weighted_sum_from_feature_columns(features, [age], 1),
            ValueError,
            "Column age is of plain numbers",
        ),
        (lambda: layers.bucketized_column(word, [1]), TypeError, "source_column must be"),
        (lambda: layers.bucketized_column(age, [2, 1]), ValueError, "sorted"),
        (lambda: layers.crossed_column([word], 10), ValueError, "at least 2 elements"),
        (lambda: layers.crossed_column([word, age], 10), TypeError, "must be a set of sparse, crossed"),
        (lambda: layers.real_valued_column("a", 2, [1.0]), ValueError, "length of default_value"),
        (lambda: layers.real_valued_column("a", dtype=tf.int32, default_value=1.5), TypeError, "compatible"),
        (lambda: layers.sparse_column_with_hash_bucket("a", 0), ValueError, "at least 1"),
        (lambda: layers.sparse_column_with_vocabulary_file("a", "f"), ValueError, "vocab_size should be"),
        (lambda: layers.shared_embedding_columns([word, ids], 2), ValueError, "not compatible"),
        (lambda: layers.embedding_column(word, 2, initializer=1), ValueError, "must be callable"),
        (lambda: layers.create_feature_spec_for_parsing(["age"]), TypeError, "columns of tf.contrib.layers"),
    ]:
        with pytest.raises(error, match=message):
            call()


def test_columns_of_both_kinds_do_not_mix_in_an_estimator(tmp_path):
    columns = [layers.real_valued_column("age"), tf.feature_column.numeric_column("size")]
    estimator = learn.LinearRegressor(columns, str(tmp_path))
    with pytest.raises(
        ValueError, match=r"mixes columns of tf.feature_column with those of tf.contrib.layers"
    ):
        estimator.fit(input_fn=lambda: ({"age": tf.ones([2, 1])}, tf.ones([2])), steps=1)
    with pytest.raises(ValueError, match="_joint_weights must be False"):
        learn.LinearRegressor(columns[1:], _joint_weights=True)
