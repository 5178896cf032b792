"""How far to trust a mean over few queries."""

from __future__ import annotations

import math

Z_95 = 1.959964
"""The standard normal's 97.5 % point: 95 % lie between its negative and it."""


def share_interval(share: float, count: int) -> tuple[float, float]:
    """Returns a 95 % interval, from 0 to 1, for the mean of `count` shares of which only the mean is known.

    Wilson's score interval (1927) for a proportion. Shares between 0 and 1 spread at most as far as a proportion's
    zeros and ones do, so it is too wide rather than too narrow.

    Raises:
        ValueError: if `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"the mean of {count} shares: at least 1 is needed.")
    p, z2 = min(max(share, 0.0), 1.0), Z_95**2
    centre = (p + z2 / (2 * count)) / (1 + z2 / count)
    half = Z_95 * math.sqrt(p * (1 - p) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)
