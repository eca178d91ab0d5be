"""The list of public scripts can be run: each row says where it is and how, and has data that is read."""

from __future__ import annotations

import csv
import dataclasses
import io
import pickle
import re
import subprocess
import tarfile
import wave
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import public_script_data
import run_public_scripts
from keras_legacy_train.compat.tutorials import input_data
from run_public_scripts import Outcome, Script

SCRIPTS = run_public_scripts.read_list()


def make(maker: str, folder: Path) -> Path:
    """Returns a folder with data."""
    path = folder / maker
    path.mkdir()
    public_script_data.MAKERS[maker](path)
    return path


def test_rows_are_whole() -> None:
    assert [script.number for script in SCRIPTS] == list(range(1, len(SCRIPTS) + 1))
    assert len(SCRIPTS) >= 25
    for script in SCRIPTS:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", script.repository)
        assert re.fullmatch(r"[0-9a-f]{40}", script.commit)
        assert "2016" <= script.date < "2020"
        assert script.commands and all(re.match(r"-m [\w.]+|[\w-]+\.py", line) for line in script.commands)
        assert script.verdict in {"unchanged", "migrate", "fails", "not run"}
        assert bool(script.missing) == (script.verdict in {"migrate", "fails"}), script
        assert (script.data is None) == (script.data_folder is None)


def test_each_maker_is_used_and_each_row_has_its_maker() -> None:
    assert {script.data for script in SCRIPTS} - {None} == set(public_script_data.MAKERS)


def test_mnist_is_read(tmp_path: Path) -> None:
    data = input_data.read_data_sets(str(make("mnist", tmp_path)), one_hot=True)
    assert data.train.images.shape == (1000, 784)
    assert data.test.labels.sum(axis=0).min() > 0
    # A model learns: the mean image of a class tells most of the others.
    means = data.train.labels.T @ data.train.images / data.train.labels.sum(axis=0)[:, None]
    distances = ((data.test.images[:, None] - means) ** 2).sum(axis=2)
    assert np.mean(distances.argmin(axis=1) == data.test.labels.argmax(axis=1)) > 0.7


@pytest.mark.parametrize(
    ("maker", "file", "feature"),
    [
        ("digit_records", "train.tfrecords", "image_raw"),
        ("slim_records", "mnist_test.tfrecord", "image/encoded"),
        ("dialogues", "validation.tfrecords", "distractor_8"),
    ],
)
def test_records_are_read(maker: str, file: str, feature: str, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    record = next(tf.compat.v1.io.tf_record_iterator(str(make(maker, tmp_path) / file)))
    features = tf.train.Example.FromString(record).features.feature
    if feature == "image_raw":
        assert len(features[feature].bytes_list.value[0]) == 784
    elif feature == "image/encoded":
        assert image.open(io.BytesIO(features[feature].bytes_list.value[0])).size == (28, 28)
    else:
        assert len(features[feature].int64_list.value) == 160


def test_tables_and_texts_are_read(tmp_path: Path) -> None:
    census = make("census", tmp_path)
    for name in ("adult.data", "train.csv"):
        rows = list(csv.reader((census / name).open(), skipinitialspace=True))
        assert {len(row) for row in rows} == {15}
        assert {row[-1] for row in rows} == {"<=50K", ">50K"}

    translations = make("translations", tmp_path)
    sources, targets = ((translations / f"train.{end}").read_text().splitlines() for end in ("en", "vi"))
    assert [text[::-1] for text in sources] == targets
    assert {word for text in sources for word in text.split()} <= set(public_script_data.WORDS)

    iris = (make("iris", tmp_path) / "iris_training.csv").read_text().splitlines()
    assert len(iris) == 1 + int(iris[0].split(",")[0])


def test_other_files_are_read(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    loadmat = pytest.importorskip("scipy.io").loadmat
    with tarfile.open(make("cifar10", tmp_path) / "cifar-10-binary.tar.gz") as archive:
        assert {file.size for file in archive.getmembers()} == {1000 * 3073}

    speech = make("speech", tmp_path)
    with wave.open(str(speech / "LDC93S1.wav")) as sound:
        assert sound.getframerate() == 16000
    # Sizes by which the script knows the files.
    assert [(speech / f"LDC93S1.{end}").stat().st_size for end in ("wav", "txt")] == [93638, 62]

    citations = make("citations", tmp_path)
    links = pickle.loads((citations / "ind.cora.graph").read_bytes())
    assert all(paper in links[other] for paper in links for other in links[paper])

    layers = loadmat(make("style", tmp_path) / "vgg.mat")["layers"][0]
    assert layers.shape == (36,)
    assert layers[0][0][0]["weights"][0][0].shape == (3, 3, 3, 8)


def test_a_script_is_fetched_at_its_commit_gets_data_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(origin), "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    origin = tmp_path / "someone" / "old"
    (origin / "part").mkdir(parents=True)
    git("init", "--quiet")
    git("config", "uploadpack.allowFilter", "true")
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    (origin / "part" / "first.py").write_text("open('made', 'w').close()")
    (origin / "part" / "train.py").write_text("import os\nprint(sorted(os.listdir()))\nprint()\n")
    (origin / "other.py").write_text("")
    git("add", ".")
    git("commit", "--quiet", "-m", "a")
    commit = git("rev-parse", "HEAD")
    (origin / "part" / "train.py").write_text("raise SystemExit(3)")
    git("commit", "--quiet", "-a", "-m", "b")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{tmp_path}/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/")

    script = Script(
        number=1,
        repository="someone/old",
        commit=commit,
        date="2017-01-01",
        folder="part",
        checkout=["part"],
        commands=["first.py", "train.py --steps 3"],
        kind="",
        data="iris",
        data_folder="data",
        packages=[],
        verdict="unchanged",
        missing="",
    )
    folder = tmp_path / "copy"
    run_public_scripts.fetch(script, folder)
    run_public_scripts.make_data(script, folder / "part")
    outcome = run_public_scripts.execute(script, folder / "part", limit=60)
    assert outcome.code == 0, outcome
    assert outcome.last_line == "['data', 'first.py', 'made', 'train.py']"


def test_verdicts_are_compared_with_exit_codes() -> None:
    for verdict, code, as_listed in [
        ("unchanged", 0, True),
        ("unchanged", None, False),
        ("fails", 1, True),
        ("migrate", 0, False),
        ("not run", 1, True),
    ]:
        script = dataclasses.replace(SCRIPTS[0], verdict=verdict)
        assert run_public_scripts.is_as_listed(script, Outcome(code, 1.0, "")) == as_listed


def test_losses_are_compared() -> None:
    difference = run_public_scripts.difference
    assert difference(r"loss (\S+)", "loss 1.0\nloss 2.0", "loss 1.0\nloss 2.002") == pytest.approx(
        1e-3, rel=1e-2
    )
    assert difference(r"loss (\S+)", "loss 1.0", "loss 1.0\nloss 2.0") == np.inf
    assert difference(r"loss (\S+)", "", "") == np.inf
