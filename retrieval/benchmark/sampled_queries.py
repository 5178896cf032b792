"""Queries for an index that has none: texts of its corpus, or its vectors if it has no model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import INT8_FILE
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.quantization import Float32s
from retrieval.search.searcher import Searcher

NOISE = 0.02
"""Standard deviation per dimension: at 384 dimensions, a cosine of about 0.93 with the vector that it was added to."""
TEXTS = "texts of the corpus"
VECTORS = "vectors of the corpus, with noise"


@dataclass(frozen=True, slots=True)
class SampledQueries:
    """Queries, and their name next to a figure."""

    name: str
    queries: list[str] | Float32s
    """Texts, or vectors `(m, dim)` of length 1."""


def sampled_queries(searcher: Searcher, limit: int, seed: int) -> SampledQueries:
    """Returns up to `limit` queries, the same for the same seed."""
    if not searcher.can_encode:
        return SampledQueries(VECTORS, noisy_vectors(searcher.bundle, limit, seed))
    rows = np.random.default_rng(seed).choice(len(searcher), size=min(limit, len(searcher)), replace=False)
    return SampledQueries(TEXTS, [document.text for document in searcher.documents(rows.tolist())])


def noisy_vectors(bundle: Bundle, limit: int, seed: int) -> Float32s:
    """Returns float32 vectors `(m, dim)` of the index with a little noise; from int8 codes without the baseline."""
    manifest, rng = bundle.manifest, np.random.default_rng(seed)
    if manifest.has_baseline:
        baseline = ExactBaseline.open(bundle)
        rows = np.sort(rng.choice(baseline.text_rows, size=min(limit, len(baseline.text_rows)), replace=False))
        return with_noise(np.asarray(baseline.embeddings[rows]), rng)
    rows = np.sort(rng.choice(manifest.row_count, size=min(limit, manifest.row_count), replace=False))
    codes = Int8Store.open(bundle.file(INT8_FILE), manifest.dim).fetch(rows)
    return with_noise(manifest.quantizer.decode(codes), rng)


def with_noise(vectors: Float32s, rng: np.random.Generator) -> Float32s:
    """Returns float32 vectors `(m, dim)` moved a little, and scaled to length 1 again."""
    moved = vectors + rng.standard_normal(vectors.shape, dtype=np.float32) * np.float32(NOISE)
    unit: Float32s = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    return unit
