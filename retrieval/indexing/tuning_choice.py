"""Which of the settings that were tried a build chooses."""

from __future__ import annotations

from collections.abc import Sequence

from retrieval.bundle.tuning import TuningPoint

_CANDIDATES_PER_ROW = 2
"""An int8 row costs as much as this many candidates. Measured with 593,891 texts in RAM: a row takes 1 to 1.5 us, a
candidate 0.2 us on an AMD Zen 5, and 2 us on an Intel Sapphire Rapids, where the counting kernel's memory is slow."""
_FEWEST_CANDIDATES, _FEWEST_ROWS = 500, 100
"""The floor, though less may do for texts like the corpus's own: it would save only a fraction of a millisecond, and
questions can be harder than texts. In the documented Python functions, whose texts come in families, 100 candidates
and 40 rows keep 99 % for texts, and 97 % for people's questions; these keep 99.7 %."""


def choose(curve: Sequence[TuningPoint], target_share: float) -> TuningPoint:
    """Returns the smallest setting that reaches the target, or the best one if none does.

    No setting below the floor, which costs next to nothing, is chosen; a small corpus uses all it has.

    Raises:
        ValueError: if there is no setting to choose from.
    """
    fewest_candidates = min(_FEWEST_CANDIDATES, max(point.num_candidates for point in curve))
    fewest_rows = min(_FEWEST_ROWS, max(point.int8_rows for point in curve))
    able = [each for each in curve if each.num_candidates >= fewest_candidates and each.int8_rows >= fewest_rows]
    reaching = [point for point in able if point.share >= target_share]
    if reaching:
        return min(reaching, key=cost)
    return min(able, key=lambda point: (-point.share, cost(point)))


def cost(point: TuningPoint) -> tuple[int, int]:
    """Returns what makes one setting smaller than another: work for each query, then rows read from the disk."""
    return (_CANDIDATES_PER_ROW * point.int8_rows + point.num_candidates, point.int8_rows)
