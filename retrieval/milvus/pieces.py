"""The rows of a bundle for Milvus, piece by piece: the files are read in order, a little at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE
from retrieval.milvus import schema

ROWS_AT_ONCE = 2_000
_MOST_BYTES_AT_ONCE = 16_000_000
"""gRPC allows 64 MB per message."""

Entities = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows that follow each other."""

    start: int
    entities: Entities
    """Each as pymilvus takes it."""
    num_cut: int
    """Documents that had to be cut."""

    @property
    def stop(self) -> int:
        """Returns the first row after it."""
        return self.start + len(self.entities)

    def parts(self) -> Iterator[tuple[bool, Entities]]:
        """Yields the batches to insert: whether these rows repeat a text, and the entities."""
        for repeats in (False, True):
            part: Entities = []
            num_bytes = 0
            for entity in self.entities:
                if (entity[schema.ROW] != entity[schema.FIRST_ROW]) is not repeats:
                    continue
                part.append(entity)
                num_bytes += schema.size_of(entity)
                if num_bytes >= _MOST_BYTES_AT_ONCE:
                    yield repeats, part
                    part, num_bytes = [], 0
            if part:
                yield repeats, part


class Pieces:
    """The opened files of a bundle, read from any row on."""

    def __init__(self, bundle: Bundle) -> None:
        """Opens the files.

        Raises:
            BundleError: if one cannot be read.
        """
        manifest = bundle.manifest
        self._num_rows = manifest.row_count
        self._bits = BinaryIndex.open(bundle.file(BINARY_FILE), manifest.dim, mapped=True)
        self._int8 = Int8Store.open(bundle.file(INT8_FILE), manifest.dim)
        self._documents = DocumentStore.open(bundle.file(DOCUMENTS_FILE))
        self._first_rows = _first_rows(self._documents, manifest.distinct_text_count)
        self._groups = self._documents.group_ids() if manifest.group_count is not None else None
        self._qualities = self._documents.qualities()

    def behind(self, row: int) -> Iterator[Piece]:
        """Yields the pieces from `row` on."""
        for start in range(row, self._num_rows, ROWS_AT_ONCE):
            yield self._piece(start, min(start + ROWS_AT_ONCE, self._num_rows))

    def _piece(self, start: int, stop: int) -> Piece:
        codes = np.empty((stop - start, self._int8.dim), np.int8)
        self._int8.read_into(start, codes)
        bits = self._bits.codes[start:stop]
        groups = np.full(stop - start, schema.NO_GROUP) if self._groups is None else self._groups[start:stop]
        qualities = np.full(stop - start, -np.inf) if self._qualities is None else self._qualities[start:stop]
        texts = schema.encoded(codes)
        entities: Entities = []
        num_cut = 0
        for place, document in enumerate(self._documents.read(start, stop)):
            values, is_cut = schema.document_json(document)
            num_cut += is_cut
            entities.append(
                {
                    schema.ROW: start + place,
                    schema.FIRST_ROW: int(self._first_rows[start + place]),
                    schema.GROUP: int(groups[place]),
                    schema.QUALITY: float(qualities[place]),
                    schema.BITS: bits[place].tobytes(),
                    schema.CODES: texts[place],
                    schema.DOCUMENT: values,
                }
            )
        self._bits.release()
        return Piece(start, entities, num_cut)


def _first_rows(documents: DocumentStore, num_texts: int) -> npt.NDArray[np.int32]:
    """Returns, for each row, the first row with its text, `(n,)`."""
    if num_texts == len(documents):
        return np.arange(len(documents), dtype=np.int32)
    text_ids = documents.text_ids()
    first = np.zeros(num_texts, np.int32)
    # Backwards, so that the first row of a text is written last.
    first[text_ids[::-1]] = np.arange(len(text_ids) - 1, -1, -1, dtype=np.int32)
    return first[text_ids]
