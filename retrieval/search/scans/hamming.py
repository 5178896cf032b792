"""The `hamming` scan: the query cut to bits, compared with every text by Hamming distance. Exact."""

from __future__ import annotations

from retrieval.bundle.binary_index import BinaryIndex
from retrieval.search.rescoring import hamming_scores
from retrieval.search.scans.scan import Candidates, Queries


class Hamming:
    """Counts differing bits. Safe to use from many threads."""

    stage = "hamming"
    nbytes = 0

    def __init__(self, texts: BinaryIndex) -> None:
        """Searches `texts`, one code per distinct text."""
        self._texts = texts

    def search(self, queries: Queries, k: int, probes: int | None = None) -> list[Candidates]:
        """Returns the nearest texts of each query with their distances; see `Scan.search`."""
        if len(queries) == 1:
            found = self._texts.search(queries.codes[0], k)
        else:
            found = self._texts.search_batch(queries.codes, k)
        return [
            Candidates(ids, hamming_scores(distances, self._texts.dim), distances)
            for ids, distances in zip(found.ids, found.distances, strict=True)
        ]
