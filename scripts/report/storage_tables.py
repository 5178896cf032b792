"""Tables of memory and disk: cold and warm, memory, growth, opening."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scripts.report.markdown import Figures, markdown, mb_cell, ms_cell, part_of


def cold(figures: Figures) -> Iterator[str]:
    """Yields cold and warm: queries, and the first ones of a fresh process."""
    part = part_of(figures, "cold")
    queries, start = part["queries"], part["start"]
    rows = [
        [label, _of(queries["warm"], "stages", stage), _of(queries["cold"], "stages", stage)]
        for stage, label in (
            ("rescore", "rescore"),
            ("documents", "documents"),
            ("total", "whole query, without encode"),
        )
    ]
    labels = (("first_query", "first query of a fresh process"), ("later_queries", "its next five queries, median"))
    for key, label in (("open", "opening the index and the model"), *labels):
        rows.append([label, _of(start["warm"], key), _of(start["cold"], key)])
    yield from markdown(["ms, p50 (p95)", "warm", "cold"], rows)
    yield ""
    for note in filter(None, (queries["note"], start["note"])):
        yield f"Cold: {note}"
    if queries["note"] is None:
        int8, documents = queries["files"]["int8"], queries["files"]["documents"]
        yield (
            f"A cold query loads {int8['touched_a_query']:,.0f} of {int8['pages']:,} pages of int8 vectors and "
            f"{documents['touched_a_query']:,.0f} of {documents['pages']:,} pages of documents, and reads "
            f"{queries['cold']['read_bytes'] / 1e6:.1f} MB from disk."
        )


def memory(figures: Figures) -> Iterator[str]:
    """Yields what the process of our path holds after all queries, and the calculated size of the vectors."""
    part = part_of(figures, "memory")
    last = part["moments"]["after_all_queries"]["items"]

    def file(name: str) -> str:
        resident = last.get(f"{name}_resident")  # not every system reports it
        return f"{mb_cell(last[f'{name}_file']['bytes'])}; {mb_cell(resident['bytes']) if resident else 'unknown'}"

    rows = [
        ["float32 embeddings, calculated", mb_cell(part["by_arithmetic"]["float32"])],
        ["sign bits that every query is compared with, in RAM", mb_cell(part["codes_bytes"])],
        ["`int8.usearch` on disk; resident in the process", file("int8")],
        ["`documents/` on disk; resident in the process", file("documents")],
        ["growth of the process from loading the encoder", mb_cell(last["encoder"]["bytes"])],
    ]
    names = {
        "before": "whole process (RSS) before the index is opened",
        "opened": "after opening",
        "after_first_query": "after the first query",
        "after_all_queries": f"after {part['queries']:,} queries",
    }
    rows += [[label, mb_cell(part["moments"][moment]["rss_bytes"])] for moment, label in names.items()]
    paths_part = figures["parts"].get("paths", {})
    if "rss_bytes" in paths_part:
        rows.append(["reference path: whole process (RSS) at the end", mb_cell(paths_part["rss_bytes"]["reference"])])
    yield from markdown(["memory and files", "MB"], rows)


def growth(figures: Figures) -> Iterator[str]:
    """Yields latency, recall and bytes by the number of documents."""
    part = part_of(figures, "growth")
    header = [
        "documents", "Hamming, ms p50 (p95)", "vector part, ms p50 (p95)", "recall@10", "sign bits in RAM, MB",
        "int8 on disk, MB", "float32, MB",
    ]  # fmt: skip
    rows = []
    for size in part["sizes"]:
        name = f"{size['documents']:,}" + ("*" if size["made_vectors"] else "")
        if "not_measured" in size:
            rows.append([name, f"not measured: {size['not_measured']}", *[""] * 5])
            continue
        files = size["files"]
        rows.append([
            name, ms_cell(size["stages"]["hamming"]), ms_cell(size["vector_part"]), f"{size['recall']:.3f}",
            mb_cell(size["codes_bytes"]), mb_cell(files["int8.usearch"]), mb_cell(files["embeddings.npy"]),
        ])  # fmt: skip
    yield from markdown(header, rows)
    yield from _by_scan(part["sizes"])
    if any(size["made_vectors"] for size in part["sizes"]):
        yield ""
        yield f"\\* more than the documents: {part['made_vectors_are']}; recall there is measured among such copies."


def _by_scan(sizes: Sequence[Figures]) -> Iterator[str]:
    """Yields the vector part of a query by scan, for the sizes that were measured with each."""
    sizes = [size for size in sizes if "lists" in size.get("scans", {})]
    if not sizes:
        return
    rows = [
        [
            f"{size['documents']:,}" + ("*" if size["made_vectors"] else ""),
            scan,
            ms_cell(found["vector_part"]),
            f"{found['recall']:.3f}",
            f"{found['kept']:.3f}" if "kept" in found else "-",
            mb_cell(size["lists_bytes"] if scan == "lists" else size["packed_bytes"]),
            f"{size['build_seconds']:,.0f}",
        ]
        for size in sizes
        for scan, found in size["scans"].items()
    ]
    header = [
        "documents", "scan", "vector part, ms p50 (p95)", "recall@10", "share of float-bits", "bits in RAM, MB",
        "build, s",
    ]  # fmt: skip
    yield ""
    yield from markdown(header, rows)


def opening(figures: Figures) -> Iterator[str]:
    """Yields how long opening and reading the codes once take, as a sentence."""
    part = part_of(figures, "opening")
    yield (
        f"An index opens in {part['open']['p50_ms'] / 1e3:.2f} s with the encoder loaded. Reading its "
        f"{mb_cell(part['codes_bytes'])} MB of codes once takes {part['read_codes_once']['p50_ms']:.2f} ms: "
        f"no scan on one core can be faster."
    )


def _of(figures: Figures | None, *keys: str) -> str:
    for key in keys:
        figures = figures.get(key) if figures else None
    return ms_cell(figures)
