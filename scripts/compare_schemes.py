"""Compare ways to make int8 codes and sign bits, on the float32 baseline of an index and on judged collections.

    .venv/bin/python scripts/compare_schemes.py --index assets/indexes/python --queries questions.txt
    .venv/bin/python scripts/compare_schemes.py --index DIR --queries FILE --beir DIR --distractors FILE --json FILE

recall@10 is agreement with the exact float32 scan over the same embeddings. Every scheme is compared with the first of
its table, which is what the product does, query by query: "kept" is in percent of it, with a 95 % paired bootstrap
interval. A judged collection is planted among the distractors, and measured by nDCG@10; that needs
requirements-bench.txt.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from retrieval import Encoder, QueryError, Searcher, build_index
from retrieval.benchmark.machine import when_and_where
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.manifest import DOCUMENTS_FILE
from retrieval.bundle.row_tables import Rows
from retrieval.corpus.beir import BeirCorpus
from retrieval.corpus.beir_task import load_queries_and_judgments
from retrieval.corpus.files import FileCorpus
from retrieval.evaluation.judged import Float64s, JudgedCollection, require_metrics, scored_queries
from retrieval.indexing.progress import Report
from retrieval.indexing.progress_bar import ProgressBars
from scripts.judged.planted import PlantedCorpus
from scripts.report.terminal import command, read_queries, run, write_figures
from scripts.schemes.comparison import PATH, TOP_K, Comparison, figures

_STAGES = {
    "all": "all vectors", "path": "whole path", "hamming_10": "bits: 10", "hamming_100": "100", "hamming_1000": "1,000",
    "asymmetric_10": "float x bits: 10", "asymmetric_100": "100", "asymmetric_200": "200",
}  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR", help="an index with its float32 baseline")
    made.add_argument(
        "--queries", type=Path, action="append", default=[], metavar="FILE",
        help="one query per line; may be given several times",
    )  # fmt: skip
    made.add_argument("--limit", type=int, metavar="N", help="queries of each file; all of them by default")
    made.add_argument("--beir", type=Path, action="append", default=[], metavar="DIR", help="a judged collection")
    made.add_argument("--distractors", type=Path, metavar="FILE", help="mix each collection into these texts")
    made.add_argument("--text-column", metavar="C", help="column of the distractors; guessed when not given")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return made


def on_queries(searcher: Searcher, encoder: Encoder, sets: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Returns recall@10 of every scheme for some sets of queries of an index."""
    comparison = Comparison(searcher, encoder.encode_query([query for queries in sets.values() for query in queries]))
    ends = np.cumsum([len(queries) for queries in sets.values()])
    slices = {name: slice(int(end) - len(sets[name]), int(end)) for name, end in zip(sets, ends, strict=True)}
    measured = figures(comparison, comparison.recall, slices)
    return {name: {"measure": "recall@10", "queries": len(sets[name]), **own} for name, own in measured.items()}


def on_judged(path: Path, distractors: FileCorpus | None, encoder: Encoder, told: Report) -> dict[str, Any]:
    """Returns nDCG@10 of every scheme on a judged collection, from an index that is built in a temporary folder.

    Raises:
        RetrievalError: if the collection or the distractors cannot be indexed.
    """
    task = load_queries_and_judgments(path)
    queries = scored_queries(task, path)
    collection = BeirCorpus(path)
    corpus = PlantedCorpus(collection, distractors) if distractors else collection
    with tempfile.TemporaryDirectory(prefix="schemes-") as folder:
        bundle = build_index(corpus, encoder, Path(folder) / "index", report=told)
        scorer = JudgedCollection(task.judgments, DocumentStore.open(bundle.file(DOCUMENTS_FILE)))
        searcher = Searcher.open(bundle.path, encoder=encoder, verify="never")
        comparison = Comparison(searcher, encoder.encode_query(list(queries.values())))

        def ndcg(rankings: Sequence[Rows]) -> Float64s:
            return scorer.scores(list(queries), rankings).ndcg

        exact = ndcg([truth.rows for truth in comparison.truths])
        measured = figures(
            comparison,
            lambda answers: {stage: ndcg(rows) for stage, rows in answers.items() if len(rows[0]) <= TOP_K},
            {"all": slice(0, len(queries))},
        )
        return {
            "measure": "nDCG@10",
            "queries": len(queries),
            "rows": bundle.manifest.row_count,
            "distinct_texts": bundle.manifest.distinct_text_count,
            "float32": float(exact.mean()),
            **measured["all"],
        }


def report(name: str, measured: Mapping[str, Any]) -> list[str]:
    """Returns the tables of one query set, in Markdown: the mean, and in brackets what is kept of the first row."""
    lines = [f"## {name}: {measured['measure']}, {measured['queries']:,} queries"]
    if "float32" in measured:
        lines.append(f"\nfloat32 {measured['float32']:.4f}; {measured['distinct_texts']:,} distinct texts")
    for part in ("int8", "signs", "settings"):
        rows = measured[part]
        stages = list(rows[0]["stages"])
        lines += ["", f"| {part} | bytes | " + " | ".join(_STAGES[stage] for stage in stages) + " |"]
        lines.append("|---|---|" + "---|" * len(stages))
        for number, row in enumerate(rows):
            cells = [_cell(row["stages"][stage], is_first=number == 0) for stage in stages]
            lines.append(f"| {row['label']} | {row['vector_bytes']} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _cell(value: Mapping[str, Any], *, is_first: bool) -> str:
    kept = value["kept"]
    if is_first or kept["percent"] is None:
        return f"{value['mean']:.4f}"
    return f"{value['mean']:.4f} [{kept['low']:.1f}, {kept['high']:.1f}]"


def compare(args: argparse.Namespace, bars: ProgressBars) -> dict[str, Any]:
    """Returns all figures, and prints the tables of each query set when it is done.

    Raises:
        RetrievalError: if the index, a file or a collection cannot be read.
    """
    if args.beir:
        require_metrics()
    sets = {file.stem: read_queries(file)[: args.limit] for file in args.queries}
    distractors = FileCorpus(args.distractors, text_column=args.text_column) if args.distractors else None
    searcher = Searcher.open(args.index, verify="never")
    encoder, manifest = searcher.encoder, searcher.manifest
    if encoder is None:
        raise QueryError(f"{args.index} has no model for texts: build an index from texts.")
    made: dict[str, Any] = {
        **when_and_where(),
        "model": {"id": encoder.model_id, "weights_sha256": encoder.weights_sha256, "dim": encoder.dim},
        "index": {"corpus": manifest.corpus.title, "rows": manifest.row_count, "dim": manifest.dim},
        "path": asdict(PATH),
        "query_sets": {},
        "judged": {},
    }
    if sets:
        made["query_sets"] = on_queries(searcher, encoder, sets)
        for name, measured in made["query_sets"].items():
            print("\n".join(report(name, measured)), flush=True)
    for path in args.beir:
        name = path.resolve().name
        made["judged"][name] = on_judged(path, distractors, encoder, bars)
        bars.close()
        print("\n".join(report(name, made["judged"][name])), flush=True)
    return made


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    if not args.queries and not args.beir:
        parser().error("nothing to compare on: give --queries, --beir, or both")
    if args.json and not args.json.parent.is_dir():
        parser().error(f"--json {args.json}: there is no folder {args.json.parent}")
    with closing(ProgressBars()) as bars:
        made = compare(args, bars)
    if args.json:
        write_figures(args.json, made)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
