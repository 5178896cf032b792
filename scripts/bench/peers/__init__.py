"""Ours and well-known engines: the same vectors, the same queries, one run, at one named recall@10.

    .venv/bin/python scripts/benchmark.py --index DIR --queries questions.txt --only peers

Every engine is built in its own process and searched in fresh ones, one after the other, all pinned to the same
cores. Vector search only: no text is encoded and no document is read, by no engine. Ours goes through
`Searcher.nearest_texts`.

`measure` returns, ready for JSON:

    top_k, recall_target, higher_target, threads, vectors, dim
                      what was asked of everyone
    queries           {query set: how many}
    covers            what the figures do and do not contain, in words
    engines           {name: figures of one engine}, in order; ours first
    where_peers_win   [{measure, engine, peer, ours, our_engine, peer_reached_target}], `peer` better than each of our
                      scans at the same recall, of which `our_engine` is the best

Figures of one engine:

    title, about      what it is and how it was configured, in words
    installed         whether its packages are at hand; `install` is the command when they are not
    versions          {package: version}
    error, timed_out  why there are no figures, and whether the time limit was the reason
    setting           the cheapest search setting of the sweep that reached the target on every query set; else the best
    target_reached    whether the recall below reaches the target on every query set
    recall            {query set: recall@10 against the exact float32 scan}
    latency_ms        {query set: {p50, p95, p99}}, one caller that waits for each answer
    cpu_ms_per_query  processor time of the whole process, all its threads
    by_callers        {threads that each ask again as soon as they are answered: queries per second}
    queries_per_s     the highest of these
    batch_queries_per_s
                      queries per second when all are asked in one call, which may use all cores; None if the engine
                      has no such call
    at_higher_target  the figures down to here again, at the setting that reaches `higher_target`
    rss_growth_bytes, anonymous_growth_bytes
                      by how much the process grew by opening and searching: all resident pages; those of no file
    rss_after_bytes   all its resident pages then, code of the libraries included
    held_bytes        what the engine itself says it holds; None when it does not say
    disk_bytes        blocks its files take
    build_s, build_peak_rss_bytes
                      None for ours: the index is already there, and encoding is a part of its build time
    sweep             [{setting, recall, ms}]: every setting that was tried; `ms` is the median, asked once each
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrieval.quantization import Float32s
    from scripts.bench.peers.catalog import Entry

TIMEOUT_S = 600.0
SATURATE_S = 3.0


def measure(
    index: Path,
    query_sets: Mapping[str, Float32s],
    *,
    threads: int,
    work: Path,
    report: Callable[[str], None],
    entries: Sequence[Entry] | None = None,
    timeout_s: float = TIMEOUT_S,
    saturate_s: float = SATURATE_S,
) -> dict[str, Any]:
    """Returns the figures of our path and of every peer, as the docstring of this module explains them.

    Args:
        index: a built index with its float32 baseline.
        query_sets: float32 `(m, dim)` of length 1, by name.
        threads: how many cores everyone may use, and how many callers saturate them.
        work: a folder for the engines' files; what is put there is removed again.
        report: called with what happens, line by line.
        entries: the engines to measure; None for all of the catalog.
        timeout_s: the time of one engine for building, sweeping and measuring; then it is stopped.
        saturate_s: for how long the callers of one engine ask.

    Raises:
        BundleError: if the index cannot be opened, or has no float32 baseline.
        QueryError: if there is no query, or one of another dimension.
    """
    # Imported here: the children of this package import it too, and a peer's process must not hold our engine.
    from scripts.bench.peers.catalog import ENTRIES
    from scripts.bench.peers.comparison import Comparison

    comparison = Comparison.prepare(index, query_sets, threads=threads, work=work, saturate_s=saturate_s)
    return comparison.measure(ENTRIES if entries is None else entries, timeout_s, report)
