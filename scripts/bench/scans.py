"""Exact scans of all vectors: float32, int8 and sign bits, one query at a time and in batches.

A ratio compares two kernels on the same batch: the median of float32's runs over the median of the other's. min, mean
and max of the ratios are over the batches of all query sets, as the article's table is over its data sets. The kernels
run one after the other, each with a warm-up, in several rounds; vectors are in RAM. One query at a time, every kernel
has its rows cut into one slice per thread; with batches, it has that many threads to itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import faiss
import numpy as np

from retrieval.benchmark.scan_kernels import ExactScan, Float32Scan, HammingScan, Int8Scan, Slices
from retrieval.benchmark.timings import Timings
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import ExactBaseline, OpenedIndex
from retrieval.evaluation.ways import Int8
from retrieval.quantization import Float32s
from retrieval.search.searcher import Searcher
from scripts.bench.job import TOP_K, Job, Report, require_baseline

BATCH_SIZES = (1, 10, 100)
_SINGLE_QUERIES = 50
"""Of each set; a batch size uses all queries of the set, up to `_BATCHES` batches."""
_BATCHES = 3
FLOAT32_KERNELS = ("float32_numpy", "float32_faiss")


class FaissFloat32Scan:
    """All dot products of float32 vectors through the search of `faiss.IndexFlatIP`, which is the article's."""

    kernel = "faiss knn, inner product (IndexFlatIP), float32 x float32"

    def __init__(self, embeddings: Float32s, k: int, num_threads: int) -> None:
        self._embeddings = embeddings
        self._slices = Slices(len(embeddings), num_threads)
        self._num_threads = num_threads
        self._k = k

    def search(self, queries: Float32s) -> Rows:
        """Returns the rows with the highest dot products with each query `(m, dim)`, `(m, k)`."""
        if len(queries) > 1:
            faiss.omp_set_num_threads(self._num_threads)
            return self._knn(queries, 0, len(self._embeddings))[1]
        # faiss gives one query one thread: the others are used as our index uses them, a slice of the rows each.
        found = self._slices.map(lambda start, end: self._one_thread(queries, start, end))
        scores, rows = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
        best: Rows = np.take_along_axis(rows, np.argsort(-scores, axis=1, kind="stable"), axis=1)[:, : self._k]
        return best

    def _one_thread(self, queries: Float32s, start: int, end: int) -> tuple[Float32s, Rows]:
        faiss.omp_set_num_threads(1)
        return self._knn(queries, start, end)

    def _knn(self, queries: Float32s, start: int, end: int) -> tuple[Float32s, Rows]:
        k = min(self._k, end - start)
        scores, rows = faiss.knn(queries, self._embeddings[start:end], k, metric=faiss.METRIC_INNER_PRODUCT)
        return scores, rows + start


def measure(job: Job, report: Report, *, batch_sizes: Sequence[int] = BATCH_SIZES) -> dict[str, Any]:
    """Returns `kernels` (name to what computes), `timings` (kernel, batch size: ms per query), `ratios` and `recall`.

    Raises:
        NotMeasurableError: if the index has no float32 baseline.
    """
    bundle = Bundle.open(job.index)
    require_baseline(job.index, bundle.manifest.has_baseline)
    kernels = open_kernels(bundle, job.threads)
    batches = {size: make_batches([each.vectors for each in job.query_sets.values()], size) for size in batch_sizes}
    batches = {size: found for size, found in batches.items() if found}
    runs: dict[str, dict[int, list[Timings]]] = {
        name: {size: [Timings() for _ in found] for size, found in batches.items()} for name in kernels
    }
    for round_number in range(job.rounds):
        for name, kernel in kernels.items():
            report(f"{name}, round {round_number + 1} of {job.rounds}")
            for size, found in batches.items():
                kernel.search(found[0])
                for batch, timings in zip(found, runs[name][size], strict=True):
                    timings.add(kernel.search, batch, items=len(batch))
    report("recall of every kernel")
    medians = {
        name: {size: [float(np.median(each.wall_ms)) for each in own] for size, own in sizes.items()}
        for name, sizes in runs.items()
    }
    return {
        "k": TOP_K,
        "rows": bundle.manifest.row_count,
        "threads": job.threads,
        "kernels": {name: kernel.kernel for name, kernel in kernels.items()},
        "timings": {
            name: {str(size): _joined(own).to_json() for size, own in sizes.items()} for name, sizes in runs.items()
        },
        "recall": _recall(bundle, kernels, job),
        "ratios": ratio_table(medians),
        "ratio_of": "float32_fastest is the faster float32 kernel of each batch; ratios are of milliseconds per query",
    }


