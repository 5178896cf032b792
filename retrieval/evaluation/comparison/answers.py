"""The result of a comparison: one query searched in several ways, with what each kept, missed and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.comparison.averages import Average
from retrieval.evaluation.comparison.curve import CandidateCurve
from retrieval.evaluation.way import Way, Work
from retrieval.quantization import Float32s
from retrieval.results import Document, SearchSettings
from retrieval.search.exact_scan import ExactAnswer, agreeing

SMALLEST_REFERENCE_MS = 0.5
"""Below this, a scan takes no longer than calling it: a speed-up would mean nothing."""


@dataclass(frozen=True, slots=True)
class ComparedHit:
    """A text that one way of searching found."""

    rank: int
    """1-based."""
    row: int
    """The first row with this text."""
    text: str
    url: str | None
    score: float
    """As this way computes it; `Way.score_kind` says what it is."""
    in_reference: bool
    """Whether it counts as one of the reference's results; any text that ties with the last one does."""
    reference_rank: int
    """1-based rank among all texts, by the reference."""


@dataclass(frozen=True, slots=True)
class LostText:
    """A result of the reference that one way of searching did not find."""

    reference_rank: int
    """1-based: where it should have been."""
    row: int
    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class WayAnswer:
    """What one way to search answered, and its cost."""

    way: Way
    hits: tuple[ComparedHit, ...]
    lost: tuple[LostText, ...]
    time_ms: float | None
    """Median of `num_runs`, from the query vector to the ranked texts, and never above that of a way that does all
    of this one's work and more; None if it could not be run."""
    num_runs: int
    work: Work
    """How many vectors each step of its search handled."""
    vector_bytes: int
    """Bytes per vector that every query reads, in RAM."""
    ram_bytes: int
    """For all texts, calculated: what must be in RAM, and is read for each query."""
    disk_bytes: int
    """Vectors that may stay on disk, calculated."""
    disk_read_bytes: int
    """What one query reads of those."""
    average: Average | None = None
    """What it finds over many queries; None if that was not measured."""

    @property
    def key(self) -> str:
        """Returns the name of the way."""
        return self.way.key

    @property
    def overlap(self) -> int:
        """Returns how many results of the reference it found."""
        return sum(hit.in_reference for hit in self.hits)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers of all ways to one query."""

    query: str
    answers: tuple[WayAnswer, ...]
    """Scans first, our path last."""
    reference_key: str
    """What overlap is counted against: `float32`, or `int8` if the index has no float32 vectors."""
    settings: SearchSettings
    """Those of our path; `top_k` is how many texts each way answered with."""
    num_texts: int
    """Distinct texts that were compared."""
    dim: int
    encode_ms: float
    """Encoding the query: once for all ways, in none of their times."""
    total_ms: float
    """The whole comparison, without waiting for its turn."""
    rss_bytes: int
    """All pages of this process in RAM, when it was done."""
    curve: CandidateCurve | None = None
    """What more candidates would find; None if it was not asked."""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        kept = ", ".join(f"{each.key} {each.overlap}" for each in self.answers if each.time_ms is not None)
        return f"Comparison({self.num_wanted} of {self.num_texts:,} texts: {kept}; {self.total_ms:.0f} ms)"

    def __getitem__(self, key: str) -> WayAnswer:
        """Returns the answer of the way called `key`.

        Raises:
            KeyError: if there is no such way.
        """
        for answer in self.answers:
            if answer.key == key:
                return answer
        raise KeyError(f"no way {key!r}; there are {', '.join(answer.key for answer in self.answers)}")

    @property
    def reference(self) -> WayAnswer:
        """Returns the answer that the others are measured against."""
        return self[self.reference_key]

    @property
    def num_wanted(self) -> int:
        """Returns how many results the reference has."""
        return len(self.reference.hits)

    def times_faster(self, key: str) -> float | None:
        """Returns the reference's time over that of a way; None if either is unknown or too short to say."""
        reference_ms, own_ms = self.reference.time_ms, self[key].time_ms
        if reference_ms is None or own_ms is None or reference_ms < SMALLEST_REFERENCE_MS or own_ms <= 0:
            return None
        return reference_ms / own_ms

    def memory_share(self, key: str) -> float:
        """Returns the bytes that a way needs in RAM over those of the reference."""
        return self[key].ram_bytes / self.reference.ram_bytes


@dataclass(frozen=True, slots=True)
class Reference:
    """What the overlap is counted against: every text's score, and the best of them."""

    scores: Float32s
    """`(num_texts,)` of every text."""
    best: ExactAnswer
    text_rows: Rows
    """`(num_texts,)` first row of each text, ascending."""

    def hits(self, rows: Rows, scores: Float32s, documents: Mapping[int, Document]) -> tuple[ComparedHit, ...]:
        """Returns the texts `(k,)` that a way found, best first, with their ranks by the reference."""
        exact = self._scores_of(rows)
        known = {int(row): rank for rank, row in enumerate(self.best.rows, start=1)}
        found = zip(rows.tolist(), scores.tolist(), exact, agreeing(exact, self.best), strict=True)
        hits = []
        for rank, (row, score, own, counts) in enumerate(found, start=1):
            reference_rank = known.get(row) or 1 + int(np.count_nonzero(self.scores > own))
            document = documents[row]
            hits.append(ComparedHit(rank, row, document.text, document.url, score, bool(counts), reference_rank))
        return tuple(hits)

    def lost(self, rows: Rows, documents: Mapping[int, Document]) -> tuple[LostText, ...]:
        """Returns what a way that found the texts at `rows` missed."""
        found = set(rows.tolist())
        missed = [(rank, row) for rank, row in enumerate(self.best.rows.tolist(), start=1) if row not in found]
        # A substitute that ties with the last text makes up for it: the last ones missed do not count.
        num_lost = len(self.best.rows) - int(np.sum(agreeing(self._scores_of(rows), self.best)))
        return tuple(LostText(rank, row, documents[row].text, documents[row].url) for rank, row in missed[:num_lost])

    def _scores_of(self, rows: Rows) -> Float32s:
        return self.scores[np.searchsorted(self.text_rows, rows)]
