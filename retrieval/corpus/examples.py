"""Examples for a corpus that brings none: a few of its own short texts."""

from __future__ import annotations

import random
from collections.abc import Iterable

COUNT = 6
_WORDS = range(3, 10)
_MOST_CHARS = 60


def sampled_examples(batches: Iterable[list[str]], *, seed: int = 0) -> tuple[str, ...]:
    """Returns up to `COUNT` of the texts that read like a short question, the same ones at every call.

    Args:
        batches: the distinct texts; they are read once, and not kept.
        seed: which ones are drawn.
    """
    drawn: list[tuple[float, str]] = []
    generator = random.Random(seed)
    for texts in batches:
        fitting = [text for text in texts if len(text) <= _MOST_CHARS and len(text.split()) in _WORDS]
        # Each text gets a number, and the smallest ones stay: a sample whose size need not be known before.
        drawn = sorted([*drawn, *((generator.random(), text) for text in fitting)])[:COUNT]
    return tuple(" ".join(text.split()) for _, text in drawn)
