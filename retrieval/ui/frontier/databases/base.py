"""What a database must do, and the values for its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from retrieval.evaluation.frontier.points import Point

RESCORED = """\
scores = np.einsum("md,mcd->mc", queries, embeddings[candidates])
best = np.argsort(-scores, axis=1)[:, :{k}]
nearest = np.take_along_axis(candidates, best, axis=1)
"""
"""Rescores `candidates` `(m, c)` with float32, in Python; takes `k`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The numbers for the settings."""

    dim: int
    metric: str
    """`cosine`, `inner product` or `euclidean`."""
    k: int
    oversampling: int

    @classmethod
    def of(cls, point: Point, metric: str, k: int) -> Asked:
        """Returns what a measured point requires of a database."""
        return cls(point.dim, metric, k, point.oversampling)

    @property
    def candidates(self) -> int:
        """Returns how many candidates are rescored."""
        return self.k * self.oversampling


Writer = Callable[[Asked], str]


@dataclass(frozen=True, slots=True)
class Database:
    """A database, and how to write the settings of each scheme that it offers."""

    name: str
    version: str
    """The version that the settings were written for."""
    link: str
    """The database's documentation of it."""
    writers: Mapping[str, Writer]
    """By the frontier's key of a scheme."""
    was_run: bool
    """Whether a test of this project runs exactly this text and compares its recall with the frontier's."""
    rescoring: str = "float32"
    """What candidates are rescored with."""
    most_oversampling: int = 100
    alone: frozenset[str] = frozenset()
    """Schemes whose hits cannot be rescored here."""

    def offers(self, point: Point) -> bool:
        """Returns whether the database can do what a point measured, on whole vectors."""
        fits = point.rescoring == "none" or (point.rescoring == self.rescoring and point.scheme not in self.alone)
        return fits and point.scheme in self.writers and point.oversampling <= self.most_oversampling

    def settings(self, point: Point, metric: str, k: int) -> str:
        """Returns the settings that make the database do what the point measured.

        Raises:
            KeyError: if the database does not offer the scheme.
        """
        return self.writers[point.scheme](Asked.of(point, metric, k)).strip() + "\n"
