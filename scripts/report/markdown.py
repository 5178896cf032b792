"""Markdown cells and tables, and the parts of a run that they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from retrieval import RetrievalError

Figures = Mapping[str, Any]
_BUSY_LOAD = 0.7
"""Load average per core: opening the index and encoding the queries cause some of it."""


class FigureMissingError(RetrievalError):
    """A requested figure was not measured; the message has the command that measures it."""


def part_of(figures: Figures, name: str) -> Figures:
    """Returns what a part measured.

    Raises:
        FigureMissingError: if it was not run, failed, or could not be measured.
    """
    part: Figures | None = figures["parts"].get(name)
    if part is None:
        raise FigureMissingError(f"the part {name} was not run: scripts/benchmark.py --only {name} measures it")
    if reason := part.get("error") or part.get("not_measured"):
        raise FigureMissingError(f"the part {name} has no figures: {reason}")
    return part


def markdown(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Yields a table."""
    for cells in (header, ["---"] * len(header), *rows):
        yield f"| {' | '.join(cells)} |"


def recall_cell(path: Figures) -> str:
    """Returns the recall of a path, `-` if there was no float32 to compare with."""
    return "-" if path["recall"] is None else f"{path['recall']:.3f}"


def ms_cell(found: Figures | None) -> str:
    """Returns median and 95th percentile in milliseconds, `-` for None."""
    return "-" if found is None else f"{found['p50_ms']:.2f} ({found['p95_ms']:.2f})"


def mb_cell(size_bytes: float) -> str:
    """Returns megabytes, with a decimal below 100."""
    return f"{size_bytes / 1e6:,.1f}" if size_bytes < 99.95e6 else f"{size_bytes / 1e6:,.0f}"


def bytes_cell(rung: Figures) -> str:
    """Returns the bytes per vector of a search: those that are scanned, and those that are read from disk."""
    return f"{rung['scanned_bytes']:,}" + (f" + {rung['rescored_bytes']:,} on disk" if rung["rescored_bytes"] else "")


def kept_cell(kept: Figures) -> str:
    """Returns the percent that is kept, with its interval in brackets; `-` where there was nothing to keep."""
    return "-" if kept["percent"] is None else f"{kept['percent']:.1f} [{kept['low']:.1f}, {kept['high']:.1f}]"


def measured_on(figures: Figures, cores: int) -> str:
    """Returns when, on which machine and on how many of its cores figures were measured, as a sentence."""
    about = figures["machine"]
    return (
        f"Measured {figures['taken_at']} on {about['cpu']}, {cores} of {about['cores']} cores, "
        f"{about['ram_bytes'] / 2**30:.0f} GiB of RAM, {about['os']}."
    )


def busy_note(load_average: float, cores: int) -> Iterator[str]:
    """Yields a sentence if the machine was busy with other work."""
    if load_average > _BUSY_LOAD * cores:
        yield (
            f"The machine was busy with other work (load average {load_average:.1f} at the start): "
            f"its milliseconds are too high, and its ratios uncertain."
        )
