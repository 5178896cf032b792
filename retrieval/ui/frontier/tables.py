"""What was measured, as HTML: the sample, the charts, the schemes, recall as a set grows, and some neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retrieval.evaluation.frontier.neighbours import OVERSAMPLING, Neighbours
from retrieval.evaluation.frontier.points import Frontier, Point, Rescoring
from retrieval.ui.benchmarks.charts import figure
from retrieval.ui.frontier.charts import frontier_charts
from retrieval.ui.frontier.words import TARGETS, label, oversampling_words, sample_line, smallest_reaching
from retrieval.ui.markup import escaped, wide_table


def charts_html(frontier: Frontier, title: str = "The frontier of your vectors") -> str:
    """Returns what was measured on how much, and the charts."""
    drawn = "".join(figure(chart) for chart in frontier_charts(frontier))
    return (
        f'<section class="frontier"><h2>{escaped(title)}</h2><p>{escaped(sample_line(frontier))}</p>'
        f'<div class="charts">{drawn}</div></section>'
    )


def tables_html(frontier: Frontier) -> str:
    """Returns the table of all schemes for each number of dimensions, and how recall falls as the set grows."""
    dims = sorted({each.dim for each in frontier.points}, reverse=True)
    shorter = "".join(
        f'<details class="numbers"><summary>On the first {dim:,} dimensions</summary>{_schemes(frontier, dim)}'
        "</details>"
        for dim in dims[1:]
    )
    return (
        f'<section class="frontier"><h3>Every scheme on all {frontier.dim:,} dimensions</h3>'
        "<p>The oversampling that each recall needs: that many times "
        f"{frontier.k} of the scheme are read from disk and scored again, by int8 or by float32.</p>"
        f"{_schemes(frontier, frontier.dim)}{shorter}{_growth(frontier)}</section>"
    )


def _schemes(frontier: Frontier, dim: int) -> str:
    heads = [
        "Scheme",
        "Bytes in RAM",
        f"Recall@{frontier.k} alone",
        *(["nDCG@10 alone"] if frontier.is_judged else []),
        *(f"&ge; {target:.2f}<small>int8 / float32</small>" for target in TARGETS),
        "Scan<small>ns per vector</small>",
    ]
    return wide_table(heads, "".join(_rows(frontier, dim)), f"Every scheme on {dim:,} dimensions", "schemes")


def _rows(frontier: Frontier, dim: int) -> Iterator[str]:
    for scheme in dict.fromkeys(each.scheme for each in frontier.points):
        points = [each for each in frontier.points if (each.scheme, each.dim) == (scheme, dim)]
        alone = next((each for each in points if each.rescoring == "none"), None)
        if alone is None:
            continue
        recall = alone.recall
        cells = "".join(f"<td>{_reached(points, target)}</td>" for target in TARGETS)
        scan = "-" if alone.scan_ns is None else f"{alone.scan_ns:,.1f}"
        yield (
            f'<tr><th scope="row">{escaped(label(scheme))}</th><td>{alone.ram_bytes:,}</td>'
            f"<td>{recall.mean:.3f}<small>{recall.low:.3f} to {recall.high:.3f}</small></td>"
            f"{'' if alone.ndcg is None else f'<td>{alone.ndcg:.3f}</td>'}{cells}<td>{scan}</td></tr>"
        )
    for out in frontier.left_out:
        if out.dim == dim:
            yield (
                f'<tr><th scope="row">{escaped(label(out.scheme))}</th>'
                f'<td colspan="{3 + len(TARGETS) + frontier.is_judged}">not measured: {escaped(out.reason)}</td></tr>'
            )


def _reached(points: Sequence[Point], target: float) -> str:
    def words(rescoring: Rescoring) -> str:
        return oversampling_words(
            smallest_reaching([each for each in points if each.rescoring in ("none", rescoring)], target)
        )

    by_int8, by_float32 = words("int8"), words("float32")
    return by_int8 if by_int8 == by_float32 else f"{by_int8} / {by_float32}"


def _growth(frontier: Frontier) -> str:
    sizes = sorted({each.num_vectors for each in frontier.growth})
    if len(sizes) < 2:
        return ""
    found = {(each.scheme, each.num_vectors): each.recall.mean for each in frontier.growth}
    rows = "".join(
        f'<tr><th scope="row">{escaped(label(scheme))}</th>'
        + "".join(f"<td>{found[scheme, size]:.3f}</td>" for size in sizes)
        + "</tr>"
        for scheme in dict.fromkeys(each.scheme for each in frontier.growth)
    )
    heads = ["Recall alone among", *(f"{size:,}" for size in sizes)]
    return (
        "<h3>Recall as more vectors compete</h3><p>The same queries against a part of the vectors. If it falls, "
        "expect it to keep falling in a larger set: nothing is extrapolated.</p>"
        + wide_table(heads, rows, "Recall by the number of vectors", "growth")
    )


def neighbours_html(neighbours: Sequence[Neighbours]) -> str:
    """Returns the nearest rows of some vectors, side by side: those of the exact answer are marked in the others."""
    if not neighbours:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{each.row:,}</th><td>{_listed(each.exact, each.exact)}</td>'
        f"<td>{_listed(each.bits, each.exact)}</td><td>{_listed(each.rescored, each.exact)}</td></tr>"
        for each in neighbours
    )
    k = len(neighbours[0].exact)
    heads = ["Row", "Nearest, exactly", "By sign bits", f"The best {OVERSAMPLING * k} by sign bits, rescored"]
    return (
        f'<section class="frontier"><h3>Neighbours of some of your vectors</h3><p>Row numbers, counted from 0, '
        f"nearest first. Those among the exact {k} are bold.</p>"
        f"{wide_table(heads, rows, 'Neighbours of some vectors', 'neighbours')}</section>"
    )


def _listed(rows: Sequence[int], exact: Sequence[int]) -> str:
    return ", ".join(f"<strong>{row:,}</strong>" if row in exact else f"{row:,}" for row in rows)
