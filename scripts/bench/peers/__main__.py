"""Compares our path with well-known engines: `python -m scripts.bench.peers --help`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from retrieval import Encoder, QueryError, RetrievalError, Searcher
from retrieval.quantization import Float32s
from scripts.bench import peers
from scripts.bench.peers.catalog import ENTRIES
from scripts.bench.peers.table import lines as table_lines
from scripts.machine import about_machine


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
    made.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), metavar="N", help="default: all")
    made.add_argument("--work", type=Path, metavar="DIR", help="for the engines' files (default: the temporary folder)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return made


def encoded(files: Sequence[Path], encoder: Encoder | None, limit: int) -> dict[str, Float32s]:
    """Returns the embeddings of the first `limit` queries of each file, float32 `(m, dim)`, by name of the file.

    Raises:
        QueryError: if a file cannot be read or holds no query, or there is no encoder.
    """
    if encoder is None:
        raise QueryError("this index has no model to encode queries with: call scripts.bench.peers.measure on vectors.")
    sets = {}
    for file in files:
        try:
            lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise QueryError(f"cannot read the queries in {file}: {error}") from error
        if not lines:
            raise QueryError(f"{file} holds no query: one a line is needed.")
        sets[file.stem] = encoder.encode(lines[:limit])
    return sets


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    try:
        searcher = Searcher.open(args.index, verify="now")
        figures = peers.measure(
            args.index, encoded(args.queries, searcher.encoder, args.limit), threads=args.threads,
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
