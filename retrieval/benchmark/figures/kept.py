"""What was measured once and saved: of an index in its folder, of a set of vectors by `scripts/frontier.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from retrieval.benchmark.figures.reading import count_at, read_object, text_at, value_at
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.files import write_json
from retrieval.bundle.manifest import BENCHMARK_FILE, BINARY_FILE
from retrieval.evaluation.frontier.points import Frontier


def kept_figures(bundle: Bundle) -> dict[str, Any] | None:
    """Returns the figures that `scripts/benchmark.py` kept in this index's folder, or None.

    None, too, when the file cannot be read, or was measured on another index: a rebuilt one has other codes.
    """
    figures = read_object(bundle.file(BENCHMARK_FILE))
    measured_on = value_at(figures, "index", "binary_sha256")
    return figures if measured_on == bundle.manifest.files[BINARY_FILE].sha256 else None


def keep_figures(bundle: Bundle, figures: Mapping[str, Any]) -> None:
    """Writes the figures into the index's folder.

    Raises:
        OSError: if the folder cannot be written.
    """
    write_json(bundle.file(BENCHMARK_FILE), figures)


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
