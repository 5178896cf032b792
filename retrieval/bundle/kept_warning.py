"""What to tell of an index whose bits lose many of the neighbours, whatever the settings."""

from __future__ import annotations

from retrieval.bundle.tuning import Tuning

_LEAST_SHARE = 0.9
_MANY_DIMENSIONS = 0.2
"""Usual models have a handful of dimensions in hundreds that hardly change; a shift of all vectors makes it most."""


def kept_warning(tuning: Tuning | None, dim: int, num_uniform: int, *, is_centered: bool) -> str | None:
    """Returns what is lost and why, in two sentences; None where the best settings keep 90 % or nothing was measured.

    Args:
        tuning: what was measured; its share is what is found of what rescoring all int8 vectors would find.
        dim: dimensions of the vectors.
        num_uniform: how many of them have the same bit for nearly all texts.
        is_centered: whether a mean was taken off before the sign.
    """
    if tuning is None:
        return None
    best = max(point.share for point in tuning.curve)
    if best >= _LEAST_SHARE:
        return None
    lost = f"Searches of this index find only {100 * best:.1f} % of the nearest texts, whatever the settings"
    if not is_centered and num_uniform >= _MANY_DIMENSIONS * dim:
        return (
            f"{lost}: in {num_uniform:,} of {dim:,} dimensions nearly all texts have the same sign, so their bits "
            f"tell them apart no more. Build it again with --center, which takes the mean off before the sign."
        )
    return (
        f"{lost}: with {dim:,} dimensions, one bit for each tells too little of these vectors. Take a model "
        f"with more dimensions, or one that is known to keep its quality in bits."
    )
