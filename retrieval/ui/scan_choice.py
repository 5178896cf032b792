"""The scans that a visitor can choose from, with the recall of each on the open index."""

from __future__ import annotations

from typing import Any

from retrieval.bundle.tuning import Tuning
from retrieval.results import SearchSettings
from retrieval.search.searcher import Searcher

_SENTENCES = {
    "hamming": "hamming counts the bits that differ from the query's.",
    "float-bits": "float-bits multiplies the float32 query with the bits of every text.",
    "lists": "lists does the same in the lists near the query only: faster, and it can miss some.",
}
"""What each scan does, by its name."""


def can_choose(searcher: Searcher) -> bool:
    """Returns whether the scans can find different texts: not if there are so few that all become candidates."""
    return searcher.manifest.distinct_text_count > searcher.defaults.num_candidates


def scan_choices(searcher: Searcher, settings: SearchSettings) -> list[tuple[str, str]]:
    """Returns the scans of an index as labels and names; a label has the recall that the build measured.

    The scan that a link asks for is included even if the index does not have it.
    """
    measured, tuning = _measured(searcher), searcher.manifest.tuning
    labels = {name: _with_recall(name, measured.get(name)) for name in searcher.scans}
    if "lists" in measured and tuning is not None and tuning.probes is not None:
        labels["lists"] += f" with {lists_visited(tuning.probes, tuning)} lists"
    choices = [(label, name) for name, label in labels.items()]
    missing = [] if settings.scan in searcher.scans else [(f"{settings.scan}, not in this index", settings.scan)]
    return choices + missing


def scan_words(searcher: Searcher) -> str:
    """Returns one sentence per scan, and what the recall next to its name means."""
    words = " ".join(_SENTENCES[name] for name in searcher.scans)
    if not _measured(searcher):
        return f"How candidates are found. {words}"
    return f"How candidates are found. {words} Recall@10 against float32 was measured when this index was built."


def probe_choices(searcher: Searcher, settings: SearchSettings) -> list[tuple[str, int]]:
    """Returns the numbers of lists that can be chosen, with the recall of those that the build tried."""
    if "lists" not in searcher.scans:
        return []
    tuning = searcher.manifest.tuning
    tried = () if tuning is None else tuning.scans
    recalls: dict[int, float | None] = {each.probes: each.recall for each in tried if each.probes is not None}
    for chosen in (searcher.defaults.probes, settings.probes):
        if chosen is not None:
            recalls.setdefault(chosen, None)
    return [(_with_recall(lists_visited(probes, tuning), recalls[probes]), probes) for probes in sorted(recalls)]


def lists_visited(probes: int, tuning: Tuning | None) -> str:
    """Returns how many lists a query visits: that many, or, by default, those of them that are in its reach."""
    has_reach = tuning is not None and tuning.reach is not None and probes == tuning.probes
    return f"up to {probes:,}" if has_reach else f"{probes:,}"


def scan_update(searcher: Searcher, settings: SearchSettings) -> dict[str, Any]:
    """Returns the control for the scan of an index; a link may ask for a scan that it does not have."""
    shown = can_choose(searcher) or settings.scan != searcher.defaults.scan
    return {
        "choices": scan_choices(searcher, settings),
        "value": settings.scan,
        "info": scan_words(searcher),
        "visible": True if shown else "hidden",
    }


def probes_update(searcher: Searcher, settings: SearchSettings) -> dict[str, Any]:
    """Returns the control for the number of lists of an index."""
    choices = probe_choices(searcher, settings)
    value = settings.probes if choices else None
    return {"choices": choices, "value": value, "visible": True if choices else "hidden"}


def _measured(searcher: Searcher) -> dict[str, float]:
    """Returns recall@10 by scan, as the build measured it with the settings it chose."""
    tuning = searcher.manifest.tuning
    if tuning is None:
        return {}
    # The chosen number of lists comes last, so its recall is the one that is kept.
    return {"hamming": tuning.recall.chosen, **{each.scan: each.recall for each in tuning.scans}}


def _with_recall(name: str, recall: float | None) -> str:
    return name if recall is None else f"{name}, recall {recall:.3f}"
