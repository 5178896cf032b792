"""What the vectors would take at each precision, calculated, and what this process holds, measured."""

from __future__ import annotations

from collections.abc import Iterator

from retrieval.results import MemoryItem, MemoryReport
from retrieval.ui.markup import data_size, escaped

_MEASURED = {
    "codes": "Sign bits, in RAM",
    "row_tables": "Row tables, in RAM",
    "encoder": "Encoder, in RAM",
    "int8_file": "int8 file, on disk",
    "int8_resident": "of it in this process now",
    "documents_file": "Documents, on disk",
    "documents_resident": "of it in this process now",
    "rss": "Whole process (RSS)",
}
_MAY_BE_UNKNOWN = {
    "encoder": "codes",
    "int8_resident": "int8_file",
    "documents_resident": "documents_file",
    "rss": "codes",
}
"""What some systems do not report, each with an item of the reports that should have it."""
_COLOURS = {"codes": "binary", "int8_file": "int8", "documents_file": "text"}


def memory_panel(report: MemoryReport) -> str:
    """Returns the panel: three bars of arithmetic, then the sizes measured in this process."""
    sizes = (("float32", report.float32_bytes), ("int8", report.int8_bytes), ("binary", report.binary_bytes))
    bars = "".join(_bar(name, size, report.float32_bytes) for name, size in sizes)
    measured = "".join(_rows(report))
    return (
        '<section class="panel" id="memory"><h2>Memory</h2>'
        f"<h3>Vectors, calculated<small>{report.num_vectors:,} &times; {report.dim:,}</small></h3>"
        f'<dl class="sizes">{bars}</dl>{_shared(report)}'
        "<h3>This process, measured now</h3>"
        f'<table class="measured"><caption class="unseen">Bytes by kind</caption><tbody>{measured}</tbody></table>'
        "</section>"
    )


def _shared(report: MemoryReport) -> str:
    """Returns what duplicates save, apart from quantization; empty if no text is repeated."""
    if report.num_rows is None or report.num_rows <= report.num_vectors:
        return ""
    times = report.num_rows / max(report.num_vectors, 1)
    return (
        f'<p class="hint">{report.num_rows:,} rows hold {report.num_vectors:,} distinct texts, and rows with the same '
        f"text share one vector: {times:.1f}x fewer vectors, at every precision.</p>"
    )


def _bar(name: str, size_bytes: int, largest_bytes: int) -> str:
    share = 100 * size_bytes / max(largest_bytes, 1)
    times = largest_bytes / max(size_bytes, 1)
    smaller = "" if times < 1.5 else f"<small>1/{times:.0f}</small>"
    return (
        f"<div><dt>{name}</dt><dd>{data_size(size_bytes)}{smaller}</dd>"
        f'<div class="track" aria-hidden="true"><i class="{name}" style="width:{share:.2f}%"></i></div></div>'
    )


def _rows(report: MemoryReport) -> Iterator[str]:
    """Yields the items that have a description, in this order; the copy of the bits on disk is left out."""
    by_name = {item.name: item for item in report.items}
    for name, words in _MEASURED.items():
        if name in by_name:
            yield _row(by_name[name])
        elif _MAY_BE_UNKNOWN.get(name) in by_name:
            yield f'<tr><th scope="row">{words}</th><td><small>not available on this system</small></td></tr>'


def _row(item: MemoryItem) -> str:
    colour = _COLOURS.get(item.name)
    dot = f'<i class="dot {colour}" aria-hidden="true"></i>' if colour else '<i class="dot" aria-hidden="true"></i>'
    kind = ' class="inner"' if item.kind == "resident" else ""
    return (
        f'<tr{kind} title="{escaped(item.label)}"><th scope="row">{dot}{_MEASURED[item.name]}</th>'
        f"<td>{data_size(item.size_bytes)}</td></tr>"
    )
