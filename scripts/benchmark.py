"""Measure a built index: speed by stage, recall, memory, cold and warm, growth, the reference path and peers.

    .venv/bin/python scripts/benchmark.py --index assets/indexes/python --queries questions.txt
    .venv/bin/python scripts/benchmark.py --index DIR --only scans sweep --json figures.json
    .venv/bin/python scripts/benchmark.py --index DIR --quick

Every part runs in its own process, on the same number of cores. All recall is agreement with the exact float32
scan over the same embeddings. The run is kept in its folder as benchmark.json, where the page finds it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from retrieval import QueryError, Searcher
from retrieval.system import usable_cores
from scripts.bench.job import Job
from scripts.bench.parts import PARTS, QUICK, run_parts
from scripts.bench.query_sets import read_query_sets
from scripts.bench.results import Results
from scripts.report.tables import report
from scripts.report.terminal import command, run


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parts = "\n".join(f"  {name:8}  {part.summary}" for name, part in PARTS.items())
    made = argparse.ArgumentParser(
        description=f"{__doc__}\nParts:\n{parts}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--index", type=Path, required=True, metavar="DIR")
    made.add_argument(
        "--queries", type=Path, action="append", default=[], metavar="FILE",
        help="one query per line; may be given several times; without it, texts of the corpus are asked",
    )  # fmt: skip
    made.add_argument("--limit", type=_count, default=300, metavar="N", help="queries of each file (default 300)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too, after each part")
    which = made.add_mutually_exclusive_group()
    which.add_argument("--only", nargs="+", choices=list(PARTS), metavar="PART", help="run only these parts")
    which.add_argument("--quick", action="store_true", help="what the page's button measures, in less than a minute")
    made.add_argument("--threads", type=_count, metavar="N", help="cores for every part (default: all)")
    made.add_argument("--rounds", type=_count, default=3, metavar="N", help="times each query is run (default 3)")
    made.add_argument("--seed", type=int, default=0, metavar="N", help="of all random choices (default 0)")
    made.add_argument("--growth-sizes", type=_count, nargs="+", default=[], metavar="N", help="numbers of documents")
    made.add_argument("--work", type=Path, metavar="DIR", help="for large temporary files (default: the system's)")
    made.add_argument("--no-keep", action="store_true", help="do not save the run in the index's folder")
    return made


def make_job(args: argparse.Namespace) -> Job:
    """Returns the job that the command line asks for. The index is open meanwhile, and closed when it returns.

    Raises:
        RetrievalError: if the index, the queries or a folder cannot be used.
    """
    work = args.work or Path(tempfile.gettempdir())
    if not work.is_dir():
        raise QueryError(f"--work {work}: there is no such folder.")
    if args.json and not args.json.parent.is_dir():
        raise QueryError(f"--json {args.json}: there is no folder {args.json.parent}.")
    searcher = Searcher.open(args.index, verify="now")
    available = usable_cores()
    return Job(
        index=args.index.resolve(),
        query_sets=read_query_sets(args.queries, searcher, args.limit, args.seed),
        threads=min(args.threads or available, available),
        work=work,
        seed=args.seed,
        rounds=args.rounds,
        growth_sizes=tuple(args.growth_sizes),
    )


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status: 1 if any part failed, after all were run."""
    args = parser().parse_args(arguments)
    names = list(QUICK) if args.quick else [name for name in PARTS if name in (args.only or PARTS)]
    job = make_job(args)
    # From here on, this process has no file of the index open: pages that it maps could not be evicted from RAM.
    results = Results(job, whole=names == list(PARTS), json_file=args.json, keep=not args.no_keep)
    failed = run_parts(names, job, results.add)
    results.finish(failed)
    print("\n".join(report(results.figures)))
    if failed:
        print(f"error: these parts failed: {', '.join(failed)}. The others are above.", file=sys.stderr)
    return 1 if failed else 0


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(f"{value} is below 1")
    return value


if __name__ == "__main__":
    sys.exit(run(main))
