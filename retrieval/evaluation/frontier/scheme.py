"""What a scheme is: a way to store vectors in fewer bytes, and the search of a chunk of them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from retrieval.bundle.row_tables import Rows
from retrieval.quantization import Float32s


class Index(ABC):
    """A scheme fitted to a set of vectors. It holds one chunk at a time, so a large set needs little memory."""

    scans_natively: bool = True
    """Whether `best_of` runs on the codes themselves, so that its time means something."""

    @property
    @abstractmethod
    def bytes_per_vector(self) -> int:
        """Returns the bytes of one vector in RAM, as the implementation counts them."""

    @abstractmethod
    def load(self, chunk: Float32s) -> None:
        """Encodes `chunk` `(n, dim)`, replacing the previous one."""

    @abstractmethod
    def best_of(self, queries: Float32s, depth: int) -> tuple[Float32s, Rows]:
        """Returns the scores and positions, both `(m, k)`, of the chunk's best for each query `(m, dim)`.

        Higher scores are better; `k` is the smaller of `depth` and the chunk's length. Position -1 is not a vector.
        """


class Scheme(ABC):
    """A way to store vectors, before it has seen any."""

    key: str
    """The name in tables and files."""

    def factory_string(self, dim: int) -> str | None:
        """Returns how `faiss.index_factory` makes the scheme for `dim` dimensions; None if it is not faiss's."""
        return None

    @abstractmethod
    def fit(self, sample: Float32s, *, inner_product: bool) -> Index:
        """Returns the index fitted to `sample` `(n, dim)`.

        Args:
            sample: vectors of the corpus.
            inner_product: rank by the largest inner product; otherwise by the smallest Euclidean distance.

        Raises:
            CannotFitError: if the scheme cannot take such vectors; the message says why.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r})"


class CannotFitError(Exception):
    """A scheme cannot take these vectors. Its point of the frontier is left out, with this reason."""
