"""What an open index holds, as the operating system counts it."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE, Manifest
from retrieval.results import MemoryItem, MemoryReport
from retrieval.search.measurement import process_rss_bytes, resident_bytes


def memory_report(
    manifest: Manifest, held: Sequence[MemoryItem], *, encoder_bytes: int, query_vectors_bytes: int
) -> MemoryReport:
    """Returns what is held for an index and around it, as far as the system reports it.

    Args:
        manifest: what the index is made of.
        held: what is held for the index itself.
        encoder_bytes: growth of the process while the encoder was loaded.
        query_vectors_bytes: cached query vectors.
    """
    items = [
        *held,
        MemoryItem("query_vectors", "cached vectors of earlier queries", query_vectors_bytes, "ram"),
    ]
    if rss_bytes := process_rss_bytes():
        items.append(MemoryItem("encoder", "growth of the process while the encoder was loaded", encoder_bytes, "ram"))
        items.append(MemoryItem("rss", "all pages of this process in RAM (RSS)", rss_bytes, "process"))
    return MemoryReport(
        tuple(items), num_vectors=manifest.distinct_text_count, dim=manifest.dim, num_rows=manifest.row_count
    )


def file_items(bundle: Bundle) -> list[MemoryItem]:
    """Returns the sizes of the files of an index, and how much of the mapped ones is in RAM in this process now."""
    files = {name: bundle.file(name) for name in (INT8_FILE, DOCUMENTS_FILE)}
    resident = resident_bytes(list(files.values()))
    sizes = bundle.manifest.files  # not read from the paths: a new index may have replaced this one
    binary_bytes = sizes[BINARY_FILE].size_bytes
    items = [MemoryItem("binary_file", f"size of {BINARY_FILE}, whose bits are held in RAM", binary_bytes, "file")]
    for name, label in ((INT8_FILE, "int8"), (DOCUMENTS_FILE, "documents")):
        items.append(MemoryItem(f"{label}_file", f"size of the mapped {name}", sizes[name].size_bytes, "file"))
        if files[name] in resident:
            in_ram = resident[files[name]]
            items.append(MemoryItem(f"{label}_resident", "its pages in RAM in this process now", in_ram, "resident"))
    return items
