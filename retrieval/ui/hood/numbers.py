"""Numbers with a sign, as they are set in tables: a minus is as wide as a plus."""

from __future__ import annotations

_MINUS = "\N{MINUS SIGN}"


def signed(value: float, digits: int) -> str:
    """Returns a number with its sign and so many digits behind the point: `+0.1346`."""
    return f"{value:+.{digits}f}".replace("-", _MINUS)


def whole(value: int) -> str:
    """Returns a whole number, with a true minus where it is below 0."""
    return f"{value:,}".replace("-", _MINUS)
