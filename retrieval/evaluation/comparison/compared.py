"""What a comparison answers: one query searched in several ways, each with what it kept, lost, took and needs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from retrieval.results import SearchSettings

FLOAT32, INT8, BITS, PUBLISHED, OURS = "float32", "int8", "bits", "published", "ours"
SMALLEST_REFERENCE_MS = 0.5
"""Below this, a scan takes no longer than calling it: how many times faster another way is would say nothing."""


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
    """As this way gives it; `Method.score_kind` says what it is."""
    in_reference: bool
    """Whether it counts as one of the reference's results; among texts that tie with the last one, any does."""
    reference_rank: int
    """1-based rank that the reference gives it among all texts."""


@dataclass(frozen=True, slots=True)
class LostText:
    """A result of the reference that one way of searching did not find."""

    reference_rank: int
    """1-based: where it should have been."""
    row: int
    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Method:
    """One way to search, what it answered, and what it took."""

    key: str
    label: str
    about: str
    """What it does, in one sentence."""
    score_kind: str
    """`cosine`, `estimate`, `bits differ` or `raw dot`."""
    hits: tuple[ComparedHit, ...]
    lost: tuple[LostText, ...]
    time_ms: float | None
    """Median of `num_runs`, from the query vector to the ranked texts; None where it could not be run."""
    num_runs: int
    vector_bytes: int
    """Bytes a vector that every query reads, in RAM."""
    ram_bytes: int
    """Those of all texts, by arithmetic: what must be in RAM, and is read for each query."""
    disk_bytes: int
    """Vectors that may stay on disk, by arithmetic."""
    disk_read_bytes: int
    """What one query reads of those."""
    missing: str | None = None
    """Why it could not be run."""

    @property
    def overlap(self) -> int:
        """Returns how many results of the reference it found."""
        return sum(hit.in_reference for hit in self.hits)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers of all ways to one query."""

    query: str
    methods: tuple[Method, ...]
    """float32, int8, bits, published and ours, in this order."""
    reference_key: str
    """What overlap is counted with: `float32`, or `int8` where the index has no float32 vectors."""
    settings: SearchSettings
    """Those of ours; `top_k` is how many texts each way answered with."""
    num_texts: int
    """Distinct texts that were compared."""
    dim: int
    encode_ms: float
    """Encoding the query: once for all ways, in none of their times."""
    total_ms: float
    """The whole comparison, waiting for its turn left out."""
    rss_bytes: int
    """All pages of this process in RAM, when it was done."""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        kept = ", ".join(f"{method.key} {method.overlap}" for method in self.methods if method.missing is None)
        return f"Comparison({self.num_wanted} of {self.num_texts:,} texts: {kept}; {self.total_ms:.0f} ms)"

    def __getitem__(self, key: str) -> Method:
        """Returns the method called `key`.

        Raises:
            KeyError: if there is no such method.
        """
        for method in self.methods:
            if method.key == key:
                return method
        raise KeyError(f"no method {key!r}; there are {', '.join(method.key for method in self.methods)}")

    @property
    def reference(self) -> Method:
        """Returns the method that the others are measured against."""
        return self[self.reference_key]

    @property
    def num_wanted(self) -> int:
        """Returns how many results the reference has."""
        return len(self.reference.hits)

    def times_faster(self, key: str) -> float | None:
        """Returns the reference's time over that of a method; None where either is unknown or too short to say."""
        reference_ms, own_ms = self.reference.time_ms, self[key].time_ms
        if reference_ms is None or own_ms is None or reference_ms < SMALLEST_REFERENCE_MS or own_ms <= 0:
            return None
        return reference_ms / own_ms

    def memory_share(self, key: str) -> float:
        """Returns the bytes a method needs in RAM over those of the reference."""
        return self[key].ram_bytes / self.reference.ram_bytes


def compare_values(comparison: Comparison) -> dict[str, Any]:
    """Returns a comparison as plain values, ready for JSON."""
    values = dataclasses.asdict(comparison)
    for method, found in zip(values["methods"], comparison.methods, strict=True):
        method["hits"] = [dict(hit) for hit in method["hits"]]
        method["lost"] = [dict(lost) for lost in method["lost"]]
        method["overlap"] = found.overlap
        method["times_faster"] = comparison.times_faster(found.key)
        method["memory_share"] = comparison.memory_share(found.key)
    return {
        **values,
        "methods": list(values["methods"]),
        "notes": list(comparison.notes),
        "num_wanted": comparison.num_wanted,
        "in_words": in_words(comparison),
    }


def in_words(comparison: Comparison) -> str:
    """Returns what ours kept of the reference's results, how fast and from how much memory, as one sentence."""
    ours, reference = comparison[OURS], comparison.reference
    whose = "the float32 results" if comparison.reference_key == FLOAT32 else "what int8 finds"
    kept = f"{ours.overlap} of {comparison.num_wanted} of {whose}"
    memory = f"from {percent(comparison.memory_share(OURS))} of the memory"
    faster = comparison.times_faster(OURS)
    if faster is None:
        times = f"{reference.time_ms or 0:.2f} and {ours.time_ms or 0:.2f} ms"
        return f"{kept}, {memory}; with so few texts the times ({times}) are too short to compare."
    return f"{kept}, {speed_words(faster)}, {memory}."


def speed_words(times_faster: float) -> str:
    """Returns how fast something is: `41x faster`, `3.2x faster`, `about as fast`, `1.8x slower`."""
    if 0.9 < times_faster < 1.1:
        return "about as fast"
    ratio, word = (times_faster, "faster") if times_faster > 1 else (1 / times_faster, "slower")
    return f"{ratio:,.0f}x {word}" if ratio >= 9.95 else f"{ratio:.1f}x {word}"


def percent(share: float) -> str:
    """Returns a share in percent, to a digit or three: `0.4 %`, `3 %`, `12.5 %`, `100 %`."""
    value = 100 * share
    if value >= 9.95:
        return f"{value:.3g} %"
    return f"{value:.0f} %" if value >= 0.95 or value == 0 else f"{value:.1g} %"
