"""A corpus for the tests of building."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conftest import RowsCorpus, random_texts

TEXTS = random_texts(60)
WITH_DUPLICATES = [*TEXTS, *TEXTS[:20], TEXTS[0]]


def corpus_of(texts: Sequence[str]) -> RowsCorpus:
    return RowsCorpus([{"text": text} for text in texts], batch_size=7)
