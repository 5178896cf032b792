"""The JSON of a run: what was measured where, written after each part, and kept with the index.

    format, taken_at, seed, threads, rounds   `rounds` is how often each query was asked
    whole            whether all parts were run, rather than some by --only or --quick
    machine          cpu, flags, cores, ram_bytes, os, kernel
    load_average     of the last minute before the first part: above the cores, trust no millisecond
    versions         {package: version}
    index            title, rows, distinct_texts, dim, model, binary_sha256, build_seconds, settings, files
    query_sets       {name: {count, sha256 of the texts, one per line}}
    parts            {name of a part: its figures}: the docstring of `measure` in its module has the keys

A part that failed has `error` instead, one that cannot be measured here `not_measured`. Timings are objects with
`p50_ms`, `p95_ms`, `p99_ms`, and where they were taken `cpu_ms`, the mean CPU time of the process, and `samples`.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from retrieval.benchmark.figures.kept import keep_figures, kept_figures
from retrieval.benchmark.machine import when_and_where
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BENCHMARK_FILE, BINARY_FILE
from retrieval.bundle.versions import installed_versions
from scripts.bench.job import Job
from scripts.bench.query_sets import describe
from scripts.report.terminal import write_figures

FORMAT = 1
_PACKAGES = ("faiss-cpu", "usearch", "numkong", "numpy", "pyarrow", "openvino", "sentence-transformers", "torch")


class Results:
    """The figures of one run, part by part."""

    def __init__(self, job: Job, *, whole: bool, json_file: Path | None, keep: bool) -> None:
        """Writes to `json_file` if there is one, and into the index's folder if `keep` is set and it can be written.

        `whole` says whether every part is run: an incomplete run never takes the place of a whole one there.
        """
        self._bundle = Bundle.open(job.index)
        self._json_file = json_file
        kept = kept_figures(self._bundle) if keep else None
        self._keeps = keep and (whole or not (kept or {}).get("whole"))
        if keep and not self._keeps:
            _say(f"the whole run that is kept in {BENCHMARK_FILE} stays: this one is only a part")
        self.figures: dict[str, Any] = {
            "format": FORMAT,
            "whole": whole,
            "threads": job.threads,
            "seed": job.seed,
            "rounds": job.rounds,
            **when_and_where(),
            "load_average": os.getloadavg()[0],
            "versions": {"python": platform.python_version(), **installed_versions(_PACKAGES)},
            "index": describe_index(self._bundle),
            "query_sets": describe(job.query_sets),
            "parts": {},
        }

    def add(self, name: str, figures: dict[str, Any]) -> None:
        """Adds a part, and writes what there is.

        Raises:
            RetrievalError: if the file that was asked for cannot be written.
        """
        self.figures["parts"][name] = figures
        if self._json_file:
            write_figures(self._json_file, self.figures)

    def finish(self, failed: Sequence[str]) -> None:
        """Keeps the run in the index's folder, unless every part failed."""
        if not self._keeps or len(failed) == len(self.figures["parts"]):
            return
        try:
            keep_figures(self._bundle, self.figures)
        except OSError as error:
            _say(f"the run is not kept with the index: {error.strerror or error}")


def describe_index(bundle: Bundle) -> dict[str, Any]:
    """Returns which index a figure belongs to; `binary_sha256` tells two indexes apart. No path is in it."""
    manifest = bundle.manifest
    return {
        "title": manifest.corpus.title,
        "rows": manifest.row_count,
        "distinct_texts": manifest.distinct_text_count,
        "dim": manifest.dim,
        # A model from a folder goes by the whole path: only its name is for others.
        "model": Path(manifest.model_id).name if Path(manifest.model_id).is_absolute() else manifest.model_id,
        "binary_sha256": manifest.files[BINARY_FILE].sha256,
        "build_seconds": manifest.build_seconds,
        "files": {name: record.size_bytes for name, record in manifest.files.items()},
        "settings": dict(manifest.search),
    }


def _say(what: str) -> None:
    print(f"note: {what}", file=sys.stderr)
