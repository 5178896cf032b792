"""The `lists` scan: the float query against the sign bits of the texts in the lists nearest to it. Approximate.

The texts are in lists around centroids of the float vectors. A query visits its nearest lists and skips the rest. There
it compares the same sign bits with the same tables as `float-bits`. Visiting all lists gives the same answer, up to the
rounding of the tables.

How many lists are near depends on the query: some have one list of their own, others lie between many. By default, a
list is skipped when its centroid is less similar to the query than the nearest one by more than a reach that the build
measures: on 593,891 texts, that visits half as many lists as a fixed number which finds as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from retrieval.bundle.binary_index import use_threads
from retrieval.errors import BundleCorruptError, BundleIncompatibleError
from retrieval.quantization import Bits, Float32s
from retrieval.search.scans import kernel
from retrieval.search.scans.scan import Candidates, Queries
from retrieval.search.scans.sign_patterns import (
    BITS_PER_CODE,
    BLOCK_ROWS,
    best_first,
    block_bytes,
    cosine_estimates,
    float_queries,
    packed_codes,
    packed_dim,
    set_centroids,
)
from retrieval.system import UnderWay, is_worth_it, usable_cores

DEFAULT_SHARE = 0.4375
"""Share of the lists to visit if no build has measured how many are needed."""
_NEAREST_LISTS_FIRST = 11
"""`implem` of faiss's lists: query by query, its nearest lists first; twice as fast as the default here."""
_MANY_ROWS = 100_000
"""From so many on, several cores save more than it costs to start them."""
_TIMED_K = 150
_SEED = 0
_NO_LIST = -1


