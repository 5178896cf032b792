"""Examples for a corpus that has none: short queries made from its texts, none of them identical to a text."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

COUNT = 6
_DRAWN = 4 * COUNT
"""Texts drawn: some make no query, and some queries turn out to be texts."""
_WORDS = range(4, 13)
"""Of a text that a query is made from."""
_QUERY_WORDS = range(3, 6)
_MOST_CHARS = 60
_DROPPED = {
    *("a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "has", "have"),
    *("how", "i", "in", "into", "is", "it", "its", "my", "of", "on", "or", "other", "package", "python"),
    *("simple", "some", "that", "the", "their", "them", "these", "this", "to", "use", "used", "uses", "using"),
    *("very", "via", "was", "what", "when", "which", "will", "with", "within", "you", "your"),
}


def sampled_examples(read: Callable[[], Iterable[list[str]]]) -> tuple[str, ...]:
    """Returns up to `COUNT` short queries that texts of the corpus answer, the same ones at every call.

    Each is a text without its small words. None is equal to a text: its first hit would be itself.

    Args:
        read: yields the distinct texts, in batches; they are read twice, and not kept.
    """
    drawn: list[tuple[float, str]] = []
    generator = random.Random(0)
    for texts in read():
        queries = [query for text in texts if (query := query_from(text))]
        # Each query gets a random number, and the smallest ones stay: a sample without knowing the size in advance.
        drawn = sorted([*drawn, *((generator.random(), query) for query in queries)])[:_DRAWN]
    left = {_plain(query): query for _, query in drawn}
    for texts in read():
        for text in texts:
            left.pop(_plain(text), None)
    return tuple(left.values())[:COUNT]


def query_from(text: str) -> str:
    """Returns the words of a short text that matter; empty if none are dropped, or too few or too many stay."""
    words = text.strip(" .!?").split()
    if len(words) not in _WORDS or any(word.endswith((".", ":", ";", "!", "?")) for word in words):
        return ""
    chosen = [word.strip(",()[]\"'`") for word in words if word.casefold().strip(",()[]\"'`") not in _DROPPED]
    query = " ".join(chosen)
    is_fit = len(chosen) in _QUERY_WORDS and len(chosen) < len(words) and len(query) <= _MOST_CHARS
    return query[:1].lower() + query[1:] if is_fit else ""


def _plain(text: str) -> str:
    return " ".join(text.casefold().strip(" .,;:!?").split())
