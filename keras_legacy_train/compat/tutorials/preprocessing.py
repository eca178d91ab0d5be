"""Stands for `tf.contrib.learn.preprocessing`: documents as rows of word ids or bytes.

Objects that TensorFlow 1 saved are not restored: their pickles name its modules.
"""

from __future__ import annotations

import collections
import pickle
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["ByteProcessor", "CategoricalVocabulary", "VocabularyProcessor", "tokenizer"]

# Abbreviations, words in a row of capitalised ones, and words.
_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|[\'\w\-]+")


def tokenizer(iterator: Iterable[str]) -> Iterator[list[str]]:
    """Gives the words of each document.

    Stands for `tf.contrib.learn.preprocessing.tokenizer`.

    Args:
        iterator: The documents.
    """
    for document in iterator:
        yield _WORD.findall(document)


class CategoricalVocabulary:
    """Gives words their ids, in the order in which they come. The id 0 is that of an unknown word.

    Stands for `tf.contrib.learn.preprocessing.CategoricalVocabulary`.

    Args:
        unknown_token: The word that stands for unknown ones.
        support_reverse: Whether `reverse` works.
    """

    def __init__(self, unknown_token: str = "<UNK>", support_reverse: bool = True):
        self._unknown_token = unknown_token
        self._mapping = {unknown_token: 0}
        self._support_reverse = support_reverse
        self._freq: collections.Counter[str] = collections.Counter()
        self._freeze = False

    def __len__(self) -> int:
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """Keeps new words unknown, or takes them from now on.

        Args:
            freeze: Whether they stay unknown.
        """
        self._freeze = freeze

    def get(self, category: str) -> int:
        """Returns the id of a word. A new one gets the next id, or 0 after `freeze`.

        Args:
            category: The word.
        """
        if category not in self._mapping and self._freeze:
            return 0
        return self._mapping.setdefault(category, len(self._mapping))

    def add(self, category: str, count: int = 1) -> None:
        """Counts a word.

        Args:
            category: The word.
            count: How often it was met.
        """
        if self.get(category) > 0:
            self._freq[category] += count

    def trim(self, min_frequency: int, max_frequency: int = -1) -> None:
        """Drops rare and frequent words. Those that stay are numbered anew, the most frequent first.

        Args:
            min_frequency: A word that was met at most so often is dropped.
            max_frequency: A word that was met at least so often is dropped, if this is positive.
        """
        by_frequency = sorted(sorted(self._freq.items()), key=lambda item: -item[1])
        kept = [
            word for word, count in by_frequency if count > min_frequency and not 0 < max_frequency <= count
        ]
        self._mapping = {word: number for number, word in enumerate([self._unknown_token, *kept])}
        self._freq = collections.Counter({word: self._freq[word] for word in kept})

    def reverse(self, class_id: int) -> str:
        """Returns the word of an id.

        Args:
            class_id: The id.

        Raises:
            ValueError: The vocabulary was made without `support_reverse`.
        """
        if not self._support_reverse:
            raise ValueError("This vocabulary was made with support_reverse=False.")
        return list(self._mapping)[class_id]


class VocabularyProcessor:
    """Turns documents into rows of word ids.

    Stands for `tf.contrib.learn.preprocessing.VocabularyProcessor`.

    Args:
        max_document_length: Length of a row. Longer documents are cut, shorter ones end with zeros.
        min_frequency: Words that were met at most so often become unknown.
        vocabulary: A `CategoricalVocabulary`, a new one by default.
        tokenizer_fn: Gives the words of each document, `tokenizer` by default.

    Attributes:
        vocabulary_: The `CategoricalVocabulary`.
    """

    def __init__(
        self,
        max_document_length: int,
        min_frequency: int = 0,
        vocabulary: Any = None,
        tokenizer_fn: Callable[[Iterable[str]], Iterable[Any]] | None = None,
    ):
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents: Iterable[str], unused_y: Any = None) -> VocabularyProcessor:
        """Learns the words of documents, and returns itself.

        Args:
            raw_documents: The documents.
            unused_y: Ignored.
        """
        for words in self._tokenizer(raw_documents):
            for word in words:
                self.vocabulary_.add(word)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(self, raw_documents: Iterable[str], unused_y: Any = None) -> Iterator[Any]:
        """Learns the words of documents, and gives the documents as rows.

        Args:
            raw_documents: The documents.
            unused_y: Ignored.

        Returns:
            Arrays of `int64`, of shape (max_document_length,).
        """
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> Iterator[Any]:
        """Gives documents as rows.

        Args:
            raw_documents: The documents.

        Returns:
            Arrays of `int64`, of shape (max_document_length,).
        """
        for words in self._tokenizer(raw_documents):
            row = np.zeros(self.max_document_length, np.int64)
            ids = [self.vocabulary_.get(word) for word in list(words)[: self.max_document_length]]
            row[: len(ids)] = ids
            yield row

    def reverse(self, documents: Iterable[Iterable[int]]) -> Iterator[str]:
        """Gives the words of rows, with blanks between them.

        Args:
            documents: The rows.
        """
        for row in documents:
            yield " ".join(self.vocabulary_.reverse(number) for number in row)

    def save(self, filename: str) -> None:
        """Writes this object to a file.

        Args:
            filename: Path of the file.
        """
        with tf.io.gfile.GFile(filename, "wb") as file:
            file.write(pickle.dumps(self))

    @classmethod
    def restore(cls, filename: str) -> VocabularyProcessor:
        """Reads an object that `save` wrote. As all pickles, the file can run code: it must be one of yours.

        Args:
            filename: Path of the file.
        """
        with tf.io.gfile.GFile(filename, "rb") as file:
            restored: VocabularyProcessor = pickle.loads(file.read())
        return restored


class ByteProcessor:
    """Turns documents into rows of bytes.

    Stands for `tf.contrib.learn.preprocessing.ByteProcessor`.

    Args:
        max_document_length: Length of a row. Longer documents are cut, shorter ones end with zeros.
    """

    def __init__(self, max_document_length: int):
        self.max_document_length = max_document_length

    def fit(self, x: Any) -> ByteProcessor:
        """Returns itself: there is nothing to learn.

        Args:
            x: Ignored.
        """
        return self

    def fit_transform(self, x: Iterable[str | bytes]) -> Iterator[Any]:
        """Gives documents as rows.

        Args:
            x: The documents.

        Returns:
            Arrays of `uint8`, of shape (max_document_length,).
        """
        return self.transform(x)

    def transform(self, x: Iterable[str | bytes]) -> Iterator[Any]:
        """Gives documents as rows.

        Args:
            x: The documents.

        Returns:
            Arrays of `uint8`, of shape (max_document_length,).
        """
        for document in x:
            text = document.encode() if isinstance(document, str) else document
            row = np.zeros(self.max_document_length, np.uint8)
            codes = np.frombuffer(text, np.uint8)[: self.max_document_length]
            row[: len(codes)] = codes
            yield row

    def reverse(self, x: Iterable[Any]) -> Iterator[str]:
        """Gives the documents of rows.

        Args:
            x: The rows.
        """
        for row in x:
            yield bytes(bytearray(row)).rstrip(b"\0").decode(errors="ignore")
