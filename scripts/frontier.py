"""Measure how much precision a set of vectors needs, and recommend a scheme for a target recall.

    python scripts/frontier.py --embeddings vectors.npy
    python scripts/frontier.py --embeddings vectors.npy --queries queries.npy --target 0.98 --html report.html

    python scripts/frontier.py --beir path/to/collection

Every scheme is measured alone and with its best candidates rescored, on all dimensions and on the first half, quarter
and eighth. Without --queries, some of the vectors are held out as queries.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from retrieval.benchmark.machine import when_and_where
from retrieval.corpus.beir import BeirCorpus
from retrieval.corpus.beir_task import load_queries_and_judgments
from retrieval.corpus.vector_columns import ArrayVectors
from retrieval.encoding.encoder import clean_text, load_encoder
from retrieval.encoding.model_files import DEFAULT_MODEL
from retrieval.errors import CorpusError
from retrieval.evaluation.cost import ARTICLE_PRICE
from retrieval.evaluation.frontier.given import METRICS, GivenVectors
from retrieval.evaluation.frontier.judged import Judge, judge_of
from retrieval.evaluation.frontier.measure import measure_frontier
from retrieval.evaluation.frontier.points import Frontier
from retrieval.evaluation.frontier.recommend import SCARCE, Wish, recommend
from retrieval.evaluation.frontier.run import FrontierOptions
from retrieval.evaluation.frontier.vectors import Vectors
from retrieval.evaluation.judged import require_metrics, scored_queries
from retrieval.indexing.any_vectors import open_any_vectors
from retrieval.indexing.vector_formats import open_vectors
from retrieval.quantization import Float32s
from retrieval.ui.frontier.charts import frontier_charts
from retrieval.ui.frontier.report import report
from retrieval.ui.frontier.words import choice_line, frontier_lines, growth_lines, sample_line
from scripts.report.plots import picture
from scripts.report.terminal import command, run, write_figures

MOST_VECTORS = 2_000_000


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = made.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--embeddings", type=Path, metavar="FILE", help="vectors: .npy, .npz, .fvecs, Parquet or JSON Lines"
    )
    source.add_argument("--beir", type=Path, metavar="DIR", help="a judged collection: encode it, judge the results")
    made.add_argument("--column", metavar="C", help="column with the vectors of a Parquet or JSON Lines file")
    made.add_argument("--queries", type=Path, metavar="FILE", help="query vectors; by default some are held out")
    made.add_argument("--model", default=DEFAULT_MODEL, help="for --beir: a model of sentence-transformers")
    made.add_argument("--metric", choices=METRICS, default="cosine")
    made.add_argument("-k", type=int, default=10, choices=range(1, 101), metavar="1..100", help="recall@k")
    made.add_argument("--limit", type=int, default=MOST_VECTORS, metavar="N", help="take the first N vectors")
    made.add_argument("--num-queries", type=int, default=200, metavar="N", help="take at most N queries")
    made.add_argument("--target", type=float, default=0.95, metavar="RECALL", help="the recall to reach")
    made.add_argument("--scarce", choices=SCARCE, default="ram", help="what to spend least")
    made.add_argument("--num-vectors", type=int, metavar="N", help="how many there will be eventually")
    made.add_argument("--price", type=float, default=ARTICLE_PRICE, metavar="$", help="per GB of RAM and month")
    made.add_argument("--disk-price", type=float, default=0.0, metavar="$", help="per GB of disk and month")
    made.add_argument("--title", metavar="T", help="the name of the vectors in the files written")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the measurements")
    made.add_argument("--plot", type=Path, metavar="FILE", help="draw it as an SVG")
    made.add_argument("--html", type=Path, metavar="FILE", help="write a report with charts and database settings")
    return made


def measured(args: argparse.Namespace) -> Frontier:
    """Returns the frontier of the files that the arguments name, with a progress bar on standard error.

    Raises:
        VectorsError: if the vectors cannot be used.
    """
    judge: Judge | None = None
    queries: Float32s | None = None
    if args.beir is not None:
        documents, queries, judge = read_judged(args.beir, args.model)
        opened: Vectors = ArrayVectors(documents)
        num_given = len(documents)
    else:
        found = open_any_vectors(args.embeddings, args.column, args.limit)
        opened, num_given = found, found.num_vectors
    vectors = GivenVectors(opened, args.metric, args.limit, str(args.embeddings or args.beir))
    if args.queries is not None:
        queries = GivenVectors(open_vectors(args.queries, may_be_one=True), args.metric, None, str(args.queries)).all()
    options = FrontierOptions(k=args.k, metric=args.metric, max_queries=args.num_queries, judge=judge)
    with tqdm(total=100, file=sys.stderr, unit="%", bar_format="{desc:<16}{percentage:3.0f}% |{bar}| {elapsed}") as bar:

        def show(share: float, scheme: str) -> None:
            bar.set_description_str(scheme, refresh=False)
            bar.update(round(100 * share) - bar.n)

        frontier = measure_frontier(vectors, queries, options, show, num_given=num_given)
    if vectors.were_normalized:
        print("note: not all vectors have length 1; they were normalized, as cosine needs.", file=sys.stderr)
    return frontier


def read_judged(path: Path, model: str) -> tuple[Float32s, Float32s, Judge]:
    """Returns the vectors of a collection's documents with text and of its judged queries, and the judge.

    Raises:
        CorpusError: if it cannot be read, or has no document or no judged query.
        ModelError: if the model cannot be loaded.
        DependencyError: if pytrec_eval is not installed.
    """
    require_metrics()
    task = load_queries_and_judgments(path)
    queries = scored_queries(task, path)
    ids: list[str] = []
    texts: list[str] = []
    for batch in BeirCorpus(path).batches():
        for document_id, text in zip(batch["_id"].to_pylist(), batch["text"].to_pylist(), strict=True):
            if text and (cleaned := clean_text(text)):
                ids.append(document_id)
                texts.append(cleaned)
    if not texts:
        raise CorpusError(f"{path} has no document with text.")
    encoder = load_encoder(model)
    judge = judge_of(task.judgments, list(queries), ids)
    return encoder.encode(texts), encoder.encode_query(list(queries.values())), judge


@command("stopped: nothing was saved.")
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    if args.beir is not None and args.queries is not None:
        parser().error("--queries needs --embeddings: a judged collection has its own")
    frontier = measured(args)
    wish = Wish(args.target, args.scarce, args.num_vectors or frontier.num_given, args.price, args.disk_price)
    advice = recommend(frontier, wish)
    print(sample_line(frontier))
    print("\n".join(frontier_lines(frontier)))
    print("\n".join(growth_lines(frontier)))
    print(choice_line(frontier, advice))
    _keep(args, frontier, wish)
    return 0


def _keep(args: argparse.Namespace, frontier: Frontier, wish: Wish) -> None:
    """Writes the files that were asked for."""
    measured_here = when_and_where()
    title = args.title or (args.embeddings or args.beir).name
    if args.json is not None:
        write_figures(args.json, {"title": title, **measured_here, **frontier.to_json()})
    if args.plot is not None:
        args.plot.write_text(picture(frontier_charts(frontier)), encoding="utf-8")
    if args.html is not None:
        args.html.write_text(report(frontier, wish, measured_here["machine"], title), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(main))
