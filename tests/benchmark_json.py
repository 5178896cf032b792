"""Small JSON as `scripts/benchmark.py` and `scripts/evaluate.py` write it, with figures made up for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

SHA256 = "a" * 64
HOSTILE: tuple[Any, ...] = (
    "<script>alert(1)</script>",
    None,
    -1,
    0,
    1e300,
    5e-324,
    10**400,
    float("nan"),
    float("inf"),
    True,
    [],
    {},
    "",
)


def ms(p50: float) -> dict[str, float]:
    return {"p50_ms": p50, "p95_ms": 2 * p50, "p99_ms": 3 * p50}


def point(candidates: int, rows: int, recall: float, p50: float) -> dict[str, Any]:
    return {"num_candidates": candidates, "int8_rows_read": rows, "recall": recall, **ms(p50)}


QUICK: dict[str, Any] = {
    "query_set": "texts of the corpus", "queries": 100, "threads": 2, "top_k": 10, "took_s": 12.5,
    "path": {"total": ms(4.0), "without_encode": ms(1.5), "int8_rows_read": 200.0, "samples": 100},
    "scans": {"float32": ms(50.0), "int8": ms(10.0), "binary": ms(2.0)},
    "ratios": {"float32": 1.0, "int8": 5.0, "binary": 25.0},
    "recall": {"mean": 0.987, "queries": 100},
    "not_measured": [{"what": "cold reads", "why": "nothing evicts", "how_to_get_it": "run benchmark.py"}],
}  # fmt: skip
POINTS = [point(100, 10, 0.8, 0.5), point(1000, 200, 0.99, 2.0), point(4000, 1000, 0.985, 9.0)]
RUN: dict[str, Any] = {
    "format": 1, "taken_at": "2026-11-24 21:04 UTC", "threads": 2, "load_average": 0.5,
    "machine": {"cpu": "A processor", "cores": 2},
    "index": {"title": "A corpus", "rows": 1000, "dim": 64, "binary_sha256": SHA256},
    "query_sets": {"questions": {"count": 40, "sha256": SHA256}},
    "parts": {
        "scans": {
            "ratios": {"float32_fastest": {"int8": {"all": {"min": 2.0, "mean": 4.4, "max": 6.0}},
                                           "binary": {"all": {"min": 11.0, "mean": 22.2, "max": 33.0}}}},
            "recall": {"float32_numpy": {"questions": 1.0}, "int8": {"questions": 0.74},
                       "int8_dequantized": {"questions": 0.995}, "binary": {"questions": 0.65}},
        },
        "paths": {"sets": {"questions": {"ours": {"recall": 0.993}, "reference_4x": {"recall": 0.89}}}},
        "sweep": {"sets": {"questions": {"points": POINTS, "frontier": POINTS[:2]}},
                  "default": {"num_candidates": 1000, "int8_rows": 200}},
        "growth": {"sizes": [
            {"documents": size, "made_vectors": made, "vector_part": ms(size / 1e4), "recall": 0.99,
             "stages": {"hamming": ms(size / 2e4)}, "codes_bytes": 8 * size,
             "files": {"int8.usearch": 70 * size, "embeddings.npy": 256 * size}}
            for size, made in ((1000, 0), (20_000, 19_000))
        ]},
        "peers": {"engines": {
            "ours": {"title": "ours", "recall": {"questions": 0.99}, "latency_ms": {"questions": {"p50": 1.0}}},
            "graph": {"title": "A graph", "recall": {"questions": 0.98}, "latency_ms": {"questions": {"p50": 1.5}}},
            "absent": {"title": "Not installed", "installed": False},
        }},
        "quick": QUICK,
    },
}  # fmt: skip


def quality(percent: float) -> dict[str, Any]:
    return {"ndcg": {"mean": 0.78, "kept": {"percent": percent, "low": percent - 1, "high": percent + 1}}}


JUDGED: dict[str, Any] = {
    "model": {"id": "a-model"},
    "collections": [{
        "collection": "medicine", "rows": 1033, "distractors": None, "counts": {"scored_queries": 30},
        "bootstrap": {"confidence_percent": 95},
        "rungs": [{"key": "float32", "label": "float32", "scanned_bytes": 1536, "rescored_bytes": 0, **quality(100)},
                  {"key": "ours", "label": "ours", "scanned_bytes": 48, "rescored_bytes": 384, **quality(99.2)}],
        "curves": {"binary_depth_10": [{"multiplier": 1, **quality(90)}, {"multiplier": 4, **quality(96)}]},
    }],
}  # fmt: skip
TUNED: dict[str, Any] = {
    "num_candidates": 500, "rescore_multiplier": 10, "source": "measured", "top_k": 10, "target_share": 0.99,
    "reached_share": 0.9934, "reached": True, "sampled_queries": 300,
    "recall": {"bits": 0.5, "float_bits": 0.7, "int8_all": 0.99, "chosen": 0.983},
    "curve": [{"num_candidates": 500, "rescore_multiplier": m, "int8_rows": 10 * m, "share": share, "recall": share}
              for m, share in ((1, 0.7), (4, 0.95), (10, 0.9934))],
}  # fmt: skip


def spoiled(whole: Any) -> Iterator[Any]:
    """Yields copies of nested JSON, in each of which one value, at any depth, is another."""
    for path in list(_paths(whole)):
        for value in HOSTILE:
            copy = deepcopy(whole)
            at = copy
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
            yield copy


def _paths(value: Any) -> Iterator[tuple[Any, ...]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (key,)
        yield from ((key, *rest) for rest in _paths(value[key]))
