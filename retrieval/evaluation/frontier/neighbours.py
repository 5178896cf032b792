"""The neighbours of some vectors, as row numbers: exact, by sign bits, and by sign bits with rescoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from retrieval.bundle.row_tables import Rows
from retrieval.evaluation.frontier.schemes import Hamming
from retrieval.evaluation.frontier.scores import similarity
from retrieval.quantization import Float32s

_NUM_EXAMPLES = 6
_NUM_NEIGHBOURS = 5
OVERSAMPLING = 4
"""How many candidates are rescored per neighbour."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest rows of one vector, nearest first; the row itself is left out."""

    row: int
    exact: tuple[int, ...]
    bits: tuple[int, ...]
    """By the Hamming distance of the sign bits."""
    rescored: tuple[int, ...]
    """The best `OVERSAMPLING` times as many by sign bits, in the order of their exact scores."""

    def to_json(self) -> dict[str, Any]:
        """Returns JSON values, which `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Returns what `to_json` wrote."""
        return cls(int(values["row"]), *(tuple(map(int, values[name])) for name in ("exact", "bits", "rescored")))


def some_neighbours(vectors: Float32s, *, inner_product: bool) -> tuple[Neighbours, ...]:
    """Returns the neighbours of a few of `vectors` `(n, dim)`, from all over the set.

    Closeness is the inner product, or with `inner_product` False the Euclidean distance; among equals, the lower row
    is the closer one, except by sign bits.
    """
    k = min(_NUM_NEIGHBOURS, len(vectors) - 1)
    if k < 1:
        return ()
    rows = np.unique(np.linspace(0, len(vectors) - 1, _NUM_EXAMPLES).astype(np.int64))
    queries = np.ascontiguousarray(vectors[rows])
    exact = similarity(queries, vectors, inner_product=inner_product)
    index = Hamming().fit(queries, inner_product=inner_product)
    index.load(vectors)
    # One more than needed: the vector itself is among them, or one as near.
    _, by_bits = index.best_of(queries, OVERSAMPLING * k + 1)
    found = []
    for row, scores, candidates in zip(rows, exact, by_bits, strict=True):
        scores[row] = -np.inf
        others = candidates[candidates != row][: OVERSAMPLING * k]
        order = np.argsort(-scores[others], kind="stable")
        nearest = np.argsort(-scores, kind="stable")[:k]
        found.append(Neighbours(int(row), _ints(nearest), _ints(others[:k]), _ints(others[order][:k])))
    return tuple(found)


def _ints(rows: Rows) -> tuple[int, ...]:
    return tuple(int(row) for row in rows)
