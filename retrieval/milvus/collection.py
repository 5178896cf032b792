"""An index in a Milvus collection, opened: its bits are searched there, its rows are read by number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from retrieval.bundle.row_tables import Rows
from retrieval.errors import EngineError
from retrieval.milvus import schema
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.faults import NotLoadedError
from retrieval.milvus.marks import INDEX_TYPES, IVF, Marks, whole_marks
from retrieval.milvus.server import NOTHING, Hits, Server
from retrieval.milvus.state import EngineState
from retrieval.quantization import Bits, Int8s
from retrieval.results import Document

MOST_HITS = 16_384
"""Milvus returns no more for one query, unless its own settings are changed."""
_SPARE = 128
_QUERIES_AT_ONCE = 16

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest texts of one query, nearest first; equal distances are in order of row."""

    rows: Rows
    """`(m,)` first row of each text."""
    distances: npt.NDArray[np.int32]
    """`(m,)` differing bits."""
    codes: Bits
    """`(m, ceil(dim / 8))` their sign bits."""


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What decides the order of rows with equal scores, and their groups."""

    rows: Rows
    first_rows: Rows
    """`(m,)` first row with the same text."""
    groups: Rows
    qualities: npt.NDArray[np.float64]
    """`(m,)`, -inf where there is none."""


class Collection:
    """A collection that holds a complete index. Safe to use from many threads."""

    def __init__(self, server: Server, marks: Marks) -> None:
        self.server = server
        self.address = server.address
        self.marks = marks
        """What the collection says about itself."""
        self.state = EngineState(self.check)
        self.is_replaced = False
        """Whether another index was found instead of this one."""

    @classmethod
    def open(cls, address: MilvusAddress) -> Self:
        """Returns the index in a collection.

        Raises:
            DependencyError: if pymilvus is not installed.
            EngineError: if the server does not answer, refuses the token, or does not hold the index in memory.
            BundleError: if there is no such collection, or it holds something else, or a part of an index.
        """
        server = Server(address)
        marks = whole_marks(server)
        schema.check_fields(server.dimensions(), marks.manifest.dim, address)
        server.bring_into_memory(wait=True)
        return cls(server, marks)

    def __repr__(self) -> str:
        return f"Collection({self.address}, {INDEX_TYPES[self.marks.scan]}, Milvus {self.server.version})"

    def nearest(self, codes: Bits, k: int) -> list[Nearest]:
        """Returns the `k` nearest texts, or as many as there are, of each query, uint8 `(m, ceil(dim / 8))`.

        Milvus breaks ties arbitrarily. A few more are requested, and even more while the last one ties with the
        `k`-th, so that the answer equals that of a scan in order of row: up to `MOST_HITS` texts.

        Raises:
            EngineError: if the server fails.
        """
        total = min(self.marks.manifest.distinct_text_count, MOST_HITS)
        k = min(k, total)
        found: list[Nearest] = []
        for start in range(0, len(codes), _QUERIES_AT_ONCE):
            batch = codes[start : start + _QUERIES_AT_ONCE]
            found += self._nearest(batch, min(total, k + k // 4 + _SPARE))
        return [self._settled(own, codes[place], k, total) for place, own in enumerate(found)]

    def codes(self, rows: Rows) -> Int8s:
        """Returns the int8 codes of rows `(m,)`, int8 `(m, dim)`."""
        found = self._by_row(rows, schema.CODES)
        return schema.decoded(found, self.marks.manifest.dim)

    def bits(self, rows: Rows) -> Bits:
        """Returns the sign bits of rows `(m,)`, uint8 `(m, ceil(dim / 8))`."""
        found = [bits[0] if isinstance(bits, list) else bits for bits in self._by_row(rows, schema.BITS)]
        return schema.packed(found, len(found), self.marks.manifest.dim)

    def documents(self, rows: Rows) -> tuple[Document, ...]:
        """Returns the documents at `rows`, in that order.

        Raises:
            IndexError: if a row is not in the corpus.
        """
        num_rows = self.marks.manifest.row_count
        if len(outside := rows[(rows < 0) | (rows >= num_rows)]):
            raise IndexError(f"row {outside[0]} is not in the corpus, which has rows 0 to {num_rows - 1}")
        found = self._by_row(rows, schema.DOCUMENT)
        return tuple(schema.document_of(row, values) for row, values in zip(rows.tolist(), found, strict=True))

    def facts(self, field: str, values: Rows) -> RowFacts:
        """Returns the facts of the rows whose `field`, one of `schema.FACTS`, is among `values`, in order of row."""
        found = self._rows(schema.among(field, np.unique(values)), schema.FACTS)
        found.sort(key=lambda entity: int(entity[schema.ROW]))
        columns = {name: [entity[name] for entity in found] for name in schema.FACTS}
        return RowFacts(
            rows=np.array(columns[schema.ROW], np.int64),
            first_rows=np.array(columns[schema.FIRST_ROW], np.int64),
            groups=np.array(columns[schema.GROUP], np.int64),
            qualities=np.array(columns[schema.QUALITY], np.float64),
        )

    def _settled(self, found: Nearest, code: Bits, k: int, total: int) -> Nearest:
        """Returns the first `k`, once the results determine them."""
        asked = len(found.rows)
        while asked < total and k <= len(found.rows) and found.distances[k - 1] == found.distances[-1]:
            asked = min(total, 4 * asked)
            num_before = len(found.rows)
            [found] = self._nearest(code[None], asked)
            if len(found.rows) == num_before:  # the lists that were visited hold no more
                break
        return Nearest(found.rows[:k], found.distances[:k], found.codes[:k])

    def _nearest(self, codes: Bits, asked: int) -> list[Nearest]:
        parameters = {"nprobe": self.marks.probes} if self.marks.scan == IVF else NOTHING
        queries = [code.tobytes() for code in codes]
        answers = self._read(lambda: self.server.search(queries, schema.BITS, asked, parameters, self.marks.partition))
        return [self._in_order(hits) for hits in answers]

    def _in_order(self, hits: Hits) -> Nearest:
        rows, distances = np.array(hits.keys, np.int64), np.array(hits.distances, np.int32)
        codes = schema.packed([hits.codes], len(rows), self.marks.manifest.dim)
        order = np.lexsort((rows, distances))
        return Nearest(rows[order], distances[order], codes[order])

    def _by_row(self, rows: Rows, field: str) -> list[Any]:
        """Returns one field of the entities at `rows`, in that order."""
        found = self._rows(schema.among(schema.ROW, np.unique(rows)), (schema.ROW, field)) if len(rows) else []
        by_row = {int(entity[schema.ROW]): entity[field] for entity in found}
        if missing := [row for row in rows.tolist() if row not in by_row]:
            raise EngineError(
                f"{self.address} did not return row {missing[0]:,}: some of its data is not in memory. "
                f"Try again soon; if that does not help, load the index again."
            )
        return [by_row[row] for row in rows.tolist()]

    def _rows(self, expression: str, fields: tuple[str, ...]) -> list[dict[str, Any]]:
        return self._read(lambda: self.server.rows(expression, fields, self.marks.partitions))

    def check(self) -> None:
        """Checks that the server answers, and that the collection still holds this index.

        The same index from a later load is accepted; nothing of another index is read.

        Raises:
            EngineError: if the server does not answer, or the collection holds another index.
            BundleMissingError: if the collection is gone, or is being loaded.
        """
        self.server.probe()
        marks = whole_marks(self.server)
        if marks.manifest != self.marks.manifest:
            self.is_replaced = True
            raise EngineError(f"{self.address} now holds another index, {marks.manifest.corpus.title}: open it again.")
        self.marks = marks

    def _read(self, ask: Callable[[], Answer]) -> Answer:
        """Returns what `ask` reads, trying again if the collection had to be brought back or was loaded again."""
        self.state.raise_if_failed()
        load_id = self.marks.load_id
        try:
            return ask()
        except NotLoadedError:
            self.check()
            self.server.bring_into_memory(wait=True)
        except EngineError:
            self.check()
            if self.marks.load_id == load_id:
                raise
        return ask()
