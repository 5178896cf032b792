"""Where the vectors of a build come from: a model that encodes the texts, or `given_vectors`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from retrieval.encoding.encoder import Encoder
from retrieval.errors import ModelError
from retrieval.indexing.ingestion import Ingested, read_texts
from retrieval.indexing.workers import Workers
from retrieval.quantization import Float32s

RowKeys = Callable[[npt.NDArray[np.int64]], Sequence[bytes]]


class VectorSource(Protocol):
    """Gives one vector of length 1 per distinct text."""

    @property
    def model_id(self) -> str | None:
        """Returns the model that encodes queries; None when there is none."""

    @property
    def weights_sha256(self) -> str | None:
        """Returns the hash of that model."""

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""

    @property
    def phase(self) -> str:
        """Returns its name in progress reports: `encoding` or `copying`."""

    @property
    def row_keys(self) -> RowKeys | None:
        """Returns keys that distinguish rows of one text, by their positions in the corpus; None if there are none.

        It is called while the corpus is read, for all rows with a text, in order.
        """

    @property
    def content_sha256(self) -> str | None:
        """Returns the hash of the vectors behind the rows read so far; None when they follow from texts and model."""

    @property
    def num_rows(self) -> int | None:
        """Returns how many rows the corpus should have; None if that follows from the corpus alone."""

    def check(self, ingested: Ingested, texts_path: Path) -> list[str]:
        """Returns what the user should know, once the corpus is read and before vectors are asked for.

        Raises:
            VectorsError, ModelError: if the vectors cannot be those of the texts.
        """

    def chunks(self, ingested: Ingested, texts_path: Path, *, skip: int, size: int) -> Iterator[Float32s]:
        """Yields the vectors of the distinct texts, after the first `skip`, each float32 `(at most size, dim)`."""


class EncodedTexts:
    """The vectors that a model gives."""

    phase = "encoding"
    row_keys = None
    content_sha256 = None
    num_rows = None

    def __init__(self, encoder: Encoder, workers: Workers) -> None:
        self._encoder = encoder
        self._workers = workers
        self.model_id = encoder.model_id
        self.weights_sha256 = encoder.weights_sha256
        self.dim = encoder.dim

    def check(self, ingested: Ingested, texts_path: Path) -> list[str]:
        """Returns nothing: there is nothing to check before encoding."""
        return []

    def chunks(self, ingested: Ingested, texts_path: Path, *, skip: int, size: int) -> Iterator[Float32s]:
        """Yields the vectors of the distinct texts, after the first `skip`, each float32 `(at most size, dim)`.

        Raises:
            ModelError: if the encoder does not give finite vectors of its dimension.
        """
        sizes: deque[int] = deque()

        def counted() -> Iterator[list[str]]:
            for texts in _chunks(read_texts(texts_path), skip, size):
                sizes.append(len(texts))
                yield texts

        for embeddings in self._workers.encode(self._encoder, counted()):
            yield self._checked(embeddings, sizes.popleft())

    def _checked(self, embeddings: Float32s, num_texts: int) -> Float32s:
        if embeddings.shape != (num_texts, self.dim) or not np.isfinite(embeddings).all():
            raise ModelError(
                f"the model {self.model_id} gave embeddings of shape {embeddings.shape} for {num_texts} texts: "
                f"finite numbers of shape {(num_texts, self.dim)} are needed. Choose another model."
            )
        return embeddings


def _chunks(batches: Iterator[list[str]], skip: int, size: int) -> Iterator[list[str]]:
    """Yields lists of `size` texts, after leaving out the first `skip` ones."""
    waiting: list[str] = []
    for batch in batches:
        if skip >= len(batch):
            skip -= len(batch)
            continue
        waiting.extend(batch[skip:])
        skip = 0
        while len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting
