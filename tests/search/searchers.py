"""Searchers with the fake encoder, and what they are asked, for the tests of the search path."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrieval import Searcher, SearchResponse
from retrieval.bundle.bundle import Bundle
from tests.conftest import WORDS, FakeEncoder, random_texts

TEXTS = random_texts(400)
QUERIES = [" ".join(np.random.default_rng(seed).choice(WORDS, 3)) for seed in range(30)]


def opened(bundle: Bundle, **options: Any) -> Searcher:
    return Searcher.open(bundle.path, encoder=FakeEncoder(bundle.manifest.dim), **options)


def rows(response: SearchResponse) -> list[int]:
    return [hit.row for hit in response.hits]
