"""The words for each way to search: its name, its colours and what it does. The comparison and the lesson use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from retrieval.evaluation.comparison.answers import WayAnswer
from retrieval.evaluation.ways import BITS_SCORED, CANDIDATES, INT8_READ


@dataclass(frozen=True, slots=True)
class WayWords:
    """How one way to search is called and described."""

    name: str
    colours: str
    """The precisions that it reads, as the names of their colours, separated by spaces."""
    about: Callable[[WayAnswer], str]
    """Returns what it does, in one sentence, from what one search of it did."""


def _published(answer: WayAnswer) -> str:
    read = answer.work[INT8_READ]
    return f"The {read:,} nearest by bits, ordered by the float32 query times their raw int8 codes."


def _float_bits(answer: WayAnswer) -> str:
    return f"The {answer.work[CANDIDATES]:,} nearest by bits, ordered by the float32 query times their bits."


def _ours(answer: WayAnswer) -> str:
    work = answer.work
    first = f"The {work[CANDIDATES]:,} nearest by bits"
    if INT8_READ not in work:
        last = "ordered by the float32 query times their bits" if BITS_SCORED in work else "in that order"
        return f"{first}, {last}; rescoring is switched off."
    chosen = "the float32 query times their bits chooses" if BITS_SCORED in work else "the order by bits chooses"
    return f"{first}; {chosen} {work[INT8_READ]:,}; their de-quantized int8 vectors order those."


WAY_WORDS: Mapping[str, WayWords] = {
    "float32": WayWords(
        "float32, exact",
        "float32",
        lambda answer: "The query's vector times every float32 vector: no loss, and the most memory.",
    ),
    "int8": WayWords(
        "int8, all vectors", "int8", lambda answer: "The float32 query times every de-quantized int8 vector."
    ),
    "bits": WayWords(
        "bits alone",
        "binary",
        lambda answer: "The texts whose sign bits differ from the query's in the fewest places.",
    ),
    "float_bits": WayWords("bits, float32 query", "mixed", _float_bits),
    "published": WayWords("bits + int8, as published", "binary int8", _published),
    "ours": WayWords("ours", "binary int8", _ours),
}
"""By `Way.key`."""
