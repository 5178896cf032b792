"""Tables of speed and recall: our path and the reference path, exact scans, the sweep, the page, and Milvus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from retrieval.results import STAGES
from scripts.report.markdown import Figures, busy_note, markdown, mb_cell, measured_on, ms_cell, part_of, recall_cell

_KERNEL_NAMES = {
    "float32_faiss": "float32, faiss `IndexFlatIP`",
    "float32_numpy": "float32, numpy",
    "int8": "int8, numkong",
    "binary": "sign bits, ours",
}
_VIEW_NAMES = {"search": "Search", "compare": "Compare", "hood": "Under the hood"}


def recall(figures: Figures) -> Iterator[str]:
    """Yields recall@10 of our path and of the reference path."""
    part = part_of(figures, "paths")
    rows_read = part["settings"]["rescore_multiplier"] * part["settings"]["top_k"]
    header = [
        "query set",
        "recall@10, ours",
        "int8 rows read",
        "Hamming for top 10 only, raw int8 codes",
        "the same with 4x",
    ]
    rows = [
        [
            name,
            f"**{recall_cell(own['ours'])}**",
            f"{rows_read}",
            recall_cell(own["reference"]),
            recall_cell(own["reference_4x"]),
        ]
        for name, own in part["sets"].items()
    ]
    yield from markdown(header, rows)


def paths(figures: Figures) -> Iterator[str]:
    """Yields the milliseconds of each stage of our path and of the reference path, for each query set."""
    part = part_of(figures, "paths")
    which = {"ours": "ours", "reference": "reference", "reference_4x": "reference, 4x"}
    columns = [(set_, path) for set_ in part["sets"] for path in which]
    header = ["ms, p50 (p95)", *(f"{set_}, {which[path]}" for set_, path in columns)]
    rows = []
    in_files = [stage for stage in STAGES if stage != "network"]
    for stage in (*in_files, "without_encode", "total"):
        cells = [ms_cell(part["sets"][set_][path]["stages"].get(stage)) for set_, path in columns]
        rows.append([{"total": "**whole query**", "without_encode": "without encode"}.get(stage, stage), *cells])
    rows.append(
        ["p99 of the whole query", *(f"{part['sets'][s][p]['stages']['total']['p99_ms']:.2f}" for s, p in columns)]
    )
    rows.append(["CPU ms per query", *(f"{part['sets'][set_][path]['cpu_ms']:.1f}" for set_, path in columns)])
    rows.append(["recall@10", *(recall_cell(part["sets"][set_][path]) for set_, path in columns)])
    rows.append([
        "times ours, p50",
        *("" if p == "ours" else f"**{part['sets'][s][f'{p}_over_ours']:.2f}x**" for s, p in columns),
    ])  # fmt: skip
    yield from markdown(header, rows)


def scans(figures: Figures) -> Iterator[str]:
    """Yields the exact scans: milliseconds, and the article's min, mean and max speed-up over float32."""
    part = part_of(figures, "scans")
    header = [
        "exact scan", "queries at once", "ms per query, p50 (p95)", "CPU ms per query",
        "faster than float32: min", "mean", "max", "than faiss, mean",
    ]  # fmt: skip
    rows = []
    for name, label in _KERNEL_NAMES.items():
        for size, timings in part["timings"][name].items():
            spread = part["ratios"]["float32_fastest"][name][size]
            article = part["ratios"]["float32_faiss"][name][size]
            rows.append([
                label, size, ms_cell(timings), f"{timings['cpu_ms']:.2f}",
                *(f"{spread[key]:.2f}x" for key in ("min", "mean", "max")), f"{article['mean']:.2f}x",
            ])  # fmt: skip
    yield from markdown(header, rows)
    yield ""
    batches = {size: found["batches"] for size, found in part["ratios"]["float32_fastest"]["binary"].items()}
    yield (
        "Ratios are over the same batches of queries, and float32 is the faster of its two kernels for each batch: "
        + ", ".join(f"{count} batches of {size}" for size, count in batches.items() if size != "all")
        + "."
    )
    yield "The article, on other machines and models: int8 2.99x, 3.66x, 4.80x; binary 15.05x, 24.76x, 45.80x."