def _recall(bundle: Bundle, kernels: Mapping[str, ExactScan], job: Job) -> dict[str, dict[str, float]]:
    """Returns recall@10 of every kernel for each query set, and of `int8_dequantized`, which no kernel here scans."""
    baseline = ExactBaseline.open(bundle)
    index = OpenedIndex(Searcher(bundle, None), baseline, baseline.text_rows)
    figures: dict[str, dict[str, float]] = {name: {} for name in (*kernels, "int8_dequantized")}
    for set_, queries in job.query_sets.items():
        truths = baseline.search(queries.vectors, TOP_K)
        found: dict[str, Sequence[Rows]] = {name: list(each.search(queries.vectors)) for name, each in kernels.items()}
        found["int8_dequantized"] = Int8().search_many(index, queries.vectors, TOP_K)
        for name, rankings in found.items():
            figures[name][set_] = float(baseline.recalls(queries.vectors, rankings, truths).mean())
    return figures


def open_kernels(bundle: Bundle, threads: int) -> dict[str, ExactScan]:
    """Returns the scans of a bundle by name, over all its rows, with their vectors in RAM."""
    manifest = bundle.manifest
    embeddings: Float32s = np.load(bundle.file(EMBEDDINGS_FILE))
    codes = np.array(Int8Store.open(bundle.file(INT8_FILE), manifest.dim).codes)
    binary = BinaryIndex.open(bundle.file(BINARY_FILE), manifest.dim, num_threads=threads)
    return {
        "float32_numpy": Float32Scan(embeddings, TOP_K, threads),
        "float32_faiss": FaissFloat32Scan(embeddings, TOP_K, threads),
        "int8": Int8Scan(codes, manifest.quantizer, TOP_K, threads),
        "binary": HammingScan(binary, TOP_K, manifest.signs),
    }


def make_batches(sets: Sequence[Float32s], size: int) -> list[Float32s]:
    """Returns whole batches of `size` queries of each set; a set that is smaller gives none."""
    most = _SINGLE_QUERIES if size == 1 else _BATCHES
    return [
        vectors[start : start + size]
        for vectors in sets
        for start in range(0, min(len(vectors), most * size) - size + 1, size)
    ]


def ratio_table(medians: Mapping[str, Mapping[int, Sequence[float]]]) -> dict[str, Any]:
    """Returns min, mean and max of the ratios float32 / kernel, by what is float32, kernel and batch size.

    Args:
        medians: kernel to batch size to median milliseconds per query of each batch; the float32 kernels among them.
    """
    sizes = medians[FLOAT32_KERNELS[0]]
    fastest = {size: np.min([medians[name][size] for name in FLOAT32_KERNELS], axis=0) for size in sizes}
    bases = {"float32_fastest": fastest, "float32_faiss": medians["float32_faiss"]}
    table: dict[str, Any] = {}
    for base, base_ms in bases.items():
        table[base] = {}
        for name in medians:
            ratios = {size: np.asarray(base_ms[size]) / np.asarray(medians[name][size]) for size in sizes}
            rows = {str(size): _spread(found) for size, found in ratios.items()}
            table[base][name] = {**rows, "all": _spread(np.concatenate(list(ratios.values())))}
    return table


def _spread(ratios: Any) -> dict[str, float | int]:
    return {
        "min": float(ratios.min()),
        "mean": float(ratios.mean()),
        "max": float(ratios.max()),
        "batches": len(ratios),
    }


def _joined(several: Sequence[Timings]) -> Timings:
    return Timings(
        [ms for timings in several for ms in timings.wall_ms], [ms for timings in several for ms in timings.cpu_ms]
    )
