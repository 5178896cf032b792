"""A frontier saved by `scripts/frontier.py --json`: its points, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from retrieval.benchmark.figures.reading import count_at, read_object, text_at
from retrieval.evaluation.frontier.points import Frontier


@dataclass(frozen=True, slots=True)
class KeptFrontier:
    """A saved measurement, and its machine."""

    frontier: Frontier
    title: str
    """What the vectors are called."""
    taken_at: str | None = None
    cpu: str | None = None
    cores: int | None = None


def read_frontier(path: Path) -> KeptFrontier | None:
    """Returns the frontier in a file, or None if there is none that can be read."""
    values = read_object(path)
    if values is None:
        return None
    try:
        frontier = Frontier.from_json({item.name: values[item.name] for item in fields(Frontier)})
    except (KeyError, TypeError):
        return None
    return KeptFrontier(
        frontier,
        text_at(values, "title") or "other vectors",
        text_at(values, "taken_at"),
        text_at(values, "machine", "cpu"),
        count_at(values, "machine", "cores"),
    )