def sweep(figures: Figures) -> Iterator[str]:
    """Yields the settings that no other beats, for each query set."""
    part = part_of(figures, "sweep")
    rows = [
        [name, f"{point['num_candidates']:,}", f"{point['int8_rows_read']:,}", f"{point['recall']:.3f}", ms_cell(point)]
        for name, own in part["sets"].items()
        for point in own["frontier"]
    ]
    yield from markdown(["query set", "candidates", "int8 rows read", "recall@10", "vector part, ms p50 (p95)"], rows)


def page(figures: Figures) -> Iterator[str]:
    """Yields the figures as a Markdown table."""
    views = figures["views"]
    header = ["ms, p50 (p95)", "keypress to painted", "request", "search"]
    rows = [
        [_VIEW_NAMES[name], *(_whole_ms(view[key]) if key in view else "-" for key in ("painted", "request", "search"))]
        for name, view in views.items()
    ]
    yield from markdown(header, rows)
    yield ""
    first = next(iter(views.values()))
    yield (
        f"{first['queries']} queries per view, one visitor, warm, headless Chromium on the same machine; without the "
        f"{first['pause_ms']} ms that the page waits for a pause in typing."
    )
    if (screen := figures.get("first_screen")) is not None:
        yield ""
        yield from _first_screen(screen)


def _first_screen(screen: Figures) -> Iterator[str]:
    whole, shifts = screen["whole_results"], screen["layout_shift"]
    rows = [
        ["complete results in the first screen", *(f"{whole[name]}" for name in whole)],
        ["layout shift", *(f"{shifts[name]:.3f}" for name in whole)],
    ]
    yield from markdown(["", *whole], rows)
    yield ""
    first, second = (screen[f"phone_{which}_visit_ms"] / 1e3 for which in ("first", "second"))
    yield (
        f"The first HTML is {screen['first_html_bytes'] / 1e3:.0f} kB on the wire. On a simulated slow 4G phone "
        f"(150 ms, 1.6 Mbit/s, a quarter of the CPU) the query box appears after {first:.1f} s, on a second visit "
        f"after {second:.1f} s."
    )


def _whole_ms(found: Figures) -> str:
    return f"{found['p50_ms']:.0f} ({found['p95_ms']:.0f})"


_PLACE_NAMES = {
    "local_hamming": "files, `hamming`",
    "local_lists": "files, `lists`",
    "milvus_flat": "Milvus, `BIN_FLAT`",
    "milvus_ivf": "Milvus, `BIN_IVF_FLAT`",
}


def milvus(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yields the figures as a Markdown table."""
    sets = list(figures["query_sets"])
    header = [
        "where, how", *(f"recall@10, {name}" for name in sets), "one at a time, ms p50 (p95)",
        "queries/s", "this process, MB", "Milvus, MB", "loading",
    ]  # fmt: skip
    rows = [_row(name, way, figures["loads"].get(name), sets) for name, way in figures["ways"].items()]
    yield from markdown(header, rows)
    yield ""
    first = next(iter(figures["ways"].values()))[sets[0]]
    index, settings = figures["index"], first["settings"]
    yield (
        f"{index['title']}: {index['rows']:,} documents, {index['dim']} dimensions, "
        f"{settings['num_candidates']:,} candidates, {settings['rescore_multiplier'] * settings['top_k']:,} int8 rows. "
        f"The vector part only, from a query vector to ranked texts. Times are of *{sets[0]}*; queries/s is that of "
        f"{first['visitors']} threads at once. Memory is RSS after the queries; Milvus holds only that collection. "
        f"Loading runs from the files until all rows are indexed, loaded in Milvus and counted; next to it is the peak "
        f"RAM of the command."
    )
    where = measured_on(figures, figures["cores"])
    yield f"Milvus {figures['milvus']['version']}, on the same machine. {where}"
    loads = (load["load_average"] for load in figures["loads"].values())
    yield from busy_note(max(figures["load_average"], *loads), figures["machine"]["cores"])


def _row(name: str, way: Mapping[str, Any], load: Mapping[str, Any] | None, sets: list[str]) -> list[str]:
    first = way[sets[0]]
    loading = "-"
    if load is not None:
        loading = f"{load['seconds']:,.0f} s, {mb_cell(load['client_peak_rss_bytes'])} MB"
    return [
        _PLACE_NAMES[name],
        *(f"{way[each]['recall']:.3f}" for each in sets),
        ms_cell(first["alone"]),
        f"{first['queries_per_s']:,.0f}",
        mb_cell(first["rss_bytes"]),
        mb_cell(first["server_rss_bytes"]) if "server_rss_bytes" in first else "-",
        loading,
    ]
