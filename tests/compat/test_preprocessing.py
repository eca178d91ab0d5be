"""Documents become rows as by `tf.contrib.learn.preprocessing` of TensorFlow 1.15.5."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from keras_legacy_train.compat.tutorials import preprocessing

DOCUMENTS = ["the cat sat on the mat", "TheCat doesn't sit, the HTTPServer does", "mat cat, cat", ""]


def test_words_get_ids_in_the_order_in_which_they_come(tmp_path: Path) -> None:
    processor = preprocessing.VocabularyProcessor(5)
    rows = np.array(list(processor.fit_transform(DOCUMENTS)))
    assert rows.tolist() == [[1, 2, 3, 4, 1], [6, 7, 8, 9, 1], [5, 2, 2, 0, 0], [0] * 5]
    assert len(processor.vocabulary_) == 13
    assert list(processor.reverse([[1, 2, 11]])) == ["the cat Server"]
    assert next(iter(processor.transform(["the dog sat"]))).tolist() == [1, 0, 3, 0, 0]
    processor.save(str(tmp_path / "vocabulary"))
    restored = preprocessing.VocabularyProcessor.restore(str(tmp_path / "vocabulary"))
    assert np.array(list(restored.transform(DOCUMENTS))).tolist() == rows.tolist()


def test_rare_words_are_dropped_and_the_most_frequent_come_first() -> None:
    processor = preprocessing.VocabularyProcessor(6, min_frequency=1).fit(DOCUMENTS)
    words = [processor.vocabulary_.reverse(number) for number in range(len(processor.vocabulary_))]
    assert words == ["<UNK>", "cat", "the", "mat"]


def test_a_vocabulary_without_reverse_says_so() -> None:
    vocabulary = preprocessing.CategoricalVocabulary(support_reverse=False)
    with pytest.raises(ValueError, match="support_reverse=False"):
        vocabulary.reverse(0)


def test_bytes_are_padded_and_cut() -> None:
    processor = preprocessing.ByteProcessor(4)
    rows = list(processor.fit_transform(["ab", "h\u00e9llo"]))
    assert [row.tolist() for row in rows] == [[97, 98, 0, 0], [104, 195, 169, 108]]
    assert list(processor.reverse(rows)) == ["ab", "h\u00e9l"]
