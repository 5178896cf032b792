"""Size and cost of vectors at each precision, calculated: the article's cost table, for any number of documents.

The article calls 2^30 bytes a GB, uses $3.8 per GB per month (AWS x2gd), and truncates its figures instead of rounding
them. So does this module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from retrieval.errors import QueryError
from retrieval.quantization import vector_bytes

GB_BYTES = 2**30
"""The article's GB."""
ARTICLE_PRICE = 3.8
"""Dollars per GB per month: the article's price for AWS x2gd instances."""
BITS = {"float32": 32, "float16": 16, "int8": 8, "binary": 1}
"""Bits per dimension of each precision."""
MOST_DOCUMENTS, MOST_DIMENSIONS, MOST_PRICE, MOST_OVERHEAD_PERCENT = 10**12, 65_536, 1e6, 1e4
_WHOLE_DOLLARS_FROM = 100


@dataclass(frozen=True, slots=True)
class Holding:
    """Bytes stored in one place, at a price per GB per month."""

    size_bytes: int
    price: float

    @property
    def monthly(self) -> float:
        """Returns the dollars per month."""
        return self.size_bytes / GB_BYTES * self.price


@dataclass(frozen=True, slots=True)
class CostPlan:
    """What is stored, and at which prices."""

    documents: int
    dimensions: int
    price: float = ARTICLE_PRICE
    """Dollars per GB of RAM per month."""
    disk_price: float = 0.0
    """Dollars per GB of disk per month."""
    overhead_percent: float = 0.0
    """What an index adds to its vectors, such as the links of a graph."""

    @classmethod
    def checked(
        cls, documents: object, dimensions: object, price: object, disk_price: object, overhead_percent: object
    ) -> CostPlan:
        """Returns the plan that these unchecked values stand for.

        Raises:
            QueryError: if one is missing, not a number, or out of range.
        """
        return cls(
            _whole(documents, "Documents", MOST_DOCUMENTS),
            _whole(dimensions, "Dimensions", MOST_DIMENSIONS),
            _amount(price, "Price of RAM", MOST_PRICE),
            _amount(disk_price, "Price of disk", MOST_PRICE),
            _amount(overhead_percent, "Index overhead", MOST_OVERHEAD_PERCENT),
        )

    def bytes_at(self, precision: str) -> int:
        """Returns the bytes of all vectors, each rounded up to whole bytes, with the overhead."""
        size_bytes = self.documents * vector_bytes(self.dimensions, BITS[precision])
        return _with_overhead(size_bytes, self.overhead_percent)

    def in_ram(self, precision: str) -> Holding:
        """Returns the size and price of all vectors in RAM."""
        return Holding(self.bytes_at(precision), self.price)

    def funnel(self) -> tuple[Holding, Holding]:
        """Returns what this project stores: the sign bits in RAM, and the int8 vectors on disk."""
        return self.in_ram("binary"), Holding(self.bytes_at("int8"), self.disk_price)


def gigabytes(size_bytes: int) -> str:
    """Returns a size in the article's GB, cut to two decimals: `143.05 GB`; below 0.1 GB to three digits."""
    hundredths = size_bytes * 100 // GB_BYTES
    if hundredths >= 10:
        return f"{hundredths // 100:,}.{hundredths % 100:02d} GB"
    decimals = 3
    while decimals < 12 and size_bytes * 10**decimals // GB_BYTES < 100:
        decimals += 1
    return f"{size_bytes * 10**decimals // GB_BYTES / 10**decimals:.{decimals}f} GB"


def dollars(monthly: float) -> str:
    """Returns dollars, cut: `$543`; with cents below a hundred."""
    if monthly >= _WHOLE_DOLLARS_FROM:
        return f"${math.floor(monthly):,}"
    cents = math.floor(monthly * 100 + 1e-9)
    return "under $0.01" if cents == 0 and monthly > 0 else f"${cents // 100}.{cents % 100:02d}"


def _with_overhead(size_bytes: int, percent: float) -> int:
    return size_bytes + math.ceil(size_bytes * percent / 100)


def _whole(value: object, name: str, most: int) -> int:
    number = _number(value, name)
    if number < 1 or number > most or number != math.floor(number):
        raise QueryError(f"{name}: a whole number from 1 to {most:,} is needed.")
    return int(number)


def _amount(value: object, name: str, most: float) -> float:
    number = _number(value, name)
    if number < 0 or number > most:
        raise QueryError(f"{name}: a number from 0 to {most:,.0f} is needed.")
    return number


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise QueryError(f"{name}: enter a number.")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise QueryError(f"{name}: enter a number.") from None
    if not math.isfinite(number):
        raise QueryError(f"{name}: enter a finite number.")
    return number
