"""What the bits of one query lose when only the first dimensions are kept: measured, not estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.baseline import OpenedIndex
from retrieval.evaluation.comparison.compare import GATE, opened_index
from retrieval.evaluation.ways import Float32, Int8, Scan
from retrieval.quantization import Float32s
from retrieval.search.exact_scan import ExactAnswer, best_of
from retrieval.search.explanation.stages import hamming_distances
from retrieval.search.searcher import Searcher

DEPTHS = (10, 100, 1000)
"""How many of the nearest by bits are searched."""
_PARTS = (1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class KeptBits:
    """The ranks of the exact results by the first `dim` bits."""

    dim: int
    ranks: tuple[int, ...]
    """1-based rank of each exact result among all texts, by Hamming distance; equal ones in the order of the index."""

    def found(self, depth: int) -> int:
        """Returns how many exact results are among the `depth` nearest."""
        return sum(rank <= depth for rank in self.ranks)


@dataclass(frozen=True, slots=True)
class DroppedDimensions:
    """One query's bits on all dimensions, and on ever fewer of them."""

    reference_key: str
    """Where the exact results come from: `float32`, or `int8` if the index has no float32 vectors."""
    rows: tuple[int, ...]
    """Of the exact results, best first."""
    texts: tuple[str, ...]
    num_texts: int
    kept: tuple[KeptBits, ...]
    """All dimensions first."""

    def at(self, dim: int) -> KeptBits:
        """Returns what is kept with `dim` dimensions, or with all if `dim` was not measured."""
        return next((each for each in self.kept if each.dim == dim), self.kept[0])


def kept_dimensions(dim: int) -> tuple[int, ...]:
    """Returns the numbers of dimensions that are tried: all, a half, a quarter and an eighth, in whole bytes."""
    return tuple(dict.fromkeys(dim if part == 1 else max(8, dim // part // 8 * 8) for part in _PARTS))


def drop_dimensions(searcher: Searcher, vector: Float32s, top_k: int) -> DroppedDimensions:
    """Returns the ranks of the exact `top_k` of a query `(dim,)` by the first bits.

    All vectors are scanned once for the exact results, and their bits once for each number of dimensions.

    Raises:
        BundleError: if a file of the index is altered or missing.
        RetrievalError: if too many comparisons wait for their turn.
    """
    with GATE():
        index = opened_index(searcher)
        way: Scan = Float32() if index.baseline is not None else Int8()
        exact = best_of(index.text_rows, way.all_scores(index, vector), min(top_k, len(index.text_rows)))
    code, dim = searcher.binarize(vector), index.dim
    kept = []
    for count in kept_dimensions(dim):
        width = searcher.files.texts.codes.shape[1] if count == dim else count // 8
        distances = hamming_distances(code[:width], searcher.files.texts.codes[:, :width])
        kept.append(KeptBits(count, _ranks(distances, index.places(exact.rows))))
    return DroppedDimensions(way.key, *_texts(index, exact), len(index.text_rows), tuple(kept))


def _ranks(distances: np.typing.NDArray[np.uint32], places: Rows) -> tuple[int, ...]:
    ranks = []
    for place in places.tolist():
        nearer = np.count_nonzero(distances < distances[place])
        before = np.count_nonzero(distances[:place] == distances[place])
        ranks.append(1 + int(nearer) + int(before))
    return tuple(ranks)


def _texts(index: OpenedIndex, exact: ExactAnswer) -> tuple[tuple[int, ...], tuple[str, ...]]:
    rows = exact.rows.tolist()
    return tuple(rows), tuple(document.text for document in index.searcher.documents(rows))
