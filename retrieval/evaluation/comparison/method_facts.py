"""What is known of each way to search before it runs: its name, what it does, and the bytes it needs."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.evaluation.comparison.compared import BITS, FLOAT32, INT8, OURS, PUBLISHED
from retrieval.evaluation.ladder import ARTICLE_MULTIPLIER
from retrieval.quantization import num_code_bytes
from retrieval.results import SearchSettings


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """One way to search."""

    key: str
    label: str
    about: str
    score_kind: str
    vector_bytes: int
    """Bytes a vector in RAM, read by every query."""
    disk_vector_bytes: int = 0
    """Bytes a vector on disk."""
    num_disk_rows: int = 0
    """Vectors that a query reads from disk."""


def facts_of(dim: int, num_texts: int, settings: SearchSettings) -> tuple[MethodFacts, ...]:
    """Returns the ways over vectors of `dim` dimensions, float32 first and ours last; `settings` are those of ours."""
    bits = num_code_bytes(dim)
    num_published = min(ARTICLE_MULTIPLIER * settings.top_k, num_texts)
    num_ours = min(settings.rescore_multiplier * settings.top_k, settings.num_candidates, num_texts)
    return (
        MethodFacts(
            FLOAT32, "float32, exact", "The query's vector times every float32 vector: no loss, and the most memory.",
            "cosine", 4 * dim,
        ),
        MethodFacts(
            INT8, "int8, all vectors", "The float32 query times every de-quantized int8 vector.", "cosine", dim,
        ),
        MethodFacts(
            BITS, "bits alone", "The texts whose sign bits differ from the query's in the fewest places.",
            "bits differ", bits,
        ),
        MethodFacts(
            PUBLISHED, "bits + int8, as published",
            f"The {num_published:,} nearest by bits, ordered by the float32 query times their raw int8 codes.",
            "raw dot", bits, dim, num_published,
        ),
        MethodFacts(
            OURS, "ours", _our_way(settings, num_ours), "cosine" if settings.rescore else "estimate",
            bits, dim if settings.rescore else 0, num_ours if settings.rescore else 0,
        ),
    )  # fmt: skip


def _our_way(settings: SearchSettings, num_rescored: int) -> str:
    first = f"The {settings.num_candidates:,} nearest by bits"
    if not settings.rescore:
        last = "ordered by the float32 query times their bits" if settings.asymmetric else "in that order"
        return f"{first}, {last}; rescoring is switched off."
    chosen = "the float32 query times their bits chooses" if settings.asymmetric else "the order by bits chooses"
    return f"{first}; {chosen} {num_rescored:,}; their de-quantized int8 vectors order those."
