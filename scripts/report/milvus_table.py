"""The table of one index in files and in Milvus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.report.markdown import busy_note, markdown, mb_cell, measured_on, ms_cell

_NAMES = {
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
        _NAMES[name],
        *(f"{way[each]['recall']:.3f}" for each in sets),
        ms_cell(first["alone"]),
        f"{first['queries_per_s']:,.0f}",
        mb_cell(first["rss_bytes"]),
        mb_cell(first["server_rss_bytes"]) if "server_rss_bytes" in first else "-",
        loading,
    ]
