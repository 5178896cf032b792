"""The table of schemes for int8 codes and sign bits, from what compare_schemes.py writes."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.report.markdown import FigureMissingError, Figures, markdown

_SHOWN = {"int8": ("all",), "signs": ("hamming_100", "hamming_10")}
"""What tells the schemes apart: int8 over all vectors, and what the bits hand on; the first that was measured."""
_TITLES = {"int8": "int8 codes, all vectors scanned", "signs": "sign bits, best 100 (judged: 10)"}


def schemes(figures: Figures) -> Iterator[str]:
    """Yields a table of int8 schemes and one of sign bits, a column a query set, in percent kept of the first row.

    Raises:
        FigureMissingError: if no query set and no collection was measured.
    """
    sets = {**figures["query_sets"], **figures["judged"]}
    if not sets:
        raise FigureMissingError("the comparison of schemes has no query set and no collection")
    for part, stages in _SHOWN.items():
        header = [_TITLES[part], "bytes a vector", *(f"{name}: {own['measure']}" for name, own in sets.items())]
        rows = []
        for number, first in enumerate(next(iter(sets.values()))[part]):
            cells = [_cell(own[part][number], stages, is_first=number == 0) for own in sets.values()]
            rows.append([first["label"], str(first["vector_bytes"]), *cells])
        yield from markdown(header, rows)
        yield ""
    yield "In brackets: percent kept of the first row, which is what the product does (95 % paired bootstrap interval)."


def _cell(row: Figures, stages: tuple[str, ...], *, is_first: bool) -> str:
    value = next((row["stages"][stage] for stage in stages if stage in row["stages"]), None)
    if value is None:
        return "-"
    kept = value["kept"]
    interval = "" if is_first or kept["percent"] is None else f" [{kept['low']:.1f}, {kept['high']:.1f}]"
    return f"{value['mean']:.4f}{interval}"
