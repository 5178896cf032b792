"""What quantization costs in answers that people judged: nDCG@10 and MRR@10 of every precision, on the same embeddings.

    .venv/bin/python scripts/evaluate.py --beir path/to/collection
    .venv/bin/python scripts/evaluate.py --beir DIR --distractors titles.parquet --text-column intent --json FILE
    .venv/bin/python scripts/evaluate.py --conala-curated  # CoNaLa curated against CoNaLa mined, from the hub

A collection is a folder in BEIR's format: corpus.jsonl, queries.jsonl, qrels/test.tsv. A thousand candidates out of a
thousand documents prove little: --distractors plants the collection among other texts. Needs requirements-bench.txt.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from retrieval import Encoder, Searcher, build_index, load_encoder
from retrieval.benchmark.machine import when_and_where
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.manifest import DOCUMENTS_FILE
from retrieval.corpus.base import Corpus
from retrieval.corpus.beir import BeirCorpus
from retrieval.corpus.beir_task import BeirTask, load_queries_and_judgments
from retrieval.corpus.conala import ConalaCorpus
from retrieval.corpus.files import FileCorpus
from retrieval.encoding.model_files import DEFAULT_MODEL
from retrieval.evaluation.judged import JudgedCollection, require_metrics, scored_queries
from retrieval.evaluation.ladder import Ladder
from retrieval.indexing.progress_bar import ProgressBars
from scripts.judged.conala_curated import ConalaQuestions, load_curated_task
from scripts.judged.figures import about_bootstrap, about_distractors, counts, measure
from scripts.judged.planted import PlantedCorpus
from scripts.judged.report import report
from scripts.report.terminal import command, run, write_figures


@dataclass(frozen=True, slots=True)
class Judged:
    """A collection to be measured, read and found usable."""

    name: str
    corpus: Corpus
    task: BeirTask
    queries: Mapping[str, str]
    """Those that can be scored, by id."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument(
        "--beir", type=Path, action="append", default=[], metavar="DIR", help="may be given several times"
    )
    made.add_argument("--split", metavar="S", help="judgments in qrels/S.tsv (default: test)")
    made.add_argument(
        "--conala-curated", type=Path, nargs="*", metavar="FILE", help="people's requests; local copies, else the hub"
    )
    made.add_argument("--conala-mined", type=Path, metavar="FILE", help="a local copy of the mined pairs")
    made.add_argument("--distractors", type=Path, metavar="FILE", help="mix each collection into these texts")
    made.add_argument("--text-column", metavar="C", help="column of the distractors; guessed when not given")
    made.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub id of a sentence-transformers model")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return made


def read_collections(paths: Sequence[Path], split: str | None = None) -> list[Judged]:
    """Returns the collections in these folders, and says on standard error where there are judgments of other splits.

    Raises:
        CorpusError: if one cannot be read, or has no judged query.
    """
    tasks = [(path, load_queries_and_judgments(path, split)) for path in paths]
    for path, task in tasks:
        if task.other_splits or (split is None and task.split != "test"):
            also = f"; there are also {', '.join(task.other_splits)} (--split)" if task.other_splits else ""
            print(f"{path}: the judgments of {task.split} are used{also}.", file=sys.stderr)
    return [Judged(path.resolve().name, BeirCorpus(path), task, scored_queries(task, path)) for path, task in tasks]


def read_conala(curated: Sequence[Path], mined_copy: Path | None) -> Judged:
    """Returns CoNaLa's curated requests, judged by the mined question they came from.

    Raises:
        CorpusError: if one of the two cannot be loaded, or has no request.
    """
    mined = ConalaCorpus(mined_copy, otherwise="give a local copy with --conala-mined FILE")
    task = load_curated_task(mined, curated)
    return Judged("conala_curated", ConalaQuestions(mined), task, scored_queries(task, "CoNaLa curated"))


def evaluate(
    judged: Judged, encoder: Encoder, bars: ProgressBars, distractors: FileCorpus | None = None
) -> dict[str, Any]:
    """Returns the figures of one collection, from an index that is built in a temporary folder and searched.

    Raises:
        RetrievalError: if the collection or the distractors cannot be indexed.
    """
    planted = PlantedCorpus(judged.corpus, distractors) if distractors else None
    with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
        bundle = build_index(planted or judged.corpus, encoder, Path(folder) / "index", report=bars)
        bars.close()
        manifest = bundle.manifest
        searcher = Searcher.open(bundle.path, encoder=encoder, verify="never")
        vectors = encoder.encode_query(list(judged.queries.values()))
        ladder = Ladder(searcher, vectors)
        scorer = JudgedCollection(judged.task.judgments, DocumentStore.open(bundle.file(DOCUMENTS_FILE)))
        return {
            "collection": judged.name,
            "title": manifest.corpus.title,
            "rows": manifest.row_count,
            "distinct_texts": manifest.distinct_text_count,
            "distractors": about_distractors(planted, manifest.row_count + manifest.dropped_rows, judged.task),
            "counts": counts(judged.task, len(judged.queries), manifest.dropped_rows),
            "settings": asdict(searcher.defaults),
            "bootstrap": about_bootstrap(),
            **measure(ladder, scorer, list(judged.queries)),
        }


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    if not args.beir and args.conala_curated is None:
        parser().error("nothing to measure: name a collection with --beir or --conala-curated")
    if args.conala_mined and args.conala_curated is None:
        parser().error("--conala-mined needs --conala-curated")
    if args.text_column and not args.distractors:
        parser().error("--text-column needs --distractors")
    if args.json and not args.json.parent.is_dir():
        parser().error(f"--json {args.json}: there is no folder {args.json.parent}")
    require_metrics()
    judged = read_collections(args.beir, args.split)
    if args.conala_curated is not None:
        judged.append(read_conala(args.conala_curated, args.conala_mined))
    distractors = FileCorpus(args.distractors, text_column=args.text_column) if args.distractors else None
    if distractors:
        _ = distractors.columns  # a file that cannot be read is found before anything is encoded
    encoder = load_encoder(args.model)
    collections: list[dict[str, Any]] = []
    with closing(ProgressBars()) as bars:
        for each in judged:
            figures = evaluate(each, encoder, bars, distractors)
            print("\n".join(report(figures)), flush=True)
            collections.append(figures)
    if args.json:
        model = {"id": encoder.model_id, "weights_sha256": encoder.weights_sha256, "dim": encoder.dim}
        about = {**when_and_where(), "model": model, "backend": encoder.backend}
        write_figures(args.json, {**about, "collections": collections})
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
