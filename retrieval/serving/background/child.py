"""Builds or fetches an index in a process of its own: `python -m retrieval.serving.background.child`.

One line of JSON on standard input says what to do; lines of JSON on standard output say how far it is. Standard input
stays open as long as somebody waits: when it ends, so does this process.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from retrieval.errors import CorpusError, RetrievalError
from retrieval.serving.child_process import end_with_the_caller, own_output

_NICENESS = 10
"""Searches in the other process come first: with this, they get nine tenths of a core that both want."""
_REPORT_S = 0.5
"""At most one report of a phase in so many seconds."""


class Reports:
    """Sends reports, and leaves out those that nobody could read so fast."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._sent: tuple[str, float] = ("", 0.0)

    def progress(self, phase: str, done: int = 0, total: int | None = None) -> None:
        """Tells how far a phase is."""
        now = time.monotonic()
        if phase != self._sent[0] or now - self._sent[1] >= _REPORT_S or done == total:
            self._sent = (phase, now)
            self.send({"kind": "progress", "phase": phase, "done": done, "total": total})

    def send(self, report: Mapping[str, Any]) -> None:
        """Sends a report."""
        self._out.write(json.dumps(report) + "\n")
        self._out.flush()


def main() -> int:
    """Does what is asked, and returns the exit status."""
    reports = Reports(own_output())
    request = json.loads(sys.stdin.readline())
    end_with_the_caller()
    os.nice(_NICENESS)
    try:
        if request["task"] == "fetch":
            path = _fetch(request, reports)
            detail = f"revision {path.parent.name}"
        else:
            path, detail = _build(request, reports), ""
    except RetrievalError as error:
        reports.send({"kind": "failed", "message": str(error)})
        return 1
    except Exception as error:  # noqa: BLE001 - the border of the process: whatever it is, the page tells of it
        traceback.print_exc()
        reports.send({"kind": "failed", "message": f"unexpectedly, {type(error).__name__}: the log says more"})
        return 1
    reports.send({"kind": "finished", "path": str(path), "detail": detail})
    return 0


def _fetch(request: Mapping[str, Any], reports: Reports) -> Path:
    from retrieval.hub import FetchProgress, fetch_bundle

    def report(progress: FetchProgress) -> None:
        phase = "checking" if progress.is_checking else "fetching"
        reports.progress(phase, progress.done_bytes, progress.total_bytes)

    return fetch_bundle(request["address"], report=report)


def _build(request: Mapping[str, Any], reports: Reports) -> Path:
    from retrieval.corpus.sources import SOURCES, SourceOptions, open_corpus
    from retrieval.encoding.encoder import load_encoder
    from retrieval.indexing.indexer import BuildOptions, build_index
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
    sys.exit(main())
