"""Build an index from a corpus.

    .venv/bin/python scripts/build_index.py --corpus python --output assets/indexes/python
    .venv/bin/python scripts/build_index.py --corpus file --path notes.csv --text-column title --output DIR
    .venv/bin/python scripts/build_index.py --corpus file --path texts.csv --embeddings vectors.npy --output DIR

--model takes any sentence-transformers model: its dimension, prompts and length come from its configuration, and what
it does not normalize is normalized here.

--embeddings takes vectors that exist already: a .npy file of floats or int8, a .npz file with one array, or a .fvecs
file; row i for row i of the texts, rows without text counted. It is read piece by piece, and nothing is encoded.
Without --model, such an index is searched by vector (scripts/search.py --vector); with the --model that made the
vectors, it is searched by text as any other.

--center takes the mean of the vectors off before the sign: where most values of a dimension have one sign, its bit
tells nothing otherwise. The build says so when it would help.

--ray encodes and quantizes on the machines of a Ray cluster (requirements-ray.txt), each of which has this project and
the model. The index is the same.

A stopped build continues where it stopped when the same command is run again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from retrieval import BuildOptions, BuildProgress, build_index, load_encoder
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.tuning import DEFAULT_TARGET_SHARE, is_share
from retrieval.corpus.base import ROLES, Corpus
from retrieval.corpus.files import FileCorpus
from retrieval.corpus.sources import SOURCES, SourceOptions, open_corpus
from retrieval.encoding.model_files import DEFAULT_MODEL
from retrieval.errors import counted
from retrieval.indexing.any_vectors import write_column_vectors
from retrieval.indexing.progress_bar import ProgressBars
from retrieval.indexing.ray_workers import LOCAL, ray_workers
from scripts.report.terminal import command, printable, run


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _add_corpus(made)
    _add_index(made)
    _add_vectors(made)
    return made


def _add_corpus(made: argparse.ArgumentParser) -> None:
    made.add_argument("--corpus", choices=SOURCES, required=True)
    made.add_argument(
        "--path",
        help="a file (CSV, TSV, JSON, Parquet, Arrow, .xlsx, SQLite, text, Markdown; also compressed), a folder of "
        "one of these or saved by `datasets`, or a hub id (conala: a local copy)",
    )
    for role in ROLES:
        off = "" if role == "text" else ", '' for none"
        made.add_argument(f"--{role}-column", metavar="C", help=f"column with the {role}; guessed when not given{off}")
    made.add_argument("--split", metavar="S", help="split of a data set (default: train)")
    made.add_argument("--table", metavar="T", help="table of a database, or sheet of a workbook")
    made.add_argument("--no-header", action="store_true", help="the first row of a CSV or TSV file is data, not names")
    made.add_argument("--packages", nargs="*", metavar="P", help="python: packages to add to the standard library")
    made.add_argument("--limit", type=int, metavar="N", help="read at most N rows")
    made.add_argument("--title", metavar="T", help="what the documents are, in one line, for the page")


def _add_index(made: argparse.ArgumentParser) -> None:
    made.add_argument("--output", type=Path, required=True, metavar="DIR")
    made.add_argument("--overwrite", action="store_true", help="replace the index in DIR once the new one is complete")
    made.add_argument(
        "--lists",
        type=_lists,
        default="auto",
        metavar="N",
        help="lists for the approximate scan `lists`: a number, 0 for none, or auto, from a million texts on",
    )
    made.add_argument("--no-baseline", action="store_true", help="leave out embeddings.npy, the float32 baseline")
    made.add_argument(
        "--target-share",
        type=_share,
        default=DEFAULT_TARGET_SHARE,
        metavar="S",
        help="the search settings are the smallest that keep this share of what rescoring all int8 vectors would find "
        "(default %(default)s)",
    )
    made.add_argument(
        "--center",
        action="store_true",
        help="subtract the mean of the vectors before the sign: for vectors that are all positive, or shifted",
    )


def _add_vectors(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--model",
        metavar="ID_OR_PATH",
        help=f"hub id or folder of a sentence-transformers model; by default {DEFAULT_MODEL}, "
        f"or none if --embeddings is given",
    )
    made.add_argument(
        "--ray",
        nargs="?",
        const=LOCAL,
        metavar="ADDRESS",
        help="read, encode and quantize on the machines of a Ray cluster: HOST:PORT, auto, or a new local one",
    )
    vectors = made.add_mutually_exclusive_group()
    vectors.add_argument(
        "--embeddings", type=Path, metavar="FILE.npy", help="existing vectors, one per row of the texts"
    )
    vectors.add_argument(
        "--embeddings-column", metavar="C", help="column of the file with the vectors, such as in Parquet"
    )


def _lists(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is not a number of lists: auto or a whole number from 0 is needed")
    return int(text)


def _share(text: str) -> float:
    if not is_share(value := float(text)):
        raise argparse.ArgumentTypeError(f"{text} is not a share: a number above 0, and at most 1, is needed")
    return value


def build(args: argparse.Namespace, corpus: Corpus, bars: ProgressBars) -> Bundle:
    """Returns the index that the arguments ask for.

    Raises:
        RetrievalError: if it cannot be built.
    """
    with ExitStack() as stack:
        embeddings: Path | None = args.embeddings
        if args.embeddings_column is not None and isinstance(corpus, FileCorpus):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vectors-")))
            embeddings = write_column_vectors(corpus.vectors(), folder / "vectors.npy")
        model = args.model or (DEFAULT_MODEL if embeddings is None else None)
        encoder = load_encoder(model) if model is not None else None
        if encoder is not None and encoder.note:
            bars(BuildProgress("note", message=encoder.note))
        workers = None
        if args.ray is not None:
            load = partial(load_encoder, model, expected_sha256=encoder.weights_sha256) if encoder and model else None
            workers = stack.enter_context(ray_workers(args.ray, load))
        options = BuildOptions(
            args.limit, args.overwrite, not args.no_baseline,
            embeddings=embeddings, center=args.center, title=args.title, target_share=args.target_share,
            lists=args.lists,
        )  # fmt: skip

        def report(step: BuildProgress) -> None:
            bars(replace(step, message=printable(step.message)))

        return build_index(corpus, encoder, args.output, options, report, workers)


@command("stopped: run the same command again to continue where it stopped.")
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    if args.limit is not None and args.limit < 1:
        parser().error("--limit takes a whole number from 1 on")
    columns = {role: column for role in ROLES if (column := getattr(args, f"{role}_column")) is not None}
    source = SourceOptions(
        args.corpus, args.path, columns, args.embeddings_column, args.split, not args.no_header, args.table,
        args.packages,
    )  # fmt: skip
    with closing(ProgressBars()) as bars:
        bundle = build(args, open_corpus(source), bars)
    manifest = bundle.manifest
    if guessed := [role for role in ROLES[1:] if role in manifest.columns.keys() - columns]:
        options = " ".join(f"--{role}-column ''" for role in guessed)
        print(f"Columns that were not named were guessed; to turn this off: {options}", file=sys.stderr)
    print(
        f"{bundle.path}: {counted(manifest.row_count, 'row')}, "
        f"{counted(manifest.distinct_text_count, 'distinct text')}, {manifest.build_seconds:,.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
