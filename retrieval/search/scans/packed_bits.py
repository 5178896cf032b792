"""Sign bits in the order in which FastScan reads them: one copy for float queries and for Hamming distances.

A Hamming distance is a dot product of signs, so the same pass over the bits gives it, in half the time of counting
differing bits, or less. `pack` chooses what scans them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

import numpy as np
import numpy.typing as npt

from retrieval.bundle.neighbours import Neighbours
from retrieval.quantization import Bits, Float32s
from retrieval.system import is_worth_it

_TIMED_K = 1000


class PackedBits(ABC):
    """A copy of sign bits for FastScan. Safe to use from many threads."""

    def __init__(self, num_rows: int, dim: int, can_share: bool) -> None:
        """Takes the size, and whether several cores can share the scan of one query."""
        self.dim = dim
        self.several_pay = False
        """Whether a single query gets several cores; see `choose_cores`."""
        self._num_rows = num_rows
        self._can_share = can_share

    def __len__(self) -> int:
        return self._num_rows

    def choose_cores(self) -> None:
        """Measures whether a single query is faster on several cores than on one, and uses what is faster.

        It depends on the machine: if one core uses all of the memory bandwidth, several are not faster. It takes
        some thirty scans; until then, every query has one core.
        """
        if self._can_share:
            query, k = np.ones((1, self.dim), np.float32), min(len(self), _TIMED_K)
            one, several = (partial(self.highest_dots, query, k, several_cores=each) for each in (False, True))
            self.several_pay = is_worth_it(several, one)

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Returns its bytes in RAM."""

    @abstractmethod
    def codes_at(self, rows: npt.NDArray[np.int64]) -> Bits:
        """Returns the sign bits at `rows` `(m,)` as they were given, uint8 `(m, ceil(dim / 8))`."""

    @abstractmethod
    def highest_dots(
        self, vectors: Float32s, k: int, *, several_cores: bool = False
    ) -> list[tuple[Float32s, npt.NDArray[np.int64]]]:
        """Returns the highest dot products of each float query `(m, dim)` with signs, and their rows, both `(k,)`.

        Best first; equal ones in order of row. All rows, where there are fewer than `k`.
        """

    @abstractmethod
    def nearest(self, codes: Bits, k: int, *, several_cores: bool = False) -> list[Neighbours | None]:
        """Returns the `k` nearest rows by Hamming distance to each of the codes `(m, ceil(dim / 8))`, `(1, k)` arrays.

        None if too many rows are equally far to tell which ones come first, or if the dimensions
        are too many for exact distances.
        """
