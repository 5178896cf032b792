"""Makes written rows searchable: sealing, indexing, loading them into memory, and counting them."""

from __future__ import annotations

import time
from collections.abc import Callable

from retrieval.errors import BuildError, EngineError
from retrieval.milvus import schema
from retrieval.milvus.marks import INDEX_TYPES, IVF, Marks, num_lists
from retrieval.milvus.server import Server

Report = Callable[[str, int, int], None]
"""Called with the phase, how much is done, and of how much: rows, or percent."""
_POLL_S = 0.3
_PATIENCE_S = 4 * 3_600.0


def settle(server: Server, marks: Marks, report: Report) -> None:
    """Waits until all rows of an index are indexed, in the server's memory, and counted.

    Raises:
        EngineError: if the server fails, or takes hours.
        BuildError: if there are more or fewer rows than the index has.
    """
    num_rows = marks.manifest.row_count
    report("sealing", 0, 1)
    server.flush()
    parameters = {"nlist": num_lists(marks.manifest.distinct_text_count)} if marks.scan == IVF else {}
    server.add_index(schema.BITS, INDEX_TYPES[marks.scan], "HAMMING", parameters)
    for field in (schema.FIRST_ROW, schema.GROUP):
        server.add_index(field, "STL_SORT")
    _wait(lambda: server.num_indexed(schema.BITS), num_rows, "indexing", report)
    server.bring_into_memory(wait=False)
    _wait(server.percent_in_memory, 100, "loading into memory", report)
    report("counting", 0, 1)
    expected = (marks.manifest.distinct_text_count, num_rows - marks.manifest.distinct_text_count)
    for partition, wanted in zip(marks.partitions, expected, strict=False):
        if (found := server.count(partition)) != wanted:
            raise BuildError(
                f"{server.address} has {found:,} rows in {partition}, expected {wanted:,}: was it loaded twice at "
                f"once? Load it again with --replace."
            )


def _wait(done: Callable[[], int], total: int, phase: str, report: Report) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while (now := done()) < total:
        if time.monotonic() > deadline:
            raise EngineError(f"Milvus has been {phase} for hours: {now:,} of {total:,}. Check its log.")
        report(phase, now, total)
        time.sleep(_POLL_S)
    report(phase, total, total)
