"""The figures of a run as Markdown tables, by name: what benchmark.py prints and the README shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from retrieval.results import STAGES
from scripts.bench.peers.table import lines as peer_lines
from scripts.report import speed_tables, storage_tables
from scripts.report.markdown import (
    FigureMissingError,
    Figures,
    busy_note,
    markdown,
    mb_cell,
    measured_on,
    ms_cell,
    part_of,
    recall_cell,
)


def machine(figures: Figures) -> Iterator[str]:
    """Yields what was measured and where, as sentences."""
    index = figures["index"]
    sets = ", ".join(f"*{name}* ({queries['count']})" for name, queries in figures["query_sets"].items())
    yield (
        f"{index['title']}: {index['rows']:,} documents, {index['dim']} dimensions, {index['model']}. Queries: {sets}."
    )
    yield measured_on(figures, figures["threads"])
    yield from busy_note(figures["load_average"], figures["machine"]["cores"])


_HEADLINE_ROWS = (
    "recall@10", "ms per query, from text to documents", "ms per query, vector search only",
    "MB of RAM that the index adds",
)  # fmt: skip


def headline(figures: Figures) -> Iterator[str]:
    """Yields recall, speed and memory of ours, the 2024 demos and a float32 graph, and the size of the vectors."""
    paths, peers = part_of(figures, "paths"), part_of(figures, "peers")
    ours, graph = peers["engines"]["ours"], peers["engines"]["faiss_hnsw"]
    sets = list(paths["sets"])
    if missing := [engine["title"] for engine in (ours, graph) if not engine.get("recall", {}).keys() >= set(sets)]:
        raise FigureMissingError(f"the part peers has no figures of {', '.join(missing)}")

    def each(cell: Callable[[str], str]) -> str:
        return " / ".join(cell(name) for name in sets)

    def path(key: str) -> str:
        return each(lambda name: f"{paths['sets'][name][key]['stages']['total']['p50_ms']:.1f}")

    def search(engine: Figures) -> str:
        return each(lambda name: f"{engine['latency_ms'][name]['p50']:.1f}")

    def vectors_alone(engine: Figures) -> list[str]:
        recall = each(lambda name: f"{engine['recall'][name]:.3f}")
        return [recall, "-", search(engine), mb_cell(engine["rss_growth_bytes"])]

    lists = peers["engines"].get("ours_lists", {})
    columns = [
        ("this project", [
            f"**{each(lambda name: recall_cell(paths['sets'][name]['ours']))}**", f"**{path('ours')}**",
            f"**{search(ours)}**", f"**{mb_cell(ours['rss_growth_bytes'])}**",
        ]),
        *([("its approximate scan `lists`", vectors_alone(lists))] if "recall" in lists else []),
        ("as the article's 2024 demos", [
            each(lambda name: recall_cell(paths["sets"][name]["reference_4x"])), path("reference_4x"), "-", "-",
        ]),
        (graph["title"], vectors_alone(graph)),
    ]  # fmt: skip
    rows = [[label, *(cells[place] for _, cells in columns)] for place, label in enumerate(_HEADLINE_ROWS)]
    yield from markdown(["", *(title for title, _ in columns)], rows)
    yield ""
    yield _about_headline(figures, sets)


def _about_headline(figures: Figures, sets: Sequence[str]) -> str:
    memory = part_of(figures, "memory")
    return (
        f"{figures['index']['rows']:,} documents; {' / '.join(sets)} as queries; medians, {figures['threads']} cores. "
        f"The bits take {mb_cell(memory['codes_bytes'])} MB of the RAM, the same vectors as float32 would take "
        f"{mb_cell(memory['by_arithmetic']['float32'])} MB. The demos rank by raw int8 codes; since version 6.2, "
        "sentence-transformers de-quantizes them first."
    )


def peers(figures: Figures) -> Iterator[str]:
    """Yields our path and other engines, as `scripts.bench.peers.table` writes it."""
    yield from peer_lines(part_of(figures, "peers"))


def quick(figures: Figures) -> Iterator[str]:
    """Yields the quick measurement: the whole search, the exact scans, recall."""
    part = part_of(figures, "quick")
    path, scans, ratios = part["path"], part["scans"], part["ratios"]
    rows = [[stage, ms_cell(path["stages"].get(stage)), ""] for stage in STAGES if stage != "network"]
    rows.append(["**whole query**", ms_cell(path["total"]), ""])
    for name, scan in scans.items():
        faster = f"{ratios[name]:.2f}x" if ratios else "-"
        rows.append([f"exact scan of all {name} vectors: {scan['kernel']}", ms_cell(scan), faster])
    yield from markdown(["ms, p50 (p95)", "measured", "faster than float32"], rows)
    yield ""
    if part["recall"]:
        yield f"recall@10 {part['recall']['mean']:.3f} over {part['recall']['queries']} queries."
    yield f"The process takes {mb_cell(part['memory']['items']['rss']['bytes'])} MB (RSS)."
    for missing in part["not_measured"]:
        yield f"Not measured: {missing['what']}, since {missing['why']}. {missing['how_to_get_it'].capitalize()}."


TABLES: Mapping[str, Callable[[Figures], Iterator[str]]] = {
    "machine": machine,
    "headline": headline,
    "recall": speed_tables.recall,
    "paths": speed_tables.paths,
    "scans": speed_tables.scans,
    "sweep": speed_tables.sweep,
    "cold": storage_tables.cold,
    "memory": storage_tables.memory,
    "growth": storage_tables.growth,
    "opening": storage_tables.opening,
    "peers": peers,
    "quick": quick,
}
"""By name, the function that writes the table from a run. The documents have each between markers of that name."""


def report(figures: Figures) -> Iterator[str]:
    """Yields every table that the run has figures for, and why a part that was run has none."""
    for name, table in TABLES.items():
        try:
            lines = list(table(figures))
        except FigureMissingError as error:
            if name not in figures["parts"]:
                continue
            lines = [f"Not measured: {error}."]
        yield from lines
        yield ""
