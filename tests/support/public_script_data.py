"""Makes the data that public scripts read: small, synthetic, and the same each time.

Each maker fills a folder. There is something to learn in all data, so that a loss can fall.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import pickle
import tarfile
import wave
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

WORDS = [
    "the",
    "a",
    "cat",
    "dog",
    "sees",
    "likes",
    "big",
    "small",
    "house",
    "tree",
    "runs",
    "and",
    "then",
    "old",
    "new",
    "man",
    "woman",
    "red",
    "blue",
    "river",
]


def digits(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns images of strokes in ten forms, moved about and noisy.

    Args:
        number: How many.
        seed: Draws what differs between the images. The ten forms are the same for all seeds.

    Returns:
        Images of shape `[number, 28, 28]` and their labels, both of `uint8`.
    """
    random = np.random.RandomState(0)
    forms = np.zeros((10, 28, 28))
    for form in forms:
        points = random.uniform(5, 22, (5, 2))
        for start, end in itertools.pairwise(points):
            rows, columns = np.linspace(start, end, 60).astype(int).T
            form[rows, columns] = form[rows + 1, columns] = 1
    random = np.random.RandomState(seed + 1)
    labels = random.randint(0, 10, number).astype(np.uint8)
    moves = random.randint(-2, 3, (number, 2))
    images = np.stack(
        [np.roll(forms[label], move, (0, 1)) for label, move in zip(labels, moves, strict=True)]
    )
    noise = (random.rand(*images.shape) < 0.02) * random.rand(*images.shape)
    return (np.clip(images + noise, 0, 1) * 255).astype(np.uint8), labels


def make_mnist(folder: Path, train: int = 6000, test: int = 1000, zipped: bool = True) -> None:
    """Writes the four files of MNIST. Scripts take 5,000 of the training images for validation."""
    for name, number, seed in (("train", train, 0), ("t10k", test, 1)):
        images, labels = (
            np.resize(part, (number, *part.shape[1:])) for part in digits(min(number, 6000), seed)
        )
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = np.array([0x800 + array.ndim, *array.shape], ">i4").tobytes()
            path = folder / f"{name}-{kind}-ubyte"
            if zipped:
                path.with_name(path.name + ".gz").write_bytes(
                    gzip.compress(header + array.tobytes(), 1, mtime=0)
                )
            else:
                path.write_bytes(header + array.tobytes())


def make_whole_mnist(folder: Path) -> None:
    """Writes MNIST in its full size and not compressed, for scripts that read it themselves."""
    make_mnist(folder, 60000, 10000, zipped=False)


def _write_records(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    import tensorflow as tf

    def feature(value: Any) -> Any:
        if isinstance(value, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(value)))

    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in rows:
            features = tf.train.Features(feature={name: feature(value) for name, value in row.items()})
            writer.write(tf.train.Example(features=features).SerializeToString())


def make_digit_records(folder: Path) -> None:
    """Writes TFRecords of raw images, as `convert_to_records.py` of TensorFlow's examples does."""
    for seed, (name, number) in enumerate((("train", 1000), ("validation", 200))):
        _write_records(
            folder / f"{name}.tfrecords",
            (
                {"height": 28, "width": 28, "depth": 1, "label": int(label), "image_raw": image.tobytes()}
                for image, label in zip(*digits(number, seed), strict=True)
            ),
        )


def make_slim_records(folder: Path) -> None:
    """Writes TFRecords of PNG images, as slim's `download_and_convert_data.py` does for MNIST."""
    from PIL import Image

    def png(image: np.ndarray) -> bytes:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "png")
        return file.getvalue()

    for seed, (name, number) in enumerate((("train", 600), ("test", 200))):
        _write_records(
            folder / f"mnist_{name}.tfrecord",
            (
                {
                    "image/encoded": png(image),
                    "image/format": b"png",
                    "image/class/label": int(label),
                    "image/height": 28,
                    "image/width": 28,
                }
                for image, label in zip(*digits(number, seed), strict=True)
            ),
        )
    (folder / "labels.txt").write_text("".join(f"{label}:{label}\n" for label in range(10)))


def make_cifar10(folder: Path) -> None:
    """Writes the archive of CIFAR-10 in its binary form, with 1,000 images in each batch."""
    random = np.random.RandomState(0)
    forms = random.randint(0, 156, (10, 3072), np.uint8)
    with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz", compresslevel=1) as archive:
        for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
            labels = random.randint(0, 10, 1000, np.uint8)
            images = forms[labels] + random.randint(0, 100, (1000, 3072), np.uint8)
            rows = np.column_stack([labels, images])
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            info.size = rows.size
            archive.addfile(info, io.BytesIO(rows.tobytes()))


