"""What each way finds on average, if the build of the index measured it: a single query says little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retrieval.bundle.tuning import Tuning
from retrieval.results import SearchSettings


@dataclass(frozen=True, slots=True)
class Average:
    """The mean over many queries of how many of the exact results a way found."""

    found: float
    """Of `out_of`."""
    out_of: int
    num_queries: int
    """Texts of the corpus that were used as queries, each left out of its own answer."""


def averages(tuning: Tuning | None, used: SearchSettings) -> Mapping[str, Average]:
    """Returns what was measured, by `Way.key`; a way that was not, or not with these settings, is not there.

    Args:
        tuning: what the build of the index measured; None if it measured nothing.
        used: the settings of our path; their number of results does not matter here.
    """
    if tuning is None:
        return {}
    recall = tuning.recall
    found = {
        "int8": recall.int8_all,
        "bits": recall.bits,
        "published": recall.published,
        "float_scan": _by_scan(tuning, used, "float-bits", None),
        "ours": _ours(tuning, used),
    }
    return {
        key: Average(tuning.top_k * share, tuning.top_k, tuning.sampled_queries)
        for key, share in found.items()
        if share is not None
    }


def _ours(tuning: Tuning, used: SearchSettings) -> float | None:
    if not used.rescore:
        return None
    if used.scan != "hamming":
        return _by_scan(tuning, used, used.scan, used.probes)
    if not used.asymmetric:
        return None
    own = (used.num_candidates, used.rescore_multiplier)
    return next((point.recall for point in tuning.curve if point.setting == own), None)


def _by_scan(tuning: Tuning, used: SearchSettings, scan: str, probes: int | None) -> float | None:
    if used.rescore_multiplier != tuning.rescore_multiplier:
        return None
    return next((each.recall for each in tuning.scans if (each.scan, each.probes) == (scan, probes)), None)
