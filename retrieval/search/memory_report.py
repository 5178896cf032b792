"""What an open index holds, as the operating system counts it."""

from __future__ import annotations

from retrieval.bundle.bundle import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE, Bundle
from retrieval.results import MemoryItem, MemoryReport
from retrieval.search.measurement import process_rss_bytes, resident_bytes


def memory_report(
    bundle: Bundle,
    *,
    codes_bytes: int,
    lists_bytes: int,
    tables_bytes: int,
    encoder_bytes: int,
    query_vectors_bytes: int,
) -> MemoryReport:
    """Returns what is held in RAM, and how much of each mapped file is in RAM now; what the system tells of it.

    Args:
        bundle: the opened index.
        codes_bytes: sign bits that every query is compared with.
        lists_bytes: the lists of the scan `lists`, once it is in use.
        tables_bytes: which rows share a text or a group.
        encoder_bytes: growth of the process while the encoder was loaded.
        query_vectors_bytes: vectors of texts that were asked before.
    """
    manifest = bundle.manifest
    files = {name: bundle.file(name) for name in (INT8_FILE, DOCUMENTS_FILE)}
    resident = resident_bytes(list(files.values()))
    sizes = manifest.files  # not asked of the paths: a new index may have taken the place of this one
    items = [
        MemoryItem("codes", "sign bits that every query is compared with", codes_bytes, "ram"),
        MemoryItem("lists", "sign bits in lists, once the scan of them is in use", lists_bytes, "ram"),
        MemoryItem("row_tables", "which rows share a text or a group", tables_bytes, "ram"),
        MemoryItem("query_vectors", "vectors of queries that were asked before", query_vectors_bytes, "ram"),
    ]
    if rss_bytes := process_rss_bytes():
        items.append(MemoryItem("encoder", "growth of the process while the encoder was loaded", encoder_bytes, "ram"))
    binary_bytes = sizes[BINARY_FILE].size_bytes
    items.append(MemoryItem("binary_file", f"size of {BINARY_FILE}, whose bits are held in RAM", binary_bytes, "file"))
    for name, label in ((INT8_FILE, "int8"), (DOCUMENTS_FILE, "documents")):
        items.append(MemoryItem(f"{label}_file", f"size of the mapped {name}", sizes[name].size_bytes, "file"))
        if files[name] in resident:
            in_ram = resident[files[name]]
            items.append(MemoryItem(f"{label}_resident", "its pages in RAM in this process now", in_ram, "resident"))
    if rss_bytes:
        items.append(MemoryItem("rss", "all pages of this process in RAM (RSS)", rss_bytes, "process"))
    return MemoryReport(
        tuple(items), num_vectors=manifest.distinct_text_count, dim=manifest.dim, num_rows=manifest.row_count
    )
