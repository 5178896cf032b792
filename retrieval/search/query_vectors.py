"""Vectors of recent queries: other views, links and going back ask the same text again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from retrieval.quantization import Float32s

MAX_TEXTS = 1_024
_MOST_CHARS = 2_000
"""The longest text that is kept: this bounds the texts as `MAX_TEXTS` bounds the vectors."""


class QueryVectors:
    """Keeps the last vectors of one encoder, by text. Safe to use from many threads.

    A vector is kept as the encoder gave it for exactly that text, alone and not in a batch: answers do not depend on
    whether its vector was kept.
    """

    def __init__(self, max_texts: int = MAX_TEXTS) -> None:
        self._max_texts = max_texts
        self._kept: OrderedDict[str, Float32s] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, text: str) -> bool:
        return text in self._kept

    @property
    def nbytes(self) -> int:
        """Returns the bytes of the vectors that are kept, and of their texts."""
        with self._lock:
            return sum(vector.nbytes + len(text.encode()) for text, vector in self._kept.items())

    def of(self, text: str, encode: Callable[[str], Float32s]) -> Float32s:
        """Returns the vector of a text, float32 `(dim,)`, from `encode` unless it is kept; do not write."""
        with self._lock:
            if (kept := self._kept.get(text)) is not None:
                self._kept.move_to_end(text)
                return kept
        vector = encode(text).copy()  # a row of a batch would keep the whole batch
        vector.flags.writeable = False  # the next caller gets the same array
        if len(text) <= _MOST_CHARS:
            with self._lock:
                self._kept[text] = vector
                self._kept.move_to_end(text)
                while len(self._kept) > self._max_texts:
                    self._kept.popitem(last=False)
        return vector

    def forget(self, text: str) -> None:
        """Makes the next query for a text encode it again, as measurements need."""
        with self._lock:
            self._kept.pop(text, None)
