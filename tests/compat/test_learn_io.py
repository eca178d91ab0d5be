"""Examples are read as by `tf.contrib.learn.io`."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from keras_legacy_train.compat.tutorials import learn_io

v1 = tf.compat.v1


def write_examples(path: Path, numbers: range) -> None:
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number in numbers:
            feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
            example = tf.train.Example(features=tf.train.Features(feature={"number": feature}))
            writer.write(example.SerializeToString())


@pytest.mark.parametrize("randomize_input", [False, True])
def test_all_examples_of_an_epoch_are_read(randomize_input: bool, tmp_path: Path) -> None:
    write_examples(tmp_path / "a.tfrecords", range(5))
    write_examples(tmp_path / "b.tfrecords", range(5, 7))
    with tf.Graph().as_default(), v1.Session() as session:
        features = learn_io.read_batch_features(
            str(tmp_path / "*.tfrecords"),
            batch_size=3,
            features={"number": v1.FixedLenFeature([], tf.int64)},
            reader=v1.TFRecordReader,
            randomize_input=randomize_input,
            num_epochs=1,
        )
        session.run(v1.local_variables_initializer())
        coordinator = tf.train.Coordinator()
        v1.train.start_queue_runners(session, coordinator)
        batches = []
        with pytest.raises(tf.errors.OutOfRangeError):
            while True:
                batches.append(session.run(features["number"]).tolist())
        coordinator.request_stop()
        coordinator.join()
    assert [len(batch) for batch in batches] == [3, 3, 1]
    numbers = [number for batch in batches for number in batch]
    assert sorted(numbers) == list(range(7))
    assert randomize_input or numbers == list(range(7))


def test_a_pattern_without_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"No files match .*none"):
        learn_io.read_batch_features(str(tmp_path / "none*"), 3, {}, v1.TFRecordReader)
