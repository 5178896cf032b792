"""What the package returns: frozen types, with shapes and units. Raw counts are stored, ratios are properties."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

STAGES = ("encode", "binarize", "hamming", "float_bits", "lists", "asymmetric", "rescore", "documents", "network")
"""The stages of one query, in order; every latency has them all, 0.0 if a stage is off or not part of the scan."""
SCANS = ("hamming", "float-bits", "lists")
"""The first stage of a search: exact Hamming distance; float query x sign bits of all texts; the same for texts in
the nearest lists. An index has the last one only if it was built with lists."""


@dataclass(frozen=True, slots=True)
class Document:
    """One row of the corpus."""

    row: int
    text: str
    body: str | None = None
    url: str | None = None
    group: str | None = None
    quality: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """The source's own columns."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer: a document, or the best document of its group."""

    rank: int
    """1-based position in the answer."""
    row: int
    """Position of the document in the corpus as read: faiss id, usearch key and row of `embeddings.npy`."""
    score: float
    """Cosine similarity with the query, in [-1, 1]."""
    is_estimate: bool
    """True when the score comes from sign bits; False when it comes from de-quantized int8."""
    hamming_distance: int
    """Number of differing sign bits, 0 to dim."""
    binary_rank: int
    """1-based rank of the hit's text among the distinct texts that the scan passed on."""
    document: Document
    member_rows: tuple[int, ...] = ()
    """The other rows of the hit's group, best first; fetch them with `Searcher.documents`."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Wall-clock time of one call, in milliseconds."""

    stages: Mapping[str, float]
    total_ms: float
    """The whole call, which is a little more than the sum of its stages."""


class SearchKnobs(TypedDict, total=False):
    """The settings of a search other than `top_k`; see `SearchSettings`. None or left out: the index's default."""

    num_candidates: int | None
    rescore_multiplier: int | None
    asymmetric: bool | None
    rescore: bool | None
    scan: str | None
    probes: int | None


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The settings of a search, as they were used."""

    top_k: int = 10
    num_candidates: int = 1000
    """Distinct texts that the Hamming stage passes on; the other scans pass on what is rescored."""
    rescore_multiplier: int = 20
    """`rescore_multiplier * top_k` int8 rows are read and rescored."""
    asymmetric: bool = True
    """Order the candidates by float query x sign bits before int8 rows are chosen; the other scans do so anyway."""
    rescore: bool = True
    """Rescore with de-quantized int8; without it the score is an estimate from the bits."""
    scan: str = "hamming"
    """The first stage, one of `SCANS`."""
    probes: int | None = None
    """Lists that the `lists` scan visits per query; the other scans have none."""

    @property
    def knobs(self) -> SearchKnobs:
        """Returns all but `top_k`, as keywords for `Searcher.search`."""
        return SearchKnobs(
            num_candidates=self.num_candidates,
            rescore_multiplier=self.rescore_multiplier,
            asymmetric=self.asymmetric,
            rescore=self.rescore,
            scan=self.scan,
            probes=self.probes,
        )


@dataclass(frozen=True, slots=True)
class SearchResponse:
    """Everything that one query returned."""

    query: str
    hits: tuple[Hit, ...]
    latency: Latency
    settings: SearchSettings
    num_documents: int
    """Rows in the index."""
    num_candidates: int
    """Distinct texts that the scan passed on."""
    int8_rows_read: int
    notes: tuple[str, ...] = ()
    """What the reader should know, such as that a long query was cut."""
    vector_was_kept: bool = False
    """Whether the text's vector was cached, so that encoding took no time."""

    def __repr__(self) -> str:
        return f"SearchResponse({len(self.hits)} hits of {self.num_documents:,}, {self.latency.total_ms:.1f} ms)"


def json_values(value: Any) -> Any:
    """Returns plain values for JSON: numbers that are not finite, which JSON does not have, become None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): json_values(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [json_values(each) for each in value]
    return value


@dataclass(frozen=True, slots=True)
class MemoryItem:
    """One measured size."""

    name: str
    label: str
    """What these bytes are, in words."""
    size_bytes: int
    kind: str
    """`ram`: held in RAM; `file`: size of a mapped file; `resident`: its pages in RAM now; `process`: all of it."""


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """What a searcher holds, measured, next to the size of the vectors at each precision."""

    items: tuple[MemoryItem, ...]
    num_vectors: int
    """One for each distinct text: rows that repeat a text share its vector."""
    dim: int
    num_rows: int | None = None
    """Rows in the index, if known."""

    @property
    def float32_bytes(self) -> int:
        """Returns the calculated size of the vectors as float32."""
        return self.num_vectors * self.dim * 4

    @property
    def int8_bytes(self) -> int:
        """Returns the calculated size of the vectors as int8."""
        return self.num_vectors * self.dim

    @property
    def binary_bytes(self) -> int:
        """Returns the calculated size of the vectors at one bit per dimension."""
        return self.num_vectors * ((self.dim + 7) // 8)

    def __getitem__(self, name: str) -> int:
        """Returns the bytes of the item called `name`.

        Raises:
            KeyError: if there is no such item.
        """
        for item in self.items:
            if item.name == name:
                return item.size_bytes
        raise KeyError(f"no memory item {name!r}; there are {', '.join(item.name for item in self.items)}")
