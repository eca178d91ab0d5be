"""Defines the workloads: the same models on the same data, once as graphs and once as Keras models.

Also imported under Python 3.7; needs nothing but NumPy.
"""

from __future__ import annotations

import dataclasses
import os

import numpy as np

# Names the file of digits, which `run.py` writes, so that Python 3.7 need not have scikit-learn.
DIGITS_VARIABLE = "KLT_BENCHMARK_DIGITS"
# Names the directory of record files, which `pipelines.py` writes.
RECORDS_VARIABLE = "KLT_BENCHMARK_RECORDS"

VOCABULARY, WORDS = 100_000, 20
# Filters of the convolutions, by blocks that end with a pooling.
CONV_BLOCKS = {"conv": [[16], [32]], "conv-large": [[64, 64], [128, 128], [256, 256]]}


@dataclasses.dataclass(frozen=True)
class Workload:
    """Describes one training job.

    Attributes:
        title: Its description.
        batch_size: Examples in a step.
        source: How a step gets its batch: "constant", always the same one; "dataset", through `tf.data`;
            "pipeline", the same through several stages, see `workloads.pipelines`; "feed", as NumPy arrays.
        wants_gpu: Whether it is for machines with a GPU only, since on others a step takes seconds.
    """

    title: str
    batch_size: int
    source: str = "dataset"
    wants_gpu: bool = False

    @property
    def has_dataset(self) -> bool:
        """Returns whether its batches come from `tf.data`."""
        return self.source in ("dataset", "pipeline")


WORKLOADS = {
    "linear": Workload("linear model, constant batch", 64, "constant"),
    "softmax": Workload("softmax regression", 32),
    "mlp": Workload("MLP 64-512-512-10", 256),
    "conv": Workload("small conv net", 64),
    "conv-large": Workload("conv net, 32x32 images, up to 256 filters", 128, wants_gpu=True),
    "embedding": Workload("embedding of 100,000 rows, sparse gradients", 64),
    "lstm": Workload("LSTM, 64 units, 8 time steps", 32),
    "feed": Workload("softmax regression, fed", 32, "feed"),
    "map": Workload("softmax 784-10: shuffle, parallel map, batch, prefetch", 32, "pipeline"),
    "records": Workload("the same from TFRecords, parsed", 32, "pipeline"),
    "interleave": Workload("the same from four TFRecord files, interleaved", 32, "pipeline"),
    "generator": Workload("the same from_generator of examples", 32, "pipeline"),
}

PIPELINES = tuple(name for name in WORKLOADS if WORKLOADS[name].source == "pipeline")


def arrays(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns all examples of a workload and their targets."""
    rng = np.random.RandomState(0)
    if name == "linear":
        inputs = rng.randn(WORKLOADS[name].batch_size, 8).astype(np.float32)
        return inputs, inputs.sum(axis=1, keepdims=True) + 1
    if name == "conv-large":
        return rng.rand(2048, 32, 32, 3).astype(np.float32), rng.randint(10, size=2048)
    if name == "embedding":
        return rng.randint(VOCABULARY, size=(4096, WORDS)).astype(np.int32), rng.randint(10, size=4096)
    digits = np.load(os.environ[DIGITS_VARIABLE])
    images, labels = digits["images"], digits["labels"]
    shapes = {"conv": (-1, 8, 8, 1), "lstm": (-1, 8, 8)}
    return images.reshape(shapes.get(name, (-1, 64))), labels


def save_digits(path: str) -> None:
    """Writes scikit-learn's digits: images `float32[1797, 64]` from 0 to 1, labels `int64[1797]`."""
    import sklearn.datasets

    images, labels = sklearn.datasets.load_digits(return_X_y=True)
    np.savez(path, images=(images / 16).astype(np.float32), labels=labels.astype(np.int64))
