"""The table of one index in files and in Milvus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.report.markdown import markdown, mb_cell, ms_cell

_NAMES = {
    "local_hamming": "files, `hamming`",
    "local_lists": "files, `lists`",
    "milvus_flat": "Milvus, `BIN_FLAT`",
    "milvus_ivf": "Milvus, `BIN_IVF_FLAT`",
}


def milvus(figures: Mapping[str, Any]) -> Iterator[str]:
    """Yields the figures as a table of Markdown."""
    sets = list(figures["query_sets"])
    header = [
        "way", *(f"recall@10, {name}" for name in sets), "one at a time, ms p50 (p95)",
        "queries/s", "this process, MB", "Milvus, MB", "loading",
    ]  # fmt: skip
    rows = [_row(name, way, figures["loads"].get(name), sets) for name, way in figures["ways"].items()]
    yield from markdown(header, rows)
    yield ""
    first = next(iter(figures["ways"].values()))[sets[0]]
    index, settings = figures["index"], first["settings"]
    yield (
        f"{index['rows']:,} x {index['dim']} dimensions, {settings['num_candidates']:,} candidates, "
        f"{settings['rescore_multiplier'] * settings['top_k']:,} int8 rows. The vector part only, from a query vector "
        f"to ranked texts; {first['visitors']} threads for the throughput; memory is RSS, after the queries. Milvus "
        f"{figures['milvus']['version']}, on the same {figures['cores']} cores: {figures['machine']['cpu']}."
    )


def _row(name: str, way: Mapping[str, Any], load: Mapping[str, Any] | None, sets: list[str]) -> list[str]:
    first = way[sets[0]]
    loading = "-"
    if load is not None:
        loading = f"{load['seconds']:,.0f} s, at most {mb_cell(load['client_peak_rss_bytes'])} MB here"
    return [
        _NAMES[name],
        *(f"{way[each]['recall']:.3f}" for each in sets),
        ms_cell(first["alone"]),
        f"{first['queries_per_s']:,.0f}",
        mb_cell(first["rss_bytes"]),
        mb_cell(first["server_rss_bytes"]) if "server_rss_bytes" in first else "-",
        loading,
    ]
