"""Build an index from a corpus.

    .venv/bin/python scripts/build_index.py --corpus python --output assets/indexes/python
    .venv/bin/python scripts/build_index.py --corpus file --path notes.csv --text-column title --output DIR
    .venv/bin/python scripts/build_index.py --corpus file --path texts.csv --embeddings vectors.npy --output DIR

--model takes any sentence-transformers model: its dimension, prompts and length come from its configuration, and what
it does not normalize is normalized here.

--embeddings takes vectors that exist already: a .npy file of float32 or float16, row i for row i of the texts, rows
without text counted. It is read piece by piece, and nothing is encoded. Without --model, such an index is searched by
vector (scripts/search.py --vector); with the --model that made the vectors, it is searched by text as any other.

A build that is stopped goes on where it was when the same command is run again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from retrieval import BuildOptions, BuildProgress, RetrievalError, build_index, load_encoder
from retrieval.bundle.tuning import DEFAULT_TARGET_SHARE, is_share
from retrieval.corpus.sources import SOURCES, SourceOptions, open_corpus
from retrieval.encoding.encoder import DEFAULT_MODEL
from retrieval.errors import counted
from retrieval.indexing.progress_bar import ProgressBars


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--corpus", choices=SOURCES, required=True)
    made.add_argument("--path", help="file, folder or hub id (conala: a local copy)")
    for role in ("text", "body", "url", "group", "quality"):
        made.add_argument(f"--{role}-column", metavar="C", help=f"column with the {role}; guessed when not given")
    made.add_argument("--packages", nargs="*", metavar="P", help="python: packages besides the standard library")
    made.add_argument("--limit", type=int, metavar="N", help="read at most N rows")
    made.add_argument("--title", metavar="T", help="what the documents are, in one line; the page shows it")
    made.add_argument("--output", type=Path, required=True, metavar="DIR")
    made.add_argument("--overwrite", action="store_true", help="replace the index in DIR once the new one is whole")
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
        "--model",
        metavar="ID_OR_PATH",
        help=f"hub id or folder of a sentence-transformers model; by default {DEFAULT_MODEL}, "
        f"or none where --embeddings is given",
    )
    made.add_argument(
        "--embeddings",
        type=Path,
        metavar="FILE.npy",
        help="vectors that exist already, one for each row of the texts",
    )
    return made


def _share(text: str) -> float:
    if not is_share(value := float(text)):
        raise argparse.ArgumentTypeError(f"{text} is no share: a number above 0, and at most 1, is needed")
    return value


def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    if args.limit is not None and args.limit < 1:
        parser().error("--limit takes a whole number from 1 on")
    columns = {
        role: column
        for role in ("text", "body", "url", "group", "quality")
        if (column := getattr(args, f"{role}_column")) is not None
    }
    bars = ProgressBars()
    try:
        corpus = open_corpus(SourceOptions(args.corpus, args.path, columns, args.packages))
        options = BuildOptions(
            args.limit, args.overwrite, not args.no_baseline, columns,
            embeddings=args.embeddings, title=args.title, target_share=args.target_share,
        )  # fmt: skip
        model = args.model or (DEFAULT_MODEL if args.embeddings is None else None)
        encoder = load_encoder(model) if model is not None else None
        if encoder is not None and encoder.note:
            bars(BuildProgress("note", message=encoder.note))
        bundle = build_index(corpus, encoder, args.output, options, bars)
    except RetrievalError as error:
        bars.close()
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        bars.close()
        print("stopped: run the same command again to go on where it was.", file=sys.stderr)
        return 130
    bars.close()
    manifest = bundle.manifest
    print(
        f"{bundle.path}: {counted(manifest.row_count, 'row')}, "
        f"{counted(manifest.distinct_text_count, 'distinct text')}, {manifest.build_seconds:,.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
