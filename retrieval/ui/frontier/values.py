"""The frontier for programs: plain values with the recommendation and settings; and a wish out of plain values."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

from retrieval.errors import QueryError
from retrieval.evaluation.cost import ARTICLE_PRICE
from retrieval.evaluation.frontier.points import Frontier
from retrieval.evaluation.frontier.recommend import SCARCE, Choice, Scarce, Wish, recommend
from retrieval.ui.frontier.databases.advice import DATABASES, advice_for
from retrieval.ui.frontier.words import choice_line


def frontier_values(frontier: Frontier, wish: Wish) -> dict[str, Any]:
    """Returns what was measured, what to use for a wish, and the settings for each database, ready for JSON."""
    found = recommend(frontier, wish)
    return {
        **frontier.to_json(),
        "recommendation": {
            "wish": dataclasses.asdict(wish),
            "best": _choice(found.best),
            "runner_up": _choice(found.runner_up),
            "sign_bits_suffice": found.sign_bits_suffice,
            "within_noise": found.within_noise,
            "share_read": found.share_read,
            "in_words": choice_line(frontier, found),
        },
        "databases": [
            {
                "name": each.name,
                "version": each.version,
                "link": each.link,
                "was_run": each.was_run,
                "point": _choice(advice.recommendation.best),
                "settings": advice.settings,
            }
            for each in DATABASES
            for advice in [advice_for(each, frontier, wish)]
        ],
    }


def _choice(choice: Choice | None) -> dict[str, Any] | None:
    if choice is None:
        return None
    sizes = {"ram_bytes": choice.ram.size_bytes, "disk_bytes": choice.disk.size_bytes}
    return {**dataclasses.asdict(choice.point), "total": sizes, "monthly_dollars": choice.monthly}


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
