"""What a comparison says: in a sentence for people, and as plain values for programs."""

from __future__ import annotations

import dataclasses
from typing import Any

from retrieval.evaluation.comparison.answers import Comparison, WayAnswer
from retrieval.ui.ways import WAY_WORDS

MISSING = "This index was built without embeddings.npy. Build it without --no-baseline to see float32 here."


def sentence(comparison: Comparison) -> str:
    """Returns what ours kept of the reference's results, how fast and from how much memory."""
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
    """Returns a share in percent, to a digit or three: `0.4 %`, `3 %`, `12.5 %`, `100 %`."""
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
    return {
        "query": comparison.query,
        "methods": [_values(answer, comparison) for answer in comparison.answers],
        "reference_key": comparison.reference_key,
        "settings": dataclasses.asdict(comparison.settings),
        "num_texts": comparison.num_texts,
        "dim": comparison.dim,
        "encode_ms": comparison.encode_ms,
        "total_ms": comparison.total_ms,
        "rss_bytes": comparison.rss_bytes,
        "notes": list(comparison.notes),
        "num_wanted": comparison.num_wanted,
        "in_words": sentence(comparison),
    }


def _values(answer: WayAnswer, comparison: Comparison) -> dict[str, Any]:
    words = WAY_WORDS[answer.key]
    return {
        "key": answer.key,
        "label": words.name,
        "about": words.about(answer),
        "score_kind": answer.way.score_kind,
        "hits": [dataclasses.asdict(hit) for hit in answer.hits],
        "lost": [dataclasses.asdict(lost) for lost in answer.lost],
        "time_ms": answer.time_ms,
        "num_runs": answer.num_runs,
        "vector_bytes": answer.vector_bytes,
        "ram_bytes": answer.ram_bytes,
        "disk_bytes": answer.disk_bytes,
        "disk_read_bytes": answer.disk_read_bytes,
        "missing": MISSING if answer.time_ms is None else None,
        "overlap": answer.overlap,
        "times_faster": comparison.times_faster(answer.key),
        "memory_share": comparison.memory_share(answer.key),
    }
