"""Word ids are those of `tf.contrib.learn.preprocessing` in TensorFlow 1.15.5, which recorded them."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest

from keras_legacy_train.learn import preprocessing

TEXTS = [
    "The cat sat on the mat.",
    "the dog's HTTPServer, re-read 2 CatDogs",
    "cat cat the",
    "日本 naïve under_score",
]
TOKENS = [
    ["The", "cat", "sat", "on", "the", "mat"],
    ["the", "dog's", "HTTP", "Server", "re-read", "2", "Cat", "Dogs"],
    ["cat", "cat", "the"],
    ["日本", "naïve", "under_score"],
]
IDS = [[1, 2, 3, 4, 5], [5, 7, 8, 9, 10], [2, 2, 5, 0, 0], [14, 15, 16, 0, 0]]
FREQUENT_IDS = [[0, 1, 0, 0], [2, 0, 0, 0], [1, 1, 2, 0], [0, 0, 0, 0]]
# VocabularyProcessor(4, min_frequency=1), fitted to the texts and saved there.
SAVED = (
    "gANjdGVuc29yZmxvdy5jb250cmliLmxlYXJuLnB5dGhvbi5sZWFybi5wcmVwcm9jZXNzaW5nLnRleHQKVm9jYWJ1bGFyeVByb2Nlc3NvcgpxACmB"
    "cQF9cQIoWBMAAABtYXhfZG9jdW1lbnRfbGVuZ3RocQNLBFgNAAAAbWluX2ZyZXF1ZW5jeXEESwFYCwAAAHZvY2FidWxhcnlfcQVjdGVuc29yZmxv"
    "dy5jb250cmliLmxlYXJuLnB5dGhvbi5sZWFybi5wcmVwcm9jZXNzaW5nLmNhdGVnb3JpY2FsX3ZvY2FidWxhcnkKQ2F0ZWdvcmljYWxWb2NhYnVs"
    "YXJ5CnEGKYFxB31xCChYDgAAAF91bmtub3duX3Rva2VucQlYBQAAADxVTks+cQpYCAAAAF9tYXBwaW5ncQt9cQwoaApLAFgDAAAAY2F0cQ1LAVgD"
    "AAAAdGhlcQ5LAnVYEAAAAF9zdXBwb3J0X3JldmVyc2VxD4hYEAAAAF9yZXZlcnNlX21hcHBpbmdxEF1xEShoCmgNaA5lWAUAAABfZnJlcXESfXET"
    "KGgNSwNoDksDdVgHAAAAX2ZyZWV6ZXEUiHViWAoAAABfdG9rZW5pemVycRVjdGVuc29yZmxvdy5jb250cmliLmxlYXJuLnB5dGhvbi5sZWFybi5w"
    "cmVwcm9jZXNzaW5nLnRleHQKdG9rZW5pemVyCnEWdWIu"
)


def rows(processor: preprocessing.VocabularyProcessor) -> list[list[int]]:
    return [row.tolist() for row in processor.transform(TEXTS)]


def test_words_and_their_ids() -> None:
    assert list(preprocessing.tokenizer(TEXTS)) == TOKENS
    processor = preprocessing.VocabularyProcessor(5)
    fitted = list(processor.fit_transform(TEXTS))
    assert [row.tolist() for row in fitted] == IDS and fitted[0].dtype == np.int64
    assert len(processor.vocabulary_) == 17
    assert list(processor.reverse([[1, 2, 0]])) == ["The cat <UNK>"]
    assert rows(processor.fit(["new words"])) == IDS  # it is frozen


def test_rare_and_frequent_words_are_dropped() -> None:
    assert rows(preprocessing.VocabularyProcessor(4, min_frequency=1).fit(TEXTS)) == FREQUENT_IDS
    vocabulary = preprocessing.CategoricalVocabulary(support_reverse=False)
    for category, count in (("a", 5), ("b", 3), (7, 4), ("c", 1)):
        vocabulary.add(category, count)
    vocabulary.trim(1, max_frequency=5)
    vocabulary.freeze()
    assert [vocabulary.get(category) for category in ("a", 7, "b", "c")] == [0, 1, 2, 0]
    with pytest.raises(ValueError, match="support_reverse"):
        vocabulary.reverse(1)


def test_what_was_saved_is_restored_also_if_tensorflow_1_has_saved_it(tmp_path: Path) -> None:
    legacy, ours = tmp_path / "legacy", tmp_path / "ours"
    legacy.write_bytes(base64.b64decode(SAVED))
    restored = preprocessing.VocabularyProcessor.restore(str(legacy))
    assert rows(restored) == FREQUENT_IDS
    restored.save(str(ours))
    assert rows(preprocessing.VocabularyProcessor.restore(str(ours))) == FREQUENT_IDS


def test_bytes() -> None:
    made = list(preprocessing.ByteProcessor(6).fit_transform(["abc", "日本語".encode()]))
    assert [row.tolist() for row in made] == [[97, 98, 99, 0, 0, 0], [230, 151, 165, 230, 156, 172]]
    broken = np.array([255, 0, 0], np.uint8)
    assert list(preprocessing.ByteProcessor(6).reverse([*made, broken])) == ["abc", "日本", ""]
