"""The panel of the button: before, during and after a measurement on this machine."""

from __future__ import annotations

from retrieval.benchmark.figures.quick import QuickFigures
from retrieval.benchmark.figures.run import RunFigures
from retrieval.benchmark.measurement_slot import MOST_QUERIES
from retrieval.bundle.manifest import Manifest
from retrieval.ui.benchmarks.claims import origin
from retrieval.ui.markup import escaped, milliseconds

_NAMES = {"float32": "float32", "int8": "int8", "binary": "sign bits"}
_ARTICLE = {"float32": "1x", "int8": "3.66x", "binary": "24.76x"}


def offer(manifest: Manifest, can_encode: bool) -> str:
    """Returns what the button will do, and what it cannot do for this index."""
    count = f"{min(MOST_QUERIES, manifest.row_count):,}"
    queries = f"{count} texts of its corpus, drawn with a fixed seed" if can_encode else (
        f"{count} of its vectors with a little noise, since it has no model for texts"
    )  # fmt: skip
    lacking = "" if manifest.has_baseline else (
        '<p class="lacking">This index has no float32 baseline, so recall and the comparison with float32 cannot be '
        "measured. Rebuild it without <code>--no-baseline</code> to get them.</p>"
    )  # fmt: skip
    return (
        f'<div class="measure"><p>Searches this index with {queries}, and scans all its vectors at each precision: '
        f"under a minute. Only you see the result, and others can keep searching.</p>{lacking}</div>"
    )


def under_way(share: float, what: str) -> str:
    """Returns the bar of a measurement."""
    percent = round(100 * min(1.0, max(0.0, share)))
    return (
        f'<div class="measure"><div class="bar" role="progressbar" aria-label="Measuring" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
        f"<p>Measuring: {escaped(what)}, {percent} %</p></div>"
    )


def told(title: str, text: str, *, is_error: bool = False) -> str:
    """Returns a message instead of a result."""
    kind = "note bad" if is_error else "note"
    return f'<div class="measure"><p class="{kind}" role="status"><b>{escaped(title)}</b> {escaped(text)}</p></div>'


def result(run: RunFigures, quick: QuickFigures) -> str:
    """Returns what was measured, with its machine, time and queries."""
    took = f" It took {quick.took_s:.0f} s." if quick.took_s is not None else ""
    missing = "".join(
        f'<p class="lacking">Not measured: {escaped(each.what)}, because {escaped(each.why)}. To get it, '
        f"{escaped(each.how_to_get_it)}.</p>"
        for each in quick.not_measured
    )
    return (
        f'<div class="measure" role="status"><h3>Measured on this machine</h3>{_scans(quick)}{_path(quick)}'
        f'<p class="source">{origin(run)}{took} {_caution(quick)}</p>{missing}</div>'
    )


def _scans(quick: QuickFigures) -> str:
    if not quick.scans:
        return ""
    longest = max(scan.p50_ms for scan in quick.scans.values()) or 1.0
    rows = "".join(
        f'<tr><th scope="row"><i class="dot {name}" aria-hidden="true"></i>{label}</th>'
        f"<td>{milliseconds(scan.p50_ms)} ms{_p95(scan.p95_ms)}</td>"
        f'<td class="track" aria-hidden="true"><i class="{name}" style="width:{100 * scan.p50_ms / longest:.2f}%"></i>'
        f"</td><td>{f'{quick.ratios[name]:.2f}x' if name in quick.ratios else '-'}</td><td>{_ARTICLE[name]}</td></tr>"
        for name, label in _NAMES.items()
        if (scan := quick.scans.get(name)) is not None
    )
    return (
        '<div class="wide"><table class="scans"><caption class="unseen">One query against all vectors</caption><thead>'
        '<tr><th scope="col">Exact scan</th><th scope="col">Median (p95)</th><td></td>'
        f'<th scope="col">Faster</th><th scope="col">Article</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _p95(value_ms: float | None) -> str:
    return "" if value_ms is None else f" <small>({milliseconds(value_ms)})</small>"


def _path(quick: QuickFigures) -> str:
    facts = []
    if quick.path_ms is not None:
        facts.append(("Whole search, median", f"{milliseconds(quick.path_ms)} ms"))
    if quick.without_encode_ms is not None:
        facts.append(("without encoding the query", f"{milliseconds(quick.without_encode_ms)} ms"))
    if quick.int8_rows_read is not None:
        facts.append(("int8 rows read", f"{quick.int8_rows_read:,.0f}"))
    if quick.recall is not None:
        facts.append(("recall@10 against float32", f"{quick.recall:.3f}"))
    return f'<dl class="facts">{"".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)}</dl>'


def _caution(quick: QuickFigures) -> str:
    name = escaped(quick.query_set or "")
    return f"The queries are {name}: easier than people's questions, since each is in the index." if name else ""