def _sentences(number: int, seed: int = 0) -> Iterator[str]:
    """Draws sentences, in which each word depends on the one before it."""
    random = np.random.RandomState(seed)
    following = np.random.RandomState(0).dirichlet(np.full(len(WORDS), 0.1), len(WORDS))
    word = 0
    for _ in range(number):
        sentence = []
        for _ in range(random.randint(5, 12)):
            word = random.choice(len(WORDS), p=following[word])
            sentence.append(WORDS[word])
        yield " ".join(sentence)


def make_text(folder: Path) -> None:
    """Writes a text of 600 sentences."""
    (folder / "input.txt").write_text(".\n".join(_sentences(600)))


def make_ptb(folder: Path) -> None:
    """Writes texts under the names of the Penn Treebank's parts."""
    for seed, (name, number) in enumerate((("train", 1000), ("valid", 120), ("test", 50))):
        (folder / f"ptb.{name}.txt").write_text("\n".join(_sentences(number, seed)) + "\n")


def make_reviews(folder: Path) -> None:
    """Writes sentences with a good word into a file, and some with a bad word into another."""
    for name, words in (("pos", ("good", "fine", "great")), ("neg", ("bad", "awful", "poor"))):
        lines = (f"{words[number % 3]} {text} .\n" for number, text in enumerate(_sentences(400)))
        (folder / f"{name}.txt").write_text("".join(lines))


