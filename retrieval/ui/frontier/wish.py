"""What someone wants from a scheme, from unchecked values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from retrieval.errors import QueryError
from retrieval.evaluation.cost import ARTICLE_PRICE
from retrieval.evaluation.frontier.recommend import SCARCE, Scarce, Wish


def wish_of(target: Any, scarce: Any, num_vectors: Any, price: Any) -> Wish:
    """Returns the wish that these unchecked values stand for.

    Raises:
        QueryError: if one is missing, not a number, or out of range.
    """
    try:
        kind: Scarce = next(each for each in SCARCE if each == scarce)
        return Wish(float(target), kind, int(num_vectors), float(price))
    except (TypeError, ValueError, OverflowError, StopIteration) as error:
        raise QueryError("give a target recall, what is scarce, a number of vectors and a price.") from error


def plan_of(documents: Any, dimensions: Any, target: Any, disk_price: float) -> tuple[Wish, int]:
    """Returns the wish and the number of dimensions that these unchecked values stand for.

    Raises:
        QueryError: if one is missing, not a number, or out of range.
    """
    wish = wish_of(target, "ram", documents, ARTICLE_PRICE)
    try:
        return replace(wish, disk_price=disk_price), int(dimensions)
    except (TypeError, ValueError, OverflowError) as error:
        raise QueryError("a number of dimensions is needed.") from error
