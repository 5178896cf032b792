"""Measure a server under load: visitors who send one query after another, over HTTP on this machine.

    .venv/bin/python scripts/load.py --index assets/indexes/python --queries questions.txt --json load.json
    .venv/bin/python scripts/load.py --index assets/indexes/python --queries questions.txt --only growth

Starts the app on the index, waits until it is idle, and measures in turn: `routes`, 1, 16 and 64 visitors who search
through each route; `mix`, visitors who search, compare, look under the hood and upload at once; `beside`, one who
searches now and then next to one who floods the server; `growth`, what the server holds over many searches. Answers are
compared with what was asked. No text is asked twice: from the second round on, a number is appended to it. The
visitors run on the same cores as the server, and take their share of them: compare runs of one machine.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import httpx

from retrieval import RetrievalError
from retrieval.benchmark.machine import when_and_where
from retrieval.bundle.manifest import Manifest
from scripts.loading import measure
from scripts.loading.kinds import ROUTES
from scripts.loading.server import Server, served
from scripts.report.load_tables import TABLES
from scripts.report.terminal import command, read_figures, read_queries, run, write_figures

ROOT = Path(__file__).resolve().parents[1]
VISITORS = (1, 16, 64)
PARTS = ("routes", "mix", "beside", "growth")
_GROWTH_VISITORS = 8
_SAMPLES = 50


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR")
    made.add_argument("--queries", type=Path, required=True, metavar="FILE", help="one query per line")
    made.add_argument("--app", type=Path, default=ROOT / "app.py", metavar="FILE", help="the app.py to run")
    made.add_argument("--only", nargs="+", choices=PARTS, default=PARTS[:3], help="what to measure")
    made.add_argument("--routes", nargs="+", choices=ROUTES, default=ROUTES)
    made.add_argument("--visitors", nargs="+", type=int, default=VISITORS, metavar="N")
    made.add_argument("--seconds", type=float, default=8.0, metavar="S", help="for each figure")
    made.add_argument("--searches", type=int, default=100_000, metavar="N", help="of growth, in total")
    made.add_argument("--minutes", type=float, default=60.0, metavar="M", help="of growth, at most")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there; other parts in it are kept")
    return made


def measured(server: Server, args: argparse.Namespace, queries: list[str]) -> dict[str, Any]:
    """Returns the figures of every part that is asked for, by its name."""
    found: dict[str, Any] = {}
    if "routes" in args.only:
        found["routes"] = measure.routes(server, args.routes, args.visitors, args.seconds, queries)
    if "mix" in args.only:
        found["mix"] = measure.mix(server, args.visitors, args.seconds, queries)
    if "beside" in args.only:
        found["beside"] = measure.beside(server, args.seconds, queries)
    if "growth" in args.only:
        every = max(1, args.searches // _SAMPLES)
        most_s = 60 * args.minutes
        found["growth"] = measure.growth(server, args.searches, _GROWTH_VISITORS, queries, every, most_s)
    return found


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    kept = (read_figures(args.json) if args.json else None) or {}
    queries = read_queries(args.queries)
    documents, load = Manifest.read(args.index).row_count, os.getloadavg()[0]
    try:
        with served(args.app, args.index) as server:
            found = measured(server, args, queries)
    except httpx.HTTPError as error:
        raise RetrievalError(f"the app on {args.index} did not answer: {error}") from error
    for part, figures in found.items():
        print("\n".join(TABLES[part](figures)), end="\n\n")
    if args.json:
        about = {**when_and_where(), "load_average": load, "documents": documents}
        fresh = {
            part: {**about, "seconds": None if part == "growth" else args.seconds, "figures": figures}
            for part, figures in found.items()
        }
        write_figures(args.json, {**kept, **fresh})
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
