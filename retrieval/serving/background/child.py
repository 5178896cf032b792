"""Builds or fetches an index in its own process: `python -m retrieval.serving.background.child`."""

from __future__ import annotations

import sys
from pathlib import Path

from retrieval.errors import CorpusError
from retrieval.serving.child_process import Reports, Request, run_child


def prepare(request: Request, reports: Reports) -> dict[str, str]:
    """Returns the folder of the index, and which revision it is, "" for one that was built here.

    Raises:
        RetrievalError: if it cannot be fetched or built.
    """
    if request["task"] == "fetch":
        path = _fetch(request, reports)
        return {"path": str(path), "revision": path.parent.name}
    return {"path": str(_build(request, reports)), "revision": ""}


def _fetch(request: Request, reports: Reports) -> Path:
    from retrieval.hub import FetchProgress, fetch_bundle

    def report(progress: FetchProgress) -> None:
        phase = "checking" if progress.is_checking else "fetching"
        reports.progress(phase, progress.done_bytes, progress.total_bytes)

    return fetch_bundle(request["address"], report=report)


def _build(request: Request, reports: Reports) -> Path:
    from retrieval.corpus.sources import SOURCES, SourceOptions, open_corpus
    from retrieval.encoding.encoder import load_encoder
    from retrieval.indexing.indexer import build_index
    from retrieval.indexing.options import BuildOptions
    from retrieval.indexing.progress import BuildProgress

    if request["corpus"] not in SOURCES:
        raise CorpusError(f"no corpus is called {request['corpus']!r}: choose one of {', '.join(SOURCES)}.")

    def report(progress: BuildProgress) -> None:
        if progress.phase != "note":
            reports.progress(progress.phase, progress.done, progress.total)

    reports.progress("reading")
    corpus = open_corpus(SourceOptions(request["corpus"]))
    options = BuildOptions(limit=request["limit"])
    return build_index(corpus, load_encoder(), Path(request["output"]), options, report).path


if __name__ == "__main__":
    sys.exit(run_child(prepare))
