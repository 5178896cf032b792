"""How the search grows with the number of documents, on indexes of 10,000 to 2,000,000 built for the purpose.

Each is built by the one build and searched by the one search, in a temporary folder that is removed; large ones have
lists, and every scan is measured. Documents up to the size of the measured index have its real vectors, a seeded
sample; beyond that, real vectors with a little noise.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval import BuildOptions, Searcher, SearchResponse, SearchSettings, build_index
from retrieval.benchmark.sampled_queries import NOISE
from retrieval.benchmark.timings import percentiles, stage_percentiles
from retrieval.bundle.bundle import Bundle
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.indexing.lists import auto_lists
from retrieval.quantization import Float32s, num_code_bytes
from scripts.bench.job import TOP_K, Job, Report, prepare_as_served, require_baseline
from scripts.bench.numbered import NumberedTexts, NumberedVectors

_SIZES = (10_000, 100_000, 2_000_000)
_LISTS_FROM = 500_000
"""Fewer documents are compared within a millisecond or two: lists would save little."""
_QUERIES_OF_EACH_SET = 100
_WARM_UP_QUERIES = 20
_OTHER_BYTES_PER_ROW = 200
"""What a row takes in addition to its vectors: document, text, graph of usearch, its place in a list."""


def measure(
    job: Job, report: Report, *, usual_sizes: Sequence[int] = _SIZES, lists_from: int = _LISTS_FROM
) -> dict[str, Any]:
    """Returns, in `sizes`, for each number of documents: its `files`, and the figures of each scan in `scans`.

    These are `stages` and `vector_part` in milliseconds, `recall` against float32, and `kept`: how many of what
    `float-bits` finds, which compares all documents, `lists` finds, too, with so many `probes`. `vector_part`,
    `stages` and `recall` of a size are those of `hamming`. `real_vectors` of each are the index's own. A size for which
    there is no room on the disk has `not_measured`.

    Raises:
        NotMeasurableError: if the index has no float32 baseline.
    """
    bundle = Bundle.open(job.index)
    require_baseline(job.index, bundle.manifest.has_baseline)
    baseline = ExactBaseline.open(bundle)
    settings = Searcher(bundle, None).defaults
    num_texts = len(baseline.text_rows)
    sizes = sorted(set(job.growth_sizes or (num_texts, *usual_sizes)))
    vectors = job.all_vectors(_QUERIES_OF_EACH_SET)
    figures = []
    for size in sizes:
        rng = np.random.default_rng(job.seed)
        rows = np.sort(rng.choice(baseline.text_rows, size=min(size, num_texts), replace=False))
        encoder = NumberedVectors(baseline.embeddings, rows, job.seed)
        about = {"documents": size, "real_vectors": len(rows), "made_vectors": size - len(rows)}
        num_lists = auto_lists(size) if size >= lists_from else 0
        figures.append({**about, **_measure_size(job, encoder, size, num_lists, vectors, settings, report)})
    return {
        "sizes": figures,
        "made_vectors_are": f"real vectors plus normal noise of {NOISE} per dimension, of length 1 again",
        "settings": {"num_candidates": settings.num_candidates, "rescore_multiplier": settings.rescore_multiplier},
        "queries": len(vectors),
        "seed": job.seed,
    }


def bytes_needed(num_rows: int, dim: int) -> int:
    """Returns how much disk the index of so many rows takes while it is built, at most."""
    return num_rows * (4 * dim + dim + num_code_bytes(dim) + _OTHER_BYTES_PER_ROW)


def _measure_size(
    job: Job,
    encoder: NumberedVectors,
    size: int,
    num_lists: int,
    vectors: Float32s,
    settings: SearchSettings,
    report: Report,
) -> dict[str, Any]:
    needed, free = bytes_needed(size, encoder.dim), shutil.disk_usage(job.work).free
    if needed > free:
        why = f"{needed / 1e9:.1f} GB of disk are needed, {free / 1e9:.1f} are free: name another folder with --work"
        return {"not_measured": why}
    with tempfile.TemporaryDirectory(prefix="growth-", dir=job.work) as folder:
        report(f"building an index of {size:,}")
        bundle = build_index(NumberedTexts(size), encoder, Path(folder) / "index", BuildOptions(lists=num_lists))
        report(f"searching {size:,}")
        return _measure_bundle(bundle, vectors, settings)


def _measure_bundle(bundle: Bundle, vectors: Float32s, settings: SearchSettings) -> dict[str, Any]:
    searcher, baseline = Searcher(bundle, None), ExactBaseline.open(bundle)
    truths = baseline.search(vectors, TOP_K)
    found = {scan: _searched(searcher, scan, vectors, settings) for scan in searcher.scans}
    scans: dict[str, Any] = {}
    for scan, responses in found.items():
        recalls = baseline.recalls(vectors, ([hit.row for hit in each.hits] for each in responses), truths)
        latencies = [response.latency for response in responses]
        scans[scan] = {
            "stages": stage_percentiles(dict(latency.stages) for latency in latencies),
            "vector_part": percentiles([latency.total_ms - latency.stages["documents"] for latency in latencies]),
            "recall": float(recalls.mean()),
        }
    if "lists" in scans:
        scans["lists"]["kept"] = _share_found(found["lists"], found["float-bits"])
        scans["lists"]["probes"] = searcher.defaults.probes
    held = {item.name: item.size_bytes for item in searcher.store.memory()}
    return {
        **{key: scans["hamming"][key] for key in ("stages", "vector_part", "recall")},
        "scans": scans,
        "codes_bytes": searcher.files.texts.codes.nbytes,
        "packed_bytes": held["codes"],
        "lists_bytes": held["lists"],
        "files": {name: record.size_bytes for name, record in bundle.manifest.files.items()},
        "build_seconds": bundle.manifest.build_seconds,
    }


def _searched(searcher: Searcher, scan: str, vectors: Float32s, settings: SearchSettings) -> list[SearchResponse]:
    prepare_as_served(searcher, scan)

    def search(vector: Float32s) -> SearchResponse:
        return searcher.search_vector(
            vector,
            TOP_K,
            num_candidates=settings.num_candidates,
            rescore_multiplier=settings.rescore_multiplier,
            scan=scan,
        )

    for vector in vectors[:_WARM_UP_QUERIES]:
        search(vector)
    return [search(vector) for vector in vectors]


def _share_found(some: Sequence[SearchResponse], of: Sequence[SearchResponse]) -> float:
    """Returns how many of the rows that one scan found, from 0 to 1, another one found, too."""
    shares = [
        len({hit.row for hit in one.hits} & {hit.row for hit in other.hits}) / len(other.hits)
        for one, other in zip(some, of, strict=True)
    ]
    return float(np.mean(shares))
