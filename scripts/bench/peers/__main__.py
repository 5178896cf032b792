"""Compares our path with well-known engines: `python -m scripts.bench.peers --help`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from retrieval import RetrievalError, Searcher
from retrieval.system import usable_cores
from scripts.bench import peers
from scripts.bench.peers.catalog import ENTRIES
from scripts.bench.peers.table import lines as table_lines
from scripts.bench.query_sets import read_query_sets
from scripts.report.machine import about_machine


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m scripts.bench.peers",
        description=peers.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--index", type=Path, required=True, metavar="DIR")
    made.add_argument("--queries", type=Path, action="append", required=True, metavar="FILE", help="one query a line")
    made.add_argument("--limit", type=int, default=300, metavar="N", help="queries of each file (default 300)")
    made.add_argument(
        "--only", action="append", default=[], choices=[entry.name for entry in ENTRIES], help="may be given often"
    )
    made.add_argument("--recall-target", type=float, default=peers.RECALL_TARGET, metavar="R", help="default 0.98")
    made.add_argument("--peer-timeout", type=float, default=peers.TIMEOUT_S, metavar="SECONDS", help="of one engine")
    made.add_argument("--threads", type=int, default=usable_cores(), metavar="N", help="default: all")
    made.add_argument("--work", type=Path, metavar="DIR", help="for the engines' files (default: the temporary folder)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    try:
        searcher = Searcher.open(args.index, verify="now")
        query_sets = read_query_sets(args.queries, searcher, args.limit, seed=0)
        figures = peers.measure(
            args.index, {name: queries.vectors for name, queries in query_sets.items()}, threads=args.threads,
            work=args.work or Path(tempfile.gettempdir()),
            report=lambda line: print(line, file=sys.stderr), only=tuple(args.only),
            recall_target=args.recall_target, timeout_s=args.peer_timeout,
        )  # fmt: skip
    except RetrievalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(table_lines(figures)))
    if args.json:
        args.json.write_text(json.dumps({"machine": about_machine(), **figures}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
