"""Makes word ids of texts; stands for `tf.contrib.learn.preprocessing`.

```python
from keras_legacy_train.learn import preprocessing

words = preprocessing.VocabularyProcessor(max_document_length=4)
ids = list(words.fit_transform(["the cat sat", "the dog"]))
assert ids[1].tolist() == [1, 4, 0, 0]
assert list(words.reverse(ids))[1] == "the dog <UNK> <UNK>"
```
"""

from __future__ import annotations

import collections
import pickle
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["ByteProcessor", "CategoricalVocabulary", "VocabularyProcessor", "tokenizer"]

# A word; an acronym, or a capitalised word before another one, ends where the next one begins.
_TOKEN = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|['\w\-]+")

Tokenizer = Callable[[Iterable[str]], Iterable[Iterable[Any]]]


def tokenizer(iterator: Iterable[str]) -> Iterator[list[str]]:
    """Yields the words of each text.

    Stands for `tf.contrib.learn.preprocessing.tokenizer`.

    Args:
        iterator: The texts.
    """
    for text in iterator:
        yield _TOKEN.findall(text)


class CategoricalVocabulary:
    """Gives each category an id: 1, 2 and so on in the order in which they come.

    Stands for `tf.contrib.learn.preprocessing.CategoricalVocabulary`.

    Args:
        unknown_token: The category of id 0, which stands for all that are not known.
        support_reverse: Whether `reverse` is possible, which takes memory.
    """

    # A pickled vocabulary of TensorFlow 1 has these attributes, too.
    def __init__(self, unknown_token: Hashable = "<UNK>", support_reverse: bool = True):
        self._unknown_token = unknown_token
        self._mapping: dict[Hashable, int] = {unknown_token: 0}
        self._support_reverse = support_reverse
        if support_reverse:
            self._reverse_mapping = [unknown_token]
        self._freq: dict[Hashable, int] = collections.defaultdict(int)
        self._freeze = False

    def __len__(self) -> int:
        """Returns the number of categories, the unknown one among them."""
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """Has categories that are not known yet get the id 0 from now on.

        Args:
            freeze: `False` to give them new ids again.
        """
        self._freeze = freeze

    def get(self, category: Hashable) -> int:
        """Returns the id of a category; a new one if it is not known and the vocabulary is not frozen.

        Args:
            category: A word, or anything that a dict can have as a key.
        """
        if category not in self._mapping:
            if self._freeze:
                return 0
            self._mapping[category] = len(self._mapping)
            if self._support_reverse:
                self._reverse_mapping.append(category)
        return self._mapping[category]

    def add(self, category: Hashable, count: int = 1) -> None:
        """Counts a category.

        Args:
            category: See `get`.
            count: How often it has come.
        """
        if self.get(category) > 0:
            self._freq[category] += count

    def trim(self, min_frequency: int, max_frequency: int = -1) -> None:
        """Drops rare and frequent categories; the others get new ids, the most frequent the lowest.

        Args:
            min_frequency: Those that have come so often, or less often, are dropped.
            max_frequency: Those that have come so often, or more often, are dropped; -1 for none.
        """
        by_name = sorted(self._freq.items(), key=lambda item: (isinstance(item[0], str), item[0]))
        counted = sorted(by_name, key=lambda item: item[1], reverse=True)
        self._freq = collections.defaultdict(int)
        self._mapping = {self._unknown_token: 0}
        if self._support_reverse:
            self._reverse_mapping = [self._unknown_token]
        for category, count in counted:
            if count > min_frequency and not 0 < max_frequency <= count:
                self._mapping[category] = len(self._mapping)
                self._freq[category] = count
                if self._support_reverse:
                    self._reverse_mapping.append(category)

    def reverse(self, class_id: int) -> Hashable:
        """Returns the category of an id.

        Args:
            class_id: The id.

        Raises:
            ValueError: The vocabulary was made without `support_reverse`.
            IndexError: There is no such id.
        """
        if not self._support_reverse:
            raise ValueError(
                "This vocabulary wasn't initialized with support_reverse to support reverse() function."
            )
        return self._reverse_mapping[class_id]


class VocabularyProcessor:
    """Makes rows of word ids of texts.

    Stands for `tf.contrib.learn.preprocessing.VocabularyProcessor`.

    Args:
        max_document_length: The length of a row: longer texts are cut, shorter ones filled up with 0.
        min_frequency: `fit` drops words that have come so often, or less often; 0 to drop none.
        vocabulary: A `CategoricalVocabulary`; by default a new one.
        tokenizer_fn: Yields the words of each of the texts that it is given; by default `tokenizer`.

    Attributes:
        vocabulary_: The vocabulary.
    """

    def __init__(
        self,
        max_document_length: int,
        min_frequency: int = 0,
        vocabulary: CategoricalVocabulary | None = None,
        tokenizer_fn: Tokenizer | None = None,
    ):
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents: Iterable[str], unused_y: Any = None) -> VocabularyProcessor:
        """Learns the words of texts, and no others from then on.

        Args:
            raw_documents: The texts.
            unused_y: Is not used; scikit-learn's `fit` has it.

        Returns:
            The processor itself.
        """
        for words in self._tokenizer(raw_documents):
            for word in words:
                self.vocabulary_.add(word)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(self, raw_documents: Iterable[str], unused_y: Any = None) -> Iterator[np.ndarray]:
        """Learns the words of texts, and returns the rows of them; see `fit` and `transform`.

        Args:
            raw_documents: The texts, a list: they are read twice.
            unused_y: Is not used; scikit-learn's `fit_transform` has it.
        """
        return self.fit(raw_documents).transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> Iterator[np.ndarray]:
        """Yields a row of word ids for each text, `int64[max_document_length]`.

        Args:
            raw_documents: The texts.
        """
        for words in self._tokenizer(raw_documents):
            row = np.zeros(self.max_document_length, np.int64)
            for place, word in zip(range(self.max_document_length), words, strict=False):
                row[place] = self.vocabulary_.get(word)
            yield row

    def reverse(self, documents: Iterable[Iterable[int]]) -> Iterator[str]:
        """Yields the text of each row, words with spaces between them.

        Args:
            documents: Rows of word ids.
        """
        for row in documents:
            yield " ".join(str(self.vocabulary_.reverse(word)) for word in row)

    def save(self, filename: str) -> None:
        """Writes the processor to a file; `restore` reads it.

        Args:
            filename: Path of the file.
        """
        with tf.io.gfile.GFile(filename, "wb") as file:
            file.write(pickle.dumps(self))

    @classmethod
    def restore(cls, filename: str) -> VocabularyProcessor:
        """Returns the processor that `save` has written, here or in TensorFlow 1.

        The file is a pickle: it can run code, so read only files that you trust.

        Args:
            filename: Path of the file.
        """
        with tf.io.gfile.GFile(filename, "rb") as file:
            restored: VocabularyProcessor = _Unpickler(file).load()
        return restored


