"""A corpus of any size without texts of its own: numbers, which stand for the vectors of another index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from retrieval.benchmark.sampled_queries import with_noise
from retrieval.corpus.base import CorpusInfo, with_common_columns
from retrieval.quantization import Float32s

_BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class NumberedVectors:
    """An encoder whose texts are numbers of vectors: `document 7`."""

    embeddings: Float32s
    """`(n, dim)`, mapped."""
    rows: Any
    """`(m,)`: the real vectors that are used, by row."""
    seed: int
    model_id: str = "vectors of another index"
    weights_sha256: str = "0" * 64
    backend: str = "numpy"
    note: str | None = None

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""
        return int(self.embeddings.shape[1])

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Returns the vectors of the numbers in the texts; those beyond the real ones are repeated, with noise."""
        numbers = np.array([int(text.rsplit(" ", 1)[1]) for text in texts])
        vectors = np.array(self.embeddings[self.rows[numbers % len(self.rows)]])
        made = np.flatnonzero(numbers >= len(self.rows))
        if len(made):
            rng = np.random.default_rng([self.seed, int(numbers[made[0]])])
            vectors[made] = with_noise(vectors[made], rng)
        return vectors

    def encode_query(self, texts: Sequence[str]) -> Float32s:
        """Returns the same: queries come as vectors here."""
        return self.encode(texts)

    def num_tokens_cut(self, text: str) -> int:
        """Returns 0: these texts are short."""
        return 0


class NumberedTexts:
    """A corpus of so many texts, each with its number."""

    info = CorpusInfo("growth", "Numbered texts with the vectors of another index")
    columns: Mapping[str, str] = MappingProxyType({})
    notes = ()

    def __init__(self, num_rows: int) -> None:
        self.num_rows = num_rows

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the texts in order."""
        for start in range(0, self.num_rows, _BATCH_ROWS):
            numbers = range(start, min(start + _BATCH_ROWS, self.num_rows))
            texts = pa.array([f"document {number}" for number in numbers], pa.string())
            yield with_common_columns(pa.RecordBatch.from_arrays([texts], names=["text"]), text="text")
