"""Search a built index from the terminal.

    .venv/bin/python scripts/search.py --index assets/indexes/python "read a csv file into a table"
    .venv/bin/python scripts/search.py --index DIR --json "query" | jq .hits[0].score
    .venv/bin/python scripts/search.py --index DIR --vector query.npy
    .venv/bin/python scripts/search.py --index milvus://127.0.0.1:19530/python "query"

Several queries are answered one after the other; `-` reads them from standard input, one per line. --vector takes a
file of one query vector, or of several, one per row: for an index that was built from given vectors without a model.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from retrieval import SCANS, STAGES, Hit, Searcher, SearchKnobs, SearchResponse
from retrieval.errors import counted
from retrieval.indexing.vector_formats import open_vectors
from retrieval.quantization import Float32s
from retrieval.results import json_values
from scripts.report.terminal import command, printable, run

_TITLE_CHARS = 300
_BODY_CHARS = 400


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", required=True, metavar="DIR", help="a built index, or milvus://host:port/collection")
    made.add_argument("queries", nargs="*", metavar="query", help="a text, or - for standard input")
    made.add_argument("--vector", type=Path, metavar="FILE.npy", help="search by these vectors instead of text")
    made.add_argument("--top-k", type=int, default=10, metavar="K")
    made.add_argument("--num-candidates", type=int, metavar="N", help="distinct texts the Hamming stage passes on")
    made.add_argument("--rescore-multiplier", type=int, metavar="M", help="M x K int8 rows are rescored")
    made.add_argument("--no-asymmetric", action="store_true", help="skip float query x sign bits")
    made.add_argument("--no-rescore", action="store_true", help="skip int8: scores are estimates")
    made.add_argument("--scan", choices=SCANS, help="the first stage (default: hamming)")
    made.add_argument(
        "--probes",
        type=int,
        metavar="N",
        help="lists that the scan `lists` visits for each query (default: as many as it needs)",
    )
    made.add_argument("--json", action="store_true", help="one JSON object per query, one per line")
    return made


def as_json(response: SearchResponse) -> dict[str, Any]:
    """Returns a response as plain values, in the shape that `--json` prints."""
    values: dict[str, Any] = json_values(dataclasses.asdict(response))
    return values


def as_text(response: SearchResponse) -> str:
    """Returns a response as lines for a terminal."""
    latency = response.latency
    stages = ", ".join(f"{name} {latency.stages[name]:.1f}" for name in STAGES if latency.stages[name] > 0)
    found = f"{counted(len(response.hits), 'hit')} of {counted(response.num_documents, 'document')}"
    lines = [f"{_cut(response.query)!r}: {found}"]
    lines += [f"  note: {printable(note)}" for note in response.notes]
    for hit in response.hits:
        lines += _hit_lines(hit)
    lines.append(f"{latency.total_ms:.1f} ms ({stages}), {response.int8_rows_read} int8 rows read")
    return "\n".join(lines)


def _cut(query: str) -> str:
    return query if len(query) <= _TITLE_CHARS else f"{query[:_TITLE_CHARS]}…"


def _hit_lines(hit: Hit) -> Iterator[str]:
    about = "~" if hit.is_estimate else " "
    title = printable(" ".join(hit.document.text.split()), _TITLE_CHARS)
    yield f"{hit.rank:3d}. {about}{hit.score:.3f}  {title}"
    moved = "" if hit.binary_rank == hit.rank else f", was {hit.binary_rank} by bits alone"
    yield f"       {hit.hamming_distance} bits differ{moved}" + (
        f"  {printable(hit.document.url, _TITLE_CHARS)}" if hit.document.url else ""
    )
    if hit.document.body:
        first_lines = hit.document.body[: 2 * _BODY_CHARS].splitlines()[:3]
        yield textwrap.indent(printable("\n".join(first_lines), _BODY_CHARS), " " * 9)


def read_queries(arguments: Sequence[str]) -> Iterator[str]:
    """Yields the queries; `-` stands for the lines of standard input that are not blank."""
    for argument in arguments:
        if argument == "-":
            yield from (line.rstrip("\n") for line in sys.stdin if line.strip())
        else:
            yield argument


def read_vectors(path: Path) -> Iterator[Float32s]:
    """Yields the query vectors of a `.npy` file, each float32 `(dim,)`.

    Raises:
        VectorsError: if the file holds no vectors.
    """
    vectors = open_vectors(path, may_be_one=True)
    for row in range(len(vectors)):
        yield vectors.read(row, row + 1)[0]


def responses(searcher: Searcher, args: argparse.Namespace) -> Iterator[SearchResponse]:
    """Yields the answers to all queries of the command line, in order."""
    knobs = SearchKnobs(
        num_candidates=args.num_candidates,
        rescore_multiplier=args.rescore_multiplier,
        asymmetric=False if args.no_asymmetric else None,
        rescore=False if args.no_rescore else None,
        scan=args.scan,
        probes=args.probes,
    )
    if args.vector is not None:
        for row, vector in enumerate(read_vectors(args.vector)):
            response = searcher.search_vector(vector, args.top_k, **knobs)
            yield dataclasses.replace(response, query=f"{args.vector.name}[{row}]")
    for query in read_queries(args.queries):
        yield searcher.search(query, args.top_k, **knobs)


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    if bool(args.queries) == (args.vector is not None):
        parser().error("give either queries, or --vector FILE.npy")
    searcher = Searcher.open(args.index)
    for note in searcher.notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    for response in responses(searcher, args):
        print(json.dumps(as_json(response), default=str) if args.json else as_text(response), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
