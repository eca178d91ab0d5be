"""The tutorials that scripts import read MNIST, give the batches of TensorFlow 1, and build its network."""

from __future__ import annotations

import gzip
import itertools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_legacy_train.compat.tutorials import base, input_data, mnist

IMAGES = np.arange(10 * 4, dtype=np.uint8).reshape(10, 2, 2, 1)
LABELS = np.arange(10, dtype=np.uint8)

# The labels of six batches of four, by tensorflow.examples.tutorials.mnist.input_data of TensorFlow 1.15.5.
SEED_3 = [5, 4, 1, 2, 9, 6, 7, 0, 3, 8, 2, 3, 1, 4, 8, 9, 5, 7, 0, 6, 2, 9, 0, 4]
GRAPH_SEED_5 = [9, 5, 2, 4, 7, 1, 0, 8, 6, 3, 2, 1, 0, 4, 6, 5, 7, 8, 3, 9, 2, 4, 8, 3]
IN_ORDER = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3]


def write_mnist(folder: Path) -> None:
    for name, count in (("train", 10), ("t10k", 4)):
        images = struct.pack(">4i", 2051, count, 2, 2) + IMAGES[:count].tobytes()
        labels = struct.pack(">2i", 2049, count) + LABELS[:count].tobytes()
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))


@pytest.mark.parametrize(
    ("seed", "graph_seed", "shuffle", "labels"),
    [(3, None, True, SEED_3), (None, 5, True, GRAPH_SEED_5), (3, None, False, IN_ORDER)],
)
def test_batches_are_those_of_tensorflow_1(
    seed: Any, graph_seed: Any, shuffle: bool, labels: list[int]
) -> None:
    with tf.Graph().as_default():
        tf.compat.v1.set_random_seed(graph_seed)
        data = input_data.DataSet(IMAGES, LABELS, seed=seed)
    batches = [data.next_batch(4, shuffle=shuffle) for _ in range(6)]
    assert list(itertools.chain.from_iterable(batch for _, batch in batches)) == labels
    assert data.epochs_completed == 2
    images = np.concatenate([batch for batch, _ in batches])
    np.testing.assert_array_equal(
        images, IMAGES.reshape(10, 4)[labels].astype(np.float32) * np.float32(1 / 255)
    )


def test_the_four_files_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_mnist(tmp_path)
    data = input_data.read_data_sets(
        str(tmp_path), one_hot=True, validation_size=3, reshape=False, dtype=tf.uint8
    )
    np.testing.assert_array_equal(data.validation.images, IMAGES[:3])
    np.testing.assert_array_equal(data.train.images, IMAGES[3:])
    np.testing.assert_array_equal(data.test.labels, np.eye(10)[:4])
    assert data.train.num_examples == 7
    assert capsys.readouterr().out.count("Extracting") == 4


def test_made_up_data_needs_no_files(tmp_path: Path) -> None:
    data = input_data.read_data_sets(str(tmp_path), fake_data=True, one_hot=True)
    images, labels = data.train.next_batch(2)
    assert (len(images), len(images[0]), labels) == (2, 784, [[1] + [0] * 9] * 2)


def test_bad_files_are_named(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    with pytest.raises(ValueError, match="validation_size is 5000, but there are 10"):
        input_data.read_data_sets(str(tmp_path))
    labels = tmp_path / "train-labels-idx1-ubyte.gz"
    for content in (b"no gzip", gzip.compress(b"short"), gzip.compress(struct.pack(">2i", 2051, 3))):
        labels.write_bytes(content)
        with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte.gz .*MNIST"):
            input_data.read_data_sets(str(tmp_path))
    labels.unlink()
    with pytest.raises(OSError, match=r"train-labels-idx1-ubyte.gz is not there.* Put the file there"):
        input_data.read_data_sets(str(tmp_path), source_url="file:///no/such/folder/")
    assert not list(tmp_path.glob("*.part"))


def test_images_that_cannot_be_are_refused() -> None:
    with pytest.raises(TypeError, match=r"Images are tf\.uint8 or tf\.float32, not tf\.int32"):
        input_data.DataSet(IMAGES, LABELS, dtype=tf.int32)
    with pytest.raises(ValueError, match="There are 10 images, but 9 labels"):
        input_data.DataSet(IMAGES, LABELS[:9])


def test_mnist_is_read_as_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directories: list[str] = []
    monkeypatch.setattr(input_data, "read_data_sets", directories.append)
    input_data.load_mnist(str(tmp_path))
    input_data.load_mnist()
    assert directories == [str(tmp_path), "MNIST-data"]


def test_missing_files_are_fetched(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    write_mnist(source)
    data = input_data.read_data_sets(str(target), validation_size=0, source_url=f"{source.as_uri()}/")
    assert data.train.num_examples == 10
    assert len(list(target.iterdir())) == 4


def test_csv_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "iris.csv"
    path.write_text("2,3,a,b\n1.5,2,3,0\n4,5,6,1\n")
    data = base.load_csv_with_header(str(path), np.int64, np.float32)
    assert (data.data.tolist(), data.target.tolist()) == ([[1.5, 2, 3], [4, 5, 6]], [0, 1])
    path.write_text("1.5,2\n4,5\n")
    data = base.load_csv_without_header(str(path), np.int64, np.float32, target_column=-1)
    assert (data.data.tolist(), data.target.tolist()) == ([[1.5], [4]], [2, 5])
    path.write_text("3,1\n1,2\n")
    with pytest.raises(ValueError, match="says that it has"):
        base.load_csv_with_header(str(path), np.int64, np.float32)


def test_the_network_of_the_tutorial_learns() -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.compat.v1.set_random_seed(1)
        logits = mnist.inference(tf.eye(10, mnist.IMAGE_PIXELS), 8, 8)
        loss = mnist.loss(logits, tf.range(10))
        step = mnist.training(loss, 1.0)
        right = mnist.evaluation(logits, tf.range(10))
        names = [variable.op.name for variable in tf.compat.v1.global_variables()]
        session.run(tf.compat.v1.global_variables_initializer())
        before = session.run(loss)
        for _ in range(300):
            session.run(step)
        assert session.run(loss) < before
        assert session.run(right) >= 5
    layers = [
        f"{layer}/{name}"
        for layer in ("hidden1", "hidden2", "softmax_linear")
        for name in ("weights", "biases")
    ]
    assert names == [*layers, "global_step"]
