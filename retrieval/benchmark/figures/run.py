"""What `scripts/benchmark.py` measured of one index, read from its JSON: parts that are missing are empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from retrieval.benchmark.figures.quick import QuickFigures
from retrieval.benchmark.figures.reading import count_at, items_at, list_at, number_at, numbers_at, text_at
from retrieval.bundle.manifest import EMBEDDINGS_FILE, INT8_FILE, Manifest

SCAN_RECALLS = {"float32": "float32_numpy", "int8": "int8", "int8_dequantized": "int8_dequantized", "binary": "binary"}
"""Our names of exact scans, mapped to those in the JSON."""
PATHS = ("reference", "reference_4x", "ours")


@dataclass(frozen=True, slots=True)
class Spread:
    """How many times faster than float32: over batches of queries."""

    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One setting of the search."""

    num_candidates: int
    int8_rows: int
    recall: float
    ms: float
    """Median of the vector part: no encoding, no documents."""


@dataclass(frozen=True, slots=True)
class PeerPoint:
    """Another engine, or another scan of ours, at the setting that reaches the recall asked for."""

    title: str
    ms: float
    """Median of the vector search."""
    recall: float
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class GrowthPoint:
    """The search over a number of documents."""

    documents: int
    made_vectors: int
    """How many of them are real vectors with noise."""
    ms: float
    hamming_ms: float | None
    recall: float | None
    float32_bytes: int | None
    int8_bytes: int | None
    binary_bytes: int | None


@dataclass(frozen=True, slots=True)
class RunFigures:
    """The figures of one run, and where they come from."""

    taken_at: str | None
    cpu: str | None
    cores: int | None
    threads: int | None
    load_average: float | None
    title: str | None
    rows: int | None
    distinct_texts: int | None
    dim: int | None
    model: str | None
    file_bytes: Mapping[str, float]
    """Size of each file of the index, by name."""
    query_sets: Mapping[str, int]
    ratios: Mapping[str, Spread]
    """By precision: times faster than the fastest float32 kernel, over all batches."""
    recalls: Mapping[str, Mapping[str, float]]
    """recall@10 by what was searched (`SCAN_RECALLS`, `PATHS`), then by query set."""
    sweep: Mapping[str, tuple[SweepPoint, ...]]
    frontier: Mapping[str, tuple[SweepPoint, ...]]
    default_setting: tuple[int, int] | None
    """Candidates and int8 rows of the index's own settings."""
    peers: Mapping[str, tuple[PeerPoint, ...]]
    """Other engines on the same vectors, by query set."""
    growth: tuple[GrowthPoint, ...]
    quick: QuickFigures | None
    """What `--quick` gives, where it was run."""

    @classmethod
    def from_json(cls, figures: object) -> Self:
        """Returns what can be read of a run; never fails."""
        parts = items_at(figures, "parts")
        sets = items_at(parts, "sweep", "sets")
        candidates, rows = (count_at(parts, "sweep", "default", key) for key in ("num_candidates", "int8_rows"))
        return cls(
            taken_at=text_at(figures, "taken_at"),
            cpu=text_at(figures, "machine", "cpu"),
            cores=count_at(figures, "machine", "cores"),
            threads=count_at(figures, "threads"),
            load_average=number_at(figures, "load_average"),
            title=text_at(figures, "index", "title"),
            rows=count_at(figures, "index", "rows"),
            distinct_texts=count_at(figures, "index", "distinct_texts"),
            dim=count_at(figures, "index", "dim"),
            model=text_at(figures, "index", "model"),
            file_bytes=numbers_at(figures, "index", "files"),
            query_sets={
                name: count
                for name, about in items_at(figures, "query_sets").items()
                if (count := count_at(about, "count")) is not None
            },
            ratios=_ratios(parts),
            recalls=_recalls(parts),
            sweep={name: _points(own, "points") for name, own in sets.items()},
            frontier={name: _points(own, "frontier") for name, own in sets.items()},
            default_setting=None if candidates is None or rows is None else (candidates, rows),
            peers={name: _peers(parts, name) for name in sets},
            growth=_growth(parts),
            quick=QuickFigures.from_json(parts["quick"]) if "quick" in parts else None,
        )

    def is_of(self, manifest: Manifest) -> bool:
        """Returns whether an index of the same texts and model was measured, so far as their numbers can tell."""
        own = (self.rows, self.distinct_texts, self.dim, self.model)
        return own == (manifest.row_count, manifest.distinct_text_count, manifest.dim, manifest.model_id)

    @property
    def is_busy(self) -> bool:
        """Returns whether the machine was busy with other work, so that its times cannot be trusted."""
        return self.load_average is not None and self.cores is not None and self.load_average > self.cores


def _ratios(parts: Mapping[str, object]) -> dict[str, Spread]:
    found = {}
    for precision in ("int8", "binary"):
        spread = numbers_at(parts, "scans", "ratios", "float32_fastest", precision, "all")
        if {"min", "mean", "max"} <= spread.keys():
            found[precision] = Spread(spread["min"], spread["mean"], spread["max"])
    return found


def _recalls(parts: Mapping[str, object]) -> dict[str, dict[str, float]]:
    found = {name: numbers_at(parts, "scans", "recall", key) for name, key in SCAN_RECALLS.items()}
    sets = items_at(parts, "paths", "sets")
    for path in PATHS:
        found[path] = {
            name: recall for name, own in sets.items() if (recall := number_at(own, path, "recall")) is not None
        }
    return {name: recalls for name, recalls in found.items() if recalls}


def _points(sweep: object, which: str) -> tuple[SweepPoint, ...]:
    found = []
    for point in list_at(sweep, which):
        candidates, rows = count_at(point, "num_candidates"), count_at(point, "int8_rows_read")
        recall, ms = number_at(point, "recall"), number_at(point, "p50_ms")
        if candidates is not None and rows is not None and recall is not None and ms is not None and ms > 0:
            found.append(SweepPoint(candidates, rows, recall, ms))
    return tuple(found)


_IN_THE_SWEEP = ("ours", "ours_at_target")
"""Engines of the comparison that are points of the sweep, too."""


def _peers(parts: Mapping[str, object], query_set: str) -> tuple[PeerPoint, ...]:
    found = []
    for key, engine in items_at(parts, "peers", "engines").items():
        title, recall = text_at(engine, "title"), number_at(engine, "recall", query_set)
        ms = number_at(engine, "latency_ms", query_set, "p50")
        if title and recall is not None and ms is not None and ms > 0 and key not in _IN_THE_SWEEP:
            found.append(PeerPoint(title, ms, recall, is_ours=key.startswith("ours")))
    return tuple(found)


def _growth(parts: Mapping[str, object]) -> tuple[GrowthPoint, ...]:
    found = []
    for size in list_at(parts, "growth", "sizes"):
        documents, ms = count_at(size, "documents"), number_at(size, "vector_part", "p50_ms")
        if not documents or ms is None or ms <= 0:
            continue
        point = GrowthPoint(
            documents,
            count_at(size, "made_vectors") or 0,
            ms,
            number_at(size, "stages", "hamming", "p50_ms"),
            number_at(size, "recall"),
            count_at(size, "files", EMBEDDINGS_FILE),
            count_at(size, "files", INT8_FILE),
            count_at(size, "codes_bytes"),
        )
        found.append(point)
    return tuple(sorted(found, key=lambda point: point.documents))