class Lists:
    """Float queries against the sign bits in the nearest lists. Safe to use from many threads."""

    stage = "lists"

    def __init__(
        self, index: faiss.IndexIVFPQFastScan, dim: int, probes: int | None = None, reach: float | None = None
    ) -> None:
        """Searches an index as `open` reads it.

        Args:
            index: the lists.
            dim: dimensions of the vectors.
            probes: so many lists are visited, at most, where a search does not say how many.
            reach: of these, those whose centroid's cosine with the query is lower than the nearest one's by more than
                this are skipped; None skips none.
        """
        self._index = index
        self._block_bytes = block_bytes(dim)
        self._parts = _parts(index) if kernel.can_scan(dim) and _has_our_blocks(index) else None
        self._index.implem = _NEAREST_LISTS_FIRST
        self._dim = dim
        self.num_lists = int(index.nlist)
        self.probes = min(probes or max(1, round(DEFAULT_SHARE * self.num_lists)), self.num_lists)
        self.reach = reach
        self._several_pay = False
        self._under_way = UnderWay()

    @classmethod
    def open(cls, path: Path, dim: int, num_texts: int, probes: int | None = None, reach: float | None = None) -> Lists:
        """Returns the lists in `path`, read into RAM; see `Lists` on the rest.

        Raises:
            BundleCorruptError: if faiss cannot read it.
            BundleIncompatibleError: if it holds something else, or the lists of another index.
        """
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise BundleCorruptError(f"faiss cannot read {path}: {error}. Build the index again.") from error
        expected = (packed_dim(dim), num_texts)
        if not isinstance(index, faiss.IndexIVFPQFastScan) or (index.d, index.ntotal) != expected or index.by_residual:
            raise BundleIncompatibleError(
                f"{path} holds {type(index).__name__} of {index.ntotal:,} x {index.d}; lists of {num_texts:,} x "
                f"{expected[0]} are needed. Build the index again."
            )
        return cls(index, dim, probes, reach)

    @property
    def nbytes(self) -> int:
        """Returns the bytes of the sign bits, positions and centroids in the lists."""
        lists = self._index.invlists
        sizes = sum(lists.list_size(number) for number in range(self.num_lists))
        return int(sizes * (self._index.code_size + 8) + 4 * self.num_lists * self._index.d)

    def choose_cores(self) -> None:
        """Measures whether a single query that visits many texts is faster on several cores; see `PackedBits`."""
        if self._parts is not None and usable_cores() > 1 and self._index.ntotal >= _MANY_ROWS:
            parts, tables = self._parts[: self.probes], kernel.float_tables(np.ones((1, self._dim), np.float32))
            one, several = (partial(self._best, parts, tables, 0, _TIMED_K, each) for each in (1, usable_cores()))
            self._several_pay = is_worth_it(several, one)

    def search(self, queries: Queries, k: int, probes: int | None = None) -> list[Candidates]:
        """Returns the best texts of each query with cosine estimates; see `Scan.search`.

        The default number of lists is one at most, less those out of reach; any other is visited in full. Where the
        lists hold fewer than `k` texts, more are visited.
        """
        vectors, k = queries.vectors, min(k, self._index.ntotal)
        probes = min(probes or self.probes, self.num_lists)
        with self._under_way as is_alone:
            found = self._visited(vectors, k, probes, is_alone)
            for place, own in enumerate(found):
                more = probes
                while len(own.texts) < k and more < self.num_lists:
                    more = min(4 * more, self.num_lists)
                    [own] = self._visited(vectors[place : place + 1], k, more, is_alone)
                found[place] = own
        return found

    def _visited(self, vectors: Float32s, k: int, probes: int, is_alone: bool) -> list[Candidates]:
        use_threads(1 if len(vectors) == 1 else usable_cores())
        padded = np.zeros((len(vectors), self._index.d), np.float32)
        padded[:, : self._dim] = vectors
        cosines, nearest = self._index.quantizer.search(padded, probes)
        if self.reach is not None and probes == self.probes:
            nearest[cosines < cosines[:, :1] - self.reach] = _NO_LIST
        if self._parts is not None:
            return self._scanned(self._parts, vectors, k, nearest, is_alone)
        # More than one: see `FaissBits`.
        padded, added = float_queries(vectors)
        dots, ids = self._compared(padded, max(k, 2), nearest, cosines)
        return [self._candidates(*best_first(*each)).first(k) for each in zip(dots - added, ids, strict=True)]

    def _scanned(
        self, parts: npt.NDArray[np.void], vectors: Float32s, k: int, nearest: npt.NDArray[np.int64], is_alone: bool
    ) -> list[Candidates]:
        tables = kernel.float_tables(vectors)

        def best(query: int, own: npt.NDArray[np.int64]) -> Candidates:
            visited = parts[own[own != _NO_LIST]]
            is_shared = is_alone and self._several_pay and len(vectors) == 1
            num_cores = usable_cores() if is_shared and visited["num_rows"].sum() >= _MANY_ROWS else 1
            return self._best(visited, tables, query, k, num_cores)

        if len(vectors) == 1:
            return [best(0, nearest[0])]
        with ThreadPoolExecutor(min(usable_cores(), len(vectors)), thread_name_prefix="lists") as pool:
            return list(pool.map(best, range(len(vectors)), nearest))

    def _best(
        self, parts: npt.NDArray[np.void], tables: kernel.FloatTables, query: int, k: int, num_cores: int
    ) -> Candidates:
        [found] = kernel.best(parts, self._block_bytes, tables.steps[query : query + 1], k, num_cores)
        return self._candidates(tables.dots(query, found.sums), found.ids)

    def _candidates(self, dots: Float32s, ids: npt.NDArray[np.int64]) -> Candidates:
        return Candidates(ids, cosine_estimates(dots, self._dim))

    def _compared(
        self, queries: Float32s, k: int, lists: npt.NDArray[np.int64], cosines: Float32s
    ) -> tuple[Float32s, npt.NDArray[np.int64]]:
        """Returns the highest sums of queries `(m, packed_dim)` and their texts, `(m, k)`, from lists `(m, probes)`."""
        dots, ids = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        arrays = [faiss.swig_ptr(each) for each in (lists, cosines, dots, ids)]
        # faiss's own `search_preassigned` for numpy arrays takes no parameters.
        self._index.search_preassigned_c(
            len(queries), faiss.swig_ptr(queries), k, *arrays, False, faiss.SearchParametersIVF(nprobe=lists.shape[1])
        )
        return dots, ids

    @property
    def centroids(self) -> Float32s:
        """Returns the centroid of each list, a copy, `(num_lists, dim)`."""
        centroids: Float32s = self._index.quantizer.reconstruct_n(0, self.num_lists)[:, : self._dim]
        return centroids


