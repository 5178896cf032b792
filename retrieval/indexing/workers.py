"""Where the batches of a build are processed: in this process, or on other machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from retrieval.corpus.base import Corpus
from retrieval.encoding.encoder import Encoder
from retrieval.quantization import Float32s

Batch = TypeVar("Batch")
Result = TypeVar("Result")


class Workers:
    """Works on batches, each on its own, and gives the results in the order of the batches: here, one by one."""

    def reading(self, corpus: Corpus) -> Corpus:
        """Returns a corpus of the same rows, which may be read elsewhere."""
        return corpus

    def encode(self, encoder: Encoder, texts: Iterable[Sequence[str]]) -> Iterator[Float32s]:
        """Yields the vectors of each batch of texts, float32 `(len(batch), dim)`."""
        return map(encoder.encode, texts)

    def map(self, function: Callable[[Batch], Result], batches: Iterable[Batch]) -> Iterator[Result]:
        """Yields what a function makes of each batch."""
        return map(function, batches)