def make_acceptability(folder: Path) -> None:
    """Writes the task CoLA, in which sentences with a cat are right, and a small BERT's configuration."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "."]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    config = {
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 32,
        "initializer_range": 0.02,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "type_vocab_size": 2,
        "vocab_size": len(vocabulary),
    }
    (folder / "bert_config.json").write_text(json.dumps(config))
    for seed, (name, number) in enumerate((("train", 400), ("dev", 80))):
        lines = (f"id\t{int('cat' in text.split())}\t\t{text} .\n" for text in _sentences(number, seed))
        (folder / f"{name}.tsv").write_text("".join(lines))


def make_tagged_text(folder: Path) -> None:
    """Writes a text with tags in the form of CoNLL, and vectors of its words in that of GloVe."""
    random = np.random.RandomState(0)
    names = {"Mary": "B-PER", "Smith": "I-PER", "Paris": "B-LOC", "London": "B-LOC", "Bank": "B-ORG"}
    lines = []
    for _ in range(60):
        for word in random.choice([*names, *WORDS], random.randint(4, 9)):
            lines.append(f"{word} {names.get(word, 'O')}")
        lines += [". O", ""]
    (folder / "test.txt").write_text("\n".join(lines) + "\n")
    (folder / "glove.6B").mkdir()
    vectors = (
        " ".join([word.lower(), *(f"{number:.4f}" for number in random.randn(300))])
        for word in [*names, *WORDS, "."]
    )
    (folder / "glove.6B" / "glove.6B.300d.txt").write_text("\n".join(vectors) + "\n")


def make_translations(folder: Path) -> None:
    """Writes sentences in two languages: the other one has words and sentences reversed."""
    for language, step in (("en", 1), ("vi", -1)):
        words = [word[::step] for word in WORDS]
        (folder / f"words.{language}").write_text("\n".join(words) + "\n")
        (folder / f"vocab.{language}").write_text("\n".join(["<unk>", "<s>", "</s>", *words]) + "\n")
        for seed, (name, number) in enumerate((("train", 400), ("dev", 40), ("test", 40))):
            lines = (text[::step] for text in _sentences(number, seed))
            (folder / f"{name}.{language}").write_text("\n".join(lines) + "\n")
    cell = {"cell_class": "GRUCell", "cell_params": {"num_units": 8}}
    config = {
        "model_params": {
            "attention.params": {"num_units": 10},
            "embedding.dim": 10,
            "encoder.params": {"rnn_cell": cell},
            "decoder.params": {"rnn_cell": cell},
            "vocab_source": str(folder / "words.en"),
            "vocab_target": str(folder / "words.vi"),
        },
        "hooks": [
            {"class": "PrintModelAnalysisHook"},
            {"class": "TrainSampleHook", "params": {"every_n_steps": 20}},
        ],
        "metrics": [{"class": "LogPerplexityMetricSpec"}],
        "buckets": None,
    }
    for use in ("train", "dev"):
        files = {
            f"{side}_files": [str(folder / f"{use}.{end}")]
            for side, end in (("source", "en"), ("target", "vi"))
        }
        config[f"input_pipeline_{use}"] = {"class": "ParallelTextInputPipeline", "params": files}
    # JSON is YAML, too.
    (folder / "config.yml").write_text(json.dumps(config))


def make_speech(folder: Path) -> None:
    """Writes a sound and a line of text, of the sizes by which a script knows its downloads."""
    time = np.arange(46797) / 16000
    sound = 8000 * np.sin(2 * np.pi * (200 + 150 * np.sin(9 * time)) * time)
    with wave.open(str(folder / "LDC93S1.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(sound.astype("<i2").tobytes())
    text = "0 46797 the old man likes the big red house and a small dog"
    (folder / "LDC93S1.txt").write_text(text.ljust(60, "s") + ".\n")


def make_iris(folder: Path) -> None:
    """Writes measures of three kinds of flowers, with the header that `load_csv_with_header` reads."""
    random = np.random.RandomState(0)
    means = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
    for name, number in (("training", 120), ("test", 30)):
        lines = [f"{number},4,setosa,versicolor,virginica"]
        for index in range(number):
            measures = means[index % 3] + random.randn(4) * 0.2
            lines.append(",".join([*(f"{measure:.1f}" for measure in measures), str(index % 3)]))
        (folder / f"iris_{name}.csv").write_text("\n".join(lines) + "\n")


def _census(number: int, seed: int) -> Iterator[list[str]]:
    random = np.random.RandomState(seed)
    degrees = ["Bachelors", "HS-grad", "11th", "Masters", "Some-college", "Doctorate"]
    for _ in range(number):
        age, degree, hours = random.randint(17, 80), random.randint(6), random.randint(10, 70)
        is_rich = age / 15 + hours / 12 + (degree in (0, 3, 5)) > 6.5
        yield [
            str(age),
            random.choice(["Private", "State-gov", "Self-emp-inc"]),
            str(random.randint(20000, 400000)),
            degrees[degree],
            str(degree + 9),
            random.choice(["Married-civ-spouse", "Divorced", "Never-married"]),
            random.choice(["Tech-support", "Sales", "Exec-managerial"]),
            random.choice(["Husband", "Wife", "Own-child", "Unmarried"]),
            random.choice(["White", "Black", "Other"]),
            random.choice(["Male", "Female"]),
            str(random.choice([0, 0, 0, 5000])),
            str(random.choice([0, 0, 0, 1500])),
            str(hours),
            random.choice(["United-States", "Mexico", "Germany"]),
            ">50K" if is_rich else "<=50K",
        ]


def make_census(folder: Path) -> None:
    """Writes rows like those of the census of 1994, under the names and in the forms of several scripts."""
    for seed, (names, number) in enumerate(((("train", "adult.data"), 2000), (("eval", "adult.test"), 400))):
        rows = list(_census(number, seed))
        (folder / f"{names[0]}.csv").write_text("".join(", ".join(row) + "\n" for row in rows))
        (folder / names[1]).write_text("".join(",".join(row) + "\n" for row in rows))


def make_raw_census(folder: Path) -> None:
    """Writes the census as it is published: with spaces, and a first line and full stops in one part."""
    (folder / "adult.data").write_text("".join(", ".join(row) + "\n" for row in _census(2000, 0)))
    lines = "".join(", ".join(row) + ".\n" for row in _census(400, 1))
    (folder / "adult.test").write_text("|1x3 Cross validator\n" + lines)


def make_dialogues(folder: Path) -> None:
    """Writes TFRecords of contexts and utterances, which belong together if their words are of one topic."""
    random = np.random.RandomState(0)

    def utterance(name: str, topic: int) -> dict[str, Any]:
        length = random.randint(4, 10)
        words = np.zeros(160, int)
        words[:length] = 10 * topic + random.randint(0, 10, length)
        return {name: words, f"{name}_len": length}

    def row(training: bool) -> dict[str, Any]:
        topics = random.permutation(np.arange(1, 10))
        belongs = not training or random.rand() < 0.5
        features = {**utterance("context", topics[0]), **utterance("utterance", topics[int(not belongs)])}
        if training:
            return {**features, "label": int(belongs)}
        for number in range(9):
            features |= utterance(f"distractor_{number}", topics[1 + number % 8])
        return features

    _write_records(folder / "train.tfrecords", (row(True) for _ in range(600)))
    _write_records(folder / "validation.tfrecords", (row(False) for _ in range(64)))


def make_babi(folder: Path) -> None:
    """Writes stories of who went where, in the form of the tasks bAbI."""
    random = np.random.RandomState(0)
    people, places = ["Mary", "John", "Daniel"], ["bathroom", "hallway", "garden", "office"]
    for name, number in (("train", 60), ("test", 20)):
        lines = []
        for _ in range(number):
            for line in range(1, 14, 3):
                went = [(random.choice(people), random.choice(places)) for _ in range(2)]
                lines += [
                    f"{line + index} {who} moved to the {where}." for index, (who, where) in enumerate(went)
                ]
                lines.append(f"{line + 2} Where is {went[1][0]}? \t{went[1][1]}\t{line + 1}")
        (folder / f"qa1_single-supporting-fact_{name}.txt").write_text("\n".join(lines) + "\n")


def make_ratings(folder: Path) -> None:
    """Writes ratings of films in the form of MovieLens, of which the users' taste decides."""
    random = np.random.RandomState(0)
    users, films = random.randn(6041, 3), random.randn(3953, 3)
    lines = []
    for user, film in zip(random.randint(1, 6041, 20000), random.randint(1, 3953, 20000), strict=True):
        rating = np.clip(round(3 + users[user] @ films[film]), 1, 5)
        lines.append(f"{user}::{film}::{rating:.0f}::978300000\n")
    (folder / "ml-1m").mkdir(exist_ok=True)
    (folder / "ml-1m" / "ratings.dat").write_text("".join(lines))


