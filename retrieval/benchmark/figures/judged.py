"""What `scripts/evaluate.py --json` measured by human judgment, read from its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.benchmark.figures.reading import count_at, list_at, number_at, read_object, text_at

CURVES = ("binary_depth_10", "int8_first_raw_codes")


@dataclass(frozen=True, slots=True)
class Kept:
    """Percent of float32's nDCG@10, with its interval."""

    percent: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class JudgedRung:
    """One way to search, and its quality."""

    key: str
    label: str
    scanned_bytes: int
    rescored_bytes: int
    ndcg: float
    kept: Kept | None


@dataclass(frozen=True, slots=True)
class JudgedFigures:
    """One collection with human judgments."""

    name: str
    is_planted: bool
    """Whether it stands among other texts, without judgments."""
    model: str | None
    queries: int | None
    confidence_percent: float | None
    rungs: tuple[JudgedRung, ...]
    curves: Mapping[str, tuple[tuple[int, float], ...]]
    """Percent kept by rescore multiplier, of `CURVES`."""


def read_judged(folder: Path) -> tuple[JudgedFigures, ...]:
    """Returns the collections in all `judged*.json` of a folder, those that stand alone first."""
    found = [each for path in sorted(folder.glob("judged*.json")) for each in judged_collections(read_object(path))]
    return tuple(sorted(found, key=lambda each: each.is_planted))


def judged_collections(figures: object) -> tuple[JudgedFigures, ...]:
    """Returns the collections that can be read of one file's JSON; never fails."""
    model = text_at(figures, "model", "id")
    found = (_collection(each, model) for each in list_at(figures, "collections"))
    return tuple(each for each in found if each is not None)


def _collection(figures: Any, model: str | None) -> JudgedFigures | None:
    name = text_at(figures, "collection")
    rungs = tuple(_rungs(list_at(figures, "rungs")))
    if name is None or not rungs:
        return None
    planted = count_at(figures, "distractors", "planted")
    return JudgedFigures(
        name=name if planted is None else f"{name} among {planted:,}",
        is_planted=planted is not None,
        model=model,
        queries=count_at(figures, "counts", "scored_queries"),
        confidence_percent=number_at(figures, "bootstrap", "confidence_percent"),
        rungs=rungs,
        curves={curve: points for curve in CURVES if (points := tuple(_curve(list_at(figures, "curves", curve))))},
    )


def _rungs(rungs: Sequence[Any]) -> Iterator[JudgedRung]:
    for rung in rungs:
        key, label, ndcg = text_at(rung, "key"), text_at(rung, "label"), number_at(rung, "ndcg", "mean")
        scanned, rescored = count_at(rung, "scanned_bytes"), count_at(rung, "rescored_bytes")
        if key and label and ndcg is not None and scanned is not None:
            percent = number_at(rung, "ndcg", "kept", "percent")
            low, high = (number_at(rung, "ndcg", "kept", end) for end in ("low", "high"))
            kept = None if percent is None else Kept(percent, low, high)
            yield JudgedRung(key, label, scanned, rescored or 0, ndcg, kept)


def _curve(points: Sequence[Any]) -> Iterator[tuple[int, float]]:
    for point in points:
        multiplier, percent = count_at(point, "multiplier"), number_at(point, "ndcg", "kept", "percent")
        if multiplier and percent is not None:
            yield multiplier, percent
