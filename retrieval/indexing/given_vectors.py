"""Vectors that exist already, as the source of a build: row i of the file belongs to row i of the corpus as read.

Here vectors, not texts, must be distinct: rows of one text with two vectors count as two distinct texts, so
that each keeps its own; rows with the same text and the same vector are compared once, as usual.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.encoding.encoder import Encoder
from retrieval.errors import ModelError, VectorsError, counted
from retrieval.indexing.ingestion import Ingested, read_texts
from retrieval.indexing.vector_formats import open_vectors
from retrieval.indexing.vector_survey import VectorSurvey, normalized, packed_bits_error
from retrieval.quantization import Float32s

_SURVEYED_ROWS = 2048
"""Vectors in RAM at once while the corpus is read."""
_NUM_SAMPLES = 32
_LEAST_COSINE = 0.5
"""A model that did not make the vectors has cosines around 0 with them."""
_LEAST_OWN_SHARE = 0.5
"""If all texts are close to each other, another model may have high cosines, but does not distinguish them."""
_SAME_COSINE = 0.98
"""float16, int8 inference and another machine stay above; different prompts or texts go below."""


class GivenVectors:
    """The vectors of a file, and the model that the user says made them."""

    phase = "copying"

    def __init__(self, path: Path, encoder: Encoder | None = None, *, limit: int | None = None) -> None:
        """Opens the file; `limit` is how many rows of the corpus are read.

        Raises:
            VectorsError: if it holds no rows of floats.
            ModelError: if the model has another dimension.
        """
        self._file = open_vectors(path)
        self._encoder = encoder
        self._limit = limit
        self._survey = VectorSurvey()
        self.dim = self._file.dim
        self.model_id = encoder.model_id if encoder is not None else None
        self.weights_sha256 = encoder.weights_sha256 if encoder is not None else None
        if encoder is not None and self._file.dtype == np.int8 and encoder.dim == 8 * self.dim:
            raise packed_bits_error(path)
        if encoder is not None and encoder.dim != self.dim:
            raise ModelError(
                f"the vectors in {path} have {self.dim:,} dimensions, those of {encoder.model_id} have "
                f"{encoder.dim:,}: give the model that made them, or leave the model out and search by vector."
            )

    @property
    def content_sha256(self) -> str:
        """Returns the hash of the vectors behind the rows read so far."""
        return self._survey.digest.hexdigest()

    @property
    def num_rows(self) -> int:
        """Returns how many vectors there are: one for each row."""
        return len(self._file)

    def row_keys(self, rows: npt.NDArray[np.int64]) -> Sequence[bytes]:
        """Returns a digest of each vector at `rows`; of what is beyond the last one, which `check` refuses, nothing."""
        there = rows[rows < len(self._file)]
        keys = []
        for start in range(0, len(there), _SURVEYED_ROWS):
            part = there[start : start + _SURVEYED_ROWS]
            vectors = self._file.gather(part)
            self._survey.add(part, vectors)
            keys += [hashlib.blake2b(vector.data, digest_size=16).digest() for vector in vectors]
        return keys + [b""] * (len(rows) - len(there))

    def check(self, ingested: Ingested, texts_path: Path) -> list[str]:
        """Returns what the user should know about the vectors.

        Raises:
            VectorsError: if their number is not that of the rows, or some are not finite or 0.
            ModelError: if they are not those of the model.
        """
        self._check_count(ingested.row_count + ingested.dropped_rows, ingested.dropped_rows)
        self._survey.raise_if_unusable(self._file.path, self._file.dtype)
        notes = self._survey.notes(self._file.dtype)
        if self._encoder is not None:
            notes += self._compare_with_model(self._encoder, ingested, texts_path)
        return notes

    def chunks(self, ingested: Ingested, texts_path: Path, *, skip: int, size: int) -> Iterator[Float32s]:
        """Yields the vectors of the distinct texts at length 1, after the first `skip`, `(at most size, dim)`."""
        rows = _first_rows(ingested)
        for start in range(skip, len(rows), size):
            yield normalized(self._file.gather(rows[start : start + size]))

    def _check_count(self, num_rows: int, num_dropped: int) -> None:
        have = len(self._file)
        if have == num_rows or (num_rows == self._limit and have > num_rows):
            return
        dropped = f" ({num_dropped:,} of them without text, which count too)" if num_dropped else ""
        raise VectorsError(
            f"{self._file.path} holds {counted(have, 'vector')}, the corpus has {counted(num_rows, 'row')}{dropped}: "
            f"one vector for each row is needed, in the same order. Give the vectors that were made from this file."
        )

    def _compare_with_model(self, encoder: Encoder, ingested: Ingested, texts_path: Path) -> list[str]:
        rows = _first_rows(ingested)
        chosen = np.unique(np.linspace(0, len(rows) - 1, _NUM_SAMPLES).astype(np.int64))
        made = encoder.encode(_texts_at(texts_path, chosen))
        cosines = made @ normalized(self._file.gather(rows[chosen])).T
        own = np.diag(cosines)
        typical, own_share = float(np.median(own)), float((own >= cosines.max(axis=1) - 1e-6).mean())
        if not (typical >= _LEAST_COSINE and own_share >= _LEAST_OWN_SHARE):
            raise ModelError(
                f"the vectors in {self._file.path} are not those of {encoder.model_id}: of {len(chosen)} texts that "
                f"were encoded to compare, {own_share:.0%} are closest to their own vector, with a median cosine of "
                f"{typical:.2f}; about 100% and 1.00 are expected. Give the model that made them, check that the rows "
                f"are in the same order, or leave the model out and search by vector."
            )
        if typical < _SAME_COSINE:
            return [
                f"The vectors agree with {encoder.model_id} only to a median cosine of {typical:.2f}: another text "
                f"than the one shown was embedded, or with another prompt or length. Searches work, and may find less."
            ]
        return []


def _first_rows(ingested: Ingested) -> npt.NDArray[np.int64]:
    """Returns the position in the corpus where each distinct text is met first, ascending."""
    return ingested.source_rows[ingested.first_rows]


def _texts_at(texts_path: Path, chosen: npt.NDArray[np.int64]) -> list[str]:
    """Returns the distinct texts at the positions `chosen`, which ascend."""
    found: list[str] = []
    start = 0
    for batch in read_texts(texts_path):
        here = chosen[(chosen >= start) & (chosen < start + len(batch))]
        found += [batch[position - start] for position in here.tolist()]
        start += len(batch)
    return found
