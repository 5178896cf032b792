"""Measure one index in files and in Milvus, side by side: speed, recall, memory, and what loading takes.

    .venv/bin/python scripts/benchmark_milvus.py --index DIR --queries questions.txt --data /tmp/milvus --json FILE

The packaged server is started on this machine for it; with --data, it keeps what was loaded for the next run, and how
long that took. An index with lists (--lists DIR, by default the same one) is searched by them, too.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from retrieval import Searcher
from retrieval.benchmark.machine import when_and_where
from retrieval.bundle.bundle import Bundle
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.marks import num_lists
from retrieval.milvus.server import Server
from retrieval.system import usable_cores
from scripts.bench.job import TOP_K
from scripts.bench.milvus import Way, measure, measure_load
from scripts.bench.processes import in_own_process
from scripts.bench.query_sets import describe, read_query_sets
from scripts.packaged_milvus import PackagedMilvus
from scripts.report.speed_tables import milvus
from scripts.report.terminal import command, read_figures, run, write_figures

_SCANS = {"milvus_flat": "flat", "milvus_ivf": "ivf"}


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR", help="with its float32 vectors")
    made.add_argument("--lists", type=Path, metavar="DIR", help="the same index with lists")
    made.add_argument("--queries", type=Path, action="append", default=[], metavar="FILE", help="one query per line")
    made.add_argument("--limit", type=int, default=300, metavar="N", help="queries of each file (default 300)")
    made.add_argument("--rounds", type=int, default=2, metavar="N", help="times each query is run (default 2)")
    made.add_argument("--visitors", type=int, default=8, metavar="N", help="concurrent clients (default 8)")
    made.add_argument("--seconds", type=float, default=10.0, metavar="S", help="duration (default 10)")
    made.add_argument("--probes", type=int, metavar="N", help="lists of BIN_IVF_FLAT that a search visits")
    made.add_argument("--data", type=Path, metavar="DIR", help="keeps the server's data for the next run")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    made.add_argument("--load-only", action="store_true", help="only load, measure nothing else")
    return made


def measured(args: argparse.Namespace, data: Path) -> dict[str, Any]:
    """Returns all figures.

    Raises:
        RetrievalError: if an index, the queries or the server cannot be used.
    """
    bundle = Bundle.open(args.index)
    load_average = os.getloadavg()[0]
    server = PackagedMilvus(data / "server")
    server.start()
    try:
        loads = {name: _loaded(args, server, data, name) for name in _SCANS}
        if args.load_only:
            return {}
        return {**_figures(args, bundle, server), "load_average": load_average, "loads": loads}
    finally:
        server.stop()


def _figures(args: argparse.Namespace, bundle: Bundle, server: PackagedMilvus) -> dict[str, Any]:
    query_sets = read_query_sets(args.queries, Searcher.open(args.index, verify="never"), args.limit, 0)
    baseline = ExactBaseline.open(bundle)
    lists = args.lists or args.index
    ways = [Way("local_hamming", str(args.index))]
    if Bundle.open(lists).manifest.has_lists:
        ways.append(Way("local_lists", str(lists), "lists"))
    ways += [Way(name, f"{server.uri}/{name}") for name in _SCANS]
    figures: dict[str, dict[str, Any]] = {way.name: {} for way in ways}
    truths_of = {set_: baseline.search(queries.vectors, TOP_K) for set_, queries in query_sets.items()}
    for way in ways:
        _keep_alone(way, server)
        for set_, queries in query_sets.items():
            print(f"{way.name}: {set_}", file=sys.stderr, flush=True)
            found = in_own_process(measure, way, queries.vectors, args.rounds, args.visitors, args.seconds)
            recalls = baseline.recalls(queries.vectors, found.pop("found"), truths_of[set_])
            found["recall"] = float(recalls.mean())
            if way.name in _SCANS:
                found["server_rss_bytes"] = psutil.Process(server.pid).memory_info().rss
            figures[way.name][set_] = found
    manifest = bundle.manifest
    return {
        **when_and_where(),
        "cores": usable_cores(),
        "index": {"rows": manifest.row_count, "dim": manifest.dim, "title": manifest.corpus.title},
        "query_sets": describe(query_sets),
        "milvus": {"version": "2.3.5, packaged", "lists": num_lists(manifest.distinct_text_count)},
        "ways": figures,
    }


def _keep_alone(way: Way, server: PackagedMilvus) -> None:
    """Drops the collections of other ways from the memory of the server, which is then that of this way."""
    for name in _SCANS:
        if name != way.name:
            Server(MilvusAddress.parse(f"{server.uri}/{name}")).release()


def _loaded(args: argparse.Namespace, server: PackagedMilvus, data: Path, name: str) -> dict[str, Any]:
    """Returns what loading a collection took: now, or when that was done."""
    kept = data / f"{name}.json"
    print(f"loading {name}", file=sys.stderr, flush=True)
    address, load_average = MilvusAddress.parse(f"{server.uri}/{name}"), os.getloadavg()[0]
    figures: dict[str, Any] = in_own_process(measure_load, args.index, address, _SCANS[name], args.probes)
    if not figures["rows_written"] and (before := read_figures(kept)) is not None:
        return before
    figures["load_average"] = load_average
    figures["server_rss_bytes"] = psutil.Process(server.pid).memory_info().rss
    write_figures(kept, figures)
    return figures


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="milvus-") as temporary:
        data = args.data or Path(temporary)
        data.mkdir(parents=True, exist_ok=True)
        figures = measured(args, data)
    if not figures:
        return 0
    if args.json:
        write_figures(args.json, figures)
    print("\n".join(milvus(figures)))
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
