"""Choosing the search setting of an engine by the recall it reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.bench.peers.catalog import Setting, label


@dataclass(frozen=True, slots=True)
class Tried:
    """One setting of a sweep."""

    setting: Setting
    recall: Mapping[str, float]
    """Recall@10 by query set."""
    elapsed_ms: float
    """Median of one query."""

    @property
    def worst_recall(self) -> float:
        """Returns the recall on the hardest query set."""
        return min(self.recall.values())

    def to_json(self) -> dict[str, Any]:
        """Returns the figures as they are written down."""
        return {"setting": label(self.setting), "recall": dict(self.recall), "ms": self.elapsed_ms}


def pick(tried: Sequence[Tried], target: float) -> Tried:
    """Returns the fastest setting that reaches `target` on every query set; else the one that comes nearest to it."""
    reaching = [one for one in tried if one.worst_recall >= target]
    if reaching:
        return min(reaching, key=lambda one: one.elapsed_ms)
    return min(tried, key=lambda one: (-one.worst_recall, one.elapsed_ms))