class ByteProcessor:
    """Makes rows of the bytes of texts in UTF-8.

    Stands for `tf.contrib.learn.preprocessing.ByteProcessor`.

    Args:
        max_document_length: The length of a row: longer texts are cut, shorter ones filled up with 0.
    """

    def __init__(self, max_document_length: int):
        self.max_document_length = max_document_length

    def fit(self, x: Any) -> None:
        """Does nothing: bytes need not be learned."""

    def fit_transform(self, x: Iterable[str | bytes]) -> Iterator[np.ndarray]:
        """Yields a row of bytes for each text; see `transform`."""
        return self.transform(x)

    def transform(self, x: Iterable[str | bytes]) -> Iterator[np.ndarray]:
        """Yields a row of bytes for each text, `uint8[max_document_length]`.

        Args:
            x: The texts.
        """
        for text in x:
            encoded = text.encode() if isinstance(text, str) else bytes(text)
            row = np.frombuffer(encoded[: self.max_document_length], np.uint8)
            yield np.pad(row, (0, self.max_document_length - len(row)))

    def reverse(self, x: Iterable[np.ndarray]) -> Iterator[str]:
        """Yields the text of each row; an empty one where the bytes are no UTF-8.

        Args:
            x: Rows of bytes.
        """
        for row in x:
            encoded = np.trim_zeros(row.astype(np.uint8), trim="b").tobytes()
            try:
                yield encoded.decode()
            except UnicodeDecodeError:
                yield ""


class _Unpickler(pickle.Unpickler):
    """Reads also what was pickled under the names of TensorFlow 1."""

    def find_class(self, module: str, name: str) -> Any:
        is_legacy = module.startswith(("tensorflow.contrib.", "tensorflow_core.contrib."))
        return globals()[name] if is_legacy and name in __all__ else super().find_class(module, name)
