"""The tables of a server under load, from what scripts/load.py measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from scripts.report.markdown import FigureMissingError, Figures, markdown

_DOING = {
    "search": "search (`/api/search`)", "page": "search in the page", "compare": "compare",
    "hood": "look under the hood", "upload": "upload a table and look at it",
}  # fmt: skip


def routes(figures: Sequence[Figures]) -> Iterator[str]:
    """Yields visitors who search, by route and number."""
    header = ["route", "visitors", *_MET, "CPU ms", "RSS MB, before and after"]
    rows = [
        [f"`{each['route']}`", f"{each['visitors']}", *_met(each), f"{each['cpu_ms']:.1f}", _rss(each)]
        for each in figures
    ]
    return markdown(header, rows)


def mix(figures: Sequence[Figures]) -> Iterator[str]:
    """Yields visitors who do different things at the same time."""
    header = ["visitors", "what some of them do", "how many", *_MET, "RSS MB, before and after"]
    rows = [
        [f"{each['visitors']}", _DOING[each["kind"]], f"{each['doing']}", *_met(each), _rss(each)] for each in figures
    ]
    return markdown(header, rows)


def beside(figures: Sequence[Figures]) -> Iterator[str]:
    """Yields a visitor who searches now and then, next to another who floods the server with sixteen connections."""
    header = ["while another does this all the time", "p50 ms", "p95 ms", "p95, vs. alone", "errors"]
    alone = figures[0]["p95_ms"]
    rows = [
        [
            "nobody" if each["beside"] is None else _DOING[each["beside"]],
            f"{each['p50_ms']:.1f}",
            f"{each['p95_ms']:.1f}",
            f"{each['p95_ms'] / alone:.1f}x",
            f"{each['errors'] + each['cross_talk']}",
        ]
        for each in figures
    ]
    return markdown(header, rows)


def growth(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yields what the server held at the start, after a tenth of the searches, and at the end."""
    samples = figures["samples"]
    warm = next(each for each in samples if each["searches"] >= figures["searches"] / 10)
    header = ["after searches", "RSS MB", "threads", "handles", "temporary files"]
    rows = [
        [
            f"{each['searches']:,}",
            f"{each['rss_bytes'] / 1e6:.1f}",
            *(f"{each[name]}" for name in ("threads", "handles", "temporary_files")),
        ]
        for each in (samples[0], warm, samples[-1])
    ]
    return markdown(header, rows)


_MET = ("answers/s", "p50 ms", "p95 ms", "busy", "errors", "wrong answers")


def _met(each: Figures) -> list[str]:
    times = (f"{each[name]:.1f}" if name in each else "-" for name in ("p50_ms", "p95_ms"))
    return [f"{each['per_second']:.1f}", *times, f"{each['busy']}", f"{each['errors']}", f"{each['cross_talk']}"]


def _rss(each: Figures) -> str:
    return f"{each['rss_before_bytes'] / 1e6:.0f} to {each['rss_after_bytes'] / 1e6:.0f}"


TABLES: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "routes": routes, "mix": mix, "beside": beside, "growth": growth,
}  # fmt: skip
"""By part of the measurement."""


def _of_part(name: str) -> Callable[[Figures], Iterator[str]]:
    def lines(load: Figures) -> Iterator[str]:
        part = load.get(name)
        if part is None:
            raise FigureMissingError(f"there are no {name}: scripts/load.py --only {name} measures them")
        yield from TABLES[name](part["figures"])
        yield ""
        yield about(part)

    return lines


def about(part: Figures) -> str:
    """Returns a line about where and when a part was measured."""
    machine = part["machine"]
    each = f", {part['seconds']:g} s for each row" if part["seconds"] else ""
    return (
        f"{part['documents']:,} documents{each}; {part['taken_at']} on {machine['cpu']}, {machine['cores']} cores, "
        f"with a load of {part['load_average']:.1f} before it began."
    )


LOAD_TABLES: Mapping[str, Callable[[Figures], Iterator[str]]] = {f"load_{name}": _of_part(name) for name in TABLES}
"""By the name in a marker: the table of a part of what load.py wrote, and a line about the machine."""
