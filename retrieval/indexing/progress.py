"""What a build reports while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How far a build is."""

    phase: str
    """`reading`, `encoding` (or `copying`, of vectors that were given), `writing`, `tuning` or `note`."""
    done: int = 0
    total: int | None = None
    message: str = ""
    """For the phase `note`: what the user should know."""


Report = Callable[[BuildProgress], None]
