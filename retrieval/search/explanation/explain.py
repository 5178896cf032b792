"""One query, followed through every step of the search with its real numbers: what the explanation shows.

Nothing here is a second search: the hits come from `Searcher.search`, and every other number from the functions
that the search itself calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retrieval.encoding.encoder import ShowsTokens
from retrieval.quantization import Bits, Float32s, Int8Quantizer, binarize
from retrieval.results import Hit, SearchResponse, SearchSettings
from retrieval.search.explanation.document import ChosenDocument, baseline_vector, choose
from retrieval.search.explanation.stages import DistanceCounts, Move, Orders
from retrieval.search.query_checks import unit_vector, usable_text
from retrieval.search.searcher import Searcher

_CONSTANT = 1e-4
"""A step this much smaller than the median one means that the dimension is practically constant."""


@dataclass(frozen=True, slots=True)
class QueryTokens:
    """The pieces of the query that the model knows."""

    read: tuple[str, ...]
    """In order, special ones such as `[CLS]` and `[SEP]` included."""
    cut: tuple[str, ...]
    """Beyond the model's length: it never reads them."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every number between a query and its hits."""

    text: str
    tokens: QueryTokens | None
    """None when the encoder cannot say."""
    vector: Float32s
    """`(dim,)` float32, of length 1: the query."""
    code: Bits
    """`(ceil(dim / 8),)` uint8: its sign bits, first dimension highest."""
    response: SearchResponse
    """What the search answered."""
    distances: DistanceCounts
    """The query's Hamming distance to every document."""
    moves: tuple[Move, ...]
    """The rank of each hit after each stage, in the order of the hits."""
    quantizer: Int8Quantizer
    """The int8 ranges, as they were fitted on the corpus."""
    is_centered: bool
    """Whether the mean of the documents is subtracted before the sign."""
    document: ChosenDocument
    """The hit that is followed."""
    num_documents: int
    num_texts: int
    """Distinct texts: the search compares these."""

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""
        return len(self.vector)

    @property
    def hit(self) -> Hit:
        """Returns the hit that is followed."""
        return self.document.hit

    @property
    def bits(self) -> Bits:
        """Returns the query's sign bits one by one, uint8 `(dim,)` of 0 and 1."""
        return np.unpackbits(self.code, count=self.dim)

    @property
    def constant_dimensions(self) -> npt.NDArray[np.int64]:
        """Returns the dimensions that hardly change over the corpus, or not at all, in order."""
        step = self.quantizer.step
        return np.flatnonzero((step == 1.0) | (step < _CONSTANT * np.median(step)))


Pick = Callable[[Sequence[Hit]], Hit]
"""Chooses one of the hits of a search, which has at least one."""


def first_of(hits: Sequence[Hit]) -> Hit:
    """Returns the first hit."""
    return hits[0]


def most_lifted(hits: Sequence[Hit]) -> Hit:
    """Returns the hit that rose most from its rank by bits to its final one; the first if none rose."""
    lifted = max(hits, key=lambda hit: hit.binary_rank - hit.rank)
    return lifted if lifted.binary_rank > lifted.rank else hits[0]


def explain(
    searcher: Searcher, text: str, settings: SearchSettings, row: int | None = None, *, otherwise: Pick = first_of
) -> Explanation:
    """Returns the explanation of one query.

    Args:
        searcher: the index, with its encoder.
        text: the query.
        settings: those of the search.
        row: the hit to follow.
        otherwise: chooses the hit if `row` is None or not among the hits.

    Raises:
        QueryError: if the query is blank, or the index has no model for texts.
        BundleCorruptError: if the background check found an altered file.
    """
    response = searcher.search(text, settings.top_k, **settings.knobs)
    hit = _hit(response, row, otherwise)
    return _explanation(searcher, text, _tokens(searcher, text), searcher.encode_query(text)[0], response, hit)


def explain_first_document(searcher: Searcher, settings: SearchSettings, row: int | None = None) -> Explanation:
    """Returns the explanation of a query that is a document of the index: its first one, which needs no model.

    Raises:
        BundleCorruptError: if the background check found an altered file.
    """
    [document] = searcher.documents([0])
    values = baseline_vector(searcher, 0)
    if values is None:
        # Texts are counted in order of first appearance: text 0 is that of row 0.
        values = searcher.manifest.quantizer.decode(searcher.int8_codes(np.array([0])))[0]
    vector = unit_vector(values, searcher.manifest.dim)
    response = searcher.search_vector(vector, settings.top_k, **settings.knobs)
    return _explanation(searcher, document.text, None, vector, response, _hit(response, row, first_of))


def _hit(response: SearchResponse, row: int | None, otherwise: Pick) -> Hit:
    return next((hit for hit in response.hits if hit.row == row), None) or otherwise(response.hits)


def _explanation(
    searcher: Searcher, text: str, tokens: QueryTokens | None, vector: Float32s, response: SearchResponse, hit: Hit
) -> Explanation:
    settings = response.settings
    candidates = searcher.candidates(vector, response.num_candidates, settings.scan, settings.probes)
    distances = searcher.files.texts.distances(searcher.binarize(vector), candidates.texts)
    quantizer = searcher.manifest.quantizer
    center = searcher.manifest.signs.center
    centered = vector if center is None else vector - center
    orders = Orders.of(searcher, vector, candidates, response)
    return Explanation(
        text=text,
        tokens=tokens,
        vector=vector,
        code=binarize(centered),
        response=response,
        distances=DistanceCounts.of(centered, searcher.files.index.codes, distances),
        moves=tuple(orders.move_of(hit) for hit in response.hits),
        quantizer=quantizer,
        is_centered=center is not None,
        document=choose(searcher, hit, vector, quantizer, orders),
        num_documents=len(searcher),
        num_texts=len(searcher.files.texts.codes),
    )


def _tokens(searcher: Searcher, text: str) -> QueryTokens | None:
    encoder = searcher.encoder
    if encoder is None or not isinstance(encoder, ShowsTokens):
        return None
    cleaned = usable_text(text)
    tokens = encoder.tokens(cleaned)
    num_read = len(tokens) - encoder.num_tokens_cut(cleaned)
    return QueryTokens(tuple(tokens[:num_read]), tuple(tokens[num_read:])) if tokens else None
