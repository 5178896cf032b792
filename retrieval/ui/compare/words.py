"""The words for each way to search, and what a comparison says: in a sentence for people, as values for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from retrieval.evaluation.comparison.answers import Comparison, WayAnswer
from retrieval.evaluation.ways import BITS_SCORED, CANDIDATES, FLOAT_SCANNED, INT8_READ, LISTS_SCANNED

MISSING = "This index was built without embeddings.npy. Build it without --no-baseline to see float32 here."


@dataclass(frozen=True, slots=True)
class WayWords:
    """The name and description of one way to search."""

    name: str
    colours: str
    """The precisions that it reads, as the names of their colours, separated by spaces."""
    about: Callable[[WayAnswer], str]
    """Returns what it does, in one sentence, based on what one of its searches did."""


def _published(answer: WayAnswer) -> str:
    read = answer.work[INT8_READ]
    return (
        f"The {read:,} nearest by bits, ordered by the float32 query times their raw int8 codes. sentence-transformers "
        "has de-quantized them since version 6.2."
    )


def _float_bits(answer: WayAnswer) -> str:
    return f"The {answer.work[CANDIDATES]:,} nearest by bits, ordered by the float32 query times their bits."


def _float_scan(answer: WayAnswer) -> str:
    return _by_float_query("every text", answer)


def _by_float_query(which: str, answer: WayAnswer) -> str:
    first = f"The float32 query times the bits of {which}"
    if INT8_READ not in answer.work:
        return f"{first}; rescoring is off."
    return f"{first} chooses {answer.work[INT8_READ]:,}; their de-quantized int8 vectors order those."


def _ours(answer: WayAnswer) -> str:
    work = answer.work
    if FLOAT_SCANNED in work:
        return _by_float_query("every text", answer)
    if LISTS_SCANNED in work:
        return _by_float_query("the texts in the nearest lists", answer)
    first = f"The {work[CANDIDATES]:,} nearest by bits"
    if INT8_READ not in work:
        last = "ordered by the float32 query times their bits" if BITS_SCORED in work else "in that order"
        return f"{first}, {last}; rescoring is off."
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
    "published": WayWords("bits + int8, 2024 demo", "binary int8", _published),
    "float_scan": WayWords("float-bits + int8", "mixed int8", _float_scan),
    "ours": WayWords("ours", "binary int8", _ours),
}
"""By `Way.key`."""


def sentence(comparison: Comparison) -> str:
    """Returns what ours kept of the reference's results, how fast, and from how much memory."""
    ours, reference = comparison["ours"], comparison.reference
    whose = "the float32 results" if comparison.reference_key == "float32" else "what int8 finds"
    kept = f"{ours.overlap} of {comparison.num_wanted} of {whose}"
    memory = f"from {short_percent(comparison.memory_share('ours'))} of the memory"
    faster = comparison.times_faster("ours")
    if faster is None:
        times = f"{reference.time_ms or 0:.2f} and {ours.time_ms or 0:.2f} ms"
        return f"{kept}, {memory}; with so few texts the times ({times}) are too short to compare."
    return f"{kept}, {speed_words(faster)}, {memory}."


def speed_words(times_faster: float) -> str:
    """Returns how fast something is: `41x faster`, `3.2x faster`, `about as fast`, `1.8x slower`."""
    if 0.9 < times_faster < 1.1:
        return "about as fast"
    ratio, word = (times_faster, "faster") if times_faster > 1 else (1 / times_faster, "slower")
    return f"{ratio:,.0f}x {word}" if ratio >= 9.95 else f"{ratio:.1f}x {word}"


def short_percent(share: float) -> str:
    """Returns a share in percent, with one to three digits: `0.4 %`, `3 %`, `12.5 %`, `100 %`."""
    value = 100 * share
    if value >= 9.95:
        return f"{value:.3g} %"
    return f"{value:.0f} %" if value >= 0.95 or value == 0 else f"{value:.1g} %"


def reference_name(comparison: Comparison) -> str:
    """Returns what the others are measured against."""
    return "float32" if comparison.reference_key == "float32" else "the int8 scan"


def dots(key: str) -> str:
    """Returns the dots in the colours of the precisions that a way reads, as HTML."""
    colours = WAY_WORDS[key].colours.split()
    return "".join(f'<i class="dot {colour}" aria-hidden="true"></i>' for colour in colours)


def compare_values(comparison: Comparison) -> dict[str, Any]:
    """Returns a comparison as plain values, ready for JSON."""
    values = dataclasses.asdict(comparison)
    del values["answers"]
    return {
        **values,
        "methods": [_values(answer, comparison) for answer in comparison.answers],
        "num_wanted": comparison.num_wanted,
        "in_words": sentence(comparison),
    }


def _values(answer: WayAnswer, comparison: Comparison) -> dict[str, Any]:
    words, values = WAY_WORDS[answer.key], dataclasses.asdict(answer)
    del values["way"]
    return {
        "key": answer.key,
        "label": words.name,
        "about": words.about(answer),
        "score_kind": answer.way.score_kind,
        **values,
        "missing": MISSING if answer.time_ms is None else None,
        "overlap": answer.overlap,
        "times_faster": comparison.times_faster(answer.key),
        "memory_share": comparison.memory_share(answer.key),
    }
