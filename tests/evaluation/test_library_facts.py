"""What the page and the documents say of sentence-transformers' quantization, asked of the installed library."""

from __future__ import annotations

import numpy as np
import pytest

from retrieval.quantization import Int8Quantizer

library = pytest.importorskip("sentence_transformers.util.quantization")


def test_the_library_rounds_down_to_a_step_and_ours_to_the_nearest() -> None:
    values = np.random.default_rng(0).uniform(-1, 1, (500, 16)).astype(np.float32)
    ours = Int8Quantizer.fit([values])
    theirs = library.quantize_embeddings(values, "int8", ranges=np.stack([values.min(axis=0), values.max(axis=0)]))
    steps_lost = (values - ours.decode(theirs)) / ours.step
    assert steps_lost.min() > -0.01
    assert 0.9 < steps_lost.max() < 1.01
    assert np.abs((values - ours.decode(ours.encode(values))) / ours.step).max() < 0.51


def test_the_library_dequantizes_before_rescoring() -> None:
    values = np.array([[10.0, 0.0], [0.0, 0.1]], dtype=np.float32)
    query = np.array([[0.1, 1.0]], dtype=np.float32)
    ranges = np.stack([values.min(axis=0), values.max(axis=0)])
    codes = library.quantize_embeddings(values, "int8", ranges=ranges)
    hits, *_ = library.semantic_search_usearch(
        query, corpus_embeddings=codes, corpus_precision="int8", ranges=ranges, top_k=2, exact=True
    )
    assert (codes.astype(np.float32) @ query[0]).argmax() == 1
    assert [hit["corpus_id"] for hit in hits[0]] == [0, 1]
    assert [hit["score"] for hit in hits[0]] == pytest.approx((values @ query[0]).tolist(), abs=0.01)