def _has_our_blocks(index: faiss.IndexIVFPQFastScan) -> bool:
    """Returns whether the lists are laid out as the kernel reads them; those of earlier versions are not."""
    lists = faiss.downcast_InvertedLists(index.invlists)
    if not isinstance(lists, faiss.BlockInvertedLists) or index.bbs != BLOCK_ROWS:
        return False
    layout = (index.M2 * BITS_PER_CODE, lists.n_per_block, lists.block_size)
    return layout == (index.d, BLOCK_ROWS, BLOCK_ROWS * index.d // 8)


def _parts(index: faiss.IndexIVFPQFastScan) -> npt.NDArray[np.void]:
    """Returns where the lists of an index are, dtype `kernel.PART`, `(num_lists,)`."""
    lists, parts = index.invlists, np.zeros(index.nlist, kernel.PART)
    for number in range(index.nlist):
        if size := lists.list_size(number):
            parts[number] = (int(lists.get_codes(number)), int(lists.get_ids(number)), 0, size)
    return parts


def list_centroids(sample: Float32s, num_lists: int) -> Float32s:
    """Returns centroids `(num_lists, dim)` of length 1 for a sample `(m, dim)` of the texts' vectors."""
    use_threads(usable_cores())
    kmeans = faiss.Kmeans(
        sample.shape[1], num_lists, niter=10, seed=_SEED, spherical=True,
        min_points_per_centroid=1, max_points_per_centroid=len(sample),
    )  # fmt: skip
    kmeans.train(np.ascontiguousarray(sample))
    centroids: Float32s = kmeans.centroids
    return centroids


def nearest_list(centroids: Float32s, vectors: Float32s) -> npt.NDArray[np.int32]:
    """Returns the list that each vector `(m, dim)` belongs to, `(m,)`: that of the nearest of `(num_lists, dim)`."""
    numbers: npt.NDArray[np.int32] = np.argmax(vectors @ centroids.T, axis=1).astype(np.int32)
    return numbers


def write_lists(path: Path, dim: int, centroids: Float32s, lists: Iterable[tuple[npt.NDArray[np.int64], Bits]]) -> None:
    """Writes lists of texts to `path`; what is in RAM is one copy of their sign bits.

    Args:
        path: the file.
        dim: dimensions of the vectors.
        centroids: float32 `(num_lists, dim)`.
        lists: for each centroid in order, the positions of its texts `(any,)` and their codes `(any, bytes)`.

    Raises:
        OSError: if the file cannot be written.
    """
    packed_to = packed_dim(dim)
    nearest = faiss.IndexFlatIP(packed_to)
    nearest.add(np.pad(centroids, ((0, 0), (0, packed_to - dim))))
    index = faiss.IndexIVFPQFastScan(
        nearest, packed_to, len(centroids), packed_to // BITS_PER_CODE, BITS_PER_CODE, faiss.METRIC_INNER_PRODUCT,
        BLOCK_ROWS,
    )  # fmt: skip
    index.by_residual = False
    set_centroids(index.pq)
    index.is_trained = True
    for number, (texts, codes) in enumerate(lists):
        if len(texts):
            ids, packed = np.ascontiguousarray(texts, np.int64), packed_codes(codes, dim)
            index.invlists.add_entries(number, len(ids), faiss.swig_ptr(ids), faiss.swig_ptr(packed))
            index.ntotal += len(ids)
    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:
        raise OSError(f"faiss could not write {path}: {error}") from error
