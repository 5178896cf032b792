"""Measure large indexes: the RAM and time of each stage of the build, the bytes of the files, and what a query takes.

    .venv/bin/python scripts/benchmark_build.py --index DIR --sizes 1000000 10000000 --json building.json

The documents are the texts of an index, repeated with a running number; their vectors are its vectors with a little
noise, as an int8 `.npy`, and are given to the build with --embeddings. Each build runs in its own process, and so
does what is measured on its index. The files are removed: the disk must hold one build and its vectors at a time.
What other programs do on the machine hardly changes the CPU time of a stage or a query, unlike their seconds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from retrieval import BuildOptions, BuildProgress, Searcher, build_index, load_encoder
from retrieval.benchmark.machine import when_and_where
from retrieval.benchmark.sampled_queries import noisy_vectors, with_noise
from retrieval.benchmark.timings import Timings
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import DOCUMENTS_FILE, INT8_FILE
from retrieval.corpus.files import FileCorpus
from retrieval.quantization import Float32s
from retrieval.search.measurement import process_rss_bytes
from scripts.bench.processes import in_own_process, peak_rss_bytes
from scripts.report.terminal import command, run, write_figures

_BATCH_ROWS = 50_000
_LARGEST = 0.3
"""What 127 stands for in the int8 vectors that are given: hardly a value of a vector of length 1 is larger."""
_QUERIES = 50
_ENCODED = 4096
_SEED = 0


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, required=True, metavar="DIR", help="whose texts and vectors are repeated")
    made.add_argument("--sizes", type=int, nargs="+", required=True, metavar="N", help="numbers of documents")
    made.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), metavar="DIR", help="for all files")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there after each build")
    return made


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    args = parser().parse_args(arguments)
    figures: dict[str, Any] = {**when_and_where(), "builds": []}
    figures["encoding"] = in_own_process(measured_encoding, args.index)
    for size in args.sizes:
        with tempfile.TemporaryDirectory(prefix="building-", dir=args.work) as folder:
            in_own_process(write_inputs, args.index, Path(folder), size)
            build = in_own_process(measured_build, Path(folder))
            figures["builds"].append({**build, "searching": in_own_process(measured_search, Path(folder))})
        print(figures["builds"][-1])
        if args.json:
            write_figures(args.json, figures)
    return 0


def write_inputs(index: Path, folder: Path, size: int) -> None:
    """Writes `texts.parquet` and `vectors.npy`, int8 `(size, dim)`, to a folder, made from those of an index."""
    bundle = Bundle.open(index)
    dim = bundle.manifest.dim
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.int8, (size, dim))
    schema = pa.schema([("text", pa.string())])
    with pq.ParquetWriter(folder / "texts.parquet", schema) as texts:
        for start, names, floats in _repeated(bundle, size):
            scaled = np.rint(floats * (127 / _LARGEST))
            vectors[start : start + len(names)] = np.clip(scaled, -127, 127).astype(np.int8)
            texts.write_batch(pa.RecordBatch.from_arrays([pa.array(names, pa.string())], schema=schema))
    vectors.flush()


def _repeated(bundle: Bundle, size: int) -> Iterator[tuple[int, list[str], Float32s]]:
    """Yields positions, texts and vectors `(any, dim)`, batch by batch."""
    documents = DocumentStore.open(bundle.file(DOCUMENTS_FILE))
    codes, quantizer = Int8Store.open(bundle.file(INT8_FILE), bundle.manifest.dim), bundle.manifest.quantizer
    texts = documents.texts(range(len(documents)))
    for start in range(0, size, _BATCH_ROWS):
        numbers = np.arange(start, min(start + _BATCH_ROWS, size))
        rows = numbers % len(documents)
        names = [f"{texts[row]} {number}" for row, number in zip(rows.tolist(), numbers.tolist(), strict=True)]
        yield start, names, with_noise(quantizer.decode(codes.fetch(rows)), np.random.default_rng([_SEED, start]))


def measured_build(folder: Path) -> dict[str, Any]:
    """Builds an index of what `write_inputs` wrote, and returns what that took.

    Returns:
        `rows`, `dim`, `build_seconds`, `files` with their bytes, and `stages`: for each, its `seconds`, the
        `cpu_seconds` of the process, and the most RAM that it has taken until the stage's end, `peak_rss_bytes`.
    """
    stages = [_stage("opening")]
    began = _clocks()

    def note(step: BuildProgress) -> None:
        nonlocal began
        now = _clocks()
        stages[-1]["seconds"] += now[0] - began[0]
        stages[-1]["cpu_seconds"] += now[1] - began[1]
        stages[-1]["peak_rss_bytes"] = peak_rss_bytes()
        began = now
        name = " ".join(filter(None, (step.phase, step.message if step.phase == "writing" else "")))
        if step.phase == "note":
            print(step.message, flush=True)
        elif name != stages[-1]["stage"]:
            stages.append(_stage(name))
            print(f"{name}; until here {peak_rss_bytes() / 1e6:,.0f} MB", flush=True)

    corpus = FileCorpus(folder / "texts.parquet")
    bundle = build_index(corpus, None, folder / "index", BuildOptions(embeddings=folder / "vectors.npy"), note)
    note(BuildProgress("done"))
    return {
        "rows": bundle.manifest.row_count,
        "dim": bundle.manifest.dim,
        "build_seconds": bundle.manifest.build_seconds,
        "peak_rss_bytes": peak_rss_bytes(),
        "files": {name: record.size_bytes for name, record in bundle.manifest.files.items()},
        "stages": stages[:-1],
    }


def measured_search(folder: Path) -> dict[str, Any]:
    """Searches the index that `measured_build` built, and returns what that took.

    Returns:
        `rss_bytes_before` the index is opened, and for each scan its milliseconds per query and the `rss_bytes` after
        it; the scans are measured one after the other, and what one has in RAM stays there.
    """
    before = process_rss_bytes()
    bundle = Bundle.open(folder / "index")
    queries = noisy_vectors(bundle, _QUERIES, _SEED)
    searcher = Searcher.open(folder / "index", verify="never")
    scans = {}
    # float-bits first: it waits until the bits are packed, which hamming then searches, too.
    for scan in sorted(searcher.scans):
        searcher.search_vector(queries[0], scan=scan)
        timings = Timings()
        for query in queries:
            timings.add(partial(searcher.search_vector, query, scan=scan))
        scans[scan] = {**timings.to_json(), "rss_bytes": process_rss_bytes()}
        print(scan, scans[scan], flush=True)
    return {"rss_bytes_before": before, "queries": _QUERIES, "scans": scans}


def measured_encoding(index: Path) -> dict[str, Any]:
    """Returns the `model` of an index, and the milliseconds that one of its texts takes to encode."""
    bundle = Bundle.open(index)
    encoder = load_encoder(bundle.manifest.model_id, expected_sha256=bundle.manifest.weights_sha256)
    rows = np.random.default_rng(_SEED).choice(bundle.manifest.row_count, _ENCODED)
    texts = DocumentStore.open(bundle.file(DOCUMENTS_FILE)).texts(rows.tolist())
    encoder.encode(texts[: _ENCODED // 4])
    timings = Timings()
    timings.add(encoder.encode, texts, items=_ENCODED)
    return {"model": Path(encoder.model_id).name, **timings.to_json(), "samples": _ENCODED}


def _stage(name: str) -> dict[str, Any]:
    return {"stage": name, "seconds": 0.0, "cpu_seconds": 0.0, "peak_rss_bytes": 0}


def _clocks() -> tuple[float, float]:
    """Returns the seconds of the clock, and of this process's CPU time."""
    return time.monotonic(), time.process_time()


if __name__ == "__main__":
    sys.exit(run(main))