def make_waves(folder: Path) -> None:
    """Writes twelve images of waves."""
    from PIL import Image

    rows, columns = np.mgrid[:96, :96]
    for number in range(12):
        image = 127 + 100 * np.sin(columns / (2 + number) + rows / (14 - number))
        Image.fromarray(image.astype(np.uint8)).convert("RGB").save(folder / f"t{number}.bmp")


def make_citations(folder: Path) -> None:
    """Writes a graph of papers in the form of Cora. Links and words belong mostly to a field."""
    from scipy import sparse

    random = np.random.RandomState(0)
    number, known, fields = 900, 700, 4
    field = random.randint(0, fields, number)
    words = random.rand(number, 60) < np.where(np.arange(60) % fields == field[:, None], 0.35, 0.05)
    features, labels = sparse.csr_matrix(words.astype(np.float32)), np.eye(fields, dtype=np.int32)[field]
    links: dict[int, list[int]] = {paper: [] for paper in range(number)}
    for paper in range(number):
        for other in [*random.choice(np.flatnonzero(field == field[paper]), 3), random.randint(number)]:
            links[paper].append(int(other))
            links[int(other)].append(paper)
    parts = {
        "x": features[:140],
        "y": labels[:140],
        "allx": features[:known],
        "ally": labels[:known],
        "tx": features[known:],
        "ty": labels[known:],
        "graph": links,
    }
    for name, part in parts.items():
        (folder / f"ind.cora.{name}").write_bytes(pickle.dumps(part))
    order = random.permutation(np.arange(known, number))
    (folder / "ind.cora.test.index").write_text("".join(f"{paper}\n" for paper in order))


def make_style(folder: Path) -> None:
    """Writes two images, and a VGG network of few channels with random weights as MatConvNet keeps it."""
    import scipy.io
    from PIL import Image

    random = np.random.RandomState(0)
    rows, columns = np.mgrid[:64, :64]
    content = 127 + 120 * np.sin(np.stack([columns / 5, rows / 7, (columns + rows) / 9], -1))
    Image.fromarray(content.astype(np.uint8)).save(folder / "content.png")
    style = random.randint(0, 256, (16, 16, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    Image.fromarray(style).save(folder / "style.png")
    layers: list[Any] = []
    channels = 3
    for convolutions in (2, 2, 4, 4, 4):
        for _ in range(convolutions):
            kernel = (random.randn(3, 3, channels, 8) / np.sqrt(4.5 * channels)).astype(np.float32)
            layers += [(kernel, np.zeros((1, 8), np.float32)), (np.zeros((0, 0)), np.zeros((0, 0)))]
            channels = 8
        layers.append((np.zeros((0, 0)), np.zeros((0, 0))))
    network = np.empty((1, len(layers) - 1), object)  # without the last pooling
    for index in range(network.size):
        weights = np.empty((1, 2), object)
        weights[0, 0], weights[0, 1] = layers[index]
        network[0, index] = _record("weights", weights)
    mean = _record("averageImage", np.full((224, 224, 3), [123.68, 116.78, 103.94]))
    scipy.io.savemat(folder / "vgg.mat", {"layers": network, "normalization": mean, "meta": mean})


def _record(name: str, value: np.ndarray) -> np.ndarray:
    record = np.empty((1, 1), [(name, object)])
    record[0, 0][name] = value
    return record


MAKERS: Mapping[str, Callable[[Path], None]] = {
    "acceptability": make_acceptability,
    "babi": make_babi,
    "census": make_census,
    "cifar10": make_cifar10,
    "citations": make_citations,
    "dialogues": make_dialogues,
    "digit_records": make_digit_records,
    "iris": make_iris,
    "mnist": make_mnist,
    "ptb": make_ptb,
    "ratings": make_ratings,
    "raw_census": make_raw_census,
    "reviews": make_reviews,
    "slim_records": make_slim_records,
    "speech": make_speech,
    "style": make_style,
    "tagged_text": make_tagged_text,
    "text": make_text,
    "translations": make_translations,
    "waves": make_waves,
    "whole_mnist": make_whole_mnist,
}
