"""What a process of our path holds at defined moments: bytes held, mapped, resident, and all of the process.

"Memory" has four meanings, and each figure says which it is. Measured in its own process.
"""

from __future__ import annotations

from typing import Any

from retrieval import Searcher
from retrieval.benchmark.quick import memory_json
from retrieval.search.measurement import process_rss_bytes
from scripts.bench.job import TOP_K, Job, Report, open_for


def measure(job: Job, report: Report) -> dict[str, Any]:
    """Returns, in `moments`, the RSS of the process and every item of `Searcher.memory`, and `queries` asked.

    `before` has the RSS only: Python and the engines are loaded, no index is open.
    """
    report("opening the index")
    moments: dict[str, Any] = {"before": {"rss_bytes": process_rss_bytes()}}
    searcher = open_for(job.index, job.query_sets.values())
    moments["opened"] = _moment(searcher)
    report("asking all queries")
    asked = 0
    for queries in job.query_sets.values():
        for query in queries.texts or queries.vectors:
            _ = searcher.search(query, TOP_K) if isinstance(query, str) else searcher.search_vector(query, TOP_K)
            asked += 1
            if asked == 1:
                moments["after_first_query"] = _moment(searcher)
    moments["after_all_queries"] = _moment(searcher)
    last = moments["after_all_queries"]
    return {
        "moments": moments,
        "queries": asked,
        "encoder": searcher.encoder is not None,
        "by_arithmetic": memory_json(searcher.memory())["by_arithmetic"],
        "codes_bytes": last["items"]["codes"]["bytes"],
        "mapped_bytes": sum(item["bytes"] for item in last["items"].values() if item["kind"] == "file"),
        "resident_bytes": sum(item["bytes"] for item in last["items"].values() if item["kind"] == "resident"),
    }


def _moment(searcher: Searcher) -> dict[str, Any]:
    return {"rss_bytes": process_rss_bytes(), "items": memory_json(searcher.memory())["items"]}
