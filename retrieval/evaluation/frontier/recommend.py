"""From measured points to a choice: the cheapest scheme that reaches a recall, and the runner-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from retrieval.errors import QueryError
from retrieval.evaluation.cost import ARTICLE_PRICE, MOST_DOCUMENTS, MOST_PRICE, Holding
from retrieval.evaluation.frontier.points import Frontier, Point

Scarce = Literal["ram", "disk reads", "cpu"]
SCARCE: tuple[Scarce, ...] = get_args(Scarce)
LEAST_TARGET, MOST_TARGET = 0.5, 0.9999
MOST_READ = 0.1
"""The largest share of all vectors that may be rescored without a warning."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a scheme should achieve."""

    target: float = 0.95
    """Least recall@k, between 0.5 and 0.9999."""
    scarce: Scarce = "ram"
    """What to spend least of: bytes scanned, vectors read from disk per query, or time of the scan."""
    num_vectors: int = 1_000_000
    """How many vectors there will be eventually."""
    price: float = ARTICLE_PRICE
    """Dollars per GB of RAM per month."""
    disk_price: float = 0.0
    """Dollars per GB of disk per month."""

    def __post_init__(self) -> None:
        """Checks the ranges.

        Raises:
            QueryError: if a value is outside its range.
        """
        if not LEAST_TARGET <= self.target <= MOST_TARGET:
            raise QueryError(f"the target recall is {self.target:g}: choose one from {LEAST_TARGET} to {MOST_TARGET}.")
        if self.scarce not in SCARCE:
            raise QueryError(f"{self.scarce!r} cannot be scarce: choose one of {', '.join(SCARCE)}.")
        if not 1 <= self.num_vectors <= MOST_DOCUMENTS:
            raise QueryError(f"{self.num_vectors:,} vectors: choose 1 to {MOST_DOCUMENTS:,}.")
        if not (0 <= self.price <= MOST_PRICE and 0 <= self.disk_price <= MOST_PRICE):
            raise QueryError(f"a price per GB per month is from 0 to {MOST_PRICE:,.0f} dollars.")


@dataclass(frozen=True, slots=True)
class Choice:
    """A measured point, for a number of vectors."""

    point: Point
    ram: Holding
    disk: Holding

    @classmethod
    def of(cls, point: Point, wish: Wish) -> Choice:
        """Returns the point with the size and cost of its vectors."""
        return cls(
            point,
            Holding(point.ram_bytes * wish.num_vectors, wish.price),
            Holding(point.disk_bytes * wish.num_vectors, wish.disk_price),
        )

    @property
    def monthly(self) -> float:
        """Returns the dollars per month, RAM and disk together."""
        return self.ram.monthly + self.disk.monthly


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The recommendation, based only on measurements."""

    wish: Wish
    best: Choice | None
    """None if no measured point reaches the target."""
    runner_up: Choice | None
    """The best of another scheme."""
    sign_bits_suffice: bool
    """Whether sign bits, compared in either way, reach the target with some oversampling."""
    within_noise: bool
    """Whether the 95 % interval of the best reaches below the target."""
    share_read: float
    """The share of the measured vectors that the best rescores per query, in [0, 1]."""

    @property
    def reads_too_large_a_part(self) -> bool:
        """Returns whether so many were rescored that the recall says little about a larger set."""
        return self.share_read > MOST_READ


def recommend(frontier: Frontier, wish: Wish, *, among: Callable[[Point], bool] = lambda point: True) -> Recommendation:
    """Returns the cheapest measured point that reaches the target recall, and the best one of another scheme.

    "Cheapest" is by what the wish calls scarce, then by the rest. Points without a measured scan time are left out if
    CPU is scarce. `among` excludes points for other reasons.
    """
    rank = _RANKS[wish.scarce]
    reaching = [point for point in frontier.points if point.recall.mean >= wish.target and among(point)]
    usable = [point for point in reaching if wish.scarce != "cpu" or point.scan_ns is not None]
    best = min(usable, key=rank, default=None)
    others = [point for point in usable if best is not None and point.scheme != best.scheme]
    second = min(others, key=rank, default=None)
    return Recommendation(
        wish=wish,
        best=Choice.of(best, wish) if best else None,
        runner_up=Choice.of(second, wish) if second else None,
        sign_bits_suffice=any(point.scheme in SIGN_BITS for point in reaching),
        within_noise=best is not None and best.recall.low < wish.target,
        share_read=best.rows_read / frontier.num_vectors if best else 0.0,
    )


SIGN_BITS = ("bits", "float-bits")
"""The schemes whose codes are plain signs."""


_RANKS: dict[Scarce, Callable[[Point], tuple[float, ...]]] = {
    "ram": lambda point: (point.ram_bytes, point.rows_read, point.disk_bytes),
    "disk reads": lambda point: (point.rows_read, point.ram_bytes, point.disk_bytes),
    "cpu": lambda point: (point.scan_ns or 0.0, point.rows_read, point.ram_bytes),
}
"""By what is scarce: what is spent, most important first."""
