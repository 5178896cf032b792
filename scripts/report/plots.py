"""The plots of the README, from what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from scripts.report.judged_tables import collections_of, name_of
from scripts.report.markdown import FigureMissingError, Figures, part_of
from scripts.report.plot_style import COLOURS, as_svg, panels, plain_numbers, short_number

_MARKERS = "DvPX^s<>pdh"
_LOWEST_RECALL = 0.8
"""Settings that find less are of no use, and would squeeze the others together."""
_LINES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)))


def recall_latency(figures: Figures) -> bytes:
    """Returns recall@10 against the milliseconds of the vector part: the sweep, its frontier, and the peers."""
    sets = part_of(figures, "sweep")["sets"]
    default = part_of(figures, "sweep")["default"]

    def draw(figure: Figure) -> None:
        for axes, (name, own) in zip(panels(figure, len(sets)), sets.items(), strict=True):
            points, best = own["points"], own["frontier"]
            axes.plot(_of(points, "p50_ms"), _of(points, "recall"), "o", ms=3, color=COLOURS["binary"], alpha=0.35)
            axes.plot(
                _of(best, "p50_ms"), _of(best, "recall"), "-o", ms=4, color=COLOURS["binary"], label="ours: frontier"
            )
            for point in points:
                if (point["num_candidates"], point["int8_rows_read"]) == (
                    default["num_candidates"],
                    default["int8_rows"],
                ):
                    axes.plot(
                        point["p50_ms"], point["recall"], "*", ms=13, color=COLOURS["binary"], label="our default"
                    )
            for marker, (engine, ms, recall) in zip(_MARKERS, peer_points(figures, name), strict=False):
                axes.plot(ms, recall, marker, ms=6, color=COLOURS["others"], label=engine)
            axes.set(title=name, xlabel="ms a query, vector part, p50", xscale="log")
            axes.set(ylabel=f"recall@10, from {_LOWEST_RECALL} up", ylim=(_LOWEST_RECALL, 1.005))
            plain_numbers(axes.xaxis)
            axes.legend(loc="lower right", fontsize=7)

    return as_svg(draw, "Recall against latency", width=4.6 * len(sets))


def recall_bytes(figures: Figures) -> bytes:
    """Returns recall@10 against the bytes a vector in RAM: exact scans, our path, the published one."""
    found, dim = part_of(figures, "scans")["recall"], figures["index"]["dim"]
    paths = part_of(figures, "paths")["sets"]
    bits = (dim + 7) // 8

    def draw(figure: Figure) -> None:
        for axes, name in zip(panels(figure, len(paths)), paths, strict=True):
            points = [
                ("float32", "float32, all", 4 * dim, found["float32_numpy"][name], "s"),
                ("int8", "int8, de-quantized, all", dim, found["int8_dequantized"][name], "s"),
                ("int8", "int8 x int8, all (article)", dim, found["int8"][name], "s"),
                ("binary", "bits alone", bits, found["binary"][name], "s"),
                ("binary", "published 4x, int8 on disk", bits, paths[name]["reference_4x"]["recall"], "o"),
                ("binary", "ours, int8 on disk", bits, paths[name]["ours"]["recall"], "*"),
            ]
            for colour, label, size, recall, marker in points:
                below = 14 if label.startswith("int8, de-quantized") else 3  # float32 is at the same height
                axes.plot(size, recall, marker, ms=12 if marker == "*" else 7, color=COLOURS[colour])
                axes.annotate(label, (size, recall), (8, -below), textcoords="offset points")
            axes.set(
                title=name,
                xlabel="bytes a vector in RAM",
                ylabel="recall@10",
                xscale="log",
                xlim=(bits / 1.5, 14 * dim),
            )
            axes.set_xticks([bits, dim, 4 * dim], [f"{size:,}" for size in (bits, dim, 4 * dim)])
            axes.minorticks_off()

    return as_svg(draw, "Recall against memory", width=4.6 * len(paths))


def growth(figures: Figures) -> bytes:
    """Returns milliseconds and megabytes by the number of documents."""
    sizes = [size for size in part_of(figures, "growth")["sizes"] if "not_measured" not in size]

    def draw(figure: Figure) -> None:
        times, room = panels(figure, 2, shared=False)
        documents = _of(sizes, "documents")
        for label, style, values in (
            ("vector part", "-o", [size["vector_part"]["p50_ms"] for size in sizes]),
            ("Hamming stage", "--o", [size["stages"]["hamming"]["p50_ms"] for size in sizes]),
        ):
            times.plot(documents, values, style, ms=4, color=COLOURS["binary"], label=label)
        times.set(title="time", xlabel="documents", ylabel="ms a query, p50", xscale="log", yscale="log")
        for label, colour, values in (
            ("float32", "float32", [size["files"]["embeddings.npy"] / 1e6 for size in sizes]),
            ("int8, on disk", "int8", [size["files"]["int8.usearch"] / 1e6 for size in sizes]),
            ("sign bits, in RAM", "binary", [size["codes_bytes"] / 1e6 for size in sizes]),
        ):
            room.plot(documents, values, "-o", ms=4, color=COLOURS[colour], label=label)
        room.set(title="bytes", xlabel="documents", ylabel="MB", xscale="log", yscale="log")
        for axes in (times, room):
            axes.set_xticks(documents, [short_number(number) for number in documents])
            axes.xaxis.set_minor_locator(NullLocator())
            plain_numbers(axes.yaxis)
        times.legend()
        room.legend()

    return as_svg(draw, "Growth", width=9.2)


def kept_multiplier(files: Sequence[Figures]) -> bytes:
    """Returns the percent of float32's nDCG@10 that is kept against the rescore multiplier, for each collection."""
    collections = collections_of(files)
    if not collections:
        raise FigureMissingError("no judged collection was measured: scripts/evaluate.py --json measures them")

    def draw(figure: Figure) -> None:
        left, right = panels(figure, 2)
        curves = ((left, "binary", "binary_depth_10"), (right, "int8", "int8_first_raw_codes"))
        for axes, colour, curve in curves:
            for number, collection in enumerate(collections):
                points = collection["curves"][curve]
                kept = [point["ndcg"]["kept"]["percent"] for point in points]
                style = {"ls": _LINES[number % len(_LINES)], "marker": ".", "color": COLOURS[colour]}
                axes.plot(_of(points, "multiplier"), kept, label=name_of(collection), **style)
            axes.axhline(100, color=COLOURS["float32"], lw=1)
            axes.set(xlabel="rescore multiplier, of ten", ylabel="% of float32's nDCG@10")
            axes.legend(loc="lower right", fontsize=7)
        left.set_title("bits, rescored by float query x bits")
        right.set_title("int8, rescored by float query x raw codes")

    return as_svg(draw, "Judged quality that is kept, against the rescore multiplier", width=9.2)


def peer_points(figures: Figures, query_set: str) -> list[tuple[str, float, float]]:
    """Returns name, median milliseconds and recall of every peer that was measured on a query set."""
    engines: Mapping[str, Any] = figures["parts"].get("peers", {}).get("engines", {})
    return [
        (engine["title"], engine["latency_ms"][query_set]["p50"], engine["recall"][query_set])
        for name, engine in engines.items()
        if not name.startswith("ours") and query_set in engine.get("recall", {})
    ]


RUN_PLOTS: Mapping[str, Callable[[Figures], bytes]] = {
    "recall-latency": recall_latency,
    "recall-bytes": recall_bytes,
    "growth": growth,
}
"""Name of the file to what draws it from a run of benchmark.py."""
JUDGED_PLOTS: Mapping[str, Callable[[Sequence[Figures]], bytes]] = {"kept-multiplier": kept_multiplier}
"""The same from the files of evaluate.py."""


def _of(points: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [point[key] for point in points]
