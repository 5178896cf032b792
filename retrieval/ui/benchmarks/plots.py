"""From what was measured to charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

from retrieval.benchmark.figures.run import GrowthPoint, PeerPoint, RunFigures, SweepPoint
from retrieval.errors import counted
from retrieval.quantization import vector_bytes
from retrieval.ui.benchmarks.charts import COLOURS, MARKERS, Axis, Chart, Point, Series
from retrieval.ui.markup import milliseconds

_RECALL = Axis("recall@10", at_most=1.0)
_SEARCHES = (
    ("float32", "float32, all", "float32", "square", 32),
    ("int8_dequantized", "int8 de-quantized, all", "int8", "square", 8),
    ("int8", "int8 x int8 codes, all (the article)", "int8", "diamond", 8),
    ("binary", "sign bits alone", "binary", "circle", 1),
    ("reference_4x", "bits, then 4x int8 codes (2024 demo)", "binary", "diamond", 1),
    ("ours", "this project, int8 on disk", "binary", "star", 1),
)
"""Key, label, colour, marker, and bits per dimension that are held in RAM."""
_SHOWN_RECALL = 0.1
"""Settings that find this much less than the best are useless, and would squeeze the others together."""


def run_charts(run: RunFigures) -> Iterator[Chart]:
    """Yields the charts of a run that it has the figures for."""
    yield from latency_charts(run)
    yield from memory_charts(run)
    yield from growth_charts(run)


def latency_charts(run: RunFigures) -> Iterator[Chart]:
    """Yields recall against latency for each query set: all settings, the best of them, other engines."""
    for name, points in run.sweep.items():
        yield _frontier(name, points, run.frontier.get(name, ()), run.default_setting, run.peers.get(name, ()))


def memory_charts(run: RunFigures) -> Iterator[Chart]:
    """Yields recall against the bytes per vector in RAM for each query set."""
    if run.dim:
        for name in dict.fromkeys(name for recalls in run.recalls.values() for name in recalls):
            yield _recall_bytes(name, run.recalls, run.dim)


def growth_charts(run: RunFigures) -> Iterator[Chart]:
    """Yields time and bytes against the number of documents."""
    if len(run.growth) > 1:
        yield _growth_time(run.growth)
        yield _growth_bytes(run.growth)


def _frontier(
    name: str,
    points: Sequence[SweepPoint],
    best: Sequence[SweepPoint],
    default: tuple[int, int] | None,
    peers: Sequence[PeerPoint],
) -> Chart:
    lowest = max((point.recall for point in points), default=0.0) - _SHOWN_RECALL
    points, best = ([each for each in some if each.recall >= lowest] for some in (points, best))
    chosen = [point for point in points if (point.num_candidates, point.int8_rows) == default]
    known = {(point.num_candidates, point.int8_rows) for point in (*best, *chosen)}
    others = [point for point in points if (point.num_candidates, point.int8_rows) not in known]
    return Chart(
        f"Recall against latency: {name}",
        Axis("ms per query, without encoding", is_log=True),
        _RECALL,
        (
            Series("other settings", "other", _sweep_points(others), "ring"),
            *(
                Series(peer.title, "binary" if peer.is_ours else colour, (_peer_point(peer),), marker)
                for peer, marker, colour in zip(peers, cycle(MARKERS), cycle(COLOURS), strict=False)
            ),
            Series("the Pareto frontier of our settings", "binary", _sweep_points(best), line="solid"),
            Series("the index's own setting", "binary", _sweep_points(chosen), "star"),
        ),
        "Each point is one setting: how many candidates the bits give, and how many int8 rows are read.",
    )


def _sweep_points(points: Sequence[SweepPoint]) -> tuple[Point, ...]:
    return tuple(
        Point(
            point.ms,
            point.recall,
            f"{point.num_candidates:,} candidates, {counted(point.int8_rows, 'int8 row')}: "
            f"recall {point.recall:.3f} in {milliseconds(point.ms)} ms",
        )
        for point in points
    )


def _peer_point(peer: PeerPoint) -> Point:
    return Point(peer.ms, peer.recall, f"{peer.title}: recall {peer.recall:.3f} in {milliseconds(peer.ms)} ms")


def _recall_bytes(name: str, recalls: Mapping[str, Mapping[str, float]], dim: int) -> Chart:
    series = []
    for key, label, colour, marker, bits in _SEARCHES:
        recall, size = recalls.get(key, {}).get(name), vector_bytes(dim, bits)
        if recall is not None:
            note = f"{label}: recall {recall:.3f} from {size:,} bytes per vector"
            series.append(Series(label, colour, (Point(size, recall, note),), marker))
    sizes = tuple(float(vector_bytes(dim, bits)) for bits in (1, 8, 32))
    return Chart(
        f"Recall against memory: {name}",
        Axis("bytes per vector in RAM", is_log=True, ticks=sizes, show=lambda value: f"{value:,.0f}"),
        _RECALL,
        tuple(series),
    )


def _growth_time(growth: Sequence[GrowthPoint]) -> Chart:
    total = tuple(
        Point(each.documents, each.ms, f"{each.documents:,} documents: {milliseconds(each.ms)} ms") for each in growth
    )
    hamming = tuple(
        Point(each.documents, each.hamming_ms, f"{each.documents:,} documents: {milliseconds(each.hamming_ms)} ms")
        for each in growth
        if each.hamming_ms is not None and each.hamming_ms > 0
    )
    return Chart(
        "Growth: time",
        _documents(growth),
        Axis("ms per query", is_log=True),
        (
            Series("whole search, without encoding", "binary", total, line="solid"),
            Series("of it, the Hamming scan", "binary", hamming, "ring", "dashed"),
        ),
        _made(growth),
    )


def _growth_bytes(growth: Sequence[GrowthPoint]) -> Chart:
    kinds = (
        ("float32", "float32", [each.float32_bytes for each in growth], "square"),
        ("int8, on disk", "int8", [each.int8_bytes for each in growth], "diamond"),
        ("sign bits, in RAM", "binary", [each.binary_bytes for each in growth], "circle"),
    )
    return Chart(
        "Growth: bytes",
        _documents(growth),
        Axis("MB", is_log=True),
        tuple(
            Series(
                label,
                colour,
                tuple(
                    Point(each.documents, size / 1e6, f"{each.documents:,} documents: {size / 1e6:,.1f} MB")
                    for each, size in zip(growth, sizes, strict=True)
                    if size
                ),
                marker,
                "solid",
            )
            for label, colour, sizes, marker in kinds
        ),
        _made(growth),
    )


def _documents(growth: Sequence[GrowthPoint]) -> Axis:
    return Axis("documents", is_log=True, ticks=tuple(float(each.documents) for each in growth))


def _made(growth: Sequence[GrowthPoint]) -> str:
    made = [each.documents for each in growth if each.made_vectors]
    if not made:
        return "All vectors are from the index."
    return f"From {min(made):,} documents on, some vectors are real ones with a little noise added."
