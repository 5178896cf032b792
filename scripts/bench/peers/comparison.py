"""Measures one engine after the other against the same exact answers."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE, EMBEDDINGS_FILE, INT8_FILE, LISTS_FILE
from retrieval.errors import QueryError
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.quantization import Float32s
from retrieval.search.exact_scan import ExactAnswer
from scripts.bench.job import Report
from scripts.bench.peers.catalog import INSTALL, Entry, label
from scripts.bench.peers.child import Job
from scripts.bench.peers.process import ChildError, ChildTimeoutError, run_child
from scripts.bench.peers.sweep import Tried, pick
from scripts.bench.peers.table import in_short, where_peers_win

_TOP_K = 10
RECALL_TARGET = 0.98
HIGHER_TARGET = 0.99
_COVERS = (
    "Vector search only, for ours as for the peers: no text is encoded, no document is read. Everyone indexes one "
    "vector per distinct text and runs in processes of its own, one after the other, pinned to the same cores. "
    "Files are warm: they were just written or searched. Callers are Python threads, which share one interpreter lock: "
    "it costs the fastest engines the most throughput."
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """An opened index, the queries, and the exact answers to them."""

    bundle: Bundle
    baseline: ExactBaseline
    query_sets: Mapping[str, Float32s]
    truths: Mapping[str, Sequence[ExactAnswer]]
    threads: int
    work: Path
    saturate_s: float

    @classmethod
    def prepare(
        cls,
        index: Path,
        query_sets: Mapping[str, Float32s],
        *,
        threads: int,
        work: Path,
        saturate_s: float,
    ) -> Comparison:
        """Returns the comparison over the index in `index`, with the exact answers found.

        Raises:
            BundleError: if the index cannot be opened, or has no float32 baseline.
            QueryError: if there is no query, or one of another dimension.
        """
        bundle = Bundle.open(index)
        baseline = ExactBaseline.open(bundle)
        wrong = {name: q.shape for name, q in query_sets.items() if q.ndim != 2 or q.shape[1] != bundle.manifest.dim}
        if wrong or not query_sets or not all(map(len, query_sets.values())):
            raise QueryError(
                f"each query set must be float32 (at least 1, {bundle.manifest.dim}); given "
                f"{ {name: queries.shape for name, queries in query_sets.items()} }."
            )
        vectors = {name: np.ascontiguousarray(queries, dtype=np.float32) for name, queries in query_sets.items()}
        truths = {name: baseline.search(queries, _TOP_K) for name, queries in vectors.items()}
        return cls(bundle, baseline, vectors, truths, threads, work, saturate_s)

    def measure(self, entries: Sequence[Entry], timeout_s: float, report: Report) -> dict[str, Any]:
        """Returns the figures of these engines: see the docstring of the package."""
        self.work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.work, prefix="peers-") as folder:
            self._write_inputs(Path(folder))
            shown = [entry for entry in entries if self.bundle.manifest.has_lists or not entry.needs_lists]
            engines = {entry.name: self._engine(entry, Path(folder), timeout_s, report) for entry in shown}
        return {
            "top_k": _TOP_K,
            "recall_target": RECALL_TARGET,
            "higher_target": HIGHER_TARGET,
            "threads": self.threads,
            "vectors": len(self.baseline.text_rows),
            "dim": self.bundle.manifest.dim,
            "queries": {name: len(queries) for name, queries in self.query_sets.items()},
            "covers": _COVERS,
            "engines": engines,
            "where_peers_win": where_peers_win(engines),
        }

    def _write_inputs(self, folder: Path) -> None:
        np.save(folder / "rows.npy", self.baseline.text_rows)
        for number, queries in enumerate(self.query_sets.values()):
            np.save(folder / f"queries-{number}.npy", queries)

    def _engine(self, entry: Entry, inputs: Path, timeout_s: float, report: Report) -> dict[str, Any]:
        about: dict[str, Any] = {"title": entry.title, "about": entry.about, "installed": entry.installed}
        if not entry.installed:
            report(f"{entry.title}: not installed; {INSTALL}")
            return {**about, "install": INSTALL}
        about["versions"] = entry.versions()
        folder = inputs / entry.name
        (folder / "index").mkdir(parents=True)
        try:
            figures = self._figures(entry, inputs, time.monotonic() + timeout_s, report)
            report(f"{entry.title}: {in_short(figures)}")
            return {**about, **figures}
        except ChildError as error:
            timed_out = isinstance(error, ChildTimeoutError)
            reason = f"{error} ({timeout_s:,.0f} s)" if timed_out else str(error)
            report(f"{entry.title}: {reason}")
            return {**about, "error": reason, "timed_out": timed_out}
        finally:
            shutil.rmtree(folder)

    def _figures(self, entry: Entry, inputs: Path, deadline: float, report: Report) -> dict[str, Any]:
        folder = inputs / entry.name
        index = self.bundle.path.resolve() if entry.is_ours else folder / "index"
        top_k = min(_TOP_K, len(self.baseline.text_rows))
        job = partial(
            Job, module=entry.module, folder=str(index), threads=self.threads, top_k=top_k,
            saturate_s=self.saturate_s,
            embeddings=str(self.bundle.file(EMBEDDINGS_FILE).resolve()), rows=str(inputs / "rows.npy"),
            queries={name: str(inputs / f"queries-{i}.npy") for i, name in enumerate(self.query_sets)},
        )  # fmt: skip

        def run(task: str, **what: Any) -> dict[str, Any]:
            report(f"{entry.title}: {task}")
            return run_child(job(task=task, **what), folder, deadline - time.monotonic())

        built = {"build_s": None, "build_peak_rss_bytes": None} if entry.is_ours else run("build")
        swept = run("sweep", settings=entry.settings)["tried"]
        tried = [
            Tried(setting, self._recall(entry, one["ids"]), one["ms"])
            for setting, one in zip(entry.settings, swept, strict=True)
        ]

        def measured(target: float) -> dict[str, Any]:
            best = pick(tried, target)
            figures = run("measure", settings=[best.setting])
            recall = self._recall(entry, figures.pop("ids"))
            reached = min(recall.values()) >= target
            return {"setting": label(best.setting), "target_reached": reached, "recall": recall, **figures}

        first = measured(RECALL_TARGET)
        if pick(tried, RECALL_TARGET).setting == pick(tried, HIGHER_TARGET).setting:
            higher = {**first, "target_reached": min(first["recall"].values()) >= HIGHER_TARGET}
        else:
            higher = measured(HIGHER_TARGET)
        return {
            **first,
            "at_higher_target": higher,
            "disk_bytes": _disk_bytes(_our_files(self.bundle, entry) if entry.is_ours else index.rglob("*")),
            **built,
            "sweep": [one.to_json() for one in tried],
        }

    def _recall(self, entry: Entry, found: Mapping[str, Sequence[Sequence[int]]]) -> dict[str, float]:
        """Returns the mean recall@10 of each query set."""
        means = {}
        for name, truths in self.truths.items():
            rows = (self._rows(entry, ids) for ids in found[name])
            means[name] = float(self.baseline.recalls(self.query_sets[name], rows, truths).mean())
        return means

    def _rows(self, entry: Entry, ids: Sequence[int]) -> list[int]:
        """Returns rows of the corpus: peers answer with positions, and faiss with -1 where it found too few."""
        found = [identifier for identifier in ids if identifier >= 0]
        return found if entry.is_ours else [int(self.baseline.text_rows[position]) for position in found]


def _our_files(bundle: Bundle, entry: Entry) -> Sequence[Path]:
    lists = [LISTS_FILE] if entry.needs_lists else []
    return [bundle.file(name) for name in (BINARY_FILE, INT8_FILE, *lists)]


def _disk_bytes(paths: Any) -> int:
    """Returns the bytes of the blocks that files take: a sparse file takes fewer than its length."""
    return sum(path.stat().st_blocks * 512 for path in paths if path.is_file())
