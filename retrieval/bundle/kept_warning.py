"""The warning for an index whose bits lose many of the neighbours, whatever the settings."""

from __future__ import annotations

from retrieval.bundle.tuning import Tuning

_LEAST_SHARE = 0.9
_MANY_DIMENSIONS = 0.2
_MOST_DIMENSIONS = 0.5
"""Usual models have a handful of dimensions in hundreds that hardly change; a shift of all vectors makes it most."""


def kept_warning(tuning: Tuning | None, dim: int, num_uniform: int, *, is_centered: bool) -> str | None:
    """Returns what is lost and why, in two sentences; None if the best settings keep 90 % or nothing was measured.

    Few texts are all compared by int8 anyway; even so, bits that are nearly all equal are reported.

    Args:
        tuning: what was measured; its share is what is found of what rescoring all int8 vectors would find.
        dim: dimensions of the vectors.
        num_uniform: how many of them have the same bit for nearly all texts.
        is_centered: whether a mean was subtracted before the sign.
    """
    if tuning is None:
        return None
    best = max(point.share for point in tuning.curve)
    are_shifted = not is_centered and num_uniform >= _MANY_DIMENSIONS * dim
    if best >= _LEAST_SHARE and not (are_shifted and num_uniform >= _MOST_DIMENSIONS * dim):
        return None
    if best >= _LEAST_SHARE:
        return (
            f"The bits of this index hardly distinguish its texts: in {num_uniform:,} of {dim:,} dimensions nearly all "
            f"have the same sign. int8 makes up for it while there are few texts. Build it again with --center, which "
            f"subtracts the mean before the sign."
        )
    lost = f"Searches of this index find only {100 * best:.1f} % of the nearest texts, whatever the settings"
    if are_shifted:
        return (
            f"{lost}: in {num_uniform:,} of {dim:,} dimensions nearly all texts have the same sign, so their bits "
            f"no longer distinguish them. Build it again with --center, which subtracts the mean before the sign."
        )
    return (
        f"{lost}: with {dim:,} dimensions, one bit for each says too little about these vectors. Use a model "
        f"with more dimensions, or one that is known to keep its quality in bits."
    )
