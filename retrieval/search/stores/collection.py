"""An index in a Milvus collection: Hamming distances there, everything behind them here, as for an index in files.

A text is known by its first row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from retrieval.bundle.row_tables import Rows, best_first, members_first
from retrieval.milvus import schema
from retrieval.milvus.collection import MOST_HITS, Collection
from retrieval.milvus.marks import INDEX_TYPES, IVF
from retrieval.quantization import Bits, Float32s, Int8s
from retrieval.results import Document, MemoryItem
from retrieval.search.measurement import count_apart
from retrieval.search.rescoring import hamming_scores
from retrieval.search.scans.scan import Candidates, Queries, Scan


class CollectionStore:
    """An opened collection, a `Store`. Safe to use from many threads."""

    scans = ("hamming",)

    def __init__(self, collection: Collection) -> None:
        """Takes a collection that holds a whole index."""
        self.collection = collection
        self.manifest = manifest = collection.marks.manifest
        self.place = collection.address
        self.name = str(collection.address)
        self._repeats_texts = manifest.distinct_text_count < manifest.row_count
        self._hamming = MilvusHamming(collection)

    def __repr__(self) -> str:
        return repr(self.collection)

    @property
    def is_replaced(self) -> bool:
        return self.collection.is_replaced

    @property
    def state(self) -> str:
        return self.collection.state.word

    @property
    def notes(self) -> tuple[str, ...]:
        collection = self.collection
        kind = INDEX_TYPES[collection.marks.scan]
        how = f"{kind}: the nearest lists only" if collection.marks.scan == IVF else f"{kind}: all of them"
        return (
            f"The vectors and the documents are in Milvus {collection.server.version} at {collection.address}. "
            f"It compares the bits ({how}); the order and the scores are made here.",
        )

    @property
    def num_results(self) -> int:
        return self.manifest.row_count if self.manifest.group_count is None else self.manifest.group_count

    def check_there(self) -> None:
        """Asks nobody: a search finds out, and so does the watch over the server."""

    def raise_if_failed(self) -> None:
        self.collection.state.raise_if_failed()

    def prepare(self, verify: str, scan: str, when_fast: Callable[[], None] = lambda: None) -> None:
        """Starts to watch the server: its memory and its files are its own matter. See `Store.prepare`."""
        self.collection.state.look()
        self.collection.state.raise_if_failed()
        self.collection.state.watch()

    def scan(self, name: str) -> Scan:
        if name not in self.scans:
            raise KeyError(f"no scan {name!r}")
        return self._hamming

    def codes_at(self, texts: Rows) -> Bits:
        with network_apart(self.collection):
            return self.collection.bits(texts)

    def int8_codes(self, texts: Rows) -> Int8s:
        with network_apart(self.collection):
            return self.collection.codes(texts)

    def int8_codes_of_row(self, row: int) -> Int8s:
        return self.int8_codes(np.array([row]))

    def first_row_of(self, texts: Rows) -> Rows:
        return texts

    def best_rows(self, texts: Rows, scores: Float32s, top_k: int) -> tuple[Rows, Rows]:
        if not self._decides_by_row(scores):
            return texts[:top_k], np.arange(len(texts))[:top_k]
        field = schema.FIRST_ROW if self._repeats_texts else schema.ROW
        with network_apart(self.collection):
            facts = self.collection.facts(field, texts)
        by_text = np.argsort(texts)
        positions = by_text[np.searchsorted(texts, facts.first_rows, sorter=by_text)]
        groups = None if self.manifest.group_count is None else facts.groups
        return best_first(facts.rows, positions, scores, facts.qualities, groups, top_k)

    def _decides_by_row(self, scores: Float32s) -> bool:
        """Returns whether more than the scores, best first, decides on the order: groups, repeats or equal scores."""
        is_tied = bool(np.any(scores[1:] == scores[:-1]))
        return self._repeats_texts or self.manifest.group_count is not None or is_tied

    def members(self, rows: Rows, texts: Rows) -> list[tuple[int, ...]]:
        if self.manifest.group_count is None or len(rows) == 0:
            return [()] * len(rows)
        with network_apart(self.collection, calls=2):
            own = self.collection.facts(schema.ROW, rows)
            facts = self.collection.facts(schema.GROUP, own.groups)
        group_of = dict(zip(own.rows.tolist(), own.groups.tolist(), strict=True))
        places = {int(text): place for place, text in enumerate(texts)}
        lists = []
        for row in rows.tolist():
            others = (facts.groups == group_of[row]) & (facts.rows != row)
            lists.append(members_first(facts.rows[others], facts.first_rows[others], places, facts.qualities[others]))
        return lists

    def documents(self, rows: Rows) -> tuple[Document, ...]:
        with network_apart(self.collection):
            return self.collection.documents(rows)

    def memory(self) -> list[MemoryItem]:
        """Returns what this process holds of the index: nothing."""
        return [MemoryItem("codes", "sign bits in this process: Milvus holds them", 0, "ram")]


class MilvusHamming:
    """Hamming distances that Milvus counts; the bits of the texts come back with them."""

    stage = "hamming"

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._dim = collection.marks.manifest.dim

    def search(self, queries: Queries, k: int, probes: int | None = None) -> list[Candidates]:
        """Returns the nearest texts of each query with distances and bits; `MOST_HITS` at most. See `Scan.search`."""
        with network_apart(self._collection):
            found = self._collection.nearest(queries.codes, min(k, MOST_HITS))
        return [
            Candidates(own.rows, hamming_scores(own.distances, self._dim), own.distances, own.codes) for own in found
        ]


@contextmanager
def network_apart(collection: Collection, calls: int = 1) -> Iterator[None]:
    """Counts the round trips of the block to the stage `network`: what empty calls take, of the time that it took."""
    start = time.perf_counter()
    yield
    count_apart("network", min(calls * collection.server.round_trip_s, time.perf_counter() - start))
